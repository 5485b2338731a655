"""Short-time Fourier transforms: `stft` and `istft`, made of frames, windows and the transforms of fourier.py."""
from __future__ import annotations

import numpy as np

from .._core.errors import type_name
from .._core.handle import TensorBase, from_array
from .._core.record import call
from .._dtype import COMPLEX, FLOATING
from .declare import primitive
from .nn_common import Spec
from .shared import warn_once
from .variants import FUNCTIONS, METHODS, public

_NO_WINDOW = "A window was not provided. A rectangular window will be applied{}To suppress this warning and use a rectangular window, explicitly " \
             "set `window=torch.ones(n_fft, device=<device>)`."
_COMPLEX_ONESIDED = "Cannot have onesided output if window or input is complex"


# ---------------------------------------------------------------- what both share
def _described(t: TensorBase | None, opening: str = "{[", closing: str = "]}") -> str:
    """A tensor as torch's messages of this family print it: type and sizes."""
    if t is None:
        return "None"
    spec = t._spec
    name = f"CPU{spec.dtype.legacy}Type" if spec.dtype.category == COMPLEX else type_name(spec)
    return f"{name}{opening}{', '.join(map(str, spec.shape))}{closing}"


def _call_text(name: str, input: TensorBase, window, **others) -> str:
    """The arguments of a call, which open torch's messages about them."""
    shown = {k: v if v is None else int(v) for k, v in others.items()}
    texts = [f"{k}={v}" for k, v in shown.items()]
    return f"{name}({_described(input, '[', ']')}, {', '.join([*texts[:3], f'window={_described(window)}', *texts[3:]])})"


def _is_complex(*tensors) -> bool:
    return any(t is not None and t._spec.dtype.category == COMPLEX for t in tensors)


def _full_window(window: TensorBase | None, win_length: int, n_fft: int, like: TensorBase) -> TensorBase | None:
    """The window in the middle of n_fft zeros; ones where none is given, and nothing where those would change nothing."""
    if window is None:
        if win_length == n_fft:
            return None
        window = METHODS["new_ones"](like, (win_length,), dtype=like._spec.dtype.to_real())
    left = (n_fft - win_length) // 2
    return _padded(window, left, n_fft - win_length - left) if win_length < n_fft else window


def _padded(x: TensorBase, left: int, right: int, mode: str = "constant") -> TensorBase:
    return FUNCTIONS["nn.functional.pad"](x, (left, right), mode)


# ---------------------------------------------------------------- stft
@public("stft")
def stft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False, onesided=None,
         return_complex=None, align_to_window=None):
    """The transforms of windowed frames of a signal, `hop_length` (n_fft // 4) apart: (batch, frequencies, frames), complex if `return_complex`.

    Raises RuntimeError for lengths that do not fit, and for real input where `return_complex` is not given.
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    x = _centred(input, n_fft // 2, pad_mode) if center else input
    if window is None:
        warn_once(_NO_WINDOW.format(",which is known to cause spectral leakage. Other windows such as torch.hann_window or torch.hamming_window "
                                    "are recommended to reduce spectral leakage."))
    complex_input = _is_complex(x, window)
    as_complex = complex_input if return_complex is None else return_complex
    if not as_complex:
        _check_real_output(return_complex)
    _check_stft(x, window, n_fft, hop_length, win_length, normalized, onesided, return_complex, align_to_window)
    onesided = not complex_input if onesided is None else onesided
    if complex_input and onesided:
        raise RuntimeError(_COMPLEX_ONESIDED)
    batched = x if x._spec.ndim == 2 else METHODS["unsqueeze"](x, 0)
    if align_to_window:
        batched = _padded(batched, (n_fft - win_length) // 2, (n_fft - win_length) // 2)
    made = _transformed(batched, _full_window(window, win_length, n_fft, x), n_fft, hop_length, normalized, onesided)
    if x._spec.ndim == 1:
        METHODS["squeeze_"](made, 0)
    return made if as_complex else FUNCTIONS["view_as_real"](made)


def _centred(input: TensorBase, pad: int, mode: str) -> TensorBase:
    """`input` padded by n_fft // 2 at both ends, so that frame t is centred at t * hop_length."""
    shape = tuple(input._spec.shape)
    lifted = METHODS["view"](input, (1,) * (3 - len(shape)) + shape)
    made = _padded(lifted, pad, pad, mode)
    return METHODS["view"](made, tuple(made._spec.shape)[max(3 - len(shape), 0):])


