"""Convolutions and transposed convolutions as modules, also lazy ones: thin classes over `nn.functional`.

Owns their arguments' checks, the padding modes other than zeros, and torch's initialisation.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ... import _public as torch
from ...tensor import Parameter, Tensor
from .. import functional as F
from .. import init
from ..parameter import UninitializedParameter
from ._tuples import ntuple
from .lazy import LazyModuleMixin
from .module import Module

# Sets, because torch prints sets in its messages.
_PADDING_STRINGS = {"same", "valid"}
_PADDING_MODES = {"zeros", "reflect", "replicate", "circular"}


def _check_arguments(in_channels: int, out_channels: int, groups: int, stride: tuple, padding: Any, padding_mode: str) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in _PADDING_STRINGS:
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {_PADDING_STRINGS}")
        if padding == "same" and any(step != 1 for step in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in _PADDING_MODES:
        raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")


def _pad_argument(padding: Any, kernel_size: tuple, dilation: tuple) -> Any:
    """The padding as `F.pad` takes it: (before, after) of each dimension, the last dimension first."""
    if padding == "valid":
        pairs = [(0, 0)] * len(kernel_size)
    elif padding == "same":
        totals = [spread * (length - 1) for spread, length in zip(dilation, kernel_size)]
        pairs = [(total // 2, total - total // 2) for total in totals]
    else:
        pairs = [(width, width) for width in padding]
    flat = [width for pair in reversed(pairs) for width in pair]
    return flat if isinstance(padding, str) else tuple(flat)


class _ConvNd(Module):
    __constants__ = [
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]
    _rank: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory_kwargs = {"device": device, "dtype": dtype}
        super().__init__()
        _check_arguments(in_channels, out_channels, groups, stride, padding, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = _pad_argument(padding, kernel_size, dilation)
        self.weight = Parameter(torch.empty(self._weight_shape(), **factory_kwargs))
        if bias:
            self.bias = Parameter(torch.empty(out_channels, **factory_kwargs))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        ins, outs = self.in_channels, self.out_channels
        channels = (ins, outs // self.groups) if self.transposed else (outs, ins // self.groups)
        return (*channels, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Draw weight, then bias, uniformly from +-1 / sqrt(fan_in)."""
        # a = sqrt(5) makes Kaiming's bound 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        zeros, ones = (0,) * len(self.padding), (1,) * len(self.dilation)
        if self.padding != zeros:
            parts.append(f"padding={self.padding}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class _DirectConv(_ConvNd):
    """Conv1d to Conv3d: they differ in rank and in the function they call."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        rank = self._rank
        super().__init__(
            in_channels,
            out_channels,
            ntuple(kernel_size, rank),
            ntuple(stride, rank),
            padding if isinstance(padding, str) else ntuple(padding, rank),
            ntuple(dilation, rank),
            False,
            (0,) * rank,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * self._rank
        return self._function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_DirectConv):
    """Convolution of (N, C_in, L) to (N, C_out, L_out); weight is (C_out, C_in / groups, K)."""

    _rank = 1

    def _function(self, *arguments: Any) -> Tensor:
        return F.conv1d(*arguments)


class Conv2d(_DirectConv):
    """Convolution of (N, C_in, H, W) to (N, C_out, H_out, W_out); weight is (C_out, C_in / groups, KH, KW)."""

    _rank = 2

    def _function(self, *arguments: Any) -> Tensor:
        return F.conv2d(*arguments)


class Conv3d(_DirectConv):
    """Convolution of (N, C_in, D, H, W) to (N, C_out, ...); weight is (C_out, C_in / groups, KD, KH, KW)."""

    _rank = 3

    def _function(self, *arguments: Any) -> Tensor:
        return F.conv3d(*arguments)


class _ConvTransposeNd(_ConvNd):
    """ConvTranspose1d to ConvTranspose3d. ValueError for any padding mode but zeros."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        rank = self._rank
        super().__init__(
            in_channels,
            out_channels,
            ntuple(kernel_size, rank),
            ntuple(stride, rank),
            ntuple(padding, rank),
            ntuple(dilation, rank),
            True,
            ntuple(output_padding, rank),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """What must be added to reach `output_size` (with or without batch and channels); ValueError if nothing can."""
        if output_size is None:
            return self.output_padding
        rank = self._rank
        leading = 2 if input.dim() == rank + 2 else 1
        wanted = list(output_size)
        if len(wanted) == leading + rank:
            wanted = wanted[leading:]
        if len(wanted) != rank:
            raise ValueError(
                f"ConvTranspose{rank}D: for {input.dim()}D input, output_size must have {rank} "
                f"or {leading + rank} elements (got {len(wanted)})"
            )
        smallest = [
            (input.size(d + leading) - 1) * self.stride[d] - 2 * self.padding[d] + self.dilation[d] * (self.kernel_size[d] - 1) + 1
            for d in range(rank)
        ]
        largest = [size + step - 1 for size, step in zip(smallest, self.stride)]
        if any(not low <= size <= high for low, size, high in zip(smallest, wanted, largest)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range "
                f"from {smallest} to {largest} (for an input of {input.size()[2:]})"
            )
        return tuple(size - low for size, low in zip(wanted, smallest))

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        if self.padding_mode != "zeros":
            raise ValueError(f"Only `zeros` padding mode is supported for {type(self).__name__}")
        output_padding = self._output_padding(input, output_size)
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of a Conv1d as a layer: (N, C_in, L) to (N, C_out, L_out); weight is (C_in, C_out / groups, K)."""

    _rank = 1

    def _function(self, *arguments: Any) -> Tensor:
        return F.conv_transpose1d(*arguments)


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of a Conv2d as a layer; weight is (C_in, C_out / groups, KH, KW)."""

    _rank = 2

    def _function(self, *arguments: Any) -> Tensor:
        return F.conv_transpose2d(*arguments)


class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of a Conv3d as a layer; weight is (C_in, C_out / groups, KD, KH, KW)."""

    _rank = 3

    def _function(self, *arguments: Any) -> Tensor:
        return F.conv_transpose3d(*arguments)


class _LazyConvXdMixin(LazyModuleMixin):
    """Reads `in_channels` from the first input; the convolution beside it in the bases says the rest."""

    def reset_parameters(self) -> None:
        """As the convolution's, once there are parameters."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Materialize weight and bias. Raises RuntimeError for an input of another rank, ValueError for channels that do not divide."""
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._channels_of(input)
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _channels_of(self, input: Tensor) -> int:
        alone, batch = self._rank + 1, self._rank + 2
        if input.dim() not in (alone, batch):
            raise RuntimeError(
                f"Expected {alone}D (unbatched) or {batch}D (batched) input to {type(self).__name__}, but got input of size: {input.shape}"
            )
        return input.shape[-alone]

    def _become_lazy(self, out_channels: int, bias: bool, factory_kwargs: dict[str, Any]) -> None:
        self.weight = UninitializedParameter(**factory_kwargs)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(**factory_kwargs)


class _LazyDirectConv(_LazyConvXdMixin):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        self._become_lazy(out_channels, bias, {"device": device, "dtype": dtype})


class LazyConv1d(_LazyDirectConv, Conv1d):
    """A Conv1d that reads `in_channels` from its first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyDirectConv, Conv2d):
    """A Conv2d that reads `in_channels` from its first input."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyDirectConv, Conv3d):
    """A Conv3d that reads `in_channels` from its first input."""

    cls_to_become = Conv3d


class _LazyTransposedConv(_LazyConvXdMixin):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype)
        self._become_lazy(out_channels, bias, {"device": device, "dtype": dtype})


class LazyConvTranspose1d(_LazyTransposedConv, ConvTranspose1d):
    """A ConvTranspose1d that reads `in_channels` from its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposedConv, ConvTranspose2d):
    """A ConvTranspose2d that reads `in_channels` from its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposedConv, ConvTranspose3d):
    """A ConvTranspose3d that reads `in_channels` from its first input."""

    cls_to_become = ConvTranspose3d
