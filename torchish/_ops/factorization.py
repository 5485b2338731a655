"""Matrix factorizations: cholesky, qr, svd, eigh, eig, lu and their kin. Solving is in solving.py, functions in matrix_functions.py.

Gradients are those of JAX's differentiation rules, except where torch reads one triangle only.
"""
from __future__ import annotations

import jax
import numpy as np

from .._core.handle import alias
from .._core.op import Op, simple
from .._core.record import call
from .._core.spec import Spec
from .exact_out import exact_out
from .factory import constant_tensor
from .linalg_common import (
    LinAlgError,
    adjoint,
    bad_minors,
    by_columns,
    diagonal,
    dt,
    error_code,
    eye,
    or_nan,
    product,
    require_inexact,
    require_kernel,
    require_matrix,
    require_square,
    scaled,
    swap,
    triangular,
    which,
    zero_pivots,
)
from .nn_common import conj, sized
from .return_types import return_type
from .variants import METHODS, public


def _info(a: Spec) -> Spec:
    return sized(a.shape[:-2], a, dt.int32)


def _named(name: str, results, columns=()):
    """A named tuple of results; those numbered in `columns` are stored by columns."""
    return return_type(*name.split())([by_columns(r) if i in columns else r for i, r in enumerate(results)])


# ---------------------------------------------------------------- cholesky
def _cholesky_infer(name: str, several: bool = False):
    def infer(a, *, upper):
        if name != "cholesky":
            require_square("linalg.cholesky", a)
            require_inexact("linalg.cholesky", a, halves=True)
        require_square(name, a)
        require_kernel("cholesky_cpu", a)
        return (a, _info(a)) if several else a
    return infer


def _lower(xp, x, upper: bool):
    return adjoint(xp, x) if upper else x


def _cholesky(xp, x, *, upper):
    low = _lower(xp, x, upper)
    low = or_nan(np.linalg.cholesky, low) if xp is np else jax.lax.linalg.cholesky(low, symmetrize_input=False)
    return _lower(xp, low, upper)


def _cholesky_rule(xp, g, out, x, *, upper):
    """Murray, "Differentiation of the Cholesky decomposition" (2016), eq. 9: the Hermitian part of L^-H phi(L^H g) L^-1."""
    low, g = _lower(xp, out, upper), _lower(xp, g, upper)
    phi = xp.tril(product(xp, adjoint(xp, low), g)) * (1 - 0.5 * eye(xp, x.shape[-1], x))
    made = triangular(xp, adjoint(xp, low), triangular(xp, low, phi, lower=True, left=False), lower=False)
    return (made + adjoint(xp, made)) * 0.5


def _cholesky_complaint(name: str):
    def complain(code, argtypes, static):
        element, order = which(code, argtypes[0])
        return LinAlgError(f"{name}: {element}The factorization could not be completed because the input is not positive-definite "
                           f"(the leading minor of order {order} is not positive-definite).")
    return complain


def _cholesky_check(xp, x, *, upper):
    return error_code(xp, bad_minors(xp, _lower(xp, x, upper)))


def _cholesky_op(name: str, grad: str) -> Op:
    return Op(name, _cholesky, simple(_cholesky_infer(name)), grad=grad, saves=("result",), vjp=(_cholesky_rule,), check=_cholesky_check,
              checked=(0,), complain=_cholesky_complaint(name))


linalg_cholesky_op = _cholesky_op("linalg.cholesky", "LinalgCholeskyExBackward0")
cholesky_op = _cholesky_op("cholesky", "CholeskyBackward0")
cholesky_checked_op = _cholesky_op("linalg.cholesky_ex", "LinalgCholeskyExBackward0")
cholesky_ex_op = Op("linalg.cholesky_ex.info", lambda xp, x, *, upper: (_cholesky(xp, x, upper=upper), bad_minors(xp, _lower(xp, x, upper))),
                    simple(_cholesky_infer("linalg.cholesky", True)), grad="LinalgCholeskyExBackward0", saves=("result",),
                    vjp=(lambda xp, g, out, x, *, upper: _cholesky_rule(xp, g[0], out[0], x, upper=upper),))


