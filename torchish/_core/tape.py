"""Record: Value, Node and the per-thread Tape. Appending a node is all that a torch call costs until a value is read.

Note [Liveness]: a Value is held strongly by the nodes that use it, which says nothing about whether a user can still see it. What
decides is `holder`, a weak reference to the Storage that owns it: a pending Value whose Storage is gone, or holds another Value by
now, is never materialised. A Value without an array can always be computed again from its node.
"""
from __future__ import annotations

import itertools
import threading

from .op import Plan
from .spec import Spec, spec_of_array

_sequence = itertools.count()
next_sequence = _sequence.__next__


class Value:
    """An immutable tape entry: a Spec with either a concrete array or the Node (and output index) that will produce one."""

    __slots__ = ("spec", "node", "index", "array", "holder", "host", "owned", "tangents", "__weakref__")  # tangents: unset without forward mode

    def __init__(self, spec: Spec, node: Node | None, index: int, array=None):
        self.spec = spec
        self.node = node
        self.index = index
        self.array = array
        self.holder = None
        self.owned = False  # whether `array` came out of a program and nothing else refers to it: its buffer may be donated
        self.host = None  # the NumPy array it was made from, kept for small integer data whose values are checked at the call


def constant(array, device=None) -> Value:
    """A Value of a concrete NumPy or JAX array."""
    return Value(spec_of_array(array) if device is None else spec_of_array(array, device), None, 0, array)


class Node:
    """One recorded operation: its Plan, and its operands (Values, Python numbers, or None)."""

    __slots__ = ("plan", "inputs", "outs", "pos", "seq", "primal", "origin")

    def __init__(self, plan: Plan, inputs: tuple, pos: int, primal: Node | None):
        self.plan = plan
        self.inputs = inputs
        self.pos = pos  # place on the tape or in the slice being evaluated; -1 elsewhere
        self.primal = primal  # of a vjp node: the forward node, so that a replay can share its work
        self.seq = next_sequence()
        self.origin = None  # True once the graph has it; after evaluation (cache entry, place), see Note [Kept activations]


threads: list[tuple[threading.Thread, dict]] = []  # the threads that have a tape, and what ThreadState keeps for each


class ThreadState(threading.local):
    """Everything that torch keeps per thread: the pending tape and the modes."""

    def __init__(self):
        self.nodes: list[Node] = []
        threads[:] = [(thread, store) for thread, store in threads if store["nodes"] or thread.is_alive()]
        threads.append((threading.current_thread(), self.__dict__))
        self.has_backward = False  # the pending tape holds a finished backward: the next differentiable op begins a new iteration
        self.grad = True
        self.inference = False
        self.eager = False
        self.flags: list = []
        self.anomaly = False
        self.anomaly_nan = True  # whether anomaly detection looks for nan
        self.hooks: list = []  # saved_tensors_hooks in force, as (pack, unpack)
        self.hooks_refused = None  # why saved-tensor hooks may not be used now
        self.mutable = None  # the context of allow_mutation_on_saved_tensors
        self.walk = None  # the backward that runs
        self.watch = None  # called for each new graph node while hooks or anomaly detection are on, see saved.py
        self.dual: tuple = ()  # the levels of forward mode in force, outermost first
        self.scope = None  # the capture whose tape `nodes` is, see capture.py
        self.running = None  # the graph node whose backward runs, under anomaly detection


state = ThreadState()
TAPE_CAP = 1024
NUMBERS = frozenset((int, float, bool, complex))


def record_values(plan: Plan, inputs: tuple, primal: Node | None = None) -> tuple[Value, ...]:
    """Append a node and return its output Values. No autograd: that is the caller's."""
    nodes = state.nodes
    if len(nodes) >= TAPE_CAP:
        on_full()
        nodes = state.nodes
    node = Node(plan, inputs, len(nodes), primal)
    nodes.append(node)
    if plan.out is not None:
        outs = node.outs = (Value(plan.out, node, 0),)
    else:
        outs = node.outs = tuple([Value(s, node, i) for i, s in enumerate(plan.outs)])
    if state.dual:
        on_dual(node, None)
    return outs


def on_dual(node: Node, grown) -> None:
    """Called for what is recorded while forward mode is on, and again with the graph node it got; `dual` puts its own function here."""
    raise RuntimeError("torchish: forward mode is not installed")


def on_full() -> None:
    """Called when the tape reaches its cap; `evaluate` puts its own function here."""
    raise RuntimeError("torchish: the evaluator is not installed")
