"""Pooling: max (with indices), average, their adaptive forms, power-average, and unpooling.

Windows are separable: a 2-d maximum or sum is taken along one dimension after the other, as slices for regular windows and as gathers by a
constant table where windows are irregular. The order of comparison makes ties and NaN fall where torch's loop over a window puts them.
"""

from __future__ import annotations

import functools
import math
from itertools import product as grid

import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .._core.tape import state
from .layout import suggested
from .nn_common import FLOATING, computed, not_implemented, ntuple, sized
from .pooling_geometry import adaptive_sizes, pool_arguments, pooled_sizes
from .shared import shape_text
from .variants import METHODS, public


def node_name(pattern: str, rank: int) -> str:
    """torch's node: 1-d pooling is 2-d pooling with a dimension squeezed out again, see `recorded`."""
    return "SqueezeBackward1" if rank == 1 else pattern.format(rank)


def recorded(ops: dict, input, key: str, windows: tuple, unit: tuple, rest: tuple = ()):
    """Record pooling over `windows`, one a dimension, which is the static parameter `key`. 1-d pooling is, as in torch, 2-d pooling of a view
    with one more dimension, whose window is `unit`, and a view of the result."""
    if len(windows) > 1:
        return call(ops[len(windows)], (input,), ((key, windows), *rest))
    made = call(ops[2], (METHODS["unsqueeze"](input, -2),), ((key, (unit, *windows)), *rest))
    return tuple([METHODS["squeeze"](t, -2) for t in made]) if made.__class__ is tuple else METHODS["squeeze"](made, -2)


UNIT = (1, 1, 1, 1, 0, 1)  # the window of a dimension that is not pooled: size, count, kernel, stride, padding, dilation


