"""What the graph shows and how backward walks it, as functions of the package (torchish or torch) that return plain data."""

from __future__ import annotations

import warnings

from autograd_tools import leaf, said, scenarios
from scenario_tools import plain


def _walk(node, depth=4):
    """A node and what is below it, as torchviz reads it."""
    if node is None:
        return None
    if hasattr(node, "variable"):
        return [node.name(), list(node.variable.shape)]
    return [node.name(), [[_walk(n, depth - 1), i] for n, i in node.next_functions]] if depth else node.name()


_EXPRESSIONS = """a + b|a - b|a * b|a / b|a + 2|a * 2|a / 2|a - 2|2 - a|2 / a|a ** 2|a ** b|2 ** a|
a.clamp(0, 1)|a.remainder(2)|a.sum()|a.mean(0)|a[0]|a[1:]|
a.view(3, 1)|torch.cat([a, b])|torch.stack([a, b])|torch.addmm(torch.ones(2, 2), torch.ones(2, 2), m)|a.index_select(0, torch.tensor([0]))|
a[torch.tensor([0])]|a.masked_fill(a > 0, 1.)|a.lerp(b, 0.3)|torch.addcmul(a, a, b, value=2)|a.softmax(0)|
F.layer_norm(a, (3,))|a.maximum(b)|a.max(0)[0]|
a.max()|a.cumsum(0)|a.gather(0, torch.tensor([0]))|a.to(torch.float64)|a.clone()|a.norm()|a.std()|a.prod()|a.split(1)[0]|a.expand(2, 3)|m @ m|m.t()|
a @ a|
F.mse_loss(a, b)|F.relu(a)|F.gelu(a)|a.sigmoid()|torch.where(a > 0, a, b)|torch.where(a > 0, a, 0.)|
m.transpose(0, 1)|m.unbind(0)[0]|a.repeat(2)|a.flip(0)|
m.tril()|a.logsumexp(0)|F.softplus(a)|a.sort()[0]|a.abs()|F.nll_loss(m, torch.tensor([0, 1]))|F.cross_entropy(m, torch.tensor([0, 1]))"""


def nodes_and_edges(p):
    results = {}
    for text in _EXPRESSIONS.replace("\n", "").split("|"):
        space = {"torch": p, "F": p.nn.functional, "a": leaf(p), "b": leaf(p, 2.0, 1.0, 3.0), "m": p.ones(2, 2).requires_grad_()}
        results[text] = _walk(eval(text, space).grad_fn)
    return results


_COMPOSITES = """F.linear(m, w)|F.linear(r, w)|F.linear(m, w, a)|F.linear(r, w, a)|F.linear(a[:2], w)|r @ m|r @ a[:2]|a[:2] @ m|
F.l1_loss(m, o)|F.l1_loss(m, m, reduction="none")|F.kl_div(m, o, reduction="sum")|F.kl_div(m, o, reduction="none", log_target=True)|
F.cosine_similarity(m, o)|F.cross_entropy(m, i, label_smoothing=0.1)|F.cross_entropy(m, o)|F.margin_ranking_loss(m, o, m)|
F.hinge_embedding_loss(m, o)|F.gaussian_nll_loss(m, o, m * m)|F.poisson_nll_loss(m, o)|F.pairwise_distance(m, o)|F.triplet_margin_loss(m, o, m)|
F.multilabel_soft_margin_loss(m, o)|F.cosine_embedding_loss(m, o, o[0])|F.soft_margin_loss(m, o)|
F.scaled_dot_product_attention(r, r, r)|F.scaled_dot_product_attention(r[None], r[None], r[None])|F.rms_norm(m, (2,))|F.rms_norm(m, (2,), a[:2])|
F.instance_norm(r)|F.softsign(m)|F.tanhshrink(m)|F.prelu(m, a[:1])|torch.kron(m, o)|F.bilinear(m, o, r)|m.logit()|m.nan_to_num()|m.clamp(min=0)|
torch.einsum("ij,ij->", m, m)|torch.einsum("ij,kj->ik", m, w)|torch.einsum("bij,bjk->bik", r, r)|2 * m|2 + m|sum([m, m])"""


def composites_show_several_nodes(p):
    results = {}
    for text in _COMPOSITES.replace("\n", "").split("|"):
        space = {"torch": p, "F": p.nn.functional, "a": leaf(p), "m": p.ones(2, 2).requires_grad_(), "w": p.ones(3, 2).requires_grad_(),
                 "o": p.ones(2, 2), "i": p.tensor([0, 1]), "r": p.ones(2, 2, 2).requires_grad_()}
        results[text] = _walk(eval(text, space).grad_fn, 8)
    return results


