"""Operations that read by position: gather, index_select, take, take_along_dim, masked_select, nonzero and their kin.

Index arrays are checked (see Note [Index checks]); results whose size depends on values read the mask on the host.
"""
from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .. import _dtype as dt
from .._core.grad_graph import node_class
from .._core.handle import TensorBase, from_array, set_strides
from .._core.record import call
from .._core.shared_memory import call_in_place
from .._core.spec import like
from .declare import broadcast_shapes, primitive
from .exact_out import alone_out
from .nn_common import C_NAMES
from .positions import axis_key, check_axis, check_flat, cropped, decode, grid, lifted, read_at, write_at
from .shared import shape_text, wrap_dim
from .variants import FUNCTIONS, METHODS, public


def tensor_argument(name: str, argument: str, position: int, value) -> TensorBase:
    """`value`, which must be a tensor. Raises TypeError as torch's argument parser does."""
    if not isinstance(value, TensorBase):
        raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}")
    return value


def out_of_bounds(error: type = RuntimeError, prefix: str = ""):
    """A `complain` for positions along static `dim`: "index 5 is out of bounds for dimension 0 with size 3"."""
    def complain(code, argtypes, static):
        shape = argtypes[0].shape
        size = shape[static["dim"]] if shape else 1
        return error(f"{prefix}index {decode(code)} is out of bounds for dimension {static['dim']} with size {size}")
    return complain


def out_of_elements(code, argtypes, static) -> IndexError:
    """The error for a position in a flattened tensor."""
    return IndexError(f"out of range: tried to access index {decode(code)} on a tensor of {argtypes[0].numel} elements.")


def expected_out(want: dt.dtype, got: dt.dtype) -> str:
    """The message for an `out=` tensor of another dtype than the result, where torch does not cast."""
    return f"Expected out tensor to have dtype {C_NAMES.get(want, want.name)}, but got {C_NAMES.get(got, got.name)} instead"


def strict_out(name: str, text: Callable = expected_out, result: dt.dtype | None = None) -> None:
    """Make the function `name` raise RuntimeError with `text(wanted dtype, out's dtype)` where `out=` is not of its input's dtype."""
    plain = FUNCTIONS[name]

    def function(*args, **kwargs):
        out = kwargs.get("out")
        if out is not None:
            want = result or (args[0] if args else kwargs["input"])._spec.dtype
            if out._spec.dtype is not want:
                raise RuntimeError(text(want, out._spec.dtype))
        return plain(*args, **kwargs)
    FUNCTIONS[name] = functools.update_wrapper(function, plain)


# ---------------------------------------------------------------- gather
def check_gather(name: str, input, dim: int, index) -> int:
    """torch's checks of the index of gather and scatter: dtype and number of dimensions. Returns `dim` in range."""
    have, got = input._spec, index._spec
    dim = wrap_dim(dim, have.ndim)
    if got.dtype is not dt.int64 and got.dtype is not dt.int32 and got.numel:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    return dim


def _gather_body(xp, x, index, *, dim):
    if 0 in index.shape:
        return xp.zeros(index.shape, x.dtype)
    x, i = lifted(xp, x), lifted(xp, index)
    x = cropped(x, i.shape, dim)
    if xp is np:
        return np.reshape(np.take_along_axis(x, i, dim), index.shape)
    return xp.reshape(xp.take_along_axis(x, i, dim, mode="promise_in_bounds"), index.shape)


def _gather_rule(xp, g, out, x, index, *, dim):
    zeros = xp.zeros(x.shape or (1,), g.dtype)
    if 0 in index.shape:
        return xp.reshape(zeros, x.shape)
    i = lifted(xp, index)
    return xp.reshape(write_at(xp, zeros, grid(i.shape, dim, i), lifted(xp, g), "add"), x.shape)


gather_op = primitive("gather", lambda x, index, *, dim: like(x, tuple(index.shape)), grad="GatherBackward0", saves=(0, 1), vjp=(_gather_rule, None),
                      check=check_axis(False), checked=(1,), complain=out_of_bounds())(_gather_body)


