"""Writes through views and through shared memory on torchish and on the torch that is installed."""
import pytest

torch = pytest.importorskip("torch")

from record_writes import CASES  # noqa: E402
from scenario_tools import as_recorded, difference  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.parametrize(("area", "scenario"), CASES, ids=[f"{area}-{scenario.__name__}" for area, scenario in CASES])
def test_scenario_gives_the_same_on_both(area, scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None
