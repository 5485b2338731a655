"""The text of a printed tensor: a host array, a few facts about the tensor and the print options -> the string torch prints.

Owns the print options and the layout rules. Knows no Tensor, records no operation; imports NumPy and `_dtype` alone.
Source of the rules: the behaviour of torch 2.13, compared to the letter in tests/api/test_print_differential.py.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import inf, isfinite, prod

import numpy as np

from . import _dtype as dt

GRAD_FN_STYLES = ("documented", "torch")


@dataclass(slots=True)
class PrintOptions:
    """How tensors are printed. The fields are the keywords of `set_printoptions`, where they are described."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None
    grad_fn: str = "documented"


options = PrintOptions()

_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None, grad_fn=None) -> None:
    """Change how tensors are printed, as `torch.set_printoptions` does; an argument left at None changes nothing, but for `sci_mode`.

    precision: digits after the point. threshold: element count above which only the edges of a tensor are shown.
    edgeitems: items shown at each edge. linewidth: columns after which a row is wrapped. profile: "default", "short" or "full",
    applied before the other arguments; any other name is ignored, as in torch. sci_mode: True or False forces scientific
    notation on or off; None chooses it by the values, and every call sets it, as in torch.
    grad_fn (ours alone): "documented" prints `grad_fn=<AddBackward>`, "torch" prints torch 2's `grad_fn=<AddBackward0>`. A profile is
    torch's own set of choices, so naming one chooses "torch" too, unless `grad_fn` is given with it.

    Raises ValueError for any other `grad_fn`.

        >>> torchish.set_printoptions(precision=2)
        >>> torchish.tensor([1.12345])
        tensor([1.12])
    """
    if grad_fn is not None and grad_fn not in GRAD_FN_STYLES:
        raise ValueError(f"grad_fn must be one of {GRAD_FN_STYLES}, got {grad_fn!r}")
    changes = dict(_PROFILES.get(profile, ()))
    if changes:
        changes["grad_fn"] = "torch"
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth, "grad_fn": grad_fn}
    changes.update((name, value) for name, value in given.items() if value is not None)
    for name, value in changes.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, object]:
    """The print options in force, as keywords for `set_printoptions`."""
    return asdict(options)


@contextmanager
def printoptions(**kwargs) -> Iterator[None]:
    """Print with other options inside a `with` block; takes the keywords of `set_printoptions`."""
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


def format_tensor(array: np.ndarray | None, dtype: dt.dtype, *, shape: tuple[int, ...] | None = None, indent: int = 0,
                  device: str | None = None, requires_grad: bool = False, grad_fn_name: str | None = None,
                  default_dtype: dt.dtype | None = None, prefix: str = "tensor(") -> str:
    """The text torch prints for a tensor of any shape and of dtype `dtype` that holds the values of `array`.

    Of a tensor longer than `options.threshold` only the shown edges are read. `array` may also hold just those edges (what
    `shown_index` selects), with `shape` giving the whole tensor's shape; or be None, with `shape`, for a tensor without data ("meta").
    prefix: the opening of the text; may span lines ("Parameter containing:\\ntensor("). indent: column at which the prefix's last line
    begins. device: the device to name, None to name none. grad_fn_name: torch's name of the node, such as "AddBackward0";
    it is printed instead of requires_grad. default_dtype: the dtype not worth naming; the session's default where None.
    """
    shape = array.shape if shape is None else tuple(shape)
    column = indent + len(prefix) - (prefix.rfind("\n") + 1)
    contents = "..." if array is None else _contents(array, dtype, shape, column)
    suffixes = [f"device='{device}'"] if device is not None else []
    suffixes += _size_and_dtype(dtype, shape, array is None, default_dtype or dt.get_default_dtype())
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{_grad_fn_text(grad_fn_name)}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + contents
    last_line = len(text) - (text.rfind("\n") + 1) + (0 if "\n" in contents else indent)
    return text + _join_suffixes(suffixes, last_line, column) + ")"


def format_scalar(array: np.ndarray, spec: str) -> str:
    """What `format(tensor, spec)` gives for a 0-dimensional tensor holding `array`: the Python number in that format.

    Raises ValueError where Python's number does for `spec`.
    """
    return format(_python_values(array)[0], spec)


def shown_index(shape: tuple[int, ...]) -> tuple[np.ndarray, ...] | None:
    """The index that selects the printed part of an array of this shape under the present options; None when all of it is printed."""
    edge = options.edgeitems
    if not shape or prod(shape) <= options.threshold or max(shape) <= 2 * edge:
        return None
    return np.ix_(*(_shown_items(size, edge) for size in shape))


def _shown_items(size: int, edge: int) -> np.ndarray:
    """The positions printed along one dimension: all of a short one, the first and last `edge` of a longer one."""
    items = np.arange(min(size, 2 * edge))
    items[edge:] += size - len(items)
    return items


def _contents(array: np.ndarray, dtype: dt.dtype, shape: tuple[int, ...], column: int) -> str:
    """The values in their brackets; the opening bracket stands at `column`."""
    if 0 in shape:
        return "[]"
    index = shown_index(shape)
    if index is not None:
        if options.edgeitems == 0:
            return "[...]"
        if array.shape == shape:
            array = array[index]
    values = _python_values(array)
    texts, width = _complex_texts(values) if dtype.is_complex else _real_texts(values, dtype.is_floating_point)
    return _layout(texts, width, array.shape, shape, column)


