"""Matrix products and neural-network operations against recorded torch outcomes, in the NumPy tier and compiled, and their errors."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from nn_cases import CASES, difference, run

import torchish as torch
import torchish.nn.functional as F
from torchish._core import evaluate
from torchish._ops.optimizer_steps import adam_step, sgd_step

RECORDED = json.loads(Path(__file__).with_name("nn_recorded.json").read_text())
COMPILED = [
    "matmul 3 3",
    "linear 3 bias",
    "conv2d groups",
    "conv_transpose2d",
    "max_pool2d overlapping",
    "batch_norm",
    "cross_entropy mean",
    "embedding",
    "attention causal",
    "pad reflect",
]


@pytest.mark.parametrize("name", CASES)
def test_outcome_is_torchs(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert difference(run(torch, name), RECORDED[name]) == ""


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_outcome_is_torchs(name, monkeypatch):
    monkeypatch.setattr(evaluate, "_is_cold", lambda variant, part: False)
    assert difference(run(torch, name), RECORDED[name]) == ""


ERRORS = {
    "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)": (RuntimeError, lambda: torch.ones(2, 3) @ torch.ones(4, 5)),
    "expected m1 and m2 to have the same dtype, but got: float != double": (RuntimeError, lambda: torch.ones(2, 3) @ torch.ones(3, 4).double()),
    "both arguments to matmul need to be at least 1D, but they are 0D and 1D": (RuntimeError, lambda: torch.matmul(torch.tensor(1.0), torch.ones(2))),
    "unsupported operand type(s) for @: 'Tensor' and 'int'": (TypeError, lambda: torch.ones(2, 2) @ 3),
    "Target 5 is out of bounds.": (IndexError, lambda: F.cross_entropy(torch.zeros(2, 5), torch.tensor([1, 5]))),
    "index out of range in self": (IndexError, lambda: F.embedding(torch.tensor([7]), torch.zeros(3, 2))),
    "all elements of input should be between 0 and 1": (
        RuntimeError,
        lambda: F.binary_cross_entropy(torch.tensor([2.0]), torch.tensor([1.0])).item(),
    ),
    "Given groups=1, weight of size [4, 3, 3, 3], expected input[2, 5, 8, 8] to have 3 channels, but got 5 channels instead": (
        RuntimeError,
        lambda: F.conv2d(torch.zeros(2, 5, 8, 8), torch.zeros(4, 3, 3, 3)),
    ),
    "Boolean inputs not supported for relu": (RuntimeError, lambda: torch.relu(torch.tensor([True]))),
    "\"elu_cpu\" not implemented for 'Long'": (NotImplementedError, lambda: F.elu(torch.tensor([1]))),
    "dropout probability has to be between 0 and 1, but got 2.0": (ValueError, lambda: F.dropout(torch.ones(2), 2.0)),
}


@pytest.mark.parametrize("message", ERRORS)
def test_error_is_torchs(message):
    kind, make = ERRORS[message]
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == message


def test_dropout_in_eval_mode_is_the_input_itself():
    x = torch.ones(3)
    assert F.dropout(x, 0.5, training=False) is x


def test_dropout_keeps_and_scales():
    torch.manual_seed(0)
    out = F.dropout(torch.ones(1000), 0.25)
    assert set(out.tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))} and 700 < (out != 0).sum().item() < 800


def test_relu_in_place_writes_its_input():
    x = torch.tensor([-1.0, 2.0])
    assert F.relu(x, inplace=True) is x and x.tolist() == [0.0, 2.0]


def test_first_momentum_step_takes_the_gradient_undampened():
    p, g = torch.tensor([1.0]), torch.tensor([2.0])
    settings = {"lr": 0.1, "momentum": 0.5, "dampening": 0.5, "weight_decay": 0.0, "nesterov": False, "maximize": False}
    buffers = sgd_step([p], [g], [None], **settings)
    sgd_step([p], [g], buffers, **settings)
    assert np.allclose([p.item(), buffers[0].item()], [1 - 0.2 - 0.2, 2.0])


def test_adams_first_step_moves_by_the_learning_rate():
    p, step = torch.tensor([1.0, 1.0]), torch.tensor(0.0)
    m, v = torch.zeros(2), torch.zeros(2)
    adam_step(
        [p],
        [torch.tensor([3.0, -0.5])],
        [m],
        [v],
        [],
        [step],
        lr=0.01,
        beta1=0.9,
        beta2=0.999,
        eps=1e-8,
        weight_decay=0.0,
        amsgrad=False,
        maximize=False,
        decoupled=False,
    )
    assert step.item() == 1.0 and np.allclose(p.tolist(), [0.99, 1.01])


def test_a_changed_learning_rate_compiles_nothing():
    p, g = torch.ones(3), torch.ones(3)
    for i in range(4):
        sgd_step([p], [g], [None], lr=0.1 / (i + 1), momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False)
        p.tolist()
        if i == 1:
            size = len(evaluate.cache)
    assert len(evaluate.cache) == size
