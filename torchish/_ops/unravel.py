"""torch.unravel_index, made of other operations."""
from __future__ import annotations

from .._core.handle import TensorBase
from .._dtype import INTEGER
from .variants import METHODS, public


@public("unravel_index", method=False)
def unravel_index(indices, shape):
    """The coordinates, one tensor for each dimension, of flat positions in an array of `shape`; positions wrap around.

    Raises TypeError unless `indices` and `shape` are integers, ValueError for negative sizes.
    """
    if indices._spec.dtype.category != INTEGER:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices._spec.dtype}")
    if isinstance(shape, TensorBase) or not isinstance(shape, (int, tuple, list)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for n in sizes:
        if not isinstance(n, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    made, step = [], 1
    for n in reversed(sizes):
        made.append(METHODS["remainder"](METHODS["div"](indices, step, rounding_mode="floor"), n))
        step *= n
    return tuple(reversed(made))
