"""Differentiate: walk the graph from the roots and record one vjp node for each GradNode, in torch's order.

The vjp nodes are ordinary tape entries: they are evaluated together with the forward (which they share, see program.py), and with
`create_graph=True` they are themselves differentiable. The walk is iterative, so a graph may be as deep as memory allows.
"""
from __future__ import annotations

import functools
import operator
import threading
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import anomaly
from .dependence import dependences
from .errors import FREED, version_error
from .grad_graph import AccumulateGrad, GradNode, Nowhere, counter_of, node_class
from .handle import TensorBase, new_tensor, owner_of, set_leaf, set_strides
from .hooks import RETAINING, bind_retained, retain_grad, run_accumulated, run_posthooks, run_prehooks, run_tensor_hooks
from .op import OPS, Plan, vjp_plan
from .record import call, grow_graph
from .saved import recorded_result, result_plan, rewritten, unpacked
from .spec import Spec
from .storage import REWRITTEN, REWRITTEN_RESULTS
from .tape import Node, Value, record_values, record_vjp, state
from .view import write


class GradientEdge(NamedTuple):
    """A place in the graph, given instead of a tensor: output `output_nr` of `node`."""

    node: GradNode
    output_nr: int
    ownership_token: GradNode | None = None


# Filled by the table of graph facts; SECOND and FORCED by a node's name, SHOWN by an operation's:
SECOND: dict[str, tuple] = {}  # the nodes that its gradients show under create_graph, by operand (the last for the rest)
FORCED: dict[str, int] = {}  # what its gradients depend on beside what carries a derivative: an operand, or -1 for the result
SHOWN: dict[str, Callable] = {}  # `f(gradient, plan, operand)`, for gradients that are views of the one that arrives
COPIED: set[str] = set()  # operations whose gradient is a view laid out otherwise than the operand: a leaf gets a copy of it
WRITES: dict[str, int] = {}  # the `_version` of its gradients, by a node's name, where not 0
BY_DATA: dict[str, Callable] = {}  # of gradients whose making depends on data: `f(primal node) -> Made`, by an operation's name
AGAIN_WRITES: dict[str, int] = {}  # and of the gradients of those, by the same name


class Made(NamedTuple):
    """How torch makes a gradient under create_graph: by which node, with how many writes, whether as a view; and the writes of its own gradient."""

    node: str
    writes: int = 0
    viewed: bool = False
    again: int = 0


