"""Making tensors from Python data, NumPy arrays and constants: the shared path behind every factory function."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.devices import jax_device
from .._core.handle import TensorBase, from_array, set_leaf, set_strides
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import spec_of
from .._core.tape import Value, record_values, state
from .._device import CPU, device
from .layout import like_strides
from .shared import sizes

_default_device = CPU


def default_device() -> device:
    """The device of factories that are given none."""
    return _default_device


def set_default_device(d) -> None:
    """Change the device of factories that are given none."""
    global _default_device
    _default_device = CPU if d is None else device(d)


def _full_plan(op: Op, argtypes: tuple, static: dict):
    shape, d = static["shape"], static["dtype"]
    storage = d.numpy

    def impl(xp, number):
        if d is dt.complex32:
            return xp.full(shape, cast(xp, number, d))
        if xp is np:
            return np.full(shape, np.asarray(number).astype(storage))
        return xp.full(shape, xp.asarray(number).astype(storage))
    return impl, spec_of(shape, d, static["device"])


full_op = Op("full", lambda xp, number: number, _full_plan)


def check_sizes(shape: tuple) -> tuple:
    """`shape` itself. Raises RuntimeError where a size is negative."""
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{', '.join(map(str, shape))}]")
    return shape


def constant_tensor(shape: tuple, number, d: dt.dtype, where: device | None = None, requires_grad: bool = False):
    """A tensor of `shape` filled with a Python number, recorded: it becomes part of the program that uses it."""
    check_sizes(shape)
    if where is not None and where.type == "cuda":
        jax_device(where)
    t = call(full_op, (number,), (("shape", tuple(shape)), ("dtype", d), ("device", where or _default_device)))
    return mark_leaf(t, requires_grad)


def fill_number(number):
    """The `fill_value` argument of a factory as a Python number. Raises TypeError for anything else."""
    if isinstance(number, TensorBase):
        return number.item()
    if not isinstance(number, (int, float, complex, np.number, np.bool_)):
        raise TypeError(f"(): argument 'fill_value' (position 2) must be Number, not {type(number).__name__}")
    return number


def fill_size(size) -> tuple[int, ...]:
    """The `size` argument of a factory that takes it as one sequence. Raises TypeError for anything else."""
    if not isinstance(size, (tuple, list)) and not hasattr(size, "__iter__"):
        raise TypeError(f"(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    return sizes((size,))


def mark_leaf(t: TensorBase, requires_grad: bool):
    """Apply a factory's `requires_grad` argument. Raises RuntimeError for a dtype that cannot."""
    if requires_grad is not False:
        if not isinstance(requires_grad, bool):
            raise TypeError(f"(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
        if not t._spec.differentiable:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        set_leaf(t, True)
    return t


def check_layout(layout) -> None:
    """Raise NotImplementedError for any layout but torch.strided."""
    if layout is not None and getattr(layout, "name", "") != "strided":
        raise NotImplementedError(f"torchish: tensors of layout {layout}")


def check_dtype(d, default=None) -> dt.dtype:
    """A factory's `dtype` argument, or the default float dtype. Raises TypeError for anything else."""
    if d is None:
        return default or dt.get_default_dtype()
    if not isinstance(d, dt.dtype):
        if d in (float, int, bool, complex):
            return {float: dt.float64, int: dt.int64, bool: dt.bool_, complex: dt.complex128}[d]
        raise TypeError(f"(): argument 'dtype' must be torch.dtype, not {type(d).__name__}")
    return d


# ---------------------------------------------------------------- from Python data
def infer_array(data, d: dt.dtype | None) -> np.ndarray:
    """Python numbers, nested sequences, NumPy arrays and tensors as a fresh NumPy array of dtype `d` (inferred when None)."""
    if isinstance(data, TensorBase):
        array = np.array(data._host("copy"))
    elif isinstance(data, (np.ndarray, np.generic)):
        check_array(data)
        array = np.array(data)
    else:
        return _from_sequence(data, d)
    return array if d is None else _converted(array, d)


def check_array(array) -> dt.dtype:
    """The dtype of a NumPy array. Raises TypeError or ValueError for arrays that torch does not take."""
    d = dt.BY_NUMPY.get(array.dtype)
    if d is not None and array.flags.c_contiguous and array.dtype.kind in "biufc":
        return d
    item = array.dtype.itemsize
    if any(s % item for s in array.strides):
        raise ValueError("given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the memory.")
    if any(s < 0 for s in array.strides):
        raise ValueError("At least one stride in the given numpy array is negative, and tensors with negative strides are not currently supported. "
                         "(You can probably work around this by making a copy of your array  with array.copy().) ")
    if not array.dtype.isnative:
        raise ValueError("given numpy array has byte order different from the native byte order. Conversion between byte orders is currently not "
                         "supported.")
    if d is None or array.dtype.kind not in "biufc":
        raise TypeError(f"can't convert np.ndarray of type numpy.{array.dtype.type.__name__}. The only supported types are: float64, float32, "
                        "float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool.")
    return d


def _converted(array: np.ndarray, d: dt.dtype) -> np.ndarray:
    if array.dtype == d.numpy:
        return array
    if array.dtype.kind == "c" and not d.is_complex:
        array = array.real
    with np.errstate(all="ignore"):
        return array.astype(d.numpy)


def _from_sequence(data, d: dt.dtype | None) -> np.ndarray:
    shape, leaves = ((), [data]) if isinstance(data, (bool, int, float, complex)) else _flatten(data)
    if not leaves:
        return np.zeros(shape, (d or dt.get_default_dtype()).numpy)
    kind = d or _kind_of(leaves)
    leaves = [x.item() if not isinstance(x, (bool, int, float, complex)) else x for x in leaves]
    if kind.category == dt.INTEGER:
        array = np.array([_as_integer(x, kind) for x in leaves], np.int64 if kind is not dt.uint64 else np.uint64)
    elif kind.category == dt.COMPLEX:
        array = np.array(leaves, np.complex128)
    elif kind.category == dt.FLOATING:
        if any(isinstance(x, complex) for x in leaves):
            raise TypeError("must be real number, not complex")
        array = np.array(leaves, np.float64)
    else:
        array = np.array([bool(x) for x in leaves])
    return _converted(array, kind).reshape(shape)


def _as_integer(x, d: dt.dtype) -> int:
    """A leaf as an int of dtype `d`: floats are cut. Raises what torch does for a value that is none."""
    if isinstance(x, complex):
        raise TypeError("'complex' object cannot be interpreted as an integer")
    info = np.iinfo(d.numpy)
    if isinstance(x, int):
        if d is dt.int64 and not info.min <= x <= info.max:
            raise ValueError("Overflow when unpacking long long") if x > 2 ** 64 - 1 else RuntimeError("Overflow when unpacking long long")
        low = 0 if d is dt.uint64 else info.min if d.is_signed else -int(info.max) - 1
    else:
        low = info.min
    if not low <= x <= info.max:
        raise RuntimeError(f"value cannot be converted to type {d.name} without overflow")
    return int(x)


def _flatten(data) -> tuple[tuple, list]:
    """The shape of nested sequences and their leaves in order. Raises ValueError where they are ragged."""
    shape, level = [], data
    while _is_sequence(level):
        shape.append(len(level))
        if len(level) == 0:
            break
        level = level[0]
    leaves: list = []
    _collect(data, tuple(shape), 0, leaves)
    if leaves and isinstance(leaves[0], (TensorBase, np.ndarray)) and getattr(leaves[0], "ndim", 0):
        raise ValueError("only one element tensors can be converted to Python scalars")
    return tuple(shape), leaves


def _is_sequence(x) -> bool:
    if isinstance(x, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(x).__name__}'")
    if isinstance(x, (TensorBase, np.ndarray)):
        return x.ndim > 0
    return hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, dict)


