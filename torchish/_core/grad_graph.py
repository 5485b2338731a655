"""The autograd graph that users see as `grad_fn`: one GradNode for each recorded differentiable op, and AccumulateGrad for leaves.

Edges point from a result to its operands, as (node, output number). The class of a node carries torch's name, e.g. AddBackward0.
"""
from __future__ import annotations

import functools
import weakref
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from .op import Plan
from .removable import RemovableHandle, add_hook
from .spec import Spec
from .tape import Node, Value

ACCUMULATE_SEQ = 1 << 62  # leaves accumulate as soon as their gradient is ready, as in torch's engine


class GradNode:
    """A node of the autograd graph, made by `record.grow_graph`.

    node: the recorded computation, dropped when the graph is freed. edges: (GradNode, output number) or None for each operand.
    saved: (version counter, version, operand) of what torch's node keeps; no counter for an operand that had no Storage yet, see
    `counter_of`. extra: hooks and other rarities, None without them.
    """

    node = None
    edges: tuple = ()
    seq = 0
    saved: tuple = ()
    freed = False
    extra: dict | None = None
    outputs = 1
    spare: tuple | None = None
    # what users call it; differs from the class's name only where torch's does
    label = ""
    # whether a tensor that points here is a leaf: nothing was recorded for it
    ends = False
    # whether its backward is the user's Python code, which torch runs even when no gradient arrives
    python = False
    # whether it has an edge for a Python number too: torch wraps that in a tensor, and keeps it like one
    wraps = False
    # how many operands count as tensors; None: all
    tensors: int | None = None
    # whether its gradients are torch's zero tensors, which have no memory
    zero = False

    def name(self) -> str:
        """The node's name, such as 'AddBackward0'."""
        return self.label or type(self).__name__

    @property
    def next_functions(self) -> tuple:
        """((grad_fn or None, output number), ...), one for each operand that torch's node has an edge for."""
        shape = self._shape()
        if shape is not None:
            return shown_edges(self, shape)
        edges = [self.edges[i] for i in self.operands()]
        return tuple([(None, 0) if e is None or e[0].__class__ is Nowhere else e for e in edges])

    def _shape(self) -> tuple | None:
        """What torch shows below a node of an operation that is several there, see Note [Composites]."""
        if self.python:
            return None
        plan = self.plan()
        return SHAPES[plan.op.name](plan) if plan.needs is None and plan.op.name in SHAPES else None

    def operands(self) -> tuple:
        """The operands that count as edges: differentiable tensors, absent ones, and numbers where torch wraps them in a tensor."""
        marked = self.extra.get("tensor_operands") if self.extra else None
        if marked is not None:
            return tuple([i for i, counts in enumerate(marked) if counts])
        types = self.plan().argtypes[:len(self.edges)][:self.tensors]
        wraps = self.wraps
        return tuple([i for i, a in enumerate(types) if (a.differentiable if isinstance(a, Spec) else a is type(None) or wraps)])

    def plan(self) -> Plan:
        """The Plan of the recorded computation, known after it was freed too."""
        return self.node.plan if self.node is not None else self.spare[0]

    def output_spec(self, number: int) -> Spec:
        """The Spec of an output."""
        return self.plan().outs[number]

    @property
    def requires_grad(self) -> bool:
        """True: nodes exist only where a gradient is tracked."""
        return True

    @property
    def _input_metadata(self) -> list:
        """The specs of the node's outputs, whose gradients come in."""
        return [self.output_spec(i) for i in range(self.outputs)]

    @property
    def metadata(self) -> dict:
        """A dict for the user's own notes, kept with the node."""
        return self._extra().setdefault("metadata", {})

    def _sequence_nr(self) -> int:
        return self.seq

    def _extra(self) -> dict:
        if self.extra is None:
            self.extra = {}
        return self.extra

    def register_hook(self, hook) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node's gradients are computed; a tuple that it returns replaces grad_inputs."""
        return add_hook(self._extra().setdefault("hooks", OrderedDict()), hook)

    def register_prehook(self, hook) -> RemovableHandle:
        """Call `hook(grad_outputs)` before this node runs; a tuple that it returns replaces grad_outputs."""
        return add_hook(self._extra().setdefault("prehooks", OrderedDict()), hook)

    # ------------------------------------------------------------ used by backward
    def release(self) -> None:
        """Free what the node keeps for backward. A node that keeps no tensors remembers enough to run again, as torch's can."""
        node = self.node
        self.freed = True
        if node is not None:
            self.node = None
            if self.saved:
                self.spare = node.plan, None
                if self.extra is not None:
                    self.extra.pop("packed", None)
            else:
                self.spare = node.plan, tuple([v.spec if v.__class__ is Value else v for v in node.inputs]) if node.plan.numbers else None

    def revive(self) -> Node:
        """A stand-in for the freed computation of a node that keeps no tensors: its gradients do not depend on the operands' values."""
        plan, operands = self.spare
        return Node(plan, tuple([stand_in(v) if v.__class__ is Spec else v for v in operands or plan.argtypes]))

    def keeps_tensors(self) -> bool:
        """Whether torch's node keeps tensors, so that a second backward through it raises."""
        return bool(self.saved)

    def vjp(self, needs: tuple, cotangents: list, walk) -> tuple:
        """Gradients for the operands `needs`, recorded by `walk`."""
        return walk.record(self, needs, cotangents)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {hex(id(self))}>"


