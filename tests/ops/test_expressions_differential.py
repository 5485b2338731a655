"""The calls of expression_cases.py against the torch that is installed: some recorded cases again."""
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from expression_cases import CASES, run  # noqa: E402
from reduction_cases import difference  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.parametrize("start", range(5))
def test_recorded_cases_again(start):
    cases = CASES[start::25]
    assert {case: words for case in cases if (words := difference(run(torchish, *case), run(torch, *case)))} == {}
