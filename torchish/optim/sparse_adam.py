"""SparseAdam's constructor; its step needs sparse gradients, which torchish does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _public as torch
from ._rule_based import check_betas
from .optimizer import Optimizer, check_learning_rate


class SparseAdam(Optimizer):
    """Adam that touches only the rows a sparse gradient names. torchish has no sparse tensors, so every step with a gradient raises.

    Raises ValueError for settings out of range.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, maximize: bool = False
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Raises RuntimeError where any parameter has a gradient, which is dense here; returns the loss of `closure`."""
        loss = self._run_closure(closure)
        if any(parameter.grad is not None for group in self.param_groups for parameter in group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
