"""Vector and matrix norms: linalg.vector_norm, linalg.matrix_norm, linalg.norm, norm, dist."""
from __future__ import annotations

import math

from .. import _dtype as dt
from .._core.grad_graph import ask_node, undefined_gradient
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import spec_of
from .._dtype import COMPLEX, FLOATING
from .declare import broadcast_shapes, promoted
from .exact_out import exact_out
from .factory import check_dtype
from .reduction import all_dims, reduce, reduction
from .selection import widened
from .shared import wrap_dim
from .variants import FUNCTIONS, METHODS, public


# ---------------------------------------------------------------- the numbers
def norm_of(xp, x, dims, keepdim, ord):
    size = xp.abs(x)
    if ord in (math.inf, -math.inf):
        if size.size == 0 and ord > 0:
            return xp.sum(size, axis=dims, keepdims=keepdim)
        return (xp.max if ord > 0 else xp.min)(size, axis=dims, keepdims=keepdim)
    if ord == 0:
        return xp.sum((x != 0).astype(size.dtype), axis=dims, keepdims=keepdim)
    if ord == 1:
        return xp.sum(size, axis=dims, keepdims=keepdim)
    if ord == 2:
        square = (x * xp.conj(x)).real if x.dtype.kind == "c" else x * x
        return xp.sqrt(xp.sum(square, axis=dims, keepdims=keepdim))
    return xp.sum(size ** ord, axis=dims, keepdims=keepdim) ** (1.0 / ord)


def _sgn(xp, x):
    """torch's sgn: 0 at 0, and for a real NaN too."""
    if x.dtype.kind == "c":
        size = xp.abs(x)
        return xp.where(size == 0, xp.zeros_like(x), x / xp.where(size == 0, xp.ones_like(size), size))
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


def _over(xp, numerator, norm, power):
    """numerator / norm ** power, 0 where the norm is 0: torch's choice of sub-gradient. The quotient is not guarded, so that the second derivative
    there is torch's NaN.
    """
    return xp.where(norm == 0, xp.zeros_like(numerator), numerator / norm ** power)


def _power(xp, size, exponent):
    """size ** exponent, 0 where the size is 0."""
    zero = size == 0
    return xp.where(zero, xp.zeros_like(size), xp.where(zero, xp.ones_like(size), size) ** exponent)


def norm_rule(xp, g, out, x, dims, keepdim, ord):
    """The gradient of sum(|x|^p)^(1/p): sgn(x) |x|^(p-1) / norm^(p-1), with 0 where the norm, or for p < 1 the element, is 0."""
    if ord == 0:
        return xp.zeros_like(x)  # of cdist and renorm; norms themselves have none
    if ord == 1:
        return g * _sgn(xp, x)
    if ord == 2:
        return g * _over(xp, x, out, 1)
    size = xp.abs(x)
    if ord in (math.inf, -math.inf):
        mask = (size == out) | (xp.isnan(size) & xp.isnan(out))
        return _sgn(xp, x) * (g / xp.sum(mask, axis=dims, keepdims=True) * mask)
    if ord < 1:
        return _sgn(xp, x) * _power(xp, size, ord - 1) * (g * out ** (1 - ord))
    if ord < 2:
        return _sgn(xp, x) * _power(xp, size, ord - 1) * _over(xp, g, out, ord - 1)
    return x * _power(xp, size, ord - 2) * _over(xp, g, out, ord - 1)


norm_op = reduction("linalg.vector_norm", norm_of, "LinalgVectorNormBackward0", norm_rule, saves=(0, "result"))
count_op = reduction("linalg.vector_norm of order 0", norm_of, undefined_gradient("LinalgVectorNormBackward0"), norm_rule, saves=(0, "result"))


# ---------------------------------------------------------------- vector norms
def _number_text(ord) -> str:
    return f"{ord:g}"


def _result_dtype(spec, dtype, name: str) -> dt.dtype:
    """The real dtype of a norm; `dtype` must widen the input's. Raises RuntimeError as torch does."""
    have = spec.dtype
    if have.category < FLOATING:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {have.legacy}")
    if dtype is None:
        return have.to_real()
    dtype = check_dtype(dtype)
    if dtype.category < FLOATING:
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {dtype.legacy}")
    if (dtype.category == COMPLEX) != (have.category == COMPLEX):
        kind = "complex" if have.category == COMPLEX else "real"
        raise RuntimeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype.legacy}")
    if dtype.itemsize < have.itemsize:
        raise RuntimeError(f"{name}: the dtype of the input ({have.legacy}) should be convertible without narrowing to the specified dtype "
                           f"({dtype.legacy})")
    return dtype.to_real()


def _check_identity(spec, ord, dim, dims: tuple) -> None:
    if spec.numel or 0 <= ord < math.inf:
        return
    if dim is None or dim in ((), []):
        raise RuntimeError(f"linalg.vector_norm cannot compute the {_number_text(ord)} norm on an empty tensor because the operation does not have "
                           "an identity")
    for d in dims:
        if spec.shape[d] == 0:
            raise RuntimeError(f"linalg.vector_norm cannot compute the {_number_text(ord)} norm on the dimension {d}because this dimension is empty "
                               "and the operation does not have an identity")


