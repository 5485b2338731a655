"""Standard normals from uniforms: the pair formula of Box and Muller (1958) in each precision that torch computes it in.

Pure functions of arrays; drawing the uniforms and keeping spare normals is for the samplers.

Note [Float32 as torch rounds it]. torch's float32 path is a vector routine: the Cephes single-precision polynomials for log,
sine and cosine, with fused multiply-adds. Every fused step is done here in float64 (where the product of two float32 numbers is exact)
and rounded to float32 once, which gives torch's bits.
"""
from __future__ import annotations

import numpy as np

from torchish._random.fused import fused_float32, fused_float64

LANES = 16  # torch pairs element j with element j + 8 of each run of 16
_F = np.float32
_ROWS = 1024  # runs of 16 handled at a time, so that the temporaries stay in the second-level cache

_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_LOG = tuple(float(_F(c)) for c in (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                                    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1))
_LN2_HIGH, _LN2_LOW = 0.693359375, _F(-2.12194440e-4)
_SIN = tuple(float(_F(c)) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1))
_COS = tuple(float(_F(c)) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2))
_PI_4 = tuple(float(_F(c)) for c in (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8))  # their sum is pi / 4
_4_PI, _2PI = _F(4 / np.pi), _F(2 * np.pi)
_SIN_SIGN = np.array([1, 1, -1, -1, 1], _F)  # by half the octant number
_COS_SIGN = np.array([1, -1, -1, 1, 1], _F)
_SWAPPED = np.array([False, True, False, True, False])


def _polynomial(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Horner's rule with a fused step per coefficient; float32 in and out."""
    wide = x.astype(np.float64)
    y = wide * coefficients[0]
    for c in coefficients[1:-1]:
        y += c
        y = y.astype(_F) * wide
    y += coefficients[-1]
    return y.astype(_F)


def _log(x: np.ndarray) -> np.ndarray:
    """The logarithm of normal float32 numbers, as Cephes' logf (Moshier 1989) has it."""
    bits = x.view(np.int32) - _SQRT_HALF_BITS
    exponent = (bits >> 23).astype(_F)
    bits &= 0x7FFFFF
    bits += _SQRT_HALF_BITS
    m = bits.view(_F) - _F(1)  # x = (1 + m) 2^exponent, and 1 + m in [sqrt(1/2), sqrt(2))
    square = m * m
    y = _polynomial(m, _LOG)
    y *= m
    y = fused_float32(y, square, exponent * _LN2_LOW)
    y = fused_float32(square, -0.5, y)
    y += m
    return fused_float32(exponent, _LN2_HIGH, y)


def _sine_cosine(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of float32 angles in [0, 2 pi], as Cephes' sinf and cosf have them."""
    half = ((x * _4_PI).astype(np.int32) + 1) >> 1  # half the octant, rounded to an even one: 0 to 4
    octant = (half + half).astype(np.float64)
    for part in _PI_4:
        x = (x - octant * part).astype(_F)
    square = x * x
    wide = square.astype(np.float64)
    cosine = _polynomial(square, _COS) * square
    cosine = (cosine * wide - wide * 0.5).astype(_F) + _F(1)
    sine = fused_float32(_polynomial(square, _SIN) * square, x, x)
    swapped = _SWAPPED[half]
    return np.where(swapped, cosine, sine) * _SIN_SIGN[half], np.where(swapped, sine, cosine) * _COS_SIGN[half]


def normals_float32(u: np.ndarray, mean: float, std: float) -> np.ndarray:
    """float32[n], n a multiple of 16, of normals from as many float32 uniforms in [0, 1). See Note [Float32 as torch rounds it]."""
    u = u.reshape(-1, LANES)
    out = np.empty_like(u)
    standard = mean == 0 and std == 1
    mean, std = float(_F(mean)), float(_F(std))
    for start in range(0, len(u), _ROWS):
        rows, result = u[start:start + _ROWS], out[start:start + _ROWS]
        radius = np.sqrt(_F(-2) * _log(_F(1) - rows[:, :8]))
        sine, cosine = _sine_cosine(_2PI * rows[:, 8:])
        for half, wave in ((result[:, :8], cosine), (result[:, 8:], sine)):
            wave *= radius
            half[...] = wave if standard else fused_float32(wave, std, mean)
    return out.reshape(-1)


def normals_in_runs(u: np.ndarray, mean: float, std: float) -> np.ndarray:
    """As `normals_float32`, in the precision of `u` (float64, or float32 for the half types) and with the C library's functions.

    Those are all but correctly rounded, which NumPy's float32 functions are not: float32 goes through float64 and is rounded after each step.
    """
    real = u.dtype.type
    u = u.reshape(-1, LANES)
    radius = np.sqrt(real(-2) * np.log((real(1) - u[:, :8]).astype(np.float64)).astype(real))
    angle = (real(2 * np.pi) * u[:, 8:]).astype(np.float64)
    out = np.concatenate((radius * np.cos(angle).astype(real), radius * np.sin(angle).astype(real)), axis=1)
    if mean != 0 or std != 1:
        out = fused_float64(out, std, mean) if real is np.float64 else fused_float32(out, real(std), real(mean))
    return out.reshape(-1)


def pairs(u: np.ndarray) -> np.ndarray:
    """float64[n] standard normals from n (even) float64 uniforms, two by two: the first of two gives the angle."""
    u = u.reshape(-1, 2)
    radius = np.sqrt(-2.0 * np.log1p(-u[:, 1]))
    angle = 2.0 * np.pi * u[:, 0]
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1).reshape(-1)
