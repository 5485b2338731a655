"""Calls of the operations that no older table holds, by section: one table, one record, one test. Imports neither package.

A section has operands, as name -> (nested list, dtype), and expressions, separated by "|" or on lines of their own; they see `t` (the package),
`F` (its nn.functional) and the section's operands: leaves that require grad where they can, unless "constant" stands behind the dtype. Comparing
is that of reduction_cases.
"""
from __future__ import annotations

import math

import reduction_cases


def _wave(*shape: int, step: float = 1.0) -> list:
    """A nested list of sines, two digits each."""
    flat = [round(math.sin(1 + step * i), 2) for i in range(math.prod(shape))]
    for n in reversed(shape[1:]):
        flat = [flat[i:i + n] for i in range(0, len(flat), n)]
    return flat


NAN = float("nan")
IMAGES = {
    "x": (_wave(2, 2, 4, 3), "float32"),
    "v": (_wave(1, 2, 3, 2, 3), "float64"),
    "g": ([[[[0.1, -0.4], [0.9, 0.95], [1.3, -2.6]]], [[[0.0, 0.0], [-1.0, 1.0], [-0.55, 0.3]]]], "float32"),
    "g3": ([[[[[0.1, -0.4, 0.6], [1.3, -2.6, 0.5], [-0.75, 0.5, -1.1]]]]], "float64"),
    "theta": ([[[1.0, 0.25, 0.5], [-0.5, 0.75, 0.0]]], "float64"),
    "theta3": ([[[1.0, 0.25, 0.5, 0.0], [-0.5, 0.75, 0.0, 0.5], [0.0, 0.0, 1.0, -1.0]]], "float32"),
    "odd": ([[[[NAN, 0.0], [0.0, NAN]]]], "float32"),
}
GRIDS = "\n".join(f"F.grid_sample(x, g, '{mode}', '{padding}', {align})" for mode in ("bilinear", "nearest", "bicubic")
                  for padding in ("zeros", "border", "reflection") for align in (True, False))
GRIDS += "\n" + "\n".join(f"F.grid_sample(v, g3, '{mode}', '{padding}', {align})" for mode in ("bilinear", "nearest")
                          for padding in ("zeros", "border", "reflection") for align in (True, False))
GRIDS += """
F.grid_sample(x, g) | F.grid_sample(x[:1], odd, align_corners=False) | F.grid_sample(x[:1], odd, 'bicubic', 'border', False)
F.grid_sample(x[:, :, :1, :1], g, 'bilinear', 'reflection', True)
F.grid_sample(x[:, :0], g, align_corners=True)
F.grid_sample(x, g, 'foo') | F.grid_sample(x, g, 'nearest', 'foo') | F.grid_sample(v, g3, 'bicubic') | F.grid_sample(x, g.double())
F.grid_sample(x[:1], g) | F.grid_sample(x, g[..., :1]) | F.grid_sample(x[:, :, :0], g) | F.grid_sample(x.long(), g.long())
F.grid_sample(v.long(), g3.long()) | F.grid_sample(x, g[:, :, :2, None, None].expand(2, 1, 2, 1, 1, 2)) | F.grid_sample(x[0, 0, 0, 0], g)
t.grid_sampler(x, g, 1, 2, True) | t.grid_sampler_2d(x, g, 0, 0, True) | t.grid_sampler_3d(v, g3, 0, 1, False) | t.grid_sampler_3d(x, g, 0, 0, True)
F.affine_grid(theta, (1, 1, 2, 3)) | F.affine_grid(theta, [1, 1, 3, 2], True) | F.affine_grid(theta3, (1, 1, 2, 1, 3), align_corners=False)
F.affine_grid(theta3, (1, 1, 2, 1, 3), align_corners=True) | F.affine_grid(theta, (2, 1, 2, 3)) | F.affine_grid(theta3, (1, 1, 2, 3))
F.affine_grid(theta, (1, 1, 2, 3, 2)) | F.affine_grid(theta, (1, 1, 2)) | F.affine_grid(theta.long(), (1, 1, 2, 3))
F.affine_grid(theta, (1, 1, 0, 3)) | F.affine_grid(theta.half(), (1, 1, 2, 3)) | t.affine_grid_generator(theta, (1, 1, 2, 3), True)
t.affine_grid_generator(theta, (1, 1, 2), True)
"""
POOLS = {"x": (_wave(2, 2, 5, 4), "float32"), "v": (_wave(1, 2, 5, 4, 3), "float64"),
         "s": ([[[0.1, 0.7], [0.95, 0.3]], [[0.0, 0.5], [0.33, 0.99]]], "float32"), "s3": ([[[0.1, 0.7, 0.3], [0.95, 0.3, 0.6]]], "float64")}
