"""Recurrent layers, cells and packed sequences, side by side with real torch."""

from __future__ import annotations

import inspect

import pytest

torch = pytest.importorskip("torch")

from recurrent_scenarios import LAYERS, SCENARIOS, behaviour, row_name
from scenario_tools import as_recorded, difference

import torchish

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_gives(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None


@pytest.mark.parametrize("number", range(len(LAYERS)), ids=row_name)
def test_layer_starts_and_computes_as_torch_does(number):
    assert difference(as_recorded(behaviour(torchish, LAYERS[number])), as_recorded(behaviour(torch, LAYERS[number]))) is None


FUNCTIONS = ["pack_padded_sequence", "pad_packed_sequence", "pad_sequence", "unpad_sequence", "pack_sequence", "unpack_sequence"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_torchs_signature(name):
    def shape(package):
        parameters = inspect.signature(getattr(package.nn.utils.rnn, name)).parameters.values()
        return [(p.name, p.default, p.kind) for p in parameters]

    assert shape(torchish) == shape(torch)
