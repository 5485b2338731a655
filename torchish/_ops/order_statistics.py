"""Extrema and order statistics along dimensions: max, min, amax, aminmax, argmax, median, mode. Ties and NaN behave as torch on the CPU."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.op import Op, cast
from .._core.record import call
from .._core.spec import spec_of
from .._dtype import BOOL, COMPLEX
from .exact_out import exact_out, same_as_input, several
from .reduction import all_dims, one_dim, reduce, reduced_shape, reduction
from .return_types import return_type
from .rounding import exact
from .selection import is_nan, pick, picking, reduced_dim, refuse, running_max, widened
from .shared import wrap_dim
from .variants import METHODS, public

NO_IDENTITY = "(): Expected reduction dim to be specified for input.numel() == 0."


# ---------------------------------------------------------------- values only
def _among_dims(xp, g, out, x, dims, keepdim):
    """`g` shared evenly among the elements equal to the result; with none, NaN, as torch gives for amax of NaN."""
    mask = x == out
    return g * mask / xp.sum(mask, axis=dims, keepdims=True)


def _among_all(xp, g, out, x, dims, keepdim):
    """`g` shared evenly among the elements equal to the result, NaN to NaN; with none, 0."""
    mask = (x == out) | (xp.isnan(x) & xp.isnan(out))
    return xp.where(mask, g / xp.maximum(xp.sum(mask, keepdims=True), 1), xp.zeros((), g.dtype)).astype(g.dtype)


def _largest(xp, x, dims, keepdim):
    return xp.max(x, axis=dims, keepdims=keepdim)


def _smallest(xp, x, dims, keepdim):
    return xp.min(x, axis=dims, keepdims=keepdim)


def _signed(extreme, last: bool):
    """`extreme` with torch's sign where the result is 0: that of the first zero, or of the last. Of few elements, see rounding.exact."""
    def body(xp, x, dims, keepdim):
        made = extreme(xp, x, dims, keepdim)
        if x.dtype.kind != "f" or not dims or not exact(xp, x) or xp is np and not (made == 0).any():
            return made
        kept = tuple([d for d in range(x.ndim) if d not in dims])
        rows = xp.reshape(xp.transpose(x, kept + dims), tuple([x.shape[d] for d in kept]) + (-1,))
        zero = xp.flip(rows, -1) == 0 if last else rows == 0
        index = xp.argmax(zero, axis=-1)
        index = rows.shape[-1] - 1 - index if last else index
        picked = xp.take_along_axis(rows, xp.expand_dims(index, -1), -1)
        return xp.where(made == 0, xp.reshape(picked, made.shape), made)
    return body


BODIES = {"max": _signed(_largest, True), "min": _signed(_smallest, True)}
ALONG = {"max": _signed(_largest, False), "min": _signed(_smallest, False)}


def _check_identity(name: str, spec, given) -> None:
    """Raise IndexError where a reduced dimension is empty; the message shows it as it was `given`."""
    if spec.numel == 0:
        for number in given if given.__class__ in (tuple, list) else (given,):
            if spec.shape[wrap_dim(number, spec.ndim)] == 0:
                raise IndexError(f"{name}(): Expected reduction dim {number} to have non-zero size.")


def _declare_amax(which: str) -> None:
    name = "a" + which
    op = reduction(name, ALONG[which], f"A{which}Backward0", _among_dims, saves=(0, "result"))

    @public(name, out=True)
    def front(input, dim=(), keepdim=False):
        spec = input._spec
        if dim.__class__ in (tuple, list) and not dim and spec.numel == 0:
            raise RuntimeError(f"{name}{NO_IDENTITY} Specify the reduction dim with the 'dim' argument.")
        _check_identity(name, spec, dim)
        dims = all_dims(dim, spec.ndim)
        if spec.dtype.category == COMPLEX:
            refuse(f"{which}_values_cpu", spec.dtype)
        return reduce(op, input, dims, keepdim, spec.dtype)
    front.__doc__ = (f"The {which}imum over `dim` (all dimensions when none are given); a gradient is shared evenly among ties.\n\n"
                     "Raises IndexError or RuntimeError where there is nothing to choose from.")


_declare_amax("max")
_declare_amax("min")