# ---------------------------------------------------------------- windows
@functools.lru_cache(maxsize=1024)
def regular_table(size: int, out: int, kernel: int, stride: int, padding: int, dilation: int) -> tuple:
    """For each kernel offset the input positions of all outputs, as tuples; positions in the padding are moved to the window's nearest real one."""
    rows = []
    for k in range(kernel):
        row = []
        for o in range(out):
            start = o * stride - padding
            first = start if start >= 0 else start + -(start // dilation) * dilation
            last = start + (kernel - 1) * dilation
            last = last if last < size else last - -(-(last - size + 1) // dilation) * dilation
            row.append(min(max(start + k * dilation, first), max(last, first)))
        rows.append(tuple(row))
    return tuple(rows)


@functools.lru_cache(maxsize=1024)
def adaptive_table(size: int, out: int) -> tuple:
    """The same for adaptive windows, from floor(o * size / out) to ceil((o + 1) * size / out); shorter windows repeat their last position."""
    spans = [(o * size // out, -(-(o + 1) * size // out)) for o in range(out)]
    longest = max((b - a for a, b in spans), default=1)
    return tuple(tuple(min(a + k, b - 1) for a, b in spans) for k in range(longest))


def window_table(window: tuple) -> tuple:
    """The table of a dimension's windows: (size, count) of adaptive ones, with (kernel, stride, padding, dilation) behind of regular ones."""
    return adaptive_table(*window) if len(window) == 2 else regular_table(*window)


def _pick(xp, x, row: tuple, axis: int):
    """The positions `row` of one dimension: a slice where they are evenly spaced."""
    step = row[1] - row[0] if len(row) > 1 else 1
    if step > 0 and all(b - a == step for a, b in zip(row, row[1:])):
        return x[(slice(None),) * axis + (slice(row[0], row[-1] + 1, step),)]
    return xp.take(x, np.array(row, np.int64), axis=axis)


def _max_along(xp, x, where, axis: int, table: tuple, later: int):
    """(maximum, linear index within the spatial dimensions) along one dimension; `later` is the number of positions in the dimensions after it."""
    best = index = None
    for row in table:
        value = _pick(xp, x, row, axis)
        at = np.array(row, np.int64).reshape((-1,) + (1,) * (x.ndim - axis - 1)) * later
        at = at + _pick(xp, where, row, axis) if where is not None else xp.broadcast_to(at, value.shape)
        if best is None:
            best, index = value, at
        else:
            better = value > best
            if x.dtype.kind not in "iub":
                better = better | (value != value)
            best, index = xp.where(better, value, best), xp.where(better, at, index)
    return best, index


def _max_body(xp, x, *, windows, apart):
    rank, where, best = len(windows), None, x
    later = 1
    for i in range(rank - 1, -1, -1):
        axis = x.ndim - rank + i
        best, where = _max_along(xp, best, where, axis, window_table(windows[i]), later)
        later *= x.shape[axis]
    return best, where


def _max_rule(xp, g, out, x, *, windows, apart):
    """Each output's cotangent goes to the position that won."""
    if apart is not None:
        return _to_winners(xp, g[0], out[0], x, apart)
    return spread_to(xp, g[0], out[1], x.shape, len(windows))


def spread_to(xp, g, index, shape, rank: int):
    """The cotangents `g` added up at the positions `index`, which count within the last `rank` dimensions of `shape`."""
    count, size = int(np.prod(shape[:-rank])), int(np.prod(shape[-rank:]))
    each = math.prod(index.shape) // max(count, 1)
    flat = (index.reshape((count, each)) + np.arange(count)[:, None] * size).reshape(-1)
    if xp is np:
        made = np.zeros(count * size, g.dtype)
        np.add.at(made, flat, g.reshape(-1))
    else:
        made = xp.zeros(count * size, g.dtype).at[flat].add(g.reshape(-1))
    return made.reshape(shape)


def _to_winners(xp, g, best, x, kernel: tuple):
    """The same for windows side by side, by comparing values: several times faster than a scatter, and the forward need not compute an index."""
    rank, spatial = len(kernel), best.shape[-len(kernel) :]
    offsets = list(grid(*map(range, kernel)))
    values = [x[(..., *[slice(o, o + (n - 1) * k + 1, k) for o, n, k in zip(at, spatial, kernel)])] for at in offsets]
    equal = _first_true([v == best for v in values])
    nans = _first_true([v != v for v in reversed(values)])[::-1]  # the last NaN wins; a window that has one equals nothing
    shares = {at: xp.where(e | n, g, xp.zeros((), g.dtype)) for at, e, n in zip(offsets, equal, nans)}

    def woven(i: int, at: tuple):
        if i == rank:
            return shares[at]
        axis = x.ndim - rank + i
        rows = xp.stack([woven(i + 1, (*at, k)) for k in range(kernel[i])], axis + 1)
        return rows.reshape((*rows.shape[:axis], -1, *rows.shape[axis + 2 :]))

    made = woven(0, ())
    pads = [(0, n - m) for n, m in zip(x.shape, made.shape)]
    return xp.pad(made, pads) if any(p != (0, 0) for p in pads) else made


def _few(kernel: tuple | None) -> tuple | None:
    """Windows side by side where `_to_winners` may handle them, in two dimensions at least: each position of a window is a handful of operations."""
    if kernel is None or math.prod(kernel) > 64:
        return None
    return (1, *kernel) if len(kernel) == 1 else kernel


def _first_true(flags: list) -> list:
    """Each flag where none before it is set."""
    seen, made = None, []
    for f in flags:
        made.append(f if seen is None else f & ~seen)
        seen = f if seen is None else seen | f
    return made


def _infer_max(kernel_name: str):
    def infer(x, *, windows, apart):
        if x.dtype.category == dt.COMPLEX or x.dtype is dt.bool_:
            raise not_implemented(kernel_name, x.dtype)
        shape = tuple(x.shape[: -len(windows)]) + tuple(w[1] for w in windows)
        return sized(shape, x), sized(shape, x, dt.int64)

    return infer


def _max_op(name: str, grad: str, kernel_name: str) -> Op:
    return Op(name, _max_body, computed(_infer_max(kernel_name)), grad=grad, saves=(0,), vjp=(_max_rule,), layout=suggested(0))


_MAX = {r: _max_op(f"max_pool{r}d", f"MaxPool{r}DWithIndicesBackward0", f"max_pool{r}d") for r in (2, 3)}
_ADAPTIVE_MAX = {
    r: _max_op(f"adaptive_max_pool{r}d", f"AdaptiveMaxPool{r}DBackward0", f"adaptive_max_pool{r}d") for r in (2, 3)
}


# ---------------------------------------------------------------- max pooling
def _publish_max(rank: int) -> None:
    name = f"max_pool{rank}d"

    def indexed(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
        x = input._spec
        kernel, stride, padding, dilation = pool_arguments(name, rank, x, kernel_size, stride, padding, dilation)
        sizes = pooled_sizes(name, rank, x, kernel, stride, padding, dilation, ceil_mode)
        windows = tuple(zip(x.shape[-rank:], sizes, kernel, stride, padding, dilation))
        whole = all(o * k <= n for o, k, n in zip(sizes, kernel, x.shape[-rank:]))
        apart = kernel if kernel == stride and whole and not any(padding) and set(dilation) == {1} else None
        return recorded(_MAX, input, "windows", windows, UNIT, (("apart", _few(apart)),))

    def values(input, kernel_size, stride, padding, dilation, ceil_mode):
        if rank > 1 or (state.grad and input._current_edge() is not None):
            return indexed(input, kernel_size, stride, padding, dilation, ceil_mode)[0]
        # without a gradient torch has a kernel for 1-d pooling, whose result is no view
        return METHODS["clone"](indexed(input, kernel_size, stride, padding, dilation, ceil_mode)[0])

    def pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        if return_indices:
            return indexed(input, kernel_size, stride, padding, dilation, ceil_mode)
        return values(input, kernel_size, stride, padding, dilation, ceil_mode)

    def with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return indexed(input, kernel_size, stride, padding, dilation, ceil_mode)

    pool.__doc__ = (
        f"The maximum of each {rank}-d window; with `return_indices` also its position in the flattened window space. RuntimeError for bad sizes."
    )
    with_indices.__doc__ = pool.__doc__
    public(f"nn.functional.{name}", method=False)(pool)
    public(f"nn.functional.{name}_with_indices", method=False, also=("max_pool1d_with_indices",) if rank == 1 else ())(with_indices)
    public(name, method=False)(
        lambda input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False: values(
            input, kernel_size, stride, padding, dilation, ceil_mode
        )
    )


def _publish_adaptive_max(rank: int) -> None:
    name = f"adaptive_max_pool{rank}d"

    def indexed(input, output_size, return_indices=False):
        x = input._spec
        sizes = adaptive_sizes(name, rank, x, output_size)
        windows = tuple(zip(x.shape[-rank:], sizes))
        apart = tuple(n // o for n, o in windows) if all(o and n % o == 0 for n, o in windows) else None
        return recorded(_ADAPTIVE_MAX, input, "windows", windows, (1, 1), (("apart", _few(apart)),))

    def pool(input, output_size, return_indices=False):
        made = indexed(input, output_size)
        return made if return_indices else made[0]

    pool.__doc__ = f"The maximum over {rank}-d windows chosen so that the result has `output_size`; with `return_indices` also positions."
    public(f"nn.functional.{name}", method=False)(pool)
    public(f"nn.functional.{name}_with_indices", method=False)(indexed)
    if rank == 1:
        public(name, method=False)(lambda input, output_size: indexed(input, output_size))


# ---------------------------------------------------------------- averages
def _sum_windows(xp, x, axes_geometry):
    """Sums over regular windows of a zero-padded input, one dimension after the other."""
    rank = len(axes_geometry)
    for i, (size, out, kernel, stride, padding) in enumerate(axes_geometry):
        axis = x.ndim - rank + i
        reach = (out - 1) * stride + kernel
        pads = [(0, 0)] * x.ndim
        pads[axis] = (padding, max(reach - size - padding, 0))
        x = xp.pad(x, pads) if any(pads[axis]) else x
        at = (slice(None),) * axis
        x = functools.reduce(lambda a, b: a + b, [x[(*at, slice(k, k + (out - 1) * stride + 1, stride))] for k in range(kernel)])
    return x


def _sum_windows_back(xp, g, axes_geometry):
    """The transpose of `_sum_windows`."""
    rank = len(axes_geometry)
    for i, (size, out, kernel, stride, padding) in enumerate(axes_geometry):
        axis = g.ndim - rank + i
        if kernel == stride and not padding and out * kernel <= size:
            g = xp.repeat(g, kernel, axis=axis)
            pads = [(0, 0)] * g.ndim
            pads[axis] = (0, size - out * kernel)
            g = xp.pad(g, pads) if size > out * kernel else g
            continue
        place = np.zeros((out, size), bool)
        for o in range(out):
            start = o * stride - padding
            place[o, max(start, 0) : max(min(start + kernel, size), 0)] = True
        g = xp.moveaxis(_times(xp, xp.moveaxis(g, axis, -1), place), -1, axis)
    return g


def _times(xp, a, matrix: np.ndarray):
    matrix = matrix.astype(a.dtype)
    return a @ matrix if xp is np else xp.matmul(a, matrix, precision="highest")


def _divisors(geometry, include: bool) -> np.ndarray:
    """How many elements each window divides by: with padding (as far as the padded input reaches) or without."""
    counts = np.ones((1,) * len(geometry))
    for i, (size, out, kernel, stride, padding) in enumerate(geometry):
        start = np.arange(out) * stride - padding
        end = np.minimum(start + kernel, size + padding)
        if not include:
            start, end = np.maximum(start, 0), np.minimum(end, size)
        counts = counts * (end - start).reshape((-1,) + (1,) * (len(geometry) - i - 1))
    return counts


def _average_body(xp, x, *, geometry, include, divisor):
    total = _sum_windows(xp, x, geometry)
    if x.dtype.kind in "iub":
        by = divisor or _divisors(geometry, include).astype(np.int64)
        return xp.sign(total) * np.sign(by) * (xp.abs(total) // np.abs(by))  # C's division, towards 0
    return total / _divisor_array(x.dtype, geometry, include, divisor)


def _divisor_array(d, geometry, include, divisor):
    counts = np.asarray(float(divisor)) if divisor else _divisors(geometry, include)
    return (counts.reshape(-1)[:1].reshape(()) if (counts == counts.reshape(-1)[0]).all() else counts).astype(np.dtype(d).type(0).real.dtype)


def _average_rule(xp, g, out, x, *, geometry, include, divisor):
    return _sum_windows_back(xp, g / _divisor_array(g.dtype, geometry, include, divisor), geometry)


def _infer_average(x, *, geometry, include, divisor):
    if x.dtype.category == dt.BOOL or (x.dtype.category < FLOATING and x.dtype is not dt.int64) or x.dtype.category == dt.COMPLEX:
        raise not_implemented("avg_pool2d_out_frame" if len(geometry) < 3 else "avg_pool3d_out_frame", x.dtype)
    return sized(tuple(x.shape[: -len(geometry)]) + tuple(out for _, out, *_ in geometry), x)


_AVERAGE = {
    r: Op(f"avg_pool{r}d", _average_body, computed(_infer_average), grad=f"AvgPool{r}DBackward0", saves=(0,), vjp=(_average_rule,),
          layout=suggested(0))
    for r in (2, 3)
}


def _average(name: str, rank: int, input, kernel_size, stride, padding, ceil_mode, include, divisor):
    x = input._spec
    if divisor is not None and divisor == 0:
        raise RuntimeError("divisor must be not zero")
    kernel, stride, padding, dilation = pool_arguments(name, rank, x, kernel_size, stride, padding, 1)
    sizes = pooled_sizes(name, rank, x, kernel, stride, padding, dilation, ceil_mode)
    geometry = tuple(zip(x.shape[-rank:], sizes, kernel, stride, padding))
    return recorded(_AVERAGE, input, "geometry", geometry, UNIT[:5], (("include", bool(include)), ("divisor", divisor)))


def _publish_average(rank: int) -> None:
    name = f"avg_pool{rank}d"

    def pool(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        return _average(name, rank, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

    def pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        return _average(name, rank, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)

    made = pool1d if rank == 1 else pool
    made.__doc__ = f"The mean of each {rank}-d window. `count_include_pad` counts the padding too; `divisor_override` replaces the count."
    public(f"nn.functional.{name}", method=False, out=rank > 1, also=(name,) if rank == 1 else ())(made)


def _mean_matrix(size: int, out: int) -> np.ndarray:
    made = np.zeros((size, out))
    for o in range(out):
        a, b = o * size // out, -(-(o + 1) * size // out)
        made[a:b, o] = 1 / (b - a)
    return made


def _adaptive_mean_body(xp, x, *, sizes):
    rank = len(sizes)
    for i, out in enumerate(sizes):
        axis = x.ndim - rank + i
        x = xp.moveaxis(_times(xp, xp.moveaxis(x, axis, -1), _mean_matrix(x.shape[axis], out)), -1, axis)
    return x


def _adaptive_mean_rule(xp, g, out, x, *, sizes):
    rank = len(sizes)
    for i, n in enumerate(sizes):
        axis = x.ndim - rank + i
        g = xp.moveaxis(_times(xp, xp.moveaxis(g, axis, -1), _mean_matrix(x.shape[axis], n).T), -1, axis)
    return g


def _infer_adaptive_mean(x, *, sizes):
    if x.dtype.category != FLOATING:
        raise not_implemented(f"adaptive_avg_pool{max(len(sizes), 2)}d", x.dtype)
    return sized(tuple(x.shape[: -len(sizes)]) + sizes, x)


_ADAPTIVE_AVERAGE = {
    r: Op(
        f"adaptive_avg_pool{r}d",
        _adaptive_mean_body,
        computed(_infer_adaptive_mean),
        grad=f"AdaptiveAvgPool{r}DBackward0",
        saves=(0,),
        vjp=(_adaptive_mean_rule,),
        layout=suggested(0),
    )
    for r in (2, 3)
}


def _publish_adaptive_average(rank: int) -> None:
    name = f"adaptive_avg_pool{rank}d"

    def pool(input, output_size):
        x = input._spec
        sizes = adaptive_sizes(name, rank, x, output_size)
        if set(sizes) == {1} and x.dtype.category == FLOATING:
            if rank > 1:
                return METHODS["mean"](input, tuple(range(-rank, 0)), True)
            return METHODS["squeeze"](METHODS["mean"](METHODS["unsqueeze"](input, -2), (-1, -2), True), -2)
        return recorded(_ADAPTIVE_AVERAGE, input, "sizes", sizes, 1)

    pool.__doc__ = f"Means over {rank}-d windows chosen so that the result has `output_size`."
    public(f"nn.functional.{name}", method=False, also=(name,) if rank == 1 else ())(pool)


# ---------------------------------------------------------------- power averages and unpooling
def _publish_power(rank: int) -> None:
    def pool(input, norm_type, kernel_size, stride=None, ceil_mode=False):
        kernel = ntuple(kernel_size, rank)
        count = int(np.prod(kernel))
        powered = METHODS["pow"](input, norm_type)
        mean = _average(f"avg_pool{rank}d", rank, powered, kernel, stride, 0, ceil_mode, True, None)
        sign, size = METHODS["sign"](mean), METHODS["relu"](METHODS["abs"](mean))
        return METHODS["pow"](METHODS["mul"](METHODS["mul"](sign, size), count), 1.0 / norm_type)

    pool.__doc__ = f"The power average (sum of x^p)^(1/p) of each {rank}-d window."
    public(f"nn.functional.lp_pool{rank}d", method=False)(pool)


def _unpool_body(xp, x, index, *, spatial):
    rank = len(spatial)
    lead, size = tuple(x.shape[:-rank]), int(np.prod(spatial))
    count = int(np.prod(lead))
    each = math.prod(index.shape) // max(count, 1)
    flat = (index.reshape((count, each)) + np.arange(count)[:, None] * size).reshape(-1)
    if xp is np:
        made = np.zeros(count * size, x.dtype)
        made[np.clip(flat, 0, max(count * size - 1, 0))] = x.reshape(-1)
    else:
        made = xp.zeros(count * size, x.dtype).at[flat].set(x.reshape(-1))
    return made.reshape((*lead, *spatial))


def _unpool_rule(xp, g, out, x, index, *, spatial):
    rank = len(spatial)
    count = int(np.prod(x.shape[:-rank]))
    return xp.take_along_axis(g.reshape((count, -1)), index.reshape((count, -1)), axis=1).reshape(x.shape)


def _unpool_check(xp, x, index, *, spatial):
    if 0 in index.shape:
        return np.int64(0)
    bad = (index < 0) | (index >= int(np.prod(spatial)))
    return xp.where(bad.any(), index.reshape(-1)[xp.argmax(bad.reshape(-1))] + (1 << 40), 0)


def _unpool_complain(code: int, argtypes: tuple, static: dict) -> Exception:
    sizes = "x".join(map(str, static["spatial"]))
    return RuntimeError(f"Found an invalid max index: {code - (1 << 40)} (output volumes are of size {sizes}")


_UNPOOL = {
    r: Op(
        f"max_unpool{r}d",
        _unpool_body,
        computed(lambda x, index, *, spatial: sized(tuple(x.shape[: -len(spatial)]) + spatial, x)),
        grad=node_name("MaxUnpool{}DBackward0", r),
        saves=(1,),
        vjp=(_unpool_rule,),
        check=_unpool_check,
        checked=(1,),
        complain=_unpool_complain,
    )
    for r in (1, 2, 3)
}


def _publish_unpool(rank: int) -> None:
    name = f"max_unpool{rank}d"

    def unpool(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        x = input._spec
        kernel = ntuple(kernel_size, rank)
        step = kernel if stride is None else ntuple(stride, rank)
        default = tuple((n - 1) * s + k - 2 * p for n, s, k, p in zip(x.shape[-rank:], step, kernel, ntuple(padding, rank)))
        if x.ndim not in (rank + 1, rank + 2):
            raise RuntimeError(f"{name}: Input to max_unpool must be {rank + 1}D or {rank + 2}D, but got {shape_text(x.shape)}")
        if indices._spec.dtype is not dt.int64:
            raise RuntimeError("elements in indices should be type int64")
        if indices._spec.shape != x.shape:
            raise RuntimeError(
                f"Expected shape of indices to be same as that of the input tensor ({shape_text(x.shape)}) but got indices tensor with shape: "
                f"{shape_text(indices._spec.shape)}"
            )
        return call(_UNPOOL[rank], (input, indices), (("spatial", _unpooled(rank, output_size, default, step)),))

    unpool.__doc__ = (
        "The inverse of max pooling: values go back to `indices`, zeros elsewhere. Raises RuntimeError or ValueError for sizes that do not fit."
    )
    public(f"nn.functional.{name}", method=False)(unpool)


def _unpooled(rank: int, output_size, default: tuple, step: tuple) -> tuple:
    if output_size is None:
        return default
    wanted = tuple(output_size)
    if len(wanted) == rank + 2:
        wanted = wanted[2:]
    if len(wanted) != rank:
        raise ValueError(f"output_size should be a sequence containing {rank} or {rank + 2} elements, but it has a length of '{len(output_size)}'")
    for i, (w, d, s) in enumerate(zip(wanted, default, step)):
        if not d - s < w < d + s:
            raise ValueError(f'invalid output_size "{list(wanted)}" (dim {i} must be between {d - s} and {d + s})')
    return wanted


for _rank in (1, 2, 3):
    _publish_max(_rank)
    _publish_adaptive_max(_rank)
    _publish_average(_rank)
    _publish_adaptive_average(_rank)
    _publish_power(_rank)
    _publish_unpool(_rank)

__all__ = ["adaptive_table", "regular_table"]
