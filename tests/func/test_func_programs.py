"""What the transforms cost: programs compiled and evaluations, and that the compiled program agrees with the first run in NumPy."""

from __future__ import annotations

import func_scenarios
import pytest
from scenario_tools import as_recorded, difference

import torchish as torch
from torchish._core.explain import log


def _counts(step, warm: int = 3, times: int = 4) -> dict:
    for _ in range(warm):
        step()
    before = dict(log.counters)
    for _ in range(times):
        step()
    return {name: count - before.get(name, 0) for name, count in log.counters.items() if count != before.get(name, 0)}


def _net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))


def test_a_gradient_penalty_step_is_one_program():
    net = _net()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x = torch.randn(32, 8)

    def step():
        inputs = x.clone().requires_grad_()
        (g,) = torch.autograd.grad(net(inputs).sum(), inputs, create_graph=True)
        optimizer.zero_grad()
        ((g.norm(dim=1) - 1) ** 2).mean().backward()
        optimizer.step()
    assert _counts(step) == {"evaluations": 4, "cut: optimizer step": 4}


def test_a_hessian_vector_product_is_one_program():
    net = _net()
    x = torch.randn(32, 8)
    parameters = {name: p.detach() for name, p in net.named_parameters()}

    def loss(p):
        return (torch.func.functional_call(net, p, (x,)) ** 2).mean()

    def step():
        product = torch.func.jvp(torch.func.grad(loss), (parameters,), (parameters,))[1]
        return sum(t.sum() for t in product.values()).item()
    assert _counts(step) == {"evaluations": 4, "cut: item": 4}


def test_per_sample_gradients_are_one_program():
    net = _net()
    x = torch.randn(32, 8)
    parameters = {name: p.detach() for name, p in net.named_parameters()}
    gradients = torch.func.vmap(torch.func.grad(lambda p, a: torch.func.functional_call(net, p, (a,)).sum()), in_dims=(None, 0))

    def step():
        return sum((g**2).sum() for g in gradients(parameters, x).values()).item()
    assert _counts(step) == {"evaluations": 4, "cut: item": 4}


@pytest.mark.parametrize("scenario", func_scenarios.SCENARIOS[:24], ids=lambda scenario: scenario.__name__)
def test_the_compiled_program_agrees_with_the_first_run(scenario):
    first = as_recorded(scenario(torch))
    scenario(torch)
    assert difference(as_recorded(scenario(torch)), first) is None
