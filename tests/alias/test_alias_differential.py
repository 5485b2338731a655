"""Views, shapes and aliasing against the torch that is installed: the recorded cases again, and random chains of views with writes."""
from __future__ import annotations

import random
import warnings

import pytest

torch = pytest.importorskip("torch")

from alias_scenarios import SCENARIOS  # noqa: E402
from scenario_tools import as_recorded, difference  # noqa: E402
from view_cases import CASES, run  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.parametrize("start", range(3))
def test_cases_again(start):
    found = {case: difference(as_recorded(run(torchish, case)), as_recorded(run(torch, case))) for case in CASES[start::30]}
    assert {case: words for case, words in found.items() if words} == {}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_scenarios_again(scenario):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None


def _random_view(t, x, rng):
    ndim = x.dim()
    choice = rng.randrange(9 if ndim else 2)
    if choice == 0:
        return x.unsqueeze(rng.randrange(ndim + 1))
    if choice == 1:
        return x.reshape(-1)
    d = rng.randrange(ndim)
    n = x.shape[d]
    if choice == 2:
        return x.transpose(d, rng.randrange(ndim))
    if choice == 3 and n:
        return x.select(d, rng.randrange(n))
    if choice == 4:
        start = rng.randint(0, n)
        return x.narrow(d, start, rng.randint(0, n - start))
    if choice == 5 and n > 1:
        return x.unfold(d, n // 2, n // 2)
    if choice == 6 and ndim > 1:
        return x.diagonal(rng.randint(-1, 1), 0, 1)
    if choice == 7:
        return x.squeeze()
    return x.permute(rng.sample(range(ndim), ndim))


def _random_program(t, seed):
    """Values, strides and gradients after random views of a base and random writes through them."""
    rng = random.Random(seed)
    shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 4))]
    leaf = t.arange(1.0, t.zeros(shape).numel() + 1).view(shape).requires_grad_()
    views = [leaf * 1]
    for _ in range(10):
        x = rng.choice(views)
        if rng.random() < 0.6:
            views.append(_random_view(t, x, rng))
        else:
            x.mul_(rng.randint(2, 4)) if rng.random() < 0.5 else x.add_(rng.randint(1, 3))
    views[0].sum().backward()
    facts = [[v.detach().tolist(), list(v.stride()), v.storage_offset(), v._version, v.grad_fn.name()] for v in views]
    return [facts, leaf.grad.tolist()]


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_chains_of_views(start):
    for seed in range(start, start + 20):
        assert difference(as_recorded(_random_program(torchish, seed)), as_recorded(_random_program(torch, seed))) is None, seed
