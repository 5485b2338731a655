"""functional_call and stack_module_state: modules as functions of their parameters and buffers. Modules are used through their attributes only."""
from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from .. import _public as torch
from ..tensor import Tensor


def functional_call(module, parameter_and_buffer_dicts, args: Any = None, kwargs: dict | None = None, *, tie_weights: bool = True,
                    strict: bool = False):
    """`module(*args, **kwargs)` with parameters and buffers, by their dotted names, replaced for the length of the call.

    parameter_and_buffer_dicts: a dict, or several whose names must not repeat. args: one argument, or a tuple of them. tie_weights: a
    replaced tensor is replaced under all its names. strict: raise RuntimeError for names that are missing or unknown.
    """
    given = _merged(parameter_and_buffer_dicts)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    kwargs = {} if kwargs is None else kwargs
    if not isinstance(kwargs, dict):
        raise TypeError(f"kwargs must be a dict, but got {type(kwargs)}")
    places = _places(module)
    if tie_weights:
        given = _tied(places, given)
    if strict:
        _check_names(type(module).__name__, places, given)
    with _replaced(places, given):
        return module(*args, **kwargs)


def _merged(dicts) -> dict:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (list, tuple)):
        raise ValueError(f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}")
    if not all(isinstance(d, dict) for d in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in dicts for name in d]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{sorted(repeated)} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: t for d in dicts for name, t in d.items()}


def _places(module) -> dict:
    """{dotted name: (table, key)} of every parameter and buffer, shared ones under each of their names."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        start = prefix + "." if prefix else ""
        for table in (part._parameters, part._buffers):
            for key, tensor in table.items():
                if tensor is not None:
                    found[start + key] = (table, key)
    return found


def _tied(places: dict, given: dict) -> dict:
    """`given` with every name of a tensor that goes by several. Raises ValueError where two names are given different tensors."""
    names: dict[int, list] = {}
    for name, (table, key) in places.items():
        names.setdefault(id(table[key]), []).append(name)
    made = dict(given)
    for group in names.values():
        if len(group) > 1:
            values = [given[n] for n in group if n in given]
            if values and any(v is not values[0] for v in values):
                raise ValueError(f"functional_call got multiple values for keys {sorted(n for n in group if n in given)}, which are tied. Consider "
                                 "using tie_weights=False")
            if values:
                made.update(dict.fromkeys(group, values[0]))
    return made


def _check_names(module: str, places: dict, given: dict) -> None:
    missing, unexpected = set(places) - set(given), set(given) - set(places)
    found = (("Unexpected", unexpected), ("Missing", missing))
    problems = [f"{what} key(s): {', '.join(map(repr, sorted(names)))}." for what, names in found if names]
    if problems:
        raise RuntimeError(f"Error(s) in reparametrizing for {module}:\n\t" + "\n\t".join(problems))


@contextlib.contextmanager
def _replaced(places: dict, given: dict):
    """The given tensors in the module's tables; afterwards what was there, and in `given` what the module put there meanwhile."""
    before = []
    for tensor in given.values():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{tensor} is not an instance of torch.Tensor")
    try:
        for name, tensor in given.items():
            if name not in places:
                continue
            table, key = places[name]
            before.append((name, table, key, table[key]))
            table[key] = tensor
        yield
    finally:
        for name, table, key, tensor in reversed(before):
            if name in given and table[key] is not given[name] and table[key] is not None:
                given[name] = table[key]
            table[key] = tensor


def stack_module_state(models) -> tuple[dict, dict]:
    """(parameters, buffers) of several modules of one class, each stacked along a new first dimension: {name: tensor}.

    Raises RuntimeError for no modules, for modules of different classes, or in different training modes.
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(m.training for m in models) or all(not m.training for m in models)):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    first = type(models[0])
    if not all(type(m) is first for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    names = [dict(m.named_parameters()) for m in models]
    parameters = {name: _stacked_leaf([p[name] for p in names]) for name in names[0]}
    tables = [dict(m.named_buffers()) for m in models]
    return parameters, {name: _stacked_leaf([t[name] for t in tables]) for name in tables[0]}


def _stacked_leaf(tensors: list) -> Tensor:
    wanted = tensors[0].requires_grad
    if any(t.requires_grad is not wanted for t in tensors):
        raise RuntimeError("Expected all tensors to have the same requires_grad")
    made = torch.stack([t.detach() for t in tensors])
    return made.requires_grad_() if wanted else made


def replace_all_batch_norm_modules_(root):
    """Make every batch norm within `root` stop tracking running statistics, in place; returns `root`.

    vmap cannot update a buffer that it does not map over.
    """
    for part in root.modules():
        if hasattr(part, "track_running_stats") and hasattr(part, "running_mean"):
            part.running_mean = part.running_var = part.num_batches_tracked = None
            part.track_running_stats = False
    return root


def functionalize(func: Callable, *, remove: str = "mutations") -> Callable:
    """`func` itself: what is recorded never holds a mutation, views and in-place writes included.

    Raises RuntimeError for a `remove` other than 'mutations' and 'mutations_and_views'.
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid options are:\n"
                           "     remove='mutations': all inplace and out= operators will be removed from the program, and replaced with their "
                           "out-of-place equivalents.\n     remove='mutations_and_views': In addition to the above, all aliasing operators {view} "
                           "will be replaced with their non-aliasing counterparts, {view}_copy.\n")
    return func


__all__ = ["functional_call", "functionalize", "replace_all_batch_norm_modules_", "stack_module_state"]
