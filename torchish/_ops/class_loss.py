"""Losses of class targets: nll_loss, cross_entropy (indices or probabilities), and ctc_loss.

cross_entropy records two nodes, as torch does: LogSoftmax and NllLoss. Targets out of range raise at the call where they are known on the
host, else at the next read.
"""

from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .activation import log_softmax_op, softmax_along
from .loss import reduction_of
from .nn_common import FLOATING, computed, not_implemented, sized
from .shared import shape_text
from .variants import METHODS, public


# ---------------------------------------------------------------- nll
def _channels(x) -> int:
    """The class dimension: 1, or 0 of a single sample."""
    return 1 if x.ndim > 1 else 0


def _kept(xp, target, ignore):
    """(targets with ignored ones replaced by class 0, mask of those that count)."""
    keep = target != ignore
    return xp.where(keep, target, xp.zeros((), target.dtype)), keep


def _weights(xp, x, target, weight, ignore):
    """(safe targets, each target's weight, 0 where ignored)."""
    safe, keep = _kept(xp, target, ignore)
    each = keep.astype(x.dtype) if weight is None else xp.where(keep, weight[safe].astype(x.dtype), xp.zeros((), x.dtype))
    return safe, each


def _nll_each(xp, x, target, weight, ignore):
    """(losses, weights) of the samples, both 0 where ignored."""
    axis = _channels(x)
    safe, each = _weights(xp, x, target, weight, ignore)
    picked = xp.take_along_axis(x, xp.expand_dims(safe, axis), axis).reshape(target.shape)
    return xp.where(target != ignore, -picked * each, xp.zeros((), x.dtype)), each


def _nll_body(xp, x, target, weight, ignore, *, reduction):
    losses, each = _nll_each(xp, x, target, weight, ignore)
    if reduction == "none":
        return losses
    return losses.sum() / each.sum() if reduction == "mean" else losses.sum()


def _nll_rule(xp, g, out, x, target, weight, ignore, *, reduction):
    """Only the targets' classes get a gradient; those of ignored samples get 0, even where the mean is one of nothing."""
    axis = _channels(x)
    safe, each = _weights(xp, x, target, weight, ignore)
    scale = -g / each.sum() * each if reduction == "mean" else -g * each
    classes = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    chosen = (xp.expand_dims(safe, axis) == classes) & xp.expand_dims(target != ignore, axis)
    return xp.where(chosen, xp.expand_dims(scale, axis), xp.zeros((), g.dtype))


def _nll_check(xp, x, target, weight, ignore, *, reduction):
    if 0 in target.shape:
        return np.int64(0)
    classes = x.shape[_channels(x)]
    flat = target.reshape(-1)
    if xp is np and 0 <= flat.min() and flat.max() < classes:
        return 0
    bad = ((flat < 0) | (flat >= classes)) & (flat != ignore)
    return xp.where(bad.any(), flat[xp.argmax(bad)].astype(np.int64) + _SHIFT, 0)


_SHIFT = 1 << 40  # moves a bad target's value away from 0, which says that all is well


def _nll_complain(code: int, argtypes: tuple, static: dict) -> Exception:
    return IndexError(f"Target {code - _SHIFT} is out of bounds.")


def _infer_nll(x, target, weight, ignore, *, reduction):
    spatial = x.ndim > 2
    if spatial:
        _check_spatial(x, target, weight)
    else:
        _check_flat(x, target, weight)
    if target.dtype not in (dt.int64, dt.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype.legacy}")
    if spatial and target.dtype is dt.uint8:
        raise RuntimeError("expected scalar type Long but found Byte")
    if x.dtype.category != FLOATING:
        raise not_implemented("nll_loss_out_frame" if x.ndim < 3 else "nll_loss2d_forward_out_frame", x.dtype)
    if hasattr(weight, "dtype") and weight.dtype is not x.dtype:
        raise RuntimeError(f"expected scalar type {x.dtype.legacy} but found {weight.dtype.legacy}")
    return sized(target.shape if reduction == "none" else (), x)


