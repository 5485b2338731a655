"""Records what real torch does in the autograd scenarios: `python tests/core/record_autograd.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import autograd_error_scenarios  # noqa: E402
import function_scenarios  # noqa: E402
import graph_scenarios  # noqa: E402
import hook_scenarios  # noqa: E402
import rounding_scenarios  # noqa: E402
import torch  # noqa: E402
import version_scenarios  # noqa: E402
from scenario_tools import record  # noqa: E402
from subgradient_cases import ROWS, SECOND, gradients, row_name, second  # noqa: E402


def subgradients(p):
    return {row_name(row): gradients(p, row) for row in ROWS}


def second_order(p):
    return {row_name(row): second(p, row) for row in SECOND}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # torch rounds by how many share the work
    areas = {"hooks": hook_scenarios, "function": function_scenarios, "graph": graph_scenarios, "autograd_errors": autograd_error_scenarios,
             "rounding": rounding_scenarios, "versions": version_scenarios}
    scenarios = {**{area: module.SCENARIOS for area, module in areas.items()}, "subgradients": [subgradients, second_order]}
    record(HERE / "autograd_recorded.json", torch, scenarios)
