"""Element-wise functions of two tensors other than arithmetic: atan2, hypot, copysign, logaddexp, xlogy, heaviside, ldexp, nextafter."""
from __future__ import annotations

import math

import jax
import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.spec import Spec
from .declare import INT_TO_FLOAT, NO_OPMATH, binary, broadcast_shapes, half_body, internal, narrow, promoted
from .guards import COMPLEX_DTYPES, INTEGERS, NUMBERS, choice, guard, refuse_complex, tensor_first, tensors_only
from .halves import rounded
from .pointwise import LN2, conj, zeros
from .rounding import fused
from .variants import tensor_or_number

_NOT_FLOAT = (dt.bool_, *INTEGERS)


# ---------------------------------------------------------------- geometry
def _atan2_rule(mine: bool):
    def rule(xp, g, out, a, b):
        square = a * a + b * b
        slope = xp.where(square == 0, xp.zeros_like(square), 1 / square)
        return g * b * slope if mine else g * -a * slope
    return rule


def _pair(signature: str, body, **more) -> Op:
    """A function of two tensors that refuses numbers."""
    name, _, rest = signature.partition("(")
    op = binary(signature, body, **more)
    guard(tensors_only(name, *rest.rstrip(")").split(", ")), op)
    return op


_pair("atan2(input, other)", lambda xp, a, b: xp.arctan2(a, b), kind=INT_TO_FLOAT, refuse=COMPLEX_DTYPES, also=("arctan2",),
      vjp=(_atan2_rule(True), _atan2_rule(False)))
_pair("hypot(input, other)", lambda xp, a, b: xp.hypot(a, b), refuse=(*_NOT_FLOAT, *COMPLEX_DTYPES), saves=(0, 1, "result"),
      vjp=(lambda xp, g, out, a, b: g * (a / out), lambda xp, g, out, a, b: g * (b / out)))


def _nextafter(xp, a, b):
    # jax.numpy has no derivative for it, which the second order would ask for
    made = np.nextafter(a, b) if xp is np else xp.nextafter(jax.lax.stop_gradient(a), jax.lax.stop_gradient(b))
    return xp.where(a == b, b, made)  # as C has it, which shows in the sign of zero


_pair("nextafter(input, other)", _nextafter, kind=NO_OPMATH, refuse=(*_NOT_FLOAT, *COMPLEX_DTYPES),
      vjp=(lambda xp, g, out, a, b: xp.where(a == b, xp.zeros_like(g), g), zeros))


def _copysign_rule(xp, g, out, a, b):
    return xp.where(a == 0, xp.zeros_like(g), g * (out / xp.where(a == 0, xp.ones_like(a), a)))


def _copysign(name: str, grad: str):
    return internal(name, lambda xp, a, b: xp.copysign(a, b), kind=INT_TO_FLOAT, grad=grad, saves=(0, "result"), vjp=(_copysign_rule, zeros),
                    refuse=COMPLEX_DTYPES, kernel="copysign_cpu")


copysign_tensor, copysign_number = _copysign("copysign", "CopysignBackward0"), _copysign("copysign number", "CopysignBackward1")
guard(tensor_first("copysign"), copysign_tensor, copysign_number)


def _choose_copysign(input, other):
    other = tensor_or_number(other)
    return (copysign_number if other.__class__ in NUMBERS else copysign_tensor), (input, other)


choice("copysign(input, other)", _choose_copysign, doc="The magnitude of input with the sign of other.")


# ---------------------------------------------------------------- logarithms of sums
def _logaddexp(xp, a, b, exp, log1p):
    if a.dtype.kind == "c":
        first = xp.real(a) >= xp.real(b)
        a, b = xp.where(first, a, b), xp.where(first, b, a)
        return xp.where((a == b) & xp.isinf(xp.real(a)), a, a + log1p(exp(b - a)))
    high, low = xp.maximum(a, b), xp.minimum(a, b)
    return xp.where((a == b) & xp.isinf(a), a, high + log1p(exp(low - high)))


def _share(exp):
    """The rules: each operand's share of the sum, 1 / (1 + base ** (other - self))."""
    return (lambda xp, g, out, a, b: g / conj(xp, 1 + exp(xp, b - a)), lambda xp, g, out, a, b: g / conj(xp, 1 + exp(xp, a - b)))