FRACTIONAL = """
F.fractional_max_pool2d(x, 2, 3, _random_samples=s.detach()) | F.fractional_max_pool2d(x, (1, 3), (4, 2), None, True, s.detach())
F.fractional_max_pool2d(x, 2, output_ratio=(0.5, 0.75), _random_samples=s.detach()) | F.fractional_max_pool2d(x[0], 2, (4, 1), None, True, s.detach())
F.fractional_max_pool2d_with_indices(x, 2, 2, None, False, s.detach()) | F.fractional_max_pool3d(v, 2, (3, 2, 1), _random_samples=s3.detach())
F.fractional_max_pool3d(v, (1, 2, 2), (4, 2, 1), None, True, s3.detach()) | F.fractional_max_pool3d(v[0], 2, None, 0.5, _random_samples=s3.detach())
F.fractional_max_pool3d_with_indices(v, 1, 2, None, False, s3.detach())
F.fractional_max_pool2d(x.bfloat16(), 2, 3, None, True, s.detach().bfloat16()) | F.fractional_max_pool2d(x, 2, 3, _random_samples=s)
F.fractional_max_pool2d(t.full_like(x, -float('inf')), 2, 3, None, True, s.detach())
F.fractional_max_pool2d(t.where(x > 0.9, NAN, x), 2, 3, None, True, s.detach()) | F.fractional_max_pool2d(x[:0], 2, 3)
F.fractional_max_pool2d(x, 2, 0) | F.fractional_max_pool2d(x, 2) | F.fractional_max_pool2d(x, 2, output_ratio=0.5) | F.fractional_max_pool2d(x, 5, 2)
F.fractional_max_pool3d(v, 2, 3) | F.fractional_max_pool2d(x[0, 0], 2, 3) | F.fractional_max_pool2d(x.long(), 2, 3)
F.fractional_max_pool2d(x, 2, 3, _random_samples=s[..., :1].detach()) | F.fractional_max_pool2d(x, 2, 3, _random_samples=s[:1].detach())
F.fractional_max_pool2d(x, 2, 3, _random_samples=s.double().detach()) | F.fractional_max_pool2d(x, 2, 3, _random_samples=s[:, :1].detach())
F.fractional_max_pool2d(x, 2, 3, _random_samples=s[0].detach()) | F.fractional_max_pool2d(x, (2,), 3) | F.fractional_max_pool2d(x, 2, (1, 2, 3))
F.fractional_max_pool3d(v, (2, 2), 1) | F.fractional_max_pool2d(x[:, :, :0], 2, 1)
"""
LINEAR = {"x": (_wave(4, 3), "float32"), "w": (_wave(5, 3, step=2.0), "float32"), "wide": (_wave(5, 2, 3), "float32"), "b": (_wave(5), "float32"),
          "wide_b": (_wave(5, 2), "float32"), "c": ([0, 2, 4, 1], "int64"), "wide_c": ([[0, 2], [4, 1], [3, 3], [1, 0]], "int64"),
          "p": ([[0.2, 0.3, 0.1, 0.1, 0.3]] * 4, "float32"), "s": ([0.5, 1.0, 0.0, 2.0, 1.0], "float32")}
