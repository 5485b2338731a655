"""The calls of expression_cases.py against torch's recorded results."""
from __future__ import annotations

import json

import pytest
from expression_cases import CASES, SECTIONS, run
from record_expressions import RECORDED
from reduction_cases import difference

import torchish as torch

EXPECTED = json.loads(RECORDED.read_text())


def test_every_case_is_recorded():
    assert list(EXPECTED) == [f"{section}: {case}" for section, case in CASES]


@pytest.mark.parametrize("section", SECTIONS)
def test_like_recorded_torch(section):
    cases = [case for name, case in CASES if name == section]
    found = {case: difference(run(torch, section, case), EXPECTED[f"{section}: {case}"]) for case in cases}
    assert {case: words for case, words in found.items() if words} == {}