class Walk:
    """One run of backward. Gradients in flight are Values, or with `create_graph` tensors that are part of a graph themselves.

    capture: {node: {output: [slots]}} of gradients to return instead of accumulating. goals: the only nodes to reach (None: all leaves).
    """

    def __init__(self, keep_graph: bool, create_graph: bool, capture: dict | None = None, goals: set | None = None):
        self.keep_graph, self.create_graph = keep_graph, create_graph
        self.capture = capture
        self.goals = goals if capture is None else set(capture)
        self.captured: dict[int, TensorBase] = {}
        self.buffers: dict[GradNode, list] = {}
        self.sources: dict[int, tuple] = {}  # of gradients, by identity: (gradient, plan if shown as a view, operand, writes, cotangent)
        self.zeros: dict[int, TensorBase] = {}  # of gradients, by identity: torch's zero tensors
        self.given: dict[int, TensorBase] = {}  # the cotangents of the roots, by identity
        self.waiting: dict[GradNode, int] = {}
        self.needed: set[GradNode] | None = None
        self.visited: set[GradNode] = set()
        self.token = object()  # identifies this run

    def run(self, roots: list[tuple[tuple, TensorBase]]) -> None:
        if RETAINING:
            bind_retained()
        order = self._order(roots)
        if self.goals is not None:
            self.needed = self._find_needed(order)
            self.rooted = {edge[0] for edge, _ in roots}
        before = state.grad, state.walk
        state.grad, state.walk = self.create_graph, self
        try:
            for edge, gradient in roots:
                g = gradient if self.create_graph else gradient._read()
                self.given[id(g)] = gradient
                self._deliver(edge, g)
            for (node, _), _ in roots:
                if node.__class__ is AccumulateGrad and not self.waiting.get(node):
                    self._leaf(node)
            for node in order:
                if state.anomaly:
                    self._step_watched(node)
                else:
                    self._step(node)
        finally:
            state.grad, state.walk = before

    def reaches(self, node: GradNode) -> bool:
        """Whether this backward gets to `node`."""
        return node in self.visited and (self.needed is None or node in self.needed)

    # ------------------------------------------------------------ order
    def _order(self, roots) -> list[GradNode]:
        """The reachable nodes, newest first: an edge always points to an older node, so this is a topological order, and torch's."""
        order, seen, waiting = [], set(), self.waiting
        stack = [edge[0] for edge, _ in roots]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if node.__class__ is AccumulateGrad:
                continue
            order.append(node)
            for edge in node.edges:
                if edge is not None:
                    target = edge[0]
                    if target.__class__ is AccumulateGrad:
                        waiting[target] = waiting.get(target, 0) + 1
                    elif target not in seen and target.__class__ is not Nowhere:
                        stack.append(target)
        order.sort(key=_by_sequence, reverse=True)
        self.visited = seen | waiting.keys()
        return order

    def _find_needed(self, order: list[GradNode]) -> set[GradNode]:
        """The nodes from which a goal can be reached: the others need not run."""
        needed = set(self.goals)
        for node in reversed(order):
            for e in node.edges:
                if e is not None and e[0] in needed:
                    needed.add(node)
                    break
        return needed

    # ------------------------------------------------------------ one node
    def _step(self, node: GradNode) -> None:
        buffer = self.buffers.pop(node, None)
        needed, edges = self.needed, node.edges
        if needed is not None and node not in needed:
            if node in self.rooted and node.extra is not None and buffer is not None:
                self._arrive(node, buffer)  # torch starts at the roots whatever is wanted
            return
        if buffer is None:
            buffer = [None] * node.outputs  # torch runs it, and its hooks, with undefined gradients
        if node.extra is not None or self.capture is not None:
            buffer = self._arrive(node, buffer)
        if needed is None:
            needs = tuple([i for i, e in enumerate(edges) if e is not None and e[0].__class__ is not Nowhere])
        else:
            needs = tuple([i for i, e in enumerate(edges) if e is not None and e[0] in needed])
        if needs or node.python:
            gradients = self._gradients(node, needs, buffer)
            if self.capture is not None and not node.python:
                self._note_source(node, needs, gradients, buffer)
            if node.zero:
                self.zeros.update({id(g): g for g in gradients if g is not None})
            for i, g in zip(needs, gradients):
                if g is not None:
                    self._deliver(edges[i], g)
            if not self.keep_graph:
                node.release()
        for edge in edges:
            if edge is not None and edge[0].__class__ is AccumulateGrad:
                leaf = edge[0]
                left = self.waiting[leaf] = self.waiting[leaf] - 1
                if left == 0:
                    self._leaf(leaf)

    def _step_watched(self, node: GradNode) -> None:
        """`_step` under anomaly detection."""
        before, state.running = state.running, node
        try:
            self._step(node)
        except Exception:
            anomaly.warn_of(node)
            raise
        finally:
            state.running = before

    def _leaf(self, node: AccumulateGrad) -> None:
        if self.needed is not None and node not in self.needed:
            gradients = self.buffers.pop(node, None)
            if gradients is not None and node.extra is not None and node in self.rooted:
                self._arrive(node, gradients)
            return
        gradients = self.buffers.pop(node, None) or [None]
        if node.extra is not None or self.capture is not None:
            gradients = self._arrive(node, gradients)
        leaf = node.leaf()
        if self.capture is not None or leaf is None or leaf._edge is None:
            return
        extra, g = node.extra or {}, gradients[0]
        if "prehooks" in extra:
            g = run_prehooks(extra, [None if g is None else self._tensor(g)])[0]
        if g is not None:
            first = leaf._grad is None
            accumulate(leaf, self._tensor(g), self.create_graph)
            if first and id(g) in self.given:
                leaf._grad._storage.version = 1  # torch copies what the user holds
            if id(g) in self.zeros and leaf._grad._storage.version == 0:
                leaf._grad._storage.zero = True
        if leaf._post_hooks:
            run_accumulated(leaf)
        if "hooks" in extra:
            run_posthooks(extra, [], [None if g is None else self._tensor(g)])

    def _arrive(self, node: GradNode, buffer: list) -> list:
        """Hooks on the tensors that `node` produced, then captures, once their gradients are complete."""
        extra = node.extra
        if extra is not None and ("tensor_hooks" in extra or "retain" in extra):
            buffer = [None if g is None else self._tensor(g) for g in buffer]
            run_tensor_hooks(extra, buffer)
            buffer = [None if g is None else self._carrier(g) for g in buffer]
        if self.capture is not None and node in self.capture:
            for number, slots in self.capture[node].items():
                g = buffer[number]
                if g is not None:
                    self.captured.update(dict.fromkeys(slots, self._as_seen(g)))
        return buffer

    def _note_source(self, node: GradNode, needs: tuple, gradients: tuple, buffer: list) -> None:
        """Remember how gradients came about, for `_as_seen`; they may be passed on to what is returned."""
        plan = node.plan()
        if plan.needs is not None:
            how = node.extra.get("again") if node.extra else None
            writes = AGAIN_WRITES.get(plan.op.grad, 0) if how is None else how.again
            viewed = plan if how is not None and how.viewed else None
            self.sources.update({id(g): (g, viewed, i, writes, buffer[0]) for i, g in zip(needs, gradients) if g is not None and g is not buffer[0]})
        else:
            shown, writes = plan.op.name in SHOWN, WRITES.get(type(node).__name__, 0)
            for i, g in zip(needs, gradients):
                if g is not None and g is not buffer[0]:
                    self.sources[id(g)] = (g, plan if shown or _widens(plan, i) else None, i, writes, buffer[0])

    def _note_sum(self, have, total) -> None:
        """torch adds further gradients in place to one that nothing else holds."""
        source = self.sources.get(id(have))
        plan = None if source is None or source[1] is None or source[1].needs is None else source[1]
        writes = source[3] + 1 if source is not None and source[1] is plan else 0
        self.sources[id(total)] = (total, plan, 0, writes, None)

    def _as_seen(self, g) -> TensorBase:
        """A gradient as torch returns it: some are views of the one that arrived, some count the writes of their making."""
        if id(g) in self.zeros:
            tensor = self._tensor(g)
            tensor._storage.zero = True
            return tensor
        source = self.sources.get(id(g))
        if source is None:
            given = self.given.get(id(g))
            return self._tensor(g) if given is None else given
        _, plan, i, writes, arrived = source
        if plan is not None and plan.needs is not None:  # of a gradient
            tensor = SHOWN["view"](self._tensor(g), plan, i)
            tensor._storage.version = writes
            return tensor
        if plan is not None:
            if self.create_graph or arrived is None:
                return self._tensor(g)
            if plan.op.name not in SHOWN:
                return SHOWN["view"](self._tensor(g), plan, i)
            seen = SHOWN[plan.op.name](self._as_seen(arrived), plan, i)
            return self._tensor(g) if seen is None else seen
        tensor = self._tensor(g)
        if writes:
            tensor._storage.version = writes
        return tensor

    def _gradients(self, node: GradNode, needs: tuple, buffer: list) -> tuple:
        extra = node.extra
        if extra is not None and "prehooks" in extra:
            changed = run_prehooks(extra, [None if g is None else self._tensor(g) for g in buffer])
            buffer = [None if g is None else self._carrier(g) for g in changed]
        if node.freed and node.keeps_tensors():
            raise RuntimeError(FREED)
        for ref, version, operand in node.saved:
            counter = counter_of(node, ref, operand)
            if counter is not None and counter.version != version:
                raise version_error(node, operand, counter, version)
        if all(g is None for g in buffer) and not node.python:
            results = (None,) * len(needs)
        else:
            results = node.vjp(needs, buffer, self)
        if state.anomaly and state.anomaly_nan:
            anomaly.check_nan(node, needs, results)
        if extra is not None and "hooks" in extra:
            results = self._after(node, needs, results, buffer)
        return results

    def _after(self, node: GradNode, needs: tuple, results: tuple, buffer: list) -> list:
        """Run the node's hooks on the gradients it computed, given as torch gives them: one for each operand that is an edge."""
        counted = node.operands()
        full: list = [None] * len(node.edges)
        for i, r in zip(needs, results):
            full[i] = None if r is None else self._tensor(r)
        changed = run_posthooks(node.extra, [full[i] for i in counted], [None if g is None else self._tensor(g) for g in buffer])
        for i, g in zip(counted, changed):
            full[i] = g
        return [None if full[i] is None else self._carrier(full[i]) for i in needs]

    def record(self, node: GradNode, needs: tuple, buffer: list) -> tuple:
        """Append the vjp of `node`'s recorded computation; differentiable in its turn under create_graph."""
        primal = node.node or node.revive()
        inputs, forward, outs = primal.inputs, primal, None
        given = [g for g in buffer if g is not None]
        arrived = tuple([g is not None for g in buffer])
        plan = vjp_plan(primal.plan, needs, arrived)
        kept = unpacked(node, primal) if node.extra is not None and "packed" in node.extra else \
            rewritten(node, primal) if REWRITTEN or REWRITTEN_RESULTS else None
        if kept is not None:
            inputs, outs = kept
            forward = None
            if outs is not None and plan.by_rule and not self.create_graph:
                return record_values(result_plan(primal.plan, needs, arrived), (*inputs, *self._results(primal, inputs, outs), *given))
        if not self.create_graph:
            if plan.passes:
                return (buffer[0],) * len(needs)
            return record_values(plan, (*inputs, *given), forward)
        shown = SHOWN.get(primal.plan.op.name) if primal.plan.needs is None else None
        if shown is not None:
            seen = [shown(given[0], primal.plan, i) for i in needs]
            if all(g is not None for g in seen):
                return tuple(seen)
        groups = [(i,) for i in needs] if plan.by_rule else [needs]
        return tuple([g for group in groups for g in self._differentiable(node, primal, group, arrived, inputs, outs, given)])

    def _results(self, primal: Node, inputs: tuple, outs: dict | None) -> list:
        """The results of a recorded computation: those in `outs`, the others from its operands."""
        again = primal if inputs is primal.inputs else None
        return [outs[i] if outs and i in outs else recorded_result(again, i) if again else record_values(primal.plan, inputs)[i]
                for i in range(len(primal.plan.outs))]

    def _differentiable(self, node: GradNode, primal: Node, needs: tuple, arrived: tuple, inputs: tuple, outs: dict | None, given: list) -> tuple:
        """Record a vjp and its own place in the graph, with edges to what the gradients depend on, as in torch: operands, results, cotangents."""
        plan, name = vjp_plan(primal.plan, needs, arrived), type(node).__name__
        forward = primal if inputs is primal.inputs else None
        if plan.passes:
            return (given[0],) * len(needs)
        how = BY_DATA[primal.plan.op.name](primal) if primal.plan.op.name in BY_DATA else None  # first, as it may evaluate what is recorded
        places = list(node.edges)
        if plan.by_rule and primal.plan.saves_result:
            plan = result_plan(primal.plan, needs, arrived)
            results = self._results(primal, inputs, outs)
            forward, inputs = None, (*inputs, *results)
            places += [(node, i) for i in range(len(results))]
        depends = frozenset().union(*dependences(plan))
        forced = FORCED.get(name)
        if forced is not None:
            depends |= {len(primal.plan.argtypes) if forced < 0 and plan.primal is None else max(forced, 0)}
        places += [g._edge for g in given]
        edges = [e if i in depends else None for i, e in enumerate(places)]
        values = record_values(plan, (*inputs, *[g._read() for g in given]), forward)
        if all(e is None for e in edges):
            return tuple([new_tensor(v) for v in values])
        names = SECOND.get(primal.plan.op.name) or SECOND.get(name)
        if how is not None:
            plan.node_class = node_class(how.node)
        elif plan.node_class is None and names is not None:
            plan.node_class = node_class(names[min(needs[0], len(names) - 1)])
        if _stretches(primal.plan, needs[0]):
            plan.node_class = node_class("SumBackward1")
        made = grow_graph(plan, tuple([None if e is None else _Edge(e) for e in edges]), values[0].node)
        gradients = tuple([new_tensor(v, (made, i)) for i, v in enumerate(values)])
        if how is not None:
            made._extra()["again"] = how
            gradients[0]._storage.version = how.writes
        viewed = how.viewed if how is not None else _widens(primal.plan, needs[0])
        return (SHOWN["view"](gradients[0], primal.plan, needs[0]),) if viewed else gradients

    # ------------------------------------------------------------ gradients in flight
    def _tensor(self, g) -> TensorBase:
        if g.__class__ is Value:
            given = self.given.get(id(g))
            return new_tensor(g) if given is None else given
        return g

    def _carrier(self, g: TensorBase):
        return g if self.create_graph else g._read()

    def _deliver(self, edge: tuple, gradient) -> None:
        node, number = edge
        buffer = self.buffers.get(node)
        if buffer is None:
            size = 1 if node.__class__ is AccumulateGrad else node.outputs
            buffer = self.buffers[node] = [None] * size
        have = buffer[number]
        if have is not None:
            total = add(have, gradient) if self.create_graph else add_values(have, gradient)
            if self.capture is not None and not self.create_graph:
                self._note_sum(have, total)
            gradient = total
        buffer[number] = gradient


