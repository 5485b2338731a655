"""Values that another thread recorded and has not evaluated yet: how a slice of this thread comes to have them.

Each thread has its own tape; tensors wander between threads. A pending Value of another thread is computed here from copies of the nodes
it needs (values are immutable, so nothing is disturbed), or, where that thread is dead, by running what is left of its tape.
All of this happens under the evaluator's lock, which the other thread needs to evaluate anything itself.
"""
from __future__ import annotations

from collections.abc import Callable

from .tape import Node, Value, threads


def adopt(nodes: list[Node], want: Value | None, run: Callable) -> None:
    """Compute what `nodes` (and `want`) need of other threads' tapes. `run(nodes, needed)` evaluates a list of nodes."""
    found = _foreign(nodes, want)
    if not found:
        return
    left = _left_behind()
    if left:
        _compute(_foreign(left, None), run)
        run(left, None)
    _compute([v for v in found if v.array is None], run)


def _left_behind() -> list[Node]:
    """What threads that have ended left on their tapes, in the order of recording: one thread may have used what another recorded."""
    left = []
    for thread, store in threads:
        if not thread.is_alive():
            left += store["nodes"]
            store["nodes"] = []
    left.sort(key=lambda n: n.seq)
    for pos, node in enumerate(left):
        node.pos = pos
    return left


def _foreign(nodes: list[Node], want: Value | None) -> list[Value]:
    """The pending Values that other tapes hold, among all that `nodes` and `want` are computed from."""
    inside, found = set(map(id, nodes)), []
    stack = [v for n in nodes for v in _pending(n)]
    if want is not None and want.array is None:
        stack.append(want)
    while stack:
        v = stack.pop()
        node = v.node
        if id(node) in inside:
            continue
        if node.pos >= 0:
            found.append(v)
        else:
            inside.add(id(node))
            stack.extend(_pending(node))
    return found


def _pending(node: Node) -> list[Value]:
    return [v for v in node.inputs if v.__class__ is Value and v.array is None]


def _compute(found: list[Value], run: Callable) -> None:
    """Give `found` their arrays, from copies of the nodes they need."""
    if not found:
        return
    needed: dict[int, Node] = {}
    stack = list(found)
    while stack:
        node = stack.pop().node
        if id(node) not in needed:
            needed[id(node)] = node
            stack.extend(_pending(node))
    copies: dict[int, Node] = {}
    for pos, node in enumerate(sorted(needed.values(), key=lambda n: n.seq)):
        inputs = tuple([copies[id(v.node)].outs[v.index] if v.__class__ is Value and v.array is None else v for v in node.inputs])
        made = copies[id(node)] = Node(node.plan, inputs, pos, None)
        made.outs = tuple([Value(spec, made, i) for i, spec in enumerate(node.plan.outs)])
    twins = [copies[id(v.node)].outs[v.index] for v in found]
    run(list(copies.values()), set(map(id, twins)))
    for v, twin in zip(found, twins):
        v.array = twin.array
