"""Solving linear systems: inv, solve, triangular, Cholesky and LU solves. Least squares and determinants are in matrix_functions.py.

Singular matrices raise torch.linalg.LinAlgError, see Note [Factorization errors].
"""
from __future__ import annotations

import jax

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, simple
from .._core.record import call
from .._core.spec import Spec
from .exact_out import exact_out
from .factory import constant_tensor
from .linalg_common import (
    LinAlgError,
    adjoint,
    broadcast_batch,
    broadcast_matrices,
    by_columns,
    diagonal,
    error_code,
    eye,
    inverse,
    product,
    require_inexact,
    require_kernel,
    require_matrix,
    require_square,
    solved,
    swap,
    triangular,
    which,
    zero_pivots,
)
from .nn_common import sized
from .return_types import return_type
from .variants import public


def _info(a: Spec, batch: tuple | None = None) -> Spec:
    return sized(a.shape[:-2] if batch is None else batch, a, dt.int32)


def _no_failure(a: TensorBase, batch: tuple) -> TensorBase:
    return constant_tensor(tuple(batch), 0, dt.int32, a._spec.device)


# ---------------------------------------------------------------- inv
def _inv_infer(a, *, name):
    require_inexact("linalg.inv", a)
    require_square("linalg.inv", a)
    return a


def _inv_rule(xp, g, out, x, **static):
    return -product(xp, adjoint(xp, out), product(xp, g, adjoint(xp, out)))


def _singular(text: str):
    """An error for a code of Note [Factorization errors]; the call names itself in the static parameter `name`."""
    def complain(code, argtypes, static):
        element, order = which(code, argtypes[0])
        return LinAlgError(f"{static['name']}: {element}" + text.format(order=order))
    return complain


def _pivot_check(xp, x, *rest, **static):
    return error_code(xp, zero_pivots(xp, x))


_DIAGONAL = _singular("The diagonal element {order} is zero, the inversion could not be completed because the input matrix is singular.")
_SOLVER = _singular("The solver failed because the input matrix is singular.")
inv_op = Op("linalg.inv", lambda xp, x, *, name: inverse(xp, x), simple(_inv_infer), grad="LinalgInvExBackward0", saves=("result",), vjp=(_inv_rule,),
            check=_pivot_check, checked=(0,), complain=_DIAGONAL)
inv_ex_op = Op("linalg.inv_ex", lambda xp, x: (inverse(xp, x), zero_pivots(xp, x)), simple(lambda a: (_inv_infer(a, name=""), _info(a))),
               grad="LinalgInvExBackward0", saves=("result",), vjp=(lambda xp, g, out, x: _inv_rule(xp, g[0], out[0], x),))


def inverted(A: TensorBase, name: str = "linalg.inv") -> TensorBase:
    """The inverses of square matrices; errors call the function `name`."""
    return by_columns(call(inv_op, (A,), (("name", name),)))


@public("linalg.inv", method=False, out=True)
def linalg_inv(A):
    """The inverses of square matrices. Raises torch.linalg.LinAlgError for a singular one."""
    return inverted(A)


@public("inverse", out=True)
def inverse_(input):
    """linalg.inv."""
    return inverted(input)


@public("linalg.inv_ex", method=False, out=True)
def inv_ex(A, *, check_errors=False):
    """(inverse, info): as linalg.inv, but a singular matrix is told by info > 0 unless `check_errors`."""
    made = (inverted(A, "linalg.inv_ex"), _no_failure(A, A._spec.shape[:-2])) if check_errors else call(inv_ex_op, (A,))
    return return_type("linalg_inv_ex", "inverse", "info")([by_columns(made[0]), made[1]])


# ---------------------------------------------------------------- solve
def _check_solve(name: str, a: Spec, b: Spec, left: bool) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(f"{name}: Expected A and B to have the same dtype, but found A of type {a.dtype.legacy} and B of type {b.dtype.legacy} "
                           "instead")
    if a.shape[-1] != b.shape[-2 if left else -1]:
        raise RuntimeError(f"{name}: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B ({a.shape[-2]}x{a.shape[-1]} and "
                           f"{b.shape[-2]}x{b.shape[-1]})")


