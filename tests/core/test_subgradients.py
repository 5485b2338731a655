"""Sub-gradients at kinks and ties are torch's: each row of subgradient_cases.py against recorded values (see record_autograd.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenario_tools import as_recorded, difference
from subgradient_cases import ROWS, SECOND, gradients, row_name, second

import torchish

RECORDED = json.loads((Path(__file__).parent / "autograd_recorded.json").read_text(encoding="utf-8"))["subgradients"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_gradient_at_the_edge_is_torchs(row):
    assert difference(as_recorded(gradients(torchish, row)), RECORDED["subgradients"][row_name(row)]) is None


@pytest.mark.parametrize("row", SECOND, ids=row_name)
def test_second_gradient_at_the_edge_is_torchs(row):
    assert difference(as_recorded(second(torchish, row)), RECORDED["second_order"][row_name(row)]) is None
