"""nn.functional.interpolate: nearest, linear and cubic resizing, one dimension after another, with and without anti-aliasing.

A resizing is a linear map of each dimension: forward gathers its few taps, backward multiplies by its matrix. "area" is adaptive pooling.
"""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .layout import suggested
from .nn_common import FLOATING, computed, not_implemented, product, sized
from .variants import FUNCTIONS, public

MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"
_RANK = {"linear": 3, "bilinear": 4, "trilinear": 5}
_LINEAR = ("linear", "bilinear", "trilinear")


# ---------------------------------------------------------------- taps of one dimension
def _scale(old: int, new: int, factor, align: bool, kind=float):
    """How far the source position moves for a step of one in the result."""
    if align:
        return kind(old - 1) / kind(new - 1) if new > 1 else kind(0)
    return kind(1.0 / factor) if factor else kind(old) / kind(new)


def cubic(t, a: float) -> list:
    """The weights of the four points around a position `t` past the second (Keys, 1981)."""
    near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1
    far = lambda d: ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


@functools.lru_cache(512)
def taps(mode: str, old: int, new: int, factor, align: bool) -> tuple:
    """(positions (K, new), weights (K, new) in float64, or None for a plain selection): result i is the sum over k of w[k, i] x[p[k, i]]."""
    if mode.startswith("nearest"):
        # torch works these positions out in float32.
        step, shift = _scale(old, new, factor, False, np.float32), np.float32(0.5 if mode == "nearest-exact" else 0)
        at = np.floor((np.arange(new, dtype=np.float32) + shift) * step).astype(np.int64)
        return np.minimum(at, old - 1)[None], None
    step = _scale(old, new, factor, align)
    at = step * np.arange(new) if align else step * (np.arange(new) + 0.5) - 0.5
    if mode == "bicubic":
        low = np.floor(at).astype(np.int64)
        return np.stack([np.clip(low + k, 0, old - 1) for k in (-1, 0, 1, 2)]), np.stack(cubic(at - low, -0.75))
    at = np.maximum(at, 0)
    low = np.minimum(at.astype(np.int64), old - 1)
    part = np.clip(at - low, 0, 1)
    return np.stack([low, np.minimum(low + 1, old - 1)]), np.stack([1 - part, part])


def _filter(mode: str, x):
    """The anti-aliasing kernel: a triangle, Keys' cubic with a = -0.5, or Lanczos' windowed sinc."""
    x = np.abs(x)
    if mode == "bilinear":
        return np.where(x < 1, 1 - x, 0.0)
    if mode == "bicubic":
        return np.where(x < 1, cubic(x, -0.5)[1], np.where(x < 2, cubic(x - 1, -0.5)[0], 0.0))
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


@functools.lru_cache(512)
def smooth_matrix(mode: str, old: int, new: int, factor, align: bool) -> np.ndarray:
    """The (new, old) matrix of an anti-aliased resizing: a kernel as wide as a source pixel or a result pixel, whichever is larger."""
    step = _scale(old, new, factor, align)
    wide = max(step, 1.0)
    reach = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}[mode] * wide
    centre = step * (np.arange(new) + 0.5)
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + reach + 0.5).astype(np.int64), old)
    position = np.arange(old)[None]
    weights = _filter(mode, (position - centre[:, None] + 0.5) / wide)
    weights = np.where((position >= first[:, None]) & (position < last[:, None]), weights, 0.0)
    total = weights.sum(1, keepdims=True)
    return weights / np.where(total == 0, 1.0, total)


@functools.lru_cache(512)
def _matrix(mode: str, old: int, new: int, factor, align: bool) -> np.ndarray:
    """The same map as `taps`, as a matrix (new, old)."""
    at, weights = taps(mode, old, new, factor, align)
    made = np.zeros((new, old))
    for k in range(len(at)):
        np.add.at(made, (np.arange(new), at[k]), 1.0 if weights is None else weights[k])
    return made


# ---------------------------------------------------------------- the op
def _along(xp, x, axis: int, matrix: np.ndarray):
    """`matrix` applied along one dimension."""
    moved = xp.moveaxis(x, axis, -1)
    return xp.moveaxis(product(xp, moved, xp.asarray(matrix.T, dtype=x.dtype)), -1, axis)


def _body(xp, x, *, mode, sizes, factors, align, smooth):
    rounded = x.dtype == np.uint8 and not mode.startswith("nearest")
    if rounded:
        x = x.astype(np.float32)
    for i, (new, factor) in enumerate(zip(sizes, factors)):
        axis = i + 2
        old = x.shape[axis]
        if smooth:
            x = _along(xp, x, axis, smooth_matrix(mode, old, new, factor, align))
            continue
        at, weights = taps(mode, old, new, factor, align)
        if weights is None:
            x = xp.take(x, at[0], axis=axis)
            continue
        shape = (-1,) + (1,) * (x.ndim - axis - 1)
        w = weights.astype(x.dtype)
        x = sum(xp.take(x, at[k], axis=axis) * w[k].reshape(shape) for k in range(len(at)))
    return xp.clip(xp.rint(x), 0, 255) if rounded else x


def _rule(xp, g, out, x, *, mode, sizes, factors, align, smooth):
    for i, (new, factor) in enumerate(zip(sizes, factors)):
        matrix = (smooth_matrix if smooth else _matrix)(mode, x.shape[i + 2], new, factor, align)
        g = _along(xp, g, i + 2, matrix.T)
    return g


