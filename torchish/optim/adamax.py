"""Adamax. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_betas, check_not_negative
from .optimizer import check_implementation, check_learning_rate


class Adamax(RuleBased):
    """Adamax (Kingma and Ba, 2014, section 7.1): Adam with the largest recent gradient in place of the second moment.

    `foreach` and `capturable` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "adamax"
    late_settings = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative("epsilon", eps)
        check_betas(betas)
        check_not_negative("weight_decay", weight_decay)
        check_implementation(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"exp_avg": torch.zeros_like(parameter), "exp_inf": torch.zeros_like(parameter)}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"beta1": group["betas"][0], "beta2": group["betas"][1], "eps": group["eps"]}
