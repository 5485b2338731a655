"""Operations that write by position and return the result: scatter, index_add, index_copy, index_fill, put, masked_fill and their kin.

Each has an out-of-place and an in-place form from one front. Index arrays are checked (see Note [Index checks]).
"""
from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.grad_graph import node_class
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import like
from .._core.view import check_place
from .._dtype import COMPLEX, FLOATING
from .declare import broadcast_shapes
from .expanded_writes import memory_behind
from .gathering import check_gather, out_of_bounds, out_of_elements, strict_out, tensor_argument
from .layout import like_strides
from .nn_common import C_NAMES
from .positions import axis_key, check_axis, check_flat, cropped, grid, lifted, read_at, write_at
from .scalar_value import check_fits
from .shared import check_part, shape_text, wrap_dim
from .variants import METHODS, assign, check_writable, public, publish, register, tensor_or_number
from .view_ops import VIEWS, expanded


def both_forms(name: str, out: bool = False):
    """Decorator for a front: the function and method, and the in-place method (which torch does not offer as a function)."""
    def declare(front):
        made = public(name, out=out)(front)
        publish(front, name, False, False, True, False, ())
        return made
    return declare


def writing_op(name: str, body, grad: str, vjp: tuple, *, saves: tuple = (1,), check=None, complain=None, layout=None, tensors: int = 2) -> Op:
    """Declare an op `(x, index, source, ...) -> x` with some positions written.

    Body, rules, check and `saves` are written in this order, torch's; its operands are (x, source, index, ...), so that those with edges come
    first, as `next_functions` shows them (`tensors` of them). Record it with `write_call`.
    """
    def numbered(xp, x, source, index, *rest, **static):
        d = dt.BY_NUMPY[np.dtype(x.dtype)]
        return body(xp, x, index, *[cast(xp, a, d) for a in (source, *rest)], **static)

    def rule(i: int):
        given = vjp[i] if i < len(vjp) else None
        return given and (lambda xp, g, out, x, source, index, *rest, **static: given(xp, g, out, x, index, source, *rest, **static))
    node_class(grad).tensors = tensors
    places = {1: 2, 2: 1}
    kept = tuple([tuple([places.get(i, i) for i in s]) if s.__class__ is tuple else places.get(s, s) for s in saves])
    return Op(name, numbered, lambda op, argtypes, static: ((lambda xp, *args: numbered(xp, *args, **static)), argtypes[0]), grad=grad,
              saves=kept, vjp=(rule(0), rule(2), None), checked=(2,), complain=complain, layout=layout,
              check=lambda xp, x, source, index, *rest, **static: check(xp, x, index, **static))


def write_call(op: Op, x: TensorBase, index: TensorBase, source, *rest, **static) -> TensorBase:
    """Record a writing op on its operands in torch's order."""
    return call(op, (x, source, index, *rest), tuple(static.items()))


def number_or_tensor(name: str, argument: str, d: dt.dtype, value):
    """A `value` argument: a 0-dim or larger tensor as it is, a number that fits `d`. Raises TypeError or RuntimeError as torch does."""
    if isinstance(value, TensorBase):
        return value
    if isinstance(value, (int, float, complex)):
        value = tensor_or_number(value)
        check_fits(value, d)
        return value
    raise TypeError(f"{name}(): argument '{argument}' must be Tensor or Number, not {type(value).__name__}")


# ---------------------------------------------------------------- writing with a reduction
def _identity(how: str, dtype):
    """The neutral element of a reduction."""
    if how in ("sum", "mean"):
        return 0
    if how == "prod":
        return 1
    if dtype.kind == "b":
        return how == "amin"
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if how == "amax" else np.iinfo(dtype).max
    return -np.inf if how == "amax" else np.inf


def _reduce_at(xp, x, key: tuple, src, how: str, include_self: bool):
    """`x` with `src` reduced into it at `key`; without `include_self` the old value does not take part where something is written."""
    start = x if include_self else write_at(xp, x, key, xp.asarray(_identity(how, x.dtype)).astype(x.dtype))
    if how == "prod":
        return _product_at(xp, start, key, src)
    if how in ("amax", "amin"):
        return write_at(xp, start, key, src, how[1:])
    total = write_at(xp, start, key, src, "add")
    if how == "sum":
        return total
    count = _count_at(xp, x, key, src, include_self)
    return total / count if total.dtype.kind in "fcV" else total // count


def _count_at(xp, x, key: tuple, src, include_self: bool):
    """How many elements are reduced into each place, at least 1."""
    start = xp.ones(x.shape, x.dtype) if include_self else xp.zeros(x.shape, x.dtype)
    count = write_at(xp, start, key, xp.ones(src.shape, x.dtype), "add")
    return xp.where(count == 0, xp.ones((), x.dtype), count)


