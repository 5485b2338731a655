"""Vectors and small matrices: trace, cross, vecdot, vander, renorm, covariance and correlation."""
from __future__ import annotations

import warnings

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import Spec
from .._dtype import COMPLEX, FLOATING, INTEGER
from .declare import broadcast_shapes
from .exact_out import exact_out
from .linalg_common import require_inexact
from .nn_common import computed, conj, not_implemented, sized
from .norm import norm_of, norm_rule
from .selection import widened
from .shared import wrap_dim
from .variants import FUNCTIONS, METHODS, public


# ---------------------------------------------------------------- trace
def _trace_planner(op: Op, argtypes: tuple, static: dict):
    a = argtypes[0]
    if a.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {a.ndim}")
    if a.dtype is dt.bool_:
        raise not_implemented("trace", a.dtype)
    result = a.dtype if a.dtype.category >= FLOATING else dt.int64
    compute = widened(result)
    return (lambda xp, x: cast(xp, xp.trace(cast(xp, x, compute)), result)), sized((), a, result), op.vjp


trace_op = Op("trace", lambda xp, x: xp.trace(x), _trace_planner, grad="TraceBackward0",
              vjp=(lambda xp, g, out, x: g * xp.eye(*x.shape, dtype=g.dtype),))


@public("trace")
def trace(input):
    """The sum of a matrix's diagonal, int64 for integers. Raises RuntimeError unless there are two dimensions."""
    return call(trace_op, (input,))


# ---------------------------------------------------------------- cross
def _cross_infer(a, b, *, dim):
    if a.ndim != b.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    d = wrap_dim(dim, a.ndim)
    if a.shape[d] != 3 or b.shape[d] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[d]} and {b.shape[d]}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy} but found {b.dtype.legacy}")
    if a.dtype is dt.bool_:
        raise not_implemented("cross", a.dtype)
    return sized(broadcast_shapes([a.shape, b.shape]), a)


def _cross(xp, a, b, *, dim):
    return xp.roll(a, -1, dim) * xp.roll(b, -2, dim) - xp.roll(a, -2, dim) * xp.roll(b, -1, dim)


cross_op = Op("linalg.cross", _cross, computed(_cross_infer), grad="LinalgCrossBackward0", saves=(0, 1),
              vjp=(lambda xp, g, out, a, b, *, dim: _cross(xp, conj(xp, b), g, dim=dim),
                   lambda xp, g, out, a, b, *, dim: _cross(xp, g, conj(xp, a), dim=dim)))


@public("linalg.cross", method=False, out=True)
def linalg_cross(input, other, *, dim=-1):
    """The vector product along `dim`, of size 3. Raises RuntimeError for other sizes and different numbers of dimensions."""
    return call(cross_op, (input, other), (("dim", dim),))


