"""Helpers that declare operations. An element-wise operation is one row: `unary(...)`, `binary(...)`; others use `primitive`.

Note [Promotion kinds]: how an element-wise op chooses its compute and result dtypes, with torch's names for the kinds.
    DEFAULT           promoted operands; float16 and bfloat16 compute in float32
    NO_OPMATH         the same, computed in the dtype itself (no rounding can occur: sign changes, selections)
    INT_TO_FLOAT      integers and bool become the default float dtype
    ALWAYS_BOOL       result is bool, computed in the promoted dtype
    COMPLEX_TO_FLOAT  the result of a complex operand is real
    BOOL_TO_LONG      bool operands become int64
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .. import _dtype as dt
from .._core.op import Op, by_eval_shape, cast, half_complex, same, simple
from .._core.record import call
from .._core.spec import Spec, spec_of
from .._dtype import BOOL, COMPLEX, FLOATING, INTEGER
from .._promotion import promote_types, result_of
from .halves import HALVES, rounded
from .layout import elementwise_strides, wrapped_strides
from .variants import elementwise_variants

DEFAULT, NO_OPMATH, INT_TO_FLOAT, ALWAYS_BOOL, COMPLEX_TO_FLOAT, BOOL_TO_LONG = range(6)
_WIDER = {dt.float16: dt.float32, dt.bfloat16: dt.float32, dt.complex32: dt.complex64}


class Elementwise:
    """What an element-wise op remembers: its promotion kind, the dtypes it refuses with the name that torch's message carries, and what it does
    differently on float16 and bfloat16: `narrow` and `wide` as in `narrow()`, `half` a body `(xp, dtype, *operands, **static)` of its own."""

    __slots__ = ("kind", "refuse", "kernel", "narrow", "wide", "half", "rescue", "shown")

    def __init__(self, kind: int, refuse, kernel: str):
        self.kind, self.refuse, self.kernel, self.narrow, self.wide, self.half = kind, refuse, kernel, False, (), None
        self.shown: dict | None = None  # names of dtypes in the message for a target that cannot hold the result, where they are not the usual ones
        self.rescue: Callable | None = None  # `rescue(op, self, *operands)`: what an in-place form still writes where its check fails


def narrow(*ops: Op, wide: tuple = ()) -> None:
    """Let `ops` on the halves round numbers to the half first, as torch's kernels of add, pow and fmod do; tensors of other dtypes always are.

    `wide`: the operands that keep their precision as numbers or 0-dim tensors.
    """
    for op in ops:
        op.info.narrow, op.info.wide = True, wide


def half_body(body: Callable, *ops: Op) -> None:
    """Give `ops` another body for float16 and bfloat16, see Note [Rounding of the halves]."""
    for op in ops:
        op.info.half = body


def broadcast_shapes(shapes: list) -> tuple:
    """torch's broadcasting. Raises RuntimeError with torch's message."""
    result: tuple = ()
    for shape in shapes:
        if shape == result:
            continue
        if len(shape) > len(result):
            a, b = _pad(result, len(shape)), tuple(shape)
        else:
            a, b = result, _pad(shape, len(result))
        merged = []
        for i in range(len(a) - 1, -1, -1):
            x, y = a[i], b[i]
            if x != y and x != 1 and y != 1:
                raise RuntimeError(f"The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {i}")
            merged.append(y if x == 1 else x)
        result = tuple(merged[::-1])
    return result


def _pad(shape, n: int) -> tuple:
    return (1,) * (n - len(shape)) + tuple(shape)


def promoted(argtypes) -> dt.dtype:
    """The result dtype of operands given as Specs and Python number types."""
    high, zero, numbers = [], [], []
    for a in argtypes:
        if a.__class__ is Spec:
            (high if a.ndim else zero).append(a.dtype)
        elif a is not type(None):
            numbers.append(a)
    return result_of(high, zero, numbers)


def common_device(specs: list):
    """The device of an operation's result: 0-dim CPU operands follow the others. Raises RuntimeError for a mixture, as torch does."""
    device = specs[0].device
    for s in specs[1:]:
        if s.device is not device:
            if s.ndim == 0 and s.device.type == "cpu":
                continue
            if device.type == "cpu" and all(x.ndim == 0 for x in specs if x.device is device):
                device = s.device
                continue
            raise RuntimeError(f"Expected all tensors to be on the same device, but found at least two devices, {device} and {s.device}!")
    return device


