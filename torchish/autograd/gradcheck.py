"""gradcheck and gradgradcheck: recorded gradients against central differences.

Note [Layout]: a Jacobian here has a row for each element of the input and a column for each element of the output, as torch prints it. For a
complex input a row holds d/dx + i d/dy; complex outputs are checked by their real and imaginary parts.
"""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import _public as torch
from .._core.backward import gradients_of
from ..func._forward import jvp
from ..func._vmap import vmap
from ..tensor import Tensor

REENTRANT = ("Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although "
             "analytical gradient matches numerical gradient.The tolerance for nondeterminism was {}.\n\nNOTE: If your op relies on "
             "non-deterministic operations this failure might be expected: pass `nondet_tol=<tol>` as a keyword argument.\n")


class GradcheckError(RuntimeError):
    """A recorded gradient does not agree with the numerical one."""


class _Options(NamedTuple):
    eps: float
    atol: float
    rtol: float
    nondet_tol: float


def gradcheck(func: Callable, inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True,
              nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False, check_batched_grad: bool = False,
              check_batched_forward_grad: bool = False, check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
              masked: bool | None = None) -> bool:
    """Whether the gradients of `func` at `inputs` agree with central differences of step `eps`.

    func: returns a tensor or a tuple of them. inputs: a tensor or a tuple; those that require grad are checked, and should be float64 or
    complex128. atol, rtol: torch.allclose's. nondet_tol: how far two runs of backward may differ. check_undefined_grad: zero cotangents must
    give zero gradients. check_grad_dtypes: gradients have their input's dtype. check_batched_grad, check_batched_forward_grad: the same
    under vmap. check_forward_ad, check_backward_ad: which modes. fast_mode: accepted; all elements are compared in either mode.
    Raises GradcheckError for a disagreement, or returns False with `raise_exception=False`; ValueError if no input requires grad.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    options = _Options(eps, atol, rtol, nondet_tol)
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    try:
        places = _check_inputs(inputs)
        _check(func, inputs, places, options, backward=check_backward_ad, forward=check_forward_ad, batched=check_batched_grad,
               batched_forward=check_batched_forward_grad, zero=check_undefined_grad, dtypes=check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func: Callable, inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
                  gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True, nondet_tol: float = 0.0,
                  check_undefined_grad: bool = True, check_grad_dtypes: bool = False, check_batched_grad: bool = False,
                  check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True, fast_mode: bool = False, masked: bool = False) -> bool:
    """Whether the second gradients of `func` at `inputs` agree with central differences of the first. See `gradcheck`.

    grad_outputs: the cotangents at which to differentiate, random ones if not given. gen_non_contig_grad_outputs: make those non-contiguous.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = _differentiable(func(*inputs))
    if grad_outputs is None:
        given = tuple(_random_like(o, inputs, gen_non_contig_grad_outputs) for o in outputs)
    else:
        given = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)
    count = len(given)

    def gradient(*args):
        args, cotangents = args[:-count], args[-count:]
        found = gradients_of(_differentiable(func(*args)), tuple(x for x in args if _wanted(x)), cotangents, True, True, True, False)
        return tuple(g for g in found if g is not None)
    return gradcheck(gradient, (*inputs, *given), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol,
                     check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
                     check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked)


# ---------------------------------------------------------------- arguments
def _wanted(x) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _check_inputs(inputs: tuple) -> list[int]:
    """The places of the inputs to differentiate in."""
    places = [i for i, x in enumerate(inputs) if _wanted(x)]
    if not places:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True.")
    for i in places:
        x = inputs[i]
        if x.dtype not in (torch.float64, torch.complex128):
            warnings.warn(f"Input #{i} requires gradient and is not a double precision floating point or complex. This check will likely fail if all "
                          "the inputs are not of double precision floating point or complex. ", stacklevel=4)
        if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape)):
            raise RuntimeError(f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able "
                               "to compute the numerical gradients correctly. You should call .contiguous on the input before passing it "
                               "to gradcheck.")
    return places


def _tuple(outputs) -> tuple:
    return (outputs,) if not isinstance(outputs, (tuple, list)) else tuple(outputs)


def _differentiable(outputs) -> tuple:
    return tuple(o for o in _tuple(outputs) if o.requires_grad)


def _random_like(o: Tensor, inputs: tuple, strided: bool) -> Tensor:
    """A random cotangent, drawn apart from the user's generator."""
    drawn = np.random.RandomState(o.numel()).standard_normal((*o.shape, 2))
    made = torch.tensor(drawn[..., 0] + 1j * drawn[..., 1] if o.is_complex() else drawn[..., 0]).to(o.dtype)
    return (torch.stack([made, made], -1)[..., 0] if strided else made).requires_grad_()


