"""Bessel functions of the first and second kind, modified ones, Airy's function. torch differentiates none of them, nor are they here.

Note [Bessel functions]: below 8, J0 and J1 / x are Chebyshev series in (x / 8)^2, and Y is 2/pi log(x) J, a pole, and such a series
(Abramowitz & Stegun 9.1.13, 9.1.88). From 8 on, J and Y are the cosine and sine of x - (2 n + 1) pi / 4, mixed with the amplitudes P and Q
(9.2.5, 9.2.6), series in (8 / x)^2. K has the same parts below 2 (9.6.11), and K exp(x) sqrt(x) is a series in 2 / x from there on.

Note [Airy function]: with zeta = 2/3 |x|^1.5, Ai falls as exp(-zeta) from 9/4 on (10.4.59) and is a wave of phase zeta + pi / 4 from -4 down
(10.4.60), each times a series in a power of 1 / zeta; between them it is a series in x. Everything is computed in float64.
"""
from __future__ import annotations

import math

import jax
import numpy as np

from . import chebyshev_tables as tables
from .declare import INT_TO_FLOAT, unary
from .guards import COMPLEX_DTYPES, HALVES

TWO_OVER_PI = 2 / math.pi


def _series(coefficients: tuple, w):
    """The sum of c[k] T_k(2 w - 1), by Clenshaw's recurrence."""
    t = 4 * w - 2
    last = before = 0 * w
    for c in reversed(coefficients[1:]):
        last, before = c + t * last - before, last
    return coefficients[0] + t / 2 * last - before


def _within(xp, x, low: float, high: float):
    """x where it is between the bounds, else the nearer one: what a branch that is not taken computes with."""
    return xp.clip(xp.where(xp.isnan(x), low, x), low, high)


# ---------------------------------------------------------------- J and Y
def _far(xp, x, order: int):
    """(J, Y) from 8 on."""
    x = xp.maximum(xp.where(xp.isnan(x), 8.0, x), 8.0)
    w = (8 / x) ** 2
    p, q = (tables.P0_FAR, tables.Q0_FAR) if order == 0 else (tables.P1_FAR, tables.Q1_FAR)
    p, q = _series(p, w), _series(q, w) * 8 / x
    # sin and cos of x - pi/4 or x - 3 pi/4 by those of x, which stay exact for large x
    s, c = xp.sin(x), xp.cos(x)
    cosine, sine = (c + s, s - c) if order == 0 else (s - c, -c - s)
    size = xp.sqrt(1 / (math.pi * x))
    return size * (p * cosine - q * sine), size * (p * sine + q * cosine)


def _first_kind(order: int):
    def body(xp, x):
        x = x.astype(np.float64)
        size = xp.abs(x)
        near = _within(xp, size, 0, 8)
        inner = _series(tables.J0_NEAR, (near / 8) ** 2) if order == 0 else near * _series(tables.J1_NEAR, (near / 8) ** 2)
        made = xp.where(size < 8, inner, _far(xp, size, order)[0])
        made = xp.where(xp.isfinite(x), made, math.nan)
        return made if order == 0 else xp.copysign(1.0, x) * made
    return body


def _second_kind(order: int):
    def body(xp, x):
        x = x.astype(np.float64)
        near = xp.where((x > 0) & (x < 8), x, 1.0)
        w = (near / 8) ** 2
        if order == 0:
            inner = TWO_OVER_PI * xp.log(near) * _series(tables.J0_NEAR, w) + _series(tables.Y0_NEAR, w)
        else:
            first = near * _series(tables.J1_NEAR, w)
            inner = TWO_OVER_PI * (xp.log(near) * first - 1 / near) + near * _series(tables.Y1_NEAR, w)
        made = xp.where(x < 8, inner, _far(xp, x, order)[1])
        return xp.where(x == 0, -math.inf, xp.where((x > 0) & xp.isfinite(x), made, math.nan))
    return body


# ---------------------------------------------------------------- I and K
def _modified_first(order: int):
    def body(xp, x):
        wide = x.astype(np.float64)
        made = jax.scipy.special.i0(wide) if order == 0 else jax.scipy.special.i1(wide)
        return xp.where(xp.isinf(wide), math.nan, made)
    return body


