"""Finding values in tensors: searchsorted, bucketize, isin, unique, unique_consecutive.

What unique returns has a shape that depends on the data, so it reads its input on the host.
"""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array, set_strides
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import contiguous_strides, spec_of
from .._dtype import BOOL, COMPLEX
from .declare import common_device, promoted
from .exact_out import exact_out
from .factory import constant_tensor
from .selection import refuse, widened
from .shared import shape_text, wrap_dim
from .variants import public, tensor_or_number


# ---------------------------------------------------------------- searchsorted and bucketize
def lower_bound(xp, rows, values, right: bool):
    """Binary search of `values` (..., m) in `rows` (..., n) or (n,): torch's steps, so that unsorted rows and NaN give what torch gives."""
    n = rows.shape[-1]
    shared = rows.ndim == 1
    low = xp.zeros(values.shape, np.int64)
    high = xp.full(values.shape, n, np.int64)
    for _ in range(n.bit_length()):
        middle = (low + high) // 2
        at = xp.minimum(middle, n - 1)
        pivot = rows[at] if shared else xp.take_along_axis(rows, at, -1)
        up = (~(pivot > values) if right else ~(pivot >= values)) & (low < high)
        low, high = xp.where(up, middle + 1, low), xp.where(up, high, middle)
    return low


def _search_planner(op: Op, argtypes: tuple, static: dict):
    rows, values, right = argtypes[0], argtypes[1], static["right"]
    result, shape = static["dtype"], tuple(values.shape)
    common = widened(promoted((rows, values)))
    if common.category in (BOOL, COMPLEX) and values.numel:
        refuse("searchsorted_out_cpu", common)
    out = spec_of(shape, result, common_device([rows, values]))

    def impl(xp, r, v, *sorter):
        if sorter:
            r = xp.take_along_axis(r, sorter[0], -1)
        v = cast(xp, v, common)
        if rows.numel == 0 or values.numel == 0:
            return xp.zeros(shape, result.numpy)
        found = lower_bound(xp, cast(xp, r, common), v if values.ndim else xp.reshape(v, (1,)), right)
        return cast(xp, xp.reshape(found, shape), result)
    return impl, out


searchsorted_op = Op("searchsorted", lambda xp, rows, values: values, _search_planner)


def _search(rows: TensorBase, values, out_int32: bool, right: bool, sorter: TensorBase | None = None) -> TensorBase:
    if not isinstance(values, TensorBase):
        values = constant_tensor((), values, rows._spec.dtype if rows._spec.dtype.category >= dt.of_number(values).category else dt.of_number(values),
                                 rows._spec.device)
    operands = (rows, values) if sorter is None else (rows, values, sorter)
    return call(searchsorted_op, operands, (("right", bool(right)), ("dtype", dt.int32 if out_int32 else dt.int64)))


@public("searchsorted", method=False, out=True)
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each value of `input` would be inserted into the innermost dimension of `sorted_sequence`, as int64 (or int32).

    `right` (side="right") goes after equal elements. Raises RuntimeError where shapes, `side` or `sorter` do not fit.
    """
    rows = sorted_sequence._spec
    _check_side(side, right)
    _check_rows(rows, input)
    if sorter is not None:
        if sorter._spec.shape != rows.shape:
            raise RuntimeError("torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                               f"{shape_text(rows.shape)}and got sorter tensor {shape_text(sorter._spec.shape)}")
        if sorter._spec.dtype is not dt.int64:
            raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter._spec.dtype.legacy}")
    return _search(sorted_sequence, input, out_int32, right or side == "right", sorter)


def _check_side(side, right) -> None:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError("torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True")


def _check_rows(rows, input) -> None:
    shape = input._spec.shape if isinstance(input, TensorBase) else ()
    if rows.ndim == 0:
        raise RuntimeError("torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension")
    if rows.ndim == 1:
        return
    if not isinstance(input, TensorBase):
        raise RuntimeError("torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries "
                           f"tensor dim({rows.ndim}) and input value's dim(0) numel(1)")
    if tuple(shape[:-1]) != tuple(rows.shape[:-1]) or len(shape) != rows.ndim:
        raise RuntimeError("torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input "
                           f"value tensor must match, but we got boundaries tensor {shape_text(rows.shape)} and input value "
                           f"tensor {shape_text(shape)}")


@public("bucketize", method=False, out=True)
def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The index of the bucket, among those that 1-D `boundaries` delimit, that each value falls into. Raises RuntimeError for other ranks."""
    if boundaries._spec.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._spec.ndim})")
    return _search(boundaries, input, out_int32, right)


