"""The incomplete gamma functions: igamma and igammac.

Note [Large orders]: JAX's series and continued fraction take ever more steps for large a, and none end for a + 1 == a. From `LARGE` on,
the uniform expansion of Temme (DLMF 8.12) serves: with eta^2 / 2 = mu - log(1 + mu), mu = (x - a) / a,
    Q(a, x) = erfc(eta sqrt(a / 2)) / 2 + exp(-a eta^2 / 2) / sqrt(2 pi a) * (c0(eta) + c1(eta) / a + c2(eta) / a^2 + ...)
The tables hold the Taylor coefficients of c0, c1 and c2 (DLMF 8.12.10, worked out in rational numbers); at a = 10,000 the factor before them
is below 1e-300 where |eta| > 0.4, and what is left out is below 1e-15.
"""
from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from .. import _dtype as dt
from .declare import internal
from .guards import COMPLEX_DTYPES, INTEGERS, choice, guard, tensors_only
from .special_functions import horner

LARGE = 1e4
_C0 = (-1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -0.0001787551440329218, 3.919263178522438e-05, -2.185448510679992e-06, -1.85406221071516e-06,
       8.296711340953087e-07, -1.7665952736826078e-07, 6.707853543401498e-09, 1.0261809784240309e-08, -4.382036018453353e-09, 9.14769958223679e-10,
       -2.5514193994946248e-11, -5.830772132550426e-11, 2.4361948020667415e-11)
_C1 = (-1 / 540, -1 / 288, 0.0026455026455026454, -0.0009902263374485596, 0.00020576131687242798, -4.018775720164609e-07, -1.8098550334489977e-05,
       7.64916091608111e-06, -1.6120900894563446e-06, 4.647127802807434e-09, 1.378633446915721e-07, -5.752545603517705e-08)
_C2 = (0.004133597883597883, -0.0026813271604938273, 0.0007716049382716049, 2.0093878600823047e-06, -0.0001073665322636516, 5.2923448829120125e-05,
       -1.2760635188618728e-05, 3.423578734096138e-08)
_GAP = tuple((-1) ** n / n for n in range(2, 20))  # (mu - log(1 + mu)) / mu^2 by powers of mu


def _upper_of_large(a, x):
    """Q(a, x) for a from `LARGE` on, x finite; see Note [Large orders]."""
    mu = (x - a) / a
    near = jnp.abs(mu) < 0.1
    small = jnp.where(near, mu, 0.0)
    gap = jnp.where(near, small * small * horner(_GAP, small), mu - jnp.log1p(mu))
    eta = jnp.sign(mu) * jnp.sqrt(2 * gap)
    inner = jnp.clip(eta, -0.5, 0.5)
    series = horner(_C0, inner) + (horner(_C1, inner) + horner(_C2, inner) / a) / a
    return jax.scipy.special.erfc(eta * jnp.sqrt(a / 2)) / 2 + jnp.exp(-a * gap) / jnp.sqrt(2 * math.pi * a) * series


def _incomplete_gamma(upper: bool):
    direct = jax.scipy.special.gammaincc if upper else jax.scipy.special.gammainc
    full, nothing = (0.0, 1.0) if upper else (1.0, 0.0)  # for x without bound, for x = 0

    def body(xp, a, x):
        a, x = jnp.broadcast_arrays(a, x)
        wide_a, wide_x = a.astype(jnp.float64), x.astype(jnp.float64)
        large = (wide_a >= LARGE) & jnp.isfinite(wide_a) & jnp.isfinite(wide_x) & (wide_x >= 0)
        tail = _upper_of_large(jnp.where(large, wide_a, LARGE), jnp.where(large, wide_x, LARGE))
        tail = (tail if upper else 1 - tail).astype(x.dtype)
        ordinary = (a > 0) & (a < LARGE) & (x > 0) & jnp.isfinite(x)
        made = jnp.where(large, tail, direct(jnp.where(ordinary, a, 1), jnp.where(ordinary, x, 1)))
        made = jnp.where(ordinary | large, made, jnp.where((a == 0) | jnp.isinf(x), full, nothing))
        made = jnp.where((x == 0) & (a > 0), nothing, made)
        bad = (a < 0) | (x < 0) | (a == 0) & (x == 0) | jnp.isinf(a) & jnp.isinf(x) | jnp.isnan(a) | jnp.isnan(x)
        return jnp.where(bad, jnp.nan, made).astype(x.dtype)
    return body


def _missing(name: str) -> NotImplementedError:
    return NotImplementedError(f"the derivative for '{name}: input' is not implemented.")


def _gamma_density(xp, a, x):
    return jnp.exp((a - 1) * jnp.log(x) - x - jax.lax.lgamma(a))


def _declare(name: str, upper: bool, also: str, doc: str) -> None:
    sign = -1 if upper else 1
    op = internal(name, _incomplete_gamma(upper), grad=f"{name.capitalize()}Backward0", saves=(0, 1), numpy=False,
                  refuse=(*COMPLEX_DTYPES, *INTEGERS, dt.bool_),
                  vjp=(_missing(name), lambda xp, g, out, a, x: sign * g * _gamma_density(xp, a, x)))
    guard(tensors_only(name, "input", "other"), op)
    choice(f"{name}(input, other)", lambda input, other: (op, (input, other)), also=(also,), doc=doc)


_declare("igamma", False, "special.gammainc", "The regularized lower incomplete gamma function; no derivative in input.")
_declare("igammac", True, "special.gammaincc", "The regularized upper incomplete gamma function; no derivative in input.")
