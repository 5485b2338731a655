"""Hooks of modules on the backward pass: registering them, and finding those of a call. How they run is `utils.hooks.BackwardHook`'s matter."""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ... import _public as torch
from ...utils.hooks import BackwardHook, RemovableHandle, add_hook

_MIXED = "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
_MIXED_GLOBAL = "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only one of them."


class GlobalBackwardHooks:
    """The process-wide tables of hooks on the backward pass; `full` says which kind the others are of, None before the first."""

    pre: OrderedDict[int, Callable] = OrderedDict()
    hooks: OrderedDict[int, Callable] = OrderedDict()
    full: bool | None = None


_GLOBAL_PRE, _GLOBAL = GlobalBackwardHooks.pre, GlobalBackwardHooks.hooks


class BackwardHookMethods:
    """The methods of a Module that register hooks on its backward pass."""

    _backward_pre_hooks: OrderedDict[int, Callable]
    _backward_hooks: OrderedDict[int, Callable]
    _is_full_backward_hook: bool | None

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the module's outputs are computed; a tuple that it returns replaces them."""
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the module's positional inputs are computed.

        A tuple that it returns replaces grad_input. Raises RuntimeError if the module has a hook of the old kind.
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(_MIXED)
        self._is_full_backward_hook = True
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """The old kind: `hook(module, grad_input, grad_output)` on the last graph node of the module. Deprecated, as in torch.

        Raises RuntimeError if the module has a full backward hook.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(_MIXED)
        self._is_full_backward_hook = False
        return add_hook(self._backward_hooks, hook)


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """The process-wide form of Module.register_full_backward_pre_hook."""
    return add_hook(_GLOBAL_PRE, hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """The process-wide form of Module.register_full_backward_hook."""
    return _register_global(hook, True)


def register_module_backward_hook(hook: Callable) -> RemovableHandle:
    """The process-wide form of Module.register_backward_hook."""
    return _register_global(hook, False)


def _register_global(hook: Callable, full: bool) -> RemovableHandle:
    if GlobalBackwardHooks.full is not None and GlobalBackwardHooks.full is not full:
        raise RuntimeError(_MIXED_GLOBAL)
    GlobalBackwardHooks.full = full
    return add_hook(_GLOBAL, hook)


class BackwardHooks:
    """The hooks on the backward pass of one call, process-wide ones first; those of the old kind apart."""

    def __init__(self, module: Any):
        shared = list(_GLOBAL.values())
        own = list(module._backward_hooks.values())
        full = (shared if GlobalBackwardHooks.full is True else []) + (own if module._is_full_backward_hook is True else [])
        self.module = module
        self.old = (shared if GlobalBackwardHooks.full is False else []) + (own if module._is_full_backward_hook is False else [])
        pre = list(itertools.chain(_GLOBAL_PRE.values(), module._backward_pre_hooks.values()))
        self.hook = BackwardHook(module, full, pre) if full or pre else None

    def inputs(self, args: tuple) -> tuple:
        """The positional arguments to call forward with."""
        return args if self.hook is None else self.hook.setup_input_hook(args)

    def output(self, args: tuple, result: Any) -> Any:
        """The output to return."""
        if self.hook is not None:
            result = self.hook.setup_output_hook(result)
        if self.old:
            self._watch_last_node(args, result)
        return result

    def _watch_last_node(self, args: tuple, result: Any) -> None:
        last = result
        while not isinstance(last, torch.Tensor):
            last = next((v for v in last.values() if isinstance(v, torch.Tensor)), None) if isinstance(last, dict) else last[0]
        node = last.grad_fn
        if node is None:
            return
        for hook in self.old:
            node.register_hook(self._old_hook(hook))
        _warn_about_old(args, result, node)

    def _old_hook(self, hook: Callable) -> Callable:
        return lambda grad_input, grad_output: hook(self.module, grad_input, grad_output)


def _warn_about_old(args: tuple, result: Any, node: Any) -> None:
    """Why a hook of the old kind is not what its user thinks."""
    why = None
    if not (isinstance(result, torch.Tensor) or (isinstance(result, tuple) and all(isinstance(r, torch.Tensor) for r in result))):
        why = ("Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors is deprecated and will be "
               "removed in future versions. This hook will be missing some of the grad_output. Please use register_full_backward_hook to get the "
               "documented behavior.")
    elif not (isinstance(args, torch.Tensor) or (isinstance(args, tuple) and all(isinstance(a, torch.Tensor) for a in args))):
        why = ("Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of Tensors is deprecated and will "
               "be removed in future versions. This hook will be missing some of the grad_input. Please use register_full_backward_hook to get the "
               "documented behavior.")
    elif isinstance(result, tuple) and len({id(r.grad_fn) for r in result}) > 1:
        why = ("Using a non-full backward hook when outputs are generated by different autograd Nodes is deprecated and will be removed in future "
               "versions. This hook will be missing some grad_output. Please use register_full_backward_hook to get the documented behavior.")
    else:
        sources = {id(a.grad_fn) if a.grad_fn is not None else id(a) for a in args}
        reached = {id(n[0].variable) if hasattr(n[0], "variable") else id(n[0]) for n in node.next_functions}
        if sources != reached:
            why = ("Using a non-full backward hook when the forward contains multiple autograd Nodes is deprecated and will be removed in future "
                   "versions. This hook will be missing some grad_input. Please use register_full_backward_hook to get the documented behavior.")
    if why is not None:
        warnings.warn(why, FutureWarning, stacklevel=4)
