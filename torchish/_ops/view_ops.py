"""View operations: results that share their base's memory. Each op carries its forward, its inverse `put`, and torch's strides.

Starts and indices are numbers (arguments of the program), sizes and steps are static: slicing a batch out at another place is the
same program.
"""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .._core.handle import TensorBase
from .._core.op import Op, simple
from .._core.spec import contiguous_strides, like
from .._core.view import make_view
from .shared import shape_text, sizes, wrap_dim, wrap_dims
from .variants import METHODS, PROPERTIES, public


def _zeros_put(op_name: str):
    """The gradient of a view whose elements are distinct: put the cotangent into zeros."""
    def rule(xp, g, out, base, *numbers, **static):
        return VIEWS[op_name].put(xp, xp.zeros(base.shape, g.dtype), g, *numbers, **static)
    return rule


VIEWS: dict[str, Op] = {}


def view_op(name: str, body, put, infer, grad: str, vjp=None) -> Op:
    """Declare a view op; its gradient is derived from `put` unless a rule is given."""
    VIEWS[name] = Op(name, body, simple(infer), grad=grad, put=put, vjp=(vjp or _zeros_put(name),))
    return VIEWS[name]


# ---------------------------------------------------------------- slice and select
def _window(xp, base, start, dim: int, length: int, step: int):
    """The elements start, start + step, ... (`length` of them) of one dimension."""
    if xp is np:
        index = (slice(None),) * dim + (slice(int(start), int(start) + (length - 1) * step + 1, step) if length else slice(0, 0),)
        return base[index]
    span = (length - 1) * step + 1 if length else 0
    piece = jax.lax.dynamic_slice_in_dim(base, start, span, dim)
    return piece if step == 1 else jax.lax.slice_in_dim(piece, 0, span, step, dim)


def _slice_body(xp, base, start, *, dim, length, step):
    return _window(xp, base, start, dim, length, step)


def _slice_put(xp, base, new, start, *, dim, length, step):
    if length == 0:
        return base
    if xp is np:
        made = base.copy()
        made[(slice(None),) * dim + (slice(int(start), int(start) + (length - 1) * step + 1, step),)] = new
        return made
    if step == 1:
        return jax.lax.dynamic_update_slice_in_dim(base, new.astype(base.dtype), start, dim)
    span = (length - 1) * step + 1
    piece = jax.lax.dynamic_slice_in_dim(base, start, span, dim)
    index = (slice(None),) * dim + (slice(0, span, step),)
    return jax.lax.dynamic_update_slice_in_dim(base, piece.at[index].set(new.astype(base.dtype)), start, dim)


def _slice_infer(base, start, *, dim, length, step):
    shape = list(base.shape)
    shape[dim] = length
    return like(base, tuple(shape))


slice_op = view_op("slice", _slice_body, _slice_put, _slice_infer, "SliceBackward0")


def slice_view(t: TensorBase, dim: int, start: int, length: int, step: int = 1) -> TensorBase:
    """`t` with dimension `dim` reduced to `length` elements from `start`, `step` apart (all already in range)."""
    strides = list(t._current_strides)
    offset = t._offset + (start * strides[dim] if length or start < t._spec.shape[dim] else start * strides[dim])
    strides[dim] *= step
    return make_view(t, slice_op, (start,), (("dim", dim), ("length", length), ("step", step)), tuple(strides), offset)


def _select_body(xp, base, index, *, dim):
    if xp is np:
        return base[(slice(None),) * dim + (int(index),)]
    return jax.lax.dynamic_index_in_dim(base, index, dim, keepdims=False)


def _select_put(xp, base, new, index, *, dim):
    if xp is np:
        made = base.copy()
        made[(slice(None),) * dim + (int(index),)] = new
        return made
    return jax.lax.dynamic_update_index_in_dim(base, new.astype(base.dtype), index, dim)


select_op = view_op("select", _select_body, _select_put, lambda base, index, *, dim: like(base, base.shape[:dim] + base.shape[dim + 1:]),
                    "SelectBackward0")


def select_view(t: TensorBase, dim: int, index: int) -> TensorBase:
    """`t[..., index, ...]` (index already in [0, size))."""
    strides = t._current_strides
    return make_view(t, select_op, (index,), (("dim", dim),), strides[:dim] + strides[dim + 1:], t._offset + index * strides[dim])


@public("select")
def select(input, dim, index):
    """The slice of `input` at position `index` of dimension `dim`: a view without that dimension. Raises IndexError out of range."""
    spec = input._spec
    if spec.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, spec.ndim)
    index, n = index.__index__(), spec.shape[dim]
    if not -n <= index < n:
        raise IndexError(f"select(): index {index} out of range for tensor of size {shape_text(spec.shape)} at dimension {dim}")
    return select_view(input, dim, index % n)


