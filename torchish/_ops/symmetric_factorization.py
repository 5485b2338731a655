"""torch.linalg's ldl_factor, ldl_factor_ex and ldl_solve: A = L D L^T of a symmetric (L D L^H of a Hermitian) matrix, D with blocks of 1 or 2.

Note [Bunch-Kaufman]: pivots are chosen as LAPACK's sytrf and hetrf choose them (Bunch and Kaufman, 1977). The whole symmetric matrix is kept
while columns are eliminated, so that exchanging two rows and columns and the updates are plain; L and D come out in the lower triangle.
Earlier columns of L keep their order, and a pivot entry p says: p > 0, rows k and p (from 1) were exchanged; p < 0 twice, a block of 2.
"""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.op import Op, simple
from .._core.record import call
from .._dtype import COMPLEX, INTEGER
from .exact_out import exact_out
from .linalg_common import broadcast_batch, by_columns, require_inexact, require_kernel, require_square
from .nn_common import conj, sized
from .return_types import return_type
from .variants import public

ALPHA = (1 + 17**0.5) / 8  # the growth bound of Bunch and Kaufman


def _size(a):
    """LAPACK's measure of a complex number for pivoting."""
    return jnp.abs(a.real) + jnp.abs(a.imag) if jnp.iscomplexobj(a) else jnp.abs(a)


def _pick(a, k, hermitian: bool):
    """(the row to exchange, whether the pivot is a block of 2, whether the column is zero) for column k."""
    at = jnp.arange(a.shape[0])
    column = jnp.where(at > k, _size(a[:, k]), -1)
    other = jnp.argmax(column)
    largest = jnp.maximum(column[other], 0)
    beside = jnp.max(jnp.where((at >= k) & (at != other), _size(a[other]), 0))
    here, there = (jnp.abs(a[i, i].real) if hermitian else _size(a[i, i]) for i in (k, other))
    zero = jnp.maximum(here, largest) == 0
    stay = zero | (here >= ALPHA * largest) | (here * beside >= ALPHA * largest * largest)
    block = ~stay & (there < ALPHA * beside)
    return jnp.where(stay, k, other), block, zero


def _swap(a, k, i, j, columns: bool):
    """Rows i and j exchanged (and columns), of the part from k on."""
    at = jnp.arange(a.shape[0])
    order = jnp.where(at == i, j, jnp.where(at == j, i, at))
    moved = a[order][:, order] if columns else a[order]
    inside = (at >= k)[:, None] & (at >= k)[None] if columns else True
    return jnp.where(inside, moved, a)


def _inverse_block(a, k, hermitian: bool):
    """The inverse of the 2 by 2 block of D at k."""
    p, r, q = a[k, k], a[k + 1, k], a[k + 1, k + 1]
    mixed = jnp.conj(r) if hermitian else r
    return jnp.stack([jnp.stack([q, -mixed]), jnp.stack([-r, p])]) / (p * q - r * mixed)


def _flip(a, hermitian: bool):
    return jnp.conj(a).T if hermitian else a.T


def _factor_one(a, hermitian: bool):
    n = a.shape[0]
    at = jnp.arange(n)
    below = jnp.tril(a, -1)
    middle = jnp.diagonal(a)
    a = below + _flip(below, hermitian) + jnp.diag(middle.real.astype(a.dtype) if hermitian else middle)

    def step(carry):
        k, a, pivots, info = carry
        row, block, zero = _pick(a, k, hermitian)
        a = _swap(a, k, jnp.where(block, k + 1, k), row, True)
        one = jnp.where(at > k, a[:, k], 0)
        single = one / jnp.where(zero, 1, a[k, k])
        pair = jnp.where((at > k + 1)[:, None], jnp.stack([a[:, k], a[:, jnp.minimum(k + 1, n - 1)]], 1), 0)
        double = pair @ _inverse_block(a, k, hermitian)
        by_one = jnp.where((at == k)[None] & (at > k)[:, None], single[:, None], a - single[:, None] * _flip(one[:, None], hermitian))
        columns = jnp.where((at == k)[None], double[:, :1], double[:, 1:])
        by_two = jnp.where(((at == k) | (at == k + 1))[None] & (at > k + 1)[:, None], columns, a - double @ _flip(pair, hermitian))
        a = jnp.where(zero, a, jnp.where(block, by_two, by_one))
        entry = jnp.where(block, -row - 1, row + 1)
        pivots = jnp.where((at == k) | (block & (at == k + 1)), entry, pivots).astype(np.int32)
        return k + 1 + block, a, pivots, jnp.where(zero & (info == 0), k + 1, info).astype(np.int32)
    start = (jnp.int32(0), a, jnp.zeros(n, np.int32), jnp.int32(0))
    _, a, pivots, info = jax.lax.while_loop(lambda carry: carry[0] < n, step, start)
    return jnp.tril(a), pivots, info


def _batched(function, arrays: tuple, batch: tuple):
    """`function` of single matrices over batch dimensions."""
    flat = [a.reshape((-1, *a.shape[len(batch):])) for a in arrays]
    made = jax.vmap(function)(*flat)
    return jax.tree.map(lambda m: m.reshape((*batch, *m.shape[1:])), made)


def _factor(xp, a, *, hermitian):
    batch = tuple(a.shape[:-2])
    if 0 in a.shape:
        return a, jnp.zeros(a.shape[:-1], np.int32), jnp.zeros(batch, np.int32)
    return _batched(lambda m: _factor_one(m, hermitian), (a,), batch)