def _stretches(plan: Plan, i: int) -> bool:
    """Whether operand `i` is broadcast, so that its gradient ends with a sum, as torch's does."""
    a = plan.argtypes[i]
    return plan.needs is None and plan.out is not None and a.shape != plan.out.shape and (plan.op.name == "expand" or hasattr(plan.op.info, "kind"))


def _widens(plan: Plan, i: int) -> bool:
    """Whether broadcasting gives operand `i` further dimensions: torch's gradient ends with a view without them."""
    return _stretches(plan, i) and plan.argtypes[i].ndim < plan.out.ndim


# ---------------------------------------------------------------- the common case
def run_plain(root: GradNode, number: int, gradient: Value, keep_graph: bool) -> bool:
    """`Walk` for the common case, in one function: one root, recorded operations without hooks, all leaves accumulate.

    Returns False, having done nothing, where the graph is not like that.
    """
    order, seen, waiting, stack, hidden = [], {root}, {}, [root], REWRITTEN or REWRITTEN_RESULTS
    while stack:
        node = stack.pop()
        if node.extra is not None or node.node is None or hidden and rewritten(node, node.node) is not None:
            return False
        order.append(node)
        for edge in node.edges:
            if edge is not None:
                target = edge[0]
                if target.__class__ is AccumulateGrad:
                    if target.extra is not None:
                        return False
                    waiting[target] = waiting.get(target, 0) + 1
                elif target not in seen:
                    seen.add(target)
                    stack.append(target)
    order.sort(key=_by_sequence, reverse=True)
    buffers: dict = {}
    _give(buffers, root, number, gradient)
    for node in order:
        g = buffers.pop(node, None)
        primal, edges = node.node, node.edges
        if g is not None:
            for ref, version, operand in node.saved:
                if ref is None and (operand < 0 or (ref := primal.inputs[operand].holder) is None):
                    continue
                counter = ref()
                if counter is not None and counter.version != version:
                    raise version_error(node, operand, counter, version)
            n = len(edges)
            if n == 1:
                needs = _FIRST
            elif n == 2:
                needs = _SECOND if edges[0] is None else _FIRST if edges[1] is None else _BOTH
            else:
                needs = tuple([i for i, e in enumerate(edges) if e is not None])
            if node.outputs == 1:
                plan = primal.plan.vjps.get((needs, _GIVEN)) or vjp_plan(primal.plan, needs, _GIVEN)
                gradients = (g,) * len(needs) if plan.passes else record_vjp(plan, primal, g)
            else:
                plan = vjp_plan(primal.plan, needs, tuple([one is not None for one in g]))
                gradients = record_values(plan, (*primal.inputs, *[one for one in g if one is not None]), primal)
            for i, g in zip(needs, gradients):
                target, number = edges[i]
                if target.outputs == 1:
                    have = buffers.get(target)
                    buffers[target] = g if have is None else add_values(have, g)
                else:
                    _give(buffers, target, number, g)
        if not keep_graph:
            node.release()
        for edge in edges:
            if edge is not None and (leaf := edge[0]).__class__ is AccumulateGrad:
                left = waiting[leaf] = waiting[leaf] - 1
                if left == 0 and leaf in buffers:
                    accumulate_value(leaf, buffers[leaf])
    return True


