"""A tensor as torch's C++ side prints it inside some messages: numbers in columns, then the type and sizes. Works on the host."""
from __future__ import annotations

import itertools
import math

import numpy as np

from .._core.errors import type_name
from .._core.handle import TensorBase
from .._dtype import BOOL, COMPLEX

_LINE = 80


def legacy_text(t: TensorBase) -> str:
    """The text of a tensor of two or more dimensions."""
    array = t._host("error text").astype(np.float64)
    number, width, scale = _number_format(array)
    if array.ndim == 2:
        body = _matrix(array, number, width, scale, 0)
    else:
        parts = [f"({','.join(str(i + 1) for i in at)},.,.) = \n{_matrix(array[at], number, width, scale, 1)}"
                 for at in itertools.product(*map(range, array.shape[:-2]))]
        body = "\n".join(parts)
    d = t._spec.dtype
    name = f"CPU{d.legacy}Type" if d.category in (BOOL, COMPLEX) or d.name == "bfloat16" else type_name(t._spec)
    return f"{body}[ {name}{{{','.join(map(str, array.shape))}}} ]"


def _number_format(array: np.ndarray) -> tuple:
    """(format of one number, column width, common factor taken out)."""
    finite = np.abs(array[np.isfinite(array)])
    low, high = (_digits(float(finite.min())), _digits(float(finite.max()))) if finite.size else (1, 1)
    if np.array_equal(finite, np.ceil(finite)):
        return ("{:.4e}", 11, 1.0) if high > 9 else ("{:g}", high + 1, 1.0)
    if high - low > 4:
        return "{:.4e}", 12 if abs(high) > 99 or abs(low) > 99 else 11, 1.0
    if high > 5 or high < 0:
        return "{:.4f}", 7, 10.0 ** (high - 1)
    return "{:.4f}", 7 if high == 0 else high + 6, 1.0


def _digits(x: float) -> int:
    return math.floor(math.log10(x)) + 1 if x else 1


def _matrix(rows: np.ndarray, number: str, width: int, scale: float, indent: int) -> str:
    """The rows of a matrix, in blocks of as many columns as fit a line."""
    columns, blocks = (_LINE - indent) // (width + 1), []
    for first in range(0, rows.shape[1], columns):
        last = min(first + columns, rows.shape[1])
        head = f"Columns {first + 1} to {last}" if columns < rows.shape[1] else ""
        factor, between = (f"{scale:g} *\n", " " * indent + " ") if scale != 1 else ("", " " * indent)
        lines = [" ".join(number.format(x / scale).rjust(width) for x in row[first:last]) + "\n" for row in rows]
        blocks.append(head + factor + between.join(lines))
    return "\n".join(blocks)


__all__ = ["legacy_text"]
