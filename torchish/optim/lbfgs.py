"""LBFGS: limited-memory BFGS with a strong Wolfe line search, plain Python over flat tensors.

It reads losses and slopes at every evaluation, as its decisions need them, so it is no single recorded op.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._wolfe import strong_wolfe
from .optimizer import Optimizer, check_learning_rate, to_scalar


class LBFGS(Optimizer):
    """L-BFGS (Nocedal and Wright, 2006, algorithms 7.4 and 7.5): `step(closure)` runs up to `max_iter` iterations.

    `line_search_fn` is None or "strong_wolfe". All parameters are one group. Raises ValueError for more groups or a bad learning rate.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_learning_rate(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]
        self._numel_cache: int | None = None

    # ------------------------------------------------------------ parameters as one real vector
    def _gather_flat_grad(self) -> Tensor:
        parts = []
        for parameter in self._params:
            gradient = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            parts.append((torch.view_as_real(gradient) if gradient.is_complex() else gradient).reshape(-1))
        return torch.cat(parts, 0)

    def _add_grad(self, step_size: Any, direction: Tensor) -> None:
        """Move the parameters by `step_size * direction`."""
        offset = 0
        for parameter in self._params:
            real = torch.view_as_real(parameter) if parameter.is_complex() else parameter
            count = real.numel()
            real.add_(direction[offset : offset + count].view_as(real), alpha=step_size)
            offset += count

    def _clone_param(self) -> list[Tensor]:
        return [parameter.clone() for parameter in self._params]

    def _set_param(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._params, values):
            parameter.copy_(value)

    def _directional_evaluate(self, closure: Callable[[], Any], start: list[Tensor], size: float, direction: Tensor) -> tuple[float, Tensor]:
        """(loss, flat gradient) at `start + size * direction`; the parameters come back to `start`."""
        self._add_grad(size, direction)
        loss = float(closure())
        gradient = self._gather_flat_grad()
        self._set_param(start)
        return loss, gradient

    # ------------------------------------------------------------ one step
    @torch.no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:
        """Minimise `closure`, which evaluates loss and gradients anew; returns its first loss."""
        closure = torch.enable_grad()(closure)
        group = self.param_groups[0]
        rate = to_scalar(group["lr"])
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss = float(first)
        state["func_evals"] += 1
        gradient = self._gather_flat_grad()
        if float(gradient.abs().max()) <= group["tolerance_grad"]:
            return first
        self._iterate(closure, group, rate, state, loss, gradient)
        return first

    def _iterate(self, closure: Any, group: dict[str, Any], rate: Any, state: dict[str, Any], loss: float, gradient: Tensor) -> None:
        evaluations, iterations = 1, 0
        size = state.get("t")
        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] += 1
            self._update_direction(state, gradient, size, group["history_size"])
            direction = state["d"]
            previous_gradient, previous_loss = gradient.clone(), loss
            state["prev_flat_grad"], state["prev_loss"] = previous_gradient, previous_loss
            size = min(1.0, 1.0 / gradient.abs().sum()) * rate if state["n_iter"] == 1 else rate
            slope = gradient.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            used = 0
            last = iterations == group["max_iter"]
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = self._clone_param()
                loss, gradient, size, used = strong_wolfe(
                    lambda s, start=start, direction=direction: self._directional_evaluate(closure, start, s, direction),
                    size,
                    direction,
                    loss,
                    gradient,
                    slope,
                )
                self._add_grad(size, direction)
                flat = float(gradient.abs().max()) <= group["tolerance_grad"]
            else:
                self._add_grad(size, direction)
                flat = False
                if not last:
                    loss = float(closure())
                    gradient = self._gather_flat_grad()
                    flat = float(gradient.abs().max()) <= group["tolerance_grad"]
                    used = 1
            evaluations += used
            state["func_evals"] += used
            moved = float(direction.mul(size).abs().max())
            if last or evaluations >= group["max_eval"] or flat or moved <= group["tolerance_change"]:
                break
            if abs(loss - previous_loss) < group["tolerance_change"]:
                break
        state["t"] = size
        for name in ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss"):
            state[name] = state.pop(name)  # in torch's order

    @staticmethod
    def _update_direction(state: dict[str, Any], gradient: Tensor, size: Any, history: int) -> None:
        """Put the next direction in state["d"], learning from the last move where its curvature is positive."""
        if state["n_iter"] == 1:
            state["d"] = gradient.neg()
            state["old_dirs"], state["old_stps"], state["ro"], state["H_diag"] = [], [], [], 1
            return
        change, move = gradient.sub(state["prev_flat_grad"]), state["d"].mul(size)
        curvature = change.dot(move)
        if curvature > 1e-10:
            if len(state["old_dirs"]) == history:
                for name in ("old_dirs", "old_stps", "ro"):
                    state[name].pop(0)
            state["old_dirs"].append(change)
            state["old_stps"].append(move)
            state["ro"].append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        if "al" not in state:
            state["al"] = [None] * history
        state["d"] = _two_loops(state, gradient)


def _two_loops(state: dict[str, Any], gradient: Tensor) -> Tensor:
    """-H gradient by the two-loop recursion (Nocedal and Wright, algorithm 7.4).

    Coefficients are read one by one: as one program the recursion would be compiled again for every length of the history.
    """
    dirs, moves, rho, alpha = state["old_dirs"], state["old_stps"], state["ro"], state["al"]
    q = gradient.neg()
    for i in reversed(range(len(dirs))):
        alpha[i] = moves[i].dot(q) * rho[i]
        q = q.add(dirs[i], alpha=-alpha[i].item())
    direction = torch.mul(q, state["H_diag"])
    for i in range(len(dirs)):
        beta = dirs[i].dot(direction) * rho[i]
        direction = direction.add(moves[i], alpha=(alpha[i] - beta).item())
    return direction
