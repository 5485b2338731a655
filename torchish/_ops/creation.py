"""Factories: tensors from data, constants, ranges and other tensors' shapes."""
from __future__ import annotations

import math
import warnings

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array, set_strides
from .._device import device as Device
from .factory import check_dtype, check_layout, constant_tensor, default_device, fill_number, fill_size, make_tensor, mark_leaf
from .layout import is_dense, like_strides
from .memory_format import contiguous_format, format_strides, preserve_format
from .scalar_value import check_fits
from .shared import sizes
from .variants import METHODS, public


def _where(device) -> Device | None:
    return None if device is None else Device(device)


@public("tensor", method=False)
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new leaf tensor holding a copy of `data` (number, nested sequence, NumPy array or tensor); dtype inferred as torch infers it."""
    return make_tensor(data, dtype, device, requires_grad)


def _laid_out(t, wanted, input=None):
    """Give a fresh tensor the strides of a memory format; to preserve those of `input`."""
    if wanted in (None, preserve_format):
        if input is not None and input._strides is not None:
            set_strides(t, like_strides(t._spec, (input,)))
    elif wanted is not contiguous_format:
        set_strides(t, format_strides(tuple(t._spec.shape), wanted))
    return t


def _filled(name: str, number):
    def like(input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None, pin_memory=False):
        check_layout(layout)
        spec = input._spec
        made = constant_tensor(tuple(spec.shape), number, check_dtype(dtype, spec.dtype), _where(device) or spec.device, requires_grad)
        return made if input._strides is None and memory_format is None else _laid_out(made, memory_format, input)

    def new(self, *dims, size=None, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
        check_layout(layout)
        spec = self._spec
        shape = sizes(dims if size is None else (size,))
        return constant_tensor(shape, number, check_dtype(dtype, spec.dtype), _where(device) or spec.device, requires_grad)

    def plain(*dims, size=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None, names=None):
        check_layout(layout)
        if not dims and size is None:
            raise TypeError(f"{name}() missing 1 required positional arguments: \"size\"")
        shape = sizes(dims if size is None else (size,))
        if name == "zeros" and any(n < 0 for n in shape):
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        made = constant_tensor(shape, number, check_dtype(dtype), _where(device), requires_grad)
        return made if memory_format is None else _laid_out(made, memory_format)
    plain.__doc__ = f"A tensor of the given sizes, filled with {number}; default float dtype unless `dtype` is given."
    like.__doc__ = f"A tensor filled with {number}, with the shape, strides, dtype and device of `input` unless given."
    new.__doc__ = f"A tensor of the given sizes filled with {number}, with the dtype and device of `self` unless given."
    public(name, method=False, out=True)(plain)
    public(name + "_like", method=False)(like)
    public("new_" + name, function=False)(new)


_filled("zeros", 0)
_filled("ones", 1)
_filled("empty", 0)


def _fitting(number, d: dt.dtype, size):
    return check_fits(number, d, halves=math.prod(size) != 1)  # torch fills a single element in its own way


@public("full", method=False, out=True)
def full(size, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of `size` filled with `fill_value`, whose type decides the dtype unless given. Raises RuntimeError for a number out of range."""
    check_layout(layout)
    number = fill_number(fill_value)
    d = check_dtype(dtype, dt.of_number(number))
    size = fill_size(size)
    return constant_tensor(size, _fitting(number, d, size), d, _where(device), requires_grad)


@public("full_like", method=False)
def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """A tensor filled with `fill_value`, with the shape, strides, dtype and device of `input` unless given."""
    check_layout(layout)
    spec = input._spec
    d = check_dtype(dtype, spec.dtype)
    made = constant_tensor(tuple(spec.shape), _fitting(fill_number(fill_value), d, spec.shape), d, _where(device) or spec.device, requires_grad)
    return made if input._strides is None and memory_format is None else _laid_out(made, memory_format, input)


