"""When two tensors share part of their memory: torch refuses to write one while it reads the other. It looks at dense tensors only."""
from __future__ import annotations

from .._core.handle import TensorBase
from .layout import is_dense

SHARED = ("unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
           "Please clone() the tensor before performing the operation.")


REPEATED = ("unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation.")


def check_partial_overlap(written: TensorBase, other: TensorBase) -> None:
    """Raise RuntimeError where dense tensors overlap without being the same view."""
    if overlap(written, other):
        a, b = written._spec, other._spec
        if a.nbytes != b.nbytes or written._current_strides != other._current_strides or (
                written._offset * a.dtype.itemsize != other._offset * b.dtype.itemsize):
            raise RuntimeError(SHARED)


def overlap(written: TensorBase, other: TensorBase) -> bool:
    """Whether the tensors are dense and share memory."""
    if written._storage is not other._storage:
        return False
    a, b = written._spec, other._spec
    if a.numel == 0 or b.numel == 0 or not is_dense(a.shape, written._current_strides) or not is_dense(b.shape, other._current_strides):
        return False
    first, second = written._offset * a.dtype.itemsize, other._offset * b.dtype.itemsize
    return first < second + b.nbytes and second < first + a.nbytes


def repeats(t: TensorBase) -> bool:
    """Whether several elements of `t` are one place in memory, as `expand` makes them."""
    return t._spec.numel > 0 and any(s == 0 and n > 1 for s, n in zip(t._current_strides, t._spec.shape))


def check_single(t: TensorBase) -> None:
    """Raise RuntimeError where elements of `t`, which is to be written, are one place in memory."""
    if t._strides is not None and repeats(t):
        raise RuntimeError(REPEATED)
