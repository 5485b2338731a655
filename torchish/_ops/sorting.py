"""Sorting and ranking along a dimension: sort, argsort, msort, topk, kthvalue. Every sort is stable; NaN counts as the largest value.

Which of tied values topk and kthvalue take, torch's CPU kernels leave to partial sorts: see partial_order.py.
"""
from __future__ import annotations

from .._core.handle import TensorBase
from .._core.record import call, set_strides
from .._dtype import BOOL, COMPLEX
from .exact_out import alone_out, exact_out
from .layout import like_strides
from .partial_order import kth, picked_as_torch, top
from .reduction import one_dim
from .return_types import return_type
from .selection import pick, picking, reduced_dim, refuse
from .shared import wrap_dim
from .variants import public


def order(xp, x, dim: int, descending: bool):
    """The stable sorting permutation along `dim`. Descending is the ascending order of the reversed input, read backwards: ties keep
    their order and NaN comes first."""
    if not descending:
        return xp.argsort(x, axis=dim, stable=True)
    return x.shape[dim] - 1 - xp.flip(xp.argsort(xp.flip(x, dim), axis=dim, stable=True), dim)


def _top(xp, x, dim, k, largest, ordered):
    sorted_index = order(xp, x, dim, largest)
    if k == 0:
        return sorted_index[(slice(None),) * dim + (slice(0, 0),)]
    return picked_as_torch(xp, x, sorted_index, dim, 0, k, top(k, ordered), always=not ordered)


def _kth(xp, x, dim, k):
    return picked_as_torch(xp, x, order(xp, x, dim, False), dim, k - 1, k, kth(k))


sort_op = picking("sort", order, "SortBackward0")
sort_stable_op = picking("sort.stable", order, "SortBackward1")
topk_op = picking("topk", _top, "TopkBackward0")
kthvalue_op = picking("kthvalue", _kth, "KthvalueBackward0")
SORT, TOPK, KTHVALUE = (return_type(name, "values", "indices") for name in ("sort", "topk", "kthvalue"))


def sorted_pair(input: TensorBase, dim: int, descending: bool, stable: bool | None) -> tuple:
    """Values and indices in sorted order; like torch's, they have the strides of a dense input."""
    spec = input._spec
    if spec.dtype.category == COMPLEX:
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    static = (("dim", wrap_dim(dim, spec.ndim)), ("size", None), ("squeeze", False), ("descending", bool(descending)))
    pair = call(sort_op if stable is None else sort_stable_op, (input,), static)
    if input._strides is not None:
        strides = like_strides(spec, (input,))
        for t in pair:
            set_strides(t, strides)
    return pair


@public("sort", out=True)
def sort(input, dim=-1, descending=False, *, stable=None):
    """The elements in order along `dim` and the indices they come from, a named tuple (values, indices). Stable; NaN is the largest.

    Raises RuntimeError for complex tensors.
    """
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise TypeError(f"sort() received an invalid combination of arguments - got (Tensor, {type(dim).__name__})")
    return SORT(sorted_pair(input, dim, descending, stable))


@public("argsort")
def argsort(input, dim=-1, descending=False, *, stable=False):
    """The indices that sort `input` along `dim`; see `sort`."""
    return sorted_pair(input, dim, descending, None)[1]


@public("msort", out=True)
def msort(input):
    """The elements in ascending order along the first dimension."""
    return sorted_pair(input, 0, False, None)[0]


@public("topk", out=True)
def topk(input, k, dim=-1, largest=True, sorted=True):
    """The `k` largest (or smallest) elements along `dim` and their indices, a named tuple; unless `sorted` in the order of selection.

    Raises RuntimeError for a `k` out of range, and for bool and complex tensors.
    """
    spec = input._spec
    dim = wrap_dim(dim, spec.ndim)
    k = k.__index__()
    if not 0 <= k <= (spec.shape[dim] if spec.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if spec.dtype.category == COMPLEX:
        raise RuntimeError(" topk does not support complex dtypes on CPU")
    if spec.dtype.category == BOOL:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    if spec.ndim == 0:  # torch returns the element for k = 0 too
        k = 1
    return TOPK(call(topk_op, (input,), (("dim", dim), ("size", k), ("squeeze", False), ("k", k), ("largest", bool(largest)),
                                     ("ordered", bool(sorted)))))


@public("kthvalue", out=True)
def kthvalue(input, k, dim=-1, keepdim=False):
    """The `k`-th smallest element (from 1) along `dim` and its index, a named tuple. Raises RuntimeError for a `k` out of range."""
    spec = input._spec
    dim = reduced_dim("kthvalue", spec, one_dim("kthvalue", dim))
    k = k.__index__()
    if not 1 <= k <= (spec.shape[dim] if spec.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    if spec.dtype.category in (BOOL, COMPLEX):
        refuse("kthvalue_cpu", spec.dtype)
    return pick(kthvalue_op, KTHVALUE, input, dim, keepdim, (("k", k),))


exact_out("sort", "topk", "msort")
exact_out("kthvalue", message=lambda name, want, have: "output values must be of same type as input")
alone_out("topk", "kthvalue")
