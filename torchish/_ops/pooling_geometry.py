"""The sizes of pooling windows: reading the arguments, torch's checks of them and its messages, the sizes of results. Knows no arrays."""
from __future__ import annotations

from .nn_common import ntuple
from .shared import shape_text, wrap_dim

_COUNT = ("one", "two", "three")


def pooled_size(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """The number of windows along a dimension; in ceil mode a last window may run over, if it starts inside the input or its left padding."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (-(-span // stride) if ceil_mode else span // stride) + 1
    if ceil_mode and (out - 1) * stride >= size + padding:
        out -= 1
    return out


def pool_arguments(name: str, rank: int, x, kernel_size, stride, padding, dilation) -> tuple:
    """(kernel, stride, padding, dilation), each a tuple of `rank` ints. Raises RuntimeError for sizes that do not fit, or the input's rank."""
    kernel = _ints(name, "kernel_size", kernel_size, rank)
    stride = kernel if stride is None or (isinstance(stride, (tuple, list)) and not stride) else _ints(name, "stride", stride, rank)
    padding, dilation = _ints(name, "padding", padding, rank), _ints(name, "dilation", dilation, rank)
    if x.ndim not in (rank + 1, rank + 2):
        raise _wrong_rank(name, rank, x)
    (_check_max_1d if name == "max_pool1d" else _check_windows)(kernel, stride, padding, dilation)
    if any(n == 0 for n in x.shape[-rank - 1:]):
        raise RuntimeError(_empty(name, rank, x))
    return kernel, stride, padding, dilation


def _ints(name: str, what: str, value, rank: int) -> tuple:
    if not isinstance(value, (int, tuple, list)):
        place = "" if name.startswith("avg") or what != "kernel_size" else "(position 2) "
        raise TypeError(f"{name}(): argument '{what}' {place}must be tuple of ints, not {type(value).__name__}")
    made = ntuple(value, rank)
    if len(made) == rank:
        return made
    if name == "max_pool1d":
        options = {"stride": "None, an int, list of ints, or", "padding": "an int, list of ints, or"}.get(what, "an int, list of ints or")
        raise RuntimeError(f"{name}() {what} must be {options} tuple of ints of size 1 but got size {len(made)}")
    if rank == 1:
        raise RuntimeError(f"{name}() argument '{what}' should contain one int (got {len(made)})")
    must = "must be" if name == "avg_pool3d" else "must be either" if what == "dilation" else "must either be"
    raise RuntimeError(f"{name}: {what} {must} {'omitted, ' if what == 'stride' else ''}a single int, or a tuple of {_COUNT[rank - 1]} ints")


def _wrong_rank(name: str, rank: int, x) -> RuntimeError:
    if name == "max_pool1d":
        return RuntimeError(f"{name}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape_text(x.shape)}")
    if rank == 1:
        return wrong_rank_1d(name, x)
    if name == "avg_pool2d":  # torch looks at the third size from the end first
        if x.ndim == 0:
            raise IndexError("Dimension specified as -3 but tensor has no dimensions")
        wrap_dim(-3, x.ndim)
        return RuntimeError(_empty(name, rank, x))
    return RuntimeError(f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected for input")


def wrong_rank_1d(name: str, x) -> RuntimeError:
    """torch's error for an input of a one-dimensional pooling that has neither 2 nor 3 dimensions."""
    return RuntimeError(f"Expected 2 to 3 dimensions, but got {x.ndim}-dimensional tensor for argument #1 'self' (while checking arguments for "
                        f"{name})")


def _empty(name: str, rank: int, x) -> str:
    if name == "max_pool1d":
        return f"{name}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape_text(x.shape)}"
    if rank == 3:
        kernel = "max_pool3d_with_indices_out_cpu_template" if name == "max_pool3d" else name
        return (f"{kernel}(): Expected input's non-batch dimensions to have positive length, but input has a shape of {shape_text(x.shape)} and "
                "non-batch dimension 0 has length zero!")
    shape = (*x.shape[:-1], 1, x.shape[-1]) if rank == 1 else x.shape
    return f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape_text(shape)}"


def _check_windows(kernel, stride, padding, dilation) -> None:
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    for what, letter, values in (("kernel size", "k", kernel), ("stride", "d", stride), ("dilation", "dilation", dilation)):
        if any(v <= 0 for v in values):
            raise RuntimeError(f"{what} should be greater than zero, but got {_sides(letter, values)}")
    for k, p, d in zip(kernel, padding, dilation):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > (d * (k - 1) + 1) // 2:
            raise RuntimeError(f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}")


def _sides(letter: str, values: tuple) -> str:
    values = as_2d(values)
    return " ".join(f"{letter}{n}: {v}" for n, v in zip("THW"[-len(values):], values))


def _check_max_1d(kernel, stride, padding, dilation) -> None:
    for what, (value,) in (("kernel_size", kernel), ("stride", stride)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {what} must be greater than zero, but got {value}")
    if padding[0] < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {padding[0]}")
    if padding[0] > kernel[0] // 2:
        raise RuntimeError(f"max_pool1d() padding should be at most half of kernel size, but got padding={padding[0]} and kernel_size={kernel[0]}")
    if dilation[0] <= 0:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {dilation[0]}")


def pooled_sizes(name: str, rank: int, x, kernel, stride, padding, dilation, ceil_mode) -> tuple:
    """The result's sizes in the pooled dimensions. Raises RuntimeError where one is not positive."""
    inside = x.shape[-rank:]
    sizes = tuple(pooled_size(n, k, s, p, d, ceil_mode) for n, k, s, p, d in zip(inside, kernel, stride, padding, dilation))
    if all(n >= 1 for n in sizes):
        return sizes
    if name == "max_pool1d":
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {sizes[0]}")
    if name == "avg_pool3d":
        raise RuntimeError("input image ({}) smaller than kernel size ({})".format(
            " ".join(f"{n}: {v}" for n, v in zip("THW", inside)), " ".join(f"k{n}: {v}" for n, v in zip("THW", kernel))))
    before, after = ("x".join(map(str, (x.shape[-rank - 1], *as_2d(s)))) for s in (inside, sizes))
    raise RuntimeError(f"Given input size: ({before}). Calculated output size: ({after}). Output size is too small")


def as_2d(sizes) -> tuple:
    """The sizes of a one-dimensional pooling as torch computes it: of height 1."""
    return (1, *sizes) if len(sizes) == 1 else tuple(sizes)


# ---------------------------------------------------------------- adaptive pooling
def adaptive_sizes(name: str, rank: int, x, output_size) -> tuple:
    """The output sizes of an adaptive pooling; None keeps the input's. Raises RuntimeError for sizes that do not fit, or the input's rank."""
    sizes = _output_size(name, rank, x, output_size)
    means = name.startswith("adaptive_avg")
    if means and any(s < 0 for s in sizes):
        listed = "{}, {}".format(*as_2d(sizes)) if rank < 3 else "{}, {},{}".format(*sizes)
        raise RuntimeError(f"adaptive_avg_pool{max(rank, 2)}d: elements of output_size must be greater than or equal to 0 but received "
                           f"{{{listed}}}")
    checks = (_check_adaptive_rank, _check_adaptive_inside)
    for check in reversed(checks) if means and rank == 3 else checks:
        check(name, rank, x, means)
    if any(s < 0 for s in sizes):
        shape = (*x.shape[:-rank], *as_2d(sizes))
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {shape_text(shape)}")
    return sizes


def _output_size(name: str, rank: int, x, given) -> tuple:
    if rank == 1:
        sizes = ntuple(given, 1)
        if len(sizes) != 1:
            raise RuntimeError(f"{name}() argument 'output_size' should contain one int (got {len(sizes)})")
        return sizes
    if isinstance(given, int):
        return (given,) * rank
    if len(given) >= x.ndim:
        raise ValueError(f"Input dimension should be at least {len(given) + 1}")
    sizes = tuple(n if o is None else int(o) for o, n in zip(given, x.shape[-len(given):]))
    if len(sizes) != rank:
        raise RuntimeError(f"{name}: output_size must be {rank}" if name.startswith("adaptive_avg") else
                           f"{name}(): internal error: output_size.size() must be {rank}")
    return sizes


def _check_adaptive_rank(name: str, rank: int, x, means: bool) -> None:
    if x.ndim not in (rank + 1, rank + 2):
        raise wrong_rank_1d(name, x) if rank == 1 else RuntimeError(
            f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got{'' if means else ':'} {shape_text(x.shape)}")


def _check_adaptive_inside(name: str, rank: int, x, means: bool) -> None:
    for i in range(x.ndim - rank if means and rank < 3 else 1, x.ndim):
        if x.shape[i] == 0:
            shape, place = x.shape, i
            if means and rank == 1:
                name, shape, place = "adaptive_avg_pool2d", (*x.shape[:-1], 1, 0), i + 1
            raise RuntimeError(f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {shape_text(shape)} "
                               f"with dimension {place} being empty")


__all__ = ["adaptive_sizes", "pool_arguments", "pooled_sizes"]
