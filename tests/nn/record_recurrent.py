"""Records what real torch does in the recurrent scenarios: `python tests/nn/record_recurrent.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import recurrent_scenarios as scenarios  # noqa: E402
import torch  # noqa: E402
from scenario_tools import record  # noqa: E402


def layers(p):
    return {scenarios.row_name(number): scenarios.behaviour(p, row) for number, row in enumerate(scenarios.LAYERS)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    record(HERE / "recurrent_recorded.json", torch, {"recurrent": [*scenarios.SCENARIOS, layers]}, digits=8)
