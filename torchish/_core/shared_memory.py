"""Memory shared with NumPy: a Storage whose content lives in host memory that the user can reach through an array.

JAX's arrays are immutable, so sharing means looking: a read compares the memory with what it held last and, where the user wrote, takes a new
copy; a write through a tensor is computed at once and copied in. Only such a Storage pays, by its class: see Note [Shared storages].

Note [Shared storages]: `storage.__class__` becomes SharedStorage when the memory is first seen from outside, and Storage again, at a later
access, when nobody outside refers to it any more. Its `generation` is nan meanwhile, which equals nothing: so each view looks again at each
read, at its own part of the memory only. Values that were recorded never change: what they hold is a copy.

Note [Hull]: `Tensor.numpy()` of a part of a large tensor must not copy all of it. Bytes `low` to `high` of the memory are in use; outside,
what the last whole Value holds is good. The hull grows to what is asked for.
"""
from __future__ import annotations

import math
import weakref
from sys import getrefcount

import numpy as np

from . import handle
from .evaluate import read
from .handle import TensorBase
from .record import call, check_on_host
from .spec import Spec
from .storage import Storage
from .tape import Value, constant, state

DIRECT_BYTES = 1 << 16  # from here on, reading some elements of shared memory by index does not look at all of it
_CHUNK = 1 << 17


class Memory:
    """Host memory that NumPy arrays outside may refer to, and the last whole Value known of it."""

    __slots__ = ("flat", "owner", "spec", "strides", "low", "high", "snapshot", "seen", "generation", "writable")

    def __init__(self, flat: np.ndarray, owner, spec: Spec, strides: tuple, writable: bool = True):
        self.flat = flat  # the bytes, as uint8
        self.owner = owner  # the array they belong to; None: something else, whose other users cannot be counted
        self.spec, self.strides, self.writable = spec, strides, writable
        self.low, self.high = 0, flat.size
        self.snapshot: Value | None = None
        self.seen: np.ndarray | None = None  # its bytes, in the order of memory
        self.generation = 0

    # ------------------------------------------------------------ who else sees it
    def alone(self) -> bool:
        """Whether nobody outside refers to the memory."""
        if self.owner is None:
            return False
        if self.owner is self.flat:
            return getrefcount(self.flat) == _OWN and (self.flat.base is None or _private(self.flat))
        return getrefcount(self.owner) == _BORROWED and getrefcount(self.flat) == _FLAT and _private(self.owner)

    # ------------------------------------------------------------ parts
    def part(self, spec: Spec, strides: tuple, offset: int) -> np.ndarray:
        """The elements at (strides, offset), in the dtype of `spec`, as an array over the memory itself."""
        return _placed(self.flat, spec, strides, offset)

    def cover(self, spec: Spec, strides: tuple, offset: int) -> None:
        """Let the hull include these elements, see Note [Hull]."""
        if not spec.numel or (self.low == 0 and self.high == self.flat.size):
            return
        item = spec.dtype.itemsize
        low = offset * item
        high = low + (1 + sum([(n - 1) * s for n, s in zip(spec.shape, strides)])) * item
        if self.low == self.high:
            self.low = self.high = low
        if low < self.low:
            self.flat[low:self.low] = self.seen[low:self.low]
            self.low = low
        if high > self.high:
            self.flat[self.high:high] = self.seen[self.high:high]
            self.high = high

    # ------------------------------------------------------------ the whole
    def current(self) -> Value:
        """The whole as a Value: the last one, or a new one where the memory has changed."""
        if self.seen is None or not self._unchanged():
            fresh = self.flat.copy() if self.high - self.low == self.flat.size else self.seen.copy()
            fresh[self.low:self.high] = self.flat[self.low:self.high]
            self._know(fresh)
        return self.snapshot

    def _unchanged(self) -> bool:
        if self.high - self.low == self.flat.size:
            return _same(self.flat, self.seen)
        return _same(self.flat[self.low:self.high], self.seen[self.low:self.high])

    def _know(self, bytes_: np.ndarray) -> None:
        self.seen = bytes_
        self.snapshot = constant(_placed(bytes_, self.spec, self.strides, 0), self.spec.device)

    def last(self) -> Value:
        """The whole as a Value where nobody outside sees the memory any more: no copy."""
        if self.seen is None or (self.high - self.low == self.flat.size and not _same(self.flat, self.seen)):
            self._know(self.flat)
        return self.current()

    def put(self, value: Value) -> None:
        """Write a whole Value into the memory."""
        seen = self.bytes_of(value)
        self.flat[self.low:self.high] = seen[self.low:self.high]
        self.snapshot, self.seen = value, seen

    def bytes_of(self, value: Value) -> np.ndarray:
        """A whole Value's bytes in the order of memory."""
        host = read(value, "shared with NumPy")
        if self.strides == self.spec.strides:
            return np.ascontiguousarray(host).reshape(-1).view(np.uint8)
        made = np.empty(self.flat.size, np.uint8)
        _placed(made, self.spec, self.strides, 0)[...] = host
        return made


