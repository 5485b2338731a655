"""Factories: tensors from data, constants, ranges and other tensors' shapes."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array, set_strides
from .._device import device as Device
from .factory import check_dtype, constant_tensor, default_device, fill_number, fill_size, infer_array, make_tensor, mark_leaf
from .layout import is_dense
from .shared import sizes
from .variants import public


def _where(device) -> Device | None:
    return None if device is None else Device(device)


@public("tensor", method=False)
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new leaf tensor holding a copy of `data` (number, nested sequence, NumPy array or tensor); dtype inferred as torch infers it."""
    return make_tensor(data, dtype, device, requires_grad)


@public("as_tensor", method=False, also=("asarray",))
def as_tensor(data, dtype=None, device=None):
    """`data` itself if it is already such a tensor, else a tensor made from it."""
    if isinstance(data, TensorBase):
        return data if dtype is None and device is None else data.to(device=device, dtype=dtype)
    return make_tensor(data, dtype, device, False)


@public("from_numpy", method=False)
def from_numpy(array):
    """A tensor with the values of a NumPy array. The memory is not shared: JAX's arrays are immutable, so the values are copied."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    return from_array(infer_array(array, None))


def _filled(name: str, number):
    def like(input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None, pin_memory=False):
        spec = input._spec
        return constant_tensor(tuple(spec.shape), number, check_dtype(dtype, spec.dtype), _where(device) or spec.device, requires_grad)

    def new(self, *dims, size=None, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
        spec = self._spec
        return constant_tensor(sizes(dims if size is None else (size,)), number, check_dtype(dtype, spec.dtype), _where(device) or spec.device, requires_grad)

    def plain(*dims, size=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None, names=None):
        if not dims and size is None:
            raise TypeError(f"{name}() missing 1 required positional arguments: \"size\"")
        return constant_tensor(sizes(dims if size is None else (size,)), number, check_dtype(dtype), _where(device), requires_grad)
    plain.__doc__ = f"A tensor of the given sizes, filled with {number}; default float dtype unless `dtype` is given."
    like.__doc__ = f"A tensor filled with {number}, with the shape, dtype and device of `input` unless given."
    new.__doc__ = f"A tensor of the given sizes filled with {number}, with the dtype and device of `self` unless given."
    public(name, method=False, out=True)(plain)
    public(name + "_like", method=False)(like)
    public("new_" + name, function=False)(new)


_filled("zeros", 0)
_filled("ones", 1)
_filled("empty", 0)


@public("full", method=False, out=True)
def full(size, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of `size` filled with `fill_value`, whose type decides the dtype unless given."""
    fill_value = fill_number(fill_value)
    return constant_tensor(fill_size(size), fill_value, check_dtype(dtype, dt.of_number(fill_value)), _where(device), requires_grad)


@public("full_like", method=False)
def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """A tensor filled with `fill_value`, with the shape, dtype and device of `input` unless given."""
    spec = input._spec
    fill_value = fill_number(fill_value)
    return constant_tensor(tuple(spec.shape), fill_value, check_dtype(dtype, spec.dtype), _where(device) or spec.device, requires_grad)


