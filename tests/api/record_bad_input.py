"""Records torch's errors in every scenario of bad_input_scenarios.py; run by hand, needs torch 2.13.

    PYTHONPATH=tests python tests/api/record_bad_input.py
"""
from __future__ import annotations

from pathlib import Path

from bad_input_scenarios import SCENARIOS
from scenario_tools import record

RECORDED = Path(__file__).with_name("bad_input_recorded.json")


def main() -> None:
    import torch

    record(RECORDED, torch, {"errors": SCENARIOS})


if __name__ == "__main__":
    main()
