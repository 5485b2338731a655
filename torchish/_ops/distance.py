"""Distances between rows: cdist and pdist."""
from __future__ import annotations

import math

import numpy as np

from .._core.op import Op, simple
from .._core.record import call
from .._core.spec import Spec
from .linalg_common import broadcast_batch
from .nn_common import FLOATING, HALVES, not_implemented, product, sized, swap
from .norm import norm_of, norm_rule
from .pointwise import unsigned_zero
from .variants import METHODS, public

MANY_ROWS = 25  # torch multiplies matrices above this


def _distance(xp, away, p):
    """The p-norm of differences along the last dimension; at an infinite p NaN does not count, as in torch's kernel."""
    if p == math.inf and away.shape[-1]:
        size = xp.abs(away)
        return xp.max(xp.where(xp.isnan(size), xp.zeros((), size.dtype), size), axis=-1)
    return norm_of(xp, away, (-1,), False, p)


def _away_rule(xp, g, norms, away, p):
    """The gradient of distances in the differences; NaN stays. At an infinite p all coordinates that attain it count fully."""
    if p not in (1, math.inf):
        return norm_rule(xp, g, norms, away, (-1,), True, p)
    sign = xp.where(xp.isnan(away), away, (away > 0).astype(away.dtype) - (away < 0).astype(away.dtype))
    if p == 1:
        return g * sign
    from_norm = xp.abs(xp.abs(away) - norms)
    return g * sign * xp.where(from_norm > 0, xp.zeros((), away.dtype), 1 - from_norm)


# ---------------------------------------------------------------- cdist
def _check_cdist(a: Spec, b: Spec, p) -> None:
    for name, s in (("X1", a), ("X2", b)):
        if s.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {s.ndim}D")
        if s.dtype.category != FLOATING:
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {s.dtype.legacy}")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy} but found {b.dtype.legacy}")
    if a.dtype in HALVES:
        raise not_implemented("cdist", a.dtype)


def _cdist_infer(a, b, *, p):
    _check_cdist(a, b, p)
    return sized((*broadcast_batch(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-2]), a)


def _differences(a, b):
    return a[..., :, None, :] - b[..., None, :, :]


def _cdist(xp, a, b, *, p):
    return _distance(xp, _differences(a, b), p)


def _cdist_rule_a(xp, g, out, a, b, *, p):
    return unsigned_zero(xp, xp.sum(_away_rule(xp, g[..., None], out[..., None], _differences(a, b), p), -2))


def _cdist_rule_b(xp, g, out, a, b, *, p):
    return _cdist_rule_a(xp, swap(g), swap(out), b, a, p=p)


cdist_op = Op("cdist", _cdist, simple(_cdist_infer), grad="CdistBackward0", saves=(0, 1, "result"), vjp=(_cdist_rule_a, _cdist_rule_b))


def _euclidean(xp, a, b, *, p):
    """By |a|^2 + |b|^2 - 2 a b: less exact for near rows, but without an array of all differences."""
    square = xp.sum(a * a, -1)[..., :, None] + xp.sum(b * b, -1)[..., None, :] - 2 * product(xp, a, swap(b))
    return xp.sqrt(xp.maximum(square, 0))


def _ratio(xp, g, out):
    return xp.where(out == 0, xp.zeros_like(g), g / out)


def _euclidean_rule_a(xp, g, out, a, b, *, p):
    ratio = _ratio(xp, g, out)
    return a * xp.sum(ratio, -1)[..., None] - product(xp, ratio, b)


def _euclidean_rule_b(xp, g, out, a, b, *, p):
    return _euclidean_rule_a(xp, swap(g), swap(out), b, a, p=p)


euclidean_op = Op("cdist by products", _euclidean, simple(_cdist_infer), grad="EuclideanDistBackward0", saves=(0, 1, "result"),
                  vjp=(_euclidean_rule_a, _euclidean_rule_b))
_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@public("cdist", method=False)
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distances (*, P, R) between the rows of x1 (*, P, M) and x2 (*, R, M); the gradient at distance 0 is 0.

    Euclidean distances of more than 25 rows go by a matrix product unless `compute_mode` says otherwise.
    Raises RuntimeError for other shapes, integers and negative p, ValueError for an unknown mode.
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    a, b, p = x1._spec, x2._spec, float(p)
    _check_cdist(a, b, p)
    many = compute_mode == _MODES[1] or compute_mode == _MODES[0] and (a.shape[-2] > MANY_ROWS or b.shape[-2] > MANY_ROWS)
    if p != 2 or not many or a.numel == 0 or b.numel == 0:
        return call(cdist_op, (x1, x2), (("p", p),))
    made = call(euclidean_op, (x1, x2), (("p", p),))
    return METHODS["view"](made, made._spec.shape)


# ---------------------------------------------------------------- pdist
def _pdist_infer(a, *, p):
    if a.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {a.ndim}D")
    if a.dtype.category != FLOATING:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    if a.dtype in HALVES:
        raise not_implemented("pdist", a.dtype)
    n = a.shape[0]
    return sized((n * (n - 1) // 2,), a)


def _pairs(x):
    rows, columns = np.triu_indices(x.shape[0], 1)
    return x[rows] - x[columns]


def _pdist(xp, x, *, p):
    return _distance(xp, _pairs(x), p)


def _pdist_rule(xp, g, out, x, *, p):
    each = _away_rule(xp, g[:, None], out[:, None], _pairs(x), p)
    rows, columns = np.triu_indices(x.shape[0], 1)
    sides = (rows == np.arange(x.shape[0])[:, None]).astype(x.dtype) - (columns == np.arange(x.shape[0])[:, None]).astype(x.dtype)
    return product(xp, xp.asarray(sides), each)


pdist_op = Op("pdist", _pdist, simple(_pdist_infer), grad="PdistBackward0", saves=(0, "result"), vjp=(_pdist_rule,))


@public("pdist", method=False, also=("nn.functional.pdist",))
def pdist(input, p=2):
    """The p-norm distances between every two rows of a matrix, those of the first row first."""
    return call(pdist_op, (input,), (("p", float(p)),))



