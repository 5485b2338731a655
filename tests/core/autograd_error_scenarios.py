"""What autograd refuses, as functions of the package (torchish or torch) that return plain data."""

from __future__ import annotations

import warnings

from autograd_tools import leaf, said, scenarios


def freed_graphs(p):
    def twice(make):
        y = make(leaf(p)).sum()
        y.backward()
        y.backward()
    makers = [lambda a: a * a, lambda a: a + 1, lambda a: a * 2, lambda a: a / 2, lambda a: a.exp(), lambda a: a[1:], lambda a: a.view(3, 1),
              lambda a: a.relu(),
              lambda a: a.mean(), lambda a: a.abs(), lambda a: a - a, lambda a: a.max()]
    return [said(twice, m) for m in makers]


def modified_saved_tensors(p):
    def run(make, change):
        a = leaf(p)
        y = a + 1
        z = make(y)
        change(y, z)
        z.sum().backward()

    def without_grad(y, z):
        with p.no_grad():
            y.mul_(3)
    return [said(run, *case) for case in [
        (lambda y: y * y, lambda y, z: y.add_(1)), (lambda y: y.exp(), lambda y, z: z.add_(1)), (lambda y: y.sin(), lambda y, z: y.zero_()),
        (lambda y: y * y, lambda y, z: y.__setitem__(0, 1.0)), (lambda y: y[:2].sin(), lambda y, z: y.__setitem__(0, 1.0)),
        (lambda y: y.sin(), without_grad),
        (lambda y: y.sin(), lambda y, z: y.detach().mul_(3)), (lambda y: y + 1, lambda y, z: y.mul_(2)),
        (lambda y: y.sort()[0], lambda y, z: y.mul_(2))]]


def writes_to_leaves_and_views_of_leaves(p):
    def view_made_without_grad():
        b = leaf(p) * 1
        with p.no_grad():
            v = b[:2]
        v.mul_(2)
    return [said(lambda: leaf(p).add_(1)), said(lambda: leaf(p)[:2].mul_(2)), said(lambda: leaf(p).view(3).mul_(2)),
            said(lambda: (leaf(p) * 1).chunk(2)[0].mul_(2)), said(view_made_without_grad), said(lambda: leaf(p).__setitem__(0, 1.0))]


def inference_tensors(p):
    with p.inference_mode():
        t = p.ones(3)
    a = leaf(p)
    return [said(lambda: a * t), (a + t).requires_grad, said(t.requires_grad_), said(lambda: t._version), t.view(3).is_inference(),
            said(lambda: t.mul_(2) and None)]


def cotangents(p):
    a = leaf(p)
    cases = [p.ones(2), p.ones(3, dtype=p.float64), p.ones(3, dtype=p.int64), p.ones(3, dtype=p.complex64), 3, None]
    return [said((a * 2).backward, g) for g in cases] + [said(p.ones([], dtype=p.complex64, requires_grad=True).backward),
                                                         said(p.ones(3).sum().backward)]


def requires_grad_flags(p):
    def setting(t, on):
        t.requires_grad = on
    b = leaf(p) * 2
    return [said(p.arange(3).requires_grad_), said(setting, b, True), said(setting, b, False), said(b.requires_grad_, False),
            said(lambda: p.ones(2, dtype=p.int64, requires_grad=True))]


def assigned_gradients(p):
    def assign(g):
        a = leaf(p)
        a.grad = g(a)
    return [said(assign, g) for g in (lambda a: p.ones(2), lambda a: p.ones(3, dtype=p.int64), lambda a: p.ones(3, dtype=p.float64), lambda a: 3,
                                      lambda a: a,
                                      lambda a: p.ones(3), lambda a: None)]


def anomaly_detection(p):
    def run(inside):
        a = p.tensor([0.0, 1.0], requires_grad=True)
        if inside:
            with p.autograd.detect_anomaly():
                y = a.sqrt() * 0  # the failing line
                return said(lambda: y.sum().backward())
        y = a.sqrt() * 0
        with p.autograd.set_detect_anomaly(True):
            return said(lambda: y.sum().backward())
    results = []
    for inside in (True, False):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            results.append(run(inside))
        texts = [str(w.message) for w in caught]
        results.append([t.partition("\n")[0].partition(" (Triggered")[0] for t in texts])
        results.append(["# the failing line" in t for t in texts])
    with warnings.catch_warnings(), p.autograd.set_detect_anomaly(True, check_nan=False):
        a = p.tensor([0.0, 1.0], requires_grad=True)
        (a.sqrt() * 0).sum().backward()
    return [*results, p.is_anomaly_enabled()]


def gradient_of_a_non_leaf_warns(p):
    b = leaf(p) * 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        b.grad
    return [str(w.message)[:80] for w in caught]


SCENARIOS = scenarios(globals())
