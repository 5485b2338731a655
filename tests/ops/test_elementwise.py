"""Element-wise operations against torch's recorded results, and what needs no recording."""
from __future__ import annotations

import json
import math

import pytest
from elementwise_cases import CASES, run
from record_elementwise import RECORDED
from reduction_cases import difference

import torchish as torch
from torchish._core.explain import log

EXPECTED = json.loads(RECORDED.read_text())
CHUNKS = 24


def test_every_case_is_recorded():
    assert list(EXPECTED) == CASES


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_like_recorded_torch(chunk):
    found = {case: difference(run(torch, case), EXPECTED[case]) for case in CASES[chunk::CHUNKS]}
    assert {case: words for case, words in found.items() if words} == {}


def test_integer_division_by_a_zero_that_little_work_computes_raises_at_the_call():
    x = torch.tensor([1, 2])
    with pytest.raises(RuntimeError, match="^ZeroDivisionError$"):
        x // (x - 1)


def test_integer_division_by_a_zero_that_much_work_computes_raises_when_read():
    x = torch.arange(100_000)
    made = x // (x * 2)
    with pytest.raises(RuntimeError, match="^ZeroDivisionError$"):
        made.tolist()


@pytest.mark.parametrize(("dtype", "left"), [(torch.int64, [3, 9, 5]), (torch.int16, [3, 9, 5]), (torch.int8, [7, 9, 5])])
def test_division_in_place_writes_up_to_the_first_zero_unless_it_converts(dtype, left):
    x, version = torch.tensor([7, 9, 5], dtype=dtype), 0
    with pytest.raises(RuntimeError, match="^ZeroDivisionError$"):
        x.floor_divide_(torch.tensor([2, 0, 5], dtype=torch.int16))
    assert x.tolist() == left and x._version == version


def test_a_comparison_times_infinity_is_nan_where_false_also_compiled():
    x = torch.tensor([-1.0, 1.0])
    for _ in range(3):
        found = ((x > 0).float() * (x + math.inf) + 0 * x + 0 * x + 0 * x).tolist()
        assert math.isnan(found[0]) and found[1] == math.inf


@pytest.mark.parametrize("call", [lambda x: x // 2, lambda x: torch.heaviside(x, x), lambda x: 2 % x])
def test_backward_without_derivative_raises(call):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    made = call(x).sum()
    with pytest.raises(RuntimeError, match="is not implemented"):
        made.backward()


def test_real_and_imag_write_through_to_the_complex_tensor():
    z = torch.tensor([1 + 2j, 3 - 1j])
    z.real.mul_(10)
    z.imag = torch.zeros(2)
    assert z.tolist() == [10 + 0j, 30 + 0j]


def test_conj_is_a_view():
    z = torch.tensor([1 + 2j])
    z.conj().mul_(1j)
    assert z.tolist() == [(1j * (1 - 2j)).conjugate()]


def test_view_as_complex_shares_memory():
    pairs = torch.zeros(2, 2)
    torch.view_as_complex(pairs).add_(1 + 2j)
    assert pairs.tolist() == [[1.0, 2.0], [1.0, 2.0]]


def test_positive_of_a_tensor_is_the_tensor():
    x = torch.tensor([1.0])
    assert +x is x and torch.conj(x) is x and torch.real(x) is x


def test_allclose_and_equal_give_python_bools():
    x = torch.tensor([1.0, math.nan])
    assert torch.allclose(x, x) is False and torch.allclose(x, x, equal_nan=True) is True
    assert torch.equal(x, x) is False and torch.equal(x[:1], torch.tensor([1])) is True and x.equal(x[:1]) is False


@pytest.mark.parametrize("function", [math.erf, math.erfc])
def test_error_functions_are_accurate_in_both_tiers(function):
    points = [i / 7 for i in range(-45, 46)]
    x = torch.tensor(points, dtype=torch.float64)
    for _ in range(3):  # the second and third time run compiled
        assert getattr(torch, function.__name__)(x).tolist() == pytest.approx([function(p) for p in points], rel=2e-13, abs=1e-300)


def test_comparison_with_another_kind_of_object():
    x = torch.tensor([1.0])
    assert (x == "a") is False and (x != None) is True  # noqa: E711


def test_a_changing_exponent_does_not_compile_again():
    x = torch.ones(64, 64)
    for e in (1.6, 1.7, 1.8):
        (x ** e * 2).tolist()
    before = log.counters["programs compiled"]
    for e in (1.9, 2.1, 2.3):
        (x ** e * 2).tolist()
    assert log.counters["programs compiled"] == before


def test_nan_bounds_and_reversed_bounds_of_clamp():
    x = torch.tensor([0.0, 5.0])
    assert torch.clamp(x, 2, 1).tolist() == [1.0, 1.0] and all(map(math.isnan, torch.clamp(x, max=math.nan).tolist()))
