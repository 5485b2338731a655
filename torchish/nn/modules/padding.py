"""Padding layers: constant, zero, reflection, replication and circular, in one to three dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from ...tensor import Tensor
from .. import functional as F
from ._tuples import ntuple
from .module import Module


class _Pad(Module):
    """Pads the last `_dims` dimensions by `F.pad` in mode `_mode`."""

    __constants__ = ["padding"]
    _dims: ClassVar[int]
    _mode: ClassVar[str]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = ntuple(padding, 2 * self._dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (self._dims + 1, self._dims + 2):
            raise ValueError(f"expected {self._dims + 1}D or {self._dims + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]
    _mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_CircularPadNd):
    """Wraps the last dimension around: padding is a number or (left, right). Raises ValueError for another rank than 2 or 3."""

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Wraps the last two dimensions around: padding is a number or (left, right, top, bottom)."""

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """Wraps the last three dimensions around: padding is a number or (left, right, top, bottom, front, back)."""

    _dims = 3


class ConstantPad1d(_ConstantPadNd):
    """`value` around the last dimension."""

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """`value` around the last two dimensions."""

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """`value` around the last three dimensions."""

    _dims = 3


class ReflectionPad1d(_Pad):
    """The last dimension mirrored at its ends."""

    _dims, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The last two dimensions mirrored at their ends."""

    _dims, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """The last three dimensions mirrored at their ends."""

    _dims, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """The last dimension's end values repeated."""

    _dims, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The last two dimensions' end values repeated."""

    _dims, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """The last three dimensions' end values repeated."""

    _dims, _mode = 3, "replicate"


class ZeroPad1d(_ZeroPadNd):
    """Zeros around the last dimension."""

    _dims = 1


class ZeroPad2d(_ZeroPadNd):
    """Zeros around the last two dimensions."""

    _dims = 2


class ZeroPad3d(_ZeroPadNd):
    """Zeros around the last three dimensions."""

    _dims = 3
