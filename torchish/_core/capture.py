"""Capture: run a function on abstract Values and keep what it recorded as a pure program, to be mapped over a batch (vmap).

It knows the tape and the graph; what a user passes in and gets back (nested containers, in_dims, messages) is for `func`.

Note [Scopes]: inside a scope the tape is a fresh one. What does not depend on the scope's placeholders is moved to the tape outside, so that
it is computed once and may be read; the rest is only ever reached from the outputs. A node of a scope that has ended has the scope for a tape.

Note [Mapping and differentiating]: mapping only adds a batch dimension to a recorded program; gradients and tangents are the tape's own. The
mapped result gets one graph node, whose backward walks the graph that was recorded inside on placeholder cotangents, and maps that.
"""
from __future__ import annotations

import contextlib
import weakref

from .. import _dtype
from . import evaluate
from .backward import Walk
from .dual import attach, only, tangents_of
from .grad_graph import AccumulateGrad, GradNode, Nowhere
from .handle import TensorBase, new_tensor
from .mapping import SUM, mapped_plan, program_of
from .op import Op, simple
from .record import KEPT
from .spec import Spec, spec_of
from .tape import Node, Tape, Value, next_sequence, record_values, state

WRITE = ("vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has more elements "
         "than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in a vmap. Please try to use out-of-place "
         "operators instead of inplace arithmetic. If said operator is being called inside the PyTorch framework, please file a bug report instead.")
READS = {
    "item": "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please try to rewrite "
            "what you're doing with other operations. If error is occurring somewhere inside PyTorch internals, please file a bug report.",
    "bool": "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet, please file an "
            "issue at https://github.com/pytorch/pytorch/issues .",
    "nonzero": "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::nonzero. Please file an "
               "issue at https://github.com/pytorch/pytorch/issues if you need this feature.",
}
READ = "vmap: the values of a Tensor that is being vmapped over are not known while the function runs, but were asked for ({})."


class BatchedRead(RuntimeError):
    """The values of a placeholder, or of something computed from one, were asked for."""


class BatchedDraw(Exception):
    """A random draw that has to differ between examples: the function must run for each example by itself."""


def _leaked(xp):
    raise RuntimeError("torchish: a Tensor made inside vmap was used after vmap had returned")


_placeholder = Op("placeholder", _leaked, simple(lambda: spec_of((), _dtype.float32)), numpy=False)


_mapped = Op("mapped", _leaked, simple(lambda: spec_of((), _dtype.float32))).plan((), ())
_mapped.needs = ()  # stands for the recorded computation of a Mapped node, which is a whole graph


