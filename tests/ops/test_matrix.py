"""Linear algebra, distances and covariance against torch's recorded results, and what needs no recording."""
from __future__ import annotations

import json

import pytest
from matrix_cases import CASES, run
from record_matrix import RECORDED
from reduction_cases import difference

import torchish as torch

EXPECTED = json.loads(RECORDED.read_text())
CHUNKS = 16


def test_every_case_is_recorded():
    assert list(EXPECTED) == CASES


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_like_recorded_torch(chunk):
    found = {case: difference(run(torch, case), EXPECTED[case]) for case in CASES[chunk::CHUNKS]}
    assert {case: words for case, words in found.items() if words} == {}


def test_a_computed_matrix_that_is_singular_raises_when_read():
    x = torch.ones(2, 2).exp()
    made = torch.linalg.inv(x - x)
    with pytest.raises(torch.linalg.LinAlgError, match="The diagonal element 1 is zero"):
        made.tolist()


def test_the_order_of_a_bad_minor_is_named_in_compiled_programs_too():
    x = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, -1.0]])
    for _ in range(3):  # the third time the program is a compiled one
        made = torch.linalg.cholesky(x * 2)
        with pytest.raises(torch.linalg.LinAlgError, match="leading minor of order 3"):
            made.tolist()


def test_a_failed_factorization_is_told_by_info():
    assert torch.linalg.cholesky_ex(-torch.eye(2)).info.item() == 1
    assert torch.linalg.inv_ex(torch.tensor([[1.0, 0.0], [0.0, 0.0]])).info.item() == 2


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_the_factors_of_svd_multiply_to_the_matrix(shape):
    x = torch.arange(float(shape[0] * shape[1])).view(shape).sin()
    u, s, vh = torch.linalg.svd(x)
    assert u.shape == (shape[0],) * 2 and vh.shape == (shape[1],) * 2
    k = min(shape)
    assert torch.allclose((u[:, :k] * s) @ vh[:k], x, atol=1e-6)


@pytest.mark.parametrize("mode, words", [("r", "depends on Q"), ("complete", "not differentiable when mode='complete'")])
def test_backward_of_undifferentiable_qr_raises(mode, words):
    x = torch.ones(3, 2).requires_grad_()
    made = torch.linalg.qr(x, mode).R.sum()
    with pytest.raises(RuntimeError, match=words):
        made.backward()


def test_the_gradient_of_singular_values_that_repeat_is_finite():
    x = torch.eye(3, requires_grad=True)
    torch.linalg.svdvals(x * 1).sum().backward()
    assert x.grad.tolist() == torch.eye(3).tolist()


def test_results_are_named_tuples():
    assert repr(torch.linalg.slogdet(torch.eye(2))) == "torch.return_types.linalg_slogdet(\nsign=tensor(1.),\nlogabsdet=tensor(0.))"
