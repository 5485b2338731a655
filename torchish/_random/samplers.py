"""Distributions as torch's CPU kernels draw them: which words each takes from the stream, in which order, and what they become.

A sampler takes a Generator, a shape and a torchish dtype and returns a C-contiguous NumPy array of that shape; elements are drawn in memory
order. Argument errors carry torch's words. Nothing here knows tensors, tapes or JAX. Samplers that reject are in rejection.py.

Note [Not MKL]. On Intel processors torch's own x86 builds draw `bernoulli_(p)` (and so dropout) and `exponential_` from MKL's MCG31 stream, on others
from the Mersenne Twister. torch's two kinds of machine disagree; torchish follows the Mersenne Twister everywhere.
"""
from __future__ import annotations

import math
import warnings

import numpy as np

from torchish import _dtype as dt
from torchish._random import box_muller
from torchish._random.box_muller import LANES
from torchish._random.fused import fused_float32, fused_float64
from torchish._random.generator import Generator
from torchish._random.mt19937 import WORDS

_DIGITS = {dt.float16: 11, dt.bfloat16: 8, dt.float32: 24, dt.float64: 53}
_HALVES = (dt.float16, dt.bfloat16)
_C_NAME = {"Byte": "unsigned char", "Char": "signed char", "Short": "short int", "Int": "int", "Long": "long", "Bool": "bool", "Half": "c10::Half",
           "BFloat16": "c10::BFloat16", "Float": "float", "Double": "double", "UInt16": "unsigned short int", "UInt32": "unsigned int",
           "UInt64": "unsigned long", "ComplexFloat": "c10::complex<float>", "ComplexDouble": "c10::complex<double>"}
_FEW = 16  # below this many elements Python's floats are quicker than arrays, and torch's normal_ takes its scalar path
_AHEAD = 256  # up to this many float32 normals come out of a block that is turned into normals once


def _count(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def _require_real(dtype: dt.dtype, kernel: str) -> None:
    if dtype not in _DIGITS:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}'")


def _unit_float32(generator: Generator, n: int) -> np.ndarray:
    """float32[n] in [0, 1): the low 24 bits of a word each."""
    u = (generator.engine.words(n) & np.uint32(0xFFFFFF)).astype(np.float32)
    u *= np.float32(2.0**-24)
    return u


def _stored(x: np.ndarray, dtype: dt.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Results as torch stores them: the half types are rounded by way of float32, and what a dtype cannot hold is no error."""
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype in _HALVES:
            x = x.astype(np.float32, copy=False)
        return x.astype(dtype.numpy, copy=False).reshape(shape)


# Uniform reals

def uniform(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Uniforms in [low, high): a word each (24 bits), float64 two (53 bits), complex a real and an imaginary draw."""
    if dtype.is_complex:
        return uniform(generator, (*shape, 2), dtype.to_real(), low, high).view(dtype.numpy).reshape(shape)
    _require_real(dtype, "check_uniform_bounds")
    _check_uniform_bounds(low, high, dtype)
    n = _count(shape)
    standard = low == 0 and high == 1
    if dtype is dt.float64:
        x = generator.engine.doubles(n)
        x = x if standard else fused_float64(x, high - low, low)
    else:
        x = _unit_float32(generator, n)
        if not standard:
            x = fused_float32(x, np.float32(high) - np.float32(low), np.float32(low))
        x = x.astype(dtype.numpy, copy=False)
    if not standard or dtype in _HALVES:
        x[x >= dtype.numpy.type(high)] = low  # rounding can reach the bound, and torch wraps what does
    return x.reshape(shape)


def _check_uniform_bounds(low: float, high: float, dtype: dt.dtype) -> None:
    limit = float(_largest(dtype))
    for name, bound in (("from", low), ("to", high)):
        if not -limit <= bound <= limit:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAME[dtype.legacy]}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(f"uniform_ expects to-from <= std::numeric_limits<{dtype.legacy}>::max(), but found to={high:g} and from={low:g} "
                           "which result in to-from to exceed the limit")


def _largest(dtype: dt.dtype) -> float:
    return 3.3895313892515355e38 if dtype is dt.bfloat16 else float(np.finfo(dtype.numpy).max)


# Normals

