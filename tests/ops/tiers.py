"""The machinery of test_tiers: which plans a sample records, and what a plan gives in NumPy and compiled by XLA."""
from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from torchish._core import evaluate
from torchish._core.op import Plan, vjp_plan
from torchish._core.spec import Spec
from torchish._core.tape import Node, Tape, Value, state

PLANS_PER_OP = 2  # forward plans kept of one operation, with different operand dtypes or kinds
TOLERANCE = {"float16": 4e-3, "bfloat16": 2e-2, "float32": 3e-5, "complex64": 3e-5, "float64": 1e-11, "complex128": 1e-11}


class Recorded:
    """A plan with the operands of one call, and the sample that made it."""

    def __init__(self, plan: Plan, operands: list, sample: str):
        self.plan, self.operands, self.sample = plan, operands, sample

    def __repr__(self) -> str:
        return f"{'vjp of ' if self.plan.primal is not None else ''}{self.plan} in {self.sample!r}"


@contextmanager
def observed() -> Iterator[list[Node]]:
    """The nodes that are recorded meanwhile, in order; complete when the block has ended."""
    nodes: list[Node] = []
    state.tape = Tape()  # without what earlier samples left pending
    plain = evaluate.run

    def observing(tape, *args):
        nodes.extend(tape.nodes)
        plain(tape, *args)
    evaluate.run = observing
    try:
        yield nodes
    finally:
        evaluate.run = plain
        nodes.extend(state.tape.nodes)
        nodes[:] = sorted(dict.fromkeys(nodes), key=lambda node: node.seq)


def _operands(node: Node, results: dict) -> list | None:
    """A node's operands as arrays, from its Values or from what earlier nodes gave; None where one was not kept."""
    found = []
    for v in node.inputs:
        if v.__class__ is Value:
            array = v.array if v.array is not None else results.get((v.node, v.index))
            if array is None:
                return None
            found.append(np.asarray(array))
        else:
            found.append(v)
    return found


def replay(nodes: list[Node], sample: str, skip: Container[str]) -> Iterator[Recorded]:
    """What the nodes of one sample did, computed in their order, in NumPy where that can be; without the operations in `skip`."""
    results: dict = {}
    for node in nodes:
        operands = _operands(node, results)
        if operands is None or node.plan.op.name in skip:
            continue
        yield Recorded(node.plan, operands, sample)
        if legal(node.plan, operands):
            replayed = in_numpy(node.plan, operands) if node.plan.numpy else compiled([Recorded(node.plan, operands, sample)])[0]
            results |= {(node, i): r for i, r in enumerate(replayed)}


def legal(plan: Plan, operands: list) -> bool:
    """Whether the operands pass the plan's own check of their values."""
    return plan.check is None or int(plan.check(np, *operands, **dict(plan.static))) == 0


def in_numpy(plan: Plan, operands: list) -> tuple:
    with np.errstate(all="ignore"):
        return plan.run(np, operands)


def kind(plan: Plan) -> tuple:
    """What makes a plan worth another look: another operation, other operand dtypes, other parameters' names."""
    types = tuple(a.dtype.name if isinstance(a, Spec) else a for a in plan.argtypes)
    return plan.op.name, plan.primal is not None, types, tuple(name for name, _ in plan.static)


def gradient_of(recorded: Recorded) -> Recorded | None:
    """The vjp of a differentiable plan in every operand that can have a gradient, where the op's own rules give it."""
    plan = recorded.plan
    if not plan.differentiable or plan.primal is not None or plan.op.grad == "NotImplemented":
        return None
    rules = plan.rules or (None,)
    needs = tuple(i for i, a in enumerate(plan.argtypes) if isinstance(a, Spec) and a.differentiable
                  and not isinstance(rules[min(i, len(rules) - 1)], Exception))  # which torch refuses
    made = vjp_plan(plan, needs, tuple(s.differentiable for s in plan.outs)) if needs else None
    if made is None or not made.numpy:
        return None
    draw = np.random.RandomState(1)
    cotangents = [np.asarray(draw.uniform(-2, 2, s.shape)).astype(s.dtype.numpy) for s in plan.outs if s.differentiable]
    return Recorded(made, [*recorded.operands, *cotangents], recorded.sample)


def collect(tables: dict, samples: dict, package: Any, skip: Container[str] = ()) -> tuple[dict[str, list[Recorded]], set[str]]:
    """The plans to compare, by the module that declares the operation, and the names of all operations that were reached.

    Calls of `tables` may raise, as some are there for their error; calls of `samples` may not.
    """
    found, kinds, counts, reached = defaultdict(list), set(), defaultdict(int), set()
    calls = [(name, call, rows) for rows in (tables, samples) for family in rows.values() for name, call in family]
    for name, call, rows in calls:
        for recorded in _sampled(call, name, package, skip, rows is tables):
            plan, this = recorded.plan, kind(recorded.plan)
            reached.add(plan.op.name)
            if this in kinds or counts[this[:2]] >= PLANS_PER_OP or not legal(plan, recorded.operands):
                continue
            kinds.add(this)
            counts[this[:2]] += 1
            gradient = gradient_of(recorded)
            found[plan.op.body.__module__.rpartition(".")[2]] += [recorded] if gradient is None else [recorded, gradient]
    return found, reached


def _sampled(call, name: str, package: Any, skip: Container[str], may_raise: bool) -> list[Recorded]:
    """What one sample records, run cold."""
    evaluate.forget()
    with observed() as nodes, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(package)
        except Exception:
            if not may_raise:
                raise
        state.flags.clear()
    return list(replay(nodes, name, skip))


def compiled(rows: list[Recorded]) -> list[tuple]:
    """What XLA gives for every row, all in one program."""
    def program(operands):
        return [row.plan.run(jnp, each) for row, each in zip(rows, operands)]
    with jax.enable_x64(True):
        return jax.jit(program)([row.operands for row in rows])


def disagreement(row: Recorded, hot: tuple) -> str | None:
    """How the two tiers' results differ from each other or from what the plan promises; None if they do not. Some plans have one tier only."""
    cold = in_numpy(row.plan, row.operands) if row.plan.numpy else hot
    for spec, a, b in zip(row.plan.outs, cold, hot):
        a, b = np.asarray(a), np.asarray(b)
        promised = spec.dtype.numpy, tuple(spec.shape)
        if (a.dtype, a.shape) != promised or (b.dtype, b.shape) != promised:
            return f"{row}: promised {promised}, NumPy gives {a.dtype, a.shape}, XLA {b.dtype, b.shape}"
        if not _close(a, b, TOLERANCE.get(spec.dtype.name)):
            return f"{row}: NumPy gives {a.ravel()[:8]}, XLA {b.ravel()[:8]}"
    return None


def _close(a: np.ndarray, b: np.ndarray, tolerance: float | None) -> bool:
    if tolerance is None:
        return np.array_equal(a, b)
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    return np.allclose(b.astype(wide), a.astype(wide), tolerance, tolerance, equal_nan=True)
