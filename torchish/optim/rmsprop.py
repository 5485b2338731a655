"""RMSprop. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_not_negative
from .optimizer import check_implementation, check_learning_rate


class RMSprop(RuleBased):
    """RMSprop (Tieleman and Hinton, 2012): the gradient over its running root mean square, or deviation if `centered`.

    `foreach` and `capturable` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "rmsprop"
    late_settings = {"momentum": 0, "centered": False, "foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative("epsilon", eps)
        check_not_negative("momentum", momentum)
        check_not_negative("weight_decay", weight_decay)
        check_not_negative("alpha", alpha)
        check_implementation(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        wanted = {"square_avg": True, "momentum_buffer": group["momentum"] > 0, "grad_avg": group["centered"]}
        return {name: torch.zeros_like(parameter) for name, present in wanted.items() if present}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"alpha": group["alpha"], "eps": group["eps"], "momentum": group["momentum"]}
