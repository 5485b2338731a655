"""Element-wise arithmetic without division: add, sub, mul, neg, addcmul, addcdiv, lerp, with Python's operators."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.spec import Spec
from .._dtype import COMPLEX, FLOATING
from .declare import NO_OPMATH, broadcast_shapes, call, half_body, half_complex, internal, narrow, same, unary
from .guards import C_NAMES, INTEGERS, NUMBERS, as_operands, choice, common_dtype, guard, operator, pick, unweighted
from .halves import tail_rounded
from .pointwise import complex_of
from .scalar_value import check_fits, overflow
from .selection import widened
from .variants import METHODS, register, tensor_or_number


# ---------------------------------------------------------------- add and sub, with alpha
def _times_one(xp, b, sign):
    """`b` times +1 or -1 as torch's kernel multiplies it by alpha: a part that is infinite or NaN makes the other NaN."""
    return b if b.dtype.kind != "c" else complex_of(xp, xp.real(b) * sign - xp.imag(b) * 0, xp.real(b) * 0 + xp.imag(b) * sign)


add = internal("add", lambda xp, a, b: xp.add(a, _times_one(xp, b, 1)), grad="AddBackward0", vjp=(same, same))
add_scaled = internal("add scaled", lambda xp, a, b, s: a + s * b, grad="AddBackward0",
                      vjp=(same, lambda xp, g, out, a, b, s: g * xp.conj(s)))
def _minus(xp, a, b):
    return xp.subtract(a, b) if b.dtype.kind != "c" else xp.add(a, _times_one(xp, b, -1))


sub = internal("sub", _minus, grad="SubBackward0", vjp=(same, lambda xp, g, out, a, b: -g))
sub_scaled = internal("sub scaled", lambda xp, a, b, s: a - s * b, grad="SubBackward0",
                      vjp=(same, lambda xp, g, out, a, b, s: -g * xp.conj(s)))
_FROM = {"body": lambda xp, a, b: _minus(xp, b, a), "vjp": (lambda xp, g, out, a, b: -g, same)}
_FROM_SCALED = {"body": lambda xp, a, b, s: b - s * a, "vjp": (lambda xp, g, out, a, b, s: -g * xp.conj(s), same)}
rsub = internal("rsub", grad="RsubBackward0", **_FROM)
rsub_number = internal("rsub number", grad="RsubBackward1", **_FROM)
rsub_scaled = internal("rsub scaled", grad="RsubBackward0", **_FROM_SCALED)
rsub_number_scaled = internal("rsub number scaled", grad="RsubBackward1", **_FROM_SCALED)


def _no_bool_minus(argtypes):
    """torch's refusal to subtract with bool tensors."""
    bools = [x.dtype is dt.bool_ if x.__class__ is Spec else x is bool for x in argtypes[:2]]
    if all(bools):
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.")
    if any(bools):
        raise RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
                           "`logical_not()` operator instead.")


def _check_alpha(argtypes):
    """`alpha` must fit the result's category; it takes no part in promotion."""
    broadcast_shapes([a.shape for a in argtypes[:2] if a.__class__ is Spec])  # of which torch complains first
    result, alpha = common_dtype(argtypes[:2]).category, argtypes[2]
    kind = alpha.dtype.category if alpha.__class__ is Spec else {bool: dt.BOOL, int: dt.INTEGER, float: FLOATING}.get(alpha, COMPLEX)
    if kind == dt.BOOL and result != dt.BOOL:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if kind >= FLOATING > result:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if kind == COMPLEX > result:
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    return argtypes[0], argtypes[1], type(None)


def _alpha_product(xp, half, a, b, s):
    return tail_rounded(xp, s * b, half, np.broadcast_shapes(a.shape, b.shape))


half_body(lambda xp, half, a, b, s: a + _alpha_product(xp, half, a, b, s), add_scaled)
half_body(lambda xp, half, a, b, s: a - _alpha_product(xp, half, a, b, s), sub_scaled)
half_body(lambda xp, half, a, b, s: b - _alpha_product(xp, half, b, a, s), rsub_scaled, rsub_number_scaled)
narrow(add, add_scaled, sub, sub_scaled, rsub, rsub_number, rsub_scaled, rsub_number_scaled)
guard(_check_alpha, add_scaled, sub_scaled, rsub_scaled, rsub_number_scaled)
guard(_no_bool_minus, sub, sub_scaled, rsub, rsub_number, rsub_scaled, rsub_number_scaled)


