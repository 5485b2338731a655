"""Mistakes that users make, as scenarios: the kind and text of the error each raises. Imports neither package."""
from __future__ import annotations

import functools
from typing import Any

from scenario_tools import message


def shapes_that_do_not_fit(t: Any) -> list:
    return [message(lambda: t.ones(3) + t.ones(4)), message(lambda: t.ones(2, 3) @ t.ones(4, 5)), message(lambda: t.ones(6).view(4)),
            message(lambda: t.cat([t.ones(2, 3), t.ones(2, 4)])), message(lambda: t.stack([t.ones(2), t.ones(3)])),
            message(lambda: t.ones(2, 3).expand(2, 4)),
            message(lambda: t.nn.Linear(3, 2)(t.ones(5, 4))), message(lambda: t.ones(2).add_(t.ones(3, 2)))]


def dtypes_that_do_not_fit(t: Any) -> list:
    return [message(lambda: t.ones(2, dtype=t.int64).add_(1.5)), message(lambda: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64)),
            message(lambda: t.ones(2, dtype=t.bool) - t.ones(2, dtype=t.bool)), message(lambda: t.arange(3).mean()),
            message(lambda: t.tensor([1, 2], requires_grad=True)), message(lambda: t.ones(2, dtype=t.complex64) < 1), message(lambda: t.tensor("a")),
            message(lambda: t.nn.functional.cross_entropy(t.ones(2, 3), t.ones(2, dtype=t.int32)))]


def indices_out_of_range(t: Any) -> list:
    return [message(lambda: t.ones(3)[5]), message(lambda: t.ones(2, 3)[0, -4]), message(lambda: t.ones(3)[[0, 3]]), message(lambda: t.ones(3)[0, 0]),
            message(lambda: t.ones(3).sum(1)), message(lambda: t.ones(2, 2).transpose(0, 2)), message(lambda: t.gather(t.ones(3), 0, t.tensor([7]))),
            message(lambda: t.nn.functional.embedding(t.tensor([9]), t.ones(3, 2))), message(lambda: t.ones(3).index_select(0, t.tensor([3])))]


def indices_computed_on_the_device(t: Any) -> list:
    def computed(n: int) -> Any:
        return (t.ones(3) * n).sum().long()
    return [message(lambda: t.ones(3)[computed(2)].tolist()), message(lambda: t.ones(3)[computed(2)[None]].tolist()),
            message(lambda: t.gather(t.ones(3), 0, computed(3)[None]).tolist()),
            message(lambda: t.nn.functional.cross_entropy(t.ones(1, 3), computed(1)[None]).item())]


def reading_what_is_no_number(t: Any) -> list:
    x = t.ones(3)
    return [message(x.item), message(bool, x), message(float, x), message(int, x), message(lambda: range(3)[t.ones(2, dtype=t.int64)]),
            message(t.ones(2, requires_grad=True).numpy), message(lambda: len(t.tensor(1.0))), message(lambda: list(t.tensor(1.0)))]


def devices_that_are_not_there(t: Any) -> list:
    return [message(lambda: t.ones(2, device="nowhere")), message(lambda: t.device("cpu:x")), message(lambda: t.device("")),
            message(lambda: t.device(1.5)), message(lambda: t.ones(2).to(5)), message(lambda: t.ones(2, device=-1))]


def backwards_that_cannot_be(t: Any) -> list:
    x = t.ones(3, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    return [message((x * 2).backward), message(y.backward), message(t.ones(1).backward), message(lambda: x.add_(1)), message(lambda: x[0].mul_(2)),
            message(lambda: t.autograd.grad(x.sum(), t.ones(3, requires_grad=True))), message(lambda: (x * 2).backward(t.ones(4)))]


def _misused_pool(t: Any, kind: str, rank: int, bad: list) -> list:
    pool, x = getattr(t.nn.functional, f"{kind}_pool{rank}d"), t.ones(2, *(4,) * rank)
    inputs = [t.ones((3,) * n) for n in range(7) if n not in (rank + 1, rank + 2)] + [t.ones(2, 0, *(4,) * rank), t.ones(2, 3, *(0,) * rank)]
    return [message(functools.partial(pool, i, 2)) for i in inputs] + [message(functools.partial(pool, x, **b)) for b in bad]


def windows_that_do_not_fit(t: Any) -> list:
    windows = [{"kernel_size": 0}, {"kernel_size": -1}, {"kernel_size": 5}, {"kernel_size": (2, 2, 2, 2)}, {"kernel_size": 2.5},
               {"kernel_size": 2, "stride": -1}, {"kernel_size": 2, "stride": (1, 1, 1, 1)}, {"kernel_size": 2, "padding": 2},
               {"kernel_size": 2, "padding": -1}]
    sizes = [{"output_size": -1}, {"output_size": (2, 2, 2, 2)}]
    return [_misused_pool(t, kind, rank, bad) for rank in (1, 2, 3)
            for kind, bad in (("avg", windows), ("max", windows), ("adaptive_avg", sizes), ("adaptive_max", sizes))]


def arguments_that_do_not_fit(t: Any) -> list:
    x, y = t.ones(2, 3), t.ones(3)
    calls = [lambda: t.add(x, y, out=1), lambda: t.eq(x, y, out=1), lambda: t.maximum(x, y, out=1.0), lambda: t.unique(x, k=1),
             lambda: t.unique(x, True, True, k=1), lambda: t.unique_consecutive(x, return_counts=True, k=1), lambda: x.unique(k=1),
             lambda: t.nn.functional.pad(x, [1, 2, 3]), lambda: t.nn.functional.pad(x, [1] * 6), lambda: t.constant_pad_nd(x, [1] * 6),
             lambda: x.reshape(2, -2), lambda: x.view(-3, -1), lambda: x.masked_fill(t.ones(2, 2).bool(), 0),
             lambda: x.masked_fill_(t.ones(2, 2).bool(), 0), lambda: x.masked_scatter_(t.ones(2, 2).bool(), x),
             lambda: x.masked_select(t.ones(2, 2).bool()), lambda: t.einsum("ij,jk", x, x), lambda: t.einsum("ij,jk,kl", x, x, x),
             lambda: t.einsum("ij,jk", x, x, x), lambda: t.einsum("ij,jk,kl", x, x)]
    calls += [lambda: t.nn.functional.conv1d(t.ones(2, 3), t.ones(1, 1, 2, 2)),
              lambda: t.nn.functional.conv2d(t.ones(1, 2, 3), t.ones(1, 1, 2, 2, 2))]
    return [message(call) for call in calls] + [t.mul(t.tensor(2.0), t.tensor(3.0), out=1.5).item()]


SCENARIOS = [scenario for name, scenario in list(globals().items()) if callable(scenario) and name not in ("Any", "message") and name[0] != "_"]