def _infer(x, *, mode, sizes, factors, align, smooth):
    nearest = mode.startswith("nearest")
    if x.dtype.category != FLOATING and x.dtype is not dt.uint8:
        channels_last = "compute_indices_weights_nearest" if nearest and x.ndim == 3 else f"upsample_{_KIND[mode]}{x.ndim - 2}d_channels_last"
        raise not_implemented(channels_last, x.dtype)
    names = "DHW"[3 - len(sizes) :]
    if min(x.shape[2:]) <= 0 or min(sizes) <= 0:
        have, want = (", ".join(f"{n}: {s}" for n, s in zip(names, shape)) for shape in (x.shape[2:], sizes))
        raise RuntimeError(f"Input and output sizes should be greater than 0, but got input ({have}) output ({want})")
    if x.shape[1] == 0:
        raise RuntimeError(f"Non-empty {x.ndim}D data tensor expected but got a tensor with sizes {list(x.shape)}")
    return sized((*x.shape[:2], *sizes), x)


_KIND = {"nearest": "nearest", "nearest-exact": "nearest_exact", **dict.fromkeys(_LINEAR, ""), "bicubic": "bicubic", "lanczos": "lanczos"}
_KIND |= {"linear": "linear", "bilinear": "bilinear", "trilinear": "trilinear"}
_OPS: dict = {}


def _op(grad: str) -> Op:
    return Op(f"interpolate: {grad}", _body, computed(_infer), grad=grad, vjp=(_rule,), layout=suggested(0))


for _n in (1, 2, 3):
    for _mode in ("nearest", "nearest-exact"):
        _OPS[_mode, _n + 2, False] = _op(f"Upsample{_KIND[_mode].title().replace('_', '')}{_n}DBackward0")
for _mode, _rank in (("linear", 3), ("bilinear", 4), ("trilinear", 5), ("bicubic", 4)):
    _OPS[_mode, _rank, False] = _op(f"Upsample{_mode.title()}{_rank - 2}DBackward0")
for _mode in ("bilinear", "bicubic", "lanczos"):
    _OPS[_mode, 4, True] = _op(f"Upsample{_mode.title()}2DAaBackward0")


# ---------------------------------------------------------------- the front
def _each(value, count: int, what: str, spatial: list, letter: str) -> list:
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        form = f"output size of {value}" if what == "size" else f"scale_factor of shape {value}"
        name = "output size" if what == "size" else "scale_factor"
        head = "Input and output" if what == "size" else "Input and scale_factor"
        raise ValueError(
            f"{head} must have the same number of spatial dimensions, but got input with spatial dimensions of {spatial} and {form}. "
            f"Please provide input tensor in (N, C, d1, d2, ...,dK) format and {name} in ({letter}1, {letter}2, ...,{letter}K) format."
        )
    return list(value)


def _targets(spatial: list, size, scale_factor, recompute) -> tuple:
    """(sizes of the result, scale factors the positions follow or None each)."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        sizes = _each(size, len(spatial), "size", spatial, "o")
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return tuple([int(s) if not isinstance(s, float) else _refuse_float(s) for s in sizes]), (None,) * len(sizes)
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = [float(f) for f in _each(scale_factor, len(spatial), "scale", spatial, "s")]
    sizes = tuple([math.floor(n * f) for n, f in zip(spatial, factors)])
    return sizes, (None,) * len(sizes) if recompute else tuple(factors)


def _refuse_float(size: float):
    raise TypeError(f"interpolate(): argument 'size' must be ints, but found element of type float: {size}")


@public("nn.functional.interpolate", method=False)
def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    """`input` (N, C, *) resized to `size`, or by `scale_factor`. Modes: nearest, nearest-exact, area, linear (3-D), bilinear and bicubic (4-D),
    trilinear (5-D); `antialias` for bilinear, bicubic, lanczos. Raises ValueError, NotImplementedError or RuntimeError as torch does."""
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear")
    rank = input._spec.ndim
    align = bool(align_corners)
    spatial = list(input._spec.shape[2:])
    sizes, factors = _targets(spatial, size, scale_factor, recompute_scale_factor)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and rank == 4):
        raise ValueError("Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input")
    if mode == "area" and 3 <= rank <= 5:
        return FUNCTIONS[f"nn.functional.adaptive_avg_pool{rank - 2}d"](input, sizes)
    op = _OPS.get((mode, rank, bool(antialias)))
    if op is None:
        if mode in _RANK and 3 <= rank <= 5:
            raise NotImplementedError(f"Got {rank}D input, but {mode} mode needs {_RANK[mode]}D input")
        raise NotImplementedError(f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {rank}D) for the modes: {MODES} (got {mode})")
    static = (("mode", mode), ("sizes", sizes), ("factors", factors), ("align", align), ("smooth", bool(antialias)))
    return call(op, (input,), static)


@public("nn.functional.upsample", method=False)
def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """Deprecated in torch: `interpolate`."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


@public("nn.functional.upsample_nearest", method=False)
def upsample_nearest(input, size=None, scale_factor=None):
    """Deprecated in torch: `interpolate` by the nearest pixel."""
    warnings.warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


@public("nn.functional.upsample_bilinear", method=False)
def upsample_bilinear(input, size=None, scale_factor=None):
    """Deprecated in torch: bilinear `interpolate` with aligned corners."""
    warnings.warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


__all__ = ["cubic", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]
