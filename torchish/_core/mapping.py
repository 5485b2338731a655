"""A recorded program with a batch dimension added: the operation behind vmap. Pure functions and Plans; scopes and the graph are capture's.

Note [Program identity]: programs are interned by structure (plans and wiring; arrays and numbers are arguments), so that the same function
mapped again finds the same Plan, and with it the same compiled program.
"""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .op import Op, Plan
from .program import Step, numpy_step, operands_of, pair, trace_step
from .spec import Spec, spec_of
from .tape import Node, Value

SUM = "sum"  # an out axis: the examples' results added up
COLD_STEPS = 512  # example-by-example replay in NumPy costs a few microseconds a step; beyond this the compiler is asked at once
CODES = 64


class Program:
    """A pure function of `size` arguments: steps in order, and where its outputs come from."""

    __slots__ = ("steps", "outs", "checked", "numpy")

    def __init__(self, steps: list[Step], outs: tuple):
        self.steps, self.outs = steps, outs
        self.checked = [i for i, s in enumerate(steps) if s.plan.check is not None]
        self.numpy = all(s.plan.numpy for s in steps)
        pair(steps)

    def run(self, xp, args: tuple, codes: list | None = None) -> tuple:
        """The outputs for one example; the checks' codes are added to `codes`."""
        env: list = []
        pulls: dict = {}
        for step in self.steps:
            operands = operands_of(step, args, env)
            if codes is not None and step.plan.check is not None:
                codes.append(step.plan.check(xp, *operands, **dict(step.plan.static)))
                if xp is np and codes[-1]:
                    return ()
            env += numpy_step(step, operands, env) if xp is np else trace_step(step, operands, env, pulls)
        return tuple([args[~r] if r < 0 else env[r] for r in self.outs])


_programs: dict[tuple, Program] = {}


def program_of(scope, placeholders: list[Value], outputs: list[Value]) -> tuple[Program, list, list]:
    """The program that leads from a scope's placeholders to `outputs`.

    Returns it with its arguments: (place in `placeholders`, or None) and (None, or a captured Value or number) for each.
    """
    nodes = _reached(scope, outputs)
    first, count = {}, 0  # the place of each node's first output
    for n in nodes:
        first[n] = count
        count += len(n.plan.outs)
    slots = {v: i for i, v in enumerate(placeholders)}
    places: dict = {}
    which, captured = [], []

    def argument(key, place, operand) -> int:
        at = places.get(key)
        if at is None:
            at = places[key] = ~len(which)
            which.append(place)
            captured.append(operand)
        return at

    def ref(v: Value) -> int:
        if not scope.within(v):
            return argument(v, None, v)
        if v.node is scope.source:
            return argument(v, slots[v], None)
        return first[v.node] + v.index

    def refs_of(node: Node) -> tuple:
        made = []
        for j, v in enumerate(node.inputs):
            if v.__class__ is Value:
                made.append(ref(v))
            elif v is None:
                made.append(None)
            else:  # a vjp's numbers are its primal's
                owner = node.primal if node.primal in first else node
                made.append(argument((owner, j), None, v))
        return tuple(made)
    wiring = tuple([(n.plan, refs_of(n), first[n]) for n in nodes])
    outs = tuple([ref(v) for v in outputs])
    program = _programs.get((wiring, outs))
    if program is None:
        if len(_programs) > 4096:
            _programs.clear()
        program = _programs[wiring, outs] = Program([Step(*each) for each in wiring], outs)
    return program, which, captured


def _reached(scope, outputs: list[Value]) -> list[Node]:
    """The scope's nodes that `outputs` need, in the order of recording."""
    found: set[Node] = set()
    stack = list(outputs)
    while stack:
        v = stack.pop()
        if v.__class__ is Value and scope.within(v) and v.node is not scope.source and v.node not in found:
            found.add(v.node)
            stack.extend(v.node.inputs)
    return sorted(found, key=lambda n: n.seq)


