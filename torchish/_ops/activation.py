"""Activations: element-wise nonlinearities of neural networks, with torch's derivatives at their kinks, and the softmax family.

Slopes, bounds and thresholds are numbers, operands of the program. `inplace=True` writes into the input, as the `_` names do.
"""

from __future__ import annotations

import math

import numpy as np

from .. import _dtype as dt
from .._core.handle import from_array
from .._core.op import Op, cast
from .._core.record import call
from .._dtype import BOOL, COMPLEX, FLOATING
from .._random import uniform
from .conversion import converted
from .declare import INT_TO_FLOAT, internal
from .halves import HALVES, rounded
from .layout import elementwise_strides, like_strides, ordered_strides
from .nn_common import computed, conj, erf, not_implemented, require_float, sigmoid, sized, softplus
from .rounding import exact, fused, in_double, rounded_product, row_sum
from .sampling import source
from .shared import wrap_dim
from .variants import FUNCTIONS, METHODS, assign, check_writable, public, register


def _refusing(kernel: str):
    """Shape rule of an element-wise op of one tensor and numbers, for real floating-point dtypes."""

    def infer(x, *numbers):
        require_float(kernel, x)
        return x

    return infer


def _op(name: str, grad: str, body, rule, kernel: str = "", infer=None, saves: tuple = (0,)) -> Op:
    return Op(name, body, computed(infer or _refusing(kernel or f"{name}_cpu")), grad=grad, saves=saves, vjp=(rule,), layout=elementwise_strides)


def _into(x, op: Op, args: tuple, inplace: bool):
    if not inplace:
        return call(op, args)
    check_writable(x)
    return assign(x, call(op, args))


def _both(name: str, front, *, top: bool = False) -> None:
    """Publish nn.functional.name and its in-place twin name_; with `top` also torch.name and torch.name_."""
    public(f"nn.functional.{name}", method=False, also=(name,) if top else ())(front)

    def in_place(input, *args, **kwargs):
        return front(input, *args, **kwargs, inplace=True)

    in_place.__name__, in_place.__doc__ = name + "_", f"{name}, written into `input`."
    register(FUNCTIONS, f"nn.functional.{name}_", in_place)
    if top:
        register(FUNCTIONS, name + "_", in_place)


# ---------------------------------------------------------------- piecewise linear
def _no_bool(text: str):
    def infer(x, *numbers):
        if x.dtype.category == COMPLEX:
            raise NotImplementedError("clamp is not supported for complex types")
        if x.dtype.category == BOOL:
            raise RuntimeError(text)
        return x

    return infer


relu_op = _op(
    "relu",
    "ReluBackward0",
    lambda xp, x: xp.where(x < 0, x.dtype.type(0), x),  # -0 and NaN stay
    lambda xp, g, out, x: xp.where(out <= 0, xp.zeros((), g.dtype), g),
    infer=_no_bool("Boolean inputs not supported for relu"),
    saves=("result",),
)


@public("relu", inplace=True)
def relu(input):
    """max(x, 0); derivative 0 at 0. Raises RuntimeError for bool."""
    return call(relu_op, (input,))


@public("nn.functional.relu", method=False)
def functional_relu(input, inplace=False):
    """max(x, 0); derivative 0 at 0. Raises RuntimeError for bool."""
    return METHODS["relu_"](input) if inplace else call(relu_op, (input,))


register(FUNCTIONS, "nn.functional.relu_", METHODS["relu_"])


def _clip(xp, x, low, high):
    low, high = cast(xp, low, dt.BY_NUMPY[x.dtype]), cast(xp, high, dt.BY_NUMPY[x.dtype])
    x = xp.where(x < low, low, x)  # x itself at a bound, which shows in the sign of zero
    return xp.where(x > high, high, x)


