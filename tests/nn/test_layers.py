"""Layers, activations, pooling and losses, against recorded torch outputs (see record_nn.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layer_scenarios import ROWS, SCENARIOS, behaviour, row_name
from scenario_tools import as_recorded, difference

import torchish

RECORDED = json.loads((Path(__file__).parent / "nn_recorded.json").read_text(encoding="utf-8"))["layer"]

# torch's own notices, which torchish gives too.
pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides"),
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[scenario.__name__]) is None


@pytest.mark.parametrize("number", range(len(ROWS)), ids=row_name)
def test_layer_prints_starts_and_computes_as_recorded(number):
    assert difference(as_recorded(behaviour(torchish, ROWS[number])), RECORDED["layers"][row_name(number)]) is None