# ---------------------------------------------------------------- the mapped operation
def mapped_plan(program: Program, size: int, types: tuple, in_axes: tuple, outs: tuple, out_axes: tuple) -> Plan:
    """The Plan of `program` over a batch. `types` are the arguments' types with the batch dimension, `outs` the outputs' Specs without."""
    cold = program.numpy and 0 < size and size * len(program.steps) <= COLD_STEPS
    static = (("program", program), ("size", size), ("in_axes", in_axes), ("outs", outs), ("out_axes", out_axes))
    op = _in_both if cold else _in_xla
    plan = op.plans.get((types, static))
    if plan is None:
        plan = op.plan(types, static)
        plan.cost = size * sum(s.plan.cost + 200 for s in program.steps)
        if not program.checked:
            plan.check = None
    return plan


def _planner(op: Op, argtypes: tuple, static: dict):
    program, size, in_axes, out_axes = static["program"], static["size"], static["in_axes"], static["out_axes"]
    axes = tuple(0 if a is SUM else a for a in out_axes)

    def impl(xp, *args):
        if xp is np:
            return _by_example(program, size, args, in_axes, out_axes)
        results = _over_batch(lambda *a: program.run(jnp, a), size, in_axes, axes, args)
        return tuple(r.sum(0) if a is SUM else r for r, a in zip(results, out_axes))
    return impl, tuple(batched(s, size, a) for s, a in zip(static["outs"], out_axes))


def _over_batch(function, size: int, in_axes: tuple, out_axes, args: tuple):
    moving = [i for i, axis in enumerate(in_axes) if axis is not None]

    def one(*moved):
        full = list(args)
        for i, a in zip(moving, moved):
            full[i] = a
        return function(*full)
    if not moving:  # the outputs do not depend on the batch; they are repeated
        return tuple(jnp.broadcast_to(jnp.expand_dims(r, a), np.insert(r.shape, a, size)) for r, a in zip(one(), out_axes))
    return jax.vmap(one, tuple(in_axes[i] for i in moving), out_axes, axis_size=size)(*[args[i] for i in moving])


def batched(spec: Spec, size: int, axis) -> Spec:
    """The Spec of `size` examples of `spec` along `axis`."""
    if axis is SUM:
        return spec
    shape = list(spec.shape)
    shape.insert(axis, size)
    return spec_of(tuple(shape), spec.dtype, spec.device)


def _examples(size: int, args: tuple, in_axes: tuple):
    moved = [a if axis is None else np.moveaxis(a, axis, 0) for a, axis in zip(args, in_axes)]
    for b in range(size):
        yield tuple([a if axis is None else np.asarray(a[b]) for a, axis in zip(moved, in_axes)])


def _by_example(program: Program, size: int, args: tuple, in_axes: tuple, out_axes: tuple) -> tuple:
    rows = [program.run(np, example) for example in _examples(size, args, in_axes)]
    return tuple(_added(column) if axis is SUM else np.stack(column, axis) for column, axis in zip(zip(*rows), out_axes))


def _added(column: tuple):
    total = column[0]
    for r in column[1:]:
        total = total + r
    return total


# ---------------------------------------------------------------- checks
def _check(xp, *args, program, size, in_axes, outs, out_axes):
    """The code of the first failed check in any example, with the check's number below it; 0 if none fails."""
    if xp is np and any(a.__class__ is Spec for a in args):
        return 0
    if xp is np:
        return next((c for c in (_first_code(np, program, e) for e in _examples(size, args, in_axes)) if c), 0)
    codes = _over_batch(lambda *a: (_first_code(jnp, program, a),), size, in_axes, (0,), args)[0]
    return codes[jnp.argmax(codes != 0)]


def _first_code(xp, program: Program, example: tuple):
    codes: list = []
    program.run(xp, example, codes)
    found = xp.asarray(0, xp.int64)
    for k in range(len(codes) - 1, -1, -1):
        code = xp.asarray(codes[k], xp.int64)
        found = xp.where(code != 0, code * CODES + min(k, CODES - 1), found)
    return found


def _complain(code: int, argtypes: tuple, static: dict) -> Exception:
    program = static["program"]
    plan = program.steps[program.checked[code % CODES]].plan
    return plan.op.complain(code // CODES, plan.argtypes, dict(plan.static))


_in_both = Op("vmap", lambda xp, *args: None, _planner, grad="VmapBackward0", check=_check, complain=_complain)
_in_xla = Op("vmap in XLA", lambda xp, *args: None, _planner, grad="VmapBackward0", numpy=False, check=_check, complain=_complain)

__all__ = ["SUM", "Program", "batched", "mapped_plan", "program_of"]