@public("new_full", function=False)
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A tensor of `size` filled with `fill_value`, with the dtype and device of `self` unless given."""
    spec = self._spec
    return constant_tensor(fill_size(size), fill_value, check_dtype(dtype, spec.dtype), _where(device) or spec.device, requires_grad)


@public("new_tensor", function=False)
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """A new leaf holding a copy of `data`, with the dtype and device of `self` unless given."""
    spec = self._spec
    return make_tensor(data, dtype or spec.dtype, device or spec.device, requires_grad)


@public("arange", method=False, out=True)
def arange(start, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Values from `start` (0 if only one number is given) to `end`, excluded, in steps: int64 for integers, else the default float dtype."""
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if isinstance(x, (TensorBase, np.generic)) else x for x in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (step > 0 and start > end) or (step < 0 and start < end):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    integers = all(isinstance(x, int) for x in (start, end, step))
    d = check_dtype(dtype, dt.int64 if integers else None)
    count = -(-(end - start) // step) if integers else int(np.ceil((end - start) / step))
    if d.category == dt.INTEGER:
        values = int(start) + np.arange(count, dtype=np.int64) * int(step)
    else:
        values = start + np.arange(count, dtype=np.float64) * step
    return mark_leaf(from_array(values.astype(d.numpy), None, _where(device) or default_device()), requires_grad)


# ---------------------------------------------------------------- ranges with a number of steps
def _number_of(x, name: str):
    if isinstance(x, TensorBase):
        if x._spec.ndim:
            raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors")
        return x.item()
    return x


def _steps(start, end, steps, name: str, dtype) -> tuple:
    start, end = _number_of(start, name), _number_of(end, name)
    if isinstance(steps, TensorBase):
        steps = steps.item()
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    default = dt.default_complex() if isinstance(start, complex) or isinstance(end, complex) else None
    return start, end, int(steps), check_dtype(dtype, default)


def _even(start, end, steps: int, d: dt.dtype) -> np.ndarray:
    """`steps` numbers from start to end, computed from both ends towards the middle as torch does, in the dtype's own arithmetic."""
    wide = {dt.float16: np.float32, dt.bfloat16: np.float32}.get(d, np.float64 if d.category == dt.INTEGER else d.numpy)
    kind = np.dtype(wide).type
    first, last = kind(start if d.category != dt.INTEGER else int(start)), kind(end if d.category != dt.INTEGER else int(end))
    if steps == 1:
        return np.array([first]).astype(d.numpy)
    step = kind((last - first) / kind(max(steps - 1, 1)))
    at = np.arange(steps)
    low, high = first + step * at.astype(wide), last - step * (steps - 1 - at).astype(wide)
    return np.where(at < steps // 2, low, high).astype(d.numpy)


@public("linspace", method=False, out=True)
def linspace(start, end, steps, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """`steps` evenly spaced values from `start` to `end`, both included. Raises RuntimeError for a negative number of steps."""
    start, end, steps, d = _steps(start, end, steps, "torch.linspace", dtype)
    return mark_leaf(from_array(_even(start, end, steps, d), None, _where(device) or default_device()), requires_grad)


@public("logspace", method=False, out=True)
def logspace(start, end, steps, base=10.0, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """`base` to the power of `steps` evenly spaced values from `start` to `end`, both included."""
    start, end, steps, d = _steps(start, end, steps, "torch.logspace", dtype)
    exponents = _even(start, end, steps, d if d.category > dt.INTEGER else dt.float64)
    wide = np.result_type(np.float64 if d.category != dt.COMPLEX else np.complex128)
    with np.errstate(all="ignore"):
        values = np.power(np.asarray(base).astype(wide), exponents.astype(wide))
    return mark_leaf(from_array(values.astype(d.numpy), None, _where(device) or default_device()), requires_grad)


@public("range", method=False, out=True)
def range_(start=0, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Values from `start` to `end`, included, in steps, in the default float dtype. Deprecated in torch for `arange`."""
    if end is None:
        start, end = 0, start
    count = int((end - start) / step + 1)
    values = start + np.arange(count, dtype=np.float64) * step
    return mark_leaf(from_array(values.astype(check_dtype(dtype).numpy), None, _where(device) or default_device()), requires_grad)


@public("eye", method=False, out=True)
def eye(n, m=None, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """An n x m matrix (m = n unless given) with ones on the diagonal and zeros elsewhere."""
    m = n if m is None else m
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return mark_leaf(from_array(np.eye(n, m, dtype=check_dtype(dtype).numpy), None, _where(device) or default_device()), requires_grad)


@public("scalar_tensor", method=False)
def scalar_tensor(s, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A 0-dim tensor of a number, in the default float dtype unless given."""
    return constant_tensor((), s, check_dtype(dtype), _where(device), requires_grad)


@public("empty_strided", method=False)
def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor (of zeros) with given sizes and strides. Raises NotImplementedError for strides with gaps or overlaps."""
    size, stride = sizes((size,)), tuple(stride)
    if not is_dense(size, stride):
        raise NotImplementedError("torchish: empty_strided with strides that leave gaps or overlap")
    made = constant_tensor(size, 0, check_dtype(dtype), _where(device), requires_grad)
    set_strides(made, stride)
    return made
