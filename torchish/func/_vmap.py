"""vmap: a function of one example, run once on placeholders and mapped over a batch as one recorded operation.

It owns in_dims, out_dims, chunks and torch's messages about them; the mapping itself is the engine's (`_core.capture`).
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import _public as torch
from .._core.capture import BatchedDraw, Mapping
from .._core.modes import transforming
from .._core.tape import state
from .._core.view import write
from ..tensor import Tensor
from ._tree import TreeSpec, broadcast_to, tree_flatten, tree_unflatten

RANDOMNESS = ("error", "different", "same")


def vmap(func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None) -> Callable:
    """Map `func` over a dimension of its arguments.

    in_dims: the mapped dimension of each argument: an int or None for all of them, or a tuple matching the arguments' structure.
    out_dims: where the mapped dimension goes in each output (None: an output that does not depend on it). randomness: what a random draw
    inside does: "error", the "same" numbers for all examples, or "different" ones. chunk_size: how many examples to compute at a time.
    Raises ValueError for arguments that do not fit, RuntimeError where `func` asks for values.

    >>> torchish.vmap(torchish.dot)(torchish.ones(2, 3), torchish.ones(2, 3))
    tensor([3., 3.])
    """
    _check_randomness(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        return vmap_call(func, in_dims, out_dims, randomness, chunk_size, args, kwargs)
    return wrapped


def vmap_call(func: Callable, in_dims, out_dims, randomness: str, chunk_size: int | None, args: tuple, kwargs: dict):
    """What `vmap(func, ...)(*args, **kwargs)` does."""
    size, dims, leaves, spec = _process_inputs(in_dims, args, func)
    if chunk_size is None or chunk_size >= size:
        return _run(func, size, dims, leaves, spec, out_dims, randomness, kwargs)
    parts, start, axes, out_spec = [], 0, None, None
    while start < size:
        stop = min(start + chunk_size, size)
        chunk = [t if d is None else t.narrow(d, start, stop - start) for t, d in zip(leaves, dims)]
        result = _run(func, stop - start, dims, chunk, spec, out_dims, randomness, kwargs)
        flat, out_spec = tree_flatten(result)
        axes = broadcast_to(out_dims, out_spec)
        parts.append(flat)
        start = stop
    return tree_unflatten([column[0] if a is None else torch.cat(column, a) for column, a in zip(zip(*parts), axes)], out_spec)


def name_of(func: Callable) -> str:
    """How messages call a function."""
    return getattr(func, "__name__", None) or repr(func)


def _check_randomness(randomness: str) -> None:
    if randomness not in RANDOMNESS:
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")


# ---------------------------------------------------------------- inputs
def _process_inputs(in_dims, args: tuple, func: Callable) -> tuple[int, list, list, TreeSpec]:
    """(batch size, each leaf's mapped dimension or None, the leaves, their structure)."""
    name = name_of(func)
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) tuple matching the "
                         f"structure of inputs, got: {type(in_dims)}.")
    if not args:
        raise ValueError(f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no "
                         "inputs. The latter is unsupported.")
    leaves, spec = tree_flatten(args)
    dims = broadcast_to(in_dims, spec)
    if dims is None:
        raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of `inputs`. in_dims has "
                         f"structure {tree_flatten(in_dims)[1]} but inputs has structure {spec}.")
    dims = [_checked_dim(leaf, d, in_dims, name) for leaf, d in zip(leaves, dims)]
    sizes = [leaf.shape[d] for leaf, d in zip(leaves, dims) if d is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(s != sizes[0] for s in sizes):
        raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension")
    return sizes[0], dims, leaves, spec


def _checked_dim(leaf, d, in_dims, name: str) -> int | None:
    start = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={d} for "
    if d is None:
        return None
    if not isinstance(d, int):
        raise ValueError(start + "an input but in_dim must be either an integer dimension or None.")
    if not isinstance(leaf, Tensor):
        raise ValueError(f"{start}an input but the input is of type {type(leaf)}. We cannot vmap over non-Tensor arguments, please use None as the "
                         "respective in_dim")
    n = leaf.dim()
    if not -n <= d < n:
        raise ValueError(f"{start}some input, but that input is a Tensor of dimensionality {n} so expected in_dim to satisfy -{n} <= in_dim < {n}.")
    return d % n


# ---------------------------------------------------------------- the run
def _run(func: Callable, size: int, dims: list, leaves: list, spec: TreeSpec, out_dims, randomness: str, kwargs: dict):
    mapping = Mapping(size, randomness)
    try:
        with transforming(), mapping.scope:
            inner = [leaf if d is None else mapping.operand(leaf, d) for leaf, d in zip(leaves, dims)]
            outputs = func(*tree_unflatten(inner, spec), **kwargs)
            flat, out_spec, axes = _process_outputs(mapping, outputs, out_dims, func)
            changed = mapping.changed()
            mapping.keep([t for t, a in zip(flat, axes) if a is not None] + [made for _, made, _ in changed],
                         [a for a in axes if a is not None] + [axis for _, _, axis in changed])
    except BatchedDraw:
        return _one_by_one(func, size, dims, leaves, spec, out_dims, kwargs)
    results = mapping.results() if mapping.kept else []
    for (target, _, _), new in zip(changed, results[len(results) - len(changed):]):
        write(target, new._read(), new._edge)
    given = {id(target): target for target, _, _ in changed}
    returned = iter(results)
    made = [t if a is None else _same(t, next(returned), changed, given) for t, a in zip(flat, axes)]
    return tree_unflatten(made, out_spec)


def _same(inner: Tensor, result: Tensor, changed: list, given: dict) -> Tensor:
    """The written-to argument itself, where the function returned what it wrote to."""
    for target, made, _ in changed:
        if made is inner:
            return given[id(target)]
    return result


def _process_outputs(mapping: Mapping, outputs, out_dims, func: Callable) -> tuple[list, TreeSpec, list]:
    name = name_of(func)
    flat, spec = tree_flatten(outputs)
    _check_out_dims(out_dims, name)
    axes = broadcast_to(out_dims, spec)
    if axes is None:
        raise ValueError(f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. out_dims "
                         f"has structure {tree_flatten(out_dims)[1]} but outputs has structure {spec}.")
    made = []
    for t, axis in zip(flat, axes):
        if axis is None:
            if isinstance(t, Tensor) and mapping.scope.depends(t._read()):
                raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
            made.append(None)
            continue
        if not isinstance(t, Tensor):
            raise ValueError(f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(t)}. Did you mean to set out_dims= to None for "
                             "output?")
        made.append(_out_axis(axis, t.dim() + 1))
    return flat, spec, made


def _out_axis(axis: int, n: int) -> int:
    if not -n <= axis < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {axis})")
    return axis % n


def _check_out_dims(out_dims, name: str) -> None:
    if not all(d is None or isinstance(d, int) for d in tree_flatten(out_dims)[0]):
        raise ValueError(f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints representing where "
                         "in the outputs the vmapped dimension should appear.")


def _one_by_one(func: Callable, size: int, dims: list, leaves: list, spec: TreeSpec, out_dims, kwargs: dict):
    """The examples each by itself, so that each draws its own random numbers."""
    rows, out_spec = [], None
    for b in range(size):
        example = [leaf if d is None else leaf.select(d, b) for leaf, d in zip(leaves, dims)]
        flat, out_spec = tree_flatten(func(*tree_unflatten(example, spec), **kwargs))
        rows.append(flat)
    axes = broadcast_to(out_dims, out_spec)
    return tree_unflatten([column[0] if a is None else torch.stack(column, a) for column, a in zip(zip(*rows), axes)], out_spec)


def in_vmap() -> bool:
    """Whether a vmap is in force on this thread."""
    return state.scope is not None
