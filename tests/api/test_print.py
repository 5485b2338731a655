"""Printed tensors against the texts recorded from torch 2.13 (print_recorded.json), and the print options. Needs no torch."""
from __future__ import annotations

import json
import timeit
from pathlib import Path

import numpy as np
import pytest
from print_cases import CASES

from torchish import _dtype as dt
from torchish import _format
from torchish._format import format_scalar, format_tensor, get_printoptions, printoptions, set_printoptions, shown_index

RECORDED = json.loads(Path(__file__).with_name("print_recorded.json").read_text())
PAIR = np.array([1.5, 2.0], np.float32)


@pytest.fixture(autouse=True)
def _options_restored():
    before = get_printoptions()
    yield
    set_printoptions(**before)


@pytest.mark.parametrize("name", CASES)
def test_text_is_torchs(name):
    assert CASES[name].text() == RECORDED[name]


def test_every_recorded_text_has_its_case():
    assert set(RECORDED) == set(CASES)


def test_suffix_wraps_at_exactly_the_line_width():
    assert "\n" not in RECORDED["suffix that just fits"] and "\n" in RECORDED["suffix one too long"]


def test_matrix_text_literally():
    values = np.array([[1.5, 2.0], [3.0, -4.0]], np.float32)
    assert format_tensor(values, dt.float32) == "tensor([[ 1.5000,  2.0000],\n        [ 3.0000, -4.0000]])"


def test_grad_fn_is_printed_without_its_number_by_default():
    assert format_tensor(PAIR, dt.float32, grad_fn_name="AddBackward0") == "tensor([1.5000, 2.0000], grad_fn=<AddBackward>)"


def test_grad_fn_torch_keeps_the_number():
    set_printoptions(grad_fn="torch")
    assert format_tensor(PAIR, dt.float32, grad_fn_name="AddBackward0") == "tensor([1.5000, 2.0000], grad_fn=<AddBackward0>)"


def test_grad_fn_name_keeps_numbers_that_count_no_overload():
    assert format_tensor(PAIR, dt.float32, grad_fn_name="Conv2DBackward1").endswith("grad_fn=<Conv2DBackward>)")
    assert format_tensor(PAIR, dt.float32, grad_fn_name="Stage2").endswith("grad_fn=<Stage2>)")


def test_unknown_grad_fn_style_raises():
    with pytest.raises(ValueError, match="grad_fn must be one of"):
        set_printoptions(grad_fn="none")


@pytest.mark.parametrize(("profile", "expected"), [
    ("default", (4, 1000, 3, 80)), ("short", (2, 1000, 2, 80)), ("full", (4, float("inf"), 3, 80)), ("unknown", (7, 9, 1, 50))])
def test_profile_sets_its_options(profile, expected):
    set_printoptions(precision=7, threshold=9, edgeitems=1, linewidth=50)
    set_printoptions(profile=profile)
    now = get_printoptions()
    assert (now["precision"], now["threshold"], now["edgeitems"], now["linewidth"]) == expected


def test_arguments_override_the_profile():
    set_printoptions(profile="short", precision=6)
    assert (_format.options.precision, _format.options.edgeitems) == (6, 2)


def test_sci_mode_is_set_by_every_call():
    set_printoptions(sci_mode=True)
    set_printoptions(precision=3)
    assert get_printoptions()["sci_mode"] is None


def test_profile_leaves_the_grad_fn_style():
    set_printoptions(grad_fn="torch")
    set_printoptions(profile="default")
    assert get_printoptions()["grad_fn"] == "torch"


def test_printoptions_restores_after_an_error():
    before = get_printoptions()
    with pytest.raises(KeyError), printoptions(precision=1, sci_mode=True, grad_fn="torch"):
        assert format_tensor(PAIR, dt.float32) == "tensor([1.5e+00, 2.0e+00])"
        raise KeyError
    assert get_printoptions() == before


def test_default_dtype_follows_the_session():
    dt.set_default_dtype(dt.float64)
    try:
        assert format_tensor(PAIR, dt.float32) == "tensor([1.5000, 2.0000], dtype=torch.float32)"
    finally:
        dt.set_default_dtype(dt.float32)


def test_indent_moves_the_continuation_lines():
    values = np.array([[1.5, 2.0], [3.0, -4.0]], np.float32)
    assert format_tensor(values, dt.float32, indent=2) == "tensor([[ 1.5000,  2.0000],\n          [ 3.0000, -4.0000]])"


def test_indent_counts_towards_the_line_width():
    with printoptions(linewidth=45):
        assert "\n" not in format_tensor(PAIR, dt.float32, requires_grad=True)
        assert format_tensor(PAIR, dt.float32, requires_grad=True, indent=4) == "tensor([1.5000, 2.0000],\n           requires_grad=True)"


@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (3, 10**6, 10**5)])
def test_only_the_shown_part_of_a_big_array_is_read(shape):
    values = np.broadcast_to(np.float32(1), shape)  # terabytes, were it copied
    assert format_tensor(values, dt.float32).count("1.") == 6 ** sum(n > 6 for n in shape) * 3 ** sum(n == 3 for n in shape)


def test_the_shown_part_alone_prints_the_whole():
    values = np.arange(60 * 50, dtype=np.float32).reshape(60, 50) / 7
    part = values[shown_index(values.shape)]
    assert part.shape == (6, 6)
    assert format_tensor(part, dt.float32, shape=values.shape) == RECORDED["big matrix"]


def test_shown_index_is_none_for_what_is_printed_whole():
    assert shown_index((10, 100)) is None and shown_index(()) is None and shown_index((6, 6, 6, 6)) is None


@pytest.mark.parametrize(("values", "dtype", "spec", "expected"), [
    (1 / 3, "float32", ".3f", "0.333"), (1 / 3, "float32", "", "0.3333333432674408"), (0.1, "bfloat16", ".4f", "0.1001"),
    (448, "float8_e4m3fn", ">8.1f", "   448.0"), (12345, "int64", ",", "12,345"), (True, "bool", "", "True"), (True, "bool", "d", "1"),
    (1.5 - 2j, "complex64", ".1f", "1.5-2.0j"), (1e10, "float64", ".2e", "1.00e+10"), (255, "uint8", "x", "ff")])
def test_scalar_format_is_pythons(values, dtype, spec, expected):
    assert format_scalar(np.array(values).astype(dt.BY_NAME[dtype].numpy), spec) == expected


def test_scalar_format_raises_for_a_foreign_spec():
    with pytest.raises(ValueError, match="Unknown format code 'd'"):
        format_scalar(np.array(1.5), "d")


def test_small_tensor_prints_in_40_microseconds():
    values = np.array([[1.5, 2.0], [3.0, -4.0]], np.float32)
    assert min(timeit.repeat(lambda: format_tensor(values, dt.float32), number=100, repeat=20)) / 100 < 40e-6
