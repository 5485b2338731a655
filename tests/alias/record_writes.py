"""Records what torch does in every scenario of write_scenarios.py and memory_scenarios.py; run by hand, needs torch 2.13.

    PYTHONPATH=tests python tests/alias/record_writes.py
"""
from __future__ import annotations

from pathlib import Path

import memory_scenarios
import write_scenarios
from scenario_tools import record

RECORDED = Path(__file__).with_name("writes_recorded.json")
AREAS = {"writes": write_scenarios.SCENARIOS, "memory": memory_scenarios.SCENARIOS}
CASES = [(area, scenario) for area, scenarios in AREAS.items() for scenario in scenarios]


def main() -> None:
    import torch

    record(RECORDED, torch, AREAS)


if __name__ == "__main__":
    main()