LINEAR_LOSS = """
F.linear_cross_entropy(x, w, c) | F.linear_cross_entropy(x, w, c, linear_bias=b, reduction='none') | F.linear_cross_entropy(x, wide, wide_c)
F.linear_cross_entropy(x, wide, wide_c, linear_bias=wide_b, reduction='sum') | F.linear_cross_entropy(x, w, p.detach())
F.linear_cross_entropy(x[0], w, c[0]) | F.linear_cross_entropy(x, w, c, weight=s.detach(), ignore_index=2)
F.linear_cross_entropy(x, w, p, ignore_index=1)
F.linear_cross_entropy(x, w, c, label_smoothing=0.1) | F.linear_cross_entropy(x, w, c, reduction='foo') | F.linear_cross_entropy(x, w[0], c)
F.linear_cross_entropy(x[None], w, c) | F.linear_cross_entropy(x, w[:, :2], c) | F.linear_cross_entropy(x[0], wide, wide_c)
F.linear_cross_entropy(x, w, c[:3])
F.linear_cross_entropy(x, w, c, linear_bias=b[:4]) | F.linear_cross_entropy(x, wide, wide_c, linear_bias=b)
F.linear_cross_entropy(x, w, t.tensor([0, 7, 1, 2]))
F.cross_entropy(x, x, ignore_index=1) | F.cross_entropy(x, c[:, None]) | F.nll_loss(x, wide_c)
"""
POLYNOMIALS = [f"{shift}chebyshev_polynomial_{kind}" for shift in ("", "shifted_") for kind in "tuvw"]
POLYNOMIALS += ["hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"]
BESSEL = ["airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0",
          "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0"]
POINTS = {"x": ([0.3, -1.0, 1.0, 2.0, -0.5, 0.0, 0.9, -2.5], "float64"), "n": ([0.0, 1.0, 2.0, 3.0, 9.0, -1.0, 20.0, 2.7], "float64"),
          "z": ([0.0, 0.5, -0.5, 1.0, 2.0, 2.25, -3.9, -4.1, 5.0, 7.9, 8.1, 20.0, -20.0, 100.0, 1e-30, -float("inf"), float("inf"), NAN], "float64"),
          "i": ([0, 1, 3], "int64"), "b": ([True, False], "bool")}
ARGUMENTS = ("x, n", "x, 12", "0.25, n.detach()", "i, i", "x[:, None], n[:3].float()", "2, 3")
SPECIAL = "\n".join(f"S.{name}({arguments})" for name in POLYNOMIALS for arguments in ARGUMENTS)
# in float32, because torch's J, Y and Ai are off by 6e-8 in float64
SPECIAL += "\n" + "\n".join(f"S.{name}(z.float()) | S.{name}(i) | S.{name}(b) | S.{name}(x.bfloat16())" for name in BESSEL)
SPECIAL += """
S.hermite_polynomial_h(x, 513) | S.hermite_polynomial_he(x.float(), 129) | S.legendre_polynomial_p(x, NAN) | S.chebyshev_polynomial_t(x, n[:2])
S.bessel_j0(x.detach(), out=t.empty(8, dtype=t.float64)) | S.laguerre_polynomial_l(x.detach(), 3, out=t.empty(8)) | S.airy_ai(x.to(t.complex64))
"""
PARTS = {"x": ([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], "float32"), "m": ([[True, False, True], [False, False, False]], "bool"),
         "i": ([[1, -2, 3], [4, 5, -6]], "int64"), "b": ([[True, False, True], [True, True, False]], "bool"), "c": ([[1 + 2j, -1j]], "complex64"),
         "k": ([True, False, True], "bool"), "empty": ([], "float32")}
REDUCING = ("x", "x, ()", "x, 0", "x, -1, keepdim=True", "x, (0, 1), mask=m", "x, 0, mask=m", "x, 1, mask=k", "x, 1, dtype=t.float64",
            "i, 1, mask=m",
            "b, 0", "c, 1", "x, 2", "x, (0, 0)", "x, 0, mask=m[:, :2]", "x, 0, mask=m[None]", "x[0, 0]", "empty, 0")
