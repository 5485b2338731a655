"""Runs examples/digits.py in a process of its own and reads what it prints; and what torch 2.13 prints for the same seed."""
from __future__ import annotations

import re
from pathlib import Path

from process_tools import ROOT, run_python

TORCH_LOSSES = [2.07836, 0.97217, 0.40271, 0.27444, 0.21481, 0.16837, 0.15124, 0.12441, 0.11405, 0.09617,
                0.09140, 0.08910, 0.07343, 0.08471, 0.07402, 0.07132, 0.05694, 0.07069, 0.06190, 0.06725]
TORCH_ACCURACY = 98.61


def run(*prefix: str, picture: Path) -> tuple[list[float], list[float]]:
    """Losses and accuracies (per cent) by epoch, of `python PREFIX... examples/digits.py`."""
    status, out, errors = run_python(*prefix, str(ROOT / "examples" / "digits.py"), "--out", str(picture), cwd=picture.parent)
    assert status == 0, errors
    lines = re.findall(r"epoch +\d+  train loss (\d\.\d+)  test accuracy (\d+\.\d+)%", out)
    return [float(loss) for loss, _ in lines], [float(percent) for _, percent in lines]
