"""autocast and GradScaler, side by side with real torch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from amp_scenarios import SCENARIOS
from scenario_tools import as_recorded, difference

import torchish


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_gives(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None
