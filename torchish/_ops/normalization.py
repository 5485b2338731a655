"""Normalisation: batch, layer, group, instance, RMS, local response and `normalize`.

Statistics are computed inside the op; running statistics come out of the same op as new values, which the front writes back.
"""

from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import new_tensor
from .._core.op import Op
from .._core.record import call
from .._core.tape import state
from .._core.view import write
from .factory import constant_tensor
from .layout import suggested
from .nn_common import FLOATING, HALVES, computed, ntuple, require_float, sized
from .rounding import exact, fused, in_double, lanes, rounded_product
from .shared import shape_text, summed, wrap_dim
from .variants import METHODS, public


def _along(v, ndim: int, axis: int = 1):
    """A vector of channels, shaped to broadcast along `axis`."""
    return v.reshape((1,) * axis + (-1,) + (1,) * (ndim - axis - 1))


def _affine(xp, x, w, b, axis: int = 1):
    if w is not None:
        x = x * _along(w, x.ndim, axis)
    return x if b is None else x + _along(b, x.ndim, axis)


def _centred(x, axes: tuple):
    """(x minus its mean, biased variance, mean) over `axes`."""
    mean = x.mean(axes, keepdims=True)
    centred = x - mean
    return centred, (centred * centred).mean(axes, keepdims=True), mean


def _pulled(normed, inv, g, axes: tuple):
    """The cotangent of x in normed = (x - mean) * inv, with mean and variance taken over `axes` (Ioffe and Szegedy, 2015, section 3)."""
    return inv * (g - g.mean(axes, keepdims=True) - normed * (g * normed).mean(axes, keepdims=True))


def _count(x, axes: tuple) -> int:
    return int(np.prod([x.shape[a] for a in axes])) if axes else 1


# ---------------------------------------------------------------- batch norm
def _over_batch(x) -> tuple:
    return (0, *range(2, x.ndim))


def _moments(xp, x):
    """(mean, biased variance) of each channel. Small batches round as torch's do, see rounding.py."""
    axes, n = _over_batch(x), _count(x, _over_batch(x))
    if exact(xp, x) and x.ndim == 2 and n <= FEW_ROWS:
        return _moments_of_rows(xp, x, n)
    if not exact(xp, x):
        mean = x.mean(axes)
        centred = x - _along(mean, x.ndim)
        return mean, (centred * centred).mean(axes)
    mean = (x.sum(axes, dtype=np.float64) / n).astype(x.dtype)
    centred = x - _along(mean, x.ndim)
    return mean, (centred * centred).sum(axes, dtype=np.float64).astype(x.dtype) / x.dtype.type(n)


FEW_ROWS = 64


def _moments_of_rows(xp, x, n: int):
    total = x[0]
    for row in x[1:]:
        total = total + row
    mean = (total.astype(np.float64) / n).astype(x.dtype)
    return mean, _shared_out(xp, _products_of_rows(xp, x - mean, x - mean), n)


def _products_of_rows(xp, a, b):
    """The sums of a * b down the columns, one row after the other."""
    total = xp.zeros(a.shape[1:], a.dtype)
    for i in range(a.shape[0]):
        total = fused(xp, a[i], b[i], total)
    return total


def _inverse(xp, var, eps):
    """1 / sqrt(var + eps), for which torch goes to double; a variance and eps of 0 give 0, as torch has it."""
    total = (var.astype(np.float64) if exact(xp, var) else var) + eps
    return (1 / xp.sqrt(xp.where(total == 0, np.inf, total))).astype(var.dtype)


def _train_body(xp, x, w, b, mean, var, momentum, eps):
    m, biased = _moments(xp, x)
    scale = _inverse(xp, biased, eps)
    scale = scale if w is None else scale * w
    shift = -m * scale if b is None else fused(xp, -m, scale, b)
    out = fused(xp, x, _along(scale, x.ndim), _along(shift, x.ndim))
    n = _count(x, _over_batch(x))
    v = biased * (n / (n - 1) if n > 1 else np.nan)
    return out, m if mean is None else (1 - momentum) * mean + momentum * m, v if var is None else (1 - momentum) * var + momentum * v


def _train_parts(xp, x, g, eps):
    """(x minus its mean, 1 / deviation, sum of g * that difference, count); statistics shaped to broadcast with x."""
    m, biased = _moments(xp, x)
    inv, centred, n = _along(_inverse(xp, biased, eps), x.ndim), x - _along(m, x.ndim), _count(x, _over_batch(x))
    if exact(xp, x) and x.ndim == 2 and n <= FEW_ROWS:
        return centred, inv, _products_of_rows(xp, centred, g)[None], n
    return centred, inv, (centred * g).sum(_over_batch(x), keepdims=True), n


def _train_x(xp, g, out, x, w, b, mean, var, momentum, eps):
    centred, inv, product, n = _train_parts(xp, x, g[0], eps)
    steep = product * inv * inv / n
    made = (g[0] - summed(xp, g[0], _over_batch(x), True) / n - rounded_product(xp, centred, steep)) * inv
    return made if w is None else made * _along(w, x.ndim)


def _train_w(xp, g, out, x, w, b, mean, var, momentum, eps):
    _, inv, product, _ = _train_parts(xp, x, g[0], eps)
    return (product * inv).reshape(-1)


def _infer_train(x, w, b, mean, var, momentum, eps):
    require_float("batch_norm", x)
    _check_channels(x, w, b, mean, var)
    like_mean = mean if hasattr(mean, "dtype") else x
    like_var = var if hasattr(var, "dtype") else x
    return x, sized(x.shape[1:2], like_mean), sized(x.shape[1:2], like_var)


def _check_channels(x, w, b, mean, var) -> None:
    channels = x.shape[1] if x.ndim > 1 else 0
    for name, v in (("running_mean", mean), ("running_var", var), ("weight", w), ("bias", b)):
        if hasattr(v, "shape") and v.numel != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {v.numel}")


def _eval_inverse(xp, x, var, eps):
    return _along(1 / xp.sqrt(var + eps), x.ndim)


def _eval_body(xp, x, w, b, mean, var, eps):
    return _affine(xp, (x - _along(mean, x.ndim)) * _eval_inverse(xp, x, var, eps), w, b)


def _eval_x(xp, g, out, x, w, b, mean, var, eps):
    return (g if w is None else g * _along(w, x.ndim)) * _eval_inverse(xp, x, var, eps)


def _eval_w(xp, g, out, x, w, b, mean, var, eps):
    return (g * (x - _along(mean, x.ndim)) * _eval_inverse(xp, x, var, eps)).sum(_over_batch(x))


def _infer_eval(x, w, b, mean, var, eps):
    require_float("batch_norm", x)
    _check_channels(x, w, b, mean, var)
    return x


def _eval_op(name: str, grad: str) -> Op:
    return Op(
        name,
        _eval_body,
        computed(_infer_eval),
        grad=grad,
        saves=(0, 1),
        vjp=(_eval_x, _eval_w, lambda xp, g, out, x, *rest: g.sum(_over_batch(x)), None),
        layout=suggested(0),
    )


train_op = Op(
    "batch_norm",
    _train_body,
    computed(_infer_train),
    grad="NativeBatchNormBackward0",
    saves=(0, 1),
    vjp=(_train_x, _train_w, lambda xp, g, out, x, *rest: g[0].sum(_over_batch(x)), None),
    layout=suggested(0),
)
eval_op = _eval_op("batch_norm eval", "NativeBatchNormBackward0")
_instance_eval = _eval_op("instance_norm eval", "ViewBackward0")


def _write_statistics(mean, var, new) -> None:
    scope, pairs = state.scope, [(t, made) for t, made in zip((mean, var), new[1:]) if t is not None]
    if scope is not None and any(scope.depends(made._read()) and not scope.depends(t._read()) for t, made in pairs):
        raise RuntimeError("Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, were not "
                           "batched.\nIf you are using a module and do not need eval mode, please set `track_running_stats` to be False.If you are "
                           "using a prebuilt module and do not need eval mode, please see the functorch website for resources on how to patch your "
                           "module to work with vmap")
    before, state.grad = state.grad, False
    try:
        for target, made in pairs:
            write(target, made._read(), None)
    finally:
        state.grad = before


@public("nn.functional.batch_norm", method=False)
def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05):
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (dimension 1): over the batch in training, which updates the running
    statistics in place, else by them. Raises ValueError for one value a channel in training and for an `eps` below 0 (or of 0 in training),
    RuntimeError where sizes do not fit."""
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if training:
        _require_several(input._spec)
    return _by_batch(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _by_batch(input, weight, bias, running_mean, running_var, training, momentum, eps):
    if input._spec.numel == 0:
        return _empty(input, weight, bias)
    if not training:
        for name, v in (("running_mean", running_mean), ("running_var", running_var)):
            if v is None:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        return call(eval_op, (input, weight, bias, running_mean, running_var, eps))
    if running_mean is None:
        wrap_dim(1, input._spec.ndim)  # torch asks for the number of channels here
    made = call(train_op, (input, weight, bias, running_mean, running_var, float(momentum), eps))
    _write_statistics(running_mean, running_var, made)
    return made[0]


def _empty(input, weight, bias):
    """torch's way with an empty batch: the graph keeps weight and bias, whose gradients are 0."""
    made = METHODS["clone"](input)
    if weight is not None:
        made = METHODS["mul"](made, METHODS["select"](weight, 0, 0))
    return made if bias is None else METHODS["add"](made, METHODS["select"](bias, 0, 0))


def _require_several(x) -> None:
    per_channel = x.shape[0]
    for n in x.shape[2:]:
        per_channel *= n
    if per_channel == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {x.shape!r}")


@public("batch_norm", method=False)
def top_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """torch.batch_norm: nn.functional.batch_norm with its arguments in another order, and without its checks of `eps` and of the count."""
    return _by_batch(input, weight, bias, running_mean, running_var, training, momentum, eps)


# ---------------------------------------------------------------- instance norm
def _instance_body(xp, x, w, b, mean, var, momentum, eps):
    axes = tuple(range(2, x.ndim))
    centred, biased, m = _centred(x, axes)
    n = _count(x, axes)
    m, v = m.reshape(x.shape[:2]), biased.reshape(x.shape[:2]) * (n / (n - 1) if n > 1 else np.nan)
    if mean is not None:
        m = (1 - momentum) * mean + momentum * m
    if var is not None:
        v = (1 - momentum) * var + momentum * v
    return _affine(xp, centred * _inverse(xp, biased, eps), w, b), m.mean(0), v.mean(0)


def _instance_x(xp, g, out, x, w, b, mean, var, momentum, eps):
    axes = tuple(range(2, x.ndim))
    centred, biased, _ = _centred(x, axes)
    inv = _inverse(xp, biased, eps)
    return _pulled(centred * inv, inv, g[0] if w is None else g[0] * _along(w, x.ndim), axes)


def _instance_w(xp, g, out, x, w, b, mean, var, momentum, eps):
    centred, biased, _ = _centred(x, tuple(range(2, x.ndim)))
    return (g[0] * centred * _inverse(xp, biased, eps)).sum(_over_batch(x))


instance_op = Op(
    "instance_norm",
    _instance_body,
    computed(_infer_train),
    grad="ViewBackward0",
    saves=(0, 1),
    vjp=(_instance_x, _instance_w, lambda xp, g, out, x, *rest: g[0].sum(_over_batch(x)), None),
)