def _collect(data, shape: tuple, depth: int, leaves: list) -> None:
    if depth == len(shape):
        if _is_sequence(data):
            raise TypeError(f"must be real number, not {type(data).__name__}")
        if not isinstance(data, (bool, int, float, complex, TensorBase, np.generic, np.ndarray)):
            if data is None or not hasattr(data, "__float__"):
                raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
            data = float(data)
        leaves.append(data)
        return
    if not _is_sequence(data):
        raise TypeError(f"expected Tensor as element {depth} in argument 0, but got {type(data).__name__}") if False else \
            TypeError("not a sequence")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for item in data:
        _collect(item, shape, depth + 1, leaves)


def _kind_of(leaves: list) -> dt.dtype:
    best = dt.bool_
    for x in leaves:
        d = x._spec.dtype if isinstance(x, TensorBase) else dt.BY_NUMPY[x.dtype] if isinstance(x, (np.generic, np.ndarray)) else dt.of_number(x)
        if d.category > best.category or (d.category == best.category and d.itemsize > best.itemsize):
            best = d
    return best


def make_tensor(data, d: dt.dtype | None, where, requires_grad: bool):
    """`torch.tensor`: a copy of `data` as a new leaf."""
    where = device(where) if where is not None else (data._spec.device if isinstance(data, TensorBase) else _default_device)
    array = infer_array(data, None if d is None else check_dtype(d))
    if d is dt.complex32:
        return mark_leaf(from_array(cast(np, array, d), None, where, d), requires_grad)
    made = from_array(array, None, where)
    if isinstance(data, TensorBase) and data._strides is not None:
        set_strides(made, like_strides(made._spec, (data,)))
    return mark_leaf(made, requires_grad)


__all__ = ["Value", "check_dtype", "check_layout", "constant_tensor", "default_device", "from_array", "infer_array", "make_tensor", "mark_leaf",
           "record_values", "set_default_device", "state"]
