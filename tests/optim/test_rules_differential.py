"""The further optimizers, side by side with real torch."""

from __future__ import annotations

import inspect

import pytest

torch = pytest.importorskip("torch")

from rule_scenarios import BAD, SCENARIOS
from scenario_tools import as_recorded, difference

import torchish


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_gives(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None


@pytest.mark.parametrize("kind", BAD)
def test_constructor_has_torchs_signature(kind):
    def shape(package):
        return [(p.name, p.default, p.kind) for p in inspect.signature(getattr(package.optim, kind).__init__).parameters.values()]

    assert shape(torchish) == shape(torch)
