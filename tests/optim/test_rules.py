"""The further optimizers, against recorded torch outputs (see record_rules.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rule_scenarios import SCENARIOS
from scenario_tools import as_recorded, difference

import torchish
from torchish._core.explain import log

RECORDED = json.loads((Path(__file__).parent / "rules_recorded.json").read_text(encoding="utf-8"))["rules"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[scenario.__name__]) is None


@pytest.mark.parametrize("kind", ["Adadelta", "Adagrad", "RMSprop", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop", "Adafactor", "Muon"])
def test_a_new_learning_rate_compiles_nothing(kind):
    weight = torchish.nn.Parameter(torchish.ones(8, 5))
    optimizer = getattr(torchish.optim, kind)([weight], lr=0.1)
    for step in range(6):
        if step == 4:
            before = log.counters["programs compiled"]
        optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
        weight.sum().item()
    assert log.counters["programs compiled"] == before
