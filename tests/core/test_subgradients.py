"""Sub-gradients at kinks and ties are torch's: each row of subgradient_cases.py against recorded values (see record_autograd.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenario_tools import as_recorded, difference
from subgradient_cases import ROWS, gradients, row_name

import torchish

RECORDED = json.loads((Path(__file__).parent / "autograd_recorded.json").read_text(encoding="utf-8"))["subgradients"]["subgradients"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_gradient_at_the_edge_is_torchs(row):
    assert difference(as_recorded(gradients(torchish, row)), RECORDED[row_name(row)]) is None
