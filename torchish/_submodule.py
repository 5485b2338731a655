"""Fills a module such as `torchish.linalg` with the operations declared under its dotted names ("linalg.norm")."""
from __future__ import annotations

from . import _public  # noqa: F401 - declares every operation
from ._ops.variants import FUNCTIONS


def names_of(prefix: str) -> dict:
    """{name: function} of the functions declared as `prefix.name`."""
    start = prefix + "."
    return {name[len(start):]: f for name, f in FUNCTIONS.items() if name.startswith(start) and "." not in name[len(start):]}
