"""Comparisons: eq, ne, lt, le, gt, ge with their aliases and operators; tests of values (isnan, ...), isclose, allclose, equal."""
from __future__ import annotations

from .. import _dtype as dt
from .._core.evaluate import read
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.spec import Spec, spec_of
from .._dtype import COMPLEX, FLOATING
from .declare import ALWAYS_BOOL, broadcast_shapes, call, common_device, half_complex, internal, unary
from .guards import COMPLEX_DTYPES, NUMBERS, choice, guard, operand, refuse_complex, tensor_first, wrong_arguments
from .layout import by_kind, elementwise_strides, like_strides
from .pointwise import zeros
from .variants import METHODS, public, register, tensor_or_number, write_out


def comparison(name: str, alias: str | None, dunder: str, body) -> None:
    """Declare one comparison: function, method, in-place form (which has a node, with zero gradient), alias and operator."""
    order = name not in ("eq", "ne")
    kernel, refuse = f"{name}_cpu", COMPLEX_DTYPES if order else ()
    title = name.capitalize()
    tensors = internal(name, body, kind=ALWAYS_BOOL, grad=f"{title}Backward1", vjp=(zeros,), refuse=refuse, kernel=kernel)
    number = internal(name + " number", body, kind=ALWAYS_BOOL, grad=f"{title}Backward0", vjp=(zeros,), refuse=refuse, kernel=kernel)
    guard(tensor_first(name), tensors, number)
    if not order:
        half_complex(tensors, number)

    def choose(input, other):
        if other.__class__ in NUMBERS:
            return number, (input, other)
        if not isinstance(other, TensorBase):
            try:
                return number, (input, _not_none(other))
            except TypeError:
                raise TypeError(wrong_arguments(name, f"Tensor, {type(other).__name__}")) from None
        return tensors, (input, other)

    def compare(self, other):
        if other.__class__ in NUMBERS:
            return call(number, (self, other))
        if not isinstance(other, TensorBase):
            other = operand(other)
            if other is NotImplemented:
                return other
        return call(tensors if isinstance(other, TensorBase) else number, (self, other))
    choice(f"{name}(input, other)", choose, also=(alias,) if alias else (), doc=f"input {dunder} other, element-wise: a bool tensor.")
    register(METHODS, f"__{name}__", compare)


def _not_none(x):
    if x is None:
        raise TypeError
    return tensor_or_number(x)


comparison("eq", None, "==", lambda xp, a, b: xp.equal(a, b))
comparison("ne", "not_equal", "!=", lambda xp, a, b: xp.not_equal(a, b))
comparison("lt", "less", "<", lambda xp, a, b: xp.less(a, b))
comparison("le", "less_equal", "<=", lambda xp, a, b: xp.less_equal(a, b))
comparison("gt", "greater", ">", lambda xp, a, b: xp.greater(a, b))
comparison("ge", "greater_equal", ">=", lambda xp, a, b: xp.greater_equal(a, b))


# ---------------------------------------------------------------- tests of each value
def _test(name: str, body, also: tuple = ()) -> Op:
    op = unary(f"{name}(input)", body, kind=ALWAYS_BOOL, grad=None, inplace=False, also=also)
    half_complex(op)
    return op


def _never(xp, x):
    return xp.zeros(x.shape, bool)


_test("isnan", lambda xp, x: xp.isnan(x) if x.dtype.kind not in "biu" else _never(xp, x))
_test("isinf", lambda xp, x: xp.isinf(x) if x.dtype.kind not in "biu" else _never(xp, x))
_isfinite_op = internal("isfinite", lambda xp, x: xp.isfinite(x) if x.dtype.kind not in "biu" else ~_never(xp, x), kind=ALWAYS_BOOL)


half_complex(_isfinite_op)


@public("isfinite")
def isfinite(input):
    """Where an element is neither infinite nor NaN."""
    made = call(_isfinite_op, (input,))
    if input._spec.dtype.category == COMPLEX:
        made._bump()  # torch combines the parts in place
    return made