@public("new_full", function=False)
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A tensor of `size` filled with `fill_value`, with the dtype and device of `self` unless given."""
    check_layout(layout)
    spec = self._spec
    d = check_dtype(dtype, spec.dtype)
    size = fill_size(size)
    return constant_tensor(size, _fitting(fill_number(fill_value), d, size), d, _where(device) or spec.device, requires_grad)


@public("new_tensor", function=False)
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """A new leaf holding a copy of `data`, with the dtype and device of `self` unless given."""
    spec = self._spec
    return make_tensor(data, dtype or spec.dtype, device or spec.device, requires_grad)


def _real(x) -> float | int:
    """A bound of a range as a Python number. Raises TypeError or RuntimeError for what is not real."""
    if isinstance(x, (TensorBase, np.generic)):
        x = x.item()
    if isinstance(x, complex):
        raise RuntimeError("value cannot be converted to type double without overflow")
    if not isinstance(x, (int, float)):
        raise TypeError(f"must be real number, not {type(x).__name__}")
    return x


def _check_range(start, end, step) -> None:
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (step > 0 and start > end) or (step < 0 and start < end):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def _stepped(start, step, count: int, d: dt.dtype) -> np.ndarray:
    """start + i * step: in whole numbers for an integer dtype, else in float64 rounded once."""
    if d.category == dt.INTEGER:
        return (int(start) + np.arange(count, dtype=np.int64) * int(step)).astype(d.numpy)
    return (start + np.arange(count, dtype=np.float64) * step).astype(d.numpy)


@public("arange", method=False, out=True)
def arange(start, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Values from `start` (0 if only one number is given) to `end`, excluded, in steps: int64 for integers, else the default float dtype.

    Raises RuntimeError for a step of 0 or of the wrong sign and for infinite bounds, NotImplementedError for bool and complex dtypes.
    """
    check_layout(layout)
    if end is None:
        start, end = 0, start
    start, end, step = _real(start), _real(end), _real(step)
    d = check_dtype(dtype, dt.int64 if all(isinstance(x, int) for x in (start, end, step)) else None)
    if d.category in (dt.BOOL, dt.COMPLEX):
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{d.legacy}'")
    _check_range(start, end, step)
    if d is dt.int64:  # torch counts in whole numbers here, in float64 for the others
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero")
        count = -(-(end - start) // step)
    else:
        count = math.ceil((end - start) / step)
    return mark_leaf(from_array(_stepped(start, step, count, d), None, _where(device) or default_device()), requires_grad)


# ---------------------------------------------------------------- ranges with a number of steps
def _ends(start, end, name: str) -> list:
    """Both ends as numbers. Raises RuntimeError for tensors with dimensions."""
    wrong = [f"{which} with {x._spec.ndim} dimension(s)" for which, x in (("start", start), ("end", end))
             if isinstance(x, TensorBase) and x._spec.ndim]
    if wrong:
        raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got {' and '.join(wrong)}.")
    return [_number_of(start, "start", name), _number_of(end, "end", name)]


def _number_of(x, which: str, name: str):
    if isinstance(x, TensorBase):
        return x.item()
    if not isinstance(x, (int, float, complex, np.number, np.bool_)):
        raise TypeError(f"{name}(): argument '{which}' must be Number, not {type(x).__name__}")
    return x


def _steps(start, end, steps, name: str, dtype) -> tuple:
    start, end = _ends(start, end, name)
    if isinstance(steps, TensorBase):
        steps = steps.item()
    if not isinstance(steps, (int, np.integer)):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    d = check_dtype(dtype, dt.default_complex() if isinstance(start, complex) or isinstance(end, complex) else None)
    if d is dt.bool_:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    return start, end, int(steps), d


def _even(start, end, steps: int, d: dt.dtype) -> np.ndarray:
    """`steps` numbers from start to end, computed from both ends towards the middle as torch does, in the dtype's own arithmetic.

    Integer dtypes cut their bounds, then count in float64.
    """
    wide = {dt.float16: np.float32, dt.bfloat16: np.float32}.get(d, np.float64 if d.category == dt.INTEGER else d.numpy)
    kind = np.dtype(wide).type
    first, last = kind(start if d.category != dt.INTEGER else int(start)), kind(end if d.category != dt.INTEGER else int(end))
    if steps == 1:
        return np.array([first])
    step = kind((last - first) / kind(max(steps - 1, 1)))
    at = np.arange(steps)
    low, high = first + step * at.astype(wide), last - step * (steps - 1 - at).astype(wide)
    return np.where(at < steps // 2, low, high)


@public("linspace", method=False, out=True)
def linspace(start, end, steps, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """`steps` evenly spaced values from `start` to `end`, both included. Raises RuntimeError for a negative number of steps."""
    check_layout(layout)
    start, end, steps, d = _steps(start, end, steps, "linspace", dtype)
    values = _even(start, end, steps, d).astype(d.numpy)
    return mark_leaf(from_array(values, None, _where(device) or default_device()), requires_grad)


@public("logspace", method=False, out=True)
def logspace(start, end, steps, base=10.0, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """`base` to the power of `steps` evenly spaced values from `start` to `end`, both included."""
    check_layout(layout)
    start, end, steps, d = _steps(start, end, steps, "logspace", dtype)
    with np.errstate(all="ignore"):
        exponents = _even(start, end, steps, d)
        if d.category == dt.COMPLEX:  # exp(x log(base)) in the dtype, as C has it
            values = np.exp(exponents.astype(d.numpy) * np.log(np.asarray(base, d.numpy)))
        else:
            values = np.power(np.float64(base), exponents.astype(np.float64))
    return mark_leaf(from_array(values.astype(d.numpy), None, _where(device) or default_device()), requires_grad)


@public("range", method=False, out=True)
def range_(start=0, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False):
    """Values from `start` to `end`, included, in steps, in the default float dtype. Deprecated in torch for `arange`."""
    check_layout(layout)
    warnings.warn("torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's range "
                  "builtin. Instead, use torch.arange, which produces values in [start, end).", UserWarning, stacklevel=3)
    if end is None:
        start, end = 0, start
    start, end, step = _real(start), _real(end), _real(step)
    _check_range(start, end, step)
    values = _stepped(start, step, int((end - start) / step + 1), check_dtype(dtype))
    return mark_leaf(from_array(values, None, _where(device) or default_device()), requires_grad)


@public("eye", method=False, out=True)
def eye(n, m=None, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """An n x m matrix (m = n unless given) with ones on the diagonal and zeros elsewhere."""
    check_layout(layout)
    m = n if m is None else m
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return mark_leaf(from_array(np.eye(n, m, dtype=check_dtype(dtype).numpy), None, _where(device) or default_device()), requires_grad)


@public("scalar_tensor", method=False)
def scalar_tensor(s, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A 0-dim tensor of a number, in the default float dtype unless given."""
    check_layout(layout)
    return constant_tensor((), s, check_dtype(dtype), _where(device), requires_grad)


@public("empty_strided", method=False)
def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor (of zeros) with given sizes and strides. Raises RuntimeError for strides that do not fit."""
    check_layout(layout)
    size, stride = sizes((size,)), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}")
    return strided_zeros(size, stride, check_dtype(dtype), _where(device), requires_grad)


@public("new_empty_strided", function=False)
def new_empty_strided(self, size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor (of zeros) with given sizes and strides, with the dtype and device of `self` unless given."""
    check_layout(layout)
    spec = self._spec
    return empty_strided(size, stride, dtype=check_dtype(dtype, spec.dtype), device=_where(device) or spec.device, requires_grad=requires_grad)


def strided_zeros(size: tuple, stride: tuple, d: dt.dtype, where, requires_grad: bool):
    """Zeros of given strides; with gaps or overlaps they are a view of as many elements as that needs."""
    if is_dense(size, stride):
        made = constant_tensor(size, 0, d, where)
        set_strides(made, stride)
    else:
        needed = 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride))
        made = METHODS["as_strided"](constant_tensor((needed,), 0, d, where), size, stride)
    return mark_leaf(made, requires_grad)


@public("empty_permuted", method=False)
def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A dense tensor (of zeros) of `size` whose dimensions are stored in the order `physical_layout`, outermost first."""
    check_layout(layout)
    size, order = sizes((size,)), tuple(physical_layout)
    if len(size) != len(order):
        raise RuntimeError(f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = {len(size)} is not "
                           f"equal to len(physical_layout) = {len(order)}")
    strides, step = [0] * len(size), 1
    for place, d in reversed(list(enumerate(order))):
        if not 0 <= d < len(size):
            raise RuntimeError(f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {d} at index {place}).  NB: negative "
                               "dims not currently supported; file an issue if you want it.")
        if order.index(d) != place:
            raise RuntimeError("Duplicate dim not allowed")
        strides[d] = step
        step *= size[d]
    return strided_zeros(size, tuple(strides), check_dtype(dtype), _where(device), requires_grad)
