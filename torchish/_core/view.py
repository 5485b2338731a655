"""Record, aliasing: views that share their base's Storage, and writes that go through a chain of views back to it.

A view is the chain of view ops from the Storage's root, with torch's strides and offset beside it. Each view op carries its own inverse
(`Op.put`), so one recorded "put back" node undoes a whole chain.

Note [Stale views]: `_generation` says when a view's Value is out of date, `_seen` (a version) when its place in the graph is. A stale
place is renewed from the base, with one AsStridedBackward0 for the whole way as in torch; steps that change the dtype keep their own node.
"""
from __future__ import annotations

from . import evaluate, handle
from .errors import short_name
from .grad_graph import INVALID, Nowhere, node_class
from .handle import CONJUGATING, NEGATING, TensorBase
from .op import Op, half_complex, simple
from .record import call_values, grow_graph
from .shared_memory import SharedStorage, unread, view_value, write_view
from .storage import REWRITTEN, REWRITTEN_RESULTS, Storage
from .tape import Value, nobody, record_values, state

OVERLAPPING = "overlapping"  # the `info` of a view op whose elements can share memory
REINTERPRETING = "reinterpreting"  # the `info` of a view op that changes the dtype


# ---------------------------------------------------------------- making views
def make_view(base: TensorBase, op: Op, numbers: tuple, static: tuple, strides: tuple, offset: int, differentiable: bool = True) -> TensorBase:
    """A view of `base` by one view op. `strides` and `offset` (elements from the Storage's start) are torch's for the result."""
    if type(base._storage) is SharedStorage and (not state.grad or base._current_edge() is None) \
            and type(base._storage) is SharedStorage:  # still: to look for the edge may have looked at the memory
        return _lazy_view(base, op, numbers, static, strides, offset, differentiable)
    source = base._operand()
    plan = op.plan((source.spec, *[n.__class__ for n in numbers]) if numbers else (source.spec,), static)
    tracked = base._edge is not None and state.grad and plan.differentiable
    if tracked and state.has_backward:
        evaluate.forward_boundary()
    value = record_values(plan, (source, *numbers))[0]
    edge = (grow_graph(plan, (base, *numbers), value.node), 0) if tracked else None
    chain = base._chain
    t = attach(base, value, edge, ((op, numbers, static),) if chain is None else (*chain, (op, numbers, static)), strides, offset, differentiable)
    if state.eager:
        evaluate.evaluate("eager switch", value)
    return t


def _lazy_view(base: TensorBase, op: Op, numbers: tuple, static: tuple, strides: tuple, offset: int, differentiable: bool) -> TensorBase:
    """A view of shared memory, which looks at its part of it when it is read: see Note [Shared storages]."""
    plan = op.plan((base._spec, *[n.__class__ for n in numbers]), static)
    t = attach(base, unread(plan.out), None, (*(base._chain or ()), (op, numbers, static)), strides, offset, differentiable)
    t._generation = -1  # whatever became of the storage meanwhile
    return t


def root_view(storage, steps: tuple) -> Value:
    """What a new view by `steps` from the root of `storage` shows; unread where the memory is shared."""
    if type(storage) is not SharedStorage:
        return follow(storage.value, steps)
    spec = storage.spec
    for op, numbers, static in steps:
        spec = op.plan((spec, *[n.__class__ for n in numbers]), static).out
    return unread(spec)


def make_views(base: TensorBase, op: Op, static: tuple, pieces: list) -> tuple:
    """The views of one op with several outputs: one graph node for all. A piece is (step, strides, offset), its step a single-output view.

    Without gradients each piece is recorded by its own step, so that reading one does not compute the others.
    """
    if base._current_edge() is None or not state.grad:
        made = [make_view(base, *step, strides, offset) for step, strides, offset in pieces]
    else:
        outs, node, _ = call_values(op, (base,), static)
        chain = base._chain or ()
        made = [attach(base, outs[i], None if node is None else (node, i), chain + (step,), strides, offset)
                for i, (step, strides, offset) in enumerate(pieces)]
    if state.grad:
        for t in made:
            t._origin = "multi"
    return tuple(made)


