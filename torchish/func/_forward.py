"""jvp and linearize: forward-mode transforms of functions of tensors, by tangents recorded beside the values."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._core import dual
from .._core.capture import Mapping
from .._core.modes import transforming
from ..tensor import Tensor
from ._tree import tree_flatten, tree_map, tree_unflatten

JVP = "jvp(f, primals, tangents)"


def check_tangent(primal: Tensor, tangent: Tensor) -> None:
    """Raise torch's error for a tangent that does not fit its primal."""
    if not primal._read().spec.differentiable:
        raise ValueError(f"Expected primal to be floating point or complex, but got: {primal.dtype}")
    if not tangent._read().spec.differentiable:
        raise ValueError(f"Expected tangent to be floating point or complex, but got: {tangent.dtype}")
    if primal.shape != tangent.shape:
        raise RuntimeError("Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
                           f"Tensor is of size {list(primal.shape)} while the given forward gradient is of size {list(tangent.shape)}.")


def jvp(func: Callable, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False):
    """(output, tangent of the output), or with `has_aux` (output, tangent, aux), of `func(*primals)` along `tangents`.

    `strict`: raise RuntimeError for an output that does not depend on the inputs, instead of a zero tangent. Raises RuntimeError for
    primals and tangents of different structure, ValueError for dtypes without derivatives.

    >>> torchish.func.jvp(torchish.sin, (torchish.tensor(0.),), (torchish.tensor(2.),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    flat, spec = tree_flatten(primals)
    flat_tangents, tangent_spec = tree_flatten(tangents)
    if spec != tangent_spec:
        raise RuntimeError(f"{JVP}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 "
                           f"tensors, tangents also must be. Got primals with structure {spec} and tangents with structure {tangent_spec}")
    _check_tensors(flat, "primals")
    _check_tensors(flat_tangents, "tangents")
    with transforming(), dual.level() as number:
        duals = []
        for p, t in zip(flat, flat_tangents):
            check_tangent(p, t)
            duals.append(dual.make(p, t, number))
        output = func(*tree_unflatten(duals, spec))
        aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(f"{JVP}: output of function f should be a tuple: (output, aux) if has_aux is True")
            output, aux = output
            aux = tree_map(lambda x: dual.unpack(x, number)[0] if isinstance(x, Tensor) else x, aux)
        outputs, out_spec = tree_flatten(output)
        for t in outputs:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"{JVP}: expected f(*primals) to return only tensors, got unsupported type {type(t)}")
        pairs = [_unpacked(t, number, strict) for t in outputs]
    made = tree_unflatten([p for p, _ in pairs], out_spec), tree_unflatten([t for _, t in pairs], out_spec)
    return (*made, aux) if has_aux else made


def _check_tensors(flat: list, what: str) -> None:
    if not flat:
        raise RuntimeError(f"{JVP}: Expected {what} to contain at least one Tensor.")
    for x in flat:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{JVP}: Expected {what} to only contain Tensors, got {type(x)}")


def _unpacked(t: Tensor, number: int, strict: bool) -> tuple[Tensor, Tensor]:
    primal, tangent = dual.unpack(t, number)
    if tangent is None:
        if strict:
            raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with "
                               "strict=True.")
        tangent = dual.zero_tangent(primal)
    return primal[...], tangent  # a view, as torch's is


def linearize(func: Callable, *primals: Any) -> tuple[Any, Callable]:
    """(output, jvp_fn): `func(*primals)`, and the linear function that maps tangents of the primals to tangents of the output.

    `func` runs once. Raises RuntimeError for tangents of another structure or shape than the primals.
    """
    flat, spec = tree_flatten(primals)
    _check_tensors(flat, "primals")
    mapping = Mapping(1, "same")
    zeros = [dual.zero_tangent(p).unsqueeze(0) for p in flat]
    with mapping.scope:
        def along(*tangents):
            return jvp(func, primals, tree_unflatten(tangents, spec))
        output, tangent = along(*[mapping.operand(z.requires_grad_(), 0) for z in zeros])
        tangents, out_spec = tree_flatten(tangent)
        mapping.keep(tangents, [0] * len(tangents))

    def jvp_fn(*tangents):
        given, have = tree_flatten(tangents)
        if have != spec:
            raise RuntimeError(f"Expected the tangents {have} to have the same argspec as the primals {spec}")
        for i, (t, p) in enumerate(zip(given, flat)):
            _check_fits(i, t, p)
        results = mapping.at([t.unsqueeze(0) for t in given]).results()
        return tree_unflatten([r.squeeze(0) for r in results], out_spec)
    return output, jvp_fn


def _check_fits(i: int, tangent: Tensor, primal: Tensor) -> None:
    for what in ("shape", "device", "dtype"):
        have, want = getattr(tangent, what), getattr(primal, what)
        if have != want:
            raise RuntimeError(f"tangent:{i} with {what} {have} in flattened pytree doesn't match the {what} {want} of the corresponding primal.")


__all__ = ["check_tangent", "jvp", "linearize"]
