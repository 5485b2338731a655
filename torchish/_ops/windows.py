"""Window functions: torch.hann_window and its kin, and torch.signal.windows. Computed once in float64 on the host, then rounded."""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .. import _dtype as dt
from .._core.handle import from_array
from .._device import device as Device
from .factory import check_dtype, check_layout, default_device, mark_leaf
from .variants import public


def _made(values: np.ndarray, d: dt.dtype, device, requires_grad: bool):
    return mark_leaf(from_array(values.astype(d.numpy), None, default_device() if device is None else Device(device)), requires_grad)


def _phase(n: int, periodic: bool) -> np.ndarray:
    """k / (n - 1) for k < n; a periodic window is one of n + 1 without its last value."""
    return np.arange(n) / max(n if periodic else n - 1, 1)


def _cosines(at: np.ndarray, weights) -> np.ndarray:
    """The sum of (-1)^i w_i cos(2 pi i at)."""
    return sum((-1) ** i * w * np.cos(2 * np.pi * i * at) for i, w in enumerate(weights))


# ---------------------------------------------------------------- torch.NAME_window
def _window(name: str, values: Callable, parameters: tuple, doc: str) -> None:
    """Publish torch.`name`(window_length, periodic, *parameters); `values(at, *parameters)` gives the window at phases in [0, 1]."""
    def make(window_length, periodic, given, dtype, layout, device, requires_grad):
        check_layout(layout)
        if not isinstance(window_length, int):
            raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(window_length).__name__}")
        if window_length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
        d = check_dtype(dtype)
        if d.category != dt.FLOATING:
            raise RuntimeError(f"{name} expects floating point dtypes, got: {d!r}")
        made = np.ones(window_length) if window_length < 2 else values(_phase(window_length, periodic), *given)
        return _made(made, d, device, requires_grad)
    extra = "".join(f", {p}={v!r}" for p, v in parameters)
    given = "".join(f"{p}, " for p, _ in parameters)
    space = {"_make": make}
    exec(f"def {name}(window_length, periodic=True{extra}, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):\n"
         f"    return _make(window_length, periodic, ({given}), dtype, layout, device, requires_grad)\n", space)
    space[name].__doc__, space[name].__module__ = doc + " Raises RuntimeError for a negative length.", "torchish"
    public(name, method=False)(space[name])


_window("hann_window", lambda at: _cosines(at, (0.5, 0.5)), (), "The Hann window.")
_window("hamming_window", lambda at, alpha, beta: _cosines(at, (alpha, beta)), (("alpha", 0.54), ("beta", 0.46)), "The Hamming window.")
_window("blackman_window", lambda at: _cosines(at, (0.42, 0.5, 0.08)), (), "The Blackman window.")
_window("bartlett_window", lambda at: 1 - np.abs(2 * at - 1), (), "The Bartlett (triangular) window.")
_window("kaiser_window", lambda at, beta: _kaiser(2 * at - 1, beta), (("beta", 12.0),), "The Kaiser window.")


def _kaiser(at: np.ndarray, beta: float) -> np.ndarray:
    return np.i0(beta * np.sqrt(np.maximum(0, 1 - at * at))) / np.i0(beta)


# ---------------------------------------------------------------- torch.signal.windows
def _check(name: str, M: int, d: dt.dtype, layout) -> None:
    if not isinstance(M, int):
        raise TypeError(f"{name}(): argument 'M' must be int, not {type(M).__name__}")
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not None and repr(layout) != "torch.strided":
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if d not in (dt.float32, dt.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {d!r}")


def _signal(name: str, parameters: str, values: Callable, doc: str, check: Callable = lambda sym, *given: None,
            named: str = "") -> None:
    """Publish torch.signal.windows.`name`(M, *, parameters); `values(k, m, *parameters)`: k = 0..M-1, m the last index of the symmetric window.

    Errors call it `named`: what torch makes it from.
    """
    def make(M, given, sym, dtype, layout, device, requires_grad):
        d = check_dtype(dtype)
        _check(named or name, M, d, layout)
        check(sym, *given)
        made = np.zeros(0) if M == 0 else np.ones(1) if M == 1 else values(np.arange(M, dtype=np.float64), M - 1 if sym else M, *given)
        return _made(made, d, device, requires_grad)
    given = "".join(p.partition("=")[0].strip() + ", " for p in parameters.split(",") if p)
    space = {"_make": make}
    exec(f"def {name}(M, *, {parameters + ', ' if parameters else ''}sym=True, dtype=None, layout=None, device=None, requires_grad=False):\n"
         f"    return _make(M, ({given}), sym, dtype, layout, device, requires_grad)\n", space)
    space[name].__doc__, space[name].__module__ = doc + " Raises ValueError for a negative length or another dtype.", "torchish"
    public("signal.windows." + name, method=False)(space[name])


def _check_deviation(sym, std) -> None:
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")


def _check_beta(sym, beta) -> None:
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")


def _check_exponential(sym, center, tau) -> None:
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")


def _check_weights(sym, a) -> None:
    if not isinstance(a, (list, tuple)):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")


def _exponential(k, m, center, tau):
    return np.exp(-np.abs(k - (m / 2 if center is None else center)) / tau)


_signal("general_cosine", "a", lambda k, m, a: _cosines(k / m, a), "A sum of cosines with coefficients `a`, alternating in sign.", _check_weights)
_signal("general_hamming", "alpha=0.54", lambda k, m, alpha: _cosines(k / m, (alpha, 1 - alpha)), "The general Hamming window.",
        named="general_cosine")
_signal("hamming", "", lambda k, m: _cosines(k / m, (0.54, 0.46)), "The Hamming window.", named="general_cosine")
_signal("hann", "", lambda k, m: _cosines(k / m, (0.5, 0.5)), "The Hann window.", named="general_cosine")
_signal("blackman", "", lambda k, m: _cosines(k / m, (0.42, 0.5, 0.08)), "The Blackman window.")
_signal("nuttall", "", lambda k, m: _cosines(k / m, (0.3635819, 0.4891775, 0.1365995, 0.0106411)), "The Nuttall window.", named="general_cosine")
_signal("bartlett", "", lambda k, m: 1 - np.abs(2 * k / m - 1), "The Bartlett (triangular) window.")
_signal("cosine", "", lambda k, m: np.sin((k + 0.5) * math.pi / (m + 1)), "The half period of a sine.")
_signal("exponential", "center=None, tau=1.0", _exponential, "exp(-|k - center| / tau).", _check_exponential)
_signal("gaussian", "std=1.0", lambda k, m, std: np.exp(-(((k - m / 2) / (math.sqrt(2) * std)) ** 2)), "The Gaussian window.",
        _check_deviation)
_signal("kaiser", "beta=12.0", lambda k, m, beta: _kaiser(2 * k / m - 1, beta), "The Kaiser window.", _check_beta)