hardtanh_op = _op(
    "hardtanh",
    "HardtanhBackward0",
    _clip,
    lambda xp, g, out, x, low, high: xp.where((x <= low) | (x >= high), xp.zeros((), g.dtype), g),
    infer=_no_bool("Bool inputs not supported for hardtanh"),
)
hardtanh_op.layout = like_strides


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x limited to [min_val, max_val]; derivative 0 at the bounds. Raises ValueError unless min_val <= max_val."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _into(input, hardtanh_op, (input, min_val, max_val), inplace)


_both("hardtanh", hardtanh)


@public("nn.functional.relu6", method=False)
def relu6(input, inplace=False):
    """x limited to [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


leaky_relu_op = _op(
    "leaky_relu", "LeakyReluBackward0", lambda xp, x, slope: xp.where(x > 0, x, x * slope), lambda xp, g, out, x, slope: xp.where(x > 0, g, g * slope)
)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, else negative_slope * x."""
    return _into(input, leaky_relu_op, (input, negative_slope), inplace)


_both("leaky_relu", leaky_relu)
hardsigmoid_op = _op(
    "hardsigmoid",
    "HardsigmoidBackward0",
    lambda xp, x: _clip(xp, x + 3, 0, 6) / 6,
    lambda xp, g, out, x: xp.where((x > -3) & (x < 3), g / 6, xp.zeros((), g.dtype)),
)
hardswish_op = _op(
    "hardswish",
    "HardswishBackward0",
    lambda xp, x: x * _clip(xp, x + 3, 0, 6) / 6,
    lambda xp, g, out, x: xp.where(x <= -3, xp.zeros((), g.dtype), xp.where(x < 3, g * (x / 3 + 0.5), g)),
)


@public("nn.functional.hardsigmoid", method=False)
def hardsigmoid(input, inplace=False):
    """relu6(x + 3) / 6."""
    return _into(input, hardsigmoid_op, (input,), inplace)


@public("nn.functional.hardswish", method=False)
def hardswish(input, inplace=False):
    """x * relu6(x + 3) / 6."""
    return _into(input, hardswish_op, (input,), inplace)


def _infer_threshold(x, *numbers):
    if x.dtype.category in (BOOL, COMPLEX):
        raise not_implemented("threshold_cpu", x.dtype)
    return x


threshold_op = _op(
    "threshold",
    "ThresholdBackward0",
    lambda xp, x, at, value: xp.where(x <= at, cast(xp, value, dt.BY_NUMPY[x.dtype]), x),
    lambda xp, g, out, x, at, value: xp.where(x <= at, xp.zeros((), g.dtype), g),
    infer=_infer_threshold,
)


def threshold(input, threshold, value, inplace=False):
    """x where x > threshold, else value."""
    return _into(input, threshold_op, (input, threshold, value), inplace)


_both("threshold", threshold, top=True)


# ---------------------------------------------------------------- shrinking
hardshrink_op = _op(
    "hardshrink",
    "HardshrinkBackward0",
    lambda xp, x, by: xp.where((x >= -by) & (x <= by), xp.zeros((), x.dtype), x),
    lambda xp, g, out, x, by: xp.where((x >= -by) & (x <= by), xp.zeros((), g.dtype), g),
)
softshrink_op = _op(
    "softshrink",
    "SoftshrinkBackward0",
    lambda xp, x, by: xp.where(x > by, x - by, xp.where(x < -by, x + by, xp.where(x != x, x, xp.zeros((), x.dtype)))),
    lambda xp, g, out, x, by: xp.where((x >= -by) & (x <= by), xp.zeros((), g.dtype), g),
    kernel="softshrink_check",
)
tanhshrink_op = internal(
    "tanhshrink",
    lambda xp, x: x - xp.tanh(x),
    kind=INT_TO_FLOAT,
    grad="SubBackward0",
    refuse={
        dt.bool_: "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the `~` or `logical_not()` operator instead."
    },
    vjp=(lambda xp, g, out, x: g * conj(xp, xp.tanh(x)) ** 2,),
)


@public("hardshrink", also=("nn.functional.hardshrink",), out=True)
def hardshrink(input, lambd=0.5):
    """x outside [-lambd, lambd], else 0."""
    return call(hardshrink_op, (input, lambd))


