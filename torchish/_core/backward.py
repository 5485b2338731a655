"""Differentiate: walk the graph from the roots and record one vjp node for each GradNode, in torch's order.

The vjp nodes are ordinary tape entries: they are evaluated together with the forward (which they share, see program.py), and with
`create_graph=True` they are themselves differentiable. The walk is iterative, so a graph may be as deep as memory allows.
"""
from __future__ import annotations

import heapq

import numpy as np

from .errors import version_error
from .grad_graph import ACCUMULATE_SEQ, AccumulateGrad, GradNode
from .handle import TensorBase, new_tensor
from .op import OPS
from .record import call, grow_graph
from .tape import Value, record_values, state
from .view import write

FREED = ("Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved "
         "intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
         "backward through the graph a second time or if you need to access saved tensors after calling backward.")


class Walk:
    """One run of backward. Cotangents are tensors, so that hooks and `create_graph` see what they expect."""

    def __init__(self, keep_graph: bool, create_graph: bool, accumulate: bool, targets: dict | None):
        self.keep_graph, self.create_graph, self.accumulate = keep_graph, create_graph, accumulate
        self.targets = targets  # {(id(node), output): slot} to capture, or None for "all leaves"
        self.captured: dict[int, TensorBase] = {}
        self.waiting: dict[int, int] = {}
        self.buffers: dict[int, list] = {}
        self.needed: set[int] | None = None
        self.ready: list = []

    def run(self, roots: list[tuple[tuple, TensorBase]]) -> None:
        nodes = self._count(roots)
        if self.targets is not None:
            self.needed = self._find_needed(nodes)
        before = state.grad
        state.grad = self.create_graph
        try:
            for edge, gradient in roots:
                self._deliver(edge, gradient)
            self.started: set[int] = set()
            for (node, _), _ in roots:
                if self.waiting.get(id(node), 0) == 0:
                    self._push(node)
            while self.ready:
                self._step(heapq.heappop(self.ready)[2])
        finally:
            state.grad = before

    # ------------------------------------------------------------ order
    def _count(self, roots) -> dict[int, GradNode]:
        """Count the edges into each reachable node, so that a node runs only when its gradient is complete."""
        seen: dict[int, GradNode] = {}
        stack = []
        waiting = self.waiting
        for (node, _), _ in roots:
            if id(node) not in seen:
                seen[id(node)] = node
                stack.append(node)
        while stack:
            for edge in stack.pop().edges:
                if edge is not None:
                    node = edge[0]
                    key = id(node)
                    waiting[key] = waiting.get(key, 0) + 1
                    if key not in seen:
                        seen[key] = node
                        stack.append(node)
        return seen

    def _find_needed(self, nodes: dict[int, GradNode]) -> set[int]:
        """The nodes from which a target can be reached: the others need not run."""
        wanted = {key for key, _ in self.targets}
        needed = set()
        for node in sorted(nodes.values(), key=lambda n: n.seq if n.seq != ACCUMULATE_SEQ else -1):
            if id(node) in wanted or any(e is not None and id(e[0]) in needed for e in node.edges):
                needed.add(id(node))
        return needed

    def _push(self, node: GradNode) -> None:
        if id(node) not in self.started:
            self.started.add(id(node))
            heapq.heappush(self.ready, (-node.seq, id(node), node))

    # ------------------------------------------------------------ one node
    def _step(self, node: GradNode) -> None:
        buffer = self.buffers.pop(id(node), None)
        run = self.needed is None or id(node) in self.needed
        if node.extra is not None and buffer is not None:
            run_tensor_hooks(node, buffer)
        if self.targets is not None:
            self._capture(node, buffer)
        if node.__class__ is AccumulateGrad:
            if buffer is not None and buffer[0] is not None and self.targets is None:
                accumulate_leaf(node, buffer[0], self.create_graph)
            return
        gradients: dict[int, TensorBase] = {}
        if run and buffer is not None and any(g is not None for g in buffer) and self._has_path(node):
            gradients = self._gradients(node, buffer)
        if not self.keep_graph and run:
            node.release()
        for i, edge in enumerate(node.edges):
            if edge is None:
                continue
            g = gradients.get(i)
            if g is not None:
                self._deliver(edge, g)
            key = id(edge[0])
            self.waiting[key] -= 1
            if self.waiting[key] == 0:
                self._push(edge[0])

    def _has_path(self, node: GradNode) -> bool:
        return self.needed is None or any(e is not None and id(e[0]) in self.needed for e in node.edges)

    def _gradients(self, node: GradNode, buffer: list) -> dict[int, TensorBase]:
        if node.extra is not None and "prehooks" in node.extra:
            buffer = run_prehooks(node, buffer)
        if node.freed and node.keeps_tensors():
            raise RuntimeError(FREED)
        for counter, version, operand in node.saved:
            if counter.version != version:
                raise version_error(node, operand, counter.version, version)
        needs = tuple([i for i, e in enumerate(node.edges) if e is not None and (self.needed is None or id(e[0]) in self.needed)])
        results = node.vjp(needs, buffer, self._record)
        if node.extra is not None and "hooks" in node.extra:
            results = run_hooks(node, needs, results, buffer)
        return dict(zip(needs, results))

    def _record(self, plan, node: GradNode, cotangents: list) -> tuple:
        """Append the vjp node of `node`; differentiable in its turn under create_graph."""
        primal = node.node
        outs = record_values(plan, primal.inputs + tuple([c._read() for c in cotangents]))
        outs[0].node.primal = primal
        if self.create_graph:
            args = tuple([_Edge(e) if e is not None else None for e in node.edges]) + tuple(cotangents)
            made = grow_graph(plan, args, outs)
            if any(e is not None for e in made.edges):
                made.extra = {"tensor_operands": tuple(a is not None for a in args)}
                return tuple([new_tensor(v, (made, i)) for i, v in enumerate(outs)])
        return tuple([new_tensor(v) for v in outs])

    # ------------------------------------------------------------ gradients in flight
    def _deliver(self, edge: tuple, gradient: TensorBase) -> None:
        node, number = edge
        buffer = self.buffers.get(id(node))
        if buffer is None:
            size = 1 if node.__class__ is AccumulateGrad else len(node.output_specs())
            buffer = self.buffers[id(node)] = [None] * size
        have = buffer[number]
        buffer[number] = gradient if have is None else add(have, gradient)

    def _capture(self, node: GradNode, buffer):
        for (key, number), slots in self.targets.items():
            if key == id(node) and buffer is not None and buffer[number] is not None:
                for slot in slots:
                    self.captured[slot] = buffer[number]


