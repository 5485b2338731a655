"""Python's square brackets: `x[...]` and `x[...] = v`, with ints, slices, None, Ellipsis, bools, sequences and index tensors in torch's order.

Basic indices give views through view_ops; index tensors give copies by one recorded node. Ints and slice starts are numbers of the program.
Masks decide shapes, so they are read on the host; writing one value under a mask stays recorded.
"""
from __future__ import annotations

import warnings

import numpy as np

from .. import _dtype as dt
from .._core.errors import type_name
from .._core.grad_graph import node_class
from .._core.handle import TensorBase, from_array, set_strides
from .._core.op import Op, cast, half_complex
from .._core.record import call
from .._core.shared_memory import call_in_place
from .._core.spec import Spec, contiguous_strides, like
from .._core.tape import state
from .._core.view import check_place, make_view, write
from .._dtype import INTEGER
from .conversion import moved
from .expanded_writes import memory_behind
from .factory import constant_tensor, infer_array
from .layout import like_strides, ordered_strides
from .overlap import check_single
from .partial_write import write_until_bad
from .positions import ORDINALS, check_advanced, decode, read_at, write_at
from .scalar_value import check_fits
from .shared import shape_text
from .variants import METHODS, assign, public, register
from .view_ops import select_view, slice_view, view_op

MASKS = (dt.bool_, dt.uint8)
_WHOLE = slice(None)


# ---------------------------------------------------------------- the recorded operations
def _key(indices: tuple) -> tuple:
    return tuple([_WHOLE if i is None else i for i in indices])


def indexed_shape(shape: tuple, indices: list) -> tuple:
    """The shape of `x[indices]`, `indices[d]` being an index array's shape or None. Raises IndexError where a dimension of size 0 is indexed."""
    dims = [d for d, i in enumerate(indices) if i is not None]
    each = [indices[d] for d in dims]
    joint = tuple(each[0]) if len(each) == 1 else _broadcast_indices(each)
    if 0 not in joint and any(shape[d] == 0 for d in dims):
        raise IndexError("index is out of bounds for dimension with size 0")
    first, last = dims[0], dims[-1]
    if last - first + 1 == len(dims):
        return tuple(shape[:first]) + joint + tuple(shape[last + 1:])
    return joint + tuple(n for d, n in enumerate(shape) if d not in dims)


def _shapes(indices) -> list:
    """The shapes of index arrays, Specs or tensors; None for None."""
    return [getattr(i, "shape", None) for i in indices]


def _broadcast_indices(shapes: list) -> tuple:
    try:
        return np.broadcast_shapes(*map(tuple, shapes))
    except ValueError:
        texts = ", ".join(map(shape_text, shapes))
        raise IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {texts}") from None


def _index_plan(op: Op, argtypes: tuple, static: dict):
    x, *indices = argtypes
    shape = indexed_shape(x.shape, _shapes(indices))

    def impl(xp, x, *indices):
        return xp.zeros(shape, x.dtype) if 0 in shape else read_at(xp, x, _key(indices))
    return impl, like(x, shape)


def _index_rule(xp, g, out, x, *indices):
    zeros = xp.zeros(x.shape, g.dtype)
    return zeros if 0 in g.shape else write_at(xp, zeros, _key(indices), g, "add")


def _index_layout(spec, args) -> tuple:
    """torch's iterator sees `x` with stride 0 in the index's dimensions, and each index tensor with size 1 in the others."""
    x, *indices = args
    strides, indices = x._current_strides, indices + [None] * (x._spec.ndim - len(indices))
    dims = [d for d, i in enumerate(indices) if i is not None]
    shapes = [indices[d].shape for d in dims]
    joint = tuple(shapes[0]) if len(dims) == 1 else _broadcast_indices(shapes)
    rest = [strides[d] for d in range(len(strides)) if d not in dims]
    before = dims[0] if dims[-1] - dims[0] + 1 == len(dims) else 0
    if spec.numel == 0 and (1,) * before + joint + (1,) * (len(rest) - before) == spec.shape:
        return spec.strides
    operands = [tuple(rest[:before]) + (0,) * len(joint) + tuple(rest[before:])]
    operands += [_spread_strides(indices[d], joint, before, len(rest) - before, spec.shape) for d in dims]
    return ordered_strides(tuple(spec.shape), operands)