class Scope:
    """What runs within `with scope:` is recorded on a tape of its own. `size` is the batch size, `randomness` vmap's argument."""

    done, values = False, ()  # as the tape of its nodes once it has ended

    def __init__(self, size: int, randomness: str):
        self.size, self.randomness = size, randomness
        self.source = Node(_placeholder.plan((), ()), ())
        self.source.tape = self
        self.periods: list[tuple] = []  # sequence numbers between which the scope was in force
        self.inside: set[Node] = set()  # while in force: the nodes on this tape that depend on a placeholder
        self.seen = 0

    # ------------------------------------------------------------ in force
    def __enter__(self):
        self.outside = state.tape, state.has_backward, state.eager, state.scope
        state.tape, state.has_backward, state.eager, state.scope = Tape(), False, False, self
        self.began = next_sequence()
        return self

    def __exit__(self, *error):
        self._hoist()
        for node in state.tape.nodes:
            node.tape = self
        self.periods.append((self.began, next_sequence()))
        state.tape, state.has_backward, state.eager, state.scope = self.outside
        self.inside, self.seen, self.outside = set(), 0, ()

    def depends(self, v: Value) -> bool:
        """Whether a Value depends on a placeholder, while the scope is in force."""
        self._sort_out()
        return self.within(v)

    def within(self, v: Value) -> bool:
        """Whether a Value was made inside from a placeholder, or is one."""
        node = v.node
        return v.array is None and node is not None and (node.tape is self or node in self.inside)

    def _sort_out(self) -> None:
        nodes = state.tape.nodes
        for node in nodes[self.seen:]:
            for v in node.inputs:
                if v.__class__ is Value and self.within(v):
                    self.inside.add(node)
                    break
        self.seen = len(nodes)

    def _hoist(self) -> None:
        """Move what does not depend on the placeholders to the tape outside."""
        self._sort_out()
        outer, kept, mine = self.outside[0], Tape(), state.tape
        for node in mine.nodes:
            outs = mine.values[node.at:node.at + len(node.plan.outs)]
            (kept if node in self.inside else outer).append(node, outs)
        state.tape = kept
        self.seen = len(kept.nodes)

    def evaluate(self, cause: str, want: Value | None) -> None:
        """Compute a Value that does not depend on a placeholder. Raises RuntimeError, in torch's words, for one that does."""
        if want is None:
            state.has_backward = False
            return
        if self.depends(want):
            raise BatchedRead(READS.get(cause) or READ.format(cause))
        with self.left():
            evaluate.evaluate(cause, want)

    @contextlib.contextmanager
    def left(self):
        """Outside of the scope for a while. What does not depend on the placeholders goes ahead to the tape outside."""
        self._hoist()
        self.periods.append((self.began, next_sequence()))
        mine = state.tape
        state.tape, state.has_backward, state.eager, state.scope = self.outside
        try:
            yield
        finally:
            self.outside = state.tape, state.has_backward, state.eager, state.scope
            state.tape, state.has_backward, state.eager, state.scope = mine, False, False, self
            self.began = next_sequence()

    # ------------------------------------------------------------ what is forbidden
    def check_write(self, have: Value, new: Value) -> None:
        """Raise torch's error for writing a mapped value into a tensor that is not mapped over."""
        if self.depends(new) and not self.within(have):
            raise RuntimeError(WRITE)

    def draw(self) -> None:
        """A random number is about to be drawn."""
        if self.randomness == "error":
            raise RuntimeError("vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
                               "randomness flags on vmap or perform the randomness operation out of vmap")
        if self.randomness == "different":
            raise BatchedDraw

    def made(self, node: GradNode) -> bool:
        """Whether a graph node was made inside."""
        if node.__class__ is AccumulateGrad:
            leaf = node.leaf()
            return leaf is None or self.within(leaf._read())
        return any(first <= node.seq <= last for first, last in self.periods)


# ---------------------------------------------------------------- operands and results
class Port(GradNode):
    """Where the graph inside a scope ends at a mapped operand: operand number `index`, mapped over its dimension `axis`."""

    __slots__ = ("index", "axis", "scope", "ends")

    def __init__(self, scope: Scope, index: int, axis: int, ends: bool):
        self.node, self.edges, self.saved, self.freed, self.extra, self.outputs = None, (), (), False, None, 1
        self.seq = next_sequence()
        self.index, self.axis, self.scope, self.ends = index, axis, scope, ends


