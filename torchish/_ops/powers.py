"""Powers: pow in its three forms, float_power, square, with Python's `**`.

Note [Fixed exponents]: a number as exponent is an operand like any other (a changing one must not recompile), except the few that torch
computes without the power function (2, 3, 1/2, ...). Those are static parameters, so that the program multiplies.
"""
from __future__ import annotations

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.spec import Spec
from .._dtype import COMPLEX, FLOATING
from .conversion import converted
from .declare import BOOL_TO_LONG, half_body, internal, narrow
from .guards import NUMBERS, choice, guard, operator
from .halves import rounded, tail_rounded
from .layout import elementwise_strides
from .scalar_value import fits_with
from .variants import METHODS, register, tensor_or_number


# ---------------------------------------------------------------- bodies and rules
def _power(xp, a, b):
    kind = a.dtype.kind
    if kind == "b":
        return a | ~b
    if kind == "c":
        return _complex_power(xp, a, b)
    if kind == "f":
        return xp.power(a, b)
    whole = xp.power(a, xp.where(b < 0, xp.zeros_like(b), b))
    # negative powers of integers truncate: only those of 1 and -1 are not 0
    odd = xp.where(b % 2 == 0, xp.ones_like(a), a)
    return xp.where(b < 0, xp.where((a == 1) | (a == -1), odd, xp.zeros_like(a)), whole)


def _number_rule(xp, g, out, a, b):
    """As `_base_rule`; the power of the derivative is a root where torch takes one, which shows at -0 and -inf."""
    if a.dtype.kind != "f":
        return _base_rule(xp, g, out, a, b)
    root = b == 1.5
    power = xp.where(root, xp.sqrt(xp.where(root, a, xp.ones_like(a))), xp.power(xp.where(root, xp.ones_like(a), a), b - 1))
    return xp.where(b == 0, xp.zeros_like(g), g * (b * power))


def _complex_power(xp, a, b):
    """exp(b * log(a)), as C's cpow has it: whole exponents are not exact, and 0 to the power of 0 is NaN."""
    return xp.exp(b * xp.log(a))


def _base_rule(xp, g, out, a, b):
    return xp.where(b == 0, xp.zeros_like(g), g * xp.conj(b * xp.power(a, b - 1)))


def _exponent_rule(xp, g, out, a, b):
    slope = g * xp.conj(out * xp.log(a))
    return xp.where((a == 0) & (xp.real(b) >= 0), xp.zeros_like(slope), slope)


FIXED = {2: lambda xp, x: x * x, 3: lambda xp, x: x * x * x, 0.5: lambda xp, x: xp.sqrt(x), -0.5: lambda xp, x: 1 / xp.sqrt(x),
         -1: lambda xp, x: 1 / x, -2: lambda xp, x: 1 / (x * x), 1: lambda xp, x: x, 0: lambda xp, x: xp.ones_like(x)}
SLOPES = {2: lambda xp, x: 2 * x, 3: lambda xp, x: 3 * (x * x), 0.5: lambda xp, x: 0.5 / xp.sqrt(x), -0.5: lambda xp, x: -0.5 / (x * xp.sqrt(x)),
          -1: lambda xp, x: -1 / (x * x), -2: lambda xp, x: -2 / (x * x * x), 1: lambda xp, x: xp.ones_like(x), 0: lambda xp, x: xp.zeros_like(x)}
STATIC = {e: (("exponent", e),) for e in FIXED}


def _fixed_rule(xp, g, out, x, *, exponent):
    return g * xp.conj(SLOPES[exponent](xp, x))


pow_fixed = internal("pow fixed", lambda xp, x, *, exponent: FIXED[exponent](xp, x), grad="PowBackward0", saves=(0,), vjp=(_fixed_rule,))
pow_number = internal("pow number", _power, kernel="pow", grad="PowBackward0", saves=(0,), vjp=(_number_rule, _exponent_rule),
                      layout=elementwise_strides)
