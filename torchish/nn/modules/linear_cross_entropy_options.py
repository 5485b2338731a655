"""LinearCrossEntropyOptions under torch's module name; it is declared beside the loss that takes it."""

from __future__ import annotations

from ..._ops.linear_loss import LinearCrossEntropyOptions as LinearCrossEntropyOptions