def _give(buffers: dict, node: GradNode, number: int, gradient: Value) -> None:
    """Add a gradient to what has arrived for output `number` of `node`: one Value, or a row of them where it has several outputs."""
    if node.outputs == 1:
        have = buffers.get(node)
        buffers[node] = gradient if have is None else add_values(have, gradient)
        return
    row = buffers.setdefault(node, [None] * node.outputs)
    row[number] = gradient if row[number] is None else add_values(row[number], gradient)


_FIRST, _SECOND, _BOTH, _GIVEN = (0,), (1,), (0, 1), (True,)
_by_sequence = operator.attrgetter("seq")


class _Edge(TensorBase):
    """An operand known only by its edge, for growing the graph of a vjp node."""

    def __init__(self, edge: tuple):
        self._edge = edge


def add(a: TensorBase, b: TensorBase) -> TensorBase:
    """a + b by the declared op, recorded like any other."""
    return call(OPS["add"], (a, b))


def add_values(a: Value, b: Value) -> Value:
    """a + b outside the graph."""
    op, types = OPS["add"], (a.spec, b.spec)
    return record_values(op.plain.get(types) or op.plan(types, ()), (a, b))[0]


# ---------------------------------------------------------------- leaves
accumulating = threading.RLock()  # a leaf may be shared by threads that run backward at the same time


