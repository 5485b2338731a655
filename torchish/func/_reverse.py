"""grad, grad_and_value and vjp: reverse-mode transforms of functions of tensors, by the tape's own backward."""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._core.modes import enable_grad, transforming
from .._core.tape import state
from ..tensor import Tensor
from ._levels import Level, check_tensor
from ._tree import tree_flatten, tree_map, tree_unflatten, treespec_pprint


# ---------------------------------------------------------------- argnums
def check_argnums(argnums, count: int) -> None:
    """Raise torch's RuntimeError for argnums that are not ints, or do not fit `count` arguments."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if isinstance(argnums, tuple) and not argnums:
        raise RuntimeError("argnums must be non-empty")
    for n in (argnums,) if isinstance(argnums, int) else argnums:
        if not isinstance(n, int):
            raise RuntimeError(f"argnum elements must be int, got {type(n)}")
        if not -count <= n < count:
            raise RuntimeError(f"Got argnum={n}, but only {count} positional inputs")
    positions = [n % count for n in ((argnums,) if isinstance(argnums, int) else argnums)]
    if len(set(positions)) != len(positions):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")


def chosen(args: tuple, argnums):
    """The argument, or tuple of arguments, that `argnums` names."""
    return args[argnums] if isinstance(argnums, int) else tuple(args[n] for n in argnums)


def with_chosen(args: tuple, argnums, new) -> tuple:
    """`args` with those that `argnums` names replaced."""
    made = list(args)
    for n, a in ((argnums, new),) if isinstance(argnums, int) else zip(argnums, new):
        made[n] = a
    return tuple(made)


# ---------------------------------------------------------------- grad
def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that computes the gradient of `func`, which returns a scalar tensor, in the arguments `argnums`.

    With `has_aux`, `func` returns (scalar, anything) and the result is (gradient, anything). Raises RuntimeError if the output is not a
    scalar tensor.

    >>> torchish.func.grad(torchish.sin)(torchish.tensor(0.))
    tensor(1.)
    """
    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        gradient, result = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (gradient, result[1]) if has_aux else gradient
    return wrapped


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """As `grad`, but the result is (gradient, value of `func`), or (gradient, (value, aux))."""
    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        check_argnums(argnums, len(args))
        level = Level()
        with enable_grad(), transforming():
            differentiated = tree_map(lambda x: level.enter(check_tensor(x)), chosen(args, argnums))
            output = func(*with_chosen(args, argnums, differentiated), **kwargs)
            output, aux = _split(output, has_aux, "grad_and_value(f)(*args)")
            _check_scalar(output)
            gradients = level.gradients([output], None, False, level.tracked)
        flat, spec = tree_flatten(differentiated)
        gradient = tree_unflatten(gradients, spec)
        value = level.leave(output)
        return (gradient, (value, _leave(level, aux))) if has_aux else (gradient, value)
    return wrapped


def _split(output, has_aux: bool, start: str) -> tuple[Any, Any]:
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{start}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return output


def _leave(level: Level, tree):
    return tree_map(lambda x: level.leave(_expect_tensor(x)), tree)


def _expect_tensor(x):
    if not isinstance(x, Tensor):
        raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
    return x


def _check_scalar(output) -> None:
    if not isinstance(output, Tensor):
        raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}")
    if output.dim() != 0:
        raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with {output.dim()} dims. Maybe you "
                           "wanted to use the vjp or jacrev APIs instead?")


# ---------------------------------------------------------------- vjp
def vjp(func: Callable, *primals: Any, has_aux: bool = False):
    """(output, vjp_fn), or (output, vjp_fn, aux): `vjp_fn(cotangents)` gives the tuple of gradients in `primals`.

    Raises RuntimeError if `func` returns anything but tensors, or for cotangents of another structure.
    """
    level = Level()
    with enable_grad(), transforming():
        differentiated = tree_map(lambda x: level.enter(check_tensor(x)), primals)
        output = func(*differentiated)
        output, aux = _split(output, has_aux, "vjp(f, *primals)")
    flat, spec = tree_flatten(output)
    for t in flat:
        if not isinstance(t, Tensor):
            raise RuntimeError(f"vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported type {type(t)}")
    for t in flat:
        if not t._read().spec.differentiable:
            raise RuntimeError(f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {t.dtype}")
    pull = _pull(level, flat, spec, tree_flatten(primals)[1], len(primals) == 1)
    results = tree_unflatten([level.leave(t) for t in flat], spec)
    return (results, pull, _leave(level, aux)) if has_aux else (results, pull)


def _pull(level: Level, outputs: list, spec, in_spec, single: bool) -> Callable:
    def vjp_fn(*cotangents, retain_graph: bool = True, create_graph: bool | None = None):
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        flat, have = tree_flatten(given)
        if have != spec:
            raise RuntimeError("Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. "
                               f"cotangents: {treespec_pprint(have)}, primal output: {treespec_pprint(spec)}")
        gradients = level.gradients(outputs, flat, retain_graph, state.grad if create_graph is None else create_graph)
        return tree_unflatten(gradients, in_spec)
    return vjp_fn


__all__ = ["check_argnums", "chosen", "grad", "grad_and_value", "vjp", "with_chosen"]