@public("nn.functional.instance_norm", method=False)
def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05):
    """batch_norm over each sample's own channels. Raises ValueError for one spatial value, RuntimeError where sizes do not fit."""
    x = input._spec
    if use_input_stats:
        if x.ndim > 2 and _count(x, tuple(range(2, x.ndim))) == 1:
            raise ValueError(f"Expected more than 1 spatial element when training, got input size {x.shape!r}")
        made = call(instance_op, (input, weight, bias, running_mean, running_var, float(momentum), eps))
        _write_statistics(running_mean, running_var, made)
        return made[0]
    if running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    return call(_instance_eval, (input, weight, bias, running_mean, running_var, eps))


# ---------------------------------------------------------------- layer norm and RMS norm
def _last(x, count: int) -> tuple:
    return tuple(range(x.ndim - count, x.ndim))


def _layer_parts(xp, x, eps, count):
    """(x minus its mean, 1 / deviation, mean, axes). Short rows round as torch's do, see rounding.py."""
    axes = _last(x, count)
    if exact(xp, x) and 0 < _count(x, axes) < lanes(x.dtype):
        mean, biased = _running_moments(xp, x.reshape(*x.shape[:x.ndim - count], _count(x, axes)))
        mean, biased = mean.reshape(mean.shape + (1,) * count), biased.reshape(mean.shape + (1,) * count)
        root = in_double(xp, xp.sqrt, biased + xp.asarray(eps, x.dtype))
        return x - mean, in_double(xp, lambda a: 1 / a, root), mean, axes
    centred, biased, mean = _centred(x, axes)
    return centred, 1 / xp.sqrt(biased + eps), mean, axes


def _running_moments(xp, rows):
    """Mean and biased variance along the last axis, updated element by element (Welford, 1962)."""
    mean = squares = xp.zeros(rows.shape[:-1], rows.dtype)
    for i in range(rows.shape[-1]):
        away = rows[..., i] - mean
        mean = mean + _shared_out(xp, away, i + 1)
        squares = squares + rounded_product(xp, away, rows[..., i] - mean)
    return mean, _shared_out(xp, squares, rows.shape[-1])


def _shared_out(xp, total, n: int):
    """`total` divided by a count, which XLA would make a multiplication."""
    return in_double(xp, lambda a: a / n, total)


def _layer_body(xp, x, w, b, eps, *, count):
    centred, inv, _, _ = _layer_parts(xp, x, eps, count)
    out = centred * inv
    if w is None or b is None:
        return out if w is None and b is None else out * w if b is None else out + b
    return fused(xp, out, w, b)


def _layer_half_body(xp, x, w, b, eps, *, count):
    """x * inv - mean * inv in one rounding, of equal numbers a residue; NaN where the mean's square overflows."""
    if not exact(xp, x):
        return _layer_body(xp, x, w, b, eps, count=count)
    _, inv, mean, _ = _layer_parts(xp, x, eps, count)
    out = fused(xp, x, inv, 0 * (mean * mean) - mean * inv)
    out = out if w is None else out * w
    return out if b is None else out + b


def _layer_x(xp, g, out, x, w, b, eps, *, count):
    centred, inv, mean, axes = _layer_parts(xp, x, eps, count)
    n = _count(x, axes)
    if not exact(xp, x) or not 0 < n < lanes(x.dtype):
        return _pulled(centred * inv, inv, g if w is None else g * w, axes)
    products, weighed, direct = (g * x, g, inv * g) if w is None else (g * x * w, g * w, inv * g * w)
    products, weighed = (summed(xp, a, axes, True) for a in (products, weighed))
    share = x.dtype.type(1) / x.dtype.type(n)
    slope = fused(xp, weighed, mean, -products) * inv * inv * inv * share
    level = fused(xp, -slope, mean, -(weighed * inv * share))
    return fused(xp, slope, x, direct) + level


def _layer_w(xp, g, out, x, w, b, eps, *, count):
    centred, inv, _, _ = _layer_parts(xp, x, eps, count)
    return summed(xp, g * (centred * inv), tuple(range(x.ndim - count)))


