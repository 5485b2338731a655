"""torch.finfo and torch.iinfo: the numeric limits of dtypes, as plain data."""
from __future__ import annotations

import ml_dtypes
import numpy as np

from . import _dtype as dt

_RESOLUTION = {"float16": 1e-3, "bfloat16": 1e-2, "float32": 1e-6, "float64": 1e-15, "float8_e4m3fn": 1.0, "float8_e5m2": 1.0}


class finfo:
    """The limits of a floating-point dtype (of its real part for a complex one): eps, max, min, tiny, smallest_normal, resolution, bits.

    Raises TypeError for an integer dtype.
    """

    def __init__(self, type: dt.dtype | None = None):
        d = dt.get_default_dtype() if type is None else type
        if d.category < dt.FLOATING:
            raise TypeError("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'")
        real = d.to_real()
        limits = ml_dtypes.finfo(real.numpy)
        self.dtype = real.name
        self.bits = real.itemsize * 8
        self.max, self.min, self.eps = float(limits.max), float(limits.min), float(limits.eps)
        self.smallest_normal = self.tiny = float(limits.tiny)
        self.resolution = _RESOLUTION[real.name]

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{n}={getattr(self, n):g}' for n in names)}, dtype={self.dtype})"

    def __eq__(self, other) -> bool:
        return isinstance(other, finfo) and other.dtype == self.dtype

    __hash__ = None

    def __getattr__(self, name: str):
        raise AttributeError(f"'torch.finfo' object has no attribute '{name}'")


class iinfo:
    """The limits of an integer dtype: max, min, bits. Raises TypeError for other dtypes."""

    def __init__(self, type: dt.dtype):
        if type.category > dt.INTEGER:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        if type.category == dt.BOOL:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        limits = np.iinfo(type.numpy)
        self.dtype, self.bits = type.name, type.itemsize * 8
        self.max, self.min = int(limits.max), int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other) -> bool:
        return isinstance(other, iinfo) and other.dtype == self.dtype

    __hash__ = None

    def __getattr__(self, name: str):
        raise AttributeError(f"'torch.iinfo' object has no attribute '{name}'")
