"""When two tensors share part of their memory: torch refuses to write one while it reads the other. It looks at dense tensors only."""
from __future__ import annotations

from .._core.handle import TensorBase
from .layout import is_dense

PARTIAL = ("unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
           "Please clone() the tensor before performing the operation.")


def check_partial_overlap(written: TensorBase, other: TensorBase) -> None:
    """Raise RuntimeError where dense tensors on one Storage overlap without being the same view."""
    a, b = written._spec, other._spec
    if a.numel == 0 or b.numel == 0 or not is_dense(a.shape, written._current_strides) or not is_dense(b.shape, other._current_strides):
        return
    first, second = written._offset * a.dtype.itemsize, other._offset * b.dtype.itemsize
    if first == second and a.nbytes == b.nbytes:
        if written._current_strides != other._current_strides:
            raise RuntimeError(PARTIAL)
    elif first < second + b.nbytes and second < first + a.nbytes:
        raise RuntimeError(PARTIAL)
