"""Sliding blocks and channel rearrangements: unfold, fold, pixel_shuffle, pixel_unshuffle, channel_shuffle.

Each is linear, and its gradient is its neighbour here.
"""

from __future__ import annotations

import math

import numpy as np

from .._core.op import Op
from .._core.record import call
from .._dtype import BOOL
from .layout import suggested
from .nn_common import COMPLEX, FLOATING, computed, not_implemented, sized
from .variants import public


# ---------------------------------------------------------------- blocks
def _pair(value, name: str) -> tuple:
    if isinstance(value, (list, tuple)):
        if len(value) not in (1, 2):
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(value)}")
        value = tuple(int(v) for v in value)
        return value * 2 if len(value) == 1 else value
    return int(value), int(value)


def _blocks(size: tuple, kernel, dilation, padding, stride) -> tuple:
    """How many blocks fit in each direction."""
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in zip(size, kernel, dilation, padding, stride))


def _places(kernel, dilation, stride, counts):
    """For each element of a block, the strided slices of a padded image it visits."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            yield tuple(
                slice(at * d, at * d + (n - 1) * s + 1, s) for at, d, n, s in zip((i, j), dilation, counts, stride)
            )


def _unfold_body(xp, x, *, size, kernel, dilation, padding, stride):
    x = xp.pad(x, [(0, 0)] * (x.ndim - 2) + [(p, p) for p in padding])
    counts = _blocks(size, kernel, dilation, padding, stride)
    made = xp.stack([x[(..., *place)] for place in _places(kernel, dilation, stride, counts)], -3)
    *batch, channels, elements, _, _ = made.shape
    return made.reshape((*batch, channels * elements, counts[0] * counts[1]))


def _fold_body(xp, x, *, size, kernel, dilation, padding, stride):
    counts = _blocks(size, kernel, dilation, padding, stride)
    elements = kernel[0] * kernel[1]
    x = x.reshape((*x.shape[:-2], x.shape[-2] // elements, elements, *counts))
    made = xp.zeros((*x.shape[:-3], *(n + 2 * p for n, p in zip(size, padding))), x.dtype)
    for n, place in enumerate(_places(kernel, dilation, stride, counts)):
        if xp is np:
            made[(..., *place)] += x[..., n, :, :]
        elif x.dtype == np.bool_:
            made = made.at[(..., *place)].max(x[..., n, :, :])
        else:
            made = made.at[(..., *place)].add(x[..., n, :, :])
    return made[(..., *(slice(p, p + n) for n, p in zip(size, padding)))]


def _check_positive(name: str, label: str, values: tuple) -> None:
    if min(values) <= 0:
        raise RuntimeError(f"{name} should be greater than zero, but got {label}_height: {values[0]} {label}_width: {values[1]}")


def _check_settings(kernel, dilation, padding, stride) -> None:
    _check_positive("kernel size", "kernel", kernel)
    _check_positive("dilation", "dilation", dilation)
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}")
    _check_positive("stride", "stride", stride)


def _require_kernel(kernel: str, x) -> None:
    if x.dtype.category not in (FLOATING, COMPLEX, BOOL):
        raise not_implemented(kernel, x.dtype)


def _infer_unfold(x, *, size, kernel, dilation, padding, stride):
    _require_kernel("im2col_out_cpu", x)
    counts = _blocks(size, kernel, dilation, padding, stride)
    return sized((*x.shape[:-3], x.shape[-3] * kernel[0] * kernel[1], counts[0] * counts[1]), x)


def _infer_fold(x, *, size, kernel, dilation, padding, stride):
    _require_kernel("col2im_out_cpu", x)
    return sized((*x.shape[:-2], x.shape[-2] // (kernel[0] * kernel[1]), *size), x)


unfold_op = Op(
    "im2col", _unfold_body, computed(_infer_unfold), grad="Im2ColBackward0", vjp=(lambda xp, g, out, x, **static: _fold_body(xp, g, **static),)
)
fold_op = Op(
    "col2im", _fold_body, computed(_infer_fold), grad="Col2ImBackward0", vjp=(lambda xp, g, out, x, **static: _unfold_body(xp, g, **static),)
)


def _static(size, kernel, dilation, padding, stride) -> tuple:
    return (("size", size), ("kernel", kernel), ("dilation", dilation), ("padding", padding), ("stride", stride))


@public("nn.functional.unfold", method=False)
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Sliding blocks as columns: (N, C, H, W) gives (N, C * kH * kW, blocks). Raises RuntimeError where no block fits."""
    kernel, dilation = _pair(kernel_size, "kernel_size"), _pair(dilation, "dilation")
    padding, stride = _pair(padding, "padding"), _pair(stride, "stride")
    _check_settings(kernel, dilation, padding, stride)
    shape = tuple(input._spec.shape)
    if len(shape) < 3:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], but got 2)")
    if len(shape) > 4 or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    counts = _blocks(shape[-2:], kernel, dilation, padding, stride)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {shape[-2:]}, kernel_size={kernel}, dilation={dilation}, padding={padding}, calculated shape of "
            f"the array of sliding blocks as {counts}, but its components must be at least one."
        )
    return call(unfold_op, (input,), _static(shape[-2:], kernel, dilation, padding, stride))


