"""RAdam. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_betas, check_not_negative
from .optimizer import check_implementation, check_learning_rate


class RAdam(RuleBased):
    """RAdam (Liu et al., 2019): Adam whose adaptive rate waits until the second moment can be trusted.

    `foreach` and `capturable` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "radam"
    late_settings = {"foreach": None, "maximize": False, "differentiable": False, "decoupled_weight_decay": False, "capturable": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"beta1": group["betas"][0], "beta2": group["betas"][1], "eps": group["eps"]}
