"""Division in all its roundings: div, floor_divide, remainder, fmod, reciprocal, gcd, lcm, with Python's `/`, `//` and `%`.

Integer division by zero is found by a check: at the call where the divisor is known on the host, else when the program has run.
"""
from __future__ import annotations

from .. import _dtype as dt
from .._core.op import Op
from .declare import INT_TO_FLOAT, binary, internal, narrow, same, unary
from .guards import (
    COMPLEX_DTYPES,
    NUMBERS,
    REAL_FLOATS,
    as_operands,
    choice,
    guard,
    is_integral,
    operator,
    tensor_first,
    tensors_only,
)
from .variants import tensor_or_number

true_div = internal("true_divide", lambda xp, a, b: xp.divide(a, b), kind=INT_TO_FLOAT, grad="DivBackward0", saves=((0, 1), 1), kernel="div_cpu",
                    vjp=(lambda xp, g, out, a, b: g / xp.conj(b), lambda xp, g, out, a, b: -g * xp.conj(out / b)))
reciprocal = unary("reciprocal(input)", lambda xp, x: 1 / x, kind=INT_TO_FLOAT, saves=("result",), vjp=lambda xp, g, out, x: -g * xp.conj(out * out))


# ---------------------------------------------------------------- bodies
def _python_mod(xp, a, b):
    """The remainder with the divisor's sign."""
    m = xp.fmod(a, b)
    return xp.where((m != 0) & ((b < 0) != (m < 0)), m + b, m)


def _floor_floats(xp, a, b):
    """Floor of the exact quotient, through fmod so that rounding of a / b cannot lift it over an integer; a / b where b is 0."""
    m = xp.fmod(a, b)
    quotient = (a - m) / b
    quotient = xp.where((m != 0) & ((b < 0) != (m < 0)), quotient - 1, quotient)
    floor = xp.floor(quotient)
    floor = xp.where(quotient - floor > 0.5, floor + 1, floor)
    floor = xp.where(quotient == 0, xp.copysign(xp.zeros_like(quotient), a / b), floor)
    return xp.where(b == 0, a / b, floor)


def _floor(xp, a, b):
    return xp.floor_divide(a, b) if a.dtype.kind in "iu" else _floor_floats(xp, a, b)


def _trunc(xp, a, b):
    if a.dtype.kind not in "iu":
        return xp.trunc(a / b)
    q = xp.floor_divide(a, b)
    return q + ((a - q * b != 0) & ((a < 0) != (b < 0))).astype(q.dtype)


def _zero(xp, g, out, a, b):
    return xp.zeros_like(g)


def _divisor_is_zero(xp, a, b):
    shape = getattr(a, "shape", ())
    return xp.any(xp.equal(b, 0)) & (0 not in shape)


def _zero_division(code, argtypes, static):
    return RuntimeError("ZeroDivisionError")


def _pair(name: str, body, grad: str, kernel: str, saves: tuple = (), vjp: tuple | None = None,
          rounds: bool = False) -> tuple[Op, Op]:
    """The op for floats, and its twin for integers that checks for zero divisors (and so can have no gradient). `rounds`: see declare.narrow."""
    refuse = (dt.bool_, *COMPLEX_DTYPES)
    floats = internal(name, body, grad=grad, saves=saves, vjp=vjp, refuse=refuse, kernel=kernel)
    integers = internal(name + " of integers", body, refuse=refuse, kernel=kernel)
    if rounds:
        narrow(floats)
    integers.check, integers.checked, integers.complain = _divisor_is_zero, (1,), _zero_division
    return floats, integers


def _choosing(pair: tuple[Op, Op], operands=lambda a, b: (tensor_or_number(a), tensor_or_number(b))):
    floats, integers = pair

    def choose(input, other):
        input, other = operands(input, other)
        return (integers if is_integral(input, other) else floats), (input, other)
    return choose


