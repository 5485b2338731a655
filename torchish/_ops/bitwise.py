"""Bitwise and logical operations on integers and bool, shifts, and the operators `& | ^ ~ << >>`."""
from __future__ import annotations

from .. import _dtype as dt
from .declare import ALWAYS_BOOL, NO_OPMATH, binary, internal, unary
from .guards import COMPLEX_DTYPES, REAL_FLOATS, choice, guard, operator, tensors_only
from .variants import METHODS, register, tensor_or_number

FLOATS = (*REAL_FLOATS, *COMPLEX_DTYPES)


# ---------------------------------------------------------------- and, or, xor, not
def _choice_of(op):
    def choose(input, other):
        return op, (tensor_or_number(input), tensor_or_number(other))
    return choose


def _bitwise(name: str, body) -> None:
    op = internal(f"bitwise_{name}", body, kind=NO_OPMATH, refuse=FLOATS, kernel=f"bitwise_{name}_cpu")
    choose = _choice_of(op)
    choice(f"bitwise_{name}(input, other)", choose, doc=f"Bitwise {name} of integers, logical {name} of bool. Raises RuntimeError for floats.")
    operator(name, choose)


_bitwise("and", lambda xp, a, b: xp.bitwise_and(a, b))
_bitwise("or", lambda xp, a, b: xp.bitwise_or(a, b))
_bitwise("xor", lambda xp, a, b: xp.bitwise_xor(a, b))
unary("bitwise_not(input)", lambda xp, x: xp.invert(x), kind=NO_OPMATH, grad=None, refuse=FLOATS)


def _invert(self):
    if self._spec.dtype.category > dt.INTEGER:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return METHODS["bitwise_not"](self)


register(METHODS, "__invert__", _invert)


# ---------------------------------------------------------------- shifts
def _left(xp, a, b):
    bits = a.dtype.itemsize * 8
    fits = (b >= 0) & (b < bits)
    return xp.where(fits, xp.left_shift(a, xp.where(fits, b, xp.zeros_like(b))), xp.zeros_like(a))


def _right(xp, a, b):
    # a count out of range leaves the sign alone: as shifting by all bits but one (twice for unsigned)
    bits = a.dtype.itemsize * 8
    fits = (b >= 0) & (b < bits)
    if a.dtype.kind == "u":
        return xp.where(fits, xp.right_shift(a, xp.where(fits, b, xp.zeros_like(b))), xp.zeros_like(a))
    return xp.right_shift(a, xp.where(fits, b, xp.full_like(b, bits - 1)))


def _shift(name: str, body) -> None:
    op = internal(f"bitwise_{name}_shift", body, kind=NO_OPMATH, refuse=(dt.bool_, *FLOATS), kernel=f"{name[0]}shift_cpu")
    choose = _choice_of(op)
    choice(f"bitwise_{name}_shift(input, other)", choose,
           doc=f"The bits of input moved {name} by other places; counts out of range leave 0 (or the sign). Raises RuntimeError for floats.")
    operator(f"{name[0]}shift", choose)


_shift("left", _left)
_shift("right", _right)


# ---------------------------------------------------------------- logical operations
def _logical(name: str, body) -> None:
    op = binary(f"logical_{name}(input, other)", body, kind=ALWAYS_BOOL, grad=None)
    guard(tensors_only(f"logical_{name}", "input", "other"), op)


_logical("and", lambda xp, a, b: (a != 0) & (b != 0))
_logical("or", lambda xp, a, b: (a != 0) | (b != 0))
_logical("xor", lambda xp, a, b: (a != 0) ^ (b != 0))
unary("logical_not(input)", lambda xp, x: x == 0, kind=ALWAYS_BOOL, grad=None)

__all__ = ["FLOATS"]