@public("narrow")
def narrow(input, dim, start, length):
    """`length` elements of dimension `dim` from `start`: a view. Raises RuntimeError or IndexError out of range."""
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, spec.ndim)
    n, start = spec.shape[dim], int(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slice_view(input, dim, start, length)


# ---------------------------------------------------------------- permutations
def _permute_body(xp, base, *, dims):
    return xp.transpose(base, dims)


def _permute_put(xp, base, new, *, dims):
    return xp.transpose(new, tuple(int(i) for i in np.argsort(dims)))


def _permute_infer(base, *, dims):
    return like(base, tuple(base.shape[d] for d in dims))


def _permutation(name: str, grad: str) -> Op:
    return view_op(name, _permute_body, _permute_put, _permute_infer, grad, lambda xp, g, out, base, *, dims: _permute_put(xp, base, g, dims=dims))


permute_op = _permutation("permute", "PermuteBackward0")
transpose_op = _permutation("transpose", "TransposeBackward0")
t_op = _permutation("t", "TBackward0")


def permuted(t: TensorBase, dims: tuple, op: Op = permute_op) -> TensorBase:
    """A view with its dimensions reordered."""
    strides = t._current_strides
    return make_view(t, op, (), (("dims", dims),), tuple(strides[d] for d in dims), t._offset)


@public("permute")
def permute(input, *dims):
    """A view with its dimensions in the order `dims`. Raises RuntimeError unless they are a permutation."""
    dims = sizes(dims)
    ndim = input._spec.ndim
    if len(dims) != ndim:
        raise RuntimeError(f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
                           f"dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}")
    wrapped = tuple(wrap_dim(d, ndim) for d in dims)
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permuted(input, wrapped)


@public("transpose", also=("swapaxes", "swapdims"))
def transpose(input, dim0, dim1):
    """A view with two dimensions exchanged."""
    ndim = input._spec.ndim
    a, b = wrap_dim(dim0, ndim), wrap_dim(dim1, ndim)
    dims = list(range(ndim))
    if ndim:
        dims[a], dims[b] = dims[b], dims[a]
    return permuted(input, tuple(dims), transpose_op)


@public("t")
def t(input):
    """The transpose of a matrix, a view; vectors and scalars as they are. Raises RuntimeError beyond two dimensions."""
    ndim = input._spec.ndim
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return permuted(input, tuple(range(ndim))[::-1], t_op)


def _numpy_transpose(self):
    return permuted(self, tuple(range(self._spec.ndim))[::-1])


def _matrix_transpose(self):
    if self._spec.ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self._spec.ndim}-D tensor.")
    return transpose(self, -2, -1)


PROPERTIES["T"] = (_numpy_transpose, None)
PROPERTIES["mT"] = (_matrix_transpose, None)


# ---------------------------------------------------------------- reshaping
def _view_body(xp, base, *, shape):
    return xp.reshape(base, shape)


def _view_put(xp, base, new, *, shape):
    return xp.reshape(new, base.shape)


def _reshaping(name: str, grad: str) -> Op:
    return view_op(name, _view_body, _view_put, lambda base, *, shape: like(base, shape), grad,
                   lambda xp, g, out, base, *, shape: xp.reshape(g, base.shape))


view_as_op = _reshaping("view", "ViewBackward0")
alias_op = _reshaping("unsafe view", "UnsafeViewBackward0")
squeeze_op = _reshaping("squeeze", "SqueezeBackward0")
squeeze_dim_op = _reshaping("squeeze.dim", "SqueezeBackward1")
squeeze_dims_op = _reshaping("squeeze.dims", "SqueezeBackward2")
unsqueeze_op = _reshaping("unsqueeze", "UnsqueezeBackward0")


def view_strides(shape: tuple, strides: tuple, new: tuple) -> tuple | None:
    """Strides for viewing memory of (shape, strides) as shape `new`, or None where that needs a copy. torch's computeStride rule."""
    if 0 in shape:
        return strides if tuple(shape) == tuple(new) else contiguous_strides(new)
    result = [0] * len(new)
    at = len(new) - 1
    chunk_stride = strides[-1] if strides else 1
    have = want = 1
    for d in range(len(shape) - 1, -1, -1):
        have *= shape[d]
        if d == 0 or (shape[d - 1] != 1 and strides[d - 1] != have * chunk_stride):
            while at >= 0 and (want < have or new[at] == 1):
                result[at] = want * chunk_stride
                want *= new[at]
                at -= 1
            if want != have:
                return None
            if d > 0:
                chunk_stride, have, want = strides[d - 1], 1, 1
    if not shape:
        while at >= 0:
            result[at] = 1
            at -= 1
    return tuple(result) if at < 0 else None


