"""Version counters, and writes that they do not show, as functions of the package (torchish or torch) that return plain data."""

from __future__ import annotations

from autograd_tools import leaf, said, scenarios

_KEPT = ("exp", "tanh", "sigmoid", "sqrt", "sin", "log", "square", "cos", "softmax", "relu")


def _apply(x, name):
    return x.softmax(-1) if name == "softmax" else getattr(x, name)()


def writes_through_data_are_seen_by_backward(p):
    found = []
    for name in _KEPT:
        for which in (0, 1):
            a = leaf(p)
            x = a * 1.5
            y = _apply(x, name)
            (x, y)[which].data.mul_(2.0)
            y.sum().backward()
            found.append([name, which, a.grad.tolist()])
    return found


def writes_through_data_are_seen_after_a_read(p):
    a = leaf(p)
    x = a * 2
    y = x * x
    x.tolist(), y.tolist()
    x.data[0] = 7.0
    y.sum().backward()
    return a.grad.tolist()


def writes_through_data_are_seen_when_the_tensor_is_gone(p):
    a = leaf(p)
    x = a * 2
    y = x * x
    x.data.mul_(2.0)
    del x
    y.sum().backward()
    return a.grad.tolist()


def writes_through_data_reach_views(p):
    a = p.tensor([[0.5, 1.0], [2.0, 3.0]], requires_grad=True)
    x = a * 2
    y = a @ x.t()
    x.data.mul_(2.0)
    z = x.view(-1).exp()
    z.data.mul_(0.5)
    (y.sum() + z.sum()).backward()
    return a.grad.tolist()


def writes_through_data_are_seen_by_double_backward(p):
    a = leaf(p)
    x = a * 2
    y = x * x * x
    x.data[0] = 7.0
    g, = p.autograd.grad(y.sum(), a, create_graph=True)
    h, = p.autograd.grad(g.sum(), a)
    return [g.tolist(), h.tolist()]


def the_maximum_may_be_gone(p):
    a = leaf(p)
    y = a.max()
    a.data.mul_(-2.0)
    y.backward()
    return a.grad.tolist()


def parameters_share_their_tensors_counter(p):
    x = p.zeros(3)
    x.add_(1)
    own, d = p.nn.Parameter(x), x.data
    d.add_(1)
    other = p.nn.Parameter(d)
    with p.no_grad():
        own.add_(1)
    return [own._version, x._version, d._version, other._version]


def parameters_of_inference_tensors(p):
    with p.inference_mode():
        x = p.zeros(3)
    return [said(p.nn.Parameter, x), p.nn.Parameter(x, False).is_inference()]