def _solve_infer(a, b, *, left, vector, name):
    require_inexact("linalg.solve", a, halves=True)
    require_square("linalg.solve", a)
    if not vector:
        require_matrix("linalg.solve", b, "B")
    matrix = sized((*b.shape, 1), b) if vector else b
    _check_solve("linalg.solve", a, matrix, left)
    require_kernel("lu_cpu", a)
    batch = broadcast_batch(matrix.shape[:-2], a.shape[:-2])
    return sized((*batch, b.shape[-1]) if vector else (*batch, *b.shape[-2:]), b)


def _solve(xp, a, b, *, left, vector, name):
    if vector:
        return solved(xp, a, b[..., None])[..., 0]
    return solved(xp, a, b) if left else swap(solved(xp, swap(a), swap(b)))


def _solve_rule_b(xp, g, out, a, b, *, left, vector, name):
    return _solve(xp, adjoint(xp, a), g, left=left, vector=vector, name=name)


def _solve_rule_a(xp, g, out, a, b, *, left, vector, name):
    """-A^-H g X^H."""
    gb = _solve_rule_b(xp, g, out, a, b, left=left, vector=vector, name=name)
    if vector:
        gb, out = gb[..., None], out[..., None]
    return -product(xp, gb, adjoint(xp, out)) if left else -product(xp, adjoint(xp, out), gb)


_SOLVE_RULES = (_solve_rule_a, _solve_rule_b)
solve_op = Op("linalg.solve", _solve, simple(_solve_infer), grad="LinalgSolveExBackward0", saves=(0, "result"), vjp=_SOLVE_RULES, check=_pivot_check,
              checked=(0,), complain=_SOLVER)
solve_ex_op = Op("linalg.solve_ex", lambda xp, a, b, **static: (_solve(xp, a, b, **static), zero_pivots(xp, a)),
                 simple(lambda a, b, **static: (_solve_infer(a, b, **static), _info(a))), grad="LinalgSolveExBackward0", saves=(0, "result"),
                 vjp=tuple([lambda xp, g, out, a, b, rule=rule, **static: rule(xp, g[0], out[0], a, b, **static) for rule in _SOLVE_RULES]))


def _solve_call(op: Op, A, B, left, name: str):
    a, b = A._spec, B._spec
    vector = b.ndim == 1 or a.ndim >= 2 and b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]
    if vector and not left:
        B, vector, squeeze = B[..., None], False, True
    else:
        squeeze = False
    made = call(op, (A, B), (("left", bool(left)), ("vector", vector), ("name", name)))
    solution, info = made if isinstance(made, tuple) else (made, None)
    if squeeze:
        solution = solution[..., 0]
    elif left and solution._spec.ndim > 1:
        by_columns(solution)
    return solution, info


@public("linalg.solve", method=False, out=True)
def linalg_solve(A, B, *, left=True):
    """The X of A X = B (X A = B unless `left`) for square A; B holds matrices, or vectors where its shape is that of A without the last dimension.

    Raises torch.linalg.LinAlgError for a singular A, RuntimeError for shapes that do not fit.
    """
    return _solve_call(solve_op, A, B, left, "torch.linalg.solve")[0]


@public("linalg.solve_ex", method=False, out=True)
def solve_ex(A, B, *, left=True, check_errors=False):
    """(result, info): as linalg.solve, but a singular A is told by info > 0 unless `check_errors`."""
    if check_errors:
        made = _solve_call(solve_op, A, B, left, "torch.linalg.solve_ex")[0], _no_failure(A, A._spec.shape[:-2])
    else:
        made = _solve_call(solve_ex_op, A, B, left, "torch.linalg.solve_ex")
    return return_type("linalg_solve_ex", "result", "info")(made)


