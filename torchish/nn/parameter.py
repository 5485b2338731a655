"""Parameter and Buffer under torch's module name, and what is said of the uninitialized kinds.

Parameter itself belongs to `tensor.py`; a buffer is an ordinary tensor with a mark that modules read.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .. import _public as torch
from ..tensor import Parameter as Parameter
from ..tensor import Tensor


def is_buffer(tensor: Tensor) -> bool:
    """Whether `tensor` was made by `Buffer` (and so registers itself when assigned to a module)."""
    return getattr(tensor, "_is_buffer", False)


class _BufferMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and is_buffer(instance)


class Buffer(metaclass=_BufferMeta):
    """A tensor that registers itself as a buffer when assigned to a module; `isinstance(t, Buffer)` knows it.

    `data` (an empty tensor by default) is detached; `persistent` says whether it belongs to the state dict.
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Tensor:
        data = torch.empty(0) if data is None else data
        buffer = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


class _Uninitialized:
    """Parameters and buffers without a shape serve lazy modules, which torchish does not provide."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{cls.__name__}: torchish has no lazy modules; give the sizes when the module is made")


class UninitializedParameter(_Uninitialized):
    """Raises NotImplementedError when made."""


class UninitializedBuffer(_Uninitialized):
    """Raises NotImplementedError when made."""


def is_lazy(param: Any) -> bool:
    """Whether `param` still waits for its shape: never, here."""
    return isinstance(param, _Uninitialized)