# ---------------------------------------------------------------- isin
def _isin_planner(op: Op, argtypes: tuple, static: dict):
    a = argtypes[0]
    common = widened(promoted(argtypes))

    def impl(xp, x, tested):
        return xp.isin(cast(xp, x, common), cast(xp, tested, common), invert=static["invert"])
    return impl, spec_of(tuple(a.shape), dt.bool_, a.device)


isin_op = Op("isin", lambda xp, x, tested: x, _isin_planner)


@public("isin", method=False, out=True)
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """For each element, whether it is (with `invert`: is not) among `test_elements`. One of the two may be a number.

    Raises RuntimeError for bool and complex, TypeError for two numbers.
    """
    tensors = [t for t in (elements, test_elements) if isinstance(t, TensorBase)]
    if not tensors:
        raise TypeError("isin() received an invalid combination of arguments - at least one of elements and test_elements must be a Tensor")
    for x in (elements, test_elements):
        tensor_or_number(x)
    for t in tensors:
        if t._spec.dtype.category in (BOOL, COMPLEX):
            raise RuntimeError(f"Unsupported input type encountered for isin(): {t._spec.dtype.legacy}")
    if not isinstance(elements, TensorBase):
        elements = constant_tensor((), elements, dt.of_number(elements), test_elements._spec.device)
    return call(isin_op, (elements, test_elements), (("invert", bool(invert)),))


# ---------------------------------------------------------------- unique
def _host(t: TensorBase, cause: str) -> np.ndarray:
    array = t._host(cause)
    return array.astype(np.float32) if t._spec.dtype in (dt.float16, dt.bfloat16) else array


def _answer(t: TensorBase, array: np.ndarray, inverse, counts, dim: int | None):
    device = t._spec.device
    made = [from_array(array.astype(t._spec.dtype.numpy, order="C"), device=device)]
    if dim:  # torch works on slices along the first dimension and moves it back
        inner = contiguous_strides((array.shape[dim], *array.shape[:dim], *array.shape[dim + 1:]))
        set_strides(made[0], inner[1:dim + 1] + inner[:1] + inner[dim + 1:])
    made += [from_array(extra.astype(np.int64, order="C"), device=device) for extra in (inverse, counts) if extra is not None]
    return made[0] if len(made) == 1 else tuple(made)


def _check_unique_dim(t: TensorBase, dim: int) -> None:
    shape = t._spec.shape
    empty = [d for d, n in enumerate(shape) if n == 0 and d != dim]
    if empty and shape and shape[dim]:
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")


@public("unique")
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different elements (or slices along `dim`), sorted, and on request where each input went and how often each occurs. NaNs differ.

    Returns a tensor, or a tuple (output, inverse, counts) of what was asked for. Reads its input on the host.
    """
    if dim is not None:
        dim = wrap_dim(dim, input._spec.ndim)
        _check_unique_dim(input, dim)
    if input._spec.dtype.category == COMPLEX:
        refuse("unique" if dim is None else "unique_dim", input._spec.dtype)
    x = _host(input, "unique")
    x = x.reshape(1) if x.ndim == 0 else x
    if dim is not None and x.shape[dim] == 0:
        return _answer(input, x, np.zeros(0) if return_inverse else None, np.zeros(0) if return_counts else None, dim)
    values, _, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=dim, equal_nan=False)
    inverse = inverse.reshape(input._spec.shape if dim is None else -1)
    return _answer(input, values, inverse if return_inverse else None, counts if return_counts else None, dim)


@public("unique_consecutive")
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices along `dim`) that differ from the one before, and on request where each input went and each run's length.

    Returns a tensor, or a tuple (output, inverse, counts) of what was asked for. Reads its input on the host.
    """
    if dim is not None:
        dim = wrap_dim(dim, input._spec.ndim)
        _check_unique_dim(input, dim)
    if input._spec.dtype.category == COMPLEX:
        refuse("unique" if dim is None else "unique_dim", input._spec.dtype)
    x = _host(input, "unique_consecutive")
    axis = 0 if dim is None else dim
    x = x.reshape(-1) if dim is None or x.ndim == 0 else x
    rows = np.moveaxis(x, axis, 0)
    n = rows.shape[0]
    new = np.ones(n, bool)
    if n:
        new[1:] = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(new)
    inverse = (np.cumsum(new) - 1).reshape(input._spec.shape if dim is None else -1)
    counts = np.diff(np.append(starts, n))
    return _answer(input, np.moveaxis(rows[starts], 0, axis), inverse if return_inverse else None, counts if return_counts else None, dim)


exact_out("isin")
