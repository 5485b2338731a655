"""The loop over time of one recurrent layer in one direction, on arrays: tanh and relu RNN, LSTM, GRU.

Knows arrays only. Operations and public functions are in recurrent.py. See Note [Tangent of a recurrence].

Note [Tangent of a recurrence]: JAX's own derivative of a scan adds the weight's gradient up inside the loop, one small product a step, and
computes every activation twice. The rule here differentiates by hand: a step's tangent is linear in (dh, dc) with coefficients known after
the forward loop, and what comes in from the weight, dW h, is one large product before the tangent loop. Its transpose, which is backward,
then runs a loop with a single product a step. The rule is itself plain JAX, so derivatives of any order and forward mode exist.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from .nn_common import product


def scan(xp, step, carry, xs, reverse: bool):
    """`lax.scan(step, carry, xs)` over the leading axis; in NumPy a loop. Entries of `xs` may be None."""
    if xp is not np:
        return jax.lax.scan(step, carry, xs, reverse=reverse)
    length = xs[0].shape[0]
    made = [None] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, made[t] = step(carry, [None if x is None else x[t] for x in xs])
    return carry, tuple(None if made[0][i] is None else np.stack([m[i] for m in made]) for i in range(len(made[0])))


def _split(a, parts: int) -> list:
    n = a.shape[-1] // parts
    return [a[..., i * n : (i + 1) * n] for i in range(parts)]


def _gates(xp, a, halves: tuple):
    """tanh or sigmoid of the gates side by side in `a`, by a single tanh: sigmoid(x) = tanh(x/2)/2 + 1/2. `halves` marks the sigmoids.

    One transcendental for all: XLA on CPU would otherwise work each gate out once for every use of it.
    """
    scale = np.repeat(np.where(halves, 0.5, 1.0), a.shape[-1] // len(halves)).astype(a.dtype)
    shift = np.repeat(np.where(halves, 0.5, 0.0), a.shape[-1] // len(halves)).astype(a.dtype)
    return xp.tanh(a * scale) * scale + shift


# ---------------------------------------------------------------- one step: (a_t, h, c, h @ w.T + bias) -> h, c, what the tangent needs
def _rnn_tanh(xp, a, h, c, u):
    return xp.tanh(a + u), None, None


def _rnn_relu(xp, a, h, c, u):
    return xp.maximum(a + u, 0), None, None


def _lstm(xp, a, h, c, u):
    gates = _gates(xp, a + u, (True, True, False, True))
    i, f, g, o = _split(gates, 4)
    c = f * c + i * g
    return o * xp.tanh(c), c, gates


def _gru(xp, a, h, c, u):
    n = h.shape[-1]
    gates = _gates(xp, a[..., : 2 * n] + u[..., : 2 * n], (True, True))
    r, z = _split(gates, 2)
    new = xp.tanh(a[..., 2 * n :] + r * u[..., 2 * n :])
    return new + z * (h - new), None, xp.concatenate([gates, new, u[..., 2 * n :]], -1)


_STEPS = {"RNN_TANH": _rnn_tanh, "RNN_RELU": _rnn_relu, "LSTM": _lstm, "GRU": _gru}


def forward(xp, mode: str, reverse: bool, a, h0, c0, w, bias, projection, mask, keep: bool):
    """((h, c) at the end, (h_t, c_t, kept)) of a layer; c_t and kept only where `keep`.

    Shapes: `a` (T, B, gates * H) holds the input's share, `mask` (T, B, 1) is True where a sequence still runs or None, `bias` is GRU's b_hh.
    """
    cell, wt = _STEPS[mode], w.T
    pt = None if projection is None else projection.T

    def step(state, xs):
        h, c = state
        at, m = xs
        u = product(xp, h, wt)
        new, new_c, kept = cell(xp, at, h, c, u if bias is None else u + bias)
        if pt is not None:
            new = product(xp, new, pt)
        if m is not None:
            new = xp.where(m, new, h)
            new_c = None if c is None else xp.where(m, new_c, c)
        return (new, new_c), (new, new_c if keep else None, kept if keep else None)

    return scan(xp, step, (h0, c0), (a, mask), reverse)


# ---------------------------------------------------------------- tangents
def _before(s, first, reverse: bool):
    """What each step saw of the states `s`: those of the step before, and `first` at the start."""
    return jnp.concatenate([s[1:], first[None]] if reverse else [first[None], s[:-1]])


def _rnn_slope(mode: str, h):
    return 1 - h * h if mode == "RNN_TANH" else (h > 0).astype(h.dtype)


def _rnn_tangent(mode, da, share, hs, before, cs, c_before, kept):
    slope = _rnn_slope(mode, hs)

    def step(dh, dc, y, at):
        e, slope = at
        return slope * (e + y), None

    return step, (da + share, slope)


def _lstm_tangent(mode, da, share, hs, before, cs, c_before, kept):
    i, f, g, o = _split(kept, 4)
    tanh_c = jnp.tanh(cs)
    slopes = jnp.concatenate([g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], -1)

    def step(dh, dc, y, at):
        e, slopes, f, through = at
        y_i, y_f, y_g, y_o = _split(slopes * (e + y), 4)
        dc = f * dc + y_i + y_f + y_g
        return y_o + through * dc, dc

    return step, (da + share, slopes, f, o * (1 - tanh_c * tanh_c))


def _gru_tangent(mode, da, share, hs, before, cs, c_before, kept):
    r, z, n, u = _split(kept, 4)
    direct = (1 - z) * (1 - n * n)
    slopes = jnp.concatenate([direct * u * r * (1 - r), (before - n) * z * (1 - z), direct * r], -1)
    size = r.shape[-1]
    e = jnp.concatenate([da[..., : 2 * size] + share[..., : 2 * size], share[..., 2 * size :]], -1)

    def step(dh, dc, y, at):
        e, d, slopes, z = at
        y_r, y_z, y_n = _split(slopes * (e + y), 3)
        return d + z * dh + y_r + y_z + y_n, None

    return step, (e, direct * da[..., 2 * size :], slopes, z)


_TANGENTS = {"RNN_TANH": _rnn_tangent, "RNN_RELU": _rnn_tangent, "LSTM": _lstm_tangent, "GRU": _gru_tangent}


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def recurrence(mode: str, reverse: bool, a, h0, c0, w, bias, projection, mask):
    """(h_t for all t, c at the end or None) of a layer in JAX; arguments as `forward` has them."""
    (_, c), (hs, _, _) = forward(jnp, mode, reverse, a, h0, c0, w, bias, projection, mask, False)
    return hs, c


def _rows_product(rows, w):
    """rows @ w.T with all leading dimensions of `rows` taken as one: a single large product."""
    return product(jnp, rows.reshape(-1, rows.shape[-1]), w.T).reshape((*rows.shape[:-1], w.shape[0]))


@recurrence.defjvp
def _recurrence_tangent(mode, reverse, primals, tangents):
    """See Note [Tangent of a recurrence]."""
    a, h0, c0, w, bias, projection, mask = primals
    da, dh0, dc0, dw, dbias, dprojection, _ = tangents
    (_, c), (hs, cs, kept) = forward(jnp, mode, reverse, a, h0, c0, w, bias, projection, mask, True)
    before = _before(hs, h0, reverse)
    c_before = None if c0 is None else _before(cs, c0, reverse)
    share = _rows_product(before, dw)
    if bias is not None:
        share = share + dbias
    advance, coefficients = _TANGENTS[mode](mode, da, share, hs, before, cs, c_before, kept)
    lift = None if projection is None else _rows_product(_split(kept, 4)[3] * jnp.tanh(cs), dprojection)

    def step(state, xs):
        dh, dc = state
        at, m, lifted = xs
        new, new_c = advance(dh, dc, product(jnp, dh, w.T), at)
        if projection is not None:
            new = product(jnp, new, projection.T) + lifted
        if m is not None:
            new = jnp.where(m, new, dh)
            new_c = None if dc is None else jnp.where(m, new_c, dc)
        return (new, new_c), new

    (_, dc), dhs = jax.lax.scan(step, (dh0, dc0), (coefficients, mask, lift), reverse=reverse)
    return (hs, c), (dhs, dc)


__all__ = ["forward", "recurrence"]
