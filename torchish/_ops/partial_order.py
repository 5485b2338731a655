"""Which of equal elements topk and kthvalue pick: torch's CPU kernels leave that to partial sorts, whose steps are followed here.

Only rows where a tie decides come here, as ranks (equal elements share one), on the host: from a compiled program by a callback.

Note [Partial sorts]: topk takes the C++ library's partial_sort where it wants at most one element in 64, else nth_element and sort, as GNU
libstdc++ has them: introselect and introsort (Musser, 1997), median of three, insertion sort for short ranges. kthvalue has a quickselect
of its own (Hoare's, median of three).
"""
from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

SHORT, FEW_WANTED = 16, 64


# ---------------------------------------------------------------- the library's algorithms, on ranks r of items q[first:last]
def _sift_down(q: list, r: list, first: int, hole: int, size: int, item: int) -> None:
    """Put `item` into a heap (largest rank on top) whose element `hole` is free: down along the larger children, then up."""
    top = child = hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if r[q[first + child]] < r[q[first + child - 1]]:
            child -= 1
        q[first + hole] = q[first + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        q[first + hole] = q[first + child - 1]
        hole = child - 1
    parent = (hole - 1) // 2
    while hole > top and r[q[first + parent]] < r[item]:
        q[first + hole] = q[first + parent]
        hole, parent = parent, (parent - 1) // 2
    q[first + hole] = item


def _heap_select(q: list, r: list, first: int, middle: int, last: int) -> None:
    size = middle - first
    for parent in range((size - 2) // 2, -1, -1):
        _sift_down(q, r, first, parent, size, q[first + parent])
    for i in range(middle, last):
        if r[q[i]] < r[q[first]]:
            item, q[i] = q[i], q[first]
            _sift_down(q, r, first, 0, size, item)


def _partial_sort(q: list, r: list, first: int, middle: int, last: int) -> None:
    _heap_select(q, r, first, middle, last)
    for end in range(middle - 1, first, -1):
        item, q[end] = q[end], q[first]
        _sift_down(q, r, first, 0, end - first, item)


def _insertion_sort(q: list, r: list, first: int, last: int) -> None:
    q[first:last] = sorted(q[first:last], key=r.__getitem__)  # insertion is stable


def _partition(q: list, r: list, first: int, last: int) -> int:
    """Move the median of three to the front and the rest to its sides; where the upper side begins."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    ra, rb, rc = r[q[a]], r[q[b]], r[q[c]]
    if ra < rb:
        median = b if rb < rc else c if ra < rc else a
    else:
        median = a if ra < rc else c if rb < rc else b
    q[first], q[median] = q[median], q[first]
    pivot, low, high = r[q[first]], first + 1, last
    while True:
        while r[q[low]] < pivot:
            low += 1
        high -= 1
        while pivot < r[q[high]]:
            high -= 1
        if low >= high:
            return low
        q[low], q[high] = q[high], q[low]
        low += 1


def _depth(size: int) -> int:
    return 2 * (size.bit_length() - 1)


def _nth_element(q: list, r: list, nth: int) -> None:
    first, last = 0, len(q)
    depth = _depth(last)
    while last - first > 3:
        if depth == 0:
            _heap_select(q, r, first, nth + 1, last)
            q[first], q[nth] = q[nth], q[first]
            return
        depth -= 1
        cut = _partition(q, r, first, last)
        if cut <= nth:
            first = cut
        else:
            last = cut
    _insertion_sort(q, r, first, last)


def _sort(q: list, r: list, last: int) -> None:
    stack = [(0, last, _depth(last))] if last > SHORT else []
    while stack:
        first, end, depth = stack.pop()
        while end - first > SHORT:
            if depth == 0:
                _partial_sort(q, r, first, end, end)
                break
            depth -= 1
            cut = _partition(q, r, first, end)
            stack.append((cut, end, depth))
            end = cut
    _insertion_sort(q, r, 0, last)


# ---------------------------------------------------------------- torch's use of them
def _top(r: list, k: int, ordered: bool) -> list:
    q = list(range(len(r)))
    if k * FEW_WANTED <= len(q):
        _partial_sort(q, r, 0, k, len(q))
    else:
        _nth_element(q, r, k - 1)
        if ordered:
            _sort(q, r, k - 1)
    return q[:k]


def _kth(r: list, k: int) -> list:
    q = list(range(len(r)))
    low, high, k = 0, len(q) - 1, k - 1

    def swap(i, j):
        q[i], q[j] = q[j], q[i]
    while low < high:
        if high == low + 1:
            if r[q[low]] > r[q[high]]:
                swap(low, high)
            break
        swap((low + high) // 2, low + 1)
        for i, j in ((low + 1, high), (low, high), (low + 1, low)):
            if r[q[i]] > r[q[j]]:
                swap(i, j)
        i, j, pivot = low + 1, high, r[q[low]]
        while True:
            i += 1
            while pivot > r[q[i]]:
                i += 1
            j -= 1
            while r[q[j]] > pivot:
                j -= 1
            if j < i:
                break
            swap(i, j)
        swap(low, j)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1
    return [q[k]]


def _each_row(choose: Callable, ranks: np.ndarray, picked: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """`picked` with the rows marked in `ties` chosen by `choose`."""
    made = np.array(picked)
    ranks = np.asarray(ranks)
    for at in np.argwhere(np.asarray(ties)):
        made[tuple(at)] = choose(ranks[tuple(at)].tolist())
    return made


def picked_as_torch(xp, x, order, dim: int, first: int, k: int, choose: Callable, always: bool = False):
    """The indices `order[first:k]` along `dim`, chosen anew in rows where one of them ties with a neighbour in the sorted `order`.

    `choose(ranks) -> indices` is `top(k, ordered)` or `kth(k)`. `always`: rows without ties are chosen so too, for their order.
    """
    x, order = xp.moveaxis(x, dim, -1), xp.moveaxis(order, dim, -1)
    values = xp.take_along_axis(x, order, -1)
    equal = values[..., 1:] == values[..., :-1]
    if x.dtype.kind == "f":
        equal = equal | (xp.isnan(values[..., 1:]) & xp.isnan(values[..., :-1]))
    ties = xp.ones(equal.shape[:-1], bool) if always else xp.any(equal[..., max(first - 1, 0):k], -1)
    picked = order[..., first:k]
    step = xp.concatenate([xp.zeros(equal.shape[:-1] + (1,), np.int32), xp.cumsum((~equal).astype(np.int32), -1)], -1)
    inverse = xp.argsort(order, axis=-1)
    ranks = xp.take_along_axis(step, inverse, -1)
    if xp is np:
        made = _each_row(choose, ranks, picked, ties) if ties.any() else picked
    else:
        made = jax.lax.platform_dependent(ranks, picked, ties, cpu=_chosen_by_host(choose), default=lambda ranks, picked, ties: picked)
    return xp.moveaxis(made, -1, dim)


def _chosen_by_host(choose: Callable) -> Callable:
    def on_host(ranks, picked, ties):
        def asked():
            return jax.pure_callback(lambda *args: _each_row(choose, *args), jax.ShapeDtypeStruct(picked.shape, picked.dtype), ranks, picked, ties,
                                     vmap_method="broadcast_all")
        return jax.lax.cond(jnp.any(ties), asked, lambda: picked)
    return on_host


def top(k: int, ordered: bool) -> Callable:
    """The choice of topk: of `k` elements of least rank."""
    return lambda ranks: _top(ranks, k, ordered)


def kth(k: int) -> Callable:
    """The choice of kthvalue."""
    return lambda ranks: _kth(ranks, k)


__all__ = ["kth", "picked_as_torch", "top"]
