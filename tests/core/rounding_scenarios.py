"""Results that are nothing but rounding: they show whether every rounding is torch's. Functions of the package (torchish or torch)."""

from __future__ import annotations

from autograd_tools import scenarios

_ROWS = [[0.1, 0.7, -2.5], [1.3, -0.75, 2.2]]
_RUNS = 3  # the first is replayed in NumPy, the last compiled


def _bits(t):
    return [float(v).hex() for v in t.detach().reshape(-1).tolist()]


def _each_run(p, compute):
    """The bits of what `compute(x)` gives, the runs that agree only once."""
    runs = []
    for _ in range(_RUNS):
        found = [_bits(r) for r in compute(p.tensor(_ROWS, requires_grad=True))]
        if found not in runs:
            runs.append(found)
    return runs


def sums_and_means(p):
    values = [0.1, 0.2, 0.3, -0.7, 1e-8, 3.3, 1e3, 0.7, -1e3, 0.1, -2.2]
    x, y = p.tensor(values), p.tensor(values, dtype=p.float64)
    rows = x[:10].reshape(5, 2)
    return [_bits(r) for r in (x[:6].sum(), x[:7].mean(), x.sum(), y[:3].sum(), y.sum(), rows.sum(0), rows.sum(1), rows.mean())]


def what_layer_norm_leaves_of_the_mean(p):
    def compute(x):
        y = p.nn.LayerNorm(3)(x)
        return y, y.mean(), y.sum()
    return _each_run(p, compute)


def what_batch_norm_leaves_of_the_mean(p):
    def compute(x):
        y = p.nn.BatchNorm1d(3)(x)
        return y, y.mean(), y.sum()
    return _each_run(p, compute)


def softmax_and_its_gradient(p):
    weights = p.tensor([[1.0, 2.0, 4.0], [0.5, -1.0, 1.0]])

    def compute(x):
        y = x.softmax(-1)
        return y, *p.autograd.grad((y * weights).sum(), x)
    return _each_run(p, compute)


def a_sum_is_never_minus_zero(p):
    return [_bits(p.tensor([-0.0] * n).sum()) for n in (1, 2, 9)]


def gradients_of_what_is_normalised(p):
    def compute(x):
        found = []
        for layer in (p.nn.LayerNorm(3), p.nn.BatchNorm1d(3)):
            found += p.autograd.grad((layer(x) * p.tensor([[1.0, 2.0, 4.0], [0.5, -1.0, 1.0]])).sum(), x)
        return found
    return _each_run(p, compute)


SCENARIOS = scenarios(globals())