@public("linalg.cholesky", method=False, out=True)
def linalg_cholesky(input, *, upper=False):
    """The lower triangular L with L L^H = input (U = L^H if `upper`) of batches of positive-definite Hermitian matrices.

    Reads one triangle only. Raises torch.linalg.LinAlgError for a matrix that is not positive-definite.
    """
    return by_columns(call(linalg_cholesky_op, (input,), (("upper", bool(upper)),)))


@public("cholesky", out=True)
def cholesky(input, upper=False):
    """As linalg.cholesky; deprecated in torch."""
    return by_columns(call(cholesky_op, (input,), (("upper", bool(upper)),)))


@public("linalg.cholesky_ex", method=False, out=True)
def cholesky_ex(input, *, upper=False, check_errors=False):
    """(L, info): as linalg.cholesky, but a failure is told by info > 0, the order of the bad minor, unless `check_errors`."""
    if check_errors:
        made = call(cholesky_checked_op, (input,), (("upper", bool(upper)),))
        return _named("linalg_cholesky_ex L info", (made, constant_tensor(tuple(input._spec.shape[:-2]), 0, dt.int32, input._spec.device)), (0,))
    return _named("linalg_cholesky_ex L info", call(cholesky_ex_op, (input,), (("upper", bool(upper)),)), (0,))


# ---------------------------------------------------------------- qr
def _qr_infer(a, *, mode):
    require_matrix("linalg.qr", a)
    require_inexact("linalg.qr", a, halves=True)
    require_kernel("geqrf_cpu", a)
    m, n = a.shape[-2:]
    inner = m if mode == "complete" else min(m, n)
    r = sized((*a.shape[:-2], inner, n), a)
    return (sized((0,), a) if mode == "r" else sized((*a.shape[:-2], m, inner), a)), r


def _qr(xp, x, *, mode):
    m, n = x.shape[-2:]
    if mode == "r":
        return xp.zeros((0,), x.dtype), xp.linalg.qr(x, "r")
    if xp is np or m >= n and (mode == "reduced" or m == n):
        return tuple(xp.linalg.qr(x, mode))
    if m < n:  # JAX differentiates the square part; the rest of R is Q^H of the rest
        q, _ = xp.linalg.qr(x[..., :m])
        return q, xp.triu(product(xp, adjoint(xp, q), x))
    return tuple(xp.linalg.qr(jax.lax.stop_gradient(x), "complete"))


_UNDIFFERENTIABLE = {
    "r": "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to "
         "differentiate through linalg.qr.",
    "complete": "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
}


def _qr_planner(op: Op, argtypes: tuple, static: dict):
    impl, out = simple(_qr_infer)(op, argtypes, static)
    (m, n), mode = argtypes[0].shape[-2:], static["mode"]
    refused = mode == "r" or mode == "complete" and m > n
    return impl, out, (RuntimeError(_UNDIFFERENTIABLE[mode]),) if refused else None


linalg_qr_op = Op("linalg.qr", _qr, _qr_planner, grad="LinalgQrBackward0", saves=("result",))


