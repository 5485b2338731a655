"""Every sampler case against the installed torch, over several seeds, and the two generators handing their state to each other."""
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sampler_cases import assert_same, cases, plain

import torchish._random as R
from torchish import _dtype as dt

STREAM_BYTES = 5016  # what comes before the spare normal


def assert_same_state(ours: R.Generator, theirs) -> None:
    """Equal streams, and equal spare normals up to the last place of NumPy's sine."""
    mine, real = ours.get_state(), theirs.get_state().numpy()
    np.testing.assert_array_equal(mine[:STREAM_BYTES], real[:STREAM_BYTES])
    np.testing.assert_allclose(mine[5016:5040].view(np.float64), real[5016:5040].view(np.float64), rtol=1e-14)
    np.testing.assert_array_equal(mine[5040:], real[5040:])


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_interleaved_calls_agree(case):
    ours, theirs = R.Generator(), torch.Generator()
    for seed in (1, 2**40 + 3, -8):
        ours.manual_seed(seed)
        theirs.manual_seed(seed)
        for n in (*case.sizes, *case.sizes[::-1]):
            assert_same(case, case.ours(ours, n), plain(case.theirs(torch, theirs, n)))
            assert_same_state(ours, theirs)


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("n", [255, 256, 257, 1000, 20_011])
def test_large_normals_agree(name, n):
    ours, theirs = R.Generator().manual_seed(n), torch.Generator().manual_seed(n)
    got = R.normal(ours, (n,), dt.BY_NAME[name], 0.5, 3.0)
    expected = plain(torch.empty(n, dtype=getattr(torch, name)).normal_(0.5, 3.0, generator=theirs))
    np.testing.assert_allclose(got.astype(expected.dtype), expected, rtol=1e-12 if name == "float64" else 0)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("n", [1000, 50_000, 200_000])
def test_large_permutations_agree(n):
    ours, theirs = R.Generator().manual_seed(n), torch.Generator().manual_seed(n)
    np.testing.assert_array_equal(R.randperm(ours, n), torch.randperm(n, generator=theirs).numpy())
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("taken", [0, 1, 623, 624, 625])
def test_torch_continues_from_our_state(taken):
    ours, theirs = R.Generator().manual_seed(4), torch.Generator()
    R.uniform(ours, (taken,), dt.float32)
    R.normal(ours, (1,), dt.float32)
    theirs.set_state(torch.from_numpy(ours.get_state()))
    np.testing.assert_array_equal(R.normal(ours, (33,), dt.float32), torch.randn(33, generator=theirs).numpy())


@pytest.mark.parametrize("taken", [0, 1, 623, 624, 625])
def test_we_continue_from_torchs_state(taken):
    ours, theirs = R.Generator(), torch.Generator().manual_seed(4)
    torch.rand(taken, generator=theirs)
    torch.randn(1, generator=theirs)
    ours.set_state(theirs.get_state().numpy())
    np.testing.assert_array_equal(R.normal(ours, (3,), dt.float32), torch.randn(3, generator=theirs).numpy())
    assert_same_state(ours, theirs)


def test_dropout_draws_as_bernoulli():
    torch.manual_seed(6)
    kept = torch.nn.functional.dropout(torch.ones(50), 0.3).numpy() != 0
    np.testing.assert_array_equal(R.bernoulli(R.Generator().manual_seed(6), 0.7, (50,), dt.float32) != 0, kept)
