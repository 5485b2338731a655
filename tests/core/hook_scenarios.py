"""What hooks do, as functions of the package (torchish or torch) that return plain data: on tensors, nodes, leaves, modules, saved tensors."""

from __future__ import annotations

import warnings

from autograd_tools import leaf, said, scenarios
from scenario_tools import plain


def _gradient_with_hook(p, hook, on_leaf=True):
    a = leaf(p)
    b = a * 2
    (a if on_leaf else b).register_hook(hook)
    (b * b).sum().backward()
    return a.grad.tolist()


def tensor_hooks_replace_the_gradient(p):
    return [_gradient_with_hook(p, lambda g: g * 10), _gradient_with_hook(p, lambda g: None), _gradient_with_hook(p, lambda g: g.mul_(2))]


def tensor_hooks_are_checked(p):
    def named(g):
        return p.ones(2)

    class Callable:
        def __call__(self, g):
            return p.ones(2)
    hooks = [named, Callable(), lambda g: g.double(), lambda g: 3, lambda g: p.ones(1), 3]
    return [said(_gradient_with_hook, p, h, on_leaf) for h in hooks for on_leaf in (True, False)]


def hooks_run_in_order(p):
    log = []
    a = leaf(p)
    b = a * 2
    b.grad_fn.register_prehook(lambda g: log.append("pre"))
    b.grad_fn.register_hook(lambda i, o: log.append("post"))
    b.register_hook(lambda g: log.append("first"))
    b.retain_grad()
    b.register_hook(lambda g: log.append(["second", b.grad is None]))
    a.register_hook(lambda g: log.append("leaf"))
    a.register_post_accumulate_grad_hook(lambda t: log.append("accumulated"))
    (b * b).sum().backward()
    return log


def grad_runs_hooks_only_where_needed(p):
    log = []
    a = leaf(p)
    b = a * 2
    b.grad_fn.register_prehook(lambda g: log.append("pre"))
    b.grad_fn.register_hook(lambda i, o: log.append("post"))
    b.register_hook(lambda g: log.append("b"))
    a.register_hook(lambda g: log.append("a"))
    p.autograd.grad((b * b).sum(), [b])
    log.append("then")
    p.autograd.grad((b * b).sum(), [a, b])
    return log


def hooks_registered_or_removed_in_backward(p):
    log = []
    a = leaf(p)
    b = a * 2

    def hook(g):
        a.register_hook(lambda g: log.append("late leaf"))
        b.register_hook(lambda g: log.append("late self"))
    b.register_hook(hook)
    (b * b).sum().backward()
    c = leaf(p)
    c.register_hook(lambda g: later.remove())
    later = c.register_hook(lambda g: log.append("removed too late"))
    (c * 2).sum().backward()
    (c * 2).sum().backward()
    return log


def handles(p):
    a = leaf(p)
    log = []
    with a.register_hook(lambda g: log.append(1)) as handle:
        (a * 1).sum().backward()
    (a * 1).sum().backward()
    handle.remove()
    return [log, type(handle).__name__, len(a._backward_hooks), a._post_accumulate_grad_hooks is None]


def retain_grad_follows_in_place_operations(p):
    a = leaf(p)
    b = a * 2
    log = []
    b.register_hook(lambda g: log.append(["old", g.tolist()]))
    b.retain_grad()
    b.mul_(3)
    b.register_hook(lambda g: log.append(["new", g.tolist()]))
    b.sum().backward()
    c = leaf(p) * 2
    v = c[:2]
    v.retain_grad()
    c.mul_(3)
    (v * v).sum().backward()
    d = leaf(p) * 2
    w = d[:2]
    w.retain_grad()
    d.retain_grad()
    w.mul_(3)
    (d * d).sum().backward()
    return [log, b.grad.tolist(), b.retains_grad, v.grad.tolist(), plain(w.grad), d.grad.tolist()]


def retained_gradients_accumulate_anew(p):
    a = leaf(p)
    b = a * 2
    b.retain_grad()
    loss = (b * b).sum()
    loss.backward(retain_graph=True)
    first = b.grad
    loss.backward()
    return [b.grad.tolist(), first is b.grad, a.retains_grad]


