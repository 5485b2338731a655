"""Samplers against recorded outputs of real torch (record_samplers.py), and what they promise beyond numbers."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sampler_cases import assert_same, cases, sequel

import torchish._random as R
from torchish import _dtype as dt

RECORDED = np.load(Path(__file__).with_name("recorded_samplers.npz"))
by_name = pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)


@by_name
def test_values_are_torchs(case):
    recorded, start = RECORDED[f"{case.name}/values"], 0
    for n in case.sizes:
        got = case.ours(R.Generator().manual_seed(n), n)
        assert_same(case, got, recorded[start:start + got.size].reshape(got.shape))
        start += got.size
    assert start == len(recorded)


@by_name
def test_stream_stands_where_torchs_stands(case):
    for n, expected in zip(case.sizes, RECORDED[f"{case.name}/sequels"], strict=True):
        generator = R.Generator().manual_seed(n)
        case.ours(generator, n)
        np.testing.assert_array_equal(sequel(generator), expected)


@pytest.mark.parametrize("dtype", [dt.float32, dt.float64, dt.float16, dt.bfloat16], ids=lambda d: d.name)
def test_shape_is_filled_in_memory_order(dtype):
    made = R.normal(R.Generator().manual_seed(1), (4, 10), dtype)
    assert made.shape == (4, 10) and made.flags.c_contiguous
    np.testing.assert_array_equal(made.ravel(), R.normal(R.Generator().manual_seed(1), (40,), dtype))


def test_zero_dimensional_shape_draws_one():
    assert R.uniform(R.Generator(), (), dt.float32).shape == ()
    assert R.normal(R.Generator(), (), dt.complex64).shape == ()


def test_short_runs_equal_one_by_one_blocks():
    generator, plain = R.Generator().manual_seed(3), R.Generator().manual_seed(3)
    for n in (16, 64, 48, 17, 32, 256, 16, 3, 32, 240, 64):
        plain.normals_ahead = None
        np.testing.assert_array_equal(R.normal(generator, (n,), dt.float32, 0.5, 2.0), R.normal(plain, (n,), dt.float32, 0.5, 2.0))


def test_results_never_alias_the_engine():
    generator, plain = R.Generator().manual_seed(3), R.Generator().manual_seed(3)
    makers = [lambda g: R.uniform(g, (32,), dt.float32), lambda g: R.normal(g, (32,), dt.float32), lambda g: R.random_(g, (32,), dt.uint32, 0, 9)]
    for make in makers:
        make(generator)[...] = 0
        make(plain)
        np.testing.assert_array_equal(make(generator), make(plain))


@pytest.mark.parametrize("n", [0, 1, 2, 300, 5000])
def test_randperm_is_a_permutation(n):
    np.testing.assert_array_equal(np.sort(R.randperm(R.Generator().manual_seed(n), n)), np.arange(n))


def test_multinomial_without_replacement_never_repeats():
    drawn = R.multinomial(R.Generator().manual_seed(0), np.ones((5, 40), np.float16), 40)
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(40), (5, 1)))


def test_half_overflow_is_infinite_without_a_warning():
    assert np.isinf(R.normal(R.Generator().manual_seed(0), (64,), dt.float16, 0.0, 1e6)).any()


G = R.Generator()
ONES = np.ones(3, np.float32)
ERRORS = [
    (lambda: R.uniform(G, (3,), dt.float32, 1.0, 0.0), RuntimeError, "uniform_ expects to return a [from, to) range, but found from=1 > to=0"),
    (lambda: R.uniform(G, (3,), dt.int64), NotImplementedError, "\"check_uniform_bounds\" not implemented for 'Long'"),
    (lambda: R.normal(G, (3,), dt.float32, 0.0, -1.0), RuntimeError, "normal expects std >= 0.0, but found std -1"),
    (lambda: R.normal(G, (3,), dt.int64), NotImplementedError, "\"normal_kernel_cpu\" not implemented for 'Long'"),
    (lambda: R.normal_of(G, ONES, -ONES, dt.float32), RuntimeError, "normal expects all elements of std >= 0.0"),
    (lambda: R.bernoulli(G, 1.5, (3,), dt.float32), RuntimeError, "bernoulli_ expects p to be in [0, 1], but got p=1.5"),
    (lambda: R.exponential(G, (3,), dt.float32, 0.0), RuntimeError, "exponential_ expects lambda > 0.0, but found lambda=0"),
    (lambda: R.geometric(G, (3,), dt.float32, 1.0), RuntimeError, "geometric_ expects p to be in (0, 1), but got p=1"),
    (lambda: R.log_normal(G, (3,), dt.float32, 0.0, 0.0), RuntimeError, "log_normal_ expects std > 0.0, but found std=0"),
    (lambda: R.cauchy(G, (3,), dt.float32, 0.0, 0.0), RuntimeError, "cauchy_ expects sigma > 0.0, but found sigma=0"),
    (lambda: R.poisson(G, -ONES), RuntimeError, "invalid Poisson rate, expected rate to be non-negative"),
    (lambda: R.randint(G, (3,), dt.int64, 3, 3), RuntimeError, "random_ expects 'from' to be less than 'to', but got from=3 >= to=3"),
    (lambda: R.randint(G, (3,), dt.int8, 0, 200), RuntimeError, "to - 1 is out of bounds for signed char"),
    (lambda: R.randint(G, (3,), dt.int8, -200, 3), RuntimeError, "from is out of bounds for signed char"),
    (lambda: R.random_(G, (3,), dt.uint16), NotImplementedError, "\"random_kernel_cpu\" not implemented for 'UInt16'"),
    (lambda: R.randperm(G, -1), RuntimeError, "Trying to create tensor with negative dimension -1: [-1]"),
    (lambda: R.randperm(G, 300, dt.uint8), RuntimeError, "value cannot be converted to type uint8_t without overflow"),
    (lambda: R.randperm(G, 3000, dt.float16), RuntimeError, "n cannot be greater than 2049 for Half type."),
    (lambda: R.multinomial(G, ONES, 4), RuntimeError, "cannot sample n_sample > prob_dist.size(-1) samples without replacement"),
    (lambda: R.multinomial(G, ONES, 0), RuntimeError, "cannot sample n_sample <= 0 samples"),
    (lambda: R.multinomial(G, -ONES, 1), RuntimeError, "probability tensor contains either `inf`, `nan` or element < 0"),
    (lambda: R.multinomial(G, -ONES, 2, True), RuntimeError, "invalid multinomial distribution (encountering probability entry < 0)"),
    (lambda: R.multinomial(G, ONES - 1, 1), RuntimeError, "invalid multinomial distribution (sum of probabilities <= 0)"),
    (lambda: R.multinomial(G, np.ones(3, np.int64), 1), RuntimeError, "multinomial only supports floating-point dtypes for input, got: Long"),
]


@pytest.mark.parametrize("call, kind, message", ERRORS, ids=range(len(ERRORS)))
def test_errors_speak_torchs_words(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_randint_warns_where_a_float_cannot_count():
    with pytest.warns(UserWarning, match="to - 1 is out of bounds"):
        R.randint(R.Generator(), (3,), dt.float32, 0, 2**25)
