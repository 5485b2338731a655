"""Hooks of the graph: how those of tensors are registered, and how a node's hooks are run, in torch's order and with torch's checks.

Knows the tables that tensors and nodes keep (`extra`), not how gradients are computed.
"""
from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .errors import type_name
from .handle import TensorBase, grad_fn, new_tensor
from .op import OPS
from .record import call
from .removable import RemovableHandle, add_hook


# ---------------------------------------------------------------- registering
def tensor_hooks(t: TensorBase) -> OrderedDict | None:
    """The hooks of the gradient of `t`, as it is now: an in-place operation leaves earlier ones on the old node."""
    return t._hooks[1] if t._hooks is not None and t._hooks[0] == t._current_edge() else None


def register_tensor_hook(t: TensorBase, hook: Callable) -> RemovableHandle:
    """Call `hook(grad)` when the gradient of `t` is complete; what it returns replaces it. Raises RuntimeError if none can be."""
    edge = t._current_edge()
    if edge is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    grad_fn(t)  # raises for a view that a write elsewhere made invalid
    table = tensor_hooks(t)
    if table is None:
        table = OrderedDict()
        t._hooks = edge, table
        node, number = edge
        node._extra().setdefault("tensor_hooks", []).append((number, table))
    return add_hook(table, hook)


RETAINING: dict[int, weakref.ref] = {}  # the non-leaf tensors that keep their gradients


def retain_grad(t: TensorBase) -> None:
    """Keep the gradient of a non-leaf in its `.grad`. Raises RuntimeError if it does not require grad."""
    edge = t._current_edge()
    if edge is None:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if edge[0].ends or t._retains is not None:
        return
    key = id(t)
    t._retains = ()
    RETAINING[key] = weakref.ref(t, lambda _: RETAINING.pop(key, None))


def bind_retained() -> None:
    """Tell the nodes whose results keep their gradients. Done as a backward begins, since an in-place operation moves a tensor to another node."""
    for key, reference in list(RETAINING.items()):
        t = reference()
        if t is None:
            continue
        stale = t._chain is not None and t._seen != (t._counter or t._storage).version  # its new place is in no graph yet
        edge = () if stale or t._edge is None else t._edge
        if edge is t._retains:
            continue
        if t._retains and (old := t._retains[0].extra) is not None:
            old.get("retain", {}).pop(key, None)
        t._retains = edge
        if edge and not edge[0].ends:
            node, number = edge
            node._extra().setdefault("retain", {})[key] = (number, reference)


# ---------------------------------------------------------------- running
def name_of(hook: Any) -> str:
    """What error messages call a hook."""
    return getattr(hook, "__name__", "<unknown>")


def checked(before: TensorBase | None, after: Any, hook: Any):
    """What a hook made of one gradient. Raises as torch does unless it is a tensor of the same kind."""
    if after is None:
        return None
    if before is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not isinstance(after, TensorBase):
        raise TypeError(f"expected Variable, but hook returned '{type(after).__name__}'")
    have, got = before._spec, after._spec
    if got.dtype is not have.dtype or got.device is not have.device:
        raise RuntimeError(f"hook '{name_of(hook)}' has changed the type of value (was {type_name(have)} got {type_name(got)})")
    if got.shape != have.shape:
        raise RuntimeError(f"hook '{name_of(hook)}' has changed the size of value")
    return after


def _checked_all(before: list, after: Any, hook: Any) -> list:
    if not isinstance(after, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(after).__name__}'")
    if len(after) != len(before):
        raise RuntimeError(f"hook '{name_of(hook)}' has returned an incorrect number of values (got {len(after)}, but expected {len(before)})")
    return [checked(b, a, hook) for b, a in zip(before, after)]


def run_tensor_hooks(extra: dict, gradients: list) -> None:
    """Hooks of the tensors that a node produced: each may replace its tensor's gradient; then `retain_grad` keeps what results."""
    for number, table in extra.get("tensor_hooks", ()):
        for hook in list(table.values()):
            changed = hook(gradients[number])
            if changed is not None:
                gradients[number] = checked(gradients[number], changed, hook)
    for number, reference in list(extra.get("retain", {}).values()):
        t = reference()
        if t is not None and gradients[number] is not None:
            g = gradients[number]
            fresh = call(OPS["clone"], (g,)) if g._edge is not None else new_tensor(g._read())
            t._grad = fresh if t._grad is None else t._grad + g


def run_prehooks(extra: dict, gradients: list) -> list:
    """Node prehooks: each may replace the gradients that arrive."""
    for hook in list(extra["prehooks"].values()):
        changed = hook(tuple(gradients))
        if changed is not None:
            gradients = _checked_all(gradients, changed, hook)
    return gradients


def run_posthooks(extra: dict, results: list, gradients: list) -> list:
    """Node hooks: each may replace the gradients of the operands (None where not needed)."""
    for hook in list(extra["hooks"].values()):
        changed = hook(tuple(results), tuple(gradients))
        if changed is not None:
            results = _checked_all(results, changed, hook)
    return results


def run_accumulated(t: TensorBase) -> None:
    """The hooks of a leaf whose `.grad` has been accumulated. Raises as torch does for one that returns something."""
    for hook in list(t._post_hooks.values()):
        result = hook(t)
        if result is not None and checked(t, result, hook) is not t:
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")
