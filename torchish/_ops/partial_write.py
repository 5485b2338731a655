"""What an indexed write leaves behind when one of its positions is out of range: torch writes element by element and stops at the bad one.

Works on the host with NumPy; indexing.py calls it after the write was refused.
"""
from __future__ import annotations

import numpy as np

from .._core.handle import TensorBase, from_array
from .._core.view import write
from .layout import ordered_strides


def write_until_bad(x: TensorBase, entries: list, value, shape: tuple, before: int, accumulate: bool) -> None:
    """Write `value` at the positions that torch visits before the first one out of range; the version stays as it was.

    `entries` has an index tensor or None for each leading dimension of `x`; `shape` is the indexed shape, whose joint index dimensions
    begin at dimension `before`.
    """
    array = np.array(x._host("partial write"))
    dims = [d for d, e in enumerate(entries) if e is not None]
    joint = np.broadcast_shapes(*[tuple(entries[d]._spec.shape) for d in dims])
    rest = [d for d in range(array.ndim) if d not in dims]
    where, bad = [np.zeros(shape, np.int64)] * array.ndim, np.zeros(shape, bool)
    tail = (1,) * (len(rest) - before)
    for d in dims:
        index = np.broadcast_to(entries[d]._host("partial write"), joint).reshape(joint + tail)
        where[d], bad = np.broadcast_to(index, shape), bad | (index < -array.shape[d]) | (index >= array.shape[d])
    for i, d in enumerate(rest):
        place = i if i < before else i + len(joint)
        where[d] = np.broadcast_to(np.arange(array.shape[d]).reshape((-1,) + (1,) * (len(shape) - place - 1)), shape)
    order = _visiting_order(x, value, dims, rest, shape, before, len(joint))
    flat = [np.transpose(a, order).reshape(-1) for a in (bad, *where)]
    count = int(flat[0].argmax())
    host = value._host("partial write") if isinstance(value, TensorBase) else np.asarray(value)
    values = np.transpose(np.broadcast_to(host, shape), order).reshape(-1)[:count].astype(array.dtype)
    target = tuple(i[:count] for i in flat[1:])
    if accumulate:
        np.add.at(array, target, values)
    else:
        array[target] = values
    counter = x._counter or x._storage
    version = counter.version
    write(x, from_array(array, None, x._spec.device)._read(), None)
    counter.version = version


def _visiting_order(x: TensorBase, value, dims: list, rest: list, shape: tuple, before: int, joint: int) -> list:
    """The dimensions of the indexed shape from the slowest to the fastest in torch's iterator, which goes by the strides in memory."""
    own = [x._current_strides[d] for d in rest]
    operands = [tuple(own[:before]) + (0,) * joint + tuple(own[before:])]
    if isinstance(value, TensorBase):
        lead = len(shape) - value._spec.ndim
        operands.append((0,) * lead + tuple(0 if n == 1 else s for n, s in zip(value._spec.shape, value._current_strides)))
    strides = ordered_strides(shape, operands)
    return sorted(range(len(shape)), key=lambda d: (-strides[d], d))


__all__ = ["write_until_bad"]