# ---------------------------------------------------------------- max and min, in three forms
def _declare_max(which: str) -> None:
    grad = which.capitalize() + "Backward"
    over_all = reduction(which, BODIES[which], grad + "1", _among_all, saves=(0, "result"))
    over_dim = picking(f"{which}.dim", lambda xp, x, dim: xp.expand_dims(getattr(xp, "arg" + which)(x, axis=dim), dim), grad + "0")
    result = return_type(which, "values", "indices")
    other_name = which + "imum"

    @public(which, out=True)
    def front(input, dim=None, keepdim=False, *, other=None):
        if isinstance(dim, TensorBase):
            dim, other = None, dim
        if other is not None:
            return METHODS[other_name](input, other)
        spec = input._spec
        if dim is None:
            if keepdim:
                raise TypeError(f"{which}() received an invalid combination of arguments - keepdim needs dim")
            if spec.dtype.category == COMPLEX:
                refuse(f"{which}_all", spec.dtype)
            if spec.numel == 0:
                raise RuntimeError(f"{which}{NO_IDENTITY} Specify the reduction dim with the 'dim' argument.")
            return reduce(over_all, input, tuple(range(spec.ndim)), False, spec.dtype)
        dim = reduced_dim(which, spec, one_dim(which, dim))
        if spec.dtype.category == COMPLEX:
            raise RuntimeError(f"{which}(): does not support complex input")
        return pick(over_dim, result, input, dim, keepdim)
    front.__doc__ = (f"The {which}imum: of all elements; with `dim`, a named tuple (values, indices) along it, the first of ties; "
                     f"with another tensor, element by element.\n\nA gradient goes to the chosen index, or without `dim` evenly to all ties.")


_declare_max("max")
_declare_max("min")


# ---------------------------------------------------------------- argmax and argmin
def _arg_planner(op: Op, argtypes: tuple, static: dict):
    a, dim, keepdim = argtypes[0], static["dim"], static["keepdim"]
    dims = tuple(range(a.ndim)) if dim is None else (dim,) if a.ndim else ()
    shape = reduced_shape(a.shape, dims, keepdim)
    compute = widened(a.dtype)

    def impl(xp, x):
        x = cast(xp, x, compute)
        if dim is None or a.ndim == 0:
            x = xp.reshape(x, (-1,))
        index = op.body(xp, x, 0 if dim is None or a.ndim == 0 else dim)
        return cast(xp, xp.reshape(index, shape), dt.int64)
    return impl, spec_of(shape, dt.int64, a.device)


def _declare_argmax(which: str) -> None:
    name = "arg" + which
    op = Op(name, lambda xp, x, axis: getattr(xp, name)(x, axis=axis), _arg_planner)

    @public(name, out=True)
    def front(input, dim=None, keepdim=False):
        spec = input._spec
        if spec.dtype.category in (BOOL, COMPLEX):
            raise RuntimeError(f"{name}(): does not support {'bool' if spec.dtype.category == BOOL else 'complex'} input")
        if dim is not None:
            dim = reduced_dim(name, spec, one_dim(name, dim))
        elif spec.numel == 0:
            raise IndexError(name + NO_IDENTITY)
        return call(op, (input,), (("dim", dim), ("keepdim", bool(keepdim))))
    front.__doc__ = (f"The index of the {which}imum along `dim`, or in the flattened tensor when None; the first of ties, the first NaN if any.\n\n"
                     "Raises IndexError where there is nothing to choose from.")


_declare_argmax("max")
_declare_argmax("min")


# ---------------------------------------------------------------- aminmax
def _aminmax_planner(op: Op, argtypes: tuple, static: dict):
    a = argtypes[0]
    dims, keepdim = static["dims"], static["keepdim"]
    compute = widened(a.dtype)

    def impl(xp, x):
        x = cast(xp, x, compute)
        return cast(xp, BODIES["min"](xp, x, dims, keepdim), a.dtype), cast(xp, BODIES["max"](xp, x, dims, keepdim), a.dtype)
    out = spec_of(reduced_shape(a.shape, dims, keepdim), a.dtype, a.device)
    return impl, (out, out)


def _aminmax_rule(xp, g, out, x, *, dims, keepdim):
    shape, total = reduced_shape(x.shape, dims, True), None
    for gradient, extreme in zip(g, out):
        if gradient is not None:
            part = _among_dims(xp, xp.reshape(gradient, shape), xp.reshape(extreme, shape), x, dims, keepdim)
            total = part if total is None else total + part
    return total


aminmax_op = Op("aminmax", _smallest, _aminmax_planner, grad="AminmaxBackward0", saves=(0, "result", "indices"), vjp=(_aminmax_rule,))
AMINMAX = return_type("aminmax", "min", "max")


@public("aminmax", out=True)
def aminmax(input, *, dim=None, keepdim=False):
    """The minimum and maximum over `dim` (all dimensions when None), a named tuple (min, max). Raises where there is nothing to choose from."""
    spec = input._spec
    if dim is not None:
        wrapped = reduced_dim("aminmax", spec, one_dim("aminmax", dim), ":")
        dims = (wrapped,) if spec.ndim else ()
    elif spec.numel == 0:
        raise RuntimeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.")
    else:
        dims = tuple(range(spec.ndim))
    if spec.dtype.category == COMPLEX:
        if spec.ndim == 0 and dim is not None:
            raise RuntimeError(f"aminmax not implemented for {spec.dtype.legacy}")
        refuse("aminmax_cpu", spec.dtype)
    return AMINMAX(call(aminmax_op, (input,), (("dims", dims), ("keepdim", bool(keepdim)))))


