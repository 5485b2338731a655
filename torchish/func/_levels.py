"""One level of reverse mode: inputs that a function's graph ends at, and gradients that leave with only what belongs to the graphs outside.

Note [Reverse levels]: an input that already has a place in a graph is passed through an identity, which becomes the level's end; any other
becomes a leaf of its own. Backward runs with create_graph only where the graph reaches something outside the level.
"""
from __future__ import annotations

from .. import _public as torch
from .._core import handle
from .._core.backward import gradients_of
from .._core.dual import identity
from .._core.record import call
from .._core.tape import state
from ..tensor import Tensor


class Level:
    """The inputs of one reverse-mode transform, and what their graph is good for."""

    def __init__(self):
        self.tracked = state.grad  # whether results may belong to a graph outside
        self.leaves: set = set()  # graph nodes that end here and nowhere else
        self.inputs: list[Tensor] = []

    def enter(self, t: Tensor) -> Tensor:
        """`t` as the function gets it: an input to differentiate in. Raises RuntimeError for dtypes that have no gradient."""
        if not t._read().spec.differentiable:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if t._current_edge() is not None and self.tracked:
            made = call(identity, (t,))
        else:
            made = handle.alias(t)
            handle.set_leaf(made, True)
            self.leaves.add(made._edge[0])
        self.inputs.append(made)
        return made

    def reaches_out(self, tensors) -> bool:
        """Whether the graph of any of these tensors goes on outside this level."""
        stack, seen = [t._current_edge() for t in tensors], set()
        while stack:
            edge = stack.pop()
            if edge is None or edge[0] in seen:
                continue
            node = edge[0]
            seen.add(node)
            if not node.edges and node not in self.leaves:
                return True
            stack.extend(node.edges)
        return False

    def leave(self, t: Tensor) -> Tensor:
        """A result as it is outside: in a graph only if it depends on something there."""
        if t._current_edge() is None or self.tracked and self.reaches_out((t,)):
            return t
        return handle.alias(t)

    def gradients(self, outputs: list, cotangents: list | None, retain: bool, create_graph: bool | None = None) -> list:
        """The gradients of `outputs` in the inputs, zeros where they do not depend on them."""
        used = [i for i, t in enumerate(outputs) if t._current_edge() is not None]
        if not used:
            return [torch.zeros_like(t.detach()) for t in self.inputs]
        outputs = [outputs[i] for i in used]
        cotangents = None if cotangents is None else tuple(cotangents[i] for i in used)
        graph = state.grad and self.tracked if create_graph is None else create_graph
        create = graph and self.reaches_out((*outputs, *(cotangents or ())))
        found = gradients_of(tuple(outputs), tuple(self.inputs), cotangents, retain or create, create, True, True)
        return [self.leave(g) for g in found] if create else list(found)


def check_tensor(x) -> Tensor:
    """Raise torch's error for a leaf of the arguments that is no tensor."""
    if not isinstance(x, Tensor):
        raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
    return x


__all__ = ["Level", "check_tensor"]
