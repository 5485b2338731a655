"""Scenarios over nn.init and nn.utils that run the same on torch and torchish: each takes the package, returns plain data."""

from __future__ import annotations

import warnings
from typing import Any

from scenario_tools import clean, message

CALLS = [
    ("uniform_", {"a": -1.0, "b": 2.0}),
    ("normal_", {"mean": 1.0, "std": 0.5}),
    ("trunc_normal_", {}),
    ("trunc_normal_", {"mean": 0.5, "std": 0.3, "a": 0.0, "b": 1.0}),
    ("trunc_normal_", {"mean": 0.0, "std": 1.0, "a": 1.5, "b": 2.0}),
    ("constant_", {"val": 0.3}),
    ("ones_", {}),
    ("zeros_", {}),
    ("eye_", {}),
    ("xavier_uniform_", {"gain": 2.0}),
    ("xavier_normal_", {}),
    ("kaiming_uniform_", {"a": 0.1}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_normal_", {"nonlinearity": "tanh"}),
    ("orthogonal_", {"gain": 2.0}),
    ("sparse_", {"sparsity": 0.4}),
]


def seeded(p: Any) -> Any:
    """Every initialiser, seeded; one more draw afterwards shows how many it took."""
    out = []
    for name, settings in CALLS:
        for shape in ((3, 8), (6, 2)):
            p.manual_seed(1)
            tensor = p.empty(shape)
            result = getattr(p.nn.init, name)(tensor, **settings)
            out.append([name, result is tensor, tensor.tolist(), p.rand(1).item()])
    return out


def with_generator(p: Any) -> Any:
    out = []
    for name in ("uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
        generator = p.Generator()
        generator.manual_seed(5)
        out.append(getattr(p.nn.init, name)(p.empty(2, 3), generator=generator).tolist())
    return out


def dirac(p: Any) -> Any:
    shapes = [(4, 2, 3), (4, 2, 3, 3), (2, 2, 1, 3, 2)]
    return [p.nn.init.dirac_(p.empty(shape), groups).tolist() for shape in shapes for groups in (1, 2)]


def gains(p: Any) -> Any:
    gain = p.nn.init.calculate_gain
    kinds = ("linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")
    return [gain(kind) for kind in kinds] + [gain("leaky_relu", 0.2), gain("leaky_relu", 1)]


def keeps_leaf(p: Any) -> Any:
    parameter = p.nn.Parameter(p.empty(2, 2))
    p.nn.init.kaiming_uniform_(parameter)
    return [parameter.is_leaf, parameter.requires_grad, parameter.grad_fn is None]


def errors(p: Any) -> list[str]:
    init, x = p.nn.init, p.empty(2)
    return [
        message(init.calculate_gain, "x"),
        message(init.calculate_gain, "leaky_relu", True),
        message(init.calculate_gain, "leaky_relu", "x"),
        message(init.eye_, x),
        message(init.dirac_, x),
        message(init.dirac_, p.empty(3, 2, 2), 2),
        message(init.xavier_uniform_, x),
        message(init.kaiming_normal_, p.empty(2, 2), mode="x"),
        message(init.orthogonal_, x),
        message(init.sparse_, x, 0.5),
    ]


def notices(p: Any) -> list[Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        p.nn.init.kaiming_uniform_(p.empty(0, 2))
        p.nn.init.kaiming_normal_(p.empty(0, 2))
        p.nn.init.trunc_normal_(p.empty(2), mean=5.0)
        p.nn.init.normal(p.empty(2))
        p.nn.utils.clip_grad_norm_((x for x in []), 1.0)
    return [[item.category.__name__, clean(str(item.message))] for item in caught]


def _with_gradients(p: Any) -> list[Any]:
    a, b, c = p.nn.Parameter(p.zeros(2)), p.nn.Parameter(p.zeros(1, 2)), p.nn.Parameter(p.zeros(1))
    a.grad, b.grad = p.tensor([3.0, -1.0]), p.tensor([[2.0, -6.0]])
    return [a, b, c]


def clipping(p: Any) -> Any:
    utils, out = p.nn.utils, []
    for norm_type in (2.0, 1.0, float("inf"), 3):
        for limit in (1.0, 100.0):
            parameters = _with_gradients(p)
            norm = utils.clip_grad_norm_(parameters, limit, norm_type)
            out.append([norm.item(), [q.grad.tolist() for q in parameters[:2]]])
    parameters = _with_gradients(p)
    utils.clip_grad_value_(parameters, 1.5)
    out.append([q.grad.tolist() for q in parameters[:2]])
    utils.clip_grad_value_(parameters[0], 0.5)
    out.append(parameters[0].grad.tolist())
    utils.clip_grads_with_norm_(parameters, 1.0, p.tensor(4.0))
    out.append([q.grad.tolist() for q in parameters[:2]])
    parameters[0].grad = p.tensor([float("nan"), 1.0])
    out.append(message(utils.clip_grad_norm_, parameters, 1.0, error_if_nonfinite=True))
    return [*out, utils.clip_grad_norm_([], 1.0).item(), utils.get_total_norm([p.ones(4)]).item()]


def vectors(p: Any) -> Any:
    parameters = _with_gradients(p)
    p.nn.utils.vector_to_parameters(p.arange(5.0), parameters)
    back = p.nn.utils.parameters_to_vector(parameters)
    return [[q.tolist() for q in parameters], back.tolist(), message(p.nn.utils.vector_to_parameters, [1], parameters)]


SCENARIOS = [seeded, with_generator, dirac, gains, keeps_leaf, errors, notices, clipping, vectors]