@public("linalg.qr", method=False, out=True)
def linalg_qr(A, mode="reduced"):
    """(Q, R) with A = Q R, Q of orthonormal columns and R upper triangular; mode "reduced", "complete" or "r" (no Q).

    Raises RuntimeError for another mode.
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'")
    return _named("linalg_qr Q R", call(linalg_qr_op, (A,), (("mode", mode),)), (1,) if mode == "r" else (0, 1))


@public("qr", out=True)
def qr(input, some=True):
    """(Q, R): linalg.qr with mode "reduced" if `some`, else "complete"; deprecated in torch."""
    return _named("qr Q R", linalg_qr(input, "reduced" if some else "complete"))


# ---------------------------------------------------------------- svd
def _svd_infer(a, *, full):
    require_matrix("linalg.svd", a)
    require_inexact("linalg.svd", a, halves=True)
    require_kernel("linalg_svd_cpu", a)
    m, n = a.shape[-2:]
    k, batch = min(m, n), a.shape[:-2]
    return (sized((*batch, m, m if full else k), a), sized((*batch, k), a, a.dtype.to_real()), sized((*batch, n if full else k, n), a))


def _svd(xp, x, *, full):
    if 0 in x.shape:
        return _svd_of_nothing(xp, x, full)
    if xp is np or not full or x.shape[-1] == x.shape[-2]:
        return tuple(xp.linalg.svd(x, full_matrices=full))
    # JAX does not differentiate the null space, nor does torch: take values from the full factors, derivatives from the first columns
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    k = s.shape[-1]
    stop = jax.lax.stop_gradient
    whole_u, _, whole_vh = xp.linalg.svd(stop(x), full_matrices=True)
    u = xp.concatenate([whole_u[..., :k] + (u - stop(u)), whole_u[..., k:]], -1)
    return u, s, xp.concatenate([whole_vh[..., :k, :] + (vh - stop(vh)), whole_vh[..., k:, :]], -2)


def _svd_of_nothing(xp, x, full):
    m, n = x.shape[-2:]
    k, batch = min(m, n), tuple(x.shape[:-2])
    u, vh = xp.eye(m, m if full else k, dtype=x.dtype), xp.eye(n if full else k, n, dtype=x.dtype)
    return (xp.broadcast_to(u, batch + u.shape), xp.sum(x.real, -2)[..., :k] if k else xp.zeros((*batch, 0), x.real.dtype),
            xp.broadcast_to(vh, batch + vh.shape))


def _svdvals_infer(a):
    return _svd_infer(a, full=False)[1]


def _svdvals(xp, x):
    return xp.linalg.svd(x, compute_uv=False)


def _svdvals_rule(xp, g, out, x):
    """U diag(g) V^H."""
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    return product(xp, scaled(xp, u, g), vh)


linalg_svd_op = Op("linalg.svd", _svd, simple(_svd_infer), grad="LinalgSvdBackward0", saves=("result",))
linalg_svdvals_op = Op("linalg.svdvals", _svdvals, simple(_svdvals_infer), grad="LinalgSvdBackward0", saves=("result",), vjp=(_svdvals_rule,))


@public("linalg.svd", method=False, out=True)
def linalg_svd(A, full_matrices=True, *, driver=None):
    """(U, S, Vh) with A = U diag(S) Vh and S descending; U and Vh are square if `full_matrices`. Raises RuntimeError for integers and halves."""
    if driver is not None:
        raise RuntimeError("torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.")
    return _named("linalg_svd U S Vh", call(linalg_svd_op, (A,), (("full", bool(full_matrices)),)), (0, 2))


@public("linalg.svdvals", method=False, out=True)
def svdvals(A, *, driver=None):
    """The singular values of matrices, descending."""
    if driver is not None:
        raise RuntimeError("torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.")
    return call(linalg_svdvals_op, (A,))


@public("svd", out=True)
def svd(input, some=True, compute_uv=True):
    """(U, S, V) with input = U diag(S) V^H, reduced if `some`; U and V are zeros unless `compute_uv`. Deprecated in torch."""
    spec = input._spec
    if spec.ndim < 2:
        raise RuntimeError(f"linalg.svd: input should have at least 2 dimensions, but has {spec.ndim} dimensions instead")
    if compute_uv:
        u, s, vh = linalg_svd(input, not some)
        return _named("svd U S V", (u, s, METHODS["adjoint"](vh)))
    zeros = [METHODS["new_zeros"](input, (*spec.shape[:-2], n, n)) for n in spec.shape[-2:]]
    return _named("svd U S V", (zeros[0], svdvals(input), by_columns(zeros[1])))


# ---------------------------------------------------------------- Hermitian eigenvalues
def _eigh_infer(a, *, upper):
    require_square("linalg.eigh", a)
    require_kernel("linalg_eigh_cpu", a)
    return sized(a.shape[:-1], a, a.dtype.to_real()), a


def _eigh(xp, x, *, upper):
    if xp is np:
        return tuple(np.linalg.eigh(x, "U" if upper else "L"))
    vectors, values = jax.lax.linalg.eigh(_lower(xp, x, upper), lower=True, symmetrize_input=False)
    return values, vectors


def _eigh_rule(xp, g, out, x, *, upper):
    """V (diag(gL) + skew(V^H gV) / E) V^H with E_ij = L_j - L_i, where the diagonal of the second term is left out; Hermitian, as torch's."""
    g_values, g_vectors = g
    values, vectors = out
    middle = xp.zeros_like(vectors) if g_values is None else g_values[..., None, :] * eye(xp, x.shape[-1], vectors)
    if g_vectors is not None:
        one = eye(xp, x.shape[-1], values)
        gaps = values[..., None, :] - values[..., :, None] + one
        turned = product(xp, adjoint(xp, vectors), g_vectors)
        middle = middle + (turned - adjoint(xp, turned)) * (1 - one) / (2 * gaps)
    return product(xp, vectors, product(xp, middle, adjoint(xp, vectors)))


