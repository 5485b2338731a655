"""torchish beside its peers: `python -m tests.bench [--only REGEX] [--rounds N] [--json FILE]`, from the repository's root.

Each module runs each workload in a process of its own, one compute thread each. The processes of a workload are started and warmed up one
after another and then measured in turn, in short bursts; a ratio is the median over the rounds of two bursts' quotient, so that
drifts of the machine cancel. Losses of the first steps are compared with torch's, or the hand-written step's where torch is missing.
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-3  # relative, of each loss of the first steps


class Worker:
    """A running process; see worker.py."""

    def __init__(self, label: str, name: str, caches: str):
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"), "1")
        places = {"XDG_CACHE_HOME": caches, "TORCHINDUCTOR_CACHE_DIR": caches + "/inductor", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen([sys.executable, "-m", "tests.bench.worker", label, name], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **threads, **places})

    def ask(self, command: str) -> dict | None:
        """The answer, or None where the process has failed."""
        try:
            print(command, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            return None
        return json.loads(line) if line else None

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def measure(name: str, labels: list[str], rounds: int, seconds: float) -> dict:
    """For each label its start and its bursts; labels that fail are left out."""
    rows, workers = {}, {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as caches:
        try:
            for label in labels:
                workers[label] = Worker(label, name, caches)
                started = workers[label].ask("start")
                if started is None:
                    workers.pop(label).close()
                else:
                    rows[label] = {"start": started, "bursts": []}
            for turn in range(rounds):
                for label in sorted(workers, key=lambda k: (labels.index(k) + turn) % len(labels)):
                    rows[label]["bursts"].append(workers[label].ask(f"burst {seconds}"))
        finally:
            for worker in workers.values():
                worker.close()
    return rows


def median(row: dict, what: str) -> float:
    return statistics.median([b[what] for b in row["bursts"]])


def ratio(row: dict, other: dict) -> float:
    """The median of the rounds' quotients."""
    return statistics.median([a["ms"] / b["ms"] for a, b in zip(row["bursts"], other["bursts"])])


def agrees(row: dict, reference: dict) -> bool:
    """Whether the values of the first steps are the reference's."""
    pairs = [pair for a, b in zip(row["start"]["values"], reference["start"]["values"]) for pair in zip(a, b)]
    return all(math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-4) for a, b in pairs)


def line(name: str, rows: dict, labels: list[str]) -> str:
    """A row of the table: milliseconds, in brackets the ratio to torch; `!` marks other losses than the reference's."""
    reference = rows.get("torch") or rows.get("limit")
    cells = [name]
    for label in labels:
        row = rows.get(label)
        if row is None:
            cells.append("fails")
            continue
        text = f"{median(row, 'ms'):.3g}"
        if label != "torch" and "torch" in rows:
            text += f" ({ratio(row, rows['torch']):.2f})"
        cells.append(text + ("" if agrees(row, reference) else " !"))
    own = rows.get("torchish")
    cells.append(f"{ratio(own, rows['limit']):.2f}" if own and "limit" in rows else "")
    cells += [f"{n:.0f}" for n in (own["start"]["first"], median(own, "faults"), own["bursts"][-1]["peak"])] if own else [""] * 3
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="regular expression of workloads")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="of a burst")
    parser.add_argument("--labels", help="comma-separated, of torchish, torch, torch.compile and limit; default: what is installed")
    parser.add_argument("--json", help="write every burst here")
    options = parser.parse_args()
    has_torch = importlib.util.find_spec("torch") is not None
    found = {"torchish": True, "torch": has_torch, "torch.compile": has_torch and shutil.which("g++"), "limit": True}
    labels = options.labels.split(",") if options.labels else [label for label, there in found.items() if there]
    from .workloads import WORKLOADS
    everything = {}
    heads = ["workload, ms per step (ratio to torch)", *labels, "torchish / limit", "first step, ms", "page faults", "peak, MB"]
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads), flush=True)
    for name in [n for n in WORKLOADS if re.search(options.only, n)]:
        everything[name] = rows = measure(name, labels, options.rounds, options.seconds)
        print(line(name, rows, labels), flush=True)
    for label in labels:
        ratios = [ratio(rows[label], rows["torch"]) for rows in everything.values() if label in rows and "torch" in rows]
        if ratios and label != "torch":
            print(f"{label}: geometric mean of the ratio to torch {statistics.geometric_mean(ratios):.2f}, over {len(ratios)} workloads")
    if options.json:
        Path(options.json).write_text(json.dumps(everything), encoding="utf-8")


if __name__ == "__main__":
    main()
