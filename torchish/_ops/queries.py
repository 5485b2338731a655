"""Questions about tensors, dtypes and the library that compute nothing."""
from __future__ import annotations

import os

import numpy as np

from .. import _promotion
from .._core.errors import type_name
from .._core.handle import TensorBase
from .declare import promoted
from .factory import default_device
from .variants import public


@public("is_floating_point", method=False)
def is_floating_point(input):
    """Whether the tensor's dtype is a floating-point one."""
    return input._spec.dtype.is_floating_point


@public("is_complex", method=False)
def is_complex(input):
    """Whether the tensor's dtype is complex."""
    return input._spec.dtype.is_complex


@public("is_signed", method=False)
def is_signed(input):
    """Whether the tensor's dtype has a sign."""
    return input._spec.dtype.is_signed


@public("is_inference", method=False)
def is_inference(input):
    """Whether the tensor was made in inference mode."""
    return input._inference


def _never(name: str, why: str) -> None:
    def question(input):
        return input._spec is None
    question.__doc__ = f"False: {why}."
    public(name, method=False)(question)


_never("is_distributed", "no tensor is split between processes")


@public("is_nonzero")
def is_nonzero(input):
    """Whether a one-element tensor is not zero. Raises RuntimeError for other sizes."""
    return bool(input)


@public("numel", method=False)
def numel(input):
    """The number of elements."""
    return input._spec.numel


@public("is_same_size")
def is_same_size(input, other):
    """Whether two tensors have the same sizes."""
    return input._spec.shape == other._spec.shape


@public("typename", method=False)
def typename(obj):
    """The type's name, 'torch.FloatTensor' for tensors."""
    if isinstance(obj, TensorBase):
        return type_name(obj._spec)
    kind = obj if isinstance(obj, type) else type(obj)
    module = getattr(kind, "__module__", "")
    return kind.__qualname__ if module in ("builtins", "__builtin__", "") else f"{module}.{kind.__qualname__}"


@public("promote_types", method=False)
def promote_types(type1, type2):
    """The dtype that both dtypes promote to."""
    return _promotion.promote_types(type1, type2)


@public("can_cast", method=False)
def can_cast(from_, to):
    """Whether a result of dtype `from_` may be written into a tensor of dtype `to`."""
    return _promotion.can_cast(from_, to)


@public("result_type", method=False)
def result_type(tensor1, tensor2):
    """The dtype of an arithmetic operation on two tensors or numbers."""
    for a in (tensor1, tensor2):
        if not isinstance(a, (TensorBase, int, float, complex, np.number, np.bool_)):
            raise TypeError(f"result_type() takes tensors and numbers, not {type(a).__name__}")
    return promoted([a._read().spec if isinstance(a, TensorBase) else type(a) for a in (tensor1, tensor2)])


@public("get_default_device", method=False)
def get_default_device():
    """The device of factories that are given none."""
    return default_device()


@public("get_num_threads", method=False)
def get_num_threads():
    """The processors that XLA's CPU client may use."""
    return _processors()


@public("set_num_threads", method=False)
def set_num_threads(n):
    """Accepted for torch's sake: XLA sizes its own thread pool at start (XLA_FLAGS)."""
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")


@public("use_deterministic_algorithms", method=False)
def use_deterministic_algorithms(mode, *, warn_only=False):
    """Accepted: on the CPU every result repeats bit for bit as it is."""


@public("are_deterministic_algorithms_enabled", method=False)
def are_deterministic_algorithms_enabled():
    """True: on the CPU every result repeats bit for bit."""
    return True


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
