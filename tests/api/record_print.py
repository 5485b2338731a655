"""Records torch's text for every case of print_cases.py in print_recorded.json; run by hand, needs torch 2.13.

python tests/api/record_print.py            write the file
python tests/api/record_print.py fuzz N S   compare N random cases (seed S) and show what differs
"""
from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from print_cases import CASES, PARAMETER, Case, random_case

RECORDED = Path(__file__).with_name("print_recorded.json")
_BITS = {1: np.uint8, 2: np.uint16}


def to_torch(array: np.ndarray, dtype_name: str) -> torch.Tensor:
    """A torch tensor with the array's values, bit for bit."""
    array = np.array(array)
    dtype = getattr(torch, dtype_name)
    if array.dtype.kind not in "biufc" or dtype_name.startswith("float8"):  # ml_dtypes: torch takes their bits
        return torch.from_numpy(array.view(_BITS[array.dtype.itemsize])).view(dtype)
    return torch.from_numpy(array)


def torch_text(case: Case) -> str:
    """What torch prints for the case."""
    default = case.facts.get("default_dtype")
    with _default_dtype("float32" if default is None else default.name), torch._tensor_str.printoptions(**case.options):
        tensor = _tensor(case)
        if case.facts.get("device") == "cpu":  # torch then takes the cpu for a device worth naming
            with patch.object(torch._C, "_get_default_device", lambda: "cuda"):
                return repr(tensor)
        return repr(tensor)


def _tensor(case: Case) -> torch.Tensor:
    facts = case.facts
    if case.array is None:
        return torch.empty(facts["shape"], dtype=getattr(torch, case.dtype.name), device="meta")
    tensor = to_torch(case.array, case.dtype.name)
    prefix = facts.get("prefix", "tensor(")
    if prefix == PARAMETER:
        return torch.nn.Parameter(tensor, facts.get("requires_grad", False))
    if prefix != "tensor(":
        tensor = tensor.as_subclass(type(prefix[:-1], (torch.Tensor,), {}))
    if facts.get("grad_fn_name"):
        return _with_grad_fn(tensor, facts["grad_fn_name"])
    return tensor.requires_grad_(facts.get("requires_grad", False))


def _with_grad_fn(tensor: torch.Tensor, name: str) -> torch.Tensor:
    """A copy of the tensor whose grad_fn carries the given name."""
    function = type("Named", (torch.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x.clone())})
    function._backward_cls.__name__ = name
    return function.apply(tensor.requires_grad_())


@contextmanager
def _default_dtype(name: str):
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _record() -> None:
    texts = {name: torch_text(case) for name, case in CASES.items()}
    RECORDED.write_text(json.dumps(texts, indent=0) + "\n")
    print(f"{len(texts)} texts recorded from torch {torch.__version__}")


def _fuzz(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    different = 0
    for _ in range(count):
        case = random_case(rng)
        ours, theirs = case.text(), torch_text(case)
        if ours != theirs:
            different += 1
            if different <= 5:
                print(f"{case}"[:500], f"\nours:\n{ours[:600]}\ntorch:\n{theirs[:600]}\n")
    print(f"{different} of {count} differ")


if __name__ == "__main__":
    if sys.argv[1:2] == ["fuzz"]:
        _fuzz(int(sys.argv[2]), int(sys.argv[3]))
    else:
        _record()
