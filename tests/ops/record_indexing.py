"""Writes indexing_recorded.json, real torch's behaviour for indexing_cases.py: run `python tests/ops/record_indexing.py` where torch is installed."""
from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
from indexing_cases import ALL, observe

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    recorded = {program: observe(torch, program) for program in ALL}
    Path(__file__).with_name("indexing_recorded.json").write_text(json.dumps(recorded, separators=(",", ":")) + "\n", encoding="utf-8")
