"""What the element-wise families share beyond their rows: refusals decided when a call is planned, and fronts that choose among several ops.

A guard runs once for each kind of call (operand types), never per call, so it costs the hot path nothing. It knows no operation by name.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array
from .._core.op import Op
from .._core.record import call
from .._core.spec import Spec
from .declare import promoted
from .halves import HALVES
from .variants import FUNCTIONS, METHODS, check_writable, guarded, public, register, tensor_or_number, write_elementwise

COMPLEX_DTYPES = (dt.complex64, dt.complex128)
REAL_FLOATS = (dt.float16, dt.bfloat16, dt.float32, dt.float64)
INTEGERS = tuple(d for d in dt.DTYPES if d.category == dt.INTEGER)
NUMBERS = (int, float, bool, complex)
C_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "complex64": "c10::complex<float>",
           "complex128": "c10::complex<double>", "int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char",
           "uint8": "unsigned char", "bool": "bool"}  # a dtype as torch's messages about C++ types print it


# ---------------------------------------------------------------- guards
def guard(check: Callable, *ops: Op) -> None:
    """Run `check(argtypes)` before planning `ops`; it raises for operand types that torch refuses, and may return other operand types to
    plan with (NoneType for an operand that takes no part in promotion).
    """
    for op in ops:
        op.planner = _guarded(op.planner, check)


def _guarded(planner: Callable, check: Callable) -> Callable:
    def made(op, argtypes, static):
        changed = check(argtypes)
        return planner(op, argtypes if changed is None else changed, static)
    return made


def tensors_only(name: str, *parameters: str) -> Callable:
    """A guard: every operand must be a tensor. Raises TypeError as torch does, with the function's parameter names."""
    def check(argtypes):
        for i, (a, parameter) in enumerate(zip(argtypes, parameters)):
            if a.__class__ is not Spec:
                raise TypeError(f"{name}(): argument '{parameter}' (position {i + 1}) must be Tensor, not {a.__name__}")
    return check


def unweighted(count: int) -> Callable:
    """A guard: only the first `count` operands decide dtype and shape; the others are factors such as `alpha`."""
    def check(argtypes):
        return argtypes[:count] + (type(None),) * (len(argtypes) - count)
    return check


def refuse_complex(text: str, error: type = NotImplementedError) -> Callable:
    """A guard: a complex tensor operand raises `error(text)`."""
    def check(argtypes):
        if any(a.__class__ is Spec and a.dtype.category == dt.COMPLEX for a in argtypes):
            raise error(text)
    return check


def tensor_first(name: str, parameter: str = "other") -> Callable:
    """A guard for functions that take (Tensor, Tensor or number) but no number first. Raises TypeError with torch's list of signatures."""
    def check(argtypes):
        if argtypes[0].__class__ is not Spec:
            got = ", ".join("Tensor" if a.__class__ is Spec else a.__name__ for a in argtypes)
            raise TypeError(wrong_arguments(name, got, parameter))
    return check


def wrong_arguments(name: str, got: str, parameter: str = "other") -> str:
    """torch's message for operands that fit no signature of a (Tensor, Tensor or number) function."""
    return (f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n"
            f" * (Tensor input, Tensor {parameter}, *, Tensor out = None)\n * (Tensor input, Number {parameter}, *, Tensor out = None)\n")


def as_operands(a, b) -> tuple:
    """Two operands of a function that accepts numbers on either side; of two numbers the first becomes a 0-dim tensor."""
    if a is None or b is None:
        raise TypeError("unsupported operand type: NoneType")
    a, b = tensor_or_number(a), tensor_or_number(b)
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        a = from_array(np.asarray(a, dt.of_number(a).numpy))
    return a, b


def is_integral(*operands) -> bool:
    """Whether the operands (tensors, numbers) promote to an integer or bool dtype."""
    for a in operands:
        if a.__class__ in (float, complex) or (isinstance(a, TensorBase) and a._spec.dtype.category >= dt.FLOATING):
            return False
    return True


def common_dtype(argtypes) -> dt.dtype:
    """The promoted dtype of operand types."""
    return promoted(argtypes)


