"""Hooks of modules: the process-wide tables, and the call that runs forward with hooks.

Knows the hook tables a module keeps (`_forward_hooks` and friends) and nothing else about modules.
What a hook on the backward pass needs is kept apart, in `_backward_hooks.py`.
"""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...utils.hooks import RemovableHandle, add_hook
from ._backward_hooks import BackwardHooks, GlobalBackwardHooks


class GlobalHooks:
    """The process-wide hook tables; each class attribute is one table, keyed by hook id."""

    forward_pre: OrderedDict[int, Callable] = OrderedDict()
    forward: OrderedDict[int, Callable] = OrderedDict()
    forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
    forward_always_called: OrderedDict[int, bool] = OrderedDict()
    buffer_registration: OrderedDict[int, Callable] = OrderedDict()
    module_registration: OrderedDict[int, Callable] = OrderedDict()
    parameter_registration: OrderedDict[int, Callable] = OrderedDict()


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, name, buffer)` whenever any module registers a buffer; a result replaces the buffer."""
    return add_hook(GlobalHooks.buffer_registration, hook)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, name, submodule)` whenever any module registers a child; a result replaces the child."""
    return add_hook(GlobalHooks.module_registration, hook)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, name, parameter)` whenever any module registers a parameter; a result replaces it."""
    return add_hook(GlobalHooks.parameter_registration, hook)


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module; a result replaces the positional arguments."""
    return add_hook(GlobalHooks.forward_pre, hook)


def register_module_forward_hook(hook: Callable, *, with_kwargs: bool = False, always_call: bool = False) -> RemovableHandle:
    """Call `hook(module, args, output)` (or with kwargs before the output) after the forward of every module."""
    flags = [GlobalHooks.forward_with_kwargs] * with_kwargs + [GlobalHooks.forward_always_called] * always_call
    return add_hook(GlobalHooks.forward, hook, flags=flags)


def run_registration_hooks(table: OrderedDict, module: Any, name: str, value: Any) -> Any:
    """Pass a value about to be registered through the hooks of `table`; each may replace it."""
    for hook in table.values():
        output = hook(module, name, value)
        if output is not None:
            value = output
    return value


class HookedCall:
    """One call of a module that has hooks: pre-hooks, forward, hooks; then the always-called ones if something raised."""

    def __init__(self, module: Any, args: tuple, kwargs: dict) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.result: Any = None
        self.already_called: set[int] = set()

    def run(self) -> Any:
        """The module's output after every hook. An always-called hook runs even when something raises."""
        if not (self.module._forward_hooks_always_called or GlobalHooks.forward_always_called):
            return self._run_once()
        try:
            return self._run_once()
        except Exception:
            self._run_always_called()
            raise

    def _run_once(self) -> Any:
        module = self.module
        self._run_pre_hooks()
        watched = None
        if module._backward_hooks or module._backward_pre_hooks or GlobalBackwardHooks.hooks or GlobalBackwardHooks.pre:
            watched = BackwardHooks(module)
            self.args = watched.inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for hook_id, hook, _ in self._forward_hooks():
            if self._is_always_called(hook_id):
                self.already_called.add(hook_id)
            self._run_forward_hook(hook_id, hook)
        if watched is not None:
            self.result = watched.output(self.args, self.result)
        return self.result

    def _run_pre_hooks(self) -> None:
        module = self.module
        for hook_id, hook in list(itertools.chain(GlobalHooks.forward_pre.items(), module._forward_pre_hooks.items())):
            if hook_id in module._forward_pre_hooks_with_kwargs:
                output = hook(module, self.args, self.kwargs)
                if output is not None:
                    if not (isinstance(output, tuple) and len(output) == 2):
                        raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {output}.")
                    self.args, self.kwargs = output
                continue
            output = hook(module, self.args)
            if output is not None:
                self.args = output if isinstance(output, tuple) else (output,)

    def _forward_hooks(self) -> list[tuple[int, Callable, str]]:
        shared = [(hook_id, hook, "global module") for hook_id, hook in GlobalHooks.forward.items()]
        return shared + [(hook_id, hook, "module") for hook_id, hook in self.module._forward_hooks.items()]

    def _is_always_called(self, hook_id: int) -> bool:
        return hook_id in self.module._forward_hooks_always_called or hook_id in GlobalHooks.forward_always_called

    def _run_forward_hook(self, hook_id: int, hook: Callable) -> None:
        if hook_id in self.module._forward_hooks_with_kwargs or hook_id in GlobalHooks.forward_with_kwargs:
            output = hook(self.module, self.args, self.kwargs, self.result)
        else:
            output = hook(self.module, self.args, self.result)
        if output is not None:
            self.result = output

    def _run_always_called(self) -> None:
        """After an error: the always-called hooks that have not run yet. Their own errors only warn, as in torch."""
        for hook_id, hook, kind in self._forward_hooks():
            if not self._is_always_called(hook_id) or hook_id in self.already_called:
                continue
            try:
                self._run_forward_hook(hook_id, hook)
            except Exception as error:
                warnings.warn(
                    f"{kind} forward hook with ``always_call=True`` raised an exception "
                    f"that was silenced as another error was raised in forward: {error}",
                    stacklevel=2,
                )
