"""torch.func, autograd.functional, forward mode, gradcheck and checkpoint, against recorded torch outputs (see record_func.py)."""

from __future__ import annotations

import json
from pathlib import Path

import autograd_scenarios
import func_scenarios
import function_transform_scenarios
import pytest
import vmap_messages
from scenario_tools import as_recorded, difference

import torchish

RECORDED = json.loads((Path(__file__).parent / "func_recorded.json").read_text(encoding="utf-8"))
ALL = {"func": func_scenarios.SCENARIOS, "autograd": autograd_scenarios.SCENARIOS, "messages": vmap_messages.SCENARIOS,
       "functions": function_transform_scenarios.SCENARIOS}


@pytest.mark.parametrize(("area", "scenario"), [(a, s) for a, each in ALL.items() for s in each], ids=lambda x: getattr(x, "__name__", x))
def test_scenario_gives_what_torch_recorded(area, scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[area][scenario.__name__]) is None
