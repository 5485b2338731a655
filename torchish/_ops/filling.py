"""Overwriting with one value: fill, fill_, zero_, fill_diagonal_."""
from __future__ import annotations

from .._core.grad_graph import node_class
from .._core.handle import TensorBase, is_altered
from .._core.op import Op, cast, half_complex
from .._core.record import call
from .._core.view import check_place
from .overlap import check_single
from .scalar_value import check_fits
from .strided import as_strided
from .variants import FUNCTIONS, METHODS, assign, public, register, tensor_or_number


def _fill_plan(op: Op, argtypes: tuple, static: dict):
    out = argtypes[0]

    def impl(xp, x, value):
        return xp.broadcast_to(cast(xp, value, out.dtype), tuple(out.shape))
    return impl, out


def _filling(name: str, grad: str) -> Op:
    node_class(grad).tensors = 2 if "tensor" in name else 1
    return Op(name, lambda xp, x, value: x, _fill_plan, grad=grad, vjp=(lambda xp, g, out, x, value: xp.zeros(x.shape, g.dtype),
                                                                       lambda xp, g, out, x, value: xp.sum(g)))


fill_number, fill_tensor = _filling("fill", "FillBackward0"), _filling("fill from tensor", "FillBackward1")
fill_number_in_place, fill_tensor_in_place = _filling("fill_", "FillBackward2"), _filling("fill_ from tensor", "FillBackward3")
zero = _filling("zero_", "ZeroBackward0")
half_complex(fill_number, fill_tensor, fill_number_in_place, fill_tensor_in_place, zero)


def _checked(t: TensorBase, value):
    """A fill value as an operand. Raises RuntimeError where it has dimensions or does not fit the dtype."""
    if isinstance(value, TensorBase):
        if value._spec.ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value._spec.ndim} dimensions.")
        return value
    try:
        value = tensor_or_number(value)
    except TypeError:
        kind = type(value).__name__
        reason = f"\n      didn't match because some of the arguments have invalid types: (!{kind}!)\n"
        raise TypeError(f"fill_() received an invalid combination of arguments - got ({kind}), but expected one of:\n * (Tensor value){reason}"
                        f" * (Number value){reason}") from None
    check_fits(value, t._spec.dtype, halves=t._spec.numel != 1)
    return value


@public("fill", method=False, out=True)
def fill(input, value):
    """A tensor like `input` with every element equal to `value`, a number or 0-dim tensor."""
    value = _checked(input, value)
    return call(fill_tensor if isinstance(value, TensorBase) else fill_number, (input, value))


def fill_(self, value):
    """Set every element to `value`, a number or 0-dim tensor, in place. Returns self."""
    check_place(self)  # and no more with a number: elements that share memory may be filled
    value = _checked(self, value)
    if isinstance(value, TensorBase) or is_altered(self):
        check_single(self)
    return assign(self, call(fill_tensor_in_place if isinstance(value, TensorBase) else fill_number_in_place, (self, value)))


def zero_(self):
    """Set every element to 0, in place. Returns self."""
    check_place(self)  # and no more: elements that share memory may be filled
    if is_altered(self):
        check_single(self)
    return assign(self, call(zero, (self, 0)))


for _name, _method in (("fill_", fill_), ("zero_", zero_)):
    register(METHODS, _name, _method)
    register(FUNCTIONS, _name, _method)


@public("fill_diagonal_", function=False)
def fill_diagonal_(self, fill_value, wrap=False):
    """Set the main diagonal to `fill_value`, in place; with `wrap` a tall matrix's diagonal starts anew below each block. Returns self."""
    shape, strides = tuple(self._spec.shape), self._current_strides
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    step, size = sum(strides), min(shape)
    fill_(as_strided(self, (size,), (step,)), fill_value)
    height, width = shape[:2]
    if wrap and len(shape) == 2 and height > width + 1:
        more = -(-self._spec.numel // (width + 1)) - size
        fill_(as_strided(self, (more,), (step,), self._offset + strides[0] * (width + 1)), fill_value)
    return self
