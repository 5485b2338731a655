"""Reductions, scans, sorting and norms against torch's recorded results, and what needs no recording."""
from __future__ import annotations

import json
import pickle

import pytest
from record_reductions import RECORDED
from reduction_cases import CASES, difference, run

import torchish as torch

EXPECTED = json.loads(RECORDED.read_text())


def _group(case: str) -> str:
    """The function a case calls, so that one test covers all its cases."""
    return case.replace("t.zeros", "").partition("(")[0].rpartition(".")[2]


GROUPS: dict[str, list] = {}
for _case in CASES:
    GROUPS.setdefault(_group(_case), []).append(_case)


def test_every_case_is_recorded():
    assert list(EXPECTED) == CASES


@pytest.mark.parametrize("name", GROUPS)
def test_like_recorded_torch(name):
    found = {case: difference(run(torch, case), EXPECTED[case]) for case in GROUPS[name]}
    assert {case: words for case, words in found.items() if words} == {}


def test_std_of_one_element_warns_as_torch_does():
    with pytest.warns(UserWarning, match=r"std\(\): degrees of freedom is <= 0"):
        torch.ones(1).std()


def test_named_tuple_prints_as_torchs():
    assert repr(torch.tensor([1, 5, 2]).max(0)) == "torch.return_types.max(\nvalues=tensor(5),\nindices=tensor(1))"


def test_named_tuple_unpacks_and_pickles():
    values, indices = pair = torch.tensor([[2, 1]]).sort()
    assert pair.values is values and pair.indices is indices and isinstance(pair, tuple)
    assert [t.tolist() for t in pickle.loads(pickle.dumps(pair))] == [[[1, 2]], [[1, 0]]]


def test_named_tuple_checks_its_length():
    with pytest.raises(TypeError):
        type(torch.tensor([1]).max(0))((1,))


def test_sum_of_no_dimensions_is_the_sum_of_all():
    assert torch.ones(2, 3).sum(()).item() == 6


def test_changed_indices_are_noticed_by_backward():
    values, indices = torch.tensor([1.0, 2.0], requires_grad=True).max(0)
    indices.add_(1)
    with pytest.raises(RuntimeError, match=r"\[torch.LongTensor \[\]\] is at version 1; expected version 0"):
        values.backward()


def test_changed_values_are_no_matter_to_backward_of_max():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    values, _ = x.max(0)
    values.add_(1)
    values.backward()
    assert x.grad.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("call", ["prod()", "prod(0)", "cumprod(0)", "std()", "norm()", "norm(3)", "logsumexp(0)", "logcumsumexp(0)", "amax()",
                                  "sort()[0]", "cummax(0)[0]"])
def test_second_derivatives_match_differences(call):
    data = [0.5, -1.5, 2.0]

    def slope(values):
        x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        y = eval("x." + call, {"x": x})
        (g,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
        return x, g
    x, g = slope(data)
    (second,) = torch.autograd.grad((g * torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)).sum(), x)
    for i in range(3):
        ahead, behind = ([v + (h if i == j else 0) for j, v in enumerate(data)] for h in (1e-5, -1e-5))
        change = (slope(ahead)[1] - slope(behind)[1]).tolist()
        assert second[i].item() == pytest.approx((change[0] + 2 * change[1] - change[2]) / 2e-5, rel=1e-4, abs=1e-6)
