"""Element-wise losses of an input and a target, with their reductions: one op each, reduction included.

Losses of class targets are in class_loss.py, losses of pairs and triples in margin_loss.py.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .._core.spec import Spec
from .._promotion import promote_types
from .declare import broadcast_shapes
from .layout import elementwise_strides
from .nn_common import FLOATING, computed, not_implemented, sigmoid, sized, softplus
from .shared import summed
from .variants import METHODS, public


# ---------------------------------------------------------------- reductions
def reduction_of(size_average, reduce, reduction: str) -> str:
    """The reduction that torch's old flags stand for, where they are given. Raises ValueError for an unknown name."""
    if size_average is not None or reduce is not None:
        size_average, reduce = size_average is None or size_average, reduce is None or reduce
        reduction = "none" if not reduce else "mean" if size_average else "sum"
        warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.", stacklevel=3)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(xp, each, reduction: str):
    """Apply a reduction to the losses of all elements."""
    if reduction == "none":
        return each
    total = summed(xp, each)
    return total if reduction == "sum" else total / each.size


def spread(xp, g, shape: tuple, reduction: str):
    """The cotangent of each element's loss."""
    if reduction == "none":
        return g
    n = 1
    for s in shape:
        n *= s
    return xp.broadcast_to(g / n if reduction == "mean" else g, shape)


def infer_pointwise(kernel: str):
    """Shape rule: operands broadcast and promote; integers raise as torch's kernel does."""

    def infer(*specs, reduction):
        tensors = [s for s in specs if isinstance(s, Spec)]
        d = tensors[0].dtype
        for s in tensors[1:]:
            d = promote_types(d, s.dtype)
        shape = broadcast_shapes([s.shape for s in tensors])
        if d.category < FLOATING and float in specs and not kernel:
            d = dt.get_default_dtype()
        if d.category < FLOATING or (d.category == dt.COMPLEX and kernel):
            raise not_implemented(kernel or "mean_cpu", d)
        return sized(shape if reduction == "none" else (), tensors[0], d)

    return infer


def _layout(spec, args) -> tuple:
    """Strides of the losses of single elements."""
    return elementwise_strides(spec, args) if spec.ndim == args[0]._spec.ndim else spec.strides


def pointwise(name: str, grad, body: Callable, slopes: tuple = (), kernel: str = "", saves: tuple = (0, 1), **more) -> Callable:
    """Declare a loss `body(xp, *operands)` with a reduction. `slopes[i](xp, *operands)` is its derivative in operand i (None: JAX's).

    `grad` is the node's name, or {reduction: name}. Returns `record(operands, reduction)`.
    """

    def reducing(xp, *operands, reduction):
        return reduced(xp, body(xp, *operands), reduction)

    def rule(slope):
        def apply(xp, g, out, *operands, reduction):
            d = slope(xp, *operands)
            return spread(xp, g, np.broadcast_shapes(*(np.shape(o) for o in operands if o is not None)), reduction) * d

        return apply

    rules = tuple(None if s is None else rule(s) for s in slopes) or None
    names = grad if isinstance(grad, dict) else {"": grad}
    ops = {
        r: Op(f"{name} {r}".strip(), reducing, computed(infer_pointwise(kernel)), grad=n, saves=saves, vjp=rules, layout=_layout, **more)
        for r, n in names.items()
    }

    def record(operands: tuple, reduction: str):
        return call(ops.get(reduction) or ops[""], operands, (("reduction", reduction),))

    return record


def by_reduction(none: str) -> dict:
    """Node names of a loss that torch composes of element-wise ops ending in `none`, then a reduction."""
    return {"none": none, "mean": "MeanBackward0", "sum": "SumBackward0"}


def _warn_sizes(input, target) -> None:
    if input._spec.shape != target._spec.shape:
        warnings.warn(
            f"Using a target size ({target._spec.shape!r}) that is different to the input size ({input._spec.shape!r}). This will likely lead to "
            "incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


# ---------------------------------------------------------------- regression
def _square(xp, x, t):
    d = x - t
    return d * d


_mse = pointwise("mse_loss", "MseLossBackward0", _square, (lambda xp, x, t: 2 * (x - t), lambda xp, x, t: 2 * (t - x)), "mse_cpu")


def _exchanged(slope: Callable) -> Callable:
    """The derivative in the target of a loss that is symmetric in both."""
    return lambda xp, x, t, *numbers: slope(xp, t, x, *numbers)


def _smooth(xp, x, t, beta):
    d = xp.abs(x - t)
    return xp.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)


def _smooth_slope(xp, x, t, beta):
    d = x - t
    return xp.where(d <= -beta, -1, xp.where(d >= beta, 1, d / beta)).astype(d.dtype)


def _huber(xp, x, t, delta):
    d = xp.abs(x - t)
    return xp.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))


def _huber_slope(xp, x, t, delta):
    d = x - t
    return xp.where(d <= -delta, -delta, xp.where(d >= delta, delta, d)).astype(d.dtype)


