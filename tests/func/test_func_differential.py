"""torch.func, autograd.functional, forward mode, gradcheck and checkpoint, side by side with real torch."""

from __future__ import annotations

import autograd_scenarios
import func_scenarios
import function_transform_scenarios
import pytest
import vmap_messages
from scenario_tools import as_recorded, difference

torch = pytest.importorskip("torch")

import torchish

SCENARIOS = [*func_scenarios.SCENARIOS, *autograd_scenarios.SCENARIOS, *vmap_messages.SCENARIOS, *function_transform_scenarios.SCENARIOS]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_gives(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None
