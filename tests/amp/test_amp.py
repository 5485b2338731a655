"""autocast and GradScaler, against recorded torch outputs (see record_amp.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from amp_scenarios import SCENARIOS
from scenario_tools import as_recorded, difference

import torchish

RECORDED = json.loads((Path(__file__).parent / "amp_recorded.json").read_text(encoding="utf-8"))["amp"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[scenario.__name__]) is None
