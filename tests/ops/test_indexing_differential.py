"""Reading and writing by index, compared with the torch that is installed."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

reference = pytest.importorskip("torch")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from indexing_cases import ALL, observe  # noqa: E402
from scenario_tools import as_recorded, difference  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("program", ALL[::4])  # some again: seen twice, they run compiled
def test_behaves_as_torch(program):
    assert difference(as_recorded(observe(torchish, program)), as_recorded(observe(reference, program))) is None
