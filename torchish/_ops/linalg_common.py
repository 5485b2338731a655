"""What the linear-algebra families share: torch's requirements on their matrices, error codes of factorizations, small matrix helpers.

Knows no operation by name.

Note [Factorization errors]: an op whose factorization can fail has a `check`, which factorizes again and gives 0 or
1 + batch element * ORDERS + (order - 1) of the first failure. Where the matrix is known on the host it runs in NumPy at the call;
elsewhere in the program, where XLA shares the factorization with the op's own.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, set_strides
from .._core.spec import Spec
from .._dtype import COMPLEX, FLOATING
from .nn_common import HALVES, conj, not_implemented, product, swap

ORDERS = 1 << 20


class LinAlgError(RuntimeError):
    """A factorization that failed for the values of its matrix: torch.linalg.LinAlgError."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"


# ---------------------------------------------------------------- requirements
def require_matrix(name: str, a: Spec, letter: str = "A") -> None:
    """Raise RuntimeError unless `a` has two dimensions or more."""
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {letter} must have at least 2 dimensions.")


def require_square(name: str, a: Spec, letter: str = "A") -> None:
    """Raise RuntimeError unless `a` is a batch of square matrices."""
    require_matrix(name, a, letter)
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(f"{name}: {letter} must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices")


def require_inexact(name: str, a: Spec, halves: bool = False) -> None:
    """Raise RuntimeError unless `a` is real or complex floating point, of at least single precision unless `halves`."""
    if a.dtype.category < FLOATING:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {a.dtype.legacy}")
    if a.dtype in HALVES and not halves:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {a.dtype.legacy}")


def require_kernel(kernel: str, a: Spec) -> None:
    """Raise NotImplementedError where LAPACK has no routine for the dtype of `a`."""
    if a.dtype in HALVES or a.dtype.category < FLOATING:
        raise not_implemented(kernel, a.dtype)


def broadcast_batch(a: tuple, b: tuple) -> tuple:
    """The broadcast of two tuples of batch dimensions. Raises RuntimeError with torch's message."""
    made = []
    n = max(len(a), len(b))
    for i, (x, y) in enumerate(zip((1,) * (n - len(a)) + tuple(a), (1,) * (n - len(b)) + tuple(b))):
        if x != y and x != 1 and y != 1:
            raise RuntimeError(f"The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {i}")
        made.append(y if x == 1 else x)
    return tuple(made)


# ---------------------------------------------------------------- tensors
def by_columns(t: TensorBase) -> TensorBase:
    """Mark a fresh result as stored column after column, which is what LAPACK leaves."""
    shape = t._spec.shape
    if t._spec.numel:
        strides, step = [], shape[-1] * shape[-2]
        for n in reversed(shape[:-2]):
            strides.append(step)
            step *= n
        set_strides(t, (*reversed(strides), 1, shape[-2]))
    return t


# ---------------------------------------------------------------- arrays
def adjoint(xp, a):
    """The conjugate transpose."""
    return conj(xp, swap(a))


def eye(xp, n: int, like):
    """The identity in the dtype of an array."""
    return xp.eye(n, dtype=like.dtype)


def diagonal(xp, a):
    """The diagonals of matrices."""
    return xp.diagonal(a, axis1=-2, axis2=-1)


def scaled(xp, a, s):
    """a @ diag(s)."""
    return a * s[..., None, :]


def broadcast_matrices(xp, a, batch: tuple):
    """Matrices repeated to batch dimensions."""
    return xp.broadcast_to(a, batch + tuple(a.shape[-2:]))


def or_nan(function: Callable, *arrays):
    """A function of np.linalg; NaN where it refuses a matrix (only that matrix of a batch)."""
    try:
        return function(*arrays)
    except np.linalg.LinAlgError:
        if arrays[0].ndim == 2:
            return np.full_like(arrays[-1], math.nan)
        return np.stack([or_nan(function, *each) for each in zip(*arrays)])


def triangular(xp, a, b, lower: bool, left: bool = True, unit: bool = False):
    """The X of A X = B (X A = B unless `left`) for triangular A with the batch dimensions of B; the other triangle is not read."""
    if xp is not np:
        return jax.lax.linalg.triangular_solve(a, b, left_side=left, lower=lower, unit_diagonal=unit)
    a = np.tril(a) if lower else np.triu(a)
    if unit:
        a = a * (1 - np.eye(a.shape[-1], dtype=a.dtype)) + np.eye(a.shape[-1], dtype=a.dtype)
    with np.errstate(all="ignore"):
        return or_nan(np.linalg.solve, a, b) if left else swap(or_nan(np.linalg.solve, swap(a), swap(b)))


