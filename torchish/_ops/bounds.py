"""Element-wise choice by size: maximum, minimum, fmax, fmin, clamp in all its forms, nan_to_num.

Sub-gradients at ties and bounds are torch's: ties of maximum share evenly, a clamp at its bound passes the gradient on.
"""
from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.spec import Spec
from .declare import NO_OPMATH, binary, broadcast_shapes, internal
from .guards import C_NAMES, COMPLEX_DTYPES, NUMBERS, choice, guard, refuse_complex, tensors_only
from .layout import elementwise_strides, like_strides
from .pointwise import complex_of
from .scalar_value import fits_with
from .variants import tensor_or_number


def masked(xp, keep, g):
    """`g` where `keep`, else 0."""
    return xp.where(keep, g, xp.zeros_like(g))


# ---------------------------------------------------------------- maximum and minimum
def _tie_rules(loses):
    """Half the gradient each at a tie, none for the operand that `loses(mine, other)`; where one is NaN both get all of it, as in torch."""
    def rule(mine_first):
        def made(xp, g, out, a, b):
            mine, other = (a, b) if mine_first else (b, a)
            return masked(xp, ~loses(mine, other), xp.where(mine == other, g / 2, g))
        return made
    return rule(True), rule(False)


def _first_rules(wins):
    """The gradient to the first operand where it `wins(xp, a, b)`, else to the second."""
    return (lambda xp, g, out, a, b: masked(xp, wins(xp, a, b), g), lambda xp, g, out, a, b: masked(xp, ~wins(xp, a, b), g))


def _nan(xp, x):
    return x != x


def _choosing(name: str, body, rules) -> None:
    op = binary(f"{name}(input, other)", body, kind=NO_OPMATH, vjp=rules, inplace=False)
    guard(refuse_complex(f"{name} not implemented for complex tensors.", RuntimeError), op)
    guard(tensors_only(name, "input", "other"), op)


_VECTORS = 64  # bytes that torch's kernels take at a time; in these the second operand stays at a tie, which shows in the sign of zero


