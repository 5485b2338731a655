"""Convolutions and transposed convolutions in 1 to 3 dimensions: one op with one gradient rule for each operand.

XLA computes them with `lax.conv_general_dilated`; the NumPy tier as matrix products over windows. A transposed convolution is the
gradient of a convolution in its input, and both tiers use that.
"""

from __future__ import annotations

import functools
from itertools import product as grid

import jax
import numpy as np

from .._core.op import Op
from .._core.record import call
from .layout import suggested
from .nn_common import computed, conj, not_implemented, ntuple, require_tensor, sized
from .shared import shape_text
from .variants import METHODS, public

_LAYOUT = {1: ("NCH", "OIH", "NCH"), 2: ("NCHW", "OIHW", "NCHW"), 3: ("NCDHW", "OIDHW", "NCDHW")}


# ---------------------------------------------------------------- the three linear maps, in NumPy
def _windows(x, kernel, stride, padding, dilation):
    """Views of the padded input: (N, C, *out, *kernel)."""
    rank = len(kernel)
    x = np.pad(x, ((0, 0), (0, 0), *padding)) if any(p != (0, 0) for p in padding) else x
    spans = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel))
    view = np.lib.stride_tricks.sliding_window_view(x, spans, axis=tuple(range(2, 2 + rank)))
    return view[(slice(None), slice(None), *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))]


def _forward_numpy(x, w, stride, padding, dilation, groups):
    kernel, rank = w.shape[2:], w.ndim - 2
    cols = _windows(x, kernel, stride, padding, dilation)
    n, out = x.shape[0], cols.shape[2 : 2 + rank]
    made = np.empty((n, w.shape[0], *out), x.dtype)
    size, each = w.shape[1], w.shape[0] // groups
    order = (0, *range(2, 2 + rank), 1, *range(2 + rank, 2 + 2 * rank))
    for j in range(groups):
        rows = cols[:, j * size : (j + 1) * size].transpose(order).reshape(n * int(np.prod(out)), size * int(np.prod(kernel)))
        part = rows @ w[j * each : (j + 1) * each].reshape(each, rows.shape[1]).T
        made[:, j * each : (j + 1) * each] = np.moveaxis(part.reshape(n, *out, each), -1, 1)
    return made


def _input_numpy(g, w, shape, stride, padding, dilation, groups):
    """The cotangent of an input of `shape`: every kernel offset adds its share at its strided places."""
    kernel, n, out = w.shape[2:], g.shape[0], g.shape[2:]
    full = np.zeros((n, shape[1], *(s + lo + hi for s, (lo, hi) in zip(shape[2:], padding))), g.dtype)
    size, each = w.shape[1], w.shape[0] // groups
    for j in range(groups):
        rows = np.moveaxis(g[:, j * each : (j + 1) * each], 1, -1).reshape(n * int(np.prod(out)), each)
        for offset in grid(*map(range, kernel)):
            part = rows @ w[(slice(j * each, (j + 1) * each), slice(None), *offset)]
            at = tuple(slice(o * d, o * d + (m - 1) * s + 1, s) for o, d, m, s in zip(offset, dilation, out, stride))
            full[(slice(None), slice(j * size, (j + 1) * size), *at)] += np.moveaxis(part.reshape(n, *out, size), -1, 1)
    return full[(slice(None), slice(None), *(slice(lo, lo + s) for s, (lo, _) in zip(shape[2:], padding)))]


def _weight_numpy(g, x, shape, stride, padding, dilation, groups):
    rank, size, each = len(shape) - 2, shape[1], shape[0] // groups
    cols = _cropped(_windows(x, shape[2:], stride, padding, dilation), g.shape[2:])
    over = [0, *range(2, 2 + rank)]
    return np.concatenate([np.tensordot(g[:, j * each : (j + 1) * each], cols[:, j * size : (j + 1) * size], (over, over)) for j in range(groups)])


