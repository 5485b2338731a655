"""torch's dtypes as plain data: names, sizes, categories, and the NumPy dtype that stores each.

No arrays and no operations here. `ml_dtypes` (a dependency of JAX) supplies bfloat16 and the float8 formats.
"""
from __future__ import annotations

import ml_dtypes
import numpy as np

BOOL, INTEGER, FLOATING, COMPLEX = range(4)  # promotion categories, in rising order


class dtype:  # torch spells the class in lower case
    """A torch data type, such as `torchish.float32`. Instances are unique: compare them with `is` or `==`."""

    __slots__ = ("name", "numpy", "category", "itemsize", "legacy", "is_floating_point", "is_complex", "is_signed", "_index")

    def __init__(self, name: str, storage, category: int, legacy: str | None = None, signed: bool = True, itemsize: int | None = None):
        self.name = name
        self.numpy = np.dtype(storage)
        self.category = category
        self.itemsize = itemsize or self.numpy.itemsize
        self.legacy = legacy  # "Float" of torch.FloatTensor, as error messages print it
        self.is_floating_point = category == FLOATING
        self.is_complex = category == COMPLEX
        self.is_signed = signed
        self._index = len(DTYPES)
        DTYPES.append(self)
        BY_NAME[name] = self
        if itemsize is None:
            BY_NUMPY[self.numpy] = self

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self):
        return _by_name, (self.name,)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def to_real(self) -> dtype:
        """The dtype of this dtype's real part: complex64 gives float32; real dtypes give themselves."""
        return _REAL.get(self, self)

    def to_complex(self) -> dtype:
        """The complex dtype of this precision: float32 gives complex64."""
        if self in _COMPLEX:
            return _COMPLEX[self]
        if self.is_complex:
            return self
        raise RuntimeError(f"Unexpected dtype: {self.legacy}")


DTYPES: list[dtype] = []
BY_NAME: dict[str, dtype] = {}
BY_NUMPY: dict[np.dtype, dtype] = {}


def _by_name(name: str) -> dtype:
    return BY_NAME[name]


uint8 = dtype("uint8", np.uint8, INTEGER, "Byte", signed=False)
int8 = dtype("int8", np.int8, INTEGER, "Char")
int16 = dtype("int16", np.int16, INTEGER, "Short")
int32 = dtype("int32", np.int32, INTEGER, "Int")
int64 = dtype("int64", np.int64, INTEGER, "Long")
float16 = dtype("float16", np.float16, FLOATING, "Half")
float32 = dtype("float32", np.float32, FLOATING, "Float")
float64 = dtype("float64", np.float64, FLOATING, "Double")
# NumPy and XLA have no half complex: its numbers are held as complex64, their parts rounded to float16, see `_core.op.cast`
complex32 = dtype("complex32", np.complex64, COMPLEX, "ComplexHalf", itemsize=4)
complex64 = dtype("complex64", np.complex64, COMPLEX, "ComplexFloat")
complex128 = dtype("complex128", np.complex128, COMPLEX, "ComplexDouble")
bool_ = dtype("bool", np.bool_, BOOL, "Bool", signed=False)
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16, FLOATING, "BFloat16")
uint16 = dtype("uint16", np.uint16, INTEGER, "UInt16", signed=False)
uint32 = dtype("uint32", np.uint32, INTEGER, "UInt32", signed=False)
uint64 = dtype("uint64", np.uint64, INTEGER, "UInt64", signed=False)
float8_e4m3fn = dtype("float8_e4m3fn", ml_dtypes.float8_e4m3fn, FLOATING, "Float8_e4m3fn")
float8_e5m2 = dtype("float8_e5m2", ml_dtypes.float8_e5m2, FLOATING, "Float8_e5m2")

_REAL = {complex32: float16, complex64: float32, complex128: float64}
_COMPLEX = {float16: complex32, float32: complex64, float64: complex128}

ALIASES = {"half": float16, "float": float32, "double": float64, "short": int16, "int": int32, "long": int64, "chalf": complex32,
           "cfloat": complex64, "cdouble": complex128}

_default = float32


def get_default_dtype() -> dtype:
    """The dtype that floating-point factories use when none is given; float32 unless changed."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Change the dtype of floating-point factories. Raises TypeError unless `d` is a floating-point dtype."""
    global _default
    if not isinstance(d, dtype):
        raise TypeError("invalid dtype object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _default = d


def default_complex() -> dtype:
    """The complex dtype that goes with the default floating-point dtype."""
    return {float16: complex32, float64: complex128}.get(_default, complex64)


def of_number(x) -> dtype:
    """The dtype that torch gives a tensor made from this Python number."""
    if isinstance(x, bool):
        return bool_
    if isinstance(x, int):
        return int64
    if isinstance(x, float):
        return _default
    return default_complex()
