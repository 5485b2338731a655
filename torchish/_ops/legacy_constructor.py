"""The old constructor, `torch.Tensor(...)` and `torch.FloatTensor(...)`."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core import handle
from .._core.handle import TensorBase, from_array
from .._device import device
from .factory import constant_tensor, infer_array
from .foreign_memory import tensor_of
from .shared import sizes


def tensor_from(cls: type, args: tuple, kwargs: dict):
    """The old constructor `torch.Tensor(...)`: of a sequence, or uninitialised (zeros here) of given sizes."""
    where = kwargs.get("device")
    if len(args) == 1 and isinstance(args[0], (float, complex)):
        raise TypeError(f"new(): data must be a sequence (got {type(args[0]).__name__})")
    d = getattr(cls, "_fixed_dtype", None) or dt.get_default_dtype()
    if len(args) == 1 and isinstance(args[0], TensorBase):
        if args[0]._spec.dtype is not d:
            raise TypeError(f"expected {d.legacy} (got {args[0]._spec.dtype.legacy})")
        return handle.alias(args[0], cls)
    if len(args) == 1 and not isinstance(args[0], int) and type(args[0]).__name__ != "Size":
        shares = isinstance(args[0], np.ndarray) and args[0].dtype == d.numpy
        made = tensor_of(args[0]) if shares else from_array(infer_array(args[0], d), None, device(where) if where else None)
    else:
        try:
            shape = sizes(args) if args else (0,)
        except TypeError as error:
            raise TypeError(f"new{error}") from None
        made = constant_tensor(shape, 0, d, device(where) if where else None)
    if cls is not handle.tensor_class and isinstance(cls, type) and issubclass(cls, TensorBase):
        made.__class__ = cls
    return made


__all__ = ["tensor_from"]
