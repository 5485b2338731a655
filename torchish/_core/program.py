"""Evaluate, first half: a slice of the tape becomes a structural key with arguments, and a pure function of those arguments.

The key holds everything that shapes the program: plans (by identity), wiring and live outputs. Numbers and arrays are arguments.

Note [Kept activations]: where a value is read between forward and backward (`loss.item()` first), the forward is evaluated without its
intermediates and backward computes them again. The slice that needs them tells the cache entry of the one that had them; from the next
time on, that one keeps them, as torch would.
"""
from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .op import primal_and_pull, pull_back, vjp_by_rule
from .tape import Node, Value

WIRE = 1 << 12  # outputs of one node that a key can tell apart
MORE = object()  # separates a node's operands from its live outputs


class Slice:
    """Nodes to evaluate together: their key, arguments (`owners[i]` is the Value behind `args[i]`, None for a number), live outputs."""

    __slots__ = ("nodes", "key", "args", "owners", "live", "places")


def make_slice(nodes: list[Node], want: Value | None, needed_after: set | None, keep: set | None = None) -> Slice:
    """Wire up `nodes`. Live are Values that a Storage holds, `want`, those in `needed_after` (ids used by nodes left pending), and those
    that `keep` names by (position, output) where the graph still has the node."""
    key, args, owners, live = [], [], [], []
    places: dict = {}  # id of a Value, or (node, operand) of a number -> argument
    for node in nodes:
        key.append(node.plan)
        primal = node.primal
        if primal is not None and (primal.pos < 0 or primal.pos >= len(nodes) or nodes[primal.pos] is not primal):
            primal = None
        for j, v in enumerate(node.inputs):
            if v.__class__ is Value:
                array = v.array
                if array is None:
                    producer = v.node
                    if producer.pos < 0:
                        return make_slice(with_ancestors(nodes), want, needed_after, keep)
                    key.append(producer.pos * WIRE + v.index)
                else:
                    at = places.get(id(v))
                    if at is None:
                        if v.owned.__class__ is tuple:
                            note_use(v)
                        at = places[id(v)] = ~len(args)
                        args.append(array)
                        owners.append(v)
                    key.append(at)
            elif v is None:
                key.append(None)
            elif primal is not None:  # a vjp's number operands are its primal's
                at = places[node, j] = places[primal, j]
                key.append(at)
            else:
                key.append(~len(args))
                places[node, j] = ~len(args)
                args.append(v)
                owners.append(None)
        key.append(MORE)
        for out in node.outs:
            if out is None:
                continue
            holder = out.holder
            if holder is not None:
                holder = holder()
                if holder is not None and holder.value is out:
                    live.append(out)
                    key.append(out.index)
                    continue
            if out is want or (needed_after is not None and id(out) in needed_after) or \
                    (keep is not None and node.origin is not None and (node.pos, out.index) in keep):
                live.append(out)
                key.append(out.index)
    made = Slice()
    made.nodes, made.key, made.args, made.owners, made.live, made.places = nodes, tuple(key), args, owners, live, places
    return made


def with_ancestors(nodes: list[Node]) -> list[Node]:
    """`nodes` preceded by the nodes, evaluated earlier, whose results were not kept and are needed again."""
    inside = set(map(id, nodes))
    extra: dict[int, Node] = {}
    outs: dict[int, list] = {}
    stack = [v for n in nodes for v in n.inputs if v.__class__ is Value and v.array is None]
    _ask_to_keep([v for v in stack if id(v.node) not in inside])
    while stack:
        v = stack.pop()
        node = v.node
        if id(node) in inside:
            continue
        outs.setdefault(id(node), [None] * len(node.plan.outs))[v.index] = v
        if id(node) not in extra:
            extra[id(node)] = node
            stack.extend(u for u in node.inputs if u.__class__ is Value and u.array is None)
    for i, node in extra.items():
        node.outs = tuple(outs[i])
    both = sorted([*extra.values(), *nodes], key=lambda n: n.seq)  # a node of the slice may be an ancestor of one that was evaluated earlier
    for pos, node in enumerate(both):
        node.pos = pos
    return both


def note_use(v: Value) -> None:
    """Tell the cache entry that computed `v` that somebody wants it, see Note [Unused gradients]."""
    entry, number = v.owned
    v.owned = True
    entry.wanted(number)


def _ask_to_keep(values: list[Value]) -> None:
    """Tell the slices that computed `values` without keeping them that they were needed later. Views are not worth keeping: their bases are."""
    while values:
        v = values.pop()
        origin = v.node.origin
        if v.owned.__class__ is tuple:
            note_use(v)
        if v.node.plan.op.put is not None:
            values.extend(u for u in v.node.inputs if u.__class__ is Value and u.array is None)
        elif origin.__class__ is tuple:
            entry, place = origin
            if entry.keep is None:
                entry.keep = set()
            entry.keep.add((place, v.index))


class Step:
    """One node of a program: its plan, where its operands come from, and the earlier step whose forward work it shares."""

    __slots__ = ("plan", "refs", "primal", "keep_pull")

    def __init__(self, plan, refs):
        self.plan, self.refs, self.primal, self.keep_pull = plan, refs, None, None


