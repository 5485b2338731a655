"""Recurrent layers, cells and packed sequences, against recorded torch outputs (see record_recurrent.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recurrent_scenarios import LAYERS, SCENARIOS, behaviour, row_name
from scenario_tools import as_recorded, difference

import torchish
from torchish._core.explain import log

RECORDED = json.loads((Path(__file__).parent / "recurrent_recorded.json").read_text(encoding="utf-8"))["recurrent"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    assert difference(as_recorded(scenario(torchish)), RECORDED[scenario.__name__]) is None


@pytest.mark.parametrize("number", range(len(LAYERS)), ids=row_name)
def test_layer_starts_and_computes_as_recorded(number):
    assert difference(as_recorded(behaviour(torchish, LAYERS[number])), RECORDED["layers"][row_name(number)]) is None


def test_a_length_beyond_the_padding_is_refused():
    with pytest.raises(RuntimeError, match="at most the padded length 4"):
        torchish.nn.utils.rnn.pack_padded_sequence(torchish.zeros(4, 2, 1), [5, 1])


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_both_tiers_agree(kind):
    layer, x = getattr(torchish.nn, kind)(3, 4, bidirectional=True), torchish.randn(6, 2, 3)
    with torchish.no_grad():
        runs = [layer(x)[0].tolist() for _ in range(3)]  # the first replays in NumPy, the rest are compiled
    for run in runs[1:]:
        assert torchish.allclose(torchish.tensor(run), torchish.tensor(runs[0]), atol=1e-6)


def test_a_training_step_compiles_once():
    layer = torchish.nn.LSTM(3, 4)
    optimizer = torchish.optim.SGD(layer.parameters(), lr=0.1)
    counters = log.counters

    def step():
        optimizer.zero_grad()
        loss = layer(torchish.ones(5, 2, 3))[0].sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(4):
        step()
    before = counters["programs compiled"]
    step()
    assert counters["programs compiled"] == before
