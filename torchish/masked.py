"""torch.masked: reductions, scans and normalisations that leave out the elements where `mask` is False. MaskedTensor is not there.

All are written with torchish's own operations: what is masked out is replaced by a number that does not count. A `mask` broadcasts to the input;
None keeps everything. `dim` is None or () for all dimensions, a number, or a tuple; results of nothing are that number (mean, var, std: NaN).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _public as torch
from ._ops.variants import FUNCTIONS
from .tensor import Tensor

Dims = "int | tuple[int, ...] | None"


# ---------------------------------------------------------------- masks and dimensions
def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions to reduce, as positive numbers. Raises RuntimeError for one named twice, IndexError for one out of range."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    room = max(ndim, 1)
    found: list[int] = []
    for d in dim if isinstance(dim, tuple) else (dim,):
        if not -room <= d < room:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-room}, {room - 1}], but got {d})")
        if d % room in found:
            raise RuntimeError(f"dim={d % room} appears multiple times in the list of dims")
        found.append(d % room)
    return tuple(sorted(found))


def _mask(input: Tensor, mask: Tensor | None) -> Tensor | None:
    """The mask as bool and of the input's shape."""
    if mask is None:
        return None
    if mask.dim() > input.dim():
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)")
    return torch.broadcast_to(mask, input.shape).to(torch.bool)


def _lowest(d: torch.dtype) -> Any:
    return -torch.inf if d.is_floating_point or d.is_complex else torch.iinfo(d).min if d is not torch.bool else False


def _highest(d: torch.dtype) -> Any:
    return torch.inf if d.is_floating_point or d.is_complex else torch.iinfo(d).max if d is not torch.bool else True


def _filled(input: Tensor, mask: Tensor | None, fill: Any) -> Tensor:
    """The input with `fill`, a number or a function of its dtype, where the mask is False."""
    mask = _mask(input, mask)
    if mask is None:
        return input
    return torch.where(mask, input, torch.tensor(fill(input.dtype) if callable(fill) else fill, dtype=input.dtype, device=input.device))


