"""torch's memory formats as plain objects, and the strides that each gives a shape."""
from __future__ import annotations

from .._core.spec import contiguous_strides


class memory_format:
    """How a tensor's dimensions are ordered in memory, such as `torchish.channels_last`."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self):
        return self.name


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


def format_strides(shape: tuple, wanted: memory_format) -> tuple:
    """Strides of a dense tensor in a format. Raises RuntimeError for a rank that the format does not have."""
    if wanted is contiguous_format:
        return contiguous_strides(shape)
    rank = 4 if wanted is channels_last else 5
    if len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {wanted.name} format")
    strides, step = [0] * rank, 1
    for d in (1, *range(rank - 1, 1, -1), 0):
        strides[d] = step
        step *= shape[d]
    return tuple(strides)


def follows(shape: tuple, strides: tuple, wanted: memory_format) -> bool:
    """Whether these strides are those of the format, up to dimensions of size 1. False for a rank that the format does not have."""
    if wanted in (channels_last, channels_last_3d) and len(shape) != (4 if wanted is channels_last else 5):
        return False
    if 0 in shape and wanted is contiguous_format:
        return True
    return all(n == 1 or a == b for n, a, b in zip(shape, strides, format_strides(shape, wanted)))


def suggested_format(shape: tuple, strides: tuple) -> memory_format:
    """The format that torch reads from strides, gaps allowed: channels last where they say so without doubt."""
    rank = len(shape)
    if rank not in (4, 5) or strides[1] == 0 or 0 in shape:
        return contiguous_format
    least = 0
    for d in (1, *range(rank - 1, 1, -1), 0):
        if strides[d] < least or (d == 0 and least == strides[1]):
            return contiguous_format
        least = strides[d] * shape[d]
    return channels_last if rank == 4 else channels_last_3d


__all__ = ["channels_last", "channels_last_3d", "contiguous_format", "follows", "format_strides", "memory_format", "preserve_format",
           "suggested_format"]