@public("linalg.vector_norm", method=False, out=True)
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """sum(|x|^ord)^(1/ord) over `dim` (all dimensions when None); inf is the largest |x|, 0 counts non-zeros. The gradient at norm 0 is 0.

    Raises RuntimeError for integers and for empty input where `ord` has no identity.
    """
    spec = x._spec
    if not isinstance(ord, (int, float)):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    result = _result_dtype(spec, dtype, "linalg.vector_norm")
    dims = all_dims(dim, spec.ndim)
    _check_identity(spec, ord, dim, dims)
    made = reduce(norm_op if ord else count_op, x, dims, keepdim, result, (("ord", ord),))
    return made if ord else ask_node(made)


# ---------------------------------------------------------------- matrix norms
def _matrix_dims(spec, dim) -> tuple:
    if spec.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    first, second = wrap_dim(dim[0], spec.ndim), wrap_dim(dim[1], spec.ndim)
    if first == second:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


@public("linalg.matrix_norm", method=False, out=True)
def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """Norms of matrices in two dimensions: "fro", "nuc", or inf, -inf, 1, -1 (sums of |rows|, |columns|) and 2, -2 (singular values).

    Raises RuntimeError for integers, other orders, and fewer than two dimensions.
    """
    spec = A._spec
    result = _result_dtype(spec, dtype, "linalg.matrix_norm")
    first, second = _matrix_dims(spec, tuple(dim) if isinstance(dim, (tuple, list)) else (dim,))
    if ord == "fro":
        return vector_norm(A, 2, (first, second), keepdim, dtype=dtype)
    if ord != "nuc" and (isinstance(ord, str) or abs(ord) not in (1, 2, math.inf)):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if ord == "nuc" or abs(ord) == 2:
        return _by_singular_values(A, ord, first, second, keepdim, result)
    first, second = (second, first) if abs(ord) == math.inf else (first, second)
    return _extreme(vector_norm(A, 1, first, keepdim, dtype=dtype), ord, second - (first < second and not keepdim), keepdim)


def _extreme(t: TensorBase, ord, dim: int, keepdim: bool) -> TensorBase:
    """The largest or smallest along `dim`; the largest of no norms is 0."""
    if ord > 0 and t._spec.shape[dim] == 0:
        return METHODS["sum"](t, dim, keepdim)
    return METHODS["amax" if ord > 0 else "amin"](t, dim, keepdim)




def _by_singular_values(A, ord, first: int, second: int, keepdim: bool, result: dt.dtype) -> TensorBase:
    ndim = A._spec.ndim
    wide = result.to_complex() if A._spec.dtype.category == COMPLEX else result
    A = METHODS["to"](A, wide) if A._spec.dtype is not wide else A
    others = [d for d in range(ndim) if d not in (first, second)]
    values = FUNCTIONS["linalg.svdvals"](METHODS["permute"](A, (*others, first, second)))
    made = METHODS["sum"](values, -1) if ord == "nuc" else _extreme(values, ord, values._spec.ndim - 1, False)
    if keepdim:
        for d in sorted((first, second)):
            made = METHODS["unsqueeze"](made, d)
    return made


# ---------------------------------------------------------------- either
@public("linalg.norm", method=False, out=True)
def linalg_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """A vector norm (`dim` an int, a 1-D input, or no `ord`) or a matrix norm (two dims, or a 2-D input with `ord`).

    Raises RuntimeError for other numbers of dimensions.
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    ndim = A._spec.ndim
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got [{', '.join(map(str, dims))}]")
    if dims is None and ndim not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    if isinstance(ord, str) or (len(dims) if dims is not None else ndim) == 2:
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@public("norm", out=True)
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The norm of order `p` over `dim` (all dimensions when None); "fro" is 2, "nuc" the sum of singular values. The gradient at 0 is 0."""
    if p is None or p == "fro":
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if isinstance(p, str):
        return matrix_norm(input, p, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


# ---------------------------------------------------------------- dist
def _dist_planner(op: Op, argtypes: tuple, static: dict):
    a, b, p = *argtypes, static["p"]
    common = promoted(argtypes)
    shape = broadcast_shapes([a.shape, b.shape])
    compute, dims = widened(common), tuple(range(len(shape)))

    def impl(xp, x, y):
        return cast(xp, norm_of(xp, cast(xp, x, compute) - cast(xp, y, compute), dims, False, p), common.to_real())

    def rule(sign):
        def rule_for_one(xp, g, out, x, y, *, p):
            away = cast(xp, x, compute) - cast(xp, y, compute)
            return sign * norm_rule(xp, g, out, away, dims, False, p)
        return rule_for_one
    negated = RuntimeError("Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #0 'self'")
    return impl, spec_of((), common.to_real(), a.device), (rule(1), rule(-1) if p else negated)


def _dist(name: str, grad: str) -> Op:
    return Op(name, lambda xp, x, y: x, _dist_planner, grad=grad, saves=(0, 1, "result"))


dist_op, dist_count_op = _dist("dist", "DistBackward0"), _dist("dist of order 0", undefined_gradient("DistBackward0"))


@public("dist")
def dist(input, other, p=2):
    """The norm of order `p` of `input - other`, over all elements of their broadcast. Raises RuntimeError for integers."""
    common = promoted((input._spec, other._spec))
    if common.category < FLOATING:
        raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {common.legacy} instead.")
    made = call(dist_op if p else dist_count_op, (input, other), (("p", p),))
    return made if p else ask_node(made)


exact_out("linalg.vector_norm", "linalg.norm", "norm")
