"""Scenarios over Module that run the same on torch and torchish: each takes the package and returns plain data.

The recorded and the differential tests run the same functions. What a scenario returns holds no package's own name.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import OrderedDict
from typing import Any

from scenario_tools import clean, message, plain


def small_net(p: Any) -> Any:
    """A network with a shared parameter, a buffer outside the state dict, a None parameter and nested children."""
    nn = p.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.register_buffer("seen", p.zeros(3))
            self.register_buffer("scratch", p.ones(1), persistent=False)
            self.register_parameter("missing", None)

        def forward(self, x: Any, scale: float = 1.0) -> Any:
            return self.fc(x) * scale

        def extra_repr(self) -> str:
            return "two\nlines"

    p.manual_seed(0)
    first = Block()
    second = Block()
    second.fc.weight = first.fc.weight
    net = nn.Sequential(OrderedDict(a=first, b=nn.ReLU(), c=second))
    net.again = first
    return net


def names(p: Any) -> Any:
    net = small_net(p)
    return {
        "parameters": [name for name, _ in net.named_parameters()],
        "with duplicates": [name for name, _ in net.named_parameters(remove_duplicate=False)],
        "prefixed": [name for name, _ in net.named_parameters(prefix="x", recurse=True)],
        "own": [name for name, _ in net.a.named_parameters(recurse=False)],
        "buffers": [name for name, _ in net.named_buffers()],
        "modules": [name for name, _ in net.named_modules(prefix="m")],
        "modules twice": [name for name, _ in net.named_modules(remove_duplicate=False)],
        "children": [name for name, _ in net.named_children()],
        "counts": [len(list(net.parameters())), len(list(net.buffers())), len(list(net.modules())), len(list(net.children()))],
        "state": list(net.state_dict()),
        "state prefixed": list(net.a.state_dict(prefix="p.")),
        "metadata": [[key, dict(value)] for key, value in net.state_dict()._metadata.items()],
        "repr": repr(net),
    }


def assignment_errors(p: Any) -> list[str]:
    nn, m = p.nn, p.nn.Linear(2, 2)

    class Late(nn.Module):
        def __init__(self, value: Any) -> None:
            self.value = value

    x = p.ones(2, requires_grad=True)
    return [
        message(Late, nn.Parameter(p.ones(1))),
        message(Late, nn.ReLU()),
        message(setattr, m, "weight", 3),
        message(setattr, m, "weight", "text"),
        message(setattr, nn.Sequential(nn.ReLU()), "0", 3),
        message(setattr, nn.BatchNorm1d(2), "running_mean", 1.5),
        message(m.register_parameter, "a.b", None),
        message(m.register_parameter, "", None),
        message(m.register_parameter, 1, None),
        message(m.register_parameter, "in_features", None),
        message(m.register_parameter, "new", 3),
        message(m.register_parameter, "new", nn.Parameter(p.ones(2)).detach().requires_grad_() * x),
        message(m.register_buffer, "a.b", None),
        message(m.register_buffer, "", None),
        message(m.register_buffer, 1, None),
        message(m.register_buffer, "in_features", None),
        message(m.register_buffer, "new", 3),
        message(m.add_module, "a.b", nn.ReLU()),
        message(m.add_module, "", nn.ReLU()),
        message(m.add_module, 1, nn.ReLU()),
        message(m.add_module, "weight", nn.ReLU()),
        message(m.add_module, "new", 3),
        message(getattr, m, "nothing"),
        message(delattr, m, "nothing"),
        message(m.train, 1),
        message(nn.Module, 1),
        message(nn.Module, size=1),
        message(nn.Module(), 1),
        message(m.to, p.int64),
    ]


def path_errors(p: Any) -> list[str]:
    net = small_net(p)
    return [
        message(net.get_submodule, "a.nothing"),
        message(net.get_submodule, "a.fc.weight"),
        message(net.get_parameter, "a.seen"),
        message(net.get_parameter, "a.fc.nothing"),
        message(net.get_buffer, "a.fc.weight"),
        message(net.set_submodule, "", p.nn.ReLU()),
        message(net.set_submodule, "a.fc.weight", p.nn.ReLU()),
        message(net.set_submodule, "a.other", p.nn.ReLU(), strict=True),
        str(net.get_submodule("a.fc")),
        str(net.get_submodule("") is net),
    ]


def attributes_move(p: Any) -> list[Any]:
    """Assigning a name another kind of thing has moves it between the tables."""
    nn, m = p.nn, p.nn.Module()
    seen = []

    def note() -> None:
        seen.append([list(m._parameters), list(m._buffers), list(m._modules), sorted(m._non_persistent_buffers_set), "x" in m.__dict__])

    m.x = 3
    note()
    m.x = nn.Parameter(p.ones(1))
    note()
    m.x = None
    note()
    m.x = nn.Parameter(p.ones(1))
    del m.x
    note()
    m.x = nn.Buffer(p.ones(1), persistent=False)
    note()
    m.x = p.zeros(1)
    note()
    m.x = nn.ReLU()
    note()
    m.x = None
    note()
    return seen


def load_report(p: Any) -> list[Any]:
    net = small_net(p)
    state = net.state_dict()
    good = net.load_state_dict(state)
    del state["a.fc.bias"]
    state["new"] = p.ones(1)
    state["c.deep.new"] = p.ones(1)
    state["a.seen"] = p.ones(5)
    loose = OrderedDict((key, value) for key, value in state.items() if key != "a.seen")
    result = net.load_state_dict(loose, strict=False)
    return [
        repr(good),
        clean(repr(result)),
        [list(result.missing_keys), list(result.unexpected_keys)],
        message(net.load_state_dict, state),
        message(net.load_state_dict, state, strict=False),
        message(net.load_state_dict, [1]),
        message(p.nn.Linear(1, 1).load_state_dict, {"weight": 1, "bias": "x"}),
    ]


def load_assigns(p: Any) -> list[Any]:
    net = p.nn.Linear(2, 1, bias=False)
    net.weight.requires_grad_(False)
    new = p.tensor([[1.0, 2.0]], dtype=p.float64)
    net.load_state_dict({"weight": new}, assign=True)
    copied = p.nn.Linear(2, 1, bias=False)
    before = copied.weight
    copied.load_state_dict({"weight": new})
    return [
        str(net.weight.dtype).split(".")[1],
        net.weight.requires_grad,
        type(net.weight).__name__,
        copied.weight is before,
        str(copied.weight.dtype).split(".")[1],
        plain(copied.weight),
    ]


def extra_state(p: Any) -> list[Any]:
    class Counting(p.nn.Module):
        count = 7

        def get_extra_state(self) -> Any:
            return self.count

        def set_extra_state(self, state: Any) -> None:
            self.count = state

    source, target = p.nn.Sequential(Counting()), p.nn.Sequential(Counting())
    source[0].count = 9
    target.load_state_dict(source.state_dict())
    missing = message(target.load_state_dict, {})
    unexpected = message(p.nn.ReLU().load_state_dict, {"_extra_state": 1})
    return [dict(source.state_dict()), target[0].count, missing, unexpected]


def state_hooks(p: Any) -> list[Any]:
    m, log = p.nn.Linear(1, 1, bias=False), []
    m.register_state_dict_pre_hook(lambda module, prefix, keep_vars: log.append(["save", prefix, keep_vars]))
    m._register_state_dict_hook(lambda module, state, prefix, metadata: state.update(extra=1))
    state = m.state_dict()
    m.register_load_state_dict_pre_hook(lambda module, state, prefix, *rest: state.pop("extra"))
    m.register_load_state_dict_post_hook(lambda module, keys: log.append(["loaded", list(keys.missing_keys)]))
    m.load_state_dict(state)
    m.register_state_dict_post_hook(lambda *args: {})
    return [list(state), log, message(m.state_dict)]


def forward_hooks(p: Any) -> list[Any]:
    m, log = p.nn.Linear(1, 1, bias=False), []
    p.nn.init.ones_(m.weight)
    x = p.tensor([2.0])
    m.register_forward_pre_hook(lambda module, args: log.append("pre"))
    doubled = m.register_forward_pre_hook(lambda module, args: args[0] * 2)
    m.register_forward_pre_hook(lambda module, args, kwargs: (args, kwargs), with_kwargs=True, prepend=True)
    m.register_forward_hook(lambda module, args, out: log.append("post"))
    m.register_forward_hook(lambda module, args, kwargs, out: out + 1, with_kwargs=True)
    m.register_forward_hook(lambda module, args, out: log.append("first"), prepend=True)
    out = [plain(m(x))]
    doubled.remove()
    doubled.remove()
    out.append(plain(m(x)))
    with m.register_forward_hook(lambda module, args, result: result * 0):
        out.append(plain(m(x)))
    out.append(plain(m(x)))
    bad = p.nn.ReLU()
    bad.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    return [out, log, message(bad, x)]


def always_called_hooks(p: Any) -> list[Any]:
    log: list[str] = []

    class Failing(p.nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("broken")

    m = Failing()
    m.register_forward_hook(lambda module, args, out: log.append("normal"))
    m.register_forward_hook(lambda module, args, out: log.append(f"always {out}"), always_call=True)

    def failing_hook(module: Any, args: Any, out: Any) -> None:
        raise KeyError("second")

    m.register_forward_hook(failing_hook, always_call=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        text = message(m, p.ones(1))
    return [text, log, [str(item.message) for item in caught]]


def global_hooks(p: Any) -> list[Any]:
    hooks, log = p.nn.modules.module, []
    handles = [
        hooks.register_module_forward_pre_hook(lambda module, args: log.append("pre " + type(module).__name__)),
        hooks.register_module_forward_hook(lambda module, args, out: log.append("post " + type(module).__name__)),
        hooks.register_module_parameter_registration_hook(lambda module, name, value: log.append("parameter " + name)),
        hooks.register_module_buffer_registration_hook(lambda module, name, value: log.append("buffer " + name)),
        hooks.register_module_module_registration_hook(lambda module, name, value: log.append("module " + name)),
    ]
    p.nn.Sequential(p.nn.BatchNorm1d(2).eval())(p.ones(1, 2))
    for handle in handles:
        handle.remove()
    p.nn.Sequential(p.nn.ReLU())(p.ones(1))
    return log


def conversions(p: Any) -> list[Any]:
    def dtypes(net: Any) -> list[str]:
        return [str(value.dtype).split(".")[1] for value in net.state_dict().values()]

    net = p.nn.Sequential(p.nn.Linear(1, 1), p.nn.BatchNorm1d(1))
    weight = net[0].weight
    net[0](p.ones(1, 1)).sum().backward()
    out = [dtypes(net.double()), dtypes(net.half()), dtypes(net.bfloat16()), dtypes(net.float())]
    out += [dtypes(net.to(p.float64)), dtypes(net.to("cpu", p.float32)), dtypes(net.to(p.ones(1, dtype=p.float64)))]
    out.append([net[0].weight is weight, str(weight.grad.dtype).split(".")[1], net[0].weight.is_leaf, net[0].weight.requires_grad])
    return out


def modes_and_gradients(p: Any) -> list[Any]:
    net = p.nn.Sequential(p.nn.Linear(1, 1), p.nn.Dropout())
    out = [[module.training for module in net.eval().modules()], [module.training for module in net.train().modules()]]
    net[0](p.ones(1, 1)).sum().backward()
    net.zero_grad(set_to_none=False)
    out.append([plain(parameter.grad) for parameter in net.parameters()])
    net.zero_grad()
    out.append([parameter.grad is None for parameter in net.parameters()])
    out.append([parameter.requires_grad for parameter in net.requires_grad_(False).parameters()])
    seen: list[str] = []
    net.apply(lambda module: seen.append(type(module).__name__))
    return [*out, seen]


def copies(p: Any) -> list[Any]:
    net = p.nn.Sequential(p.nn.Linear(2, 2), p.nn.BatchNorm1d(2))
    twin, revived = copy.deepcopy(net), pickle.loads(pickle.dumps(net))
    with p.no_grad():
        net[0].weight.zero_()
    return [
        twin[0].weight.abs().sum().item() > 0,
        list(twin.state_dict()) == list(net.state_dict()) == list(revived.state_dict()),
        repr(twin) == repr(net) == repr(revived),
        type(revived[0].weight).__name__,
        revived[0].weight.requires_grad,
    ]


def directory(p: Any) -> list[Any]:
    listed = dir(p.nn.Sequential(p.nn.Linear(1, 1)))
    return ["0" in listed, "training" in listed, "weight" in dir(p.nn.Linear(1, 1)), "forward" in listed]


SCENARIOS = [
    names,
    assignment_errors,
    path_errors,
    attributes_move,
    load_report,
    load_assigns,
    extra_state,
    state_hooks,
    forward_hooks,
    always_called_hooks,
    global_hooks,
    conversions,
    modes_and_gradients,
    copies,
    directory,
]
