"""Grad mode, inference mode and the eager switch: state that is kept per thread, and the context managers over it."""
from __future__ import annotations

import contextlib
import functools
import inspect

from . import evaluate
from .tape import state


def is_grad_enabled() -> bool:
    """Whether operations on this thread are recorded for autograd."""
    return state.grad


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on in this thread."""
    return state.inference


class _Mode:
    """A context manager that is also a decorator of functions, generator functions and (with a note) classes, as torch's are."""

    def __call__(self, function):
        if inspect.isgeneratorfunction(function):
            @functools.wraps(function)
            def steps(*args, **kwargs):
                generator, sent = function(*args, **kwargs), None
                while True:
                    with self._fresh():
                        try:
                            item = generator.send(sent)
                        except StopIteration as stop:
                            return stop.value
                    sent = yield item
            return steps

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with self._fresh():
                return function(*args, **kwargs)
        return wrapped

    def _fresh(self):
        return type(self)()


class _GradMode(_Mode):
    wanted = True

    def __new__(cls, function=None):
        made = object.__new__(cls)
        return made if function is None else _Mode.__call__(made, function)

    def __enter__(self):
        self.before = state.grad
        state.grad = self.wanted

    def __exit__(self, *error):
        state.grad = self.before


class no_grad(_GradMode):
    """Within it nothing is recorded for autograd. A context manager and a decorator."""

    wanted = False


class enable_grad(_GradMode):
    """Within it operations are recorded for autograd again. A context manager and a decorator."""


class set_grad_enabled(_Mode):
    """Switch grad mode on or off: at once when called, and back at the end when used as a context manager."""

    def __init__(self, mode: bool):
        self.before = state.grad
        self.mode = mode
        state.grad = bool(mode)

    def __enter__(self):
        state.grad = bool(self.mode)

    def __exit__(self, *error):
        state.grad = self.before

    def __call__(self, function):
        state.grad = self.before
        return super().__call__(function)

    def _fresh(self):
        return set_grad_enabled(self.mode)

    def __repr__(self) -> str:
        return f"set_grad_enabled(mode={self.mode})"


class inference_mode(_Mode):
    """Like no_grad, and the tensors made within can never take part in autograd later. A context manager and a decorator."""

    def __new__(cls, mode=True):
        made = object.__new__(cls)
        if callable(mode):
            made.mode = True
            return _Mode.__call__(made, mode)
        return made

    def __init__(self, mode: bool = True):
        self.mode = bool(mode)

    def __enter__(self):
        self.before = state.grad, state.inference
        state.inference = self.mode
        state.grad = not self.mode if self.mode else state.grad

    def __exit__(self, *error):
        state.grad, state.inference = self.before

    def _fresh(self):
        return inference_mode(self.mode)


def set_eager(on: bool) -> None:
    """Evaluate after every operation on this thread: slow, but an error points at its line. For debugging."""
    state.eager = bool(on)
    if on and state.tape.nodes:
        evaluate.evaluate("eager switch")


def is_eager() -> bool:
    """Whether the eager switch is on."""
    return state.eager


@contextlib.contextmanager
def transforming():
    """A transform of `func` is in force within the block."""
    state.transforms += 1
    try:
        yield
    finally:
        state.transforms -= 1
