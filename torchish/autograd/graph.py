"""torch.autograd.graph: the graph as users see and watch it: nodes, edges, saved-tensor hooks, hooks on several tensors."""
from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence

from .. import _public as torch
from .._core.backward import GradientEdge as GradientEdge
from .._core.grad_graph import GradNode as Node
from .._core.handle import TensorBase, alias
from .._core.removable import RemovableHandle as RemovableHandle
from .._core.removable import add_hook as add_hook
from .._core.saved import update_watch
from .._core.tape import state


class saved_tensors_hooks:
    """Context manager: tensors that recorded operations keep for backward go through `pack_hook(tensor)` when they are recorded, and what
    it returns through `unpack_hook(packed)` when backward needs them.

    `unpack_hook` must return a tensor (TypeError) of the packed one's shape (RuntimeError). The innermost pair of hooks counts.
    """

    def __init__(self, pack_hook: Callable, unpack_hook: Callable):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if state.hooks_refused is not None:
            raise RuntimeError(state.hooks_refused)
        state.hooks = [*state.hooks, (self.pack_hook, self.unpack_hook)]
        update_watch()

    def __exit__(self, *error: object) -> None:
        state.hooks = state.hooks[:-1]
        update_watch()


class save_on_cpu(saved_tensors_hooks):
    """Context manager: tensors kept for backward stay in host memory in the meantime. `pin_memory` is accepted: JAX pins by itself."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda"):
        super().__init__(lambda tensor: (tensor.device, tensor.cpu()), lambda packed: packed[1].to(packed[0], non_blocking=pin_memory))


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str):
    """Context manager: using saved-tensor hooks within it raises RuntimeError(error_message), also where they are on already."""
    if state.hooks:
        raise RuntimeError(error_message)
    before, state.hooks_refused = state.hooks_refused, error_message
    try:
        yield
    finally:
        state.hooks_refused = before


def get_gradient_edge(tensor: TensorBase) -> GradientEdge:
    """The place of `tensor` in the graph, for `backward` and `grad`. Raises RuntimeError if it does not require grad."""
    edge = tensor._current_edge()
    if edge is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*edge)


def increment_version(tensor: TensorBase | Iterable[TensorBase]) -> None:
    """Count one more write to `tensor` (or to each of several), as if it had been modified in place. Raises RuntimeError otherwise."""
    tensors = (tensor,) if isinstance(tensor, TensorBase) else tensor
    if not isinstance(tensors, Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    for t in tensors:
        t._bump()


# ---------------------------------------------------------------- hooks on several tensors
class _MultiHandle(RemovableHandle):
    """Removes the hooks of `register_multi_grad_hook`."""

    def __init__(self, handles: tuple[RemovableHandle, ...]):
        self.handles = handles

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __getstate__(self) -> tuple:
        return self.handles

    def __setstate__(self, handles: tuple) -> None:
        self.handles = handles


def register_multi_grad_hook(tensors: Sequence[TensorBase], fn: Callable, *, mode: str = "all") -> RemovableHandle:
    """Call `fn` on the gradients of several tensors in each backward.

    mode "all": `fn(list of gradients, None for those not computed)`, once all that the backward reaches are there. mode "any":
    `fn(gradient)` for the first. Raises ValueError for another mode.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    run = _AllHook(tensors, fn) if mode == "all" else _AnyHook(fn)
    return _MultiHandle(tuple(t.register_hook(run.of(i)) for i, t in enumerate(tensors)))


class _AllHook:
    """Collects the gradients of one backward; the last of them calls the user's function."""

    def __init__(self, tensors: Sequence[TensorBase], fn: Callable):
        self.nodes = [t._current_edge()[0] for t in tensors]
        self.fn = fn
        self.lock = threading.Lock()
        self.gradients: dict[object, list] = {}  # of each backward that runs
        self.expected: dict[object, int] = {}

    def of(self, i: int) -> Callable:
        def collect(gradient) -> None:
            walk = state.walk
            key = walk.token
            with self.lock:
                if key not in self.gradients:
                    self.gradients[key] = [None] * len(self.nodes)
                    self.expected[key] = sum(walk.reaches(node) for node in self.nodes)
                self.gradients[key][i] = gradient
                self.expected[key] -= 1
                complete = self.expected[key] == 0
                if complete:
                    del self.expected[key]
                    gradients = self.gradients.pop(key)
            if complete:
                self.fn(gradients)
        return collect


class _AnyHook:
    """Calls the user's function on the first gradient of each backward."""

    def __init__(self, fn: Callable):
        self.fn = fn
        self.lock = threading.Lock()
        self.last = None

    def of(self, i: int) -> Callable:
        def first(gradient) -> None:
            with self.lock:
                if self.last is state.walk.token:
                    return
                self.last = state.walk.token
            self.fn(gradient)
        return first


# ---------------------------------------------------------------- mutation of saved tensors
class _AllowMutationOnSavedContext:
    """What `allow_mutation_on_saved_tensors` gives: whether it is still in force."""

    def __init__(self) -> None:
        self.active = True

    def clear(self) -> None:
        """Forget what was kept: backward through graphs recorded so far raises AssertionError."""
        self.active = False


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Context manager: tensors kept for backward may be modified in place; gradients are those at the values they had.

    Backward through a graph recorded within must also run within it (AssertionError). Not nestable (RuntimeError).
    """
    if state.mutable is not None:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = state.mutable = _AllowMutationOnSavedContext()

    def unpack(kept):
        if not context.active:
            raise AssertionError("Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
                                 "in which the graph was originally recorded.")
        return kept
    try:
        with saved_tensors_hooks(_frozen, unpack):
            yield context
    finally:
        context.clear()
        state.mutable = None


def _frozen(tensor: TensorBase) -> TensorBase:
    """The tensor as it is now. Values are immutable, so this copies nothing."""
    return torch.clone(alias(tensor))


__all__ = ["GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge", "increment_version",
           "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]
