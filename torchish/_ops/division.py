"""Division in all its roundings: div, floor_divide, remainder, fmod, reciprocal, gcd, lcm, with Python's `/`, `//` and `%`.

Integer division by zero is found by a check: at the call where the divisor is known on the host, else when the program has run.
"""
from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt
from .._core.evaluate import GATHERED_COST, GATHERED_NODES, read
from .._core.handle import TensorBase, from_array
from .._core.op import Op
from .._core.record import call
from .._core.tape import state
from .declare import INT_TO_FLOAT, binary, half_body, internal, narrow, same, unary
from .guards import (
    COMPLEX_DTYPES,
    NUMBERS,
    REAL_FLOATS,
    as_operands,
    choice,
    common_dtype,
    guard,
    is_integral,
    operator,
    tensor_first,
    tensors_only,
)
from .halves import tail_rounded
from .pointwise import complex_of
from .rounding import fused
from .variants import METHODS, assign, tensor_or_number


def _quotient(xp, a, b):
    return _complex_quotient(a, b) if xp is np and a.dtype.kind == "c" else xp.divide(a, b)


def _complex_quotient(a, b):
    """Smith's algorithm with fused multiply-adds, as torch's is compiled: their residue shows where a quotient is 1."""
    big = np.abs(b.real) >= np.abs(b.imag)
    c, d = np.where(big, b.real, b.imag), np.where(big, b.imag, b.real)
    x, y = np.where(big, a.real, a.imag), np.where(big, a.imag, a.real)
    ratio = d / c
    scale = 1 / fused(np, d, ratio, c)
    imag = np.where(big, fused(np, -x, ratio, y), fused(np, x, ratio, -y)) * scale
    zero = (b.real == 0) & (b.imag == 0)
    return complex_of(np, np.where(zero, a.real / np.abs(b.real), fused(np, y, ratio, x) * scale), np.where(zero, a.imag / np.abs(b.imag), imag))


true_div = internal("true_divide", _quotient, kind=INT_TO_FLOAT, grad="DivBackward0", saves=((0, 1), 1), kernel="div_cpu",
                    vjp=(lambda xp, g, out, a, b: g / xp.conj(b), lambda xp, g, out, a, b: -g * xp.conj(out / b)))
narrow(true_div, wide=(1,))
reciprocal = unary("reciprocal(input)", lambda xp, x: 1 / x, kind=INT_TO_FLOAT, saves=("result",), vjp=lambda xp, g, out, x: -g * xp.conj(out * out))


# ---------------------------------------------------------------- bodies
def _python_mod(xp, a, b):
    """The remainder with the divisor's sign."""
    m = xp.fmod(a, b)
    return xp.where((m != 0) & ((b < 0) != (m < 0)), m + b, m)


def _floor_floats(xp, a, b, step=lambda x: x):
    """Floor of the exact quotient, through fmod so that rounding of a / b cannot lift it over an integer; a / b where b is 0."""
    m = xp.fmod(a, b)
    quotient = step(step(a - m) / b)
    quotient = xp.where((m != 0) & ((b < 0) != (m < 0)), quotient - 1, quotient)
    floor = xp.floor(quotient)
    floor = xp.where(quotient - floor > 0.5, floor + 1, floor)
    floor = xp.where(quotient == 0, xp.copysign(xp.zeros_like(quotient), a / b), floor)
    return xp.where(b == 0, a / b, floor)


def _floor_half(xp, half, a, b):
    """Without a scalar divisor torch rounds to the half after each step."""
    if b.ndim == 0 < a.ndim:
        return _floor_floats(xp, a, b)
    return _floor_floats(xp, a, b, lambda x: tail_rounded(xp, x, half, np.broadcast_shapes(a.shape, b.shape)))


def _floor(xp, a, b):
    return xp.floor_divide(a, b) if a.dtype.kind in "iu" else _floor_floats(xp, a, b)


def _trunc(xp, a, b):
    if a.dtype.kind not in "iu":
        return xp.trunc(a / b)
    q = xp.floor_divide(a, b)
    return q + ((a - q * b != 0) & ((a < 0) != (b < 0))).astype(q.dtype)


def _zero(xp, g, out, a, b):
    return xp.zeros_like(g)


def _divisor_is_zero(xp, a, b, into=None):
    shape = getattr(a, "shape", ())
    return xp.any(xp.equal(b, 0)) & (0 not in shape)


def _zero_division(code, argtypes, static):
    return RuntimeError("ZeroDivisionError")


def _settled(divisor):
    """A divisor that little pending work computes is computed now, so that a zero in it raises at the call, as in torch."""
    if isinstance(divisor, TensorBase) and state.scope is None and len(nodes := state.tape.nodes) <= GATHERED_NODES:
        value = divisor._read()
        if value.array is None and value.spec.device.type == "cpu" and sum([n.plan.cost for n in nodes]) <= GATHERED_COST:
            value.host = read(value, "integer divisor")
    return divisor


