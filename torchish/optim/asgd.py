"""ASGD. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_not_negative, scalar_dtype
from .optimizer import check_implementation, check_learning_rate


class ASGD(RuleBased):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992): SGD that keeps the mean of its iterates in state["ax"].

    `foreach` and `capturable` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "asgd"
    late_settings = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative("weight_decay", weight_decay)
        check_implementation(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        kind = scalar_dtype()
        eta = torch.tensor(float(group["lr"]), dtype=kind)
        return {"eta": eta, "mu": torch.ones((), dtype=kind), "ax": torch.zeros_like(parameter)}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {name: group[name] for name in ("lambd", "alpha", "t0")}
