"""Collation: a list of samples becomes one batch.

Owns `default_collate`, `default_convert` and the table of types they know; knows nothing of datasets or loaders.
"""

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from .... import _public as torch
from ....tensor import Tensor

CollateTable = dict[type | tuple[type, ...], Callable[..., Any]]

default_collate_err_msg_format = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def _is_text_array(dtype: np.dtype) -> bool:
    return dtype.kind in "SUO"


def _is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _like_mapping(model: Mapping, entries: dict) -> Mapping:
    """A mapping of the model's own type with the new entries, or a plain dict where the type cannot be built so."""
    try:
        if not isinstance(model, MutableMapping):
            return type(model)(entries)
        # Copying first keeps extra state, such as a default factory.
        clone = copy.copy(model)
        clone.update(entries)
        return clone
    except TypeError:
        return entries


def _like_sequence(model: Sequence, items: list) -> Sequence:
    """A sequence of the model's own type with the new items, or a plain list where the type cannot be built so."""
    try:
        if not isinstance(model, MutableSequence):
            return type(model)(items)
        clone = copy.copy(model)
        for position, item in enumerate(items):
            clone[position] = item
        return clone
    except TypeError:
        return items


def default_convert(data: Any) -> Any:
    """Turns NumPy arrays and scalars anywhere inside `data` into tensors and leaves all else as it is.

    The DataLoader's collation when `batch_size` is None. Tuples come back as lists; named tuples and mappings keep their type.
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if _is_text_array(data.dtype) else torch.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if _is_namedtuple(data):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(value) for value in data])
    return data


def collate(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """Collates by the type of the first sample: a type in `collate_fn_map` by its function, containers element by element.

    Raises TypeError for a type that is neither, RuntimeError for sequences of different lengths.
    """
    first = batch[0]
    function = _function_for(type(first), collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        return _like_mapping(first, {key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map) for key in first})
    if _is_namedtuple(first):
        return type(first)(*_collate_columns(batch, collate_fn_map))
    if isinstance(first, Sequence):
        columns = _collate_columns(batch, collate_fn_map)
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise TypeError(default_collate_err_msg_format.format(type(first)))


def _function_for(kind: type, table: CollateTable) -> Callable[..., Any] | None:
    if kind in table:
        return table[kind]
    return next((function for key, function in table.items() if issubclass(kind, key)), None)


def _collate_columns(batch: Sequence[Any], collate_fn_map: CollateTable | None) -> list[Any]:
    if any(len(sample) != len(batch[0]) for sample in batch):
        raise RuntimeError("each element in list of batch should be of equal size")
    return [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch, strict=True)]


def collate_tensor_fn(batch: Sequence[Tensor], *, collate_fn_map: CollateTable | None = None) -> Tensor:
    """The tensors stacked along a new first dimension."""
    return torch.stack(list(batch), 0)


def collate_numpy_array_fn(batch: Sequence[np.ndarray], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The arrays stacked along a new first dimension; raises TypeError for arrays of text or objects."""
    first = batch[0]
    if _is_text_array(first.dtype):
        raise TypeError(default_collate_err_msg_format.format(first.dtype))
    if all(type(array) is np.ndarray and array.shape == first.shape and array.dtype == first.dtype for array in batch):
        # One NumPy call in place of a tensor per sample; the values are the same.
        return torch.as_tensor(np.stack(batch))
    return collate([torch.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Sequence[np.generic], *, collate_fn_map: CollateTable | None = None) -> Tensor:
    """A vector of the scalars, in their own dtype."""
    return torch.as_tensor(np.asarray(batch))


def collate_float_fn(batch: Sequence[float], *, collate_fn_map: CollateTable | None = None) -> Tensor:
    """A float64 vector."""
    return torch.tensor(batch, dtype=torch.float64)


def collate_int_fn(batch: Sequence[int], *, collate_fn_map: CollateTable | None = None) -> Tensor:
    """An int64 vector, or a bool vector when every sample is a bool."""
    return torch.tensor(batch)


def collate_str_fn(batch: Sequence[str] | Sequence[bytes], *, collate_fn_map: CollateTable | None = None) -> Any:
    """Text stays as it is."""
    return batch


# The order matters for subclasses: np.float64 is also a float, bool also an int.
default_collate_fn_map: CollateTable = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch out of a list of samples: tensors and arrays are stacked, numbers become vectors, containers are collated
    element by element, text stays a list.

    Shapes: samples of shape (*) give (len(batch), *). Python floats give float64, ints int64, bools bool.
    Raises TypeError for samples of other types, RuntimeError for samples of different sizes.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
