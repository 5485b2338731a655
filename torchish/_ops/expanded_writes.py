"""Writes at some places of an expanded tensor, where elements share memory: torch deprecates the few that it still allows.

They go to the memory behind it, at the places of the elements that are picked; of several values for one place the last one stays.
"""
from __future__ import annotations

import warnings

import numpy as np

from .._core.handle import TensorBase, from_array, is_altered
from .overlap import check_single, repeats
from .strided import extent, place_in_memory, places


def memory_behind(t: TensorBase, name: str, example: str) -> tuple[TensorBase, TensorBase] | None:
    """The memory of an expanded tensor as a flat view, and the place in it of each element; None where elements do not share memory.

    Warns in torch's words that the in-place operation `name` on expanded tensors is deprecated.
    """
    if t._strides is None or not repeats(t):
        return None
    if is_altered(t):
        check_single(t)
    warnings.warn(f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This also applies "
                  f"to advanced indexing e.g. tensor[{example}", UserWarning, stacklevel=4)
    shape, strides = tuple(t._spec.shape), t._strides
    flat = place_in_memory(t, (extent(shape, strides, 0),), (1,), t._offset)
    return flat, from_array(places(np, shape, strides, 0))


__all__ = ["memory_behind"]
