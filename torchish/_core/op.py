"""The Op record, and the Plan: an Op bound to the specs and static parameters of one kind of call.

A Plan holds the pure function that evaluate and backward replay. Nothing here knows an operation by name.

Note [Op bodies]: a body is `body(xp, *arrays, **static)`. `xp` is `numpy` in the cold tier and `jax.numpy` under jit; a body that needs
`jax.lax` is declared with `numpy=False`. Bodies are pure, never write to an input, and see Python numbers as 0-d arrays or numbers.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._dtype import COMPLEX, FLOATING, complex32, complex64, dtype, float16, float32
from .spec import Spec, spec_of, spec_of_array

OPS: dict[str, Op] = {}
RESULTS = {"result": -1, "indices": -2}  # operand -1 - n is result number n


class Op:
    """One operation, declared once.

    Args:
        name: unique name, torch's where torch has the operation.
        body: the pure function, see Note [Op bodies].
        planner: `planner(op, argtypes, static) -> (impl, out[, vjp rules])`: the family's shape and promotion rule. `argtypes` holds a Spec for a
            tensor, a Python type for a number, NoneType for an absent operand; `out` is a Spec or a tuple of Specs.
        grad: name of the autograd node, such as "MulBackward0"; None where the operation has no gradient.
        saves: which operands the torch node keeps: entries are an operand's index, `(index, other)` for "kept if operand `other` needs a
            gradient", "result", or "indices" for the second of two results. They decide torch's errors for freed graphs and in-place modification,
            never the numbers.
        vjp: optional rule `vjp[i](xp, g, out, *arrays, **static)`, one per operand, else `jax.vjp` of the body.
        numpy: whether the body runs with `xp = numpy`.
        put: for views, the inverse `put(xp, base, new, *numbers, **static)`: `base` with the view's region replaced.
        check: optional `check(xp, *arrays, **static) -> int64 scalar`, 0 when the operands' values are legal. Of operands other than
            `checked` it may use the shape only.
        checked: the operands whose values `check` reads; where they are known on the host, it runs at the call.
        layout: `layout(out spec, args) -> strides` of the result where an operand is not contiguous; None: contiguous.
        info: what the op's family wants to remember with it.
        complain: `complain(code, argtypes, static) -> Exception` for a non-zero code of `check`.

    `half_complex`, set by the families, says whether operands may be complex32, which torch's kernels take for few operations.
    """

    __slots__ = ("name", "body", "planner", "grad", "saves", "vjp", "numpy", "put", "check", "checked", "complain", "plans", "plain", "info",
                 "layout", "saves_results", "half_complex")

    def __init__(self, name: str, body: Callable, planner: Callable, *, grad: str | None = None, saves: tuple = (), vjp: tuple | None = None,
                 numpy: bool = True, put: Callable | None = None, check: Callable | None = None, checked: tuple = (),
                 complain: Callable | None = None,
                 info: Any = None, layout: Callable | None = None):
        if name in OPS:
            raise ValueError(f"operation {name!r} is declared twice")
        OPS[name] = self
        self.name, self.body, self.planner, self.grad, self.saves, self.vjp = name, body, planner, grad, saves, vjp
        self.numpy, self.put, self.check, self.checked, self.complain, self.info, self.layout = numpy, put, check, checked, complain, info, layout
        self.half_complex = False
        self.plans: dict[tuple, Plan] = {}
        self.plain: dict[tuple, Plan] = {}  # of those, the ones without static parameters, by operand types
        # what the graph node keeps where that is results only, see grad_graph.counter_of; None where it depends on the call
        self.saves_results = tuple([(None, 0, RESULTS[s]) for s in saves]) if saves and all(s in RESULTS for s in saves) else None

    def __repr__(self) -> str:
        return f"Op({self.name})"

    def plan(self, argtypes: tuple, static: tuple) -> Plan:
        """The Plan for operands of these types and static parameters (a tuple of (name, value) pairs)."""
        key = (argtypes, static)
        plan = self.plans.get(key)
        if plan is None:
            if not self.half_complex and any(a.__class__ is Spec and a.dtype is complex32 for a in argtypes):
                kernel = getattr(self.info, "kernel", f"{self.name}_cpu")
                raise NotImplementedError(f"\"{kernel}\" not implemented for 'ComplexHalf'")
            impl, out, *rules = self.planner(self, argtypes, dict(static))
            plan = Plan(self, impl, out, argtypes, static)
            if rules:
                plan.rules = rules[0]
            if len(self.plans) > 8192:
                self.plans.clear()
                self.plain.clear()
            self.plans[key] = plan
            if not static:
                self.plain[argtypes] = plan
        return plan


def half_complex(*ops: Op) -> None:
    """Let `ops` take complex32 operands."""
    for op in ops:
        op.half_complex = True


def forget_plans() -> None:
    """Drop every cached Plan, for when the default dtype changes."""
    for op in OPS.values():
        op.plans.clear()
        op.plain.clear()


class Plan:
    """An Op bound to operand types and static parameters: what is replayed, and what comes out. Compared by identity."""

    __slots__ = ("op", "impl", "outs", "out", "argtypes", "static", "differentiable", "numpy", "cost", "vjps", "primal", "needs", "given", "by_rule",
                 "node_class", "check", "twin", "rules", "saves_result", "passes", "numbers", "passed", "writes")

    def __init__(self, op: Op, impl: Callable, out, argtypes: tuple, static: tuple, primal: Plan | None = None):
        self.op, self.impl, self.argtypes, self.static, self.primal = op, impl, argtypes, static, primal
        single = isinstance(out, Spec)
        self.out: Spec | None = out if single else None  # None: several outputs
        self.outs: tuple = (out,) if single else tuple(out)
        self.differentiable = op.grad is not None and any(s.differentiable for s in self.outs)
        self.numpy = op.numpy and all(s.device.type == "cpu" for s in self.outs)
        # elements touched: what one NumPy replay costs beyond Python's overhead
        self.cost = sum(s.numel for s in self.outs) + sum(a.numel for a in argtypes if isinstance(a, Spec))
        self.vjps: dict[tuple, Plan] = {}
        self.needs = self.given = None
        self.by_rule = False
        self.numbers = any(a in (int, float, bool, complex) for a in argtypes)  # whether any operand is a Python number
        self.writes: int | None = None  # the version of its result as a leaf's new gradient, see backward.first_version
        self.passes = False  # a vjp whose gradients are the cotangent unchanged
        self.check = op.check if primal is None else None
        self.twin: Plan | None = None
        self.passed: list | None = None  # operands that the check let pass last, as weak references
        self.rules = op.vjp
        self.saves_result = "result" in op.saves or "indices" in op.saves
        self.node_class = None

    def __repr__(self) -> str:
        return f"{self.op.name}({', '.join(map(_argtext, self.argtypes))}) -> {', '.join(map(repr, self.outs))}"

    def unchecked(self) -> Plan:
        """This Plan for operands whose values have been checked already."""
        if self.twin is None:
            self.twin = Plan(self.op, self.impl, self.out or self.outs, self.argtypes, self.static)
            self.twin.check, self.twin.rules = None, self.rules
        return self.twin

    def run(self, xp, args) -> tuple:
        """Replay on arrays; always a tuple of outputs."""
        r = self.impl(xp, *args)
        return (r,) if self.out is not None else tuple(r)


def _argtext(a) -> str:
    return repr(a) if isinstance(a, Spec) else getattr(a, "__name__", str(a))


def cast(xp, a, d: dtype):
    """Convert an array or a Python number to dtype `d`, with C's conversions as torch has them."""
    target = d.numpy
    if d is complex32:
        return _half_parts(xp, a)
    if xp is np:
        if type(a) in (bool, int, float, complex):
            if type(a) is complex and d.category != COMPLEX and target.kind != "b":
                a = a.real
            return np.asarray(a).astype(target)
        if a.dtype == target:
            return a
        return (a.real if a.dtype.kind == "c" and d.category != COMPLEX and target.kind != "b" else a).astype(target)
    if getattr(a, "dtype", None) == target and not getattr(a, "weak_type", False):
        return a
    a = jnp.asarray(a)
    if jnp.iscomplexobj(a) and d.category != COMPLEX and target.kind != "b":
        a = a.real
    if a.dtype == bool and target.kind != "b":  # XLA makes the product with a converted bool a selection, and so 0 * inf a 0
        return jnp.where(a, jnp.ones((), target), jnp.zeros((), target))
    return jax.lax.convert_element_type(a, target)