def _product_at(xp, x, key: tuple, src):
    """Multiplication at `key`; under JAX with a derivative of its own, as JAX has none for repeated positions."""
    if xp is np or x.dtype.kind not in "fcV":
        return write_at(xp, x, key, src, "mul")

    @jax.custom_jvp
    def product(x, src):
        return write_at(jnp, x, key, src, "mul")

    @product.defjvp
    def tangent(primals, tangents):
        mine, theirs = _other_factors(jnp, *primals, key)
        return product(*primals), write_at(jnp, tangents[0] * mine, key, tangents[1] * theirs, "add")
    return product(x, src)


def _other_factors(xp, x, src, key: tuple) -> tuple:
    """For each element of `x` and of `src`, the product of all others that are multiplied into the same place; right with zeros."""
    one = xp.ones((), x.dtype)
    zero_x, zero_s = x == 0, src == 0
    safe_x, safe_s = xp.where(zero_x, one, x), xp.where(zero_s, one, src)
    zeros = write_at(xp, zero_x.astype(np.int32), key, zero_s.astype(np.int32), "add")
    product = _product_at(xp, safe_x, key, safe_s)
    mine = xp.where(zeros - zero_x == 0, product / safe_x, 0 * one)
    theirs = xp.where(read_at(xp, zeros, key) - zero_s == 0, read_at(xp, product, key) / safe_s, 0 * one)
    return mine, theirs


def _reduce_grads(xp, g, out, x, key: tuple, src, how: str, include_self: bool) -> tuple:
    """Gradients of `_reduce_at` in `x` and in `src`. Ties of amax and amin share evenly, the old value among them, as torch has it."""
    if how == "sum":
        mine, theirs = g, read_at(xp, g, key)
    elif how == "mean":
        mine = g / _count_at(xp, x, key, src, include_self)
        theirs = read_at(xp, mine, key)
    elif how == "prod":
        start = x if include_self else write_at(xp, x, key, 1)
        mine, theirs = _other_factors(xp, start, src, key)
        mine, theirs = g * xp.conj(mine), read_at(xp, g, key) * xp.conj(theirs)
    else:
        is_x, is_src = (x == out).astype(g.dtype), (src == read_at(xp, out, key)).astype(g.dtype)
        shared = g / write_at(xp, is_x, key, is_src, "add")
        mine, theirs = is_x * shared, is_src * read_at(xp, shared, key)
    return mine if include_self else write_at(xp, mine, key, 0), theirs


# ---------------------------------------------------------------- scatter
def _scatter_key(xp, x, index, dim: int):
    """(x, key, index shape) with 0-dim arrays as vectors."""
    i = lifted(xp, index)
    return lifted(xp, x), grid(i.shape, dim, i), i.shape


def _scattering(write):
    """A body from `write(xp, x, key, values, **static)`, `values` cropped to the index's shape."""
    def body(xp, x, index, src, *, dim, **static):
        if 0 in index.shape:
            return x
        flat, key, shape = _scatter_key(xp, x, index, dim)
        src = cropped(lifted(xp, src), shape) if src.ndim else src
        return xp.reshape(write(xp, flat, key, src, **static), x.shape)
    return body


def _source_gradient(xp, part, src):
    """The gradient of the part of `src` that was used, in zeros of its shape."""
    if part.shape == src.shape:
        return part
    return write_at(xp, xp.zeros(src.shape, part.dtype), tuple([slice(0, n) for n in part.shape]), part)


def _scatter_self_rule(xp, g, out, x, index, src, *, dim):
    return _scattering(lambda xp, x, key, v: write_at(xp, x, key, v))(xp, g, index, xp.zeros((), g.dtype), dim=dim)


def _scatter_src_rule(xp, g, out, x, index, src, *, dim, **static):
    if 0 in index.shape:
        return xp.zeros(src.shape, g.dtype)
    flat, key, _ = _scatter_key(xp, g, index, dim)
    return xp.reshape(_source_gradient(xp, read_at(xp, flat, key), lifted(xp, src)), src.shape)


_SCATTER = {"check": check_axis(False), "complain": out_of_bounds()}
_set = _scattering(lambda xp, x, key, v: write_at(xp, x, key, v))
scatter_op = writing_op("scatter", _set, "ScatterBackward0", (_scatter_self_rule, None, _scatter_src_rule), **_SCATTER)
scatter_value_op = writing_op("scatter.value", _set, "ScatterBackward1", (_scatter_self_rule,), tensors=1, **_SCATTER)
scatter_add_op = writing_op("scatter_add", _scattering(lambda xp, x, key, v: write_at(xp, x, key, v, "add")), "ScatterAddBackward0",
                            (lambda xp, g, out, x, index, src, *, dim: g, None, _scatter_src_rule), saves=((1, 2),), **_SCATTER)
