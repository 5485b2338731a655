"""linear_cross_entropy: the cross entropy of a linear layer's output, and the options that torch takes for it.

torch's options save memory by working through the batch in pieces. Here they are checked and change nothing: the reference formula is recorded.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

from .. import _dtype as dt
from .nn_common import FLOATING
from .variants import FUNCTIONS, METHODS, public

_REDUCTIONS = ("mean", "sum", "none")
_DTYPES = (None, dt.float16, dt.bfloat16, dt.float32, dt.float64)


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """How torch would work through the batch in pieces. Accepted, and without effect here. Raises ValueError for settings that torch refuses."""

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("accurate", "balanced", "compact", "auto"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        method = self.chunking_method
        if method not in (None, "auto") and not re.fullmatch(r"aspect_ratio(:0*[1-9]\d*)?", method):
            raise ValueError(f"invalid chunking_method: {method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size}")
        if self.acc_dtype not in _DTYPES:
            allowed = ", ".join(map(str, _DTYPES))
            raise ValueError(f"acc_dtype must be one of {{{allowed}}}, got {self.acc_dtype}. Pass acc_dtype=None to let the op pick automatically.")

    def _adjust(self, reduction: str, label_smoothing: float, target, out_features: tuple, bias) -> None:
        """Warn where torch would not work in pieces either."""
        if reduction in _REDUCTIONS and label_smoothing == 0 and target._spec.dtype is dt.int64 and out_features == ():
            return
        shape = None if bias is None else tuple(bias._spec.shape)
        warnings.warn("linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, label_smoothing == 0, "
                      f"target.dtype == int64, out_features == (). Got reduction={reduction!r}, label_smoothing={label_smoothing}, "
                      f"target.dtype={target._spec.dtype}, out_features={out_features}, tracing=False, linear_bias.shape={shape}.", stacklevel=3)


def _check(x, w, bias) -> None:
    if x.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {x.ndim}")
    if w.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {w.ndim}")
    if x.shape[-1] != w.shape[-1]:
        raise RuntimeError(f"expected equal input and linear_weight last dimensions (in_features), got {x.shape[-1]} and {w.shape[-1]}, respectively")
    if w.ndim > 2 and x.ndim == 1:
        raise RuntimeError(f"K-dimensional loss defined by linear_weight shape {tuple(w.shape)} requires batched input, (N, {x.shape[-1]}), got "
                           f"unbatched input with shape {tuple(x.shape)}")
    if bias is not None and bias._spec.shape != w.shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {tuple(w.shape[:-1])}, got {tuple(bias._spec.shape)}")


@public("nn.functional.linear_cross_entropy", method=False)
def linear_cross_entropy(input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean", ignore_index=None, label_smoothing=0.0,
                         options=None):
    """cross_entropy(linear(input, linear_weight, linear_bias), target): input (N, in) or (in,), linear_weight (C, *d, in), linear_bias (C, *d),
    target of classes (N, *d) or of probabilities (N, C, *d). `ignore_index` goes with classes only. Raises RuntimeError for other shapes."""
    w = linear_weight._spec
    _check(input._spec, w, linear_bias)
    sides = tuple(w.shape[:-1])
    if options is not None:
        options._adjust(reduction, label_smoothing, target, sides[1:], linear_bias)
    logits_shape = (*input._spec.shape[:-1], *sides)
    if target._spec.dtype.category == FLOATING and tuple(target._spec.shape) == logits_shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    flat = linear_weight if w.ndim == 2 else METHODS["flatten"](linear_weight, 0, -2)
    bias = linear_bias if linear_bias is None or w.ndim == 2 else METHODS["flatten"](linear_bias)
    logits = FUNCTIONS["nn.functional.linear"](input, flat, bias)
    if w.ndim > 2:
        logits = METHODS["unflatten"](logits, -1, sides)
    return FUNCTIONS["nn.functional.cross_entropy"](logits, target, weight=weight, reduction=reduction,
                                                    ignore_index=-100 if ignore_index is None else ignore_index, label_smoothing=label_smoothing)


__all__ = ["LinearCrossEntropyOptions", "linear_cross_entropy"]
