"""Adadelta. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_not_negative
from .optimizer import check_implementation, check_learning_rate


class Adadelta(RuleBased):
    """Adadelta (Zeiler, 2012): the gradient scaled by the ratio of running root mean squares of past updates and of gradients.

    `foreach` and `capturable` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "adadelta"
    late_settings = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative("epsilon", eps)
        check_not_negative("weight_decay", weight_decay)
        check_implementation(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"square_avg": torch.zeros_like(parameter), "acc_delta": torch.zeros_like(parameter)}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"rho": group["rho"], "eps": group["eps"]}
