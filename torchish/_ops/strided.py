"""Views by memory: `as_strided`, `resize_`, `set_`, and the storage objects that users see.

A Storage's root Value lies densely in memory, in the order of its strides. Here places in that memory are computed; chains of ordinary
view ops never need them.
"""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core import handle
from .._core.evaluate import read
from .._core.handle import TensorBase, from_array
from .._core.op import Op, simple
from .._core.outgrown import move_to_whole, outgrow
from .._core.record import call, call_values
from .._core.spec import contiguous_strides, like
from .._core.view import OVERLAPPING, REINTERPRETING, Operand, attach, become, check_place, follow, root_view
from .factory import constant_tensor
from .int_lists import int_list
from .joining import cat
from .layout import is_dense
from .nn_common import require_tensor
from .overlap import repeats
from .positions import write_at
from .reinterpret import view_dtype_op
from .shared import check_part, shape_text, sizes
from .variants import METHODS, public, register
from .view_ops import in_place_view, view_op


# ---------------------------------------------------------------- places in memory
def places(xp, size: tuple, stride: tuple, offset: int):
    """The place in memory of each element, as an integer array of shape `size`."""
    total = xp.full(size, offset, np.int64)
    for d, (n, s) in enumerate(zip(size, stride)):
        if n > 1 and s:
            total = total + xp.reshape(xp.arange(n, dtype=np.int64) * s, (n,) + (1,) * (len(size) - d - 1))
    return total


def extent(size: tuple, stride: tuple, offset: int) -> int:
    """One more than the last place used; 0 for no elements."""
    return 0 if 0 in size else offset + 1 + sum((n - 1) * s for n, s in zip(size, stride))


def _memory(xp, x, stride: tuple, offset: int, length: int):
    """The elements of `x`, which lie at (stride, offset), in the order of memory; 0 where it has none."""
    if offset == 0 and is_dense(x.shape, stride) and length == x.size:
        order = sorted(range(x.ndim), key=lambda d: (-stride[d], -x.shape[d]))
        return xp.reshape(xp.transpose(x, order), -1)
    at = places(np, x.shape, stride, offset).reshape(-1)
    flat = xp.zeros(length, x.dtype)
    if xp is np:
        flat[at] = np.reshape(x, -1)
        return flat
    return flat.at[at].set(xp.reshape(x, -1))


def _lengths(x, size, stride, offset, in_stride, in_offset) -> int:
    return max(extent(size, stride, offset), extent(x.shape, in_stride, in_offset))


def _strided_body(xp, x, *, size, stride, offset, in_stride, in_offset):
    return _memory(xp, x, in_stride, in_offset, _lengths(x, size, stride, offset, in_stride, in_offset))[places(xp, size, stride, offset)]


def _strided_rule(xp, g, out, x, *, size, stride, offset, in_stride, in_offset):
    """Add up the gradient at each place, and share it among the elements of `x` that lie there."""
    length = _lengths(x, size, stride, offset, in_stride, in_offset)
    at, own = places(np, size, stride, offset), places(np, x.shape, in_stride, in_offset)
    if xp is np:
        total = np.zeros(length, g.dtype)
        np.add.at(total, at, g)
    else:
        total = xp.zeros(length, g.dtype).at[at].add(g)
    shared = np.bincount(own.reshape(-1), minlength=length)
    if (shared > 1).any():
        total = total / np.maximum(shared, 1).astype(g.real.dtype)
    return total[own]


def _no_put(xp, base, new, **static):
    raise NotImplementedError("torchish: a strided view is written to by the places of its elements")


as_strided_op = view_op("as_strided", _strided_body, _no_put, lambda x, *, size, **rest: like(x, size), "AsStridedBackward0", _strided_rule,
                        OVERLAPPING)
# a strided view of a view: the elements come from the whole memory, the gradient goes to the view
as_strided_of_view = Op("as_strided of a view", lambda xp, root, x, *, root_stride, in_stride, in_offset, **where:
                        _strided_body(xp, root, in_stride=root_stride, in_offset=0, **where),
                        simple(lambda root, x, *, size, **rest: like(root, size)), grad="AsStridedBackward0",
                        vjp=(None, lambda xp, g, out, root, x, *, root_stride, **where: _strided_rule(xp, g, out, x, **where)))