def infer_size(shape: tuple, numel: int) -> tuple:
    """`shape` with a -1 filled in. Raises RuntimeError with torch's message where the count does not fit."""
    if -1 not in shape:
        n = 1
        for s in shape:
            if s < 0:
                raise RuntimeError(f"invalid shape dimension {s}")
            n *= s
        if n != numel:
            raise RuntimeError(f"shape '{shape_text(shape)}' is invalid for input of size {numel}")
        return shape
    known = 1
    for i, s in enumerate(shape):
        if s == -1:
            if -1 in shape[i + 1:]:
                raise RuntimeError("only one dimension can be inferred")
        elif s < 0:
            raise RuntimeError(f"invalid shape dimension {s}")
        else:
            known *= s
    if known == 0:
        if numel == 0:
            raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {shape_text(shape)} because the unspecified dimension size -1 can be "
                               "any value and is ambiguous")
    if known == 0 or numel % known:
        raise RuntimeError(f"shape '{shape_text(shape)}' is invalid for input of size {numel}")
    return tuple(numel // known if s == -1 else s for s in shape)


def reshaped(t: TensorBase, shape: tuple, op: Op = view_as_op) -> TensorBase | None:
    """`t` viewed as `shape`, or None where torch could not without a copy."""
    spec = t._spec
    strides = contiguous_strides(shape) if t._strides is None else view_strides(tuple(spec.shape), t._strides, shape)
    return None if strides is None else make_view(t, op, (), (("shape", shape),), strides, t._offset)


@public("view", function=False)
def view(self, *shape):
    """The same memory under another shape (or, with a dtype, read as another dtype). Raises RuntimeError where strides forbid it."""
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list, TensorBase)):
        return METHODS["_view_dtype"](self, shape[0])
    made = reshaped(self, infer_size(sizes(shape), self._spec.numel))
    if made is None:
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
                           "subspaces). Use .reshape(...) instead.")
    return made


@public("unsqueeze")
def unsqueeze(input, dim):
    """A view with a dimension of size 1 inserted at `dim`."""
    spec = input._spec
    dim = wrap_dim(dim, spec.ndim + 1)
    strides = input._current_strides
    step = spec.shape[dim] * strides[dim] if dim < spec.ndim else 1
    shape = tuple(spec.shape[:dim]) + (1,) + tuple(spec.shape[dim:])
    return make_view(input, unsqueeze_op, (), (("shape", shape),), strides[:dim] + (step,) + strides[dim:], input._offset)


@public("squeeze")
def squeeze(input, *dim, **kw):
    """A view without dimensions of size 1: all of them, or those named."""
    spec = input._spec
    given = kw.get("dim", dim[0] if len(dim) == 1 else dim if dim else None)
    if given is None:
        drop, op = {i for i, n in enumerate(spec.shape) if n == 1}, squeeze_op
    elif isinstance(given, int):
        d = wrap_dim(given, spec.ndim)
        drop, op = ({d} if spec.ndim and spec.shape[d] == 1 else set()), squeeze_dim_op
    else:
        drop, op = {d for d in wrap_dims(given, spec.ndim) if spec.ndim and spec.shape[d] == 1}, squeeze_dims_op
    strides = input._current_strides
    keep = [i for i in range(spec.ndim) if i not in drop]
    return make_view(input, op, (), (("shape", tuple(spec.shape[i] for i in keep)),), tuple(strides[i] for i in keep), input._offset)


# ---------------------------------------------------------------- expand
def _expand_body(xp, base, *, shape):
    return xp.broadcast_to(base, shape)


def _expand_put(xp, base, new, *, shape):
    raise RuntimeError("unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
                       "Please clone() the tensor before performing the operation.")


expand_op = view_op("expand", _expand_body, _expand_put, lambda base, *, shape: like(base, shape), "ExpandBackward0",
                    lambda xp, g, out, base, *, shape: g)


@public("expand", function=False)
def expand(self, *size, implicit=False):
    """A view with dimensions of size 1 repeated (stride 0) to `size`; -1 keeps a size. Raises RuntimeError where sizes do not fit."""
    size, spec = sizes(size), self._spec
    lead = len(size) - spec.ndim
    if lead < 0:
        raise RuntimeError(f"expand({self.type()}{{{shape_text(spec.shape)}}}, size={shape_text(size)}): the number of sizes provided "
                           f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({spec.ndim})")
    shape, strides, own = [], [], self._current_strides
    for i, n in enumerate(size):
        have = spec.shape[i - lead] if i >= lead else 1
        if n == -1 and i < lead:
            raise RuntimeError(f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}")
        n = have if n == -1 else n
        if have != n and have != 1:
            raise RuntimeError(f"The expanded size of the tensor ({n}) must match the existing size ({have}) at non-singleton dimension {i}.  "
                               f"Target sizes: {shape_text(size)}.  Tensor sizes: {shape_text(spec.shape)}")
        shape.append(n)
        strides.append(_expanded_stride(i, lead, have, n, own, shape, strides))
    for i in range(lead - 1, -1, -1):  # torch gives leading dimensions the stride of what follows, or 0 where they repeat
        strides[i] = 0 if shape[i] != 1 else (strides[i + 1] * shape[i + 1] if i + 1 < len(shape) else 1)
    return make_view(self, expand_op, (), (("shape", tuple(shape)),), tuple(strides), self._offset)


def _expanded_stride(i, lead, have, n, own, shape, strides) -> int:
    if i < lead:
        return 0
    return 0 if have == 1 and n != 1 else own[i - lead]


__all__ = ["VIEWS", "infer_size", "jnp", "permuted", "reshaped", "select_view", "slice_view", "view_op", "view_strides"]
