"""jacrev, jacfwd and hessian: all rows or columns of a Jacobian at once, by mapping vjp or jvp over a basis."""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import _public as torch
from ..tensor import Tensor
from ._forward import jvp
from ._reverse import check_argnums, chosen, vjp, with_chosen
from ._tree import tree_flatten, tree_unflatten
from ._vmap import vmap


def basis_of(tensors: list) -> list:
    """For each tensor, its part of a basis of all their elements together: shape (number of elements in all, *its shape)."""
    sizes = [t.numel() for t in tensors]
    total, at, made = sum(sizes), 0, []
    for t, n in zip(tensors, sizes):
        rows = torch.arange(total, device=t.device).unsqueeze(1) == torch.arange(at, at + n, device=t.device)
        made.append(rows.to(t.dtype).reshape(total, *t.shape))
        at += n
    return made


def _blocks(stacked: Tensor, sizes: list) -> tuple:
    return torch.split(stacked, sizes, 0) if len(sizes) > 1 else (stacked,)


def _check_real(tensors: list, name: str, what: str) -> None:
    for i, t in enumerate(tensors):
        if t.is_complex():
            raise RuntimeError(f"{name}: Expected all {what} to be real but received complex tensor at flattened input idx: {i}")


def jacrev(func: Callable, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False, chunk_size: int | None = None,
           _preallocate_and_copy: bool = False) -> Callable:
    """The function that computes the Jacobian of `func` in the arguments `argnums`, row by row in reverse mode, all rows at once.

    The result has the structure of the output, and within it that of the arguments; each tensor has the output's shape followed by the
    argument's. chunk_size: how many rows to compute at a time. Raises ValueError unless it is positive, RuntimeError as `vjp` does.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        check_argnums(argnums, len(args))
        primals = chosen(args, argnums)

        def of_chosen(*new):
            return func(*with_chosen(args, argnums, new[0] if isinstance(argnums, int) else new), **kwargs)
        output, pull, *aux = vjp(of_chosen, *((primals,) if isinstance(argnums, int) else primals), has_aux=has_aux)
        outputs, out_spec = tree_flatten(output)
        _check_real(outputs, "jacrev", "outputs")
        inputs, in_spec = tree_flatten(primals)

        def rows(cotangents):
            return tree_flatten(pull(tree_unflatten(cotangents, out_spec)))[0]
        jacobian = _jacobian_rows(rows, outputs, inputs, chunk_size)
        result = tree_unflatten([tree_unflatten(blocks, in_spec) for blocks in jacobian], out_spec)
        return (result, aux[0]) if has_aux else result
    return wrapped


def _jacobian_rows(rows: Callable, outputs: list, inputs: list, chunk_size: int | None) -> list:
    """[output][input] blocks of a Jacobian from `rows(cotangents) -> gradients`."""
    stacked = vmap(rows, chunk_size=chunk_size)(basis_of(outputs))
    sizes = [t.numel() for t in outputs]
    columns = [_blocks(g, sizes) for g in stacked]
    return [[columns[j][i].reshape(*out.shape, *x.shape) for j, x in enumerate(inputs)] for i, out in enumerate(outputs)]


def jacfwd(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error") -> Callable:
    """As `jacrev`, column by column in forward mode: better where the function has more outputs than inputs.

    randomness: vmap's, for random draws inside `func`.
    """
    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        check_argnums(argnums, len(args))
        primals = chosen(args, argnums)
        inputs, in_spec = tree_flatten(primals)
        for x in inputs:
            if not isinstance(x, Tensor):
                raise RuntimeError(f"jvp(f, primals, tangents): Expected primals to only contain Tensors, got {type(x)}")
        _check_real(inputs, "jacfwd", "inputs")
        found: dict[str, Any] = {}

        def of_chosen(*new):
            made = tree_unflatten(new, in_spec)
            return func(*with_chosen(args, argnums, made), **kwargs)

        def columns(*tangents):
            output, tangent, *aux = jvp(of_chosen, tuple(inputs), tangents, has_aux=has_aux)
            flat, found["spec"] = tree_flatten(tangent)
            aux_flat, found["aux"] = tree_flatten(aux)
            return flat, aux_flat
        stacked, aux = vmap(columns, out_dims=(0, None), randomness=randomness)(*basis_of(inputs))
        _check_real(stacked, "jacfwd", "outputs")
        sizes = [x.numel() for x in inputs]
        result = [tree_unflatten([b.movedim(0, -1).view(*t.shape[1:], *x.shape) for b, x in zip(_blocks(t, sizes), inputs)], in_spec)
                  for t in stacked]
        made = tree_unflatten(result, found["spec"])
        return (made, tree_unflatten(aux, found["aux"])[0]) if has_aux else made
    return wrapped


def hessian(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """The function that computes the Hessian of `func` in the arguments `argnums`: forward mode over reverse mode.

    >>> torchish.func.hessian(lambda x: (x ** 3).sum())(torchish.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


__all__ = ["basis_of", "hessian", "jacfwd", "jacrev"]