def _write_until_zero(op: Op, self: TensorBase, a, b) -> None:
    """What torch's loop has written of an in-place division when it comes to the first zero; nothing where it computes in another dtype."""
    have = self._spec
    if not isinstance(b, TensorBase) or b._read().array is None or common_dtype((have, b._spec)) is not have.dtype:
        return
    order = sorted(range(have.ndim), key=lambda d: -self._current_strides[d])
    divisor = np.broadcast_to(b._host("integer divisor"), tuple(have.shape))
    along = divisor.transpose(order)
    done = (np.arange(along.size) < np.argmax(along.reshape(-1) == 0)).reshape(along.shape).transpose(np.argsort(order))
    quotients = call(op, (self, from_array(np.where(done, divisor, 1))))
    assign(self, METHODS["where"](quotients, from_array(np.ascontiguousarray(done)), self))
    (self._counter or self._storage).version -= 1  # to torch nothing has happened


def _pair(name: str, body, grad: str, kernel: str, saves: tuple = (), vjp: tuple | None = None,
          wide: tuple = ()) -> tuple[Op, Op]:
    """The op for floats, and its twin for integers that checks for zero divisors (and so can have no gradient). `wide`: see declare.narrow."""
    refuse = (dt.bool_, *COMPLEX_DTYPES)
    floats = internal(name, body, grad=grad, saves=saves, vjp=vjp, refuse=refuse, kernel=kernel)
    integers = internal(name + " of integers", body, refuse=refuse, kernel=kernel)
    narrow(floats, wide=wide)
    if body is _floor:
        half_body(_floor_half, floats)
    integers.check, integers.checked, integers.complain = _divisor_is_zero, (1,), _zero_division
    integers.info.rescue = _write_until_zero
    return floats, integers


def _choosing(pair: tuple[Op, Op], operands=lambda a, b: (tensor_or_number(a), tensor_or_number(b))):
    floats, integers = pair

    def choose(input, other):
        input, other = operands(input, other)
        return (integers, (input, _settled(other))) if is_integral(input, other) else (floats, (input, other))
    return choose


# ---------------------------------------------------------------- div and floor_divide
_div_floor = _choosing(_pair("div floor", _floor, "DivBackward2", "div_floor_cpu", vjp=(_zero, _zero), wide=(1,)), as_operands)
_div_trunc = _choosing(_pair("div trunc", _trunc, "DivBackward2", "div_trunc_cpu", vjp=(_zero, _zero), wide=(1,)), as_operands)
_floor_divide = _choosing(_pair("floor_divide", _floor, "NotImplemented", "div_floor_cpu", wide=(1,)), as_operands)


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
_remainder = _choosing(_pair("remainder", _python_mod, "RemainderBackward1", "remainder_cpu", ((0, 1), (1, 1)), _REMAINDER_RULES))
_remainder_number = _choosing(_pair("remainder number", _python_mod, "RemainderBackward0", "remainder_cpu", (), _REMAINDER_RULES))
_number_remainder = _choosing(_pair("remainder of number", _python_mod, "NotImplemented", "remainder_cpu"))
_fmods = [_pair("fmod", lambda xp, a, b: xp.fmod(a, b), "FmodBackward1", "fmod_cpu", ((0, 1), (1, 1)), _FMOD_RULES),
          _pair("fmod number", lambda xp, a, b: xp.fmod(a, b), "FmodBackward0", "fmod_cpu", (), _FMOD_RULES)]
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
def _gcd(xp, a, b):
    """Euclid's algorithm with C's remainder, so that the smallest integer, whose absolute value overflows, gives torch's results."""
    a, b = xp.abs(a), xp.abs(b)
    if xp is not np:
        a, b = xp.broadcast_arrays(a, b)
        return jax.lax.while_loop(lambda pair: xp.any(pair[0] != 0), lambda pair: _euclid(xp, *pair), (a, b))[1]
    while (a != 0).any():
        a, b = _euclid(np, a, b)
    return np.broadcast_arrays(a, b)[1]


def _euclid(xp, a, b):
    done = a == 0
    return xp.where(done, a, xp.fmod(b, xp.where(done, xp.ones_like(a), a))), xp.where(done, b, a)


def _lcm(xp, a, b):
    g = _gcd(xp, a, b)
    return xp.where(g == 0, xp.zeros_like(g), xp.abs(_trunc(xp, a, xp.where(g == 0, xp.ones_like(g), g)) * b))


for _name, _body in (("gcd", _gcd), ("lcm", _lcm)):
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
