"""Bad input on torchish and on the torch that is installed."""
import pytest

torch = pytest.importorskip("torch")

from bad_input_scenarios import SCENARIOS  # noqa: E402

import torchish  # noqa: E402


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_errors_are_the_same_on_both(scenario):
    assert scenario(torchish) == scenario(torch)
