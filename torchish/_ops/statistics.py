"""Moments, quantiles and histograms: std, var, their pairs with the mean, quantile, histc, bincount."""
from __future__ import annotations

import math
import warnings

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array
from .._core.op import Op, cast
from .._core.record import call, set_strides
from .._core.spec import contiguous_strides, spec_of
from .._dtype import FLOATING, INTEGER
from .exact_out import exact_out
from .reduction import all_dims, count, divided, mean_of, reduce, reduced_shape, reduction
from .searching import lower_bound
from .selection import refuse, widened
from .shared import wrap_dim
from .variants import public


# ---------------------------------------------------------------- std and var
def _freedom(x, dims: tuple, correction) -> float:
    return max(count(x.shape, dims) - correction, 0)


def _var(xp, x, dims, keepdim, correction):
    away = x - mean_of(xp, x, dims, True)
    square = (away * xp.conj(away)).real if away.dtype.kind == "c" else away * away
    return divided(xp, xp.sum(square, axis=dims, keepdims=keepdim), _freedom(x, dims, correction))


def _std(xp, x, dims, keepdim, correction):
    return xp.sqrt(_var(xp, x, dims, keepdim, correction))


def _var_rule(xp, g, out, x, dims, keepdim, correction):
    freedom, mean = _freedom(x, dims, correction), mean_of(xp, x, dims, True)
    if freedom <= 0:  # torch's limit of the division by zero
        return g * xp.where(x == mean, xp.full_like(out, np.nan), xp.full_like(out, np.inf))
    return 2 * g / freedom * (x - mean)


def _std_rule(xp, g, out, x, dims, keepdim, correction):
    flat = out == 0
    half = xp.where(flat, xp.zeros_like(g), g / xp.where(flat, xp.ones_like(out), 2 * out))  # torch: gradient 0 where std is 0
    return _var_rule(xp, half, out, x, dims, keepdim, correction)


var_op = reduction("var", _var, "VarBackward0", _var_rule, saves=(0,))
std_op = reduction("std", _std, "StdBackward0", _std_rule, saves=(0, "result"))


def _pair_planner(op: Op, argtypes: tuple, static: dict):
    a, dims, keepdim, result, correction = argtypes[0], static["dims"], static["keepdim"], static["dtype"], static["correction"]
    compute, shape = widened(a.dtype), reduced_shape(a.shape, dims, keepdim)

    def impl(xp, x):
        x = cast(xp, x, compute)
        return cast(xp, op.body(xp, x, dims, keepdim, correction), result), cast(xp, mean_of(xp, x, dims, keepdim), a.dtype)
    return impl, (spec_of(shape, result, a.device), spec_of(shape, a.dtype, a.device))


def _pair_rule(moment_rule):
    def rule(xp, g, out, x, *, dims, keepdim, dtype, correction):
        shape, total = reduced_shape(x.shape, dims, True), xp.zeros_like(x)
        if g[0] is not None:
            total = total + moment_rule(xp, xp.reshape(g[0], shape), xp.reshape(out[0], shape), x, dims, keepdim, correction)
        if g[1] is not None:
            total = total + divided(xp, xp.reshape(g[1], shape), count(x.shape, dims))
        return total
    return rule


var_mean_op = Op("var_mean", _var, _pair_planner, grad="VarMeanBackward0", saves=(0,), vjp=(_pair_rule(_var_rule),))
std_mean_op = Op("std_mean", _std, _pair_planner, grad="StdMeanBackward0", saves=(0, "result"), vjp=(_pair_rule(_std_rule),))


