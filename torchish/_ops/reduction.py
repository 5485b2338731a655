"""Reductions to sums, products and truth values: sum, mean, prod, all, any, logsumexp and their kin.

Extrema are in order_statistics.py, moments in statistics.py, norms in norm.py; they share the planner here.
"""
from __future__ import annotations

from functools import partial

import jax
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast, simple
from .._core.record import call
from .._core.spec import spec_of
from .._core.tape import state
from .._dtype import COMPLEX, FLOATING
from .declare import Spec
from .exact_out import bool_only, dtype_named, exact_out
from .factory import check_dtype
from .halves import HALVES, rounded
from .pointwise import unsigned_zero
from .rounding import in_double
from .selection import refuse, widened
from .shared import shape_text, sizes, summed, wrap_dim, wrap_dims
from .variants import METHODS, public


def reduced_shape(shape: tuple, dims: tuple, keepdim: bool) -> tuple:
    """The shape after reducing `dims`."""
    return tuple([1 if i in dims else n for i, n in enumerate(shape) if keepdim or i not in dims])


class _Every:
    """The default of `dim`: all dimensions. torch's node differs where None is given in its place."""

    def __repr__(self) -> str:
        return "None"


EVERY = _Every()


def all_dims(dim, ndim: int) -> tuple:
    """A `dim` argument (None, an int, or several) as a tuple of dimensions in range; none given means all."""
    if dim is None or dim is EVERY or (dim.__class__ in (tuple, list) and len(dim) == 0):
        return tuple(range(ndim))
    wrapped = (wrap_dim(dim, ndim),) if isinstance(dim, int) else wrap_dims(dim, ndim)
    return wrapped if ndim else ()


def one_dim(name: str, dim) -> int:
    """A `dim` argument that must be one int. Raises TypeError as torch does."""
    if not isinstance(dim, int):
        raise TypeError(f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}")
    return dim


def reduction_planner(op: Op, argtypes: tuple, static: dict):
    """Plan of `body(xp, x, dims, keepdim, **rest)`: static `dims`, `keepdim`, `dtype` (of the result; of the operand's precision if it is
    complex and the result real). Halves are reduced in float32, forward and backward; the forward by the body in `op.info` if there is one, which
    takes the dtype as `half`."""
    a: Spec = argtypes[0]
    static = dict(static)
    dims, keepdim, result = static.pop("dims"), static.pop("keepdim"), static.pop("dtype")
    flow = compute = widened(result)
    if a.dtype.category == COMPLEX and result.category == FLOATING:
        compute = compute.to_complex()
    body, rest = op.body, static
    if op.info is not None and result in HALVES:
        body = partial(op.info, half=result)
    first = result if result is not compute and a.dtype is not result and a.dtype.category != COMPLEX else compute

    def impl(xp, x):
        return cast(xp, body(xp, cast(xp, cast(xp, x, first), compute), dims, keepdim, **rest), result)
    rules = None if op.vjp is None else (_typed(op.vjp[0], flow, compute, dims, keepdim, rest),)
    return impl, spec_of(reduced_shape(a.shape, dims, keepdim), result, a.device), rules


def _typed(rule, flow: dt.dtype, compute: dt.dtype, dims: tuple, keepdim: bool, rest: dict):
    """`rule(xp, g, out, x, dims, keepdim, **rest)` sees its operands in the compute dtypes, g and out with the reduced dimensions of size 1."""
    again = getattr(rule, "again", None)

    def typed(xp, g, out, x, **static):
        shape = reduced_shape(x.shape, dims, True)
        g, out = xp.reshape(cast(xp, g, flow), shape), xp.reshape(cast(xp, out, flow), shape)
        return xp.broadcast_to(rule(xp, g, out, cast(xp, x, compute), dims, keepdim, **rest), x.shape)
    typed.again = None if again is None else _typed(again, flow, compute, dims, keepdim, rest)
    return typed


def reduction(name: str, body, grad: str | None, rule=None, saves: tuple = (), half=None) -> Op:
    """Declare a reduction with `reduction_planner`; `half` is another body for float16 and bfloat16."""
    return Op(name, body, reduction_planner, grad=grad, saves=saves, vjp=None if rule is None else (rule,), info=half)


def reduce(op: Op, input: TensorBase, dims: tuple, keepdim, result: dt.dtype, rest: tuple = ()) -> TensorBase:
    """Record a reduction over `dims` (already in range)."""
    return call(op, (input,), (("dims", dims), ("keepdim", keepdim is True or bool(keepdim)), ("dtype", result), *rest))


def count(shape: tuple, dims: tuple) -> int:
    """How many elements each result of a reduction over `dims` has."""
    n = 1
    for d in dims:
        n *= shape[d]
    return n


