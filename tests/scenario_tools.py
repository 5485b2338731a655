"""Scenarios: functions that take a package (torch or torchish) and return plain data. Here: what they and their tests share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any


def clean(text: str) -> str:
    """A text without the name of the package that made it."""
    return text.replace("torchish", "torch")


def message(call: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """The kind and text of the error that a call raises, the package's name taken out."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        return clean(f"{type(error).__name__}: {error}")
    return "no error"


def plain(value: Any) -> Any:
    """Tensors as lists, dicts as lists of pairs (their order counts), the rest as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return [[str(key), plain(item)] for key, item in value.items()]
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def as_recorded(value: Any) -> Any:
    """`value` as it comes back from a recorded file."""
    return json.loads(json.dumps(value))


def difference(got: Any, expected: Any, where: str = "result") -> str | None:
    """Where and how `got` departs from `expected`; floats may differ by 1e-5 of their size or 1e-6. None if nowhere."""
    if isinstance(expected, float) and isinstance(got, (int, float)) and not isinstance(got, bool):
        both_nan = math.isnan(expected) and math.isnan(got)
        close = both_nan or math.isclose(got, expected, rel_tol=1e-5, abs_tol=1e-6)
        return None if close else f"{where}: {got!r}, expected {expected!r}"
    if type(got) is not type(expected):
        return f"{where}: {got!r}, expected {expected!r}"
    if isinstance(expected, (list, dict)):
        if len(got) != len(expected) or (isinstance(expected, dict) and list(got) != list(expected)):
            return f"{where}: {got!r}, expected {expected!r}"
        keys = list(expected) if isinstance(expected, dict) else range(len(expected))
        return next((text for key in keys if (text := difference(got[key], expected[key], f"{where}[{key!r}]"))), None)
    return None if got == expected else f"{where}: {got!r}, expected {expected!r}"


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: _rounded(item, digits) for key, item in value.items()}
    return [_rounded(item, digits) for item in value] if isinstance(value, (list, tuple)) else value


def record(path: Path, package: Any, areas: dict[str, list[Callable[[Any], Any]]], digits: int = 17) -> None:
    """Write what every scenario of every area returns on `package` to a JSON file, floats with `digits` significant digits."""
    recorded = {area: {scenario.__name__: scenario(package) for scenario in scenarios} for area, scenarios in areas.items()}
    path.write_text(json.dumps(_rounded(recorded, digits), separators=(",", ":")) + "\n", encoding="utf-8")
