"""Layers, activations, pooling and losses, side by side with real torch."""

from __future__ import annotations

import inspect

import pytest

torch = pytest.importorskip("torch")

from layer_scenarios import ROWS, SCENARIOS, behaviour, row_name
from scenario_tools import as_recorded, difference

import torchish

# torch's own notices, which torchish gives too.
pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides"),
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_gives(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None


@pytest.mark.parametrize("number", range(len(ROWS)), ids=row_name)
def test_layer_prints_starts_and_computes_as_torch_does(number):
    assert difference(as_recorded(behaviour(torchish, ROWS[number])), as_recorded(behaviour(torch, ROWS[number]))) is None


@pytest.mark.parametrize("name", sorted(set(torchish.nn.modules.__all__) - {"Module"}))
def test_class_has_torchs_signature_and_constants(name):
    def shape(package):
        cls = getattr(package.nn, name)
        parameters = inspect.signature(cls.__init__).parameters.values()
        # A default that is a function (relu) counts by its name.
        rows = [[p.name, getattr(p.default, "__name__", repr(p.default)), str(p.kind)] for p in parameters]
        return rows, getattr(cls, "__constants__", None)

    assert shape(torchish) == shape(torch)