scatter_how_op = writing_op("scatter how", _scattering(lambda xp, x, key, v, how: write_at(xp, x, key, v, how)), "NotImplemented", (),
                            **_SCATTER)


def _wide(xp, x, *more) -> tuple:
    """Halves widened to float32, in which torch reduces them."""
    if x.dtype.itemsize == 2 and x.dtype.kind in "fV":
        return tuple([a.astype(np.float32) for a in (x, *more)])
    return (x, *more)


def _scatter_reduce_body(xp, x, key, src, how, include_self):
    a, b = _wide(xp, x, src)
    return _reduce_at(xp, a, key, b, how, include_self).astype(x.dtype)


def _scatter_reduce_rule(which: int):
    def rule(xp, g, out, x, index, src, *, dim, how, include_self):
        if 0 in index.shape:
            return xp.zeros(src.shape, g.dtype) if which else g
        flat, key, shape = _scatter_key(xp, x, index, dim)
        flat, part, g, out = _wide(xp, flat, cropped(lifted(xp, src), shape), lifted(xp, g), lifted(xp, out))
        grads = _reduce_grads(xp, g, out, flat, key, part, how, include_self)
        return xp.reshape(_source_gradient(xp, grads[1], lifted(xp, src)), src.shape) if which else xp.reshape(grads[0], x.shape)
    return rule


scatter_reduce_op = writing_op("scatter_reduce", _scattering(_scatter_reduce_body), "ScatterReduceBackward0",
                               (_scatter_reduce_rule(0), None, _scatter_reduce_rule(1)), saves=(0, 1, 2, "result"), **_SCATTER)