def _half_parts(xp, a):
    """`a` as complex64 with parts rounded to float16, which is how complex32 is held."""
    a = cast(xp, a, complex64)
    parts = [cast(xp, cast(xp, part, float16), float32) for part in (a.real, a.imag)]
    if xp is np:
        made = np.empty(a.shape, np.complex64)
        made.real, made.imag = parts
        return made
    return jax.lax.complex(*parts)


def by_eval_shape(op: Op, argtypes: tuple, static: dict):
    """The fallback planner: the body under `jax.eval_shape` (about 1 ms, once for each kind of call)."""
    def impl(xp, *args):
        return op.body(xp, *args, **static)

    def traced(*args):
        return impl(jnp, *_weave(argtypes, args))
    device = next(a.device for a in argtypes if isinstance(a, Spec))
    examples = [jax.ShapeDtypeStruct(tuple(a.shape), a.dtype.numpy) if isinstance(a, Spec) else a(1) for a in argtypes if a is not type(None)]
    with jax.enable_x64(True):
        out = jax.eval_shape(traced, *examples)
    if isinstance(out, (tuple, list)):
        return impl, tuple(spec_of_array(o, device) for o in out)
    return impl, spec_of_array(out, device)


def _weave(argtypes, args):
    rest = iter(args)
    return [None if a is type(None) else next(rest) for a in argtypes]