def _count(input: Tensor, mask: Tensor | None, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    mask = _mask(input, mask)
    kept = torch.ones(input.shape, dtype=torch.int64, device=input.device) if mask is None else mask
    return torch.sum(kept, dims, keepdim=keepdim, dtype=torch.int64)


# ---------------------------------------------------------------- reductions
def sum(input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The sum over `dim` of the elements that are kept."""
    return torch.sum(_filled(input, mask, 0), _dims(dim, input.dim()), keepdim=bool(keepdim), dtype=dtype)


def prod(input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The product over `dim` of the elements that are kept."""
    made = _filled(input, mask, 1)
    if dtype is None and not (input.is_floating_point() or input.is_complex()):
        made = made.to(torch.int64)
    for d in reversed(_dims(dim, input.dim())):
        made = torch.prod(made, d, keepdim=bool(keepdim), dtype=dtype)
    return made


def _extreme(reduce: Callable, fill: Callable, doc: str) -> Callable:
    def function(input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
        made = reduce(_filled(input, mask, fill), _dims(dim, input.dim()), bool(keepdim))
        return made if dtype is None else made.to(dtype)

    function.__name__ = function.__qualname__ = reduce.__name__
    function.__doc__ = doc
    return function


amax = _extreme(torch.amax, _lowest, "The largest of the elements that are kept, over `dim`.")
amin = _extreme(torch.amin, _highest, "The smallest of the elements that are kept, over `dim`.")


def logsumexp(input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """log(sum(exp)) over `dim` of the elements that are kept, in the input's dtype unless `dtype` says otherwise."""
    made = torch.logsumexp(_filled(input, mask, _lowest), _dims(dim, input.dim()), bool(keepdim))
    return made.to(input.dtype if dtype is None else dtype)


def _position(reduce: Callable, fill: Callable, doc: str) -> Callable:
    def function(input: Tensor, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
        return reduce(_filled(input, mask, fill), dim, bool(keepdim)).to(input.dtype if dtype is None else dtype)

    function.__name__ = function.__qualname__ = reduce.__name__
    function.__doc__ = doc
    return function


argmax = _position(torch.argmax, _lowest, "Where the largest element that is kept is, in the input's dtype unless `dtype` says otherwise.")
argmin = _position(torch.argmin, _highest, "Where the smallest element that is kept is, in the input's dtype unless `dtype` says otherwise.")


def mean(input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The mean over `dim` of the elements that are kept. Raises ValueError for integers."""
    for kind, d in (("Input", input.dtype if dtype is None else None), ("Optional", dtype)):
        if d is not None and not (d.is_floating_point or d.is_complex):
            raise ValueError(f"mean(): Could not infer output dtype. {kind} dtype must be either a floating point or complex dtype. Got: {d}")
    dims = _dims(dim, input.dim())
    return sum(input, dims, keepdim=keepdim, dtype=dtype, mask=mask) / _count(input, mask, dims, bool(keepdim))


def median(input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The lower median along `dim` of the elements that are kept. Raises ValueError where nothing is kept of integers."""
    inexact = input.is_floating_point()
    filled = _filled(input if inexact else input.to(torch.float32), mask, torch.nan)
    made = torch.nanmedian(filled, _dims(dim, input.dim())[0], bool(keepdim)).values
    if inexact:
        return made
    if torch.isnan(made).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return made.to(input.dtype if dtype is None else dtype)


def norm(input: Tensor, ord: Any = 2.0, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The vector norm of order `ord` over `dim` of the elements that are kept."""
    filled = _filled(input, mask, torch.inf if ord == -torch.inf else 0)
    return FUNCTIONS["linalg.vector_norm"](filled, ord, _dims(dim, input.dim()), bool(keepdim), dtype=dtype)


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance over `dim` of the elements that are kept, divided by their number less `correction` (1; 0 if `unbiased` is False)."""
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 0 if unbiased is False else 1
    kind = input.dtype if dtype is None else dtype
    kind = kind if kind.is_floating_point or kind.is_complex else torch.get_default_dtype()
    dims = _dims(dim, input.dim())
    away = input - sum(input, dims, keepdim=True, dtype=kind, mask=mask) / _count(input, mask, dims, True)
    squares = away * away.conj() if away.is_complex() else away * away
    number = (_count(input, mask, dims, bool(keepdim)) - correction).clamp_min(0)
    return (sum(squares, dims, keepdim=keepdim, dtype=kind, mask=mask) / number).to(kind if dtype is None else dtype)


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The square root of `var`."""
    return torch.sqrt(var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask))


# ---------------------------------------------------------------- along one dimension
def _along(name: str, fill: Any, doc: str) -> Callable:
    apply = FUNCTIONS[name]

    def function(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
        return apply(_filled(input, mask, fill), _dims(dim, input.dim())[0], dtype=input.dtype if dtype is None else dtype)

    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = doc
    return function


cumsum = _along("cumsum", 0, "Sums along `dim` up to each element; what is masked out adds nothing.")
cumprod = _along("cumprod", 1, "Products along `dim` up to each element; what is masked out counts 1.")
softmax = _along("nn.functional.softmax", _lowest, "softmax along `dim` of the elements that are kept; 0 elsewhere.")
log_softmax = _along("nn.functional.log_softmax", _lowest, "log_softmax along `dim` of the elements that are kept.")
softmin = _along("nn.functional.softmin", _highest, "softmax of the negated input along `dim`, of the elements that are kept; 0 elsewhere.")


def normalize(input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The input over max(its norm of order `ord` along `dim`, eps), both of the elements that are kept."""
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, 0) / torch.maximum(size, torch.full([], eps, dtype=size.dtype, device=size.device))


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Tensor | None = None, other_mask: Tensor | None = None
) -> Tensor:
    """log(exp(input) + exp(other)) of the elements that are kept of each."""
    made = torch.logaddexp(_filled(input, input_mask, _lowest), _filled(other, other_mask, _lowest))
    return made.to(input.dtype if dtype is None else dtype)


__all__ = ["amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median", "norm", "normalize",
           "prod", "softmax", "softmin", "std", "sum", "var"]
