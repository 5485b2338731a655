"""Forward mode: tangents beside Values. While a level is in force, each recorded operation whose operands have tangents gets a jvp node beside it.

Note [Levels]: `Value.tangents` maps a level to the tangent, a tensor. Levels nest, and are kept outermost first in `state.dual`. A jvp node
of one level is recorded with only the levels outside it in force, so that a tangent has tangents of outer levels and the nesting ends.
Tangents belong to Values, not to tensors, so views, in-place writes and backward's own nodes carry them without knowing.
"""
from __future__ import annotations

import contextlib
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from . import handle, tape
from .dependence import dependences
from .grad_graph import GradNode, node_class
from .handle import TensorBase, new_tensor
from .op import Op, Plan, cast, same, simple, vjp_by_rule
from .record import KEPT, call
from .spec import Spec, like
from .tape import Node, Value, next_sequence, outputs, record_values, state

_levels = itertools.count(1)
identity = Op("identity", lambda xp, x: x, simple(lambda x: x), grad="AliasBackward0", vjp=(same,))


# ---------------------------------------------------------------- levels
@contextlib.contextmanager
def level():
    """A new innermost level, in force within the block."""
    before = state.dual
    number = next(_levels)
    state.dual = (*before, number)
    try:
        yield number
    finally:
        state.dual = before


def push_level() -> int:
    """Begin a level that `pop_level` ends."""
    number = next(_levels)
    state.dual = (*state.dual, number)
    return number


def pop_level(number: int) -> None:
    """End a level and any inside it."""
    state.dual = state.dual[:state.dual.index(number)]


@contextlib.contextmanager
def only(levels: tuple):
    """Only these levels are in force within the block."""
    before, state.dual = state.dual, levels
    try:
        yield
    finally:
        state.dual = before


def _outside(number: int) -> tuple:
    return state.dual[:state.dual.index(number)] if number in state.dual else state.dual


# ---------------------------------------------------------------- tangents of tensors
def tangents_of(v: Value) -> dict:
    """{level: tangent} of a Value; do not change it."""
    return v.tangents or _NONE


_NONE: dict = {}


def attach(t: TensorBase, tangent: TensorBase, number: int) -> None:
    """Give the Value that `t` shows a tangent."""
    v = t._read()
    if not tangents_of(v):
        v.tangents = {}
    v.tangents[number] = tangent


def make(primal: TensorBase, tangent: TensorBase, number: int) -> TensorBase:
    """A tensor with `primal`'s values and place in the graph, and a tangent at this level."""
    with only(_outside(number)):
        made = call(identity, (primal,))
    attach(made, tangent, number)
    return made


def unpack(t: TensorBase, number: int) -> tuple[TensorBase, TensorBase | None]:
    """The primal without a tangent at this level, and the tangent (None without one)."""
    tangent = tangents_of(t._read()).get(number)
    if tangent is None:
        return t, None
    with only(_outside(number)):
        value = record_values(identity.plan((t._read().spec,), ()), (t._read(),))[0]
    return new_tensor(value, t._current_edge()), tangent


def detached(t: TensorBase) -> TensorBase:
    """`t`'s values without tangents and outside the graph. It does not share `t`'s storage where it has tangents to leave behind."""
    if not tangents_of(t._read()):
        return handle.alias(t)
    with only(()):
        return new_tensor(record_values(identity.plan((t._read().spec,), ()), (t._read(),))[0])


# ---------------------------------------------------------------- propagation
def propagate(node: Node, grown: GradNode | None) -> None:
    """Record the jvp of `node` at each level where an operand has a tangent; `grown` is its place in the graph, for the jvp's own edges."""
    levels, inputs = state.dual, node.inputs
    marked = [(j, v.tangents) for j, v in enumerate(inputs) if v.__class__ is Value and v.tangents]
    if not marked or node.tape.done:
        return
    try:
        for i, number in enumerate(levels):
            which = tuple([j for j, tangents in marked if number in tangents])
            if which:
                state.dual = levels[:i]
                _record_jvp(node, grown, number, which, [tangents[number] for _, tangents in marked if number in tangents])
    finally:
        state.dual = levels


