"""The short form of the benchmark: in the steady state each workload's step costs so many evaluations, and compiles nothing. Counts, not times."""
import pytest
from bench.workloads import WORKLOADS

import torchish as torch
from torchish._core.explain import log

# Evaluations of a step: one for a training step, one for each further value that is read.
EVALUATIONS = {"seed": 2, "mlp_tiny": 1, "gpt_small": 1, "lstm": 1, "gradient_penalty": 1, "add_100": 1, "reads": 20, "infer_mlp": 1}
WARM = 4  # steps after which nothing new may appear


def counts() -> tuple[int, int]:
    return log.counters["evaluations"], log.counters["programs compiled"]


@pytest.mark.parametrize("name", EVALUATIONS)
def test_a_steady_step_compiles_nothing(name):
    torch.ones(1).item()  # evaluates what earlier tests left pending
    step = WORKLOADS[name](torch)
    for _ in range(WARM):
        step()
    before = counts()
    for _ in range(5):
        step()
    evaluations, compiled = (b - a for a, b in zip(before, counts()))
    assert (evaluations / 5, compiled) == (EVALUATIONS[name], 0)


def test_every_workload_is_known_to_the_hand_written_steps():
    from bench.limits import LIMITS
    assert LIMITS.keys() == WORKLOADS.keys()
    assert EVALUATIONS.keys() <= WORKLOADS.keys()
