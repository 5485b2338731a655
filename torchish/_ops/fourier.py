"""Discrete Fourier transforms: torch.fft. Like torch, all rest on three operations: complex to complex, real to complex, complex to real."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array
from .._core.op import Op, simple
from .._core.record import call
from .._dtype import COMPLEX, FLOATING
from .factory import check_dtype, check_layout, default_device, mark_leaf
from .nn_common import HALVES, sized
from .shared import wrap_dims
from .variants import FUNCTIONS, METHODS, public

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}  # the norm of the opposite direction that scales alike


# ---------------------------------------------------------------- the three operations
def _each(transform, x, dims: tuple, norm: str):
    for d in dims:  # one dimension at a time: XLA takes three at most
        x = transform(x, axis=d, norm=norm)
    return x


def _c2c(xp, x, *, dims, norm, forward):
    return _each(xp.fft.fft if forward else xp.fft.ifft, x, dims, norm)


def _r2c(xp, x, *, dims, norm, onesided):
    made = (xp.fft.rfft if onesided else xp.fft.fft)(x, axis=dims[-1], norm=norm)
    return _each(xp.fft.fft, made, dims[:-1], norm)


def _r2c_infer(a, *, dims, norm, onesided):
    shape = list(a.shape)
    if onesided:
        shape[dims[-1]] = shape[dims[-1]] // 2 + 1
    return sized(shape, a, a.dtype.to_complex())


def _c2r(xp, x, *, dims, norm, last):
    return xp.fft.irfft(_each(xp.fft.ifft, x, dims[:-1], norm), last, axis=dims[-1], norm=norm)


def _c2r_infer(a, *, dims, norm, last):
    shape = list(a.shape)
    shape[dims[-1]] = last
    return sized(shape, a, a.dtype.to_real())


c2c_op = Op("_fft_c2c", _c2c, simple(lambda a, **static: a), grad="FftC2CBackward0")
r2c_op = Op("_fft_r2c", _r2c, simple(_r2c_infer), grad="FftR2CBackward0")
c2r_op = Op("_fft_c2r", _c2r, simple(_c2r_infer), grad="FftC2RBackward0")


def _complex_to_complex(x, dims, norm, forward):
    return call(c2c_op, (x,), (("dims", dims), ("norm", norm), ("forward", forward))) if dims else x


def _real_to_complex(x, dims, norm, onesided=True):
    return call(r2c_op, (x,), (("dims", dims), ("norm", norm), ("onesided", onesided)))


def _complex_to_real(x, dims, norm, last):
    return call(c2r_op, (x,), (("dims", dims), ("norm", norm), ("last", last)))


# ---------------------------------------------------------------- arguments
def _norm(norm) -> str:
    if norm is None:
        return "backward"
    if norm not in OPPOSITE:
        raise RuntimeError(f"Invalid normalization mode: \"{norm}\"")
    return norm


def _promoted(x: TensorBase, complex_: bool = False) -> TensorBase:
    """As floating point, or complex; integers in the default dtype. Raises RuntimeError for halves."""
    d = x._spec.dtype
    if d in HALVES:
        raise RuntimeError(f"Unsupported dtype {d.legacy}")
    want = d if d.category >= FLOATING else dt.get_default_dtype()
    want = want.to_complex() if complex_ else want
    return x if want is d else METHODS["to"](x, want)


def _resized(x: TensorBase, dims: tuple, sizes: tuple) -> TensorBase:
    """Cut or padded with zeros to these sizes. Raises RuntimeError for a size below 1."""
    for d, n in zip(dims, sizes):
        if n < 1:
            raise RuntimeError(f"Invalid number of data points ({n}) specified")
        have = x._spec.shape[d]
        if n < have:
            x = METHODS["narrow"](x, d, 0, n)
        elif n > have:
            x = FUNCTIONS["nn.functional.pad"](x, (0, 0) * (x._spec.ndim - 1 - d) + (0, n - have))
    return x


def _dim(x: TensorBase, dim: int) -> tuple:
    if not isinstance(dim, int):
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
    if x._spec.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dims((dim,), x._spec.ndim)


def _require_real(name: str, x: TensorBase) -> None:
    if x._spec.dtype.category == COMPLEX:
        raise RuntimeError(f"{name} expects a real input tensor, but got {x._spec.dtype.legacy}")


def _size(name: str, n, default: int) -> int:
    if n is None:
        return default
    if not isinstance(n, int):
        raise TypeError(f"fft_{name}(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    return n


# ---------------------------------------------------------------- one dimension
@public("fft.fft", method=False, out=True)
def fft(input, n=None, dim=-1, norm=None):
    """The transform over `dim`, cut or padded with zeros to n; scaled by 1 ("backward", the default), 1/n ("forward") or 1/sqrt(n) ("ortho")."""
    dims, norm, x = _dim(input, dim), _norm(norm), _promoted(input)
    x = _resized(x, dims, (_size("fft", n, x._spec.shape[dims[0]]),))
    return _complex_to_complex(x, dims, norm, True) if x._spec.dtype.category == COMPLEX else _real_to_complex(x, dims, norm, False)


@public("fft.ifft", method=False, out=True)
def ifft(input, n=None, dim=-1, norm=None):
    """The inverse of `fft`."""
    dims, norm, x = _dim(input, dim), _norm(norm), _promoted(input)
    x = _resized(x, dims, (_size("ifft", n, x._spec.shape[dims[0]]),))
    if x._spec.dtype.category == COMPLEX:
        return _complex_to_complex(x, dims, norm, False)
    return METHODS["conj"](_real_to_complex(x, dims, OPPOSITE[norm], False))


@public("fft.rfft", method=False, out=True)
def rfft(input, n=None, dim=-1, norm=None):
    """The first half, n // 2 + 1 values, of the transform of real input. Raises RuntimeError for complex input."""
    _require_real("rfft", input)
    dims, norm, x = _dim(input, dim), _norm(norm), _promoted(input)
    return _real_to_complex(_resized(x, dims, (_size("rfft", n, x._spec.shape[dims[0]]),)), dims, norm)