def make_function(made: Slice):
    """The pure function `f(*args) -> list of live outputs` (plus one int64 vector of check codes where an op has a check)."""
    steps = [Step(n.plan, _refs(n, made)) for n in made.nodes]
    position = {id(n): i for i, n in enumerate(made.nodes)}
    live = [(position[id(v.node)], v.index) for v in made.live]
    pair(steps)
    checked = [i for i, s in enumerate(steps) if s.plan.check is not None]

    def program(*args):
        env: list = []
        pulls: dict[int, object] = {}
        codes = []
        for i, step in enumerate(steps):
            operands = [None if r is None else args[~r] if r < 0 else env[r // WIRE][r % WIRE] for r in step.refs]
            env.append(trace_step(step, operands, env, pulls, i))
            if i in checked:
                codes.append(jnp.asarray(step.plan.check(jnp, *operands, **dict(step.plan.static)), jnp.int64))
        results = [env[i][j] for i, j in live]
        if codes:
            results.append(jnp.stack(codes))
        return results
    return program, [(steps[i].plan, i) for i in checked]


def _refs(node: Node, made: Slice) -> list:
    """Where each operand of `node` comes from: a step's output (>= 0), an argument (~index), or nowhere (None)."""
    places, refs = made.places, []
    for j, v in enumerate(node.inputs):
        if v.__class__ is Value:
            refs.append(v.node.pos * WIRE + v.index if v.array is None else places[id(v)])
        elif v is None:
            refs.append(None)
        else:
            refs.append(places[node, j])
    return refs


def pair(steps: list[Step]) -> None:
    """Let each vjp step share the forward step with the same operands, so that nothing is computed twice."""
    forward = {}
    for i, s in enumerate(steps):
        forward.setdefault((s.plan, tuple(s.refs)), i)
    for s in steps:
        primal = s.plan.primal
        if primal is not None:
            i = forward.get((primal, tuple(s.refs[:len(primal.argtypes)])))
            if i is not None and steps[i].keep_pull in (None, s.plan.needs):
                s.primal = i
                if not s.plan.by_rule:
                    steps[i].keep_pull = s.plan.needs


def trace_step(step: Step, operands: list, env: list, pulls: dict, i: int) -> tuple:
    plan = step.plan
    if step.keep_pull is not None:
        outs, pulls[i] = primal_and_pull(plan, step.keep_pull, operands)
        return outs
    if step.primal is not None:
        n = len(plan.primal.argtypes)
        if plan.by_rule:
            return vjp_by_rule(jnp, plan.primal, plan.needs, plan.given, operands[:n], operands[n:], env[step.primal])
        return pull_back(plan.primal, plan.given, pulls[step.primal], operands[n:])
    return plan.run(jnp, operands)


# ---------------------------------------------------------------- the cold tier
def run_numpy(nodes: list[Node], want: Value | None, needed_after: set | None) -> tuple[list[Value], Exception | None]:
    """Replay in NumPy, without a compile; store the live outputs. Returns them and the first failed check's exception."""
    keep = _needed(nodes, want, needed_after)
    results: list = [None] * len(nodes)
    failure = None
    with np.errstate(all="ignore"):
        for i, node in enumerate(nodes):
            if keep[i] is None:
                continue
            plan = node.plan
            operands = [_operand(v, results) if v.__class__ is Value else v for v in node.inputs]
            if plan.check is not None:
                code = int(plan.check(np, *operands, **dict(plan.static)))
                if code:
                    failure = failure or plan.op.complain(code, plan.argtypes, dict(plan.static))
                    results[i] = tuple(np.zeros(tuple(s.shape), s.dtype.numpy) for s in plan.outs)
                    continue
            results[i] = _numpy_step(node, plan, operands, results)
    live = []
    for i, outs in enumerate(keep):
        for out in outs or ():
            r = results[i][out.index]
            out.array = r if r.__class__ is np.ndarray else np.asarray(r)
            live.append(out)
    return live, failure


def _operand(v: Value, results: list):
    a = v.array
    if a is None:
        return results[v.node.pos][v.index]
    return a if a.__class__ is np.ndarray else np.asarray(a)


def _numpy_step(node: Node, plan, operands: list, results: list) -> tuple:
    primal = node.primal
    if primal is not None and primal.pos >= 0 and primal.pos < len(results) and results[primal.pos] is not None and primal.plan is plan.primal:
        n = len(plan.primal.argtypes)
        return vjp_by_rule(np, plan.primal, plan.needs, plan.given, operands[:n], operands[n:], results[primal.pos])
    return plan.run(np, operands)


def _needed(nodes: list[Node], want: Value | None, needed_after: set | None) -> list:
    """For each node: None if nothing uses it, else the list of its live outputs."""
    keep: list = [None] * len(nodes)
    for i in range(len(nodes) - 1, -1, -1):
        node = nodes[i]
        outs = keep[i]
        for out in node.outs:
            if out is None:
                continue
            holder = out.holder
            held = holder is not None and (cell := holder()) is not None and cell.value is out
            if held or out is want or (needed_after is not None and id(out) in needed_after):
                if outs is None:
                    outs = keep[i] = []
                outs.append(out)
        if node.plan.check is not None and outs is None:
            outs = keep[i] = []
        if outs is not None:
            for v in node.inputs:
                if v.__class__ is Value and v.array is None and keep[v.node.pos] is None:
                    keep[v.node.pos] = []
    return keep