def _python_values(array: np.ndarray) -> list:
    """The array's values as a flat list of Python numbers."""
    if array.dtype.itemsize < 4 and array.dtype.kind not in "iub":
        array = array.astype(np.float32)  # bfloat16 and float8 have no Python number of their own; the cast is exact
    return array.ravel().tolist()


def _float_texts(values: list[float]) -> tuple[list[str], int]:
    """Each value's text, unpadded, and the width to pad to: that of the widest nonzero finite value, 1 without any."""
    magnitudes = [abs(v) for v in values if v and isfinite(v)]
    whole = all(v.is_integer() for v in magnitudes)
    if _is_scientific(magnitudes):
        spec, whole = f".{options.precision}e", False
    else:
        spec = ".0f" if whole else f".{options.precision}f"
    texts = [format(v, spec) for v in values]
    if whole:  # the bare point marks whole numbers as floating
        texts = [t + "." if isfinite(v) else t for t, v in zip(texts, values, strict=True)]
    return texts, max((len(t) for t, v in zip(texts, values, strict=True) if v and isfinite(v)), default=1)


def _is_scientific(magnitudes: list[float]) -> bool:
    """Whether values of these nonzero finite magnitudes are printed with exponents."""
    if not magnitudes:
        return False  # zeros, infinities and nan alone: even sci_mode=True leaves them plain
    if options.sci_mode is not None:
        return options.sci_mode
    low, high = min(magnitudes), max(magnitudes)
    return high > 1e8 or high / low > 1000 or low < 1e-4


def _real_texts(values: list, floating: bool) -> tuple[list[str], int]:
    """Each value's text, padded, and the width of a column."""
    if floating:
        texts, width = _float_texts(values)
    else:
        texts = [str(v) for v in values]
        width = max(map(len, texts))
    return [t.rjust(width) for t in texts], width


def _complex_texts(values: list[complex]) -> tuple[list[str], int]:
    """Each value's text and the width of a column. The two parts choose their notation apart, and only the real part is padded."""
    reals, real_width = _float_texts([v.real for v in values])
    imags, imag_width = _float_texts([v.imag for v in values])
    signed = (i if i[0] == "-" else "+" + i for i in imags)
    return [f"{r.rjust(real_width)}{i}j" for r, i in zip(reals, signed, strict=True)], real_width + imag_width + 1


def _layout(texts: list[str], width: int, shown: tuple[int, ...], shape: tuple[int, ...], column: int) -> str:
    """Put brackets round `texts`, which hold a tensor of shape `shape` cut down to the shape `shown`."""
    if not shape:
        return texts[0]
    last = len(shape) - 1
    per_line = max(1, (options.linewidth - column - last) // (width + 2))
    new_line = ",\n" + " " * (column + last + 1)

    def join_row(items: list[str]) -> str:
        return new_line.join(", ".join(items[i:i + per_line]) for i in range(0, len(items), per_line))

    blocks = _bracket(texts, shown[last], " ..." if shown[last] < shape[last] else None, join_row)
    for d in reversed(range(last)):
        separator = "," + "\n" * (last - d) + " " * (column + d + 1)
        blocks = _bracket(blocks, shown[d], "..." if shown[d] < shape[d] else None, separator.join)
    return blocks[0]


def _bracket(items: list[str], size: int, gap: str | None, join: Callable[[list[str]], str]) -> list[str]:
    """Join each run of `size` items into one bracketed block, with `gap` in its middle for the items left out."""
    blocks = []
    for start in range(0, len(items), size):
        run = items[start:start + size]
        if gap is not None:
            run.insert(size // 2, gap)
        blocks.append(f"[{join(run)}]")
    return blocks


def _size_and_dtype(dtype: dt.dtype, shape: tuple[int, ...], meta: bool, default: dt.dtype) -> list[str]:
    """The `size=` and `dtype=` suffixes, each where the printed values would not tell."""
    empty = 0 in shape
    # for a default of float16 torch leaves complex64 unnamed, not complex32, so this is not dt.default_complex
    known = (default,) if meta or empty else (default, dt.complex128 if default is dt.float64 else dt.complex64, dt.int64, dt.bool_)
    suffixes = []
    if meta or (len(shape) != 1 if empty else options.edgeitems == 0):
        suffixes.append(f"size={shape}")
    if dtype not in known:
        suffixes.append(f"dtype={dtype!r}")
    return suffixes


def _grad_fn_text(name: str) -> str:
    """The node's name in the style of `options.grad_fn`."""
    return name if options.grad_fn == "torch" else re.sub(r"(?<=Backward)\d+$", "", name)


def _join_suffixes(suffixes: list[str], last_line: int, column: int) -> str:
    """The suffixes with their separators, each on a new line at `column` once the line is full."""
    used = last_line + 2  # torch counts two columns too many, until a suffix has begun a new line
    parts = []
    for suffix in suffixes:
        if used + len(suffix) + 2 > options.linewidth:
            parts.append(",\n" + " " * column + suffix)
            used = column + len(suffix)
        else:
            parts.append(", " + suffix)
            used += len(suffix) + 2
    return "".join(parts)
