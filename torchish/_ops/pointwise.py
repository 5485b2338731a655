"""Element-wise functions of one tensor: exponentials, logarithms, trigonometry, rounding, signs, conversions of angle.

A rule is torch's: for complex arguments the cotangent is multiplied by the conjugate of the derivative. Special functions live in
`special_functions`, those of several tensors in `dyadic`.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.grad_graph import ask_node, zero_gradient
from .._dtype import COMPLEX
from .declare import ALWAYS_BOOL, COMPLEX_TO_FLOAT, INT_TO_FLOAT, NO_OPMATH, Op, call, half_body, half_complex, internal, same, unary
from .guards import COMPLEX_DTYPES, INTEGERS, choice, guard, refuse_complex
from .halves import tail_rounded
from .layout import by_kind, elementwise_strides, like_strides
from .variants import METHODS, check_writable, public, register, write_elementwise

LN2, LN10 = math.log(2), math.log(10)


def conj(xp, a):
    """The conjugate; real arrays as they are, without a copy."""
    return xp.conj(a) if a.dtype.kind == "c" else a


def complex_of(xp, real, imag):
    """The complex array of these parts (infinities stay in theirs, which real + 1j * imag would spread)."""
    if xp is not np:
        wide = [a.astype(np.float32) if a.dtype == np.float16 else a for a in (real, imag)]  # XLA has no half complex
        return jax.lax.complex(*xp.broadcast_arrays(*wide))
    made = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), np.complex128 if real.dtype == np.float64 else np.complex64)
    made.real, made.imag = real, imag
    return made


@jax.custom_jvp
def _unsigned_zero(x):
    return jnp.where(x == 0, jnp.zeros_like(x), x)


@_unsigned_zero.defjvp
def _unsigned_zero_jvp(primals, tangents):
    return _unsigned_zero(*primals), tangents[0]


def unsigned_zero(xp, x):
    """x + 0: the identity, but for -0 (XLA would leave out the addition)."""
    return x + 0 if xp is np else _unsigned_zero(x)


def slope(derivative: Callable) -> Callable:
    """The rule of a function with this derivative, `derivative(xp, out, x)`."""
    return lambda xp, g, out, x: g * conj(xp, derivative(xp, out, x))


def over(divisor: Callable) -> Callable:
    """The rule of a function whose derivative is 1 / divisor(xp, out, x)."""
    return lambda xp, g, out, x: g / conj(xp, divisor(xp, out, x))


def zeros(xp, g, out, *operands, **static):
    """The rule of a function that is constant between its jumps."""
    return xp.zeros_like(g)


def _floating(name: str, body: Callable, vjp: Callable, saves: tuple = (0,), also: tuple = ()) -> Op:
    return unary(f"{name}(input)", body, kind=INT_TO_FLOAT, saves=saves, vjp=vjp, also=also)


def _exp(xp, x):
    if xp is np and x.dtype == np.float32:  # NumPy's own is off by up to 2.5 units in the last place, torch's by less than one
        return np.exp(x.astype(np.float64)).astype(np.float32)
    return xp.exp(x)


RESULT = ("result",)

# ---------------------------------------------------------------- exponentials, logarithms, roots
_floating("exp", _exp, slope(lambda xp, out, x: out), RESULT)
_floating("exp2", lambda xp, x: xp.exp2(x), slope(lambda xp, out, x: out * LN2), RESULT, ("special.exp2",))
_floating("expm1", lambda xp, x: xp.expm1(x), slope(lambda xp, out, x: out + 1), RESULT, ("special.expm1",))
_floating("log", lambda xp, x: xp.log(x), over(lambda xp, out, x: x))
_floating("log2", lambda xp, x: xp.log2(x), over(lambda xp, out, x: x * LN2))
_floating("log10", lambda xp, x: xp.log10(x), over(lambda xp, out, x: x * LN10))
unary("log1p(input)", lambda xp, x: xp.log1p(x), kind=INT_TO_FLOAT, grad="Log1PBackward0", vjp=over(lambda xp, out, x: x + 1),
      also=("special.log1p",))
_floating("sqrt", lambda xp, x: xp.sqrt(x), over(lambda xp, out, x: 2 * out), RESULT)
half_body(lambda xp, half, x: 1 / tail_rounded(xp, xp.sqrt(x), half, x.shape),
          _floating("rsqrt", lambda xp, x: 1 / xp.sqrt(x), slope(lambda xp, out, x: -0.5 * out * out * out), RESULT))

# ---------------------------------------------------------------- trigonometry
_floating("sin", lambda xp, x: xp.sin(x), slope(lambda xp, out, x: xp.cos(x)))
_floating("cos", lambda xp, x: xp.cos(x), slope(lambda xp, out, x: -xp.sin(x)))
_floating("tan", lambda xp, x: xp.tan(x), slope(lambda xp, out, x: 1 + out * out), RESULT)
_floating("asin", lambda xp, x: xp.arcsin(x), slope(lambda xp, out, x: 1 / xp.sqrt(1 - x * x)), also=("arcsin",))
_floating("acos", lambda xp, x: xp.arccos(x), slope(lambda xp, out, x: -1 / xp.sqrt(1 - x * x)), also=("arccos",))
_floating("atan", lambda xp, x: xp.arctan(x), over(lambda xp, out, x: x * x + 1), also=("arctan",))
_floating("sinh", lambda xp, x: xp.sinh(x), slope(lambda xp, out, x: xp.cosh(x)))
_floating("cosh", lambda xp, x: xp.cosh(x), slope(lambda xp, out, x: xp.sinh(x)))
_floating("tanh", lambda xp, x: xp.tanh(x), slope(lambda xp, out, x: 1 - out * out), RESULT)
_floating("asinh", lambda xp, x: xp.arcsinh(x), slope(lambda xp, out, x: 1 / xp.sqrt(x * x + 1)), also=("arcsinh",))
# the product of two roots keeps acosh on torch's branch for complex arguments
_floating("acosh", lambda xp, x: xp.arccosh(x),
          slope(lambda xp, out, x: 1 / (xp.sqrt(x - 1) * xp.sqrt(x + 1)) if x.dtype.kind == "c" else 1 / xp.sqrt(x * x - 1)), also=("arccosh",))
_floating("atanh", lambda xp, x: xp.arctanh(x), over(lambda xp, out, x: 1 - x * x), also=("arctanh",))
_floating("sigmoid", lambda xp, x: 1 / (1 + xp.exp(-x)), slope(lambda xp, out, x: out * (1 - out)), RESULT, ("special.expit",))


def _by_factor(name: str, factor: float, grad: str) -> None:
    op = unary(f"{name}(input)", lambda xp, x: x * factor, kind=INT_TO_FLOAT, grad=grad, saves=(), vjp=lambda xp, g, out, x: g * factor)
    guard(refuse_complex(f"{name} is not supported for complex tensors.", RuntimeError), op)


_by_factor("deg2rad", math.pi / 180, "Deg2RadBackward0")
_by_factor("rad2deg", 180 / math.pi, "Rad2DegBackward0")


# ---------------------------------------------------------------- rounding
def _unless_whole(rounding: Callable) -> Callable:
    """A rounding body that leaves integers as they are."""
    return lambda xp, x: x if x.dtype.kind in "iu" else rounding(xp, x)


def _round_op(name: str, rounding: Callable, also: tuple = ()) -> None:
    op = unary(f"{name}(input)", _unless_whole(rounding), saves=(), vjp=zeros, refuse=(dt.bool_,), kernel=f"{name}_vml_cpu", also=also)
    guard(refuse_complex(f"{name} is not supported for complex inputs"), op)


_round_op("floor", lambda xp, x: xp.floor(x))
_round_op("ceil", lambda xp, x: xp.ceil(x))
_round_op("trunc", lambda xp, x: xp.trunc(x), ("fix",))
unary("frac(input)", lambda xp, x: x - xp.trunc(x), saves=(), vjp=same, refuse=(dt.bool_, *INTEGERS, *COMPLEX_DTYPES))
round_op = internal("round", _unless_whole(lambda xp, x: xp.rint(x)), grad="RoundBackward0", vjp=(zeros,), refuse=(dt.bool_, *COMPLEX_DTYPES),
                    kernel="round_vml_cpu")


def _round_body(xp, x, *, decimals):
    if decimals == 0:
        return xp.rint(x)
    scale = 10.0 ** abs(decimals)
    return xp.rint(x * scale) / scale if decimals > 0 else xp.rint(x / scale) * scale


round_decimals, round_to_whole = [
    internal(name, _round_body, grad="RoundBackward1", vjp=(zeros,), refuse=(dt.bool_, *INTEGERS, *COMPLEX_DTYPES), kernel=kernel)
    for name, kernel in (("round decimals", "round_cpu"), ("round to 0 decimals", "round_vml_cpu"))]


def _choose_round(input, decimals):
    if decimals is None:
        return round_op, (input,)
    if decimals.__class__ is not int:
        raise TypeError(f"round() received an invalid combination of arguments - got (Tensor, decimals={type(decimals).__name__}), but expected one "
                        "of:\n * (Tensor input, *, Tensor out = None)\n * (Tensor input, *, int decimals, Tensor out = None)\n")
    return round_decimals if decimals else round_to_whole, (input,), (("decimals", decimals),)


choice("round(input, *, decimals=None)", _choose_round, doc="The nearest integer, halves to even; with `decimals`, the nearest multiple of "
                                                            "10 ** -decimals. Raises RuntimeError for bool and complex.")


@public("special.round", method=False, out=True)
def special_round(input, *, decimals=0):
    """torch.round with `decimals` 0 by default."""
    return call(*_choose_round(input, decimals))


# ---------------------------------------------------------------- signs
def sign(xp, x):
    """-1, 0 or 1; 0 for NaN, as in torch."""
    if x.dtype.kind in "bu":
        return (x != 0).astype(x.dtype)
    made = xp.sign(x)
    return xp.where((x != x) | (x == 0), xp.zeros_like(made), made)  # JAX has -0 at -0


def unit(xp, x):
    """x / |x|, and 0 at 0."""
    if x.dtype.kind != "c":
        return sign(xp, x)
    size = xp.abs(x)
    return xp.where(size == 0, xp.zeros_like(x), x / xp.where(size == 0, xp.ones_like(size), size))


def _sgn_rule(xp, g, out, x):
    if x.dtype.kind != "c":
        return xp.zeros_like(g)
    size = xp.abs(x)
    turned = g - out * xp.real(xp.conj(out) * g)
    return xp.where(size == 0, xp.zeros_like(turned), turned / xp.where(size == 0, xp.ones_like(size), size))


abs_op = unary("abs(input)", lambda xp, x: xp.abs(x), kind=COMPLEX_TO_FLOAT, refuse=(dt.bool_,), also=("absolute",), inplace=False,
               vjp=lambda xp, g, out, x: g * unit(xp, x))
abs_op.layout = by_kind(like_strides, elementwise_strides)
sign_op = unary("sign(input)", sign, kind=NO_OPMATH, saves=(), vjp=zeros)
guard(refuse_complex("Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."), sign_op)
sgn_op = internal("sgn", unit, grad=zero_gradient("SgnBackward0"), saves=(0,), vjp=(_sgn_rule,))
sgn_complex_op = internal("sgn of complex", unit, grad="SgnBackward0", saves=(0,), vjp=(_sgn_rule,))
half_complex(abs_op, sgn_complex_op)


@public("sgn", inplace=True, out=True)
def sgn(input):
    """input / |input|, and 0 at 0: the sign of real numbers. The gradient of those is 0 without memory, as in torch."""
    if input._spec.dtype.category == COMPLEX:
        return call(sgn_complex_op, (input,))
    return ask_node(call(sgn_op, (input,)))


signbit_op = unary("signbit(input)", lambda xp, x: xp.signbit(x) if x.dtype.kind not in "biu" else x < 0, kind=ALWAYS_BOOL, grad=None, inplace=False)
guard(refuse_complex("signbit is not implemented for complex tensors."), signbit_op)


@public("abs_", also=("absolute_",))
def abs_(input):
    """In-place abs(). Raises RuntimeError for complex tensors, whose absolute values are real."""
    if input._spec.dtype.category == COMPLEX:
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    check_writable(input)
    return write_elementwise(abs_op, input, (input,))


@public("positive")
def positive(input):
    """The tensor itself. Raises RuntimeError for bool."""
    if input._spec.dtype is dt.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


register(METHODS, "__pos__", METHODS["positive"])
register(METHODS, "__abs__", METHODS["abs"])
__all__ = ["complex_of", "conj", "over", "slope", "unit", "unsigned_zero", "zeros"]
