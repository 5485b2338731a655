"""torch.gradient: derivatives of sampled functions by finite differences, made of other operations."""
from __future__ import annotations

from .._core.handle import TensorBase
from .shared import wrap_dims
from .variants import FUNCTIONS, METHODS, public


def _dims(input: TensorBase, dim) -> tuple:
    ndim = input._spec.ndim
    return tuple(range(ndim)) if dim is None else wrap_dims((dim,) if isinstance(dim, int) else dim, ndim)


def _spacings(input: TensorBase, spacing, dim, dims: tuple) -> list:
    """One number, or 1-D tensor of coordinates, for each of `dims`. Raises RuntimeError where there are not as many."""
    if spacing is None or isinstance(spacing, (int, float, complex)):
        return [1.0 if spacing is None else spacing] * len(dims)
    if isinstance(spacing, TensorBase):
        return [spacing.item()] * len(dims)
    if len(spacing) != len(dims):
        if dim is None:
            raise RuntimeError(f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
                               f"{input._spec.ndim}', since dim argument was not given, but got a list of length {len(spacing)}")
        raise RuntimeError("torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, "
                           f"but got a spacing argument of length {len(spacing)} and a dim argument of length {len(dims)}.")
    for each in spacing:
        if isinstance(each, TensorBase) and each._spec.ndim != 1:
            raise RuntimeError("torch.gradient expected each element of spacing to have one dimension, but got an element with "
                               f"{each._spec.ndim} dimensions!")
    return list(spacing)


def _part(t: TensorBase, dim: int, start: int, end: int) -> TensorBase:
    """t[start:end] along a dimension; counted from the end where not positive."""
    size = t._spec.shape[dim]
    start, end = start if start >= 0 else start + size, end if end > 0 else end + size
    return METHODS["narrow"](t, dim, start, end - start)


def _even(t: TensorBase, dim: int, step, order: int) -> tuple:
    """(first, inner, last) derivatives at points `step` apart."""
    inner = (_part(t, dim, 2, 0) - _part(t, dim, 0, -2)) / (2 * step)
    if order == 1:
        return (_part(t, dim, 1, 2) - _part(t, dim, 0, 1)) / step, inner, (_part(t, dim, -1, 0) - _part(t, dim, -2, -1)) / step
    first = (_part(t, dim, 0, 1) * -1.5 + _part(t, dim, 1, 2) * 2 - _part(t, dim, 2, 3) * 0.5) / step
    last = (_part(t, dim, -3, -2) * 0.5 - _part(t, dim, -2, -1) * 2 + _part(t, dim, -1, 0) * 1.5) / step
    return first, inner, last


def _uneven(t: TensorBase, dim: int, points: TensorBase, order: int) -> tuple:
    """(first, inner, last) derivatives at given points: of the parabola through three neighbours."""
    shape = [1] * t._spec.ndim
    shape[dim] = -1
    steps = METHODS["reshape"](METHODS["diff"](points), shape)
    h, k = _part(steps, dim, 0, -1), _part(steps, dim, 1, 0)
    low, mid, high = _part(t, dim, 0, -2), _part(t, dim, 1, -1), _part(t, dim, 2, 0)
    inner = low * (-k / (h * (h + k))) + mid * ((k - h) / (h * k)) + high * (h / (k * (h + k)))
    if order == 1:
        first = (_part(t, dim, 1, 2) - _part(t, dim, 0, 1)) / _part(steps, dim, 0, 1)
        return first, inner, (_part(t, dim, -1, 0) - _part(t, dim, -2, -1)) / _part(steps, dim, -1, 0)
    h, k = _part(steps, dim, 0, 1), _part(steps, dim, 1, 2)
    first = (_part(t, dim, 0, 1) * (-(2 * h + k) / (h * (h + k))) + _part(t, dim, 1, 2) * ((h + k) / (h * k))
             - _part(t, dim, 2, 3) * (h / (k * (h + k))))
    h, k = _part(steps, dim, -2, -1), _part(steps, dim, -1, 0)
    last = (_part(t, dim, -3, -2) * (k / (h * (h + k))) - _part(t, dim, -2, -1) * ((h + k) / (h * k))
            + _part(t, dim, -1, 0) * ((2 * k + h) / (k * (h + k))))
    return first, inner, last


@public("gradient", method=False)
def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """The derivatives of samples along each of `dim` (all when None): central differences inside, of order `edge_order` (1, 2) at the ends.

    `spacing` is the distance of the samples, or for each dimension a distance or their coordinates. Raises RuntimeError for unfit arguments.
    """
    dims = _dims(input, dim)
    spacings = _spacings(input, spacing, dim, dims)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for d in dims:
        if input._spec.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    made = []
    for d, each in zip(dims, spacings):
        parts = _uneven(input, d, each, edge_order) if isinstance(each, TensorBase) else _even(input, d, each, edge_order)
        made.append(FUNCTIONS["cat"](parts, d))
    return tuple(made)
