"""Gradients at kinks, ties, zeros and infinities: one row for each expression in `a` (and `b`), with the values that make it interesting."""

from __future__ import annotations

import math

from autograd_tools import said

INF, NAN = float("inf"), float("nan")
ROWS: list[tuple[str, list, list | None]] = [
    *[(f"a.{f}()", [-1.0, 0.0, -0.0, 2.0], None) for f in ("abs", "relu", "sign", "floor", "ceil", "round", "trunc", "frac", "square", "sqrt",
                                                           "rsqrt",
                                                             "log", "log1p", "log2", "log10", "reciprocal", "tan", "erfinv", "sinc")],
    *[(f"F.{f}(a)", [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 25.0], None) for f in (
        "relu6", "hardtanh", "leaky_relu", "elu", "selu", "celu", "hardswish", "hardsigmoid", "softshrink", "hardshrink", "softplus", "silu", "mish",
        "gelu", "logsigmoid", "softsign", "tanhshrink")],
    ("F.threshold(a, 0.5, 0.0)", [0.0, 0.5, 1.0], None), ("F.prelu(a, b)", [-1.0, 0.0, 1.0], [0.25]),
    ("a.clamp(0, 1)", [-1.0, 0.0, 0.5, 1.0, 2.0], None), ("a.clamp(min=0)", [-1.0, 0.0, 1.0], None), ("a.clamp(max=1)", [0.0, 1.0, 2.0], None),
    ("a.clamp(1, 0)", [0.0, 0.5, 1.0], None), ("torch.clamp(a, b, b + 1)", [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]),
    ("a.clamp(0, 1)", [NAN, INF, -INF], None),
    *[(f"a.{f}()", [1.0, 3.0, 3.0, 2.0, 3.0], None) for f in ("max", "amax", "median", "nanmedian", "prod", "norm", "std", "var")],
    *[(f"a.{f}()", [1.0, 3.0, 1.0, 2.0], None) for f in ("min", "amin", "median")], ("torch.aminmax(a)[0]", [1.0, 1.0, 2.0], None),
    *[(f"m.{f}", [1.0, 3.0, 3.0, 3.0, 1.0, 1.0], None) for f in ("max(1)[0]", "min(1)[0]", "amax(1)", "amin(1)", "median(1)[0]", "mode(1)[0]",
                                                                 "sort(1)[0]",
                                                                "sort(1, descending=True)[0]", "topk(2, 1)[0]", "kthvalue(2, 1)[0]", "cummax(1)[0]",
                                                                "cummin(1)[0]", "logsumexp(1)", "argmax(1).float()")],
    *[(f"torch.{f}(a, b)", [0.0, 1.0, 2.0, NAN, 0.0], [0.0, 1.0, 1.0, 1.0, NAN]) for f in ("maximum", "minimum", "fmax", "fmin")],
    *[(f"a.norm({n})", [0.0, 0.0, 0.0], None) for n in ("2", "1", "0.5", "3", "INF", "-INF", "'fro'")],
    *[(f"a.norm({n})", [0.0, -2.0, 2.0], None) for n in ("2", "1", "0.5", "3", "1.5", "INF", "-INF")],
    *[(f"torch.linalg.vector_norm(m, {n}, 1)", [0.0, 0.0, 0.0, 1.0, -1.0, 0.0], None) for n in ("2", "1", "3", "INF")],
    ("F.normalize(a, dim=0)", [0.0, 0.0], None), ("F.cosine_similarity(a, b, dim=0)", [0.0, 0.0], [1.0, 2.0]),
    ("torch.dist(a, b)", [1.0, 2.0], [1.0, 2.0]),
    ("F.pairwise_distance(a, b)", [1.0, 2.0], [1.0, 2.0]), ("torch.hypot(a, b)", [0.0, 3.0], [0.0, 4.0]),
    ("torch.atan2(a, b)", [0.0, 0.0], [0.0, 1.0]),
    ("a.prod()", [0.0, 2.0, 3.0], None), ("a.prod()", [0.0, 0.0, 3.0], None), ("m.prod(1)", [0.0, 2.0, 3.0, 0.0, 0.0, 1.0], None),
    ("a.cumprod(0)", [2.0, 0.0, 3.0, 0.0], None), ("a.cumsum(0)", [1.0, INF, 1.0], None),
    ("a.std()", [2.0, 2.0, 2.0], None), ("a.var()", [2.0, 2.0], None), ("a.std(correction=0)", [2.0, 2.0], None), ("a.std()", [1.0], None),
    ("a ** 2", [0.0, -1.0], None), ("a ** 0", [0.0, -1.0], None), ("a ** 0.5", [0.0, 4.0], None), ("a ** b", [0.0, 0.0, 2.0], [0.0, 2.0, 0.0]),
    ("2 ** a", [0.0, -1.0], None), ("0 ** a", [0.0, 1.0, 2.0], None), ("a ** -1", [0.0, 2.0], None),
    ("torch.where(a > 0, a.sqrt(), 0 * a)", [0.0, -1.0, 4.0], None), ("torch.where(a > 0, a.log(), torch.zeros(2))", [0.0, 1.0], None),
    ("torch.logaddexp2(a, b)", [-1.0, INF, -INF, 0.0], [-1.0, INF, -INF, 1.0]), ("a.sum()", [-0.0, -0.0], None),
    ("torch.special.xlogy(a, b)", [0.0, 0.0, 1.0], [0.0, 2.0, 2.0]), ("torch.logaddexp(a, b)", [0.0, -INF], [0.0, -INF]),
    ("a.logsumexp(0)", [-INF, -INF], None), ("a.logsumexp(0)", [-INF, 0.0], None), ("a.logcumsumexp(0)", [-INF, 0.0, 1.0], None),
    ("a.softmax(0)", [-INF, 0.0], None), ("a.log_softmax(0)", [-INF, 0.0], None), ("a.sigmoid()", [-200.0, 200.0], None),
    ("a.tanh()", [-50.0, 50.0], None),
    ("a.logit()", [0.0, 0.5, 1.0], None), ("a.logit(0.1)", [0.05, 0.1, 0.5], None), ("a.acos()", [-1.0, 0.0, 1.0], None), ("a.asin()", [1.0], None),
    ("a.acosh()", [1.0, 2.0], None), ("a.atanh()", [1.0, 0.0], None), ("a.remainder(b)", [3.0, -3.0], [2.0, 2.0]),
    ("a.fmod(b)", [3.0, -3.0], [2.0, 2.0]),
    ("a / b", [0.0, 1.0], [0.0, 0.0]), ("a.nan_to_num()", [NAN, INF, -INF, 1.0], None), ("torch.copysign(a, b)", [0.0, 1.0, -1.0], [-1.0, -1.0, 0.0]),
    ("F.l1_loss(a, b)", [1.0, 2.0], [1.0, 3.0]), ("F.smooth_l1_loss(a, b)", [1.0, 2.0, 5.0], [1.0, 3.0, 1.0]),
    ("F.huber_loss(a, b)", [1.0, 2.0, 5.0], [1.0, 3.0, 1.0]), ("F.hinge_embedding_loss(a, -torch.ones(3))", [0.0, 1.0, 2.0], None),
    ("F.binary_cross_entropy(a, b)", [0.0, 0.5, 1.0], [0.0, 1.0, 1.0]), ("F.binary_cross_entropy_with_logits(a, b)", [0.0, 100.0], [0.0, 0.0]),
    ("F.kl_div(a, b, reduction='sum')", [0.0, -1.0], [0.0, 1.0]), ("F.margin_ranking_loss(a, b, torch.ones(2))", [1.0, 2.0], [1.0, 1.0]),
    # losses of ignored samples, of infinities and NaN, and the sign of their zeros
    *[(f"F.{f}(a.view(2, 4), torch.tensor({t}), reduction='{r}'{more})", [0.0, 1.0, -1.0, 2.0, INF, 0.0, -INF, 1.0], None)
      for f, more in (("nll_loss", ""), ("cross_entropy", ""), ("cross_entropy", ", label_smoothing=0.1")) for r in ("none", "sum", "mean")
      for t in ([1, -100], [-100, -100])],
    *[(f"F.{f}(a, b, reduction='none')", [0.0, INF, -INF, NAN, 1.0, -0.0], [0.0, INF, 1.0, 1.0, NAN, 0.0])
      for f in ("l1_loss", "smooth_l1_loss", "huber_loss", "mse_loss")],
    ("F.margin_ranking_loss(a, b, torch.ones(5), reduction='none')", [0.0, INF, NAN, 1.0, -0.0], [0.0, INF, 1.0, NAN, 0.0]),
    ("F.soft_margin_loss(a, torch.ones(4), reduction='none')", [0.0, INF, -INF, NAN], None),
    ("F.hinge_embedding_loss(a, -torch.ones(4), reduction='none')", [0.0, INF, NAN, 1.0], None),
    ("F.triplet_margin_loss(a.view(1, 4), a.view(1, 4), b.view(1, 4))", [0.5, 0.0, 1.0, 0.5], [1.0, INF, 0.0, NAN]),
    # norms of order 0 have no gradient, their differences none that torch can negate
    ("a.norm(0)", [1.0, 0.0], None),
    ("torch.linalg.vector_norm(m, 0, 1)", [1.0, 0.0, 0.0, 2.0], None), ("torch.dist(a, b, 0)", [1.0, 2.0], [1.0, 0.0]),
    *[(f"torch.cdist(m, m + b, {p})", [0.0, INF, 1.0, NAN, -INF, 2.0], [INF]) for p in ("1.0", "2.0", "INF")],
    ("a.cumprod(0)", [2.0, -0.0, -3.0, 0.0, INF], None), ("a.cumprod(0)", [0.0, -1.0, -1.0, 1.0], None), ("a.prod()", [-2.0, 0.0, -0.0, INF], None),
    ("a.logcumsumexp(0)", [INF, -1.0, -1.0, -INF], None), ("a.logcumsumexp(0)", [-0.0, 0.0, NAN, 1.0], None),
    ("a.view(2, 3).renorm(2, 0, 1.0)", [INF, NAN, 0.0, 0.0, 0.0, 0.0], None), ("torch.digamma(a)", [-3.0, 0.0, -0.0, -1.0], None),
    ("F.gelu(a)", [INF, -INF, NAN, 0.0], None), ("F.logsigmoid(a)", [INF, -INF, -0.0], None), ("F.relu6(a)", [-0.0, 0.0, 6.0, NAN], None),
    ("torch.erf(a)", [-0.0, 0.0], None), ("torch.i0(a)", [-0.0, 0.0], None),
    ("F.batch_norm(m, None, None, training=True)", [1.5] * 6, None), ("a.topk(3)[0]", [1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0], None),
    ("a.kthvalue(3)[0]", [1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0], None),
    ("F.max_pool1d(a.view(1, 1, 4), 2)", [1.0, 1.0, 2.0, 2.0], None), ("F.adaptive_max_pool1d(a.view(1, 1, 4), 1)", [2.0, 2.0, 2.0, 1.0], None),
]