def _infer_layer(x, w, b, eps, *, count):
    require_float("LayerNormKernelImpl", x)
    for v in (w, b):
        if hasattr(v, "dtype") and v.dtype is not x.dtype and not (x.dtype in (dt.float16, dt.bfloat16) and v.dtype is dt.float32):
            raise RuntimeError(f"expected scalar type {x.dtype.legacy} but found {v.dtype.legacy}")
    return x


_LAYER = {"grad": "NativeLayerNormBackward0", "saves": (0, 1), "vjp": (
    _layer_x, _layer_w, lambda xp, g, out, x, w, b, eps, *, count: g.sum(tuple(range(x.ndim - count))), None)}
layer_op = Op("layer_norm", _layer_body, computed(_infer_layer), **_LAYER)
layer_half_op = Op("layer_norm of halves", _layer_half_body, computed(_infer_layer), **_LAYER)


def _check_normalized(input, shape: tuple, weight, bias) -> None:
    x = input._spec
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []"
        )
    for name, v in (("weight", weight), ("bias", bias)):
        if v is not None and tuple(v._spec.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {shape_text(v._spec.shape)} and "
                f"normalized_shape = {shape_text(shape)}"
            )
    if tuple(x.shape[-len(shape) :]) != shape or x.ndim < len(shape):
        raise RuntimeError(
            f"Given normalized_shape={shape_text(shape)}, expected input with shape [*{''.join(f', {n}' for n in shape)}], but got input "
            f"of size{shape_text(x.shape)}"
        )


@public("layer_norm", method=False, also=("nn.functional.layer_norm",))
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, of `normalized_shape`. Raises RuntimeError where shapes differ."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _check_normalized(input, shape, weight, bias)
    return call(layer_half_op if input._spec.dtype in HALVES else layer_op, (input, weight, bias, eps), (("count", len(shape)),))


def _rms_body(xp, x, w, eps, *, count):
    axes = _last(x, count)
    normed = x / xp.sqrt((x * x).mean(axes, keepdims=True) + eps)  # torch squares complex numbers too, not their sizes
    return normed if w is None else normed * w


def _rms_x(xp, g, out, x, w, eps, *, count):
    axes = _last(x, count)
    inv = 1 / xp.sqrt((x * x).mean(axes, keepdims=True) + eps)
    g = g if w is None else g * w
    return inv * g - x * inv**3 * (g * x).mean(axes, keepdims=True)


def _rms_w(xp, g, out, x, w, eps, *, count):
    return (g * _rms_body(xp, x, None, eps, count=count)).sum(tuple(range(x.ndim - count)))


rms_op = Op("rms_norm", _rms_body, computed(lambda x, w, eps, *, count: x), grad="MulBackward0", saves=(0, 1), vjp=(_rms_x, _rms_w, None))
rms_complex_op = Op("rms_norm complex", _rms_body, computed(lambda x, w, eps, *, count: x), grad="MulBackward0", saves=(0, 1))


@public("rms_norm", method=False, also=("nn.functional.rms_norm",))
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions; `eps` defaults to the dtype's machine epsilon."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _check_normalized(input, shape, weight, None)
    d = input._spec.dtype
    if d.category < FLOATING:
        raise NotImplementedError(f"\"rms_norm\" not implemented for '{d.legacy}'")
    if eps is None:
        eps = float(np.finfo(np.float64 if d.to_real() is dt.float64 else np.float32).eps)
    op = rms_complex_op if d.category == dt.COMPLEX or (weight is not None and weight._spec.dtype.category == dt.COMPLEX) else rms_op
    return call(op, (input, weight, eps), (("count", len(shape)),))