def _factor_infer(a, *, hermitian):
    require_square("torch.linalg.ldl_factor_ex", a)
    require_inexact("torch.linalg.ldl_factor_ex", a, halves=True)
    require_kernel("ldl_factor_kernel_cpu", a)
    return sized(a.shape, a), sized(a.shape[:-1], a, dt.int32), sized(a.shape[:-2], a, dt.int32)


factor_op = Op("linalg_ldl_factor_ex", _factor, simple(_factor_infer), grad="NotImplemented", numpy=False)


def _factored(A, hermitian: bool) -> tuple:
    hermitian = bool(hermitian) and A._spec.dtype.category == COMPLEX
    made = call(factor_op, (A,), (("hermitian", hermitian),))
    return (by_columns(made[0]), *made[1:])


@public("linalg.ldl_factor", method=False, out=True)
def ldl_factor(A, *, hermitian=False):
    """(LD, pivots) of symmetric, or Hermitian, matrices (*, n, n), of which the lower triangle is read: D on, L below the diagonal."""
    return return_type("linalg_ldl_factor", "LD", "pivots")(_factored(A, hermitian)[:2])


@public("linalg.ldl_factor_ex", method=False, out=True)
def ldl_factor_ex(A, *, hermitian=False, check_errors=False):
    """(LD, pivots, info): as ldl_factor; info is the number of the first zero on D's diagonal, or 0. `check_errors` changes nothing."""
    return return_type("linalg_ldl_factor_ex", "LD", "pivots", "info")(_factored(A, hermitian))


# ---------------------------------------------------------------- solving
def _solve_one(ld, pivots, b, hermitian: bool):
    n = ld.shape[0]
    at = jnp.arange(n)
    turned = conj(jnp, ld) if hermitian else ld

    def down(carry):
        k, b = carry
        block = pivots[k] < 0
        last = k + block
        b = _swap(b, 0, last, jnp.abs(pivots[k]) - 1, False)
        factors = jnp.where((at > last)[:, None], jnp.stack([ld[:, k], jnp.where(block, ld[:, jnp.minimum(k + 1, n - 1)], 0)], 1), 0)
        rows = jnp.stack([b[k], b[jnp.minimum(k + 1, n - 1)]])
        b = b - factors @ rows
        solved = jnp.where(block, _inverse_block(ld, k, hermitian) @ rows, rows / ld[k, k])
        b = jnp.where((at == k)[:, None], solved[:1], jnp.where((block & (at == k + 1))[:, None], solved[1:], b))
        return last + 1, b

    def up(carry):
        k, b = carry
        block = pivots[k] < 0
        known = jnp.where((at > k)[:, None], b, 0)
        here, above = turned[:, k] @ known, turned[:, jnp.maximum(k - 1, 0)] @ known
        b = jnp.where((at == k)[:, None], b - here, jnp.where((block & (at == k - 1))[:, None], b - above, b))
        return k - 1 - block, _swap(b, 0, k, jnp.abs(pivots[k]) - 1, False)
    _, b = jax.lax.while_loop(lambda carry: carry[0] < n, down, (jnp.int32(0), b))
    return jax.lax.while_loop(lambda carry: carry[0] >= 0, up, (jnp.int32(n - 1), b))[1]


def _solve(xp, ld, pivots, b, *, hermitian):
    batch = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
    if 0 in (*batch, *b.shape):
        return jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    arrays = [jnp.broadcast_to(a, batch + a.shape[a.ndim - own:]) for a, own in ((ld, 2), (pivots.astype(np.int32), 1), (b, 2))]
    return _batched(lambda *each: _solve_one(*each, hermitian), arrays, batch)


def _solve_infer(a, pivots, b, *, hermitian):
    name = "torch.linalg.ldl_solve"
    require_square(name, a)
    require_inexact(name, a, halves=True)
    if b.ndim < 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-b.ndim}, {b.ndim - 1}], but got -2)")
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(f"Incompatible matrix sizes for {name}: each A matrix is {a.shape[-1]} by {a.shape[-1]} but each b matrix is "
                           f"{b.shape[-2]} by {b.shape[-1]}")
    if pivots.shape != a.shape[:-1]:
        raise RuntimeError(f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape {list(pivots.shape)} instead")
    if pivots.dtype.category > INTEGER:
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got {pivots.dtype.legacy}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"Expected b and A to have the same dtype, but found b of type {b.dtype.legacy} and A of type {a.dtype.legacy} instead.")
    require_kernel("ldl_solve_kernel_cpu", a)
    return sized((*broadcast_batch(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b)


solve_op = Op("linalg_ldl_solve", _solve, simple(_solve_infer), grad="NotImplemented", numpy=False)


@public("linalg.ldl_solve", method=False, out=True)
def ldl_solve(LD, pivots, B, *, hermitian=False):
    """The X of A X = B (*, n, k) from ldl_factor's LD (*, n, n) and pivots (*, n). Raises RuntimeError for other shapes and dtypes."""
    hermitian = bool(hermitian) and LD._spec.dtype.category == COMPLEX
    return by_columns(call(solve_op, (LD, pivots, B), (("hermitian", hermitian),)))


exact_out("linalg.ldl_factor", "linalg.ldl_factor_ex")

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve"]
