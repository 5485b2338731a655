"""Scenarios over learning rate schedulers that run the same on torch and torchish: each takes the package, returns plain data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from scenario_tools import message, plain


def optimizer_of(p: Any, kind: str = "SGD", **settings: Any) -> Any:
    """An optimizer with two groups of different rates."""
    settings = {"momentum": 0.9, **settings} if kind == "SGD" else settings
    first, second = p.nn.Parameter(p.zeros(1)), p.nn.Parameter(p.zeros(1))
    return getattr(p.optim, kind)([{"params": [first]}, {"params": [second], "lr": 0.3}], lr=0.1, **settings)


class Halving:
    """A callable object, whose attributes belong to the state dict."""

    def __init__(self, base: float = 2.0) -> None:
        self.base = base

    def __call__(self, epoch: float) -> float:
        return self.base**-epoch


KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "lambda": lambda s, o: s.LambdaLR(o, [lambda epoch: 0.9**epoch, Halving()]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
    "step": lambda s, o: s.StepLR(o, 3, gamma=0.5),
    "multistep": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 8]),
    "constant": lambda s, o: s.ConstantLR(o, factor=0.3, total_iters=4),
    "linear": lambda s, o: s.LinearLR(o, start_factor=0.2, end_factor=0.9, total_iters=6),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=7, power=2.0),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 4, eta_min=0.01),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01),
    "cyclic": lambda s, o: s.CyclicLR(o, [0.01, 0.02], 0.1, step_size_up=3, step_size_down=2),
    "cyclic halved": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=2, mode="triangular2"),
    "cyclic exponential": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=2, mode="exp_range", gamma=0.9),
    "cyclic own": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=2, scale_fn=Halving(), scale_mode="iterations"),
    "one cycle": lambda s, o: s.OneCycleLR(o, [0.5, 1.0], total_steps=14),
    "one cycle linear": lambda s, o: s.OneCycleLR(o, 0.5, epochs=2, steps_per_epoch=7, anneal_strategy="linear", three_phase=True, pct_start=0.4),
    "sequential": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [3, 8]),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9)]),
}


def _groups(optimizer: Any) -> list[Any]:
    keys = ("lr", "momentum", "betas", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum")
    return [[key, group[key]] for group in optimizer.param_groups for key in keys if key in group]


def rates(p: Any) -> Any:
    out = {}
    for name, make in KINDS.items():
        optimizer = optimizer_of(p)
        scheduler = make(p.optim.lr_scheduler, optimizer)
        seen = [_groups(optimizer)]
        for _ in range(12):
            optimizer.step()
            scheduler.step()
            seen.append([scheduler.get_last_lr(), [group["lr"] for group in optimizer.param_groups], optimizer.param_groups[0]["momentum"]])
        out[name] = [seen, plain(scheduler.state_dict())]
    return out


def resumed(p: Any) -> Any:
    """A scheduler loaded half-way goes on as the uninterrupted one."""
    out = {}
    for name, make in KINDS.items():
        first, second = optimizer_of(p), optimizer_of(p)
        before, after = make(p.optim.lr_scheduler, first), make(p.optim.lr_scheduler, second)
        first.step(), second.step()
        for _ in range(5):
            before.step()
        after.load_state_dict(before.state_dict())
        second.load_state_dict(first.state_dict())
        seen = []
        for _ in range(4):
            before.step(), after.step()
            seen.append([before.get_last_lr() == after.get_last_lr(), after.get_last_lr()])
        out[name] = seen
    return out


def closed_forms(p: Any) -> Any:
    """step(epoch), deprecated, jumps to an epoch."""
    out = {}
    for name in ("lambda", "step", "multistep", "constant", "linear", "exponential", "polynomial", "cosine", "restarts"):
        optimizer = optimizer_of(p)
        scheduler = KINDS[name](p.optim.lr_scheduler, optimizer)
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = []
            for epoch in (4, 11, 2):
                scheduler.step(epoch)
                seen.append(scheduler.get_last_lr())
        out[name] = seen
    return out


def continued(p: Any) -> Any:
    """A scheduler made with last_epoch goes on from there."""
    out = []
    for kind, settings in (("StepLR", {"step_size": 2}), ("CosineAnnealingLR", {"T_max": 5}), ("ExponentialLR", {"gamma": 0.9}), ("LinearLR", {})):
        optimizer = optimizer_of(p)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        scheduler = getattr(p.optim.lr_scheduler, kind)(optimizer, last_epoch=3, **settings)
        optimizer.step()
        scheduler.step()
        out.append([scheduler.last_epoch, scheduler.get_last_lr()])
    return out


def plateau(p: Any) -> Any:
    out = []
    for settings in ({}, {"mode": "max", "cooldown": 1}, {"threshold_mode": "abs", "min_lr": [0.05, 0.01]}, {"mode": "max", "threshold_mode": "abs"}):
        optimizer = optimizer_of(p)
        scheduler = p.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5, **settings)
        for metric in (1.0, 0.9, 0.9, 0.9, p.tensor(0.9), 0.95, 1.2, 0.1, 0.1, 0.1, 0.1):
            scheduler.step(metric)
            out.append([scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.in_cooldown])
        state = scheduler.state_dict()
        scheduler.load_state_dict(state)
        out.append([[key, str(value)] for key, value in state.items()])
    return out


def beta_cycle(p: Any) -> Any:
    out = []
    for make in (
        lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=2),
        lambda s, o: s.OneCycleLR(o, 0.1, total_steps=6),
    ):
        optimizer = optimizer_of(p, "Adam")
        scheduler = make(p.optim.lr_scheduler, optimizer)
        optimizer.step()
        for _ in range(5):
            scheduler.step()
            out.append(_groups(optimizer))
    return out


def tensor_rate(p: Any) -> Any:
    """A tensor lr is filled in place."""
    rate = p.tensor(0.5)
    optimizer = p.optim.SGD([p.nn.Parameter(p.zeros(1))], lr=rate)
    scheduler = p.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    return [rate.item(), optimizer.param_groups[0]["lr"] is rate, scheduler.get_last_lr()[0].item(), scheduler.base_lrs[0].item()]


def order_warnings(p: Any) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        early = p.optim.lr_scheduler.StepLR(optimizer_of(p), 2)
        early.step()
        early.get_lr()
        replaced = optimizer_of(p)
        late = p.optim.lr_scheduler.StepLR(replaced, 2)
        replaced.step = lambda: None
        late.step()
    return [[item.category.__name__, str(item.message)] for item in caught]


def errors(p: Any) -> list[str]:
    s, o = p.optim.lr_scheduler, optimizer_of(p)
    bare, other = p.optim.Optimizer([p.nn.Parameter(p.zeros(1))], {"lr": 1.0}), optimizer_of(p)
    return [
        message(s.StepLR, 3, 1),
        message(s.StepLR, o, 1, last_epoch=4),
        message(s.LambdaLR, o, [lambda epoch: 1.0]),
        message(s.MultiplicativeLR, o, 3),
        message(s.ConstantLR, o, 2.0),
        message(s.LinearLR, o, 0.0),
        message(s.LinearLR, o, 0.5, 2.0),
        message(s.ReduceLROnPlateau, o, factor=1.0),
        message(s.ReduceLROnPlateau, o, mode="x"),
        message(s.ReduceLROnPlateau, o, threshold_mode="x"),
        message(s.ReduceLROnPlateau, o, min_lr=[1.0]),
        message(s.CyclicLR, o, 0.1, [0.2]),
        message(s.CyclicLR, o, 0.1, 0.2, mode="x"),
        message(s.CyclicLR, bare, 0.1, 0.2),
        message(s.OneCycleLR, bare, 0.1, total_steps=3),
        message(s.OneCycleLR, o, 0.1),
        message(s.OneCycleLR, o, 0.1, total_steps=0),
        message(s.OneCycleLR, o, 0.1, epochs=0, steps_per_epoch=1),
        message(s.OneCycleLR, o, 0.1, epochs=1, steps_per_epoch=0.5),
        message(s.OneCycleLR, o, 0.1, total_steps=3, pct_start=2.0),
        message(s.OneCycleLR, o, 0.1, total_steps=3, anneal_strategy="x"),
        message(s.CosineAnnealingWarmRestarts, o, 0),
        message(s.CosineAnnealingWarmRestarts, o, 1, 0),
        message(s.CosineAnnealingWarmRestarts, o, 1, 1, "x"),
        message(s.CosineAnnealingWarmRestarts(o, 2).step, -1),
        message(s.SequentialLR, o, [], []),
        message(s.SequentialLR, o, [s.StepLR(o, 1)], [1]),
        message(s.SequentialLR, o, [s.ReduceLROnPlateau(o)], []),
        message(s.SequentialLR, o, [3], []),
        message(s.SequentialLR, o, [s.StepLR(other, 1)], []),
        message(s.ChainedScheduler, []),
        message(s.ChainedScheduler, [s.StepLR(o, 1), s.ReduceLROnPlateau(o)]),
        message(s.LRScheduler, o),
    ]


SCENARIOS = [rates, resumed, closed_forms, continued, plateau, beta_cycle, tensor_rate, order_warnings, errors]
