"""TensorBase: the engine's side of a Tensor. Its Storage, its view of it, and its autograd identity. Operations are attached above.

Note [Data and graph]: a tensor's data (the Storage's Value) and its place in the graph (`_edge`) are separate, as in torch. A write
through a detached alias changes the data and leaves the edge; gradients are then taken at the new data.
"""
from __future__ import annotations

import copy
import threading
import weakref

from .._dtype import dtype
from .grad_graph import AccumulateGrad, GradNode, Nowhere, keep_counter
from .spec import Spec, like
from .storage import Storage
from .tape import Value, constant, state

CONJUGATING, NEGATING = "conjugating", "negating"  # the `info` of view ops whose elements are computed from those in memory


class _OnDemand:
    """`Tensor._storage` of a tensor that owns its Value alone: made when somebody asks, since most intermediates are never shared."""

    def __get__(self, t, cls=None):
        if t is None:
            return self
        with _sharing:
            own = t._own
            if own is None:
                made = t.__dict__.get("_storage")  # another thread was first
                if made is None:
                    raise AttributeError(f"'{type(t).__name__}' object has no attribute '_storage'")
                return made
            made = Storage(own)
            if t._strides is not None:
                made.strides = t._strides
            t._storage = made
            t._own = None
            if t._edge is not None and not t._edge[0].ends:
                keep_counter(t._edge[0], t._edge[1], made)
        return made


_sharing = threading.Lock()


class TensorBase:
    """Slots of a tensor, as class-level defaults: making one assigns only what differs."""

    _own: Value | None = None  # its Value, as long as nothing shares it; afterwards it is in the Storage
    _storage: Storage = _OnDemand()
    _chain: tuple | None = None  # steps (op, numbers, static) from the Storage's root; None for the whole of it
    _value: Value | None = None  # a view's cached Value, good while `_generation` is the Storage's
    _generation = -1
    _seen = -1  # the version at which a view's `_edge` was right
    _base_tensor: TensorBase | None = None  # torch's `_base`
    _edge: tuple | None = None  # (GradNode, output number); not None exactly when it requires grad
    _strides: tuple | None = None  # in elements; None when contiguous
    _offset = 0
    _counter = None  # VersionCounter of `.data`; None: the Storage's own
    _grad: TensorBase | None = None
    _origin = None  # how a view came about, where that forbids in-place writes: "no_grad", "multi", "inference", "custom"
    _hooks: tuple | None = None  # (the edge they were registered at, table of hooks)
    _post_hooks: dict | None = None
    _retains = None
    _inference = False

    # ------------------------------------------------------------ data
    def _read(self) -> Value:
        """The current Value, regenerated if a write through another alias made it stale."""
        if self._own is not None:
            return self._own
        if self._chain is None:
            return self._storage.value
        if self._generation != self._storage.generation:
            regenerate(self, False)
        return self._value

    def _operand(self) -> Value:
        """`_read` for what becomes an operand: in grad mode, raises where a view's place in the graph was made invalid."""
        if self._chain is None:
            return self._own or self._storage.value
        storage = self._storage
        if self._generation != storage.generation or self._seen != (self._counter or storage).version:
            regenerate(self, state.grad)
        if self._edge is None and self._base_tensor is not None:
            self._current_edge()
        return self._value

    @property
    def _spec(self) -> Spec:
        own = self._own
        if own is not None:
            return own.spec
        return self._storage.spec if self._chain is None else self._value.spec

    def _current_edge(self):
        """The edge, brought up to date for a view whose base was written to."""
        if self._chain is not None and self._seen != (self._counter or self._storage).version:
            regenerate(self, False)
        if self._edge is None and self._base_tensor is not None and self._base_tensor._current_edge() is not None and self._spec.differentiable:
            self._edge = (Nowhere("Untracked"), 0)  # the base began to require grad after the view was made
        return self._edge

    @property
    def _current_strides(self) -> tuple:
        return self._spec.strides if self._strides is None else self._strides

    def _bump(self) -> None:
        if self._inference and not state.inference:  # only now: torch has written by then, too
            raise RuntimeError("Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor "
                               "before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.")
        counter = self._counter or self._storage
        counter.version += 1


tensor_class: type = TensorBase
_new = object.__new__


def install(cls: type) -> None:
    """Make `cls` the class of tensors that operations return."""
    global tensor_class
    tensor_class = cls


def new_tensor(value: Value, edge: tuple | None = None) -> TensorBase:
    """A tensor that owns a new Storage holding `value`."""
    t = _new(tensor_class)
    t._storage = Storage(value)
    if edge is not None:
        t._edge = edge
    if state.inference:
        t._inference = True
    return t


