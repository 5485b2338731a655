"""Factorisations of low rank from random projections (Halko, Martinsson and Tropp, 2009), made of other operations."""
from __future__ import annotations

from .. import _dtype as dt
from .._dtype import FLOATING
from .variants import FUNCTIONS, METHODS, public


def _basis(A, q: int, niter: int):
    """Orthonormal columns, q of them, that nearly span what A (..., m, n) maps to: subspace iteration from a random start."""
    spec = A._spec
    multiply, orthonormal, adjoint = FUNCTIONS["matmul"], FUNCTIONS["linalg.qr"], METHODS["adjoint"]
    d = spec.dtype if spec.dtype.category >= FLOATING else dt.get_default_dtype()
    Q = orthonormal(multiply(A, FUNCTIONS["randn"](spec.shape[-1], q, dtype=d, device=spec.device)))[0]
    for _ in range(niter):
        Q = orthonormal(multiply(adjoint(A), Q))[0]
        Q = orthonormal(multiply(A, Q))[0]
    return Q


def _factored(A, q: int, niter: int) -> tuple:
    """(U, S, V) with U diag(S) V^H near A; the basis is sought on the longer side."""
    adjoint, multiply = METHODS["adjoint"], FUNCTIONS["matmul"]
    wide = A._spec.shape[-2] < A._spec.shape[-1]
    if wide:
        A = adjoint(A)
    Q = _basis(A, q, niter)
    U, S, Vh = FUNCTIONS["linalg.svd"](multiply(adjoint(Q), A), False)
    U, V = multiply(Q, U), adjoint(Vh)
    return (V, S, U) if wide else (U, S, V)


@public("svd_lowrank", method=False)
def svd_lowrank(A, q=6, niter=2, M=None):
    """(U, S, V), of about the q largest singular values of A - M, by `niter` rounds of subspace iteration from a random start."""
    if M is not None:
        A = METHODS["sub"](A, METHODS["expand"](M, tuple(A._spec.shape)))
    return _factored(A, 6 if q is None else q, niter)


@public("pca_lowrank", method=False)
def pca_lowrank(A, q=None, center=True, niter=2):
    """The principal components (U, S, V) of the rows of A (..., m, n), min(6, m, n) of them unless q is given; see `svd_lowrank`.

    Raises ValueError unless 0 <= q <= min(m, n) and niter >= 0.
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return _factored(METHODS["sub"](A, METHODS["mean"](A, -2, True)) if center else A, q, niter)