def _cropped(a, sizes):
    """The first `sizes` spatial positions: output padding of at least the stride leaves windows that belong to no input."""
    return a[(slice(None), slice(None), *(slice(0, n) for n in sizes))]


# ---------------------------------------------------------------- the same, in XLA
def _forward_xla(x, w, stride, padding, dilation, groups):
    return jax.lax.conv_general_dilated(
        x, w, stride, padding, rhs_dilation=dilation, dimension_numbers=_LAYOUT[w.ndim - 2], feature_group_count=groups, precision="highest"
    )


def _input_xla(g, w, shape, stride, padding, dilation, groups):
    """The same map as `_input_numpy`: a convolution of the cotangent, spread by the stride, with the flipped weight."""
    rank, out, size = w.ndim - 2, w.shape[0], w.shape[1]
    flipped = jax.lax.rev(w, tuple(range(2, w.ndim))).reshape((groups, out // groups, size, *w.shape[2:])).swapaxes(1, 2)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:])]
    pads = []
    for i in range(rank):
        before = spans[i] - 1 - padding[i][0]
        pads.append((before, shape[2 + i] - (g.shape[2 + i] - 1) * stride[i] - 2 - before + spans[i]))
    return jax.lax.conv_general_dilated(
        g,
        flipped.reshape((groups * size, out // groups, *w.shape[2:])),
        (1,) * rank,
        pads,
        lhs_dilation=stride,
        rhs_dilation=dilation,
        dimension_numbers=_LAYOUT[rank],
        feature_group_count=groups,
        precision="highest",
    )


def _pull_xla(primal, shape, g):
    """The transpose of a linear map, applied to g."""
    return jax.linear_transpose(primal, jax.ShapeDtypeStruct(shape, g.dtype))(g)[0]


def _forward(xp, x, w, geometry):
    return (_forward_numpy if xp is np else _forward_xla)(x, w, *geometry)


def _input(xp, g, w, shape, geometry):
    return (_input_numpy if xp is np else _input_xla)(g, w, shape, *geometry)


def _weight(xp, g, x, shape, geometry):
    return _weight_numpy(g, x, shape, *geometry) if xp is np else _pull_xla(lambda w: _cropped(_forward_xla(x, w, *geometry), g.shape[2:]), shape, g)


# ---------------------------------------------------------------- the op
def out_sizes(x, w, stride, padding, dilation, transposed: bool, extra) -> tuple:
    """The spatial sizes of a (transposed) convolution's result."""
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, w[2:])]
    if transposed:
        return tuple((n - 1) * s - lo - hi + span + e for n, s, (lo, hi), span, e in zip(x[2:], stride, padding, spans, extra))
    return tuple((n + lo + hi - span) // s + 1 for n, s, (lo, hi), span in zip(x[2:], stride, padding, spans))


def _infer(x, w, bias, *, stride, padding, dilation, transposed, extra, groups):
    _check(x, w, bias, stride, padding, dilation, transposed, groups)
    sizes = out_sizes(x.shape, w.shape, stride, padding, dilation, transposed, extra)
    if any(s < 0 or (s == 0 and transposed) for s in sizes):
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, x.shape[2:]))}). Calculated output size per channel: "
            f"({' x '.join(map(str, sizes))}). Output size is too small"
        )
    channels = w.shape[1] * groups if transposed else w.shape[0]
    return sized((x.shape[0], channels, *sizes), x)


def _check(x, w, bias, stride, padding, dilation, transposed, groups) -> None:
    text = f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {shape_text(w.shape)}, expected "
    if w.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size {shape_text(w.shape)} instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size {shape_text(w.shape)} instead"
        )
    want = w.shape[0] if transposed else w.shape[1] * groups
    if x.shape[1] != want:
        raise RuntimeError(f"{text}input{shape_text(x.shape)} to have {want} channels, but got {x.shape[1]} channels instead")
    channels = w.shape[1] * groups if transposed else w.shape[0]
    if hasattr(bias, "shape") and (bias.ndim != 1 or bias.shape[0] != channels):
        raise RuntimeError(f"{text}bias to be 1-dimensional with {channels} elements, but got bias of size {shape_text(bias.shape)} instead")
    if not transposed:
        padded = [n + lo + hi for n, (lo, hi) in zip(x.shape[2:], padding)]
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:])]
        if any(p < s for p, s in zip(padded, spans)):
            raise RuntimeError(
                f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
                f"({' x '.join(map(str, spans))}). Kernel size can't be greater than actual input size"
            )
    _check_types(x, w, bias)


