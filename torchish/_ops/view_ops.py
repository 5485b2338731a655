"""View operations: results that share their base's memory. Each op carries its forward, its inverse `put`, and torch's strides.

Starts and indices are numbers (arguments of the program), sizes and steps are static: slicing a batch out at another place is the
same program.
"""
from __future__ import annotations

import jax
import numpy as np

from .._core.grad_graph import node_class
from .._core.handle import TensorBase
from .._core.op import Op, half_complex, simple
from .._core.spec import like
from .._core.tape import state
from .._core.view import OVERLAPPING, become, check_place, make_view
from .._dtype import INTEGER
from .int_lists import int_list
from .shared import shape_text, wrap_dim, wrap_dims
from .variants import METHODS, PROPERTIES, public, register


def _zeros_put(op_name: str):
    """The gradient of a view whose elements are distinct: put the cotangent into zeros."""
    def rule(xp, g, out, base, *numbers, **static):
        return VIEWS[op_name].put(xp, xp.zeros(base.shape, g.dtype), g, *numbers, **static)
    return rule


VIEWS: dict[str, Op] = {}


def view_op(name: str, body, put, infer, grad: str, vjp=None, info: str | None = None) -> Op:
    """Declare a view op; its gradient is derived from `put` unless a rule is given. `info` is OVERLAPPING, REINTERPRETING or nothing."""
    VIEWS[name] = Op(name, body, simple(infer), grad=grad, put=put, vjp=(vjp or _zeros_put(name),), info=info)
    half_complex(VIEWS[name])
    if grad:
        node_class(grad).tensors = 1  # starts and indices are numbers
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
    offset = t._offset + start * strides[dim]
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
    if isinstance(start, TensorBase) and (start._spec.ndim or start._spec.dtype.category != INTEGER):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
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
def permute(input, *args, dims=None):
    """A view with its dimensions in the order `dims`. Raises RuntimeError unless they are a permutation."""
    dims = int_list("permute", "dims", args, dims)
    ndim = input._spec.ndim
    if len(dims) != ndim:
        raise RuntimeError(f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
                           f"dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}")
    wrapped = tuple(wrap_dim(d, ndim) for d in dims)
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permuted(input, wrapped)


@public("transpose", also=("swapdims",))
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
    _matrices_only(self, "tensor.mT")
    return _last_two_swapped(self)


@public("swapaxes")
def swapaxes(input, axis0, axis1):
    """`transpose` under NumPy's name."""
    return transpose(input, axis0, axis1)


@public("movedim")
def movedim(input, source, destination):
    """A view with the dimensions `source` (an int or several) moved to the places `destination`; the others keep their order."""
    source, destination = ((x,) if isinstance(x, int) else tuple(x) for x in (source, destination))
    if len(source) != len(destination):
        raise RuntimeError(f"movedim: Invalid source or destination dims: source ({shape_text(source)} dims) should contain the same number of "
                           f"dims as destination ({shape_text(destination)} dims)")
    ndim = input._spec.ndim
    moved, places = (tuple(wrap_dim(d, ndim) for d in dims) for dims in (source, destination))
    for name, wrapped, given in (("source", moved, source), ("destination", places, destination)):
        if len(set(wrapped)) != len(wrapped):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({shape_text(given)})")
    rest = iter([d for d in range(ndim) if d not in moved])
    at = dict(zip(places, moved))
    return permuted(input, tuple(at[i] if i in at else next(rest) for i in range(ndim)))


@public("moveaxis")
def moveaxis(input, source, destination):
    """`movedim` under NumPy's name."""
    return movedim(input, source, destination)


def _matrices_only(self, what: str) -> None:
    if self._spec.ndim == 1:
        raise RuntimeError(f"{what} is only supported on matrices or batches of matrices. Got {self._spec.ndim}-D tensor.")


def _last_two_swapped(t):
    return transpose(t, -2, -1) if t._spec.ndim else t


def _conjugated(t):
    return METHODS["conj"](t) if t._spec.dtype.is_complex else t


@public("adjoint")
def adjoint(input):
    """The conjugate transpose of the last two dimensions. Raises RuntimeError below two dimensions."""
    _matrices_only(input, "tensor.adjoint()")
    return _conjugated(_last_two_swapped(input))


def _adjoint_property(self):
    _matrices_only(self, "tensor.mH")
    return _conjugated(_last_two_swapped(self))


def _hermitian(self):
    ndim = self._spec.ndim
    if ndim not in (0, 2):
        more = ". For batches of matrices, consider using tensor.mH" if ndim > 2 else "."
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor{more}")
    return _conjugated(transpose(self, 0, 1) if ndim else self)


PROPERTIES["T"] = (_numpy_transpose, None)
PROPERTIES["mT"] = (_matrix_transpose, None)
PROPERTIES["H"] = (_hermitian, None)
PROPERTIES["mH"] = (_adjoint_property, None)


