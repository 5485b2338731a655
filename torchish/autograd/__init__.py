"""torch.autograd: gradients of recorded computations, and custom functions."""
from __future__ import annotations

import contextlib
import warnings

from .._core.backward import GradientEdge, backward_of, gradients_of
from .._core.handle import TensorBase
from .._core.modes import enable_grad as enable_grad
from .._core.modes import inference_mode as inference_mode
from .._core.modes import no_grad as no_grad
from .._core.modes import set_grad_enabled as set_grad_enabled
from .._core.saved import update_watch
from .._core.tape import state
from ..func._vmap import vmap
from ..tensor import Tensor as Variable
from . import forward_ad as forward_ad
from . import function as function
from . import functional as functional
from . import graph as graph
from .function import Function as Function
from .gradcheck import gradcheck as gradcheck
from .gradcheck import gradgradcheck as gradgradcheck


def _tuple(x) -> tuple:
    return (x,) if isinstance(x, (TensorBase, GradientEdge)) else tuple(x)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None) -> None:
    """Accumulate the gradients of `tensors` into the leaves of their graph (or into `inputs` only).

    `tensors` and `inputs` are tensors or GradientEdges; `grad_tensors` are the cotangents, one for each of `tensors` (None for a scalar's 1).
    Raises RuntimeError as `Tensor.backward` does.
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError("`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. "
                               "Please only use `grad_tensors`.")
        grad_tensors = grad_variables
    if inputs is not None and not isinstance(inputs, (TensorBase, GradientEdge)) and len(inputs) == 0:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    grads = None if grad_tensors is None else _tuple(grad_tensors)
    backward_of(_tuple(tensors), grads, retain_graph, create_graph, inputs)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None, is_grads_batched=False,
         materialize_grads=False) -> tuple:
    """The gradients of `outputs` with respect to `inputs` (tensors or GradientEdges), as a tuple; no `.grad` is touched.

    With `is_grads_batched` the `grad_outputs` have a leading batch dimension, and so have the results.

    Raises RuntimeError for an input that the outputs do not depend on, unless `allow_unused` (gives None) or `materialize_grads` (zeros).
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.")
    outputs, inputs = _tuple(outputs), _tuple(inputs)
    if not only_inputs:
        warnings.warn("only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts of the "
                      "graph, please use torch.autograd.backward.", FutureWarning, stacklevel=2)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    grads = None if grad_outputs is None else _tuple(grad_outputs)
    if not is_grads_batched:
        return gradients_of(outputs, inputs, grads, retain_graph, create_graph, bool(allow_unused), materialize_grads)

    def one(*each):
        return gradients_of(outputs, inputs, each, True, create_graph, bool(allow_unused), materialize_grads)
    return vmap(one)(*grads)


class set_detect_anomaly:
    """Switch anomaly detection on or off; a function and a context manager. `check_nan`: whether to look for nan in gradients."""

    def __init__(self, mode: bool, check_nan: bool = True):
        self.before = state.anomaly, state.anomaly_nan
        self._set(mode, check_nan)

    def _set(self, mode: bool, check_nan: bool) -> None:
        state.anomaly, state.anomaly_nan = mode, check_nan
        update_watch()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        self._set(*self.before)


class detect_anomaly(set_detect_anomaly):
    """Context manager: anomaly detection within it. A backward that fails names the line that recorded the failing node, and one that
    makes nan raises RuntimeError."""

    def __init__(self, check_nan: bool = True):
        self.check_nan = check_nan
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.",
                      stacklevel=2)

    def __enter__(self) -> None:
        self.before = state.anomaly, state.anomaly_nan
        self._set(True, self.check_nan)


@contextlib.contextmanager
def set_multithreading_enabled(mode: bool):
    """Accepted for torch's sake: backward runs on the calling thread."""
    yield


__all__ = ["Function", "Variable", "backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]