def _check_types(x, w, bias) -> None:
    if x.dtype is not w.dtype:
        raise RuntimeError(f"Input type ({_type_name(x)}) and weight type ({_type_name(w)}) should be the same")
    if hasattr(bias, "dtype") and bias.dtype is not x.dtype:
        raise RuntimeError(f"Input type ({_type_name(x)}) and bias type ({_type_name(bias)}) should be the same")
    if x.dtype.name in ("bool", "uint8", "int8", "int16", "int32"):
        raise not_implemented(f"slow_conv{x.ndim - 2}d_cpu", x.dtype)


_TYPE_NAMES = {
    "Float": "float",
    "Double": "double",
    "Half": "c10::Half",
    "BFloat16": "c10::BFloat16",
    "Long": "long int",
    "Int": "int",
    "ComplexFloat": "c10::complex<float>",
    "ComplexDouble": "c10::complex<double>",
    "Bool": "bool",
}


def _type_name(s) -> str:
    return _TYPE_NAMES.get(s.dtype.legacy, s.dtype.legacy)


def _body(xp, x, w, bias, *, stride, padding, dilation, transposed, extra, groups):
    geometry = (stride, padding, dilation, groups)
    if transposed:
        shape = (x.shape[0], w.shape[1] * groups, *out_sizes(x.shape, w.shape, stride, padding, dilation, True, extra))
        made = _input(xp, x, w, shape, geometry)
    else:
        made = _forward(xp, x, w, geometry)
    return made if bias is None else made + bias.reshape((-1,) + (1,) * (x.ndim - 2))


def _input_rule(xp, g, out, x, w, bias, *, stride, padding, dilation, transposed, extra, groups):
    geometry, w = (stride, padding, dilation, groups), conj(xp, w)
    return _cropped(_forward(xp, g, w, geometry), x.shape[2:]) if transposed else _input(xp, g, w, tuple(x.shape), geometry)


def _weight_rule(xp, g, out, x, w, bias, *, stride, padding, dilation, transposed, extra, groups):
    geometry, x = (stride, padding, dilation, groups), conj(xp, x)
    return _weight(xp, x, g, tuple(w.shape), geometry) if transposed else _weight(xp, g, x, tuple(w.shape), geometry)


convolution_op = Op(
    "convolution",
    _body,
    computed(_infer),
    grad="ConvolutionBackward0",
    saves=((0, 1), (1, 0)),
    vjp=(_input_rule, _weight_rule, lambda xp, g, out, x, w, bias, **static: g.sum((0, *range(2, g.ndim)))),
    layout=suggested(0, 1),
)


# ---------------------------------------------------------------- fronts
def _numbers(name: str, value, rank: int) -> tuple:
    made = ntuple(value, rank)
    if len(made) != rank:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {rank} values to match the convolution dimensions, but got "
            f"{name}={shape_text(made)}"
        )
    return made


def _check_numbers(stride, padding, dilation, groups) -> None:
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if any(lo < 0 for lo, _ in padding):
        raise RuntimeError("negative padding is not supported")
    if any(s <= 0 for s in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilation):
        raise RuntimeError("dilation should be greater than zero")


