"""Records what torch does in every scenario of write_scenarios.py; run by hand, needs torch 2.13.

    PYTHONPATH=tests python tests/alias/record_writes.py
"""
from __future__ import annotations

from pathlib import Path

from scenario_tools import record
from write_scenarios import SCENARIOS

RECORDED = Path(__file__).with_name("writes_recorded.json")


def main() -> None:
    import torch

    record(RECORDED, torch, {"writes": SCENARIOS})


if __name__ == "__main__":
    main()