def _check_scatter(name: str, input, dim: int, index, src) -> int:
    dim = check_gather(name, input, dim, index)
    have, got = input._spec, index._spec
    if not got.numel:
        return dim
    if max(have.ndim, 1) != max(got.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    source = src._spec if isinstance(src, TensorBase) else None
    if source is not None and max(source.ndim, 1) != max(got.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    i, x = got.shape or (1,), have.shape or (1,)
    fits = all(d == dim or n <= m for d, (n, m) in enumerate(zip(i, x)))
    if not fits or (source is not None and any(n > m for n, m in zip(i, source.shape or (1,)))):
        text = f"Expected index {shape_text(got.shape)} to be no larger than self {shape_text(have.shape)} apart from dimension {dim}"
        raise RuntimeError(text + ("" if source is None else f" and to be no larger size than src {shape_text(source.shape)}"))
    if source is not None and source.dtype is not have.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    return dim


@both_forms("scatter", out=True)
def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """`input` with the elements of `src` (or one number) written at `index` along `dim`; `reduce` "add" or "multiply" combines instead.

    Raises RuntimeError for an index or source of another dtype or size than torch takes, or for positions out of range.
    """
    tensor_argument("scatter", "index", 3, index)
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter() received an invalid combination of arguments - got (Tensor, int, Tensor), but expected one of:\n"
                        " * (Tensor input, int dim, Tensor index, Tensor src, *, Tensor out = None)\n"
                        " * (Tensor input, int dim, Tensor index, Number value, *, Tensor out = None)")
    src = number_or_tensor("scatter", "value", input._spec.dtype, src)
    dim = _check_scatter("scatter", input, dim, index, src)
    if reduce is not None:
        how = {"add": "add", "multiply": "mul"}.get(reduce)
        if how is None:
            raise RuntimeError("reduce argument must be either add or multiply.")
        return write_call(scatter_how_op, input, index, src, dim=dim, how=how)
    return write_call(scatter_op if isinstance(src, TensorBase) else scatter_value_op, input, index, src, dim=dim)


@both_forms("scatter_add", out=True)
def scatter_add(input, dim, index, src):
    """`input` with the elements of `src` added at `index` along `dim`. Raises RuntimeError as `scatter` does."""
    tensor_argument("scatter_add", "index", 3, index)
    tensor_argument("scatter_add", "src", 4, src)
    return write_call(scatter_add_op, input, index, src, dim=_check_scatter("scatter", input, dim, index, src))


@both_forms("scatter_reduce", out=True)
def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """`input` with `src` reduced into it at `index` along `dim`: "sum", "prod", "mean", "amax" or "amin"; without the old values unless
    `include_self`. Raises RuntimeError as `scatter` does, NotImplementedError for dtypes that have no such reduction.
    """
    tensor_argument("scatter_reduce", "index", 3, index)
    tensor_argument("scatter_reduce", "src", 4, src)
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    d = input._spec.dtype
    if (reduce in ("amax", "amin") and d.category == COMPLEX) or (reduce == "mean" and d is dt.bool_):
        raise NotImplementedError(f"\"scatter_gather_tensor_cpu_reduce_{reduce}\" not implemented for '{d.legacy}'")
    dim = _check_scatter("scatter", input, dim, index, src)
    return write_call(scatter_reduce_op, input, index, src, dim=dim, how=reduce, include_self=bool(include_self))


# ---------------------------------------------------------------- along one dimension: index_add, index_copy, index_reduce, index_fill
def _along(write):
    """A body from `write(xp, x, key, values, **static)` for a vector of positions along `dim`."""
    def body(xp, x, index, src, *rest, dim, **static):
        key = axis_key(dim, xp.reshape(index, (-1,)))
        flat = lifted(xp, x)
        return xp.reshape(write(xp, flat, key, _as_rows(xp, src, flat, dim, index.size), *rest, **static), x.shape)
    return body


def _as_rows(xp, src, x, dim: int, n: int):
    """`src` in the shape of `x` with `n` entries along `dim`, where it has as many elements; a number as it is."""
    if src.ndim == 0 and x.size != 1:
        return src
    return xp.reshape(src, x.shape[:dim] + (n,) + x.shape[dim + 1:])


def _rows_rule(xp, g, out, x, index, src, *rest, dim, **static):
    rows = read_at(xp, lifted(xp, g), axis_key(dim, xp.reshape(index, (-1,))))
    return xp.reshape(rows, src.shape)


def _zero_rows(xp, g, out, x, index, *rest, dim, **static):
    return xp.reshape(write_at(xp, lifted(xp, g), axis_key(dim, xp.reshape(index, (-1,))), 0), x.shape)


def _index_add_complaint(code, argtypes, static) -> Exception:
    if argtypes[0].ndim < 2:
        return IndexError("index out of range in self")
    return out_of_bounds()(code, argtypes, static)


def _add_rows(xp, x, key, rows, alpha):
    return write_at(xp, x, key, rows * alpha, "add")


index_add_op = writing_op("index_add", _along(_add_rows), "IndexAddBackward0",
                          (lambda xp, g, out, x, index, src, alpha, *, dim: g, None,
                           lambda xp, g, out, x, index, src, alpha, *, dim: _rows_rule(xp, g, out, x, index, src, dim=dim) *
                           xp.conj(cast(xp, alpha, dt.BY_NUMPY[np.dtype(g.dtype)])), None),
                          saves=((1, 2),), check=check_axis(False), complain=_index_add_complaint)
index_copy_op = writing_op("index_copy", _along(write_at), "IndexCopyBackward0", (_zero_rows, None, _rows_rule), check=check_axis(False),
                           complain=out_of_bounds(IndexError, "index_copy_(): "))


def _index_reduce_rule(which: int):
    def rule(xp, g, out, x, index, src, *, dim, how, include_self):
        flat, g, out = lifted(xp, x), lifted(xp, g), lifted(xp, out)
        rows = _as_rows(xp, src, flat, dim, index.size)
        grads = _reduce_grads(xp, g, out, flat, axis_key(dim, xp.reshape(index, (-1,))), rows, how, include_self)
        return xp.reshape(grads[which], (x, src)[which].shape)
    return rule


index_reduce_op = writing_op("index_reduce", _along(_reduce_at), "IndexReduceBackward0", (_index_reduce_rule(0), None, _index_reduce_rule(1)),
                             saves=(0, 1, 2, "result"), check=check_axis(False),
                             complain=lambda code, argtypes, static: IndexError("index out of range in self"))


def _fill_value_rule(xp, g, out, x, index, value, *, dim):
    return _masked_sum(xp, g, write_at(xp, xp.zeros(x.shape or (1,), np.bool_), axis_key(dim, xp.reshape(index, (-1,))), True))


def _masked_sum(xp, g, mask):
    return xp.where(xp.reshape(mask, g.shape), g, xp.zeros((), g.dtype)).sum()


def _fill_rows(xp, x, index, value, *, dim):
    return xp.reshape(write_at(xp, lifted(xp, x), axis_key(dim, xp.reshape(index, (-1,))), value), x.shape)


_FILL = {"check": check_axis(True), "complain": out_of_bounds(IndexError), "layout": like_strides}
index_fill_op = writing_op("index_fill", _fill_rows, "IndexFillBackward0", (_zero_rows,), tensors=1, **_FILL)
index_fill_tensor_op = writing_op("index_fill.tensor", _fill_rows, "IndexFillBackward1", (_zero_rows, None, _fill_value_rule), **_FILL)


def _check_rows(name: str, input, dim: int, index, source) -> int:
    """torch's checks of index_add and index_reduce. Returns `dim` in range."""
    tensor_argument(name[:-1], "index", 3, index)
    tensor_argument(name[:-1], "source", 4, source)
    have, got, src = input._spec, index._spec, source._spec
    dim = wrap_dim(dim, have.ndim)
    if got.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {got.ndim} with type: {got.dtype.legacy} and size: "
                         f"{shape_text(got.shape)}")
    if got.dtype is not dt.int64 and got.dtype is not dt.int32:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {got.dtype.legacy}")
    if src.dtype is not have.dtype:
        raise RuntimeError(f"{name}(): self ({have.dtype.legacy}) and source ({src.dtype.legacy}) must have the same scalar type")
    if dim > 0 and dim >= src.ndim:
        raise RuntimeError(f"{name}(): Indexing dim {dim} is out of bounds of the source tensor with dim {src.ndim}")
    n = src.shape[dim] if src.ndim else 1
    if got.numel != n:
        raise RuntimeError(f"{name}(): Number of indices ({got.numel}) should be equal to source.size(dim): ({n}), for dim: {dim}")
    if _but(have.shape, dim) != _but(src.shape, dim) or len(have.shape) != len(src.shape):
        raise RuntimeError("source tensor shape must match self tensor shape, excluding the specified dimension. "
                           f"Got self.shape = {shape_text(have.shape)} source.shape = {shape_text(src.shape)}")
    return dim


