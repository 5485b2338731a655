"""Write nn_recorded.json: the outcomes of nn_cases under real torch. Run where torch is installed."""

import json
import warnings
from pathlib import Path

import torch
from nn_cases import CASES, run


def rounded(x):
    """Seven significant digits: float32 holds no more."""
    return [rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.7g}") if isinstance(x, float) else x


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    made = {name: {k: rounded(v) for k, v in run(torch, name).items()} for name in CASES}
    Path(__file__).with_name("nn_recorded.json").write_text(json.dumps(made).replace("}, ", "},\n") + "\n")
