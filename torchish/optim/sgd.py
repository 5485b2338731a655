"""SGD, with momentum and Nesterov's form of it. The update itself is one operation, `optimizer_steps.sgd_step`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _public as torch
from .._ops.optimizer_steps import sgd_step
from .optimizer import Optimizer, check_implementation, check_learning_rate, to_scalar


class SGD(Optimizer):
    """Stochastic gradient descent: p -= lr * buffer, buffer = momentum * buffer + (1 - dampening) * (grad + weight_decay * p).

    With `nesterov` the step is grad + momentum * buffer; `maximize` climbs instead. `foreach` and `fused` choose nothing
    here. Raises ValueError for settings out of range.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_implementation(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in (("nesterov", False), ("maximize", False), ("foreach", None), ("differentiable", False), ("fused", None)):
                group.setdefault(name, default)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns the loss of `closure`, which is called first if given."""
        loss = self._run_closure(closure)
        for group in self.param_groups:
            params = [parameter for parameter in group["params"] if parameter.grad is not None]
            if params:
                self._step_group(group, params)
        return loss

    def _step_group(self, group: dict[str, Any], params: list[Any]) -> None:
        momentum = group["momentum"]
        buffers = [self.state[parameter].get("momentum_buffer") if momentum != 0 else None for parameter in params]
        buffers = sgd_step(
            params,
            [parameter.grad for parameter in params],
            buffers,
            lr=to_scalar(group["lr"]),
            momentum=momentum,
            dampening=group["dampening"],
            weight_decay=group["weight_decay"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
        )
        if momentum != 0:
            for parameter, buffer in zip(params, buffers):
                self.state[parameter]["momentum_buffer"] = buffer