def _check_stft(x, window, n_fft, hop_length, win_length, normalized, onesided, return_complex, align_to_window) -> None:
    spec = x._spec
    problem = None
    if spec.dtype.category < FLOATING:
        problem = "expected a tensor of floating point or complex values"
    elif not 1 <= spec.ndim <= 2:
        problem = "expected a 1D or 2D tensor"
    elif not 0 < n_fft <= spec.shape[-1]:
        problem = f"expected 0 < n_fft < {spec.shape[-1]}, but got n_fft={n_fft}"
    elif hop_length <= 0:
        problem = f"expected hop_length > 0, but got hop_length={hop_length}"
    elif not 0 < win_length <= n_fft:
        problem = f"expected 0 < win_length <= n_fft, but got win_length={win_length}"
    elif window is not None and tuple(window._spec.shape) != (win_length,):
        problem = f"expected a 1D window tensor of size equal to win_length={win_length}, but got window with size {list(window._spec.shape)}"
    if problem is not None:
        raise RuntimeError(_call_text("stft", x, window, n_fft=n_fft, hop_length=hop_length, win_length=win_length, normalized=normalized,
                                      onesided=onesided, return_complex=return_complex, align_to_window=align_to_window) + " : " + problem)


def _check_real_output(return_complex) -> None:
    if return_complex is None:
        raise RuntimeError("stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True "
                           "in a future PyTorch release.")
    warn_once("stft with return_complex=False is deprecated. In a future pytorch release, stft will return complex tensors for all inputs, and "
                  "return_complex=False will raise an error.\nNote: you can still call torch.view_as_real on the complex output to recover the old "
                  "return format.", 4)


def _transformed(x: TensorBase, window: TensorBase | None, n_fft: int, hop_length: int, normalized, onesided) -> TensorBase:
    """The transforms of the frames of each row, as (row, frequency, frame)."""
    frames = METHODS["unfold"](x, -1, n_fft, hop_length)
    if window is not None:
        frames = METHODS["mul"](frames, window)
    made = FUNCTIONS["fft.rfft" if onesided else "fft.fft"](frames, norm="ortho" if normalized else None)
    return METHODS["transpose_"](made, 1, 2)


# ---------------------------------------------------------------- istft
_LEAST = 1e-11


def _check_envelope(xp, y, envelope, *, text):
    return xp.where(xp.abs(envelope).min() > _LEAST, 0, 1)


@primitive("istft divided", lambda y, envelope, *, text: y, grad="DivBackward0", saves=(1,), vjp=(
    lambda xp, g, out, y, envelope, *, text: g / xp.conj(envelope), lambda xp, g, out, y, envelope, *, text: -g * xp.conj(out / envelope)),
    check=_check_envelope, checked=(1,), complain=lambda code, argtypes, static: RuntimeError(
        f"{static['text']} window overlap add min: 1\n[ CPUBoolType{{}} ]"))
def divided_op(xp, y, envelope, *, text):
    """`y` over the sum of squared windows, which must not vanish."""
    return y / envelope


