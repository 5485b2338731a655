"""Bad input raises torch's exception with torch's text, in the cold tier and compiled."""
from __future__ import annotations

import json

import pytest
from bad_input_scenarios import SCENARIOS
from record_bad_input import RECORDED
from scenario_tools import as_recorded

import torchish as torch
from torchish._core import evaluate

EXPECTED = json.loads(RECORDED.read_text(encoding="utf-8"))["errors"]


def test_every_scenario_is_recorded():
    assert list(EXPECTED) == [s.__name__ for s in SCENARIOS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_errors_are_torchs(scenario):
    assert as_recorded(scenario(torch)) == EXPECTED[scenario.__name__]


def test_an_index_computed_on_the_device_is_refused_by_the_program_too(monkeypatch):
    monkeypatch.setattr(evaluate, "_is_cold", lambda variant, part: False)
    scenario = next(s for s in SCENARIOS if s.__name__ == "indices_computed_on_the_device")
    assert as_recorded(scenario(torch)) == EXPECTED[scenario.__name__]