def _weight(number, *operands, wide: bool = False):
    """A factor such as alpha: a number must be a value of the dtype of the operands, where it is not of a higher kind (which a guard refuses);
    `wide`: of float32 for the halves.
    """
    number = tensor_or_number(number)
    if number.__class__ is int and not -128 <= number <= 127 or number.__class__ is float and not abs(number) <= 65504:
        types = [a._read().spec if isinstance(a, TensorBase) else a.__class__ for a in operands]
        return check_fits(number, widened(common_dtype(types)) if wide else common_dtype(types))
    return number


def _scaled(plain, scaled):
    def choose(input, other, alpha):
        if alpha.__class__ is int and alpha == 1:
            return plain, as_operands(input, other)
        input, other = as_operands(input, other)
        return scaled, (input, other, _weight(alpha, input, other))
    return choose


choice("add(input, other, *, alpha=1)", _scaled(add, add_scaled),
       doc="input + alpha * other, with broadcasting. Raises RuntimeError where alpha's type does not fit the result's.")
choice("sub(input, other, *, alpha=1)", _scaled(sub, sub_scaled), also=("subtract",),
       doc="input - alpha * other, with broadcasting. Raises RuntimeError for bool tensors, or where alpha's type does not fit the result's.")


def _from(input, other, alpha=1):
    number = other.__class__ in NUMBERS
    if alpha.__class__ is int and alpha == 1:
        return (rsub_number if number else rsub), (input, tensor_or_number(other))
    return (rsub_number_scaled if number else rsub_scaled), (input, tensor_or_number(other), _weight(alpha, input, other))


def _rsub_tensor_first(argtypes):
    if argtypes[0].__class__ is not Spec:
        got = ", ".join("Tensor" if a.__class__ is Spec else a.__name__ for a in argtypes)
        raise TypeError(f"rsub() received an invalid combination of arguments - got ({got}), but expected one of:\n"
                        " * (Tensor input, Tensor other, *, Number alpha = 1)\n * (Tensor input, Number other, Number alpha = 1)\n")


def _other_first(argtypes):
    broadcast_shapes([a.shape for a in argtypes[1::-1] if a.__class__ is Spec])  # the order in which torch complains


guard(_other_first, rsub, rsub_number, rsub_scaled, rsub_number_scaled)
guard(_rsub_tensor_first, rsub, rsub_number, rsub_scaled, rsub_number_scaled)
choice("rsub(input, other, alpha=1)", _from, out=False, inplace=False, method=False, doc="other - alpha * input, with broadcasting.")

# ---------------------------------------------------------------- mul and neg
mul = internal("mul", lambda xp, a, b: xp.multiply(a, b), grad="MulBackward0", saves=((0, 1), (1, 0)),
               vjp=(lambda xp, g, out, a, b: g * xp.conj(b), lambda xp, g, out, a, b: g * xp.conj(a)))
narrow(mul, wide=(1,))
choice("mul(input, other)", lambda input, other: (mul, as_operands(input, other)), also=("multiply",), doc="input * other, with broadcasting.")
neg = unary("neg(input)", lambda xp, x: xp.negative(x), kind=NO_OPMATH, saves=(), also=("negative",), vjp=lambda xp, g, out, x: -g,
            refuse={dt.bool_: "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
                              "`logical_not()` operator instead."})
half_complex(add, add_scaled, sub, sub_scaled, rsub, rsub_number, rsub_scaled, rsub_number_scaled, mul, neg)

# ---------------------------------------------------------------- fused forms
addcmul_op = internal("addcmul", lambda xp, x, a, b, s: x + s * a * b, grad="AddcmulBackward0", saves=((1, 2), (2, 1)), refuse=(dt.bool_,),
                      kernel="addcmul_cpu_out",
                      vjp=(same, lambda xp, g, out, x, a, b, s: g * xp.conj(b * s), lambda xp, g, out, x, a, b, s: g * xp.conj(a * s)))
addcdiv_op = internal("addcdiv", lambda xp, x, a, b, s: x + s * a / b, grad="AddcdivBackward0", saves=((1, 2), 2),
                      vjp=(same, lambda xp, g, out, x, a, b, s: g * xp.conj(s / b), lambda xp, g, out, x, a, b, s: -g * xp.conj(s * a / (b * b))))