def accumulate_value(node: AccumulateGrad, gradient: Value) -> None:
    """`accumulate` for a gradient in flight, outside the graph."""
    leaf = node.leaf()
    if leaf is None or leaf._edge is None:  # gone, or told in the meantime not to require grad
        return
    with accumulating:
        if leaf._grad is None and leaf._strides is None:
            leaf._grad = grad = owner_of(gradient)
            version = first_version(gradient)
            if version:
                grad._storage.version = version
        else:
            accumulate(leaf, new_tensor(gradient), False)
    if leaf._post_hooks:
        run_accumulated(leaf)


def first_version(gradient: Value) -> int:
    """The `_version` of a leaf's new gradient: torch takes over what only it holds, with the writes of its making, and copies the rest into it."""
    sums = 0  # how many gradients were added to the first: torch does so in place, unless that is a view or somebody else's
    while (made := gradient.node) is not None:
        plan = made.plan
        writes = plan.writes
        if writes is None:
            writes = plan.writes = _writes_of(plan)
        viewed = plan.primal is not None and plan.primal.op.name in SHOWN and plan.outs[0].numel > 1
        if sums and viewed:
            return sums - 1
        if writes >= 0:
            return sums + writes
        if plan.primal is not None:
            gradient = made.inputs[-1]
        else:
            sums += 1
            gradient = made.inputs[0]
    return sums - 1 if sums else 1