@public("nn.functional.softshrink", method=False, out=True)
def softshrink(input, lambd=0.5):
    """x moved towards 0 by lambd, 0 within. Raises RuntimeError for a negative lambd."""
    if lambd < 0:
        require_float("softshrink_check", input._spec)
        d = input._spec.dtype
        limit = {dt.float16: "65504", dt.bfloat16: "3.38953e+38", dt.float64: "1.79769e+308"}.get(d, "3.40282e+38")
        raise RuntimeError(f"lambda must be in range [0, {limit}] for input dtype {d.legacy}, but found {lambd:g}")
    return call(softshrink_op, (input, lambd))


@public("nn.functional.tanhshrink", method=False)
def tanhshrink(input):
    """x - tanh(x)."""
    return call(tanhshrink_op, (input,))


# ---------------------------------------------------------------- smooth
def _below(xp, x):
    """x where negative, else 0; its derivative at 0 is 0, as in torch's second derivative of elu."""
    return xp.where(x < 0, x, xp.zeros((), x.dtype))


def _elu_body(xp, x, alpha, scale, input_scale):
    negative = _below(xp, x)
    return xp.where(x < 0, xp.expm1(negative * input_scale) * (alpha * scale), x * scale)


def _elu_rule(xp, g, out, x, alpha, scale, input_scale):
    negative = _below(xp, x)
    return xp.where(x <= 0, g * (input_scale * alpha * scale) * xp.exp(negative * input_scale), g * scale)


elu_op = _op("elu", "EluBackward0", _elu_body, _elu_rule)
celu_op = _op("celu", "CeluBackward0", _elu_body, _elu_rule, kernel="elu_cpu")
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946  # Klambauer et al., 2017, appendix


def elu(input, alpha=1.0, inplace=False):
    """x where x > 0, else alpha * (exp(x) - 1)."""
    return _into(input, elu_op, (input, alpha, 1.0, 1.0), inplace)


def selu(input, inplace=False):
    """The self-normalising ELU of Klambauer et al., 2017."""
    return _into(input, elu_op, (input, SELU_ALPHA, SELU_SCALE, 1.0), inplace)


def celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1)). Raises RuntimeError for alpha 0."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _into(input, celu_op, (input, alpha, 1.0, 1.0 / alpha), inplace)


_both("elu", elu)
_both("selu", selu, top=True)
_both("celu", celu, top=True)
_ROOT_HALF, _ROOT_TWO_OVER_PI = math.sqrt(0.5), math.sqrt(2 / math.pi)
_TANH_CUBE = 0.044715  # Hendrycks and Gimpel, 2016, the tanh form


def _gelu_rule(xp, g, out, x):
    return g * (0.5 * (1 + erf(xp, x * _ROOT_HALF)) + x * xp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


def _gelu_tanh_rule(xp, g, out, x):
    t = xp.tanh(_ROOT_TWO_OVER_PI * (x + _TANH_CUBE * x * x * x))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _ROOT_TWO_OVER_PI * (1 + 3 * _TANH_CUBE * x * x))


def _gelu_body(xp, x):
    made = 0.5 * x * (1 + erf(xp, x * _ROOT_HALF))
    # torch's vector kernel for float32 makes NaN of infinity
    return xp.where(x == np.inf, xp.asarray(np.nan, x.dtype), made) if x.dtype == np.float32 and x.size > 1 else made


gelu_op = _op("gelu", "GeluBackward0", _gelu_body, _gelu_rule, kernel="GeluKernelImpl")
gelu_tanh_op = _op(
    "gelu tanh",
    "GeluBackward0",
    lambda xp, x: 0.5 * x * (1 + xp.tanh(_ROOT_TWO_OVER_PI * (x + _TANH_CUBE * x * x * x))),
    _gelu_tanh_rule,
    kernel="GeluKernelImpl",
)