# ---------------------------------------------------------------- the check
def _check(func, inputs: tuple, places: list, options: _Options, *, backward, forward, batched, batched_forward, zero, dtypes) -> None:
    outputs = _tuple(func(*inputs))
    tracked = [k for k, o in enumerate(outputs) if o.requires_grad]
    if not tracked:
        _check_no_dependence(func, inputs, places, options, outputs)
        return
    for k in tracked:
        for part in ("imaginary", "real") if outputs[k].is_complex() else ("",):
            _check_output(func, inputs, places, options, k, tracked.index(k), part, outputs, backward, forward)
    if backward:
        if batched:
            _check_batched(outputs, tracked, inputs, places, options)
        if zero:
            _check_zero(outputs, tracked, inputs, places, dtypes)
    if batched_forward:
        _check_batched_forward(func, inputs, places, options)


def _check_output(func, inputs, places, options, k: int, shown: int, part: str, outputs, backward, forward) -> None:
    """Compare one output (or its real or imaginary part) in all inputs."""
    start = f"While considering the {part} part of complex outputs only, " if part else ""
    found = _analytical(outputs[k], [inputs[j] for j in places], part) if backward else None
    for n, j in enumerate(places):
        numerical = _numerical(func, inputs, j, k, part, options.eps)
        if found is not None:
            _compare(found[n], numerical, options, f"{start}Jacobian mismatch for output {shown} with respect to input {n},\n", outputs[k])
            again = _analytical(outputs[k], [inputs[j]], part)[0]
            if not np.allclose(found[n], again, rtol=0, atol=options.nondet_tol, equal_nan=True):
                raise GradcheckError(REENTRANT.format(options.nondet_tol))
        if forward:
            along = _along(func, inputs, j, k, part)
            message = f"{start}Jacobian computed with forward mode mismatch for output {shown} with respect to input {n},\n"
            _compare(along, numerical, options, message, outputs[k])


def _compare(analytical: np.ndarray, numerical: np.ndarray, options: _Options, message: str, output: Tensor) -> None:
    if not np.allclose(analytical, numerical, rtol=options.rtol, atol=options.atol, equal_nan=True):
        shown = torch.tensor(numerical)
        if output.dtype in (torch.float32, torch.complex64):
            shown = shown.to(output.dtype)
        raise GradcheckError(f"{message}numerical:{shown}\nanalytical:{torch.tensor(analytical)}\n")


def _host(t: Tensor) -> np.ndarray:
    return t.detach().cpu().resolve_conj().numpy() if hasattr(t, "resolve_conj") else t.detach().cpu().numpy()


def _part(a: np.ndarray, part: str) -> np.ndarray:
    return a.imag if part == "imaginary" else a.real if part else a


def _with(inputs: tuple, j: int, values: np.ndarray) -> tuple:
    made = torch.tensor(values).to(inputs[j].dtype).requires_grad_(inputs[j].requires_grad)
    return _replaced(inputs, j, made)


def _replaced(inputs: tuple, j: int, new: Tensor) -> tuple:
    """The inputs with number `j` replaced, wherever the same tensor was given."""
    return tuple(new if x is inputs[j] else x for x in inputs)


def _numerical(func, inputs: tuple, j: int, k: int, part: str, eps: float) -> np.ndarray:
    base = _host(inputs[j])
    rows = []
    for place in np.ndindex(base.shape):
        row = _difference(func, inputs, j, k, part, base, place, eps)
        if np.iscomplexobj(base):
            row = row + 1j * _difference(func, inputs, j, k, part, base, place, eps * 1j)
        rows.append(row)
    width = _tuple(func(*inputs))[k].numel()
    return np.stack(rows) if rows else np.zeros((0, width))


def _difference(func, inputs, j, k, part, base: np.ndarray, place: tuple, step) -> np.ndarray:
    sides = []
    for sign in (1, -1):
        moved = np.array(base)
        moved[place] += sign * step
        sides.append(_part(_host(_tuple(func(*_with(inputs, j, moved)))[k]).reshape(-1), part).astype(np.float64))
    return (sides[0] - sides[1]) / (2 * abs(step))


def _cotangents(output: Tensor, part: str):
    for place in range(output.numel()):
        flat = np.zeros(output.numel(), np.complex128 if output.is_complex() else np.float64)
        flat[place] = 1j if part == "imaginary" else 1
        yield torch.tensor(flat.reshape(tuple(output.shape))).to(output.dtype)