def _declare_moment(name: str, op: Op, what: str) -> None:
    pair = name.endswith("_mean")
    refused = "std_mean only support" if name == "std_mean" else "var_mean only support" if pair else "std and var only support"

    @public(name, out=not pair, method=not pair)
    def front(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
        if dim.__class__ is bool:
            dim, unbiased = None, dim
        if unbiased is not None:
            if correction is not None:
                raise TypeError(f"{name}() received an invalid combination of arguments - unbiased and correction exclude each other")
            correction = 1 if unbiased else 0
        spec = input._spec
        if spec.dtype.category < FLOATING:
            raise RuntimeError(f"{refused} floating point and complex dtypes")
        dims, correction = all_dims(dim, spec.ndim), 1 if correction is None else correction
        if count(spec.shape, dims) <= correction:
            warnings.warn(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel "
                          "divided by output numel).", stacklevel=3)
        return reduce(op, input, dims, keepdim, spec.dtype.to_real(), (("correction", correction),))
    front.__doc__ = (f"{what} over `dim` (all dimensions when None): the sum of squares is divided by N - correction (default 1).\n\n"
                     "`unbiased=False` means correction=0. Raises RuntimeError for integers and bool.")


_declare_moment("var", var_op, "The variance")
_declare_moment("std", std_op, "The standard deviation")
_declare_moment("var_mean", var_mean_op, "The variance and the mean, a tuple,")
_declare_moment("std_mean", std_mean_op, "The standard deviation and the mean, a tuple,")


# ---------------------------------------------------------------- quantile
MODES = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile_planner(op: Op, argtypes: tuple, static: dict):
    a, q, dim, keepdim = argtypes[0], argtypes[1], static["dim"], static["keepdim"]
    lead = q.shape if hasattr(q, "shape") else ()
    dims = tuple(range(a.ndim)) if dim is None else (dim,) if a.ndim else ()
    shape = tuple(lead) + reduced_shape(a.shape, dims, keepdim)

    def impl(xp, x, fractions):
        rows = xp.reshape(x, (-1,)) if dim is None or a.ndim == 0 else xp.moveaxis(x, dim, -1)
        fractions = xp.reshape(cast(xp, fractions, a.dtype), (-1,))
        picked = _interpolated(xp, xp.sort(rows, axis=-1), fractions, static["interpolation"], static["skip_nan"])
        return xp.reshape(xp.moveaxis(picked, -1, 0), shape)
    return impl, spec_of(shape, a.dtype, a.device)


def _interpolated(xp, rows, fractions, interpolation: str, skip_nan: bool):
    """The quantiles of sorted rows, (..., n) and (k,) giving (..., k). NaN sorts last: a row with any yields NaN unless it is skipped."""
    n = rows.shape[-1]
    valid = xp.sum(~xp.isnan(rows), axis=-1, keepdims=True)
    if skip_nan:
        rank = fractions * xp.maximum(valid - 1, 0).astype(rows.dtype)
    else:
        rank = xp.where(valid < n, rows.dtype.type(n - 1), fractions * (n - 1))
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": xp.floor, "higher": xp.ceil, "nearest": xp.round}[interpolation](rank)
    low = xp.floor(rank)
    below = xp.take_along_axis(rows, low.astype(np.int64), -1)
    if interpolation not in ("linear", "midpoint"):
        return below
    above = xp.take_along_axis(rows, xp.ceil(rank).astype(np.int64), -1)
    weight = xp.full(rank.shape, 0.5, rows.dtype) if interpolation == "midpoint" else rank - low
    return xp.where(weight < 0.5, below + weight * (above - below), above - (above - below) * (1 - weight))


def _outside(xp, x, fractions, **static):
    return xp.where(xp.all((fractions >= 0) & (fractions <= 1)), 0, 1)


quantile_op = Op("quantile", lambda xp, x, q: x, _quantile_planner, grad="SqueezeBackward4", check=_outside, checked=(1,),
                 complain=lambda code, argtypes, static: RuntimeError("quantile() q values must be in the range [0, 1]"))


def _declare_quantile(name: str, skip_nan: bool) -> None:
    @public(name, out=True)
    def front(input, q, dim=None, keepdim=False, *, interpolation="linear"):
        spec = input._spec
        _check_quantile(spec, q, interpolation)
        static = (("dim", None if dim is None else wrap_dim(dim, spec.ndim)), ("keepdim", bool(keepdim)), ("interpolation", interpolation),
                  ("skip_nan", skip_nan))
        if not isinstance(q, TensorBase):
            return _stepped(call(quantile_op, (input, float(q)), static), interpolation, 0)
        result = _stepped(call(quantile_op, (input, q), static), interpolation, q._spec.ndim)
        if q._spec.ndim:  # torch computes them innermost and moves them to the front
            shape = result._spec.shape
            inner = contiguous_strides(shape[1:] + shape[:1])
            set_strides(result, inner[-1:] + inner[:-1])
        return result
    front.__doc__ = (f"The quantiles `q` (a number or a 1-D tensor, which adds a leading dimension) along `dim`, or of all elements. "
                     f"{'NaN is skipped.' if skip_nan else 'NaN wins.'}\n\nRaises RuntimeError for a `q` outside [0, 1] and for dtypes other than "
                     "float32 and float64.")


def _stepped(made: TensorBase, interpolation: str, rank: int) -> TensorBase:
    """`made` with the version that torch's in-place steps leave: one to squeeze or two to interpolate, and two to place a 1-D `q`."""
    for _ in range((2 if interpolation in ("linear", "midpoint") else 1) + 2 * rank):
        made._bump()
    return made


def _check_quantile(spec, q, interpolation: str) -> None:
    if spec.numel == 0:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if spec.dtype not in (dt.float32, dt.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if isinstance(q, TensorBase):
        if q._spec.ndim > 1:
            raise RuntimeError("quantile() q must be a scalar or 1D tensor")
        if q._spec.dtype is not spec.dtype:
            raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in MODES:
        raise RuntimeError(f"quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}")


_declare_quantile("quantile", False)
_declare_quantile("nanquantile", True)


# ---------------------------------------------------------------- histc and bincount
def _histc_planner(op: Op, argtypes: tuple, static: dict):
    a, bins = argtypes[0], static["bins"]

    def impl(xp, x, low, high):
        edges = _edges(xp, xp.reshape(x, (-1,)), low, high, bins, a.dtype)
        flat = xp.reshape(x, (-1,))
        at = xp.minimum(lower_bound(xp, edges, flat, True) - 1, bins - 1)
        inside = (flat >= edges[0]) & (flat <= edges[-1])
        return cast(xp, _tally(xp, xp.where(inside, at, bins), None, bins + 1)[:bins], a.dtype)
    return impl, spec_of((bins,), a.dtype, a.device)


def _edges(xp, x, low, high, bins: int, d: dt.dtype):
    """`bins + 1` equidistant edges, from both ends towards the middle as torch's linspace counts. Equal bounds mean the data's range."""
    low, high = cast(xp, low, d), cast(xp, high, d)
    if x.size:
        own = low == high
        low, high = xp.where(own, xp.min(x), low), xp.where(own, xp.max(x), high)
    one = cast(xp, 1, d)
    single = low == high
    low, high = xp.where(single, low - one, low), xp.where(single, high + one, high)
    steps = xp.arange(bins + 1).astype(d.numpy)
    step = (high - low) / cast(xp, bins, d)
    return xp.where(steps < (bins + 1) // 2, low + step * steps, high - step * (cast(xp, bins, d) - steps))


def _tally(xp, index, weights, size: int):
    """How often (or with which total weight) each index in [0, size) occurs."""
    if xp is np:
        return np.bincount(index, weights, size)
    ones = xp.ones(index.shape, np.int64) if weights is None else weights
    return xp.zeros((size,), ones.dtype).at[index].add(ones)


histc_op = Op("histc", lambda xp, x: x, _histc_planner)


@public("histc", out=True)
def histc(input, bins=100, min=0, max=0):
    """Counts of the elements in `bins` equal intervals of [min, max], or of the data's own range where the two are equal.

    Raises RuntimeError for bins <= 0 or bounds that are not finite and ordered, NotImplementedError for dtypes but float32 and float64.
    """
    spec = input._spec
    if spec.dtype.category != FLOATING:
        refuse("histogram_cpu", spec.dtype)
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if not (math.isfinite(min) and math.isfinite(max)):
        raise RuntimeError(f"torch.histc: range of [{min:g}, {max:g}] is not finite")
    if min > max:
        raise RuntimeError("torch.histc: max must be larger than min")
    return call(histc_op, (input, float(min), float(max)), (("bins", int(bins)),))


@public("bincount")
def bincount(input, weights=None, minlength=0):
    """How often each non-negative integer of a 1-D tensor occurs, or the sums of `weights` (float64, or float32 for float32 weights).

    The length depends on the largest value, which is read on the host. Raises RuntimeError for negative values or other ranks.
    """
    spec = input._spec
    if spec.dtype.category != INTEGER:
        refuse("bincount_cpu", spec.dtype)
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    index = input._host("bincount")
    if index.ndim != 1 or (index.size and index.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return from_array(np.bincount(index, minlength=minlength).astype(np.int64), device=spec.device)
    if weights._spec.shape != spec.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    kept = np.float32 if weights._spec.dtype is dt.float32 else np.float64
    return from_array(np.bincount(index, weights._host("bincount"), minlength).astype(kept), device=spec.device)


exact_out("quantile", "nanquantile", message=lambda name, want, have: "quantile() out tensor must be same dtype as the input tensor")