@public("nn.functional.gelu", method=False, out=True)
def gelu(input, approximate="none"):
    """x times the normal distribution function of x, exact or by its "tanh" form. Raises RuntimeError for another `approximate`."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return call(gelu_op if approximate == "none" else gelu_tanh_op, (input,))


def _infer_silu(x):
    if x.dtype.category < FLOATING:
        raise not_implemented("silu_cpu", x.dtype)
    return x


def _logistic(xp, x):
    return 1 / (1 + xp.exp(-x)) if x.dtype.kind == "c" else sigmoid(xp, x)


def _silu_rule(xp, g, out, x):
    s = _logistic(xp, x)
    return g * conj(xp, s * (1 + x * (1 - s)))


def _mish_rule(xp, g, out, x):
    t = xp.tanh(softplus(xp, x))
    return g * (t + x * sigmoid(xp, x) * (1 - t * t))


silu_op = _op("silu", "SiluBackward0", lambda xp, x: x * _logistic(xp, x), _silu_rule, infer=_infer_silu)
mish_op = _op("mish", "MishBackward0", lambda xp, x: x * xp.tanh(softplus(xp, x)), _mish_rule)


@public("nn.functional.silu", method=False)
def silu(input, inplace=False):
    """x * sigmoid(x)."""
    return _into(input, silu_op, (input,), inplace)


@public("nn.functional.mish", method=False)
def mish(input, inplace=False):
    """x * tanh(softplus(x))."""
    return _into(input, mish_op, (input,), inplace)


softplus_op = _op(
    "softplus",
    "SoftplusBackward0",
    lambda xp, x, beta, limit: xp.where(x * beta > limit, x, softplus(xp, x * beta) / beta),
    lambda xp, g, out, x, beta, limit: xp.where(x * beta > limit, g, g * sigmoid(xp, x * beta)),
)


def _log_sigmoid(xp, x):
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))


logsigmoid_op = _op("log_sigmoid", "LogSigmoidBackward0", _log_sigmoid, lambda xp, g, out, x: g * sigmoid(xp, -x))
softsign_op = internal(
    "softsign",
    lambda xp, x: x / (1 + xp.abs(x)),
    kind=INT_TO_FLOAT,
    grad="DivBackward0",
    saves=(0,),
    refuse={dt.bool_: "\"abs_cpu\" not implemented for 'Bool'"},
)


@public("nn.functional.softplus", method=False, out=True)
def softplus_front(input, beta=1, threshold=20):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold."""
    return call(softplus_op, (input, float(beta), float(threshold)))


@public("nn.functional.logsigmoid", method=False, out=True)
def logsigmoid(input):
    """log(sigmoid(x))."""
    return call(logsigmoid_op, (input,))


@public("nn.functional.softsign", method=False)
def softsign(input):
    """x / (1 + |x|)."""
    return call(softsign_op, (input,))


# ---------------------------------------------------------------- with weights, with halves, with noise
def _weights(xp, x, w):
    """prelu's weight, shaped to run along dimension 1."""
    return w.reshape((1, -1) + (1,) * (x.ndim - 2)) if w.size != 1 else w.reshape((1,) * x.ndim)


def _infer_prelu(x, w):
    if x.dtype is not w.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {x.dtype.legacy} and {w.dtype.legacy}")
    if w.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}")
    if w.numel != 1:
        if x.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = x.shape[1] if x.ndim > 1 else 1
        if channels != w.numel:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {w.numel} and channel size = {channels}."
            )
    require_float("prelu_cpu", x)
    return x


def _prelu_weight_rule(xp, g, out, x, w):
    g = xp.where(x > 0, xp.zeros((), g.dtype), g * x)
    return g.sum().reshape(w.shape) if w.size == 1 else g.sum(tuple(i for i in range(x.ndim) if i != 1))


prelu_op = Op(
    "prelu",
    lambda xp, x, w: xp.where(x > 0, x, x * _weights(xp, x, w)),
    computed(_infer_prelu),
    grad="PreluKernelBackward0",
    saves=(0, 1),
    vjp=(lambda xp, g, out, x, w: xp.where(x > 0, g, g * _weights(xp, x, w)), _prelu_weight_rule),
    layout=lambda spec, args: elementwise_strides(spec, args[:1]),
)