def _strided_step(size, stride, offset, in_stride, in_offset) -> tuple:
    return as_strided_op, (), (("size", size), ("stride", stride), ("offset", offset), ("in_stride", in_stride), ("in_offset", in_offset))


def _step_between(base: TensorBase, t: TensorBase) -> tuple:
    if base._spec.dtype is not t._spec.dtype:
        raise NotImplementedError("torchish: a view under another dtype of a tensor whose own view was changed in place")
    return _strided_step(tuple(t._spec.shape), t._current_strides, t._offset, base._current_strides, base._offset)


handle.step_between = _step_between


def _root(t: TensorBase) -> tuple:
    """(Spec, chain, strides) of the whole memory of `t`, read as its dtype."""
    storage, chain = t._storage, t._chain or ()
    last = max((i for i, step in enumerate(chain) if step[0].info == REINTERPRETING), default=-1)
    spec, strides = storage.spec, storage.strides or storage.spec.strides
    marks = tuple([step for step in chain[last + 1:] if step[0].info in (handle.CONJUGATING, handle.NEGATING)])
    if last < 0:
        return spec, marks, strides
    prefix = chain[:last + 1]
    if storage.strides is not None or any(step[0].info != REINTERPRETING for step in prefix):
        prefix = (_strided_step((spec.numel,), (1,), 0, strides, 0), (view_dtype_op, (), (("dtype", t._spec.dtype),)))
    for op, numbers, static in prefix:
        spec = op.plan((spec, *[n.__class__ for n in numbers]), static).out
    return spec, prefix + marks, spec.strides


def place_in_memory(t: TensorBase, size: tuple, stride: tuple, offset: int, differentiable: bool = True) -> TensorBase:
    """A view of the memory of `t` at these places, all within it."""
    move_to_whole(t)
    root, prefix, strides = _root(t)
    step = _strided_step(size, stride, offset, strides, 0)
    if t._current_edge() is None or not differentiable:
        outs, node = (root_view(t._storage, (*prefix, step)),), None
    elif t._chain is None:
        outs, node, _ = call_values(as_strided_op, (t,), step[2])
    else:
        where = (*step[2][:3], ("root_stride", strides), ("in_stride", t._current_strides), ("in_offset", t._offset))
        outs, node, _ = call_values(as_strided_of_view, (Operand(follow(t._storage.value, prefix), None), t), where)
        if node is not None:
            node._extra()["tensor_operands"] = (False, True)
    return attach(t, outs[0], None if node is None else (node, 0), (*prefix, step), stride, offset, differentiable)


def _storage_length(t: TensorBase) -> int:
    """How many elements of t's dtype its memory holds."""
    move_to_whole(t)
    return t._storage.spec.nbytes // t._spec.dtype.itemsize


# ---------------------------------------------------------------- as_strided
@public("as_strided")
def as_strided(input, size, stride, storage_offset=None):
    """A view of the memory of `input` with any size, strides and offset (in elements). Raises RuntimeError beyond the memory's end."""
    size, stride = sizes((size,)), sizes((stride,))
    offset = input._offset if storage_offset is None else int(storage_offset)
    _check_geometry(input, size, stride, offset, "as_strided: ")
    return place_in_memory(input, size, stride, offset)


def _check_geometry(t: TensorBase, size: tuple, stride: tuple, offset: int, who: str = "") -> None:
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"{who}Negative strides are not supported at the moment, got strides: {shape_text(stride)}")
    if any(n < 0 for n in size):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={shape_text(size)} and strides={shape_text(stride)}")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    item = t._spec.dtype.itemsize
    if extent(size, stride, offset) > _storage_length(t):
        raise RuntimeError(f"setStorage: sizes {shape_text(size)}, strides {shape_text(stride)}, storage offset {offset}, and itemsize {item} "
                           f"requiring a storage size of {extent(size, stride, offset) * item} are out of bounds for storage of size "
                           f"{t._storage.spec.nbytes}")


in_place_view("as_strided_", as_strided)


