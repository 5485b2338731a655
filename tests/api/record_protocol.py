"""Writes protocol_recorded.json, real torch's behaviour for protocol_cases.py: run `python tests/api/record_protocol.py` where torch is installed."""
from __future__ import annotations

import json
from pathlib import Path

import torch
from protocol_cases import ALL, observe

if __name__ == "__main__":
    lines = [f"{json.dumps(e)}: {json.dumps(observe(torch, e))}" for e in ALL]
    Path(__file__).with_name("protocol_recorded.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
