"""torch.where with three arguments: element-wise choice between tensors or numbers. The one-argument form belongs to the indexing family."""
from __future__ import annotations

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast, half_complex
from .._core.spec import Spec, spec_of
from .declare import broadcast_shapes, call, common_device, promoted
from .layout import wrapped_strides
from .scalar_value import fits_with
from .variants import FUNCTIONS, public, tensor_or_number


def _where_plan(op: Op, argtypes: tuple, static: dict):
    condition, a, b = argtypes
    if condition.__class__ is not Spec:
        raise _misfit(argtypes)
    if condition.dtype not in (dt.bool_, dt.uint8):
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype.legacy}")
    result = promoted((a, b))
    specs = [s for s in argtypes if s.__class__ is Spec]

    def impl(xp, condition, a, b):
        return op.body(xp, cast(xp, condition, dt.bool_), cast(xp, a, result), cast(xp, b, result))
    return impl, spec_of(broadcast_shapes([s.shape for s in specs]), result, common_device(specs))


def _rule(mine: bool):
    def rule(xp, g, out, condition, a, b):
        keep = condition != 0
        return xp.where(keep if mine else ~keep, g, xp.zeros_like(g))
    return rule


where_op = Op("where", lambda xp, condition, a, b: xp.where(condition, a, b), _where_plan, grad="WhereBackward0", saves=(0,),
              vjp=(None, _rule(True), _rule(False)), layout=lambda spec, args: wrapped_strides(spec, (*args[1:], args[0])))
half_complex(where_op)


def _misfit(given) -> TypeError:
    got = ", ".join("Tensor" if isinstance(a, (TensorBase, Spec)) else a.__name__ if isinstance(a, type) else type(a).__name__ for a in given)
    return TypeError(f"where() received an invalid combination of arguments - got ({got}), but expected one of:\n * (Tensor condition)\n"
                     " * (Tensor condition, Tensor input, Tensor other, *, Tensor out = None)\n * (Tensor condition, Number self, Tensor other)\n"
                     " * (Tensor condition, Tensor input, Number other)\n * (Tensor condition, Number self, Number other)\n")


@public("where", method=False, out=True)
def where(condition, input=None, other=None):
    """`input` where `condition`, else `other`, with broadcasting; with the condition alone, the indices where it holds, one tensor a dimension.

    Raises RuntimeError unless the condition is bool (or uint8), TypeError for one choice without the other.
    """
    if input is None and other is None:
        return FUNCTIONS["nonzero"](condition, as_tuple=True)
    try:
        operands = tensor_or_number(input), tensor_or_number(other)
    except TypeError:
        raise _misfit((condition, input, other)) from None
    if None in map(_none, operands):
        raise _misfit((condition, operands[0] if other is None else operands[1]))
    for number, tensor in (operands, operands[::-1]):
        if isinstance(tensor, TensorBase):
            fits_with(number, tensor, halves=False)
    return call(where_op, (condition, *operands))


def _none(x):
    return None if x is None else True


@public("where", function=False)
def where_method(self, condition, other):
    """This tensor where `condition`, else `other`."""
    return where(condition, self, other)


__all__ = ["where"]