def _accumulated(input: TensorBase, dtype) -> dt.dtype:
    """The result dtype of a sum or product: integers and bool accumulate in int64 unless `dtype` is given.

    Raises RuntimeError where an integer `dtype` would cut a gradient off.
    """
    spec = input._spec
    if dtype is not None:
        result = check_dtype(dtype)
        if result.category < FLOATING and state.grad and input._current_edge() is not None:
            raise RuntimeError(f"Autograd not support dtype: {result.legacy}")
        return result
    return spec.dtype if spec.dtype.category >= FLOATING else dt.int64


# ---------------------------------------------------------------- sum and mean
def _sum(xp, x, dims, keepdim):
    total = summed(xp, x, dims, keepdim)
    return unsigned_zero(xp, total) if x.dtype.kind == "f" else total


def divided(xp, a, n):
    """`a / n` for a static number n that may be 0, giving infinity or NaN as arrays do."""
    return a / (n if n else xp.zeros((), a.real.dtype))


def mean_of(xp, x, dims: tuple, keepdim: bool):
    """The mean over `dims`; NaN of nothing (without the warning that NumPy's own mean gives)."""
    return in_double(xp, lambda total: divided(xp, total, count(x.shape, dims)), summed(xp, x, dims, keepdim))


def _sum_rule(xp, g, out, x, dims, keepdim):
    return g


def _mean_rule(xp, g, out, x, dims, keepdim):
    n = count(x.shape, dims)
    return g / n if n else g


sum_all = reduction("sum", _sum, "SumBackward0", _sum_rule)
sum_dims = reduction("sum.dim", _sum, "SumBackward1", _sum_rule)
mean_all = reduction("mean", mean_of, "MeanBackward0", _mean_rule)
mean_dims = reduction("mean.dim", mean_of, "MeanBackward1", _mean_rule)
nansum_op = reduction("nansum", lambda xp, x, dims, keepdim: xp.nansum(x, axis=dims, keepdims=keepdim), "NansumBackward0",
                      lambda xp, g, out, x, dims, keepdim: g * ~xp.isnan(x), saves=(0,))
_valid_op = reduction("count of numbers", lambda xp, x, dims, keepdim: xp.sum(~xp.isnan(x), axis=dims, keepdims=keepdim), None)


@public("sum", out=True)
def sum(input, dim=EVERY, keepdim=False, *, dtype=None):
    """The sum over `dim` (all dimensions when None); integers and bool sum in int64 unless `dtype` is given."""
    spec = input._spec
    return reduce(sum_all if dim is EVERY else sum_dims, input, all_dims(dim, spec.ndim), keepdim, _accumulated(input, dtype))


