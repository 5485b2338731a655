"""The optimizers with a rule, and LBFGS and SparseAdam: scenarios that run the same on torch and torchish."""

from __future__ import annotations

import copy
from typing import Any

from scenario_tools import difference, message, plain

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1, "maximize": True}],
    "Adagrad": [{}, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.3, "weight_decay": 0.1}],
    "RMSprop": [{}, {"momentum": 0.9, "centered": True, "weight_decay": 0.1, "alpha": 0.8}, {"maximize": True, "centered": True}],
    "Adamax": [{}, {"betas": (0.5, 0.7), "weight_decay": 0.1}],
    "NAdam": [{}, {"weight_decay": 0.1, "momentum_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "RAdam": [{}, {"betas": (0.5, 0.9), "weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}],
    "ASGD": [{}, {"t0": 2, "lambd": 0.1, "weight_decay": 0.1}],
    "Rprop": [{}, {"etas": (0.3, 1.5), "step_sizes": (0.001, 0.02), "maximize": True}],
}
MATRIX_SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Adafactor": [{}, {"lr": 0.5, "weight_decay": 0.3, "maximize": True}, {"d": 2.0, "eps": (0.1, 0.5), "beta2_decay": -0.3}, {"foreach": True}],
    "Muon": [{}, {"nesterov": False, "weight_decay": 0}, {"adjust_lr_fn": "match_rms_adamw"}, {"lr": 0.1, "momentum": 0.5, "ns_steps": 2}],
}
BAD: dict[str, list[dict[str, Any]]] = {
    "Adadelta": [{"lr": -1}, {"rho": 2}, {"eps": -1}, {"weight_decay": -1}],
    "Adagrad": [{"lr": -1}, {"lr_decay": -1}, {"weight_decay": -1}, {"initial_accumulator_value": -1}, {"eps": -1}, {"fused": True, "foreach": True}],
    "RMSprop": [{"lr": -1}, {"eps": -1}, {"momentum": -1}, {"weight_decay": -1}, {"alpha": -1}],
    "Adamax": [{"lr": -1}, {"eps": -1}, {"betas": (2, 0.9)}, {"betas": (0.9, 2)}, {"weight_decay": -1}],
    "NAdam": [{"lr": -1}, {"eps": -1}, {"betas": (2, 0.9)}, {"weight_decay": -1}, {"momentum_decay": -1}],
    "RAdam": [{"lr": -1}, {"eps": -1}, {"betas": (0.9, 2)}, {"weight_decay": -1}],
    "ASGD": [{"lr": -1}, {"weight_decay": -1}],
    "Rprop": [{"lr": -1}, {"etas": (2, 0.5)}, {"etas": (0.5, 0.5)}, {"etas": (0, 1.2)}],
    "LBFGS": [{"lr": -1}],
    "Adafactor": [{"lr": -1}, {"beta2_decay": 1}, {"eps": (-1, 1)}, {"eps": (None, -1)}, {"d": 0.5}, {"weight_decay": -1}],
    "Muon": [{}, {"lr": -1}, {"momentum": -1}, {"weight_decay": -1}, {"adjust_lr_fn": "foo"}],
    "SparseAdam": [{"lr": -1}, {"lr": 0}, {"eps": 0}, {"betas": (2, 0.9)}],
}


def _weights(p: Any) -> list[Any]:
    return [p.nn.Parameter(p.tensor([1.0, -2.0])), p.nn.Parameter(p.tensor([[0.5 + 1j], [3.0]]))]


def _train(optimizer: Any, params: list[Any], steps: int) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        loss = (params[0] ** 2 * params[0].cos()).sum()
        if step != 1:  # the second parameter misses a gradient once
            loss = loss + (params[1] * params[1].conj()).real.sum()
        loss.backward()
        optimizer.step()


def _runs(p: Any):
    for kind, rows in SETTINGS.items():
        for number, settings in enumerate(rows):
            yield f"{kind} {number}", getattr(p.optim, kind), settings


