"""Running sums, products and extrema along a dimension, and the differences that undo them: cumsum, cumprod, cummax, diff, trapezoid."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import spec_of
from .._dtype import BOOL, COMPLEX, FLOATING
from .exact_out import dtype_named, exact_out, scalar_type
from .factory import check_dtype
from .nn_common import C_NAMES
from .pointwise import unsigned_zero
from .return_types import return_type
from .selection import is_nan, picking, refuse, running_max, widened
from .shared import wrap_dim
from .variants import FUNCTIONS, METHODS, assign, check_writable, public, register


# ---------------------------------------------------------------- cumsum, cumprod, logcumsumexp
def _scan_planner(op: Op, argtypes: tuple, static: dict):
    a, dim, result = argtypes[0], static["dim"], static["dtype"]
    compute = widened(result)

    def impl(xp, x):
        x = cast(xp, cast(xp, x, result), compute)
        return cast(xp, op.body(xp, x, dim) if a.ndim else op.body(xp, xp.reshape(x, (1,)), 0).reshape(()), result)

    def typed(rule):
        if rule is None:
            return None

        def cast_rule(xp, g, out, x, *, dim, dtype):
            shape = x.shape or (1,)
            g, out, full = (xp.reshape(cast(xp, a, compute), shape) for a in (g, out, x))
            return xp.reshape(rule(xp, g, out, full, dim), x.shape)
        cast_rule.again = typed(getattr(rule, "again", None))
        return cast_rule
    return impl, spec_of(tuple(a.shape), result, a.device), None if op.vjp is None else (typed(op.vjp[0]),)


def _cumsum(xp, x, dim):
    return unsigned_zero(xp, xp.cumsum(x, axis=dim))


def _cumprod(xp, x, dim):
    return xp.cumprod(x, axis=dim)


def _cumsum_rule(xp, g, out, x, dim):
    return xp.flip(xp.cumsum(xp.flip(g, dim), axis=dim), dim)


def _cumprod_rule(xp, g, out, x, dim):
    """sum of g_k out_k / x_i over k >= i where no element is 0, as in torch (NaN and infinities show it). Else the same before the first zero,
    products without it at the zero, and 0 behind."""
    if x.ndim and x.shape[dim] <= 1:
        return g
    zero = x == 0
    seen = xp.cumsum(zero.astype(np.int32), axis=dim)  # zeros up to here
    before, first, between = seen == 0, (seen == 1) & zero, (seen == 1) & ~zero
    nothing, one = xp.zeros((), x.dtype), xp.ones((), x.dtype)
    weighted = xp.where(before, g * xp.conj(out), nothing)
    ahead = _cumsum_rule(xp, weighted, out, x, dim) / xp.conj(xp.where(before, x, one))
    behind = xp.sum(xp.cumprod(xp.conj(xp.where(between, x, one)), axis=dim) * xp.where(seen == 1, g, nothing), axis=dim, keepdims=True)
    prefix = xp.cumprod(xp.conj(xp.where(before, x, one)), axis=dim)
    return xp.where(before, ahead, xp.where(first, behind * prefix, nothing))


def _cumprod_again(xp, g, out, x, dim):
    """The same without division or choice, so that it can be differentiated at zeros too."""
    if x.ndim and x.shape[dim] <= 1:
        return g
    zeros = xp.any(x == 0)
    plain = _cumsum_rule(xp, g * xp.conj(out), out, x, dim) / xp.conj(xp.where(zeros, xp.ones_like(x), x))
    return xp.where(zeros, unsigned_zero(xp, _cumprod_of_others(xp, g, x, dim)), plain)


_cumprod_rule.again = _cumprod_again


def _cumprod_of_others(xp, g, x, dim):
    """d/dx_i = prefix_i * r_i: the product before i, times r_i = g_i + x_{i+1} r_{i+1}."""
    x, g = xp.conj(xp.moveaxis(x, dim, 0)), xp.moveaxis(g, dim, 0)
    one = xp.ones_like(x[:1])
    prefix = xp.cumprod(xp.concatenate([one, x[:-1]], 0), axis=0)
    return xp.moveaxis(prefix * _suffix(xp, g, xp.concatenate([x[1:], one], 0)), 0, dim)


def _suffix(xp, g, factor):
    """r_i = g_i + factor_i * r_{i+1} along the first axis, with r_n = 0."""
    if xp is np:
        r, last = np.empty_like(g), np.zeros_like(g[:1])
        for i in range(g.shape[0] - 1, -1, -1):
            last = r[i:i + 1] = g[i:i + 1] + factor[i:i + 1] * last
        return r
    return jax.lax.associative_scan(lambda later, now: (later[0] * now[0], now[1] + now[0] * later[1]), (factor, g), reverse=True)[1]


def _logcumsumexp_rule(xp, g, out, x, dim):
    """By logarithms of the positive and of the negative cotangents, as torch has it (NaN and infinities show it)."""
    if x.dtype.kind == "c":
        return _logcumsumexp_complex_rule(xp, g, out, x, dim)

    def part(size):
        logs = xp.where(size > 0, xp.log(xp.where(size > 0, size, xp.ones((), x.dtype))), xp.asarray(np.finfo(x.dtype).min, x.dtype))
        return xp.exp(xp.flip(_logcumsumexp(xp, xp.flip(logs - out, dim), dim), dim) + x)
    return part(g) - part(-g)


def _logcumsumexp_complex_rule(xp, g, out, x, dim):
    """exp(x_i - out_i) times r_i = g_i + exp(out_i - out_{i+1}) r_{i+1}: no exponent is above 0."""
    g, out, x = (xp.moveaxis(a, dim, 0) for a in (g, out, x))
    factor = xp.concatenate([xp.exp(out[:-1] - out[1:]), xp.ones_like(out[:1])], 0)
    return xp.moveaxis(xp.conj(xp.exp(x - out)) * _suffix(xp, g, xp.conj(factor)), 0, dim)


def _logcumsumexp(xp, x, dim):
    if x.dtype.kind == "c":
        return xp.moveaxis(_complex_scan(xp, xp.moveaxis(x, dim, 0)), 0, dim)
    return unsigned_zero(xp, np.logaddexp.accumulate(x, axis=dim) if xp is np else jax.lax.cumlogsumexp(x, axis=dim))


def _complex_scan(xp, x):
    """Step by step along the first axis: the imaginary part keeps the turns that one logarithm at the end would lose, as in torch."""
    def step(total, new):
        first = new.real < total.real
        low, high = xp.where(first, new, total), xp.where(first, total, new)
        total = high + xp.log1p(xp.exp(low - high))
        return total, total
    if x.shape[0] == 0:
        return x
    if xp is np:
        made = [x[0]]
        for new in x[1:]:
            made.append(step(made[-1], new)[0])
        return np.stack(made)
    return jnp.concatenate([x[:1], jax.lax.scan(step, x[0], x[1:])[1]])


cumsum_op = Op("cumsum", _cumsum, _scan_planner, grad="CumsumBackward0", vjp=(_cumsum_rule,))
cumprod_op = Op("cumprod", _cumprod, _scan_planner, grad="CumprodBackward0", saves=(0, "result"), vjp=(_cumprod_rule,))
logcumsumexp_op = Op("logcumsumexp", _logcumsumexp, _scan_planner, grad="LogcumsumexpBackward0", saves=(0, "result"),
                     vjp=(_logcumsumexp_rule,))


def _dim_of(name: str, spec, dim) -> int:
    if not isinstance(dim, int):
        raise TypeError(f"{name}(): argument 'dim' (position 1) must be int, not {type(dim).__name__}")
    return wrap_dim(dim, spec.ndim)


def _declare_scan(name: str, op: Op, what: str) -> None:
    @public(name, out=True)
    def front(input, dim, *, dtype=None):
        spec = input._spec
        result = check_dtype(dtype) if dtype is not None else spec.dtype if spec.dtype.category >= FLOATING else dt.int64
        if result.category == BOOL and spec.numel and spec.ndim:
            refuse(f"{name}_out_cpu", result)
        return call(op, (input,), (("dim", _dim_of(name, spec, dim)), ("dtype", result)))
    front.__doc__ = f"The {what} of the elements so far along `dim`; integers and bool give int64 unless `dtype` is given."

    def in_place(self, dim, *, dtype=None):
        check_writable(self)
        spec = self._spec
        if spec.dtype.category == BOOL:
            refuse(f"{name}_out_cpu", spec.dtype)
        if dtype is not None and check_dtype(dtype) is not spec.dtype:
            raise RuntimeError(f"Bad in-place call: input tensor dtype {C_NAMES[spec.dtype]} and output tensor dtype {C_NAMES[check_dtype(dtype)]} "
                               "should match")
        return assign(self, call(op, (self,), (("dim", _dim_of(name, spec, dim)), ("dtype", spec.dtype))))
    in_place.__name__ = name + "_"
    in_place.__doc__ = f"`{name}` into this tensor, in its own dtype."
    register(METHODS, name + "_", in_place)


_declare_scan("cumsum", cumsum_op, "sum")
_declare_scan("cumprod", cumprod_op, "product")


@public("logcumsumexp", out=True)
def logcumsumexp(input, dim):
    """The logarithm of the running sum of exponentials along `dim`. Raises NotImplementedError for integers and bool."""
    spec = input._spec
    dim = _dim_of("logcumsumexp", spec, dim)
    if spec.dtype.category < FLOATING:
        refuse("logcumsumexp_out_cpu", spec.dtype)
    return call(logcumsumexp_op, (input,), (("dim", dim), ("dtype", spec.dtype)))


# ---------------------------------------------------------------- cummax and cummin
def _running_index(smallest: bool):
    def body(xp, x, dim):
        """The last index at which the running extremum was met or equalled; after a NaN only another NaN moves it."""
        key = ~x if x.dtype == bool and smallest else -x.astype(np.float64) if smallest and x.dtype.kind == "u" else (
            ~x if smallest and x.dtype.kind == "i" else -x if smallest else x)
        met = (key == running_max(xp, key, dim)) | is_nan(xp, x)
        position = xp.expand_dims(xp.arange(x.shape[dim]), tuple(range(1, x.ndim - dim)))
        return running_max(xp, xp.where(met, position, 0), dim)
    return body


def _declare_cummax(name: str, smallest: bool) -> None:
    op = picking(name, _running_index(smallest), name.capitalize() + "Backward0")
    result = return_type(name, "values", "indices")

    @public(name, out=True)
    def front(input, dim):
        spec = input._spec
        dim = _dim_of(name, spec, dim)
        if spec.dtype.category == COMPLEX and spec.numel and spec.ndim:
            refuse(f"{name}_cpu", spec.dtype)
        return result(call(op, (input,), (("dim", dim), ("size", None), ("squeeze", False))))
    front.__doc__ = (f"The {'smallest' if smallest else 'largest'} element so far along `dim` and its index (the last of ties), "
                     "a named tuple (values, indices).")


_declare_cummax("cummax", False)
_declare_cummax("cummin", True)


# ---------------------------------------------------------------- diff and trapezoid
@public("diff", out=True)
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """The `n`-th differences along `dim`, with `prepend` and `append` joined on first. Raises RuntimeError for a 0-dim tensor or n < 0."""
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = wrap_dim(dim, spec.ndim)
    for end in (prepend, append):
        if end is not None and end._spec.ndim != spec.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if n == 0:
        return METHODS["clone"](input)
    ends = [t for t in (prepend, input, append) if t is not None]
    joined = FUNCTIONS["cat"](ends, dim) if len(ends) > 1 else input
    for _ in range(min(n, joined._spec.shape[dim])):
        joined = _step(joined, dim)
    return joined


def _ends(t: TensorBase, dim: int) -> tuple:
    """The elements from the second on, and those before the last."""
    size = t._spec.shape[dim]
    length = size - 1 if size else 0
    return METHODS["narrow"](t, dim, 1 if size else 0, length), METHODS["narrow"](t, dim, 0, length)


def _step(t: TensorBase, dim: int) -> TensorBase:
    after, before = _ends(t, dim)
    return METHODS["logical_xor" if t._spec.dtype is dt.bool_ else "sub"](after, before)


def _spacing(y: TensorBase, x: TensorBase, dim: int, name: str) -> TensorBase:
    """The distances between sample points, shaped to multiply differences of `y` along `dim`."""
    if x._spec.ndim == 1:
        if x._spec.shape[0] != y._spec.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        shape = [1] * y._spec.ndim
        shape[dim] = x._spec.shape[0]
        x = METHODS["view"](x, shape) if METHODS["is_contiguous"](x) else METHODS["reshape"](x, shape)
    elif x._spec.ndim < y._spec.ndim:
        x = METHODS["reshape"](x, (1,) * (y._spec.ndim - x._spec.ndim) + tuple(x._spec.shape))
    return _step(x, dim) if x._spec.shape[dim] > 1 else x


def _trapezoid(name: str, y: TensorBase, x, dx, dim: int, total) -> TensorBase:
    if y._spec.ndim == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    for t, what in ((y, "y"), (x, "x")):
        if t is not None and t._spec.dtype is dt.bool_:
            raise RuntimeError(f"{name}: received a bool input for `{what}`, but bool is not supported")
    dim = wrap_dim(dim, y._spec.ndim)
    after, before = _ends(y, dim)
    sums = METHODS["add"](after, before)
    if x is None:
        return total(METHODS["mul"](sums, (1 if dx is None else dx) / 2), dim)
    return METHODS["div"](total(METHODS["mul"](sums, _spacing(y, x, dim, name)), dim), 2)


@public("trapezoid", method=False, also=("trapz",))
def trapezoid(y, x=None, *, dx=None, dim=-1):
    """The integral of `y` along `dim` by the trapezoidal rule, at points `x` or `dx` (default 1) apart. Raises RuntimeError for bool."""
    return _trapezoid("trapezoid", y, x, dx, dim, METHODS["sum"])


@public("cumulative_trapezoid", method=False)
def cumulative_trapezoid(y, x=None, *, dx=None, dim=-1):
    """The running integral of `y` along `dim` by the trapezoidal rule; one element fewer than `y`."""
    return _trapezoid("cumulative_trapezoid", y, x, dx, dim, METHODS["cumsum"])


exact_out("cumsum", "cumprod", when=dtype_named)
exact_out("cummax", "cummin", "logcumsumexp", message=scalar_type)
