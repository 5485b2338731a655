"""Public forms of an operation, generated from one front: function, Tensor method, in-place method, `out=`, operators, signature.

A front is a Python function with torch's parameter names that records operations. `public` registers it; element-wise ops get their
front generated here from the signature in their declaration.
"""
from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable

import numpy as np

from .. import _dtype as dt
from .._core import handle
from .._core.handle import TensorBase
from .._core.op import Op
from .._core.record import FIXED, call
from .._core.spec import Spec
from .._core.tape import state
from .._core.view import check_place, write
from .._promotion import can_cast
from .autocast import recasting
from .call_errors import explained
from .overlap import check_partial_overlap, check_single
from .signatures import NUMBERS_AS_TENSORS, NUMPY_NAMES, SIGNATURES

FUNCTIONS: dict[str, Callable] = {}  # torchish.NAME; dotted names live in a submodule: "special.erfinv", "nn.functional.relu"
METHODS: dict[str, Callable] = {}  # Tensor.NAME
PROPERTIES: dict[str, tuple] = {}  # Tensor.NAME without a call: (getter, setter or None)


def register(table: dict, name: str, function: Callable) -> None:
    """Put a public name into a table, once."""
    if name in table:
        raise ValueError(f"public name {name!r} is declared twice")
    table[name] = function


def public(name: str, *, function: bool = True, method: bool = True, inplace: bool = False, out: bool = False, also: tuple = ()):
    """Decorator for a front: make `torchish.name`, `Tensor.name`, `Tensor.name_` and the `out=` form from it.

    `also` lists further names: "absolute" (an alias, with all its forms) or dotted ones ("linalg.norm": function only).
    """
    def declare(front: Callable) -> Callable:
        return publish(front, name, function, method, inplace, out, also)
    return declare


def publish(front: Callable, name: str, function: bool, method: bool, inplace: bool, out: bool, also: tuple) -> Callable:
    """See `public`."""
    for each in (name, *also):
        dotted = "." in each
        if function or dotted:
            register(FUNCTIONS, each, _with_out(front, each) if out else guarded(front, each, False))
        if method and not dotted:
            register(METHODS, each, guarded(front, each, True, not function))
        if inplace and not dotted:
            register(METHODS, each + "_", _in_place(front, each + "_"))
            if function:
                register(FUNCTIONS, each + "_", METHODS[each + "_"])
    return next(table[each] for each in (name, *also) for table in (FUNCTIONS, METHODS) if each in table)


def _describe(made: Callable, front: Callable, name: str) -> Callable:
    functools.update_wrapper(made, front)
    made.__name__ = made.__qualname__ = name.rpartition(".")[2]
    return made


