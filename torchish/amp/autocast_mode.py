"""autocast: a context, or a decorator, in which listed operations compute in a lower precision; see _ops/autocast.py for the lists."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from .. import _public as torch
from .. import cuda
from .._ops.autocast import lowering, set_lowering
from ..tensor import Tensor

_DEFAULTS = {"cpu": torch.bfloat16, "cuda": torch.float16}


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows this type of device."""
    torch.device(device_type)  # raises RuntimeError for what is none
    return device_type in _DEFAULTS


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for a type of device."""
    return lowering(device_type) is not None


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype that autocast lowers to on a type of device, or would by default."""
    return lowering(device_type) or _DEFAULTS[device_type]


def is_autocast_cache_enabled() -> bool:
    """True: a cast that repeats within a program is done once."""
    return True


class autocast:
    """Context or decorator in which matrix products and convolutions compute in `dtype` (bfloat16 on the CPU, float16 on a GPU) and losses and
    other delicate operations in float32.

    Warns and does nothing for a GPU that is not there, and for a dtype that torch does not lower to. Raises ValueError for a device type that
    is no text, RuntimeError for an unknown one.
    """

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = True if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda" and not cuda.is_available():
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
            enabled = False
        if enabled and self.fast_dtype not in (torch.bfloat16, torch.float16):
            name = device_type.upper()
            warnings.warn(
                f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{name} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before: list[Any] = []

    def __enter__(self) -> autocast:
        self._before.append(lowering(self.device))
        set_lowering(self.device, self.fast_dtype if self._enabled else None)
        return self

    def __exit__(self, *exception: Any) -> bool:
        set_lowering(self.device, self._before.pop())
        return False

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return decorated


def _converted(value: Any, device_type: str, dtype: Any) -> Any:
    if isinstance(value, Tensor):
        fits = value.is_floating_point() and value.device.type == device_type and value.dtype is not torch.float64
        return value.to(dtype) if fits else value
    if isinstance(value, dict):
        return {_converted(k, device_type, dtype): _converted(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_converted(v, device_type, dtype) for v in value)
    return value


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Any = None) -> Callable:
    """Decorator for the forward of an autograd.Function: with `cast_inputs`, its tensors are cast to that and autocast is off inside."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        args[0]._dtype = get_autocast_dtype(device_type)
        args[0]._fwd_used_autocast = is_autocast_enabled(device_type)
        if cast_inputs is None or not is_autocast_enabled(device_type):
            return fwd(*args, **kwargs)
        args[0]._fwd_used_autocast = False
        with autocast(device_type, enabled=False):
            return fwd(*_converted(args, device_type, cast_inputs), **_converted(kwargs, device_type, cast_inputs))

    return decorated


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Callable:
    """Decorator for the backward of an autograd.Function: autocast is there as it was in the forward."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorated
