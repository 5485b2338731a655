"""Records what real torch does in the optim scenarios: `python tests/optim/record_optim.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import optim_scenarios  # noqa: E402
import scheduler_scenarios  # noqa: E402
import torch  # noqa: E402
from scenario_tools import record  # noqa: E402

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    record(HERE / "optim_recorded.json", torch, {"optimizer": optim_scenarios.SCENARIOS, "scheduler": scheduler_scenarios.SCENARIOS})