def counter_of(node: GradNode, ref, operand: int):
    """The version counter of a saved operand or result; None where it is gone, or was never shared and so never modified."""
    if ref is None:
        if operand < 0:
            return None  # as soon as the result has a Storage, `keep_counter` notes it
        ref = node.node.inputs[operand].holder
        if ref is None:
            return None
    return ref()


def keep_counter(node: GradNode, number: int, counter) -> None:
    """Note the version counter of result `number`, where the node keeps that result."""
    if node.saved:
        node.saved = tuple([(counter.ref, counter.version, i) if i == -1 - number and c is None else (c, v, i) for c, v, i in node.saved])


def stand_in(spec: Spec) -> Value:
    """A Value of this spec whose content does not matter; it takes no memory."""
    return Value(spec, None, 0, np.broadcast_to(np.zeros((), spec.dtype.numpy), tuple(spec.shape)))


# Note [Composites]: some operations are one node here and several in torch's graph. For those a table says what a walker of the graph is to see:
# operation -> `f(plan)`, the trees below its node. A tree is an operand's number, None, or (name, trees). The nodes on the way exist for
# walkers only; gradients pass them by.
SHAPES: dict[str, Callable[[Plan], tuple]] = {}
_shown: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # of a node: its next_functions, so that they are the same each time


class Shown(GradNode):
    """A node that only walkers of the graph see, see Note [Composites]."""

    __slots__ = ("below",)

    def __init__(self, seq: int, below: tuple):
        self.node, self.edges, self.saved, self.freed, self.extra, self.outputs = None, (), (), False, None, 1
        self.seq, self.below = seq, below

    @property
    def next_functions(self) -> tuple:
        return self.below

    def register_hook(self, hook) -> RemovableHandle:
        """Raises NotImplementedError: gradients do not come by here."""
        raise NotImplementedError(f"torchish: {self.name()} is part of one operation here and only shown; hooks can be put on the node above it")

    register_prehook = register_hook


def shown_edges(node: GradNode, shape: tuple) -> tuple:
    """The `next_functions` of a node of a composite operation."""
    found = _shown.get(node)
    if found is None:
        found = _shown[node] = tuple([_shown_edge(node, tree) for tree in shape])
    return found