class SharedStorage(Storage):
    """A Storage over Memory, see Note [Shared storages]."""

    memory: Memory

    @property
    def value(self) -> Value:
        """The current Value; looks at the memory."""
        memory = self.memory
        if memory.alone():
            return release(self, memory.last())
        value = memory.current()
        value.holder = self.ref
        return value

    @value.setter
    def value(self, value: Value) -> None:
        if self.memory.writable:
            self.memory.put(value)
        else:
            release(self, value)  # torch's behaviour is undefined: the array stays as it is

    def store(self, value: Value) -> None:
        self.value = value
        value.holder = self.ref
        self.generation += 1


def release(storage: SharedStorage, value: Value) -> Value:
    """Make `storage` an ordinary one, which holds `value`."""
    generation = storage.memory.generation + 1
    del storage.memory
    storage.__class__ = Storage
    storage.value, storage.generation = value, generation
    value.holder = storage.ref
    return value


def _share(storage: Storage) -> None:
    """Give a Storage memory of its own that arrays can refer to. Nothing of it is in use yet."""
    value, spec = storage.value, storage.spec
    flat = np.empty(spec.nbytes, np.uint8)
    memory = Memory(flat, flat, spec, storage.strides or spec.strides)
    memory.low = memory.high = 0
    memory.snapshot, memory.seen, memory.generation = value, memory.bytes_of(value), storage.generation
    if storage.strides is not None:
        flat[:] = memory.seen
        memory.high = flat.size
    del storage.value
    storage.memory, storage.generation, storage.resizable = memory, math.nan, False
    storage.__class__ = SharedStorage


def tensor_over(array: np.ndarray, spec: Spec, strides: tuple, writable: bool) -> TensorBase:
    """A tensor over the user's memory, which begins where `array` begins; `strides`, in elements, fill it without gaps."""
    flat, owner = _bytes_from(array, spec.nbytes)
    t, storage = object.__new__(handle.tensor_class), object.__new__(SharedStorage)
    storage.spec, storage.ref = spec, weakref.ref(storage)
    storage.memory, storage.generation, storage.resizable = Memory(flat, owner, spec, strides, writable), math.nan, False
    t._storage = storage
    handle.set_strides(t, strides)
    if state.inference:
        t._inference = True
    return t


def array_of(t: TensorBase) -> np.ndarray:
    """The elements of `t`, whose dtype NumPy knows, as an array that shares memory with it."""
    storage = t._storage
    if not _is_exact(storage.spec):
        raise NotImplementedError(f"torchish: {storage.spec.dtype!r} memory cannot be shared with NumPy; share a clone()")
    if type(storage) is not SharedStorage:
        read(storage.value, "numpy")
        _share(storage)
    memory, place = storage.memory, _place(t)
    memory.cover(*place)
    return memory.part(*place)


# ---------------------------------------------------------------- parts of shared memory
def _place(t: TensorBase) -> tuple:
    return t._spec, t._current_strides, t._offset


def _plain(t: TensorBase) -> bool:
    """Whether the elements of `t` are those in memory, and no recorded way to them is wanted, as forward mode does."""
    return not state.dual and not handle.is_altered(t) and _is_exact(t._spec)


def _is_exact(spec: Spec) -> bool:
    """Whether NumPy holds elements of this dtype as torch does; not so complex32."""
    return spec.dtype.numpy.itemsize == spec.dtype.itemsize


def unread(spec: Spec) -> Value:
    """What a view of a SharedStorage shows before its first read."""
    return Value(spec, None, 0)


def view_value(t: TensorBase) -> Value | None:
    """What a view of a SharedStorage holds now, from its own part of the memory; None where it must come from the whole."""
    storage = t._storage
    memory = storage.memory
    if not _plain(t):
        return None
    if memory.alone():
        release(storage, memory.last())
        return None
    place = _place(t)
    memory.cover(*place)
    part, known = memory.part(*place), t._value
    if known.array is not None and _same_elements(part, np.asarray(known.array)):
        return known
    return constant(np.array(part, order="C"), known.spec.device)


def write_view(t: TensorBase, value: Value) -> bool:
    """Write `value` into the part of the memory that a view shows. False where it must be put into the whole."""
    memory = t._storage.memory
    if not memory.writable or not _plain(t):
        return False
    place = _place(t)
    memory.cover(*place)
    memory.part(*place)[...] = read(value, "shared with NumPy")
    return True


def call_in_place(op, args: tuple, static: tuple = ()) -> TensorBase:
    """`record.call` for an op that picks elements of its first operand; from large shared memory they are taken at once, without a copy of all."""
    value = _picked(op, args[0], args[1:], static)
    if value is None:
        return call(op, args, static)
    t = handle.new_tensor(value)
    if op.layout is not None and any(a._strides is not None for a in args if isinstance(a, TensorBase)):
        handle.set_strides(t, op.layout(value.spec, args))
    return t


def _picked(op, t: TensorBase, others: tuple, static: tuple) -> Value | None:
    storage = t._storage
    if type(storage) is not SharedStorage or t._spec.nbytes < DIRECT_BYTES or (state.grad and t._current_edge() is not None):
        return None
    memory = storage.memory
    if not _plain(t) or state.scope is not None or memory.alone():
        return None
    inputs = [unread(t._spec)]
    for a in others:
        inputs.append(constant(read(a._read(), "index of shared memory"), a._spec.device) if isinstance(a, TensorBase) else a)
    plan = op.plan(tuple([v.spec if v.__class__ is Value else v.__class__ for v in inputs]), static)
    if plan.check is not None:
        check_on_host(plan, inputs)
    place = _place(t)
    memory.cover(*place)
    made = plan.run(np, (memory.part(*place), *[v.array if v.__class__ is Value else v for v in inputs[1:]]))[0]
    return constant(made.copy() if np.may_share_memory(made, memory.flat) else made, t._spec.device)


# ---------------------------------------------------------------- bytes
def _placed(flat: np.ndarray, spec: Spec, strides: tuple, offset: int) -> np.ndarray:
    if not spec.numel:
        return np.empty(spec.shape, spec.dtype.numpy)
    item = spec.dtype.itemsize
    return np.ndarray(spec.shape, spec.dtype.numpy, flat, offset * item, None if strides is spec.strides else tuple([s * item for s in strides]))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two runs of bytes are equal."""
    n = a.size
    if n <= 1 << 12:
        return a.tobytes() == b.tobytes()
    whole = n & ~7
    if a[whole:].tobytes() != b[whole:].tobytes():
        return False
    a, b = a[:whole].view(np.uint64), b[:whole].view(np.uint64)
    for at in range(0, a.size, _CHUNK):
        if not (a[at:at + _CHUNK] == b[at:at + _CHUNK]).all():
            return False
    return True


def _same_elements(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays of one dtype and shape hold the same bits."""
    if a.nbytes <= 1 << 12:
        return a.tobytes() == b.tobytes()
    if a.dtype.kind == "c":
        return _same_elements(a.real, b.real) and _same_elements(a.imag, b.imag)
    if a.flags.c_contiguous and b.flags.c_contiguous:
        return _same(a.reshape(-1).view(np.uint8), b.reshape(-1).view(np.uint8))
    word = np.dtype(f"u{a.dtype.itemsize}")
    return bool((a.view(word) == b.view(word)).all())


class _Lender:
    """Bytes at an address, for NumPy to look at, and the object that keeps them there."""

    def __init__(self, address: int, size: int, keeper):
        self.__array_interface__ = {"data": (address, False), "shape": (size,), "typestr": "|u1", "version": 3}
        self.keeper = keeper


def _bytes_from(array: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray | None]:
    """`size` bytes from the start of `array`, and the array that owns them where its other users can be counted."""
    owner = array if array.base is None else array.base
    while type(owner) is np.ndarray and type(owner.base) is np.ndarray:
        owner = owner.base
    known = type(array) is np.ndarray and type(owner) is np.ndarray
    if known and array.flags.c_contiguous:
        return array.reshape(-1).view(np.uint8), owner
    flat = np.asarray(_Lender(array.__array_interface__["data"][0], size, owner if known else array))
    return flat, owner if known else None


# ---------------------------------------------------------------- counting references
def _private(owner: np.ndarray) -> bool:
    """Whether the memory of an array without a base array is reachable through it only: its own, or of bytes that nobody else holds."""
    if owner.base is None:
        return owner.flags.owndata
    if type(owner.base) is memoryview:
        return getrefcount(owner.base) == _HELD and type(owner.base.obj) in (bytes, bytearray) and getrefcount(owner.base.obj) == _HELD
    return type(owner.base) is bytes and getrefcount(owner.base) == _HELD


def _counts() -> tuple[int, int, int, int]:
    """What `getrefcount` says of the parts of a Memory whose arrays outside are gone, and of an object that one other refers to."""
    held = np.frombuffer(bytes(bytearray(3)), np.uint8)
    own, borrowed = Memory.__new__(Memory), Memory.__new__(Memory)
    own.flat = own.owner = np.empty(1, np.uint8)
    borrowed.owner = np.empty(1, np.uint8)
    borrowed.flat = borrowed.owner[:]
    return getrefcount(own.flat), getrefcount(borrowed.owner), getrefcount(borrowed.flat), getrefcount(held.base)


_OWN, _BORROWED, _FLAT, _HELD = _counts()
