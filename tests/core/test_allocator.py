"""malloc keeps what a program frees: large steps take no page faults. Counted in processes of their own, where nothing else runs."""
from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
from process_tools import ENVIRONMENT

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")

FAULTS = """
import resource
import statistics
import torchish as torch
x = torch.ones(4_000_000, requires_grad=True)
counts = []
for _ in range(15):
    y = x
    for _ in range(4):
        y = torch.tanh(y) * 1.1
    y.sum().backward()
    x.grad.sum().item()
    x.grad = None
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(statistics.median(b - a for a, b in zip(counts[5:], counts[6:])))
"""


def median_faults(**environment: str) -> int:
    kept = {k: v for k, v in ENVIRONMENT.items() if not k.startswith(("MALLOC_", "TORCHISH_MALLOC", "GLIBC_TUNABLES"))}
    done = subprocess.run([sys.executable, "-c", FAULTS], env={**kept, **environment}, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return int(float(done.stdout))


PAGES = 4 * 4_000_000 // os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 0  # of one array


def test_a_large_step_takes_its_memory_from_what_the_last_one_freed():
    assert median_faults() < PAGES / 20


@pytest.mark.parametrize("setting", [{"TORCHISH_MALLOC": "0"}, {"MALLOC_ARENA_MAX": "2"}], ids=["switched off", "set up by the user"])
def test_malloc_is_left_alone(setting):
    assert median_faults(**setting) > PAGES