def what_is_shown_stays_the_same(p):
    y = p.nn.functional.linear(p.ones(2, 2, 2).requires_grad_(), p.ones(3, 2).requires_grad_())
    first = y.grad_fn.next_functions[0][0]
    return [y.grad_fn.next_functions[0][0] is first, isinstance(first, p.autograd.graph.Node), first.name(), first.metadata]


def what_nodes_keep_counts_versions(p):
    w = leaf(p) * 1
    w.tanh_()
    m = (p.ones(2, 2).requires_grad_() * 2) @ p.ones(2, 2)
    return [w.grad_fn._saved_result._version, m.grad_fn._saved_self, m.grad_fn._saved_mat2.tolist()]


def some_nodes_keep_nothing(p):
    found = []
    for name in ("index_add", "scatter_add"):
        for tracked in (False, True):
            a = leaf(p)
            made = getattr(a.clone(), name)(0, p.tensor([0]), p.ones(1).requires_grad_(tracked)).sum()
            made.backward()
            found.append([name, tracked, said(made.backward)])
    return found


def leaves_and_outputs(p):
    a = leaf(p)
    b = a * 2
    s, i = b.sort()
    node = b.grad_fn
    return [a.is_leaf, b.is_leaf, s.output_nr, i.requires_grad, node.next_functions[0][0].variable is a, a.grad_fn is None, node.name(),
            type(node).__name__, isinstance(node, p.autograd.graph.Node), node.metadata, b.detach().is_leaf, b.requires_grad]


def in_place_operations_change_the_graph(p):
    b = leaf(p) * 2
    names = [b.grad_fn.name()]
    b.add_(1)
    names += [b.grad_fn.name(), b._version]
    v = b[:2]
    v.mul_(3)
    return [*names, b.grad_fn.name(), v.grad_fn.name(), b._version, v._version, _walk(b.grad_fn, 1)]


_GRADIENTS = """a + b|a - b|a * b|a / b|a * 2|a ** 2|a ** b|a.exp()|a.log()|a.sqrt()|a.sin()|a.tanh()|a.sigmoid()|a.relu()|a.abs()|a.neg()|
a.clamp(0, 1)|a.sum()|
a.sum(0)|a.mean()|m.t()|m.view(-1)|m.unsqueeze(0)|m[0]|m[1:]|a[torch.tensor([0, 0])]|torch.cat([a, b])|torch.stack([a, b])|m @ m|a @ b|a.softmax(-1)|
a.log_softmax(-1)|a.logsumexp(-1)|F.softplus(a)|F.gelu(a)|F.leaky_relu(a)|a.norm()|a.std()|a.prod()|a.max()|m.max(0)[0]|a.sort()[0]|a.cumsum(0)|
a.maximum(b)|torch.where(a > 0, a, b)|a.masked_fill(a > 0, 0.)|a.gather(0, torch.tensor([0]))|a.repeat(2)|a.flip(0)|a.clone()|a.double()|a.floor()|
F.mse_loss(a, b)"""


def gradients_under_create_graph(p):
    """Of each expression, for a cotangent without and with requires_grad: the gradients' nodes, versions, strides, whether they are views."""
    results = {}
    for text in _GRADIENTS.replace("\n", "").split("|"):
        for requires_grad in (False, True):
            inputs = {"a": leaf(p, 0.5, 0.25, 0.75), "b": leaf(p, 0.2, 0.6, 0.9), "m": p.tensor([[0.5, 0.2], [0.1, 0.9]], requires_grad=True)}
            y = eval(text, {"torch": p, "F": p.nn.functional, **inputs})
            g = p.ones(y.shape, dtype=y.dtype, requires_grad=requires_grad)
            gradients = p.autograd.grad(y, list(inputs.values()), g, create_graph=True, allow_unused=True)
            results[f"{text} {requires_grad}"] = [None if r is None else [r.grad_fn and r.grad_fn.name(), r.requires_grad, r._base is not None,
                                                                          r._version,
                                                                          list(r.stride())] for r in gradients]
    return results


def backward_to_chosen_inputs(p):
    a, c = leaf(p), leaf(p)
    b = a * c
    b_loss = (b * b).sum()
    b_loss.backward(inputs=[b], retain_graph=True)
    first = [b.grad.tolist(), b.retains_grad, plain(a.grad)]
    b_loss.backward(inputs=[a])
    return [first, a.grad.tolist(), plain(c.grad), said(lambda: leaf(p).sum().backward(inputs=[])),
            said(lambda: leaf(p).sum().backward(inputs=[p.ones(1)]))]