# ---------------------------------------------------------------- dimensions of size 1
def reshaping_op(name: str, grad: str) -> Op:
    """Declare a view op that only regroups elements in row-major order; static `shape` is the result's."""
    return view_op(name, lambda xp, base, *, shape: xp.reshape(base, shape), lambda xp, base, new, *, shape: xp.reshape(new, base.shape),
                   lambda base, *, shape: like(base, shape), grad, lambda xp, g, out, base, *, shape: xp.reshape(g, base.shape))


squeeze_op = reshaping_op("squeeze", "SqueezeBackward0")
squeeze_dim_op = reshaping_op("squeeze.dim", "SqueezeBackward1")
squeeze_dims_op = reshaping_op("squeeze.dims", "SqueezeBackward2")
unsqueeze_op = reshaping_op("unsqueeze", "UnsqueezeBackward0")


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
def squeeze(input, *args, dim=None):
    """A view without dimensions of size 1: all of them, or those named."""
    spec = input._spec
    given = dim if not args else args[0] if len(args) == 1 else args
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
def _no_direct_put(xp, base, new, **static):
    raise NotImplementedError("torchish: a view that repeats elements is written to by the places of its elements")


expand_op = view_op("expand", lambda xp, base, *, shape: xp.broadcast_to(base, shape), _no_direct_put, lambda base, *, shape: like(base, shape),
                    "ExpandBackward0", lambda xp, g, out, base, *, shape: sum_to(xp, g, base.shape), OVERLAPPING)


def sum_to(xp, g, shape: tuple):
    """`g` summed over the axes that broadcasting `shape` added or stretched."""
    lead = g.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1)
    return xp.reshape(xp.sum(g, axis=axes), shape) if axes else xp.reshape(g, shape)


@public("expand", function=False)
def expand(self, *args, size=None, implicit=False):
    """A view with dimensions of size 1 repeated (stride 0) to `size`; -1 keeps a size. Raises RuntimeError where sizes do not fit."""
    return expanded(self, int_list("expand", "size", args, size))


_TRANSLATED = ("Byte", "Char", "Double", "Float", "Int", "Long", "Short", "Half")  # torch's errors give only these their public names


def expanded(t: TensorBase, size: tuple) -> TensorBase:
    """`expand` to a tuple of sizes."""
    spec = t._spec
    lead = len(size) - spec.ndim
    if lead < 0:
        kind = t._spec.dtype.legacy
        kind = f"torch.{kind}Tensor" if kind in _TRANSLATED else f"CPU{kind}Type"
        raise RuntimeError(f"expand({kind}{{{shape_text(spec.shape)}}}, size={shape_text(size)}): the number of sizes provided "
                           f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({spec.ndim})")
    shape, own = list(size), t._current_strides
    strides = [0] * len(size)
    for i in range(len(size) - 1, -1, -1):
        n = size[i]
        if i < lead:
            if n < 0:
                raise RuntimeError(f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}")
            # torch: a new dimension of size 1 gets the stride that the next one implies
            have, step = 1, shape[i + 1] * strides[i + 1] if i + 1 < len(size) else 1
        else:
            have, step = spec.shape[i - lead], own[i - lead]
            n = shape[i] = have if n == -1 else n
        if have != n and have != 1:
            raise RuntimeError(f"The expanded size of the tensor ({n}) must match the existing size ({have}) at non-singleton dimension {i}.  "
                               f"Target sizes: {shape_text(size)}.  Tensor sizes: {shape_text(spec.shape)}")
        strides[i] = step if have == n and own else 0
    return make_view(t, expand_op, (), (("shape", tuple(shape)),), tuple(strides), t._offset)


@public("expand_as", function=False)
def expand_as(self, other):
    """This tensor expanded to the size of `other`."""
    return expanded(self, tuple(other._spec.shape))


@public("broadcast_to")
def broadcast_to(input, *args, size=None):
    """`input` expanded to `size`."""
    return expanded(input, int_list("broadcast_to", "size", args, size))


# ---------------------------------------------------------------- diagonal
def _diagonal_places(shape: tuple, offset: int, dim1: int, dim2: int):
    """Row and column numbers of a diagonal."""
    count = diagonal_length(shape, offset, dim1, dim2)
    along = np.arange(count)
    return (along, along + offset) if offset >= 0 else (along - offset, along)


def diagonal_length(shape: tuple, offset: int, dim1: int, dim2: int) -> int:
    """How many elements a diagonal has."""
    rows, columns = shape[dim1], shape[dim2]
    return max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)


def _diagonal_put(xp, base, new, *, offset, dim1, dim2):
    rows, columns = _diagonal_places(base.shape, offset, dim1, dim2)
    if not len(rows):
        return base
    moved = xp.moveaxis(base, (dim1, dim2), (-2, -1))
    if xp is np:
        moved = moved.copy()
        moved[..., rows, columns] = new
    else:
        moved = moved.at[..., rows, columns].set(new.astype(base.dtype))
    return xp.moveaxis(moved, (-2, -1), (dim1, dim2))


def _diagonal_infer(base, *, offset, dim1, dim2):
    rest = tuple(n for i, n in enumerate(base.shape) if i not in (dim1, dim2))
    return like(base, (*rest, diagonal_length(base.shape, offset, dim1, dim2)))


