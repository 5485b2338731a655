"""Records what torch gives for every case of view_cases.py and every scenario of alias_scenarios.py; run by hand, needs torch 2.13.

    PYTHONPATH=tests python tests/alias/record_alias.py
"""
from __future__ import annotations

import json
import warnings
from pathlib import Path

from alias_scenarios import SCENARIOS
from view_cases import CASES, run

RECORDED = Path(__file__).with_name("alias_recorded.json")


def main() -> None:
    """Write the file, one case a line."""
    import torch

    warnings.simplefilter("ignore")
    cases = ",\n".join(f"{json.dumps(case)}: {json.dumps(run(torch, case))}" for case in CASES)
    scenarios = ",\n".join(f"{json.dumps(s.__name__)}: {json.dumps(s(torch))}" for s in SCENARIOS)
    RECORDED.write_text('{"cases": {\n' + cases + '\n},\n"scenarios": {\n' + scenarios + "\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