_pair("logaddexp(input, other)", lambda xp, a, b: _logaddexp(xp, a, b, xp.exp, xp.log1p), refuse=_NOT_FLOAT, inplace=False,
      vjp=_share(lambda xp, x: xp.exp(x)))


def _logaddexp2(xp, a, b):
    high, low = xp.maximum(a, b), xp.minimum(a, b)
    rest = xp.log1p(xp.exp2(low - high))
    # one rounding, as torch has it, shows where the sum is 0
    return xp.where((a == b) & xp.isinf(a), a, fused(xp, rest, np.asarray(1 / LN2, rest.dtype), high))


_pair("logaddexp2(input, other)", _logaddexp2,
      refuse=(*_NOT_FLOAT, *COMPLEX_DTYPES), inplace=False, vjp=_share(lambda xp, x: xp.exp2(x)))


# ---------------------------------------------------------------- xlogy, ldexp, heaviside
def _xlogy(xp, a, b, log=None):
    return xp.where(xp.isnan(b), xp.full_like(b, math.nan), xp.where(a == 0, xp.zeros_like(b), a * (log or xp.log)(b)))


_XLOGY_RULES = (lambda xp, g, out, a, b: xp.where((a == 0) & (b <= 0), xp.zeros_like(g), g * xp.log(b)), lambda xp, g, out, a, b: g * a / b)
_xlogy_ops = [internal(name, _xlogy, kind=INT_TO_FLOAT, grad=f"XlogyBackward{i}", saves=saves, vjp=_XLOGY_RULES, refuse=COMPLEX_DTYPES,
                       kernel="xlogy_cpu") for i, (name, saves) in enumerate((("xlogy", (0, 1)), ("xlogy of number", (1,)), ("xlogy number", (0,))))]


narrow(*_xlogy_ops)
half_body(lambda xp, half, a, b: _xlogy(xp, a, b, lambda x: rounded(xp, xp.log(x), half)), *_xlogy_ops)


def _choose_xlogy(input, other):
    input, other = tensor_or_number(input), tensor_or_number(other)
    return _xlogy_ops[2 if other.__class__ in NUMBERS else 1 if input.__class__ in NUMBERS else 0], (input, other)


choice("xlogy(input, other)", _choose_xlogy, also=("special.xlogy",), function_inplace=True,
       doc="input * log(other), 0 where input is 0 and NaN where other is NaN.")
def _power_of_bool(argtypes):
    """torch computes 2 to the power of `other` first, as a float or complex power where `input` is one."""
    a, b = argtypes
    if a.__class__ is not Spec or b.__class__ is not Spec:
        return
    if a.dtype.category == dt.COMPLEX and promoted((complex, b)) is dt.complex32:
        raise NotImplementedError("\"pow\" not implemented for 'ComplexHalf'")
    broadcast_shapes([a.shape, b.shape])
    if b.dtype is dt.bool_ and a.dtype.category == dt.FLOATING:
        raise NotImplementedError("\"ldexp_cpu_exp\" not implemented for 'Bool'")


ldexp_op = _pair("ldexp(input, other)", lambda xp, a, b: a * xp.exp2(b), kind=INT_TO_FLOAT, saves=(1, "result"),
                 vjp=(lambda xp, g, out, a, b: g * conj(xp, xp.exp2(b)), lambda xp, g, out, a, b: g * conj(xp, out * LN2)))
guard(_power_of_bool, ldexp_op)
half_body(lambda xp, half, a, b: a * rounded(xp, xp.exp2(b), half), ldexp_op)


def _one_dtype(argtypes):
    if all(a.__class__ is Spec for a in argtypes) and argtypes[0].dtype is not argtypes[1].dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


heaviside_op = binary("heaviside(input, values)", lambda xp, x, at_zero: xp.where(x == 0, at_zero, (x > 0).astype(at_zero.dtype)), kind=NO_OPMATH,
                      grad="NotImplemented")
guard(_one_dtype, heaviside_op)
guard(refuse_complex("heaviside is not yet implemented for complex tensors.", RuntimeError), heaviside_op)
guard(tensors_only("heaviside", "input", "values"), heaviside_op)

__all__ = ["heaviside_op"]
