"""`nn.functional.pad`: constant, reflect, replicate and circular. Negative constant padding crops."""

from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.op import Op, cast
from .._core.record import call
from .layout import suggested
from .nn_common import sized
from .shared import shape_text
from .variants import public


def _pairs(pad, ndim: int) -> tuple:
    """torch's list, last dimension first, as (before, after) for every dimension."""
    known = tuple((pad[2 * i], pad[2 * i + 1]) for i in range(len(pad) // 2))
    return ((0, 0),) * (ndim - len(known)) + known[::-1]


# ---------------------------------------------------------------- constant
def _constant_body(xp, x, value, *, pairs):
    crop = tuple(slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi) in zip(x.shape, pairs))
    grow = [(max(lo, 0), max(hi, 0)) for lo, hi in pairs]
    return xp.pad(x[crop], grow, constant_values=cast(xp, value, dt.BY_NUMPY[x.dtype])) if any(map(any, grow)) else x[crop]


def _constant_rule(xp, g, out, x, value, *, pairs):
    return _constant_body(xp, g, 0, pairs=tuple((-lo, -hi) for lo, hi in pairs))


def _constant_planner(op: Op, argtypes: tuple, static: dict):
    x, pairs = argtypes[0], static["pairs"]
    shape = []
    for i, (n, (lo, hi)) in enumerate(zip(x.shape, pairs)):
        if n + lo + hi < 0:
            raise RuntimeError(
                f"The input size {n}, plus negative padding {lo} and {hi} resulted in a negative output size, which is invalid. Check "
                f"dimension {i} of your input."
            )
        shape.append(n + lo + hi)
    return (lambda xp, x, value: op.body(xp, x, value, pairs=pairs)), sized(shape, x)


constant_op = Op("constant_pad_nd", _constant_body, _constant_planner, grad="ConstantPadNdBackward0", vjp=(_constant_rule, None),
                 layout=suggested(0))


@public("constant_pad_nd", method=False)
def constant_pad_nd(input, pad, value=0):
    """`input` with `value` around it: `pad` lists (before, after) from the last dimension on. Raises RuntimeError where the list does not fit."""
    ndim = input._spec.ndim
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) // 2 > ndim:
        raise RuntimeError(
            f"Length of pad should be no more than twice the number of dimensions of the input. Pad length is {len(pad)}while the input has "
            f"{ndim}dimensions."
        )
    return call(constant_op, (input, 0 if value is None else value), (("pairs", _pairs(tuple(int(p) for p in pad), ndim)),))


# ---------------------------------------------------------------- by index
def _positions(n: int, lo: int, hi: int, mode: str) -> np.ndarray:
    at = np.arange(-lo, n + hi)
    if mode == "circular":
        return at % n
    if mode == "replicate":
        return np.clip(at, 0, n - 1)
    at = np.abs(at)
    return np.where(at >= n, 2 * (n - 1) - at, at)


def _gather_body(xp, x, *, pairs, mode):
    for axis, (n, (lo, hi)) in enumerate(zip(x.shape, pairs)):
        if lo or hi:
            x = xp.take(x, _positions(n, lo, hi, mode), axis=axis)
    return x


def _gather_rule(xp, g, out, x, *, pairs, mode):
    for axis, (n, (lo, hi)) in enumerate(zip(x.shape, pairs)):
        if lo or hi:
            at = (slice(None),) * axis + (_positions(n, lo, hi, mode),)
            shape = g.shape[:axis] + (n,) + g.shape[axis + 1 :]
            if xp is np:
                made = np.zeros(shape, g.dtype)
                np.add.at(made, at, g)
                g = made
            else:
                g = xp.zeros(shape, g.dtype).at[at].add(g)
    return g


def _gather_planner(op: Op, argtypes: tuple, static: dict):
    x = argtypes[0]
    return (lambda xp, a: op.body(xp, a, **static)), sized([n + lo + hi for n, (lo, hi) in zip(x.shape, static["pairs"])], x)


def _gather_op(name: str, grad: str) -> Op:
    return Op(name, _gather_body, _gather_planner, grad=grad, vjp=(_gather_rule,), layout=suggested(0))


_REFLECT = {r: _gather_op(f"reflection_pad{r}d", f"ReflectionPad{r}DBackward0") for r in (1, 2, 3)}
_REPLICATE = {r: _gather_op(f"replication_pad{r}d", f"ReplicationPad{r}DBackward0") for r in (1, 2, 3)}
_circular = _gather_op("circular_pad", "CopySlices")


def _check_reflect(x, pairs, rank: int) -> None:
    for i, (n, (lo, hi)) in enumerate(zip(x.shape, pairs)):
        if lo >= n or hi >= n:
            if lo or hi:
                raise RuntimeError(
                    f"Argument #{2 * (x.ndim - i) + 2}: Padding size should be less than the corresponding input dimension, but got: padding "
                    f"({lo}, {hi}) at dimension {i} of input {shape_text(x.shape)}"
                )


def _check_circular(x, pairs) -> None:
    for n, (lo, hi) in zip(x.shape, pairs):
        if lo > n or hi > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if n + lo + hi < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")


def _circular_crop(input, pairs):
    """Negative circular padding crops."""
    if all(lo >= 0 and hi >= 0 for lo, hi in pairs):
        return input, pairs
    crop = tuple((min(lo, 0), min(hi, 0)) for lo, hi in pairs)
    return call(constant_op, (input, 0), (("pairs", crop),)), tuple((max(lo, 0), max(hi, 0)) for lo, hi in pairs)


@public("nn.functional.pad", method=False)
def pad(input, pad, mode="constant", value=None):
    """`input` padded by "constant", "reflect", "replicate" or "circular"; `pad` lists (before, after) from the last dimension on.

    Raises RuntimeError or NotImplementedError where the list does not fit the mode or the input.
    """
    pad = tuple(int(p) for p in pad)
    x = input._spec
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * x.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length {len(pad)} and input of "
            f"dimension {x.ndim}"
        )
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    rank = len(pad) // 2
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if rank not in (1, 2, 3) or x.ndim not in (rank + 1, rank + 2):
        raise NotImplementedError("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now")
    pairs = _pairs(pad, x.ndim)
    if mode == "circular":
        _check_circular(x, pairs)
        input, pairs = _circular_crop(input, pairs)
        return call(_circular, (input,), (("pairs", pairs), ("mode", mode)))
    if mode == "reflect":
        _check_reflect(x, pairs, rank)
    return call((_REFLECT if mode == "reflect" else _REPLICATE)[rank], (input,), (("pairs", pairs), ("mode", mode)))


__all__ = ["constant_pad_nd", "pad"]
