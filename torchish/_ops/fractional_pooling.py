"""Fractional max pooling (Graham, 2014): windows of one size whose starts are drawn at random for each image and channel."""

from __future__ import annotations

import itertools
import math

import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .._core.tape import state
from .nn_common import computed, ntuple, require_float, sized
from .pooling import spread_to
from .variants import FUNCTIONS, public

SIDES = {2: ("height", "width"), 3: ("time", "height", "width")}
ORDER_OF_CHECKS = {2: (0, 1), 3: (0, 2, 1)}
SAMPLE_OF_AXIS = {2: (1, 0), 3: (0, 1, 2)}  # which of the drawn numbers moves the windows along an axis


def _starts(xp, sample, size: int, kernel: int, out: int):
    """Where the `out` windows along a dimension start: `sample` (*) to (*, out), in whole steps of a line of slope (size - kernel) / (out - 1)."""
    last = xp.full((*sample.shape, min(out, 1)), size - kernel, np.int64)
    if out <= 1:
        return last
    slope = np.asarray((size - kernel) / (out - 1), sample.dtype)
    steps = np.arange(out - 1).astype(sample.dtype)
    sample = sample[..., None]
    return xp.concatenate([((steps + sample) * slope).astype(np.int64) - (sample * slope).astype(np.int64), last], -1)


def _body(xp, x, samples, *, kernel, sizes):
    rank = len(kernel)
    lead, spatial = tuple(x.shape[:-rank]), tuple(x.shape[-rank:])
    samples = samples[: lead[0]] if len(lead) == 2 else samples[0]
    starts = [_starts(xp, samples[..., SAMPLE_OF_AXIS[rank][i]], spatial[i], kernel[i], n) for i, n in enumerate(sizes)]
    starts = [start.reshape((*lead, *[n if j == i else 1 for j in range(rank)])) for i, (start, n) in enumerate(zip(starts, sizes))]
    flat = x.reshape((*lead, math.prod(spatial)))
    best = index = None
    for offsets in itertools.product(*[range(k) for k in kernel]):
        at = 0
        for start, offset, n in zip(starts, offsets, spatial):
            at = at * n + start + offset
        value = xp.take_along_axis(flat, at.reshape((*lead, math.prod(sizes))), -1).reshape((*lead, *sizes))
        better = (value > best) | (value != value) if best is not None else True
        best, index = (value, at) if best is None else (xp.where(better, value, best), xp.where(better, at, index))
    return best, index


def _rule(xp, g, out, x, samples, *, kernel, sizes):
    return spread_to(xp, g[0], out[1], x.shape, len(kernel))


def _no_rule(xp, g, out, x, samples, *, kernel, sizes):
    return xp.zeros_like(samples)  # the drawn numbers only choose windows


def _check_shapes(name: str, x, kernel: tuple, sizes: tuple) -> None:
    rank = len(kernel)
    for i in range(x.ndim - rank - 1, x.ndim):
        if x.shape[i] == 0:
            raise RuntimeError(f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got{list(x.shape)} with dimension "
                               f"{i} being empty.")
    for i in ORDER_OF_CHECKS[rank]:
        side, n, k, o = SIDES[rank][i], x.shape[i - rank], kernel[i], sizes[i]
        if o + k - 1 > n - (rank == 3):  # in three dimensions torch wants one element more
            raise RuntimeError(f"{name}(): pool {side} {k} too large relative to input {side} {n}")


def _check_samples(x, samples, rank: int) -> None:
    batch, channels = (x.shape[0], x.shape[1]) if x.ndim == rank + 2 else (1, x.shape[0])
    if samples.dtype is not x.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    if samples.shape[0] < batch:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if samples.shape[1] != channels:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if samples.shape[2] != rank:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {rank}; got {samples.shape[2]}.")


def _infer(name: str):
    def infer(x, samples, *, kernel, sizes):
        _check_shapes(name, x, kernel, sizes)
        _check_samples(x, samples, len(kernel))
        require_float(name, x)
        if 0 in kernel:
            raise NotImplementedError(f"torchish: {name}() with a window of no elements")
        shape = (*x.shape[: -len(kernel)], *sizes)
        return sized(shape, x), sized(shape, x, dt.int64)
    return infer


def _ints(name: str, what: str, value, rank: int) -> tuple:
    made = value if isinstance(value, (tuple, list)) else ntuple(value, rank)
    if len(made) != rank:
        raise RuntimeError(f"{name}: {what} must either be a single Int or tuple of {'three ' if rank == 3 else ''}Ints")
    return tuple([int(v) for v in made])


def _publish(rank: int, where: str) -> None:
    name = f"fractional_max_pool{rank}d"
    op = Op(name, _body, computed(_infer(where)), grad=f"FractionalMaxPool{rank}DBackward0", saves=(0,), vjp=(_rule, _no_rule))

    def with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        x = input._spec
        if x.ndim < rank + 1:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-x.ndim}, {x.ndim - 1}], but got {-rank - 1})")
        if output_size is None:
            if rank == 3 and not isinstance(output_ratio, (tuple, list)):
                output_ratio = (output_ratio,) * 3
            if len(output_ratio) != rank:
                raise ValueError(f"{name} requires output_ratio to either be a single float or tuple of floats.")
            output_size = tuple([int(n * r) for n, r in zip(x.shape[-rank:], output_ratio)])
        if _random_samples is None:
            _random_samples = FUNCTIONS["rand"](1 if x.ndim == rank + 1 else x.shape[0], x.shape[-rank - 1], rank, dtype=x.dtype, device=x.device)
        if state.grad and _random_samples.requires_grad:
            raise RuntimeError(f"The function '{name}' is not differentiable with respect to argument 'random_samples'. "
                               "This input cannot have requires_grad True.")
        kernel, sizes = _ints(name, "kernel_size", kernel_size, rank), _ints(name, "output_size", output_size, rank)
        return call(op, (input, _random_samples), (("kernel", kernel), ("sizes", sizes)))

    def pool(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        made = with_indices(input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
        return made if return_indices else made[0]

    pool.__doc__ = with_indices.__doc__ = (
        f"The maximum of {rank}-d windows of `kernel_size` whose starts are drawn at random, as many as `output_size`, or `output_ratio` of the "
        f"input's sizes (a tuple); with `return_indices` also its position. ValueError without a size, RuntimeError for windows that do not fit."
    )
    public(f"nn.functional.{name}", method=False)(pool)
    public(f"nn.functional.{name}_with_indices", method=False)(with_indices)


_publish(2, "fractional_max_pool2d")
_publish(3, "fractional_max_pool3d_out")

__all__: list[str] = []
