"""Strides of an element-wise result, by the rule that torch's tensor iterator follows: dimensions are ordered by the operands' strides."""
from __future__ import annotations

from collections.abc import Callable

from .._core.handle import TensorBase
from .._core.spec import contiguous_strides
from .._core.tape import NUMBERS
from .memory_format import channels_last, channels_last_3d, contiguous_format, follows, format_strides, suggested_format


def elementwise_strides(spec, args) -> tuple:
    """Strides for a result of `spec` computed from `args`: a permutation of contiguous ones that follows the operands."""
    shape = tuple(spec.shape)
    tensors = [a for a in args if isinstance(a, TensorBase)]
    if all(a._spec.shape == shape for a in tensors):
        operands = [a._current_strides for a in tensors]
        for wanted in (contiguous_format, channels_last, channels_last_3d):
            if all(follows(shape, s, wanted) for s in operands):
                return format_strides(shape, wanted)
        if operands.count(operands[0]) == len(operands) and is_dense(shape, operands[0]):
            return operands[0]
    else:
        operands = [_broadcast_strides(a, shape) for a in tensors]
    return ordered_strides(shape, operands)


def wrapped_strides(spec, args) -> tuple:
    """`elementwise_strides` where torch wraps a number among the first two operands in a tensor: its other shape takes the short cuts away."""
    if spec.ndim and any(a.__class__ in NUMBERS for a in args[:2]):
        return ordered_strides(tuple(spec.shape), [_broadcast_strides(a, tuple(spec.shape)) for a in args if isinstance(a, TensorBase)])
    return elementwise_strides(spec, args)


def suggested(*operands: int) -> Callable:
    """A layout that is channels last where one of these operands suggests it, else contiguous."""
    def layout(spec, args) -> tuple:
        for i in operands:
            a = args[i]
            if a._strides is not None and a._spec.ndim == spec.ndim and (
                    wanted := suggested_format(a._spec.shape, a._strides)) is not contiguous_format:
                return format_strides(tuple(spec.shape), wanted)
        return spec.strides
    return layout


def by_kind(of_complex: Callable, of_real: Callable) -> Callable:
    """A layout that depends on whether the first operand is complex."""
    return lambda spec, args: (of_complex if args[0]._spec.dtype.is_complex else of_real)(spec, args)


def like_strides(spec, args) -> tuple:
    """Strides of a copy of the first operand (`clone`, `to`): its own where it is dense, else in their order."""
    own = args[0]._current_strides
    return own if is_dense(tuple(spec.shape), own) else elementwise_strides(spec, args[:1])


def ordered_strides(shape: tuple, operands: list) -> tuple:
    """Strides of a dense result of `shape` whose dimensions are ordered as those of the operands, given as strides with 0 where broadcast."""
    order = list(range(len(shape)))[::-1]  # fastest first
    for i in range(1, len(order)):
        at = i
        for j in range(i - 1, -1, -1):
            c = _compare(order[j], order[at], shape, operands)
            if c > 0:
                order[j], order[at] = order[at], order[j]
                at = j
            elif c < 0:
                break
    if order == list(range(len(shape)))[::-1]:
        return contiguous_strides(shape)
    strides, step = [0] * len(shape), 1
    for d in order:
        strides[d] = step
        step *= shape[d]
    return tuple(strides)


def _broadcast_strides(t: TensorBase, shape: tuple) -> tuple:
    own, strides = t._spec.shape, t._current_strides
    lead = len(shape) - len(own)
    return (0,) * lead + tuple(0 if n == 1 and shape[i + lead] != 1 else s for i, (n, s) in enumerate(zip(own, strides)))


def _compare(a: int, b: int, shape: tuple, operands: list) -> int:
    for strides in operands:
        x, y = strides[a], strides[b]
        if x == 0 or y == 0:
            continue
        if x != y:
            return -1 if x < y else 1
        if shape[a] > shape[b]:
            return 1
    return 0


def is_dense(shape: tuple, strides: tuple) -> bool:
    """Whether the strides fill memory without gaps or overlaps, in some order of dimensions."""
    step = 1
    if 0 in shape:
        return True
    for stride, n in sorted((s, n) for s, n in zip(strides, shape) if n != 1):
        if stride != step:
            return False
        step *= n
    return True
