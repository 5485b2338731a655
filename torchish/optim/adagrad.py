"""Adagrad. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from ._rule_based import RuleBased, check_not_negative, like_parameter
from .optimizer import check_implementation, check_learning_rate


class Adagrad(RuleBased):
    """Adagrad (Duchi, Hazan and Singer, 2011): the gradient over the root of the sum of all its squares; lr decays by `lr_decay`.

    The state exists from the start. `foreach` and `fused` choose nothing here. Raises ValueError for settings out of range.
    """

    rule = "adagrad"
    late_settings = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative("lr_decay", lr_decay)
        check_not_negative("weight_decay", weight_decay)
        check_not_negative("initial_accumulator_value", initial_accumulator_value)
        check_not_negative("epsilon", eps)
        check_implementation(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                self._make_state(parameter, group)

    def share_memory(self) -> None:
        """Move the state to shared memory. Raises NotImplementedError: torchish's arrays belong to one process."""
        raise NotImplementedError("Adagrad.share_memory(): torchish's tensors cannot be shared between processes")

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"sum": like_parameter(parameter.detach(), group["initial_accumulator_value"])}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"lr_decay": group["lr_decay"], "eps": group["eps"]}
