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


@pytest.mark.parametrize("name, values", {
    "bessel_j0": {5.0: -0.17759677131433830, 100.0: 0.01998585030422312},
    "bessel_y1": {2.25: 0.02719205773801714, 8.1: -0.1331487959524959},
    "scaled_modified_bessel_k1": {0.5: 2.7310097082117855, 20.0: 0.28542549694072644},
    "airy_ai": {-4.1: 0.009676979518714333, 2.25: 0.02365465855774745},
}.items())
def test_special_functions_are_right_to_the_last_digits(name, values):
    made = getattr(torch.special, name)(torch.tensor(list(values), dtype=torch.float64)).tolist()
    assert made == pytest.approx(list(values.values()), rel=1e-13)
