"""Records what real torch does in the attention scenarios: `python tests/nn/record_attention.py`, from the repository's root."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import attention_scenarios  # noqa: E402
import torch  # noqa: E402
from scenario_tools import record  # noqa: E402

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    record(HERE / "attention_recorded.json", torch, {"attention": attention_scenarios.SCENARIOS}, digits=8)
