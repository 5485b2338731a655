"""A Python number as an element of a dtype: torch's check that it fits, and its error. Knows no operation."""
from __future__ import annotations

import ml_dtypes
import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._dtype import BOOL, COMPLEX, INTEGER
from .declare import promoted
from .halves import HALVES

_C_NAMES = {dt.uint8: "uint8_t", dt.int8: "int8_t", dt.int16: "int16_t", dt.int32: "int", dt.int64: "int64_t", dt.uint16: "uint16_t",
            dt.uint32: "uint32_t", dt.uint64: "uint64_t", dt.float32: "float", dt.complex64: "c10::complex<float>", dt.float16: "c10::Half",
            dt.bfloat16: "c10::BFloat16"}
_LARGEST = {d: float(ml_dtypes.finfo(d.numpy).max) for d in (dt.float16, dt.bfloat16, dt.float32)}
_LARGEST[dt.complex64] = _LARGEST[dt.float32]
_LONG_MAX = 2 ** 63 - 1


def check_fits(number, d: dt.dtype, halves: bool = True):
    """`number`, if it is a value of dtype `d`. Raises what torch does where not: RuntimeError for overflow, ValueError for an int beyond 64 bits.

    bool takes anything; a negative int wraps in an unsigned dtype, as in C. `halves`: whether float16 and bfloat16 refuse what is too large
    for them; some operations convert to float64 first, and then round it to infinity.
    """
    if not halves and d in HALVES:
        d = dt.float64
    if number.__class__ is int and not -_LONG_MAX - 1 <= number <= _LONG_MAX:
        raise ValueError("Overflow when unpacking long long")
    if d.category == BOOL:
        return number
    value = number
    if isinstance(number, complex) and d.category != COMPLEX:
        if number.imag != 0:
            raise overflow(d)
        value = number.real
    if d.category == INTEGER:
        if not _fits_integer(value, d):
            raise overflow(d)
    elif d in _LARGEST and not (_fits_float(value.real, d) and _fits_float(value.imag, d)):
        raise overflow(d)
    return number


def fits_with(number, *operands, halves: bool = True):
    """`number`, if it is a value of the dtype that it promotes to together with `operands` (tensors and numbers). Raises as `check_fits`."""
    if number.__class__ not in (int, float) or -128 <= number <= 127:
        return number
    types = [a._read().spec if isinstance(a, TensorBase) else a.__class__ for a in (*operands, number)]
    return check_fits(number, promoted(types), halves)


def _fits_integer(number, d: dt.dtype) -> bool:
    info = np.iinfo(d.numpy)
    low = -int(info.max) if not d.is_signed and not isinstance(number, float) else int(info.min)
    return low <= number <= int(info.max)  # False for nan


def _fits_float(number, d: dt.dtype) -> bool:
    return not _LARGEST[d] < abs(number) < float("inf")


def overflow(d: dt.dtype) -> RuntimeError:
    """torch's error for a number that is no value of `d`."""
    return RuntimeError(f"value cannot be converted to type {_C_NAMES.get(d, 'double')} without overflow")


__all__ = ["check_fits", "fits_with", "overflow"]