def elementwise_dtypes(kind: int, common: dt.dtype) -> tuple:
    """(compute dtype, result dtype) of a promotion kind for operands of common dtype `common`."""
    if kind == INT_TO_FLOAT and common.category < FLOATING:
        common = dt.get_default_dtype()
    elif kind == BOOL_TO_LONG and common.category == BOOL:
        common = dt.int64
    compute = common if kind == NO_OPMATH and common is not dt.complex32 else _WIDER.get(common, common)
    if kind == ALWAYS_BOOL:
        return common, dt.bool_
    if kind == COMPLEX_TO_FLOAT and common.category == COMPLEX:
        return compute, common.to_real()
    return compute, common


def elementwise_planner(op: Op, argtypes: tuple, static: dict):
    """Broadcast shapes, promote dtypes by the op's kind, and wrap the body in the casts. `static["into"]` is the dtype of an in-place target."""
    specs = [a for a in argtypes if a.__class__ is Spec]
    if not specs:
        raise TypeError(f"{op.name}(): argument 'input' (position 1) must be Tensor, not {argtypes[0].__name__}")
    info: Elementwise = op.info
    into = static.pop("into", None)
    common = promoted(argtypes)
    shape = tuple(specs[0].shape) if len(specs) == 1 else broadcast_shapes([s.shape for s in specs])
    if common in info.refuse or common is dt.complex32 and not op.half_complex:
        error = refusal(info, common)
        error.shape, error.dtype = shape, elementwise_dtypes(info.kind, common)[1]  # of which an in-place form complains first
        raise error
    compute, result = elementwise_dtypes(info.kind, common)
    body = op.body if result not in HALVES else _half_variant(op, argtypes, result, compute)
    result = into or result

    ready = all(a.__class__ is Spec and a.dtype is compute for a in argtypes)  # nothing to cast: the usual case
    target = None if result is dt.complex32 else result.numpy  # complex32 is held in another dtype and always rounded

    def impl(xp, *args):
        r = body(xp, *(args if ready else [a if a is None else cast(xp, a, compute) for a in args]), **static)
        return r if xp is np and r.dtype == target else cast(xp, r, result)
    out = spec_of(shape, result, common_device(specs))
    return impl, out, None if op.vjp is None else _typed_rules(op.vjp, compute, info.kind)


def _half_variant(op: Op, argtypes: tuple, half: dt.dtype, compute: dt.dtype) -> Callable:
    """The op's body on float16 or bfloat16: with the roundings that torch makes before it computes and in between."""
    info: Elementwise = op.info
    body = op.body if info.half is None else partial(_of_half, info.half, half)
    other = [info.narrow and i not in info.wide if a.__class__ is not Spec
             else a.dtype is not half and not a.dtype.is_complex and not (i in info.wide and a.ndim == 0) for i, a in enumerate(argtypes)]
    if compute is half or not any(other):
        return body

    def narrowed(xp, *args, **static):
        return body(xp, *[rounded(xp, a, half) if o and a is not None else a for a, o in zip(args, other)], **static)
    return narrowed


def _of_half(body: Callable, half: dt.dtype, xp, *args, **static):
    return body(xp, half, *args, **static)


def refusal(info: Elementwise, d: dt.dtype) -> Exception:
    """The error for a dtype that torch's kernel does not implement."""
    text = info.refuse.get(d) if isinstance(info.refuse, dict) else None
    return RuntimeError(text) if text else NotImplementedError(f"\"{info.kernel}\" not implemented for '{d.legacy}'")


def _elementwise(name, body, kind, grad, saves, vjp, numpy, refuse, kernel):
    return Op(name, body, elementwise_planner, grad=grad, saves=saves, vjp=vjp, numpy=numpy, info=Elementwise(kind, refuse, kernel or f"{name}_cpu"),
              layout=elementwise_strides)


