"""Lazy layers and uninitialized tensors: how they look, when they get their sizes, what they refuse, how state gets in and out."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from scenario_tools import message, plain

CONVOLUTIONS = [f"Lazy{name}{rank}d" for name in ("Conv", "ConvTranspose") for rank in (1, 2, 3)]
NORMS = [f"Lazy{name}{rank}d" for name in ("BatchNorm", "InstanceNorm") for rank in (1, 2, 3)]


def _kind(tensor: Any) -> str:
    return type(tensor).__name__


def linear(p: Any) -> list[Any]:
    lazy = p.nn.LazyLinear(3)
    before = [repr(lazy), repr(lazy.weight), lazy.in_features, lazy.has_uninitialized_params(), [repr(v) for v in lazy.state_dict().values()]]
    p.manual_seed(0)
    made = lazy(p.ones(2, 4))
    return [*before, _kind(lazy), repr(lazy), plain(made), _kind(lazy.weight), len(lazy._forward_pre_hooks), hasattr(lazy, "_load_hook")]


def convolutions(p: Any) -> list[Any]:
    out = []
    for name in CONVOLUTIONS:
        p.manual_seed(0)
        lazy = getattr(p.nn, name)(4, 2, groups=2)
        before = repr(lazy)
        made = lazy(p.ones(2, 2, *[3] * int(name[-2])))
        out.append([before, repr(lazy), plain(lazy.weight), list(made.shape), message(getattr(p.nn, name)(4, 2), p.ones(1))])
    return [*out, message(p.nn.LazyConv1d(4, 2, groups=2), p.ones(1, 3, 4))]


def norms(p: Any) -> list[Any]:
    out = []
    for name in NORMS:
        for settings in ({}, {"affine": False}, {"track_running_stats": False}, {"bias": False}):
            lazy = getattr(p.nn, name)(**settings)
            before = [repr(lazy), [[key, repr(value)] for key, value in lazy.state_dict().items()]]
            made = lazy(p.arange(2 * 3 * 2 ** int(name[-2])).float().reshape(2, 3, *[2] * int(name[-2])))
            out.append([*before, repr(lazy), plain(dict(lazy.state_dict())), plain(made[0])])
    return out


def state(p: Any) -> list[Any]:
    """A loaded state gives the shapes; a lazy state goes into a lazy module only."""
    full, lazy = p.nn.Linear(4, 3), p.nn.LazyLinear(3)
    loaded = [repr(lazy.load_state_dict(full.state_dict())), repr(lazy), list(lazy.weight.shape), lazy.in_features]
    lazy(p.ones(1, 4))
    empty = p.nn.LazyLinear(3).state_dict()
    return [*loaded, repr(lazy), repr(p.nn.LazyLinear(3).load_state_dict(empty)), message(full.load_state_dict, empty)]


def refusals(p: Any) -> list[Any]:
    weight = p.nn.LazyLinear(3).weight

    def shape() -> Any:
        return weight.shape

    def add() -> str:
        try:
            weight + 1
        except ValueError as error:
            return str(error).split(" in ")[0]
        return "no error"
    return [message(shape), add(), message(weight.share_memory_), list(weight.size()), weight.ndim, str(weight.dtype), str(weight.device)]


def conversions(p: Any) -> list[Any]:
    """Dtypes change, copies are as uninitialized, and optimizers hold the object that is filled later."""
    lazy = p.nn.LazyLinear(3)
    twin = copy.deepcopy(lazy)
    optimizer = p.optim.SGD(lazy.parameters(), lr=0.1)
    double = p.nn.LazyLinear(3).double()
    made = double(p.ones(1, 2, dtype=p.float64))
    lazy(p.ones(1, 2)).sum().backward()
    optimizer.step()
    held = [optimizer.param_groups[0]["params"][0] is lazy.weight, list(lazy.weight.shape)]
    return [repr(twin.weight), twin.weight is lazy.weight, str(made.dtype), str(p.nn.LazyLinear(3).half().weight.dtype), *held]


def materialize(p: Any) -> list[Any]:
    parameter, buffer = p.nn.UninitializedParameter(dtype=p.float64), p.nn.UninitializedBuffer()
    kinds = [_kind(parameter), _kind(buffer), isinstance(parameter, p.nn.Parameter), p.nn.parameter.is_lazy(parameter), parameter.requires_grad]
    parameter.materialize((2, 3))
    buffer.materialize((2,))
    return [*kinds, _kind(parameter), _kind(buffer), list(parameter.shape), str(parameter.dtype), p.nn.parameter.is_lazy(parameter),
            parameter.requires_grad, parameter.is_leaf, buffer.requires_grad]


def own_lazy_module(p: Any) -> list[Any]:
    class Scale(p.nn.modules.lazy.LazyModuleMixin, p.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = p.nn.UninitializedParameter()

        def initialize_parameters(self, x: Any, fill: float = 1.0) -> None:
            if self.has_uninitialized_params():
                self.scale.materialize(x.shape[-1:])
                with p.no_grad():
                    self.scale.fill_(fill)

        def forward(self, x: Any, fill: float = 1.0) -> Any:
            return x * self.scale

    class Forgetful(Scale):
        def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
            pass

    scale = Scale()
    return [plain(scale(p.ones(2, 3), fill=2.0)), plain(scale(p.ones(3))), message(Forgetful(), p.ones(2))]


def in_sequence(p: Any) -> list[Any]:
    net = p.nn.Sequential(p.nn.LazyConv2d(2, 3), p.nn.LazyBatchNorm2d(), p.nn.Flatten(), p.nn.LazyLinear(2))
    before = repr(net)
    return [before, list(net(p.ones(2, 1, 4, 4)).shape), repr(net)]


def _quiet(scenario: Any) -> Any:
    def quiet(p: Any) -> list[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that lazy modules are new
            return scenario(p)
    quiet.__name__ = scenario.__name__
    return quiet


SCENARIOS = [_quiet(each) for each in (linear, convolutions, norms, state, refusals, conversions, materialize, own_lazy_module, in_sequence)]
