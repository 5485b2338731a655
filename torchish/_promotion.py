"""torch's type-promotion lattice. Plain data: no arrays, no tensors.

Source of the rules: torch's documentation, "Tensor Attributes: torch.dtype", and the behaviour of torch 2.13.
"""
from __future__ import annotations

from functools import cache

from . import _dtype as dt
from ._dtype import BOOL, COMPLEX, FLOATING, INTEGER, dtype

_SIGNED_ABOVE_UINT8 = {1: dt.int16, 2: dt.int16, 4: dt.int32, 8: dt.int64}  # by the signed operand's size
_FLOAT8 = (dt.float8_e4m3fn, dt.float8_e5m2)
_WIDE_UNSIGNED = (dt.uint16, dt.uint32, dt.uint64)


@cache
def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest dtype, in torch's lattice, that both `a` and `b` convert to.

    Raises RuntimeError for pairs that torch does not support (wide unsigned with signed integers, float8 mixtures).
    """
    if a is b:
        return a
    if a.category < b.category:
        a, b = b, a
    if a in _FLOAT8 or b in _FLOAT8:
        raise RuntimeError(f"Promotion for Float8 Types is not supported, attempted to promote {a.legacy} and {b.legacy}")
    if a.category == COMPLEX:
        if b.category < FLOATING:
            return a
        real = promote_types(a.to_real(), b.to_real())
        return dt.complex64 if real is dt.bfloat16 else real.to_complex()
    if a.category == FLOATING:
        return a if b.category < FLOATING else _promote_floats(a, b)
    if a in _WIDE_UNSIGNED or b in _WIDE_UNSIGNED:
        raise RuntimeError(f"Promotion for uint16, uint32, uint64 types is not supported, attempted to promote {a.legacy} and {b.legacy}")
    if b.category == BOOL:
        return a
    return _promote_integers(a, b)


def _promote_floats(a: dtype, b: dtype) -> dtype:
    if a.itemsize == b.itemsize:  # float16 with bfloat16
        return dt.float32
    return a if a.itemsize > b.itemsize else b


def _promote_integers(a: dtype, b: dtype) -> dtype:
    if a.is_signed == b.is_signed:
        return a if a.itemsize > b.itemsize else b
    signed = a if a.is_signed else b
    return _SIGNED_ABOVE_UINT8[signed.itemsize]


def can_cast(source: dtype, target: dtype) -> bool:
    """Whether torch lets a result of dtype `source` be written into a tensor of dtype `target`."""
    if source.category > target.category and not (source.category == INTEGER and target.category == INTEGER):
        return False
    return not (source.category != BOOL and target.category == BOOL)


def result_of(dimensioned, zero_dim, numbers) -> dtype:
    """Promote the dtypes of dimensioned tensors, of 0-dim tensors, and of Python numbers (the `type` of each).

    A lower-ranked group changes the result only where its category is higher, as torch documents.
    """
    current = None
    for d in dimensioned:
        current = d if current is None else promote_types(current, d)
    zero = None
    for d in zero_dim:
        zero = d if zero is None else promote_types(zero, d)
    number = None
    for t in numbers:
        d = number_dtype(t)
        number = d if number is None else promote_types(number, d)
    return _combine(_combine(current, zero), number)


def number_dtype(t: type) -> dtype:
    """The dtype that a Python number of type `t` stands for in promotion."""
    if t is bool:
        return dt.bool_
    if t is int:
        return dt.int64
    return dt.get_default_dtype() if t is float else dt.default_complex()


def _combine(high: dtype | None, low: dtype | None) -> dtype | None:
    if high is None or low is None:
        return low if high is None else high
    if low.category <= high.category:
        return high
    if low.category == COMPLEX and high.category == FLOATING:  # the complex dtype of the higher group's precision
        return dt.complex64 if high is dt.bfloat16 else promote_types(high.to_complex(), high)
    return promote_types(high, low) if high.category == FLOATING else low