linalg_eigh_op = Op("linalg.eigh", _eigh, simple(_eigh_infer), grad="LinalgEighBackward0", saves=("result",), vjp=(_eigh_rule,))
linalg_eigvalsh_op = Op("linalg.eigvalsh", lambda xp, x, *, upper: _eigh(xp, x, upper=upper)[0],
                        simple(lambda a, *, upper: _eigh_infer(a, upper=upper)[0]), grad="LinalgEighBackward0", saves=("result",),
                        vjp=(lambda xp, g, out, x, *, upper: _eigh_rule(xp, (g, None), _eigh(xp, x, upper=upper), x, upper=upper),))


def _triangle(UPLO) -> tuple:
    if UPLO not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return (("upper", UPLO in "Uu"),)


@public("linalg.eigh", method=False, out=True)
def linalg_eigh(A, UPLO="L"):
    """(eigenvalues ascending, eigenvectors as columns) of Hermitian matrices, of which only the triangle `UPLO` is read."""
    return _named("linalg_eigh eigenvalues eigenvectors", call(linalg_eigh_op, (A,), _triangle(UPLO)), (1,))


@public("linalg.eigvalsh", method=False, out=True)
def linalg_eigvalsh(A, UPLO="L"):
    """The eigenvalues, ascending, of Hermitian matrices, of which only the triangle `UPLO` is read."""
    return call(linalg_eigvalsh_op, (A,), _triangle(UPLO))


# ---------------------------------------------------------------- eigenvalues
def _eig_infer(name: str):
    def infer(a):
        require_square(name, a)
        if a.dtype.category < dt.FLOATING:
            raise RuntimeError(f"Unknown Complex ScalarType for {a.dtype.legacy}")
        require_kernel("linalg_eig_out_cpu", a)
        d = a.dtype.to_complex()
        return sized(a.shape[:-1], a, d), sized(a.shape, a, d)
    return infer


def _eig(xp, x):
    if 0 in x.shape:
        return xp.zeros(x.shape[:-1], np.result_type(x.dtype, np.complex64)), xp.zeros(x.shape, np.result_type(x.dtype, np.complex64))
    if xp is np:
        d = np.result_type(x.dtype, np.complex64)
        return tuple([r.astype(d) for r in np.linalg.eig(x)])
    return tuple(jax.lax.linalg.eig(x, compute_left_eigenvectors=False, enable_eigvec_derivs=True))


def _eigvals(xp, x):
    return np.linalg.eigvals(x).astype(np.result_type(x.dtype, np.complex64)) if xp is np else _eig(xp, x)[0]


linalg_eig_op = Op("linalg.eig", _eig, simple(_eig_infer("linalg.eig")), grad="LinalgEigBackward0", saves=("result",))
linalg_eigvals_op = Op("linalg.eigvals", _eigvals, simple(lambda a: _eig_infer("linalg.eigvals")(a)[0]), grad="LinalgEigBackward0", saves=("result",))


