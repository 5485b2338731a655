"""What the matrix and neural-network families share: planners that compute halves in float32, error texts, and small array helpers.

Knows no operation by name.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.spec import Spec, spec_of
from .._dtype import COMPLEX, FLOATING
from .halves import HALVES
from .special_functions import erf

C_NAMES = {
    dt.uint8: "unsigned char",
    dt.int8: "signed char",
    dt.int16: "short int",
    dt.int32: "int",
    dt.int64: "long int",
    dt.float16: "c10::Half",
    dt.float32: "float",
    dt.float64: "double",
    dt.complex64: "c10::complex<float>",
    dt.complex128: "c10::complex<double>",
    dt.bool_: "bool",
    dt.bfloat16: "c10::BFloat16",
}


def not_implemented(kernel: str, d: dt.dtype) -> Exception:
    """torch's error for a dtype that a kernel does not have."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{d.legacy}'")


def require_float(kernel: str, spec: Spec) -> None:
    """Raise NotImplementedError, in torch's words, unless the dtype is real floating point."""
    if spec.dtype.category != FLOATING:
        raise not_implemented(kernel, spec.dtype)


def require_tensor(function: str, name: str, position: int, value) -> None:
    """Raise torch's TypeError unless `value` is a tensor."""
    if not isinstance(value, TensorBase):
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(value).__name__}")


def computed(infer: Callable) -> Callable:
    """A planner from a shape rule `infer(*argtypes, **static)`: float16 and bfloat16 operands are computed in float32, results cast to their Spec."""

    def planner(op: Op, argtypes: tuple, static: dict):
        out = infer(*argtypes, **static)
        single = isinstance(out, Spec)
        targets = [s.dtype for s in ((out,) if single else out)]
        body, up = op.body, [isinstance(a, Spec) and a.dtype in HALVES for a in argtypes]
        half = any(up)

        def impl(xp, *args):
            if half:
                args = raised(xp, args, up)
            made = body(xp, *args, **static)
            return cast(xp, made, targets[0]) if single else tuple([cast(xp, r, d) for r, d in zip(made, targets)])

        rules = op.vjp
        return impl, out, rules if rules is None or not half else tuple(None if r is None else _raised_rule(r, up) for r in rules)

    return planner


def raised(xp, args, up: list) -> list:
    """The operands marked in `up` as float32."""
    return [cast(xp, a, dt.float32) if u else a for a, u in zip(args, up)]


def _raised_rule(rule: Callable, up: list) -> Callable:
    def in_float32(xp, g, out, *args, **static):
        return rule(xp, _each(xp, g), _each(xp, out), *raised(xp, args, up), **static)

    return in_float32


def _each(xp, a):
    if isinstance(a, (list, tuple)):
        return [x if x is None or x.dtype.kind in "iub" else cast(xp, x, dt.float32) for x in a]
    return cast(xp, a, dt.float32)


def sized(shape, like: Spec, d: dt.dtype | None = None) -> Spec:
    """A Spec of `shape` on the device of `like`, with its dtype unless given."""
    return spec_of(tuple(shape), d or like.dtype, like.device)


def ntuple(x, n: int) -> tuple:
    """A size argument for `n` dimensions: a number stands for all of them, as does a sequence of one."""
    if isinstance(x, int):
        return (x,) * n
    x = tuple([int(v) for v in x])
    return x * n if len(x) == 1 else x


# ---------------------------------------------------------------- arrays
def conj(xp, a):
    """The conjugate; real arrays as they are."""
    return xp.conj(a) if a.dtype.kind == "c" else a


def product(xp, a, b):
    """Matrix product in full precision: accelerators would round float32 operands otherwise, torch does not."""
    return np.matmul(a, b) if xp is np else xp.matmul(a, b, precision="highest")


def contracted(xp, a, b, axis_a: int, axis_b: int):
    """The product of `a` and the matrix `b` over one axis of each (of a matrix `a` where that is axis 0).

    Written as one dot: a transpose before it would be copied out by XLA's CPU dot kernels, which cost a training step 1.5 times.
    """
    if xp is np:
        return np.matmul(a if axis_a else a.T, b if axis_b == 0 else b.T)
    return jax.lax.dot_general(a, b, (((axis_a,), (axis_b,)), ((), ())), precision="highest")


def swap(a):
    """The last two dimensions exchanged."""
    return a.swapaxes(-1, -2)


def sigmoid(xp, x):
    """1 / (1 + exp(-x)), without overflow in value or derivative."""
    if xp is not np:
        return jax.nn.sigmoid(x)
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, np.ones_like(e)) / (1 + e)


def softplus(xp, x):
    """log(1 + exp(x)) without overflow."""
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


__all__ = [
    "COMPLEX",
    "C_NAMES",
    "FLOATING",
    "HALVES",
    "Spec",
    "TensorBase",
    "cast",
    "computed",
    "conj",
    "contracted",
    "erf",
    "not_implemented",
    "ntuple",
    "product",
    "require_float",
    "require_tensor",
    "sigmoid",
    "sized",
    "softplus",
    "swap",
]