def _check_flat(x, target, weight) -> None:
    if x.ndim not in (1, 2):
        raise RuntimeError("input tensor should be 1D or 2D")
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not (x.ndim == 1 and target.ndim == 0) and x.shape[0] != (target.shape[0] if target.ndim else 1):
        raise RuntimeError(f"size mismatch (got input: {shape_text(x.shape)}, target: {shape_text(target.shape)})")
    classes = x.shape[-1]
    if hasattr(weight, "shape") and (weight.ndim != 1 or weight.numel != classes):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: "
            f"{shape_text(weight.shape)}"
        )


def _check_spatial(x, target, weight) -> None:
    if target.ndim != x.ndim - 1:
        raise RuntimeError(f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.ndim}")
    if tuple(x.shape[:1] + x.shape[2:]) != tuple(target.shape):
        raise RuntimeError(f"size mismatch (got input: {shape_text(x.shape)} , target: {shape_text(target.shape)}")
    if hasattr(weight, "shape") and weight.numel != x.shape[1]:
        raise RuntimeError("weight tensor should be defined either for all or no classes")


def _nll_op(name: str, grad: str) -> Op:
    return Op(
        name, _nll_body, computed(_infer_nll), grad=grad, saves=(0, 1), vjp=(_nll_rule,), check=_nll_check, checked=(1,), complain=_nll_complain
    )


nll_op, nll2d_op = _nll_op("nll_loss", "NllLossBackward0"), _nll_op("nll_loss2d", "NllLoss2DBackward0")


def _nll(input, target, weight, ignore_index: int, reduction: str):
    x, t = input._spec, target._spec
    if x.ndim > 2 or t.ndim > 1:
        if x.ndim and t.ndim and x.shape[0] != t.shape[0]:
            raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]}).")
        if x.ndim > 2 and (t.ndim != x.ndim - 1 or x.shape[2:] != t.shape[1:]) and x.ndim != 4:
            raise RuntimeError(f"Expected target size {shape_text((x.shape[0], *x.shape[2:]))}, got {shape_text(t.shape)}")
    elif x.ndim == 2 and t.ndim == 1 and x.shape[0] != t.shape[0]:
        raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]}).")
    elif x.ndim < 1:
        raise ValueError(f"Expected 1 or more dimensions (got {x.ndim})")
    return call(nll2d_op if x.ndim > 2 else nll_op, (input, target, weight, ignore_index), (("reduction", reduction),))


@public("nn.functional.nll_loss", method=False)
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-input[target] for log-probabilities (N, C, *) and int64 classes (N, *), weighted by class; the mean divides by the weights' sum.

    Raises IndexError for a class out of range, ValueError or RuntimeError where shapes or dtypes do not fit.
    """
    return _nll(input, target, weight, ignore_index, reduction_of(size_average, reduce, reduction))


# ---------------------------------------------------------------- cross entropy
def _by_class(x, weight):
    """Class weights, shaped to multiply `x`."""
    return weight.reshape((-1,) + (1,) * (x.ndim - _channels(x) - 1))


def _smooth_body(xp, x, target, weight, ignore, smoothing, *, reduction):
    """(1 - s) * nll + s / C * (the sum over classes of weighted -log p) (Szegedy et al., 2016, section 7)."""
    axis = _channels(x)
    nll, each = _nll_each(xp, x, target, weight, ignore)
    keep = target != ignore
    every = x if weight is None else x * _by_class(x, weight)
    smooth = xp.where(keep, -every.sum(axis), xp.zeros((), x.dtype))
    if reduction == "mean":
        nll, smooth = nll.sum() / each.sum(), smooth.sum() / _counted(xp, keep, each, weight, x.dtype)
    elif reduction == "sum":
        nll, smooth = nll.sum(), smooth.sum()
    return (1 - smoothing) * nll + smoothing / x.shape[axis] * smooth


def _counted(xp, keep, each, weight, d):
    """What the mean of the smooth part divides by: how many samples count, or their weights' sum."""
    return keep.sum().astype(d) if weight is None else each.sum()


def _smooth_rule(xp, g, out, x, target, weight, ignore, smoothing, *, reduction):
    axis, keep = _channels(x), target != ignore
    nll = _nll_rule(xp, g * (1 - smoothing), out, x, target, weight, ignore, reduction=reduction)
    share = g * (smoothing / x.shape[axis])
    if reduction == "mean":
        share = share / _counted(xp, keep, _weights(xp, x, target, weight, ignore)[1], weight, x.dtype)
    share = -xp.expand_dims(xp.where(keep, share, xp.zeros((), g.dtype)), axis)
    return nll + xp.broadcast_to(share if weight is None else share * _by_class(x, weight), x.shape)


