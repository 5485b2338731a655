"""Copies with elements repeated, shifted, mirrored or turned: repeat, repeat_interleave, tile, roll, flip, rot90."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.evaluate import read
from .._core.handle import TensorBase, from_array, set_strides
from .._core.op import Op, half_complex, simple
from .._core.record import call
from .._core.spec import contiguous_strides, like
from .._dtype import INTEGER
from .conversion import dense_copy
from .int_lists import int_list
from .layout import like_strides, suggested
from .shared import shape_text, wrap_dim
from .variants import FUNCTIONS, METHODS, public
from .view_ops import expanded, unsqueeze


# ---------------------------------------------------------------- repeat and tile
def _repeat_rule(xp, g, out, x, *, repeats):
    shape = (1,) * (len(repeats) - x.ndim) + x.shape
    split = [n for pair in zip(repeats, shape) for n in pair]
    return xp.reshape(xp.sum(xp.reshape(g, split), axis=tuple(range(0, len(split), 2))), x.shape)


repeat_op = Op("repeat", lambda xp, x, *, repeats: xp.tile(x, repeats),
               simple(lambda x, *, repeats: like(x, tuple(a * b for a, b in zip(repeats, (1,) * (len(repeats) - x.ndim) + tuple(x.shape))))),
               grad="RepeatBackward0", vjp=(_repeat_rule,))


@public("repeat", function=False)
def repeat(self, *args, repeats=None):
    """A copy with the tensor repeated so many times along each dimension; more counts than dimensions add leading ones."""
    return repeated(self, int_list("repeat", "repeats", args, repeats))


def repeated(t: TensorBase, repeats: tuple) -> TensorBase:
    """`repeat` by a tuple of counts. Raises RuntimeError for too few or negative counts."""
    shape = tuple(t._spec.shape)
    if len(repeats) < len(shape):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    wanted = [a * b for a, b in zip(repeats, (1,) * (len(repeats) - len(shape)) + shape)]
    if any(n < 0 for n in wanted):
        raise RuntimeError(f"Trying to create tensor with negative dimension {next(n for n in wanted if n < 0)}: {shape_text(wanted)}")
    return call(repeat_op, (t,), (("repeats", repeats),))


@public("tile")
def tile(input, *args, dims=None):
    """`repeat`, where missing leading counts are 1."""
    counts = int_list("tile", "dims", args, dims)
    return repeated(input, (1,) * (input._spec.ndim - len(counts)) + counts)


# ---------------------------------------------------------------- repeat_interleave
@public("repeat_interleave")
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (or slice of `dim`) repeated `repeats` times in place; without `dim` the tensor is flattened first.

    `repeat_interleave(counts)` gives each index of `counts` so many times. Raises RuntimeError for negative counts or other sizes.
    """
    if repeats is None:
        return from_array(_indices_of(input, None, output_size))
    if not isinstance(repeats, (int, TensorBase)):
        raise TypeError("repeat_interleave() received an invalid combination of arguments - "
                        f"got ({type(repeats).__name__}), but expected one of:\n * (Tensor repeats, int dim = None, *, int output_size = None)\n"
                        " * (int repeats, int dim = None, *, int output_size = None)\n")
    if isinstance(repeats, int):
        return _repeated_evenly(input, repeats, dim, output_size)
    if dim is None:
        input, dim = METHODS["flatten"](input), 0
    dim = wrap_dim(dim, input._spec.ndim)
    index = from_array(_indices_of(repeats, input._spec.shape[dim] if input._spec.ndim else 1, output_size))
    return FUNCTIONS["index_select"](input, dim, index)


def _repeated_evenly(input: TensorBase, repeats: int, dim, output_size):
    if dim is None:
        input, dim = METHODS["flatten"](input), 0
    ndim = input._spec.ndim
    dim = wrap_dim(dim, ndim)
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    spread = unsqueeze(input, dim + 1)
    shape = list(input._spec.shape)
    if output_size is not None and output_size != shape[dim] * repeats:
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {shape[dim] * repeats} but got {output_size}")
    wide = expanded(spread, (*shape[:dim + 1], repeats, *shape[dim + 1:]))
    shape[dim] *= repeats
    return METHODS["view"](dense_copy(wide), shape)


