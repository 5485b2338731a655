"""Muon. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_at_least_zero, check_single_lr, refuse_complex

_ADJUSTMENTS = ("original", "match_rms_adamw")
_MOST_STEPS = 100


class Muon(RuleBased):
    """Muon (Jordan, 2024), for matrices only: momentum that is made orthogonal, in bfloat16, before it is applied; weight decay is decoupled.

    `adjust_lr_fn`, "original" (the default) or "match_rms_adamw", scales the learning rate by a parameter's shape. Raises ValueError for
    settings out of range and parameters that are no matrices, RuntimeError for complex ones.
    """

    rule = "muon"
    counts_steps = False
    decays_itself = True

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_single_lr(lr)
        check_at_least_zero("Learning rate", lr)
        check_at_least_zero("momentum", momentum)
        check_at_least_zero("weight decay", weight_decay)
        if adjust_lr_fn is not None and adjust_lr_fn not in _ADJUSTMENTS:
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.dim() != 2:
                    raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {parameter.size()}")

    def _step_group(self, group: dict[str, Any], params: list[Tensor]) -> None:
        refuse_complex("Muon", params)
        if group["ns_steps"] >= _MOST_STEPS:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        super()._step_group(group, params)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"momentum_buffer": torch.zeros_like(parameter)}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        a, b, c = group["ns_coefficients"]
        return {"momentum": group["momentum"], "eps": group["eps"], "a": a, "b": b, "c": c}

    def _flags(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"nesterov": bool(group["nesterov"]), "steps": group["ns_steps"], "adjust": group["adjust_lr_fn"]}