_smooth_l1 = pointwise("smooth_l1_loss", "SmoothL1LossBackward0", _smooth, (_smooth_slope, _exchanged(_smooth_slope), None), "smooth_l1_cpu")
_huber_loss = pointwise("huber_loss", "HuberLossBackward0", _huber, (_huber_slope, _exchanged(_huber_slope), None), "huber_cpu")


def _weighted(plain, input, target, weight, reduction: str):
    """A weighted loss: the mean divides by the sum of the weights."""
    if weight._spec.shape != input._spec.shape:
        raise ValueError("Weights and input must have the same size.")
    each = METHODS["mul"](plain((input, target), "none"), weight)
    if reduction == "none":
        return each
    total = METHODS["sum"](each)
    return total if reduction == "sum" else METHODS["div"](total, METHODS["sum"](weight))


@public("nn.functional.mse_loss", method=False)
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)^2, reduced. Warns where the sizes differ."""
    _warn_sizes(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    return _mse((input, target), reduction) if weight is None else _weighted(_mse, input, target, weight, reduction)


@public("nn.functional.l1_loss", method=False)
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|, reduced; derivative 0 at 0. Warns where the sizes differ."""
    _warn_sizes(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    return _l1((input, target), reduction) if weight is None else _weighted(_l1, input, target, weight, reduction)


def _l1(operands: tuple, reduction: str):
    each = METHODS["abs"](METHODS["sub"](*operands))
    return each if reduction == "none" else METHODS[reduction](each)


@public("nn.functional.smooth_l1_loss", method=False)
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squares below `beta`, absolute values above, joined smoothly. Raises RuntimeError for a negative beta."""
    _warn_sizes(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    if beta == 0.0:
        return _l1((input, target), reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return _smooth_l1((input, target, beta), reduction)


@public("nn.functional.huber_loss", method=False)
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Half squares up to `delta`, then a line of that slope. Raises RuntimeError unless delta > 0."""
    _warn_sizes(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    reduction = reduction_of(None, None, reduction)
    if weight is None:
        return _huber_loss((input, target, delta), reduction)
    return _weighted(lambda pair, r: _huber_loss((*pair, delta), r), input, target, weight, reduction)


# ---------------------------------------------------------------- probabilities
def _log(xp, x):
    return xp.maximum(xp.log(x), -100)


def _bce_body(xp, x, t, w):
    made = -(t * _log(xp, x) + (1 - t) * xp.maximum(xp.log1p(-x), -100))
    return made if w is None else made * w


def _bce_slope(xp, x, t, w):
    made = (x - t) / xp.maximum(x * (1 - x), 1e-12)
    return made if w is None else made * w


def _bce_target(xp, x, t, w):
    made = -(xp.log(x) - xp.log1p(-x))  # torch bounds the logarithms of the loss only
    return made if w is None else made * w


def _outside_unit(xp, x, t, w, *, reduction):
    return xp.where(((x < 0) | (x > 1)).any(), 1, 0)


_bce = pointwise(
    "binary_cross_entropy",
    "BinaryCrossEntropyBackward0",
    _bce_body,
    (_bce_slope, _bce_target, None),
    "binary_cross_entropy",
    check=_outside_unit,
    checked=(0,),
    complain=lambda code, argtypes, static: RuntimeError("all elements of input should be between 0 and 1"),
)


def _logits_body(xp, x, t, w, pos):
    tail = softplus(xp, -x)
    made = (1 - t) * x + (tail if pos is None else ((pos - 1) * t + 1) * tail)
    return made if w is None else made * w


def _logits_slope(xp, x, t, w, pos):
    s = sigmoid(xp, x)
    made = s - t if pos is None else (pos * t + 1 - t) * s - pos * t
    return made if w is None else made * w


def _logits_target(xp, x, t, w, pos):
    made = -x if pos is None else (pos - 1) * softplus(xp, -x) - x
    return made if w is None else made * w


_bce_logits = pointwise(
    "binary_cross_entropy_with_logits", "BinaryCrossEntropyWithLogitsBackward0", _logits_body, (_logits_slope, _logits_target, None)
)


@public("nn.functional.binary_cross_entropy", method=False)
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(t log x + (1 - t) log(1 - x)), logs not below -100. Raises ValueError for unequal sizes, RuntimeError for x outside [0, 1]."""
    if target._spec.shape != input._spec.shape:
        raise ValueError(
            f"Using a target size ({target._spec.shape!r}) that is different to the input size ({input._spec.shape!r}) is deprecated. "
            "Please ensure they have the same size."
        )
    if target._spec.dtype is not input._spec.dtype:
        raise RuntimeError(f"Found dtype {target._spec.dtype.legacy} but expected {input._spec.dtype.legacy}")
    return _bce((input, target, weight), reduction_of(size_average, reduce, reduction))


@public("nn.functional.binary_cross_entropy_with_logits", method=False)
def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
    """binary_cross_entropy of sigmoid(input), without overflow. Raises ValueError for unequal sizes."""
    if target._spec.shape != input._spec.shape:
        raise ValueError(f"Target size ({target._spec.shape!r}) must be the same as input size ({input._spec.shape!r})")
    return _bce_logits((input, target, weight, pos_weight), reduction_of(size_average, reduce, reduction))


def _kl_body(xp, x, t):
    safe = xp.where(t > 0, t, xp.ones((), t.dtype))
    return xp.where(t < 0, xp.asarray(np.nan, t.dtype), xp.where(t > 0, t * xp.log(safe), xp.zeros((), t.dtype))) - t * x


def _kl_target(xp, x, t):
    """log t + t / t - x: torch's, by way of xlogy, is NaN at 0."""
    return xp.where(t == 0, xp.zeros((), t.dtype), xp.log(t)) + t / t - x


_kl = pointwise("kl_div", by_reduction("SubBackward0"), _kl_body, (lambda xp, x, t: -t, _kl_target))
_kl_log = pointwise("kl_div of logs", by_reduction("MulBackward0"), lambda xp, x, t: xp.exp(t) * (t - x), (lambda xp, x, t: -xp.exp(t), None))


@public("nn.functional.kl_div", method=False)
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target * (log(target) - input), with input (and, by `log_target`, target) in logs. "batchmean" divides the sum by the batch size."""
    loss = _kl_log if log_target else _kl
    if reduction == "batchmean" and size_average is None and reduce is None:
        total = loss((input, target), "sum")
        return METHODS["div"](total, input._spec.shape[0]) if input._spec.ndim else total
    reduction = reduction_of(size_average, reduce, reduction)
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the batch size, "
            "and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    return loss((input, target), reduction)


def _poisson(log_input: bool, full: bool):
    def body(xp, x, t, eps):
        made = xp.exp(x) - t * x if log_input else x - t * xp.log(x + eps)
        if full:
            safe = xp.where(t > 1, t, xp.ones((), t.dtype))
            made = made + xp.where(t > 1, safe * xp.log(safe) - safe + 0.5 * xp.log(2 * math.pi * safe), xp.zeros((), t.dtype))
        return made

    def slope(xp, x, t, eps):
        return xp.exp(x) - t if log_input else 1 - t / (x + eps)

    last = "AddBackward0" if full else "SubBackward0"
    return pointwise(f"poisson_nll_loss {log_input} {full}", by_reduction(last), body, (slope, None))


_POISSON = {(a, b): _poisson(a, b) for a in (True, False) for b in (True, False)}


@public("nn.functional.poisson_nll_loss", method=False)
def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction="mean"):
    """exp(x) - t x (or x - t log(x + eps)); `full` adds Stirling's term for t > 1."""
    reduction = reduction_of(size_average, reduce, reduction)
    made = _POISSON[bool(log_input), bool(full)]((input, target, eps), reduction)
    if full and reduction == "none":
        made._bump()  # torch adds the term in place
    return made


def _gaussian(full: bool):
    def body(xp, x, t, var, eps):
        var = xp.maximum(var, eps)
        made = 0.5 * (xp.log(var) + (x - t) ** 2 / var)
        return made + 0.5 * math.log(2 * math.pi) if full else made

    return body


def _gaussian_x(xp, x, t, var, eps):
    return (x - t) / xp.maximum(var, eps)


def _gaussian_var(xp, x, t, var, eps):
    v = xp.maximum(var, eps)  # torch clamps var outside the graph: the derivative passes the clamp
    return 0.5 * (1 / v - (x - t) ** 2 / (v * v))


_GAUSSIAN = {
    f: pointwise(
        f"gaussian_nll_loss {f}",
        by_reduction("AddBackward0" if f else "MulBackward0"),
        _gaussian(f),
        (_gaussian_x, lambda *a: -_gaussian_x(*a), _gaussian_var, None),
        check=lambda xp, x, t, var, eps, *, reduction: xp.where((var < 0).any(), 1, 0),
        checked=(2,),
        complain=lambda code, argtypes, static: ValueError("var has negative entry/entries"),
    )
    for f in (True, False)
}


@public("nn.functional.gaussian_nll_loss", method=False)
def gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction="mean"):
    """0.5 (log var + (input - target)^2 / var), var not below eps. Raises ValueError for sizes or variances that do not fit."""
    if not hasattr(var, "_spec"):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = METHODS["new_full"](input, tuple(input._spec.shape), var)
    x, v = input._spec, var._spec
    if v.shape != x.shape:
        if x.shape[:-1] == v.shape:
            var = METHODS["unsqueeze"](var, -1)
        elif v.ndim != x.ndim or any(n not in (1, m) for m, n in zip(x.shape, v.shape)):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return _GAUSSIAN[bool(full)]((input, target, var, eps), reduction)


def _soft_margin_slope(xp, x, t):
    z = xp.exp(-t * x)
    return -t * z / (1 + z)  # NaN where z overflows, as in torch


_soft_margin = pointwise(
    "soft_margin_loss", "SoftMarginLossBackward0", lambda xp, x, t: softplus(xp, -t * x), (_soft_margin_slope, None)
)


@public("nn.functional.soft_margin_loss", method=False)
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * input)), targets 1 or -1."""
    return _soft_margin((input, target), reduction_of(size_average, reduce, reduction))


__all__ = ["by_reduction", "pointwise", "reduced", "reduction_of", "spread"]
