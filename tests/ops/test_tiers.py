"""Every declared operation gives the same in both tiers of evaluation: replayed in NumPy, and compiled by XLA."""
from __future__ import annotations

import numpy as np
import pytest
from samples import SAMPLES, TABLES
from tiers import Recorded, collect, compiled, disagreement

import torchish as torch
from torchish._core.op import OPS, Plan
from torchish._core.spec import spec_of

# Operations that no sample can reach, with the reason.
UNREACHED = {
    "placeholder": "stands for an argument while a function is captured; never run",
    "mapped": "stands for a captured call of the level above; never run",
}
FAMILIES = sorted({op.body.__module__.rpartition(".")[2] for name, op in OPS.items() if name not in UNREACHED})


@pytest.fixture(scope="module")
def collected():
    return collect(TABLES, SAMPLES, torch, UNREACHED)


def test_every_operation_is_reached_by_a_sample(collected):
    _, reached = collected
    assert [name for name in OPS if name not in reached and name not in UNREACHED] == []


def test_what_is_excepted_is_declared_and_not_reached(collected):
    _, reached = collected
    assert [name for name in UNREACHED if name not in OPS or name in reached] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_both_tiers_agree(family, collected):
    rows = collected[0][family]
    assert [text for row, hot in zip(rows, compiled(rows)) if (text := disagreement(row, hot))] == []


@pytest.mark.parametrize("impl, words", [
    (lambda xp, x: x + (1 if xp is np else 2), "NumPy gives"),
    (lambda xp, x: x.astype("int32"), "promised"),
    (lambda xp, x: x[None], "promised"),
])
def test_a_disagreement_is_noticed(impl, words):
    spec = spec_of((2,), torch.float32)
    row = Recorded(Plan(OPS["exp"], impl, spec, (spec,), ()), [np.ones(2, np.float32)], "a sample")
    assert words in disagreement(row, compiled([row])[0])