def _modified_second(order: int, scaled: bool):
    def body(xp, x):
        x = x.astype(np.float64)
        near = xp.where((x > 0) & (x < 2), x, 1.0)
        w, log = (near / 2) ** 2, xp.log(near / 2)
        if order == 0:
            inner = _series(tables.K0_NEAR, w) - log * _series(tables.I0_NEAR, w)
        else:
            inner = 1 / near + near * (_series(tables.K1_NEAR, w) + log * _series(tables.I1_NEAR, w))
        far = xp.maximum(xp.where(xp.isnan(x), 2.0, x), 2.0)
        outer = _series(tables.K0_FAR if order == 0 else tables.K1_FAR, 2 / far) / xp.sqrt(far)
        made = xp.where(x < 2, inner * xp.exp(near) if scaled else inner, outer if scaled else outer * xp.exp(-far))
        return xp.where(x == 0, math.inf, xp.where(x > 0, made, math.nan))
    return body


# ---------------------------------------------------------------- Airy and the spherical function
def _airy(xp, x):
    x = x.astype(np.float64)
    size = xp.maximum(xp.where(xp.isfinite(x), xp.abs(x), 4.0), 1.0)
    root = xp.sqrt(size)
    zeta, slow = 2 / 3 * size * root, xp.sqrt(root)
    right = xp.maximum(zeta, 2.25)
    falling = xp.exp(-right) * _series(tables.AIRY_FALLING, 2.25 / right) / (2 * math.sqrt(math.pi) * slow)
    left = xp.maximum(zeta, 16 / 3)
    w, phase = (16 / 3 / left) ** 2, left + math.pi / 4
    wave = (xp.sin(phase) * _series(tables.AIRY_SINE, w) - xp.cos(phase) * _series(tables.AIRY_COSINE, w) / left) / (math.sqrt(math.pi) * slow)
    middle = _series(tables.AIRY_NEAR, (_within(xp, x, -4, 2.25) + 4) / 6.25)
    made = xp.where(x >= 2.25, falling, xp.where(x <= -4, wave, middle))
    return xp.where(xp.isfinite(x), made, math.nan)


def _spherical(xp, x):
    """sin(x) / x, 1 at 0 and 0 at infinity."""
    x = x.astype(np.float64)
    safe = xp.where(xp.isfinite(x) & (x != 0), x, 1.0)
    return xp.where(xp.isnan(x), math.nan, xp.where(xp.isinf(x), 0.0, xp.where(x == 0, 1.0, xp.sin(safe) / safe)))


def _declare(name: str, parameter: str, body, doc: str, numpy: bool = True) -> None:
    unary(f"{name}({parameter})", body, kind=INT_TO_FLOAT, grad=None, refuse=(*COMPLEX_DTYPES, *HALVES), numpy=numpy, function=False, method=False,
          inplace=False, also=(f"special.{name}",), doc=doc)


for _order in (0, 1):
    _declare(f"bessel_j{_order}", "input", _first_kind(_order), f"The Bessel function of the first kind of order {_order}.")
    _declare(f"bessel_y{_order}", "input", _second_kind(_order), f"The Bessel function of the second kind of order {_order}; NaN below 0.")
    _declare(f"modified_bessel_i{_order}", "input", _modified_first(_order), f"The modified Bessel function of the first kind of order {_order}.",
             numpy=False)
    _declare(f"modified_bessel_k{_order}", "input", _modified_second(_order, False),
             f"The modified Bessel function of the second kind of order {_order}; NaN below 0.")
    _declare(f"scaled_modified_bessel_k{_order}", "x", _modified_second(_order, True),
             f"exp(x) times the modified Bessel function of the second kind of order {_order}; NaN below 0.")
_declare("airy_ai", "x", _airy, "Airy's function Ai.")
_declare("spherical_bessel_j0", "x", _spherical, "The spherical Bessel function of the first kind of order 0: sin(x) / x.")

__all__: list[str] = []
