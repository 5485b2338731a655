"""Small checks that many operations share: wrapping dimensions, reading sizes. Each raises torch's exception and message."""
from __future__ import annotations

import warnings

import numpy as np

from .._core.handle import TensorBase
from .._core.spec import Size
from .rounding import sum_as_torch


def wrap_dim(dim: int, ndim: int, scalar_ok: bool = True) -> int:
    """A dimension number in [0, ndim). Raises IndexError out of range; a 0-dim tensor accepts 0 and -1."""
    n = max(ndim, 1) if scalar_ok else ndim
    if not -n <= dim < n:
        if ndim == 0 and not scalar_ok:
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


def wrap_dims(dims, ndim: int) -> tuple[int, ...]:
    """Several dimension numbers, all different. Raises RuntimeError for a repetition."""
    wrapped = tuple(wrap_dim(d, ndim) for d in dims)
    if len(set(wrapped)) != len(wrapped):
        twice = next(d for i, d in enumerate(wrapped) if d in wrapped[:i])
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return wrapped


def sizes(args: tuple) -> tuple[int, ...]:
    """Sizes given as `f(2, 3)`, `f((2, 3))` or `f(torch.Size)`: a tuple of ints."""
    if len(args) == 1 and not isinstance(args[0], int):
        first = args[0]
        if isinstance(first, TensorBase):
            return (int(first),) if first._spec.ndim == 0 else tuple(first.tolist())
        if not isinstance(first, (tuple, list)) and (isinstance(first, str) or not hasattr(first, "__iter__")):
            raise TypeError(f"(): argument 'size' (position 1) must be tuple of ints, not {type(first).__name__}")
        args = tuple(first)
        if args and (isinstance(args[0], (float, str)) or not hasattr(args[0], "__index__")):
            raise TypeError(f"(): argument 'size' (position 1) must be tuple of ints, but found element of type {type(args[0]).__name__} at pos 0")
    return tuple([a if a.__class__ is int else _as_int(a, i) for i, a in enumerate(args)])


def _as_int(a, place: int) -> int:
    """An element of a size. The public forms put their name before the message, see call_errors.explained."""
    if isinstance(a, (float, str)) or not hasattr(a, "__index__"):
        raise TypeError(f"(): argument 'size' failed to unpack the object at pos {place + 1} with error \"type must be tuple of ints,but got "
                        f"{type(a).__name__}\"")
    return a.__index__()


def shape_text(shape) -> str:
    """A shape as torch prints it inside messages: [2, 3]."""
    return f"[{', '.join(map(str, shape))}]"


def check_part(src: TensorBase, shape) -> None:
    """Raise RuntimeError unless `src` has the shape of the part of a tensor that it is to replace."""
    if tuple(src._spec.shape) != tuple(shape):
        raise RuntimeError(f"expected src to have a size equal to the slice of self. src size = {shape_text(src._spec.shape)}, "
                           f"slice size = {shape_text(shape)}")


_warned: set[str] = set()


def warn_once(text: str, depth: int = 3) -> None:
    """Warn of what torch says once in a process. `depth`: how many calls up from here the user's line is."""
    if text not in _warned:
        _warned.add(text)
        warnings.warn(text, UserWarning, stacklevel=depth + 1)


FEW = 1 << 14


def summed(xp, x, axis=None, keepdims: bool = False):
    """A sum; of few numbers it is rounded as torch's is where the order of its additions is known, else, for float32, once from float64.

    torch's other orders also come out within half a unit of the exact sum nearly always.
    """
    if x.dtype.kind == "f" and x.dtype.itemsize >= 4 and x.size <= FEW:
        made = sum_as_torch(xp, x, _axes(axis, x.ndim))
        if made is not None:
            return xp.expand_dims(made, _axes(axis, x.ndim)) if keepdims else made
        if x.dtype == np.float32:
            return xp.sum(x, axis=axis, keepdims=keepdims, dtype=np.float64).astype(np.float32)
    return xp.sum(x, axis=axis, keepdims=keepdims)


def _axes(axis, ndim: int) -> tuple:
    return tuple(range(ndim)) if axis is None else (axis % ndim,) if isinstance(axis, int) else tuple([a % ndim for a in axis])


__all__ = ["Size", "check_part", "shape_text", "sizes", "summed", "warn_once", "wrap_dim", "wrap_dims"]
