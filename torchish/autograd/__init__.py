"""torch.autograd: gradients of recorded computations, and custom functions."""
from __future__ import annotations

import contextlib

from .._core.backward import backward_of, gradients_of
from .._core.handle import TensorBase
from .._core.modes import enable_grad as enable_grad
from .._core.modes import inference_mode as inference_mode
from .._core.modes import no_grad as no_grad
from .._core.modes import set_grad_enabled as set_grad_enabled
from .._core.tape import state
from ..tensor import Tensor as Variable
from . import function as function
from .function import Function as Function


def _tuple(x) -> tuple:
    return (x,) if isinstance(x, TensorBase) else tuple(x)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None) -> None:
    """Accumulate the gradients of `tensors` into the leaves of their graph (or into `inputs` only).

    `grad_tensors` are the cotangents, one for each tensor (None for a scalar's 1). Raises RuntimeError as `Tensor.backward` does.
    """
    if inputs is not None and not isinstance(inputs, TensorBase) and len(inputs) == 0:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    tensors = _tuple(tensors)
    grads = None if grad_tensors is None else _tuple(grad_tensors)
    if grads is not None and len(grads) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(grads)} gradients")
    backward_of(tensors, grads, retain_graph, create_graph, inputs)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None, is_grads_batched=False,
         materialize_grads=False) -> tuple:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    Raises RuntimeError for an input that the outputs do not depend on, unless `allow_unused` (gives None) or `materialize_grads` (zeros).
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.")
    if is_grads_batched:
        raise NotImplementedError("torchish: autograd.grad(is_grads_batched=True) is not there yet")
    grads = None if grad_outputs is None else _tuple(grad_outputs)
    outputs = _tuple(outputs)
    if grads is not None and len(grads) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients")
    return gradients_of(outputs, _tuple(inputs), grads, retain_graph, create_graph, bool(allow_unused), materialize_grads)


class set_detect_anomaly:
    """Switch anomaly detection on or off; a function and a context manager."""

    def __init__(self, mode: bool, check_nan: bool = True):
        self.before = state.anomaly
        state.anomaly = mode

    def __enter__(self):
        return None

    def __exit__(self, *error):
        state.anomaly = self.before


class detect_anomaly(set_detect_anomaly):
    """Context manager: anomaly detection within it."""

    def __init__(self, check_nan: bool = True):
        super().__init__(True, check_nan)


@contextlib.contextmanager
def set_multithreading_enabled(mode: bool):
    """Accepted for torch's sake: backward runs on the calling thread."""
    yield


__all__ = ["Function", "Variable", "backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]
