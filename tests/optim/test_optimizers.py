"""Optimizers: steps, groups, state dicts, hooks, against recorded torch outputs (see record_optim.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from optim_scenarios import SCENARIOS
from scenario_tools import as_recorded, difference

import torchish

RECORDED = json.loads((Path(__file__).parent / "optim_recorded.json").read_text(encoding="utf-8"))["optimizer"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[scenario.__name__]) is None


def test_a_differentiable_step_is_refused():
    with pytest.raises(NotImplementedError, match="differentiable"):
        torchish.optim.SGD([torchish.nn.Parameter(torchish.zeros(1))], differentiable=True)


def test_every_step_ends_at_the_engines_boundary(monkeypatch):
    calls = []
    monkeypatch.setattr("torchish.optim.optimizer.step_boundary", lambda: calls.append("cut"))
    torchish.optim.SGD([torchish.nn.Parameter(torchish.zeros(1))]).step()
    assert calls == ["cut"]
