"""Record, with autograd: `call` is the way every operation gets onto the tape.

It reads the operands, finds the Plan, appends the node, and where grad mode asks for it, grows the graph by one GradNode.
"""
from __future__ import annotations

import weakref

import numpy as np

from . import evaluate, handle
from . import tape as tape_module
from .errors import INFERENCE
from .grad_graph import GradNode, keep_counter, node_class
from .handle import TensorBase, new_tensor, set_strides
from .op import RESULTS, Op, Plan
from .tape import NUMBERS, TAPE_CAP, Node, Tape, Value, next_sequence, record_values, state

_new = object.__new__


def call(op: Op, args: tuple, static: tuple = ()):
    """Record `op` on `args` (tensors, Python numbers or None) and return its new tensor, or a tuple of them.

    This is the hot path of the library: one function, without the calls that would make it shorter.
    """
    mine = state.__dict__
    tape = mine["tape"]
    if mine["has_backward"] or len(tape.nodes) >= TAPE_CAP:
        tape = _cut_before(op, args, static)
    inputs, types, refs, edges, odd = [], [], [], None, False
    for a in args:
        kind = a.__class__
        if kind in NUMBERS:
            inputs.append(a)
            types.append(kind)
            refs.append(~len(tape.args))
            tape.args.append(a)
        elif isinstance(a, TensorBase):
            v = a._own
            if v is None:
                v = a._storage.value if a._chain is None else a._operand()
            inputs.append(v)
            types.append(v.spec)
            if a._edge is not None:
                edges = True
            if a._strides is not None:
                odd = True
            made = v.node
            if made is not None:
                at = made.at + v.index  # as in Tape.place
                refs.append(at if made.tape is tape else tape.admit(v))
            else:
                refs.append(tape.admit(v))
        else:
            inputs.append(a)
            types.append(kind)
            refs.append(None)
    types = tuple(types)
    plan = (op.plans.get((types, static)) if static else op.plain.get(types)) or op.plan(types, static)
    if plan.check is not None:
        plan = check_on_host(plan, inputs)
    out = plan.out
    node = _new(Node)
    node.plan = plan
    node.inputs = tuple(inputs)
    node.refs = refs
    node.seq = next_sequence()
    node.tape = tape
    values = tape.values
    node.at = len(values)
    tape.nodes.append(node)
    key = tape.key
    key.append(plan)
    key += refs
    if out is None:
        return _several(plan, args, node, edges and plan.differentiable and mine["grad"])
    value = _new(Value)
    value.spec = out
    value.node = node
    values.append(value)
    result = _new(handle.tensor_class)
    result._own = value
    if odd and op.layout is not None:
        set_strides(result, op.layout(out, args))
    if edges and plan.differentiable and mine["grad"]:
        grad_node = grow_graph(plan, args, node)
        result._edge = (grad_node, 0)
        if plan.saves_result and mine["watch"] is not None:
            mine["watch"](grad_node, args, (result,))
    else:
        if mine["dual"]:
            tape_module.on_dual(node, None)
        if mine["inference"]:
            result._inference = True
    if mine["eager"]:
        evaluate.evaluate("eager switch", value)
    return result


def _cut_before(op: Op, args: tuple, static: tuple) -> Tape:
    """Cut the tape, where it is full or the next iteration's forward begins with this call; the tape to record on."""
    if state.has_backward and state.grad and any(isinstance(a, TensorBase) and a._edge is not None for a in args):
        types = tuple([a._operand().spec if isinstance(a, TensorBase) else a.__class__ for a in args])
        if op.plan(types, static).differentiable:
            evaluate.forward_boundary()
    if len(state.tape.nodes) >= TAPE_CAP:
        tape_module.on_full()
    return state.tape


def _several(plan: Plan, args: tuple, node: Node, tracked) -> tuple:
    """The rest of `call` for an op with several results."""
    outs = [Value(s, node, i) for i, s in enumerate(plan.outs)]
    node.tape.values += outs
    if not tracked:
        if state.dual:
            tape_module.on_dual(node, None)
        result = tuple([new_tensor(v) for v in outs])
    else:
        grad_node = grow_graph(plan, args, node)
        result = tuple([new_tensor(v, (grad_node, i)) if v.spec.differentiable else new_tensor(v) for i, v in enumerate(outs)])
        if plan.saves_result:
            bind_result(grad_node, args, result)
    layout = plan.op.layout
    if layout is not None and any(isinstance(a, TensorBase) and a._strides is not None for a in args):
        for t in result:
            set_strides(t, layout(t._spec, args))
    if state.eager:
        evaluate.evaluate("eager switch", outs[0])
    return result