def attach(base: TensorBase, value: Value, edge: tuple | None, chain: tuple, strides: tuple, offset: int, differentiable: bool = True) -> TensorBase:
    """A tensor on `base`'s Storage that shows `value`, reached by `chain` from the root; unless `differentiable`, torch gives it no `_base`."""
    t = object.__new__(handle.tensor_class)
    t._storage = storage = base._storage
    t._chain, t._value, t._generation, t._offset = chain, value, storage.generation, offset
    value.holder = nobody
    if strides != value.spec.strides:
        t._strides = strides
    if edge is not None:
        t._edge = edge
    counter = base._counter
    if counter is not None:
        t._counter = counter
        t._seen = counter.version
    else:
        t._seen = storage.version
    if base._inference:
        t._inference = True
    elif differentiable:
        t._base_tensor = base if base._base_tensor is None else base._base_tensor
        if not state.grad:
            t._origin = "inference" if state.inference else "no_grad"
            if base._edge is not None and value.spec.differentiable:
                t._edge = (Nowhere("Untracked"), 0)
        elif base._origin is not None:
            t._origin = base._origin
    return t


# ---------------------------------------------------------------- bringing views up to date
def _regenerate(t: TensorBase, strict: bool) -> None:
    """Renew the Value, and where it is stale too, the edge. `strict`: raise where torch would for asking after the edge."""
    storage, base = t._storage, t._base_tensor
    version = (t._counter or storage).version
    if version != t._seen:
        recorded = t._edge is not None and not t._edge[0].ends
        if base is not None and (recorded or base._current_edge() is not None):
            if t._origin is None:
                _replay_on_base(t, base)
                t._generation, t._seen = storage.generation, version
                return
            if strict:
                raise RuntimeError(origin_message(t, False))
            if not recorded:
                t._edge = (INVALID, 0)
        else:
            t._seen = version
    if t._generation != storage.generation:
        value = view_value(t) if type(storage) is SharedStorage else None
        t._value = follow(storage.value, t._chain) if value is None else value
        t._generation = storage.generation


def _replay_on_base(t: TensorBase, base: TensorBase) -> None:
    """Data and graph edge anew, from the base as it is now."""
    source, before, state.grad = base, state.grad, True
    try:
        for op, numbers, static in _segments(steps_from(base, t)):
            outs, node, _ = call_values(op, (source, *numbers), static)
            source = Operand(outs[0], None if node is None else (node, 0))
    finally:
        state.grad = before
    t._value = source._read() if _extends(t, base) else follow(t._storage.value, t._chain)
    if source._edge is not None:
        t._edge = source._edge


def steps_from(base: TensorBase, t: TensorBase) -> tuple:
    """The steps that lead from `base`'s elements to the view `t` of the same Storage."""
    return t._chain[len(base._chain or ()):] if _extends(t, base) else (handle.step_between(base, t),)


def _extends(t: TensorBase, base: TensorBase) -> bool:
    """Whether the way to `t` goes through `base`. Not so where the base's own view was changed in place: then go by the memory."""
    start = base._chain or ()
    return t._chain[:len(start)] == start


def _segments(steps: tuple) -> list:
    """The steps with each run of ordinary ones folded into one."""
    made, run = [], []
    for step in steps:
        if step[0].info == REINTERPRETING:
            made += [_folded(run), step] if run else [step]
            run = []
        else:
            run.append(step)
    return made + [_folded(run)] if run else made


def _folded(steps: list) -> tuple:
    return (along, *_args_of(tuple(steps)))


def _args_of(steps: tuple) -> tuple[tuple, tuple]:
    numbers = tuple(n for _, ns, _ in steps for n in ns)
    return numbers, (("steps", tuple((op, len(ns), static) for op, ns, static in steps)),)


def follow(value: Value, steps: tuple) -> Value:
    """What a chain of view steps makes of a root's Value."""
    for op, numbers, static in steps:
        types = (value.spec, *[n.__class__ for n in numbers])
        value = record_values(op.plan(types, static), (value, *numbers))[0]
        value.holder = nobody
    return value


handle.regenerate = _regenerate


# ---------------------------------------------------------------- chains as pure functions
def _stages(xp, root, numbers, steps) -> list:
    """`root` and what each step makes of it; `steps` are (op, count of its numbers, static)."""
    stages, at = [root], 0
    for op, count, static in steps:
        stages.append(op.body(xp, stages[-1], *numbers[at:at + count], **dict(static)))
        at += count
    return stages


def _forward(xp, root, *numbers, steps):
    return _stages(xp, root, numbers, steps)[-1]


def _along_infer(root, *numbers, steps):
    at = 0
    for op, count, static in steps:
        root = op.plan((root, *numbers[at:at + count]), static).out
        at += count
    return root