def _but(shape, dim: int) -> tuple:
    return tuple(shape[:dim]) + tuple(shape[dim + 1:])


@both_forms("index_add", out=True)
def index_add(input, dim, index, source, *, alpha=1):
    """`input` with `alpha * source` added at the positions of the vector `index` along `dim`; repeated positions add up.

    Raises RuntimeError or IndexError for an index or source of another dtype or shape than torch takes, or for positions out of range.
    """
    dim = _check_rows("index_add_", input, dim, index, source)
    check_fits(alpha, input._spec.dtype)
    return write_call(index_add_op, input, index, source, alpha, dim=dim)


@both_forms("index_reduce", out=True)
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """`input` with `source` reduced into it at `index` along `dim`: "prod", "mean", "amax" or "amin". Raises as `index_add` does."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    dim = _check_rows("index_reduce_", input, dim, index, source)
    d = input._spec.dtype
    if reduce in ("amax", "amin") and d.category == COMPLEX:
        raise NotImplementedError(f"\"{'maximum' if reduce == 'amax' else 'minimum'}_cpu\" not implemented for '{d.legacy}'")
    return write_call(index_reduce_op, input, index, source, dim=dim, how=reduce, include_self=bool(include_self))


@both_forms("index_copy", out=True)
def index_copy(input, dim, index, source):
    """`input` with the entries of `source` along `dim` written at the positions of the vector `index`. Raises as `index_add` does."""
    have = input._spec
    got, src = tensor_argument("index_copy", "index", 3, index)._spec, tensor_argument("index_copy", "source", 4, source)._spec
    dim = wrap_dim(dim, have.ndim)
    if got.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {got.ndim})")
    if src.ndim == 0 and got.numel != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {got.numel})")
    if src.ndim != have.ndim and src.ndim and have.ndim:
        raise IndexError("index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality "
                         f"({src.ndim}), destination dimensionality ({have.ndim})")
    if got.dtype is not dt.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {got.dtype.legacy}")
    if src.dtype is not have.dtype:
        raise RuntimeError("index_copy_(): self and source expected to have the same dtype, but got (self) "
                           f"{have.dtype.legacy} and (source) {src.dtype.legacy}")
    _check_slices(have.shape, src.shape, dim)
    if src.ndim and got.numel != src.shape[dim]:
        raise IndexError(f"index_copy_(): Number of indices ({got.numel}) should be equal to source.size(dim) ({src.shape[dim]})")
    return write_call(index_copy_op, input, index, source, dim=dim)


def _check_slices(have, src, dim: int) -> None:
    a, b = _but(have, dim), _but(src, dim)
    if a != b:
        raise RuntimeError("index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
                           f"{' '.join(map(str, a))} at dimension {dim} and source slice shape: {' '.join(map(str, b))} at dimension 0.")


def _check_fill(input, dim: int, index, value) -> tuple:
    """torch's checks of index_fill. Returns `dim` in range and the value as an operand."""
    have, got = input._spec, tensor_argument("index_fill", "index", 3, index)._spec
    dim = wrap_dim(dim, have.ndim)
    if isinstance(value, TensorBase):
        if value._spec.ndim:
            raise RuntimeError(f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._spec.ndim} dimension(s).")
        is_complex = value._spec.dtype.category == COMPLEX
    else:
        is_complex = isinstance(value, complex)
    if is_complex and have.dtype.category != COMPLEX:
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    value = number_or_tensor("index_fill", "value", have.dtype, value)
    if got.dtype is not dt.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if got.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    return dim, value


@public("index_fill")
def index_fill(input, dim, index, value):
    """`input` with a number or 0-dim tensor written at the positions of the vector `index` along `dim`, negative ones from the end.

    Raises RuntimeError or IndexError for an index or value of another kind than torch takes, or for positions out of range.
    """
    dim, value = _check_fill(input, dim, index, value)
    return write_call(index_fill_tensor_op if isinstance(value, TensorBase) else index_fill_op, input, index, value, dim=dim)


