"""Complex tensors taken apart and put together: real and imag (views), view_as_real, view_as_complex, conj, angle, complex, polar."""
from __future__ import annotations

import math

import numpy as np

from .. import _dtype as dt
from .._core.handle import CONJUGATING, NEGATING, TensorBase, is_marked
from .._core.op import Op, half_complex, simple
from .._core.spec import like
from .._core.view import make_view
from .._dtype import COMPLEX
from .declare import COMPLEX_TO_FLOAT, INT_TO_FLOAT, broadcast_shapes, call, internal
from .guards import guard, tensors_only
from .layout import elementwise_strides, like_strides
from .pointwise import complex_of, unit
from .variants import METHODS, PROPERTIES, public, write_out
from .view_ops import select_view


# ---------------------------------------------------------------- real and imaginary parts as views
def _pairs(xp, z, *, half=False):
    """The parts of `z` side by side; `half` where it holds complex32."""
    made = xp.stack([xp.real(z), xp.imag(z)], axis=-1)
    return made.astype(np.float16) if half else made


def _joined(xp, pairs):
    pairs = pairs.astype(np.float32) if pairs.dtype == np.float16 else pairs
    return complex_of(xp, pairs[..., 0], pairs[..., 1])


as_real_op = Op("view_as_real", _pairs, simple(lambda z, **static: like(z, (*z.shape, 2), z.dtype.to_real())), grad="ViewAsRealBackward0",
                put=lambda xp, base, new, **static: _joined(xp, new), vjp=(lambda xp, g, out, z, **static: _joined(xp, g),))
as_complex_op = Op("view_as_complex", _joined, simple(lambda pairs: like(pairs, tuple(pairs.shape[:-1]), pairs.dtype.to_complex())),
                   grad="ViewAsComplexBackward0", put=lambda xp, base, new: _pairs(xp, new).astype(base.dtype),
                   vjp=(lambda xp, g, out, pairs: _pairs(xp, g),))


@public("view_as_real", method=False)
def view_as_real(input):
    """A complex tensor's memory as a real tensor with a last dimension of size 2: a view. Raises RuntimeError for real tensors and conjugates."""
    if input._spec.dtype.category != COMPLEX:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    if is_marked(input, CONJUGATING):
        raise RuntimeError("view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can view it as real, "
                           "use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original.")
    static = (("half", True),) if input._spec.dtype is dt.complex32 else ()
    return make_view(input, as_real_op, (), static, tuple(2 * s for s in input._current_strides) + (1,), 2 * input._offset)


