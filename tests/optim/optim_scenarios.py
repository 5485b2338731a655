"""Scenarios over optimizers that run the same on torch and torchish: each takes the package and returns plain data."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from scenario_tools import difference, message, plain


def weights(p: Any) -> list[Any]:
    return [p.nn.Parameter(p.tensor([1.0, -2.0])), p.nn.Parameter(p.tensor([[0.5], [3.0]]))]


SETTINGS = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd momentum": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.01}),
    "sgd nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    "adam": ("Adam", {"lr": 0.1}),
    "adam amsgrad": ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "betas": (0.8, 0.9), "eps": 1e-6}),
    "adamw": ("AdamW", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
}


def _train(optimizer: Any, params: list[Any], steps: int) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        loss = (params[0] ** 2).sum()
        if step != 1:  # the second parameter misses a gradient once
            loss = loss + (params[1] ** 3).sum()
        loss.backward()
        optimizer.step()


def trajectories(p: Any) -> Any:
    out = {}
    for name, (kind, settings) in SETTINGS.items():
        params = weights(p)
        optimizer = getattr(p.optim, kind)(params, **settings)
        _train(optimizer, params, 4)
        out[name] = [plain(params), plain(optimizer.state_dict())]
    return out


def resumed(p: Any) -> Any:
    """A run that is saved and loaded half-way ends where the uninterrupted one does."""
    out = {}
    for name, (kind, settings) in SETTINGS.items():
        params = weights(p)
        optimizer = getattr(p.optim, kind)(params, **settings)
        _train(optimizer, params, 2)
        twins = [p.nn.Parameter(parameter.detach().clone()) for parameter in params]
        other = getattr(p.optim, kind)(twins, lr=5.0)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        _train(optimizer, params, 2)
        _train(other, twins, 2)
        out[name] = [difference(plain(params), plain(twins)) is None, list(other.param_groups[0]), list(other.state[twins[0]])]
    return out


def group_layout(p: Any) -> Any:
    a, b = weights(p)
    whole = p.optim.SGD([a, b], lr=0.1)
    split = p.optim.AdamW([{"params": [a], "lr": 0.5}, {"params": b}])
    named = p.optim.Adam([("first", a), ("second", b)])
    return [
        [list(optimizer.param_groups[0]) for optimizer in (whole, split, named)],
        [plain(optimizer.state_dict()) for optimizer in (whole, split, named)],
        [list(optimizer.defaults.items()) for optimizer in (whole, split, named)],
        [repr(optimizer) for optimizer in (whole, split, named)],
    ]


def errors(p: Any) -> list[str]:
    a, b = weights(p)
    sgd, adam, optimizer = p.optim.SGD, p.optim.Adam, p.optim.SGD([a])
    return [
        message(sgd, a),
        message(sgd, []),
        message(sgd, [3]),
        message(sgd, ["text"]),
        message(sgd, [a * 2]),
        message(sgd, [{"params": {a}}]),
        message(sgd, [("name", a), b]),
        message(sgd, [{"params": [a]}, {"params": [a]}]),
        message(sgd, [a], lr=-1),
        message(sgd, [a], momentum=-1),
        message(sgd, [a], weight_decay=-1),
        message(sgd, [a], nesterov=True),
        message(sgd, [a], lr=p.ones(2)),
        message(sgd, [a], fused=True, foreach=True),
        message(adam, [a], lr=-1.0),
        message(adam, [a], eps=-1.0),
        message(adam, [a], betas=(1.0, 0.5)),
        message(adam, [a], betas=(0.5, -1.0)),
        message(adam, [a], weight_decay=-1.0),
        message(adam, [a], lr=p.ones(1), foreach=True),
        message(optimizer.add_param_group, [b]),
        message(optimizer.add_param_group, {"params": [("n", b)]}),
        message(optimizer.load_state_dict, {"state": {}, "param_groups": []}),
        message(optimizer.load_state_dict, {"state": {}, "param_groups": [{"params": [0, 1]}]}),
        message(p.optim.Optimizer([a], {}).step),
    ]


def hooks(p: Any) -> Any:
    a, log = weights(p)[0], []
    optimizer = p.optim.SGD([a], lr=0.1)
    optimizer.register_step_pre_hook(lambda opt, args, kwargs: log.append("pre"))
    handle = optimizer.register_step_post_hook(lambda opt, args, kwargs: log.append("post"))
    optimizer.register_state_dict_pre_hook(lambda opt: log.append("save"))
    optimizer.register_state_dict_post_hook(lambda opt, state: {**state, "extra": 1})
    optimizer.register_load_state_dict_pre_hook(lambda opt, state: log.append(sorted(state)))
    optimizer.register_load_state_dict_post_hook(lambda opt: log.append("loaded"))

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (a**2).sum()
        loss.backward()
        log.append("closure")
        return loss

    loss = optimizer.step(closure)
    handle.remove()
    optimizer.step()
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    return [loss.item(), log, sorted(state)]


def gradients(p: Any) -> Any:
    a = weights(p)[0]
    optimizer = p.optim.SGD([a], lr=0.1)
    (a * 3).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    kept = a.grad.tolist()
    optimizer.zero_grad()
    return [kept, a.grad is None]


def duplicates(p: Any) -> Any:
    a = weights(p)[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        p.optim.SGD([a, a])
    return [str(item.message) for item in caught]


def own_optimizer(p: Any) -> Any:
    class Signs(p.optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            with p.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        parameter.sub_(parameter.grad.sign() * group["lr"])
                        self.state[parameter]["count"] = self.state[parameter].get("count", 0) + 1

    a = weights(p)[0]
    optimizer, log = Signs([a], lr=0.25), []
    optimizer.register_step_post_hook(lambda *args: log.append("stepped"))
    (a**2).sum().backward()
    optimizer.step()
    return [a.tolist(), plain(optimizer.state_dict()), log, repr(optimizer)]


SCENARIOS = [trajectories, resumed, group_layout, errors, hooks, gradients, duplicates, own_optimizer]
