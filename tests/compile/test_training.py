"""A training loop costs one program a step, from the third step on, whatever the learning rate does and whenever the loss is read."""
import gc
import weakref

import pytest

import torchish as torch
from torchish import nn
from torchish._core.evaluate import forget
from torchish._core.explain import log
from torchish.nn import functional as F


def digits_net():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10))


class Training:
    """A training run on random images, with the counts of each step."""

    def __init__(self, make_optimizer, read_every=0):
        torch.manual_seed(0)
        torch.ones(1).item()  # evaluates what earlier tests left pending
        self.net = digits_net()
        self.optimizer = make_optimizer(self.net.parameters())
        self.images, self.labels = torch.randn(16, 1, 8, 8), torch.randint(0, 10, (16,))
        self.read_every = read_every

    def step(self, i):
        """One step; returns (evaluations, compilations) that it cost."""
        before = log.counters["evaluations"], log.counters["programs compiled"]
        for group in self.optimizer.param_groups:
            group["lr"] = 0.01 / (1 + 0.1 * i)
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.net(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        if self.read_every and i % self.read_every == 0:
            self.loss = loss.item()
        return log.counters["evaluations"] - before[0], log.counters["programs compiled"] - before[1]


OPTIMIZERS = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.01),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.01, momentum=0.9),
    "adam": lambda params: torch.optim.Adam(params, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("read_every", [0, 10])
def test_one_program_a_step_and_nothing_compiled_after_the_third(name, read_every):
    run = Training(OPTIMIZERS[name], read_every)
    costs = [run.step(i) for i in range(30)]
    assert costs[3:] == [(1, 0)] * 27


def test_the_loop_learns():
    run = Training(OPTIMIZERS["adam"], read_every=1)
    run.step(0)
    first = run.loss
    for i in range(1, 40):
        run.step(i)
    assert run.loss < first / 2


def test_a_data_loader_adds_no_program():
    run = Training(OPTIMIZERS["momentum"])
    data = torch.utils.data.TensorDataset(torch.randn(64, 1, 8, 8), torch.randint(0, 10, (64,)))
    loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True)
    costs = []
    for _ in range(4):
        for run.images, run.labels in loader:
            costs.append(run.step(len(costs)))
    assert costs[3:] == [(1, 0)] * 13


def resident_megabytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def test_a_thousand_steps_leak_nothing():
    run = Training(OPTIMIZERS["momentum"], read_every=10)
    for i in range(100):
        run.step(i)
    gc.collect()
    objects, memory = len(gc.get_objects()), resident_megabytes()
    for i in range(1000):
        run.step(i)
    gc.collect()
    assert len(gc.get_objects()) - objects < 200
    assert resident_megabytes() - memory < 10


def test_a_loss_read_before_backward_does_not_recompute_the_forward():
    torch.ones(1).item()
    forget()
    w = torch.randn(64, 64, requires_grad=True)
    x = torch.randn(64, 64)
    for _ in range(6):
        product = x @ w
        value = weakref.ref(product._read())  # that the graph keeps, but no tensor
        hidden = torch.tanh(product)
        del product
        loss = (hidden * hidden).mean()
        loss.item()
        kept = value().array is not None
        loss.backward()
        w.grad.sum().item()
        w.grad = None
    assert kept  # backward asked for it in earlier rounds


def test_what_nobody_can_read_any_more_is_not_computed():
    torch.ones(1).item()
    before = log.counters["evaluations"]
    x = torch.randn(64, 64)
    y = x @ x
    del y
    torch.ones(1).item()
    assert log.counters["evaluations"] == before + 1
    assert x._read().array is not None


def test_gradients_that_nobody_reads_are_left_out_and_still_right_when_read():
    run = Training(OPTIMIZERS["sgd"])
    for i in range(6):
        run.step(i)
    weight = run.net[4].weight
    assert weight.grad._read().array is None
    late = weight.grad.clone()
    run.optimizer.zero_grad()
    before = {name: p.detach().clone() for name, p in run.net.named_parameters()}
    run.step(6)
    for name, p in run.net.named_parameters():
        assert torch.allclose(before[name] - 0.01 / 1.6 * p.grad, p, atol=1e-6)
    assert late.abs().sum().item() > 0
    costs = [run.step(i) for i in range(7, 12)]
    assert costs[2:] == [(1, 0)] * 3


def test_parameters_and_the_optimizers_state_are_donated():
    net = nn.Sequential(nn.Linear(400, 800), nn.Tanh(), nn.Linear(800, 10))
    optimizer = torch.optim.Adam(net.parameters())
    x, y = torch.randn(16, 400), torch.randint(0, 10, (16,))

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
    for _ in range(4):
        step()
    held = [net[0].weight, *[optimizer.state[net[0].weight][name] for name in ("exp_avg", "exp_avg_sq")]]
    before = [t._read().array for t in held]
    step()
    assert [a.is_deleted() for a in before] == [True] * 3
