"""Writes through views and through shared memory, against torch's recorded values, versions, nodes and gradients, cold and compiled."""
from __future__ import annotations

import json

import pytest
from record_writes import AREAS, CASES, RECORDED
from scenario_tools import as_recorded, difference

import torchish as torch
from torchish._core import evaluate

EXPECTED = json.loads(RECORDED.read_text(encoding="utf-8"))
each_case = pytest.mark.parametrize(("area", "scenario"), CASES, ids=[f"{area}-{scenario.__name__}" for area, scenario in CASES])


def test_every_scenario_is_recorded():
    assert {area: list(scenarios) for area, scenarios in EXPECTED.items()} == {area: [s.__name__ for s in AREAS[area]] for area in AREAS}


@each_case
def test_scenario_gives_what_torch_recorded(area, scenario):
    assert difference(as_recorded(scenario(torch)), EXPECTED[area][scenario.__name__]) is None


@each_case
def test_scenario_compiled_gives_what_torch_recorded(area, scenario, monkeypatch):
    monkeypatch.setattr(evaluate, "_is_cold", lambda variant, part: False)
    assert difference(as_recorded(scenario(torch)), EXPECTED[area][scenario.__name__]) is None
