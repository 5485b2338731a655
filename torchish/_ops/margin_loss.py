"""Losses of margins: hinge, ranking, multi-class and multi-label margins, cosine embedding, triplets; and the distances they use."""

from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .._promotion import promote_types
from .declare import broadcast_shapes
from .loss import by_reduction, pointwise, reduced, reduction_of
from .nn_common import FLOATING, computed, not_implemented, sized, softplus
from .reduction import reduced_shape
from .shared import shape_text, wrap_dim
from .variants import METHODS, public


def _positive(xp, x):
    """max(x, 0) with torch's derivative of clamp_min: 1 at 0, 0 at NaN (which stays)."""
    return xp.where(x >= 0, x, xp.where(x != x, xp.asarray(np.nan, x.dtype), xp.zeros((), x.dtype)))


# ---------------------------------------------------------------- distances
def _norm_along(xp, d, p, axis, keepdim):
    """The p-norm along one dimension, derivative 0 where it is 0."""
    size = xp.abs(d)
    if p == 0:
        return (size != 0).astype(size.dtype).sum(axis, keepdims=keepdim)
    if np.isinf(p):
        return size.max(axis, keepdims=keepdim) if p > 0 else size.min(axis, keepdims=keepdim)
    total = (size * size if p == 2 else size if p == 1 else size**p).sum(axis, keepdims=keepdim)
    if p == 1:
        return total
    safe = xp.where(total == 0, xp.ones((), total.dtype), total)
    return xp.where(total == 0, xp.zeros((), total.dtype), xp.sqrt(safe) if p == 2 else safe ** (1 / p))


def _infer_distance(a, b, eps, *, p, keepdim):
    shape = broadcast_shapes([a.shape, b.shape])
    return sized(reduced_shape(shape, (len(shape) - 1,), keepdim), a, _real(a, b))


def _real(*specs):
    """The real floating-point dtype of a distance between tensors; integers gain the default one from eps."""
    d = specs[0].dtype
    for s in specs[1:]:
        d = promote_types(d, s.dtype)
    return dt.get_default_dtype() if d.category < FLOATING else d.to_real()


distance_op = Op(
    "pairwise_distance",
    lambda xp, a, b, eps, *, p, keepdim: _norm_along(xp, a - b + eps, p, -1, keepdim),
    computed(_infer_distance),
    grad="NormBackward1",
    saves=(0, 1),
)


@public("pairwise_distance", method=False, also=("nn.functional.pairwise_distance",))
def pairwise_distance(x1, x2, p=2.0, eps=1e-06, keepdim=False):
    """The p-norm of x1 - x2 + eps along the last dimension."""
    return call(distance_op, (x1, x2, eps), (("p", float(p)), ("keepdim", bool(keepdim))))


def _cosine(xp, a, b, eps, axis):
    """The cosine of the angle between vectors, norms not below eps."""
    na, nb = (xp.maximum(_norm_along(xp, v, 2, axis, True), eps) for v in (a, b))
    return ((a / na) * (b / nb)).sum(axis)


def _infer_cosine(a, b, eps, *, dim):
    shape = broadcast_shapes([a.shape, b.shape])
    d = promote_types(a.dtype, b.dtype)
    if d.category < FLOATING:
        raise RuntimeError("expected common dtype to be floating point, yet common dtype is " + d.legacy)
    axis = wrap_dim(dim, len(shape))
    return sized(reduced_shape(shape, (axis,), False), a, d)


cosine_op = Op(
    "cosine_similarity",
    lambda xp, a, b, eps, *, dim: (
        _cosine(xp, *xp.broadcast_arrays(a, b), eps, dim) if a.ndim or b.ndim else _cosine(xp, a.reshape(1), b.reshape(1), eps, 0)
    ),
    computed(_infer_cosine),
    grad="SumBackward1",
    saves=(0, 1),
)


@public("cosine_similarity", method=False, also=("nn.functional.cosine_similarity",))
def cosine_similarity(x1, x2, dim=1, eps=1e-08):
    """x1 . x2 / (|x1| |x2|) along `dim`, norms not below eps."""
    return call(cosine_op, (x1, x2, eps), (("dim", int(dim)),))


