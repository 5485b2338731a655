"""A size given as one number or as a sequence, read as a tuple."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def ntuple(size: Any, length: int) -> tuple[Any, ...]:
    """`size` repeated `length` times if it is one number; else its items, however many they are."""
    return tuple(size) if isinstance(size, Iterable) else (size,) * length