def _writes_of(plan: Plan) -> int:
    """The version of what a plan gives, as a leaf's new gradient; -1 where that depends on its operands."""
    primal = plan.primal
    if primal is None:  # no gradient, so a sum of them, or what the user or a hook made
        return -1 if plan.op.name == "add" else 0 if any(isinstance(a, Spec) for a in plan.argtypes) else 1
    if primal.op.name in COPIED:
        return 1 if plan.outs[0].numel > 1 else 0
    if len(primal.argtypes) > 1 and primal.op.name in SHOWN:
        return 0
    if primal.op.name in SHOWN and primal.outs[0].numel == plan.outs[0].numel:
        return -1
    return WRITES.get(primal.node_class.__name__, 0) if primal.node_class is not None else 0


def accumulate(leaf: TensorBase, gradient: TensorBase, create_graph: bool) -> None:
    """Add `gradient` to `leaf.grad`, in place where torch does."""
    with accumulating:
        have = leaf._grad
        if have is None:
            new = new_tensor(gradient._read())
            leaf._grad = call(OPS["copy"], (new, gradient)) if create_graph and gradient._edge is not None else new
            leaf._grad._storage.version = 1 if create_graph else first_version(gradient._read())
            strides = leaf._current_strides
            if leaf._strides is not None and is_dense(leaf._spec.shape, strides):
                set_strides(leaf._grad, strides)  # a gradient is laid out as its leaf is
        elif create_graph:
            leaf._grad = add(have, gradient)
        else:
            write(have, add(have, gradient)._read(), None)


