"""One module and one workload in a process of its own, asked over a pipe: `python -m tests.bench.worker LABEL WORKLOAD`.

Each line on standard input is a command, each answer a line of JSON: "start" (the losses and times of the first steps), "burst SECONDS".
"""
from __future__ import annotations

import importlib
import json
import os
import resource
import statistics
import sys
import time


def build(label: str, name: str):
    """The step of a workload. Labels: torchish, torch, torch.compile, limit."""
    if label == "limit":
        from . import limits
        return limits.LIMITS[name]()
    from . import workloads
    base, _, mode = label.partition(".")
    torch = importlib.import_module(base)
    if base == "torch":
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if mode:
        workloads.compiled = torch.compile
    return workloads.WORKLOADS[name](torch)


def timed(step) -> tuple:
    """(values, milliseconds) of one step."""
    begin = time.perf_counter()
    values = step()
    return [float(v) for v in values] if isinstance(values, tuple) else [float(values)], (time.perf_counter() - begin) * 1e3


def usage() -> tuple:
    """CPU milliseconds and page faults so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e3, used.ru_minflt


def burst(step, seconds: float) -> dict:
    """Median milliseconds, CPU milliseconds and page faults of the steps that fit into `seconds`, two at least."""
    step()  # the caches belong to whoever ran before
    times, before, end = [], usage(), time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        times.append(timed(step)[1])
    cpu, faults = (b - a for a, b in zip(before, usage()))
    return {"ms": statistics.median(times), "cpu": cpu / len(times), "faults": faults / len(times)}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    step = build(*sys.argv[1:3])
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "start":
            values, times = zip(*[timed(step) for _ in range(5)])
            answer = {"values": values, "first": times[0], "until steady": sum(times)}
        else:
            answer = burst(step, float(rest[0])) | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
