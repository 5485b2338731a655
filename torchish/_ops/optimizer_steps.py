"""Optimizer updates as one recorded op each, for all parameters of a group together, written in place.

Learning rates and the other numbers are operands, so a schedule compiles nothing; which terms occur is static. Called under no_grad.
"""

from __future__ import annotations

import numpy as np

from .._core import evaluate
from .._core.handle import TensorBase, new_tensor
from .._core.op import Op, cast
from .._core.tape import Value, record_values, state
from .._core.view import write
from .nn_common import HALVES


def values_of(tensors) -> list:
    return [t._own or t._read() for t in tensors]


def store(t: TensorBase, value: Value) -> None:
    """`view.write` of a whole tensor outside the graph, spelled out: a step writes hundreds."""
    if t._chain is not None:
        write(t, value, None)
        return
    storage = t._storage
    storage.value = value
    value.holder = storage.ref
    storage.generation += 1
    counter = t._counter or storage
    counter.version += 1


def count_write(params: list) -> None:
    """Count one more write than was recorded: decoupled weight decay, say, is one of its own in torch."""
    for p in params:
        (p._counter or p._storage).version += 1


def overlapping(values: list) -> bool:
    """Whether two parameters are the same memory, which torch, taking one after the other, updates twice."""
    return len({id(v) for v in values}) < len(values)


def record(op: Op, values: list, numbers: tuple, static: tuple) -> tuple:
    types = tuple([v.spec for v in values] + [float] * len(numbers))
    plan = op.plans.get((types, static)) or op.plan(types, static)
    return record_values(plan, (*values, *numbers))


def finish(value: Value) -> None:
    if state.eager:
        evaluate.evaluate("eager switch", value)


def planner(outputs):
    """A planner whose results are those operands (`outputs(static, n)` gives their indices), each computed in at least float32."""

    def planner(op: Op, argtypes: tuple, static: dict):
        specs = tuple(argtypes[i] for i in outputs(**static))
        halves = [not isinstance(a, type) and a.dtype in HALVES for a in argtypes]

        def impl(xp, *args):
            if any(halves):
                args = [a.astype(np.float32) if h else a for a, h in zip(args, halves)]
            return tuple([cast(xp, r, s.dtype) for r, s in zip(op.body(xp, *args, **static), specs)])

        return impl, specs

    return planner


# ---------------------------------------------------------------- SGD
def _sgd_body(xp, *args, count, have, momentum, decay, nesterov, maximize):
    params, grads = args[:count], args[count : 2 * count]
    at = iter(args[2 * count : -4])
    lr, factor, dampening, weight_decay = args[-4:]
    new_params, new_buffers = [], []
    for i, (p, g) in enumerate(zip(params, grads)):
        g = -g if maximize else g
        if decay:
            g = g + weight_decay * p
        if momentum:
            buffer = factor * next(at) + (1 - dampening) * g if have[i] else g  # torch's first step takes the gradient undampened
            new_buffers.append(buffer)
            g = g + factor * buffer if nesterov else buffer
        new_params.append(p - lr * g)
    return new_params + new_buffers


def _sgd_outputs(count, have, momentum, **rest) -> list:
    places, at = list(range(count)), 2 * count
    if momentum:
        for i in range(count):
            places.append(at if have[i] else i)
            at += have[i]
    return places


sgd_op = Op("sgd step", _sgd_body, planner(_sgd_outputs))


def sgd_step(params, grads, momentum_buffers, *, lr, momentum, dampening, weight_decay, nesterov, maximize) -> list:
    """Update `params` in place by stochastic gradient descent; returns the momentum buffers, new ones where None was given.

    One recorded op for all tensors. Without momentum the list that comes back is the one given.
    """
    count = len(params)
    if not count:
        return list(momentum_buffers)
    use = momentum != 0
    have = tuple([b is not None for b in momentum_buffers]) if use else ()
    values = values_of(params)
    if overlapping(values):
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}
        return [sgd_step([p], [g], [b], **settings)[0] for p, g, b in zip(params, grads, momentum_buffers)]
    values += values_of(grads)
    if use:
        values += values_of([b for b in momentum_buffers if b is not None])
    static = (
        ("count", count),
        ("have", have),
        ("momentum", use),
        ("decay", weight_decay != 0),
        ("nesterov", bool(nesterov)),
        ("maximize", bool(maximize)),
    )
    outs = record(sgd_op, values, (float(lr), float(momentum), float(dampening), float(weight_decay)), static)
    for p, v in zip(params, outs):
        store(p, v)
    if not use:
        finish(outs[0])
        return list(momentum_buffers)
    buffers = list(momentum_buffers)
    for i, v in enumerate(outs[count:]):
        if buffers[i] is None:
            buffers[i] = new_tensor(v)
        else:
            store(buffers[i], v)
    finish(outs[0])
    return buffers


