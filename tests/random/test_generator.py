"""The generator's seeds, state bytes and errors; states against bytes recorded from real torch."""
from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import torchish._random as R
from torchish import _dtype as dt

RECORDED = np.load(Path(__file__).with_name("recorded_samplers.npz"))


def test_default_seed_is_torchs():
    assert R.default_generator.initial_seed() == R.Generator().initial_seed() == 67280421310721


def test_manual_seed_returns_the_generator():
    generator = R.Generator()
    assert generator.manual_seed(3) is generator


@pytest.mark.parametrize("seed, kept", [(-1, 2**64 - 1), (-(2**63), 2**63), (2**64 - 1, 2**64 - 1), (np.int64(5), 5)])
def test_negative_seeds_wrap_around(seed, kept):
    assert R.Generator().manual_seed(seed).initial_seed() == kept


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seed_out_of_range_raises(seed):
    with pytest.raises(ValueError, match="^Overflow when unpacking long long$"):
        R.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed, name", [(1.5, "float"), ("a", "str"), (True, "bool"), (None, "NoneType"), (np.float32(1), "numpy.float32")])
def test_seed_that_is_no_int_raises(seed, name):
    with pytest.raises(RuntimeError, match=f"^manual_seed expected a long, but got {name}$"):
        R.Generator().manual_seed(seed)


def test_seed_draws_a_new_seed():
    generator = R.Generator()
    assert generator.seed() == generator.initial_seed() != generator.seed()


def test_seeded_state_has_torchs_bytes():
    np.testing.assert_array_equal(R.Generator().manual_seed(5).get_state(), RECORDED["state/seeded"])


def test_state_with_a_spare_normal_has_torchs_bytes():
    generator = R.Generator().manual_seed(5)
    R.normal(generator, (5,), dt.float32)
    np.testing.assert_array_equal(generator.get_state(), RECORDED["state/after_five_normals"])


@pytest.mark.parametrize("taken", [0, 1, 311, 624, 625, 1248, 2000])
def test_set_state_continues_the_stream(taken):
    first, second = R.Generator().manual_seed(7), R.Generator()
    R.uniform(first, (taken,), dt.float32)
    R.normal(first, (1,), dt.float32)
    second.set_state(first.get_state())
    np.testing.assert_array_equal(second.get_state(), first.get_state())
    for n in (3, 20, 700):
        np.testing.assert_array_equal(R.normal(second, (n,), dt.float64), R.normal(first, (n,), dt.float64))


def test_seeding_forgets_the_spare_normal():
    generator = R.Generator().manual_seed(0)
    first = R.normal(generator, (1,), dt.float64)
    np.testing.assert_array_equal(R.normal(generator.manual_seed(0), (1,), dt.float64), first)


@pytest.mark.parametrize("duplicate", [R.Generator.clone_state, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_duplicates_go_their_own_way(duplicate):
    generator = R.Generator().manual_seed(9)
    R.uniform(generator, (10,), dt.float32)
    other = duplicate(generator)
    expected = R.uniform(generator, (5,), dt.float32)
    np.testing.assert_array_equal(R.uniform(other, (5,), dt.float32), expected)


@pytest.mark.parametrize("state, kind, message", [
    (np.zeros(3, np.uint8), RuntimeError, "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 3"),
    (np.zeros(5056, np.uint8), RuntimeError, "Invalid mt19937 state"),
    (np.zeros(5056, np.float32), TypeError, "RNG state must be a torch.ByteTensor"),
    ([1], TypeError, "expected a torch.ByteTensor, but got list"),
], ids=["size", "contents", "dtype", "type"])
def test_bad_states_raise(state, kind, message):
    with pytest.raises(kind) as caught:
        R.Generator().set_state(state)
    assert str(caught.value) == message


def test_offsets_are_not_for_the_cpu():
    with pytest.raises(RuntimeError, match="^CPU Generator does not use offset$"):
        R.Generator().get_offset()
