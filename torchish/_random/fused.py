"""a * b + c rounded once, as a compiler that contracts floating-point expressions does it; NumPy has no such operation."""
from __future__ import annotations

import numpy as np


def fused_float32(a: np.ndarray, b, c) -> np.ndarray:
    """a * b + c rounded to float32 once: float64 holds the product of two float32 numbers exactly."""
    wide = a.astype(np.float64)
    wide *= b
    wide += c
    return wide.astype(np.float32)


def fused_float64(a: np.ndarray, b: float, c: float) -> np.ndarray:
    """a * b + c in float64, where the rounding errors of the product and of the sum are carried along (Dekker 1971)."""
    product = a * b
    (ah, al), (bh, bl) = _split(a), _split(b)
    product_error = ((ah * bh - product) + ah * bl + al * bh) + al * bl
    total = product + c
    back = total - product
    sum_error = (product - (total - back)) + (c - back)
    return total + (product_error + sum_error)


def _split(x):
    """x as a sum of two float64 numbers of 26 bits each."""
    big = x * 134217729.0
    high = big - (big - x)
    return high, x - high