pow_tensor = internal("pow", _power, grad="PowBackward1", saves=(0, 1, "result"), vjp=(_base_rule, _exponent_rule), refuse=(dt.bool_,), kernel="pow")
number_pow = internal("pow of number", _power, grad="PowBackward2", saves=(1, "result"), vjp=(_base_rule, _exponent_rule),
                      refuse=(dt.bool_,), kernel="pow", layout=elementwise_strides)
square_integers = internal("square", lambda xp, x: x * x, kind=BOOL_TO_LONG)


narrow(pow_number, pow_tensor, number_pow)
_HALF_STEPS = {3: lambda xp, half, x: rounded(xp, x * x, half) * x, -2: lambda xp, half, x: 1 / rounded(xp, x * x, half),
               -0.5: lambda xp, half, x: 1 / tail_rounded(xp, xp.sqrt(x), half, x.shape)}


def _pow_fixed_half(xp, half, x, *, exponent):
    if half is dt.bfloat16 and exponent in _HALF_STEPS:
        return _HALF_STEPS[exponent](xp, half, x)
    return FIXED[exponent](xp, x)


half_body(_pow_fixed_half, pow_fixed)


def _some_tensor(argtypes):
    if not any(a.__class__ is Spec for a in argtypes) or any(a.__class__ is not Spec and a not in NUMBERS for a in argtypes):
        got = ", ".join("Tensor" if a.__class__ is Spec else a.__name__ for a in argtypes)
        raise TypeError(f"pow() received an invalid combination of arguments - got ({got}), but expected one of:\n"
                        " * (Tensor input, Tensor exponent, *, Tensor out = None)\n * (Number self, Tensor exponent, *, Tensor out = None)\n"
                        " * (Tensor input, Number exponent, *, Tensor out = None)\n")


guard(_some_tensor, pow_number, pow_tensor, number_pow)


# ---------------------------------------------------------------- public forms
def _choose_pow(input, exponent):
    kind = exponent.__class__
    if kind is int or kind is float:
        if isinstance(input, TensorBase):
            category = input._spec.dtype.category
            if category >= FLOATING:
                return (pow_fixed, (input,), STATIC[exponent]) if exponent in STATIC else (
                    pow_number, (input, fits_with(exponent, input)))
            if kind is int and exponent < 0:
                raise RuntimeError("Integers to negative integer powers are not allowed.")
        return pow_number, (input, fits_with(exponent, input))
    exponent = tensor_or_number(exponent)
    if exponent.__class__ in NUMBERS:
        return pow_number, (input, exponent)
    return (number_pow if input.__class__ in NUMBERS else pow_tensor), (tensor_or_number(input), exponent)


def _choose_square(input):
    if isinstance(input, TensorBase) and input._spec.dtype.category >= FLOATING:
        return pow_fixed, (input,), STATIC[2]
    return square_integers, (input,)


pow = choice("pow(input, exponent)", _choose_pow,
             doc="input ** exponent, either a number or both tensors. Raises RuntimeError for integers to negative integer powers.")
choice("square(input)", _choose_square, doc="The square of each element.")


def _wide(input, exponent):
    """Both operands as float_power computes them: float64, or complex128 where one is complex."""
    kinds = [a._spec.dtype.category == COMPLEX if isinstance(a, TensorBase) else a.__class__ is complex for a in (input, exponent)]
    target = dt.complex128 if any(kinds) else dt.float64
    return target, [converted(a, target) if isinstance(a, TensorBase) else (complex if target is dt.complex128 else float)(a)
                    for a in (input, exponent)]


def _choose_float_power(input, exponent):
    return _choose_pow(*_wide(tensor_or_number(input), tensor_or_number(exponent))[1])


choice("float_power(input, exponent)", _choose_float_power, inplace=False,
       doc="input ** exponent computed in float64, or complex128 where an operand is complex.")


def _float_power_(self, exponent):
    target, _ = _wide(self, tensor_or_number(exponent))
    if self._spec.dtype is not target:
        raise RuntimeError(f"the base given to float_power_ has dtype {self._spec.dtype.legacy} but the operation's result requires dtype "
                           f"{target.legacy}")
    return METHODS["pow_"](self, exponent)


register(METHODS, "float_power_", _float_power_)
operator("pow", _choose_pow)

__all__ = ["pow"]