def _diagonal_body(xp, base, *, offset, dim1, dim2):
    if diagonal_length(base.shape, offset, dim1, dim2) == 0:
        return xp.zeros((*(n for i, n in enumerate(base.shape) if i not in (dim1, dim2)), 0), base.dtype)
    return xp.diagonal(base, offset, dim1, dim2)


diagonal_op = view_op("diagonal", _diagonal_body, _diagonal_put, _diagonal_infer, "DiagonalBackward0")


@public("diagonal")
def diagonal(input, offset=0, dim1=0, dim2=1):
    """A view of the diagonals of dimensions `dim1` and `dim2`, as a new last dimension; `offset` > 0 is above the main one."""
    spec, strides = input._spec, input._current_strides
    a, b = wrap_dim(dim1, spec.ndim), wrap_dim(dim2, spec.ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    start = input._offset
    if diagonal_length(spec.shape, offset, a, b):
        start += offset * strides[b] if offset >= 0 else -offset * strides[a]
    kept = tuple(s for i, s in enumerate(strides) if i not in (a, b))
    return make_view(input, diagonal_op, (), (("offset", offset), ("dim1", a), ("dim2", b)), (*kept, strides[a] + strides[b]), start)


@public("linalg.diagonal", method=False)
def _linalg_diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """`diagonal` of the last two dimensions."""
    return diagonal(A, offset, dim1, dim2)


# ---------------------------------------------------------------- unfold
def _windows(length: int, size: int, step: int):
    """Positions of the windows: (number of windows, size)."""
    return np.arange(0, length - size + 1, step)[:, None] + np.arange(size)


def _unfold_body(xp, base, *, dim, size, step):
    if base.ndim == 0:
        return xp.reshape(base, (1,))[:size]
    places = _windows(base.shape[dim], size, step)
    return xp.moveaxis(xp.take(base, places, axis=dim), dim + 1, -1)


def _unfold_rule(xp, g, out, base, *, dim, size, step):
    if base.ndim == 0:
        return xp.sum(g)
    places = _windows(base.shape[dim], size, step)
    windows = xp.moveaxis(xp.moveaxis(g, -1, dim + 1), (dim, dim + 1), (0, 1))
    zeros = xp.zeros((base.shape[dim], *windows.shape[2:]), g.dtype)
    if xp is np:
        np.add.at(zeros, places, windows)
        total = zeros
    else:
        total = zeros.at[places].add(windows)
    return xp.moveaxis(total, 0, dim)


def _unfold_infer(base, *, dim, size, step):
    if base.ndim == 0:
        return like(base, (size,))
    shape = list(base.shape)
    shape[dim] = (shape[dim] - size) // step + 1
    return like(base, (*shape, size))


unfold_op = view_op("unfold", _unfold_body, _no_direct_put, _unfold_infer, "UnfoldBackward0", _unfold_rule, OVERLAPPING)


@public("unfold", function=False)
def unfold(self, dimension, size, step):
    """A view of all windows of `size` elements, `step` apart, of one dimension; the window is a new last dimension."""
    spec, strides = self._spec, self._current_strides
    dim = wrap_dim(dimension, spec.ndim)
    length = spec.shape[dim] if spec.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    result = list(strides)
    if spec.ndim:
        result[dim] *= step
    return make_view(self, unfold_op, (), (("dim", dim), ("size", size), ("step", step)), (*result, strides[dim] if spec.ndim else 1), self._offset)


# ---------------------------------------------------------------- in place: the tensor's own view changes
_RENUMBERED = {"TBackward0": "TBackward1", "TransposeBackward0": "TransposeBackward1", "UnsqueezeBackward0": "UnsqueezeBackward1",
               "SqueezeBackward0": "SqueezeBackward3", "SqueezeBackward1": "SqueezeBackward4", "SqueezeBackward2": "SqueezeBackward5",
               "AsStridedBackward0": "AsStridedBackward1"}


def in_place_view(name: str, front) -> None:
    """Publish the method `name`: the view that `front` makes becomes the tensor's own, in place."""
    def method(self, *args, **kwargs):
        check_place(self)
        made = front(self, *args, **kwargs)
        edge = made._edge if state.grad else None
        if edge is not None:
            edge[0].__class__ = node_class(_RENUMBERED[edge[0].name()])
        become(self, made, edge)
        return self
    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name[:-1]}` in place: changes this tensor's own view of its memory. Returns self."
    register(METHODS, name, method)


def _t_in_place(self):
    if self._spec.ndim > 2:
        raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {self._spec.ndim}D")
    return t(self)


for _name, _front in (("t_", _t_in_place), ("transpose_", transpose), ("swapaxes_", swapaxes), ("swapdims_", transpose), ("unsqueeze_", unsqueeze),
                      ("squeeze_", squeeze)):
    in_place_view(_name, _front)

__all__ = ["VIEWS", "expanded", "in_place_view", "permuted", "reshaping_op", "select_view", "slice_view", "squeeze", "sum_to", "transpose",
           "unsqueeze", "view_op"]