# ---------------------------------------------------------------- median
def _median_index(skip_nan: bool):
    def body(xp, x, dim):
        """The lower median's index: NaN sorts last, so skipping it moves the middle, and not skipping it means the first NaN wins."""
        order = xp.argsort(x, axis=dim, stable=True)
        nan, n = is_nan(xp, x), x.shape[dim]
        valid = xp.sum(~nan, axis=dim, keepdims=True)
        middle = (valid - 1) // 2
        if skip_nan:
            return xp.take_along_axis(order, xp.where(middle < 0, 0, middle), dim)
        return xp.take_along_axis(order, xp.where(valid < n, valid, middle), dim)
    return body


def _of_nothing(d: np.dtype):
    """What C makes of NaN in this dtype: torch's median of no elements."""
    return np.nan if d.kind in "fc" else d.kind == "b" or (np.iinfo(d).min if d.itemsize >= 4 else 0)


def _median_all(skip_nan: bool):
    choose = _median_index(skip_nan)

    def body(xp, x, dims, keepdim):
        flat = xp.reshape(x, (-1,))
        if flat.size == 0:
            return xp.asarray(_of_nothing(flat.dtype), flat.dtype)
        return xp.reshape(xp.take_along_axis(flat, choose(xp, flat, 0), 0), ())
    return body


def _declare_median(name: str, skip_nan: bool) -> None:
    grad = name.capitalize() + "Backward"
    over_all = reduction(name, _median_all(skip_nan), grad + "0", _among_all, saves=(0, "result"))
    over_dim = picking(f"{name}.dim", _median_index(skip_nan), grad + "1")
    result = return_type(name, "values", "indices")

    @public(name, out=True)
    def front(input, dim=None, keepdim=False):
        spec = input._spec
        wrapped = None if dim is None else reduced_dim("median", spec, one_dim(name, dim))
        if spec.dtype.category in (BOOL, COMPLEX) and (spec.numel or dim is not None):
            refuse("median_cpu" if dim is None else "median_out", spec.dtype)
        if dim is None:
            if keepdim:
                raise TypeError(f"{name}() missing 1 required positional arguments: \"dim\"")
            return reduce(over_all, input, tuple(range(spec.ndim)), False, spec.dtype)
        return pick(over_dim, result, input, wrapped, keepdim)
    front.__doc__ = (f"The lower median of all elements; with `dim`, a named tuple (values, indices) along it. "
                     f"{'NaN is skipped.' if skip_nan else 'NaN wins.'}\n\nRaises IndexError for an empty dimension.")


_declare_median("median", False)
_declare_median("nanmedian", True)


# ---------------------------------------------------------------- mode
def _mode_index(xp, x, dim):
    """The last position of the smallest of the most frequent values: the end of the first longest run of equals in sorted order."""
    order = xp.moveaxis(xp.argsort(x, axis=dim, stable=True), dim, -1)
    ordered = xp.take_along_axis(xp.moveaxis(x, dim, -1), order, -1)
    position = xp.arange(x.shape[dim])
    starts = xp.concatenate([xp.ones(ordered.shape[:-1] + (1,), bool), ordered[..., 1:] != ordered[..., :-1]], -1)
    start = running_max(xp, xp.where(starts, position, 0), -1)
    at = xp.expand_dims(xp.argmax(position - start, axis=-1), -1)
    return xp.moveaxis(xp.take_along_axis(order, at, -1), -1, dim)


mode_op = picking("mode", _mode_index, "ModeBackward0")
MODE = return_type("mode", "values", "indices")


@public("mode", out=True)
def mode(input, dim=-1, keepdim=False):
    """The most frequent value along `dim` (the smallest of several) and its last index, a named tuple. Raises IndexError where there is none."""
    spec = input._spec
    wrapped = reduced_dim("mode", spec, one_dim("mode", dim))
    if spec.dtype.category == COMPLEX:
        refuse("mode_cpu", spec.dtype)
    return pick(mode_op, MODE, input, wrapped, keepdim)


exact_out("argmax", "argmin", "aminmax")
exact_out("max", "min", when=several)
exact_out("amax", "amin", message=same_as_input)
exact_out("mode", message=lambda name, want, have: f"expected scalar type '{want.legacy}' but got '{have.legacy}' for values output")
