"""Conversions between dtypes and devices, copies: `to`, `clone`, `contiguous`, `copy_`."""
from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt
from .._core.devices import jax_device
from .._core.evaluate import read
from .._core.handle import TensorBase, new_tensor
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import like, spec_of
from .._core.tape import Value
from .._device import device as Device
from .layout import elementwise_strides
from .variants import METHODS, assign, check_writable, public, register


def _cast_plan(op: Op, argtypes: tuple, static: dict):
    target = static["dtype"]
    return (lambda xp, x: cast(xp, x, target)), like(argtypes[0], None, target)


cast_op = Op("to", lambda xp, x: x, _cast_plan, grad="ToCopyBackward0", vjp=(lambda xp, g, out, x, *, dtype: g,), layout=elementwise_strides)
clone_op = Op("clone", lambda xp, x: x, lambda op, argtypes, static: ((lambda xp, x: x), argtypes[0]), grad="CloneBackward0",
              vjp=(lambda xp, g, out, x: g,), layout=elementwise_strides)
contiguous_op = Op("contiguous", lambda xp, x: x, lambda op, argtypes, static: ((lambda xp, x: x), argtypes[0]), grad="CloneBackward0",
                   vjp=(lambda xp, g, out, x: g,))


def converted(t: TensorBase, d: dt.dtype):
    """`t` in dtype `d`; `t` itself where it is already."""
    return t if t._spec.dtype is d else call(cast_op, (t,), (("dtype", d),))


@public("to", function=False)
def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """This tensor in another dtype or on another device; itself where nothing changes (unless `copy`)."""
    for a in args:
        if isinstance(a, dt.dtype):
            dtype = a
        elif isinstance(a, TensorBase):
            dtype, device = a._spec.dtype, a._spec.device
        elif isinstance(a, (str, Device)) or (isinstance(a, int) and not isinstance(a, bool)):
            device = a
        elif isinstance(a, bool):
            copy = a if non_blocking else copy
            non_blocking = True
    spec = self._read().spec
    made = self
    if device is not None and Device(device) is not spec.device:
        made = moved(made, Device(device))
    if dtype is not None and dtype is not spec.dtype:
        made = converted(made, dtype)
    return clone(made) if made is self and copy else made


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
    """A copy, differentiable."""
    return call(clone_op, (input,))


@public("contiguous", function=False)
def contiguous(self, memory_format=None):
    """This tensor if it is contiguous, else a contiguous copy."""
    return self if METHODS["is_contiguous"](self) else call(contiguous_op, (self,))


@public("is_contiguous", function=False)
def is_contiguous(self, memory_format=None):
    """Whether the elements lie in memory in row-major order, without gaps."""
    if self._strides is None:
        return True
    spec = self._spec
    if spec.numel == 0:
        return True
    return all(n == 1 or a == b for n, a, b in zip(spec.shape, self._strides, spec.strides))


def _copy_plan(op: Op, argtypes: tuple, static: dict):
    target, source = argtypes
    shape = tuple(target.shape)

    def impl(xp, old, new):
        return xp.broadcast_to(cast(xp, new, target.dtype), shape)
    return impl, target


copy_op = Op("copy", lambda xp, old, new: new, _copy_plan, grad="CopyBackwards",
             vjp=(lambda xp, g, out, old, new: xp.zeros(old.shape, g.dtype), lambda xp, g, out, old, new: g))


@public("copy_", function=False)
def copy_(self, src, non_blocking=False):
    """Overwrite this tensor with the values of `src`, broadcast and cast."""
    check_writable(self)
    if not isinstance(src, TensorBase):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    have, got = self._spec.shape, src._spec.shape
    if len(got) > len(have) or any(g not in (1, h) for g, h in zip(got[::-1], have[::-1])):
        at = next((len(have) - 1 - i for i, (g, h) in enumerate(zip(got[::-1], have[::-1])) if g not in (1, h)), 0)
        raise RuntimeError(f"The size of tensor a ({have[at] if have else 1}) must match the size of tensor b "
                           f"({got[at - len(have)] if at - len(have) >= -len(got) else got[0]}) at non-singleton dimension {at}")
    if src._spec.device is not self._spec.device:
        src = moved(src, self._spec.device)
    if self._edge is None and src._current_edge() is None:
        return assign(self, _plain_copy(self, src))
    return assign(self, call(copy_op, (self, src)))


def _plain_copy(self, src):
    return call(copy_op, (self, src)) if src._spec.shape != self._spec.shape else converted(src, self._spec.dtype) if \
        src._spec.dtype is not self._spec.dtype else call(clone_op, (src,))


for _name in ("float", "double", "half", "bfloat16", "int", "long", "short", "cfloat", "cdouble", "chalf"):
    def _to_dtype(self, memory_format=None, _d=dt.ALIASES.get(_name) or dt.BY_NAME[_name]):
        return converted(self, _d)
    _to_dtype.__doc__ = f"This tensor in the dtype that torch calls {_name}."
    public(_name, function=False)(_to_dtype)
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


__all__ = ["np", "register"]
