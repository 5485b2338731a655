"""Tensors over memory that is somebody else's: NumPy arrays, buffers, and what other libraries hand over by DLPack.

Memory that NumPy can see is shared, see `_core.shared_memory`; a JAX array is taken as it is, since neither side writes to it.
"""
from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt
from .._core import handle
from .._core.handle import TensorBase, from_array, set_strides
from .._core.outgrown import shared_array
from .._core.shared_memory import tensor_over
from .._core.spec import spec_of
from .._core.storage import VersionCounter
from .._device import device as Device
from .conversion import clone, to
from .factory import check_array, check_dtype, default_device, make_tensor, mark_leaf
from .layout import is_dense
from .shared import warn_once
from .strided import extent, place_in_memory
from .variants import METHODS, public, register


# ---------------------------------------------------------------- NumPy arrays
def tensor_of(array: np.ndarray, writable: bool | None = None) -> TensorBase:
    """A tensor over the memory of `array`. Raises TypeError or ValueError for arrays that torch does not take."""
    d = check_array(array)
    shape, strides = array.shape, tuple([s // d.itemsize for s in array.strides])
    writable = array.flags.writeable if writable is None else writable
    spec = spec_of(shape, d)
    if not array.size:
        t = from_array(np.empty(shape, d.numpy))
        t._storage.resizable = False
        set_strides(t, strides)
        return t
    if strides == spec.strides or is_dense(shape, strides):
        return tensor_over(array, spec, strides, writable)
    return place_in_memory(tensor_over(array, spec_of((extent(shape, strides, 0),), d), (1,), writable), shape, strides, 0, False)


def _shared(array: np.ndarray) -> TensorBase:
    """`tensor_of`, with torch's warning about arrays that cannot be written to."""
    if not array.flags.writeable:
        warn_once("The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to this tensor will "
                   "result in undefined behavior. You may want to copy the array to protect its data or make it writable before converting it to a "
                   "tensor. This type of warning will be suppressed for the rest of this program.")
    return tensor_of(array)


@public("from_numpy", method=False)
def from_numpy(array):
    """A tensor that shares the memory of a NumPy array: writes to either are seen by both.

    Raises TypeError for anything else and for dtypes without a counterpart, ValueError for negative strides and foreign byte order.
    """
    if not isinstance(array, np.ndarray):
        name = type(array).__name__
        raise TypeError(f"expected np.ndarray (got {'numpy.' * isinstance(array, np.generic) + name})")
    return _shared(array)


def _to(t: TensorBase, d, where) -> TensorBase:
    return t if d is None and where is None else to(t, device=where, dtype=None if d is None else check_dtype(d))


@public("as_tensor", method=False)
def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor of that dtype and device: itself if it is one, over the same memory if it is a NumPy array, else a copy."""
    if isinstance(data, TensorBase):
        return _to(data, dtype, device)
    if isinstance(data, np.ndarray):
        return _to(_shared(data), dtype, device or default_device())
    return make_tensor(data, dtype, device, False)


@public("asarray", method=False)
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """`obj` (tensor, NumPy array, DLPack capsule, buffer, number or sequence) as a tensor, over the same memory where that can be.

    `copy=True` always copies, `copy=False` raises ValueError where it would have to.
    """
    tracked = requires_grad
    if tracked is None:
        tracked = isinstance(obj, TensorBase) and obj._current_edge() is not None
        if tracked:
            warn_once("torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass requires_grad=False "
                       "explicitly to get the old behavior and silence this warning.")
    t = _over_memory_of(obj, dtype, copy)
    if t is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return make_tensor(obj, dtype, device, tracked)
    t = _copied(t, t._spec.dtype if dtype is None else check_dtype(dtype), t._spec.device if device is None else Device(device), copy)
    return t.detach() if not handle.is_leaf(t) and not tracked else mark_requires(t, tracked)


def mark_requires(t: TensorBase, on: bool) -> TensorBase:
    """Set whether `t` requires grad. Raises RuntimeError for a dtype that cannot."""
    if on and not t._spec.differentiable:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return t.requires_grad_(on)


def _over_memory_of(obj, d, copy) -> TensorBase | None:
    """A tensor over the memory of `obj`; None where it has none that others can see."""
    if isinstance(obj, TensorBase):
        return obj
    if isinstance(obj, np.ndarray):
        return _shared(obj)
    if isinstance(obj, np.generic):
        if copy is False:
            raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. ")
        return make_tensor(obj, None, None, False)
    if _is_capsule(obj):
        return from_dlpack(obj)
    try:
        memoryview(obj).release()
    except TypeError:
        return None
    return frombuffer(obj, dtype=check_dtype(d))


def _copied(t: TensorBase, d: dt.dtype, where: Device, copy) -> TensorBase:
    """`t` in this dtype, on this device: a copy where it must be one, or is asked for. Raises ValueError where that is forbidden."""
    if copy is False:
        if where is not t._spec.device:
            raise ValueError(f"can't alias tensor from device '{t._spec.device}' to '{where}'.")
        if d is not t._spec.dtype:
            raise ValueError(f"can't alias tensor with dtype '{t._spec.dtype.legacy}' into dtype '{d.legacy}'.")
    if d is not t._spec.dtype or where is not t._spec.device:
        return to(t, device=where, dtype=d)
    return clone(t) if copy else t


# ---------------------------------------------------------------- buffers
@public("frombuffer", method=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-D tensor over the memory of an object with Python's buffer protocol: `count` elements (all, if negative) from byte `offset`.

    Raises ValueError where the buffer does not hold them.
    """
    d = check_dtype(dtype)
    data = _bytes_of(buffer)
    n, item = data.size, d.itemsize
    if not n or not count:
        raise ValueError(f"both buffer length ({n}) and count ({count}) must not be 0")
    if not 0 <= offset < n:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({n} bytes) minus 1")
    if count < 0:
        if (n - offset) % item:
            raise ValueError(f"buffer length ({n - offset} bytes) after offset ({offset} bytes) must be a multiple of element size ({item})")
        count = (n - offset) // item
    elif offset + count * item > n:
        raise ValueError(f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than actual buffer "
                         f"length ({n} bytes)")
    writable = data.flags.writeable
    if not writable:
        warn_once("The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to the underlying "
                   "(supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its data or make it writable "
                   "before converting it to a tensor. This type of warning will be suppressed for the rest of this program.")
    return mark_leaf(tensor_over(data[offset:offset + count * item], spec_of((count,), d), (1,), writable), requires_grad)


def _bytes_of(buffer) -> np.ndarray:
    try:
        view = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if not view.contiguous:
        raise RuntimeError("could not retrieve buffer from object")
    return np.frombuffer(buffer, np.uint8) if view.nbytes else np.empty(0, np.uint8)


# ---------------------------------------------------------------- DLPack
_INVALID = ("from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have already constructed a "
            "tensor from it once.")


class _Exporter:
    """A DLPack capsule as an object that hands it out."""

    def __init__(self, capsule):
        self._capsule = capsule

    def __dlpack__(self, **options):
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def _is_capsule(obj) -> bool:
    return type(obj).__name__ == "PyCapsule"


@public("from_dlpack", method=False, also=("utils.dlpack.from_dlpack",))
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor over the memory of another library's: anything with `__dlpack__`, or a DLPack capsule.

    JAX arrays are immutable: writes to the tensor do not reach them. Raises RuntimeError for what is neither, or was used up.
    """
    if isinstance(ext_tensor, TensorBase):
        _check_export(ext_tensor)
        t = handle.alias(ext_tensor)
        t._counter = VersionCounter()
    elif isinstance(ext_tensor, np.ndarray):
        t = tensor_of(ext_tensor)
    elif isinstance(ext_tensor, jax.Array):
        t = _of_jax(ext_tensor)
    elif _is_capsule(ext_tensor):
        t = tensor_of(_imported(_Exporter(ext_tensor)), True)
    elif hasattr(ext_tensor, "__dlpack__"):
        t = tensor_of(_imported(ext_tensor))
    else:
        raise RuntimeError(_INVALID)
    return _copied(t, t._spec.dtype, t._spec.device if device is None else Device(device), copy)


def _of_jax(array: jax.Array) -> TensorBase:
    platform = next(iter(array.devices())).platform
    return from_array(array, None, Device("cuda" if platform in ("gpu", "cuda") else platform))


def _imported(exporter) -> np.ndarray:
    try:
        return np.from_dlpack(exporter)
    except (ValueError, RuntimeError) as error:
        raise RuntimeError(_INVALID) from error


def _check_export(t: TensorBase) -> None:
    if t._current_edge() is not None:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if handle.is_marked(t, handle.CONJUGATING):
        raise BufferError("Can't export tensors with the conjugate bit set")


def _export(self, *, stream=-1, max_version=None, dl_device=None, copy=None):
    """A DLPack capsule of this tensor. Raises BufferError for a tensor that requires grad or is a conjugate."""
    _check_export(self)
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    if self._spec.device.type != "cpu" or self._spec.dtype.numpy.kind not in "biufc":
        exported = jax.numpy.asarray(self._host("dlpack"))  # what NumPy cannot hand over leaves as a copy
    else:
        exported = shared_array(self)
    return exported.__dlpack__(max_version=max_version, copy=copy)


def _export_device(self) -> tuple[int, int]:
    """DLPack's numbers of the device's type and place."""
    where = self._spec.device
    return {"cpu": 1, "cuda": 2}[where.type], where.index or 0


@public("utils.dlpack.to_dlpack", method=False)
def to_dlpack(tensor):
    """A DLPack capsule of `tensor`, for a library that takes capsules."""
    return _export(tensor)


register(METHODS, "__dlpack__", _export)
register(METHODS, "__dlpack_device__", _export_device)

__all__ = ["as_tensor", "from_dlpack", "from_numpy", "frombuffer", "tensor_of", "to_dlpack"]
