"""Rprop. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, like_parameter
from .optimizer import check_implementation, check_learning_rate


class Rprop(RuleBased):
    """Resilient backpropagation (Riedmiller and Braun, 1993): a step size for each weight, grown while its gradient keeps its sign.

    `foreach` and `capturable` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "rprop"
    late_settings = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        check_implementation(foreach, None, differentiable)
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"prev": torch.zeros_like(parameter), "step_size": like_parameter(parameter, float(group["lr"]))}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        names = ("etaminus", "etaplus", "step_size_min", "step_size_max")
        return dict(zip(names, (*group["etas"], *group["step_sizes"])))