def simple(infer: Callable) -> Callable:
    """A planner from a shape rule `infer(*argtypes, **static) -> Spec or tuple of Specs`; the body sees its operands as they are."""
    def planner(op, argtypes, static):
        out = infer(*argtypes, **static)

        def impl(xp, *args):
            return op.body(xp, *args, **static)
        return impl, out
    return planner


# ---------------------------------------------------------------- vjp plans
def same(xp, g, out, *args, **static):
    """The vjp rule of an operand whose gradient is the cotangent itself. Backward records nothing where the specs agree too."""
    return g


def vjp_plan(plan: Plan, needs: tuple[int, ...], given: tuple[bool, ...]) -> Plan:
    """The Plan that maps (operands..., cotangents of the `given` outputs...) to the gradients of the operands `needs`."""
    key = (needs, given)
    found = plan.vjps.get(key)
    if found is None:
        found = plan.vjps[key] = _make_vjp_plan(plan, needs, given)
    return found


def _make_vjp_plan(plan: Plan, needs, given) -> Plan:
    if plan.op.grad == "NotImplemented":
        raise RuntimeError(f"derivative for aten::{plan.op.name.partition(' ')[0]} is not implemented")
    if plan.rules is not None and plan.primal is None:
        for i in needs:
            rule = plan.rules[min(i, len(plan.rules) - 1)]
            if isinstance(rule, Exception):  # a kind of call that torch does not differentiate
                raise type(rule)(*rule.args)
    outs = tuple(plan.argtypes[i] for i in needs)
    cotangents = tuple(s for s, g in zip(plan.outs, given) if g)
    rules = plan.rules if plan.primal is None else None
    by_rule = rules is not None and all(rules[min(i, len(rules) - 1)] is not None for i in needs)
    n = len(plan.argtypes)

    def impl(xp, *args):
        primals, cts = args[:n], args[n:]
        if by_rule:
            return vjp_by_rule(xp, plan, needs, given, primals, cts, plan.run(xp, primals))
        _, pull = primal_and_pull(plan, needs, primals)
        return pull_back(plan, given, pull, cts)
    made = Plan(plan.op, impl, outs, plan.argtypes + cotangents, plan.static, primal=plan)
    made.needs, made.given, made.by_rule = needs, given, by_rule
    if by_rule and len(given) == 1:
        made.passes = all(getattr(rules[min(i, len(rules) - 1)], "rule", rules[min(i, len(rules) - 1)]) is same and plan.argtypes[i] is plan.out
                          for i in needs)
    made.differentiable = True
    made.numpy = plan.numpy and by_rule
    made.cost = plan.cost + sum(s.numel for s in made.argtypes if isinstance(s, Spec))
    return made


def vjp_by_rule(xp, plan: Plan, needs, given, primals, cts, outs, again: bool = False) -> tuple:
    """Gradients by the op's own rules. `outs` is the primal result, from a paired forward or recomputed.

    `again`: the gradients may be differentiated in their turn; a rule whose `again` is set has that in its place then.
    """
    rest = iter(cts)
    full = [next(rest) if g else None for g in given]
    g = full[0] if plan.out is not None else full
    out = outs[0] if plan.out is not None else outs
    rules, static = plan.rules, dict(plan.static)
    if again:
        rules = [getattr(r, "again", None) or r for r in rules]
    return tuple(_fit(xp, rules[min(i, len(rules) - 1)](xp, g, out, *primals, **static), plan.argtypes[i]) for i in needs)


def _fit(xp, gradient, spec: Spec):
    """Sum a gradient over the axes that broadcasting added or stretched, and cast it to the operand's dtype."""
    shape = tuple(spec.shape)
    if gradient.shape != shape:
        lead = gradient.ndim - len(shape)
        axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and gradient.shape[i + lead] != 1)
        if axes:
            gradient = gradient.sum(axes, keepdims=True)
        gradient = gradient.reshape(shape)
    return cast(xp, gradient, spec.dtype)


def primal_and_pull(plan: Plan, needs, primals):
    """`jax.vjp` of the plan in the operands `needs`: (tuple of outputs, pull)."""
    def chosen(*active):
        full = list(primals)
        for i, a in zip(needs, active):
            full[i] = a
        return plan.run(jnp, full)
    return jax.vjp(chosen, *[jnp.asarray(primals[i]) for i in needs])


def pull_back(plan: Plan, given, pull, cts) -> tuple:
    """Apply a pull to torch cotangents. torch's complex gradients are the conjugates of JAX's, so conjugate on the way in and out."""
    rest = iter(cts)
    full = []
    for s, g in zip(plan.outs, given):
        if not s.differentiable:
            full.append(np.zeros(tuple(s.shape), jax.dtypes.float0))
        elif g:
            full.append(_conj(next(rest)))
        else:
            full.append(jnp.zeros(tuple(s.shape), s.dtype.numpy))
    return tuple(_conj(g) for g in pull(tuple(full)))


def _conj(a):
    return jnp.conj(a) if jnp.iscomplexobj(a) else a


__all__ = ["COMPLEX", "FLOATING", "OPS", "Op", "Plan", "by_eval_shape", "cast", "half_complex", "simple", "spec_of", "vjp_plan"]
