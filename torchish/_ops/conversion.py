"""Conversions between dtypes and devices, copies: `to`, `clone`, `contiguous`, `copy_`."""
from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt
from .._core.devices import jax_device
from .._core.evaluate import read
from .._core.grad_graph import node_class
from .._core.handle import CONJUGATING, NEGATING, TensorBase, from_array, is_marked, new_tensor, set_strides
from .._core.op import Op, cast, half_complex
from .._core.record import call
from .._core.spec import like, spec_of
from .._core.tape import Value
from .._core.view import check_place
from .._device import device as Device
from .declare import broadcast_shapes
from .layout import like_strides
from .memory_format import contiguous_format, follows, format_strides, memory_format, preserve_format, suggested_format
from .overlap import check_partial_overlap, check_single
from .variants import assign, public, register


def _cast_plan(op: Op, argtypes: tuple, static: dict):
    target = static["dtype"]
    return (lambda xp, x: cast(xp, x, target)), like(argtypes[0], None, target)


cast_op = Op("to", lambda xp, x: x, _cast_plan, grad="ToCopyBackward0", vjp=(lambda xp, g, out, x, *, dtype: g,), layout=like_strides)
clone_op = Op("clone", lambda xp, x: x, lambda op, argtypes, static: ((lambda xp, x: x), argtypes[0]), grad="CloneBackward0",
              vjp=(lambda xp, g, out, x: g,), layout=like_strides)
contiguous_op = Op("contiguous", lambda xp, x: x, lambda op, argtypes, static: ((lambda xp, x: x), argtypes[0]), grad="CloneBackward0",
                   vjp=(lambda xp, g, out, x: g,))
cast_dense_op = Op("to dense", lambda xp, x: x, _cast_plan, grad="ToCopyBackward0", vjp=cast_op.vjp)
half_complex(cast_op, clone_op, contiguous_op, cast_dense_op)


def converted(t: TensorBase, d: dt.dtype):
    """`t` in dtype `d`; `t` itself where it is already."""
    return t if t._spec.dtype is d else call(cast_op, (t,), (("dtype", d),))


def dense_copy(t: TensorBase):
    """A contiguous copy of `t`."""
    return call(contiguous_op, (t,))


def formatted(t: TensorBase, wanted: memory_format | None):
    """Give a fresh, contiguous result the strides of a memory format."""
    if wanted not in (None, preserve_format, contiguous_format):
        set_strides(t, format_strides(tuple(t._spec.shape), wanted))
    return t


@public("to", function=False)
def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """This tensor in another dtype, memory format or on another device; itself where nothing changes (unless `copy`)."""
    flags = []
    for a in args:
        if isinstance(a, dt.dtype):
            dtype = a
        elif isinstance(a, TensorBase):
            dtype, device = a._spec.dtype, a._spec.device
        elif isinstance(a, bool):
            flags.append(a)
        elif isinstance(a, (str, Device, int)):
            device = a
    copy = flags[1] if len(flags) > 1 else copy
    spec = self._spec
    made = self
    if device is not None and Device(device) is not spec.device:
        made = moved(made, Device(device))
    dtype = dtype or spec.dtype
    keeps = memory_format in (None, preserve_format) or suggested_format(made._spec.shape, made._current_strides) is memory_format
    if dtype is not spec.dtype or not keeps or (copy and made is self):
        op = cast_op if memory_format in (None, preserve_format) else cast_dense_op
        made = formatted(call(op, (made,), (("dtype", dtype),)), memory_format)
    return made


