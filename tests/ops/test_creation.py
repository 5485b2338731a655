"""Factories, windows, Fourier transforms and further special functions against torch's recorded results."""
from __future__ import annotations

import json

import pytest
from creation_cases import CASES, run
from record_creation import RECORDED
from reduction_cases import difference

import torchish as torch

EXPECTED = json.loads(RECORDED.read_text())
CHUNKS = 12


def test_every_case_is_recorded():
    assert list(EXPECTED) == CASES


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_like_recorded_torch(chunk):
    found = {case: difference(run(torch, case), EXPECTED[case]) for case in CASES[chunk::CHUNKS]}
    assert {case: words for case, words in found.items() if words} == {}


def test_strides_with_gaps_share_one_storage():
    made = torch.empty_strided((2, 2), (0, 1))
    made[0].fill_(3.0)
    assert made.tolist() == [[3.0, 3.0], [3.0, 3.0]]
