"""torch.autograd.functional: jacobian, hessian and the products vjp, jvp, hvp and vhp, by the tape's own backward and tangents.

All rows of a Jacobian are computed at once (by vmap) whether `vectorize` asks for it or not: only the recorded program is smaller. Where
the graph holds Python code that reads values, and `vectorize` is off, the rows are computed one after the other.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _public as torch
from .._core import dual
from .._core.backward import gradients_of
from .._core.capture import BatchedRead
from .._core.dual import identity
from .._core.modes import enable_grad
from .._core.record import call
from ..func._jacobians import basis_of, jacfwd
from ..func._vmap import vmap
from ..tensor import Tensor
from .function import NO_JVP

HESSIAN = ("While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is independent of the input. "
           "This is not allowed in strict mode. You should ensure that your function is twice differentiable and that the jacobian depends on the "
           "inputs (this would be violated by a linear function for example).")
OUTPUT = ("Output {} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner from the "
          "input when running in strict mode.")
JACOBIAN = "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict mode when create_graph=True."
UNUSED = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."


# ---------------------------------------------------------------- arguments and results
def _as_tuple(x, what: str, name: str) -> tuple[bool, tuple]:
    """(whether it was a tuple, the tuple). Raises TypeError for anything but tensors."""
    given = f"{what} given to {name}"
    short = what if what in ("inputs", "v") else "outputs of the user-provided function"
    if isinstance(x, Tensor):
        return False, (x,)
    if not isinstance(x, tuple):
        raise TypeError(f"The {given} must be either a Tensor or a tuple of Tensors but the given {short} has type {type(x)}.")
    for i, t in enumerate(x):
        if not isinstance(t, Tensor):
            raise TypeError(f"The {given} must be either a Tensor or a tuple of Tensors but the value at index {i} has type {type(t)}.")
    return True, x


def _inputs(inputs, name: str, create_graph: bool) -> tuple[bool, tuple]:
    """The inputs with a place of their own in the graph, leading to the caller's where `create_graph`."""
    was_tuple, tensors = _as_tuple(inputs, "inputs", name)
    return was_tuple, tuple(call(identity, (t,)) if create_graph and t.requires_grad else t.detach().requires_grad_() for t in tensors)


def _outputs(func: Callable, inputs: tuple, name: str, strict: bool) -> tuple[bool, tuple]:
    was_tuple, outputs = _as_tuple(func(*inputs), "outputs of the user-provided function", name)
    if strict:
        _check_tracked(outputs, OUTPUT)
    return was_tuple, outputs


def _check_tracked(tensors: tuple, message: str) -> None:
    for i, t in enumerate(tensors):
        if not t.requires_grad:
            raise RuntimeError(message.format(i))


