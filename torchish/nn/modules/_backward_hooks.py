"""Hooks of modules on the backward pass: the one place where their autograd plumbing belongs.

Such a hook wraps a module's inputs and outputs in an identity `autograd.Function` whose backward calls it. Until
that exists, registering one raises, so that no hook is ever silently left uncalled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


def _not_available(method: str) -> NoReturn:
    raise NotImplementedError(f"{method}: hooks on the backward pass of a module need autograd.Function, which torchish does not provide yet")


class BackwardHookMethods:
    """The methods of a Module that register hooks on its backward pass; each raises NotImplementedError."""

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> Any:
        _not_available("Module.register_full_backward_pre_hook")

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> Any:
        _not_available("Module.register_full_backward_hook")

    def register_backward_hook(self, hook: Callable) -> Any:
        _not_available("Module.register_backward_hook")


def register_module_full_backward_pre_hook(hook: Callable) -> Any:
    """The process-wide form of Module.register_full_backward_pre_hook; raises NotImplementedError."""
    _not_available("register_module_full_backward_pre_hook")


def register_module_full_backward_hook(hook: Callable) -> Any:
    """The process-wide form of Module.register_full_backward_hook; raises NotImplementedError."""
    _not_available("register_module_full_backward_hook")


def register_module_backward_hook(hook: Callable) -> Any:
    """The process-wide form of Module.register_backward_hook; raises NotImplementedError."""
    _not_available("register_module_backward_hook")