ALONG = ("x, 0", "x, 1, mask=k", "x, -1, dtype=t.float64", "i, 1, mask=m", "b, 0", "c, 1", "x, 2", "x, (0,)", "x, 1, mask=m")
MASKED = "\n".join(f"M.{name}({arguments})" for name in ("amax", "amin", "sum", "prod", "mean", "std", "var", "logsumexp") for arguments in REDUCING)
MASKED += "\n" + "\n".join(f"M.{name}({arguments})" for name in ("cumsum", "cumprod", "softmax", "log_softmax", "softmin") for arguments in ALONG)
MASKED += """
M.argmax(x, 1, mask=m) | M.argmax(x) | M.argmin(i, 1, mask=m) | M.argmin(x, 0, dtype=t.int32, keepdim=True) | M.argmax(b, 0) | M.argmin(x, 2)
M.median(x, 1, mask=k) | M.median(x, 1, keepdim=True, mask=m) | M.median(i, 0) | M.median(i, 1, mask=m) | M.median(b, 0)
M.median(x, dtype=t.float64)
M.norm(x) | M.norm(x, 1, 1, mask=k) | M.norm(x, -float('inf'), 1, mask=k) | M.norm(x, 3, (0, 1), keepdim=True) | M.norm(i, 2, 0)
M.norm(x, 0, 1, mask=k)
M.normalize(x, 2, 0) | M.normalize(x, 1, 1, mask=k) | M.normalize(x, 2, 1, eps=100.0) | M.normalize(x, 2, (0, 1)) | M.normalize(i, 2, 0)
M.logaddexp(x, x) | M.logaddexp(x, x.detach(), input_mask=m, other_mask=k) | M.logaddexp(x, x, dtype=t.float64) | M.logaddexp(i, i)
M.var(x, 0, False) | M.var(x, 1, unbiased=True, mask=k) | M.std(x, 1, correction=0, mask=k) | M.var(x, 0, True, correction=1) | M.std(i, 0)
"""
ROWS = {"x": ([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5], [0.5, 0.0], [1.25, -0.5]], "float64"), "w": ([1.0, 0.5, 2.0, -1.0, 0.25], "float64"),
          "f": ([[0.5, -1.0], [2.0, 0.25]], "float32"), "e": ([-1.0, 0.0, 0.5, 2.0], "float64"), "i": ([[1, 2], [3, 4]], "int64")}
