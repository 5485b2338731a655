"""The table of calls that the tests of linear algebra, distances and covariance make; comparing is that of reduction_cases. Imports neither package.

What is unique only up to signs or phases (singular vectors, eigenvectors) is compared through products that are not.
"""
from __future__ import annotations

import reduction_cases

DATA = {
    "a": ([[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 2.0]], "float64"),  # symmetric, positive-definite
    "g": ([[1.0, 2.0, 0.5], [-1.5, 0.25, 3.0], [0.75, -2.0, 1.0]], "float64"),
    "f": ([[1.0, 2.0, 0.5], [-1.5, 0.25, 3.0], [0.75, -2.0, 1.0]], "float32"),
    "tall": ([[1.0, 2.0], [-1.5, 0.25], [0.75, -2.0], [0.5, 0.5]], "float64"),
    "batch": ([[[2.0, 1.0], [0.5, 3.0]], [[-1.0, 0.5], [2.0, 1.5]]], "float64"),
    "c": ([[1 + 2j, -0.5j], [0.5 + 0j, 2 - 1j]], "complex128"),
    "rhs": ([[1.0, -2.0], [0.5, 3.0], [2.0, 0.25]], "float64"),
    "v": ([1.0, -2.0, 0.5], "float64"),
    "singular": ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]], "float64"),
    "zero": ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], "float64"),
    "i": ([[3, -1, 2], [0, 5, 5], [1, 1, 1]], "int64"),
    "h": ([[1.5, -2.25, 0.5], [4.0, 1.5, -0.125], [0.5, 1.0, 2.0]], "bfloat16"),
    "b": ([[True, False, True], [False, False, False], [True, True, True]], "bool"),
}
SQUARE = """inv inv_ex cholesky cholesky_ex det slogdet eigvalsh solve_ex(rhs) cond lu_factor lu_factor_ex lu pinv matrix_rank svdvals
matrix_power(3) matrix_power(-2) matrix_power(0) matrix_power(1) vander cross(a)""".replace("\n", " ").split()
OPERANDS = ("a", "i", "h", "v", "tall")
MORE = """
L.inv(g) | L.inv(batch) | L.inv(c) | L.inv(f) | L.inv(zero) | L.inv(t.stack([a, zero])).sum().item() | t.inverse(g) | L.inv(t.zeros(0, 0))
L.inv_ex(zero).info | L.inv_ex(g, check_errors=True) | L.inv_ex(zero, check_errors=True) | g.inverse() | L.cholesky(a, upper=True)
L.cholesky(g.detach() * 0 + t.eye(3)) | L.cholesky(-a).sum().item() | L.cholesky(t.stack([a, -a])).sum().item() | L.cholesky_ex(-a).info
L.cholesky_ex(a, check_errors=True) | L.cholesky_ex(-a, check_errors=True)[0].sum().item() | t.cholesky(a) | a.cholesky(True)
t.cholesky(-a).sum().item() | L.cholesky(t.tensor([[2.0, 0.0], [0.0, -1.0]])) | L.cholesky((c @ c.mH).detach().requires_grad_()) | L.det(g)
L.det(batch) | L.det(c) | t.det(f) | g.det() | L.det(t.zeros(0, 0)) | L.slogdet(g) | L.slogdet(batch) | L.slogdet(c) | t.slogdet(g)
L.slogdet(zero.detach()) | t.logdet(a) | t.logdet(-a).detach() | t.logdet(c) | t.logdet(i) | a.logdet() | L.qr(g)[1].abs()
(lambda r: r[0] @ r[1])(L.qr(tall)) | (lambda r: r[0] @ r[1])(L.qr(tall.T)) | L.qr(tall, 'r').R.detach().abs() | L.qr(g, 'foo')
L.qr(tall, 'complete').Q.shape and t.ones(1) | L.qr(i) | L.qr(v) | t.qr(g).R.abs() | L.qr(g, 'r').Q.detach() | L.qr(tall, 'r').R.sum().backward()
L.qr(tall, 'complete').R.sum().backward() | (lambda r: (r[0] * r[1]) @ r[2])(L.svd(tall, False)) | L.svd(tall).U.shape and L.svd(tall).S
L.svdvals(g) | L.svdvals(batch) | L.svdvals(tall.T) | L.svdvals(c) | L.svdvals(zero) | L.svdvals(t.zeros(0, 3)) | L.svd(g, driver='gesvd')
L.svd(h) | (lambda r: (r[0] * r[1]) @ r[2].mT)(t.svd(tall)) | t.svd(tall, compute_uv=False) | L.svd(v) | t.svd(v)
(lambda r: (r[1] * r[0]) @ r[1].mT)(L.eigh(a)) | L.eigvalsh(g) | L.eigvalsh(g, UPLO='U') | L.eigh(a).eigenvalues | L.eigh(a, 'X') | L.eigh(i)
L.eigh(tall) | L.eigvals(a).real.sort().values | L.eigvals(g).abs().sort().values | (lambda r: (r[1] @ t.diag(r[0]) @ L.inv(r[1])).real)(L.eig(g))
L.eig(i) | L.eigvals(h) | L.lu(g) | L.lu(tall) | L.lu(tall.T) | L.lu(g, pivot=False) | L.lu_factor(g) | L.lu_factor(zero)
L.lu_factor_ex(zero).info | t.lu(g) | t.lu(g, get_infos=True) | t.lu_unpack(*L.lu_factor(g))
t.lu_unpack(*L.lu_factor(g.detach()), unpack_data=False) | t.lu_unpack(*L.lu_factor(g), unpack_pivots=False) | t.lu_unpack(g, i) | L.solve(g, rhs)
L.solve(g, v) | L.solve(g, rhs.T, left=False) | L.solve(batch, rhs[:2]) | L.solve(batch, rhs[:2].detach()) | L.solve(f, rhs) | L.solve(g, tall)
L.solve(zero, rhs) | L.solve(t.stack([g, zero]), rhs).sum().item() | L.solve(g, v[0]) | L.solve(i, i) | L.solve_ex(zero, rhs).info
L.solve_ex(g, rhs, check_errors=True) | L.solve(c, c) | L.solve(g, v, left=False) | L.solve_triangular(g, rhs, upper=True)
L.solve_triangular(g, rhs, upper=False) | L.solve_triangular(g, v, upper=True) | L.solve_triangular(g, rhs, upper=True, unitriangular=True)
L.solve_triangular(g, rhs.T, upper=True, left=False) | L.solve_triangular(g, tall, upper=True) | L.solve_triangular(c, c, upper=False)
t.triangular_solve(rhs, g) | t.triangular_solve(rhs, g, upper=False, transpose=True) | t.triangular_solve(v, g) | t.triangular_solve(tall, g)
t.cholesky_solve(rhs, L.cholesky(a)) | t.cholesky_solve(rhs, a.detach(), upper=True) | t.cholesky_solve(v, a) | t.cholesky_solve(tall, a)
t.cholesky_inverse(L.cholesky(a)) | t.cholesky_inverse(zero) | a.detach().cholesky_inverse(upper=True) | L.lu_solve(*L.lu_factor(g), rhs)
L.lu_solve(*L.lu_factor(g), rhs.T, left=False) | L.lu_solve(*L.lu_factor(g), rhs, adjoint=True)
L.lu_solve(*L.lu_factor(c), c, left=False, adjoint=True) | L.lu_solve(*L.lu_factor(g), tall) | t.lu_solve(rhs, *L.lu_factor(g))
L.householder_product(*t.geqrf(g.detach())).abs() | t.geqrf(g.detach())[0].abs() | L.householder_product(tall, v[:2])
L.householder_product(tall.T, v) | t.orgqr(tall, v[:2])
t.ormqr(tall, v[:2], tall * 2) | t.ormqr(tall, v[:2], tall.mT, False) | t.ormqr(tall, v[:2], tall, transpose=True) | t.ormqr(c, c[0], c, False, True)
t.ormqr(g[None], v[None], rhs[None]) | t.ormqr(c, c[0], c, transpose=True) | t.ormqr(tall, v, tall) | t.ormqr(tall, v[:2], rhs) | t.ormqr(v, v, tall)
t.ormqr(g, v, rhs[None]) | t.ormqr(f, v, g) | t.ormqr(f, v.float(), g) | t.ormqr(i, i[0], i) | t.ormqr(g[None], v.expand(2, 3), rhs[None])
L.pinv(tall) | L.pinv(g) | L.pinv(singular, rtol=1e-6) | L.pinv(tall, atol=0.1, rtol=0.1)
L.pinv(a, hermitian=True) | L.pinv(tall, rcond=t.tensor(0.1)) | L.pinv(c) | t.pinverse(tall) | L.pinv(h) | L.pinv(v) | L.pinv(t.zeros(0, 3))
L.matrix_rank(singular) | L.matrix_rank(batch) | L.matrix_rank(g, tol=2.0) | L.matrix_rank(g, atol=2.0) | L.matrix_rank(a, hermitian=True)
L.matrix_rank(v) | L.lstsq(tall, tall[:, :1] + 1).solution.flatten() | L.lstsq(tall, tall.detach()[:, 0] + 1, driver='gels') | L.lstsq(g, rhs)
L.lstsq(tall, tall.detach() + 1, driver='gelsd')[1] | L.lstsq(tall, tall.detach() + 1, driver='foo') | L.lstsq(tall, rhs) | L.lstsq(v, v)
L.lstsq(i, i) | t.matrix_exp(g) | t.matrix_exp(batch) | t.matrix_exp(c) | L.matrix_power(batch, 5) | t.matrix_power(g, 2) | L.matrix_power(zero, -1)
L.cond(g) | L.cond(g.detach(), 1) | L.cond(g, -2) | L.cond(g.detach(), 'fro') | L.cond(g.detach(), float('inf')) | L.cond(zero.detach())
L.cond(tall) | L.cond(tall, 1) | L.cond(g, 3) | L.cond(v) | L.cond(g, 'nuc') | L.tensorinv(g.reshape(3, 1, 3), ind=2)
L.tensorinv(g.reshape(3, 3, 1), ind=1) | L.tensorinv(g, ind=0) | L.tensorinv(tall, ind=1) | L.tensorsolve(g.reshape(3, 1, 3), rhs[:, :1])
L.tensorsolve(g, v) | L.tensorsolve(tall, v) | L.norm(g, 'nuc') | L.norm(g, 2) | L.matrix_norm(batch, -2) | g.norm('nuc')
L.matrix_norm(g.detach(), 'nuc', keepdim=True) | t.trace(g) | t.trace(tall) | t.trace(i) | t.trace(b) | t.trace(h) | v.trace() | t.trace(c)
L.cross(g, a) | L.cross(g, v[None]) | t.cross(g, a, 0) | t.cross(tall, tall) | L.cross(b, b) | L.cross(g, v) | L.cross(g, f) | L.cross(h, h)
L.vecdot(g, a) | L.vecdot(c, c) | L.vecdot(g, f) | L.vecdot(i, i) | L.vecdot(g, a, dim=0) | L.vander(v) | L.vander(v, N=2) | L.vander(v, N=1)
t.vander(i[0]) | t.vander(i[0], 2, True) | t.vander(v, -1) | t.vander(v).detach() | L.vander(b) | t.renorm(g, 2, 0, 1.0) | t.renorm(g, 1, 1, 2)
g.renorm(3, 0, 0.5) | t.renorm(zero, 2, 0, 1) | t.renorm(v, 2, 0, 1) | t.renorm(g, 0, 0, 1) | t.renorm(g, 2, 0, -1) | t.renorm(i, 2, 0, 1)
g.detach().clone().renorm_(2, 0, 1) | t.renorm(h, 2, 0, 1) | t.cov(g) | t.cov(v) | t.cov(c) | t.cov(i) | t.cov(b) | t.cov(g, correction=0)
t.cov(batch) | t.cov(g, fweights=t.tensor([1, 2, 3])) | t.cov(g, aweights=t.tensor([0.5, 1.0, 2.0])) | t.cov(g, fweights=t.tensor([1, 2]))
t.cov(g, fweights=v) | t.cov(g, aweights=i[0]) | t.cov(g, fweights=t.tensor([1, -2, 3]))
t.cov(g, fweights=t.tensor([1, 2, 3]), aweights=t.tensor([0.5, 1.0, 2.0])) | t.corrcoef(g) | t.corrcoef(v) | t.corrcoef(c) | t.corrcoef(batch)
t.cdist(g, a) | t.cdist(g, a, 1) | t.cdist(g, a, 3) | t.cdist(g, a, 0.5) | t.cdist(g, a, float('inf')) | t.cdist(g, a, 0)
t.cdist(zero, zero.detach()) | t.cdist(batch, batch.detach()) | t.cdist(g, a, compute_mode='use_mm_for_euclid_dist')
t.cdist(g, a, compute_mode='x') | t.cdist(g, tall) | t.cdist(g, f) | t.cdist(g, a, -1) | t.cdist(i, i) | t.cdist(h, h) | t.cdist(v, v) | t.pdist(g)
t.pdist(g, 1) | t.pdist(zero) | t.pdist(v) | t.pdist(i) | t.pdist(g, float('inf')) | t.cdist(g.repeat(9, 1), a)
L.inv(g.detach(), out=t.empty(3, 3)) | L.inv(g.detach(), out=t.empty(3, 3, dtype=t.float64))
"""


def _table() -> list[str]:
    cases = []
    for each in SQUARE:
        name, _, arguments = each.partition("(")
        cases += [f"L.{name}({operand}{', ' + arguments if arguments else ')'}" for operand in OPERANDS]
    cases += [case.strip() for case in MORE.replace("\n", " | ").split(" | ") if case.strip()]
    return list(dict.fromkeys(case.replace("L.", "t.linalg.") for case in cases))


CASES = _table()


def inputs(t) -> dict:
    """The inputs as tensors of module `t` ; leaves that require grad where they can."""
    names = {}
    for name, (data, dtype) in DATA.items():
        names[name] = t.tensor(data, dtype=getattr(t, dtype))
        if "float" in dtype or "complex" in dtype:
            names[name].requires_grad_()
    return names


def run(t, expression: str) -> dict:
    """What the expression gives on module `t`, as plain data."""
    return reduction_cases.run(t, expression, inputs)