# ---------------------------------------------------------------- group norm
def _grouped(x, groups: int):
    return x.reshape((x.shape[0], groups, int(np.prod(x.shape[1:])) // groups))


def _group_parts(xp, x, eps, groups):
    flat = _grouped(x, groups)
    centred, biased, _ = _centred(flat, (2,))
    inv = 1 / xp.sqrt(biased + eps)
    return centred * inv, inv


def _group_body(xp, x, w, b, eps, *, groups):
    return _affine(xp, _group_parts(xp, x, eps, groups)[0].reshape(x.shape), w, b)


def _group_x(xp, g, out, x, w, b, eps, *, groups):
    normed, inv = _group_parts(xp, x, eps, groups)
    g = g if w is None else g * _along(w, x.ndim)
    return _pulled(normed, inv, _grouped(g, groups), (2,)).reshape(x.shape)


def _group_w(xp, g, out, x, w, b, eps, *, groups):
    return (g * _group_parts(xp, x, eps, groups)[0].reshape(x.shape)).sum(_over_batch(x))


def _infer_group(x, w, b, eps, *, groups):
    require_float("GroupNormKernelImpl", x)
    return x


group_op = Op(
    "group_norm",
    _group_body,
    computed(_infer_group),
    grad="NativeGroupNormBackward0",
    saves=(0, 1),
    vjp=(_group_x, _group_w, lambda xp, g, out, x, *rest, **static: g.sum(_over_batch(x)), None),
    layout=suggested(0),
)


def _check_grouped(input, channels: int, num_groups: int, weight, bias) -> None:
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {shape_text(input._spec.shape)} and "
            f"num_groups={num_groups}"
        )
    for name, v in (("weight", weight), ("bias", bias)):
        if v is not None and (v._spec.ndim != 1 or v._spec.numel != channels):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{shape_text(v._spec.shape)} and input of shape {shape_text(input._spec.shape)}"
            )


