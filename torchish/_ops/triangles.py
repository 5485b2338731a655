"""Triangles and diagonals as copies: tril, triu and their indices, diag, diagflat, diag_embed."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import from_array
from .._core.op import Op, simple
from .._core.record import call
from .._core.spec import like
from .._device import device as Device
from .factory import default_device, mark_leaf
from .shared import wrap_dim
from .variants import METHODS, public
from .view_ops import diagonal_op

# ---------------------------------------------------------------- tril and triu
_NAMES = {"tril": "lower", "triu": "upper"}


def _triangle(name: str) -> None:
    def body(xp, x, *, diagonal):
        return getattr(xp, name)(x, diagonal)
    op = Op(name, body, simple(lambda x, *, diagonal: x), grad=f"{name.capitalize()}Backward0",
            vjp=(lambda xp, g, out, x, *, diagonal: body(xp, g, diagonal=diagonal),))

    def front(input, diagonal=0):
        if input._spec.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return call(op, (input,), (("diagonal", diagonal),))
    front.__name__ = front.__qualname__ = name
    front.__doc__ = f"The {_NAMES[name]} triangle of the last two dimensions (from the diagonal number `diagonal` on), zeros elsewhere."
    public(name, out=True, inplace=True)(front)


_triangle("tril")
_triangle("triu")


def _triangle_indices(name: str, inside) -> None:
    def front(row, col, offset=0, *, dtype=dt.int64, layout=None, device=None, pin_memory=False):
        for what, n in (("row", row), ("col", col)):
            if n < 0:
                raise RuntimeError(f"{what} must be non-negative, got{n}")
        if dtype.category != dt.INTEGER:
            raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.legacy}'")
        where = default_device() if device is None else Device(device)
        rows, columns = np.indices((row, col)).reshape(2, -1)
        keep = inside(columns - rows, offset)
        return mark_leaf(from_array(np.stack([rows[keep], columns[keep]]).astype(dtype.numpy), None, where), False)
    front.__name__ = front.__qualname__ = name
    front.__doc__ = f"Row and column numbers (2 x N, int64 unless told otherwise) of the {_NAMES[name[:4]]} triangle of a `row` by `col` matrix."
    public(name, method=False)(front)


_triangle_indices("tril_indices", lambda above, offset: above <= offset)
_triangle_indices("triu_indices", lambda above, offset: above >= offset)


# ---------------------------------------------------------------- diagonals
def _embed_body(xp, x, *, offset, dim1, dim2):
    n = x.shape[-1] + abs(offset)
    at = np.arange(x.shape[-1])
    rows, columns = (at, at + offset) if offset >= 0 else (at - offset, at)
    zeros = xp.zeros((*x.shape[:-1], n, n), x.dtype)
    if xp is np:
        zeros[..., rows, columns] = x
        made = zeros
    else:
        made = zeros.at[..., rows, columns].set(x)
    return xp.moveaxis(made, (-2, -1), (dim1, dim2))


def _embed_infer(x, *, offset, dim1, dim2):
    n = x.shape[-1] + abs(offset)
    rest = iter(x.shape[:-1])
    return like(x, tuple(n if d in (dim1, dim2) else next(rest) for d in range(x.ndim + 1)))


diag_embed_op = Op("diag_embed", _embed_body, simple(_embed_infer), grad="DiagEmbedBackward0",
                   vjp=(lambda xp, g, out, x, *, offset, dim1, dim2: diagonal_op.body(xp, g, offset=offset, dim1=dim1, dim2=dim2),))
diagonal_copy_op = Op("diagonal_copy", diagonal_op.body, diagonal_op.planner, grad="DiagonalBackward0_copy", vjp=diagonal_op.vjp)


@public("diag_embed")
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The last dimension laid out on the diagonals of two new ones, `dim1` and `dim2`; zeros elsewhere."""
    ndim = input._spec.ndim + 1
    a, b = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return call(diag_embed_op, (input,), (("offset", offset), ("dim1", a), ("dim2", b)))


@public("diag", out=True)
def diag(input, diagonal=0):
    """The diagonal of a matrix (a copy), or a matrix with a vector on its diagonal. Raises RuntimeError for other ranks."""
    ndim = input._spec.ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return call(diagonal_copy_op, (input,), (("offset", diagonal), ("dim1", 0), ("dim2", 1)))


@public("diagflat")
def diagflat(input, offset=0):
    """A matrix with all elements of `input` on its diagonal."""
    return diag_embed(METHODS["view"](METHODS["contiguous"](input), -1), offset)
