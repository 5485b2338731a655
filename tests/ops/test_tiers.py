"""Every declared operation gives the same in both tiers of evaluation: replayed in NumPy, and compiled by XLA."""
from __future__ import annotations

import pytest
from samples import SAMPLES, TABLES
from tiers import collect, compiled, disagreement

import torchish as torch
from torchish._core.op import OPS

# Operations that no sample can reach, with the reason.
UNREACHED = {
    "placeholder": "stands for an argument while a function is captured; never run",
    "mapped": "stands for a captured call of the level above; never run",
}
FAMILIES = sorted({op.body.__module__.rpartition(".")[2] for op in OPS.values() if op.numpy})


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
