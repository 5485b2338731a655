"""Records what real torch does in the func and autograd scenarios: `python tests/func/record_func.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import autograd_scenarios  # noqa: E402
import func_scenarios  # noqa: E402
import function_transform_scenarios  # noqa: E402
import torch  # noqa: E402
import vmap_messages  # noqa: E402
from scenario_tools import record  # noqa: E402

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    areas = {"func": func_scenarios.SCENARIOS, "autograd": autograd_scenarios.SCENARIOS, "messages": vmap_messages.SCENARIOS,
             "functions": function_transform_scenarios.SCENARIOS}
    record(HERE / "func_recorded.json", torch, areas)
