"""Lookups by index: embedding, embedding_bag and one_hot. Indices out of range raise at the call, or at the next read."""

from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .._core.tape import state
from .._core.view import write
from .nn_common import computed, require_tensor, sized
from .shared import shape_text
from .variants import METHODS, public


def _out_of_range(xp, size: int, index):
    if 0 in index.shape:
        return np.int64(0)
    return xp.where(((index < 0) | (index >= size)).any(), 1, 0)


def _add_rows(xp, rows: int, index, g):
    """Rows of zeros with g's rows added at `index`."""
    if xp is np:
        made = np.zeros((rows, g.shape[-1]), g.dtype)
        np.add.at(made, index, g)
        return made
    return xp.zeros((rows, g.shape[-1]), g.dtype).at[index].add(g)


def _embedding_rule(xp, g, out, weight, index, *, padding, by_frequency):
    flat = index.reshape(-1)
    g = g.reshape((flat.shape[0], weight.shape[1]))
    if by_frequency:
        ones = xp.ones((flat.shape[0], 1), g.dtype)
        g = g / xp.maximum(_add_rows(xp, weight.shape[0], flat, ones), 1)[flat]
    if padding is not None:
        g = xp.where((flat == padding)[:, None], xp.zeros((), g.dtype), g)
    return _add_rows(xp, weight.shape[0], flat, g)


def _infer_embedding(weight, index, *, padding, by_frequency):
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    require_index(index)
    return sized((*index.shape, weight.shape[1]), weight)


def require_index(index) -> None:
    """Raise torch's error unless a Spec is of int64 or int32."""
    if index.dtype not in (dt.int64, dt.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{index.dtype.legacy}Tensor instead (while checking arguments for embedding)"
        )


embedding_op = Op(
    "embedding",
    lambda xp, weight, index, *, padding, by_frequency: weight[index],
    computed(_infer_embedding),
    grad="EmbeddingBackward0",
    saves=(1,),
    vjp=(_embedding_rule,),
    check=lambda xp, weight, index, **static: _out_of_range(xp, weight.shape[0], index),
    checked=(1,),
    complain=lambda code, argtypes, static: IndexError("index out of range in self"),
)


