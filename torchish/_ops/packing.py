"""Packing sequences of unequal length: gathers by row numbers that nn.utils.rnn works out from the lengths.

Knows nothing of recurrent layers.
"""

from __future__ import annotations

from .._core.record import call
from .declare import primitive
from .nn_common import sized


def _infer_pack(x, rows):
    return sized((rows.shape[0], *x.shape[2:]), x)


@primitive("pack rows", _infer_pack, grad="PackPaddedSequenceBackward0", saves=(1,))
def _pack_op(xp, x, rows):
    return x.reshape((-1, *x.shape[2:]))[rows]


def _infer_pad(data, place, value):
    return sized((*place.shape, *data.shape[1:]), data)


@primitive("pad rows", _infer_pad, grad="CopySlices")
def _pad_op(xp, data, place, value):
    there = (place >= 0).reshape(place.shape + (1,) * (data.ndim - 1))
    return xp.where(there, data[xp.maximum(place, 0)], xp.asarray(value).astype(data.dtype))


def pack_rows(input, rows):
    """The rows of `input` (T, B, *), its first two dimensions taken as one, at `rows` (N,): (N, *)."""
    return call(_pack_op, (input, rows))


def pad_rows(data, place, value):
    """(T, B, *) from `data` (N, *): its row `place[t, b]`, or the number `value` where that is negative."""
    return call(_pad_op, (data, place, value))


__all__ = ["pack_rows", "pad_rows"]
