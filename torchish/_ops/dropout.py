"""The dropout family: noise is drawn on the host from the CPU generator, in torch's order, and multiplies the input."""

from __future__ import annotations

import math
import warnings

import numpy as np

from .._core.handle import from_array
from .._random import bernoulli
from .sampling import source
from .variants import FUNCTIONS, METHODS, public, register

SELU_SATURATION = 1.7580993408473766  # minus the limit of SELU at -inf: scale * alpha (Klambauer et al., 2017)


def _noise(input, keep: float, by_feature: bool) -> np.ndarray:
    """Ones with probability `keep`, for each element or each feature map, drawn in the input's order in memory."""
    spec = input._spec
    shape = tuple(spec.shape)
    if by_feature:
        if spec.ndim < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        shape = shape[:2] + (1,) * (len(shape) - 2)
    elif input._strides is not None:
        order = sorted(range(len(shape)), key=lambda d: (-input._strides[d], d))
        drawn = bernoulli(source(None), keep, tuple(shape[d] for d in order), spec.dtype)
        return drawn.transpose(np.argsort(order))
    return bernoulli(source(None), keep, shape, spec.dtype)


def _dropped(input, p: float, train: bool, inplace: bool, by_feature: bool, alpha: bool):
    if p < 0 or p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if p == 0 or not train or input._spec.numel == 0:
        return input
    multiply = METHODS["mul_"] if inplace else METHODS["mul"]
    if p == 1:
        return multiply(input, METHODS["new_zeros"](input, ()))
    noise = _noise(input, 1 - p, by_feature)
    kind = noise.dtype.type
    if not alpha:
        return multiply(input, from_array((noise / kind(1 - p)).astype(noise.dtype)))
    scale = 1.0 / math.sqrt((SELU_SATURATION**2 * p + 1) * (1 - p))
    shift = ((noise - kind(1)) * kind(SELU_SATURATION * scale) + kind(SELU_SATURATION * scale * p)).astype(noise.dtype)
    made = multiply(input, from_array((noise * kind(scale)).astype(noise.dtype)))
    return METHODS["add_"](made, from_array(shift))


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _publish(name: str, by_feature: bool, alpha: bool, functional: str, default: float, training: bool) -> None:
    """torch.name(input, p, train), torch.name_, and nn.functional.functional(input, p, training, inplace)."""

    def top(input, p, train):
        return _dropped(input, p, train, False, by_feature, alpha)

    def in_place(input, p, train):
        return _dropped(input, p, train, True, by_feature, alpha)

    top.__doc__ = in_place.__doc__ = "Zero elements or features with probability p and scale the rest. Raises RuntimeError for p outside [0, 1]."
    public(name, method=False)(top)
    register(FUNCTIONS, name + "_", in_place)
    if not functional:
        return

    def front(input, p=default, training=training, inplace=False):
        _check(p)
        return _dropped(input, p, training, inplace, by_feature, alpha)

    front.__doc__ = "Zero elements (or features) with probability p and scale the rest, in training. Raises ValueError for p outside [0, 1]."
    public(f"nn.functional.{functional}", method=False)(front)


_publish("dropout", False, False, "dropout", 0.5, True)
_publish("feature_dropout", True, False, "", 0.5, True)
_publish("alpha_dropout", False, True, "alpha_dropout", 0.5, False)
_publish("feature_alpha_dropout", True, True, "feature_alpha_dropout", 0.5, False)


@public("nn.functional.dropout1d", method=False)
def dropout1d(input, p=0.5, training=True, inplace=False):
    """Zero whole channels of (N, C, L) or (C, L) with probability p."""
    _check(p)
    ndim = input._spec.ndim
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide channel-wise dropout on "
            "inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    if ndim == 3:
        return _dropped(input, p, training, inplace, True, False)
    batched = METHODS["unsqueeze_"](input, 0) if inplace else METHODS["unsqueeze"](input, 0)
    made = _dropped(batched, p, training, inplace, True, False)
    return METHODS["squeeze_"](made, 0) if inplace else METHODS["squeeze"](made, 0)


@public("nn.functional.dropout2d", method=False)
def dropout2d(input, p=0.5, training=True, inplace=False):
    """Zero whole channels of (N, C, H, W) with probability p."""
    _check(p)
    ndim = input._spec.ndim
    if ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {ndim}-D input to dropout2d, which is deprecated and will result in an error in a future release. To retain the "
            "behavior and silence this warning, please use dropout instead. Note that dropout2d exists to provide channel-wise dropout on inputs "
            "with 2 spatial dimensions, a channel dimension, and an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as "
            "shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the input as one without a "
            "batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _dropped(input, p, training, inplace, True, False)


@public("nn.functional.dropout3d", method=False)
def dropout3d(input, p=0.5, training=True, inplace=False):
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W) with probability p."""
    _check(p)
    ndim = input._spec.ndim
    if ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {ndim}-D input to dropout3d, which is deprecated and will result in an error in a future release. To retain the "
            "behavior and silence this warning, please use dropout instead. Note that dropout3d exists to provide channel-wise dropout on inputs "
            "with 3 spatial dimensions, a channel dimension, and an optional batch dimension (i.e. 4D or 5D inputs).",
            stacklevel=2,
        )
    if ndim != 4:
        return _dropped(input, p, training, inplace, True, False)
    batched = METHODS["unsqueeze_"](input, 0) if inplace else METHODS["unsqueeze"](input, 0)
    made = _dropped(batched, p, training, inplace, True, False)
    return METHODS["squeeze_"](made, 0) if inplace else METHODS["squeeze"](made, 0)