def several_roots(p):
    a = leaf(p)
    b, c = a * 2, a * 3
    p.autograd.backward([b, c.sum()], [p.ones(3), None])
    gradients = p.autograd.grad([a.sum(), (a * a).sum()], [a])
    return [a.grad.tolist(), gradients[0].tolist(), said(p.autograd.backward, [a.sum(), a.sum()], [p.ones([])]), said(p.autograd.backward, [])]


def unused_inputs(p):
    a, b = leaf(p), leaf(p)
    grad = p.autograd.grad

    def zeros():
        g = grad(a.sum(), [a, b], materialize_grads=True, create_graph=True)
        return [g[1].tolist(), g[1].requires_grad]
    return [said(grad, a.sum(), [a, b]), plain(grad(a.sum(), [a, b], allow_unused=True)), zeros(),
            said(lambda: grad(a.sum(), [a], allow_unused=False, materialize_grads=True)), said(grad, a.sum(), []), said(grad, [], [a])]


def gradient_edges(p):
    get = p.autograd.graph.get_gradient_edge
    a = leaf(p)
    b = a * 2
    c = (b * b).sum()
    edge = get(b)
    return [list(edge._fields), edge.node is b.grad_fn, edge.output_nr, plain(p.autograd.grad(c, [edge, get(a)], retain_graph=True)),
            plain(p.autograd.grad(get(c), [a])), said(lambda: p.autograd.grad(get(a * 2), [a])), plain(p.autograd.grad(get(a * 2), [a], p.ones(3))),
            said(get, p.ones(2))]


def accumulation(p):
    a = leaf(p)
    (a * 2).sum().backward()
    first = a.grad
    (a * 2).sum().backward()
    same = [a.grad is first, first.tolist(), first._version]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (a * a).sum().backward(create_graph=True)
    new = [a.grad is first, a.grad.tolist(), a.grad.grad_fn.name()]
    b = leaf(p)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (b * b).sum().backward(create_graph=True)
    t = p.ones(2, 3).t().requires_grad_()
    (t * 2).sum().backward()
    return [same, new, b.grad.grad_fn.name(), list(t.grad.stride())]


def a_leaf_that_stops_requiring_grad_gets_none(p):
    a = leaf(p)
    y = a.sin().sum()
    a.requires_grad_(False)
    y.backward()
    return plain(a.grad)


def saved_tensors_of_nodes(p):
    a, b = leaf(p), leaf(p, 4.0, 5.0, 6.0)
    y = a * b
    e = a.exp()
    before = [y.grad_fn._saved_self is a, y.grad_fn._saved_other.tolist(), e.grad_fn._saved_result.tolist(),
              e.grad_fn._saved_result.grad_fn is e.grad_fn,
              [n for n in dir(y.grad_fn) if n.startswith("_saved_")]]
    e.grad_fn._raw_saved_result.register_hooks(lambda t: None, lambda _: p.zeros(3))
    e.sum().backward()
    y.sum().backward()
    return [before, a.grad.tolist(), said(lambda: y.grad_fn._saved_self)]


def identity_of_returned_gradients(p):
    a, g = leaf(p), p.ones(3)
    both = p.autograd.grad(a.sum(), [a, a])
    return [p.autograd.grad(a, a, g)[0] is g, both[0] is both[1]]


def versions(p):
    a = p.ones(3)
    p.autograd.graph.increment_version(a)
    p.autograd.graph.increment_version([a, a])
    return [a._version, said(p.autograd.graph.increment_version, 3)]


def deep_graphs(p):
    a = leaf(p, 1.0)
    y = a
    for _ in range(3000):
        y = y + 1
    y.backward()
    return a.grad.tolist()


def double_backward(p):
    a = leaf(p)
    g, = p.autograd.grad((a ** 3).sum(), a, create_graph=True)
    penalty = (g.norm() - 1) ** 2
    penalty.backward()
    w = leaf(p, 0.5, -0.5, 0.25)
    h, = p.autograd.grad((w.tanh() * w).sum(), w, create_graph=True)
    hv, = p.autograd.grad((h * p.tensor([1.0, 2.0, 3.0])).sum(), w)
    return [a.grad.tolist(), hv.tolist()]


SCENARIOS = scenarios(globals())