@public("linalg.eig", method=False, out=True)
def linalg_eig(A):
    """(eigenvalues, eigenvectors as columns of norm 1), complex and in no particular order, of square matrices."""
    return _named("linalg_eig eigenvalues eigenvectors", call(linalg_eig_op, (A,)), (1,))


@public("linalg.eigvals", method=False, out=True)
def linalg_eigvals(A):
    """The eigenvalues, complex and in no particular order, of square matrices."""
    return call(linalg_eigvals_op, (A,))


# ---------------------------------------------------------------- lu
def _lu_infer(a):
    if a.ndim < 2:
        raise RuntimeError(f"torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: {list(a.shape)} instead")
    require_kernel("lu_cpu", a)
    return a, sized((*a.shape[:-2], min(a.shape[-2:])), a, dt.int32), _info(a)


def _lu_factor(xp, x):
    lu, pivots, _ = jax.lax.linalg.lu(x)
    zero = diagonal(xp, lu) == 0
    first = xp.argmax(zero, -1) + 1 if zero.shape[-1] else 0
    return lu, pivots + 1, xp.where(xp.any(zero, -1), first, 0).astype(np.int32)


def _lu_complaint(code, argtypes, static):
    element, order = which(code, argtypes[0])
    return RuntimeError(f"torch.linalg.lu_factor: {element}U[{order},{order}] is zero and using it on lu_solve would result in a division by zero. "
                        "If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)")


_LU = {"grad": "LinalgLuFactorExBackward0", "saves": (0, "result"), "numpy": False}
lu_factor_op = Op("linalg.lu_factor", _lu_factor, simple(_lu_infer), check=lambda xp, x: error_code(xp, zero_pivots(xp, x)), checked=(0,),
                  complain=_lu_complaint, **_LU)
lu_factor_ex_op = Op("linalg.lu_factor_ex", _lu_factor, simple(_lu_infer), **_LU)


def _need_pivots(pivot: bool) -> None:
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


@public("linalg.lu_factor", method=False, out=True)
def lu_factor(A, *, pivot=True):
    """(LU, pivots): L below and U on and above the diagonal, and the rows exchanged, counted from 1.

    Raises RuntimeError where U has a zero on its diagonal, and without pivoting.
    """
    _need_pivots(pivot)
    return _named("linalg_lu_factor LU pivots", call(lu_factor_op, (A,))[:2], (0,))


@public("linalg.lu_factor_ex", method=False, out=True)
def lu_factor_ex(A, *, pivot=True, check_errors=False):
    """(LU, pivots, info): as lu_factor, but a zero on U's diagonal is told by info > 0, its number, unless `check_errors`."""
    _need_pivots(pivot)
    return _named("linalg_lu_factor_ex LU pivots info", call(lu_factor_op if check_errors else lu_factor_ex_op, (A,)), (0,))


@public("lu", out=True)
def lu(A, pivot=True, get_infos=False):
    """(LU, pivots), and info if `get_infos`, as lu_factor_ex; deprecated in torch."""
    _need_pivots(pivot)
    made = _named("_lu_with_info LU pivots info", call(lu_factor_ex_op, (A,)), (0,))
    return made if get_infos else tuple(made[:2])


def _unpacked(xp, lu):
    m, n = lu.shape[-2:]
    k = min(m, n)
    return xp.tril(lu[..., :, :k], -1) + xp.eye(m, k, dtype=lu.dtype), xp.triu(lu[..., :k, :])


def _permutation(xp, order, d):
    """The matrix P with A[order] = P^T A."""
    return swap((order[..., :, None] == xp.arange(order.shape[-1])).astype(d))


def _lu_shapes(a) -> tuple:
    m, n = a.shape[-2:]
    k, batch = min(m, n), a.shape[:-2]
    return sized((*batch, m, m), a), sized((*batch, m, k), a), sized((*batch, k, n), a)


def _linalg_lu_infer(a):
    if a.ndim < 2:
        raise RuntimeError(f"linalg.lu: Expected tensor with 2 or more dimensions. Got size: {list(a.shape)} instead")
    require_kernel("lu_cpu", a)
    return _lu_shapes(a)


