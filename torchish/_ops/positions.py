"""Positions inside arrays, for every operation that reads or writes by index: bounds checks and scattered reads and writes in both tiers.

Bodies and checks only; no tensor is recorded here.

Note [Index checks]: a check answers 0, or a code that carries the first illegal position, so that the error raised later can name it.
Positions known on the host are checked at the call, others by the program, reported at the next read. JAX clamps or drops what is out
of range; since the check has failed by then, nobody sees it.
"""
from __future__ import annotations

from math import prod

import numpy as np

ORDINALS = 64  # an advanced index has at most this many index arrays


def encode(xp, position):
    """A position as a code that is never 0."""
    position = xp.asarray(position).astype(np.int64)
    return position + (position >= 0)


def decode(code: int) -> int:
    """The position behind a code."""
    return code - 1 if code > 0 else code


def first_outside(xp, index, low: int, high: int):
    """0 where all of `index` is in [low, high), else the code of its first element that is not."""
    if prod(index.shape) == 0:
        return 0
    if xp is np and index.min() >= low and index.max() < high:
        return 0
    flat = xp.reshape(index, (-1,))
    bad = (flat < low) | (flat >= high)
    return xp.where(bad.any(), encode(xp, flat[xp.argmax(bad)]), 0)


def check_axis(negative: bool):
    """A check for `(x, index, ...)` with static `dim`: positions along that dimension, counted from the end too where `negative`."""
    def check(xp, x, index, *rest, dim, **static):
        n = x.shape[dim] if len(x.shape) else 1
        return first_outside(xp, index, -n if negative else 0, n)
    return check


def check_flat(xp, x, index, *rest, **static):
    """A check for positions in the flattened `x`, negative ones included."""
    n = prod(x.shape)
    return first_outside(xp, index, -n, n)


def check_advanced(xp, x, indices: tuple):
    """The check of an advanced index: `indices[d]` are positions along dimension d of `x`, or None."""
    given = [(i, x.shape[d]) for d, i in enumerate(indices) if i is not None]
    if xp is np and all(_inside(i, n) for i, n in given):
        return 0
    shape = np.broadcast_shapes(*[tuple(i.shape) for i, _ in given])
    if prod(shape) == 0 or any(n == 0 for d, n in enumerate(x.shape) if d >= len(indices) or indices[d] is None):
        return 0
    flat = [xp.reshape(xp.broadcast_to(i, shape), (-1,)) for i, _ in given]
    bad = [(i < -n) | (i >= n) for i, (_, n) in zip(flat, given)]
    either = bad[0]
    for b in bad[1:]:
        either = either | b
    first = xp.argmax(either)
    code = xp.zeros((), np.int64)
    for ordinal in range(len(flat) - 1, -1, -1):
        code = xp.where(bad[ordinal][first], encode(xp, flat[ordinal][first]) * ORDINALS + ordinal, code)
    return code


def _inside(index, n: int) -> bool:
    return index.size == 0 or (index.min() >= -n and index.max() < n)


# ---------------------------------------------------------------- reading and writing
def grid(shape: tuple, dim: int, index) -> tuple:
    """The key that addresses `index` along `dim` and every position of `shape` along the other dimensions."""
    ndim = len(shape)
    return tuple([index if d == dim else np.arange(n).reshape((n,) + (1,) * (ndim - 1 - d)) for d, n in enumerate(shape)])


def axis_key(dim: int, index) -> tuple:
    """The key that addresses `index` along `dim` and everything along the others."""
    return (slice(None),) * dim + (index,)


def lifted(xp, x):
    """`x` with at least one dimension."""
    return x if x.ndim else xp.reshape(x, (1,))


def cropped(x, shape: tuple, but: int = -1):
    """The leading part of `x` of the given sizes, all of dimension `but`."""
    if all(n == m or d == but for d, (n, m) in enumerate(zip(x.shape, shape))):
        return x
    return x[tuple([slice(None) if d == but else slice(0, n) for d, n in enumerate(shape)])]


def read_at(xp, x, key: tuple):
    """`x[key]`; positions out of range, which the op's check reports, give anything."""
    if xp is not np:
        return x.at[key].get(mode="promise_in_bounds")
    try:
        return x[key]
    except IndexError:
        return x[tuple([k if k.__class__ is slice else k % max(n, 1) for k, n in zip(key, x.shape)])]


_UFUNCS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def write_at(xp, x, key: tuple, values, how: str = "set"):
    """A copy of `x` with `values` set, added, multiplied in, or taken as a bound ("max", "min") at `key`, repeated positions included.

    Positions out of range, which the op's check reports, are not written.
    """
    if xp is np:
        made = np.array(x)
        try:
            if how == "set":
                made[key] = values
            else:
                _UFUNCS[how].at(made, key, values)
        except IndexError:
            return made
        return made
    values = xp.asarray(values).astype(x.dtype)
    if x.dtype == bool and how != "set":  # addition of bools is "or", multiplication "and"
        how = {"add": "max", "mul": "min"}.get(how, how)
    at = x.at[key]
    if how == "set":
        return at.set(values)
    return {"add": at.add, "mul": at.multiply, "max": at.max, "min": at.min}[how](values)


__all__ = ["ORDINALS", "axis_key", "check_advanced", "check_axis", "check_flat", "cropped", "decode", "first_outside", "grid", "lifted", "read_at",
           "write_at"]
