"""The edges of the interface, compared with the torch that is installed."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

reference = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent))
from protocol_cases import ALL, observe  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.parametrize("expression", ALL[::3])
def test_behaves_as_torch(expression):
    assert observe(torchish, expression) == observe(reference, expression)
