"""Version counters against recorded torch outputs (see record_autograd.py): version_scenarios."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenario_tools import as_recorded, difference
from version_scenarios import SCENARIOS

import torchish

RECORDED = json.loads((Path(__file__).parent / "autograd_recorded.json").read_text(encoding="utf-8"))["versions"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[scenario.__name__]) is None