def is_dense(shape: tuple, strides: tuple) -> bool:
    """Whether elements lie in memory without gaps or repetition, in some order of the dimensions."""
    expected = 1
    for stride, size in sorted((st, n) for st, n in zip(strides, shape) if n != 1):
        if stride != expected:
            return False
        expected *= size
    return True


# ---------------------------------------------------------------- entry points
def backward_of(tensors: tuple, gradients: tuple | None, retain_graph, create_graph: bool, inputs=None) -> None:
    """`torch.autograd.backward`: accumulate into leaves, or into those of `inputs` only. `tensors` may be GradientEdges."""
    keep = create_graph if retain_graph is None else bool(retain_graph)
    roots = make_roots(tensors, gradients)
    if create_graph:
        _warn_of_cycle()
    if inputs is not None:
        walk = Walk(keep, create_graph, goals=_goals(inputs))
    elif len(roots) == 1 and not create_graph and not state.anomaly and not RETAINING:
        (node, number), g = roots[0]
        before, state.grad = state.grad, False
        try:
            done = node.__class__ is not AccumulateGrad and run_plain(node, number, g._read(), keep)
        finally:
            state.grad = before
        if done:
            state.has_backward = True
            return
        walk = Walk(keep, create_graph)
    else:
        walk = Walk(keep, create_graph)
    walk.run(roots)
    if not create_graph:
        state.has_backward = True


@functools.cache
def _warn_of_cycle() -> None:
    """Once, as torch does."""
    warnings.warn("Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause a "
                  "memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this function, make sure "
                  "to reset the .grad fields of your parameters to None after use to break the cycle and avoid the leak.", stacklevel=4)