def _indices_of(repeats: TensorBase, size: int | None, output_size) -> np.ndarray:
    """The index of each repeated element. The counts are read: they decide the result's size."""
    spec = repeats._spec
    if spec.dtype.category != INTEGER or spec.dtype not in (dt.int32, dt.int64):
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{spec.dtype.legacy}'")
    if spec.ndim > 1 or (size is None and spec.ndim != 1):
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor" if size is not None else
                           "repeat_interleave only accept 1D vector as repeat")
    counts = read(repeats._read(), "repeat_interleave")
    if size is not None:
        if spec.ndim == 0 or (spec.numel == 1 and size != 1):
            counts = np.broadcast_to(counts.reshape(()), (size,))
        elif len(counts) != size:
            raise RuntimeError(f"repeats must have the same size as input along dim, but got repeats.size(0) = {len(counts)} and "
                               f"input.size(0) = {size}")
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    if output_size is not None and output_size != counts.sum():
        raise RuntimeError("allocated size does not match required size")
    return np.repeat(np.arange(len(counts), dtype=spec.dtype.numpy), counts)


# ---------------------------------------------------------------- roll
roll_op = Op("roll", lambda xp, x, *, shifts, dims: xp.roll(x, shifts, dims) if dims else xp.roll(x, shifts[0]), simple(lambda x, **static: x),
             grad="RollBackward0",
             vjp=(lambda xp, g, out, x, *, shifts, dims: xp.roll(g, tuple(-s for s in shifts), dims) if dims else xp.roll(g, -shifts[0]),),
             layout=suggested(0))
half_complex(roll_op)


@public("roll")
def roll(input, shifts, dims=()):
    """Elements shifted along `dims`, those that fall off one end coming back at the other; without `dims`, in flattened order."""
    shifts, dims = int_list("roll", "shifts", (shifts,)), (dims,) if isinstance(dims, int) else tuple(dims or ())
    if not shifts:
        raise RuntimeError("`shifts` required")
    if len(shifts) != len(dims) and (dims or len(shifts) > 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    dims = tuple(wrap_dim(d, input._spec.ndim, False) for d in dims)
    return call(roll_op, (input,), (("shifts", shifts), ("dims", dims)))


# ---------------------------------------------------------------- flip
flip_op = Op("flip", lambda xp, x, *, dims: xp.flip(x, dims) if dims else x, simple(lambda x, *, dims: x), grad="FlipBackward0",
             vjp=(lambda xp, g, out, x, *, dims: xp.flip(g, dims) if dims else g,), layout=like_strides)


@public("flip")
def flip(input, *args, dims=None):
    """A copy with the order of the elements reversed along `dims`."""
    dims = int_list("flip", "dims", args, dims)
    ndim = input._spec.ndim
    wrapped = [wrap_dim(d, ndim) for d in dims]
    for i, d in enumerate(wrapped):
        if d in wrapped[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return call(flip_op, (input,), (("dims", tuple(wrapped) if ndim else ()),))


@public("fliplr")
def fliplr(input):
    """`flip` along dimension 1."""
    if input._spec.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, (1,))


@public("flipud")
def flipud(input):
    """`flip` along dimension 0."""
    if input._spec.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, (0,))


# ---------------------------------------------------------------- rot90
def _rot90_infer(x, *, k, dims):
    shape = list(x.shape)
    if k % 2:
        shape[dims[0]], shape[dims[1]] = shape[dims[1]], shape[dims[0]]
    return like(x, tuple(shape))


rot90_op = Op("rot90", lambda xp, x, *, k, dims: xp.rot90(x, k, dims), simple(_rot90_infer), grad="Rot90Backward0",
              vjp=(lambda xp, g, out, x, *, k, dims: xp.rot90(g, -k, dims),))


@public("rot90")
def rot90(input, k=1, dims=(0, 1)):
    """A copy turned by 90 degrees `k` times in the plane of two dimensions, from the first towards the second."""
    dims, ndim = tuple(dims), input._spec.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or (abs(dims[0] - dims[1]) == ndim and max(dims) < ndim):
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    a, b = (wrap_dim(d, ndim) for d in dims)
    k %= 4
    made = call(rot90_op, (input,), (("k", k), ("dims", (a, b))))
    set_strides(made, _turned_strides(input, k, a, b))
    return made


def _turned_strides(input: TensorBase, k: int, a: int, b: int) -> tuple:
    """torch flips first, which keeps the order of the dimensions in memory, then exchanges two of them; no turn is a plain copy."""
    shape = tuple(input._spec.shape)
    strides = contiguous_strides(shape) if k == 0 else list(like_strides(input._spec, (input,)))
    if k % 2:
        strides[a], strides[b] = strides[b], strides[a]
    return tuple(strides)


__all__ = ["flip", "repeated"]
