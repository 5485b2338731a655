"""Joining tensors: `cat`, `stack` and their kin, `block_diag`, `meshgrid`, products of vectors, and broadcasting several tensors."""
from __future__ import annotations

import builtins
import itertools

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array
from .._core.op import Op, cast, half_complex
from .._core.record import call
from .._core.spec import Size, spec_of
from .declare import broadcast_shapes as common_shape
from .declare import common_device, promoted
from .exact_out import alone_out
from .legacy_text import legacy_text
from .memory_format import channels_last, channels_last_3d, format_strides, suggested_format
from .reshape import GROW, reshape_to
from .shared import shape_text, wrap_dim
from .variants import METHODS, public
from .view_ops import expanded


def tensor_list(name: str, tensors, parameter: str = "tensors") -> tuple:
    """A sequence of tensors as a tuple. Raises TypeError in torch's words for anything else."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name}(): argument '{parameter}' (position 1) must be tuple of Tensors, not {type(tensors).__name__}")
    return each_tensor(tensors)


def each_tensor(tensors) -> tuple:
    """Check that all elements are tensors."""
    for position, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            raise TypeError(f"expected Tensor as element {position} in argument 0, but got {type(t).__name__}")
    return tuple(tensors)


def _varied(tensors: tuple) -> tuple:
    """Tensors given one by one or as a single sequence."""
    return each_tensor(tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors)


def _nonempty(name: str, tensors) -> tuple:
    tensors = tensor_list(name, tensors)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return tensors


# ---------------------------------------------------------------- cat
def _kept(shapes) -> list:
    """Positions of the tensors that take part: torch leaves out empty vectors."""
    return [i for i, s in enumerate(shapes) if tuple(s) != (0,)]


def _cat_plan(op: Op, argtypes: tuple, static: dict):
    dim, result = static["dim"], promoted(argtypes)
    kept = _kept([a.shape for a in argtypes])
    first = argtypes[kept[0]] if kept else argtypes[0]
    size = sum(argtypes[i].shape[dim] for i in kept)

    def impl(xp, *arrays):
        return xp.concatenate([cast(xp, arrays[i], result) for i in kept or (0,)], axis=dim)
    return impl, spec_of((*first.shape[:dim], size, *first.shape[dim + 1:]), result, common_device(list(argtypes))), _Pieces(argtypes, dim)


class _Pieces:
    """The vjp rules of `cat`, one for each operand: the piece of the cotangent where it went."""

    def __init__(self, argtypes: tuple, dim: int):
        self.shapes, self.dim = [tuple(a.shape) for a in argtypes], dim

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, i: int):
        start = builtins.sum(s[self.dim] for s in self.shapes[:i] if s != (0,))
        index = (slice(None),) * self.dim + (slice(start, start + self.shapes[i][self.dim] if self.shapes[i] != (0,) else start),)
        if self.shapes[i] == (0,):
            return lambda xp, g, out, *arrays, dim: xp.zeros((0,), g.dtype)
        return lambda xp, g, out, *arrays, dim: g[index]


def _cat_strides(spec, args) -> tuple:
    """Channels-last operands give a channels-last result; everything else a contiguous one."""
    wanted = {4: channels_last, 5: channels_last_3d}.get(spec.ndim)
    if wanted is None or not all(_prefers(a, wanted) for a in args):
        return spec.strides
    return format_strides(tuple(spec.shape), wanted)


def _prefers(t: TensorBase, wanted) -> bool:
    """Whether torch would suggest this format for `t`."""
    return t._strides is not None and suggested_format(t._spec.shape, t._strides) is wanted


cat_op = Op("cat", lambda xp, *arrays: None, _cat_plan, grad="CatBackward0", layout=_cat_strides)


@public("cat", method=False, out=True, also=("concat", "concatenate"))
def cat(tensors, dim=0):
    """The tensors joined along an existing dimension, promoted to one dtype. Raises RuntimeError where other sizes differ."""
    tensors = tensor_list("cat", tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    shapes = [t._spec.shape for t in tensors]
    for i, s in enumerate(shapes):
        if not s:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    kept = _kept(shapes)
    first = shapes[kept[0]] if kept else shapes[0]
    dim = wrap_dim(dim, len(first))
    for i in kept[1:]:
        _check_fits(first, shapes[i], dim, i)
    return call(cat_op, tensors, (("dim", dim),))


def _check_fits(first, shape, dim: int, position: int) -> None:
    if len(shape) != len(first):
        raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
    for d, (a, b) in enumerate(zip(first, shape)):
        if a != b and d != dim:
            raise RuntimeError(f"Sizes of tensors must match except in dimension {dim}. Expected size {a} but got size {b} for tensor number "
                               f"{position} in the list.")


# ---------------------------------------------------------------- stack
def _stack_plan(op: Op, argtypes: tuple, static: dict):
    dim, result, shape = static["dim"], promoted(argtypes), argtypes[0].shape

    def impl(xp, *arrays):
        return xp.stack([cast(xp, a, result) for a in arrays], axis=dim)
    rules = tuple([_piece_of_stack(i, dim) for i in range(len(argtypes))])
    return impl, spec_of((*shape[:dim], len(argtypes), *shape[dim:]), result, common_device(list(argtypes))), rules


def _piece_of_stack(i: int, axis: int):
    index = (slice(None),) * axis + (i,)
    return lambda xp, g, out, *arrays, dim: g[index]


stack_op = Op("stack", lambda xp, *arrays: None, _stack_plan, grad="StackBackward0")


@public("stack", method=False, out=True)
def stack(tensors, dim=0):
    """Tensors of one shape joined along a new dimension. Raises RuntimeError where shapes differ."""
    tensors = _nonempty("stack", tensors)
    shape = tensors[0]._spec.shape
    dim = wrap_dim(dim, len(shape) + 1)
    for i, t in enumerate(tensors):
        if t._spec.shape != shape:
            raise RuntimeError(f"stack expects each tensor to be equal size, but got {shape_text(shape)} at entry 0 and "
                               f"{shape_text(t._spec.shape)} at entry {i}")
    return call(stack_op, tensors, (("dim", dim),))


def _at_least(tensors: tuple, rank: int) -> list:
    return [GROW[rank](t) for t in tensors]


@public("hstack", method=False, out=True)
def hstack(tensors):
    """Joined horizontally: along dimension 1, vectors along their only one."""
    grown = _at_least(_nonempty("hstack", tensors), 1)
    return cat(grown, 0 if grown[0]._spec.ndim == 1 else 1)


@public("vstack", method=False, out=True, also=("row_stack",))
def vstack(tensors):
    """Joined vertically: along dimension 0, vectors as rows."""
    return cat(_at_least(_nonempty("vstack", tensors), 2), 0)


@public("dstack", method=False, out=True)
def dstack(tensors):
    """Joined in depth: along dimension 2."""
    return cat(_at_least(_nonempty("dstack", tensors), 3), 2)


@public("column_stack", method=False, out=True)
def column_stack(tensors):
    """Joined horizontally, vectors and scalars as columns."""
    tensors = _nonempty("column_stack", tensors)
    return cat([reshape_to(t, (t._spec.numel, 1)) if t._spec.ndim <= 1 else t for t in tensors], 1)


# ---------------------------------------------------------------- block_diag
def _as_matrix(shape) -> tuple:
    return (1,) * (2 - len(shape)) + tuple(shape)


def _block_plan(op: Op, argtypes: tuple, static: dict):
    result = promoted(argtypes)
    shapes = [_as_matrix(a.shape) for a in argtypes]
    corners, rows, columns = [], 0, 0
    for m, n in shapes:
        corners.append((slice(rows, rows + m), slice(columns, columns + n)))
        rows, columns = rows + m, columns + n

    def impl(xp, *arrays):
        bands = []
        for a, shape, (_, place) in zip(arrays, shapes, corners):
            bands.append(xp.pad(xp.reshape(cast(xp, a, result), shape), ((0, 0), (place.start, columns - place.stop))))
        return xp.concatenate(bands, axis=0)

    def rule(place):
        return lambda xp, g, out, *arrays: g[place]
    return impl, spec_of((rows, columns), result, common_device(list(argtypes))), _Reshaped([rule(c) for c in corners], argtypes)


class _Reshaped:
    """Rules whose gradients take the shape of their operand."""

    def __init__(self, rules: list, argtypes: tuple):
        self.rules, self.shapes = rules, [tuple(a.shape) for a in argtypes]

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, i: int):
        return lambda xp, g, out, *arrays: xp.reshape(self.rules[i](xp, g, out), self.shapes[i])


block_diag_op = Op("block_diag", lambda xp, *arrays: None, _block_plan, grad="BlockDiagBackward0")
half_complex(cat_op, stack_op, block_diag_op)


@public("block_diag", method=False)
def block_diag(*tensors):
    """A matrix with the given matrices (vectors count as rows) along its diagonal, zeros elsewhere."""
    tensors = each_tensor(tensors)
    if not tensors:
        return from_array(np.zeros((1, 0), dt.get_default_dtype().numpy))
    for i, t in enumerate(tensors):
        if t._spec.ndim > 2:
            raise RuntimeError(f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {t._spec.ndim} dimensions")
    return call(block_diag_op, tensors)


# ---------------------------------------------------------------- grids
@public("meshgrid", method=False)
def meshgrid(*tensors, indexing=None):
    """Coordinate grids of 0-d or 1-d tensors, as expanded views. `indexing` "ij" (default) or "xy" (the first two dimensions exchanged)."""
    tensors = _varied(tensors)
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(t._spec.dtype is not tensors[0]._spec.dtype for t in tensors):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    for t in tensors:
        if t._spec.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {legacy_text(t)}")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(tensors) >= 2
    order = (tensors[1], tensors[0], *tensors[2:]) if swap else tensors
    shape = tuple(t._spec.numel for t in order)
    grids = [expanded(reshape_to(t, (1,) * i + (-1,) + (1,) * (len(order) - i - 1)), shape) for i, t in enumerate(order)]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def _vectors_only(tensors: tuple) -> None:
    for t in tensors:
        if t._spec.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {shape_text(t._spec.shape)}")


@public("cartesian_prod", method=False)
def cartesian_prod(*tensors):
    """All tuples that take one element of each vector, as rows. A single vector gives itself (a view)."""
    tensors = each_tensor(tensors)
    _vectors_only(tensors)
    if len(tensors) == 1:
        return tensors[0]
    return stack([METHODS["flatten"](grid) for grid in meshgrid(*tensors, indexing="ij")], 1)


@public("combinations", method=False)
def combinations(input, r=2, with_replacement=False):
    """All combinations of `r` elements of a vector, as rows in order. Raises RuntimeError for other ranks or a negative `r`."""
    _vectors_only((input,))
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    n = input._spec.numel
    if r == 0:
        return METHODS["new_zeros"](input, (0,))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(n), r)), np.int64).reshape(-1, r)
    return stack([METHODS["index_select"](input, 0, from_array(np.ascontiguousarray(rows[:, i]))) for i in range(r)], 1)


# ---------------------------------------------------------------- broadcasting
@public("broadcast_tensors", method=False)
def broadcast_tensors(*tensors):
    """The tensors expanded (views) to their common shape, those that have it as they are. Raises RuntimeError where they do not broadcast."""
    tensors = _varied(tensors)
    shape = common_shape([t._spec.shape for t in tensors])
    return tuple([t if t._spec.shape == shape else expanded(t, shape) for t in tensors])


@public("broadcast_shapes", method=False)
def broadcast_shapes(*shapes):
    """The shape that arguments of these shapes (tuples or ints) broadcast to, as a torch.Size."""
    listed = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    result = [1] * builtins.max([len(s) for s in listed], default=0)
    for position, shape in enumerate(listed):
        for i in range(-1, -1 - len(shape), -1):
            if shape[i] < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if shape[i] == 1 or shape[i] == result[i]:
                continue
            if result[i] != 1:
                raise RuntimeError(f"Attempting to broadcast a dimension of length {shape[i]} at {i}! Mismatching argument at index {position} had "
                                   f"{shape}; but expected shape should be broadcastable to {result}")
            result[i] = shape[i]
    return Size(result)


alone_out("cat", "concat", "concatenate", "stack", "hstack", "vstack", "row_stack", "dstack", "column_stack")

__all__ = ["cat", "each_tensor", "stack", "tensor_list"]