def call_values(op: Op, args: tuple, static: tuple = ()) -> tuple[tuple[Value, ...], GradNode | None, bool]:
    """The recording half of `call`, for views and writes.

    Returns the output Values, the GradNode (None where no gradient is tracked), and whether any operand is not contiguous.
    """
    inputs, types, tracked, odd = [], [], False, False
    for a in args:
        if isinstance(a, TensorBase):
            v = a._operand()
            inputs.append(v)
            types.append(v.spec)
            if a._edge is not None:
                tracked = True
            if a._strides is not None:
                odd = True
        else:
            inputs.append(a)
            types.append(a.__class__)
    plan = op.plan(tuple(types), static)
    tracked = tracked and state.grad and plan.differentiable
    if tracked and state.has_backward:
        evaluate.forward_boundary()
    if plan.check is not None:
        plan = check_on_host(plan, inputs)
    outs = record_values(plan, tuple(inputs))
    return outs, grow_graph(plan, args, outs[0].node) if tracked else None, odd


def grow_graph(plan: Plan, args: tuple, node: Node) -> GradNode:
    """The GradNode of a recorded call."""
    cls = plan.node_class
    if cls is None:
        cls = plan.node_class = node_class(plan.op.grad)
    made = _new(cls)
    made.node = node
    made.seq = node.seq
    node.tape.tracked = True
    if plan.out is None:
        made.outputs = len(plan.outs)
    made.edges = edges = tuple([None if a.__class__ in NUMBERS or a is None else a._edge for a in args])
    saves = plan.op.saves
    if saves:
        # a vjp is differentiable in its turn, but its operands cannot have been modified by the user
        made.saved = plan.op.saves_results or save(saves, args, edges, cls.wraps) if plan.needs is None else KEPT
    mine = state.__dict__
    if mine["watch"] is not None:
        mine["watch"](made, args, ())
    if mine["dual"]:
        tape_module.on_dual(node, made)
    return made


class _Fixed:
    """The version counter of something that is never modified."""

    version = 0

    def __call__(self) -> _Fixed:
        return self  # poses as a weak reference to itself


FIXED = _Fixed()
KEPT = ((FIXED, 0, 0),)


def save(saves: tuple, args: tuple, edges: tuple, wraps: bool) -> tuple:
    """What torch's node keeps: (weak reference to the version counter, version, operand index) triples. See Op.saves.

    The reference is weak so that a graph does not make its intermediates look as if a user could still see them.
    """
    kept = []
    for s in saves:
        if s.__class__ is tuple:
            s, other = s
            if edges[other] is None:
                continue
        if s in RESULTS:
            kept.append((None, 0, RESULTS[s]))
        else:
            a = args[s] if s < len(args) else None
            if isinstance(a, TensorBase):
                if a._inference:
                    raise RuntimeError(INFERENCE)
                if a._own is not None and a._own.holder is None:
                    kept.append((None, 0, s))  # see grad_graph.counter_of
                    continue
                counter = a._counter or a._storage
                kept.append((counter.ref, counter.version, s))
            elif wraps:
                kept.append((FIXED, 0, s))  # a number that torch keeps wrapped in a tensor
    return tuple(kept)


def bind_result(node: GradNode, args: tuple, results: tuple) -> None:
    """Fill in the version counters of saved results that have a Storage; what has none yet fills it in when it gets one."""
    for number, r in enumerate(results):
        if r._own is None:
            keep_counter(node, number, r._counter or r._storage)
    if state.watch is not None:
        state.watch(node, args, results)


def check_on_host(plan: Plan, inputs: list) -> Plan:
    """Where the operands that decide are known on the host, raise now or drop the check; elsewhere the program reports it."""
    op, operands = plan.op, []
    checked = [v if v.__class__ is not Value else v if i in op.checked else None for i, v in enumerate(inputs)]
    if plan.passed is not None and [r() if r.__class__ is weakref.ref else r for r in plan.passed] == checked:
        return plan.unchecked()  # the same Values passed last time, and Values never change
    for i, v in enumerate(inputs):
        if v.__class__ is not Value:
            operands.append(v)
        elif i in op.checked:
            host = v.array if v.array.__class__ is np.ndarray else v.host
            if host is None:
                made = v.node
                if made is None or v.spec.numel > 4096 or not made.plan.numpy or any(a.__class__ is Value for a in made.inputs):
                    return plan
                host = made.plan.run(np, made.inputs)[v.index]  # a constant, such as torch.full gives
            operands.append(host)
        else:
            operands.append(v.spec)
    code = int(op.check(np, *operands, **dict(plan.static)))
    if code:
        raise op.complain(code, plan.argtypes, dict(plan.static))
    plan.passed = [weakref.ref(v) if v.__class__ is Value else v for v in checked]
    return plan.unchecked()


def as_number(x):
    """A NumPy scalar as a Python number; numbers unchanged."""
    return x if x.__class__ in NUMBERS else x.item()