@public("fft.ihfft", method=False, out=True)
def ihfft(input, n=None, dim=-1, norm=None):
    """The inverse of `hfft`. Raises RuntimeError for complex input."""
    _require_real("ihfft", input)
    dims, norm, x = _dim(input, dim), _norm(norm), _promoted(input)
    x = _resized(x, dims, (_size("ihfft", n, x._spec.shape[dims[0]]),))
    return METHODS["conj"](_real_to_complex(x, dims, OPPOSITE[norm]))


def _half_to_real(name: str, input, n, dim, norm: str, conjugate: bool):
    dims, x = _dim(input, dim), _promoted(input, True)
    last = _size(name, n, 2 * (x._spec.shape[dims[0]] - 1))
    if last < 1:
        raise RuntimeError(f"Invalid number of data points ({last}) specified")
    x = _resized(x, dims, (last // 2 + 1,))
    return _complex_to_real(METHODS["conj"](x) if conjugate else x, dims, norm, last)


@public("fft.irfft", method=False, out=True)
def irfft(input, n=None, dim=-1, norm=None):
    """The inverse of `rfft`: n real values, 2 (size - 1) unless given."""
    return _half_to_real("irfft", input, n, dim, _norm(norm), False)


@public("fft.hfft", method=False, out=True)
def hfft(input, n=None, dim=-1, norm=None):
    """The transform, n real values, of a signal with Hermitian symmetry given by its first half."""
    return _half_to_real("hfft", input, n, dim, OPPOSITE[_norm(norm)], True)


# ---------------------------------------------------------------- several dimensions
def _dims_and_sizes(x: TensorBase, s, dim) -> tuple:
    """torch's `s` and `dim`: all dimensions, or as many last ones as `s` names; -1 in `s` keeps a size."""
    spec = x._spec
    s = (s,) if isinstance(s, int) else s
    dim = (dim,) if isinstance(dim, int) else dim
    if dim is None:
        if s is not None and len(s) > spec.ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {spec.ndim} dimensions.")
        dims = tuple(range(spec.ndim)) if s is None else tuple(range(spec.ndim - len(s), spec.ndim))
    else:
        if spec.ndim == 0 and len(dim):
            raise IndexError(f"Dimension specified as {dim[0]} but tensor has no dimensions")
        if s is not None and len(s) != len(dim):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
        dims = tuple([wrap_dims((d,), spec.ndim)[0] for d in dim])
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
    sizes = [spec.shape[d] for d in dims] if s is None else [spec.shape[d] if n == -1 else n for d, n in zip(dims, s)]
    return dims, sizes


def _some(name: str, dims: tuple) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


def _whole(input, s, dim, norm, forward: bool):
    dims, sizes = _dims_and_sizes(input, s, dim)
    return _complex_to_complex(_resized(_promoted(input, True), dims, sizes), dims, _norm(norm), forward)


def _real_forward(input, s, dim, norm):
    if input._spec.dtype.category == COMPLEX:
        raise RuntimeError(f"rfftn expects a real-valued input tensor, but got {input._spec.dtype.legacy}")
    dims, sizes = _dims_and_sizes(input, s, dim)
    _some("rfftn", dims)
    return _real_to_complex(_resized(_promoted(input), dims, sizes), dims, _norm(norm))


def _to_real(name: str, input, s, dim) -> tuple:
    dims, sizes = _dims_and_sizes(input, s, dim)
    _some(name, dims)
    if s is None or (s if isinstance(s, int) else s[-1]) == -1:
        sizes[-1] = 2 * (input._spec.shape[dims[-1]] - 1)
    last = sizes[-1]
    if last < 1:
        raise RuntimeError(f"Invalid number of data points ({last}) specified")
    return _resized(_promoted(input, True), dims, (*sizes[:-1], last // 2 + 1)), dims, last


def _real_inverse(input, s, dim, norm):
    norm = _norm(norm)
    x, dims, last = _to_real("irfftn", input, s, dim)
    return _complex_to_real(x, dims, norm, last)


def _hermitian_forward(input, s, dim, norm):
    norm = _norm(norm)
    x, dims, last = _to_real("hfftn", input, s, dim)
    x = _complex_to_complex(x, dims[:-1], norm, True)
    return _complex_to_real(METHODS["conj"](x), dims[-1:], OPPOSITE[norm], last)


def _hermitian_inverse(input, s, dim, norm):
    if input._spec.dtype.category == COMPLEX:
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {input._spec.dtype.legacy}")
    norm = _norm(norm)
    dims, sizes = _dims_and_sizes(input, s, dim)
    _some("ihfftn", dims)
    x = _real_to_complex(_resized(_promoted(input), dims, sizes), dims[-1:], OPPOSITE[norm])
    return _complex_to_complex(METHODS["conj_physical"](x), dims[:-1], norm, False)


def _publish(name: str, transform, doc: str) -> None:
    @public(f"fft.{name}n", method=False, out=True)
    def over_all(input, s=None, dim=None, norm=None):
        return transform(input, s, dim, norm)
    over_all.__doc__ = doc

    @public(f"fft.{name}2", method=False, out=True)
    def over_two(input, s=None, dim=(-2, -1), norm=None):
        return transform(input, s, dim, norm)
    over_two.__doc__ = doc + " Over two dimensions."


_publish("fft", lambda x, s, dim, norm: _whole(x, s, dim, norm, True), "The transform over `dim` (all dimensions when None), with sizes `s`.")
_publish("ifft", lambda x, s, dim, norm: _whole(x, s, dim, norm, False), "The inverse of fftn.")
_publish("rfft", _real_forward, "The transform of real input, halved in the last dimension of `dim`. Raises RuntimeError for complex input.")
_publish("irfft", _real_inverse, "The inverse of rfftn.")
_publish("hfft", _hermitian_forward, "The real transform of a signal with Hermitian symmetry, given by half of it in the last dimension of `dim`.")
_publish("ihfft", _hermitian_inverse, "The inverse of hfftn. Raises RuntimeError for complex input.")


# ---------------------------------------------------------------- order and frequencies
def _shifted(input, dim, half):
    shape = input._spec.shape
    dims = tuple(range(len(shape))) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    return METHODS["roll"](input, tuple([half(shape[d]) for d in dims]), dims)


@public("fft.fftshift", method=False)
def fftshift(input, dim=None):
    """The frequency 0 moved to the middle of `dim` (all dimensions when None)."""
    return _shifted(input, dim, lambda n: n // 2)


@public("fft.ifftshift", method=False)
def ifftshift(input, dim=None):
    """The inverse of `fftshift`."""
    return _shifted(input, dim, lambda n: (n + 1) // 2)


def _frequencies(order: np.ndarray, n: int, d: float, dtype, device, requires_grad: bool):
    kind = check_dtype(dtype)
    with np.errstate(all="ignore"):
        values = (order.astype(np.float64) * (1.0 / (n * d) if n * d else np.inf)).astype(kind.numpy)
    return mark_leaf(from_array(values, None, device or default_device()), requires_grad)


@public("fft.fftfreq", method=False, out=True)
def fftfreq(n, d=1.0, *, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of `fft` of n values at distance d."""
    check_layout(layout)
    order = np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return _frequencies(order, n, d, dtype, device, requires_grad)


@public("fft.rfftfreq", method=False, out=True)
def rfftfreq(n, d=1.0, *, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of `rfft` of n values at distance d."""
    check_layout(layout)
    return _frequencies(np.arange(n // 2 + 1), n, d, dtype, device, requires_grad)