def _goals(inputs) -> set:
    """The nodes that `backward(inputs=...)` is to reach; non-leaves keep their gradients from now on, as in torch."""
    inputs = (inputs,) if isinstance(inputs, (TensorBase, GradientEdge)) else tuple(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for t in inputs:
        if isinstance(t, TensorBase):
            retain_grad(t)
    return {edge_of(t, True)[0] for t in inputs}


def edge_of(t, wanted: bool) -> tuple:
    """The place in the graph of a tensor or GradientEdge. Raises RuntimeError if there is none."""
    if isinstance(t, GradientEdge):
        return t.node, t.output_nr
    edge = t._current_edge()
    if edge is None and wanted:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def target_slots(inputs: tuple) -> dict:
    """{node: {output: [slots]}} of the tensors whose gradients are wanted."""
    slots: dict = {}
    for i, t in enumerate(inputs):
        node, number = edge_of(t, True)
        if node.__class__ is not Nowhere:  # no gradient ever arrives there
            slots.setdefault(node, {}).setdefault(number, []).append(i)
    return slots


def make_roots(tensors: tuple, gradients: tuple | None) -> list:
    """Pair each root with its cotangent: the one given, or 1 for a scalar. Raises RuntimeError in torch's words."""
    gradients = (None,) * len(tensors) if gradients is None else gradients
    if len(gradients) < len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(gradients)} gradients")
    roots = []
    for i, (t, g) in enumerate(zip(tensors, gradients)):
        edge = edge_of(t, False)
        spec = t.node.output_spec(t.output_nr) if isinstance(t, GradientEdge) else t._spec
        if g is not None:
            g = _checked_root(i, g, spec)
        elif edge is not None:
            if spec.numel != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if not spec.dtype.is_floating_point:
                raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {spec.dtype!r}")
            g = new_tensor(ones_value(spec))
        if edge is None or edge[0].__class__ is Nowhere:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        roots.append((edge, g))
    return roots


def _checked_root(i: int, g, spec: Spec) -> TensorBase:
    if not isinstance(g, TensorBase):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    have = g._spec
    if have.shape != spec.shape:
        raise RuntimeError(f"Mismatch in shape: grad_output[{i}] has a shape of {have.shape} and output[{i}] has a shape of {spec.shape}.")
    if have.dtype is spec.dtype:
        return g
    if have.dtype.is_complex != spec.dtype.is_complex:
        raise RuntimeError(f"For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                           f"grad_output[{i}] "
                           f"has a dtype of {have.dtype!r} and output[{i}] has a dtype of {spec.dtype!r}.")
    return call(OPS["to"], (g,), (("dtype", spec.dtype),))


_ones: dict = {}


def ones_value(spec) -> Value:
    """The constant 1 of a scalar root's spec, one Value for all backwards."""
    found = _ones.get(spec)
    if found is None:
        found = _ones[spec] = Value(spec, None, 0, np.ones(tuple(spec.shape), spec.dtype.numpy))
    return found


def gradients_of(outputs: tuple, inputs: tuple, grad_outputs, retain_graph, create_graph: bool, allow_unused: bool, materialize: bool) -> tuple:
    """`torch.autograd.grad`: the gradients of `outputs` in `inputs`, without touching any `.grad`."""
    keep = create_graph if retain_graph is None else bool(retain_graph)
    roots = make_roots(outputs, grad_outputs)
    walk = Walk(keep, create_graph, target_slots(inputs))
    walk.run(roots)
    results = []
    for i, t in enumerate(inputs):
        g = walk.captured.get(i)
        if g is None and not (allow_unused or materialize):
            raise RuntimeError(f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set allow_unused=True if this is "
                               "the desired behavior.")
        if g is None and materialize:
            spec = t._spec
            g = new_tensor(Value(spec, None, 0, np.zeros(tuple(spec.shape), spec.dtype.numpy)))
            set_leaf(g, create_graph)
        results.append(g)
    return tuple(results)
