"""Sampling at the points of a grid: nn.functional.grid_sample for images and volumes, and affine_grid, which makes such grids.

A grid's last dimension holds x, y(, z): the last spatial dimension of the input comes first. Rules of padding move positions first;
what lies outside after that does not exist and counts 0.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import warnings

import numpy as np

from .._core.op import Op
from .._core.record import call
from .interpolation import cubic
from .nn_common import FLOATING, HALVES, TensorBase, computed, not_implemented, product, sized
from .pooling import spread_to
from .variants import public

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")
CUBIC = -0.75  # the free parameter of Keys' cubic, as in interpolation


# ---------------------------------------------------------------- positions
def _unnormalized(at, size: int, align: bool):
    """A position in pixels of one in [-1, 1]: the ends are the outer pixels' centres if `align`, else their outer edges."""
    return (at + 1) / 2 * (size - 1) if align else ((at + 1) * size - 1) / 2


def _clipped(xp, at, size: int) -> tuple:
    """(position on the border where it was outside or NaN, whether it was inside): what is moved has no gradient."""
    inside = (at > 0) & (at < size - 1)
    return xp.where(inside, at, xp.where(at >= size - 1, xp.full_like(at, size - 1), xp.zeros_like(at))), inside.astype(at.dtype)


def _reflected(xp, at, size: int, align: bool) -> tuple:
    """(position folded back at the outer pixels' centres if `align`, else at their outer edges; its derivative, 1 or -1)."""
    low, span = (0.0, size - 1) if align else (-0.5, size)
    if span == 0:
        return xp.zeros_like(at), xp.zeros_like(at)
    below = at < low
    away = xp.where(below, low - at, at - low)
    rest = xp.fmod(away, span)
    even = xp.floor(away / span) % 2 == 0
    return low + xp.where(even, rest, span - rest), xp.where(even != below, xp.ones_like(at), -xp.ones_like(at))


def _placed(xp, at, size: int, padding: str, align: bool) -> tuple:
    """(position by the rule of padding, its derivative)."""
    if padding == "zeros":
        return at, xp.ones_like(at)
    if padding == "border":
        return _clipped(xp, at, size)
    at, sign = _reflected(xp, at, size, align)
    at, inside = _clipped(xp, at, size)
    return at, sign * inside


def _cubic_slopes(t) -> list:
    """The derivatives of `cubic`."""
    near = lambda d: (3 * (CUBIC + 2) * d - 2 * (CUBIC + 3)) * d
    far = lambda d: (3 * CUBIC * d - 10 * CUBIC) * d + 8 * CUBIC
    return [far(t + 1), near(t), -near(1 - t), -far(2 - t)]


def _neighbours(xp, at, size: int, mode: str, padding: str, align: bool) -> list:
    """(whole position, weight, derivative of the weight) of the pixels along one dimension that a position mixes."""
    if mode == "bicubic":
        low = xp.floor(at)
        rows = zip((-1, 0, 1, 2), cubic(at - low, CUBIC), _cubic_slopes(at - low))
        return [(_placed(xp, low + k, size, padding, align)[0], w, d) for k, w, d in rows]
    at, slope = _placed(xp, at, size, padding, align)
    if mode == "nearest":
        return [(xp.rint(at), xp.ones_like(at), xp.zeros_like(at))]
    low = xp.floor(at)
    return [(low, low + 1 - at, -slope), (low + 1, at - low, slope)]


def _corners(xp, spatial: tuple, grid, mode: str, padding: str, align: bool):
    """For each pixel that a point mixes: its flat position (N, points), whether it exists, and (weight, slope) for each dimension."""
    rank = len(spatial)
    points = grid.reshape((grid.shape[0], math.prod(grid.shape[1:-1]), rank))
    axes = [_neighbours(xp, _unnormalized(points[..., rank - 1 - i], n, align), n, mode, padding, align) for i, n in enumerate(spatial)]
    for corner in itertools.product(*axes):
        exists, flat = True, 0
        for (at, _, _), n in zip(corner, spatial):
            exists = exists & (at >= 0) & (at <= n - 1)
            flat = flat * n + xp.where((at >= 0) & (at <= n - 1), at, xp.zeros_like(at)).astype(np.int64)
        yield flat, exists, [(w, d) for _, w, d in corner]


def _weight(corner: list, but: int | None = None):
    """The product of a corner's weights; the slope instead of the weight in dimension `but`."""
    return functools.reduce(operator.mul, [d if i == but else w for i, (w, d) in enumerate(corner)])


