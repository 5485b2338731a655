"""Scenarios over the containers that run the same on torch and torchish: each takes the package and returns plain data."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from scenario_tools import clean, message


def _kinds(modules: Any) -> list[str]:
    return [type(module).__name__ for module in modules]


def sequential(p: Any) -> Any:
    nn = p.nn
    s = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    out = [_kinds(s), type(s[-1]).__name__, _kinds(s[1:]), list(s[1:]._modules), len(s)]
    s.append(nn.ELU()).insert(1, nn.GELU()).insert(-1, nn.SiLU()).extend([nn.Mish()])
    out.append([list(s._modules), _kinds(s)])
    del s[1]
    out.append([list(s._modules), _kinds(s), type(s.pop(0)).__name__, _kinds(s.pop(slice(0, 2))), list(s._modules)])
    s[0] = nn.CELU()
    both = s + nn.Sequential(nn.ReLU())
    out += [_kinds(both), _kinds(s * 2), _kinds(2 * s), _kinds(s)]
    s += nn.Sequential(nn.Tanh())
    s *= 2
    out += [_kinds(s), list(s._modules), _kinds(nn.Sequential(OrderedDict(a=nn.ReLU()))), repr(nn.Sequential(OrderedDict(a=nn.ReLU())))]
    return [*out, repr(nn.Sequential()), nn.Sequential(nn.ReLU(), nn.Tanh())(p.zeros(1)).tolist()]


def sequential_errors(p: Any) -> list[str]:
    s = p.nn.Sequential(p.nn.ReLU())
    return [
        message(lambda: s[3]),
        message(lambda: s + [1]),
        message(lambda: s * 0),
        message(lambda: s * "a"),
        message(s.insert, 5, p.nn.ReLU()),
        message(s.insert, 0, 3).replace("torch.nn.modules.module.", ""),
        message(p.nn.Sequential, 3),
        message(s.__delitem__, 4),
    ]


def module_list(p: Any) -> Any:
    nn = p.nn
    m = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()])
    out = [_kinds(m), repr(m), _kinds(m[:2]), type(m[-1]).__name__, len(m), repr(nn.ModuleList())]
    m.append(nn.Tanh()).extend([nn.ELU()])
    m.insert(1, nn.GELU())
    m += [nn.SiLU()]
    out.append([list(m._modules), _kinds(m), _kinds(m + [nn.Mish()])])
    del m[1:3]
    m[0] = nn.Mish()
    out.append([list(m._modules), _kinds(m), type(m.pop(-1)).__name__, _kinds(m)])
    return [*out, message(lambda: m[9]), message(m.extend, 3), message(m, 1), "0" in dir(m)]


def module_dict(p: Any) -> Any:
    nn = p.nn
    d = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
    d.update([("c", nn.ELU())])
    d["d"] = nn.GELU()
    out = [list(d.keys()), _kinds(d.values()), [key for key, _ in d.items()], "a" in d, len(d), list(d), repr(d)]
    del d["a"]
    out += [type(d.pop("b")).__name__, list(d)]
    out += [message(d.update, 3), message(d.update, [1]), message(d.update, [("x",)]), message(lambda: d["zz"])]
    d.clear()
    return [*out, len(d), repr(d)]


def parameter_list(p: Any) -> Any:
    nn = p.nn
    items = nn.ParameterList([p.zeros(2, 3), nn.Parameter(p.ones(1)), 5])
    items.append(p.zeros(()))
    items += [p.ones(2)]
    out = [[type(value).__name__ for value in items], len(items), list(items.state_dict()), clean(repr(items))]
    items[0] = p.ones(1)
    out += [items[0].tolist(), [type(value).__name__ for value in items[1:3]], items[-1].tolist()]
    return [*out, message(lambda: items[9]), message(items.extend, 3), message(items), "0" in dir(items)]


def parameter_dict(p: Any) -> Any:
    nn = p.nn
    d = nn.ParameterDict({"b": p.zeros(2), "a": p.ones(1)})
    d["c"] = 3
    d.update(OrderedDict(z=p.ones(1), y=p.ones(1)))
    out = [list(d), list(d.state_dict()), clean(repr(d)), d.get("zz", 4), d.setdefault("c", 9), list(reversed(d)), "a" in d, len(d)]
    out += [list(d.keys()), [key for key, _ in d.items()], len(list(d.values())), list(d.copy()), list(d.fromkeys(["k"], 1).items())]
    out += [d.pop("c"), d.popitem()[0], list(d)]
    del d["a"]
    other = nn.ParameterDict({"q": p.ones(1)})
    out += [list(d), list(d | other), list(other | d)]
    d |= other
    out += [list(d), message(d.update, 3), message(d.update, [1]), message(d.update, [("x",)]), message(lambda: d[1]), message(d, 1)]
    d.clear()
    return [*out, len(d)]


SCENARIOS = [sequential, sequential_errors, module_list, module_dict, parameter_list, parameter_dict]
