"""Element-wise arithmetic: add, sub, mul, div and their kin, with Python's operators."""
from __future__ import annotations

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.record import call
from .declare import DEFAULT, INT_TO_FLOAT, NO_OPMATH, binary, internal, same, unary
from .variants import METHODS, check_writable, public, register, tensor_or_number, write_elementwise

# ---------------------------------------------------------------- add and sub, with alpha
add = internal("add", lambda xp, a, b: xp.add(a, b), grad="AddBackward0", vjp=(same, same))
add_scaled = internal("add scaled", lambda xp, a, b, s: a + s * b, grad="AddBackward0",
                      vjp=(lambda xp, g, out, a, b, s: g, lambda xp, g, out, a, b, s: g * xp.conj(s)))
BOOL_MINUS = ("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.")
sub = internal("sub", lambda xp, a, b: xp.subtract(a, b), grad="SubBackward0", refuse={dt.bool_: BOOL_MINUS},
               vjp=(lambda xp, g, out, a, b: g, lambda xp, g, out, a, b: -g))
sub_scaled = internal("sub scaled", lambda xp, a, b, s: a - s * b, grad="SubBackward0", refuse={dt.bool_: BOOL_MINUS},
                      vjp=(lambda xp, g, out, a, b, s: g, lambda xp, g, out, a, b, s: -g * xp.conj(s)))


def _scaled(name: str, plain, scaled) -> None:
    def operands(input, other, alpha):
        if alpha.__class__ is int and alpha == 1:
            return plain, (input, tensor_or_number(other))
        return scaled, (input, tensor_or_number(other), tensor_or_number(alpha))

    @public(name, out=True)
    def front(input, other, *, alpha=1):
        return call(*operands(tensor_or_number(input), other, alpha))
    front.__doc__ = f"{name}(input, other, *, alpha=1): input {'+' if name == 'add' else '-'} alpha * other, with broadcasting."

    def in_place(self, other, *, alpha=1):
        check_writable(self)
        op, args = operands(self, other, alpha)
        return write_elementwise(op, self, args)
    in_place.__name__ = name + "_"
    register(METHODS, name + "_", in_place)


_scaled("add", add, add_scaled)
_scaled("sub", sub, sub_scaled)
METHODS["subtract"] = METHODS["sub"]

# ---------------------------------------------------------------- mul and div
mul = binary("mul(input, other)", lambda xp, a, b: xp.multiply(a, b), saves=((0, 1), (1, 0)), also=("multiply",),
             vjp=(lambda xp, g, out, a, b: g * xp.conj(b), lambda xp, g, out, a, b: g * xp.conj(a)))
true_div = internal("true_divide", lambda xp, a, b: xp.divide(a, b), kind=INT_TO_FLOAT, grad="DivBackward0", saves=((0, 1), 1),
                    vjp=(lambda xp, g, out, a, b: g / xp.conj(b), lambda xp, g, out, a, b: -g * xp.conj(out / b)))
neg = unary("neg(input)", lambda xp, x: xp.negative(x), kind=NO_OPMATH, saves=(), also=("negative",), vjp=lambda xp, g, out, x: -g,
            refuse={dt.bool_: "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
                              "`logical_not()` operator instead."})


@public("div", out=True, also=("divide", "true_divide"))
def div(input, other, *, rounding_mode=None):
    """input / other; integers give the default float dtype. `rounding_mode` None, "trunc" or "floor"."""
    if rounding_mode is None:
        return call(true_div, (tensor_or_number(input), tensor_or_number(other)))
    raise NotImplementedError("torchish: div with rounding_mode")


def _reversed(op):
    def method(self, other):
        return call(op, (tensor_or_number(other), self))
    return method


def _operator(op):
    def method(self, other):
        if other.__class__ in (int, float) or isinstance(other, TensorBase):
            return call(op, (self, other))
        try:
            other = tensor_or_number(other)
        except TypeError:
            return NotImplemented
        return call(op, (self, other))
    return method


def _assign_operator(op):
    def method(self, other):
        check_writable(self)
        return write_elementwise(op, self, (self, tensor_or_number(other)))
    return method


for _name, _op in (("add", add), ("sub", sub), ("mul", mul), ("truediv", true_div)):
    register(METHODS, f"__{_name}__", _operator(_op))
    register(METHODS, f"__r{_name}__", _reversed(_op))
    register(METHODS, f"__i{_name}__", _assign_operator(_op))
register(METHODS, "__neg__", METHODS["neg"])

__all__ = ["DEFAULT"]
