"""Which operands a recorded computation's results depend on, differentiably: what decides whether a gradient requires grad in its turn.

Read off the computation's jaxpr: a path through an integer or a bool (a comparison, an index) carries no derivative.
"""
from __future__ import annotations

import jax
import jax.numpy as jnp

from .op import Plan
from .spec import Spec

_known: dict[Plan, tuple] = {}


def dependences(plan: Plan) -> tuple[frozenset, ...]:
    """For each output of `plan`, the operands (by index) that its derivative can be non-zero in. Traced once for each plan (about 1 ms)."""
    found = _known.get(plan)
    if found is None:
        if len(_known) > 8192:
            _known.clear()
        found = _known[plan] = _trace(plan)
    return found


def _trace(plan: Plan) -> tuple:
    arrays = [i for i, a in enumerate(plan.argtypes) if isinstance(a, Spec)]

    def run(*args):
        full = [a(1) if isinstance(a, type) and a is not type(None) else None for a in plan.argtypes]
        for i, a in zip(arrays, args):
            full[i] = a
        return [jnp.asarray(r) for r in plan.run(jnp, full)]
    with jax.enable_x64(True):
        closed = jax.make_jaxpr(run)(*[jax.ShapeDtypeStruct(tuple(plan.argtypes[i].shape), plan.argtypes[i].dtype.numpy) for i in arrays])
    starts = [frozenset((i,)) if plan.argtypes[i].differentiable else frozenset() for i in arrays]
    made = _through(closed.jaxpr, starts)
    # nothing flows into an empty result, but torch connects it all the same
    return tuple(made if all(s.numel for s in plan.outs) else [frozenset().union(*starts)] * len(made))


def _through(jaxpr, starts: list) -> list:
    """Carry the sets of operands through the equations of a jaxpr."""
    reach = dict(zip(jaxpr.invars, starts))

    def of(atom) -> frozenset:
        return reach.get(atom, frozenset()) if _is_variable(atom) else frozenset()
    for equation in jaxpr.eqns:
        given = [of(a) for a in equation.invars]
        inner = equation.params.get("jaxpr")
        if equation.primitive.name in ("pjit", "jit", "closed_call", "core_call") and inner is not None:
            outs = _through(getattr(inner, "jaxpr", inner), given)
        elif equation.primitive.name == "stop_gradient":
            outs = [frozenset()] * len(equation.outvars)
        else:
            outs = [frozenset().union(*given)] * len(equation.outvars)
        for variable, operands in zip(equation.outvars, outs):
            reach[variable] = operands if jnp.issubdtype(variable.aval.dtype, jnp.inexact) else frozenset()
    return [of(v) for v in jaxpr.outvars]


def _is_variable(atom) -> bool:
    return not hasattr(atom, "val")
