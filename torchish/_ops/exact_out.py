"""`out=` where torch demands the result's exact dtype, each operation in its own words; the others convert (see variants.call_into).

The families apply it to names they have made public; it knows no operation itself.
"""
from __future__ import annotations

import functools
from collections.abc import Callable

from .._core.handle import TensorBase
from .nn_common import C_NAMES
from .overlap import SHARED, overlap
from .return_types import ReturnType, return_type
from .variants import FUNCTIONS, tensors_of


def expected(name: str, want, have) -> str:
    return f"Expected out tensor to have dtype {C_NAMES.get(want, want.name)}, but got {C_NAMES.get(have, have.name)} instead"


def same_as_input(name: str, want, have) -> str:
    return f"Expected the dtype for input and out to match, but got {want.legacy} for input's dtype and {have.legacy} for out's dtype."


def bool_only(name: str, want, have) -> str:
    return f"{name} only supports bool tensor for result, got: {have.legacy}"


def scalar_type(name: str, want, have) -> str:
    return f"expected scalar_type {want.legacy} but found {have.legacy}"


def always(result, arguments: dict) -> bool:
    """For operations whose `out=` is always exact."""
    return True


def dtype_named(result, arguments: dict) -> bool:
    """For operations that convert into `out` unless the call names a dtype."""
    return arguments.get("dtype") is not None


def several(result, arguments: dict) -> bool:
    """For operations of which only the form with several results is exact."""
    return not isinstance(result, TensorBase)


def exact_out(*names: str, message: Callable = expected, when: Callable = always) -> None:
    """Make `out=` of public functions raise RuntimeError for another dtype, where `when(result, keyword arguments)`.

    Several results come back in the named tuple `name_out`.
    """
    for name in names:
        _exact_out(name, message, when)


def _exact_out(name: str, message: Callable, when: Callable) -> None:
    plain = FUNCTIONS[name]

    def function(*args, out=None, **kwargs):
        if out is None:
            return plain(*args, **kwargs)
        preview = plain(*args, **kwargs)
        if when(preview, kwargs):
            _check(name, message, preview, out)
        result = plain(*args, out=out, **kwargs)
        return return_type(name + "_out", *result._names)(result) if isinstance(result, ReturnType) else result
    FUNCTIONS[name] = functools.update_wrapper(function, plain)


def alone_out(*names: str) -> None:
    """Make `out=` of public functions raise RuntimeError where it shares memory with an operand, the same view included."""
    for name in names:
        _alone_out(name)


def _alone_out(name: str) -> None:
    plain = FUNCTIONS[name]

    def function(*args, out=None, **kwargs):
        if out is None:
            return plain(*args, **kwargs)
        operands = tensors_of(args, kwargs)
        if any(overlap(o, a) for o in ((out,) if isinstance(out, TensorBase) else out) for a in operands):
            raise RuntimeError(SHARED)
        return plain(*args, out=out, **kwargs)
    FUNCTIONS[name] = functools.update_wrapper(function, plain)


def _check(name: str, message: Callable, result, out) -> None:
    results, outs = ((result,), (out,)) if isinstance(result, TensorBase) else (result, out)
    for r, o in zip(results, outs):
        want, have = r._spec.dtype, o._spec.dtype
        if want is not have and not (message is bool_only and have.name in ("bool", "uint8")):
            raise RuntimeError(message(name, want, have))
