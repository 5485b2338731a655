"""Reductions over dimensions: sum, mean and their kin."""
from __future__ import annotations

from .. import _dtype as dt
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import spec_of
from .._dtype import FLOATING
from .declare import Spec
from .shared import wrap_dims
from .variants import public


def reduced_shape(shape: tuple, dims: tuple, keepdim: bool) -> tuple:
    """The shape after reducing `dims`."""
    return tuple(1 if i in dims else n for i, n in enumerate(shape) if keepdim or i not in dims)


def all_dims(dim, ndim: int) -> tuple:
    """A `dim` argument (None, an int, or several) as a tuple of dimensions in range; none given means all."""
    if dim is None or (dim.__class__ in (tuple, list) and len(dim) == 0):
        return tuple(range(ndim))
    return tuple(d for d in wrap_dims((dim,) if isinstance(dim, int) else dim, ndim)) if ndim else wrap_dims(
        (dim,) if isinstance(dim, int) else dim, ndim) and ()


def reduction_planner(op: Op, argtypes: tuple, static: dict):
    """Shape by `dims` and `keepdim`; result dtype `static["dtype"]`; halves are reduced in float32."""
    a: Spec = argtypes[0]
    dims, keepdim, result = static["dims"], static["keepdim"], static["dtype"]
    compute = dt.float32 if result in (dt.float16, dt.bfloat16) else result

    def impl(xp, x):
        return cast(xp, op.body(xp, cast(xp, x, compute), dims, keepdim), result)
    return impl, spec_of(reduced_shape(a.shape, dims, keepdim), result, a.device)


def spread(xp, g, x, dims: tuple, keepdim: bool):
    """A reduced cotangent broadcast back over the reduced dimensions."""
    if not keepdim:
        g = xp.reshape(g, reduced_shape(x.shape, dims, True))
    return xp.broadcast_to(g, x.shape)


def _count(x, dims: tuple) -> int:
    n = 1
    for d in dims:
        n *= x.shape[d]
    return n


def _rule(scale):
    def rule(xp, g, out, x, *, dims, keepdim, dtype):
        g = spread(xp, g, x, dims, keepdim)
        return g if scale is None else g / scale(x, dims)
    return rule


sum_all = Op("sum", lambda xp, x, dims, keepdim: xp.sum(x, axis=dims, keepdims=keepdim), reduction_planner, grad="SumBackward0", vjp=(_rule(None),))
sum_dims = Op("sum.dim", sum_all.body, reduction_planner, grad="SumBackward1", vjp=(_rule(None),))
_mean = lambda xp, x, dims, keepdim: xp.mean(x, axis=dims, keepdims=keepdim)  # noqa: E731
mean_all = Op("mean", _mean, reduction_planner, grad="MeanBackward0", vjp=(_rule(_count),))
mean_dims = Op("mean.dim", _mean, reduction_planner, grad="MeanBackward1", vjp=(_rule(_count),))


@public("sum", out=True)
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` (all dimensions when None); integers and bool sum in int64 unless `dtype` is given."""
    spec = input._spec
    result = dtype or (spec.dtype if spec.dtype.category >= FLOATING else dt.int64)
    op = sum_all if dim is None else sum_dims
    return call(op, (input,), (("dims", all_dims(dim, spec.ndim)), ("keepdim", bool(keepdim)), ("dtype", result)))


@public("mean", out=True)
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim` (all dimensions when None). Raises RuntimeError for integers unless a float `dtype` is given."""
    spec = input._spec
    result = dtype or spec.dtype
    if result.category < FLOATING:
        what = "Input" if dtype is None else "Optional"
        raise RuntimeError(f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. "
                           f"Got: {result.legacy}")
    op = mean_all if dim is None else mean_dims
    return call(op, (input,), (("dims", all_dims(dim, spec.ndim)), ("keepdim", bool(keepdim)), ("dtype", result)))