@public("istft")
def istft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None, length=None,
          return_complex=False):
    """The signal whose `stft` is nearest to `input`, (batch, frequencies, frames), cut or padded with zeros to `length`.

    Raises RuntimeError for lengths that do not fit, and (at the next read) where the windows leave a gap.
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    text = _call_text("istft", input, window, n_fft=n_fft, hop_length=hop_length, win_length=win_length, center=center, normalized=normalized,
                      onesided=onesided, length=length, return_complex=return_complex)
    if window is None:
        warn_once(_NO_WINDOW.format(".Please provide the same window used by stft to make the inversion lossless."))
    onesided = _check_istft(input, window, n_fft, hop_length, win_length, onesided, return_complex, text)
    batched = input if input._spec.ndim == 3 else METHODS["unsqueeze"](input, 0)
    frames = _frames(METHODS["transpose"](batched, 1, 2), n_fft, normalized, onesided, return_complex)
    left, count = (n_fft - win_length) // 2, batched._spec.shape[-1]
    total = n_fft + hop_length * (count - 1)
    if win_length < n_fft:
        frames = METHODS["narrow"](frames, 2, left, win_length)
    if window is None:
        window = from_array(np.ones(win_length, batched._spec.dtype.to_real().numpy), None, batched._spec.device)
    at = (left + np.arange(count)[:, None] * hop_length + np.arange(win_length)).reshape(-1)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else total - start
    kept = (slice(None), slice(start, stop))
    y = METHODS["__getitem__"](_overlapped(METHODS["mul"](frames, window), at, total), kept)
    if y._spec.numel == 0:
        raise RuntimeError("min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.")
    made = call(divided_op, (y, _envelope(window, count, at, total, kept)), (("text", text),))
    made = made if input._spec.ndim == 3 else METHODS["squeeze"](made, 0)
    return _lengthened(made, stop - total)


def _lengthened(y: TensorBase, missing: int) -> TensorBase:
    if missing <= 0:
        return y
    warn_once("The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. Please check your "
                  "center and hop_length settings.", 4)
    return _padded(y, 0, missing)


def _check_istft(input, window, n_fft, hop_length, win_length, onesided, return_complex, text: str) -> bool:
    """Whether half of the frequencies are given."""
    spec: Spec = input._spec
    if spec.dtype.category != COMPLEX:
        raise RuntimeError("istft requires a complex-valued input tensor matching the output from stft with return_complex=True.")
    if spec.numel == 0:
        raise RuntimeError(text + " : input tensor cannot be empty.")
    if spec.ndim < 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-1 - spec.ndim}, {spec.ndim}], but got -3)")
    if spec.ndim > 3:
        raise RuntimeError(f"{text} : expected a tensor with 3 or 4 dimensions, but got {spec.ndim + 1}")
    have = spec.shape[-2]
    onesided = have != n_fft if onesided is None else onesided
    problem = None
    if have != (n_fft // 2 + 1 if onesided else n_fft):
        wanted = "n_fft / 2 + 1 when onesided=True" if onesided else "n_fft when onesided=False"
        problem = f"expected the frequency dimension (3rd to the last) of the input tensor to match {wanted}, but got {have}"
    elif not 0 < hop_length <= win_length:
        problem = "expected 0 < hop_length <= win_length"
    elif not 0 < win_length <= n_fft:
        problem = "expected 0 < win_length <= n_fft"
    elif window is not None and tuple(window._spec.shape) != (win_length,):
        problem = "Invalid window shape. window has to be 1D and length of `win_length`"
    if problem is not None:
        raise RuntimeError(f"{text} : {problem}")
    if return_complex and onesided:
        raise RuntimeError(_COMPLEX_ONESIDED)
    if not return_complex and _is_complex(window):
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    return onesided


def _frames(x: TensorBase, n_fft: int, normalized, onesided, return_complex) -> TensorBase:
    """The frames whose transforms are the rows of `x`."""
    norm = "ortho" if normalized else None
    if return_complex:
        return FUNCTIONS["fft.ifft"](x, norm=norm)
    half = x if onesided else METHODS["narrow"](x, 2, 0, n_fft // 2 + 1)  # a real signal has the other half twice
    return FUNCTIONS["fft.irfft"](half, n_fft, norm=norm)


def _overlapped(frames: TensorBase, at: np.ndarray, total: int) -> TensorBase:
    """The sum of frames (row, frame, element), whose elements lie at `at` in rows of length `total`."""
    rows = frames._spec.shape[0]
    empty = METHODS["new_zeros"](frames, (rows, total))
    return METHODS["index_add"](empty, 1, from_array(at, None, frames._spec.device), METHODS["reshape"](frames, (rows, -1)))


def _envelope(window: TensorBase, count: int, at: np.ndarray, total: int, kept: tuple) -> TensorBase:
    """The sum of the squared windows; made on the host where the window is there, so that a gap is noticed at the call."""
    known, device = window._read().array, window._spec.device
    if known is None or window._current_edge() is not None or device.type != "cpu":
        return METHODS["__getitem__"](_overlapped(METHODS["expand"](METHODS["mul"](window, window), (1, count, -1)), at, total), kept)
    made = np.zeros((1, total), window._spec.dtype.numpy)
    np.add.at(made[0], at, np.tile(np.square(np.asarray(known)), count))
    return from_array(made[kept].copy(), None, device)


__all__ = ["istft", "stft"]