def _scatter_body(xp, x, src, *, size, stride, offset, in_stride, in_offset):
    memory = _memory(xp, x, in_stride, in_offset, _lengths(x, size, stride, offset, in_stride, in_offset))
    written = write_at(xp, memory, (places(np, size, stride, offset),), src.astype(x.dtype))
    return written[places(np, x.shape, in_stride, in_offset)]


def _scatter_input_rule(xp, g, out, x, src, **where):
    """torch's: the gradient at the places that were overwritten, zeros elsewhere (the derivative itself would be the reverse)."""
    return g - _scatter_body(xp, g, xp.zeros(src.shape, g.dtype), **where)


as_strided_scatter_op = Op("as_strided_scatter", _scatter_body, simple(lambda x, src, **where: x), grad="AsStridedScatterBackward0",
                           vjp=(_scatter_input_rule, lambda xp, g, out, x, src, **where: _strided_body(xp, g, **where)),
                           layout=lambda spec, args: args[0]._current_strides)


@public("as_strided_scatter")
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of `input`, strides and all, with `src` at the places in memory that as_strided would show. Raises RuntimeError where sizes differ."""
    require_tensor("as_strided_scatter", "src", 2, src)
    if input._current_edge() is not None and input._strides is not None:
        raise RuntimeError("as_strided_scatter is currently only supported for contiguous inputs")
    size, stride = sizes((size,)), sizes((stride,))
    offset = input._offset if storage_offset is None else int(storage_offset)
    input = METHODS["contiguous"](input) if repeats(input) else input
    _check_geometry(input, size, stride, offset)
    check_part(src, size)
    return call(as_strided_scatter_op, (input, src), _strided_step(size, stride, offset, input._current_strides, input._offset)[2])


# ---------------------------------------------------------------- resize_ and set_
@public("resize_", function=False)
def resize_(self, *args, size=None, memory_format=None):
    """Change the sizes in place, to contiguous strides; new elements are zeros. Where the memory must grow, it does so for all aliases.

    Raises RuntimeError for tensors that require grad, and where NumPy has seen memory that would have to grow.
    """
    size = int_list("resize_", "size", args, size)
    if self._current_edge() is not None:
        raise RuntimeError("cannot resize variables that require grad")
    if any(n < 0 for n in size):
        raise RuntimeError("numel: integer multiplication overflow")
    if size == tuple(self._spec.shape):
        return self
    stride = contiguous_strides(size)
    _make_room(self, extent(size, stride, self._offset))
    become(self, place_in_memory(self, size, stride, self._offset, False), None)
    return self


def _make_room(t: TensorBase, needed: int) -> None:
    """Let the memory of `t` hold `needed` elements of its dtype: what is new are zeros."""
    move_to_whole(t)
    storage, item = t._storage, t._spec.dtype.itemsize
    spec = storage.spec
    missing = -((spec.nbytes - needed * item) // spec.dtype.itemsize)
    if missing <= 0:
        return
    if not storage.resizable:
        raise RuntimeError("Trying to resize storage that is not resizable")
    strides = storage.strides or spec.strides
    flat = handle.new_tensor(follow(storage.value, (_strided_step((spec.numel,), (1,), 0, strides, 0),)))
    larger = cat((flat, constant_tensor((missing,), 0, spec.dtype, spec.device)))
    outgrow(storage, larger._read(), _strided_step(tuple(spec.shape), strides, 0, (1,), 0))
    move_to_whole(t)


@public("resize_as_")
def resize_as_(input, the_template, *, memory_format=None):
    """`resize_` to the sizes of another tensor."""
    return resize_(input, tuple(the_template._spec.shape))


@public("set_", function=False)
def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Make this tensor show the memory of `source` (a tensor or a storage; nothing: no memory), in place."""
    check_place(self)
    if source is None:
        source = constant_tensor((0,), 0, self._spec.dtype)
    elif isinstance(source, UntypedStorage | TypedStorage):
        source = _over_storage(self, source, storage_offset, size, stride)
    elif size is not None:
        source = as_strided(source, size, contiguous_strides(sizes((size,))) if stride is None else stride, storage_offset)
    have, got = self._spec.dtype, source._spec.dtype
    if have is not got:
        raise RuntimeError("Could not set tensor of type {} to a tensor of type {}".format(*[_C_NAMES.get(d.name, d.name) for d in (got, have)]))
    self._counter = self._counter or self._storage  # versions are still shared with those that shared the old memory
    become(self, handle.alias(source), None)
    return self


