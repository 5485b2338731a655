"""Update rules of the further optimizers, each a formula for one parameter, and the op that applies a rule to a whole group at once.

SGD and Adam, whose steps are hot, have ops of their own in optimizer_steps.py. A rule is `rule(xp, p, g, state, step, n, **flags)`: `state` holds
the parameter's state arrays by name, `step` counts from 1 in float64, `n` holds the settings that are numbers; it returns the new p and state.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._core.op import Op
from .optimizer_steps import finish, planner, record, store, values_of

RULES: dict[str, Callable] = {}
DTYPE_OF_STEP = np.float64


def rule(name: str):
    """Decorator: name an update rule."""

    def declare(function: Callable) -> Callable:
        RULES[name] = function
        return function

    return declare


def _mean(old, new, weight):
    """The running mean: `old` moved towards `new` by `weight`."""
    return old + weight * (new - old)


def _as(a, p):
    return a.astype(p.dtype)


@rule("adadelta")
def _adadelta(xp, p, g, state, step, n):
    """Zeiler, 2012, algorithm 1."""
    square = n["rho"] * state["square_avg"] + (1 - n["rho"]) * (g * g)
    delta = xp.sqrt(state["acc_delta"] + n["eps"]) / xp.sqrt(square + n["eps"]) * g
    acc = n["rho"] * state["acc_delta"] + (1 - n["rho"]) * (delta * delta)
    return p - n["lr"] * delta, {"square_avg": square, "acc_delta": acc}


@rule("adagrad")
def _adagrad(xp, p, g, state, step, n):
    """Duchi, Hazan and Singer, 2011, with a learning rate that decays."""
    rate = n["lr"] / (1 + (step - 1) * n["lr_decay"])
    total = state["sum"] + g * g
    return p - _as(rate, p) * (g / (xp.sqrt(total) + n["eps"])), {"sum": total}


@rule("rmsprop")
def _rmsprop(xp, p, g, state, step, n):
    """Tieleman and Hinton, 2012; "centered" subtracts the squared mean gradient (Graves, 2013)."""
    square = n["alpha"] * state["square_avg"] + (1 - n["alpha"]) * (g * g)
    new = {"square_avg": square}
    if "grad_avg" in state:
        new["grad_avg"] = _mean(state["grad_avg"], g, 1 - n["alpha"])
        square = square - new["grad_avg"] * new["grad_avg"]
    move = g / (xp.sqrt(square) + n["eps"])
    if "momentum_buffer" in state:
        move = new["momentum_buffer"] = n["momentum"] * state["momentum_buffer"] + move
    return p - n["lr"] * move, new


@rule("adamax")
def _adamax(xp, p, g, state, step, n):
    """Kingma and Ba, 2014, algorithm 2."""
    mean = _mean(state["exp_avg"], g, 1 - n["beta1"])
    top = xp.maximum(n["beta2"] * state["exp_inf"], xp.abs(g) + n["eps"])
    rate = n["lr"] / (1 - n["beta1"] ** step)
    return p - _as(rate, p) * (mean / top), {"exp_avg": mean, "exp_inf": top}


def _moments(state, g, n):
    return _mean(state["exp_avg"], g, 1 - n["beta1"]), n["beta2"] * state["exp_avg_sq"] + (1 - n["beta2"]) * (g * g)


@rule("nadam")
def _nadam(xp, p, g, state, step, n):
    """Dozat, 2016."""
    mean, square = _moments(state, g, n)
    now = n["beta1"] * (1 - 0.5 * 0.96 ** (step * n["momentum_decay"]))
    following = n["beta1"] * (1 - 0.5 * 0.96 ** ((step + 1) * n["momentum_decay"]))
    product = state["mu_product"] * now
    root = xp.sqrt(square / _as(1 - n["beta2"] ** step, p)) + n["eps"]
    by_gradient, by_mean = n["lr"] * (1 - now) / (1 - product), n["lr"] * following / (1 - product * following)
    p = p - _as(by_gradient, p) * (g / root) - _as(by_mean, p) * (mean / root)
    return p, {"mu_product": product, "exp_avg": mean, "exp_avg_sq": square}


@rule("radam")
def _radam(xp, p, g, state, step, n):
    """Liu et al., 2019, algorithm 2."""
    mean, square = _moments(state, g, n)
    power = n["beta2"] ** step
    longest = 2 / (1 - n["beta2"]) - 1
    length = longest - 2 * step * power / (1 - power)
    safe = xp.maximum(length, 5.0)
    rectified = xp.sqrt((safe - 4) * (safe - 2) * longest / ((longest - 4) * (longest - 2) * safe))
    adaptive = _as(xp.sqrt(1 - power) * rectified, p) / (xp.sqrt(square) + n["eps"])
    move = mean / _as(1 - n["beta1"] ** step, p)
    return p - n["lr"] * move * xp.where(length > 5, adaptive, xp.ones_like(adaptive)), {"exp_avg": mean, "exp_avg_sq": square}


@rule("asgd")
def _asgd(xp, p, g, state, step, n):
    """Polyak and Juditsky, 1992."""
    eta, mu, mean = state["eta"], state["mu"], state["ax"]
    p = p * _as(1 - n["lambd"] * eta, p) - _as(eta, p) * g
    mean = xp.where(mu == 1, p, mean + (p - mean) * _as(mu, p))
    eta = n["lr"] / (1 + n["lambd"] * n["lr"] * step) ** n["alpha"]
    return p, {"eta": eta, "mu": 1 / xp.maximum(1.0, step - n["t0"]), "ax": mean}


@rule("rprop")
def _rprop(xp, p, g, state, step, n):
    """Riedmiller and Braun, 1993, without backtracking of the weights."""
    agree = g * state["prev"]
    factor = xp.where(agree > 0, n["etaplus"], xp.where(agree < 0, n["etaminus"], 1.0))
    size = xp.clip(state["step_size"] * _as(factor, p), n["step_size_min"], n["step_size_max"])
    g = xp.where(agree < 0, xp.zeros_like(g), g)
    return p - xp.sign(g) * size, {"prev": g, "step_size": size}


# ---------------------------------------------------------------- the op
def _one(xp, name, p, g, state, step, n, maximize, decay):
    """One parameter; a complex one as its real and imaginary parts, which the rules treat on their own."""
    if p.dtype.kind == "c":
        both = {k: xp.stack([a.real, a.imag]) if a.dtype.kind == "c" else a for k, a in state.items()}
        g = g.astype(p.dtype)
        p, new = _one(xp, name, xp.stack([p.real, p.imag]), xp.stack([g.real, g.imag]), both, step, n, maximize, decay)
        return p[0] + 1j * p[1], {k: a[0] + 1j * a[1] if state[k].dtype.kind == "c" else a for k, a in new.items()}
    g = _as(-g if maximize else g, p)
    if decay == "decoupled":
        p = p * (1 - n["lr"] * n["weight_decay"])
    elif decay:
        g = g + n["weight_decay"] * p
    return RULES[name](xp, p, g, state, step, n)


def _body(xp, *args, name, count, states, numbers, maximize, decay):
    width = 2 + len(states)
    n = dict(zip(numbers, args[width * count :]))
    rows = []
    for i in range(count):
        p, g, *held = args[i : width * count : count]
        state = dict(zip(states, held))
        step = state.pop("step") + 1
        p, new = _one(xp, name, p, g, state, step.astype(DTYPE_OF_STEP), n, maximize, decay)
        rows.append([p, *[step if k == "step" else new[k] for k in states]])
    return [row[i] for i in range(width - 1) for row in rows]


def _outputs(name, count, states, **rest) -> list:
    return [i * count + j for i in (0, *range(2, 2 + len(states))) for j in range(count)]


rule_op = Op("optimizer rule", _body, planner(_outputs))


def rule_step(name: str, params: list, grads: list, states: dict, numbers: dict, *, maximize: bool, decay: str) -> None:
    """Update `params` and their `states` (name -> a tensor for each parameter, "step" among them) in place by a rule. One recorded op.

    `numbers` are the settings the rule reads; `decay` is "", "coupled" (weight_decay * p joins the gradient) or "decoupled" (p shrinks).
    """
    count = len(params)
    held = [t for tensors in states.values() for t in tensors]
    static = (
        ("name", name),
        ("count", count),
        ("states", tuple(states)),
        ("numbers", tuple(numbers)),
        ("maximize", bool(maximize)),
        ("decay", decay),
    )
    outs = record(rule_op, values_of([*params, *grads, *held]), tuple([float(v) for v in numbers.values()]), static)
    for t, v in zip([*params, *held], outs):
        store(t, v)
    finish(outs[0])


__all__ = ["RULES", "rule_step"]
