"""Printed tensors against the torch that is installed: the recorded cases again, random cases, options and number formats."""
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from print_cases import CASES, random_case  # noqa: E402
from record_print import to_torch, torch_text  # noqa: E402

from torchish import _dtype as dt  # noqa: E402
from torchish._format import format_scalar, get_printoptions, printoptions, set_printoptions  # noqa: E402


@pytest.mark.parametrize("name", CASES)
def test_named_case(name):
    assert CASES[name].text() == torch_text(CASES[name])


@pytest.mark.parametrize("seed", range(40))
def test_random_cases(seed):
    rng = np.random.default_rng(seed)
    for case in (random_case(rng) for _ in range(15)):
        assert case.text() == torch_text(case), case


@pytest.mark.parametrize("changes", [
    {"precision": 2}, {"profile": "short"}, {"profile": "full", "threshold": 5}, {"sci_mode": True}, {"profile": "none"},
    {"linewidth": 33, "edgeitems": 9}])
def test_options_after_a_change(changes):
    before = torch._tensor_str.get_printoptions()
    with printoptions(precision=7), torch._tensor_str.printoptions(precision=7):
        set_printoptions(**changes)
        torch.set_printoptions(**changes)
        ours, theirs = get_printoptions(), torch._tensor_str.get_printoptions()
    assert {name: ours[name] for name in theirs} == theirs
    assert torch._tensor_str.get_printoptions() == before


@pytest.mark.parametrize("dtype", [d.name for d in dt.DTYPES if d.numpy is not None])
@pytest.mark.parametrize("spec", ["", ".3f", "8.2e", "g", "d", "x", ",", "s", ">20", "+.1%", "010", "?"])
def test_scalar_format(dtype, spec):
    array = np.array(3).astype(dt.BY_NAME[dtype].numpy)
    assert _text_or_error(lambda: format_scalar(array, spec)) == _text_or_error(lambda: format(to_torch(array, dtype), spec))


def _text_or_error(call) -> str:
    try:
        return call()
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