# ---------------------------------------------------------------- Adam
def _parts(xp, a):
    """A complex array as a real one with a leading dimension of two: torch's Adam treats the parts on their own."""
    return xp.stack([a.real, a.imag])


def _adam_one(xp, p, g, m, v, top, step, numbers, maximize, decay, decoupled):
    """One parameter (Kingma and Ba, 2014, algorithm 1; Loshchilov and Hutter, 2017, for decoupled decay)."""
    lr, beta1, beta2, eps, weight_decay = numbers
    if p.dtype.kind == "c":
        p, g, m, v = (_parts(xp, a) for a in (p, g, m, v))
        top = None if top is None else _parts(xp, top)
        made = _adam_one(xp, p, g, m, v, top, step, numbers, maximize, decay, decoupled)
        return [None if a is None else a[0] + 1j * a[1] for a in made]
    g = -g if maximize else g
    if decay and decoupled:
        p = p * (1 - lr * weight_decay)
    elif decay:
        g = g + weight_decay * p
    m = m + (1 - beta1) * (g - m)
    v = beta2 * v + (1 - beta2) * (g * g)
    exact = step.astype(np.float64)
    size, root = lr / (1 - beta1**exact), xp.sqrt(1 - beta2**exact)
    if top is not None:
        top = xp.maximum(top, v)
    denominator = xp.sqrt(v if top is None else top) / root.astype(p.dtype) + eps
    return [p - size.astype(p.dtype) * (m / denominator), m, v, top]


def _adam_body(xp, *args, count, amsgrad, decay, maximize, decoupled):
    rows = [args[i * count : (i + 1) * count] for i in range(6 if amsgrad else 5)]
    params, grads, firsts, seconds, steps = rows[:5]
    tops = rows[5] if amsgrad else (None,) * count
    numbers = args[-5:]
    made = []
    for p, g, m, v, step, top in zip(params, grads, firsts, seconds, steps, tops):
        step = step + 1
        new = _adam_one(xp, p, g.astype(p.dtype), m, v, top, step, numbers, maximize, decay, decoupled)
        made.append([new[0], new[1], new[2], step, new[3]])
    return [row[i] for i in range(5 if amsgrad else 4) for row in made]


def _adam_outputs(count, amsgrad, **rest) -> list:
    return [i * count + j for i in ((0, 2, 3, 4, 5) if amsgrad else (0, 2, 3, 4)) for j in range(count)]


adam_op = Op("adam step", _adam_body, planner(_adam_outputs))


def adam_step(
    params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, *, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled
) -> None:
    """Update `params`, their moments and `steps` (0-dim float tensors) in place by Adam, or AdamW where `decoupled`. One recorded op."""
    count = len(params)
    if not count:
        return
    if overlapping(values_of(params)):
        tops = max_exp_avg_sqs if amsgrad else [None] * count
        for p, g, m, v, top, step in zip(params, grads, exp_avgs, exp_avg_sqs, tops, steps):
            adam_step([p], [g], [m], [v], [] if top is None else [top], [step], lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay,
                      amsgrad=amsgrad, maximize=maximize, decoupled=decoupled)
        return
    targets = [*params, *exp_avgs, *exp_avg_sqs, *steps]
    values = values_of([*params, *grads, *exp_avgs, *exp_avg_sqs, *steps])
    if amsgrad:
        targets += max_exp_avg_sqs
        values += values_of(max_exp_avg_sqs)
    static = (
        ("count", count),
        ("amsgrad", bool(amsgrad)),
        ("decay", weight_decay != 0),
        ("maximize", bool(maximize)),
        ("decoupled", bool(decoupled)),
    )
    outs = record(adam_op, values, (float(lr), float(beta1), float(beta2), float(eps), float(weight_decay)), static)
    for t, v in zip(targets, outs):
        store(t, v)
    if decoupled and weight_decay != 0:
        count_write(params)
    finish(outs[0])


__all__ = ["adam_step", "count_write", "finish", "overlapping", "planner", "record", "sgd_step", "store", "values_of"]