class _Edge(TensorBase):
    """An operand known only by its edge, for growing the graph of a vjp node."""

    def __init__(self, edge: tuple):
        self._edge = edge
        self._storage = edge[0]  # never read: vjp nodes save nothing


def add(a: TensorBase, b: TensorBase) -> TensorBase:
    """a + b by the declared op, recorded like any other."""
    return call(OPS["add"], (a, b))


# ---------------------------------------------------------------- leaves and hooks
def accumulate_leaf(node: AccumulateGrad, gradient: TensorBase, create_graph: bool) -> None:
    """Add `gradient` to the leaf's `.grad`, running the leaf's tensor hooks before and its post-accumulate hooks after."""
    leaf = node.leaf()
    if leaf is not None:
        accumulate_into(leaf, gradient, create_graph)


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


def run_hooks(node: GradNode, needs: tuple, results: tuple, buffer: list) -> tuple:
    """Node hooks: each may replace the gradients of the operands."""
    full = [None] * len(node.edges)
    for i, r in zip(needs, results):
        full[i] = r
    for hook in list(node.extra["hooks"].values()):
        changed = hook(tuple(full), tuple(buffer))
        if changed is not None:
            full = list(changed)
    return tuple(full[i] for i in needs)


# ---------------------------------------------------------------- entry points
def backward(roots: list[tuple[tuple, TensorBase]], keep_graph: bool, create_graph: bool, targets: dict | None = None) -> dict[int, TensorBase]:
    """Run backward from `roots` ((edge, cotangent) pairs). With `targets` ({(id(node), output): [slots]}) capture instead of accumulating."""
    walk = Walk(keep_graph, create_graph, targets is None, targets)
    walk.run(roots)
    if not create_graph and targets is None:
        state.has_backward = True
    return walk.captured


def backward_of(tensors: tuple, gradients: tuple | None, retain_graph, create_graph: bool, inputs) -> None:
    """`torch.autograd.backward`: accumulate into leaves, or into `inputs` only."""
    keep = create_graph if retain_graph is None else bool(retain_graph)
    roots = make_roots(tensors, gradients, create_graph)
    if inputs is None:
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
    """{(id(node), output): [slots]} of the tensors whose gradients are wanted."""
    slots: dict = {}
    for i, t in enumerate(inputs):
        edge = t._current_edge()
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        slots.setdefault((id(edge[0]), edge[1]), []).append(i)
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
    """The constant 1 of a scalar root's spec, shared by all backwards."""
    found = _ones.get(spec)
    if found is None:
        array = np.ones(tuple(spec.shape), spec.dtype.numpy)
        found = _ones[spec] = Value(spec, None, 0, array)
    return Value(spec, None, 0, found.array) if found.array.__class__ is np.ndarray else Value(spec, None, 0, found.array)


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