# ---------------------------------------------------------------- element-wise margins
def _hinge(xp, x, t, margin):
    return xp.where(t != 1, _positive(xp, margin - x), xp.zeros((), x.dtype)) + xp.where(t != -1, x, xp.zeros((), x.dtype))


def _hinge_slope(xp, x, t, margin):
    return (t != -1).astype(x.dtype) - ((t != 1) & (margin - x >= 0)).astype(x.dtype)


_hinge_loss = pointwise("hinge_embedding_loss", by_reduction("AddBackward0"), _hinge, (_hinge_slope, None, None))


def _ranked(xp, a, b, t, margin):
    return -t * (a - b) + margin


def _ranking_slope(factor):
    """The derivative in an operand whose own is `factor(a, b, t)`, 0 times it where the margin is kept."""
    return lambda xp, a, b, t, margin: (_ranked(xp, a, b, t, margin) >= 0).astype(a.dtype) * factor(a, b, t)


_ranking = pointwise(
    "margin_ranking_loss",
    by_reduction("ClampMinBackward0"),
    lambda xp, a, b, t, margin: _positive(xp, _ranked(xp, a, b, t, margin)),
    (_ranking_slope(lambda a, b, t: -t), _ranking_slope(lambda a, b, t: t), _ranking_slope(lambda a, b, t: b - a), None),
)
_multilabel_soft = {
    r: Op(
        f"multilabel_soft_margin_loss {r}",
        lambda xp, x, t, w, *, reduction: reduced(xp, _multilabel_soft_body(xp, x, t, w), reduction),
        computed(lambda x, t, w, *, reduction: sized(x.shape[:-1] if reduction == "none" else (), x)),
        grad=n,
        saves=(0, 1),
    )
    for r, n in by_reduction("DivBackward0").items()
}


def _multilabel_soft_body(xp, x, t, w):
    made = t * softplus(xp, -x) + (1 - t) * softplus(xp, x)
    return (made if w is None else made * w).mean(-1)


@public("nn.functional.hinge_embedding_loss", method=False, also=("hinge_embedding_loss",))
def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, max(0, margin - input) where it is -1."""
    return _hinge_loss((input, target, float(margin)), reduction_of(size_average, reduce, reduction))


@public("nn.functional.margin_ranking_loss", method=False, also=("margin_ranking_loss",))
def margin_ranking_loss(input1, input2, target, margin=0.0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target * (input1 - input2) + margin). Raises RuntimeError where the numbers of dimensions differ."""
    a, b, t = input1._spec, input2._spec, target._spec
    if not a.ndim == b.ndim == t.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {a.shape!r}, input2: {b.shape!r}, target: {t.shape!r} "
        )
    reduction = reduction_of(size_average, reduce, reduction)
    made = _ranking((input1, input2, target, float(margin)), reduction)
    if reduction == "none":
        made._bump()  # torch clamps in place
    return made