def _along_rule(xp, g, out, root, *numbers, steps):
    stages = _stages(xp, root, numbers, steps)
    at = len(numbers)
    for (op, count, static), base, made in zip(reversed(steps), reversed(stages[:-1]), reversed(stages[1:])):
        at -= count
        g = op.vjp[0](xp, g, made, base, *numbers[at:at + count], **dict(static))
    return g


along = Op("along views", _forward, simple(_along_infer), grad="AsStridedBackward0", vjp=(_along_rule,))
node_class("AsStridedBackward0").tensors = 1


def _put(xp, root, new, numbers, steps):
    """`root` with what `steps` show of it replaced by `new`."""
    stages = _stages(xp, root, numbers, steps)
    if any(op.info == OVERLAPPING for op, _, _ in steps):
        return _put_by_place(xp, stages, new, numbers, steps)
    for (op, count, static), base in zip(reversed(steps), reversed(stages[:-1])):
        rest = len(numbers) - count
        new = op.put(xp, base, new, *numbers[rest:], **dict(static))
        numbers = numbers[:rest]
    return new


def _put_by_place(xp, stages, new, numbers, steps):
    """`_put` where elements repeat: find the byte at which each lies by sending places down the chain, and write there."""
    root, flats, at = stages[0], [stages[0].reshape(-1)], 0
    places = (xp.arange(root.size) * root.dtype.itemsize).reshape(root.shape)
    readings = []
    for (op, count, static), before, after in zip(steps, stages, stages[1:]):
        if op.info == REINTERPRETING:
            places = _reread_places(xp, places, before, after)
            source = flats[-1].reshape(-1, 2) if after.ndim < before.ndim else flats[-1]
            readings.append((op, static, source))
            flats.append(op.body(xp, source, **dict(static)).reshape(-1))
        elif op.info in (CONJUGATING, NEGATING):
            new = op.body(xp, new)
        else:
            places = op.body(xp, places, *numbers[at:at + count], **dict(static))
        at += count
    flat = _scatter(flats[-1], places.reshape(-1) // new.dtype.itemsize, new.reshape(-1))
    for op, static, source in reversed(readings):
        made = op.body(xp, source, **dict(static))
        flat = op.put(xp, source, flat.reshape(made.shape), **dict(static)).reshape(-1)
    return flat.reshape(root.shape)


def _reread_places(xp, places, before, after):
    """Where elements lie once they are read as another dtype."""
    have, want = before.dtype.itemsize, after.dtype.itemsize
    if want < have:
        return (places[..., None] + xp.arange(have // want) * want).reshape(after.shape)
    return places.reshape(*after.shape, -1)[..., 0] if after.ndim else places.reshape(-1)[0]


def _scatter(flat, places, new):
    if hasattr(flat, "at"):
        return flat.at[places].set(new.astype(flat.dtype))
    made = flat.copy()
    made[places] = new
    return made


# ---------------------------------------------------------------- writing back
put_back = Op("put back", lambda xp, root, new, *numbers, steps: _put(xp, root, new, numbers, steps),
              simple(lambda root, new, *numbers, steps: root), grad="CopySlices",
              vjp=(lambda xp, g, out, root, new, *numbers, steps: _put(xp, g, xp.zeros(new.shape, g.dtype), numbers, steps),
                   lambda xp, g, out, root, new, *numbers, steps: _stages(xp, g, numbers, steps)[-1]))


half_complex(along, put_back)


def write(t: TensorBase, value: Value, edge: tuple | None) -> None:
    """Make `value` (of t's shape and dtype) the content of `t`, and with it of every alias; `edge` is the writer's place in the graph.

    Versions are bumped by one. Legality (leaves, no_grad views, ...) is checked by the caller beforehand.
    """
    storage = t._storage
    if state.scope is not None:
        state.scope.check_write(storage.value, value)
    if t._counter is not None and t._counter is not storage:
        note_hidden(storage, t._counter)
    if t._chain is None:
        storage.store(value)
        if edge is not None:
            t._edge = edge
            storage.writer = edge[0].__class__
        t._bump()
        return
    base = t._base_tensor
    if base is None:
        _write_root(t, value)
        if edge is not None:
            t._edge = edge
        t._value, t._generation = value, storage.generation
        t._bump()
        return
    if edge is not None and t._origin is not None and state.grad:
        raise RuntimeError(origin_message(t, True))
    graph = edge is not None or base._current_edge() is not None
    if graph and state.grad:
        _write_base(t, base, value, edge)
        t._bump()
        return
    _write_root(t, value)
    t._value, t._generation = value, storage.generation
    t._bump()
    if not graph:
        t._seen = (t._counter or storage).version


def note_hidden(storage: Storage, counter) -> None:
    """Before a write that other users of a Storage do not see counted: see Note [Hidden writes]."""
    REWRITTEN[storage.value] = storage
    storage.hidden = True
    if getattr(counter, "of_result", False):
        REWRITTEN_RESULTS.add(storage)


def _write_root(t: TensorBase, value: Value) -> None:
    """Make `value` the content of the view `t`, in its Storage."""
    storage = t._storage
    if type(storage) is SharedStorage and write_view(t, value):
        return
    storage.store(put_into(storage, t._chain, value))


def put_into(storage, chain: tuple, value: Value) -> Value:
    """The content of `storage` with `value` in the place of what `chain` shows of it."""
    numbers, static = _args_of(chain)
    types = (storage.spec, value.spec, *[n.__class__ for n in numbers])
    return record_values(put_back.plan(types, static), (storage.value, value, *numbers))[0]


def _write_base(t: TensorBase, base: TensorBase, value: Value, edge: tuple | None) -> None:
    """Write through a view whose base is, or becomes, part of the graph: the base gets a CopySlices node, the view regenerates from it."""
    numbers, static = _args_of(steps_from(base, t))
    outs, node, _ = call_values(put_back, (base, Operand(value, edge), *numbers), static)
    new = outs[0]
    storage = t._storage
    if base._chain is None:
        storage.store(new)
    elif _extends(t, base):
        _write_root(base, new)
        base._value, base._generation = new, storage.generation
    else:
        _write_root(t, value)
    base._edge = (node, 0)
    storage.writer = node.__class__
    t._generation = -1


class Operand(TensorBase):
    """A Value with an edge, posing as a tensor operand of `call_values`."""

    def __init__(self, value: Value, edge: tuple | None):
        self._chain = ()
        self._value = value
        self._edge = edge

    def _read(self) -> Value:
        return self._value

    _operand = _read


# ---------------------------------------------------------------- changing a tensor's own view
def become(t: TensorBase, view: TensorBase, edge: tuple | None) -> None:
    """Make `t` show what `view` (of the same Storage) shows, in place: sizes, strides, offset and place in the graph. Bumps the version."""
    storage = t._storage = view._storage
    t._chain, t._offset, t._strides = view._chain, view._offset, view._strides
    if t._chain is not None:
        t._value, t._generation = view._read(), storage.generation
    if edge is not None:
        t._edge = edge
    t._bump()
    storage.generation += 1  # other views have to look whether their edge is still right
    t._seen = (t._counter or storage).version
    t._generation = storage.generation


# ---------------------------------------------------------------- what torch forbids
_ORIGINS: dict[str, str] = {
    "multi": "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified "
             "inplace. You should replace the inplace operation by an out-of-place one.",
    "no_grad": "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
               "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace "
               "to be tracked).",
    "inference": "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
                 "inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both outside (if you want "
                 "the inplace to be tracked).",
    "custom": "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace "
              "would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. "
              "You can fix this by cloning the output of the custom Function.",
}


def origin_message(t: TensorBase, direct: bool) -> str:
    """Why a view made in a special way cannot follow an in-place write: to itself (`direct`), or to its base or another view of it."""
    origin, edge = t._origin, t._edge
    what = "is being modified inplace" if direct else "and its base or another view of its base has been modified inplace"
    recorded = edge is not None and not edge[0].ends
    subject = f"Output {edge[1]} of {short_name(type(edge[0]))} is a view" if recorded else "A view was"
    if origin in ("inference", "no_grad") or not recorded:
        mode, normal = ("inference mode", "in normal mode") if origin == "inference" else ("no_grad mode", "with grad mode enabled")
        whose = "of a view which was " if recorded else ""
        opening = f"{subject} {whose}created in {mode} {'and ' if direct else ''}{what} {normal}. "
    else:
        opening = f"{subject} {'and ' if direct else ''}{what}. "
    return opening + _ORIGINS[origin]


def check_place(t: TensorBase) -> None:
    """Raise torch's error where `t` must not be changed in grad mode: leaves, their views, special views."""
    if not state.grad:
        return
    edge = t._current_edge()
    if edge is None:
        return
    if t._base_tensor is not None:
        if t._origin is not None:
            raise RuntimeError(origin_message(t, True))
        if handle.is_leaf(t._base_tensor):
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if edge[0].ends:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
