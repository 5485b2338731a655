"""Element-wise special functions of statistics: erf, erfc, erfinv, lgamma, digamma, logit, sinc, and their names in torch.special.

NumPy has no error function, so erf and erfc carry their own series (Note [erf]); the gamma functions and erfinv use JAX's and do not run in
the cold tier.
"""
from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from .declare import INT_TO_FLOAT, half_body, unary
from .guards import COMPLEX_DTYPES
from .halves import rounded
from .pointwise import slope

TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

# Note [erf]: below 1, erf(x) = 2/sqrt(pi) * sum (-1)^n x^(2n+1) / (n! (2n+1)) (Abramowitz & Stegun 7.1.5). From 1 on,
# erfc(x) = exp(-x^2) / (x + 1) * P(t), t = (x - 3) / (x + 1), where P interpolates exp(x^2) erfc(x) (x + 1) at the 19 first Chebyshev
# coefficients; values came from the continued fraction A&S 7.1.14 in 45 digits. Relative error of erfc: 1e-13.
_SERIES = tuple((-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(18))
_TAIL = (0.7160046047255528, -0.15395155538859479, -0.0073079612708293225, 0.009201046336452572, 0.0012331164309888835, -0.000780342007570538,
         -0.00030136931512353605, 3.281762081596556e-05, 5.5524871345728025e-05, 1.3243124906042086e-05, -4.930005163091523e-06,
         -4.5922596975750006e-06, -1.0520136066754112e-06, 5.608714194467977e-07, 5.175116090370352e-07, 6.031527657796526e-08,
         -8.782102250792454e-08, -2.2994968225198984e-08, 4.8159273075416736e-09)


def horner(coefficients, t):
    """The polynomial of these coefficients, the constant first, at `t`."""
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * t + c
    return total


def _erf_small(x):
    x2 = x * x
    return TWO_OVER_ROOT_PI * x * horner(_SERIES, x2)


def _erfc_large(xp, x):
    return xp.exp(-x * x) / (x + 1) * horner(_TAIL, (x - 3) / (x + 1))


def erf(xp, x):
    """The error function of an array, see Note [erf]."""
    if xp is jnp:
        return jax.scipy.special.erf(x)
    size = xp.abs(x)
    tail = 1 - _erfc_large(xp, xp.clip(size, 1, 10))
    return xp.where(size < 1, _erf_small(xp.clip(x, -1, 1)), xp.copysign(tail, x)) + 0 * xp.where(xp.isnan(x), x, xp.zeros_like(x))


def erfc(xp, x):
    """1 - erf(x), accurate in its upper tail, see Note [erf]."""
    if xp is jnp:
        return jax.scipy.special.erfc(x)
    size = xp.abs(x)
    tail = _erfc_large(xp, xp.clip(size, 1, 30))
    made = xp.where(size < 1, 1 - _erf_small(xp.clip(x, -1, 1)), xp.where(x < 0, 2 - tail, tail))
    return xp.where(xp.isnan(x), x, made)


def _special(name: str, body, derivative, *, numpy: bool, kernel: str, also: tuple) -> None:
    unary(f"{name}(input)", body, kind=INT_TO_FLOAT, refuse=COMPLEX_DTYPES, kernel=kernel, vjp=slope(derivative) if derivative else None, numpy=numpy,
          also=also)


_special("erf", lambda xp, x: xp.where(x == 0, x, erf(xp, x)), lambda xp, out, x: TWO_OVER_ROOT_PI * xp.exp(-x * x), numpy=True,
         kernel="erf_vml_cpu", also=("special.erf",))
_special("erfc", erfc, lambda xp, out, x: -TWO_OVER_ROOT_PI * xp.exp(-x * x), numpy=True, kernel="erfc_vml_cpu", also=("special.erfc",))
_special("erfinv", lambda xp, x: jax.scipy.special.erfinv(x), lambda xp, out, x: xp.exp(out * out) / TWO_OVER_ROOT_PI, numpy=False,
         kernel="erfinv_vml_cpu", also=("special.erfinv",))


@jax.custom_jvp
def _digamma_inside(x):
    return jax.lax.digamma(x)


@_digamma_inside.defjvp
def _digamma_jvp(primals, tangents):
    return _digamma_inside(*primals), tangents[0] * trigamma(jnp, *primals)


def digamma(xp, x):
    """digamma with torch's values at the poles: -inf at 0, inf at -0, NaN at negative integers and -inf."""
    pole = (x < 0) & ((x == jnp.floor(x)) | jnp.isinf(x))
    made = jnp.where(pole, jnp.nan, _digamma_inside(x))
    return jnp.where(x == 0, jnp.where(jnp.signbit(x), jnp.inf, -jnp.inf), made)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


def trigamma(xp, x):
    """The derivative of digamma in float64: A&S 6.4.12 above 10, reached by the recurrence 6.4.6, and reflection 6.4.7 below 1/2."""
    wide = x.astype(jnp.float64)
    low = wide < 0.5
    at = jnp.where(low, 1 - wide, wide)
    total = jnp.zeros_like(at)
    for _ in range(10):
        total = total + 1 / (at * at)
        at = at + 1
    total = total + 1 / at + 0.5 / (at * at) + horner(_BERNOULLI, 1 / (at * at)) / (at * at * at)
    # the reflection at the precision of x, so that a pole's value is torch's
    s = jnp.sin(jnp.asarray(math.pi, x.dtype) * jnp.where(low, x, 0.5)).astype(jnp.float64)
    return jnp.where(low, (jnp.pi / s) ** 2 - total, total).astype(x.dtype)


def _lgamma(xp, x):
    # in float64: XLA's float32 version is off by 5e-7 near its zeros at 1 and 2
    return jax.lax.lgamma(x.astype(jnp.float64)).astype(x.dtype)


_special("lgamma", _lgamma, lambda xp, out, x: digamma(xp, x), numpy=False, kernel="lgamma_vml_cpu", also=("special.gammaln",))
_special("digamma", digamma, lambda xp, out, x: trigamma(xp, x), numpy=False, kernel="digamma", also=("special.digamma", "special.psi"))


# ---------------------------------------------------------------- logit and sinc
def _logit(xp, x, eps):
    if eps is not None:
        x = xp.minimum(xp.maximum(x, eps), 1 - eps)
    return xp.log(x / (1 - x))


def _logit_rule(xp, g, out, x, eps):
    low = xp.zeros_like(x) if eps is None else eps
    outside = xp.nan if eps is None else 0.0
    ends = (x == 0) | (x == 1)  # there torch gives +inf, also at -0
    inside = xp.where(ends, xp.sign(g) * xp.inf, g / xp.where(ends, 0.25, x * (1 - x)))
    return xp.where((x < low) | (x > 1 - low), xp.full_like(g, outside), inside)


def _logit_half(xp, half, x, eps):
    if eps is not None:
        x = xp.minimum(xp.maximum(x, rounded(xp, eps, half)), rounded(xp, 1 - eps, half))
    return xp.log(rounded(xp, x / rounded(xp, 1 - x, half), half))


logit_op = unary("logit(input, eps=None)", _logit, kind=INT_TO_FLOAT, refuse=COMPLEX_DTYPES, vjp=_logit_rule, also=("special.logit",))
half_body(_logit_half, logit_op)


def _sinc(xp, x):
    at = xp.where(x == 0, xp.ones_like(x), math.pi * x)
    return xp.where(x == 0, xp.ones_like(x), xp.sin(at) / at)


def _sinc_slope(xp, out, x):
    at, square = math.pi * x, math.pi * x * x
    # unprotected at 0, so that the second derivative there is torch's NaN
    return xp.where(square == 0, xp.zeros_like(x), (at * xp.cos(at) - xp.sin(at)) / square)


unary("sinc(input)", _sinc, kind=INT_TO_FLOAT, vjp=slope(_sinc_slope), also=("special.sinc",))

__all__ = ["digamma", "erf", "erfc", "horner", "trigamma"]