def solved(xp, a, b):
    """The X of A X = B for matrices B; NaN where A is singular."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = broadcast_matrices(xp, a, batch), broadcast_matrices(xp, b, batch)
    return or_nan(np.linalg.solve, a, b) if xp is np else jnp.linalg.solve(a, b)


def inverse(xp, a):
    """The inverse; NaN where a matrix is singular."""
    return or_nan(np.linalg.inv, a) if xp is np else jnp.linalg.inv(a)


# ---------------------------------------------------------------- see Note [Factorization errors]
def error_code(xp, orders):
    """The code of an array of failing orders (0: none failed)."""
    flat = xp.reshape(orders, (-1,))
    if not flat.shape[0]:
        return xp.zeros((), np.int64)
    first = xp.argmax(flat != 0)
    order = flat[first].astype(np.int64)
    return xp.where(order == 0, 0, order + first * ORDERS)


def which(code: int, a: Spec) -> tuple[str, int]:
    """The text that names the batch element of a code ("" for a single matrix), and the failing order."""
    element, order = divmod(code - 1, ORDERS)
    return f"(Batch element {element}): " if a.ndim > 2 else "", order + 1


def zero_pivots(xp, x):
    """For each matrix, the order of the first pivot of its LU factorization that is exactly 0 (0: none)."""
    k = min(x.shape[-2:])
    if not k or 0 in x.shape:
        return xp.zeros(x.shape[:-2], np.int32)
    if xp is np:
        flat = x.reshape(-1, *x.shape[-2:])
        square = x.shape[-1] == x.shape[-2]
        regular = np.linalg.slogdet(flat)[0] != 0 if square else np.zeros(len(flat), bool)
        return np.array([0 if fine else _eliminate(m) for m, fine in zip(flat, regular)], np.int32).reshape(x.shape[:-2])
    pivots = diagonal(xp, jax.lax.linalg.lu(x)[0]) == 0
    return xp.where(xp.any(pivots, -1), xp.argmax(pivots, -1) + 1, 0).astype(np.int32)


def _eliminate(matrix) -> int:
    """Gaussian elimination with partial pivoting of one NumPy matrix: the order of the first zero pivot."""
    a, first = matrix.astype(np.result_type(matrix, np.float64)), 0
    for i in range(min(a.shape)):
        p = i + int(np.argmax(np.abs(a[i:, i])))
        if a[p, i] == 0:
            first = first or i + 1
            continue
        a[[i, p]] = a[[p, i]]
        a[i + 1:] -= np.outer(a[i + 1:, i] / a[i, i], a[i])
    return first


def bad_minors(xp, x):
    """For each Hermitian matrix given by its lower triangle, the order of the first leading minor that is not positive (0: none)."""
    if 0 in x.shape:
        return xp.zeros(x.shape[:-2], np.int32)
    if xp is np:
        flat = x.reshape(-1, *x.shape[-2:])
        return np.array([_first_bad_minor(m) for m in flat], np.int32).reshape(x.shape[:-2])
    failed = xp.any(xp.isnan(jax.lax.linalg.cholesky(x, symmetrize_input=False)), (-2, -1))
    return jax.lax.cond(xp.any(failed), lambda: xp.where(failed, _minors_by_elimination(x), 0), lambda: xp.zeros(failed.shape, np.int32))


def _first_bad_minor(matrix) -> int:
    for k in (len(matrix), *range(1, len(matrix))):
        try:
            np.linalg.cholesky(matrix[:k, :k])
        except np.linalg.LinAlgError:
            if k < len(matrix) or k == 1:
                return k
        else:
            if k == len(matrix):
                return 0
    return len(matrix)


def _minors_by_elimination(x):
    """The order of the first pivot of symmetric elimination without exchanges that is not positive."""
    n = x.shape[-1]
    low = jnp.tril(x)
    full = low + adjoint(jnp, jnp.tril(x, -1))

    def step(i, state):
        a, order = state
        pivot = a[..., i, i].real
        order = jnp.where((order == 0) & ~(pivot > 0), i + 1, order)
        column = jnp.where(jnp.arange(n) > i, a[..., :, i], 0)
        safe = jnp.where(pivot > 0, pivot, 1)[..., None, None]
        return a - column[..., :, None] * conj(jnp, column)[..., None, :] / safe, order
    return jax.lax.fori_loop(0, n, step, (full, jnp.zeros(x.shape[:-2], np.int32)))[1]


__all__ = ["COMPLEX", "LinAlgError", "adjoint", "bad_minors", "broadcast_batch", "broadcast_matrices", "by_columns", "conj", "diagonal", "dt",
           "error_code", "eye", "inverse", "or_nan", "product", "require_inexact", "require_kernel", "require_matrix", "require_square", "scaled",
           "solved", "swap", "triangular", "which", "zero_pivots"]
