"""Writes through views against torch's recorded values, versions, nodes and gradients, cold and compiled."""
from __future__ import annotations

import json

import pytest
from record_writes import RECORDED
from scenario_tools import as_recorded, difference
from write_scenarios import SCENARIOS

import torchish as torch
from torchish._core import evaluate

EXPECTED = json.loads(RECORDED.read_text(encoding="utf-8"))["writes"]


def test_every_scenario_is_recorded():
    assert list(EXPECTED) == [s.__name__ for s in SCENARIOS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torch)), EXPECTED[scenario.__name__]) is None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_scenario_compiled_gives_what_torch_recorded(scenario, monkeypatch):
    monkeypatch.setattr(evaluate, "_all_numpy", lambda nodes: False)
    assert difference(as_recorded(scenario(torch)), EXPECTED[scenario.__name__]) is None
