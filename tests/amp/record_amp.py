"""Records what real torch does in the scenarios of autocast and GradScaler: `python tests/amp/record_amp.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import amp_scenarios  # noqa: E402
import torch  # noqa: E402
from scenario_tools import record  # noqa: E402

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    record(HERE / "amp_recorded.json", torch, {"amp": amp_scenarios.SCENARIOS})
