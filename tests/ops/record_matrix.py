"""Records what torch gives for every case of matrix_cases.py in matrix_recorded.json; run by hand, needs torch 2.13."""
from __future__ import annotations

import json
import warnings
from pathlib import Path

from matrix_cases import CASES, run

RECORDED = Path(__file__).with_name("matrix_recorded.json")


def main() -> None:
    """Write the file, one case a line."""
    import torch

    warnings.simplefilter("ignore")
    lines = [f"{json.dumps(case)}: {json.dumps(run(torch, case))}" for case in CASES]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
