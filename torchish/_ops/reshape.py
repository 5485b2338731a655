"""Reshaping: `view`, `reshape`, `flatten` and their kin. A view wherever torch has one (its rule on strides decides), else a copy."""
from __future__ import annotations

from .._core.handle import TensorBase
from .._core.record import call
from .._core.spec import contiguous_strides
from .._core.view import make_view
from .._dtype import dtype as DType
from .conversion import contiguous, dense_copy, is_contiguous
from .int_lists import int_list
from .shared import shape_text, wrap_dim
from .variants import METHODS, public
from .view_ops import reshaping_op, unsqueeze

view_as_op = reshaping_op("view", "ViewBackward0")
unsafe_view_op = reshaping_op("unsafe view", "UnsafeViewBackward0")
reshape_alias_op = reshaping_op("reshape alias", "ReshapeAliasBackward0")


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
        for i, s in enumerate(shape):
            if s < 0:
                raise _bad_size(shape, i)
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
            raise _bad_size(shape, i)
        else:
            known *= s
    if known == 0:
        if numel == 0:
            raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {shape_text(shape)} because the unspecified dimension size -1 can be "
                               "any value and is ambiguous")
    if known == 0 or numel % known:
        raise RuntimeError(f"shape '{shape_text(shape)}' is invalid for input of size {numel}")
    return tuple(numel // known if s == -1 else s for s in shape)


def _bad_size(shape: tuple, i: int) -> RuntimeError:
    return RuntimeError(f"invalid shape dimension {shape[i]} at index {i} of shape {shape_text(shape)}")


def reshaped(t: TensorBase, shape: tuple, op=view_as_op) -> TensorBase | None:
    """`t` viewed as `shape`, or None where torch could not without a copy."""
    strides = contiguous_strides(shape) if t._strides is None else view_strides(tuple(t._spec.shape), t._strides, shape)
    return None if strides is None else make_view(t, op, (), (("shape", shape),), strides, t._offset)


@public("view", function=False)
def view(self, *args, size=None, dtype=None):
    """The same memory under another shape (or, with a dtype, read as another dtype). Raises RuntimeError where strides forbid it."""
    if len(args) == 1 and isinstance(args[0], DType):
        dtype = args[0]
    if dtype is not None:
        return METHODS["_view_dtype"](self, dtype)
    if size is None and (not args or (len(args) == 1 and (args[0] is None or isinstance(args[0], (float, complex, str))))):
        raise TypeError(_wrong_view(args))
    made = reshaped(self, infer_size(int_list("view", "size", args, size), self._spec.numel))
    if made is None:
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
                           "subspaces). Use .reshape(...) instead.")
    return made


def _wrong_view(args: tuple) -> str:
    kind = type(args[0]).__name__ if args else ""
    reason = f"\n      didn't match because some of the arguments have invalid types: (!{kind}!)" if kind not in ("", "NoneType") else ""
    return (f"view() received an invalid combination of arguments - got ({kind}), but expected one of:\n * (torch.dtype dtype){reason}\n"
            f" * (tuple of ints size){reason}\n")


@public("view_as", function=False)
def view_as(self, other):
    """This tensor viewed in the shape of `other`."""
    if not isinstance(other, TensorBase):
        raise TypeError(f"view_as(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return view(self, tuple(other._spec.shape))


def reshape_to(t: TensorBase, shape: tuple) -> TensorBase:
    """`reshape` to a tuple of sizes: a view where strides allow it, else a copy that has no base."""
    shape = infer_size(shape, t._spec.numel)
    if is_contiguous(t):
        return reshaped(t, shape)
    made = reshaped(t, shape, reshape_alias_op)
    return made if made is not None else call(unsafe_view_op, (dense_copy(t),), (("shape", shape),))


@public("reshape")
def reshape(input, *args, shape=None):
    """The same elements in row-major order under another shape: a view where possible, else a copy. One size may be -1."""
    return reshape_to(input, int_list("reshape", "shape", args, shape))


@public("reshape_as", function=False)
def reshape_as(self, other):
    """This tensor reshaped to the shape of `other`."""
    return reshape_to(self, tuple(other._spec.shape))


@public("flatten")
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions `start_dim` to `end_dim` (both included) as one. Itself where that is one dimension already."""
    shape = tuple(input._spec.shape)
    first, last = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape_to(input, (1,))
    if first == last:
        return input
    merged = 1
    for n in shape[first:last + 1]:
        merged *= n
    return reshape_to(input, (*shape[:first], merged, *shape[last + 1:]))


@public("ravel")
def ravel(input):
    """All elements in one dimension: a view of the tensor, or of a contiguous copy."""
    return view(contiguous(input), -1)


@public("unflatten")
def unflatten(input, dim, sizes):
    """Dimension `dim` split into several of the given sizes (one may be -1): a view."""
    shape = tuple(input._spec.shape)
    dim = wrap_dim(dim, len(shape))
    sizes = tuple(sizes)
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        split = infer_size(sizes, shape[dim])
    except RuntimeError as error:
        if "is invalid for input" not in str(error):
            raise RuntimeError(f"unflatten got an unexpected error:\n{error}") from None
        raise RuntimeError(f"unflatten: Provided sizes {shape_text(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the input "
                           "tensor") from None
    return view(input, (*shape[:dim], *split, *shape[dim + 1:]))


# ---------------------------------------------------------------- at least so many dimensions
def _at_least(name: str, grow) -> None:
    def front(*tensors):
        if len(tensors) == 1 and isinstance(tensors[0], TensorBase):
            return grow(tensors[0])
        many = tensors[0] if len(tensors) == 1 else tensors
        if not isinstance(many, (tuple, list)):
            raise TypeError(f"{name}() received an invalid combination of arguments - got ({type(many).__name__}), but expected one of:\n"
                            " * (Tensor input)\n * (tuple of Tensors tensors)\n")
        for position, t in enumerate(many):
            if not isinstance(t, TensorBase):
                raise TypeError(f"expected Tensor as element {position} in argument 0, but got {type(t).__name__}")
        return tuple([grow(t) for t in many])
    front.__name__ = front.__qualname__ = name
    front.__doc__ = f"Each tensor (one, several or a sequence) with at least {name[-2]} dimensions: views, or the tensors themselves."
    public(name, method=False)(front)


def _grow_1d(t):
    return reshape_to(t, (1,)) if t._spec.ndim == 0 else t


def _grow_2d(t):
    return reshape_to(t, (1, 1)) if t._spec.ndim == 0 else unsqueeze(t, 0) if t._spec.ndim == 1 else t


def _grow_3d(t):
    ndim = t._spec.ndim
    if ndim == 0:
        return reshape_to(t, (1, 1, 1))
    return unsqueeze(unsqueeze(t, 0), -1) if ndim == 1 else unsqueeze(t, -1) if ndim == 2 else t


GROW = {1: _grow_1d, 2: _grow_2d, 3: _grow_3d}
for _rank, _grow in GROW.items():
    _at_least(f"atleast_{_rank}d", _grow)

__all__ = ["GROW", "infer_size", "reshape_to", "reshaped", "view_strides"]