@public("gather", out=True)
def gather(input, dim, index, *, sparse_grad=False):
    """`out[i][j] = input[index[i][j]][j]` for dim 0, and so on: the elements of `input` at `index` along `dim`; the result has index's shape.

    Raises RuntimeError for an index of another dtype, number of dimensions or size than torch takes, or out of range.
    """
    tensor_argument("gather", "index", 3, index)
    dim = check_gather("gather", input, dim, index)
    have, got = input._spec, index._spec
    if got.numel:
        if max(have.ndim, 1) != max(got.ndim, 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
        for d in range(got.ndim):
            if d != dim and have.ndim and got.shape[d] > have.shape[d]:
                raise RuntimeError(f"Size does not match at dimension {d} expected index {shape_text(got.shape)} to be no larger than self "
                                   f"{shape_text(have.shape)} apart from dimension {dim}")
    return call(gather_op, (input, index), (("dim", dim),))


@public("take_along_dim", out=True)
def take_along_dim(input, indices, dim=None):
    """The elements of `input` at `indices` along `dim`, the other dimensions broadcast; without `dim`, of the flattened input.

    Positions are taken modulo the size, as torch does. Raises RuntimeError for indices of another dtype or number of dimensions.
    """
    have, got = input._spec, tensor_argument("take_along_dim", "indices", 2, indices)._spec
    if got.dtype is not dt.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {got.dtype.legacy}")
    if dim is None:
        return gather(METHODS["reshape"](input, -1), 0, METHODS["reshape"](indices, -1))
    if have.ndim != got.ndim:
        raise RuntimeError(f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {have.ndim} dimensions for "
                           f"input, and {got.ndim} dimensions for indices")
    dim = wrap_dim(dim, have.ndim)
    if have.ndim == 0:
        return gather(input, 0, call(wrap_op, (indices,), (("size", 1),)))
    shape = broadcast_shapes([_without(have.shape, dim), _without(got.shape, dim)])
    rows = METHODS["expand"](input, _with(shape, dim, have.shape[dim]))
    places = METHODS["expand"](indices, _with(shape, dim, got.shape[dim]))
    return gather(rows, dim, call(wrap_op, (places,), (("size", have.shape[dim]),)))


def _without(shape, dim: int) -> tuple:
    return tuple(shape[:dim]) + (1,) + tuple(shape[dim + 1:])


def _with(shape: tuple, dim: int, n: int) -> tuple:
    return shape[:dim] + (n,) + shape[dim + 1:]


@primitive("positions modulo size", lambda index, *, size: index)
def wrap_op(xp, index, *, size):
    """Positions taken modulo the size."""
    return xp.remainder(index, max(size, 1))


# ---------------------------------------------------------------- index_select
def _select_infer(x, index, *, dim):
    return x if x.ndim == 0 else like(x, _with(tuple(x.shape), dim, index.numel))


def _select_rule(xp, g, out, x, index, *, dim):
    zeros = xp.zeros(x.shape or (1,), g.dtype)
    return xp.reshape(write_at(xp, zeros, axis_key(dim, xp.reshape(index, (-1,))), lifted(xp, g), "add"), x.shape)


def _select_complaint(code, argtypes, static) -> Exception:
    if static["dim"] == 1:
        return RuntimeError(f"INDICES element is out of DATA bounds, id={decode(code)} axis_dim={argtypes[0].shape[1]}")
    return IndexError("index out of range in self")


@primitive("index_select", _select_infer, grad="IndexSelectBackward0", saves=(1,), vjp=(_select_rule, None), check=check_axis(False), checked=(1,),
           complain=_select_complaint)
def index_select_op(xp, x, index, *, dim):
    """The entries of `x` along `dim` at `index`."""
    index = xp.reshape(index, (-1,))
    return xp.reshape(x, (1,))[index][0] if x.ndim == 0 else read_at(xp, x, axis_key(dim, index))


@public("index_select", out=True)
def index_select(input, dim, index):
    """The entries of `input` along `dim` at the positions of the vector `index`, as a new tensor.

    Raises IndexError or RuntimeError for an index that is no int vector or is out of range.
    """
    got = tensor_argument("index_select", "index", 3, index)._spec
    if got.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if input._spec.ndim == 0 and got.numel != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {got.numel} value(s)")
    if got.dtype is not dt.int64 and got.dtype is not dt.int32:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    return call_in_place(index_select_op, (input, index), (("dim", wrap_dim(dim, input._spec.ndim)),))


# ---------------------------------------------------------------- take
def _take_rule(xp, g, out, x, index):
    flat = write_at(xp, xp.zeros((x.size,), g.dtype), (xp.reshape(index, (-1,)),), xp.reshape(g, (-1,)), "add")
    return xp.reshape(flat, x.shape)


@primitive("take", lambda x, index: like(x, tuple(index.shape)), grad="TakeBackward0", saves=(0, 1), vjp=(_take_rule, None), check=check_flat,
           checked=(1,), complain=out_of_elements)
def take_op(xp, x, index):
    """The elements of the flattened `x` at `index`."""
    return xp.zeros(index.shape, x.dtype) if 0 in index.shape else read_at(xp, xp.reshape(x, (-1,)), (index,))


@public("take", out=True)
def take(input, index):
    """The elements of `input`, seen as flat, at `index`; the result has index's shape. Raises IndexError out of range."""
    got = tensor_argument("take", "index", 2, index)._spec
    if got.dtype is not dt.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {got.dtype.legacy}")
    if input._spec.numel == 0 and got.numel:
        raise IndexError("take(): tried to take from an empty tensor")
    return call(take_op, (input, index))


# ---------------------------------------------------------------- what a mask selects
def _flat_rule(xp, g, out, x, index, *, shape):
    flat = write_at(xp, xp.zeros(shape, g.dtype).reshape(-1), (index,), g, "add")
    return xp.reshape(flat, shape)


@primitive("masked_select", lambda x, index, *, shape: like(x, tuple(index.shape)), grad="MaskedSelectBackward0", saves=(0, 1),
           vjp=(_flat_rule, None))
def masked_select_op(xp, x, index, *, shape):
    """The elements of `x`, broadcast to `shape` and flattened, at `index`."""
    return xp.reshape(xp.broadcast_to(x, shape), (-1,))[index]


@public("masked_select", out=True)
def masked_select(input, mask):
    """The elements of `input` where the bool `mask` is true, as a vector; both broadcast. Reads the mask on the host."""
    got = tensor_argument("masked_select", "mask", 2, mask)._spec
    if got.dtype is not dt.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast_shapes([got.shape, input._spec.shape])
    found = np.flatnonzero(np.broadcast_to(mask._host("masked_select"), shape))
    return call(masked_select_op, (input, _host_tensor(found, input)), (("shape", tuple(shape)),))


def _host_tensor(array: np.ndarray, like_: TensorBase) -> TensorBase:
    return from_array(array, None, like_._spec.device)


def _found(input: TensorBase) -> list:
    host = tensor_argument("nonzero", "input", 1, input)._host("nonzero")
    return [found.astype(np.int64) for found in np.nonzero(host if host.ndim else host.reshape(1))]


def _listed(input: TensorBase) -> TensorBase:
    """One row of positions for each element that is not zero; torch lays it out by columns."""
    found, ndim = _found(input), input._spec.ndim
    rows = len(found[0])
    table = np.ascontiguousarray(np.stack(found, 1)) if ndim else np.zeros((rows, 0), np.int64)
    made = _host_tensor(table, input)
    set_strides(made, (1, rows))
    return made


def nonzero_tuple(input: TensorBase) -> tuple:
    """For each dimension, the positions of the elements that are not zero: `nonzero(as_tuple=True)` and one-argument `where`.

    As in torch they are views, the columns of one table; what they hold is known on the host, so indexing with them is checked at the call.
    """
    found = _found(input)
    table = _host_tensor(np.stack(found, 1), input)
    set_strides(table, (1, len(found[0])))
    columns = METHODS["unbind"](table, 1)
    for column, positions in zip(columns, found):
        column._value.host = positions
    return columns


@public("nonzero", out=True)
def nonzero(input, *, as_tuple=False):
    """The positions of the elements that are not zero, one row each (or one vector for each dimension). Reads the values on the host."""
    return nonzero_tuple(input) if as_tuple else _listed(input)


@public("argwhere")
def argwhere(input):
    """The positions of the elements that are not zero, one row each. Reads the values on the host."""
    return _listed(input)


@public("nonzero_static", out=True)
def nonzero_static(input, *, size, fill_value=-1):
    """The first `size` rows of `nonzero`, filled up with `fill_value`. Raises RuntimeError for a negative size."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = _found(input)
    table = np.full((size, input._spec.ndim), fill_value, np.int64)
    n = min(size, len(found[0]))
    if input._spec.ndim:
        table[:n] = np.stack(found, 1)[:n]
    return _host_tensor(table, input)


for _name in ("GatherBackward0", "IndexSelectBackward0", "TakeBackward0", "MaskedSelectBackward0"):
    node_class(_name).tensors = 1  # the index has no gradient


def _same_type(name: str) -> Callable:
    return lambda want, got: f"{name}(): self and result must have the same scalar type"


strict_out("gather")
strict_out("take_along_dim")
strict_out("index_select", _same_type("index_select"))
strict_out("masked_select", _same_type("masked_select"))
strict_out("take", lambda want, got: f"take(): self and out expected to have the same dtype, but got self.dtype = {want.legacy} and out.dtype = "
                                     f"{got.legacy}")
strict_out("nonzero", lambda want, got: f"nonzero: Expected out tensor to have scalar type Long but got scalar type{got.legacy}", dt.int64)

alone_out("gather", "index_select", "masked_select", "take", "take_along_dim")

__all__ = ["strict_out", "check_gather", "nonzero_tuple", "out_of_bounds", "out_of_elements", "tensor_argument"]
