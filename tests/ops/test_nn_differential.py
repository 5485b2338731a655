"""Matrix products and neural-network operations beside real torch: every case, and short training runs from equal weights."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from nn_cases import CASES, difference, run  # noqa: E402

import torchish  # noqa: E402
import torchish.nn.functional  # noqa: E402
import torchish.optim  # noqa: E402


@pytest.mark.parametrize("name", CASES)
def test_case_agrees_with_torch(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert difference(run(torchish, name), run(torch, name)) == ""


def mlp(nn):
    """A perceptron of 8 features and 5 classes."""
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 5))


def convnet(nn):
    """A small image classifier: 3 x 10 x 10 to 5 classes."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, groups=2),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def losses(m, build, state: dict, shape: tuple, optimizer: str) -> list:
    """Five training steps' losses, from the weights `state`."""
    net = build(m.nn)
    net.load_state_dict({k: m.tensor(v) for k, v in state.items()})
    settings = {"SGD": {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}, "AdamW": {"lr": 0.01}}[optimizer]
    steps, made = getattr(m.optim, optimizer)(net.parameters(), **settings), []
    x = m.tensor(np.random.RandomState(0).randn(*shape).astype(np.float32))
    y = m.tensor(np.random.RandomState(1).randint(0, 5, shape[0]))
    for _ in range(5):
        steps.zero_grad()
        loss = m.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        steps.step()
        made.append(loss.item())
    return made


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW"])
@pytest.mark.parametrize(("build", "shape"), [(mlp, (16, 8)), (convnet, (4, 3, 10, 10))])
def test_five_training_steps_agree_with_torch(build, shape, optimizer):
    torch.manual_seed(0)
    state = {k: v.numpy() for k, v in build(torch.nn).state_dict().items()}
    got, want = losses(torchish, build, state, shape, optimizer), losses(torch, build, state, shape, optimizer)
    assert np.allclose(got, want, rtol=0, atol=1e-5)