HISTOGRAMS = """
t.histogramdd(x.detach(), [3, 2]).hist | t.histogramdd(x.detach(), 2).bin_edges[1] | t.histogramdd(x.detach(), [3, 2], density=True).hist
t.histogramdd(x.detach(), (2, 2), weight=w.detach()).hist | t.histogramdd(x.detach(), [3, 2], [-1.0, 1.0, 0.0, 2.0]).hist
t.histogramdd(x.detach(), (e.detach(), e[1:].detach()), weight=w.detach(), density=True).hist | t.histogramdd(f.detach()[None], 2).hist
t.histogramdd(x[:0].detach(), [3, 2]).bin_edges[0] | t.histogramdd(x[:, :0].detach(), []).hist | t.histogramdd(x, [3, 2]).hist.sum().backward()
t.histogramdd(x.detach(), [2, 2], range=[0.0, 0.0, 1.0, 1.0]).bin_edges[0] | t.histogramdd(x, [3, 2], range=[-1.0, 1.0, 0.0])
t.histogramdd(x, [3, 2], range=[-1.0, 1.0, 2.0, 0.0]) | t.histogramdd(x, [3, 2], range=[-1.0, 1.0, 0.0, float('inf')]) | t.histogramdd(x, [3])
t.histogramdd(x, [3, 0]) | t.histogramdd(x, 0) | t.histogramdd(x, [e]) | t.histogramdd(x, [e, e.float()]) | t.histogramdd(x, [e, x])
t.histogramdd(x, [e, e[:0]]) | t.histogramdd(i, 2) | t.histogramdd(w, 2) | t.histogramdd(x, 2, weight=w[:2]) | t.histogramdd(x, 2, weight=w.float())
t.histogramdd(x) | t.histogram(x, e)[0].sum().backward() | t.histogram(x.detach(), 3, weight=x.detach()) | t.histogram(x, e, range=(0.0, 1.0))
t.histogram(x, 2.5)
t.histogram(x, e.float()) | t.histogram(x, 3, range=(0.0,))
"""
LOW_RANK = """
t.svd_lowrank(x, 2)[1] | (lambda r: (r[0] * r[1]) @ r[2].mH)(t.svd_lowrank(x, 2)) | (lambda r: (r[0] * r[1]) @ r[2].mH)(t.svd_lowrank(x.T, q=2))
t.svd_lowrank(x, q=2, M=w[:, None])[1] | t.svd_lowrank(x, 2, M=x[0])[1] | t.svd_lowrank(x[None], 2, 3)[2].shape and t.ones(1)
(lambda r: (r[0] * r[1]) @ r[2].mT)(t.pca_lowrank(x)) | t.pca_lowrank(x.T, center=False)[1] | t.pca_lowrank(x, q=3) | t.pca_lowrank(x, niter=-1)
t.svd_lowrank(i) | t.pca_lowrank(i) | t.pca_lowrank(w)
"""
DRAWN = """
(t.manual_seed(2), t.normal(x, 2.0))[1] | (t.manual_seed(2), t.normal(1.5, w.abs()))[1] | (t.manual_seed(2), t.normal(x.T, w.abs()))[1]
(t.manual_seed(2), t.normal(x.detach(), 1.0))[1] | t.normal(x, w[:3].abs()) | t.normal(x, -1.0) | t.normal(x, -e.abs()[:2]) | t.normal(i, 1.0)
t.normal(x.detach(), x.detach() * 1j) | (t.manual_seed(2), t.multinomial(e.detach().abs(), 2, out=t.empty(2, dtype=t.int64)))[1]
t.multinomial(e.detach().abs(), 2, out=t.empty(2)) | t.multinomial(t.ones(1).expand(2 ** 24 + 1), 1)
(t.manual_seed(2), t.bernoulli(e.detach().abs() / 2, out=t.empty(4, dtype=t.float64)))[1]
"""
INTO = """
t.zeros(2, out=t.empty(2, dtype=t.int64)) | t.ones(2, out=t.empty(3)) | t.full((2,), 1.5, out=t.empty(0, dtype=t.int64))
t.eye(2, out=t.empty(0, dtype=t.int8)) | t.arange(1.0, 2, 0.3, out=t.empty(0, dtype=t.float64)) | t.arange(1.0, 2, 0.3, out=t.empty(0, dtype=t.int64))
t.arange(5, out=t.empty(0, dtype=t.bool)) | t.arange(5, dtype=t.float32, out=t.empty(0, dtype=t.float64))
t.linspace(0, 3, 4, out=t.empty(0, dtype=t.int64))
t.logspace(0, 1, 2, out=t.empty(2, dtype=t.int64)) | t.zeros(2, dtype=t.float32, out=t.empty(2, dtype=t.int64)) | t.range(0, 2, out=t.empty(3))
(t.manual_seed(2), t.rand(3, out=t.empty(0, dtype=t.float64)))[1] | (t.manual_seed(2), t.randint(0, 9, (3,), out=t.empty(3)))[1]
t.logspace(x, e, 3) | t.linspace(0, e, 3) | t.logspace(0, 1, 3.5) | t.narrow_copy(e[0], 0, 0, 1) | t.Tensor.__rdiv__(2, x)
t.Tensor.__rtruediv__(x, 2)
"""
LAYERS = {"x": (_wave(2, 4, 3), "float64"), "w": (_wave(4), "float64"), "v": (_wave(3), "float64"), "f": (_wave(3, 2), "float32")}
NATIVE_NORMS = """
t.native_layer_norm(x, (3,), v, None, 1e-5) | t.native_layer_norm(x, (4, 3), None, x[0] * 2, 1e-5)
t.native_layer_norm(f.detach().bfloat16(), (2,), None, None, 0.1)
t.native_layer_norm(f.detach().bfloat16(), (2,), f[0].detach(), f[1].detach(), 0.1) | t.native_layer_norm(x[:0], (3,), v, v, 1e-5)
t.native_layer_norm(x, (2,), None, None, 1e-5)
t.native_group_norm(x, w, None, 2, 4, 3, 2, 1e-5) | t.native_group_norm(x, w, w, 2, 4, 3, 4, 1e-5)[0]
t.native_group_norm(x, None, None, 2, 4, 5, 2, 1e-5)
t.native_group_norm(x, None, None, 2, 4, 3, 3, 1e-5) | t.native_group_norm(x, v, None, 2, 4, 3, 2, 1e-5)
t.native_group_norm(x[:0], w, w, 0, 4, 3, 2, 1e-5)
t.native_batch_norm(x, w, None, None, None, True, 0.1, 1e-5)
t.native_batch_norm(x, None, w, t.zeros(4).double(), t.ones(4).double(), True, 0.1, 1e-5)
t.native_batch_norm(x, w, w, t.zeros(4).double(), t.ones(4).double(), False, 0.1, 1e-5)
t.native_batch_norm(f[:1], None, None, None, None, True, 0.1, 1e-5)
t.native_batch_norm(f.detach().bfloat16(), f[0].detach(), f[1].detach(), None, None, True, 0.1, 1e-5)
t.native_batch_norm(x.long(), None, None, None, None, True, 0.1, 1e-5)
"""
HALVES = {"x": ([1.5, -0.1, 3.0], "float32"), "c": ([1 + 2j, -0.1j, 0.3 - 1j], "complex64"), "h": ([0.5, 2.0, -1.25], "float16")}
HALF_COMPLEX = """
c.chalf() | x.chalf() | h.to(t.complex32) | (c * 2).chalf().to(t.complex64) | c.chalf() + c.detach().chalf() | c.chalf() * 2 | 3 - c.chalf()
h * 2j | c.chalf() * h | c.chalf() + x | -c.chalf() | c.detach().chalf().abs() | c.chalf().real | c.chalf().imag * 1 | c.chalf().conj() * 1
t.view_as_real(c.chalf())
t.view_as_complex(h[:2]) | c.chalf() == c.chalf() | t.cat([c.chalf(), c.chalf()]) | t.stack([c.chalf(), c.chalf()]).T[1] | c.chalf()[1:]
c.chalf().clone()
t.tensor([1j, 0.1], dtype=t.complex32) | t.zeros(2, dtype=t.complex32) | t.full((2,), 0.1 + 1j, dtype=t.complex32) | t.complex(h, h)
c.detach().chalf().fill_(0.3j)
c.chalf() / 2 | c.chalf().isfinite() | c.detach().chalf().sgn() | c.detach().chalf().real.mul_(2)
c.detach().chalf().numpy()
c.chalf().roll(1) | t.where(x > 0, c.chalf(), c.chalf() * 2) | c.chalf()[[2, 0]] | c.chalf().float() | t.tensor(c.chalf().element_size())
"""
SYMMETRIC = {"a": ([[4.0, 1.0, 2.0], [1.0, -3.0, 0.5], [2.0, 0.5, 0.1]], "float64 constant"),
             "z": ([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]], "float64 constant"), "wave": (_wave(2, 5, 5), "float64 constant"),
             "h": ([[1 + 0j, 1 - 2j, 0.5j], [1 + 2j, -3 + 0j, 1 + 1j], [-0.5j, 1 - 1j, 0.25 + 0j]], "complex128 constant"),
             "b": (_wave(3, 2), "float64 constant"), "cb": ([[1 + 1j], [2j], [0.5 + 0j]], "complex128 constant")}