@public("nn.functional.fold", method=False)
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns added back at their blocks' places: (N, C * kH * kW, blocks) gives (N, C, *output_size). Raises RuntimeError for sizes that
    do not fit."""
    size, kernel, dilation = _pair(output_size, "output_size"), _pair(kernel_size, "kernel_size"), _pair(dilation, "dilation")
    padding, stride = _pair(padding, "padding"), _pair(stride, "stride")
    _check_settings(kernel, dilation, padding, stride)
    shape = tuple(input._spec.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            f"Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: {list(shape)}"
        )
    if shape[-2] % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={shape[-2]} and kernel_size={kernel}."
        )
    counts = _blocks(size, kernel, dilation, padding, stride)
    if math.prod(counts) != shape[-1]:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, expected size of "
            f"input's dimension 2 to match the calculated number of sliding blocks {counts[0]} * {counts[1]} = {math.prod(counts)}, "
            f"but got input.size(2)={shape[-1]}."
        )
    return call(fold_op, (input,), _static(size, kernel, dilation, padding, stride))


# ---------------------------------------------------------------- channels
def _shuffle_body(xp, x, *, factor):
    *batch, channels, height, width = x.shape
    x = x.reshape((*batch, channels // factor**2, factor, factor, height, width))
    n = len(batch)
    x = xp.transpose(x, (*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return x.reshape((*batch, channels // factor**2, height * factor, width * factor))


def _unshuffle_body(xp, x, *, factor):
    *batch, channels, height, width = x.shape
    x = x.reshape((*batch, channels, height // factor, factor, width // factor, factor))
    n = len(batch)
    x = xp.transpose(x, (*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return x.reshape((*batch, channels * factor**2, height // factor, width // factor))


def _channel_body(xp, x, *, groups):
    split = x.reshape((x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    return split.swapaxes(1, 2).reshape(x.shape)


def _moving(name: str, grad: str, body, infer, rule) -> Op:
    def planner(op, argtypes, static):
        return (lambda xp, x: op.body(xp, x, **static)), infer(argtypes[0], **static)

    return Op(name, body, planner, grad=grad, vjp=(rule,) if rule else None, layout=suggested(0))


def _infer_shuffle(x, *, factor):
    *batch, channels, height, width = x.shape
    return sized((*batch, channels // factor**2, height * factor, width * factor), x)


def _infer_unshuffle(x, *, factor):
    *batch, channels, height, width = x.shape
    return sized((*batch, channels * factor**2, height // factor, width // factor), x)


def _channel_rule(xp, g, out, x, *, groups):
    return _channel_body(xp, g, groups=x.shape[1] // groups)


shuffle_op = _moving(
    "pixel_shuffle", "PixelShuffleBackward0", _shuffle_body, _infer_shuffle, lambda xp, g, out, x, *, factor: _unshuffle_body(xp, g, factor=factor)
)
unshuffle_op = _moving(
    "pixel_unshuffle",
    "PixelUnshuffleBackward0",
    _unshuffle_body,
    _infer_unshuffle,
    lambda xp, g, out, x, *, factor: _shuffle_body(xp, g, factor=factor),
)
channel_op = _moving("channel_shuffle", "ChannelShuffleBackward0", _channel_body, lambda x, *, groups: x, _channel_rule)
native_channel_op = _moving("native_channel_shuffle", "NotImplemented", _channel_body, lambda x, *, groups: x, None)


def _check_image(name: str, x, factor: int, what: str) -> None:
    if x.ndim < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim} dimension(s)")
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")


@public("pixel_shuffle", method=False, also=("nn.functional.pixel_shuffle",))
def pixel_shuffle(input, upscale_factor):
    """Channels to pixels (Shi et al., 2016): (*, C * r^2, H, W) gives (*, C, H * r, W * r). Raises RuntimeError where C does not fit."""
    x = input._spec
    _check_image("pixel_shuffle", x, upscale_factor, "upscale_factor")
    if x.shape[-3] % upscale_factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={x.shape[-3]} is not divisible by {upscale_factor**2}"
        )
    return call(shuffle_op, (input,), (("factor", upscale_factor),))


@public("pixel_unshuffle", method=False, also=("nn.functional.pixel_unshuffle",))
def pixel_unshuffle(input, downscale_factor):
    """Pixels to channels: (*, C, H * r, W * r) gives (*, C * r^2, H, W). Raises RuntimeError where H or W does not fit."""
    x = input._spec
    _check_image("pixel_unshuffle", x, downscale_factor, "downscale_factor")
    for name, place in (("height", -2), ("width", -1)):
        if x.shape[place] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({place})={x.shape[place]} is not divisible by {downscale_factor}"
            )
    return call(unshuffle_op, (input,), (("factor", downscale_factor),))


def _check_groups(input, groups: int) -> None:
    shape = input._spec.shape
    if len(shape) <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups.")


@public("channel_shuffle", method=False, also=("nn.functional.channel_shuffle",))
def channel_shuffle(input, groups):
    """Channels dealt out from `groups` groups in turn (Zhang et al., 2018). Raises RuntimeError where they do not divide."""
    _check_groups(input, groups)
    return call(channel_op, (input,), (("groups", groups),))


@public("native_channel_shuffle", method=False, also=("nn.functional.native_channel_shuffle",))
def native_channel_shuffle(input, groups):
    """`channel_shuffle` without a gradient, as in torch."""
    _check_groups(input, groups)
    return call(native_channel_op, (input,), (("groups", groups),))


__all__ = ["channel_shuffle", "fold", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "unfold"]