def optimizers_count_their_writes(p):
    found = []
    for name in ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adagrad", "RMSprop", "Adadelta", "Adamax"):
        w = leaf(p)
        optimizer = getattr(p.optim, name)([w], lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
        found.append([name, w._version])
    w = leaf(p)
    w.grad = p.ones(3)
    p.optim.NAdam([w], weight_decay=0.1, decoupled_weight_decay=True).step()
    return [*found, w._version]


def gradients_count_the_writes_of_their_making(p):
    found = []
    for name in ("prod", "logsumexp", "sigmoid", "exp", "sin"):
        a = leaf(p)
        y = a.logsumexp(-1) if name == "logsumexp" else getattr(a, name)()
        g, = p.autograd.grad((y * y).sum(), a, create_graph=True)
        h, = p.autograd.grad(g.sum(), a)
        found.append([name, g._version, h._version])
    return found


def what_is_freed_is_said_before_what_was_modified(p):
    x = leaf(p) * 1.5
    y = x.exp()
    y[0] = 0.25
    s = y.sum()
    return [said(s.backward), said(s.backward)]


def custom_functions_count_their_writes(p):
    class Double(p.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    found = []
    for target in (lambda a: a * 1, lambda a: (a * 1).view(-1), lambda a: a.view(-1), lambda a: a, lambda a: p.zeros(3)):
        x = target(leaf(p))
        found.append([said(Double.apply, x), x._version])
    return found


def views_made_invalid_say_so(p):
    class View(p.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, g):
            return g

    a = p.ones(2, 3, requires_grad=True)
    b = a * a
    _, second = b.unbind(0)
    second.detach().mul_(2.0)
    custom = View.apply(leaf(p) * 1)
    with p.no_grad():
        unseen = a.t()
        custom.mul_(2.0)
    with p.inference_mode():
        inferred = a[...]
    with p.no_grad():
        a.mul_(2)
    return [repr(second), repr(custom), said(unseen.register_hook, print), said(inferred.register_hook, print)]


def a_view_that_was_kept_is_named_by_its_new_place(p):
    view = p.ones(2, 3, requires_grad=True).view(-1)
    y = view.max()
    with p.no_grad():
        view.mul_(3.0)
    return said(y.backward)


def losses_keep_their_own_intermediates(p):
    a = leaf(p)
    with p.inference_mode():
        b = a * 2
    return [type(p.nn.functional.l1_loss(a, b).grad_fn).__name__, said(p.nn.functional.mse_loss, a, b)]


_STEPS = """a.sum()|(a * 2).sum()|(a * a).sum()|(a * a * a).sum()|(a + a).sum()|(a + 1).sum()|
a.view(-1).sum()|(a.view(-1) * 2).sum()|(a.t() * 2).sum()|
a[[0]].sum()|a[0].sum()|a.max()|
a.max(1)[0].sum()|(a @ torch.ones(3, 2)).sum()|a.mean()|a.exp().sum()|a.prod()|a.norm()|a.clone().sum()|
(torch.cat([a, a]) * 2).sum()|(torch.stack([a, a]) * 2).sum()|(a.sum(0) * 2).sum()|(-a).sum()"""


def new_gradients_count_the_writes_of_their_making(p):
    found = {}
    for text in _STEPS.replace("\n", "").split("|"):
        a = p.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
        eval(text, {"torch": p, "a": a}).backward()
        found[text] = a.grad._version
    for dtype in (p.float32, p.float64):
        a = leaf(p)
        a.backward(p.ones(3, dtype=dtype))
        found[str(dtype).rpartition(".")[2]] = a.grad._version
    a = leaf(p)
    a.register_hook(lambda g: g * 2)
    a.sum().backward()
    return [found, a.grad._version]


def parameters_may_share_memory(p):
    found = []
    for name, settings in (("SGD", {"momentum": 0.9}), ("SGD", {}), ("Adam", {}), ("Adam", {"amsgrad": True}), ("AdamW", {}), ("Adagrad", {})):
        a = leaf(p)
        b = a.detach().requires_grad_()
        optimizer = getattr(p.optim, name)([a, b], lr=0.1, **settings)
        for _ in range(3):
            optimizer.zero_grad()
            ((a * a).sum() + (b * b).sum()).backward()
            optimizer.step()
        found.append([name, a.tolist(), a._version])
    return found


def results_written_through_data_after_a_read(p):
    a = leaf(p)
    y = (a.view(-1) * 0.5).tanh()
    d = y.data
    y.tolist()
    d.mul_(2.0)
    d.tolist()
    y.sum().backward()
    return a.grad.tolist()


def new_data_is_seen_by_backward(p):
    a = leaf(p)
    y = a ** 3
    y.tolist()
    a.data = p.tensor([-3.0, 0.0, 0.5])
    y.sum().backward()
    return a.grad.tolist()


def views_that_are_not_tracked_lead_nowhere(p):
    a, calls = leaf(p), []
    with p.inference_mode():
        v = a[...]
    v.register_hook(calls.append)
    s = (v * v).sum()
    return [v.requires_grad, said(p.autograd.grad, v.sum() * 1, v), said(v.backward, p.ones(3)), said(s.backward), said(s.backward), calls, a.grad]


def views_of_special_views_say_where_they_are_from(p):
    found = []
    for mode in (p.no_grad, p.inference_mode):
        b = leaf(p) * 1
        with mode():
            v = b[...]
        w = v.view(-1)
        found.append(said(w.mul_, 2))
        b.mul_(2)
        found.append(said(lambda w=w: w * 2))
    return found


def nodes_are_named_with_their_overload(p):
    found = []
    for reduce in (lambda a: a.sum(0), lambda a: a.mean(0), lambda a: a.max(0)[0], lambda a: a / 3):
        b = reduce(p.ones(2, 3, requires_grad=True))
        c = b * b
        with p.no_grad():
            b.add_(1)
        found.append(said(c.sum().backward))
    return found


def custom_functions_outside_grad_mode_return_a_detached_alias(p):
    class Double(p.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

    b = leaf(p) * 1
    with p.no_grad():
        made = Double.apply(b)
    return [made is b, made.grad_fn, made.requires_grad, b._version, made._version, made.tolist() == b.tolist()]


SCENARIOS = scenarios(globals())
