"""Record: Value, Node and the per-thread Tape. Appending a node is all that a torch call costs until a value is read.

Note [Tape keys]: while it is recorded, a tape also writes down its own structure: `key` holds each node's Plan and where its operands come
from. An operand's place is a number: n >= 0 is output n of this tape (all nodes' outputs in one row), n < 0 is argument ~n, None is
absent. So a step that was recorded before is recognised by one lookup, whatever its length.

Note [Liveness]: what a user can still see decides what is computed. A Value is held by the tape, by the operands of other nodes, and
by the tensor that owns it (`Tensor._own`) or, once that is shared, by its Storage, to which `holder` leads. CPython's reference
counts tell which are held beyond the tape. A Value without an array can always be computed again from its node.
"""
from __future__ import annotations

import itertools
import threading

from .op import Plan
from .spec import Spec, spec_of_array

next_sequence = itertools.count().__next__
_new = object.__new__


class Value:
    """An immutable tape entry: a Spec with either a concrete array or the Node (and output index) that will produce one.

    Its rarer attributes are defaults of the class, so that making one sets only what differs.
    """

    spec: Spec
    node: Node | None = None
    index = 0
    array = None
    holder = None  # leads to the Storage that shows it: a weak reference; `nobody` for what a view keeps for itself
    owned: object = False  # whether `array` came out of a program and nothing else refers to it: its buffer may be donated
    host = None  # the NumPy array it was made from, kept for small integer data whose values are checked at the call
    tangents: dict | None = None  # of forward mode, by level

    def __init__(self, spec: Spec, node: Node | None, index: int, array=None):
        self.spec = spec
        self.node = node
        self.index = index
        self.array = array


def nobody() -> None:
    """The `holder` of a Value that no tensor owns: it poses as a dead weak reference."""


def constant(array, device=None) -> Value:
    """A Value of a concrete NumPy or JAX array."""
    return Value(spec_of_array(array) if device is None else spec_of_array(array, device), None, 0, array)


class Tape:
    """What is recorded and not yet evaluated. `done` once it was; then only `ran` is left, which knows what became of its outputs."""

    __slots__ = ("nodes", "values", "key", "args", "places", "tracked", "again", "part", "running", "done", "ran")

    def __init__(self):
        self.nodes: list[Node] = []
        self.values: list[Value] = []  # all outputs of the nodes, in a row
        self.key: list = []  # see Note [Tape keys]
        self.args: list = []  # what the program will be called with: Values and Python numbers
        self.places: dict[Value, int] = {}  # of Values among the arguments
        self.tracked = False  # whether a graph refers to any node
        self.again: dict[int, tuple] = {}  # what was recorded again: its place here -> (the tape that ran it, its place there)
        self.part = False  # of a longer one that filled up
        self.running = False  # while it is being evaluated
        self.done = False
        self.ran = None  # the evaluate.Variant that ran it

    def admit(self, v: Value) -> int:
        """The place of an operand that is not an output of this tape yet.

        A concrete Value becomes an argument, and so does one that is pending on another thread's tape or in a scope; one that was
        evaluated elsewhere without being kept is recorded again, with what it is computed from.
        """
        at = self.places.get(v)
        if at is not None:
            return at
        node = v.node
        if v.array is None and node is not None and node.tape.done:
            return _record_again(self, v)
        at = self.places[v] = ~len(self.args)
        self.args.append(v)
        return at

    def place(self, v) -> int | None:
        """The place of any operand: a Value, a Python number (always a new argument) or None."""
        if v.__class__ is Value:
            node = v.node
            if node is not None:
                at = node.at + v.index  # before the look at `tape`: another thread may record the node again at any time
                if node.tape is self:
                    return at
            return self.admit(v)
        if v is None:
            return None
        self.args.append(v)
        return ~(len(self.args) - 1)

    def append(self, node: Node, outs: tuple | list) -> None:
        """Record `node` with its output Values."""
        primal = node.primal
        if primal is not None and primal.tape is self:  # a vjp's first operands are its primal's, numbers included
            refs = [*primal.refs, *[self.place(v) for v in node.inputs[len(primal.refs):]]]
        else:
            refs = [self.place(v) for v in node.inputs]
        node.refs = refs
        node.tape, node.at = self, len(self.values)
        self.nodes.append(node)
        self.key.append(node.plan)
        self.key += refs
        self.values += outs


class Node:
    """One recorded operation: its Plan, and its operands (Values, Python numbers, or None)."""

    tape: Tape
    at = -1  # the place of its first output
    refs: tuple | list = ()  # its operands' places on that tape
    primal: Node | None = None  # of a vjp node: the forward node

    def __init__(self, plan: Plan, inputs: tuple):
        self.plan = plan
        self.inputs = inputs
        self.seq = next_sequence()


EVALUATED = Tape()
EVALUATED.done = True
Node.tape = EVALUATED  # a node made outside any tape counts as evaluated and not kept


def outputs(node: Node) -> list[Value]:
    """The output Values of a node that is pending; empty once its tape was evaluated."""
    return [] if node.tape.done else node.tape.values[node.at:node.at + len(node.plan.outs)]


