"""Module: the base class of every network. Its parts live beside it, one file a concern; here they meet.

Owns construction, calling, training mode, printing and pickling. Sees torchish's public API only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ... import _public as torch
from ...utils.hooks import RemovableHandle, add_hook
from ._backward_hooks import BackwardHookMethods, GlobalBackwardHooks
from ._backward_hooks import register_module_backward_hook as register_module_backward_hook
from ._backward_hooks import register_module_full_backward_hook as register_module_full_backward_hook
from ._backward_hooks import register_module_full_backward_pre_hook as register_module_full_backward_pre_hook
from ._conversion import ModuleConversion
from ._hooks import GlobalHooks, HookedCall
from ._hooks import register_module_buffer_registration_hook as register_module_buffer_registration_hook
from ._hooks import register_module_forward_hook as register_module_forward_hook
from ._hooks import register_module_forward_pre_hook as register_module_forward_pre_hook
from ._hooks import register_module_module_registration_hook as register_module_module_registration_hook
from ._hooks import register_module_parameter_registration_hook as register_module_parameter_registration_hook
from ._registration import ModuleAttributes
from ._state_dict import ModuleState
from ._traversal import ModuleTraversal

_GLOBAL_PRE_HOOKS = GlobalHooks.forward_pre
_GLOBAL_HOOKS = GlobalHooks.forward
_GLOBAL_BACKWARD_PRE_HOOKS = GlobalBackwardHooks.pre
_GLOBAL_BACKWARD_HOOKS = GlobalBackwardHooks.hooks

# Tables of every module, in torch's order; those of hooks accept weak references, which the handles need.
_HOOK_TABLES = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def _add_indent(text: str, spaces: int) -> str:
    """Indent every line of `text` but the first."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * spaces + line for line in rest)])


class Module(ModuleAttributes, ModuleTraversal, ModuleState, ModuleConversion, BackwardHookMethods):
    """Base class for all neural network modules: subclass it, call `super().__init__()`, define `forward`.

    Assigned Parameters, Buffers and Modules register themselves. Raises TypeError for arguments to `__init__`.
    """

    dump_patches: bool = False
    call_super_init: bool = False
    training: bool
    _version: int = 1
    _compiled_call_impl: Callable | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        # Straight into __dict__: __setattr__ would look for tables that do not exist yet.
        attributes = self.__dict__
        attributes["training"] = True
        attributes["_parameters"] = {}
        attributes["_buffers"] = {}
        attributes["_non_persistent_buffers_set"] = set()
        attributes["_backward_pre_hooks"] = OrderedDict()
        attributes["_backward_hooks"] = OrderedDict()
        attributes["_is_full_backward_hook"] = None
        for table in _HOOK_TABLES:
            attributes[table] = OrderedDict()
        attributes["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """The computation of a call; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or _GLOBAL_BACKWARD_HOOKS
            or _GLOBAL_BACKWARD_PRE_HOOKS
            or _GLOBAL_HOOKS
            or _GLOBAL_PRE_HOOKS
            or self._compiled_call_impl is not None
        ):
            return (self._compiled_call_impl or self._call_impl)(*args, **kwargs)
        return self.forward(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """A call with every hook; `__call__` goes straight to `forward` when there are none."""
        return HookedCall(self, args, kwargs).run()

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Make calls go through `compile(self._call_impl, ...)` of the top-level namespace."""
        self._compiled_call_impl = torch.compile(self._call_impl, *args, **kwargs)

    def register_forward_pre_hook(self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before forward; a result replaces the arguments.

        With `with_kwargs`, call `hook(module, args, kwargs)`; it returns None or a pair of new args and kwargs.
        """
        flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return add_hook(self._forward_pre_hooks, hook, prepend=prepend, flags=flags)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; a result replaces the output.

        With `with_kwargs` the keyword arguments come before the output; with `always_call` it runs even after an error.
        """
        flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
        if always_call:
            flags.append(self._forward_hooks_always_called)
        return add_hook(self._forward_hooks, hook, prepend=prepend, flags=flags)

    def train(self, mode: bool = True) -> Any:
        """Set training mode here and in all descendants; returns the module. Raises ValueError for a non-bool."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Any:
        """The same as `train(False)`."""
        return self.train(False)

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's printed form; override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        child_lines = [f"({name}): {_add_indent(repr(module), 2)}" for name, module in self._modules.items()]
        if len(extra_lines) == 1 and not child_lines:
            return f"{self._get_name()}({extra_lines[0]})"
        lines = extra_lines + child_lines
        body = "\n  " + "\n  ".join(lines) + "\n" if lines else ""
        return f"{self._get_name()}({body})"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # Modules pickled by older versions lack the tables that came later.
        for table in (*_HOOK_TABLES, "_backward_pre_hooks", "_backward_hooks"):
            self.__dict__.setdefault(table, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)