@public("nn.functional.group_norm", method=False, also=("group_norm",))
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True):
    """Normalise each sample over groups of channels. Raises RuntimeError where the channels do not divide by `num_groups`."""
    x = input._spec
    if x.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {x.ndim}")
    channels = x.shape[1]
    _check_grouped(input, channels, num_groups, weight, bias)
    per_channel = x.numel // max(channels, 1) * channels // num_groups
    if per_channel == 1:
        size = sized((x.shape[0] * channels // num_groups, num_groups, *x.shape[2:]), x).shape
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size!r}")
    return call(group_op, (input, weight, bias, eps), (("groups", int(num_groups)),))


# ---------------------------------------------------------------- forms that return their statistics too
def _statistics_like(x, *parameters) -> dt.dtype:
    """The dtype of the statistics: x's, but float32 for halves with float32 parameters."""
    return dt.float32 if x.dtype in HALVES and any(getattr(p, "dtype", None) is dt.float32 for p in parameters) else x.dtype


def _native_batch_body(xp, x, w, b, mean, var, momentum, eps):
    m, biased = _moments(xp, x)
    return *_train_body(xp, x, w, b, mean, var, momentum, eps), m, _inverse(xp, biased, eps)


def _infer_native_batch(x, w, b, mean, var, momentum, eps):
    saved = sized(x.shape[1:2], x, _statistics_like(x, w, b, mean, var))
    return *_infer_train(x, w, b, mean, var, momentum, eps), saved, saved


native_batch_op = Op("native_batch_norm", _native_batch_body, computed(_infer_native_batch), grad="NativeBatchNormBackward0", saves=(0, 1),
                     vjp=train_op.vjp)


@public("native_batch_norm", method=False, out=True)
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(batch_norm, mean, 1 / sqrt(var + eps)) of each channel; the last two are empty unless `training`. They carry no gradient."""
    if not training:
        kept = dt.float32 if input._spec.dtype in HALVES and running_mean._spec.dtype is dt.float32 else input._spec.dtype
        made = batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
        return made, *[constant_tensor((0,), 0, kept, input._spec.device) for _ in range(2)]
    made = call(native_batch_op, (input, weight, bias, running_mean, running_var, float(momentum), eps))
    _write_statistics(running_mean, running_var, made)
    return made[0], new_tensor(made[3]._read()), new_tensor(made[4]._read())


def _native_layer_body(xp, x, w, b, eps, *, count):
    _, inv, mean, _ = _layer_parts(xp, x, eps, count)
    return _layer_body(xp, x, w, b, eps, count=count), mean, inv


def _infer_native_layer(x, w, b, eps, *, count):
    statistics = sized((*x.shape[:x.ndim - count], *(1,) * count), x, _statistics_like(x, w, b))
    return _infer_layer(x, w, b, eps, count=count), statistics, statistics


def _of_first(rule):
    """The rule of an operation the gradients of whose other results torch drops."""
    def first(xp, g, out, *operands, **static):
        return rule(xp, xp.zeros_like(out[0]) if g[0] is None else g[0], out[0], *operands, **static)
    return first


native_layer_op = Op("native_layer_norm", _native_layer_body, computed(_infer_native_layer), grad="NativeLayerNormBackward0", saves=(0, 1),
                     vjp=(*map(_of_first, layer_op.vjp[:3]), None))


@public("native_layer_norm", method=False)
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(layer_norm, mean, 1 / sqrt(var + eps)) over the last dimensions, of `normalized_shape`; the statistics carry no gradient."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _check_normalized(input, shape, weight, bias)
    out, mean, inv = call(native_layer_op, (input, weight, bias, eps), (("count", len(shape)),))
    return out, new_tensor(mean._read()), new_tensor(inv._read())


def _native_group_body(xp, x, w, b, eps, *, groups):
    inv = _group_parts(xp, x, eps, groups)[1]
    return _group_body(xp, x, w, b, eps, groups=groups), _grouped(x, groups).mean(2), inv[:, :, 0]


def _infer_native_group(x, w, b, eps, *, groups):
    statistics = sized((x.shape[0], groups), x, _statistics_like(x, w, b))
    return _infer_group(x, w, b, eps, groups=groups), statistics, statistics


native_group_op = Op("native_group_norm", _native_group_body, computed(_infer_native_group), grad="NativeGroupNormBackward0", saves=(0, 1),
                     vjp=(*map(_of_first, group_op.vjp[:3]), None))


@public("native_group_norm", method=False)
def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """(group_norm, mean, 1 / sqrt(var + eps)) of each sample's groups of channels. Raises RuntimeError unless the input has N * C * HxW elements."""
    _check_grouped(input, C, group, weight, bias)
    if input._spec.numel != N * C * HxW:
        raise RuntimeError("Expected X.numel() == N * C * HxW to be true, but got false.  (Could this error message be improved?  If so, please "
                           "report an enhancement request to PyTorch.)")
    return call(native_group_op, (input, weight, bias, eps), (("groups", int(group)),))


# ---------------------------------------------------------------- across channels, and vectors
def _response_body(xp, x, alpha, beta, k, *, size):
    square = x * x
    pads = [(0, 0)] * x.ndim
    pads[1] = (size // 2, (size - 1) // 2)
    padded = xp.pad(square, pads)
    total = padded[:, : x.shape[1]]
    for i in range(1, size):
        total = total + padded[:, i : i + x.shape[1]]
    mean = total // size if x.dtype.kind in "iub" else total / size
    return x / (mean * alpha + k) ** beta


def _infer_response(x, alpha, beta, k, *, size):
    return x if x.dtype.category >= FLOATING else sized(x.shape, x, dt.get_default_dtype())


response_op = Op("local_response_norm", _response_body, computed(_infer_response), grad="DivBackward0", saves=(0,))


@public("nn.functional.local_response_norm", method=False)
def local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0):
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels) ^ beta (Krizhevsky et al., 2012). Raises ValueError below 3 dimensions."""
    x = input._spec
    if x.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {x.ndim} dimensions)")
    if x.numel == 0:
        return input
    return call(response_op, (input, alpha, beta, k), (("size", int(size)),))


@public("nn.functional.normalize", method=False)
def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """x / max(norm of order `p` along `dim`, eps)."""
    norm = METHODS["norm"](input, p, dim, keepdim=True)
    made = METHODS["div"](input, METHODS["expand_as"](METHODS["clamp_min"](norm, eps), input))
    return made if out is None else METHODS["copy_"](out, made)


__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "normalize", "ntuple", "rms_norm"]