# ---------------------------------------------------------------- grid_sample
def _pixels(xp, x):
    """(pick(flat positions, whether they exist) -> values (N, C, points), 0 where there is no pixel)."""
    flat = x.reshape((*x.shape[:2], math.prod(x.shape[2:])))

    def pick(at, exists):
        return xp.where(exists[:, None], xp.take_along_axis(flat, at[:, None], 2), xp.zeros((), x.dtype))
    return pick


def _sample(xp, x, grid, *, mode, padding, align):
    pick, total = _pixels(xp, x), 0
    for at, exists, corner in _corners(xp, tuple(x.shape[2:]), grid, mode, padding, align):
        value = pick(at, exists)
        total = total + (value if mode == "nearest" else value * _weight(corner)[:, None])
    return total.reshape((*x.shape[:2], *grid.shape[1:-1]))


def _input_rule(xp, g, out, x, grid, *, mode, padding, align):
    g = g.reshape((*x.shape[:2], math.prod(grid.shape[1:-1])))
    places, shares = [], []
    for at, exists, corner in _corners(xp, tuple(x.shape[2:]), grid, mode, padding, align):
        share = g if mode == "nearest" else g * _weight(corner)[:, None]
        shares.append(xp.where(exists[:, None], share, xp.zeros((), g.dtype)))
        places.append(xp.broadcast_to(at[:, None], g.shape))
    return spread_to(xp, xp.concatenate(shares, -1), xp.concatenate(places, -1), x.shape, x.ndim - 2)


def _grid_rule(xp, g, out, x, grid, *, mode, padding, align):
    if mode == "nearest":
        return xp.zeros_like(grid)
    spatial, pick = tuple(x.shape[2:]), _pixels(xp, x)
    g = g.reshape((*x.shape[:2], math.prod(grid.shape[1:-1])))
    totals = [0] * len(spatial)
    for at, exists, corner in _corners(xp, spatial, grid, mode, padding, align):
        change = (g * pick(at, exists)).sum(1)
        totals = [total + change * _weight(corner, i) for i, total in enumerate(totals)]
    steps = [(n - 1) / 2 if align else n / 2 for n in spatial]
    return xp.stack([total * step for total, step in zip(totals, steps)][::-1], -1).reshape(grid.shape)


def _check_grid(x, grid, rank: int) -> None:
    if not x.ndim or not grid.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    have, want = f"input with sizes {list(x.shape)}", f"grid with sizes {list(grid.shape)}"
    if x.shape[:1] != grid.shape[:1]:
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, but got {have} and {want}")
    if grid.shape[-1] != x.ndim - 2:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got {want}")
    for i, n in enumerate(x.shape[2:], 2):
        if n == 0:
            raise RuntimeError(f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)} "
                               f"with dimension {i} being empty")
    if x.ndim != rank + 2 or x.ndim != grid.ndim:
        raise RuntimeError(f"grid_sampler(): expected {rank + 2}D input and grid with same number of dimensions, but got {have} and {want}")


def _infer(x, grid, *, mode, padding, align):
    if x.dtype is not grid.dtype:
        raise RuntimeError(f"expected scalar type {x.dtype.legacy} but found {grid.dtype.legacy}")
    if x.dtype.category != FLOATING:
        raise not_implemented("grid_sampler_2d_cpu_kernel_impl" if x.ndim == 4 else "grid_sampler3d_cpu", x.dtype)
    return sized((*x.shape[:2], *grid.shape[1:-1]), x)


_SAMPLERS = {rank: Op(f"grid_sampler_{rank}d", _sample, computed(_infer), grad=f"GridSampler{rank}DBackward0", saves=(0, 1),
                      vjp=(_input_rule, _grid_rule)) for rank in (2, 3)}


def _sampled(input, grid, mode: str, padding: str, align: bool, rank: int | None = None):
    x = input._spec
    rank = rank or (2 if x.ndim == 4 else 3)
    _check_grid(x, grid._spec, rank)
    if rank == 3 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    return call(_SAMPLERS[rank], (input, grid), (("mode", mode), ("padding", padding), ("align", bool(align))))


def _warn_of_default() -> bool:
    warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
                  "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.", stacklevel=4)
    return False


