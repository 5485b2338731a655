"""How a module owns things: parameters, buffers and children, as attributes and through `register_*`.

Owns attribute access on modules and the errors it raises. Knows nothing of calling, state dicts or traversal.
"""

from __future__ import annotations

from typing import Any

from ... import _public as torch
from ...tensor import Parameter, Tensor
from ..parameter import is_buffer
from ._hooks import GlobalHooks, run_registration_hooks


def _forget(name: str, *tables: Any) -> None:
    """Drop `name` from each dict or set of `tables` that has it."""
    for table in tables:
        if name in table:
            if isinstance(table, dict):
                del table[name]
            else:
                table.discard(name)


class ModuleAttributes:
    """Attribute access and registration; the base that tells `Module`'s own code what a module is."""

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer: a tensor that is part of the module's state but not a parameter.

        Raises AttributeError before `Module.__init__`, TypeError for a wrong name or value, KeyError for a name that is
        empty, dotted or taken. A buffer that is not `persistent` stays out of the state dict.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name)
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"attribute '{name}' already exists")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{torch.typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)")
        self._buffers[name] = run_registration_hooks(GlobalHooks.buffer_registration, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name. Raises as `register_buffer`, and ValueError for a non-leaf tensor."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name)
        if hasattr(self, name) and name not in self._parameters:
            raise KeyError(f"attribute '{name}' already exists")
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{torch.typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)")
        if param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = run_registration_hooks(GlobalHooks.parameter_registration, self, name, param)

    def _check_name(self, kind: str, name: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {torch.typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def add_module(self, name: str, module: Any) -> None:
        """Add a child module; None reserves the name. Raises TypeError or KeyError as `register_parameter` does."""
        if not isinstance(module, ModuleAttributes) and module is not None:
            raise TypeError(f"{torch.typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {torch.typename(name)}")
        if hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = run_registration_hooks(GlobalHooks.module_registration, self, name, module)

    def register_module(self, name: str, module: Any) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def __getattr__(self, name: str) -> Any:
        # Only reached when ordinary lookup fails, which it does for everything in the three tables.
        attributes = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in attributes and name in attributes[table]:
                return attributes[table][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        parameters = self.__dict__.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            _forget(name, self.__dict__, self._buffers, self._modules, self._non_persistent_buffers_set)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(f"cannot assign '{torch.typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)")
            self.register_parameter(name, value)
        elif not self._set_child(name, value) and not self._set_buffer(name, value):
            super().__setattr__(name, value)

    def _set_child(self, name: str, value: Any) -> bool:
        """Store `value` among the children if it is a module, or if the name is a child's; say whether it did."""
        modules = self.__dict__.get("_modules")
        if isinstance(value, ModuleAttributes):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            _forget(name, self.__dict__, self._parameters, self._buffers, self._non_persistent_buffers_set)
        elif modules is None or name not in modules:
            return False
        elif value is not None:
            raise TypeError(f"cannot assign '{torch.typename(value)}' as child module '{name}' (torch.nn.Module or None expected)")
        modules[name] = run_registration_hooks(GlobalHooks.module_registration, self, name, value)
        return True

    def _set_buffer(self, name: str, value: Any) -> bool:
        """Store `value` among the buffers if it is an nn.Buffer, or if the name is a buffer's; say whether it did."""
        buffers = self.__dict__.get("_buffers")
        marked = isinstance(value, Tensor) and is_buffer(value)
        if not marked and (buffers is None or name not in buffers):
            return False
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"cannot assign '{torch.typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)")
        if marked:
            _forget(name, self.__dict__, self._parameters, self._modules, self._non_persistent_buffers_set)
            self.register_buffer(name, value, value.persistent)
        else:
            buffers[name] = run_registration_hooks(GlobalHooks.buffer_registration, self, name, value)
        return True

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        # A Sequential's children are called "0", "1", ...: no attribute a user could type.
        return sorted(name for name in names if not name[0].isdigit())

    def get_submodule(self, target: str) -> Any:
        """The module at the dotted path `target` (itself for ""); AttributeError if there is none."""
        module = self
        for item in target.split(".") if target else ():
            module = _child_of(module, item)
        return module

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put `module` at the dotted path `target`; with `strict` only where a module already is.

        Raises ValueError for an empty target or a value that is no module, AttributeError for a path that does not exist.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, ModuleAttributes):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            _child_of(parent, name)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the dotted path `target`; AttributeError if there is none."""
        module, name = self._owner_of(target)
        found = getattr(module, name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the dotted path `target`; AttributeError if there is none."""
        module, name = self._owner_of(target)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return module._buffers[name]

    def _owner_of(self, target: str) -> tuple[Any, str]:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name


def _child_of(module: Any, item: str) -> Any:
    if not hasattr(module, item):
        raise AttributeError(f"{module._get_name()} has no attribute `{item}`")
    child = getattr(module, item)
    if not isinstance(child, ModuleAttributes):
        raise AttributeError(f"`{item}` is not an nn.Module")
    return child
