"""Differentiate: walk the graph from the roots and record one vjp node for each GradNode, in torch's order.

The vjp nodes are ordinary tape entries: they are evaluated together with the forward (which they share, see program.py), and with
`create_graph=True` they are themselves differentiable. The walk is iterative, so a graph may be as deep as memory allows.
"""
from __future__ import annotations

import operator

import numpy as np

from .errors import version_error
from .grad_graph import AccumulateGrad, GradNode
from .handle import TensorBase, new_tensor
from .op import OPS, vjp_plan
from .record import call, grow_graph
from .tape import Value, record_values, state
from .view import write

FREED = ("Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved "
         "intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
         "backward through the graph a second time or if you need to access saved tensors after calling backward.")


class Walk:
    """One run of backward. Gradients in flight are Values, or with `create_graph` tensors that are part of a graph themselves."""

    def __init__(self, keep_graph: bool, create_graph: bool, targets: dict | None):
        self.keep_graph, self.create_graph = keep_graph, create_graph
        self.targets = targets  # {node: {output: [slots]}} to capture; None: accumulate into all leaves
        self.captured: dict[int, TensorBase] = {}
        self.buffers: dict[GradNode, list] = {}
        self.waiting: dict[GradNode, int] = {}
        self.needed: set[GradNode] | None = None

    def run(self, roots: list[tuple[tuple, TensorBase]]) -> None:
        order = self._order(roots)
        if self.targets is not None:
            self.needed = self._find_needed(order)
        before = state.grad
        state.grad = self.create_graph
        try:
            for edge, gradient in roots:
                self._deliver(edge, gradient if self.create_graph else gradient._read())
            for (node, _), _ in roots:
                if node.__class__ is AccumulateGrad and not self.waiting.get(node):
                    self._leaf(node)
            for node in order:
                self._step(node)
        finally:
            state.grad = before

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
                    elif target not in seen:
                        stack.append(target)
        order.sort(key=_by_sequence, reverse=True)
        return order

    def _find_needed(self, order: list[GradNode]) -> set[GradNode]:
        """The nodes from which a target can be reached: the others need not run."""
        needed = set(self.targets)
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
        if buffer is not None and (node.extra is not None or self.targets is not None):
            buffer = self._arrive(node, buffer)
        if needed is None:
            needs = tuple([i for i, e in enumerate(edges) if e is not None])
        else:
            needs = tuple([i for i, e in enumerate(edges) if e is not None and e[0] in needed])
        if needs:
            if buffer is not None:
                gradients = self._gradients(node, needs, buffer)
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

    def _leaf(self, node: AccumulateGrad) -> None:
        buffer = self.buffers.pop(node, None)
        if buffer is None:
            return
        if node.extra is not None or self.targets is not None:
            buffer = self._arrive(node, buffer)
        if self.targets is None and buffer[0] is not None:
            accumulate_leaf(node, self._tensor(buffer[0]), self.create_graph)

    def _arrive(self, node: GradNode, buffer: list) -> list:
        """Hooks on the tensors that `node` produced, and captures, once their gradients are complete."""
        if node.extra is not None and not node.extra.keys().isdisjoint(_ARRIVAL_HOOKS):
            buffer = [None if g is None else self._tensor(g) for g in buffer]
            run_tensor_hooks(node, buffer)
            if "prehooks" in node.extra:
                buffer = run_prehooks(node, buffer)
            buffer = [None if g is None else self._carrier(g) for g in buffer]
        if self.targets is not None and node in self.targets:
            for number, slots in self.targets[node].items():
                if buffer[number] is not None:
                    for slot in slots:
                        self.captured[slot] = self._tensor(buffer[number])
        return buffer

    def _gradients(self, node: GradNode, needs: tuple, buffer: list) -> tuple:
        if node.freed and node.keeps_tensors():
            raise RuntimeError(FREED)
        for counter, version, operand in node.saved:
            if counter.version != version:
                raise version_error(node, operand, counter.version, version)
        results = node.vjp(needs, buffer, self)
        if node.extra is not None and "hooks" in node.extra:
            full = [None] * len(node.edges)
            for i, r in zip(needs, results):
                full[i] = None if r is None else self._tensor(r)
            full = run_hooks(node, full, [None if g is None else self._tensor(g) for g in buffer])
            results = [None if full[i] is None else self._carrier(full[i]) for i in needs]
        return results

    def record(self, node: GradNode, needs: tuple, buffer: list) -> tuple:
        """Append the vjp of `node`'s recorded computation; differentiable in its turn under create_graph."""
        primal = node.node or node.revive()
        plan = vjp_plan(primal.plan, needs, tuple([g is not None for g in buffer]))
        if not self.create_graph:
            if plan.passes:
                return (buffer[0],) * len(needs)
            return record_values(plan, (*primal.inputs, *[g for g in buffer if g is not None]), primal)
        given = [g for g in buffer if g is not None]
        outs = record_values(plan, (*primal.inputs, *[g._read() for g in given]), primal)
        args = (*[_Edge(e) if e is not None else None for e in node.edges], *given)
        made = grow_graph(plan, args, outs[0].node)
        if all(e is None for e in made.edges):
            return tuple([new_tensor(v) for v in outs])
        return tuple([new_tensor(v, (made, i)) for i, v in enumerate(outs)])

    # ------------------------------------------------------------ gradients in flight
    def _tensor(self, g) -> TensorBase:
        return new_tensor(g) if g.__class__ is Value else g

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
            gradient = add(have, gradient) if self.create_graph else add_values(have, gradient)
        buffer[number] = gradient