def undefined_gradients_reach_hooks(p):
    class Twice(p.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            log.append(["backward", g.tolist()])
            return g * 2

    class Nothing(p.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return None
    log = []
    a = leaf(p)
    b = Twice.apply(a)
    b.register_hook(lambda g: log.append(["tensor", plain(g)]))
    b.grad_fn.register_prehook(lambda g: log.append(["pre", plain(g)]))
    a.register_hook(lambda g: log.append(["leaf", plain(g)]))
    Nothing.apply(b).sum().backward()
    c = leaf(p)
    c.register_hook(lambda g: log.append(["leaf", plain(g)]))
    c.register_post_accumulate_grad_hook(lambda t: log.append(["accumulated", plain(t.grad)]))
    Nothing.apply(c).sum().backward()
    return [log, plain(a.grad), plain(c.grad)]


def node_hooks_are_checked(p):
    def run(kind, hook):
        a = leaf(p)
        b = a * 2
        getattr(b.grad_fn, kind)(hook)
        (b * b).sum().backward()
        return plain(a.grad)
    after = [lambda i, o: None, lambda i, o: (i[0] * 10, None), lambda i, o: (i[0] * 10,), lambda i, o: i[0], lambda i, o: (p.ones(2), None),
             lambda i, o: (None, None), lambda i, o: (i[0], p.ones(3)), lambda i, o: 3]
    before = [lambda o: None, lambda o: (o[0] * 10,), lambda o: o[0], lambda o: (o[0], None), lambda o: (p.ones(2),), lambda o: 3]
    return [said(run, "register_hook", h) for h in after] + [said(run, "register_prehook", h) for h in before]


def accumulate_nodes_have_hooks(p):
    def run(kind, hook):
        a = leaf(p)
        node = a.expand_as(a).grad_fn.next_functions[0][0]
        getattr(node, kind)(hook)
        (a * a).sum().backward()
        return a.grad.tolist()
    log = []
    return [run("register_hook", lambda i, o: log.append([plain(i), plain(o)])), run("register_prehook", lambda o: (o[0] * 10,)), log]


def hooks_survive_toggling_requires_grad(p):
    a = leaf(p)
    log = []
    a.register_hook(lambda g: log.append(1))
    a.requires_grad_(False)
    a.requires_grad_(True)
    (a * 2).sum().backward()
    return log


def registration_is_refused(p):
    return [said(p.ones(2).register_hook, print), said(p.ones(2).retain_grad), said(p.ones(2).register_post_accumulate_grad_hook, print),
            said((leaf(p) * 2).register_post_accumulate_grad_hook, print)]


def multi_grad_hooks(p):
    def run(mode):
        log = []
        a, b, c = leaf(p), leaf(p), leaf(p)
        handle = p.autograd.graph.register_multi_grad_hook((a, b, c), lambda g: log.append(plain(g)), mode=mode)
        (a * 2).sum().backward()
        (a * 2 + b + a).sum().backward()
        (a + b + c).sum().backward()
        handle.remove()
        (a + b + c).sum().backward()
        return log
    return [run("all"), run("any"), said(run, "none")]


# ---------------------------------------------------------------- saved tensors
def saved_tensor_hooks_see_what_is_kept(p):
    log = []

    def pack(t):
        log.append(["pack", list(t.shape), p.is_grad_enabled()])
        return t

    def unpack(t):
        log.append("unpack")
        return t
    with p.autograd.graph.saved_tensors_hooks(pack, unpack):
        a = leaf(p, 0.1, 0.2, 0.3)
        loss = (a * 2 * a).exp().sum().sin()
    loss.backward()
    return [log, a.grad.tolist()]


def saved_tensor_hooks_can_change_what_is_kept(p):
    def run(unpack, pack=lambda t: t):
        with p.autograd.graph.saved_tensors_hooks(pack, unpack):
            a = leaf(p)
            loss = (a * a).sum()
        loss.backward()
        return a.grad.tolist()

    def result(unpack):
        with p.autograd.graph.saved_tensors_hooks(lambda t: t, unpack):
            a = leaf(p)
            y = a.exp()
        y.sum().backward()
        return a.grad.tolist()
    return [said(run, lambda t: t * 2), said(run, lambda t: t.double()), said(run, lambda t: 3), said(run, lambda t: p.ones(3), lambda t: "x"),
            said(run, lambda t: t, lambda t: t.mul_(2)), result(lambda t: t * 2)]


def saved_tensor_hooks_can_be_disabled(p):
    graph = p.autograd.graph

    def inside():
        with graph.disable_saved_tensors_hooks("no hooks"), graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass

    def around():
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t), graph.disable_saved_tensors_hooks("no hooks"):
            pass
    return [said(inside), said(around)]


def save_on_cpu(p):
    with p.autograd.graph.save_on_cpu():
        a = leaf(p)
        loss = (a * a).sin().sum()
    loss.backward()
    return a.grad.tolist()


def mutation_of_saved_tensors_can_be_allowed(p):
    allow = p.autograd.graph.allow_mutation_on_saved_tensors

    def late():
        with allow():
            b = leaf(p).clone()
            loss = (b ** 2).sum()
            b.sin_()
        loss.backward()

    def nested():
        with allow(), allow():
            pass
    with allow():
        a = leaf(p)
        b = a.clone()
        loss = (b ** 2).sum()
        b.sin_()
        loss.backward()
    return [a.grad.tolist(), said(late), said(nested)]


# ---------------------------------------------------------------- modules
def _shapes(x):
    return None if x is None else [_shapes(v) for v in x] if isinstance(x, tuple) else list(x.shape)


def _network(p):
    p.manual_seed(0)
    return p.nn.Sequential(p.nn.Linear(3, 2), p.nn.Tanh(), p.nn.Linear(2, 1))


def module_backward_hooks(p):
    log, net = [], _network(p)
    for i, m in enumerate(net):
        m.register_full_backward_hook(lambda m, i_, o, i=i: log.append([i, _shapes(i_), _shapes(o)]))
        m.register_full_backward_pre_hook(lambda m, o, i=i: log.append(["pre", i, _shapes(o)]))
    x = p.ones(4, 3, requires_grad=True)
    y = net(x)
    y.sum().backward()
    return [log, y.grad_fn.name(), y.grad_fn.next_functions[0][0].name(), x.grad.tolist()]


def module_backward_hooks_replace_gradients(p):
    m = p.nn.Linear(3, 2)
    m.register_full_backward_hook(lambda m, i, o: (i[0] * 10,))
    m.register_full_backward_pre_hook(lambda m, o: (o[0] * 2,))
    x = p.ones(4, 3, requires_grad=True)
    weight = m.weight.detach().sum(0)
    m(x).sum().backward()
    return [(x.grad / weight).tolist(), m.weight.grad.tolist()]


def module_backward_hooks_are_checked(p):
    def run(register, result):
        m = p.nn.Linear(3, 2)
        getattr(m, register)(lambda *args: result)
        x = p.ones(4, 3, requires_grad=True)
        m(x).sum().backward()
        return _shapes(x.grad)
    after = [p.ones(4, 3), (p.ones(4, 3), None), (p.ones(4, 1),), 3, (None,)]
    before = [p.ones(4, 2), (p.ones(4, 2), None), (p.ones(4, 1),), (None,)]
    return [said(run, "register_full_backward_hook", r) for r in after] + [said(run, "register_full_backward_pre_hook", r) for r in before]


def module_backward_hook_order(p):
    m, log = p.nn.Linear(3, 2), []
    m.register_full_backward_hook(lambda *a: log.append(1))
    m.register_full_backward_hook(lambda *a: log.append(2), prepend=True)
    handle = m.register_full_backward_hook(lambda *a: log.append(3))
    m.register_forward_hook(lambda m, i, o: log.append(o.grad_fn.name()))
    m.register_forward_pre_hook(lambda m, i: log.append(i[0].grad_fn is None))
    x = p.ones(1, 3, requires_grad=True)
    m(x).sum().backward()
    handle.remove()
    m(x).sum().backward()
    with p.no_grad():
        log.append(m(x).grad_fn is None) if not m._forward_hooks.clear() else None
    return log


def module_backward_hooks_without_inputs_that_need_them(p):
    m, log = p.nn.Linear(3, 2), []
    m.register_full_backward_hook(lambda m, i, o: log.append([_shapes(i), _shapes(o)]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        m(p.ones(4, 3)).sum().backward()
    return [log, [str(w.message)[:60] for w in caught]]


def old_and_new_backward_hooks_do_not_mix(p):
    def mixed(first, second):
        m = p.nn.Linear(3, 2)
        getattr(m, first)(print)
        getattr(m, second)(print)
    names = ["register_backward_hook", "register_full_backward_hook"]
    return [said(mixed, *names), said(mixed, *reversed(names))]


def process_wide_backward_hooks(p):
    log, module = [], p.nn.modules.module
    first = module.register_module_full_backward_hook(lambda m, i, o: log.append([type(m).__name__, _shapes(o)]))
    second = module.register_module_full_backward_pre_hook(lambda m, o: log.append(["pre", type(m).__name__]))
    try:
        net = _network(p)
        net[0].register_full_backward_hook(lambda *a: log.append("own"))
        net(p.ones(1, 3, requires_grad=True)).sum().backward()
    finally:
        first.remove()
        second.remove()
    return log


def hooks_get_the_gradient_that_was_given(p):
    a, found = leaf(p), []
    b = a * 2
    for t in (a, b):
        t.register_hook(lambda g: found.append([g is given, g.requires_grad]))
    given = p.ones(3, requires_grad=True)
    a.backward(given)
    b.backward(given, retain_graph=True)
    return found


def retained_gradients_are_copies(p):
    a = p.ones(2, 3, requires_grad=True)
    b = a * a
    b.retain_grad()
    b.sum().backward()
    return [b.grad.stride(), b.grad.grad_fn]


SCENARIOS = scenarios(globals())