_C_NAMES = {"int64": "long int", "int32": "int", "float32": "float", "float64": "double", "int16": "short int", "int8": "signed char",
            "uint8": "unsigned char"}


def _over_storage(t: TensorBase, source, offset: int, size, stride) -> TensorBase:
    whole = source._tensor
    if whole._spec.dtype is not t._spec.dtype:
        whole = METHODS["_view_dtype"](whole, t._spec.dtype)
    size = (_storage_length(whole),) if size is None else sizes((size,))
    return as_strided(whole, size, contiguous_strides(size) if stride is None else stride, offset)


# ---------------------------------------------------------------- storages as users see them
class UntypedStorage:
    """A tensor's memory as bytes: its size and identity. Reading it copies; it cannot be written to."""

    def __init__(self, tensor: TensorBase):
        move_to_whole(tensor)
        root = object.__new__(handle.tensor_class)
        root._storage = tensor._storage
        root._strides = tensor._storage.strides
        self._tensor = root

    @property
    def device(self):
        """Where the memory lies."""
        return self._tensor._spec.device

    is_cuda = property(lambda self: self.device.type == "cuda")

    def data_ptr(self) -> int:
        """A number that stands for the address: equal for tensors that share memory."""
        return self._tensor._storage.address if self._tensor._spec.numel else 0

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._tensor._spec.nbytes

    size = __len__ = nbytes

    def element_size(self) -> int:
        """Bytes in one element: 1."""
        return 1

    def resizable(self) -> bool:
        """Whether `Tensor.resize_` may grow it: not where NumPy has seen the memory."""
        return self._tensor._storage.resizable

    def tolist(self) -> list:
        """The bytes."""
        return _in_memory(self._tensor).view(np.uint8).tolist()

    def __getitem__(self, i):
        return self.tolist()[i]

    def __eq__(self, other):
        return isinstance(other, UntypedStorage) and self._tensor._storage is other._tensor._storage

    def __hash__(self):
        return id(self._tensor._storage)

    def __repr__(self) -> str:
        return "\n".join(f" {b}" for b in self.tolist()) + f"\n[torch.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"


def _in_memory(root: TensorBase) -> np.ndarray:
    host = read(root._read(), "storage")
    order = sorted(range(host.ndim), key=lambda d: -root._current_strides[d])
    return np.ascontiguousarray(host.transpose(order)).reshape(-1)


class TypedStorage:
    """A tensor's memory as elements of its dtype. Reading it copies; it cannot be written to."""

    def __init__(self, tensor: TensorBase):
        self._untyped = UntypedStorage(tensor)
        self._tensor = self._untyped._tensor
        self.dtype: dt.dtype = tensor._spec.dtype

    device = property(lambda self: self._untyped.device)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return self._untyped

    def data_ptr(self) -> int:
        """See UntypedStorage.data_ptr."""
        return self._untyped.data_ptr()

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._untyped.nbytes()

    def element_size(self) -> int:
        """Bytes in one element."""
        return self.dtype.itemsize

    def size(self) -> int:
        """The number of elements."""
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def tolist(self) -> list:
        """The elements, in the order of memory."""
        return from_array(_in_memory(self._tensor).view(self.dtype.numpy)).tolist()

    def __getitem__(self, i):
        return self.tolist()[i]

    def __repr__(self) -> str:
        elements = "\n".join(f" {x}" for x in self.tolist())
        return f"{elements}\n[torch.storage.TypedStorage(dtype={self.dtype!r}, device={self.device}) of size {self.size()}]"


register(METHODS, "untyped_storage", lambda self: UntypedStorage(self))
register(METHODS, "storage", lambda self: TypedStorage(self))
register(METHODS, "_typed_storage", lambda self: TypedStorage(self))
