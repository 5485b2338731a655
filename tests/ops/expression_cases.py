"""Calls of the operations that no older table holds, by section: one table, one record, one test. Imports neither package.

A section has operands, as name -> (nested list, dtype), and expressions, separated by "|" or on lines of their own; they see `t` (the package),
`F` (its nn.functional) and the section's operands, leaves that require grad where they can. Comparing is that of reduction_cases.
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
SECTIONS: dict[str, tuple[dict, str]] = {"grids": (IMAGES, GRIDS), "fractional pooling": (POOLS, FRACTIONAL), "linear loss": (LINEAR, LINEAR_LOSS),
                                        "special": (POINTS, SPECIAL.replace("S.", "t.special.")),
                                        "masked": (PARTS, MASKED.replace("M.", "t.masked."))}


def _cases(rows: str) -> list[str]:
    return [case.strip() for line in rows.splitlines() for case in line.split(" | ") if case.strip()]


CASES: list[tuple[str, str]] = list(dict.fromkeys((section, case) for section, (_, rows) in SECTIONS.items() for case in _cases(rows)))


def leaves(t, section: str) -> dict:
    """A section's operands as tensors of module `t`; leaves that require grad where they can."""
    made = {}
    for name, (data, dtype) in SECTIONS[section][0].items():
        made[name] = t.tensor(data, dtype=getattr(t, dtype))
        if "float" in dtype or "complex" in dtype:
            made[name].requires_grad_()
    return made


def call(t, section: str, expression: str):
    """The expression's value on module `t`."""
    return eval(expression, {"t": t, "F": t.nn.functional, "NAN": NAN}, leaves(t, section))


def run(t, section: str, expression: str) -> dict:
    """What the expression gives on module `t`, as plain data."""
    return reduction_cases.run(t, expression, lambda t: leaves(t, section), F=t.nn.functional, NAN=NAN)
