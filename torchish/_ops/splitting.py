"""Views in several pieces: `unbind`, `split`, `chunk` and their kin. As in torch, one graph node has all the pieces as its outputs."""
from __future__ import annotations

from .._core.handle import TensorBase
from .._core.op import Op, simple
from .._core.spec import like
from .._core.view import make_views
from .shared import shape_text, wrap_dim
from .variants import public
from .view_ops import select_op, select_view, slice_op, slice_view

MOST_OUTPUTS = 4000  # of one node; what is cut into more pieces is cut one by one


def _filled_in(xp, gradients, shapes, dtype) -> list:
    """The pieces' cotangents, zeros where none arrived."""
    return [xp.zeros(shape, dtype) if g is None else g for g, shape in zip(gradients, shapes)]


def _dtype_of(gradients):
    return next(g.dtype for g in gradients if g is not None)


# ---------------------------------------------------------------- unbind
def _unbind_body(xp, x, *, dim):
    return tuple(x[(slice(None),) * dim + (i,)] for i in range(x.shape[dim]))


def _unbind_infer(x, *, dim):
    return (like(x, tuple(x.shape[:dim] + x.shape[dim + 1:])),) * x.shape[dim]


def _unbind_rule(xp, g, out, x, *, dim):
    piece = x.shape[:dim] + x.shape[dim + 1:]
    return xp.stack(_filled_in(xp, g, [piece] * x.shape[dim], _dtype_of(g)), axis=dim)


unbind_op = Op("unbind", _unbind_body, simple(_unbind_infer), grad="UnbindBackward0", vjp=(_unbind_rule,))


@public("unbind")
def unbind(input, dim=0):
    """A tuple of views, one for each index of dimension `dim`. Raises IndexError for a 0-dim tensor."""
    spec, strides = input._spec, input._current_strides
    dim = wrap_dim(dim, spec.ndim, False)
    n = spec.shape[dim]
    if n == 0:
        return ()
    if n > MOST_OUTPUTS:
        return tuple([select_view(input, dim, i) for i in range(n)])
    kept, step, start = strides[:dim] + strides[dim + 1:], strides[dim], input._offset
    static = (("dim", dim),)
    return make_views(input, unbind_op, static, [((select_op, (i,), static), kept, start + i * step) for i in range(n)])


# ---------------------------------------------------------------- split
def _split_body(xp, x, *, dim, lengths):
    pieces, at = [], 0
    for n in lengths:
        pieces.append(x[(slice(None),) * dim + (slice(at, at + n),)])
        at += n
    return tuple(pieces)


def _split_infer(x, *, dim, lengths):
    return tuple(like(x, _with_size(x.shape, dim, n)) for n in lengths)


def _with_size(shape, dim: int, n: int) -> tuple:
    return tuple(shape[:dim]) + (n,) + tuple(shape[dim + 1:])


def _split_rule(xp, g, out, x, *, dim, lengths):
    return xp.concatenate(_filled_in(xp, g, [_with_size(x.shape, dim, n) for n in lengths], _dtype_of(g)), axis=dim)


def _splitting(name: str, grad: str) -> Op:
    return Op(name, _split_body, simple(_split_infer), grad=grad, vjp=(_split_rule,))


split_op = _splitting("split", "SplitBackward0")
split_with_sizes_op = _splitting("split_with_sizes", "SplitWithSizesBackward0")
unsafe_split_op = _splitting("unsafe_split", "UnsafeSplitBackward0")
unsafe_split_with_sizes_op = _splitting("unsafe_split_with_sizes", "UnsafeSplitWithSizesBackward0")


def _pieces(input: TensorBase, op: Op, dim: int, lengths: tuple) -> tuple:
    """Consecutive slices of these lengths, as the outputs of one node."""
    if len(lengths) > MOST_OUTPUTS:
        return _slices(input, dim, lengths)
    strides, start = input._current_strides, 0
    pieces = []
    for n in lengths:
        step = (slice_op, (start,), (("dim", dim), ("length", n), ("step", 1)))
        pieces.append((step, strides, input._offset + start * strides[dim]))
        start += n
    return make_views(input, op, (("dim", dim), ("lengths", lengths)), pieces)


def _slices(input: TensorBase, dim: int, lengths) -> tuple:
    made, start = [], 0
    for n in lengths:
        made.append(slice_view(input, dim, start, n))
        start += n
    return tuple(made)