# gradients of gradients, and what the graph shows of them
_KINKS = ([1.0, 0.0, -0.0, -1.0, 2.0, 0.5], [1.0, 2.0, 2.0, 0.5, 3.0, 0.25], [0.0, 0.0, 0.0], [INF, -INF, 1.0])
SECOND: list[tuple[str, list]] = [(text, values) for text in (
    "a.relu()", "a.abs()", "a.sqrt()", "a.pow(2)", "a.pow(1.5)", "a.pow(0)", "a.clamp(0, 1)", "a.prod()", "a.max()", "a.norm()",
    "a.std()", "a.amax()", "a.sigmoid()", "a.logsumexp(0)", "a.tanh()", "a.reciprocal()", "a.cumprod(0)", "a.log()", "a.sinc()", "F.softplus(a)",
    "F.elu(a)", "F.silu(a)", "F.gelu(a)", "F.leaky_relu(a)", "F.hardtanh(a)") for values in _KINKS]


def second(p, row: tuple) -> list:
    """The gradient of a row's sum, the gradient of that one's sum, and of each: its node, version, signs of zeros, and whether it is a view."""
    text, values = row
    a = p.tensor(values, requires_grad=True)

    def shown(g):
        if g is None:
            return None
        zeros = "no memory" if g._is_zerotensor() else [math.copysign(1, v) for v in g.flatten().tolist() if v == 0]
        return [None if g.grad_fn is None else type(g.grad_fn).__name__, g._version, g._base is not None, zeros, g.clone().tolist()]

    def run():
        (g,) = p.autograd.grad(eval(text, {"a": a, "F": p.nn.functional}).sum(), a, create_graph=True)
        return [shown(g), shown(p.autograd.grad(g.sum(), a, allow_unused=True)[0]) if g.requires_grad else None]

    return said(run)


def gradients(p, row: tuple) -> list:
    """The gradients (with respect to `a` and `b`) of the sum of a row's expression, and the signs of their zeros; an error's text where
    it raises one."""
    text, a, b = row
    leaves = {"a": p.tensor(a, requires_grad=True)}
    if b is not None:
        leaves["b"] = p.tensor(b, requires_grad=True)
    inputs = list(leaves.values())

    def value():
        space = {"torch": p, "F": p.nn.functional, "INF": INF, **leaves}
        if "m." in text or "(m" in text:
            space["m"] = leaves["a"].view(2, -1)
        return eval(text, space).sum()

    def first():
        found = p.autograd.grad(value(), inputs, allow_unused=True)
        return [found, [g if g is None else [math.copysign(1, v) for v in g.flatten().tolist() if v == 0] for g in found]]

    return said(first)


def row_name(row: tuple) -> str:
    """A row in short."""
    return f"{row[0]} at {row[1]}" + (f", {row[2]}" if row[2:] and row[2] is not None else "")
