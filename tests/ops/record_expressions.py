"""Records what torch gives for every case of expression_cases.py in expression_recorded.json; run by hand, needs torch 2.13."""
from __future__ import annotations

import json
import warnings
from pathlib import Path

from expression_cases import CASES, run

RECORDED = Path(__file__).with_name("expression_recorded.json")


def main() -> None:
    """Write the file, one case a line."""
    import torch

    warnings.simplefilter("ignore")
    lines = [f"{json.dumps(f'{section}: {case}')}: {json.dumps(run(torch, section, case))}" for section, case in CASES]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
