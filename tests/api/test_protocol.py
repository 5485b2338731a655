"""The edges of the interface against torch's recorded behaviour: conversions, wrong calls, versions, rounding in the halves, draws."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from protocol_cases import ALL, observe  # noqa: E402

import torchish as torch  # noqa: E402

RECORDED = json.loads(Path(__file__).with_name("protocol_recorded.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("expression", ALL)
def test_behaves_as_recorded_from_torch(expression):
    assert observe(torch, expression) == RECORDED[expression]


def test_index_made_by_full_is_checked_at_the_call():
    with pytest.raises(IndexError, match="index 9 is out of bounds for dimension 0 with size 3"):
        torch.zeros(3)[torch.full((2,), 9)]


def test_error_of_the_users_own_code_is_not_replaced():
    class Odd:
        def __float__(self):
            raise TypeError("mine")
    with pytest.raises(TypeError, match="mine"):
        torch.tensor(Odd())
