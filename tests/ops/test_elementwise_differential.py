"""Element-wise operations against the torch that is installed: some recorded cases again, and random pairs of operands."""
from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")

from elementwise_cases import CASES, OPERATORS, PAIRS, TENSOR_PAIRS, run  # noqa: E402
from reduction_cases import difference  # noqa: E402

import torchish  # noqa: E402

DTYPES = "float32 float64 float16 bfloat16 int64 int32 uint8 bool complex64".split()


@pytest.mark.parametrize("start", range(7))
def test_recorded_cases_again(start):
    cases = CASES[start::49]
    assert {case: words for case in cases if (words := difference(run(torchish, case), run(torch, case)))} == {}


def _operand(rng: random.Random, shape: list[int]) -> str:
    count = 1
    for n in shape:
        count *= n
    numbers = [rng.choice([-3, -2, -1, 1, 2, 3, 5]) for _ in range(count)]
    dtype = rng.choice(DTYPES)
    if dtype in ("uint8", "bool"):
        numbers = [abs(n) for n in numbers]
    return f"t.tensor({numbers}, dtype=t.{dtype}).view({shape})"


@pytest.mark.parametrize("seed", range(8))
def test_random_operands(seed):
    rng = random.Random(seed)
    for _ in range(25):
        shape = [rng.randint(1, 3) for _ in range(rng.randint(0, 2))]
        a, b = _operand(rng, shape), rng.choice([_operand(rng, shape), _operand(rng, shape[1:]), "2", "1.5", "True"])
        name = rng.choice(PAIRS + TENSOR_PAIRS + OPERATORS)
        case = f"{a} {name} {b}" if name in OPERATORS else f"t.{name}({a}, {b})"
        assert difference(run(torchish, case), run(torch, case)) == "", case