isreal_op = _test("isreal", lambda xp, x: xp.imag(x) == 0 if x.dtype.kind == "c" else ~_never(xp, x))
isreal_op.layout = by_kind(elementwise_strides, like_strides)


def _signed_infinity(name: str, value: float) -> None:
    op = internal(name, lambda xp, x: x == value if x.dtype.kind not in "biu" else _never(xp, x), kind=ALWAYS_BOOL)
    guard(refuse_complex(f"{name} does not support complex inputs.", RuntimeError), op)

    def front(input, *, out=None):
        if out is None:
            return call(op, (input,))
        if out._spec.dtype is not dt.bool_:
            raise RuntimeError(f"{name} does not support non-boolean outputs.")
        write_out(out, call(op, (input,)))
        return out
    front.__doc__ = f"Whether each element is {value}. Raises RuntimeError for complex tensors."
    public(name)(front)


_signed_infinity("isposinf", float("inf"))
_signed_infinity("isneginf", float("-inf"))


# ---------------------------------------------------------------- comparisons of whole tensors
def _isclose(xp, a, b, rtol, atol, *, equal_nan, exact, working):
    close = a == b
    if equal_nan and a.dtype.kind not in "biu":
        close = close | (xp.isnan(a) & xp.isnan(b))
    if exact:
        return close
    if a.dtype.kind in "biu":
        a, b = a.astype(working), b.astype(working)
    allowed, actual = atol + xp.abs(rtol * b), xp.abs(a - b)
    return close | (xp.isfinite(actual) & (actual <= allowed))


def _isclose_plan(op: Op, argtypes: tuple, static: dict):
    a, b = argtypes[:2]
    for i, x, name in ((1, a, "input"), (2, b, "other")):
        if x.__class__ is not Spec:
            raise TypeError(f"isclose(): argument '{name}' (position {i}) must be Tensor, not {x.__name__}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"{a.dtype.legacy} did not match {b.dtype.legacy}")
    compute = dt.float32 if a.dtype in (dt.float16, dt.bfloat16) else a.dtype
    static["working"] = dt.get_default_dtype().numpy

    def impl(xp, a, b, rtol, atol):
        return op.body(xp, cast(xp, a, compute), cast(xp, b, compute), rtol, atol, **static)
    return impl, spec_of(broadcast_shapes([a.shape, b.shape]), dt.bool_, common_device([a, b]))


isclose_op = Op("isclose", _isclose, _isclose_plan, layout=elementwise_strides)


@public("isclose")
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, element-wise. Raises RuntimeError where dtypes differ or a tolerance is negative."""
    for name, x in (("rtol", rtol), ("atol", atol)):
        if not isinstance(x, (int, float)):
            raise TypeError(f"isclose(): argument '{name}' must be float, not {type(x).__name__}")
    if isinstance(input, TensorBase) and isinstance(other, TensorBase) and input._spec.dtype is other._spec.dtype:
        for name, x in (("rtol", rtol), ("atol", atol)):
            if x < 0:
                raise RuntimeError(f"{name} must be greater than or equal to zero, but got {x:g}")
    exact, equal_nan = rtol == 0 and atol == 0, bool(equal_nan)
    made = call(isclose_op, (input, other, float(rtol), float(atol)), (("equal_nan", equal_nan), ("exact", exact)))
    for _ in range((not exact) + (equal_nan and input._spec.dtype.category >= FLOATING)):
        made._bump()  # torch builds the result by in-place steps, which its version shows
    return made


@public("allclose")
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close, see isclose: a Python bool."""
    if not isinstance(other, TensorBase):
        raise TypeError(f"allclose(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    return bool(read(isclose(input, other, rtol, atol, equal_nan)._read(), "allclose").all())


@public("equal")
def equal(input, other):
    """Whether both tensors have the same shape and the same elements: a Python bool."""
    if not isinstance(other, TensorBase):
        raise TypeError(f"equal(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    if input._spec.shape != other._spec.shape:
        return False
    return bool(read(METHODS["eq"](input, other)._read(), "equal").all())



__all__ = ["allclose", "equal", "isclose"]
