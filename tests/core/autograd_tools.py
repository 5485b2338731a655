"""What the scenarios of autograd share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scenario_tools import clean, plain


def leaf(p, *values: float):
    """A leaf that requires grad, of these values."""
    return p.tensor(values or (1.0, 2.0, 3.0), requires_grad=True)


def said(call: Callable[..., Any], *args: Any) -> Any:
    """What a call returns as plain data, or the kind and text of its error without the package's name."""
    try:
        return plain(call(*args))
    except Exception as error:
        return clean(f"{type(error).__name__}: {error}")


def scenarios(space: dict) -> list[Callable[[Any], Any]]:
    """The scenarios of a module, given its globals: its public functions of one parameter `p`."""
    own = [v for k, v in space.items() if not k.startswith("_") and getattr(v, "__module__", None) == space["__name__"]]
    return [v for v in own if v.__code__.co_varnames[:v.__code__.co_argcount] == ("p",)]