@public("nansum", out=True)
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` with NaN counted as 0. Raises RuntimeError for complex tensors."""
    spec = input._spec
    if spec.dtype.category < FLOATING:
        return sum(input, dim, keepdim, dtype=dtype)
    if spec.dtype.category == COMPLEX:
        raise RuntimeError("nansum on CPU does not support complex inputs")
    result = _accumulated(input, dtype)
    if result.category == COMPLEX:
        refuse("nansum_cpu", result)
    return reduce(nansum_op, input, all_dims(dim, spec.ndim), keepdim, result)


@public("mean", out=True)
def mean(input, dim=EVERY, keepdim=False, *, dtype=None):
    """The mean over `dim` (all dimensions when None). Raises RuntimeError for integers unless a float `dtype` is given."""
    spec = input._spec
    result = spec.dtype if dtype is None else check_dtype(dtype)
    if result.category < FLOATING:
        what = "Input" if dtype is None else "Optional"
        raise RuntimeError(f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. "
                           f"Got: {result.legacy}")
    return reduce(mean_all if dim is EVERY else mean_dims, input, all_dims(dim, spec.ndim), keepdim, result)


@public("nanmean", out=True)
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim` of the elements that are not NaN. Raises RuntimeError for integers and bool."""
    spec = input._spec
    if spec.dtype.category < FLOATING:
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {spec.dtype.legacy}")
    result = spec.dtype if dtype is None else check_dtype(dtype)
    if result.category < FLOATING:
        raise RuntimeError("nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. "
                           f"Got: {result.legacy}")
    dims = all_dims(dim, spec.ndim)
    total = nansum(input, dim, keepdim, dtype=dtype)
    return METHODS["div"](total, reduce(_valid_op, input, dims, keepdim, result))


@public("sum_to_size", function=False)
def sum_to_size(self, *size):
    """The sum down to a shape that broadcasts to this one. Raises RuntimeError where `size` does not."""
    size, shape = sizes(size), self._spec.shape
    lead = len(shape) - len(size)
    if lead < 0 or not _expands(size, shape[lead:]):
        raise RuntimeError(f"size {{{shape_text(size)}}} is not expandable to size {{{shape_text(shape)}}}.")
    if not size:
        return sum(self)
    dims = tuple(range(lead)) + tuple([d + lead for d, n in enumerate(size) if n == 1 and shape[d + lead] != 1])
    if not dims:
        return self
    total = sum(self, dims, True)
    return METHODS["view"](total, size) if lead else total


def _expands(size: tuple, shape: tuple) -> bool:
    return not [n for n, m in zip(size, shape) if n != m and n != 1]


# ---------------------------------------------------------------- prod
def _prod(xp, x, dims, keepdim):
    return xp.prod(x, axis=dims, keepdims=keepdim)


def _prod_all_rule(xp, g, out, x, dims, keepdim):
    """As along dimensions, but plain 0 where several elements are 0."""
    if not x.ndim:
        return g
    return xp.where(xp.sum(x == 0) > 1, xp.zeros((), x.dtype), _prod_rule(xp, g, out, x, dims, keepdim))


def _prod_rule(xp, g, out, x, dims, keepdim):
    """result / x where no element is 0, as in torch (NaN and infinities show it), else the product of the others."""
    zeros = xp.any(x == 0)
    return xp.where(zeros, _prod_of_others(xp, g, x, dims), g * xp.conj(out / xp.where(zeros, xp.ones_like(x), x)))


def _prod_of_others(xp, g, x, dims):
    """The products from the left times those from the right."""
    kept = tuple([d for d in range(x.ndim) if d not in dims])
    flat = xp.reshape(xp.transpose(x, kept + dims), tuple([x.shape[d] for d in kept]) + (count(x.shape, dims),))
    one = xp.ones_like(flat[..., :1])
    left = xp.cumprod(xp.concatenate([one, flat[..., :-1]], -1), -1)
    right = xp.flip(xp.cumprod(xp.concatenate([one, xp.flip(flat[..., 1:], -1)], -1), -1), -1)
    others = xp.reshape(left * right, tuple([x.shape[d] for d in kept + dims]))
    return g * xp.conj(xp.transpose(others, tuple([int(i) for i in np.argsort(kept + dims)])))


_prod_all_rule.again = _prod_rule


def _prod_half(xp, x, dims, keepdim, half):
    """torch multiplies halves one by one and rounds each time (here: as many as a program can spell out)."""
    n = count(x.shape, dims)
    if not 0 < n <= _SPELLED:
        return _prod(xp, x, dims, keepdim)
    kept = tuple([d for d in range(x.ndim) if d not in dims])
    flat = xp.reshape(xp.transpose(x, kept + dims), (*[x.shape[d] for d in kept], n))
    made = flat[..., 0]
    for i in range(1, n):
        made = rounded(xp, made * flat[..., i], half)
    return xp.reshape(made, reduced_shape(x.shape, dims, keepdim))


_SPELLED = 64
prod_all = reduction("prod", _prod, "ProdBackward0", _prod_all_rule, saves=(0, "result"), half=_prod_half)
prod_dim = reduction("prod.dim", _prod, "ProdBackward1", _prod_rule, saves=(0, "result"), half=_prod_half)


@public("prod", out=True)
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product over `dim`, one dimension (all when None); integers and bool multiply in int64 unless `dtype` is given."""
    spec = input._spec
    if dim is None:
        return reduce(prod_all, input, tuple(range(spec.ndim)), False, _accumulated(input, dtype))
    return reduce(prod_dim, input, all_dims(one_dim("prod", dim), spec.ndim), keepdim, _accumulated(input, dtype))


# ---------------------------------------------------------------- all, any, count_nonzero
def _truth_planner(op: Op, argtypes: tuple, static: dict):
    a, dims, keepdim = argtypes[0], static["dims"], static["keepdim"]
    result = dt.uint8 if a.dtype is dt.uint8 else dt.bool_

    def impl(xp, x):
        return cast(xp, op.body(xp, x if a.dtype is dt.bool_ else x != 0, dims, keepdim), result)
    return impl, spec_of(reduced_shape(a.shape, dims, keepdim), result, a.device)


def _truth(name: str, body, doc: str) -> None:
    op = Op(name, body, _truth_planner)

    @public(name, out=True)
    def front(input, dim=None, keepdim=False):
        ndim = input._spec.ndim
        dims = () if dim == () or dim == [] else all_dims(dim, ndim)  # torch reduces nothing for an empty list here
        return call(op, (input,), (("dims", dims), ("keepdim", bool(keepdim))))
    front.__doc__ = doc