smooth_op = Op(
    "cross_entropy smoothed",
    _smooth_body,
    computed(lambda x, target, weight, ignore, smoothing, *, reduction: _infer_nll(x, target, weight, ignore, reduction=reduction)),
    grad="AddBackward0",
    saves=(0, 1),
    vjp=(_smooth_rule, None),
    check=lambda xp, x, target, weight, ignore, smoothing, *, reduction: _nll_check(xp, x, target, weight, ignore, reduction=reduction),
    checked=(1,),
    complain=_nll_complain,
)


def _soft_body(xp, x, target, weight, smoothing, *, reduction):
    axis = _channels(x)
    target = target * (1 - smoothing) + smoothing / x.shape[axis]
    if weight is not None:
        x = x * _by_class(x, weight)
    losses = -(x * target).sum(axis)
    if reduction == "none":
        return losses
    return losses.sum() / (x.size // x.shape[axis]) if reduction == "mean" else losses.sum()


def _soft_rule(xp, g, out, x, target, weight, smoothing, *, reduction):
    axis = _channels(x)
    slope = -(target * (1 - smoothing) + smoothing / x.shape[axis])
    if weight is not None:
        slope = slope * _by_class(x, weight)
    return slope * (xp.expand_dims(g, axis) if reduction == "none" else g / (x.size // x.shape[axis]) if reduction == "mean" else g)


def _infer_soft(x, target, weight, smoothing, *, reduction):
    axis = _channels(x)
    shape = tuple(x.shape[:axis]) + tuple(x.shape[axis + 1 :])
    return sized(shape if reduction == "none" else (), x)


_SOFT = {
    r: Op(f"cross_entropy of probabilities {r}", _soft_body, computed(_infer_soft), grad=n, saves=(0, 1), vjp=(_soft_rule, None))
    for r, n in (("none", "NegBackward0"), ("sum", "NegBackward0"), ("mean", "DivBackward1"))
}


@public("nn.functional.cross_entropy", method=False)
def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
    """nll_loss(log_softmax(input), target); a target of input's shape holds class probabilities. Raises as nll_loss, and RuntimeError for
    label_smoothing outside [0, 1]."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    x, t = input._spec, target._spec
    if x.ndim == 0:
        raise RuntimeError("Dimension specified as 0 but tensor has no dimensions")
    axis = 1 if x.ndim > 1 else 0
    if x.shape == t.shape and t.dtype.category == FLOATING:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        logs = softmax_along(log_softmax_op, input, axis)
        return call(_SOFT[reduction], (logs, target, weight, float(label_smoothing)), (("reduction", reduction),))
    if x.shape == t.shape and x.ndim:
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {t.dtype.legacy}")
    logs = softmax_along(log_softmax_op, input, axis)
    if label_smoothing == 0.0:
        return _nll(logs, target, weight, ignore_index, reduction)
    return call(smooth_op, (logs, target, weight, ignore_index, float(label_smoothing)), (("reduction", reduction),))


# ---------------------------------------------------------------- ctc
def _ctc_body(xp, logs, targets, input_lengths, target_lengths, blank, *, zero_infinity):
    """The negative log-likelihood of each sample, by the forward recursion over the label sequence with blanks between (Graves et al., 2006)."""
    time, batch, _ = logs.shape
    labels = targets.shape[1]
    states = 2 * labels + 1
    extended = xp.full((batch, states), blank, targets.dtype).at[:, 1::2].set(targets)
    impossible = xp.asarray(-1e30, logs.dtype)
    emitted = xp.take_along_axis(logs, xp.broadcast_to(extended[None], (time, batch, states)), 2)
    skip = xp.concatenate([xp.zeros((batch, 2), bool), (extended[:, 2:] != extended[:, :-2]) & (extended[:, 2:] != blank)], 1)[:, :states]
    start = xp.arange(states)[None] < xp.minimum(2, 2 * target_lengths[:, None] + 1)
    alpha = xp.where(start, emitted[0], impossible)

    def shifted(a, n):
        return xp.concatenate([xp.broadcast_to(impossible, (batch, min(n, states))), a[:, : max(states - n, 0)]], 1)

    def step(alpha, now):
        emission, t = now
        sources = xp.stack([alpha, shifted(alpha, 1), xp.where(skip, shifted(alpha, 2), impossible)])
        top = sources.max(0)
        fresh = top + xp.log(xp.exp(sources - top).sum(0)) + emission
        return xp.where((t < input_lengths)[:, None], fresh, alpha), None

    alpha, _ = jax.lax.scan(step, alpha, (emitted[1:], xp.arange(1, time)))
    last = 2 * target_lengths[:, None]
    ends = xp.stack(
        [
            xp.take_along_axis(alpha, last, 1)[:, 0],
            xp.where(target_lengths > 0, xp.take_along_axis(alpha, xp.maximum(last - 1, 0), 1)[:, 0], impossible),
        ]
    )
    top = ends.max(0)
    made = -(top + xp.log(xp.exp(ends - top).sum(0)))
    made = xp.where(input_lengths == 0, xp.where(target_lengths == 0, xp.zeros((), logs.dtype), -impossible), made)
    # torch's gradient is that of log_softmax and the loss together: it has exp(logs) more than the loss alone
    counted = xp.where((np.arange(time)[:, None] < input_lengths)[:, :, None], xp.exp(logs), xp.zeros((), logs.dtype)).sum((0, 2))
    made = made + counted - jax.lax.stop_gradient(counted)
    return xp.where(made > 1e29, xp.asarray(0 if zero_infinity else np.inf, logs.dtype), made)


ctc_op = Op(
    "ctc_loss",
    _ctc_body,
    computed(lambda logs, targets, *rest, **static: sized(logs.shape[1:2], logs)),
    grad="CtcLossBackward0",
    saves=(0, 1),
    numpy=False,
)


def _padded_targets(targets, lengths: list, batch: int):
    """Targets as (N, S); torch also takes them joined in one row."""
    host = targets._host("ctc targets")
    if host.ndim == 2:
        return host
    longest = max(lengths, default=0)
    made = np.zeros((batch, max(longest, 1)), host.dtype)
    at = 0
    for i, n in enumerate(lengths):
        made[i, :n] = host[at : at + n]
        at += n
    return made


def _lengths(value) -> list:
    return [int(v) for v in (value._host("ctc lengths").reshape(-1) if hasattr(value, "_spec") else value)]


@public("nn.functional.ctc_loss", method=False)
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """The negative log-likelihood of label sequences (N, S) under log-probabilities (T, N, C). Lengths and targets are read at the call.

    "mean" divides each sample by its target length. Raises RuntimeError for lengths or labels that do not fit.
    """
    reduction = reduction_of(None, None, reduction)
    single = log_probs._spec.ndim == 2
    if single:
        log_probs = METHODS["unsqueeze"](log_probs, 1)
    time, batch, classes = log_probs._spec.shape
    inputs, lengths = _lengths(input_lengths), _lengths(target_lengths)
    _check_ctc(time, batch, classes, inputs, lengths, blank)
    rows = _padded_targets(METHODS["unsqueeze"](targets, 0) if single and targets._spec.ndim == 1 else targets, lengths, batch)
    device = {"device": log_probs._spec.device}

    def tensor(values):
        return METHODS["new_tensor"](log_probs, np.asarray(values), dtype=dt.int64, **device)

    each = call(ctc_op, (log_probs, tensor(rows), tensor(inputs), tensor(lengths), blank), (("zero_infinity", bool(zero_infinity)),))
    if reduction == "mean":
        made = METHODS["mean"](METHODS["div"](each, METHODS["to"](tensor([max(n, 1) for n in lengths]), each._spec.dtype)))
    else:
        made = METHODS["sum"](each) if reduction == "sum" else each
    return METHODS["squeeze"](made, 0) if single and reduction == "none" else made


def _check_ctc(time: int, batch: int, classes: int, inputs: list, lengths: list, blank: int) -> None:
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if len(inputs) != batch:
        raise RuntimeError("input_lengths must be of size batch_size")
    if len(lengths) != batch:
        raise RuntimeError("target_lengths must be of size batch_size")
    for n in inputs:
        if n < 0 or n > time:
            raise RuntimeError(f"Expected input_lengths to have value at most {time}, but got value {n} (while checking arguments for ctc_loss_cpu)")


__all__ = ["cross_entropy", "ctc_loss", "nll_loss"]
