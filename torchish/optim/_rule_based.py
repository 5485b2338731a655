"""RuleBased: what the optimizers with a rule in `_ops/optimizer_rules.py` share: states made at the first step, one op a group.

Knows no rule by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _public as torch
from .._ops.optimizer_rules import rule_step
from ..tensor import Tensor
from .optimizer import Optimizer, to_scalar


def scalar_dtype() -> Any:
    """The dtype of step counts and other scalars of the state."""
    return torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32


def check_betas(betas: Any) -> None:
    """Raise ValueError unless both are in [0, 1)."""
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")


def check_at_least_zero(name: str, value: float) -> None:
    """Raise ValueError, in the words that torch's younger optimizers have, for a setting below 0 (or nan)."""
    if not 0.0 <= value:
        raise ValueError(f"{name} should be >= 0 but is: {value}")


def check_single_lr(lr: Any) -> None:
    """Raise ValueError for a tensor of several learning rates."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")


def refuse_complex(name: str, params: list[Tensor]) -> None:
    """Raise RuntimeError where a parameter is complex."""
    if any(parameter.is_complex() for parameter in params):
        raise RuntimeError(f"{name} does not support complex parameters")


def check_not_negative(name: str, value: float) -> None:
    """Raise ValueError, in torch's words, for a setting below 0 (or nan)."""
    if not 0.0 <= value:
        raise ValueError(f"Invalid {name} value: {value}")


def like_parameter(parameter: Tensor, value: float) -> Tensor:
    """A state filled with `value`; in a complex one both parts have it."""
    return torch.full_like(parameter, complex(value, value) if parameter.is_complex() else value)


class RuleBased(Optimizer):
    """An optimizer whose step is a rule: subclasses say which numbers it reads and what a fresh state holds."""

    rule = ""
    counts_steps = True  # whether the state has a "step"
    decays_itself = False  # whether the rule, not this class, applies weight decay
    late_settings: dict[str, Any] = {}  # settings older state dicts lack

    def _fresh_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        """The state at the first step, without "step"."""
        raise NotImplementedError

    def _numbers(self, group: dict[str, Any]) -> dict[str, Any]:
        """The settings the rule reads as numbers, besides "lr" and "weight_decay"."""
        raise NotImplementedError

    def _flags(self, group: dict[str, Any]) -> dict[str, Any]:
        """The settings the rule reads that are no numbers."""
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.late_settings.items():
                group.setdefault(name, value)
            for parameter in group["params"]:
                held = self.state.get(parameter, {})
                for name in ("step", "eta", "mu", "mu_product"):  # numbers in older state dicts
                    if name in held and not isinstance(held[name], Tensor):
                        held[name] = torch.tensor(float(held[name]), dtype=scalar_dtype())

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns the loss of `closure`, which is called first if given."""
        loss = self._run_closure(closure)
        for group in self.param_groups:
            params = [parameter for parameter in group["params"] if parameter.grad is not None]
            if params:
                self._step_group(group, params)
        return loss

    def _make_state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = self.state[parameter]
        if not state:
            if self.counts_steps:
                state["step"] = torch.zeros((), dtype=scalar_dtype())
            state.update(self._fresh_state(parameter, group))
        return state

    def _step_group(self, group: dict[str, Any], params: list[Tensor]) -> None:
        weight_decay = group.get("weight_decay", 0)
        decay = "" if weight_decay == 0 or self.decays_itself else "decoupled" if group.get("decoupled_weight_decay") else "coupled"
        numbers = {"lr": to_scalar(group["lr"]), "weight_decay": weight_decay, **self._numbers(group)}
        kinds: dict[tuple[str, ...], list[Tensor]] = {}  # by the names that their states hold
        for parameter in params:
            kinds.setdefault(tuple(self._make_state(parameter, group)), []).append(parameter)
        for names, alike in kinds.items():
            grads = [parameter.grad for parameter in alike]
            by_name = {name: [self.state[parameter][name] for parameter in alike] for name in names}
            rule_step(self.rule, alike, grads, by_name, numbers, flags=self._flags(group), maximize=group.get("maximize", False), decay=decay)