@public("prelu", also=("nn.functional.prelu",))
def prelu(input, weight):
    """x where x > 0, else weight * x, with one weight for all or one a channel (dimension 1). Raises RuntimeError where counts differ."""
    return call(prelu_op, (input, weight))


def _halves(x, dim: int):
    n = x.shape[dim] // 2
    at = (slice(None),) * dim
    return x[(*at, slice(0, n))], x[(*at, slice(n, None))]


def _glu_rule(xp, g, out, x, *, dim):
    a, b = _halves(x, dim)
    s = sigmoid(xp, b)
    return xp.concatenate([g * s, g * a * s * (1 - s)], axis=dim)


def _glu_body(xp, x, *, dim):
    a, b = _halves(x, dim)
    return a * sigmoid(xp, b)


def _infer_glu(x, *, dim):
    require_float("glu_cpu", x)
    shape = list(x.shape)
    shape[dim] //= 2
    return sized(shape, x)


glu_op = Op("glu", _glu_body, computed(_infer_glu), grad="GluBackward0", saves=(0,), vjp=(_glu_rule,),
            layout=lambda spec, args: ordered_strides(tuple(spec.shape), [args[0]._current_strides]))


@public("nn.functional.glu", method=False, out=True)
def glu(input, dim=-1):
    """The first half along `dim` times the sigmoid of the second. Raises RuntimeError where the size is odd."""
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = wrap_dim(dim, spec.ndim)
    if spec.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {spec.shape[dim]}")
    return call(glu_op, (input,), (("dim", dim),))


rrelu_op = _op("rrelu", "RreluWithNoiseBackward0", leaky_relu_op.body, leaky_relu_op.vjp[0], kernel="leaky_relu_cpu")
rrelu_noise_op = Op(
    "rrelu with noise",
    lambda xp, x, noise: x * noise,
    computed(lambda x, noise: x),
    grad="RreluWithNoiseBackward0",
    saves=(0,),
    vjp=(lambda xp, g, out, x, noise: g * noise, lambda xp, g, out, x, noise: g * x),
    layout=elementwise_strides,
)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False, generator=None):
    """leaky_relu whose slope is drawn from U(lower, upper) for each element <= 0 in training, and is their mean otherwise.

    In training the input is evaluated: which elements draw depends on its values, as in torch. Raises RuntimeError unless lower <= upper.
    """
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return _into(input, rrelu_op, (input, (lower + upper) / 2), inplace)
    require_float("rrelu_out_cpu", input._spec)
    x = np.asarray(input._host("rrelu draws for elements <= 0"))
    noise = np.ones(x.shape, np.float64)
    below = x.astype(np.float64) <= 0
    noise[below] = uniform(source(generator), (int(below.sum()),), dt.float64, lower, upper)
    return _into(input, rrelu_noise_op, (input, from_array(noise.astype(x.dtype))), inplace)


_both("rrelu", rrelu, top=True)


# ---------------------------------------------------------------- softmax
def _shifted(xp, x, dim: int):
    return x - xp.max(x, axis=dim, keepdims=True)


def _softmax_body(xp, x, *, dim, half=None):
    if x.size == 0:
        return x
    e = in_double(xp, xp.exp, _shifted(xp, x, dim))
    total = row_sum(xp, e, dim)
    if half is not None and dim != x.ndim - 1:  # torch keeps the exponentials in the result meanwhile
        e = rounded(xp, e, half)
    return e * in_double(xp, lambda a: 1 / a, total) if half is None and exact(xp, e) else e / total


def _log_softmax_body(xp, x, *, dim, half=None):
    if x.size == 0:
        return x
    z = _shifted(xp, x, dim)
    total = row_sum(xp, in_double(xp, xp.exp, z), dim)
    if half is not None and dim == x.ndim - 1:
        return z - rounded(xp, xp.log(rounded(xp, total, half)), half)
    return z - in_double(xp, xp.log, total)