@public("index_fill_", function=False)
def index_fill_(self, dim, index, value):
    """In-place `index_fill`."""
    check_place(self)
    behind = memory_behind(self, "index_fill_", "mask] = scalar")
    if behind is None:
        return assign(self, index_fill(self, dim, index, value))
    dim, value = _check_fill(self, dim, index, value)
    _fill_places(behind, lambda at: METHODS["__getitem__"](at, (slice(None),) * dim + (index,)), value)
    return self


# ---------------------------------------------------------------- put
def _put_body(xp, x, index, source, *, accumulate):
    flat = write_at(xp, xp.reshape(x, (-1,)), (xp.reshape(index, (-1,)),), xp.reshape(source, (-1,)), "add" if accumulate else "set")
    return xp.reshape(flat, x.shape)


def _put_self_rule(xp, g, out, x, index, source, *, accumulate):
    return g if accumulate else _put_body(xp, g, index, xp.zeros(index.shape, g.dtype), accumulate=False)


def _put_source_rule(xp, g, out, x, index, source, *, accumulate):
    return xp.reshape(read_at(xp, xp.reshape(g, (-1,)), (xp.reshape(index, (-1,)),)), source.shape)


put_op = writing_op("put", _put_body, "PutBackward0", (_put_self_rule, None, _put_source_rule), check=check_flat, complain=out_of_elements,
                    layout=like_strides)


@both_forms("put")
def put(input, index, source, accumulate=False):
    """`input`, seen as flat, with the elements of `source` written (or added, with `accumulate`) at `index`. Raises IndexError out of range."""
    have = input._spec
    got, src = tensor_argument("put", "index", 2, index)._spec, tensor_argument("put", "source", 3, source)._spec
    if got.dtype is not dt.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {got.dtype.legacy}")
    if src.dtype is not have.dtype:
        raise RuntimeError(f"put_(): self and source expected to have the same dtype, but got self.dtype = {have.dtype.legacy} and source.dtype = "
                           f"{src.dtype.legacy}")
    if got.numel != src.numel:
        raise IndexError("put_(): Expected source and index to have the same number of elements, but got source.numel() = "
                         f"{src.numel}, index.numel() = {got.numel}")
    if have.numel == 0 and got.numel:
        raise IndexError("put_(): Tried to put elements into an empty tensor")
    return write_call(put_op, input, index, source, accumulate=bool(accumulate))


# ---------------------------------------------------------------- masks
def _masked_fill_plan(op: Op, argtypes: tuple, static: dict):
    x, _, mask = argtypes
    d = x.dtype
    return (lambda xp, x, value, mask: xp.where(mask, cast(xp, value, d), x)), like(x, broadcast_shapes([x.shape, mask.shape]))


def _masked_fill(name: str, grad: str, value_rule) -> Op:
    return Op(name, lambda xp, x, value, mask: xp.where(mask, value, x), _masked_fill_plan, grad=grad, saves=(2,),
              vjp=(lambda xp, g, out, x, value, mask: xp.where(mask, xp.zeros((), g.dtype), g), value_rule, None))


masked_fill_op = _masked_fill("masked_fill", "MaskedFillBackward0", None)
masked_fill_tensor_op = _masked_fill("masked_fill.tensor", "MaskedFillBackward1",
                                     lambda xp, g, out, x, value, mask: xp.where(mask, g, xp.zeros((), g.dtype)).sum())


def _mask_value(input, mask, value):
    """torch's checks of masked_fill. Returns the value as an operand."""
    if not isinstance(mask, TensorBase) or not isinstance(value, (TensorBase, int, float, complex)):
        kinds = ", ".join("Tensor" if isinstance(a, TensorBase) else type(a).__name__ for a in (input, mask, value))
        raise TypeError(f"masked_fill() received an invalid combination of arguments - got ({kinds}), but expected one of:\n"
                        " * (Tensor input, Tensor mask, Tensor value)\n * (Tensor input, Tensor mask, Number value)")
    d = mask._spec.dtype
    if isinstance(value, TensorBase):
        if value._spec.ndim:
            raise RuntimeError(f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._spec.ndim} dimension(s).")
        if value._spec.dtype.category == COMPLEX and input._spec.dtype.category <= FLOATING:
            check_fits(1j, input._spec.dtype)
    if d is not dt.bool_:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {C_NAMES.get(d, d.name)}")
    return number_or_tensor("masked_fill", "value", input._spec.dtype, value)


@public("masked_fill")
def masked_fill(input, mask, value):
    """`input` with `value` (a number or 0-dim tensor) where the bool `mask` is true; both broadcast. Recorded, the mask is not read.

    Raises RuntimeError for a mask that is not bool, a value with dimensions, or one that does not fit the dtype.
    """
    value = _mask_value(input, mask, value)
    broadcast_shapes([mask._spec.shape, input._spec.shape])
    return call(masked_fill_tensor_op if isinstance(value, TensorBase) else masked_fill_op, (input, value, mask))


