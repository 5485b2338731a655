"""Views, shapes and aliasing against torch's recorded results, and what needs no recording."""
from __future__ import annotations

import json
import warnings

import pytest
from alias_scenarios import SCENARIOS
from record_alias import RECORDED
from scenario_tools import as_recorded, difference
from view_cases import CASES, run

import torchish as torch

EXPECTED = json.loads(RECORDED.read_text(encoding="utf-8"))
GROUPS = {f"{i:03}": CASES[i:i + 12] for i in range(0, len(CASES), 12)}


def test_everything_is_recorded():
    assert list(EXPECTED["cases"]) == CASES and list(EXPECTED["scenarios"]) == [s.__name__ for s in SCENARIOS]


@pytest.mark.parametrize("group", GROUPS)
def test_case_gives_what_torch_recorded(group):
    found = {case: difference(as_recorded(run(torch, case)), EXPECTED["cases"][case]) for case in GROUPS[group]}
    assert {case: words for case, words in found.items() if words} == {}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_scenario_gives_what_torch_recorded(scenario):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert difference(as_recorded(scenario(torch)), EXPECTED["scenarios"][scenario.__name__]) is None


def test_a_view_costs_no_copy_until_it_is_read():
    x = torch.ones(3, 4)
    assert x.t().data_ptr() == x.data_ptr() and x[1].untyped_storage() == x.untyped_storage()


def test_memory_format_prints_as_torchs():
    assert repr(torch.channels_last) == "torch.channels_last"


def test_iterating_over_more_rows_than_a_node_has_outputs():
    rows = list(torch.arange(5000.0, requires_grad=True) * 1)
    assert len(rows) == 5000 and rows[4321].item() == 4321 and rows[0].requires_grad


def test_hot_tier_agrees_with_the_cold_one():
    def step(x):
        y = x * 2
        y.view(-1)[1:4].mul_(3)
        y.t()[0].add_(1)
        y.expand(2, 2, 3)[0, 1].add_(5)
        torch.view_as_complex(y.as_strided((1, 2), (2, 1), 2)).mul_(2j)
        (y.unfold(1, 2, 1) * y.diagonal().sum()).sum().backward()
        return y.detach().tolist(), x.grad.tolist()
    seen = [step(torch.arange(6.0).view(2, 3).requires_grad_()) for _ in range(3)]
    assert seen[0] == seen[1] == seen[2]
