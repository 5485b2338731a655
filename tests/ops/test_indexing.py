"""Reading and writing by index: against torch's recorded behaviour, then what is torchish's own (laziness, checks, programs)."""
from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from indexing_cases import ALL, observe  # noqa: E402
from scenario_tools import as_recorded, difference  # noqa: E402

import torchish as torch  # noqa: E402

RECORDED = json.loads(Path(__file__).with_name("indexing_recorded.json").read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("program", ALL)
def test_behaves_as_recorded_from_torch(program):
    assert difference(as_recorded(observe(torch, program)), RECORDED[program]) is None


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("program", ["x[[0, 1], :, [0, 1]]", "x[:, 1:2]", "x[m] = 0", "x[[1, 0], 0] = torch.ones(2, 4)",
                                     "torch.index_select(x, 2, torch.tensor([3, 0, 3]))",
                                     "torch.scatter_add(x, 1, torch.tensor([[[0, 0], [0, 1]]]), x[:1, :2, :2])"])
def test_compiled_program_agrees_with_the_cold_tier(program):
    for _ in range(3):
        assert difference(as_recorded(observe(torch, program)), RECORDED[program]) is None


def _evaluations() -> int:
    from torchish._core.evaluate import counters
    return counters["evaluations"]


@pytest.mark.parametrize("write", ["x[m] = 0", "x[m] = torch.tensor(2.)", "x[x > 1] = x.sum()", "x.masked_fill_(m, 3)", "x[0] = 1",
                                   "x[:, [0, 1]] = 5.", "x.masked_scatter_(x > 1, x * 2)"])
def test_write_stays_recorded(write):
    x = torch.ones(2, 3) * 2
    names = {"torch": torch, "x": x, "m": x > 1}
    before = _evaluations()
    exec(write, names)
    assert _evaluations() == before


def test_ints_and_slice_starts_share_one_program():
    from torchish._core.evaluate import cache
    x = torch.arange(40000.).view(200, 200) + 0

    def read(i):
        return (x[i] * 2 + x[i:i + 3].sum()).tolist()
    read(0), read(1)
    x.sum().item()
    read(2), read(3)
    size = len(cache)
    for i in range(4, 9):
        read(i)
    assert len(cache) == size


def test_index_known_on_the_host_raises_at_the_call():
    with pytest.raises(IndexError, match="index 9 is out of bounds for dimension 0 with size 3"):
        torch.zeros(3)[torch.tensor([0, 9])]


@pytest.mark.parametrize("times", [1, 3])
def test_index_computed_on_the_device_raises_at_the_next_read(times):
    for _ in range(times):
        i = torch.tensor([0, 4]) * 2
        y = torch.zeros(3)[i]
        with pytest.raises(IndexError, match="index 8 is out of bounds for dimension 0 with size 3"):
            y.tolist()


def test_failed_check_in_a_differentiated_program_keeps_its_message():
    x = torch.zeros(3, requires_grad=True)
    i = torch.tensor([4]) * 2
    x[i].sum().backward()
    with pytest.raises(IndexError, match="index 8 is out of bounds"):
        x.grad.tolist()


@pytest.mark.parametrize(("write", "left"), [("x[[0, 7]] = 1.", [1, 0, 0]), ("x[[7, 0]] = 1.", [0, 0, 0]), ("x[None, [1, 2, 5]] = 2.", [0, 2, 2]),
                                             ("x[[0, 9]] = torch.tensor([3., 4.])", [3, 0, 0]),
                                             ("x.index_put_((torch.tensor([2, 2, 3]),), torch.tensor(1.), True)", [0, 0, 2])])
def test_failed_write_leaves_what_torch_had_written_before_the_bad_position(write, left):
    x = torch.zeros(3)
    with pytest.raises(IndexError):
        exec(write, {"x": x, "torch": torch})
    assert (x.tolist(), x._version) == (left, 0)


def test_failed_write_to_a_transpose_stops_at_the_bad_position_of_its_first_row():
    x = torch.zeros(3, 2)
    with pytest.raises(IndexError):
        x.t()[:, [0, 2, 3]] = torch.ones(2, 3)
    assert x.tolist() == [[1, 0], [0, 0], [1, 0]]


def test_iteration_gives_views_of_the_rows():
    x = torch.zeros(2, 2)
    for i, row in enumerate(x):
        row += i
    assert x.tolist() == [[0, 0], [1, 1]]


def test_index_modified_before_backward_is_an_error():
    x, i = torch.ones(3, requires_grad=True), torch.tensor([0, 1])
    y = x[i]
    i += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_uint8_mask_warns():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.ones(2)[torch.tensor([1, 0], dtype=torch.uint8)]
    assert "torch.uint8 is now deprecated" in str(caught[0].message)


def test_repeated_positions_accumulate_gradients():
    x = torch.ones(3, requires_grad=True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [2, 0, 1]


def test_product_gradient_with_zeros_is_exact():
    s = torch.tensor([0., 3., 0.], requires_grad=True)
    torch.tensor([2.]).scatter_reduce(0, torch.tensor([0, 0, 0]), s, "prod").sum().backward()
    assert s.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "complex64", "bfloat16"])
def test_put_and_get_round_trip(dtype):
    x = torch.zeros(4, 5, dtype=getattr(torch, dtype))
    x[[3, 1]] = 1
    x[0, ::2] = 1
    assert np.array(x.float().tolist() if dtype != "complex64" else x.real.tolist()).sum() == 13