def normal(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, mean: float = 0.0, std: float = 1.0,
           contiguous: bool = True) -> np.ndarray:
    """Normals. 16 or more in contiguous memory are drawn in runs of 16 and leave the generator's spare normal alone; fewer go pair by pair.

    `contiguous=False` says that torch would fill a non-contiguous tensor: it then goes pair by pair at any size.
    Complex numbers are drawn as reals of half the variance. Raises RuntimeError unless std >= 0.
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if dtype.is_complex:
        parts = normal(generator, (*shape, 2), dtype.to_real(), mean, std / math.sqrt(2), contiguous)
        return parts.view(dtype.numpy).reshape(shape)
    _require_real(dtype, "normal_kernel_cpu")
    n = _count(shape)
    if n < _FEW or not contiguous:
        return _stored(_affine_pairs(generator, n, mean, std), dtype, shape)
    return _stored(_normal_runs(generator, n, dtype, mean, std), dtype, shape)


def _normal_runs(generator: Generator, n: int, dtype: dt.dtype, mean: float, std: float) -> np.ndarray:
    """Runs of 16; when n is no multiple, the last 16 elements are drawn anew, which overwrites some that were already made."""
    draw = _unit_float32 if dtype is not dt.float64 else lambda generator, count: generator.engine.doubles(count)
    make = box_muller.normals_float32 if dtype is dt.float32 else box_muller.normals_in_runs
    rest = n % LANES
    whole = n - rest
    if not rest:
        if dtype is dt.float32 and n <= _AHEAD:
            return _short_runs(generator, n, mean, std)
        return make(draw(generator, n), mean, std)
    filled = n if dtype in (dt.float32, dt.float64) else whole  # the half types do not draw for the rest before they draw anew
    u = draw(generator, filled + LANES)
    made = make(np.concatenate((u[:whole], u[filled:])), mean, std)
    return np.concatenate((made[:n - LANES], made[whole:]))


def _short_runs(generator: Generator, n: int, mean: float, std: float) -> np.ndarray:
    """Float32 runs out of one block of the engine. The formula costs as much for 64 numbers as for 600, so the block's rest is made at once."""
    engine = generator.engine
    start = engine.position
    if start + n > WORDS:
        return box_muller.normals_float32(_unit_float32(generator, n), mean, std)
    block, first, made = generator.normals_ahead or (None, 0, None)
    if block is not engine.block or start < first or (start - first) % LANES:
        rest = (WORDS - start) // LANES * LANES
        first, made = start, box_muller.normals_float32(_unit_float32(generator, rest), 0.0, 1.0)
        engine.unread(rest)
        generator.normals_ahead = engine.block, first, made
    engine.words(n)
    made = made[start - first:start - first + n]
    return made.copy() if mean == 0 and std == 1 else fused_float32(made, np.float32(std), np.float32(mean))


def _affine_pairs(generator: Generator, n: int, mean: float, std: float) -> np.ndarray:
    """float64[n] normals of torch's scalar path, which keeps the spare one of the last pair in the generator."""
    z = (_few_normals if n < _FEW else _many_normals)(generator, n)
    return z if mean == 0 and std == 1 else fused_float64(z, std, mean)