def _vector(v, refs: tuple, was_tuple: bool, name: str, missing: str) -> tuple:
    """The vector of a product: `v` checked against `refs`, or a 1 where `refs` is one number."""
    if v is None:
        if len(refs) != 1 or refs[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {missing} a single Tensor with a single element.")
        return (torch.ones_like(refs[0].detach()),)
    _, vectors = _as_tuple(v, "v", name)
    if len(vectors) != len(refs):
        if was_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(refs)} but got {len(vectors)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (have, want) in enumerate(zip(vectors, refs)):
        if have.shape != want.shape:
            prefix = f"Entry {i} in v" if was_tuple and len(refs) > 1 else "v"
            raise RuntimeError(f"{prefix} has invalid size: should be {want.shape} but got {have.shape}.")
    return vectors


def _filled(grads, refs: tuple, strict: bool, create_graph: bool, unused: str = UNUSED, constant: str = JACOBIAN) -> tuple:
    """Zeros for missing gradients; in strict mode errors instead, and for those that are constant where a graph is wanted."""
    made = []
    for i, (g, ref) in enumerate(zip(grads, refs)):
        if g is None:
            if strict:
                raise RuntimeError(unused.format(i))
            g = torch.zeros_like(ref.detach())
        elif strict and create_graph and not g.requires_grad:
            raise RuntimeError(constant.format(i))
        made.append(g)
    return tuple(made)


def _given_back(tensors: tuple, was_tuple: bool, create_graph: bool):
    if not create_graph:
        tensors = tuple(t.detach() for t in tensors)
    return tensors if was_tuple else tensors[0]


def _gradients(outputs: tuple, inputs: tuple, cotangents: tuple, create_graph: bool) -> tuple:
    """The gradients, None where an input is not used; outputs without a graph count for nothing."""
    used = [i for i, t in enumerate(outputs) if t.requires_grad]
    if not used:
        return (None,) * len(inputs)
    return gradients_of(tuple(outputs[i] for i in used), inputs, tuple(cotangents[i] for i in used), True, create_graph, True, False)


def _scalar(func: Callable, name: str) -> Callable:
    """`func` checked to return one number."""
    def checked(*inputs):
        was_tuple, outputs = _as_tuple(func(*inputs), "outputs of the user-provided function", name)
        if was_tuple:
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if outputs[0].numel() != 1:
            raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
        return outputs[0].squeeze()
    return checked


# ---------------------------------------------------------------- products
def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(outputs, v times the Jacobian of `func` at `inputs`). `v` has the outputs' shapes; None for one number.

    create_graph: the product is differentiable. strict: raise RuntimeError for independent inputs and outputs instead of returning zeros.
    """
    with enable_grad():
        inputs_tuple, inside = _inputs(inputs, "vjp", create_graph)
        outputs_tuple, outputs = _outputs(func, inside, "vjp", strict)
        vectors = _vector(v, outputs, outputs_tuple, "vjp", "the user-provided function returns")
        found = _filled(_gradients(outputs, inside, vectors, create_graph), inside, strict, create_graph)
    return _given_back(outputs, outputs_tuple, create_graph), _given_back(found, inputs_tuple, create_graph)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(outputs, the Jacobian of `func` at `inputs` times v). `v` has the inputs' shapes; None for one number. See `vjp` for the rest."""
    try:
        return _jvp_forward(func, inputs, v, create_graph, strict)
    except NotImplementedError as error:
        if error.args != (NO_JVP,):
            raise
        return _jvp_backward(func, inputs, v, create_graph, strict)


def _jvp_backward(func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool) -> tuple:
    """`jvp` for functions without forward mode: the gradients are linear in their cotangents, and are differentiated in those."""
    with enable_grad():
        inputs_tuple, inside = _inputs(inputs, "jvp", create_graph)
        vectors = _vector(v, inside, inputs_tuple, "jvp", "the input to the user-provided function is")
        outputs_tuple, outputs = _outputs(func, inside, "jvp", strict)
        cotangents = tuple(torch.zeros_like(t.detach()).requires_grad_() for t in outputs)
        gradients = _filled(_gradients(outputs, inside, cotangents, True), inside, strict, False)
        found = _filled(_gradients(gradients, cotangents, vectors, create_graph), outputs, strict, create_graph)
    return _given_back(outputs, outputs_tuple, create_graph), _given_back(found, outputs_tuple, create_graph)


def _jvp_forward(func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool) -> tuple:
    with enable_grad(), dual.level() as level:
        inputs_tuple, inside = _inputs(inputs, "jvp", create_graph)
        vectors = _vector(v, inside, inputs_tuple, "jvp", "the input to the user-provided function is")
        duals = tuple(dual.make(t, tangent, level) for t, tangent in zip(inside, vectors))
        outputs_tuple, outputs = _outputs(func, duals, "jvp", strict)
        if strict:
            _filled(_gradients(outputs, inside, tuple(torch.ones_like(t.detach()) for t in outputs), False), inside, True, False)
        pairs = [dual.unpack(t, level) for t in outputs]
        found = _filled([t for _, t in pairs], outputs, strict, create_graph)
    return _given_back(tuple(p for p, _ in pairs), outputs_tuple, create_graph), _given_back(found, outputs_tuple, create_graph)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(output, the Hessian of the scalar function `func` at `inputs` times v), forward over reverse. See `vjp` for the rest."""
    try:
        return _hvp_forward(func, inputs, v, create_graph, strict)
    except NotImplementedError as error:
        if error.args != (NO_JVP,):
            raise
        return vhp(func, inputs, v, create_graph, strict)  # a Hessian is symmetric


def _hvp_forward(func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool) -> tuple:
    with enable_grad(), dual.level() as level:
        inputs_tuple, inside = _inputs(inputs, "hvp", create_graph)
        vectors = _vector(v, inside, inputs_tuple, "hvp", "the input to the user-provided function is")
        duals = tuple(dual.make(t, tangent, level) for t, tangent in zip(inside, vectors))
        _, outputs = _outputs(_scalar(func, "hvp"), duals, "hvp", strict)
        jacobian = _filled(_gradients(outputs, duals, (torch.ones_like(outputs[0].detach()),), create_graph or strict), inside, strict, False)
        if strict:
            _check_tracked(jacobian, HESSIAN)
        found = _filled([dual.unpack(g, level)[1] for g in jacobian], inside, False, create_graph)
        output = dual.unpack(outputs[0], level)[0]
    return _given_back((output,), False, create_graph), _given_back(found, inputs_tuple, create_graph)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(output, v times the Hessian of the scalar function `func` at `inputs`), reverse over reverse. See `vjp` for the rest."""
    with enable_grad():
        inputs_tuple, inside = _inputs(inputs, "vhp", create_graph)
        vectors = _vector(v, inside, inputs_tuple, "vhp", "the input to the user-provided function is")
        _, outputs = _outputs(_scalar(func, "vhp"), inside, "vhp", strict)
        jacobian = _filled(_gradients(outputs, inside, (torch.ones_like(outputs[0].detach()),), True), inside, strict, False)
        if strict:
            _check_tracked(jacobian, HESSIAN)
        found = _filled(_gradients(jacobian, inside, vectors, create_graph), inside, strict, create_graph)
    return _given_back(outputs, False, create_graph), _given_back(found, inputs_tuple, create_graph)


# ---------------------------------------------------------------- Jacobians
def jacobian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode"):
    """The Jacobian of `func` at `inputs`: for one output and one input a tensor of the output's shape followed by the input's.

    Tuples of outputs or inputs give tuples (of tuples). strategy "forward-mode" needs `vectorize` and no graph. strict: raise RuntimeError
    where an output does not depend on an input, instead of returning zeros.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, '
                             '"forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".')
    if strategy == "forward-mode":
        return _jacobian_forward(func, inputs, create_graph, strict, vectorize)
    with enable_grad():
        inputs_tuple, inside = _inputs(inputs, "jacobian", create_graph)
        outputs_tuple, outputs = _outputs(func, inside, "jacobian", strict)
        if strict and vectorize:
            raise RuntimeError("torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either "
                               "set `strict=False` or `vectorize=False`.")
        rows = []
        for i, out in enumerate(outputs):
            unused = f"Output {i} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
            row = _rows(out, inside, create_graph, vectorize)
            shaped = [None if g is None else g.reshape(*out.shape, *x.shape) for g, x in zip(row, inside)]
            refs = [torch.zeros(*out.shape, *x.shape, dtype=x.dtype, device=x.device) if g is None else g for g, x in zip(shaped, inside)]
            rows.append(_given_back(_filled(shaped, refs, strict, create_graph, unused), inputs_tuple, create_graph))
    return tuple(rows) if outputs_tuple else rows[0]


def _rows(out: Tensor, inputs: tuple, create_graph: bool, vectorize: bool) -> list:
    """For each input the gradients of all elements of `out`, stacked along the first dimension; None for an unused input."""
    if out.is_complex():
        raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {out.dtype!r}")
    if out.numel() == 1:
        return [None if g is None else torch.stack([g]) for g in _gradients((out,), inputs, (torch.ones_like(out.detach()),), create_graph)]
    used: list = []

    def row(cotangent):
        found = _gradients((out,), inputs, (cotangent,), create_graph)
        used[:] = [g is not None for g in found]
        return [g for g in found if g is not None]
    if not out.requires_grad:
        return [None] * len(inputs)
    basis = basis_of([out])[0]
    try:
        stacked = vmap(row)(basis)
    except BatchedRead:
        if vectorize:
            raise
        stacked = [torch.stack(column) for column in zip(*[row(b) for b in basis])]
    found = iter(stacked)
    return [next(found) if u else None for u in used]


def _jacobian_forward(func: Callable, inputs: Any, create_graph: bool, strict: bool, vectorize: bool):
    if strict:
        raise NotImplementedError('torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together (yet). '
                                  'Please either set `strict=False` or `strategy="reverse-mode"`.')
    if not vectorize:
        raise NotImplementedError("Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for `vectorize=True`.")
    if create_graph:
        raise NotImplementedError('torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together '
                                  '(yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.')
    inputs_tuple, tensors = _as_tuple(inputs, "inputs", "jacobian")

    output_is_tuple: list = []

    def noted(*inside):
        result = func(*inside)
        was_tuple, outputs = _as_tuple(result, "outputs of the user-provided function", "jacobian")
        output_is_tuple[:] = [was_tuple]
        return outputs
    blocks = jacfwd(noted, tuple(range(len(tensors))))(*tensors)
    rows = tuple(_given_back(row, inputs_tuple, False) for row in blocks)
    return rows if output_is_tuple[0] else rows[0]


def hessian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode"):
    """The Hessian of the scalar function `func` at `inputs`: for one input a tensor of its shape twice, for a tuple a tuple of tuples.

    outer_jacobian_strategy: "forward-mode" (with `vectorize`) or "reverse-mode" for the second derivative. strict: see `jacobian`.
    """
    inputs_tuple, _ = _as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def scalar(*inside):
        return _outputs(_scalar(func, "hessian"), inside, "hessian", strict)[1][0]

    def gradient(*inside):
        if outer_jacobian_strategy == "forward-mode":
            inside = tuple(t.requires_grad_() if t.is_leaf else t for t in inside)
        found = jacobian(scalar, inside, create_graph=True)
        if strict:
            _check_tracked(found, HESSIAN)
        return found
    rows = jacobian(gradient, inputs if inputs_tuple else (inputs,), create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if inputs_tuple else rows[0][0]


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