@public("view_as_complex", method=False)
def view_as_complex(input):
    """A real tensor's memory, whose last dimension has size 2, as a complex tensor: a view. Raises RuntimeError where it does not fit."""
    spec = input._spec
    if spec.dtype not in (dt.float32, dt.float64, dt.float16):
        raise RuntimeError("view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
                           f"{spec.dtype.legacy}")
    if spec.ndim == 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if spec.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    strides = input._current_strides
    if strides[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for s in strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if input._offset % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return make_view(input, as_complex_op, (), (), tuple(s // 2 for s in strides[:-1]), input._offset // 2)


@public("real", method=False)
def real(input):
    """The real part: a view of a complex tensor, the tensor itself if it is real."""
    return _part(input, 0) if input._spec.dtype.category == COMPLEX else input


@public("imag", method=False)
def imag(input):
    """The imaginary part: a view. Raises RuntimeError for real tensors."""
    if input._spec.dtype.category != COMPLEX:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return _part(input, 1)


def _part(input: TensorBase, index: int) -> TensorBase:
    if not is_marked(input, CONJUGATING):
        return select_view(view_as_real(input), input._spec.ndim, index)
    parts = view_as_real(conj(input))
    return select_view(neg_view(parts) if index else parts, input._spec.ndim, index)


def _set_real(self, value) -> None:
    METHODS["copy_"](real(self), value)


def _set_imag(self, value) -> None:
    METHODS["copy_"](imag(self), value)


PROPERTIES["real"] = (real, _set_real)
PROPERTIES["imag"] = (imag, _set_imag)

# ---------------------------------------------------------------- conjugates and negatives
conj_op = Op("conj", lambda xp, z: xp.conj(z), simple(lambda z: z), grad="ConjBackward0", put=lambda xp, base, new: xp.conj(new),
             vjp=(lambda xp, g, out, z: xp.conj(g),), info=CONJUGATING)
neg_view_op = Op("neg_view", lambda xp, x: -x, simple(lambda x: x), grad="NegViewBackward0", put=lambda xp, base, new: -new,
                 vjp=(lambda xp, g, out, x: -g,), info=NEGATING)
half_complex(as_real_op, conj_op, neg_view_op)
conj_physical_op = internal("conj_physical", lambda xp, z: xp.conj(z), grad="ConjPhysicalBackward0", vjp=(lambda xp, g, out, z: xp.conj(g),))
half_complex(conj_physical_op)


@public("_neg_view")
def neg_view(input):
    """The negative, a view."""
    return make_view(input, neg_view_op, (), (), input._current_strides, input._offset)


@public("conj", also=("_conj",))
def conj(input):
    """The conjugate, a view; the tensor itself if it is real."""
    return make_view(input, conj_op, (), (), input._current_strides, input._offset) if input._spec.dtype.category == COMPLEX else input


@public("conj_physical", inplace=True, out=True)
def conj_physical(input):
    """The conjugate as a new tensor."""
    return call(conj_physical_op, (input,)) if input._spec.dtype.category == COMPLEX else input


@public("is_conj")
def is_conj(input):
    """Whether the tensor shows the conjugates of what is in its memory."""
    return is_marked(input, CONJUGATING)


@public("is_neg")
def is_neg(input):
    """Whether the tensor shows the negatives of what is in its memory."""
    return is_marked(input, NEGATING)


@public("resolve_conj")
def resolve_conj(input):
    """A copy without the mark of a conjugate; the tensor itself where it has none."""
    return METHODS["clone"](input) if is_conj(input) else input


@public("resolve_neg")
def resolve_neg(input):
    """A copy without the mark of a negative; the tensor itself where it has none."""
    return METHODS["clone"](input) if is_neg(input) else input


# ---------------------------------------------------------------- polar form
def _angle(xp, x):
    if x.dtype.kind == "c":
        return xp.arctan2(xp.imag(x), xp.real(x))
    return xp.where(xp.isnan(x), x, xp.where(x < 0, xp.full_like(x, math.pi), xp.zeros_like(x)))


def _angle_rule(xp, g, out, x):
    if x.dtype.kind != "c":
        return xp.zeros_like(g)
    a, b = xp.real(x), xp.imag(x)
    square = a * a + b * b
    slope = xp.where(square == 0, xp.zeros_like(square), g / xp.where(square == 0, xp.ones_like(square), square))
    return complex_of(xp, -b * slope, a * slope)


angle_complex = internal("angle", _angle, kind=COMPLEX_TO_FLOAT, grad="AngleBackward0", saves=(0,), vjp=(_angle_rule,))
angle_real = internal("angle of real", _angle, kind=INT_TO_FLOAT, grad="AngleBackward0", saves=(0,), vjp=(_angle_rule,))


angle_complex.layout = None
conj_physical_op.layout = like_strides


@public("angle", out=True)
def angle(input):
    """The argument of each element in radians; of a real number 0 or pi."""
    return call(angle_complex if input._spec.dtype.category == COMPLEX else angle_real, (input,))


# ---------------------------------------------------------------- from parts
def _from_parts(name: str, grad: str, body, parameters: tuple, saves: tuple, vjp: tuple) -> Op:
    def infer(a, b):
        return like(a, broadcast_shapes([a.shape, b.shape]), a.dtype.to_complex())

    def check(argtypes):
        a, b = argtypes
        for x in argtypes:
            if x.dtype not in (dt.float32, dt.float64, dt.float16):
                raise RuntimeError(f"Expected both inputs to be Half, Float or Double tensors but got {a.dtype.legacy} and {b.dtype.legacy}")
        if a.dtype is not b.dtype:
            raise RuntimeError(f"Expected object of scalar type {a.dtype.legacy} but got scalar type {b.dtype.legacy} for second argument")
    op = Op(name, body, simple(infer), grad=grad, saves=saves, vjp=vjp, layout=elementwise_strides)
    guard(check, op)
    guard(tensors_only(name, *parameters), op)
    return op


complex_op = _from_parts("complex", "ComplexBackward0", complex_of, ("real", "imag"), (),
                         (lambda xp, g, out, a, b: xp.real(g), lambda xp, g, out, a, b: xp.imag(g)))
polar_op = _from_parts("polar", "PolarBackward0", lambda xp, r, t: complex_of(xp, r * xp.cos(t), r * xp.sin(t)), ("abs", "angle"), (1, "result"),
                       (lambda xp, g, out, r, t: xp.real(xp.conj(g) * unit(xp, out)),
                        lambda xp, g, out, r, t: xp.real(xp.conj(g) * 1j * out)))


def _exact_out(name: str, op: Op, first: str, second: str) -> None:
    """Publish a front whose `out=` must have the result's dtype exactly."""
    def finish(made, out):
        if out is None:
            return made
        have, want = out._spec.dtype, made._spec.dtype
        if have is not want:
            raise RuntimeError(f"Expected object of scalar type {want.legacy} but got scalar type {have.legacy} for argument 'out'")
        write_out(out, made)
        return out
    space = {"_call": call, "_op": op, "_finish": finish}
    exec(f"def {name}({first}, {second}, *, out=None):\n    return _finish(_call(_op, ({first}, {second})), out)\n", space)
    space[name].__doc__ = f"{name}({first}, {second}): a complex tensor from its parts. Raises RuntimeError unless both have one floating dtype."
    public(name, method=False)(space[name])


_exact_out("complex", complex_op, "real", "imag")
_exact_out("polar", polar_op, "abs", "angle")

__all__ = ["imag", "real", "view_as_complex", "view_as_real"]
