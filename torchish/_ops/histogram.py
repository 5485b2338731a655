"""torch.histogram, made of other operations; histc is in statistics.py."""
from __future__ import annotations

import math

from .. import _dtype as dt
from .._core.handle import TensorBase
from .nn_common import C_NAMES, not_implemented
from .return_types import return_type
from .variants import FUNCTIONS, METHODS, public


def _range(input: TensorBase, given) -> tuple[float, float]:
    """The ends of the outer bins: as given, else the least and largest element; widened by 1/2 where they agree."""
    if given is not None:
        low, high = float(given[0]), float(given[1])
    elif input._spec.numel:
        low, high = [float(v) for v in METHODS["aminmax"](input)]
    else:
        low, high = 0.0, 0.0 if given is not None else 1.0
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: dimension 0's range [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension 0")
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _name(t: TensorBase) -> str:
    return C_NAMES.get(t._spec.dtype, t._spec.dtype.name)


def _edges(input: TensorBase, bins, given) -> TensorBase:
    if isinstance(bins, TensorBase):
        if given is not None:
            raise TypeError("range goes with a number of bins only")
        spec = bins._spec
        if spec.ndim != 1:
            raise RuntimeError(f"torch.histogramdd: bins tensor should have one dimension, but got {spec.ndim} dimensions in the bins tensor for "
                               "dimension 0")
        if spec.numel == 0:
            raise RuntimeError("torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension 0")
        if spec.dtype is not input._spec.dtype:
            raise RuntimeError("torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
                               f"{_name(input)} and bins for dimension 0 with dtype {_name(bins)}")
        return METHODS["clone"](bins)
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = _range(input, given)
    return FUNCTIONS["linspace"](low, high, bins + 1, dtype=input._spec.dtype, device=input._spec.device)


@public("histogram", out=True)
def histogram(input, bins=100, *, range=None, weight=None, density=False):
    """(hist, bin_edges): how many elements, or what `weight`, falls into each of `bins` bins, a number of equal ones in `range` or their edges.

    `density` divides by the total and the bins' widths. The last bin is closed. float32 and float64 only, NotImplementedError else.
    """
    spec = input._spec
    if spec.dtype not in (dt.float32, dt.float64):
        raise not_implemented("histogramdd", spec.dtype)
    if weight is not None and weight._spec.shape != spec.shape:
        raise RuntimeError("torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its "
                           f"innermost dimension, but got input with shape [{spec.numel}, 1] and weight with shape {list(weight._spec.shape)}")
    edges = _edges(input, bins, range)
    count = edges._spec.shape[0] - 1
    x = METHODS["reshape"](input, (-1,))
    at = FUNCTIONS["searchsorted"](edges, x, right=True) - 1
    last = METHODS["eq"](x, edges[-1])
    inside = (x >= edges[0]) & (x <= edges[-1])
    at = METHODS["clamp"](METHODS["where"](at, ~last, count - 1), 0, max(count - 1, 0))
    amount = METHODS["to"](inside, spec.dtype)
    if weight is not None:
        amount = METHODS["where"](METHODS["reshape"](weight, (-1,)), inside, 0.0)
    made = FUNCTIONS["zeros"](count, dtype=spec.dtype, device=spec.device)
    if count and spec.numel:
        made = METHODS["index_add"](made, 0, at, amount)
    if density:
        made = made / METHODS["sum"](made) / METHODS["diff"](edges)
    return return_type("histogram", "hist", "bin_edges")((made, edges))