@public("cross", out=True)
def cross(input, other, dim=None):
    """The vector product along `dim`, by default the first dimension of size 3."""
    if dim is None:
        dim = next((i for i, n in enumerate(input._spec.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return call(cross_op, (input, other), (("dim", dim),))


# ---------------------------------------------------------------- vecdot and vander
@public("linalg.vecdot", method=False, out=True)
def vecdot(x, y, *, dim=-1):
    """The sum over `dim` of conj(x) * y. Raises RuntimeError for integers and for different dtypes."""
    require_inexact("linalg.vecdot", x._spec, halves=True)
    if x._spec.dtype is not y._spec.dtype:
        raise RuntimeError(f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {x._spec.dtype.legacy} and y of type "
                           f"{y._spec.dtype.legacy} instead")
    if x._spec.ndim == 1 == y._spec.ndim:
        return METHODS["vdot"](x, y)
    return METHODS["sum"](METHODS["mul"](METHODS["conj"](x), y), dim)


@public("linalg.vander", method=False)
def linalg_vander(x, *, N=None):
    """The matrices of powers 0 to N - 1 of the elements of vectors; N is their length unless given. Raises RuntimeError for N < 2."""
    spec = x._spec
    if spec.dtype.category < INTEGER or spec.dtype in (dt.float16, dt.bfloat16):
        raise RuntimeError(f"linalg.vander supports floating point, complex, and integer tensors, but got {spec.dtype.legacy}")
    if spec.ndim == 0:
        x, spec = METHODS["unsqueeze"](x, -1), sized((1,), spec)
    n = spec.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    powers = METHODS["cumprod"](METHODS["expand"](METHODS["unsqueeze"](x, -1), (*spec.shape, n - 1)), -1)
    ones = FUNCTIONS["ones"]((*spec.shape, 1), dtype=powers._spec.dtype, device=spec.device)
    return FUNCTIONS["cat"]((ones, powers), -1)


@public("vander", method=False)
def vander(x, N=None, increasing=False):
    """The matrix of powers of a vector's elements, descending unless `increasing`. Raises RuntimeError for other ranks and negative N."""
    spec = x._spec
    if spec.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = spec.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    d = dt.int64 if spec.dtype.category < FLOATING else spec.dtype
    made = FUNCTIONS["ones"]((spec.shape[0], min(n, 1)), dtype=d, device=spec.device)
    if n > 1:
        column = METHODS["unsqueeze"](METHODS["to"](x, d), -1)
        made = FUNCTIONS["cat"]((made, METHODS["cumprod"](METHODS["expand"](column, (spec.shape[0], n - 1)), -1)), -1)
    return made if increasing else METHODS["flip"](made, (-1,))


# ---------------------------------------------------------------- renorm
def _renorm_planner(op: Op, argtypes: tuple, static: dict):
    a: Spec = argtypes[0]
    require_inexact("linalg.vector_norm", a, halves=True)
    if a.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {a.ndim} dimensions")
    kept, p = wrap_dim(static["dim"], a.ndim), static["p"]
    others, compute = tuple([i for i in range(a.ndim) if i != kept]), widened(a.dtype)

    def parts(xp, x, most):
        norm = norm_of(xp, x, others, True, p)
        over = norm > most
        return norm, over, xp.where(over, most / (norm + 1e-7), xp.ones_like(norm))

    def impl(xp, x, most):
        x = cast(xp, x, compute)
        return cast(xp, x * parts(xp, x, most)[2], a.dtype)

    def rule(xp, g, out, x, most, **static):
        x, g = cast(xp, x, compute), cast(xp, g, compute)
        norm, over, _ = parts(xp, x, most)
        inverse = 1 / (norm + 1e-7)
        along = norm_rule(xp, xp.sum((conj(xp, x) * g).real, others, keepdims=True), norm, x, others, True, p)
        return xp.where(over, most * inverse * (g - inverse * along), g)
    return impl, a, (rule, None)


renorm_op = Op("renorm", lambda xp, x, most: x, _renorm_planner, grad="RenormBackward0", saves=(0,))


@public("renorm", inplace=True, out=True)
def renorm(input, p, dim, maxnorm):
    """`input` with each slice along `dim` scaled down to the p-norm `maxnorm` where it exceeds that.

    Raises RuntimeError for p <= 0, a negative `maxnorm`, fewer than two dimensions, and integers.
    """
    if isinstance(p, complex):
        raise RuntimeError("renorm: p must be real-valued")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if isinstance(maxnorm, complex):
        raise RuntimeError("renorm: maxnorm must be real-valued")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    return call(renorm_op, (input, float(maxnorm)), (("p", float(p)), ("dim", dim)))


# ---------------------------------------------------------------- covariance
def _check_weights(name: str, weights: TensorBase, count: int, category: int, kind: str) -> None:
    spec = weights._spec
    if spec.ndim > 1:
        raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {spec.ndim} dimensions")
    if spec.dtype.category != category:
        raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {spec.dtype.legacy} dtype")
    if spec.numel != count:
        raise RuntimeError(f"cov(): expected {name} to have the same numel as there are observations in the input but got {spec.numel} != {count}")
    if count and float(METHODS["min"](weights)) < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


def _weights(fweights, aweights, count: int):
    """The product of the weights given; None for none."""
    if fweights is not None:
        _check_weights("fweights", fweights, count, INTEGER, "integral")
    if aweights is not None:
        _check_weights("aweights", aweights, count, FLOATING, "floating point")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return METHODS["mul"](fweights, aweights)


@public("cov")
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of variables (rows) over observations (columns), weighted by counts `fweights` and importances `aweights`.

    Warns where there are too few observations. Raises RuntimeError for more than two dimensions, bool, and unfit weights.
    """
    spec = input._spec
    if spec.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {spec.ndim} dimensions")
    if spec.dtype is dt.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = METHODS["view"](input, (1, -1)) if spec.ndim < 2 else input
    count = rows._spec.shape[1]
    w = _weights(fweights, aweights, count)
    total = count if w is None else METHODS["sum"](w)
    if w is not None and float(total) == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = METHODS["div"](METHODS["sum"](rows if w is None else METHODS["mul"](rows, w), 1), total)
    if w is None or aweights is None:
        freedom = total - correction
    else:
        freedom = total - correction * METHODS["sum"](METHODS["mul"](w, aweights)) / total if correction else total
    if float(freedom) <= 0:
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.", UserWarning, 2)
        freedom = 0.0
    away = METHODS["sub"](rows, METHODS["unsqueeze"](mean, 1))
    other = METHODS["conj"](METHODS["t"](away if w is None else METHODS["mul"](away, w)))
    return METHODS["squeeze"](METHODS["div"](METHODS["mm"](away, other), freedom))


@public("corrcoef")
def corrcoef(input):
    """The correlation matrix of variables (rows) over observations (columns). Raises RuntimeError for more than two dimensions."""
    spec = input._spec
    if spec.ndim > 2:
        raise RuntimeError(f"corrcoef(): expected input to have two or fewer dimensions but got an input with {spec.ndim} dimensions")
    c = cov(input)
    if c._spec.ndim == 0:
        return METHODS["div"](c, c)
    complex_ = c._spec.dtype.category == COMPLEX
    d = METHODS["diagonal"](c)
    deviation = METHODS["sqrt"](FUNCTIONS["real"](d) if complex_ else d)
    c = METHODS["div"](METHODS["div"](c, METHODS["unsqueeze"](deviation, 1)), METHODS["unsqueeze"](deviation, 0))
    if complex_:
        return FUNCTIONS["complex"](METHODS["clamp"](FUNCTIONS["real"](c), -1, 1), METHODS["clamp"](FUNCTIONS["imag"](c), -1, 1))
    return METHODS["clamp"](c, -1, 1)


exact_out("linalg.cross", "linalg.vecdot")
