"""How torch's CPU kernels round float16 and bfloat16: to float32 results that are rounded once, what they round in between.

Note [Rounding of the halves]: bodies compute float16 and bfloat16 in float32, as torch's kernels mostly do. Where a kernel works in the half
itself, its rounding after every step shows in the last bit of the result, so the body here rounds there too. torch's vector loops take 32
halves at a time and keep float32; what is left over, and so all of a small array, goes through scalar code that rounds.
"""
from __future__ import annotations

import jax
import numpy as np

from .. import _dtype as dt

HALVES = (dt.float16, dt.bfloat16)
_VECTOR = 32
_BITS = {dt.float16: (5, 10), dt.bfloat16: (8, 7)}


def rounded(xp, x, half: dt.dtype):
    """A float32 array rounded to `half`, still float32. XLA may drop a pair of conversions, but not this."""
    if xp is np:
        return np.asarray(x).astype(half.numpy).astype(np.float32)
    return jax.lax.reduce_precision(x, *_BITS[half])


def tail_rounded(xp, x, half: dt.dtype, shape: tuple):
    """`rounded` where torch's scalar code does it in a result of `shape`: where all of it fits in no vector loop. See the note."""
    return rounded(xp, x, half) if np.prod(shape, dtype=int) < _VECTOR else x