def _tensors_then_number(name: str, second: str, third: str):
    def check(argtypes):
        for i, parameter in ((1, second), (2, third)):
            if argtypes[i].__class__ is not Spec:
                raise TypeError(f"{name}(): argument '{parameter}' (position {i + 1}) must be Tensor, not {argtypes[i].__name__}")
        common = common_dtype(argtypes[:3])
        if argtypes[3] is complex and (dt.BOOL if name == "addcmul" else dt.INTEGER) < common.category < COMPLEX:
            raise overflow(widened(common))
    return check


def _no_integer_division(argtypes):
    if common_dtype(argtypes[1:3]).category < FLOATING:
        raise RuntimeError("Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of "
                           "tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / "
                           "tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for float inputs. The future "
                           "addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes.")


guard(unweighted(3), addcmul_op, addcdiv_op)
guard(_no_integer_division, addcdiv_op)
guard(_tensors_then_number("addcmul", "tensor1", "tensor2"), addcmul_op)
guard(_tensors_then_number("addcdiv", "tensor1", "tensor2"), addcdiv_op)


def _fused(op):
    def choose(input, tensor1, tensor2, value):
        return op, (input, tensor1, tensor2, _weight(value, input, tensor1, tensor2, wide=True))
    return choose


choice("addcmul(input, tensor1, tensor2, *, value=1)", _fused(addcmul_op), doc="input + value * tensor1 * tensor2, with broadcasting.")
choice("addcdiv(input, tensor1, tensor2, *, value=1)", _fused(addcdiv_op),
       doc="input + value * tensor1 / tensor2, with broadcasting. Raises RuntimeError where both tensors are integers.")


# ---------------------------------------------------------------- lerp
def _lerp(xp, a, b, w):
    # computed from the nearer end, as torch does, so that weight 1 gives `end` exactly
    return xp.where(xp.abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w))


_LERP_RULES = (lambda xp, g, out, a, b, w: g * xp.conj(1 - w), lambda xp, g, out, a, b, w: g * xp.conj(w),
               lambda xp, g, out, a, b, w: g * xp.conj(b - a))
lerp_number = internal("lerp", _lerp, grad="LerpBackward0", saves=(), vjp=_LERP_RULES, refuse=(dt.bool_, *INTEGERS), kernel="lerp_kernel_scalar")
lerp_tensor = internal("lerp tensor", _lerp, grad="LerpBackward1", saves=((0, 2), (1, 2), 2), vjp=_LERP_RULES, refuse=(dt.bool_, *INTEGERS),
                       kernel="lerp_kernel_tensor")


def _same_dtypes(argtypes):
    first = argtypes[0].dtype
    for a, parameter in zip(argtypes[1:], ("end", "weight")):
        if a.__class__ is Spec and a.dtype is not first and (parameter == "end" or a.ndim):
            raise RuntimeError(f"expected dtype {C_NAMES.get(first.name, first.name)} for `{parameter}` but got dtype "
                               f"{C_NAMES.get(a.dtype.name, a.dtype.name)}")
    if argtypes[2] is complex and first.category == FLOATING:
        raise overflow(widened(first))


def _only_tensor_end(argtypes):
    if argtypes[0].__class__ is not Spec or argtypes[1].__class__ is not Spec:
        got = ", ".join("Tensor" if a.__class__ is Spec else a.__name__ for a in argtypes)
        raise TypeError(f"lerp() received an invalid combination of arguments - got ({got}), but expected one of:\n"
                        " * (Tensor input, Tensor end, Tensor weight, *, Tensor out = None)\n"
                        " * (Tensor input, Tensor end, Number weight, *, Tensor out = None)\n")


guard(unweighted(2), lerp_number)
guard(_same_dtypes, lerp_number, lerp_tensor)
guard(_only_tensor_end, lerp_number, lerp_tensor)


def _choose_lerp(input, end, weight):
    weight = tensor_or_number(weight)
    return (lerp_number if weight.__class__ in NUMBERS else lerp_tensor), (input, end, weight)


choice("lerp(input, end, weight)", _choose_lerp,
       doc="input + weight * (end - input), with broadcasting. Raises RuntimeError unless the tensors have one floating dtype.")

# ---------------------------------------------------------------- operators
operator("add", pick(add))
operator("sub", pick(sub), reflected=lambda self, other: call(*_from(self, other)))
operator("mul", pick(mul), reflected=lambda self, other: call(mul, (self, other)))
register(METHODS, "__neg__", METHODS["neg"])

__all__ = ["add", "mul", "sub"]
