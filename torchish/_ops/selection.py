"""The machinery of operations that pick elements along one dimension and say which: max, sort, topk, median, cummax and their kin.

A body chooses the indices; values, shapes, gradients and the unpacking of 0-dim tensors are shared. It knows no operation by name.
"""
from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import spec_of
from .shared import wrap_dim


def widened(d: dt.dtype) -> dt.dtype:
    """The dtype that values of dtype `d` are computed in: float32 for the halves, which NumPy handles badly."""
    return dt.float32 if d in (dt.float16, dt.bfloat16) else d


def is_nan(xp, x):
    """Where `x` is NaN; all False for integers and bool, which `isnan` would convert first."""
    return xp.isnan(x) if x.dtype.kind in "fcV" else xp.zeros(x.shape, bool)


def along(ndim: int, shape: tuple, dim: int, index) -> tuple:
    """The index tuple that addresses `index` along `dim` and each position of itself along the other dimensions."""
    return tuple(index if d == dim else np.arange(shape[d]).reshape((-1,) + (1,) * (ndim - 1 - d)) for d in range(ndim))


def scatter_add(xp, shape: tuple, dim: int, index, values):
    """Zeros of `shape` with `values` added at `index` along `dim`; repeated indices add up."""
    zeros = xp.zeros(shape, values.dtype)
    where = along(len(shape), index.shape, dim, index)
    if xp is np:
        np.add.at(zeros, where, values)
        return zeros
    return zeros.at[where].add(values)


def pick_planner(op: Op, argtypes: tuple, static: dict):
    """Plan of a picking op. Its body `(xp, x, dim, **rest) -> indices` keeps `dim`, with as many entries as it picks.

    static: `dim` in range; `size`, how many entries it picks (None: as many as there are); `squeeze`, whether `dim` is dropped (size 1).
    """
    a, compute = argtypes[0], widened(argtypes[0].dtype)
    dim, size, squeeze = static.pop("dim"), static.pop("size"), static.pop("squeeze")
    shape = tuple(a.shape)
    if shape:
        shape = shape[:dim] + (() if squeeze else (shape[dim] if size is None else size,)) + shape[dim + 1:]
    body = op.body

    def impl(xp, x):
        x = x if a.ndim else xp.reshape(x, (1,))
        index = body(xp, cast(xp, x, compute), dim, **static)
        values = xp.take_along_axis(x, index, dim)
        return xp.reshape(values, shape), cast(xp, xp.reshape(index, shape), dt.int64)
    return impl, (spec_of(shape, a.dtype, a.device), spec_of(shape, dt.int64, a.device))


def pick_rule(xp, g, out, x, *, dim, squeeze, **rest):
    """The gradient goes to the picked elements."""
    if x.ndim == 0:
        return g[0]
    g, index = (xp.expand_dims(g[0], dim), xp.expand_dims(out[1], dim)) if squeeze else (g[0], out[1])
    return scatter_add(xp, x.shape, dim, index, g)


def picking(name: str, body: Callable, grad: str) -> Op:
    """Declare a picking op; see `pick_planner` for its body and static parameters."""
    return Op(name, body, pick_planner, grad=grad, saves=("indices",), vjp=(pick_rule,))


def pick(op: Op, result: type, input: TensorBase, dim: int, keepdim: bool, rest: tuple = ()):
    """Record an op that picks one element along `dim` (already in range); `result` is the named tuple to return."""
    return result(call(op, (input,), (("dim", dim), ("size", 1), ("squeeze", not keepdim), *rest)))


def reduced_dim(name: str, spec, dim: int, separator: str = "():") -> int:
    """`dim` in range, for a reduction without identity. Raises IndexError for a dimension of size 0, naming `name` as torch does."""
    wrapped = wrap_dim(dim, spec.ndim)
    if spec.numel == 0 and spec.ndim and spec.shape[wrapped] == 0:
        raise IndexError(f"{name}{separator} Expected reduction dim {wrapped} to have non-zero size.")
    return wrapped


def refuse(kernel: str, d: dt.dtype) -> None:
    """Raise what torch raises where its kernel does not implement a dtype."""
    raise NotImplementedError(f"\"{kernel}\" not implemented for '{d.legacy}'")


def running_max(xp, x, axis: int):
    """The largest of the elements so far along `axis`; NaN once one has come."""
    if xp is np:
        return np.maximum.accumulate(x, axis=axis)
    return jax.lax.associative_scan(jnp.maximum, x, axis=axis)
