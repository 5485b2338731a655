"""Records what real torch does in the nn scenarios: `python tests/nn/record_nn.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import container_scenarios  # noqa: E402
import init_scenarios  # noqa: E402
import layer_scenarios  # noqa: E402
import lazy_scenarios  # noqa: E402
import module_scenarios  # noqa: E402
import torch  # noqa: E402
from scenario_tools import record  # noqa: E402


def layers(p):
    return {layer_scenarios.row_name(number): layer_scenarios.behaviour(p, row) for number, row in enumerate(layer_scenarios.ROWS)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    areas = {
        "module": module_scenarios.SCENARIOS,
        "container": container_scenarios.SCENARIOS,
        "init": init_scenarios.SCENARIOS,
        "lazy": lazy_scenarios.SCENARIOS,
        "layer": [*layer_scenarios.SCENARIOS, layers],
    }
    record(HERE / "nn_recorded.json", torch, areas)