def _infer_softmax(name: str):
    def infer(x, *, dim, half=None):
        last = x.ndim == 0 or dim == x.ndim - 1
        if x.numel:  # torch returns before it looks for a kernel
            require_float(f"{name}_lastdim_kernel_impl" if last else f"{name}_kernel_impl", x)
        return x

    return infer


def _at_least_1d(body):
    """Scalars have a softmax too: over their one element."""

    def wrapped(xp, x, *, dim, half=None):
        return body(xp, x, dim=dim, half=half) if x.ndim else body(xp, x.reshape(1), dim=0, half=half).reshape(())

    return wrapped


def _softmax_rule(xp, g, out, x, *, dim, half=None):
    if not x.ndim:
        return g * 0
    return out * (g - row_sum(xp, rounded_product(xp, g, out), dim))


def _log_softmax_rule(xp, g, out, x, *, dim, half=None):
    if not x.ndim:
        return g * 0
    return fused(xp, -in_double(xp, xp.exp, out), row_sum(xp, g, dim), g)


softmax_op = Op(
    "softmax", _at_least_1d(_softmax_body), computed(_infer_softmax("softmax")), grad="SoftmaxBackward0", saves=("result",), vjp=(_softmax_rule,)
)
log_softmax_op = Op(
    "log_softmax",
    _at_least_1d(_log_softmax_body),
    computed(_infer_softmax("log_softmax")),
    grad="LogSoftmaxBackward0",
    saves=("result",),
    vjp=(_log_softmax_rule,),
)


def softmax_along(op: Op, input, dim: int, dtype=None):
    """`op`, softmax or log_softmax, of `input` (converted to `dtype`) along `dim`."""
    if dtype is not None:
        input = converted(input, dtype)
    spec = input._spec
    static = (("dim", wrap_dim(dim, spec.ndim)),)
    return call(op, (input,), (*static, ("half", spec.dtype)) if spec.dtype in HALVES else static)


def _implicit_dim(ndim: int) -> int:
    """What torch takes for a softmax dimension that was not given."""
    return 0 if ndim in (0, 1, 3) else 1


def _publish_softmax(name: str, op: Op, text: str) -> None:
    def front(input, dim, dtype=None):
        return softmax_along(op, input, dim, dtype)

    front.__doc__ = text
    public(name, also=(f"special.{name}",), out=True)(front)

    def functional(input, dim=None, _stacklevel=3, dtype=None):
        return softmax_along(op, input, _implicit_dim(input._spec.ndim) if dim is None else dim, dtype)

    functional.__doc__ = text
    public(f"nn.functional.{name}", method=False)(functional)


_publish_softmax("softmax", softmax_op, "exp(x) / sum(exp(x)) along `dim`. Raises IndexError for a dimension out of range.")
_publish_softmax("log_softmax", log_softmax_op, "log(softmax(x)) along `dim`. Raises IndexError for a dimension out of range.")


@public("nn.functional.softmin", method=False)
def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(-x) along `dim`."""
    return softmax_along(softmax_op, METHODS["neg"](input), _implicit_dim(input._spec.ndim) if dim is None else dim, dtype)


@public("nn.functional.gumbel_softmax", method=False)
def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """softmax((logits + Gumbel noise) / tau); with `hard`, one-hot in value and soft in gradient."""
    spec = logits._spec
    noise = METHODS["neg"](METHODS["log"](METHODS["exponential_"](METHODS["new_empty"](logits, tuple(spec.shape)))))
    soft = softmax_along(softmax_op, (logits + noise) / tau, dim, None)
    if not hard:
        return soft
    index = METHODS["argmax"](soft.detach(), dim, True)
    one_hot = METHODS["scatter"](METHODS["new_zeros"](soft, tuple(soft._spec.shape)), wrap_dim(dim, spec.ndim), index, 1.0)
    return one_hot - soft.detach() + soft


__all__ = ["celu", "elu", "gelu", "glu", "hardtanh", "log_softmax_op", "relu", "rrelu", "selu", "silu", "softmax_along", "softmax_op", "softmin"]