@public("nn.functional.multilabel_soft_margin_loss", method=False)
def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The mean over classes of binary cross entropy with logits."""
    reduction = reduction_of(size_average, reduce, reduction)
    return call(_multilabel_soft[reduction], (input, target, weight), (("reduction", reduction),))


# ---------------------------------------------------------------- classes
def _multi_margin(xp, x, target, weight, margin, *, p, reduction):
    rows = x.reshape((-1, x.shape[-1]))
    t = target.reshape((-1, 1))
    z = margin - xp.take_along_axis(rows, t, 1) + rows
    z = xp.where(z > 0, z, xp.zeros((), x.dtype))
    z = z if p == 1 else z * z
    if weight is not None:
        z = z * weight[t]
    z = xp.where(np.arange(x.shape[-1])[None] == t, xp.zeros((), x.dtype), z)
    return reduced(xp, z.sum(1).reshape(target.shape) / x.shape[-1], reduction)


def _infer_multi_margin(x, target, weight, margin, *, p, reduction):
    _check_margin(x, target, multi=True)
    return sized(target.shape if reduction == "none" else (), x)


def _check_margin(x, target, multi: bool) -> None:
    rows = x.shape[0] if x.ndim > 1 else 1
    if x.ndim not in (1, 2) or x.shape[-1] == 0:
        raise RuntimeError(f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {shape_text(x.shape)}")
    if not multi and x.ndim == 1 and target.ndim == 0:
        return
    good = (
        (target.ndim <= 1 and target.numel == rows)
        if multi
        else (target.ndim <= 1 and target.numel == x.numel if x.ndim < 2 else tuple(target.shape) == tuple(x.shape))
    )
    if not good:
        raise RuntimeError(
            f"inconsistent target size, expected {rows} but got {shape_text(target.shape)}"
            if multi
            else f"inconsistent target size: {shape_text(target.shape)} for input of size: {shape_text(x.shape)}"
        )
    if target.dtype is not dt.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.legacy}")
    if x.dtype.category != FLOATING:
        raise not_implemented("multi_margin_loss_backward_cpu" if multi else "multilabel_margin_loss_forward_out_frame", x.dtype)


def _outside(xp, x, target, *rest, **static):
    if 0 in target.shape:
        return np.int64(0)
    return xp.where(((target < 0) | (target >= x.shape[-1])).any(), 1, 0)


multi_margin_op = Op(
    "multi_margin_loss",
    _multi_margin,
    computed(_infer_multi_margin),
    grad="MultiMarginLossBackward0",
    saves=(0, 1),
    check=_outside,
    checked=(1,),
    complain=lambda code, argtypes, static: RuntimeError("target out of range"),
)


@public("nn.functional.multi_margin_loss", method=False)
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The sum over wrong classes of max(0, margin - x[target] + x[j])^p, over the number of classes. Raises ValueError for a bad `p`."""
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight._spec.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    reduction = reduction_of(size_average, reduce, reduction)
    if input._spec.ndim == 0:
        input = METHODS["unsqueeze"](input, 0)
    return call(multi_margin_op, (input, target, weight, float(margin)), (("p", int(p)), ("reduction", reduction)))


def _multilabel_margin(xp, x, target, *, reduction):
    """Targets of a row are its classes up to the first -1."""
    rows, t = x.reshape((-1, x.shape[-1])), target.reshape((-1, x.shape[-1]))
    valid = xp.cumsum((t < 0).astype(np.int64), 1) == 0
    safe = xp.where(valid, t, xp.zeros((), t.dtype))
    classes = np.arange(x.shape[-1])
    is_target = (valid[:, :, None] & (safe[:, :, None] == classes)).any(1)
    z = 1 - xp.take_along_axis(rows, safe, 1)[:, :, None] + rows[:, None, :]
    z = xp.where((z > 0) & valid[:, :, None] & ~is_target[:, None, :], z, xp.zeros((), x.dtype))
    return reduced(xp, z.sum((1, 2)).reshape(x.shape[:-1]) / x.shape[-1], reduction)


def _infer_multilabel(x, target, *, reduction):
    _check_margin(x, target, multi=False)
    return sized(x.shape[:-1] if reduction == "none" else (), x)


multilabel_op = Op("multilabel_margin_loss", _multilabel_margin, computed(_infer_multilabel), grad="MultilabelMarginLossBackward0", saves=(0, 1))


