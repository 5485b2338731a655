"""Evaluate, first half: a recorded tape becomes canonical steps with a structural key, and a pure function of its arguments.

The key holds everything that shapes the program: plans (by identity), wiring and live outputs. Numbers and arrays are arguments.
Places are those of Note [Tape keys]: n >= 0 an output, n < 0 argument ~n, None absent.
"""
from __future__ import annotations

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np

from .op import Plan, primal_and_pull, pull_back, vjp_by_rule

LIVE = object()  # separates a key's steps from its live outputs


class Step:
    """One node of a program: its plan, where its operands come from, the place of its first output, and the earlier step (if any) whose
    forward work it shares."""

    __slots__ = ("plan", "refs", "at", "primal", "keep_pull")

    def __init__(self, plan: Plan, refs: tuple, at: int):
        self.plan, self.refs, self.at, self.primal, self.keep_pull = plan, refs, at, None, None


def steps_of(key: list | tuple) -> list[Step]:
    """Read the steps off a tape's key."""
    steps, i, at = [], 0, 0
    while i < len(key):
        plan = key[i]
        end = i + 1 + len(plan.argtypes)
        steps.append(Step(plan, tuple(key[i + 1:end]), at))
        at += len(plan.outs)
        i = end
    return steps


class Canonical:
    """The steps that lead to the live outputs, renumbered: equal for tapes that differ only in what nobody uses.

    args: the tape's arguments that are used. live: places of the live outputs on the tape, `outs` the same renumbered. moved: {place on the
    tape: place here} of all outputs of the steps. key: the structure.
    """

    __slots__ = ("steps", "args", "live", "outs", "moved", "key")

    def __init__(self, steps: list[Step], live: Iterable[int]):
        self.live = sorted(live)
        self.args: list[int] = []
        self.moved: dict[int, int] = {}
        self.steps = self._renumber(_needed(steps, self.live))
        self.outs = [self.moved[n] for n in self.live]
        flat: list = []
        for step in self.steps:
            flat.append(step.plan)
            flat += step.refs
        self.key = (*flat, LIVE, *self.outs)

    def _renumber(self, steps: list[Step]) -> list[Step]:
        made, count, known, moved = [], 0, {}, self.moved
        for step in steps:
            refs: list = []
            for r in step.refs:
                if r is not None and r < 0:
                    at = known.get(r)
                    if at is None:
                        at = known[r] = ~len(self.args)
                        self.args.append(~r)
                    refs.append(at)
                else:
                    refs.append(None if r is None else moved[r])
            made.append(Step(step.plan, tuple(refs), count))
            for i in range(len(step.plan.outs)):
                moved[step.at + i] = count
                count += 1
        return made


def _needed(steps: list[Step], live: list[int]) -> list[Step]:
    """The steps that the live outputs need, and those with a check, in order."""
    wanted, found = set(live), []
    for step in reversed(steps):
        if step.plan.check is not None or not wanted.isdisjoint(range(step.at, step.at + len(step.plan.outs))):
            found.append(step)
            wanted.update([r for r in step.refs if r is not None and r >= 0])
    return found[::-1]


def pair(steps: list[Step]) -> None:
    """Let each vjp step share the forward step with the same operands, so that nothing is computed twice."""
    forward: dict = {}
    for s in steps:
        forward.setdefault((s.plan, s.refs), s)
    for s in steps:
        primal = s.plan.primal
        if primal is not None:
            found = forward.get((primal, s.refs[:len(primal.argtypes)]))
            if found is not None and found.at < s.at and found.keep_pull in (None, s.plan.needs):
                s.primal = found
                if not s.plan.by_rule:
                    found.keep_pull = s.plan.needs


def operands_of(step: Step, args, env: list) -> list:
    """A step's operands, from the program's arguments and the outputs so far."""
    return [None if r is None else args[~r] if r < 0 else env[r] for r in step.refs]


def make_function(steps: list[Step], outs: list[int]):
    """The pure function `f(*args) -> list of live outputs` (plus one int64 vector of check codes where an op has a check) of paired steps."""
    checked = [s.plan for s in steps if s.plan.check is not None]

    def program(*args):
        env: list = []
        pulls: dict = {}
        codes = []
        for step in steps:
            operands = operands_of(step, args, env)
            if step.plan.check is not None:
                codes.append(jnp.asarray(step.plan.check(jnp, *operands, **dict(step.plan.static)), jnp.int64))
            env += trace_step(step, operands, env, pulls)
        results = [env[n] for n in outs]
        if codes:
            results.append(jnp.stack(codes))
        return results
    return program, checked


def trace_step(step: Step, operands: list, env: list, pulls: dict) -> tuple:
    """The outputs of one step in XLA. `pulls` keeps what `jax.vjp` gave for forward steps that share their work."""
    plan, primal = step.plan, step.primal
    if step.keep_pull is not None:
        outs, pulls[step] = primal_and_pull(plan, step.keep_pull, operands)
        return outs
    if primal is not None:
        n = len(plan.primal.argtypes)
        if plan.by_rule:
            return vjp_by_rule(jnp, plan.primal, plan.needs, plan.given, operands[:n], operands[n:], _outs(primal, env))
        return pull_back(plan.primal, plan.given, pulls[primal], operands[n:])
    return plan.run(jnp, operands)


def _outs(step: Step, env: list) -> list:
    return env[step.at:step.at + len(step.plan.outs)]


# ---------------------------------------------------------------- the cold tier
def numpy_step(step: Step, operands: list, env: list) -> tuple:
    """The outputs of one step in NumPy."""
    plan = step.plan
    if step.primal is not None:
        n = len(plan.primal.argtypes)
        return vjp_by_rule(np, plan.primal, plan.needs, plan.given, operands[:n], operands[n:], _outs(step.primal, env))
    return plan.run(np, operands)


def run_numpy(steps: list[Step], outs: list[int], args: list) -> tuple[list, Exception | None]:
    """Replay in NumPy, without a compile: the live outputs, and the exception of the first check that failed (whose step gives zeros)."""
    env: list = []
    failure = None
    with np.errstate(all="ignore"):
        for step in steps:
            plan = step.plan
            operands = operands_of(step, args, env)
            if plan.check is not None:
                code = int(plan.check(np, *operands, **dict(plan.static)))
                if code:
                    failure = failure or plan.op.complain(code, plan.argtypes, dict(plan.static))
                    env += [np.zeros(tuple(s.shape), s.dtype.numpy) for s in plan.outs]
                    continue
            env += numpy_step(step, operands, env)
    results = [env[n] for n in outs]
    return [r if r.__class__ is np.ndarray else np.asarray(r) for r in results], failure
