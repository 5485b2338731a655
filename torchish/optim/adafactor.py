"""Adafactor. The update itself is a rule of `_ops/optimizer_rules.py`."""

from __future__ import annotations

from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._rule_based import RuleBased, check_at_least_zero, check_single_lr, refuse_complex


class Adafactor(RuleBased):
    """Adafactor (Shazeer and Stern, 2018): Adam without the mean, whose second moment of a matrix is kept as those of its rows and columns.

    `eps` is (floor of the second moment, None for the dtype's epsilon; floor of the parameter's root mean square), `d` the clipping threshold
    of the update. `foreach` chooses nothing here. Raises ValueError for settings out of range, RuntimeError for complex parameters.
    """

    rule = "adafactor"
    decays_itself = True
    late_settings = {"foreach": None}

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_single_lr(lr)
        check_at_least_zero("Learning rate", lr)
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None:
            check_at_least_zero("epsilon1", eps[0])
        check_at_least_zero("epsilon2", eps[1])
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_at_least_zero("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _step_group(self, group: dict[str, Any], params: list[Tensor]) -> None:
        refuse_complex("Adafactor", params)
        super()._step_group(group, params)

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        if parameter.dim() < 2:
            return {"variance": torch.zeros_like(parameter)}
        *lead, rows, columns = parameter.shape
        return {"row_var": parameter.new_zeros((*lead, rows, 1)), "col_var": parameter.new_zeros((*lead, 1, columns))}

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        low, small = group["eps"]
        return {"beta2_decay": group["beta2_decay"], "eps1": float("nan") if low is None else low, "eps2": small, "d": group["d"]}
