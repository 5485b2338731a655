"""How torch's CPU kernels round: the order in which they add, and products added without rounding in between.

A result that is all cancellation (the mean of what was normalised, the gradient of its sum) is rounding noise, and prints as torch's only where
every rounding is torch's. Small float arrays are given that here, where it costs next to nothing; larger ones keep NumPy's order, and from
`FEW` elements on compiled programs keep XLA's.
"""
from __future__ import annotations

from math import prod

import numpy as np

ROW_BYTES = 64  # shorter rows are normalised element by element, longer ones in vectors
SUM_BYTES = 32  # of the vectors that sums are taken in
LANES = 4  # running sums that it keeps side by side
LEVEL = 16  # additions to a running sum before it goes on to the next level of the cascade
FEW = 64  # elements for which a compiled program spells the order out


def lanes(dtype) -> int:
    """How many elements of a dtype a vector of the normalising kernels holds: fewer than that are added one after the other."""
    return ROW_BYTES // dtype.itemsize


def exact(xp, x) -> bool:
    """Whether operations on `x` are to round as torch's do."""
    return xp is np or x.size <= FEW


def fused(xp, a, b, c):
    """`a * b + c`, rounded once, as a fused multiply-add does."""
    if c.dtype == np.float32 and exact(xp, c):
        return (a.astype(np.float64) * b + c).astype(np.float32)
    if xp is not np:
        return a * b + c
    high = a * b
    low = _rest_of_product(a, b, high)
    total = high + c
    part = total - high
    made = total + (((high - (total - part)) + (c - part)) + low)
    return np.where(np.isfinite(made), made, total)


def rounded_product(xp, a, b):
    """`a * b`, rounded before it is used: XLA would fuse it with an addition that follows, but for the test in between."""
    made = a * b
    return xp.where(made == made, made, np.nan) if xp is not np and exact(xp, made) else made


def in_double(xp, f, *args):
    """`f(*args)` of few float32 numbers rounded once: XLA turns divisions and roots into less exact ones, and NumPy's exp is further from torch's."""
    if args[0].dtype != np.float32 or args[0].size > FEW:
        return f(*args)
    return f(*[a.astype(np.float64) for a in args]).astype(np.float32)


def _rest_of_product(a, b, product):
    """What rounding took from a float64 product (Dekker, 1971)."""
    a1, b1 = _upper_half(a), _upper_half(b)
    a2, b2 = a - a1, b - b1
    return a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def _upper_half(a):
    scaled = a * 134217729.0  # 2^27 + 1
    return scaled - (scaled - a)


def added(xp, a):
    """The sum of the rows of `a` (along axis 0) as torch adds vectors: in four running sums. None where there are too many for one level."""
    n = a.shape[0]
    whole = n // LANES
    if whole > LEVEL:
        return None
    if n <= LANES:
        return _one_by_one(xp, a)
    running = _one_by_one(xp, a[:whole * LANES].reshape(whole, LANES, *a.shape[1:]))
    total = running[0]
    for row in (*a[whole * LANES:], *running[1:]):
        total = total + row
    return total


def row_sum(xp, a, axis: int):
    """The sum along an axis, kept: of short rows one element after the other, as torch's softmax has it."""
    if not exact(xp, a) or not 0 < a.shape[axis] < lanes(a.dtype):
        return a.sum(axis, keepdims=True)
    return xp.expand_dims(_one_by_one(xp, xp.moveaxis(a, axis, 0)), axis)


def _one_by_one(xp, a):
    if xp is np:
        return np.add.accumulate(a, 0)[-1]
    total = a[0]
    for row in a[1:]:
        total = total + row
    return total


def added_along(xp, a):
    """The sums along the last axis, contiguous in memory: whole vectors first, whose elements then join what is left over.

    None where there are too many for one level.
    """
    n, width = a.shape[-1], SUM_BYTES // a.dtype.itemsize
    if n < width:
        return added(xp, _first(xp, a, -1))
    whole = n // width * width
    vectors = added(xp, _first(xp, a[..., :whole].reshape(*a.shape[:-1], whole // width, width), -2))
    if vectors is None:
        return None
    rest = _first(xp, vectors, -1)
    if whole < n:
        rest = xp.concatenate([_one_by_one(xp, _first(xp, a[..., whole:], -1))[None], rest])
    return _one_by_one(xp, rest)


def _first(xp, a, axis: int):
    """`a` with an axis moved to the front."""
    return a if a.ndim == -axis else xp.moveaxis(a, axis, 0)


def sum_as_torch(xp, x, axes: tuple):
    """The sum of a small float array over `axes`, without them; None where no order of torch's is known here."""
    kept, order = x.ndim - len(axes), sorted(axes)
    if not x.size or not exact(xp, x):
        return None
    made = _sum_in_order(xp, x, kept, order, axes)
    return made if made is None or xp is not np else made + made.dtype.type(0)  # torch adds to 0: never -0


def _sum_in_order(xp, x, kept: int, order: list, axes: tuple):
    if order == list(range(kept, x.ndim)):
        return added_along(xp, x.reshape(*x.shape[:kept], -1))
    if order != list(range(len(axes))):
        return None
    rows = x.reshape(-1, x.size // prod([x.shape[a] for a in axes]))
    width = SUM_BYTES // x.dtype.itemsize
    if rows.shape[1] == 1:
        return added_along(xp, rows[:, 0]).reshape(x.shape[len(axes):])
    block = LANES * (width if rows.shape[1] >= width else 1)
    wide = rows.shape[1] // block * block  # columns that are added row by row
    if wide and rows.shape[0] > LEVEL:
        return None
    parts = [_one_by_one(xp, rows[:, :wide]), added(xp, rows[:, wide:])] if wide else [added(xp, rows)]
    return None if parts[-1] is None else xp.concatenate(parts).reshape(x.shape[len(axes):])


__all__ = ["exact", "fused", "in_double", "lanes", "rounded_product", "row_sum", "sum_as_torch"]
