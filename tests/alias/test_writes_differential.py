"""Writes through views on torchish and on the torch that is installed."""
import pytest

torch = pytest.importorskip("torch")

from scenario_tools import as_recorded, difference  # noqa: E402
from write_scenarios import SCENARIOS  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_scenario_gives_the_same_on_both(scenario):
    assert difference(as_recorded(scenario(torchish)), as_recorded(scenario(torch))) is None