def _analytical(output: Tensor, inputs: list, part: str) -> list:
    """For each input the Jacobian by backward: one run for each element of the output."""
    columns = []
    for cotangent in _cotangents(output, part):
        found = gradients_of((output,), tuple(inputs), (cotangent,), True, False, True, False)
        columns.append([np.zeros(x.numel(), _host(x).dtype) if g is None else _host(g).reshape(-1) for g, x in zip(found, inputs)])
    if not columns:
        return [np.zeros((x.numel(), 0), _host(x).dtype) for x in inputs]
    return [np.stack([column[n] for column in columns], 1) for n in range(len(inputs))]


def _along(func, inputs: tuple, j: int, k: int, part: str) -> np.ndarray:
    """The Jacobian in input `j` by forward mode: one run for each element of the input, two for complex ones."""
    x = inputs[j]

    def one(t):
        return _tuple(func(*_replaced(inputs, j, t)))[k]

    def column(place: int, step) -> np.ndarray:
        flat = np.zeros(x.numel(), np.complex128 if x.is_complex() else np.float64)
        flat[place] = step
        tangent = torch.tensor(flat.reshape(tuple(x.shape))).to(x.dtype)
        return _part(_host(jvp(one, (x.detach().requires_grad_(),), (tangent,))[1]).reshape(-1), part)
    rows = [column(p, 1) + 1j * column(p, 1j) if x.is_complex() else column(p, 1) for p in range(x.numel())]
    return np.stack(rows) if rows else np.zeros((0, one(x).numel()))


# ---------------------------------------------------------------- further checks
def _check_no_dependence(func, inputs, places, options, outputs) -> None:
    for k, o in enumerate(outputs):
        if o.is_floating_point() or o.is_complex():
            for j in places:
                if np.abs(_numerical(func, inputs, j, k, "real" if o.is_complex() else "", options.eps)).max(initial=0) > options.atol:
                    raise GradcheckError("Numerical gradient for function expected to be zero")


def _check_zero(outputs, tracked, inputs, places, dtypes: bool) -> None:
    wanted = tuple(inputs[j] for j in places)
    chosen = tuple(outputs[k] for k in tracked)
    zeros = tuple(torch.zeros_like(o.detach()) for o in chosen)
    for x, g in zip(wanted, gradients_of(chosen, wanted, zeros, True, False, True, False)):
        if g is None:
            continue
        if np.any(_host(g) != 0):
            raise GradcheckError("backward not multiplied by grad_output")
        if dtypes and g.dtype != x.dtype:
            raise GradcheckError("grad is incorrect type")


def _check_batched(outputs, tracked, inputs, places, options) -> None:
    wanted = tuple(inputs[j] for j in places)
    for shown, k in enumerate(tracked):
        output = outputs[k]
        cotangents = list(_cotangents(output, ""))[:8]
        if not cotangents:
            continue

        def pull(cotangent, output=output):
            return gradients_of((output,), wanted, (cotangent,), True, False, False, True)
        single = [pull(c) for c in cotangents]
        together = vmap(pull)(torch.stack(cotangents))
        for n, found in enumerate(together):
            expected = np.stack([_host(row[n]) for row in single])
            if not np.allclose(_host(found), expected, rtol=options.rtol, atol=options.atol, equal_nan=True):
                raise GradcheckError(f"For output {shown} and input {n}:\n\ngradcheck or gradgradcheck failed while testing batched gradient "
                                     "computation.\n"
                                     f"Got:\n{found}\n\nExpected:\n{torch.tensor(expected)}\n")


def _check_batched_forward(func, inputs, places, options) -> None:
    for n, j in enumerate(places):
        x = inputs[j]

        def push(tangent, j=j, x=x):
            return jvp(lambda t: _differentiable_or_all(func(*_replaced(inputs, j, t))), (x.detach(),), (tangent,))[1]
        tangents = torch.stack([torch.ones_like(x.detach()), torch.full_like(x.detach(), 0.5)])
        single = [push(tangent) for tangent in tangents]
        for shown, found in enumerate(vmap(push)(tangents)):
            expected = np.stack([_host(row[shown]) for row in single])
            if not np.allclose(_host(found), expected, rtol=options.rtol, atol=options.atol, equal_nan=True):
                raise GradcheckError(f"For output {shown} and input {n}:\n\ngradcheck or gradgradcheck failed while testing batched forward gradient "
                                     f"computation.\nGot:\n{found}\n\nExpected:\n{torch.tensor(expected)}\n")


def _differentiable_or_all(outputs) -> tuple:
    return tuple(o for o in _tuple(outputs) if o.is_floating_point() or o.is_complex())


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