class Mapping:
    """One function being mapped: its operands outside and inside, then what its results are outside.

    Use: `with mapping.scope:` call `operand` for each mapped tensor, run the function, and `keep` what it returned; then `results()`.
    """

    def __init__(self, size: int, randomness: str = "error", again: Mapping | None = None):
        self.scope = Scope(size, randomness) if again is None else again.scope
        self.values: list[Value] = [] if again is None else list(again.values)  # the operands' outside
        self.edges: list = [] if again is None else list(again.edges)  # and their places in the graph outside
        self.axes: list[int] = [] if again is None else list(again.axes)
        self.placeholders: list[Value] = [] if again is None else list(again.placeholders)
        self.written: list[tuple] = []
        self.kept: list[tuple] = []

    def operand(self, t: TensorBase, axis: int) -> TensorBase:
        """What the function gets in the place of `t`: one example of it, without values."""
        self.scope.mapping = weakref.ref(self)
        v = t._read()
        shape = tuple(v.spec.shape)
        inner = Value(spec_of(shape[:axis] + shape[axis + 1:], v.spec.dtype, v.spec.device), self.scope.source, 0)
        made = new_tensor(inner)
        edge = t._current_edge() if state.grad else None
        if edge is not None:
            made._edge = (Port(self.scope, len(self.values), axis, edge[0].ends), 0)
        self.values.append(v)
        self.edges.append(edge)
        self.axes.append(axis)
        self.placeholders.append(inner)
        for number, tangent in tangents_of(v).items():
            if number in state.dual:
                attach(made, self.operand(tangent, axis), number)
        self.written.append((t, made, inner, axis))
        return made

    def at(self, operands: list) -> Mapping:
        """The same function, with the same results kept, at other operands of the same specs; they may have places in graphs of their own."""
        made = Mapping(0, again=self)
        made.values = [t._read() for t in operands]
        made.kept = [(v, edge, axis, ()) for v, edge, axis, _ in self.kept]
        made.edges = [t._current_edge() for t in operands]
        return made

    def batch(self, t: TensorBase) -> tuple[TensorBase, int | None]:
        """A tensor of the scope as it is outside, and where its batch dimension is there (None without one). Call it within `scope.left()`."""
        v = t._read()
        if not self.scope.within(v):
            return t, None
        for i, placeholder in enumerate(self.placeholders):
            if placeholder is v:
                return new_tensor(self.values[i], self.edges[i]), self.axes[i]
        part = Mapping(0, again=self)
        part.keep([t], [0])
        return part.results()[0], 0

    def keep(self, outputs: list, axes: list) -> None:
        """Note the function's results (tensors), and where their batch dimension goes: a dimension, or SUM."""
        for t, axis in zip(outputs, axes):
            self._keep(t, axis)

    def _keep(self, t: TensorBase, axis) -> None:
        v = t._read()
        levels = [n for n in state.dual if n in tangents_of(v)]
        self.kept.append((v, t._current_edge(), axis, levels))
        for number in levels:
            self._keep(tangents_of(v)[number], axis)

    def changed(self) -> list:
        """(operand outside, what it became inside, axis) of the operands that the function wrote to."""
        return [(t, made, axis) for t, made, inner, axis in self.written if made._storage.value is not inner]

    def results(self) -> list:
        """The kept results with their batch dimension, as one recorded operation. Call it after the scope has ended."""
        values = [v for v, _, _, _ in self.kept]
        axes = tuple([axis for _, _, axis, _ in self.kept])
        program, which, captured = program_of(self.scope, self.placeholders, values)
        operands = tuple([c if w is None else self.values[w] for w, c in zip(which, captured)])
        types = tuple([a.spec if a.__class__ is Value else a.__class__ for a in operands])
        in_axes = tuple([None if w is None else self.axes[w] for w in which])
        plan = mapped_plan(program, self.scope.size, types, in_axes, tuple([v.spec for v in values]), axes)
        with only(()):
            outs = record_values(plan, operands)
        place = self._place(axes, plan.outs) if state.grad else None
        made = iter([new_tensor(out, (place, k) if place is not None and edge is not None and out.spec.differentiable else None)
                     for k, (out, (_, edge, _, _)) in enumerate(zip(outs, self.kept))])
        levels = iter([levels for _, _, _, levels in self.kept])
        return list(_with_tangents(made, levels))

    def _mine(self, node: GradNode) -> bool:
        return node.__class__ is Port and node.scope is self.scope

    def _place(self, axes: tuple, specs: tuple) -> Mapped | None:
        """The graph node of the results; None where nothing outside is reached."""
        roots = tuple([edge for _, edge, _, _ in self.kept])
        targets = [t for t in _targets(self.scope, roots) if not self._mine(t[0]) or self.edges[t[0].index] is not None]
        if not targets:
            return None
        first = next(e[0] for e in roots if e is not None)
        made = object.__new__(_mapped_class(first.name() if self.scope.made(first) else "AliasBackward0"))
        made.node, made.seq, made.outputs, made.freed, made.extra, made.saved = None, next_sequence(), len(roots), False, None, KEPT
        made.edges = tuple([self.edges[t.index] if self._mine(t) else (t, number) for t, number in targets])
        made.specs, made.spare = specs, (_mapped, None)
        made.mapping, made.roots, made.axes, made.targets = Mapping(0, again=self), roots, axes, tuple(targets)
        return made


def _with_tangents(made, levels):
    """Pair up results with the tangents that follow them."""
    for t in made:
        yield _one_with_tangents(t, made, levels)


