"""torch.histogram and histogramdd: counts, or sums of weights, in the bins of a grid; histc is in statistics.py."""
from __future__ import annotations

import math

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, alias
from .._core.op import Op, simple
from .._core.record import call
from .nn_common import C_NAMES, not_implemented, sized
from .positions import write_at
from .return_types import return_type
from .variants import FUNCTIONS, METHODS, public


# ---------------------------------------------------------------- the operation
def _counted(xp, x, weight, *edges):
    """The sums of `weight` (1 each if None) of the points, rows of `x`, in each cell of the grid. The last bin of each dimension is closed."""
    shape = tuple([max(e.shape[0] - 1, 0) for e in edges])
    if not edges:
        return xp.zeros((), x.dtype)
    points = x.reshape(math.prod(x.shape[:-1]), len(edges))
    at, inside = xp.zeros(points.shape[0], np.int64), xp.ones(points.shape[0], bool)
    for d, e in enumerate(edges):
        column = points[:, d]
        bin_ = xp.searchsorted(e, column, side="right") - 1
        bin_ = xp.where(column == e[-1], shape[d] - 1, bin_)
        at = at * shape[d] + xp.clip(bin_, 0, max(shape[d] - 1, 0))
        inside = inside & (column >= e[0]) & (column <= e[-1])
    amount = xp.where(inside, xp.ones((), x.dtype) if weight is None else weight.reshape(-1), xp.zeros((), x.dtype))
    made = xp.zeros(math.prod(shape), x.dtype)
    return (write_at(xp, made, (at,), amount, "add") if made.size and at.size else made).reshape(shape)


def _grid_op(name: str) -> Op:
    return Op(name, _counted, simple(lambda x, weight, *edges: sized([max(e.shape[0] - 1, 0) for e in edges], x)), grad="NotImplemented")


histogram_op, by_edges_op, by_counts_op = map(_grid_op, ("histogram", "_histogramdd_from_bin_tensors", "_histogramdd_from_bin_cts"))


def _grid(op: Op, points: TensorBase, weight, edges: list, density: bool) -> TensorBase:
    hist = call(op, (points, weight, *edges))
    if density:
        hist = METHODS["div"](hist, METHODS["sum"](hist))
        for d, e in enumerate(edges):
            hist = METHODS["div"](hist, METHODS["view"](METHODS["diff"](e), (-1,) + (1,) * (len(edges) - d - 1)))
    return hist


# ---------------------------------------------------------------- edges
def _name(t: TensorBase) -> str:
    return C_NAMES.get(t._spec.dtype, t._spec.dtype.name)


def _given_edges(points: TensorBase, bins) -> list:
    """Copies of the edges that a call names, one vector for each dimension."""
    count = points._spec.shape[-1]
    if len(bins) != count:
        raise RuntimeError(f"torch.histogramdd: expected {count} sequences of bin edges for a {count}-dimensional histogram but got {len(bins)}")
    for d, e in enumerate(bins):
        spec = e._spec
        if spec.dtype is not points._spec.dtype:
            raise RuntimeError("torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
                               f"{_name(points)} and bins for dimension {d} with dtype {_name(e)}")
        if spec.ndim != 1:
            raise RuntimeError(f"torch.histogramdd: bins tensor should have one dimension, but got {spec.ndim} dimensions in the bins tensor for "
                               f"dimension {d}")
        if spec.numel == 0:
            raise RuntimeError("torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension "
                               f"{d}")
    return [METHODS["clone"](e) for e in bins]


def _equal_edges(points: TensorBase, bins, range_) -> list:
    """Edges of `bins[d]` bins of equal width in each dimension."""
    spec = points._spec
    count = spec.shape[-1]
    if len(bins) != count:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    for d, n in enumerate(bins):
        if n <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {n} for dimension {d}")
    return [FUNCTIONS["linspace"](low, high, n + 1, dtype=spec.dtype, device=spec.device)
            for n, (low, high) in zip(bins, _ranges(points, range_, count))]


def _ranges(points: TensorBase, given, count: int) -> list:
    """The ends of the outer bins: as given, else the least and largest element; widened by 1/2 where they agree."""
    if given is not None:
        if len(given) != 2 * count:
            raise RuntimeError(f"torch.histogramdd: for a {count}-dimensional histogram range should have {2 * count} elements, but got {len(given)}")
        lows, highs = [float(v) for v in given[::2]], [float(v) for v in given[1::2]]
    elif points._spec.numel:
        flat = METHODS["reshape"](alias(points), (-1, count))
        lows, highs = (t.tolist() for t in METHODS["aminmax"](flat, dim=0))
    else:
        lows, highs = [0.0] * count, [1.0] * count
    for d, (low, high) in enumerate(zip(lows, highs)):
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"torch.histogramdd: dimension {d}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}")
    return [(low - 0.5, high + 0.5) if low == high else (low, high) for low, high in zip(lows, highs)]


def _edges(points: TensorBase, bins, range_) -> list:
    return _given_edges(points, bins) if _are_edges(bins) else _equal_edges(points, bins, range_)


def _are_edges(bins) -> bool:
    return len(bins) > 0 and isinstance(bins[0], TensorBase)


def _check(points: TensorBase, weight) -> None:
    """`points` has the coordinates as its last dimension."""
    spec = points._spec
    if weight is not None:
        if weight._spec.shape != spec.shape[:-1]:
            raise RuntimeError("torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its "
                               f"innermost dimension, but got input with shape {list(spec.shape)} and weight with shape {list(weight._spec.shape)}")
        if weight._spec.dtype is not spec.dtype:
            raise RuntimeError("torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got "
                               f"input({_name(points)}), and weight({_name(weight)})")
    if spec.dtype not in (dt.float32, dt.float64):
        raise not_implemented("histogramdd", spec.dtype)


# ---------------------------------------------------------------- what users call
@public("histogram", out=True)
def histogram(input, bins=100, *, range=None, weight=None, density=False):
    """(hist, bin_edges): how many elements, or what `weight`, falls into each of `bins` bins, a number of equal ones in `range` or their edges.

    `density` divides by the total and the bins' widths. The last bin is closed. float32 and float64 only, NotImplementedError else.
    """
    if isinstance(bins, float) or isinstance(bins, TensorBase) and range is not None:
        raise TypeError("range goes with a whole number of bins only")  # replaced by torch's words, see signatures.py
    points = METHODS["reshape"](input, (-1, 1))
    if weight is not None and weight._spec.shape == input._spec.shape:
        weight = METHODS["reshape"](weight, (-1,))
    _check(points, weight)
    edges = _edges(points, (bins,), range)
    return return_type("histogram", "hist", "bin_edges")((_grid(histogram_op, points, weight, edges, density), edges[0]))


@public("histogramdd", method=False)
def histogramdd(input, bins, range=None, weight=None, density=False):
    """(hist, bin_edges) of points whose coordinates are the last dimension of `input`: an array with a dimension for each, and a tuple of edges.

    `bins` is a number, a number for each dimension, or their edges; `range` has the ends of each dimension, one after the other.
    Raises RuntimeError below two dimensions and where sizes do not fit, NotImplementedError but for float32 and float64.
    """
    if input._spec.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    _check(input, weight)
    bins = (bins,) * input._spec.shape[-1] if isinstance(bins, int) else bins
    edges, op = _edges(input, bins, range), by_edges_op if _are_edges(bins) else by_counts_op
    return return_type("histogramdd", "hist", "bin_edges")((_grid(op, input, weight, edges, density), tuple(edges)))