def _record_jvp(node: Node, grown: GradNode | None, number: int, which: tuple, tangents: list) -> None:
    plan = jvp_plan(node.plan, which)
    if plan is None:
        return
    outs = record_values(plan, (*node.inputs, *[t._read() for t in tangents]))
    edges = (grown.edges if grown is not None else (None,) * len(node.inputs)) + tuple([t._current_edge() for t in tangents])
    place = None
    if state.grad and any(e is not None for e in edges):
        depends = frozenset().union(*dependences(plan))
        edges = tuple([e if i in depends else None for i, e in enumerate(edges)])
    if state.grad and any(e is not None for e in edges):
        place = _graph_node(plan, outs[0].node, edges, any(i in depends for i in range(len(node.inputs))))
        if state.dual:
            propagate(outs[0].node, place)
    differentiable = [out for out in outputs(node) if out.spec.differentiable]
    for k, (out, tangent) in enumerate(zip(differentiable, outs)):
        if not tangents_of(out):
            out.tangents = {}
        out.tangents[number] = new_tensor(tangent, None if place is None else (place, k))


def _graph_node(plan: Plan, node: Node, edges: tuple, scaled: bool) -> GradNode:
    """The place of tangents in the graph: torch's last step is the operation itself where it is linear, else a product with the derivative."""
    made = object.__new__(node_class("MulBackward0" if scaled or not plan.op.grad else plan.op.grad))
    made.node, made.seq, made.outputs, made.edges = node, next_sequence(), len(plan.outs), edges
    made.freed, made.extra, made.saved = False, None, KEPT
    return made


tape.on_dual = propagate


# ---------------------------------------------------------------- jvp plans
def jvp_plan(plan: Plan, which: tuple[int, ...]) -> Plan | None:
    """The Plan that maps (operands..., tangents of the operands `which`...) to the tangents of the differentiable outputs; None without any."""
    key = ("jvp", which)
    if key not in plan.vjps:
        plan.vjps[key] = _make_jvp_plan(plan, which)
    return plan.vjps[key]


def _make_jvp_plan(plan: Plan, which: tuple) -> Plan | None:
    outs = tuple(s for s in plan.outs if s.differentiable)
    if not outs:
        return None
    rules = plan.rules if plan.primal is None else None
    by_rule = rules is not None and all(rules[min(i, len(rules) - 1)] is not None for i in which)
    n = len(plan.argtypes)

    def impl(xp, *args):
        primals = [jnp.asarray(a) if t.__class__ is Spec else a for a, t in zip(args[:n], plan.argtypes)]
        tangents = [cast(jnp, t, plan.argtypes[i].dtype) for t, i in zip(args[n:], which)]
        if by_rule:
            return _jvp_by_rule(plan, which, primals, tangents)
        return _jvp(plan, which, primals, tangents)
    made = Plan(plan.op, impl, outs, plan.argtypes + tuple(like(plan.argtypes[i]) for i in which), plan.static)
    made.rules = made.check = None
    made.differentiable, made.numpy = True, False
    made.cost = 2 * plan.cost
    return made


def _jvp(plan: Plan, which: tuple, primals: list, tangents: list) -> tuple:
    def chosen(*active):
        full = list(primals)
        for i, a in zip(which, active):
            full[i] = a
        return tuple(r for r, s in zip(plan.run(jnp, full), plan.outs) if s.differentiable)
    return jax.jvp(chosen, [primals[i] for i in which], tangents)[1]


def _jvp_by_rule(plan: Plan, which: tuple, primals: list, tangents: list) -> tuple:
    """The transpose of the op's own vjp rules, so that kinks and ties are torch's. JAX's transpose is linear: conjugate on the way in and out."""
    given = tuple(s.differentiable for s in plan.outs)
    results = plan.run(jnp, primals)

    def pull(*cotangents):
        gradients = vjp_by_rule(jnp, plan, which, given, primals, tuple(map(jnp.conj, cotangents)), results)
        return tuple(jnp.conj(g) for g in gradients)
    shapes = [jax.ShapeDtypeStruct(tuple(s.shape), s.dtype.numpy) for s in plan.outs if s.differentiable]
    return jax.linear_transpose(pull, *shapes)(tuple(tangents))


def zero_tangent(t: TensorBase) -> TensorBase:
    """The tangent of a tensor that does not depend on anything."""
    spec = t._read().spec
    return new_tensor(Value(spec, None, 0, np.zeros(tuple(spec.shape), spec.dtype.numpy)))


__all__ = ["attach", "detached", "identity", "jvp_plan", "level", "make", "only", "pop_level", "propagate", "push_level", "tangents_of",
           "unpack", "zero_tangent"]