_truth("all", lambda xp, x, dims, keepdim: xp.all(x, axis=dims, keepdims=keepdim),
       "Whether every element along `dim` (all when None) is non-zero; bool, or uint8 for uint8. NaN is non-zero.")
_truth("any", lambda xp, x, dims, keepdim: xp.any(x, axis=dims, keepdims=keepdim),
       "Whether some element along `dim` (all when None) is non-zero; bool, or uint8 for uint8. NaN is non-zero.")


def _count_planner(op: Op, argtypes: tuple, static: dict):
    a, dims = argtypes[0], static["dims"]
    return (lambda xp, x: cast(xp, xp.sum(x != 0, axis=dims), dt.int64)), spec_of(reduced_shape(a.shape, dims, False), dt.int64, a.device)


count_nonzero_op = Op("count_nonzero", _sum, _count_planner)


@public("count_nonzero")
def count_nonzero(input, dim=None):
    """How many elements along `dim` (all dimensions when None) are not zero, as int64."""
    return call(count_nonzero_op, (input,), (("dims", all_dims(dim, input._spec.ndim)),))


# ---------------------------------------------------------------- logsumexp
def _logsumexp(xp, x, dims, keepdim, half=None):
    if count(x.shape, dims) == 0:
        return xp.log(xp.sum(xp.exp(x), axis=dims, keepdims=keepdim))
    top = xp.max(x.real, axis=dims, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    each = xp.exp(x - top) if half is None else rounded(xp, xp.exp(rounded(xp, x - top, half)), half)
    total = xp.sum(each, axis=dims, keepdims=True)
    total = top + (xp.log(total) if half is None else rounded(xp, xp.log(rounded(xp, total, half)), half))
    return total if keepdim else xp.reshape(total, reduced_shape(x.shape, dims, False))


logsumexp_op = reduction("logsumexp", _logsumexp, "LogsumexpBackward0", lambda xp, g, out, x, dims, keepdim: g * xp.conj(xp.exp(x - out)),
                         saves=(0, "result"), half=_logsumexp)


@public("logsumexp", out=True, also=("special.logsumexp",))
def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over `dim`, without overflow; integers give the default float dtype.

    Raises RuntimeError for an empty list of dimensions unless the tensor has none, as torch 2.13 does.
    """
    spec = input._spec
    if spec.ndim and (dim == () or dim == []):
        raise RuntimeError(f"output with shape [] doesn't match the broadcast shape {shape_text((1,) * spec.ndim)}")
    result = spec.dtype if spec.dtype.category >= FLOATING else dt.get_default_dtype()
    return reduce(logsumexp_op, input, all_dims(dim, spec.ndim), keepdim, result)


# ---------------------------------------------------------------- hash_tensor
_HASHED = (dt.float64, dt.float32, dt.float16, dt.bfloat16, dt.int64, dt.int32, dt.int16, dt.int8, dt.uint8, dt.bool_)


def _xor(xp, x, *, dims, keepdim):
    wide = cast(xp, x, dt.int64 if x.dtype.kind in "iub" else dt.float64)
    bits = wide.view(np.uint64) if xp is np else jax.lax.bitcast_convert_type(wide, np.uint64)
    return xp.bitwise_xor.reduce(bits, axis=dims, keepdims=keepdim) if dims else bits


xor_op = Op("hash_tensor", _xor, simple(lambda a, *, dims, keepdim: spec_of(reduced_shape(a.shape, dims, keepdim), dt.uint64, a.device)))


@public("hash_tensor", out=True)
def hash_tensor(input, dim=(), *, keepdim=False, mode=0):
    """The exclusive or, over `dim` (all when empty), of the elements' bits as float64 or int64: uint64. Raises RuntimeError for a mode but 0."""
    spec = input._spec
    dims = all_dims(dim, spec.ndim)
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    if spec.numel == 0 and dim in ((), []):
        raise RuntimeError("hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
                           "argument.")
    for d in dims:
        if spec.ndim and spec.shape[d] == 0:
            raise IndexError(f"hash_tensor: Expected reduction dim {d} to have non-zero size.")
    if spec.dtype not in _HASHED:
        raise NotImplementedError(f"\"xor_sum_cpu\" not implemented for '{spec.dtype.legacy}'")
    return call(xor_op, (input,), (("dims", dims), ("keepdim", bool(keepdim))))


exact_out("sum", "prod", "mean", when=dtype_named)
exact_out("all", "any", message=bool_only)
exact_out("hash_tensor", message=lambda name, want, have: f"Expected result to be of dtype uint64, but got {have.legacy}")
