"""Reductions, scans, sorting and norms against the torch that is installed: some recorded cases again, and random shapes and strides."""
from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")

from reduction_cases import CASES, difference, run  # noqa: E402

import torchish  # noqa: E402

CALLS = """sum({d}) | mean({d}, True) | amax({d}) | max({d}) | min({d}, True) | argmin({d}) | std({d}) | var({d}, correction=0) | logsumexp({d})
prod({d}) | cumsum({d}) | cumprod({d}) | cummax({d}) | sort({d}) | sort({d}, descending=True) | median({d}) | norm(2, {d}) | norm(3, {d})
topk(1, {d}) | all({d}) | count_nonzero({d}) | logcumsumexp({d}) | aminmax(dim={d}) | quantile(0.3, {d})""".replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("start", range(7))
def test_recorded_cases_again(start):
    cases = CASES[start::49]
    assert {case: words for case in cases if (words := difference(run(torchish, case), run(torch, case)))} == {}


def _tensor(rng: random.Random) -> tuple[str, int]:
    """An expression for a tensor of random shape and strides, without ties, and its number of dimensions."""
    shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 4))]
    count = 1
    for n in shape:
        count *= n
    numbers = [n / 8 for n in range(-count // 2, count - count // 2)]
    rng.shuffle(numbers)
    order = rng.sample(range(len(shape)), len(shape))
    text = f"t.tensor({numbers}, dtype=t.{rng.choice(['float32', 'float64'])}).requires_grad_().view({shape}).permute({order})"
    return text + ".narrow(0, 0, 1)" if rng.random() < 0.3 else text, len(shape)


@pytest.mark.parametrize("seed", range(8))
def test_random_strides(seed):
    rng = random.Random(seed)
    for _ in range(12):
        tensor, ndim = _tensor(rng)
        case = f"{tensor}.{rng.choice(CALLS).format(d=rng.randrange(-ndim, ndim))}"
        assert difference(run(torchish, case), run(torch, case)) == "", case