def _record_again(tape: Tape, v: Value) -> int:
    """Record on `tape` the node of `v`, which was evaluated earlier without `v` being kept, and those that it needs in its turn."""
    outs: dict[Node, dict] = {}
    stack = [v]
    while stack:
        u = stack.pop()
        node = u.node
        if u.array is not None or node is None or not node.tape.done:
            continue
        if u.owned.__class__ is tuple:
            note_use(u)
        if node not in outs:
            outs[node] = {}
            stack.extend([x for x in node.inputs if x.__class__ is Value])
        outs[node][u.index] = u
    for node in sorted(outs, key=_by_sequence):
        have, before, at = outs[node], (node.tape, node.at), len(tape.values)
        made = [have.get(i) or Value(spec, node, i) for i, spec in enumerate(node.plan.outs)]
        tape.append(node, made)
        tape.again.update({at + i: (before[0], before[1] + i) for i in range(len(made))})
    return at + v.index  # its own node comes last


def _by_sequence(node: Node) -> int:
    return node.seq


def ask_to_keep(tape: Tape) -> None:
    """Tell the programs that computed what `tape` uses, but had to record again, to keep it the next time: Note [Kept activations].

    Views are not worth keeping: their bases are.
    """
    again, by_place = tape.again, {node.at: node for node in tape.nodes}
    stack = [r for node in tape.nodes if node.at not in again for r in node.refs if r in again]
    while stack:
        place = stack.pop()
        node = by_place.get(place)
        if node is not None and node.plan.op.put is not None:
            stack.extend([r for r in node.refs if r in again])
        elif (ran := again[place][0].ran) is not None:
            ran.ask_to_keep(again[place][1])


def note_use(v: Value) -> None:
    """Tell the cache entry that computed `v` that somebody wants it, see Note [Unused gradients]."""
    entry, number = v.owned
    v.owned = True
    entry.wanted(number)


threads: list[tuple[threading.Thread, dict]] = []  # the threads that have a tape, and what ThreadState keeps for each


class ThreadState(threading.local):
    """Everything that torch keeps per thread: the pending tape and the modes. Hot paths read its `__dict__`, which is faster."""

    def __init__(self):
        self.tape = Tape()
        threads[:] = [(thread, store) for thread, store in threads if store["tape"].nodes or thread.is_alive()]
        threads.append((threading.current_thread(), self.__dict__))
        self.has_backward = False  # the pending tape holds a finished backward: the next differentiable op begins a new iteration
        self.grad = True
        self.inference = False
        self.eager = False
        self.autocast: dict = {}  # device type -> the dtype that autocast lowers to there, where it is on
        self.flags: list = []
        self.anomaly = False
        self.anomaly_nan = True  # whether anomaly detection looks for nan
        self.hooks: list = []  # saved_tensors_hooks in force, as (pack, unpack)
        self.hooks_refused = None  # why saved-tensor hooks may not be used now
        self.mutable = None  # the context of allow_mutation_on_saved_tensors
        self.walk = None  # the backward that runs
        self.watch = None  # called for each new graph node while hooks or anomaly detection are on, see saved.py
        self.dual: tuple = ()  # the levels of forward mode in force, outermost first
        self.transforms = 0  # how many of func's transforms are in force
        self.scope = None  # the capture whose tape `tape` is, see capture.py
        self.running = None  # the graph node whose backward runs, under anomaly detection


state = ThreadState()
TAPE_CAP = 1024
NUMBERS = frozenset((int, float, bool, complex))


def record_values(plan: Plan, inputs: tuple, primal: Node | None = None) -> list[Value]:
    """Append a node and return its output Values. No autograd: that is the caller's."""
    tape = state.__dict__["tape"]
    if len(tape.nodes) >= TAPE_CAP:
        on_full()
        tape = state.__dict__["tape"]
    if primal is not None and primal.tape is tape:  # a vjp's first operands are its primal's, numbers included
        refs = [*primal.refs, *[tape.place(v) for v in inputs[len(primal.refs):]]]
    else:
        refs = [tape.place(v) for v in inputs]
    return _record(tape, plan, inputs, refs, primal)


def record_vjp(plan: Plan, primal: Node, cotangent: Value) -> list[Value]:
    """`record_values(plan, (*primal.inputs, cotangent), primal)`: half of what a training step records comes through here."""
    tape = state.__dict__["tape"]
    if len(tape.nodes) >= TAPE_CAP or primal.tape is not tape:
        return record_values(plan, (*primal.inputs, cotangent), primal)
    return _record(tape, plan, (*primal.inputs, cotangent), [*primal.refs, tape.place(cotangent)], primal)


def _record(tape: Tape, plan: Plan, inputs: tuple, refs: list, primal: Node | None) -> list[Value]:
    node = _new(Node)
    node.plan = plan
    node.inputs = inputs
    node.refs = refs
    node.seq = next_sequence()
    if primal is not None:
        node.primal = primal
    values, key = tape.values, tape.key
    node.tape = tape
    node.at = len(values)
    tape.nodes.append(node)
    key.append(plan)
    key += refs
    outs = []
    for spec in plan.outs:
        value = _new(Value)
        value.spec = spec
        value.node = node
        if outs:
            value.index = len(outs)
        outs.append(value)
    values += outs
    if state.__dict__["dual"]:
        on_dual(node, None)
    return outs


def on_dual(node: Node, grown) -> None:
    """Called for what is recorded while forward mode is on, and again with the graph node it got; `dual` puts its own function here."""
    raise RuntimeError("torchish: forward mode is not installed")


def on_full() -> None:
    """Called when the tape reaches its cap; `evaluate` puts its own function here."""
    raise RuntimeError("torchish: the evaluator is not installed")
