"""torch.utils.checkpoint: trade time for memory by computing parts of the forward again in backward.

It owns the options, warnings and messages; the two ways of recomputing are in `autograd._checkpoint`.
"""
from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

from .. import _public as torch
from ..autograd._checkpoint import CheckpointError as CheckpointError
from ..autograd._checkpoint import CheckpointFunction as CheckpointFunction
from ..autograd._checkpoint import run_with_frame

_early_stop: bool | None = None
_debug: bool | None = None


def noop_context_fn() -> tuple:
    """Two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool):
    """Within it checkpoints stop recomputing as soon as backward has what it needs, or not, whatever their own argument says."""
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None):
    """Accepted for torch's sake: mismatches are reported without operator logs."""
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


def check_backward_validity(inputs) -> None:
    """Warn if none of the inputs requires grad: with re-entrance no gradient will flow."""
    if not any(isinstance(x, torch.Tensor) and x.requires_grad for x in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3)


def detach_variable(inputs: tuple) -> tuple:
    """The inputs detached, requiring grad where they did."""
    if not isinstance(inputs, tuple):
        raise RuntimeError("Only tuple of tensors is supported. Got Unsupported input type: ", type(inputs).__name__)
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, torch.Tensor) else x for x in inputs)


def checkpoint(function: Callable, *args: Any, use_reentrant: bool | None = None, context_fn: Callable = noop_context_fn,
               determinism_check: str = "default", debug: bool = False, early_stop: bool = True, **kwargs: Any):
    """`function(*args, **kwargs)` without keeping its intermediates: backward runs it again.

    use_reentrant: False (recommended) leaves the function's own graph in place and works with every form of backward; True makes one node
    of it, and needs a tensor among the inputs that requires grad. preserve_rng_state (a keyword, True by default): the second run draws the
    same random numbers. context_fn: gives two contexts, for the first and the second run. determinism_check: "default" compares shapes and
    dtypes of the second run with the first's, "none" does not. early_stop: end the second run when backward has what it needs.
    Raises ValueError for arguments that do not go together; backward raises CheckpointError where the second run differs.
    """
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling checkpoint "
                      "without use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to preserve the current "
                      "default behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between the two "
                      "variants.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        check_backward_validity(args)
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    stop = early_stop if _early_stop is None else _early_stop
    return run_with_frame(function, args, kwargs, preserve, context_fn(), stop, determinism_check == "default")


def checkpoint_sequential(functions, segments: int, input, use_reentrant: bool | None = None, **kwargs: Any):
    """Run a Sequential (or list of functions) in `segments` checkpointed parts, the last one plainly.

    Raises ValueError for unknown keywords or more segments than functions.
    """
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In version 2.9 we will "
                      "raise an exception if use_reentrant is not passed. use_reentrant=False is recommended, but if you need to preserve the "
                      "current default behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between the "
                      "two variants.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(functions) // segments
    end = -1
    for start in range(0, size * (segments - 1), size):
        end = start + size - 1
        input = checkpoint(_run_between(functions, start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return _run_between(functions, end + 1, len(functions) - 1)(input)


def _run_between(functions: list, start: int, end: int) -> Callable:
    def forward(input):
        for f in functions[start:end + 1]:
            input = f(input)
        return input
    return forward


def create_selective_checkpoint_contexts(policy_fn_or_list, allow_cache_entry_mutation: bool = False) -> tuple:
    """Not there: raises NotImplementedError. What is kept of a checkpointed part is decided by XLA, not operation by operation."""
    raise NotImplementedError("torchish: create_selective_checkpoint_contexts is not supported; use checkpoint(..., use_reentrant=False)")


__all__ = ["CheckpointError", "CheckpointFunction", "check_backward_validity", "checkpoint", "checkpoint_sequential", "detach_variable",
           "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop"]
