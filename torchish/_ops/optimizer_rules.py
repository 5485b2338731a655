"""Update rules of the further optimizers, each a formula for one parameter, and the op that applies a rule to a whole group at once.

SGD and Adam, whose steps are hot, have ops of their own in optimizer_steps.py. A rule is `rule(xp, p, g, state, step, n, **flags)`: `state` holds
the parameter's state arrays by name, `step` counts from 1 in float64 (None where the state has no "step"), `n` holds the settings that are
numbers, `flags` those that are not; it returns the new p and state.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .nn_common import product, swap
from .optimizer_steps import count_write, finish, overlapping, planner, record, store, values_of

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


@rule("adafactor")
def _adafactor(xp, p, g, state, step, n):
    """Shazeer and Stern, 2018: the second moment of a matrix is kept as the means of its rows and columns."""
    floor = xp.where(xp.isnan(n["eps1"]), float(np.finfo(p.dtype).eps), n["eps1"])
    newest = step ** n["beta2_decay"]
    rate = xp.maximum(n["eps2"], xp.sqrt(xp.mean(p * p))) * xp.minimum(n["lr"], 1 / xp.sqrt(step))
    p = p * (1 - n["lr"] * n["weight_decay"])
    new, square = {}, g * g
    if "row_var" in state:
        rows = new["row_var"] = _mean(state["row_var"], xp.mean(square, -1, keepdims=True), _as(newest, p))
        columns = new["col_var"] = _mean(state["col_var"], xp.mean(square, -2, keepdims=True), _as(newest, p))
        estimate = product(xp, rows, columns) / xp.maximum(xp.mean(rows, -2, keepdims=True), _as(floor, p))
    else:
        estimate = new["variance"] = _mean(state["variance"], square, _as(newest, p))
    update = g / xp.sqrt(xp.maximum(estimate, _as(floor * floor, p)))
    size = xp.maximum(1.0, xp.sqrt(xp.mean(update * update)) / n["d"])
    return p - _as(rate / size, p) * update, new


def _to_bfloat16(xp, a):
    """Rounded to bfloat16, but still as float32: XLA must not leave the rounding out."""
    if xp is np:
        return a.astype(np.float32).astype(dt.bfloat16.numpy).astype(np.float32)
    return jax.lax.reduce_precision(a.astype(np.float32), 8, 7)


def _orthogonalized(xp, g, eps, coefficients: tuple, steps: int):
    """Newton and Schulz's iteration towards the nearest orthogonal matrix, every result rounded to bfloat16 as in torch (Jordan, 2024)."""
    a, b, c = coefficients
    tall = g.shape[0] > g.shape[1]
    x = _to_bfloat16(xp, swap(g) if tall else g)
    norm = _to_bfloat16(xp, xp.sqrt(xp.sum(x * x)))
    x = _to_bfloat16(xp, x / xp.maximum(norm, eps))
    for _ in range(steps):
        gram = _to_bfloat16(xp, product(xp, x, swap(x)))
        update = _to_bfloat16(xp, b * gram + c * product(xp, gram, gram))
        x = _to_bfloat16(xp, a * x + product(xp, update, x))
    return swap(x) if tall else x


def _muon_scale(adjust: str | None, rows: int, columns: int) -> float:
    if adjust == "match_rms_adamw":
        return 0.2 * max(rows, columns) ** 0.5
    return max(1, rows / columns) ** 0.5 if columns else 1.0


@rule("muon")
def _muon(xp, p, g, state, step, n, *, nesterov, steps, adjust):
    """Jordan, 2024: momentum, made orthogonal before it is applied."""
    buffer = _mean(state["momentum_buffer"], g, 1 - n["momentum"])
    move = _mean(g, buffer, n["momentum"]) if nesterov else buffer
    move = _orthogonalized(xp, move, n["eps"], (n["a"], n["b"], n["c"]), steps)
    rate = n["lr"] * _muon_scale(adjust, *g.shape)
    return p * (1 - n["lr"] * n["weight_decay"]) - rate * _as(move, p), {"momentum_buffer": buffer}


# ---------------------------------------------------------------- the op
def _one(xp, name, p, g, state, step, n, flags, maximize, decay):
    """One parameter; a complex one as its real and imaginary parts, which the rules treat on their own."""
    if p.dtype.kind == "c":
        both = {k: xp.stack([a.real, a.imag]) if a.dtype.kind == "c" else a for k, a in state.items()}
        g = g.astype(p.dtype)
        p, new = _one(xp, name, xp.stack([p.real, p.imag]), xp.stack([g.real, g.imag]), both, step, n, flags, maximize, decay)
        return p[0] + 1j * p[1], {k: a[0] + 1j * a[1] if state[k].dtype.kind == "c" else a for k, a in new.items()}
    g = _as(-g if maximize else g, p)
    if decay == "decoupled":
        p = p * (1 - n["lr"] * n["weight_decay"])
    elif decay:
        g = g + n["weight_decay"] * p
    return RULES[name](xp, p, g, state, step, n, **flags)


def _body(xp, *args, name, count, states, numbers, flags, maximize, decay):
    width = 2 + len(states)
    n = dict(zip(numbers, args[width * count :]))
    rows = []
    for i in range(count):
        p, g, *held = args[i : width * count : count]
        state = dict(zip(states, held))
        step = state.pop("step") + 1 if "step" in state else None
        precise = None if step is None else step.astype(DTYPE_OF_STEP)
        p, new = _one(xp, name, p, g, state, precise, n, dict(flags), maximize, decay)
        rows.append([p, *[step if k == "step" else new[k] for k in states]])
    return [row[i] for i in range(width - 1) for row in rows]


def _outputs(name, count, states, **rest) -> list:
    return [i * count + j for i in (0, *range(2, 2 + len(states))) for j in range(count)]


IN_TWO_WRITES = ("nadam",)  # rules whose update torch writes in two steps

rule_op = Op("optimizer rule", _body, planner(_outputs))


def rule_step(name: str, params: list, grads: list, states: dict, numbers: dict, *, flags: dict, maximize: bool, decay: str) -> None:
    """Update `params` and their `states` (name -> a tensor for each parameter, "step" among them) in place by a rule. One recorded op.

    `numbers` and `flags` are the settings the rule reads; `decay` is "", "coupled" (weight_decay * p joins the gradient) or "decoupled" (p shrinks).
    """
    count = len(params)
    if overlapping(values_of(params)):
        for i in range(count):
            rule_step(name, params[i:i + 1], grads[i:i + 1], {k: tensors[i:i + 1] for k, tensors in states.items()}, numbers, maximize=maximize,
                      decay=decay, flags=flags)
        return
    held = [t for tensors in states.values() for t in tensors]
    static = (
        ("name", name),
        ("count", count),
        ("states", tuple(states)),
        ("numbers", tuple(numbers)),
        ("flags", tuple(flags.items())),
        ("maximize", bool(maximize)),
        ("decay", decay),
    )
    outs = record(rule_op, values_of([*params, *grads, *held]), tuple([float(v) for v in numbers.values()]), static)
    for t, v in zip([*params, *held], outs):
        store(t, v)
    for _ in range((decay == "decoupled") + (name in IN_TWO_WRITES)):
        count_write(params)
    finish(outs[0])


__all__ = ["RULES", "rule_step"]