LDL = """
L.ldl_factor(a) | L.ldl_factor(z) | L.ldl_factor_ex(z * 0) | L.ldl_factor(wave) | L.ldl_factor(h) | L.ldl_factor(h, hermitian=True)
L.ldl_factor(a.long()) | L.ldl_factor(a[:2]) | L.ldl_factor(a[0]) | L.ldl_factor(a.bfloat16())
L.ldl_factor(a[:0, :0]) | L.ldl_factor(a.clone().requires_grad_()).LD.sum().backward()
L.ldl_solve(*L.ldl_factor(a), b) | L.ldl_solve(*L.ldl_factor(z), b) | wave @ L.ldl_solve(*L.ldl_factor(wave), wave[0])
L.ldl_solve(*L.ldl_factor(h, hermitian=True), cb, hermitian=True) | L.ldl_solve(*L.ldl_factor(h), cb)
L.ldl_solve(*L.ldl_factor(a), b[:2]) | L.ldl_solve(*L.ldl_factor(a), b.float()) | L.ldl_solve(a, a[0].int(), b[:, 0]) | L.ldl_solve(a, a[0], b)
L.ldl_solve(a, a[0, :2].int(), b) | L.ldl_solve(a[:2], a[0].int(), b) | L.ldl_solve(a.long(), a[0].int(), b.long())
t.signal.windows.hann(3, layout=t.sparse_coo) | t.signal.windows.kaiser(3, layout=t.sparse_csr) | t.ones(2, layout=t.strided)
"""
ORDERS = {"a": ([0.0, 0.0, 1.0, 2e4, 2e4, 5e6, 1e20, 1e20, 3.0, -1.0, 1e12, 0.5], "float64"),
          "x": ([0.0, 0.5, 0.0, 1.99e4, 2.02e4, 5.001e6, 1e20, 1e3, 1e20, 1.0, 1.000001e12, 2.0], "float64")}