def owner_of(value: Value) -> TensorBase:
    """A tensor that owns `value`, without a Storage yet."""
    t = _new(tensor_class)
    t._own = value
    return t


def set_strides(t: TensorBase, strides: tuple) -> None:
    """Give a new tensor strides other than the contiguous ones."""
    if strides != t._spec.strides:
        t._strides = strides
        if t._own is None:
            t._storage.strides = strides


def alias(t: TensorBase, cls: type | None = None) -> TensorBase:
    """A tensor that shares `t`'s storage and view but not its place in the graph: `detach()`."""
    a = _new(cls or tensor_class)
    a._storage = t._storage
    if t._chain is not None:
        a._chain, a._value, a._generation, a._offset = t._chain, t._read(), t._storage.generation, t._offset
        a._seen = (t._counter or t._storage).version
    if t._strides is not None:
        a._strides = t._strides
    if t._counter is not None:
        a._counter = t._counter
    return a


def set_leaf(t: TensorBase, on: bool) -> None:
    """Turn a tensor into a leaf that requires grad, or one that does not."""
    if on and t._hooks is not None and t._hooks[0][0].__class__ is AccumulateGrad:
        t._edge = t._hooks[0]  # its hooks are still registered there
    else:
        t._edge = (AccumulateGrad(t), 0) if on else None


def is_marked(t: TensorBase, kind: str) -> bool:
    """Whether the elements of `t` are the conjugates (CONJUGATING) or the negatives (NEGATING) of those in memory."""
    return t._chain is not None and sum([step[0].info == kind for step in t._chain]) % 2 == 1


def is_altered(t: TensorBase) -> bool:
    """Whether the elements of `t` are not those in memory, but their conjugates or negatives."""
    return t._chain is not None and (is_marked(t, CONJUGATING) or is_marked(t, NEGATING))


def is_leaf(t: TensorBase) -> bool:
    """Whether no recorded operation produced it. Raises RuntimeError for a view that a write elsewhere made invalid."""
    edge = t._current_edge()
    if t._origin is not None and t._seen != (t._counter or t._storage).version:
        regenerate(t, True)
    return edge is None or edge[0].ends


def grad_fn(t: TensorBase) -> GradNode | None:
    """The graph node that produced it; None for leaves. Raises RuntimeError for a view that a write elsewhere made invalid."""
    edge = t._current_edge()
    if t._origin is not None and t._seen != (t._counter or t._storage).version:
        regenerate(t, True)
    return None if edge is None or edge[0].ends else edge[0]


def regenerate(t: TensorBase, strict: bool) -> None:
    """Bring a view up to date after a write through another alias. Filled in by `view`, which knows how to re-apply steps."""
    raise NotImplementedError


def step_between(base: TensorBase, t: TensorBase) -> tuple:
    """The view step from `base`'s elements to those of `t`, by their places in memory. Filled in by the table of strided views."""
    raise NotImplementedError


# ---------------------------------------------------------------- copies and plain data
def from_array(array, cls: type | None = None, device=None, held_as: dtype | None = None) -> TensorBase:
    """A tensor of class `cls` that owns a concrete array, which must not be written to afterwards. `held_as`: the dtype, if the array's is wider."""
    value = constant(array, device)
    if held_as is not None:
        value.spec = like(value.spec, None, held_as)
    t = new_tensor(value)
    if cls is not None and cls is not tensor_class:
        t.__class__ = cls
    return t


def own_copy(t: TensorBase, cls: type) -> TensorBase:
    """A tensor with the same values and its own Storage. Values are immutable, so nothing is copied until one side is written to."""
    made = _new(cls)
    value = t._read()
    if value.array is None:
        from_pending(value)
    twin = Value(value.spec, None, 0, value.array)
    value.owned = False
    made._storage = Storage(twin)
    if t._strides is not None and not is_altered(t):
        made._strides = made._storage.strides = t._strides
    return made


def from_pending(value: Value) -> None:
    """Evaluate a pending Value, so that a twin can share its array. Filled in by `evaluate`."""
    raise NotImplementedError


def user_attributes(t: TensorBase) -> dict:
    """What the user set on the tensor as attributes."""
    return {k: v for k, v in t.__dict__.items() if k not in _OWN}


def copy_user_attributes(source: TensorBase, target: TensorBase, memo: dict) -> None:
    """Deep-copy the user's attributes from one tensor to another."""
    for k, v in user_attributes(source).items():
        target.__dict__[k] = copy.deepcopy(v, memo)


_OWN = {"_storage", *(k for k in TensorBase.__dict__ if not k.startswith("__"))}
weak_tensor = weakref.ref