def _shown_edge(node: GradNode, tree) -> tuple:
    if tree is None:
        return None, 0
    if tree.__class__ is int:
        edge = node.edges[tree]
        return (None, 0) if edge is None or edge[0].__class__ is Nowhere else edge
    name, trees = tree
    below = tuple([_shown_edge(node, t) for t in trees])
    return (None, 0) if all(e[0] is None for e in below) else (_shown_class(name)(node.seq, below), 0)


@functools.cache
def _shown_class(name: str) -> type:
    return type(name, (Shown,), {"__slots__": ()})


class AccumulateGrad(GradNode):
    """The graph's end at a leaf: adds what arrives to `variable.grad`."""

    __slots__ = ("leaf",)
    ends = True

    def __init__(self, tensor):
        self.node = None
        self.edges = ()
        self.seq = ACCUMULATE_SEQ
        self.outputs = 1
        self.saved = ()
        self.freed = False
        self.extra = None
        self.leaf = weakref.ref(tensor)

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    @property
    def variable(self):
        """The leaf tensor."""
        return self.leaf()

    @property
    def next_functions(self) -> tuple:
        return ()

    def release(self) -> None:
        """Leaves are never freed."""


class CopySlices(GradNode):
    """What an in-place write through a view leaves on the base: the base with a region replaced.

    As in torch its edges are the base's old place and what the writing operation used beside the view.
    """

    __slots__ = ()
    label = "torch::autograd::CopySlices"

    def keeps_tensors(self) -> bool:
        """True: it keeps what differentiates the write, which a backward frees."""
        return True

    @property
    def next_functions(self) -> tuple:
        old, writer = self.edges[:2]
        return (old or (None, 0), *(writer[0].next_functions[1:] if writer is not None else ()))


class Underivable(GradNode):
    """torch's node for an operation without a derivative: backward through it raises (see op.py, _make_vjp_plan)."""

    __slots__ = ()
    label = "torch::autograd::NotImplemented"


Underivable.__name__ = Underivable.__qualname__ = "NotImplemented"
_classes: dict[str, type] = {"AccumulateGrad": AccumulateGrad, "CopySlices": CopySlices, "NotImplemented": Underivable}


def node_class(name: str) -> type:
    """The GradNode subclass of this name; one for each name."""
    found = _classes.get(name)
    if found is None:
        found = _classes[name] = type(name, (GradNode,), {"__slots__": ()})
    return found


class Undefined(GradNode):
    """The node of an operation whose gradient torch leaves undefined: None goes on to its operands, or the error that a rule is."""

    __slots__ = ()

    def vjp(self, needs: tuple, cotangents: list, walk) -> tuple:
        rules = self.plan().rules or ()
        for i in needs:
            if i < len(rules) and isinstance(rules[i], Exception):
                raise type(rules[i])(*rules[i].args)
        return (None,) * len(needs)


def undefined_gradient(name: str) -> str:
    """Declare a class of Undefined nodes that users see as `name`; returns the name to declare the operation with."""
    _classes["undefined " + name] = type(name, (Undefined,), {"__slots__": ()})
    return "undefined " + name


def zero_gradient(name: str) -> str:
    """As `undefined_gradient`, for nodes whose gradients are zero tensors."""
    _classes["zero " + name] = type(name, (GradNode,), {"__slots__": (), "zero": True})
    return "zero " + name


def ask_node(made):
    """Have backward ask the node of a new tensor, where by the shorter way it would ask the node's plan only. Returns `made`."""
    if made._edge is not None:
        made._edge[0]._extra()
    return made


class Nowhere(GradNode):
    """The place of a view that requires grad because its base does, but has no way to it: made without grad mode, or cut off later.

    Gradients that reach it are dropped, and users see None.
    """

    __slots__ = ("label",)
    ends = True

    def __init__(self, label: str):
        self.edges, self.saved, self.extra, self.seq, self.outputs, self.freed, self.node = (), (), None, 0, 1, False, None
        self.label = label


INVALID = Nowhere("Invalid")