def masked_fill_(self, mask, value):
    """In-place `masked_fill`: the mask broadcasts to self. Raises RuntimeError where it does not."""
    check_place(self)
    value = _mask_value(self, mask, value)
    behind = memory_behind(self, "masked_fill_", "mask] = scalar")
    if behind is not None:
        _fill_places(behind, lambda at: METHODS["masked_select"](at, mask), value)
        return self
    return assign(self, call(masked_fill_tensor_op if isinstance(value, TensorBase) else masked_fill_op, (self, value, mask)))


def _fill_places(behind: tuple, pick: Callable, value) -> None:
    """Fill the memory behind an expanded tensor at the places that `pick` selects."""
    flat, at = behind
    if isinstance(value, TensorBase):
        value = METHODS["to"](value, flat._spec.dtype)
    METHODS["__setitem__"](flat, pick(at), value)


register(METHODS, "masked_fill_", masked_fill_)


for _name, _count in (("MaskedFillBackward0", 1), ("MaskedFillBackward1", 2), ("MaskedScatterBackward0", 2), ("SelectScatterBackward0", 2),
                      ("SliceScatterBackward0", 2)):
    node_class(_name).tensors = _count


def _ranks(xp, mask):
    """For each element of a flattened mask, how many true ones come before it."""
    return xp.maximum(xp.cumsum(xp.reshape(mask, (-1,)).astype(np.int64)) - 1, 0)


def _masked_scatter_plan(op: Op, argtypes: tuple, static: dict):
    x, _, mask = argtypes
    shape = broadcast_shapes([x.shape, mask.shape])

    def impl(xp, x, source, mask):
        if source.size == 0:
            return xp.broadcast_to(x, shape)
        mask = xp.broadcast_to(mask, shape)
        values = read_at(xp, xp.reshape(source, (-1,)), (xp.minimum(_ranks(xp, mask), source.size - 1),))
        return xp.where(mask, xp.reshape(values, shape), x)
    return impl, like(x, shape)


def _masked_source_rule(xp, g, out, x, source, mask):
    flat = xp.zeros((source.size,), g.dtype)
    if source.size == 0:
        return xp.reshape(flat, source.shape)
    mask = xp.broadcast_to(mask, g.shape)
    places = xp.minimum(_ranks(xp, mask), source.size - 1)
    values = xp.reshape(xp.where(mask, g, xp.zeros((), g.dtype)), (-1,))
    return xp.reshape(write_at(xp, flat, (places,), values, "add"), source.shape)


def _check_count(xp, x, source, mask):
    spread = np.prod(np.broadcast_shapes(tuple(x.shape), tuple(mask.shape)), dtype=np.int64) // max(1, np.prod(tuple(mask.shape), dtype=np.int64))
    size = int(np.prod(tuple(source.shape), dtype=np.int64))
    return xp.where(mask.sum() * int(spread) > size, 1, 0)


masked_scatter_op = Op("masked_scatter", lambda xp, x, source, mask: x, _masked_scatter_plan, grad="MaskedScatterBackward0", saves=(2,),
                       vjp=(lambda xp, g, out, x, source, mask: xp.where(mask, xp.zeros((), g.dtype), g), _masked_source_rule, None),
                       check=_check_count, checked=(2,),
                       complain=lambda code, argtypes, static: RuntimeError("Number of elements of source < number of ones in mask"))


def _scatter_masked(input, mask, source):
    got, src = tensor_argument("masked_scatter", "mask", 2, mask)._spec, tensor_argument("masked_scatter", "source", 3, source)._spec
    have = input._spec
    if src.dtype is not have.dtype:
        raise RuntimeError(f"masked_scatter: expected self and source to have same dtypes but got{have.dtype.legacy} and {src.dtype.legacy}")
    if got.dtype is not dt.bool_:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {got.dtype.legacy}")
    return call(masked_scatter_op, (input, source, mask))


@public("masked_scatter")
def masked_scatter(input, mask, source):
    """`input` with the elements of `source`, in order, where the bool `mask` is true; input and mask broadcast. The mask is not read.

    Raises RuntimeError for a mask that is not bool, for differing dtypes, or (at the next read) where `source` has too few elements.
    """
    tensor_argument("masked_scatter", "mask", 2, mask)
    broadcast_shapes([mask._spec.shape, input._spec.shape])
    return _scatter_masked(input, mask, source)


def masked_scatter_(self, mask, source):
    """In-place `masked_scatter`: the mask broadcasts to self."""
    check_writable(self)
    expanded(tensor_argument("masked_scatter_", "mask", 2, mask), tuple(self._spec.shape))
    return assign(self, _scatter_masked(self, mask, source))


