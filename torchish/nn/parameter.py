"""Parameter and Buffer under torch's module name, and the uninitialized kinds, which wait for a shape.

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


class _NoStorage:
    """Stands for the storage of a tensor without a shape: reading it raises ValueError."""

    address = version = generation = 0

    @property
    def value(self) -> NoReturn:
        raise ValueError(
            "Attempted to use an uninitialized parameter in an operation. This error happens when you are using a `LazyModule` or explicitly "
            "manipulating `torch.nn.parameter.UninitializedParameter` objects. When using LazyModules Call `forward` with a dummy batch to "
            "initialize the parameters before calling torch functions"
        )


class _Uninitialized:
    """What UninitializedParameter and UninitializedBuffer share: a dtype and a device, and `materialize`, which gives them a shape.

    Operations on them raise ValueError, reading `shape` raises RuntimeError.
    """

    cls_to_become: type

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Any:
        made = torch.empty(0, device=device, dtype=dtype).requires_grad_(requires_grad)
        made._facts = (made.dtype, made.device)
        made._storage, made._own = _NoStorage(), None
        made.__class__ = cls
        return made

    dtype = property(lambda self: self._facts[0])
    device = property(lambda self: self._facts[1])
    ndim = property(lambda self: 1)

    @property
    def shape(self) -> NoReturn:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying to "
            "load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    @property
    def data(self) -> Tensor:
        return torch.empty(0, device=self.device, dtype=self.dtype)

    @data.setter
    def data(self, other: Any) -> None:
        self._facts = (other.dtype, other.device)

    def size(self) -> Any:
        """No elements."""
        return torch.Size([0])

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating-point one."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the dtype is complex."""
        return self.dtype.is_complex

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The same with another dtype or device."""
        like = self.data.to(*args, **kwargs)
        return type(self)(requires_grad=self.requires_grad, device=like.device, dtype=like.dtype)

    def cpu(self) -> Any:
        """The same on the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = "cuda") -> Any:
        """The same on a GPU."""
        return self.to(device)

    def type(self, dtype: Any) -> Any:
        """The same with another dtype."""
        return self.to(dtype)

    def share_memory_(self) -> NoReturn:
        """Raises RuntimeError."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before calling "
            "`module.share_memory()`."
        )

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or buffer of this shape, its content undefined; the object stays the same."""
        made = torch.empty(shape, device=device or self.device, dtype=dtype or self.dtype)
        self._storage = made._storage
        del self._facts
        self.__class__ = self.cls_to_become

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: int) -> Any:
        return type(self), (self.requires_grad, self.device, self.dtype)


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet; `materialize(shape)` makes it an ordinary one."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return super().__new__(cls, requires_grad, device, dtype)


class UninitializedBuffer(_Uninitialized, Tensor):
    """A buffer whose shape is not known yet; `materialize(shape)` makes it an ordinary tensor."""

    cls_to_become = Tensor


def is_lazy(param: Any) -> bool:
    """Whether `param` still waits for its shape."""
    return isinstance(param, _Uninitialized)