# ---------------------------------------------------------------- fronts that choose an op
def choice(signature: str, choose: Callable, *, doc: str, out: bool = True, inplace: bool = True, function: bool = True, method: bool = True,
           also: tuple = (), function_inplace: bool = False) -> Callable:
    """Publish `signature`, such as "pow(input, exponent)", where `choose(*arguments) -> (op, operands[, static])` picks the op of each call.

    Makes the function, the method, `out=` and the in-place form (computed and cast in one node, as for single-op rows).
    """
    name, _, rest = signature.partition("(")
    parameters = rest.rstrip(")")
    names = [p.partition("=")[0].strip() for p in parameters.split(",") if p.strip() not in ("*", "/")]
    space = {"_call": call, "_choose": choose, "_check": check_writable, "_write": _write_chosen}
    arguments = ", ".join(names)
    exec(f"def {name}({parameters}):\n    return _call(*_choose({arguments}))\n"
         f"def {name}_({parameters}):\n    _check({names[0]})\n    return _write({names[0]}, *_choose({arguments}))\n", space)
    front, front_in_place = space[name], space[name + "_"]
    front.__doc__, front.__module__ = doc, "torchish"
    front_in_place.__doc__, front_in_place.__module__ = f"In-place {name}().", "torchish"
    published = public(name, function=function, method=method, out=out, also=also)(front)
    for each in (name, *also) if inplace else ():
        if "." not in each:
            register(METHODS, each + "_", guarded(front_in_place, each + "_", True))
            if function_inplace:
                register(FUNCTIONS, each + "_", guarded(front_in_place, each + "_", False))
    return published


def _write_chosen(self: TensorBase, op: Op, operands: tuple, static: tuple = ()) -> TensorBase:
    try:
        return write_elementwise(op, self, operands, static)
    except RuntimeError as error:
        if op.info.rescue is not None and str(error) == "ZeroDivisionError":
            op.info.rescue(op, self, *operands)
        raise


# ---------------------------------------------------------------- Python operators
def operand(x):
    """The other operand of a Python operator: a tensor, a number, or a NumPy array taken as a tensor. NotImplemented for anything else."""
    if x.__class__ in NUMBERS or isinstance(x, TensorBase):
        return x
    if isinstance(x, np.ndarray):
        return from_array(np.array(x)) if x.dtype in dt.BY_NUMPY else NotImplemented
    if x is None:
        return NotImplemented
    try:
        return tensor_or_number(x)
    except TypeError:
        return NotImplemented


def operator(name: str, choose: Callable, *, inplace: bool = True, reflected: Callable | None = None) -> None:
    """Register `__name__`, `__rname__` and `__iname__` from `choose(input, other) -> (op, operands[, static])`.

    `reflected(self, other)` computes `other OP self`; by default `choose` with its arguments exchanged.
    """
    def forward(self, other):
        if other.__class__ not in NUMBERS and not isinstance(other, TensorBase):
            other = operand(other)
            if other is NotImplemented:
                return other
        return call(*choose(self, other))

    def backward(self, other):
        if isinstance(other, np.ndarray) and other.ndim:
            return NotImplemented
        if name in _DESCRIPTORS and not isinstance(self, TensorBase):
            raise TypeError(f"descriptor '__r{name}__' for 'torch._C.TensorBase' objects doesn't apply to a '{type(self).__name__}' object")
        other = operand(other)
        if other is NotImplemented:
            return other
        if reflected is not None:
            return reflected(self, other)
        return call(*choose(self, other) if name in _COMMUTATIVE else choose(other, self))

    def in_place(self, other):
        other = operand(other)
        if other is NotImplemented:
            return other
        check_writable(self)
        return _write_chosen(self, *choose(self, other))
    register(METHODS, f"__{name}__", forward)
    register(METHODS, f"__r{name}__", backward)
    if inplace:
        register(METHODS, f"__i{name}__", in_place)


_COMMUTATIVE = ("add", "mul")  # torch records `2 * t` as `t * 2`
_DESCRIPTORS = ("add", "mul", "and", "or", "xor")  # whose reflected forms are not Python functions in torch


def pick(op: Op) -> Callable:
    """The trivial choice: always `op`, of the operands as they are."""
    def choose(*operands):
        return op, operands
    return choose


__all__ = ["COMPLEX_DTYPES", "C_NAMES", "HALVES", "INTEGERS", "NUMBERS", "REAL_FLOATS", "as_operands", "choice", "common_dtype", "guard",
           "is_integral", "operand", "operator", "pick", "refuse_complex", "tensor_first", "tensors_only", "unweighted", "wrong_arguments"]