register(METHODS, "masked_scatter_", masked_scatter_)


# ---------------------------------------------------------------- select_scatter, slice_scatter, diagonal_scatter
def _view_scatter(name: str, view: str, grad: str) -> Op:
    """An op that puts `src` in where a view op would look: `(x, src, *numbers)`."""
    def body(xp, x, src, *numbers, **static):
        return VIEWS[view].put(xp, x, src.astype(x.dtype), *numbers, **static)

    def self_rule(xp, g, out, x, src, *numbers, **static):
        return VIEWS[view].put(xp, g, xp.zeros(src.shape, g.dtype), *numbers, **static)

    def src_rule(xp, g, out, x, src, *numbers, **static):
        return VIEWS[view].body(xp, g, *numbers, **static)
    return Op(name, body, lambda op, argtypes, static: ((lambda xp, *args: body(xp, *args, **static)), argtypes[0]), grad=grad,
              vjp=(self_rule, src_rule, None), layout=lambda spec, args: args[0]._current_strides)


select_scatter_op = _view_scatter("select_scatter", "select", "SelectScatterBackward0")
slice_scatter_op = _view_scatter("slice_scatter", "slice", "SliceScatterBackward0")


@public("select_scatter")
def select_scatter(input, src, dim, index):
    """`input` with `src` in place of its slice at position `index` of dimension `dim`. Raises RuntimeError where shapes differ."""
    tensor_argument("select_scatter", "src", 2, src)
    shape = input._spec.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    index, n = index.__index__(), shape[dim]
    if not -n <= index < n:
        raise IndexError(f"select(): index {index} out of range for tensor of size {shape_text(shape)} at dimension {dim}")
    check_part(src, _but(shape, dim))
    return call(select_scatter_op, (input, src, index % n), (("dim", dim),))


@public("slice_scatter", out=True)
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """`input` with `src` in place of its slice `start:end:step` of dimension `dim`. Raises RuntimeError where shapes differ."""
    tensor_argument("slice_scatter", "src", 2, src)
    shape = input._spec.shape
    if not shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    start, stop, step = slice(start, end, step).indices(shape[dim])
    length = max(0, (stop - start + step - 1) // step)
    check_part(src, tuple(shape[:dim]) + (length,) + tuple(shape[dim + 1:]))
    return call(slice_scatter_op, (input, src, start), (("dim", dim), ("length", length), ("step", step)))


def _diagonal_key(shape, offset: int) -> tuple:
    """The positions on a diagonal of the last two dimensions."""
    rows, columns = shape[-2], shape[-1]
    n = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    i = np.arange(n)
    return Ellipsis, i + max(0, -offset), i + max(0, offset)


def _diagonal_of(xp, x, offset: int, dims: tuple):
    last = xp.moveaxis(x, dims, (-2, -1))
    return last[_diagonal_key(last.shape, offset)]


def _diagonal_put(xp, x, src, *, offset, dims):
    last = xp.moveaxis(x, dims, (-2, -1))
    return xp.moveaxis(write_at(xp, last, _diagonal_key(last.shape, offset), src), (-2, -1), dims)


diagonal_scatter_op = Op("diagonal_scatter", _diagonal_put,
                         lambda op, argtypes, static: ((lambda xp, x, src: _diagonal_put(xp, x, src, **static)), argtypes[0]),
                         grad="DiagonalScatterBackward0", layout=lambda spec, args: args[0]._current_strides,
                         vjp=(lambda xp, g, out, x, src, **static: _diagonal_put(xp, g, xp.zeros(src.shape, g.dtype), **static),
                              lambda xp, g, out, x, src, *, offset, dims: _diagonal_of(xp, g, offset, dims)))


def _moved(shape, dims: tuple) -> tuple:
    rest = [n for d, n in enumerate(shape) if d not in dims]
    return (*rest, shape[dims[0]], shape[dims[1]])


@public("diagonal_scatter")
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """`input` with `src` on the diagonal (shifted by `offset`) of dimensions `dim1` and `dim2`. Raises RuntimeError where shapes differ."""
    tensor_argument("diagonal_scatter", "src", 2, src)
    shape = input._spec.shape
    a, b = wrap_dim(dim1, len(shape)), wrap_dim(dim2, len(shape))
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    moved = _moved(shape, (a, b))
    check_part(src, moved[:-2] + (len(_diagonal_key(moved, offset)[1]),))
    return call(diagonal_scatter_op, (input, src), (("offset", int(offset)), ("dims", (a, b))))


for _name in ("scatter", "scatter_add", "scatter_reduce", "index_add", "index_reduce", "index_copy", "slice_scatter"):
    strict_out(_name)

__all__ = ["both_forms", "number_or_tensor", "write_call", "writing_op"]