def _linalg_lu(xp, x):
    lu, _, order = jax.lax.linalg.lu(x)
    return jax.lax.stop_gradient(_permutation(xp, order, x.dtype)), *_unpacked(xp, lu)


linalg_lu_op = Op("linalg.lu", _linalg_lu, simple(_linalg_lu_infer), grad="LinalgLuBackward0", saves=("result",), numpy=False)


@public("linalg.lu", method=False, out=True)
def linalg_lu(A, *, pivot=True):
    """(P, L, U) with A = P L U, P a permutation matrix. Raises RuntimeError without pivoting."""
    _need_pivots(pivot)
    return _named("linalg_lu P L U", _constant(call(linalg_lu_op, (A,)), 0))


def _lu_unpack_infer(a, pivots, *, data, permute):
    if pivots.dtype is not dt.int32:
        raise RuntimeError("torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
                           "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor")
    p, low, up = _lu_shapes(a)
    none = sized((0,), a)
    return p if permute else none, low if data else none, up if data else none


def _lu_unpack(xp, lu, pivots, *, data, permute):
    none = xp.zeros((0,), lu.dtype)
    p = none
    if permute:
        p = _permutation(xp, jax.lax.linalg.lu_pivots_to_permutation(pivots - 1, lu.shape[-2]), lu.dtype)
    return (p, *(_unpacked(xp, lu) if data else (none, none)))


lu_unpack_op = Op("lu_unpack", _lu_unpack, simple(_lu_unpack_infer), grad="LuUnpackBackward0", numpy=False)


@public("lu_unpack", method=False, out=True)
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """(P, L, U) of what lu_factor gave; empty tensors for what is not unpacked."""
    static = (("data", bool(unpack_data)), ("permute", bool(unpack_pivots)))
    return _named("lu_unpack P L U", _constant(call(lu_unpack_op, (LU_data, LU_pivots), static), 0))


def _constant(results: tuple, *numbers: int) -> tuple:
    """The results, those numbered without a gradient."""
    return tuple([alias(r) if i in numbers else r for i, r in enumerate(results)])


# ---------------------------------------------------------------- Householder reflectors
def _product_infer(a, tau):
    name = "torch.linalg.householder_product"
    if a.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if a.shape[-2] < a.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if a.shape[-1] < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if a.ndim - tau.ndim != 1:
        raise RuntimeError(f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and input.ndim is "
                           f"equal to {a.ndim}")
    if a.shape[:-2] != tau.shape[:-1]:
        raise RuntimeError(f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}")
    if a.dtype is not tau.dtype:
        raise RuntimeError(f"{name}: tau dtype {tau.dtype.legacy} does not match input dtype {a.dtype.legacy}")
    require_kernel("orgqr_cpu", a)
    return a


def _householder_product(xp, a, tau):
    """The first columns of H_1 H_2 ... H_k, H_i = I - tau_i v_i v_i^H, v_i the i-th column below its implicit 1."""
    m, n = a.shape[-2:]
    v = xp.tril(a, -1) + xp.eye(m, n, dtype=a.dtype)
    made = xp.broadcast_to(xp.eye(m, n, dtype=a.dtype), a.shape)
    for i in range(tau.shape[-1] - 1, -1, -1):
        column = v[..., :, i:i + 1]
        made = made - tau[..., i, None, None] * product(xp, column, product(xp, adjoint(xp, column), made))
    return made


householder_op = Op("linalg.householder_product", _householder_product, simple(_product_infer), grad="LinalgHouseholderProductBackward0",
                    saves=(0, 1, "result"))


@public("linalg.householder_product", method=False, out=True)
def householder_product(A, tau):
    """The first columns of the product of Householder reflectors given as by `geqrf`. Raises RuntimeError for shapes that do not fit."""
    return by_columns(call(householder_op, (A, tau)))


@public("orgqr", out=True)
def orgqr(input, input2):
    """linalg.householder_product of (input, input2)."""
    return householder_product(input, input2)


