"""What is known of an array before it exists: shape, dtype and device, as interned `Spec` objects.

Specs are compared by identity, so a tuple of them is a cheap dictionary key.
"""
from __future__ import annotations

from math import prod

from .. import _dtype
from .._device import CPU, device
from .._dtype import FLOATING, dtype


class Size(tuple):
    """A tensor's shape: a tuple of ints that prints as torch.Size."""

    __slots__ = ()

    def __new__(cls, sizes=()):
        made = tuple.__new__(cls, sizes)
        for i, n in enumerate(made):
            if n.__class__ is not int and not hasattr(n, "__index__"):
                raise TypeError(f"torch.Size() takes an iterable of 'int' (item {i} is '{type(n).__name__}')")
        return made

    def numel(self) -> int:
        """The number of elements: the product of the sizes."""
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, i):
        r = tuple.__getitem__(self, i)
        return Size(r) if type(i) is slice else r

    def __add__(self, other):
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, n):
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__

    def __reduce__(self):
        return Size, (tuple(self),)


def contiguous_strides(shape) -> tuple[int, ...]:
    """Row-major strides in elements, torch's way: a size of 0 counts as 1."""
    out, step = [], 1
    for n in reversed(shape):
        out.append(step)
        step *= n if n > 1 else 1
    return tuple(out[::-1])


class Spec:
    """Shape, dtype and device of a value. Interned: get one from `spec_of`."""

    __slots__ = ("shape", "dtype", "device", "ndim", "numel", "strides", "differentiable")

    def __repr__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"

    @property
    def nbytes(self) -> int:
        return self.numel * self.dtype.itemsize


_interned: dict[tuple, Spec] = {}


def spec_of(shape: tuple, dtype_: dtype, device_: device = CPU) -> Spec:
    """The one Spec of this shape (ints), dtype and device."""
    key = (shape, dtype_, device_)
    spec = _interned.get(key)
    if spec is None:
        spec = Spec()
        spec.shape = Size(shape)
        spec.dtype, spec.device = dtype_, device_
        spec.ndim, spec.numel = len(shape), prod(shape)
        spec.strides = contiguous_strides(shape)
        spec.differentiable = dtype_.category >= FLOATING
        if len(_interned) > 100_000:  # a program with endless new shapes must not grow for ever; old Specs stay valid by identity of users
            _interned.clear()
        _interned[key] = spec
    return spec


def like(spec: Spec, shape: tuple | None = None, dtype_: dtype | None = None) -> Spec:
    """`spec` with another shape or dtype."""
    return spec_of(tuple(spec.shape) if shape is None else shape, dtype_ or spec.dtype, spec.device)


def spec_of_array(array, device_: device = CPU) -> Spec:
    """The Spec of a NumPy or JAX array."""
    return spec_of(tuple(array.shape), _dtype.BY_NUMPY[array.dtype], device_)