# ---------------------------------------------------------------- the common case
def run_plain(root: GradNode, gradient: Value, keep_graph: bool) -> bool:
    """`Walk` for the common case, in one function: one root, single-output recorded operations without hooks, all leaves accumulate.

    Returns False, having done nothing, where the graph is not like that.
    """
    order, seen, waiting, stack = [], {root}, {}, [root]
    while stack:
        node = stack.pop()
        if node.extra is not None or node.outputs != 1 or node.node is None:
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
    buffers = {root: gradient}
    for node in order:
        g = buffers.pop(node, None)
        primal, edges = node.node, node.edges
        if g is not None:
            for counter, version, operand in node.saved:
                if counter.version != version:
                    raise version_error(node, operand, counter.version, version)
            needs = _FIRST if len(edges) == 1 else tuple([i for i, e in enumerate(edges) if e is not None])
            plan = primal.plan.vjps.get((needs, _GIVEN)) or vjp_plan(primal.plan, needs, _GIVEN)
            gradients = (g,) * len(needs) if plan.passes else record_values(plan, (*primal.inputs, g), primal)
            for i, g in zip(needs, gradients):
                target = edges[i][0]
                have = buffers.get(target)
                buffers[target] = g if have is None else add_values(have, g)
        if not keep_graph:
            node.release()
        for edge in edges:
            if edge is not None:
                leaf = edge[0]
                if leaf.__class__ is AccumulateGrad:
                    left = waiting[leaf] = waiting[leaf] - 1
                    if left == 0 and leaf in buffers:
                        accumulate_value(leaf, buffers[leaf])
    return True


_FIRST, _GIVEN = (0,), (True,)
_by_sequence = operator.attrgetter("seq")
_ARRIVAL_HOOKS = ("tensor_hooks", "retain", "prehooks")


class _Edge(TensorBase):
    """An operand known only by its edge, for growing the graph of a vjp node."""

    def __init__(self, edge: tuple):
        self._edge = edge


def add(a: TensorBase, b: TensorBase) -> TensorBase:
    """a + b by the declared op, recorded like any other."""
    return call(OPS["add"], (a, b))


def add_values(a: Value, b: Value) -> Value:
    """a + b outside the graph."""
    return record_values(OPS["add"].plan((a.spec, b.spec), ()), (a, b))[0]


# ---------------------------------------------------------------- leaves and hooks
def accumulate_leaf(node: AccumulateGrad, gradient: TensorBase, create_graph: bool) -> None:
    """Add `gradient` to the leaf's `.grad`, running the leaf's tensor hooks before and its post-accumulate hooks after."""
    leaf = node.leaf()
    if leaf is not None:
        accumulate_into(leaf, gradient, create_graph)


def accumulate_value(node: AccumulateGrad, gradient: Value) -> None:
    """`accumulate_leaf` of a gradient in flight, outside the graph."""
    leaf = node.leaf()
    if leaf is None:
        return
    if leaf._grad is None and leaf._post_hooks is None:
        leaf._grad = new_tensor(gradient)
    else:
        accumulate_into(leaf, new_tensor(gradient), False)


def accumulate_into(leaf: TensorBase, gradient: TensorBase, create_graph: bool) -> None:
    """Add `gradient` to `leaf.grad`, in place where torch does, then run the post-accumulate hooks."""
    have = leaf._grad
    if have is None:
        if not create_graph:
            stolen = new_tensor(gradient._read())
            leaf._grad = stolen
        else:
            leaf._grad = gradient
    elif create_graph:
        leaf._grad = add(have, gradient)
    else:
        write(have, add(have, gradient)._read(), None)
    if leaf._post_hooks:
        for hook in list(leaf._post_hooks.values()):
            hook(leaf)