def _ormqr_infer(a, tau, other, *, left, transpose):
    side = -2 if left else -1
    problem = _ormqr_problem(a, tau, other, side) or _ormqr_mismatch(a, tau, other)
    if problem:
        raise RuntimeError(f"torch.ormqr: {problem}")
    require_kernel("ormqr_cpu", a)
    return other


def _ormqr_problem(a, tau, other, side: int) -> str:
    for name, x in (("input", a), ("other", other)):
        if x.ndim < 2:
            return f"{name} must have at least 2 dimensions."
    n = other.shape[side]
    if n != a.shape[-2]:
        return f"other.shape[{side}] must be equal to input.shape[-2]"
    if tau.shape[-1] != min(n, a.shape[-1]):
        return f"tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
    return ""


def _ormqr_mismatch(a, tau, other) -> str:
    for name, x, less in (("tau", tau, 1), ("other", other, 0)):
        if x.ndim != a.ndim - less:
            return (f"Expected {name} to have {'one dimension less than' if less else 'the same number of dimensions as'} input, but got "
                    f"{name}.ndim equal to {x.ndim} and input.ndim is equal to {a.ndim}")
    for name, shape in (("tau", tau.shape[:-1]), ("other", other.shape[:-2])):
        if a.shape[:-2] != shape:
            return f"Expected batch dimensions of {name} to be equal to input.shape[:-2], but got {list(shape)}"
    for name, x in (("tau", tau), ("other", other)):
        if x.dtype is not a.dtype:
            return (f"Expected input and {name} to have the same dtype, but input has dtype{a.dtype.legacy} and {name} has dtype "
                    f"{x.dtype.legacy}")
    return ""


def _ormqr(xp, a, tau, other, *, left, transpose):
    if not left:
        return adjoint(xp, _ormqr(xp, a, tau, adjoint(xp, other), left=True, transpose=not transpose))
    m, k = a.shape[-2], tau.shape[-1]
    v = xp.tril(a[..., :k], -1) + xp.eye(m, k, dtype=a.dtype)
    for i in range(k) if transpose else range(k - 1, -1, -1):
        column, factor = v[..., :, i:i + 1], tau[..., i, None, None]
        other = other - (conj(xp, factor) if transpose else factor) * product(xp, column, product(xp, adjoint(xp, column), other))
    return other


ormqr_op = Op("ormqr", _ormqr, simple(_ormqr_infer), grad="OrmqrBackward0", saves=(0, 1, "result"))


@public("ormqr", out=True)
def ormqr(input, input2, input3, left=True, transpose=False):
    """The product of Q (its adjoint if `transpose`) and `input3`, or of `input3` and Q unless `left`, where `geqrf` gave Q as (input, input2).

    Raises RuntimeError for shapes that do not fit.
    """
    return by_columns(call(ormqr_op, (input, input2, input3), (("left", bool(left)), ("transpose", bool(transpose)))))


def _geqrf_infer(a):
    if a.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    require_kernel("geqrf_cpu", a)
    return a, sized((*a.shape[:-2], min(a.shape[-2:])), a)


def _geqrf(xp, x):
    h, tau = xp.linalg.qr(x, "raw")
    return swap(h), tau


geqrf_op = Op("geqrf", _geqrf, simple(_geqrf_infer), grad="NotImplemented")


@public("geqrf", out=True)
def geqrf(input):
    """(a, tau): R on and above the diagonal of `a`, the Householder vectors of Q below it, and their factors."""
    return _named("geqrf a tau", call(geqrf_op, (input,)), (0,))


_FACTORS = "cholesky cholesky_ex qr svd svdvals eigh eigvalsh eig eigvals lu lu_factor lu_factor_ex".split()
exact_out(*[f"linalg.{name}" for name in _FACTORS])
exact_out("ormqr", message=lambda name, want, have: "torch.ormqr: Expected input and result to have the same dtype, but input has dtype"
                                                    f"{want.legacy} and result has dtype {have.legacy}")