# ---------------------------------------------------------------- div and floor_divide
_div_floor = _choosing(_pair("div floor", _floor, "DivBackward2", "div_floor_cpu", vjp=(_zero, _zero)), as_operands)
_div_trunc = _choosing(_pair("div trunc", _trunc, "DivBackward2", "div_trunc_cpu", vjp=(_zero, _zero)), as_operands)
_floor_divide = _choosing(_pair("floor_divide", _floor, "NotImplemented", "div_floor_cpu"), as_operands)


def _choose_div(input, other, rounding_mode):
    if rounding_mode is None:
        return true_div, as_operands(input, other)
    if rounding_mode == "floor":
        return _div_floor(input, other)
    if rounding_mode == "trunc":
        return _div_trunc(input, other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


choice("div(input, other, *, rounding_mode=None)", _choose_div, also=("divide",),
       doc="input / other; integers give the default float dtype. `rounding_mode` None, \"trunc\" or \"floor\" (then integers stay integers).\n\n"
           "    Raises RuntimeError (\"ZeroDivisionError\") where a rounded integer division meets a zero.")
choice("true_divide(input, other)", lambda input, other: (true_div, as_operands(input, other)),
       doc="input / other; integers give the default float dtype.")
choice("floor_divide(input, other)", _floor_divide,
       doc="The floor of input / other. Not differentiable. Raises RuntimeError (\"ZeroDivisionError\") for a zero integer divisor.")

# ---------------------------------------------------------------- remainders
_REMAINDER_RULES = (same, lambda xp, g, out, a, b: -g * _floor_floats(xp, a, b))
_FMOD_RULES = (same, lambda xp, g, out, a, b: -g * xp.trunc(a / b))
_remainder = _choosing(_pair("remainder", _python_mod, "RemainderBackward1", "remainder_cpu", ((0, 1), (1, 1)), _REMAINDER_RULES, True))
_remainder_number = _choosing(_pair("remainder number", _python_mod, "RemainderBackward0", "remainder_cpu", (), _REMAINDER_RULES, True))
_number_remainder = _choosing(_pair("remainder of number", _python_mod, "NotImplemented", "remainder_cpu", rounds=True))
_fmods = [_pair("fmod", lambda xp, a, b: xp.fmod(a, b), "FmodBackward1", "fmod_cpu", ((0, 1), (1, 1)), _FMOD_RULES, True),
          _pair("fmod number", lambda xp, a, b: xp.fmod(a, b), "FmodBackward0", "fmod_cpu", (), _FMOD_RULES, True)]
guard(tensor_first("fmod"), *_fmods[0], *_fmods[1])
_fmod, _fmod_number = map(_choosing, _fmods)

def _choose_remainder(input, other):
    other = tensor_or_number(other)
    if other.__class__ in NUMBERS:
        return _remainder_number(input, other)
    return _number_remainder(input, other) if input.__class__ in NUMBERS else _remainder(input, other)


def _choose_fmod(input, other):
    other = tensor_or_number(other)
    return _fmod_number(input, other) if other.__class__ in NUMBERS else _fmod(input, other)


choice("remainder(input, other)", _choose_remainder,
       doc="The remainder of input / other with the divisor's sign (Python's %). Raises RuntimeError for a zero integer divisor.")
choice("fmod(input, other)", _choose_fmod,
       doc="The remainder of input / other with the dividend's sign (C's fmod). Raises RuntimeError for a zero integer divisor.")


# ---------------------------------------------------------------- common divisors
for _name, _body in (("gcd", lambda xp, a, b: xp.gcd(a, b)), ("lcm", lambda xp, a, b: xp.lcm(a, b))):
    guard(tensors_only(_name, "input", "other"),
          binary(f"{_name}(input, other)", _body, grad=None, refuse=(dt.bool_, *REAL_FLOATS, *COMPLEX_DTYPES)))


# ---------------------------------------------------------------- operators
def _divide_by(self, other):
    # torch multiplies by the reciprocal, which shows in the graph and in the last bit
    return self.reciprocal() * other


operator("truediv", lambda a, b: (true_div, (a, b)), reflected=_divide_by)
operator("div", lambda a, b: (true_div, (a, b)), reflected=_divide_by)
operator("floordiv", _floor_divide)
operator("mod", _choose_remainder)

__all__ = ["true_div"]