def run_tensor_hooks(node: GradNode, buffer: list) -> None:
    """Hooks of the tensors that `node` produced: each may replace its tensor's gradient; then `retain_grad` keeps what results."""
    for number, hook in list(node.extra.get("tensor_hooks", {}).values()):
        if buffer[number] is not None:
            changed = hook(buffer[number])
            if changed is not None:
                buffer[number] = changed
    for number, ref in node.extra.get("retain", {}).values():
        tensor = ref()
        if tensor is not None and buffer[number] is not None:
            tensor._grad = buffer[number]


def run_prehooks(node: GradNode, buffer: list) -> list:
    """Tensor hooks and node prehooks: each may replace the gradients that arrive."""
    for hook in list(node.extra["prehooks"].values()):
        changed = hook(tuple(buffer))
        if changed is not None:
            buffer = list(changed) if isinstance(changed, tuple) else [changed]
    return buffer


def run_hooks(node: GradNode, full: list, buffer: list) -> list:
    """Node hooks: each may replace the gradients of the operands (`full`, None where not needed)."""
    for hook in list(node.extra["hooks"].values()):
        changed = hook(tuple(full), tuple(buffer))
        if changed is not None:
            full = list(changed)
    return full


# ---------------------------------------------------------------- entry points
def backward(roots: list[tuple[tuple, TensorBase]], keep_graph: bool, create_graph: bool, targets: dict | None = None) -> dict[int, TensorBase]:
    """Run backward from `roots` ((edge, cotangent) pairs). With `targets` ({node: {output: [slots]}}) capture instead of accumulating."""
    walk = Walk(keep_graph, create_graph, targets)
    walk.run(roots)
    if not create_graph and targets is None:
        state.has_backward = True
    return walk.captured


def backward_of(tensors: tuple, gradients: tuple | None, retain_graph, create_graph: bool, inputs) -> None:
    """`torch.autograd.backward`: accumulate into leaves, or into `inputs` only."""
    keep = create_graph if retain_graph is None else bool(retain_graph)
    roots = make_roots(tensors, gradients, create_graph)
    if inputs is None:
        if len(roots) == 1 and not create_graph:
            (node, _), g = roots[0]
            before, state.grad = state.grad, False
            try:
                done = node.__class__ is not AccumulateGrad and run_plain(node, g._read(), keep)
            finally:
                state.grad = before
            if done:
                state.has_backward = True
                return
        backward(roots, keep, create_graph)
        return
    inputs = (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    captured = backward(roots, keep, create_graph, target_slots(inputs))
    for slot, t in enumerate(inputs):
        if slot in captured:
            accumulate_into(t, captured[slot], create_graph)


def target_slots(inputs: tuple) -> dict:
    """{node: {output: [slots]}} of the tensors whose gradients are wanted."""
    slots: dict = {}
    for i, t in enumerate(inputs):
        edge = t._current_edge()
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        slots.setdefault(edge[0], {}).setdefault(edge[1], []).append(i)
    return slots


def make_roots(tensors: tuple, gradients: tuple | None, create_graph: bool) -> list:
    """Pair each root with its cotangent: the one given, or 1 for a scalar. Raises RuntimeError in torch's words."""
    gradients = (None,) * len(tensors) if gradients is None else gradients
    roots = []
    for i, (t, g) in enumerate(zip(tensors, gradients)):
        edge = t._current_edge()
        if edge is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        spec = t._spec
        if g is None:
            if spec.numel != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if not spec.dtype.is_floating_point:
                raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {spec.dtype!r}")
            g = new_tensor(ones_value(spec))
        elif g._spec.shape != spec.shape:
            raise RuntimeError(f"Mismatch in shape: grad_output[{i}] has a shape of {g._spec.shape} and output[{i}] has a shape of {spec.shape}.")
        roots.append((edge, g))
    return roots


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
    captured = backward(make_roots(outputs, grad_outputs, create_graph), keep, create_graph, target_slots(inputs))
    results = []
    for i, t in enumerate(inputs):
        g = captured.get(i)
        if g is None and not (allow_unused or materialize):
            raise RuntimeError("One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is "
                               "the desired behavior.")
        if g is None and materialize:
            g = new_tensor(Value(t._spec, None, 0, np.zeros(tuple(t._spec.shape), t._spec.dtype.numpy)))
        results.append(g)
    return tuple(results)