def _one_with_tangents(t: TensorBase, made, levels) -> TensorBase:
    for number in next(levels):
        attach(t, _one_with_tangents(next(made), made, levels), number)
    return t


# ---------------------------------------------------------------- gradients
def _targets(scope: Scope, roots: tuple) -> list:
    """Where the graph inside reaches out: ports, and (node, output) places outside."""
    found, seen = {}, set()
    stack = [e for e in roots if e is not None]
    while stack:
        edge = stack.pop()
        node = edge[0]
        if node.__class__ is Port and node.scope is scope or not scope.made(node):
            if node.__class__ is not Nowhere:
                found[edge] = True
        elif node not in seen:
            seen.add(node)
            stack.extend(e for e in node.edges if e is not None)
    return list(found)


class Mapped(GradNode):
    """The place of mapped results in the graph outside. Its edges lead where the graph inside reached out."""

    __slots__ = ("mapping", "roots", "axes", "targets", "specs")

    def operands(self) -> tuple:
        return tuple(range(len(self.edges)))

    def output_spec(self, number: int) -> Spec:
        return self.specs[number]

    def release(self) -> None:
        """Let go of the graph inside."""
        self.freed = True
        self.mapping, self.roots, self.targets = None, (), ()

    def vjp(self, needs: tuple, cotangents: list, walk) -> tuple:
        """Walk the graph inside on placeholder cotangents, mapped over the batch."""
        mapping = Mapping(0, again=self.mapping)
        wanted: dict = {}
        for slot in needs:
            node, number = self.targets[slot]
            wanted.setdefault(node, {}).setdefault(number, []).append(slot)
        with mapping.scope:
            roots = []
            for edge, axis, g in zip(self.roots, self.axes, cotangents):
                if edge is not None and g is not None:
                    t = walk._tensor(g)
                    roots.append((edge, t if axis is SUM else mapping.operand(t, axis)))
            inside = _Inside(True, walk.create_graph, wanted)
            inside.run(roots)
            slots = [slot for slot in needs if slot in inside.captured]
            mapping.keep([inside.captured[s] for s in slots], [target.axis if mapping._mine(target := self.targets[s][0]) else SUM for s in slots])
        if not slots:
            return (None,) * len(needs)
        found = dict(zip(slots, mapping.results()))
        return tuple([walk._carrier(found[s]) if s in found else None for s in needs])


class _Inside(Walk):
    """A walk that ends at its targets: what lies beyond them, and their hooks, are for the walk outside."""

    def _order(self, roots) -> list:
        order, seen = [], set()
        stack = [edge[0] for edge, _ in roots]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if node.__class__ is AccumulateGrad:
                continue
            order.append(node)
            if node in self.capture:
                continue
            for edge in node.edges:
                if edge is not None:
                    if edge[0].__class__ is AccumulateGrad:
                        self.waiting[edge[0]] = self.waiting.get(edge[0], 0) + 1
                    else:
                        stack.append(edge[0])
        order.sort(key=lambda n: n.seq, reverse=True)
        self.visited = seen
        return order

    def _step(self, node: GradNode) -> None:
        if node in self.capture:
            self._capture(node)
        else:
            super()._step(node)

    def _leaf(self, node: AccumulateGrad) -> None:
        if node in self.capture:
            self._capture(node)

    def _capture(self, node: GradNode) -> None:
        buffer = self.buffers.pop(node, None)
        if buffer is None:
            return
        for number, slots in self.capture[node].items():
            if buffer[number] is not None:
                for slot in slots:
                    self.captured[slot] = self._tensor(buffer[number])


_classes: dict[str, type] = {}


# A reduction of a whole example is one over dimensions of the batch, which torch's nodes tell apart.
_OVER_DIMENSIONS = {"SumBackward0": "SumBackward1", "MeanBackward0": "MeanBackward1"}


def _mapped_class(name: str) -> type:
    name = _OVER_DIMENSIONS.get(name, name)
    if name not in _classes:
        _classes[name] = type(name, (Mapped,), {"__slots__": ()})
    return _classes[name]


__all__ = ["SUM", "BatchedDraw", "BatchedRead", "Mapping", "Scope"]