def _preferred(xp, a, b, less):
    """`b` where `less(a, b)`, else `a`; NaN where either is."""
    second = less(a, b) | _nan(xp, b)
    if a.dtype.kind == "f":
        size = np.broadcast_shapes(np.shape(a), np.shape(b))
        count = math.prod(size)
        whole = count - count % (_VECTORS // a.dtype.itemsize)
        if whole:
            tie = a == b
            second = second | (tie if whole == count else tie & (xp.reshape(xp.arange(count), size) < whole))
    return xp.where(second & ~_nan(xp, a), b, a)


_choosing("maximum", lambda xp, a, b: _preferred(xp, a, b, lambda a, b: a < b), _tie_rules(lambda mine, other: mine < other))
_choosing("minimum", lambda xp, a, b: _preferred(xp, a, b, lambda a, b: a > b), _tie_rules(lambda mine, other: mine > other))
_choosing("fmax", lambda xp, a, b: xp.where((a >= b) | _nan(xp, b), a, b), _first_rules(lambda xp, a, b: (a >= b) | _nan(xp, b)))
_choosing("fmin", lambda xp, a, b: xp.where((a <= b) | _nan(xp, b), a, b), _first_rules(lambda xp, a, b: (a <= b) | _nan(xp, b)))


# ---------------------------------------------------------------- clamp
def _clamp(xp, x, low, high):
    # where rather than maximum: at a bound x itself stays, which shows in the sign of zero
    if low is not None:
        x = xp.where((x < low) | _nan(xp, low), low, x)
    return x if high is None else xp.where((x > high) | _nan(xp, high), high, x)


def _input_rule(xp, g, out, x, low, high):
    if low is None:
        return masked(xp, x <= high, g)
    return masked(xp, x >= low if high is None else (x >= low) & (x <= high), g)


def _low_rule(xp, g, out, x, low, high):
    return masked(xp, x < low if high is None else (x < low) & (low < high), g)


def _high_rule(xp, g, out, x, low, high):
    return masked(xp, x > high if low is None else (x > high) | (high < low), g)


def _clamping(name: str, grad: str, kernel: str, bool_ok: bool = False):
    return internal(name, _clamp, kind=NO_OPMATH, grad=grad, saves=(0, 1, 2), vjp=(_input_rule, _low_rule, _high_rule), kernel=kernel,
                    layout=elementwise_strides, refuse=COMPLEX_DTYPES if bool_ok else (dt.bool_, *COMPLEX_DTYPES))


clamp_tensors = _clamping("clamp", "ClampBackward0", "clamp_cpu")
clamp_numbers = _clamping("clamp numbers", "ClampBackward1", "clamp_scalar_cpu")


def _single(bound: str, name: str, tensors: str, numbers: str) -> tuple:
    """(op for a tensor bound, op for a number) of a clamp with one bound, with the names of their nodes."""
    kernel = {"min": "maximum_cpu", "max": "minimum_cpu"}[bound]
    return _clamping(name, tensors, kernel, True), _clamping(name + " number", numbers, f"clamp_{bound}_scalar_cpu")


CLAMP_ONE = {bound: _single(bound, f"clamp_{bound}", f"Clamp{bound.title()}Backward1", f"Clamp{bound.title()}Backward0") for bound in ("min", "max")}
# clamp with a single bound: torch's node is clamp's, its dtypes are those of clamp_min and clamp_max
clamp_one = {bound: _single(bound, f"clamp {bound}", "ClampBackward0", "ClampBackward1") for bound in ("min", "max")}


def _clamp_misfit(name: str, *given):
    got = ", ".join("Tensor" if a.__class__ is Spec or isinstance(a, TensorBase) else a.__name__ if isinstance(a, type) else type(a).__name__
                    for a in given)
    if name == "clamp":
        forms = " * (Tensor input, Tensor min = None, Tensor max = None, *, Tensor out = None)\n" \
                " * (Tensor input, Number min = None, Number max = None, *, Tensor out = None)\n"
    else:
        bound = name[-3:]
        forms = f" * (Tensor input, Tensor {bound}, *, Tensor out = None)\n * (Tensor input, Number {bound}, *, Tensor out = None)\n"
    return TypeError(f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n{forms}")


def _check_clamped(argtypes):
    if argtypes[0].__class__ is not Spec:
        raise _clamp_misfit("clamp", *argtypes)


def _check_bounds(argtypes):
    _check_clamped(argtypes)
    if complex in argtypes[1:] and argtypes[0].dtype.category == dt.FLOATING:
        raise RuntimeError("value cannot be converted to type double without overflow")


def _complex_input(argtypes):
    if argtypes[0].dtype.category == dt.COMPLEX or complex in argtypes[1:]:
        error = NotImplementedError("clamp is not supported for complex types")
        try:
            error.shape = broadcast_shapes([a.shape for a in argtypes if a.__class__ is Spec])  # of which an in-place form complains first
        except RuntimeError:
            raise error from None
        raise error


_NUMBER_CLAMPS = (clamp_tensors, clamp_numbers, *clamp_one["min"], *clamp_one["max"], CLAMP_ONE["min"][1], CLAMP_ONE["max"][1])
guard(_complex_input, *_NUMBER_CLAMPS)
for _op in (clamp_numbers, clamp_one["min"][1], clamp_one["max"][1], CLAMP_ONE["min"][1], CLAMP_ONE["max"][1]):
    _op.info.shown = C_NAMES
guard(_check_bounds, clamp_tensors, clamp_numbers, *clamp_one["min"], *clamp_one["max"])
guard(_check_clamped, CLAMP_ONE["min"][0], CLAMP_ONE["min"][1], CLAMP_ONE["max"][0], CLAMP_ONE["max"][1])


def _bound(name, input, b):
    try:
        return fits_with(tensor_or_number(b), input)
    except TypeError:
        raise _clamp_misfit(name, input, b) from None


def _choose_clamp(input, min, max):
    low, high = _bound("clamp", input, min), _bound("clamp", input, max)
    numbers = (low is None or low.__class__ in NUMBERS) and (high is None or high.__class__ in NUMBERS)
    if low is None or high is None:
        if low is high:
            raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
        return clamp_one["max" if low is None else "min"][numbers], (input, low, high)
    if not numbers and (low.__class__ in NUMBERS or high.__class__ in NUMBERS):
        raise _clamp_misfit("clamp", input, low, high)
    return (clamp_numbers if numbers else clamp_tensors), (input, low, high)


choice("clamp(input, min=None, max=None)", _choose_clamp, also=("clip",), function_inplace=True,
       doc="Each element moved into [min, max]; the bounds are both numbers or both tensors, either may be None.")


def _choose_clamp_min(input, min):
    low = _bound("clamp_min", input, min)
    return CLAMP_ONE["min"][low.__class__ in NUMBERS], (input, low, None)


def _choose_clamp_max(input, max):
    high = _bound("clamp_max", input, max)
    return CLAMP_ONE["max"][high.__class__ in NUMBERS], (input, None, high)


choice("clamp_min(input, min)", _choose_clamp_min, function_inplace=True, doc="Each element, but at least `min` (a number or a tensor).")
choice("clamp_max(input, max)", _choose_clamp_max, function_inplace=True, doc="Each element, but at most `max` (a number or a tensor).")


# ---------------------------------------------------------------- nan_to_num
def _cleaned(xp, x, nan, posinf, neginf):
    info = jnp.finfo(x.dtype)
    high, low = (info.max if posinf is None else posinf), (info.min if neginf is None else neginf)
    fill = lambda value: xp.full(x.shape, value).astype(x.dtype)
    x_ = xp.where(xp.isnan(x), fill(0 if nan is None else nan), x)
    return xp.where(x == xp.inf, fill(high), xp.where(x == -xp.inf, fill(low), x_))


def _nan_to_num(xp, x, *replacements):
    if x.dtype.kind in "biu":
        return x
    replacements = [r if r is None else xp.real(r) for r in replacements]
    if x.dtype.kind == "c":
        return complex_of(xp, _cleaned(xp, xp.real(x), *replacements), _cleaned(xp, xp.imag(x), *replacements))
    return _cleaned(xp, x, *replacements)


nan_to_num_op = internal("nan_to_num", _nan_to_num, kind=NO_OPMATH, grad="NanToNumBackward0", saves=(0,), layout=like_strides,
                         vjp=(lambda xp, g, out, x, *replacements: masked(xp, xp.isfinite(x), g),))
guard(lambda argtypes: argtypes[:1] + (type(None),) * 3, nan_to_num_op)
choice("nan_to_num(input, nan=None, posinf=None, neginf=None)", lambda input, nan, posinf, neginf: (
    nan_to_num_op, (input, tensor_or_number(nan), tensor_or_number(posinf), tensor_or_number(neginf))), function_inplace=True,
       doc="NaN and infinities replaced: by 0, and by the dtype's largest and smallest finite values, unless given. Integers unchanged.")

__all__ = ["masked"]