def _spread_strides(index: TensorBase, joint: tuple, before: int, after: int, shape: tuple) -> tuple:
    """Strides of an index tensor broadcast to `joint` and viewed with `before` and `after` dimensions of size 1 around it, over `shape`."""
    own, have = index._current_strides, index._spec.shape
    lead = len(joint) - len(have)
    inner = (0,) * lead + tuple([0 if n == 1 and joint[lead + i] != 1 else s for i, (s, n) in enumerate(zip(own, have))])
    sizes = (1,) * before + joint + (1,) * after
    if 0 in joint:
        full = contiguous_strides(sizes)
    else:
        full = ((inner[0] * joint[0] if inner else 1),) * before + inner + ((inner[-1] if inner else 1),) * after
    return tuple([0 if n == 1 and m != 1 else s for s, n, m in zip(full, sizes, shape)])


def out_of_bounds(code: int, argtypes: tuple, first: int) -> IndexError:
    """The error for a position that an advanced index's check refused; the index operands begin at operand `first`."""
    position, ordinal = decode(code // ORDINALS), code % ORDINALS
    dims = [d for d, a in enumerate(argtypes[first:]) if a.__class__ is Spec]
    error = IndexError(f"index {position} is out of bounds for dimension {ordinal} with size {argtypes[0].shape[dims[ordinal]]}")
    error.while_writing = first == 2
    return error


index_op = Op("index", lambda xp, x, *indices: read_at(xp, x, _key(indices)), _index_plan, grad="IndexBackward0", saves=tuple(range(1, 9)),
              vjp=(_index_rule, None), layout=_index_layout, check=lambda xp, x, *indices: check_advanced(xp, x, indices), checked=range(1, ORDINALS),
              complain=lambda code, argtypes, static: out_of_bounds(code, argtypes, 1))


def _index_put_plan(op: Op, argtypes: tuple, static: dict):
    x, _, *indices = argtypes
    empty = 0 in indexed_shape(x.shape, _shapes(indices))
    how = "add" if static["accumulate"] else "set"

    def impl(xp, x, value, *indices):
        return x if empty else write_at(xp, x, _key(indices), cast(xp, value, argtypes[0].dtype), how)
    return impl, x


def _index_put_self_rule(xp, g, out, x, value, *indices, accumulate):
    return g if accumulate else write_at(xp, g, _key(indices), 0)


def _index_put_value_rule(xp, g, out, x, value, *indices, accumulate):
    shape = indexed_shape(x.shape, _shapes(indices))
    return xp.zeros(shape, g.dtype) if 0 in shape else read_at(xp, g, _key(indices))


index_put_op = Op("index_put", lambda xp, x, value, *indices, accumulate: write_at(xp, x, _key(indices), value, "add" if accumulate else "set"),
                  _index_put_plan, grad="IndexPutBackward0", saves=tuple(range(2, 9)), vjp=(_index_put_self_rule, _index_put_value_rule, None),
                  layout=like_strides,
                  check=lambda xp, x, value, *indices, accumulate: check_advanced(xp, x, indices), checked=range(2, ORDINALS),
                  complain=lambda code, argtypes, static: out_of_bounds(code, argtypes, 2))
half_complex(index_op, index_put_op)


def _spread_mask(xp, mask, ndim: int, dim: int):
    return xp.reshape(mask, mask.shape + (1,) * (ndim - dim - mask.ndim))


def _mask_put_body(xp, x, value, mask, *, dim):
    return xp.where(_spread_mask(xp, mask, x.ndim, dim), cast(xp, value, dt.BY_NUMPY[x.dtype]), x)


mask_put_op = Op("index_put mask", _mask_put_body, lambda op, argtypes, static: (lambda xp, *args: _mask_put_body(xp, *args, **static), argtypes[0]),
                 grad="IndexPutBackward0", saves=(2,), layout=like_strides,
                 vjp=(lambda xp, g, out, x, value, mask, *, dim: xp.where(_spread_mask(xp, mask, x.ndim, dim), xp.zeros((), g.dtype), g),
                      lambda xp, g, out, x, value, mask, *, dim: xp.where(_spread_mask(xp, mask, x.ndim, dim), g, xp.zeros((), g.dtype)).sum(), None))


def _fill_plan(op: Op, argtypes: tuple, static: dict):
    x = argtypes[0]
    shape = tuple(x.shape)
    return (lambda xp, x, value: xp.broadcast_to(cast(xp, value, argtypes[0].dtype), shape)), x


fill_op = Op("setitem fill", lambda xp, x, value: xp.broadcast_to(value, x.shape), _fill_plan, grad="FillBackward3",
             vjp=(lambda xp, g, out, x, value: xp.zeros(x.shape, g.dtype), lambda xp, g, out, x, value: g.sum()))

node_class("IndexBackward0").tensors = 1
node_class("IndexPutBackward0").tensors = 2
alias_op = view_op("alias", lambda xp, base: base, lambda xp, base, new: new, lambda base: base, "AliasBackward0", lambda xp, g, out, base: g)


def alias_view(t: TensorBase) -> TensorBase:
    """Another tensor over the whole of `t`: a view."""
    return make_view(t, alias_op, (), (), t._current_strides, t._offset)


# ---------------------------------------------------------------- basic indices
def _pick(view: TensorBase, dim: int, index: int, place: int) -> TensorBase:
    """`view` at one position of `dim`. `place` is the position in the user's index, which torch's message counts."""
    n = view._spec.shape[dim]
    if 0 <= index < n:
        return select_view(view, dim, index)
    if -n <= index < 0:
        return select_view(view, dim, index + n)
    if not -2 ** 63 <= index < 2 ** 63:
        raise ValueError("Overflow when unpacking long long")
    raise IndexError(f"index {index} is out of bounds for dimension {place} with size {n}")


def _cut(view: TensorBase, dim: int, index: slice, skip_whole: bool) -> TensorBase:
    """`view` with a slice of `dim`; the same tensor where `skip_whole` and nothing is cut."""
    shape = view._spec.shape
    n = shape[dim] if shape else 0
    start, stop, step = index.indices(n)
    if step < 1:
        raise ValueError("step must be greater than zero")
    if not shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    if skip_whole and start == 0 and stop == n and step == 1 and not index.start:
        return view
    return slice_view(view, dim, start, max(0, (stop - start + step - 1) // step), step)


def _no_dims(index: int):
    """Raise torch's error for an int index of a 0-dim tensor."""
    if index:
        raise IndexError(f"index {index} is out of bounds for dimension 0 with size 0")
    raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor "
                     "to a number")


def _first(self: TensorBase, index, writing: bool = False) -> TensorBase | None:
    """The view for a single basic index, or None where it is something else. To write to all of a tensor is to write to itself."""
    cls = index.__class__
    if cls is int:
        return _pick(self, 0, index, 0) if self._spec.ndim else _no_dims(index)
    if cls is slice:
        return _cut(self, 0, index, writing)
    return METHODS["unsqueeze"](self, 0) if index is None else None


def _apply(self: TensorBase, items: tuple) -> tuple[TensorBase, dict]:
    """Apply the basic part of an index: the view that results, and the index tensors by the dimension of the view where they begin."""
    ndim, given = self._spec.ndim, sum([_consumes(i) for i in items])
    if given > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    view, places, dim = self, {}, 0
    for place, item in enumerate(items):
        cls = item.__class__
        if cls is int:
            view = _pick(view, _checked_dim(view, dim), item, place)
        elif cls is slice:
            view = _cut(view, _checked_dim(view, dim), item, True)
            dim += 1
        elif item is Ellipsis:
            dim += ndim - given
        elif item is None:
            view = METHODS["unsqueeze"](view, dim)
            dim += 1
        elif cls is bool:
            view, dim = _flag(view, places, dim, item)
        else:
            view, dim = _apply_other(view, places, dim, place, item)
    return view, places


def _apply_other(view: TensorBase, places: dict, dim: int, place: int, item) -> tuple[TensorBase, int]:
    """One tensor, sequence or number-like object of an index, at `place` in the tuple."""
    if not isinstance(item, TensorBase):
        item = _as_index(item)
        if item.__class__ is int:
            return _pick(view, _checked_dim(view, dim), item, place), dim
    spec = item._spec
    if spec.dtype in MASKS:
        if spec.ndim == 0:
            return _flag(view, places, dim, bool(item._host("mask index")))
        places[dim] = item
        return view, dim + spec.ndim
    if spec.ndim == 0 and spec.dtype.category == INTEGER and (state.scope is None or not state.scope.depends(item._read())):
        return _pick(view, _checked_dim(view, dim), int(item._host("integer index")), place), dim
    places[dim] = item
    return view, dim + 1


def _consumes(item) -> int:
    """How many dimensions an item of an index takes."""
    if item is None or item is Ellipsis or item.__class__ is bool:
        return 0
    if isinstance(item, TensorBase):
        spec = item._spec
        return spec.ndim if spec.dtype in MASKS else 1
    return 1


def _checked_dim(view: TensorBase, dim: int) -> int:
    n = view._spec.ndim
    if dim >= n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim


def _flag(view: TensorBase, places: dict, dim: int, keep: bool) -> tuple[TensorBase, int]:
    """A bool as an index: a new dimension, of size 1 or 0."""
    places[dim] = from_array(np.zeros(1 if keep else 0, np.int64))
    return METHODS["unsqueeze"](view, dim), dim + 1


# ---------------------------------------------------------------- sequences as indices
def _as_index(item):
    """A sequence as an index tensor, an object with `__index__` as an int. Raises IndexError or TypeError, as torch, for anything else."""
    if isinstance(item, np.ndarray):
        array = item
    elif isinstance(item, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(item).__name__}'")
    elif hasattr(item, "__len__") and hasattr(item, "__getitem__") and not isinstance(item, dict):
        array = _array_of(item)
    else:
        try:
            return item.__index__()
        except (AttributeError, TypeError):
            name = type(item).__name__ if not isinstance(item, np.generic) else f"numpy.{type(item).__name__}"
            raise IndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
                             f"(got {name})") from None
    if array.dtype.kind == "b" or array.dtype == np.uint8:
        return from_array(np.array(array))
    return from_array(array.astype(np.int64))


def _array_of(item) -> np.ndarray:
    try:
        array = np.array(item)
    except (ValueError, TypeError, RuntimeError):
        array = None
    return infer_array(item, None) if array is None or array.dtype.kind not in "biuf" or array.dtype == np.uint8 else array


def _as_items(index) -> tuple:
    """An index that is not a single basic one, as the tuple that torch reads it as."""
    if index.__class__ is tuple:
        return index
    if isinstance(index, tuple):
        return tuple(index)
    if isinstance(index, (TensorBase, np.ndarray, str)) or not (hasattr(index, "__len__") and hasattr(index, "__getitem__")) or len(index) >= 32:
        return (index,)
    if any(i is None or i is Ellipsis or i.__class__ is slice or isinstance(i, TensorBase) or _is_sequence(i) for i in index):
        warnings.warn("Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use x[tuple(seq)] "
                      "instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], which will result either in "
                      "an error or a different result", UserWarning, stacklevel=3)
        return tuple(index)
    return (index,)


def _is_sequence(item) -> bool:
    return hasattr(item, "__len__") and hasattr(item, "__getitem__") and not isinstance(item, (str, bytes, dict, np.generic))


# ---------------------------------------------------------------- index tensors
def positions_of(x: TensorBase, places: dict) -> list:
    """Index tensors by dimension as one entry for each dimension of `x` (int positions or None); masks become the positions they select."""
    entries: list = [None] * x._spec.ndim
    device = x._spec.device
    for dim, t in places.items():
        _check_dtype(t)
        if t._spec.dtype in MASKS:
            check_mask(x, t, dim)
            for i, found in enumerate(np.nonzero(t._host("mask index"))):
                entries[dim + i] = from_array(found, None, device)
        else:
            entries[dim] = t if t._spec.device is device else moved(t, device)
    while entries and entries[-1] is None:
        entries.pop()
    return entries


def _check_dtype(index: TensorBase) -> None:
    if index._spec.dtype not in (dt.int64, dt.int32, *MASKS):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")


def check_mask(x: TensorBase, mask: TensorBase, dim: int) -> None:
    """Raise IndexError unless the mask's shape is that of the dimensions of `x` from `dim` on."""
    if mask._spec.dtype is dt.uint8:
        warnings.warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.", UserWarning, stacklevel=5)
    have, want = mask._spec.shape, x._spec.shape
    for i, n in enumerate(have):
        if n != want[dim + i]:
            raise IndexError(f"The shape of the mask {shape_text(have)} at index {i} does not match the shape of the indexed tensor "
                             f"{shape_text(want)} at index {dim + i}")


# ---------------------------------------------------------------- x[...]
def getitem(self, index):
    """`self[index]`: a view for basic indices, a copy where tensors or sequences take part. Raises IndexError or TypeError as torch does."""
    view = _first(self, index)
    if view is not None:
        return view
    if index is Ellipsis:
        return alias_view(self)
    view, places = _apply(self, _as_items(index))
    if places:
        args = (view, *positions_of(view, places))
        result = call_in_place(index_op, args)
        if result._spec.numel == 0:
            set_strides(result, _index_layout(result._spec, args))
        return result
    return alias_view(self) if view is self else view


register(METHODS, "__getitem__", getitem)


# ---------------------------------------------------------------- x[...] = v
def setitem(self, index, value) -> None:
    """`self[index] = value`: `value` (a number or a tensor) is broadcast and, for basic indices, cast. Raises as torch does."""
    value = _assignable(self, value)
    view = _first(self, index, True)
    if view is None:
        if index.__class__ is bool:
            if not index:
                return
            view = METHODS["unsqueeze"](self, 0)
        elif index is Ellipsis:
            view = self
        else:
            view, places = _apply(self, _as_items(index))
            if places:
                check_place(view)
                put_positions(view, places, _stripped(value) if isinstance(value, TensorBase) else value)
                return
    write_into(view, value)


register(METHODS, "__setitem__", setitem)


def _assignable(self: TensorBase, value):
    """The right side of an assignment: a tensor, or a Python number that fits self's dtype."""
    if isinstance(value, TensorBase):
        return value
    if not isinstance(value, (int, float, complex)) or isinstance(value, np.complexfloating):
        name = type(value).__name__ if not isinstance(value, (np.generic, np.ndarray)) else f"numpy.{type(value).__name__}"
        raise TypeError(f"can't assign a {name} to a {type_name(self._spec)}")
    if isinstance(value, np.generic):
        value = value.item()
    check_fits(value, self._spec.dtype, halves=False)
    return value


def write_into(target: TensorBase, value) -> None:
    """Overwrite all of `target` with a number, or with a tensor broadcast and cast to it."""
    check_place(target)
    spec = target._spec
    if not isinstance(value, TensorBase) or value._spec.ndim == 0:
        check_single(target)
    if not isinstance(value, TensorBase):
        if state.grad and target._current_edge() is not None:
            assign(target, call(fill_op, (target, value)))
        else:
            write(target, constant_tensor(tuple(spec.shape), value, spec.dtype, spec.device)._read(), None)
        return
    if value._spec.device is not spec.device:
        value = moved(value, spec.device)
    if value._spec.ndim == 0:
        assign(target, call(fill_op, (target, value)))
    else:
        METHODS["copy_"](target, _fitted(value, tuple(spec.shape)))


def _fitted(value: TensorBase, shape: tuple) -> TensorBase:
    """`value` without its leading dimensions of size 1, expanded to `shape`. Raises RuntimeError where it does not fit."""
    if value._spec.shape == shape:
        return value
    if state.grad and value._current_edge() is not None and value._spec.shape[:1] != (1,):
        value = METHODS["view"](value, tuple(value._spec.shape))  # torch's node
    value = _stripped(value)
    return value if value._spec.shape == shape else METHODS["expand"](value, shape)


def _stripped(value: TensorBase) -> TensorBase:
    """`value` without its leading dimensions of size 1."""
    shape = tuple(value._spec.shape)
    ones = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return METHODS["view"](value, shape[ones:]) if ones else value


def put_positions(view: TensorBase, places: dict, value, accumulate: bool = False) -> TensorBase:
    """Write `value` at the index tensors `places` of `view`, in place; one number or element under one mask does not evaluate."""
    behind = memory_behind(view, "index_put_", "indices] = tensor")
    if behind is not None:
        flat, at = behind
        entries = positions_of(view, places)
        if isinstance(value, TensorBase):
            value = _checked_value(view, value, entries)
        put_positions(flat, {0: call(index_op, (at, *entries))}, value, accumulate)
        return view
    try:
        made = put_at(view, places, value, accumulate)
    except IndexError as error:
        if getattr(error, "while_writing", False) and view._current_edge() is None:
            _write_in_part(view, places, value, accumulate)
        raise
    return assign(view, made)


def _write_in_part(view: TensorBase, places: dict, value, accumulate: bool) -> None:
    entries = positions_of(view, places)
    if isinstance(value, TensorBase):
        value = _checked_value(view, value, entries)
    dims = [d for d, e in enumerate(entries) if e is not None]
    before = dims[0] if dims[-1] - dims[0] + 1 == len(dims) else 0
    write_until_bad(view, entries, value, indexed_shape(view._spec.shape, _shapes(entries)), before, accumulate)


def put_at(x: TensorBase, places: dict, value, accumulate: bool) -> TensorBase:
    """`x` with `value` at the index tensors `places`, as a new tensor. Raises RuntimeError where dtype or shape do not fit."""
    is_tensor = isinstance(value, TensorBase)
    if len(places) == 1 and not accumulate and (not is_tensor or value._spec.numel == 1):
        (dim, mask), = places.items()
        if mask._spec.dtype in MASKS:
            check_mask(x, mask, dim)
            return _put_masked(x, dim, mask, value)
    entries = positions_of(x, places)
    if is_tensor:
        value = _checked_value(x, value, entries)
    return call(index_put_op, (x, value, *entries), (("accumulate", accumulate),))


def _put_masked(x: TensorBase, dim: int, mask: TensorBase, value) -> TensorBase:
    if mask._spec.dtype is dt.uint8:
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype unsigned char")
    if isinstance(value, TensorBase) and value._spec.ndim:
        value = METHODS["reshape"](value, ())
    if mask._spec.device is not x._spec.device:
        mask = moved(mask, x._spec.device)
    return call(mask_put_op, (x, value, mask), (("dim", dim),))


def _checked_value(x: TensorBase, value: TensorBase, entries: list) -> TensorBase:
    have, got = x._spec, value._spec
    if got.dtype is not have.dtype:
        raise RuntimeError(f"Index put requires the source and destination dtypes match, got {have.dtype.legacy} for the destination and "
                           f"{got.dtype.legacy} for the source.")
    if got.device is not have.device:
        value = moved(value, have.device)
    shape = indexed_shape(have.shape, _shapes(entries))
    got = value._spec
    if got.ndim > len(shape) or any(n not in (1, m) for n, m in zip(got.shape[::-1], shape[::-1])):
        raise RuntimeError(f"shape mismatch: value tensor of shape {shape_text(got.shape)} cannot be broadcast to indexing result of shape "
                           f"{shape_text(shape)}")
    return value


# ---------------------------------------------------------------- index_put
def _places(input: TensorBase, indices, name: str) -> dict:
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"{name}(): argument 'indices' (position 2) must be tuple of Tensors, not {type(indices).__name__}")
    places, dim = {}, 0
    for i, t in enumerate(indices):
        if not isinstance(t, TensorBase):
            raise TypeError(f"expected Tensor as element {i} in argument 1, but got {type(t).__name__}")
        spec = t._spec
        _check_dtype(t)
        places[dim] = t
        dim += spec.ndim if spec.dtype in MASKS else 1
    if dim > input._spec.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input._spec.ndim} (got {dim})")
    return places


def index_put(input, indices, values, accumulate=False):
    """`input` with `values`, broadcast, at the tuple of index tensors `indices`; repeated positions add up where `accumulate`.

    Raises IndexError for positions out of range, RuntimeError where dtypes differ or shapes do not broadcast.
    """
    places = _places(input, indices, "index_put")
    if not isinstance(values, TensorBase):
        raise TypeError(f"index_put(): argument 'values' (position 3) must be Tensor, not {type(values).__name__}")
    return put_at(input, places, values, bool(accumulate))


def index_put_(self, indices, values, accumulate=False):
    """In-place index_put()."""
    check_place(self)
    if not isinstance(values, TensorBase):
        raise TypeError(f"index_put_(): argument 'values' (position 2) must be Tensor, not {type(values).__name__}")
    return put_positions(self, _places(self, indices, "index_put_"), values, bool(accumulate))


public("index_put")(index_put)
public("index_put_")(index_put_)
register(METHODS, "_index_put_impl_", METHODS["index_put_"])

__all__ = ["alias_view", "getitem", "index_op", "index_put", "setitem"]