@public("nn.functional.grid_sample", method=False)
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """`input` (N, C, H, W) or (N, C, D, H, W) at the positions `grid` (N, *out, 2 or 3), which are in [-1, 1] from edge to edge: (N, C, *out).

    Modes: "bilinear", "nearest", "bicubic" (4-D only); padding "zeros", "border", "reflection". Raises ValueError for others,
    RuntimeError for shapes and dtypes that do not fit.
    """
    if mode not in MODES:
        raise ValueError(f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'")
    if padding_mode not in PADDINGS:
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
                         f"'{padding_mode}'")
    return _sampled(input, grid, mode, padding_mode, _warn_of_default() if align_corners is None else align_corners)


def _numbered(name: str, rank: int | None, what: str) -> None:
    """A form that torch's own code calls, with modes as numbers."""
    def sampler(input, grid, interpolation_mode, padding_mode, align_corners):
        return _sampled(input, grid, MODES[interpolation_mode], PADDINGS[padding_mode], align_corners, rank)
    sampler.__doc__ = f"nn.functional.grid_sample of {what}, with its modes as their numbers in torch.nn.functional's lists."
    public(name, method=False)(sampler)


_numbered("grid_sampler", None, "images or volumes")
_numbered("grid_sampler_2d", 2, "images")
_numbered("grid_sampler_3d", 3, "volumes")


# ---------------------------------------------------------------- affine_grid
def _base(spatial: tuple, align: bool) -> np.ndarray:
    """The homogeneous positions (points, rank + 1) of a grid in float64: x, y(, z), 1."""
    lines = []
    for n in reversed(spatial):
        line = np.linspace(-1, 1, n) if n > 1 else np.zeros(n)
        lines.append(line if align else line * (n - 1) / n)
    planes = np.meshgrid(*lines[::-1], indexing="ij")[::-1]
    return np.stack([*planes, np.ones_like(planes[0])], -1).reshape(-1, len(spatial) + 1)


def _affine(xp, theta, *, size, align):
    base = _base(size[2:], align).astype(theta.dtype)
    return product(xp, base[None], xp.swapaxes(theta, 1, 2)).reshape((theta.shape[0], *size[2:], theta.shape[1]))


def _theta_rule(xp, g, out, theta, *, size, align):
    base = _base(size[2:], align).astype(theta.dtype)
    return product(xp, xp.swapaxes(g.reshape((theta.shape[0], -1, theta.shape[1])), 1, 2), base[None])


def _affine_infer(theta, *, size, align):
    rank = len(size) - 2
    if rank not in (2, 3):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    if theta.dtype in HALVES and min(size[2:]) == 1:
        raise not_implemented("tensor_cpu", theta.dtype)
    if theta.shape[0] != size[0]:
        raise RuntimeError(f"Expected size for first two dimensions of batch2 tensor to be: [{size[0]}, {rank + 1}] but got: "
                           f"[{theta.shape[0]}, {rank + 1}].")
    return sized((size[0], *size[2:], rank), theta)


_affine_op = Op("affine_grid_generator", _affine, computed(_affine_infer), grad="AffineGridGeneratorBackward0", vjp=(_theta_rule,))


@public("affine_grid_generator", method=False)
def affine_grid_generator(theta, size, align_corners):
    """nn.functional.affine_grid without its checks and warnings."""
    return call(_affine_op, (theta,), (("size", tuple([int(n) for n in size])), ("align", bool(align_corners))))


@public("nn.functional.affine_grid", method=False)
def affine_grid(theta, size, align_corners=None):
    """The grid (N, *out, 2 or 3) for `grid_sample` that applies the affine maps `theta` (N, 2, 3) or (N, 3, 4) to an output (N, C, *out).

    Raises ValueError for shapes and dtypes that do not fit, NotImplementedError for a `size` of other length than 4 or 5.
    """
    align = _warn_of_default() if align_corners is None else align_corners
    if not (isinstance(theta, TensorBase) and theta._spec.dtype.category == FLOATING):
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple(size)
    if len(size) not in (4, 5):
        raise NotImplementedError(f"affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size {size}.")
    rank = len(size) - 2
    if theta._spec.ndim != 3 or tuple(theta._spec.shape[1:]) != (rank, rank + 1):
        raise ValueError(f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {size}. Got {theta.shape}.")
    if align and min(size[2:]) == 1:
        warnings.warn("Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is not an intended "
                      "use case of affine_grid. See the documentation of affine_grid for details.", stacklevel=3)
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return affine_grid_generator(theta, size, align)


__all__ = ["affine_grid", "affine_grid_generator", "grid_sample"]