def _pairs(padding, rank: int, kernel, stride, dilation) -> tuple:
    """Padding as (before, after) for each dimension; "same" and "valid" by name."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in _numbers("padding", padding, rank))
    if padding == "valid":
        return ((0, 0),) * rank
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    return tuple((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for d, k in zip(dilation, kernel))


@functools.lru_cache(maxsize=1024)
def _static(rank: int, kernel: tuple, stride, padding, dilation, transposed: bool, extra, groups: int) -> tuple:
    """The op's static parameters for arguments as given; cached, so that a call in a loop costs one lookup."""
    stride, dilation = _numbers("stride", stride, rank), _numbers("dilation", dilation, rank)
    padding, extra = _pairs(padding, rank, kernel, stride, dilation), _numbers("output_padding", extra, rank)
    _check_numbers(stride, padding, dilation, groups)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)) and transposed:
        at = next(i for i, (e, s, d) in enumerate(zip(extra, stride, dilation)) if e >= max(s, d))
        raise RuntimeError("output padding must be smaller than either stride or dilation, but got " + _too_large(rank, extra, stride, dilation, at))
    return (("stride", stride), ("padding", padding), ("dilation", dilation), ("transposed", transposed), ("extra", extra), ("groups", groups))


def _too_large(rank: int, extra, stride, dilation, at: int) -> str:
    names = ("depth", "height", "width")[3 - max(rank, 2) :]
    lead = ((0,), (1,), (1,)) if rank == 1 else ((), (), ())
    parts = []
    for what, fill, values in (("output_padding", lead[0], extra), ("stride", lead[1], stride), ("dilation", lead[2], dilation)):
        parts.extend(f"{what}_{n}: {v}" for n, v in zip(names, (*fill, *values)))
    return " ".join(parts)


def _hashable(x):
    return x if isinstance(x, (int, str, tuple)) else tuple(x)


def _convolve(name: str, rank: int, transposed: bool, input, weight, bias, stride, padding, dilation, extra, groups):
    for i, (n, t) in enumerate((("input", input), ("weight", weight))):
        require_tensor(name, n, i + 1, t)
    x, w = input._spec, weight._spec
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of size: {shape_text(x.shape)}")
    if w.ndim != rank + 2:
        if w.ndim < 3:
            raise RuntimeError("weight should have at least three dimensions")
        if rank > 1:  # torch takes the rank from the weight, and stride has another
            _numbers("stride", _numbers("stride", stride, rank), w.ndim - 2)
        raise RuntimeError(
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight {shape_text(w.shape)}, but got {rank + 2}-dimensional input "
            f"of size {shape_text(x.shape if x.ndim == rank + 2 else (1, *x.shape))} instead"
        )
    static = _static(rank, tuple(w.shape[2:]), _hashable(stride), _hashable(padding), _hashable(dilation), transposed, _hashable(extra), int(groups))
    if x.ndim == rank + 2:
        return call(convolution_op, (input, weight, bias), static)
    return METHODS["squeeze"](call(convolution_op, (METHODS["unsqueeze"](input, 0), weight, bias), static), 0)


def _publish(rank: int) -> None:
    direct, transposed = f"conv{rank}d", f"conv_transpose{rank}d"

    def conv(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return _convolve(direct, rank, False, input, weight, bias, stride, padding, dilation, 0, groups)

    def conv_transpose(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        return _convolve(transposed, rank, True, input, weight, bias, stride, padding, dilation, output_padding, groups)

    conv.__doc__ = (
        f"Convolution in {rank} dimensions of (N, C, *) or (C, *) with weight (out, C / groups, *kernel). `padding` is a number, one for each "
        'dimension, "same" or "valid". Raises RuntimeError where shapes or dtypes do not fit.'
    )
    conv_transpose.__doc__ = (
        f"The gradient of a convolution in {rank} dimensions, as a map: weight is (C, out / groups, *kernel). Raises RuntimeError "
        "where shapes or dtypes do not fit."
    )
    public(direct, method=False, also=(f"nn.functional.{direct}",))(conv)
    public(transposed, method=False, also=(f"nn.functional.{transposed}",))(conv_transpose)


for _rank in (1, 2, 3):
    _publish(_rank)

__all__ = ["convolution_op", "out_sizes"]