def _few_normals(generator: Generator, n: int) -> np.ndarray:
    out, spare = [], generator.next_normal
    if n and spare is not None:
        out.append(spare)
        spare = None
    u = generator.engine.doubles((n - len(out) + 1) // 2 * 2).tolist()
    for turn, depth in zip(u[0::2], u[1::2], strict=True):
        radius, angle = math.sqrt(-2.0 * math.log1p(-depth)), 2.0 * math.pi * turn
        out += radius * math.cos(angle), radius * math.sin(angle)
    if len(out) > n:
        spare = out.pop()
    generator.next_normal = spare
    return np.array(out, np.float64)


def _many_normals(generator: Generator, n: int) -> np.ndarray:
    spare = generator.next_normal
    head = [] if spare is None else [spare]
    wanted = n - len(head)
    made = box_muller.pairs(generator.engine.doubles(wanted + wanted % 2))
    generator.next_normal = float(made[-1]) if wanted % 2 else None
    return np.concatenate((head, made[:wanted]))


def normal_of(generator: Generator, mean, std, dtype: dt.dtype) -> np.ndarray:
    """torch.normal where mean, std or both are arrays (the other a float): standard normals of the broadcast shape, scaled, then shifted.

    Raises RuntimeError where std is negative.
    """
    if isinstance(std, np.ndarray):
        if std.size and not (std.astype(np.float64) >= 0).all():
            raise RuntimeError("normal expects all elements of std >= 0.0")
        shape = np.broadcast_shapes(np.shape(mean), std.shape)
        return (normal(generator, shape, dtype) * std.astype(dtype.numpy) + np.asarray(mean, dtype.numpy)).astype(dtype.numpy, copy=False)
    return (normal(generator, mean.shape, dtype, 0.0, std) + mean.astype(dtype.numpy)).astype(dtype.numpy, copy=False)


def log_normal(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, mean: float = 1.0, std: float = 2.0) -> np.ndarray:
    """exp of normals drawn pair by pair at every size. Raises RuntimeError unless std > 0."""
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    _require_real(dtype, "log_normal_cpu")
    with np.errstate(over="ignore"):
        return _stored(np.exp(_affine_pairs(generator, _count(shape), mean, std)), dtype, shape)


# Integers

def randint(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, low: int, high: int) -> np.ndarray:
    """Integers in [low, high) stored as `dtype`: torch.randint, which is `random_(low, high)`."""
    return random_(generator, shape, dtype, low, high)


def random_(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, low: int | None = None, high: int | None = None) -> np.ndarray:
    """Integers in [low, high); without `high` up to the largest the dtype holds exactly, without both torch's own range per dtype.

    A word each, reduced modulo the range; two words when the range is 2**28 or more. Raises RuntimeError for an empty range or
    bounds that the dtype cannot hold.
    """
    n = _count(shape)
    if low is None:
        return _random_whole(generator, n, dtype).reshape(shape)
    top = _largest_integer(dtype)
    if high is None:
        high = top + 1
        _check_bound(low, dtype, "from")
    else:
        if low >= high:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
        _check_bound(low, dtype, "from")
        _check_bound(high - 1, dtype, "to - 1")
    if dtype in _DIGITS:
        low, high = _representable(low, high, dtype)
    return _from_range(generator, n, low, high - low).astype(dtype.numpy).reshape(shape)


def _representable(low: int, high: int, dtype: dt.dtype) -> tuple[int, int]:
    """The bounds moved inwards by a step of the dtype where rounding to it would leave [low, high)."""
    def step(bound: int) -> int:
        return 1 << max(abs(bound).bit_length() - _DIGITS[dtype], 0)

    def rounded(bound: int) -> int:
        return int(float(np.asarray(bound, np.float64).astype(dtype.numpy)))
    if rounded(high - 1) >= high:
        high = rounded(high - 1) - step(high - 1)
    if rounded(low + 1) < low:
        low = rounded(low + 1) + step(low + 1)
    return low, high


def _from_range(generator: Generator, n: int, base: int, width: int) -> np.ndarray:
    if width < 1 << 28:
        return (generator.engine.words(n) % np.uint32(width)).astype(np.int64) + base
    draws = generator.engine.words64(n)
    if width < 1 << 64:
        draws %= np.uint64(width)
        draws += np.uint64(base & 0xFFFFFFFFFFFFFFFF)  # wraps around for negative bases
    return draws.view(np.int64)


def _largest_integer(dtype: dt.dtype) -> int:
    """The last integer up to which the dtype holds every one."""
    if dtype in _DIGITS:
        return 1 << _DIGITS[dtype]
    if dtype is dt.bool_:
        return 1
    if dtype.is_complex or dtype.numpy.kind not in "iu":
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    return int(np.iinfo(dtype.numpy).max)


def _check_bound(value: int, dtype: dt.dtype, name: str) -> None:
    digits = _DIGITS.get(dtype)
    if digits is not None:
        if abs(value) > _largest(dtype):
            raise RuntimeError(f"{name} is out of bounds for {_C_NAME[dtype.legacy]}")
        if abs(value) > 1 << digits:
            c_name = _C_NAME[dtype.legacy]
            warnings.warn(f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {c_name} can support discrete "
                          "uniform distribution only within this range. This warning will become an error in version 1.7 release, please fix "
                          "the code in advance", UserWarning, stacklevel=4)
        return
    least = 0 if dtype is dt.bool_ else int(np.iinfo(dtype.numpy).min)
    if not least <= value <= _largest_integer(dtype):
        raise RuntimeError(f"{name} is out of bounds for {_C_NAME[dtype.legacy]}")


def _random_whole(generator: Generator, n: int, dtype: dt.dtype) -> np.ndarray:
    if dtype.is_complex or dtype in (dt.uint16, dt.uint32, dt.uint64):
        raise NotImplementedError(f"\"random_kernel_cpu\" not implemented for '{dtype.legacy}'")
    if dtype in (dt.int64, dt.float64):
        draws = generator.engine.words64(n) % np.uint64(_largest_integer(dtype) + 1)
    else:
        draws = generator.engine.words(n) % np.uint32(_largest_integer(dtype) + 1)
    return draws.astype(dtype.numpy)


# Permutations

_LONG_PERMUTATION = (1 << 32) // 20  # from here on torch takes two words a step


def randperm(generator: Generator, n: int, dtype: dt.dtype = dt.int64) -> np.ndarray:
    """A permutation of 0 .. n - 1, shape [n]. Raises RuntimeError for n < 0 and where the dtype cannot count so far."""
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype.is_complex or dtype in (dt.bool_, dt.uint16, dt.uint32, dt.uint64):
        raise NotImplementedError(f"\"randperm\" not implemented for '{dtype.legacy}'")
    _check_permutation(n, dtype)
    steps = max(n - 1, 0)
    room = np.arange(n, 1, -1, dtype=np.uint32 if n < _LONG_PERMUTATION else np.uint64)
    draws = generator.engine.words(steps) if n < _LONG_PERMUTATION else generator.engine.words64(steps)
    targets = (draws % room).astype(np.int64) + np.arange(steps)
    return (_swapped_few(n, targets) if n < 256 else _swapped(n, targets)).astype(dtype.numpy)


def _check_permutation(n: int, dtype: dt.dtype) -> None:
    if dtype in _DIGITS:
        if n > (1 << _DIGITS[dtype]) + 1:
            raise RuntimeError(f"n cannot be greater than {(1 << _DIGITS[dtype]) + 1} for {dtype.legacy} type.")
    elif n > np.iinfo(dtype.numpy).max:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")


def _swapped_few(n: int, targets: np.ndarray) -> np.ndarray:
    """0 .. n - 1 after swapping element i with element targets[i] (>= i), in turn."""
    order = list(range(n))
    for i, j in enumerate(targets.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def _swapped(n: int, targets: np.ndarray) -> np.ndarray:
    """As `_swapped_few`, without a loop over the elements.

    Step i takes what lies at its target: what the last earlier step with that target put there, or the target's own number. What a step puts
    down is what lay at its own place, which an earlier step may have put there in turn; those chains are followed by doubling.
    """
    steps = np.arange(len(targets))
    moved = targets != steps
    put_here = np.full(n, -1)
    put_here[targets[moved]] = steps[moved]  # the last step that targeted this place from before it: of repeated indices the last one stays
    origin = np.where(put_here < 0, np.arange(n), put_here)
    while True:
        further = origin[origin]
        if np.array_equal(further, origin):
            break
        origin = further
    by_target = np.sort(targets * n + steps)
    target, step = np.divmod(by_target, n)
    taken = target.copy()
    again = target[1:] == target[:-1]
    taken[1:][again] = origin[step[:-1][again]]
    out = np.empty(n, np.int64)
    out[step] = taken
    out[n - 1] = origin[n - 1]
    return out


# Draws of one uniform an element

def bernoulli(generator: Generator, p, shape: tuple[int, ...], dtype: dt.dtype) -> np.ndarray:
    """Ones with probability p, else zeros. A float p takes two words an element; an array p, which must
    broadcast to the shape, one word, or two if it is float64.

    Raises RuntimeError unless every p is in [0, 1].
    """
    n = _count(shape)
    if not isinstance(p, np.ndarray):
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        if dtype.is_complex:
            raise NotImplementedError(f"\"bernoulli_scalar_cpu_\" not implemented for '{dtype.legacy}'")
        return (generator.engine.doubles(n) < p).astype(dtype.numpy).reshape(shape)
    if dtype.is_complex:
        raise NotImplementedError(f"\"bernoulli_tensor_cpu_self_\" not implemented for '{dtype.legacy}'")
    _require_real(dt.BY_NUMPY[p.dtype], "bernoulli_tensor_cpu_p_")
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please "
                           "report an enhancement request to PyTorch.)")
    if p.dtype == np.float64:
        return (generator.engine.doubles(n).reshape(shape) < p).astype(dtype.numpy)
    return (_unit_float32(generator, n).reshape(shape) < p.astype(np.float32)).astype(dtype.numpy)


def exponential(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, lambd: float = 1.0) -> np.ndarray:
    """Exponentials of rate lambd, by inversion in float64. Raises RuntimeError unless lambd > 0. See Note [Not MKL]."""
    if dtype not in _DIGITS:
        raise RuntimeError("Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
                           f"specified {dtype.legacy}")
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    return _stored(-1.0 / lambd * np.log1p(-generator.engine.doubles(_count(shape))), dtype, shape)


def geometric(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, p: float) -> np.ndarray:
    """Trials up to the first success, from 1 on, by inversion in float64. Raises RuntimeError unless 0 < p < 1."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if dtype is dt.bool_ or dtype.is_complex:
        raise NotImplementedError(f"\"geometric_cpu\" not implemented for '{dtype.legacy}'")
    with np.errstate(divide="ignore"):
        trials = np.ceil(np.log(generator.engine.doubles(_count(shape))) / math.log1p(-p))
    return _stored(trials, dtype, shape)


def cauchy(generator: Generator, shape: tuple[int, ...], dtype: dt.dtype, median: float = 0.0, sigma: float = 1.0) -> np.ndarray:
    """Cauchy numbers, by inversion in float64. Raises RuntimeError unless sigma > 0."""
    if dtype not in _DIGITS:
        name = {dt.int64: "long int"}.get(dtype, _C_NAME[dtype.legacy])
        raise RuntimeError(f"Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified {name}")
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    u = generator.engine.doubles(_count(shape))
    return _stored(median + sigma * np.tan(np.pi * (u - 0.5)), dtype, shape)


# Categories

def multinomial(generator: Generator, probs: np.ndarray, num_samples: int, replacement: bool = False) -> np.ndarray:
    """Indices into the last axis of probs ([k] or [rows, k], weights that need not sum to 1): int64 [num_samples] or [rows, num_samples].

    Without replacement, and for a single sample, the largest of weight / exponential win; with it, uniforms are looked up in the cumulated
    weights. Raises RuntimeError in torch's words for weights that are no distribution.
    """
    _check_multinomial(probs, num_samples, replacement)
    rows = probs.reshape(-1, probs.shape[-1])
    if replacement and num_samples > 1:
        out = _with_replacement(generator, rows, num_samples)
    else:
        out = _without_replacement(generator, rows, num_samples)
    return out.reshape(*probs.shape[:-1], num_samples)


def _check_multinomial(probs: np.ndarray, num_samples: int, replacement: bool) -> None:
    dtype = dt.BY_NUMPY[probs.dtype]
    if dtype not in _DIGITS:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {dtype.legacy}")
    if probs.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > probs.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if probs.shape[-1] > 1 << 24:
        raise RuntimeError("number of categories cannot exceed 2^24")


def _without_replacement(generator: Generator, rows: np.ndarray, num_samples: int) -> np.ndarray:
    wide = rows.astype(np.float64)
    if not ((wide >= 0) & (wide < np.inf)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (wide.sum(axis=1) == 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    waits = exponential(generator, rows.shape, dt.BY_NUMPY[rows.dtype])
    with np.errstate(divide="ignore", invalid="ignore"):
        keys = (rows / waits).astype(np.float64)
    if num_samples == 1:
        return np.argmax(keys, axis=1)[:, None]
    return np.argsort(-keys, axis=1, kind="stable")[:, :num_samples]


def _with_replacement(generator: Generator, rows: np.ndarray, num_samples: int) -> np.ndarray:
    work = rows.dtype if rows.dtype == np.float64 else np.dtype(np.float32)
    out = np.empty((len(rows), num_samples), np.int64)
    for row, weights in enumerate(rows.astype(work)):
        if not (weights >= 0).all():
            raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
        if not np.isfinite(weights).all():
            raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
        cumulated = np.cumsum(weights, dtype=work)
        if not cumulated[-1] > 0:
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        cumulated = (cumulated / cumulated[-1]).astype(np.float64)
        cumulated[-1] = 1.0
        out[row] = np.searchsorted(cumulated, generator.engine.doubles(num_samples), side="left")
    return out