def _real(x: Any) -> Any:
    """Complex numbers in plain data as pairs."""
    if isinstance(x, complex):
        return [x.real, x.imag]
    return [_real(item) for item in x] if isinstance(x, (list, tuple)) else x


def trajectories(p: Any) -> Any:
    out = {}
    for name, kind, settings in _runs(p):
        params = _weights(p)
        optimizer = kind(params, **settings)
        _train(optimizer, params, 7)
        out[name] = _real([plain(params), plain(optimizer.state_dict()), repr(optimizer)])
    return out


def resumed(p: Any) -> Any:
    """A run that is saved and loaded half-way ends where the uninterrupted one does."""
    out = {}
    for name, kind, settings in _runs(p):
        params = _weights(p)
        optimizer = kind(params, **settings)
        _train(optimizer, params, 2)
        twins = [p.nn.Parameter(parameter.detach().clone()) for parameter in params]
        other = kind(twins, lr=5.0)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        _train(optimizer, params, 2)
        _train(other, twins, 2)
        out[name] = [difference(_real(plain(params)), _real(plain(twins))) is None, list(other.param_groups[0]), list(other.state[twins[0]])]
    return out


def matrices(p: Any) -> Any:
    """The optimizers that treat matrices and vectors differently, or only the former; saved and loaded half-way."""
    out = {}
    for kind, rows in MATRIX_SETTINGS.items():
        for number, settings in enumerate(rows):
            values = [p.arange(6.0).reshape(2, 3).sin(), p.arange(12.0).reshape(4, 3).cos(), p.ones(3), p.tensor(2.0), p.ones(2, 3, 2).cumsum(0)]
            params = [p.nn.Parameter(value) for value in values[: 2 if kind == "Muon" else None]]
            optimizer = getattr(p.optim, kind)(params, **settings)
            for step in range(4):
                for shift, parameter in enumerate(params):
                    parameter.grad = (p.arange(parameter.numel()).float() + step + shift).cos().reshape(parameter.shape)
                if step == 2:
                    state = copy.deepcopy(optimizer.state_dict())
                    optimizer = getattr(p.optim, kind)(params)
                    optimizer.load_state_dict(state)
                optimizer.step()
            out[f"{kind} {number}"] = [plain(params), plain(optimizer.state_dict()), repr(optimizer)]
    return out


def refused_steps(p: Any) -> list[str]:
    out = []
    for kind, settings in (("Adafactor", {}), ("Muon", {}), ("Muon", {"ns_steps": 100}), ("Muon", {"ns_coefficients": (1, 2)})):
        weight = p.nn.Parameter(p.ones(2, 2, dtype=p.float32 if settings else p.complex64))
        weight.grad = p.ones_like(weight)
        out.append(message(getattr(p.optim, kind)([weight], **settings).step))
    return [*out, message(p.optim.Muon, [p.nn.Parameter(p.ones(2, 2))], lr=p.ones(2))]


def errors(p: Any) -> list[str]:
    a, b = _weights(p)
    out = [message(getattr(p.optim, kind), [a], **settings) for kind, rows in BAD.items() for settings in rows]
    a.grad = p.ones(2)
    sparse = p.optim.SparseAdam([a])
    return [*out, message(p.optim.LBFGS, [{"params": [a]}, {"params": [b]}]), message(sparse.step), list(sparse.param_groups[0])]


def lbfgs(p: Any) -> Any:
    out = []
    for settings in ({"lr": 0.5}, {"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe", "history_size": 3, "lr": 0.1}):
        x = p.nn.Parameter(p.tensor([-1.2, 1.0, 0.5], dtype=p.float64))
        optimizer = p.optim.LBFGS([x], max_iter=8, **settings)

        def closure(x=x, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (10 * (x[1:] - x[:-1] ** 2) ** 2).sum() + ((1 - x[:-1]) ** 2).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(2)]
        state = optimizer.state[x]
        out.append([losses, plain(x), state["func_evals"], state["n_iter"], list(state), len(state["old_dirs"]), list(optimizer.param_groups[0])])
    return out


SCENARIOS = [trajectories, resumed, matrices, refused_steps, errors, lbfgs]