GAMMA = "t.igamma(a.detach(), x.detach()) | t.igammac(a.detach(), x.detach())"
SECTIONS: dict[str, tuple[dict, str]] = {"grids": (IMAGES, GRIDS), "fractional pooling": (POOLS, FRACTIONAL), "linear loss": (LINEAR, LINEAR_LOSS),
                                        "special": (POINTS, SPECIAL.replace("S.", "t.special.")),
                                        "masked": (PARTS, MASKED.replace("M.", "t.masked.")),
                                        "histograms": (ROWS, HISTOGRAMS), "low rank": (ROWS, LOW_RANK), "drawn": (ROWS, DRAWN),
                                        "out= of factories": (ROWS, INTO), "native norms": (LAYERS, NATIVE_NORMS),
                                        "half complex": (HALVES, HALF_COMPLEX),
                                        "symmetric": (SYMMETRIC, LDL.replace("L.", "t.linalg."))}


def _cases(rows: str) -> list[str]:
    return [case.strip() for line in rows.splitlines() for case in line.split(" | ") if case.strip()]


CASES: list[tuple[str, str]] = list(dict.fromkeys((section, case) for section, (_, rows) in SECTIONS.items() for case in _cases(rows)))


def leaves(t, section: str) -> dict:
    """A section's operands as tensors of module `t`; leaves that require grad where they can."""
    made = {}
    for name, (data, dtype) in SECTIONS[section][0].items():
        made[name] = t.tensor(data, dtype=getattr(t, dtype.partition(" ")[0]))
        if ("float" in dtype or "complex" in dtype) and "constant" not in dtype:
            made[name].requires_grad_()
    return made


def call(t, section: str, expression: str):
    """The expression's value on module `t`."""
    return eval(expression, {"t": t, "F": t.nn.functional, "NAN": NAN}, leaves(t, section))


def run(t, section: str, expression: str) -> dict:
    """What the expression gives on module `t`, as plain data."""
    return reduction_cases.run(t, expression, lambda t: leaves(t, section), F=t.nn.functional, NAN=NAN)
