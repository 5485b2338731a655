"""What autograd.Function does, as functions of the package (torchish or torch) that return plain data."""

from __future__ import annotations

import warnings

from autograd_tools import leaf, said, scenarios
from scenario_tools import plain


def _make(p, forward, backward=lambda ctx, *g: g[0]):
    return type("F", (p.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def _facts(y, a):
    return [y.grad_fn.name() if y.grad_fn is not None else None, y.requires_grad, y.is_leaf, y._base is a, y._base is None, y is a, y._version,
            y.data_ptr() == a.data_ptr(), y.output_nr]


def inputs_and_views_as_outputs(p):
    same, view = _make(p, lambda ctx, a: a), _make(p, lambda ctx, a: a.view(-1))
    a = leaf(p)
    b = a * 1
    c = a * 1
    return [_facts(same.apply(a), a), _facts(same.apply(b), b), _facts(view.apply(a), a), _facts(view.apply(b), b), _facts(view.apply(c[:2]), c),
            _facts(same.apply(a.detach()), a), said(lambda: same.apply(b).mul_(2)), said(lambda: view.apply(b).mul_(2))]


def several_outputs(p):
    two = _make(p, lambda ctx, a: (a, a * 2), lambda ctx, g, h: g + h)
    views = _make(p, lambda ctx, a: (a.view(-1), a[:1]), lambda ctx, g, h: g)
    b = leaf(p) * 1
    return [[_facts(t, b) for t in two.apply(b)], said(lambda: two.apply(b)[0].mul_(2)), plain(two.apply(b)[1].mul_(2)),
            said(lambda: views.apply(b)[0].mul_(2))]


def dirty_inputs(p):
    def forward(ctx, a):
        a.mul_(2)
        ctx.mark_dirty(a)
        return a

    def forgetful(ctx, a):
        a.mul_(2)
        ctx.mark_dirty(a)
        return a * 1
    double = _make(p, forward, lambda ctx, g: g * 2)
    b = leaf(p) * 1
    y = double.apply(b)
    a = leaf(p)
    c = a * 1
    v = c[:2]
    w = double.apply(v)
    names = [w.grad_fn.name(), v.grad_fn.name(), c.grad_fn.name()]
    c.sum().backward()
    return [_facts(y, b), said(lambda: double.apply(leaf(p)) and None), _facts(double.apply(p.ones(3)), a), names, a.grad.tolist(),
            said(lambda: double.apply((leaf(p) * 1).chunk(2)[0])), said(lambda: _make(p, forgetful).apply(leaf(p) * 1))]


def non_differentiable_outputs(p):
    def forward(ctx, a):
        r, s = a > 1, a * 2
        ctx.mark_non_differentiable(r, s)
        return s, r

    def same(ctx, a):
        ctx.mark_non_differentiable(a)
        return a
    a = leaf(p)
    return [[t.requires_grad for t in _make(p, forward).apply(a)], _make(p, same).apply(a).requires_grad, a.requires_grad,
            _make(p, lambda ctx, a: a.long()).apply(a).requires_grad]


def outputs_that_are_not_tensors(p):
    a = leaf(p)
    bodies = [lambda ctx, a: None, lambda ctx, a: "x", lambda ctx, a: 3, lambda ctx, a: {"a": 1}]
    mixed = _make(p, lambda ctx, a: (a * 2, "x")).apply(a)
    return [_make(p, b).apply(a) for b in bodies] + [type(_make(p, lambda ctx, a: [a * 2]).apply(a)).__name__, plain(mixed[0]), mixed[1]]


def what_backward_may_return(p):
    def run(result, inputs=1):
        xs = [leaf(p) for _ in range(inputs)]
        _make(p, lambda ctx, *a: a[0] * 2, lambda ctx, g: result(g)).apply(*xs).sum().backward()
        return [plain(x.grad) for x in xs]
    results = [lambda g: g, lambda g: (g, g), lambda g: (g, None, None), lambda g: 3, lambda g: p.ones(7), lambda g: p.ones(2, 3),
               lambda g: p.ones([]),
               lambda g: g.double(), lambda g: g.long(), lambda g: [g], lambda g: None, lambda g: (), lambda g: g + 0j]

    def of_a_number():
        a = leaf(p)
        _make(p, lambda ctx, a, k: a * k, lambda ctx, g: (g, g)).apply(a, 2).sum().backward()
    return [said(run, r) for r in results] + [said(run, lambda g: g, 2), said(of_a_number)]


def context(p):
    log = []

    def forward(ctx, a, b, k):
        log.append(list(ctx.needs_input_grad))
        ctx.save_for_backward(a, b)
        ctx.k = k
        return a * b * k

    def backward(ctx, g):
        a, b = ctx.saved_tensors
        log.append([list(ctx.needs_input_grad), a.requires_grad, p.is_grad_enabled()])
        return g * b * ctx.k, None, None
    a = leaf(p)
    y = _make(p, forward, backward).apply(a, p.ones(3), 2)
    y.sum().backward()
    return [log, a.grad.tolist(), y.grad_fn.needs_input_grad, [n[1] for n in y.grad_fn.next_functions], said(lambda: y.grad_fn.saved_tensors)]


def setup_context(p):
    class Scale(p.autograd.Function):
        @staticmethod
        def forward(a, k):
            return a * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.k = inputs[1]
            ctx.save_for_backward(inputs[0], output)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None
    a = leaf(p)
    y = Scale.apply(a, 3.0)
    y.sum().backward()
    return [y.tolist(), a.grad.tolist(), y.grad_fn.name(), Scale.generate_vmap_rule]


def materialized_gradients(p):
    def run(on):
        log = []

        def forward(ctx, a):
            ctx.set_materialize_grads(on)
            return a * 2, a * 3

        def backward(ctx, g, h):
            log.append([plain(g), plain(h)])
            return g
        _make(p, forward, backward).apply(leaf(p))[0].sum().backward()
        return log
    return [run(True), run(False)]


def higher_derivatives(p):
    class Cube(p.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a ** 3

        @staticmethod
        def backward(ctx, g):
            a, = ctx.saved_tensors
            return 3 * a * a * g
    a = leaf(p)
    g, = p.autograd.grad(Cube.apply(a).sum(), a, create_graph=True)
    h, = p.autograd.grad(g.sum(), a, create_graph=True)
    k, = p.autograd.grad(h.sum(), a)
    return [g.tolist(), g.grad_fn.name(), h.tolist(), k.tolist()]


def once_differentiable(p):
    class Square(p.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a)
            return a * a

        @staticmethod
        @p.autograd.function.once_differentiable
        def backward(ctx, g):
            a, = ctx.saved_tensors
            return 2 * a * g
    a, w = leaf(p), leaf(p)
    g, = p.autograd.grad((Square.apply(a) * w).sum(), a, create_graph=True)
    return [g.tolist(), g.requires_grad, said(lambda: p.autograd.grad(g.sum(), w))]


def reentrant_backward(p):
    log = []

    def backward(ctx, g):
        with p.enable_grad():
            t = leaf(p)
            (t * t).sum().backward()
            log.append(t.grad.tolist())
        return g
    a = leaf(p)
    _make(p, lambda ctx, a: a * 2, backward).apply(a).sum().backward()
    return [log, a.grad.tolist()]


def exceptions_inside(p):
    def fail(ctx, *args):
        raise KeyError("no")
    a = leaf(p)
    return [said(_make(p, fail).apply, a), p.is_grad_enabled(), said(lambda: _make(p, lambda ctx, a: a * 2, fail).apply(a).sum().backward()),
            p.is_grad_enabled()]


def misuse(p):
    empty = type("G", (p.autograd.Function,), {})
    forward = staticmethod(lambda ctx, a: a * 2)
    half = type("H", (p.autograd.Function,), {"forward": forward})
    double = type("D", (p.autograd.Function,),
                  {"forward": forward, "backward": staticmethod(lambda ctx, g: g), "vjp": staticmethod(lambda ctx, g: g)})
    a = leaf(p)

    def saved(ctx, a):
        ctx.save_for_backward(a, 3)
        return a * 2

    def dirty(ctx, a):
        ctx.mark_dirty(3)
        return a * 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        instance = half()
    return [said(empty.apply, a), said(lambda: half.apply(a).sum().backward()), said(lambda: double.apply(a).sum().backward()), said(instance, a),
            said(_make(p, saved).apply, a), said(_make(p, dirty).apply, a)]


def freed_saved_tensors(p):
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return a * 2

    def looking(ctx, g):
        return g * (len(ctx.saved_tensors) > 0)

    def not_looking(ctx, g):
        return g
    results = []
    for backward in (looking, not_looking):
        a = leaf(p)
        loss = _make(p, forward, backward).apply(a).sum()
        loss.backward()
        results += [said(loss.backward), a.grad.tolist()]
    return results


def modified_saved_tensors(p):
    def forward(ctx, a):
        b = a.exp()
        ctx.save_for_backward(a, b)
        return b

    def backward(ctx, g):
        return g * ctx.saved_tensors[1]
    F = _make(p, forward, backward)

    def change_output():
        y = F.apply(leaf(p))
        y.add_(1)
        y.sum().backward()

    def change_input():
        b = leaf(p) * 1
        y = F.apply(b)
        b.add_(1)
        y.sum().backward()
    return [said(change_output), said(change_input)]


SCENARIOS = scenarios(globals())