def _typed_rules(rules, compute: dt.dtype, kind: int):
    """Gradient rules are written for operands in the compute dtype: cast the operands and the gradient before each."""
    flow = compute.to_real() if kind == COMPLEX_TO_FLOAT else compute

    def typed(rule):
        def cast_rule(xp, g, out, *args, into=None, **static):
            return rule(xp, cast(xp, g, flow), cast(xp, out, flow), *[a if a is None else cast(xp, a, compute) for a in args], **static)
        cast_rule.rule = rule
        return cast_rule
    return tuple(None if r is None else typed(r) for r in rules)


def unary(signature: str, body: Callable, *, kind: int = DEFAULT, grad: str | None = "", saves: tuple = (0,), vjp: Callable | None = None,
          numpy: bool = True, refuse=(), kernel: str = "", inplace: bool = True, function: bool = True, method: bool = True, also: tuple = (),
          doc: str = "") -> Op:
    """Declare an element-wise operation of one tensor, such as `unary("exp(input)", lambda xp, x: xp.exp(x), kind=INT_TO_FLOAT)`.

    `grad` defaults to torch's usual name (ExpBackward0); None declares it without a gradient. `vjp(xp, g, out, x)` is its rule if given.
    """
    name = signature.partition("(")[0]
    op = _elementwise(name, body, kind, _grad_name(name) if grad == "" else grad, saves, (vjp,) if vjp else None, numpy, refuse, kernel)
    elementwise_variants(op, signature, inplace=inplace, function=function, method=method, also=also, doc=doc)
    return op


def binary(signature: str, body: Callable, *, kind: int = DEFAULT, grad: str | None = "", saves: tuple = (0, 1), vjp: tuple | None = None,
           numpy: bool = True, refuse=(), kernel: str = "", inplace: bool = True, function: bool = True, method: bool = True, also: tuple = (),
           doc: str = "") -> Op:
    """Declare an element-wise operation of several operands, with broadcasting; `vjp` has one rule `(xp, g, out, *operands)` each."""
    name = signature.partition("(")[0]
    op = _elementwise(name, body, kind, _grad_name(name) if grad == "" else grad, saves, vjp, numpy, refuse, kernel)
    op.layout = wrapped_strides
    elementwise_variants(op, signature, inplace=inplace, function=function, method=method, also=also, doc=doc)
    return op


def internal(name: str, body: Callable, *, kind: int = DEFAULT, grad: str | None = None, saves: tuple = (), vjp: tuple | None = None,
             numpy: bool = True,
             refuse=(), kernel: str = "", layout: Callable = wrapped_strides) -> Op:
    """Declare an element-wise operation without public forms: a front function of the same family calls it."""
    op = _elementwise(name, body, kind, grad, saves, vjp, numpy, refuse, kernel)
    op.layout = layout
    return op


def _grad_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")) + "Backward0"


def primitive(name: str, infer: Callable | None = None, *, grad: str | None = None, saves: tuple = (), vjp: tuple | None = None, numpy: bool = True,
              put: Callable | None = None, check: Callable | None = None, checked: tuple = (), complain: Callable | None = None):
    """Decorator: declare any other operation from its body; `infer(*argtypes, **static)` gives the result's Spec or Specs (else eval_shape)."""
    def declare(body: Callable) -> Op:
        return Op(name, body, simple(infer) if infer is not None else by_eval_shape, grad=grad, saves=saves, vjp=vjp, numpy=numpy, put=put,
                  check=check, checked=checked, complain=complain)
    return declare


__all__ = ["ALWAYS_BOOL", "BOOL", "BOOL_TO_LONG", "COMPLEX", "COMPLEX_TO_FLOAT", "DEFAULT", "FLOATING", "INTEGER", "INT_TO_FLOAT",
           "NO_OPMATH", "Op", "binary", "broadcast_shapes", "call", "cast", "common_device", "half_body", "half_complex", "internal", "narrow",
           "primitive", "promote_types", "promoted", "same", "unary"]