# ---------------------------------------------------------------- triangular systems
def _both(xp, a, b):
    """Matrices with the batch dimensions of both."""
    batch = broadcast_batch(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    return broadcast_matrices(xp, a, batch), broadcast_matrices(xp, b, batch)


def _triangular_infer(a, b, *, upper, left, unit):
    name = "linalg.solve_triangular"
    require_square(name, a)
    require_matrix(name, b, "B")
    require_kernel("triangular_solve_cpu", a)
    _check_solve(name, a, b, left)
    return sized((*broadcast_batch(b.shape[:-2], a.shape[:-2]), *b.shape[-2:]), b)


def _triangular(xp, a, b, *, upper, left, unit):
    a, b = _both(xp, a, b)
    return triangular(xp, a, b, lower=not upper, left=left, unit=unit)


def _triangular_rule_b(xp, g, out, a, b, *, upper, left, unit):
    return _triangular(xp, adjoint(xp, a), g, upper=not upper, left=left, unit=unit)


def _triangular_rule_a(xp, g, out, a, b, *, upper, left, unit):
    gb = _triangular_rule_b(xp, g, out, a, b, upper=upper, left=left, unit=unit)
    made = -product(xp, gb, adjoint(xp, out)) if left else -product(xp, adjoint(xp, out), gb)
    return xp.triu(made, int(unit)) if upper else xp.tril(made, -int(unit))


solve_triangular_op = Op("linalg.solve_triangular", _triangular, simple(_triangular_infer), grad="LinalgSolveTriangularBackward0",
                         saves=(0, "result"), vjp=(_triangular_rule_a, _triangular_rule_b))


@public("linalg.solve_triangular", method=False, out=True)
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """The X of A X = B (X A = B unless `left`) for triangular A, of which only the triangle named is read; its diagonal counts as 1 if
    `unitriangular`. Not checked for zeros on the diagonal.
    """
    static = (("upper", bool(upper)), ("left", bool(left)), ("unit", bool(unitriangular)))
    return by_columns(call(solve_triangular_op, (A, B), static))


def _old_checks(function: str, b: Spec, a: Spec, letter: str) -> tuple:
    if function == "triangular_solve":
        for name, s in (("b", b), ("A", a)):
            if s.ndim < 2:
                raise RuntimeError(f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {s.ndim} dimensions instead")
    for name, s in (("b", b), (letter, a)):
        if s.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {s.ndim} dimensions instead")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"Expected b and A to have the same dtype, but found b of type {b.dtype.legacy} and A of type {a.dtype.legacy} instead.")
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(f"A must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices")
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(f"Incompatible matrix sizes for {function}: each A matrix is {a.shape[-1]} by {a.shape[-1]} but each b matrix is "
                           f"{b.shape[-2]} by {b.shape[-1]}")
    require_kernel(f"{function}_cpu", a)
    batch = broadcast_batch(b.shape[:-2], a.shape[:-2])
    return sized((*batch, *b.shape[-2:]), b), sized((*batch, *a.shape[-2:]), a)


def _triangular_solve(xp, b, a, *, upper, transpose, unit):
    a, b = _both(xp, a, b)
    return triangular(xp, swap(a) if transpose else a, b, lower=upper == transpose, unit=unit), a


triangular_solve_op = Op("triangular_solve", _triangular_solve, simple(lambda b, a, **static: _old_checks("triangular_solve", b, a, "A")),
                         grad="TriangularSolveBackward0", saves=(0, 1, "result"))


@public("triangular_solve", out=True)
def triangular_solve(b, A, upper=True, transpose=False, unitriangular=False):
    """(solution, a copy of A): the X of A X = b, or of A^T X = b if `transpose`. Deprecated in torch for linalg.solve_triangular."""
    static = (("upper", bool(upper)), ("transpose", bool(transpose)), ("unit", bool(unitriangular)))
    made = call(triangular_solve_op, (b, A), static)
    return return_type("triangular_solve", "solution", "cloned_coefficient")([by_columns(r) for r in made])


# ---------------------------------------------------------------- with factors
def _cholesky_solve(xp, b, a, *, upper):
    """L^-H L^-1 b."""
    a, b = _both(xp, a, b)
    low = adjoint(xp, a) if upper else a
    return triangular(xp, adjoint(xp, low), triangular(xp, low, b, lower=True), lower=False)


def _cholesky_solve_rule(xp, g, out, b, a, *, upper):
    """-(C + C^H) L with C = gB X^H; like torch's, not cut to the triangle."""
    c = product(xp, _cholesky_solve(xp, g, a, upper=upper), adjoint(xp, out))
    c = c + adjoint(xp, c)
    return -product(xp, a, c) if upper else -product(xp, c, a)


cholesky_solve_op = Op("cholesky_solve", _cholesky_solve, simple(lambda b, a, *, upper: _old_checks("cholesky_solve", b, a, "u")[0]),
                       grad="CholeskySolveBackward0", saves=(0, 1, "result"),
                       vjp=(lambda xp, g, out, b, a, *, upper: _cholesky_solve(xp, g, a, upper=upper), _cholesky_solve_rule))


@public("cholesky_solve", out=True)
def cholesky_solve(B, L, upper=False):
    """The X of L L^H X = B (U^H U X = B if `upper`)."""
    return by_columns(call(cholesky_solve_op, (B, L), (("upper", bool(upper)),)))


def _cholesky_inverse_infer(a, *, upper, name):
    require_square("cholesky_inverse", a)
    require_kernel("cholesky_inverse_out_cpu", a)
    return a


def _zero_diagonal(xp, x, **static):
    zero = diagonal(xp, x) == 0
    if not x.shape[-1]:
        return error_code(xp, xp.zeros((0,), "int32"))
    return error_code(xp, xp.where(xp.any(zero, -1), xp.argmax(zero, -1) + 1, 0))


def _cholesky_inverse(xp, x, *, upper, name):
    return _cholesky_solve(xp, xp.broadcast_to(eye(xp, x.shape[-1], x), x.shape), x, upper=upper)


cholesky_inverse_op = Op("cholesky_inverse", _cholesky_inverse, simple(_cholesky_inverse_infer), grad="CholeskyInverseBackward0",
                         saves=(0, "result"), check=_zero_diagonal, checked=(0,), complain=_DIAGONAL)


@public("cholesky_inverse", out=True)
def cholesky_inverse(L, upper=False):
    """The inverse of L L^H (U^H U if `upper`). Raises torch.linalg.LinAlgError for a zero on the diagonal."""
    return by_columns(call(cholesky_inverse_op, (L,), (("upper", bool(upper)), ("name", "cholesky_inverse"))))


def _lu_solve_infer(lu, pivots, b, *, left, adjoint):
    name = "linalg.lu_solve"
    require_inexact(name, lu, halves=True)
    require_square(name, lu, "LU")
    require_matrix(name, b, "B")
    if lu.dtype is not b.dtype:
        raise RuntimeError(f"{name}: Expected LU and B to have the same dtype, but found LU of type {lu.dtype.legacy} and B of type {b.dtype.legacy} "
                           "instead")
    if pivots.dtype is not dt.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    if pivots.shape[-1:] != lu.shape[-1:]:
        raise RuntimeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix")
    if pivots.shape[:-1] != lu.shape[:-2]:
        raise RuntimeError(f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape {list(pivots.shape)} instead")
    _check_solve(name, lu, b, left)
    require_kernel("lu_cpu", lu)
    return sized((*broadcast_batch(b.shape[:-2], lu.shape[:-2]), *b.shape[-2:]), b)


def _lu_solve(xp, lu, pivots, b, *, left, adjoint):
    """A = P L U; rows of B are permuted by P^T before, or by P after, the two triangular solves."""
    if not left:
        return swap(_lu_solve(xp, xp.conj(lu) if adjoint else lu, pivots, swap(b), left=True, adjoint=None if not adjoint else False))
    order = jax.lax.linalg.lu_pivots_to_permutation(pivots - 1, lu.shape[-1])
    lu, b = _both(xp, lu, b)
    order = xp.broadcast_to(order, (*b.shape[:-2], lu.shape[-1]))[..., None]
    if adjoint is False:
        return triangular(xp, lu, triangular(xp, lu, xp.take_along_axis(b, order, -2), lower=True, unit=True), lower=False)
    turned = swap(lu) if adjoint is None else xp.conj(swap(lu))
    made = triangular(xp, turned, triangular(xp, turned, b, lower=True), lower=False, unit=True)
    return xp.take_along_axis(made, xp.argsort(order, -2), -2)


lu_solve_op = Op("linalg.lu_solve", _lu_solve, simple(_lu_solve_infer), grad="LinalgLuSolveBackward0", saves=(0, "result"), numpy=False)


@public("linalg.lu_solve", method=False, out=True)
def linalg_lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """The X of A X = B (X A = B unless `left`; A^H for A if `adjoint`), A given as by linalg.lu_factor."""
    made = call(lu_solve_op, (LU, pivots, B), (("left", bool(left)), ("adjoint", bool(adjoint))))
    return by_columns(made) if left else made


@public("lu_solve", out=True)
def lu_solve(b, LU_data, LU_pivots):
    """linalg.lu_solve(LU_data, LU_pivots, b); deprecated in torch."""
    return linalg_lu_solve(LU_data, LU_pivots, b)


exact_out("linalg.inv", "linalg.inv_ex", "linalg.solve", "linalg.solve_ex", "linalg.solve_triangular", "linalg.lu_solve")
