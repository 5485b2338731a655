"""torch.compile and torch.compiler: torchish compiles every step that repeats by itself, so there is nothing to ask for."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any


def compile(model: Callable | None = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = "inductor",
            mode: str | None = None,
            options: dict | None = None, disable: bool = False) -> Callable:
    """Return `model` unchanged (or, called without one, a decorator that does).

    What torch.compile is for happens anyway: operations are recorded and run as one compiled program per step.
    """
    if model is None:
        return lambda function: function
    if not callable(model):
        raise RuntimeError(f"torch.compile expects a callable, but got {type(model).__name__}")
    return model


def is_compiling() -> bool:
    """False: user code always runs as Python."""
    return False


def disable(fn: Callable | None = None, recursive: bool = True, reason: str | None = None) -> Callable:
    """Return `fn` unchanged."""
    return (lambda function: function) if fn is None else fn