def _padding_row(padding_idx, rows: int):
    if padding_idx is None:
        return None
    if padding_idx >= rows or padding_idx < -rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def _renorm(weight, index, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to `max_norm`, in place, outside the graph."""
    rows = np.unique(index._host("embedding max_norm"))
    host = np.array(weight._host("embedding max_norm"))
    norms = np.linalg.norm(host[rows].astype(np.float64), norm_type, axis=1, keepdims=True)
    host[rows] = np.where(norms > max_norm, host[rows] * (max_norm / (norms + 1e-7)), host[rows]).astype(host.dtype)
    before, state.grad = state.grad, False
    try:
        write(weight, METHODS["new_tensor"](weight, host)._read(), None)
    finally:
        state.grad = before


def _lookup(weight, indices, padding, by_frequency):
    return call(embedding_op, (weight, indices), (("padding", padding), ("by_frequency", bool(by_frequency))))


@public("nn.functional.embedding", method=False)
def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Rows of `weight` at the indices `input`. Raises IndexError for an index out of range; sparse gradients are dense here."""
    require_tensor("embedding", "indices", 2, input)
    padding = _padding_row(padding_idx, weight._spec.shape[0])
    if max_norm is not None:
        _renorm(weight, input, max_norm, norm_type)
    return _lookup(weight, input, padding, scale_grad_by_freq)


@public("embedding", method=False)
def top_embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """torch.embedding: nn.functional.embedding with the weight first; padding_idx -1 means none."""
    return _lookup(weight, indices, None if padding_idx < 0 else padding_idx, scale_grad_by_freq)


@public("nn.functional.one_hot", method=False)
def one_hot(tensor, num_classes=-1):
    """int64 zeros with ones at the classes given, along a new last dimension. With -1 the classes are counted, which reads the tensor.

    Raises RuntimeError for negative classes or classes not below `num_classes`, as torch does.
    """
    spec = tensor._spec
    if spec.dtype is not dt.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if spec.numel == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return METHODS["new_zeros"](tensor, (*spec.shape, num_classes))
    if num_classes == -1:
        host = tensor._host("one_hot counts classes")
        if host.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        num_classes = int(host.max()) + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    made = call(one_hot_op, (tensor,), (("classes", int(num_classes)),))
    made._bump()
    made._bump()  # torch fills zeros and scatters ones
    return made


def _one_hot_check(xp, index, *, classes):
    if 0 in index.shape:
        return np.int64(0)
    return xp.where((index < 0).any(), 1, xp.where((index >= classes).any(), 2, 0))


one_hot_op = Op(
    "one_hot",
    lambda xp, index, *, classes: (index[..., None] == np.arange(classes)).astype(np.int64),
    computed(lambda index, *, classes: sized((*index.shape, classes), index)),
    check=_one_hot_check,
    checked=(0,),
    complain=lambda code, argtypes, static: RuntimeError(
        "Class values must be non-negative." if code == 1 else "Class values must be smaller than num_classes."
    ),
)


# ---------------------------------------------------------------- bags
def _bag_of(xp, offsets, count: int):
    """Which bag each of `count` indices belongs to."""
    return (xp.searchsorted(offsets, xp.arange(count), side="right") - 1).astype(np.int64)


def _looked_up(xp, weight, index, by_frequency: bool):
    """Rows of the weight; with `by_frequency` their gradients are divided by how often the index occurs."""
    rows = weight[index]
    if xp is np or not by_frequency:
        return rows
    share = 1 / _add_rows(xp, weight.shape[0], index, xp.ones((index.shape[0], 1), rows.dtype))[index]
    return rows * share + jax.lax.stop_gradient(rows * (1 - share))


def _bag_body(xp, weight, index, offsets, scale, *, bags, mode, padding, by_frequency):
    bag = _bag_of(xp, offsets, index.shape[0])
    rows = _looked_up(xp, weight, index, by_frequency)
    keep = xp.ones(index.shape, bool) if padding is None else index != padding
    if mode == "max":
        same = (bag[None] == np.arange(bags)[:, None]) & keep[None]
        spread = xp.where(same[:, :, None], rows[None], xp.asarray(-np.inf, rows.dtype))
        made = spread.max(1) if index.shape[0] else xp.zeros((bags, weight.shape[1]), rows.dtype)
        return xp.where(same.any(1)[:, None], made, xp.zeros((), rows.dtype))
    rows = xp.where(keep[:, None], rows, xp.zeros((), rows.dtype))
    if scale is not None:
        rows = rows * scale[:, None]
    total = _add_rows(xp, bags, bag, rows)
    if mode == "sum":
        return total
    return total / xp.maximum(_add_rows(xp, bags, bag, keep.astype(rows.dtype)[:, None]), 1)


def _infer_bag(weight, index, offsets, scale, *, bags, mode, padding, by_frequency):
    require_index(index)
    return sized((bags, weight.shape[1]), weight)


bag_op = Op(
    "embedding_bag",
    _bag_body,
    computed(_infer_bag),
    grad="EmbeddingBagBackward0",
    saves=(1,),
    check=lambda xp, weight, index, *rest, **static: _out_of_range(xp, weight.shape[0], index),
    checked=(1,),
    complain=lambda code, argtypes, static: RuntimeError("embedding_bag: Expected idx >= 0 && idx < num_embeddings"),
)


@public("nn.functional.embedding_bag", method=False)
def embedding_bag(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """The sum, mean or max of the rows of `weight` in each bag: a row of 2-d `input`, or 1-d `input` cut at `offsets`. Raises ValueError for
    arguments that do not fit, RuntimeError for indices out of range."""
    if per_sample_weights is not None:
        _check_sample_weights(input, per_sample_weights, mode)
    x = input._spec
    if x.ndim == 2:
        if offsets is not None:
            raise ValueError(
                f"if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, "
                f"found offsets of type {type(offsets)}"
            )
        offsets = METHODS["new_tensor"](input, np.arange(x.shape[0]) * x.shape[1])
        input = METHODS["reshape"](input, -1)
        per_sample_weights = None if per_sample_weights is None else METHODS["reshape"](per_sample_weights, -1)
    elif x.ndim == 1:
        _check_offsets(x, offsets)
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {x.ndim}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if max_norm is not None:
        _renorm(weight, input, max_norm, norm_type)
    bags = offsets._spec.shape[0] - (1 if include_last_offset else 0)
    if include_last_offset:
        offsets = METHODS["narrow"](offsets, 0, 0, bags)
    static = (
        ("bags", bags),
        ("mode", mode),
        ("padding", _padding_row(padding_idx, weight._spec.shape[0])),
        ("by_frequency", bool(scale_grad_by_freq)),
    )
    return call(bag_op, (weight, input, offsets, per_sample_weights), static)


def _check_sample_weights(input, weights, mode: str) -> None:
    if input._spec.shape != weights._spec.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({shape_text(weights._spec.shape)}) is not None, then it must have the same shape as the "
            f"input ({shape_text(input._spec.shape)})"
        )
    if mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )


def _check_offsets(x, offsets) -> None:
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets._spec.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")


__all__ = ["embedding", "embedding_bag", "one_hot"]
