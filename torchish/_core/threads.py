"""Values that another thread recorded and has not evaluated yet: how a tape of this thread comes to have them.

Each thread has its own tape; tensors wander between threads. A pending Value of another thread is computed here from copies of the nodes
it needs (values are immutable, so nothing is disturbed), or, where that thread is dead, by running what is left of its tape.
All of this happens under the evaluator's lock, which the other thread needs to evaluate anything itself.
"""
from __future__ import annotations

from collections.abc import Callable

from .tape import Node, Tape, Value, threads

CAUSE = "another thread's tape"


def adopt(found: list[Value], run: Callable) -> None:
    """Compute Values that are pending on other threads' tapes. `run(tape, cause, want, needed)` evaluates a tape."""
    ended = [store["tape"] for thread, store in threads if not thread.is_alive()]
    for v in found:
        left = v.node.tape if v.array is None else None
        if left in ended and not left.running and not left.done:
            run(left, CAUSE, -1, tuple(sorted({u.node.at + u.index for u in found if u.array is None and u.node.tape is left})))
    found = [v for v in found if v.array is None]
    if not found:
        return
    copies = Tape()
    twins: dict[tuple, Value] = {}  # by node and output: where the tape has moved on, it no longer knows the Values
    for node in _needed(found):
        inputs = [twins.get((v.node, v.index), v) if v.__class__ is Value and v.array is None else v for v in node.inputs]
        made = Node(node.plan, tuple(inputs))
        outs = [Value(spec, made, i) for i, spec in enumerate(node.plan.outs)]
        twins.update({(node, i): out for i, out in enumerate(outs)})
        copies.append(made, outs)
    pairs = [(v, twins[v.node, v.index]) for v in found]
    run(copies, CAUSE, -1, tuple(sorted({copies.place(twin) for _, twin in pairs})))
    for v, twin in pairs:
        v.array = twin.array


def _needed(found: list[Value]) -> list[Node]:
    """The pending nodes that `found` are computed from, in the order of recording."""
    needed: set[Node] = set()
    stack = list(found)
    while stack:
        v = stack.pop()
        if v.__class__ is Value and v.array is None and v.node not in needed:
            if not isinstance(v.node.tape, Tape):
                raise RuntimeError("torchish: a Tensor made inside vmap was used after vmap had returned")
            needed.add(v.node)
            stack.extend(v.node.inputs)
    return sorted(needed, key=lambda n: n.seq)
