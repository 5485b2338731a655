"""Record, aliasing: views that share their base's Storage, and writes that go through a chain of views back to it.

A view is the chain of view ops from the Storage's root, with torch's strides and offset beside it. Each view op carries its own inverse
(`Op.put`), so one recorded "put back" node undoes a whole chain.
"""
from __future__ import annotations

from . import evaluate, handle
from .grad_graph import AccumulateGrad
from .handle import TensorBase
from .op import Op, simple
from .record import call_values
from .tape import Value, record_values, state


def make_view(base: TensorBase, op: Op, numbers: tuple, static: tuple, strides: tuple, offset: int, differentiable: bool = True) -> TensorBase:
    """A view of `base` by one view op. `strides` and `offset` (elements from the Storage's start) are torch's for the result."""
    outs, node, _ = call_values(op, (base, *numbers), static)
    value = outs[0]
    t = object.__new__(handle.tensor_class)
    t._storage = storage = base._storage
    t._chain = (base._chain or ()) + ((op, numbers, static),)
    t._value, t._generation, t._offset = value, storage.generation, offset
    if strides != value.spec.strides:
        t._strides = strides
    if node is not None:
        t._edge = (node, 0)
    if base._counter is not None:
        t._counter = base._counter
    if base._inference or (state.inference and base._inference):
        t._inference = True
    if differentiable:
        t._base_tensor = base if base._base_tensor is None else base._base_tensor
        if not state.grad:
            t._origin = "no_grad" if base._origin is None or base._origin == "no_grad" else base._origin
        elif base._origin is not None:
            t._origin = base._origin
    if state.eager:
        evaluate.evaluate("eager switch", value)
    return t


def _regenerate(t: TensorBase) -> None:
    base = t._base_tensor
    if base is None or (t._edge is None and base._current_edge() is None) or (t._origin == "no_grad" and t._edge is None):
        t._value = _apply(t._storage.value, t._chain)
    else:
        _replay_on_base(t, base)
    t._generation = t._storage.generation


def _replay_on_base(t: TensorBase, base: TensorBase) -> None:
    """Data and graph edge anew, from the base as it is now."""
    fresh, before = base, state.grad
    state.grad = True
    try:
        for op, numbers, static in t._chain[len(base._chain or ()):]:
            fresh = make_view(fresh, op, numbers, static, (), 0)
    finally:
        state.grad = before
    t._value = fresh._value
    edge = fresh._edge
    # a view that became a leaf by requires_grad_() keeps its own identity
    if edge is not None and not (t._edge is not None and t._edge[0].__class__ is AccumulateGrad):
        t._edge = edge


def _apply(value: Value, steps: tuple) -> Value:
    for op, numbers, static in steps:
        types = (value.spec, *[n.__class__ for n in numbers])
        value = record_values(op.plan(types, static), (value, *numbers))[0]
    return value


handle.regenerate = _regenerate


# ---------------------------------------------------------------- writing back
def _walk(xp, root, new, numbers, steps, inverse: bool):
    """Apply the chain to `root`; with `inverse`, put `new` in at its end and carry the change back to the root."""
    stages, at = [root], 0
    for op, count, static in steps[:-1] if inverse else steps:
        stages.append(op.body(xp, stages[-1], *numbers[at:at + count], **dict(static)))
        at += count
    if not inverse:
        return stages[-1]
    for (op, count, static), base in zip(reversed(steps), reversed(stages)):
        at = len(numbers) - count
        new = op.put(xp, base, new, *numbers[at:], **dict(static))
        numbers = numbers[:at]
    return new


def _put_body(xp, root, new, *numbers, steps):
    return _walk(xp, root, new, numbers, steps, True)


def _put_root_rule(xp, g, out, root, new, *numbers, steps):
    return _walk(xp, g, xp.zeros(new.shape, g.dtype), numbers, steps, True)


def _put_new_rule(xp, g, out, root, new, *numbers, steps):
    return _walk(xp, g, None, numbers, steps, False)


put_back = Op("put back", _put_body, simple(lambda root, new, *numbers, steps: root), grad="CopySlices", vjp=(_put_root_rule, _put_new_rule))


def _put_args(steps: tuple) -> tuple[tuple, tuple]:
    numbers = tuple(n for _, ns, _ in steps for n in ns)
    return numbers, (("steps", tuple((op, len(ns), static) for op, ns, static in steps)),)


def write(t: TensorBase, value: Value, edge: tuple | None) -> None:
    """Make `value` (of t's shape and dtype) the content of `t`, and with it of every alias; `edge` is the writer's place in the graph.

    Versions are bumped by one. Legality (leaves, no_grad views, ...) is checked by the caller beforehand.
    """
    storage = t._storage
    if t._chain is None:
        storage.store(value)
        if edge is not None:
            t._edge = edge
        t._bump()
        return
    base = t._base_tensor
    tracked = state.grad and base is not None and (edge is not None or base._current_edge() is not None)
    if tracked:
        _write_base(t, base, value, edge)
    else:
        _write_root(storage, t._chain, value)
        if edge is not None:
            t._edge = edge
        t._value, t._generation = value, storage.generation
    t._bump()


def _write_root(storage, chain: tuple, value: Value) -> None:
    numbers, static = _put_args(chain)
    types = (storage.value.spec, value.spec, *[n.__class__ for n in numbers])
    storage.store(record_values(put_back.plan(types, static), (storage.value, value, *numbers))[0])


def _write_base(t: TensorBase, base: TensorBase, value: Value, edge: tuple | None) -> None:
    """Write through a view whose base is, or becomes, part of the graph: the base gets a CopySlices node, the view regenerates from it."""
    steps = t._chain[len(base._chain or ()):]
    numbers, static = _put_args(steps)
    outs, node, _ = call_values(put_back, (base, _Operand(value, edge), *numbers), static)
    new = outs[0]
    storage = t._storage
    if base._chain is None:
        storage.store(new)
    else:
        _write_root(storage, base._chain, new)
        base._value, base._generation = new, storage.generation
    base._edge = (node, 0)
    # the value just written is t's own content: no need to slice it out of the base again, only its edge
    t._generation = -1


class _Operand(TensorBase):
    """A Value with an edge, posing as a tensor operand of `call_values`."""

    def __init__(self, value: Value, edge: tuple | None):
        self._chain = ()
        self._value = value
        self._edge = edge

    def _read(self) -> Value:
        return self._value
