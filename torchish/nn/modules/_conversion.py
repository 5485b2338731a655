"""How all tensors of a module change together: dtype, device, storage and `requires_grad`.

Owns the reading of `to`'s arguments. Parameters keep their identity: only their data is replaced.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from ... import _public as torch
from ...tensor import Parameter, Tensor


class _Target(NamedTuple):
    device: Any = None
    dtype: Any = None
    non_blocking: bool = False
    memory_format: Any = None


def _parse_to(args: tuple, kwargs: dict[str, Any]) -> _Target:
    """Read `to(device, dtype, non_blocking)`, `to(dtype, non_blocking)` or `to(tensor, non_blocking)`."""
    unknown = set(kwargs) - {"device", "dtype", "tensor", "other", "non_blocking", "copy", "memory_format"}
    if unknown or len(args) > 3:
        raise TypeError(f"to() received an invalid combination of arguments: {args}, {kwargs}")
    rest = list(args)
    first = rest.pop(0) if rest else kwargs.get("tensor", kwargs.get("other"))
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    if isinstance(first, Tensor):
        device, dtype = first.device, first.dtype
    elif isinstance(first, torch.dtype):
        dtype = first
    elif first is not None:
        device = first
        if rest and not isinstance(rest[0], bool):
            dtype = rest.pop(0)
    elif rest and isinstance(rest[0], torch.dtype):  # to(None, dtype)
        dtype = rest.pop(0)
    non_blocking = bool(rest[0]) if rest else kwargs.get("non_blocking", False)
    return _Target(None if device is None else torch.device(device), dtype, non_blocking, kwargs.get("memory_format"))


class ModuleConversion:
    """`to` and its short forms, `apply`, `requires_grad_` and `zero_grad`."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Replace the data of every parameter, gradient and buffer by `fn` of it, in the descendants first."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, parameter in self._parameters.items():
            if parameter is not None:
                self._parameters[name] = _converted(parameter, fn)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn: Callable[[Any], None]) -> Any:
        """Call `fn` on every descendant and then on the module itself; returns the module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move and cast in place: `to(device, dtype)`, `to(dtype)` or `to(tensor)`; returns the module.

        The dtype applies to floating point and complex tensors only. Raises TypeError for any other dtype.
        """
        target = _parse_to(args, kwargs)
        if target.dtype is not None:
            if not (target.dtype.is_floating_point or target.dtype.is_complex):
                raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={target.dtype}")
            if target.dtype.is_complex:
                _warn_complex()

        def convert(tensor: Tensor) -> Tensor:
            wanted: dict[str, Any] = {}
            if target.device is not None:
                wanted["device"] = target.device
            if target.dtype is not None and (tensor.is_floating_point() or tensor.is_complex()):
                wanted["dtype"] = target.dtype
            if target.memory_format is not None and tensor.dim() in (4, 5):
                wanted["memory_format"] = target.memory_format
            try:
                return tensor.to(**wanted, non_blocking=target.non_blocking) if wanted else tensor
            except NotImplementedError as error:
                if not str(error).startswith("Cannot copy out of meta tensor"):
                    raise
                raise NotImplementedError(
                    f"{error} Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() "
                    "when moving module from meta to a different device."
                ) from None

        return self._apply(convert)

    def type(self, dst_type: Any) -> Any:
        """Cast every parameter and buffer to `dst_type`, whatever its kind."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def _cast_floating(self, dtype: Any) -> Any:
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def float(self) -> Any:
        """Cast floating point parameters and buffers to float32."""
        return self._cast_floating(torch.float32)

    def double(self) -> Any:
        """Cast floating point parameters and buffers to float64."""
        return self._cast_floating(torch.float64)

    def half(self) -> Any:
        """Cast floating point parameters and buffers to float16."""
        return self._cast_floating(torch.float16)

    def bfloat16(self) -> Any:
        """Cast floating point parameters and buffers to bfloat16."""
        return self._cast_floating(torch.bfloat16)

    def cpu(self) -> Any:
        """Move every parameter and buffer to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: Any = None) -> Any:
        """Move every parameter and buffer to a GPU (the current one by default)."""
        return self._apply(lambda tensor: tensor.cuda() if device is None else tensor.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Any:
        """Move to `device` without keeping the values."""
        return self._apply(lambda tensor: torch.empty_like(tensor, device=device), recurse=recurse)

    def share_memory(self) -> Any:
        """Call `share_memory_` on every parameter and buffer."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set `requires_grad` of every parameter; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or fill it with zeros in place if not `set_to_none`."""
        for parameter in self.parameters():
            clear_gradient(parameter, set_to_none)


def _converted(parameter: Parameter, fn: Callable[[Tensor], Tensor]) -> Parameter:
    """The parameter itself with its data and its gradient's data replaced; a new one on the way to or from "meta"."""
    with torch.no_grad():
        gradient, data = parameter.grad, fn(parameter)
        if (data.device.type == "meta") == (parameter.device.type == "meta"):
            parameter.data = data
            if gradient is not None:
                parameter.grad.data = fn(gradient)
            return parameter
        moved = Parameter(data, requires_grad=parameter.requires_grad)
        if gradient is not None:
            moved.grad = fn(gradient)
        return moved


def clear_gradient(parameter: Tensor, set_to_none: bool) -> None:
    """Drop a parameter's gradient, or detach it from any graph and fill it with zeros in place."""
    gradient = parameter.grad
    if gradient is None:
        return
    if set_to_none:
        parameter.grad = None
        return
    if gradient.grad_fn is not None:
        gradient.detach_()
    else:
        gradient.requires_grad_(False)
    gradient.zero_()


def _warn_complex() -> None:
    warnings.warn(
        "Complex modules are a new feature under active development whose design may change, "
        "and some modules might not work as expected when using complex tensors as parameters or buffers.",
        stacklevel=3,
    )
