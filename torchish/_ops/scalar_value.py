"""A Python number as an element of a dtype: torch's check that it fits, and its error. Knows no tensor and no operation."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._dtype import BOOL, COMPLEX, INTEGER

_C_NAMES = {dt.uint8: "uint8_t", dt.int8: "int8_t", dt.int16: "int16_t", dt.int32: "int", dt.int64: "int64_t", dt.uint16: "uint16_t",
            dt.uint32: "uint32_t", dt.uint64: "uint64_t", dt.float32: "float", dt.complex64: "c10::complex<float>"}
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_LONG_MAX = 2 ** 63 - 1


def check_fits(number, d: dt.dtype) -> None:
    """Raise what torch raises where `number` is no value of dtype `d`: RuntimeError for overflow, ValueError for an int beyond 64 bits.

    The halves round to infinity and bool takes anything; a negative int wraps in an unsigned dtype, as in C.
    """
    if number.__class__ is int and not -_LONG_MAX - 1 <= number <= _LONG_MAX:
        raise ValueError("Overflow when unpacking long long")
    if d.category == BOOL:
        return
    if isinstance(number, complex) and d.category != COMPLEX:
        if number.imag != 0:
            raise _overflow(d)
        number = number.real
    if d.category == INTEGER:
        if not _fits_integer(number, d):
            raise _overflow(d)
    elif d in (dt.float32, dt.complex64) and not (_fits_float(number.real) and _fits_float(number.imag)):
        raise _overflow(d)


def _fits_integer(number, d: dt.dtype) -> bool:
    info = np.iinfo(d.numpy)
    low = -int(info.max) if not d.is_signed and not isinstance(number, float) else int(info.min)
    return low <= number <= int(info.max)  # False for nan


def _fits_float(number) -> bool:
    return not _FLOAT32_MAX < abs(number) < float("inf")


def _overflow(d: dt.dtype) -> RuntimeError:
    return RuntimeError(f"value cannot be converted to type {_C_NAMES.get(d, 'double')} without overflow")


__all__ = ["check_fits"]