@public("type_as", function=False)
def type_as(self, other):
    """This tensor in the dtype (and on the device) of `other`."""
    if not isinstance(other, TensorBase):
        raise TypeError(f"type_as(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return to(self, other)


def moved(t: TensorBase, where: Device) -> TensorBase:
    """A copy of `t` on another device. Evaluates what is pending: a transfer cannot be part of a program on one device."""
    jax_device(where)
    value = t._read()
    host = read(value, "transfer")
    with jax.enable_x64(True):
        array = host if where.type == "cpu" else jax.device_put(host, jax_device(where))
    return new_tensor(Value(spec_of(tuple(value.spec.shape), value.spec.dtype, where), None, 0, array))


@public("clone")
def clone(input, *, memory_format=None):
    """A copy, differentiable. Keeps the order of the dimensions in memory unless a `memory_format` is given."""
    if memory_format in (None, preserve_format):
        return call(clone_op, (input,))
    return formatted(call(contiguous_op, (input,)), memory_format)


@public("contiguous", function=False)
def contiguous(self, memory_format=contiguous_format):
    """This tensor if its memory is in the format (row-major unless told otherwise), else a copy that is."""
    return self if is_contiguous(self, memory_format) else formatted(call(contiguous_op, (self,)), memory_format)


@public("is_contiguous", function=False)
def is_contiguous(self, memory_format=contiguous_format):
    """Whether the elements lie in memory in the order of the format (row-major unless told otherwise), without gaps."""
    if memory_format in (contiguous_format, preserve_format, None):
        if self._strides is None:
            return True
        memory_format = contiguous_format
    return follows(tuple(self._spec.shape), self._current_strides, memory_format)


def _copy_plan(op: Op, argtypes: tuple, static: dict):
    target, source = argtypes
    shape = tuple(target.shape)

    def impl(xp, old, new):
        return xp.broadcast_to(cast(xp, new, target.dtype), shape)
    return impl, target


copy_op = Op("copy", lambda xp, old, new: new, _copy_plan, grad="CopyBackwards",
             vjp=(lambda xp, g, out, old, new: xp.zeros(old.shape, g.dtype), lambda xp, g, out, old, new: g))
node_class("CopyBackwards").label = "torch::autograd::CopyBackwards"
half_complex(copy_op)


@public("copy_", function=False)
def copy_(self, src, non_blocking=False):
    """Overwrite this tensor with the values of `src` (a tensor or a number), broadcast and cast."""
    check_place(self)
    if not isinstance(src, TensorBase):
        if not isinstance(src, (int, float, complex)):
            raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
        src = from_array(np.asarray(src, self._spec.dtype.numpy))
    if not _same_memory(self, src):  # else torch returns before it looks
        check_single(self)
    if src._storage is self._storage and src is not self:
        check_partial_overlap(self, src)
    have, got = self._spec.shape, src._spec.shape
    if got != have and (common := broadcast_shapes([have, got])) != have:
        raise RuntimeError(f"output with shape {list(have)} doesn't match the broadcast shape {list(common)}")
    if src._spec.device is not self._spec.device:
        src = moved(src, self._spec.device)
    if self._current_edge() is None and src._current_edge() is None:
        return assign(self, _plain_copy(self, src))
    return assign(self, call(copy_op, (self, src)))


def _same_memory(a: TensorBase, b: TensorBase) -> bool:
    """Whether two tensors show the same elements of one memory."""
    return a._storage is b._storage and a._spec is b._spec and a._offset == b._offset and a._current_strides == b._current_strides \
        and all(is_marked(a, kind) == is_marked(b, kind) for kind in (CONJUGATING, NEGATING))


def _plain_copy(self, src):
    return call(copy_op, (self, src)) if src._spec.shape != self._spec.shape else converted(src, self._spec.dtype) if \
        src._spec.dtype is not self._spec.dtype else call(clone_op, (src,))


def _dtype_method(name: str) -> None:
    target = dt.ALIASES.get(name) or dt.BY_NAME[name]

    def method(self, memory_format=None):
        return converted(self, target)
    method.__doc__ = f"This tensor in the dtype that torch calls {name}."
    public(name, function=False)(method)


for _name in ("float", "double", "half", "bfloat16", "int", "long", "short", "cfloat", "cdouble", "chalf"):
    _dtype_method(_name)
public("char", function=False)(lambda self, memory_format=None: converted(self, dt.int8))
public("byte", function=False)(lambda self, memory_format=None: converted(self, dt.uint8))
public("bool", function=False)(lambda self, memory_format=None: converted(self, dt.bool_))


@public("cpu", function=False)
def cpu(self, memory_format=None):
    """This tensor on the CPU."""
    return to(self, device="cpu")


@public("cuda", function=False)
def cuda(self, device=None, non_blocking=False, memory_format=None):
    """This tensor on the GPU. Raises AssertionError where JAX has none."""
    return to(self, device="cuda" if device is None else device)


__all__ = ["clone", "contiguous", "converted", "dense_copy", "is_contiguous", "moved", "register"]
