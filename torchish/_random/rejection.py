"""Distributions that torch draws by rejection, one element after the other: Poisson, binomial, gamma and what is made of gammas.

How many words an element takes depends on what is drawn, so these are loops over Python floats. Arrays in, arrays out.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from torchish import _dtype as dt
from torchish._random.generator import Generator
from torchish._random.mt19937 import DoubleReader

Uniform = Callable[[], float]

_THIRD, _SQUEEZE = np.float32(1.0 / 3.0), float(np.float32(0.0331))  # constants of the gamma sampler


def _each(generator: Generator, sample: Callable, *parameters: np.ndarray) -> np.ndarray:
    """sample(uniform, *parameters) for each element, in memory order; float64 of the parameters' shape."""
    uniform = DoubleReader(generator.engine)
    try:
        columns = zip(*(p.astype(np.float64).ravel().tolist() for p in parameters), strict=True)
        made = [sample(uniform, *column) for column in columns]
    finally:
        uniform.close()
    return np.array(made, np.float64).reshape(parameters[0].shape)


def _log(x: float) -> float:
    """C's logarithm, which is -inf at 0 where Python's raises."""
    return math.log(x) if x > 0 else -math.inf


def poisson(generator: Generator, rate: np.ndarray) -> np.ndarray:
    """Poisson counts of the given rates, same shape and dtype. Raises RuntimeError for a negative rate."""
    _require(rate, "poisson_cpu", (dt.float32, dt.float64, dt.float16, dt.bfloat16))
    if not (rate >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    if not (rate < np.inf).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be finite")
    return _each(generator, _one_poisson, rate).astype(rate.dtype)


def _require(values: np.ndarray, kernel: str, dtypes: tuple[dt.dtype, ...] = (dt.float32, dt.float64)) -> None:
    dtype = dt.BY_NUMPY[values.dtype]
    if dtype not in dtypes:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}'")


def _one_poisson(uniform: Uniform, rate: float) -> float:
    if rate >= 10:
        return _transformed_poisson(uniform, rate)
    if rate == 0:
        return 0.0
    limit, count, product = math.exp(-rate), 0, uniform()  # products of uniforms until exp(-rate) is passed (Knuth, TAOCP 3.4.1)
    while product > limit:
        count += 1
        product *= uniform()
    return float(count)


def _transformed_poisson(uniform: Uniform, rate: float) -> float:
    """Hoermann 1993, "The transformed rejection method for generating Poisson random variables", algorithm PTRS."""
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= squeeze:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        if _log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= -rate + k * log_rate - math.lgamma(k + 1):
            return float(k)


def binomial(generator: Generator, count: np.ndarray, prob: np.ndarray) -> np.ndarray:
    """Successes among `count` trials of probability `prob` (same shape and dtype), in that dtype."""
    _require(count, "binomial_cpu")
    return _each(generator, _one_binomial, count, prob).astype(count.dtype)


def _one_binomial(uniform: Uniform, count: float, prob: float) -> float:
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if prob > 0.5:
        return count - _lesser_binomial(uniform, count, 1.0 - prob)
    if prob <= 0.5:
        return _lesser_binomial(uniform, count, prob)
    return math.nan


def _lesser_binomial(uniform: Uniform, count: float, prob: float) -> float:
    return _transformed_binomial(uniform, count, prob) if count * prob >= 10 else _waiting_binomial(uniform, count, prob)


def _waiting_binomial(uniform: Uniform, count: float, prob: float) -> float:
    """Sums of geometric waiting times until they pass `count` (Devroye 1986, chapter X, 4.3)."""
    log_failure = math.log1p(-prob)
    waited, successes = 0.0, 0
    while True:
        ratio = _log(uniform()) / log_failure
        waited += math.ceil(ratio) if math.isfinite(ratio) else ratio
        if waited > count:
            return float(successes)
        successes += 1


_TAILS = tuple(math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi)) for k in range(10))


def _stirling_tail(k: float) -> float:
    """What Stirling's formula for log k! leaves out."""
    if k <= 9:
        return _TAILS[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


def _transformed_binomial(uniform: Uniform, count: float, prob: float) -> float:
    """Hoermann 1993, "The generation of binomial random variates", algorithm BTRS."""
    spread = math.sqrt(count * prob * (1 - prob))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    squeeze = 0.92 - 4.2 / b
    odds = prob / (1 - prob)
    alpha = (2.83 + 5.1 / b) * spread
    mode = math.floor((count + 1) * prob)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + c)
        if us >= 0.07 and v <= squeeze:
            return float(k)
        if k < 0 or k > count:
            continue
        bound = ((mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
                 + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
                 + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
                 + _stirling_tail(mode) + _stirling_tail(count - mode) - _stirling_tail(k) - _stirling_tail(count - k))
        if _log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


def _gammas(generator: Generator, alpha: np.ndarray, real: type = float) -> np.ndarray:
    """float64 standard gammas; their normals use up and leave behind the generator's spare normal."""
    def normal() -> float:
        spare = generator.next_normal
        if spare is not None:
            generator.next_normal = None
            return spare
        angle, depth = 2.0 * math.pi * uniform(), uniform()
        radius = math.sqrt(-2.0 * math.log1p(-depth))
        generator.next_normal = radius * math.sin(angle)
        return radius * math.cos(angle)

    uniform = DoubleReader(generator.engine)
    try:
        made = [_one_gamma(uniform, normal, real, a) for a in alpha.astype(np.float64).ravel().tolist()]
    finally:
        uniform.close()
    return np.array(made, np.float64).reshape(alpha.shape)


def _one_gamma(uniform: Uniform, normal: Uniform, real: type, alpha: float) -> float:
    """Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below 1, alpha + 1 is drawn and scaled down.

    What depends on alpha alone is rounded to the type `real`, as in torch, whose constants are float32 besides.
    """
    if alpha == 0:
        return 0.0
    if not alpha > 0:
        return _no_gamma(uniform, normal, alpha)
    alpha, scale = real(alpha), 1.0
    if alpha < 1:
        scale = (1 - uniform()) ** float(real(1) / alpha)
        alpha += real(1)
    d = float(alpha - real(_THIRD))
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        y = 0.0
        while y <= 0:
            x = normal()
            y = 1.0 + c * x
        v = y * y * y
        u = 1 - uniform()
        square = x * x
        if u < 1.0 - _SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


def _no_gamma(uniform: Uniform, normal: Uniform, alpha: float) -> float:
    """nan, and the draws that torch makes before it finds out, for a negative or nan alpha."""
    if alpha < 1:
        uniform()
    normal()
    uniform()
    return math.nan


def standard_gamma(generator: Generator, alpha: np.ndarray) -> np.ndarray:
    """Gamma variables of shape parameter alpha and scale 1, same shape and dtype; never below the dtype's smallest normal number."""
    _require(alpha, "gamma_cpu")
    return np.fmax(_gammas(generator, alpha, alpha.dtype.type), float(np.finfo(alpha.dtype).tiny)).astype(alpha.dtype)


def dirichlet(generator: Generator, alpha: np.ndarray) -> np.ndarray:
    """Points of the simplex along the last axis with concentrations alpha, same shape and dtype: gammas divided by their sum."""
    _require(alpha, "dirichlet")
    gammas = _gammas(generator, alpha)
    points = (gammas / gammas.sum(axis=-1, keepdims=True)).astype(alpha.dtype)
    one = alpha.dtype.type(1)
    return np.clip(points, np.finfo(alpha.dtype).tiny, np.nextafter(one, alpha.dtype.type(0)))
