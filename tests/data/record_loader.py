"""Records torch's results for every case of loader_cases.py in loader_recorded.json; run by hand, needs torch 2.13.

    python tests/data/record_loader.py
"""

import json
from pathlib import Path

import loader_cases
import torch

RECORDED = Path(__file__).with_name("loader_recorded.json")

if __name__ == "__main__":
    results = (f"{json.dumps(name)}: {json.dumps(loader_cases.run(name, torch))}" for name in loader_cases.CASES)
    RECORDED.write_text("{\n" + ",\n".join(results) + "\n}\n", encoding="utf-8")