def guarded(front: Callable, name: str, method: bool, only: bool = False) -> Callable:
    """A public form: accepts NumPy's parameter names where torch does, and complains of wrong arguments as torch does.

    `only`: the front is a method and nothing else, so that its own messages count positions without self.
    """
    def function(*args, **kwargs):
        try:
            return front(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            return _after_error(front, name, method, args, kwargs, error, only)
    recast = recasting(name, METHODS)
    if recast is None:
        return _describe(function, front, name)

    def under_autocast(*args, **kwargs):  # in one frame with the call, to which warnings count their stack levels
        if state.autocast:
            args, kwargs = recast(args, kwargs)
        try:
            return front(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            return _after_error(front, name, method, args, kwargs, error, only)
    return _describe(under_autocast, front, name)


def _after_error(front: Callable, name: str, method: bool, args: tuple, kwargs: dict, error: Exception, only: bool = False):
    """Try again with NumPy's names replaced; else raise torch's error for the arguments, or the error as it is. See Note [Call errors]."""
    if _is_call_error(error):
        renamed = _renamed(front, kwargs)
        if renamed is not None:
            try:
                return front(*args, **renamed)
            except TypeError as again:
                error = again
    elif isinstance(error, AttributeError) and not any(error.obj is a or error.obj is type(a) for a in (*args, *kwargs.values())):
        raise error
    better = explained(front, name, method, args, kwargs, error, only)
    if better is None:
        raise error
    raise better from None


def _renamed(front: Callable, kwargs: dict) -> dict | None:
    if not any(k in NUMPY_NAMES for k in kwargs):
        return None
    parameters = inspect.signature(front).parameters
    return {NUMPY_NAMES[k] if k in NUMPY_NAMES and k not in parameters else k: v for k, v in kwargs.items()}


def _is_call_error(error: Exception) -> bool:
    return isinstance(error, TypeError) and error.__traceback__ is not None and error.__traceback__.tb_next is None


def _with_out(front: Callable, name: str) -> Callable:
    signature = inspect.signature(front)
    factory = "layout" in signature.parameters

    def function(*args, out=None, **kwargs):
        if out is not None:
            if factory:
                kwargs = _typed_by(out, kwargs)
            return call_into(guarded(front, name, False), name, args, kwargs, out)
        try:
            return front(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            return _after_error(front, name, False, args, kwargs, error)
    made = _describe(function, front, name)
    parameters = list(signature.parameters.values())
    parameters.append(inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None))
    made.__signature__ = signature.replace(parameters=parameters)
    recast = recasting(name, METHODS)
    if recast is None:
        return made

    def under_autocast(*args, **kwargs):
        if state.autocast and kwargs.get("out") is None:
            args, kwargs = recast(args, kwargs)
        return made(*args, **kwargs)
    return _describe(under_autocast, made, name)


def _typed_by(out, kwargs: dict) -> dict:
    """The arguments of a factory, which makes what `out` can hold. Raises RuntimeError where another dtype is asked for."""
    have, want = out._spec.dtype if isinstance(out, TensorBase) else None, kwargs.get("dtype")
    if want is None or have is None:
        return {**kwargs, "dtype": have}
    if want is not have and isinstance(want, dt.dtype):
        raise RuntimeError(f"dtype {want.legacy} does not match dtype of out parameter ({have.legacy})")
    return kwargs


def call_into(front: Callable, name: str, args: tuple, kwargs: dict, out):
    """The `out=` form: compute, then write into `out` (a tensor or a sequence of them). Raises RuntimeError as torch does."""
    if name in NUMBERS_AS_TENSORS and isinstance(out, (int, float, complex)):
        out = handle.from_array(np.asarray(out, dt.of_number(out).numpy))
    outs = out if isinstance(out, (tuple, list)) else (out,)
    for o in outs:
        if not isinstance(o, TensorBase):
            error = TypeError(f"{name}(): argument 'out' must be Tensor, not {type(o).__name__}")
            raise name in SIGNATURES and explained(front, name, False, args, {**kwargs, "out": out}, error) or error
    operands = tensors_of(args, kwargs)
    if state.grad and any(a._current_edge() is not None for a in (*operands, *outs)):
        raise RuntimeError(f"{name}(): functions with out=... arguments don't support automatic differentiation, "
                           "but one of the arguments requires grad.")
    before, state.grad = state.grad, False
    try:
        result = front(*args, **kwargs)
        results = result if isinstance(result, tuple) else (result,)
        for o, r in zip(outs, results):
            _check_cast(o, r)
            if o._spec.shape != r._spec.shape:
                _warn_of_resizing(o, r, operands)
            else:
                _check_memory(o, operands)
            write_out(o, r)
    finally:
        state.grad = before
    return out if not isinstance(result, tuple) or isinstance(out, tuple) and type(result) is tuple else type(result)(*outs) \
        if hasattr(result, "_fields") else type(result)(outs)


_RESIZED = ("An output with one or more elements was resized since it had shape {}, which does not match the required output shape {}. This "
            "behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they have zero elements. You can "
            "explicitly reuse an out tensor t by resizing it, inplace, to zero elements with t.resize_(0).")


def _warn_of_resizing(out: TensorBase, result: TensorBase, operands: list) -> None:
    """As torch does where `out` has elements; factories resize it silently."""
    if out._spec.numel and operands:
        warnings.warn(_RESIZED.format(list(out._spec.shape), list(result._spec.shape)), UserWarning, stacklevel=4)


def _check_memory(out: TensorBase, operands: list) -> None:
    """Raise RuntimeError where writing `out` element by element would change what is still to be read.

    torch refuses that in its iterator, and elsewhere computes with what it has overwritten.
    """
    check_single(out)
    shape = out._spec.shape
    for a in operands:
        if a is not out and a._storage is out._storage:
            own = a._spec.shape
            if len(own) <= len(shape) and all(n in (1, m) for n, m in zip(reversed(own), reversed(shape))):
                check_partial_overlap(out, a)


def tensors_of(args: tuple, kwargs: dict) -> list:
    """The tensors among the arguments of a call, those in lists included."""
    found = []
    for a in (*args, *kwargs.values()):
        if isinstance(a, TensorBase):
            found.append(a)
        elif isinstance(a, (tuple, list)):
            found += [t for t in a if isinstance(t, TensorBase)]
    return found


def _check_cast(out: TensorBase, result: TensorBase) -> None:
    have, want = out._spec.dtype, result._spec.dtype
    if have is not want and not can_cast(want, have):
        raise RuntimeError(f"result type {want.legacy} can't be cast to the desired output type {have.legacy}")


def write_out(out: TensorBase, result: TensorBase) -> None:
    """Write a result into an `out=` tensor: its dtype must be able to hold it; another shape resizes it."""
    _check_cast(out, result)
    have, want = out._spec, result._spec
    if have.shape != want.shape:
        METHODS["resize_"](out, want.shape)
        if result._strides is not None:
            METHODS["as_strided_"](out, want.shape, result._strides)
            (out._counter or out._storage).version -= 1
        (out._counter or out._storage).version -= 1  # the resizing and the write count as one
    value = result._read() if have.dtype is want.dtype else METHODS["to"](result, have.dtype)._read()
    write(out, value, None)


# ---------------------------------------------------------------- in-place
def check_writable(t: TensorBase) -> None:
    """Raise torch's error where an in-place operation on `t` is illegal."""
    check_place(t)
    check_single(t)


def _in_place(front: Callable, name: str) -> Callable:
    checked = guarded(front, name, True)

    def method(self, *args, **kwargs):
        check_writable(self)
        return assign(self, checked(self, *args, **kwargs))
    return _describe(method, front, name)


def check_fit(have: Spec, shape, d, shown: dict | None = None) -> None:
    """Raise RuntimeError unless an in-place operation's result of this shape and dtype fits its target, whose dtype is called as in `shown`."""
    if have.shape != shape:
        raise RuntimeError(f"output with shape {list(have.shape)} doesn't match the broadcast shape {list(shape)}")
    if have.dtype is not d and not can_cast(d, have.dtype):
        target = have.dtype.legacy if shown is None else shown[have.dtype.name]
        raise RuntimeError(f"result type {d.legacy} can't be cast to the desired output type {target}")


def assign(self: TensorBase, result: TensorBase) -> TensorBase:
    """Make `result` the content of `self`, as an in-place operation does: dtype and shape stay self's. Returns self."""
    have, got = self._spec, result._spec
    if have is not got:
        check_fit(have, got.shape, got.dtype)
        if got.dtype is not have.dtype:
            result = METHODS["to"](result, have.dtype)
    edge = result._edge
    own = self._counter or self._storage
    write(self, result._read(), edge)
    if edge is not None and edge[0].saved:
        edge[0].saved = tuple([(own.ref, own.version, i) if i < 0 else (FIXED, 0, i) if i == 0 and (c is own.ref or c is None) else (c, v, i)
                               for c, v, i in edge[0].saved])
    return self


# ---------------------------------------------------------------- element-wise fronts
def elementwise_variants(op: Op, signature: str, *, inplace: bool, function: bool, method: bool, also: tuple, doc: str) -> None:
    """Generate the front of an element-wise op from a signature such as "add(input, other, *, alpha=1)" and publish it."""
    name, _, rest = signature.partition("(")
    front = _elementwise_front(op, name, rest.rstrip(")"), doc)
    for each in (name, *also):
        dotted = "." in each
        if function or dotted:
            register(FUNCTIONS, each, _with_out(front, each))
        if method and not dotted:
            register(METHODS, each, guarded(front, each, True))
        if inplace and not dotted:
            made = elementwise_in_place(op, each + "_", front)
            register(METHODS, each + "_", made)
            if function:
                register(FUNCTIONS, each + "_", made)


def _elementwise_front(op: Op, name: str, parameters: str, doc: str) -> Callable:
    names = [p.partition("=")[0].strip() for p in parameters.split(",") if p.strip() not in ("*", "/")]
    space = {"_call": call, "_op": op, "_number": tensor_or_number}
    operands = ", ".join([names[0]] + [f"_number({n})" for n in names[1:]])
    source = f"def {name}({parameters}):\n    return _call(_op, ({operands},))\n"
    exec(source, space)
    front = space[name]
    front.__doc__ = doc or f"{name}({parameters}): torch's element-wise operation, with broadcasting and torch's type promotion."
    front.__module__ = "torchish"
    return front


def tensor_or_number(x):
    """An operand as the engine takes it: a tensor, a plain Python number, or None. NumPy scalars become numbers."""
    if x.__class__ in (float, int, bool, complex) or x is None or isinstance(x, TensorBase):
        return x
    if isinstance(x, (int, float, complex)):
        return x.__class__.__mro__[-2](x)
    if hasattr(x, "item") and getattr(x, "ndim", 1) == 0:
        return x.item() if x.__class__ is not np.bool_ else float(x)  # torch does not know NumPy's bool for one, and asks for a float
    raise TypeError(f"unsupported operand type: {type(x).__name__}")


def elementwise_in_place(op: Op, name: str, front: Callable) -> Callable:
    """`name_`: the op computed in promoted dtypes and cast into self's dtype, all in one node."""
    signature = inspect.signature(front)

    def method(self, *args, **kwargs):
        check_writable(self)
        try:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            operands = [tensor_or_number(a) for a in bound.args] + [tensor_or_number(a) for a in bound.kwargs.values()]
            return write_elementwise(op, self, tuple(operands))
        except TypeError as error:
            raise explained(front, name, True, (self, *args), kwargs, error) or error from None
    return _describe(method, front, name)


def write_elementwise(op: Op, self: TensorBase, operands: tuple, static: tuple = ()) -> TensorBase:
    """Record an element-wise op into `self`. Raises RuntimeError where the result's dtype or shape does not fit."""
    if len(operands) > 1 or op.info.kind:
        have, storage = self._spec, self._storage
        for a in operands:
            if a is not self and isinstance(a, TensorBase) and a._own is None and a._storage is storage:
                check_partial_overlap(self, a)
        try:
            natural = op.plan(tuple(a._read().spec if isinstance(a, TensorBase) else a.__class__ for a in operands), static).out
        except RuntimeError as error:
            check_fit(have, getattr(error, "shape", have.shape), getattr(error, "dtype", have.dtype))
            raise
        check_fit(have, natural.shape, natural.dtype, op.info.shown)
        if natural.dtype is not have.dtype:
            return assign(self, call(op, operands, (*static, ("into", have.dtype))))
    return assign(self, call(op, operands, static))


__all__ = ["FUNCTIONS", "METHODS", "PROPERTIES", "assign", "call_into", "check_writable", "dt", "elementwise_variants", "guarded", "handle",
           "public", "publish", "register", "tensor_or_number", "tensors_of", "write_elementwise", "write_out"]