def _even_lengths(input: TensorBase, size: int, dim: int) -> tuple[int, tuple]:
    """(dimension, lengths) of pieces of `size` elements, the last one shorter. Raises RuntimeError in torch's words."""
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    dim = wrap_dim(dim, spec.ndim)
    n = spec.shape[dim]
    if size == 0:
        if n:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
        return dim, (0,)
    count = max(-(-n // size), 1)
    return dim, (size,) * (count - 1) + (n - size * (count - 1),)


def _given_lengths(input: TensorBase, sizes, dim: int) -> tuple[int, tuple]:
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim, sizes = wrap_dim(dim, spec.ndim), tuple([s.__index__() for s in sizes])
    if any(s < 0 for s in sizes):
        raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={shape_text(sizes)}")
    if sum(sizes) != spec.shape[dim]:
        raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {spec.shape[dim]} (input tensor's size at dimension {dim}), "
                           f"but got split_sizes={shape_text(sizes)}")
    return dim, sizes


@public("split_with_sizes")
def split_with_sizes(input, split_sizes, dim=0):
    """A tuple of views of the given sizes along `dim`. Raises RuntimeError unless they sum to the dimension's size."""
    dim, lengths = _given_lengths(input, split_sizes, dim)
    return _pieces(input, split_with_sizes_op, dim, lengths) if lengths else ()


def split(tensor, split_size_or_sections, dim=0):
    """A tuple of views along `dim`: pieces of a given size (the last may be shorter), or of the listed sizes."""
    if isinstance(split_size_or_sections, (list, tuple)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    dim, lengths = _even_lengths(tensor, split_size_or_sections.__index__(), dim)
    return _pieces(tensor, split_op, dim, lengths)


public("split", method=False)(split)


@public("split", function=False)
def split_method(self, split_size, dim=0):
    """A tuple of views along `dim`: pieces of a given size (the last may be shorter), or of the listed sizes."""
    return split(self, split_size, dim)


def _chunk_size(input: TensorBase, chunks: int, dim: int) -> int:
    """The size of the pieces of `chunk`. Raises RuntimeError in torch's words."""
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    return -(-spec.shape[wrap_dim(dim, spec.ndim)] // chunks)


@public("chunk")
def chunk(input, chunks, dim=0):
    """A tuple of at most `chunks` views of equal size along `dim`; the last may be shorter."""
    size = _chunk_size(input, chunks, dim)
    if size == 0:
        return _pieces(input, split_with_sizes_op, wrap_dim(dim, input._spec.ndim), (0,) * chunks)
    return split(input, size, dim)


# ---------------------------------------------------------------- torch's "unsafe" forms: pieces that do not count as views
def _detached(input: TensorBase, op: Op, dim: int, lengths: tuple) -> tuple:
    made = _pieces(input, op, dim, lengths)
    for t in made:
        t._base_tensor = t._origin = None
    return made


@public("unsafe_split")
def unsafe_split(input, split_size, dim=0):
    """`split`, but the pieces do not count as views for autograd."""
    return _detached(input, unsafe_split_op, *_even_lengths(input, split_size, dim))


@public("unsafe_split_with_sizes")
def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """`split_with_sizes`, but the pieces do not count as views for autograd."""
    return _detached(input, unsafe_split_with_sizes_op, *_given_lengths(input, split_sizes, dim))


@public("unsafe_chunk")
def unsafe_chunk(input, chunks, dim=0):
    """`chunk`, but the pieces do not count as views for autograd."""
    size = _chunk_size(input, chunks, dim)
    if size == 0:
        return _detached(input, unsafe_split_with_sizes_op, wrap_dim(dim, input._spec.ndim), (0,) * chunks)
    return unsafe_split(input, size, dim)


# ---------------------------------------------------------------- tensor_split and the splits by axis: single slices, one node each
@public("tensor_split")
def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None, tensor_indices_or_sections=None):
    """A tuple of views along `dim`: so many nearly equal parts, or parts that end at the given indices."""
    where = next((x for x in (indices_or_sections, indices, sections, tensor_indices_or_sections) if x is not None), None)
    spec = input._spec
    if spec.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = wrap_dim(dim, spec.ndim)
    n = spec.shape[dim]
    if isinstance(where, TensorBase):
        where = _host_indices(where)
    if isinstance(where, int):
        if where <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {where}")
        small, more = divmod(n, where)
        return _slices(input, dim, (small + 1,) * more + (small,) * (where - more))
    made, start = [], 0
    for end in [*where, n]:  # bounds as in Python's slices: negative ones count from the end, all are clamped
        a, b, _ = slice(start, end).indices(n)
        made.append(slice_view(input, dim, a, max(b - a, 0)))
        start = end
    return tuple(made)


def _host_indices(where: TensorBase):
    spec = where._spec
    if spec.dtype.name != "int64":
        raise RuntimeError("tensor_split expected tensor_indices_or_sections to have dtype of long, but got " + spec.dtype.legacy)
    if spec.ndim > 1:
        raise RuntimeError("tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor "
                           f"with {spec.ndim} dims")
    return where.tolist()


def _axis_split(name: str, least: int, axis) -> None:
    def front(input, indices_or_sections=None, *, indices=None, sections=None):
        where = next((x for x in (indices_or_sections, indices, sections) if x is not None), None)
        spec = input._spec
        if where is None or isinstance(where, str):
            got = "Tensor" if where is None else "Tensor, str"
            raise TypeError(f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n"
                            " * (Tensor input, int sections)\n * (Tensor input, tuple of ints indices)\n")
        if spec.ndim < least:
            raise RuntimeError(f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {spec.ndim} dimensions!")
        dim = axis(spec.ndim)
        if isinstance(where, int) and (where == 0 or spec.shape[dim] % where):
            raise RuntimeError(f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {spec.shape[dim]} is not "
                               f"divisible by the split_size {where}!")
        return tensor_split(input, where, dim)
    front.__name__ = front.__qualname__ = name
    front.__doc__ = f"`tensor_split` along dimension {least - 1 if name != 'vsplit' else 0}; equal parts only."
    public(name)(front)


_axis_split("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
_axis_split("vsplit", 2, lambda ndim: 0)
_axis_split("dsplit", 3, lambda ndim: 2)
