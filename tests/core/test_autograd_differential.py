"""Autograd side by side with real torch: hooks, custom functions, the graph, errors."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import autograd_error_scenarios
import function_scenarios
import graph_scenarios
import hook_scenarios
import rounding_scenarios
import version_scenarios
from scenario_tools import as_recorded, difference
from subgradient_cases import ROWS, gradients, row_name

import torchish

torch.set_num_threads(1)  # torch rounds by how many share the work

MODULES = (hook_scenarios, function_scenarios, graph_scenarios, autograd_error_scenarios, rounding_scenarios, version_scenarios)
SCENARIOS = [s for m in MODULES for s in m.SCENARIOS]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"{scenario.__module__.partition('_scen')[0]}-{scenario.__name__}")
def test_scenario_gives_what_torch_gives(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_gradient_at_the_edge_is_torchs(row):
    assert difference(as_recorded(gradients(torchish, row)), as_recorded(gradients(torch, row))) is None