@public("nn.functional.multilabel_margin_loss", method=False)
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The sum over targets k and other classes j of max(0, 1 - (x[k] - x[j])), over the number of classes."""
    if input._spec.ndim == 0:
        input, target = METHODS["unsqueeze"](input, 0), METHODS["reshape"](target, 1)
    return call(multilabel_op, (input, target), (("reduction", reduction_of(size_average, reduce, reduction)),))


# ---------------------------------------------------------------- pairs and triples
def _cosine_loss(xp, a, b, t, margin, *, reduction):
    if a.dtype.kind in "iub":
        a, b = a.astype(np.float32), b.astype(np.float32)
    dot = (a * b).sum(-1)
    size = xp.sqrt(((a * a).sum(-1) + 1e-12) * ((b * b).sum(-1) + 1e-12))
    cosine = dot / size
    zero = xp.zeros((), cosine.dtype)
    return reduced(xp, xp.where(t == 1, 1 - cosine, zero) + xp.where(t == -1, _positive(xp, cosine - margin), zero), reduction)


def _infer_cosine_loss(a, b, t, margin, *, reduction):
    shape = broadcast_shapes([a.shape, b.shape])[:-1]
    shape = broadcast_shapes([shape, t.shape])
    d = promote_types(a.dtype, b.dtype)
    return sized(shape if reduction == "none" else (), a, d if d.category >= FLOATING else dt.get_default_dtype())


_COSINE_LOSS = {
    r: Op(f"cosine_embedding_loss {r}", _cosine_loss, computed(_infer_cosine_loss), grad=n, saves=(0, 1))
    for r, n in by_reduction("AddBackward0").items()
}


@public("nn.functional.cosine_embedding_loss", method=False, also=("cosine_embedding_loss",))
def cosine_embedding_loss(input1, input2, target, margin=0.0, size_average=None, reduce=None, reduction="mean"):
    """1 - cosine where target is 1, max(0, cosine - margin) where it is -1. Raises RuntimeError for shapes that do not fit."""
    a, b, t = input1._spec, input2._spec, target._spec
    if t.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if t.ndim == 1 and (a.ndim != 2 or b.ndim != 2):
        raise RuntimeError(f"1D target tensor expects 2D input tensors, but found inputs with sizes {shape_text(a.shape)} and {shape_text(b.shape)}.")
    if t.ndim == 0 and (a.ndim != 1 or b.ndim != 1):
        raise RuntimeError(f"0D target tensor expects 1D input tensors, but found inputs with sizes {shape_text(a.shape)} and {shape_text(b.shape)}.")
    reduction = reduction_of(size_average, reduce, reduction)
    return call(_COSINE_LOSS[reduction], (input1, input2, target, float(margin)), (("reduction", reduction),))


def _triplet(xp, a, pos, neg, margin, eps, *, p, swap, reduction):
    near, far = _norm_along(xp, a - pos + eps, p, -1, False), _norm_along(xp, a - neg + eps, p, -1, False)
    if swap:
        other = _norm_along(xp, pos - neg + eps, p, -1, False)
        far = xp.minimum(far, other)
    return reduced(xp, _positive(xp, margin + near - far), reduction)


def _infer_triplet(a, pos, neg, margin, eps, *, p, swap, reduction):
    shape = broadcast_shapes([a.shape, pos.shape, neg.shape])[:-1]
    return sized(shape if reduction == "none" else (), a, _real(a, pos, neg))


_TRIPLET = {
    r: Op(f"triplet_margin_loss {r}", _triplet, computed(_infer_triplet), grad=n, saves=(0, 1, 2))
    for r, n in by_reduction("ClampMinBackward0").items()
}


@public("nn.functional.triplet_margin_loss", method=False, also=("triplet_margin_loss",))
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-06, swap=False, size_average=None, reduce=None, reduction="mean"):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), d the p-norm distance; `swap` takes the nearer of two negatives' distances."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    a, b, c = anchor._spec, positive._spec, negative._spec
    if not a.ndim == b.ndim == c.ndim:
        raise RuntimeError(
            f"The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor {a.ndim}D, "
            f"positive {b.ndim}D, and negative {c.ndim}D inputs"
        )
    reduction = reduction_of(size_average, reduce, reduction)
    return call(
        _TRIPLET[reduction], (anchor, positive, negative, float(margin), eps), (("p", float(p)), ("swap", bool(swap)), ("reduction", reduction))
    )


@public("nn.functional.triplet_margin_with_distance_loss", method=False)
def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
    """triplet_margin_loss with a distance of the caller's."""
    reduction = reduction_of(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or pairwise_distance
    dims = [t._spec.ndim for t in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = METHODS["minimum"](far, distance(positive, negative))
    each = METHODS["clamp_min"](margin + near - far, 0)
    return each if reduction == "none" else METHODS[reduction](each)


__all__ = ["cosine_similarity", "pairwise_distance", "triplet_margin_loss"]
