"""Cases of matrix products and neural-network operations, written once for torch and torchish: `case(m, *tensors)` with `m` the module.

`run` gives what is compared: the node's name, the result, and the gradients of all floating-point operands for fixed weights.
"""

from __future__ import annotations

import numpy as np


def _array(i: int, spec) -> np.ndarray:
    """A reproducible array for a shape, or for ("int", shape, high)."""
    draw = np.random.RandomState(7 + i)
    if spec[:1] == ("int",):
        return draw.randint(0, spec[2], spec[1])
    if spec[:1] == ("unit",):
        return draw.uniform(0.05, 0.95, spec[1]).astype(np.float32)
    return np.round(draw.randn(*spec), 2).astype(np.float32)


def _f(name: str, *args, **kwargs):
    return lambda m, *t: getattr(m.nn.functional, name)(*t, *args, **kwargs)


def _t(name: str, *args, **kwargs):
    return lambda m, *t: getattr(m, name)(*t, *args, **kwargs)


RANKS = {"1": (3,), "2": (2, 3), "3": (4, 2, 3), "4": (2, 1, 2, 3)}
RIGHT = {"1": (3,), "2": (3, 2), "3": (4, 3, 2), "4": (2, 4, 3, 2)}
CASES: dict = {f"matmul {a} {b}": (_t("matmul"), (RANKS[a], RIGHT[b])) for a in RANKS for b in RIGHT}
CASES |= {f"linear {a} {'bias' if bias else 'plain'}": (_f("linear"), (RANKS[a], (5, 3), (5,))[: 3 if bias else 2]) for a in RANKS for bias in (0, 1)}
CASES |= {
    "addmm": (_t("addmm", beta=0.5, alpha=2), ((4,), (2, 3), (3, 4))),
    "addmv": (_t("addmv"), ((2,), (2, 3), (3,))),
    "addbmm": (_t("addbmm", alpha=0.5), ((2, 4), (3, 2, 3), (3, 3, 4))),
    "baddbmm": (_t("baddbmm"), ((3, 2, 4), (3, 2, 3), (3, 3, 4))),
    "addr": (_t("addr", beta=2.0), ((2, 3), (2,), (3,))),
    "outer": (_t("outer"), ((2,), (3,))),
    "inner": (_t("inner"), ((2, 3), (4, 3))),
    "vdot": (_t("vdot"), ((3,), (3,))),
    "kron": (_t("kron"), ((2, 3), (2, 2))),
    "tensordot": (_t("tensordot", dims=([1, 0], [0, 1])), ((3, 4, 5), (4, 3, 2))),
    "multi_dot": (lambda m, *t: m.linalg.multi_dot(t), ((2, 3), (3, 4), (4, 2))),
    "einsum product": (lambda m, *t: m.einsum("bij,bjk->bik", *t), ((2, 3, 4), (2, 4, 2))),
    "einsum trace": (lambda m, *t: m.einsum("ii", *t), ((3, 3),)),
    "einsum sum": (lambda m, *t: m.einsum("ij->j", *t), ((2, 3),)),
    "einsum dots": (lambda m, *t: m.einsum("...ij,...kj->...ik", *t), ((2, 1, 3, 4), (5, 2, 4))),
    "bilinear": (_f("bilinear"), ((2, 3), (2, 4), (5, 3, 4), (5,))),
}
ONE = ((3, 8),)
CASES |= {
    name: (_f(name), ONE)
    for name in (
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "softplus",
        "softsign",
        "tanhshrink",
        "hardshrink",
        "softshrink",
        "glu",
        "logsigmoid",
        "rrelu",
    )
}
CASES |= {
    "gelu tanh": (_f("gelu", approximate="tanh"), ONE),
    "threshold": (_f("threshold", 0.1, 5.0), ONE),
    "prelu": (_f("prelu"), ((2, 3, 4), (3,))),
    "softmax": (_f("softmax", dim=0), ONE),
    "log_softmax": (_f("log_softmax", dim=1), ONE),
    "softmin": (_f("softmin", dim=1), ONE),
}
KINKS = np.array([-6.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, np.nan], np.float32)
CASES |= {
    f"kinks of {name}": (_f(name), (KINKS,))
    for name in ("relu", "relu6", "leaky_relu", "elu", "celu", "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink")
}
CASES |= {
    "conv1d": (_f("conv1d", padding=1), ((2, 3, 8), (4, 3, 3), (4,))),
    "conv2d": (_f("conv2d", stride=2, dilation=2), ((2, 3, 9, 8), (4, 3, 3, 2), (4,))),
    "conv2d groups": (_f("conv2d", groups=2, padding="same"), ((1, 4, 5, 5), (6, 2, 3, 2))),
    "conv2d unbatched": (_f("conv2d"), ((3, 6, 6), (4, 3, 3, 3))),
    "conv3d": (_f("conv3d"), ((1, 2, 4, 4, 4), (3, 2, 2, 2, 2))),
    "conv_transpose1d": (_f("conv_transpose1d", stride=2), ((2, 3, 5), (3, 4, 3), (4,))),
    "conv_transpose2d": (_f("conv_transpose2d", stride=2, padding=1, output_padding=1, groups=2), ((1, 4, 4, 3), (4, 3, 3, 3), (6,))),
    "max_pool1d": (_f("max_pool1d", 2), ((2, 3, 8),)),
    "max_pool2d": (_f("max_pool2d", 2), ((2, 3, 6, 7),)),
    "max_pool2d overlapping": (_f("max_pool2d", 3, stride=2, padding=1, dilation=1, ceil_mode=True), ((2, 2, 6, 7),)),
    "max_pool2d dilated": (_f("max_pool2d", 2, stride=1, dilation=2), ((1, 2, 6, 7),)),
    "max_pool2d indices": (lambda m, x: m.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True)[1], ((1, 2, 6, 7),)),
    "max_pool2d ties": (_f("max_pool2d", 2), (np.ones((1, 1, 4, 4), np.float32),)),
    "avg_pool1d": (_f("avg_pool1d", 3, 2), ((2, 3, 8),)),
    "avg_pool2d": (_f("avg_pool2d", 3, 2, 1, True, False), ((2, 2, 6, 7),)),
    "avg_pool3d": (_f("avg_pool3d", 2), ((1, 2, 4, 4, 4),)),
    "adaptive_avg_pool2d": (_f("adaptive_avg_pool2d", (3, 2)), ((2, 2, 7, 5),)),
    "adaptive_avg_pool2d one": (_f("adaptive_avg_pool2d", 1), ((2, 2, 7, 5),)),
    "adaptive_max_pool2d": (_f("adaptive_max_pool2d", (3, 2)), ((2, 2, 7, 5),)),
    "lp_pool2d": (_f("lp_pool2d", 2.0, 2), ((1, 2, 4, 4),)),
}
STATS = (np.array([0.1, -0.2, 0.3], np.float32), np.array([1.5, 0.7, 1.1], np.float32))


def _running(m, x, mean, var, w, b):
    mean, var = mean.detach().clone(), var.detach().clone()
    out = m.nn.functional.batch_norm(x, mean, var, w, b, training=True, momentum=0.3)
    return out * 1 + mean.sum() + 2 * var.sum()


CASES |= {
    "batch_norm": (_running, ((4, 3, 2, 2), *STATS, (3,), (3,))),
    "batch_norm eval": (lambda m, x, *s: m.nn.functional.batch_norm(x, *(t.detach() for t in s)), ((4, 3, 5), *STATS)),
    "layer_norm": (lambda m, x, w, b: m.nn.functional.layer_norm(x, (3, 4), w, b), ((2, 3, 4), (3, 4), (3, 4))),
    "group_norm": (lambda m, x, w, b: m.nn.functional.group_norm(x, 2, w, b), ((2, 4, 3), (4,), (4,))),
    "instance_norm": (_f("instance_norm"), ((2, 3, 5),)),
    "rms_norm": (lambda m, x, w: m.nn.functional.rms_norm(x, (4,), w), ((3, 4), (4,))),
    "local_response_norm": (_f("local_response_norm", 3), ((2, 5, 3),)),
    "normalize": (_f("normalize"), ((3, 4),)),
}
PAIR, CLASSES = ((4, 5), (4, 5)), ((4, 5), ("int", (4,), 5))
for _r in ("mean", "sum", "none"):
    CASES |= {f"{n} {_r}": (_f(n, reduction=_r), PAIR) for n in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss")}
    CASES |= {
        f"{n} {_r}": (_f(n, reduction=_r), (("unit", (4, 5)), ("unit", (4, 5))))
        for n in ("binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div")
    }
    CASES |= {
        f"cross_entropy {_r}": (_f("cross_entropy", reduction=_r, ignore_index=2), CLASSES),
        f"cross_entropy smoothed {_r}": (
            lambda m, x, t, w, r=_r: m.nn.functional.cross_entropy(x, t, w.detach(), reduction=r, label_smoothing=0.1),
            (*CLASSES, ("unit", (5,))),
        ),
        f"cross_entropy of probabilities {_r}": (_f("cross_entropy", reduction=_r), ((4, 5), ("unit", (4, 5)))),
        f"cross_entropy images {_r}": (_f("cross_entropy", reduction=_r), ((2, 5, 3, 3), ("int", (2, 3, 3), 5))),
        f"multi_margin_loss {_r}": (_f("multi_margin_loss", reduction=_r), CLASSES),
        f"triplet_margin_loss {_r}": (_f("triplet_margin_loss", reduction=_r), ((4, 5), (4, 5), (4, 5))),
    }
CASES |= {
    "cosine_similarity": (_f("cosine_similarity"), PAIR),
    "pairwise_distance": (_f("pairwise_distance"), PAIR),
    "embedding": (lambda m, w, i: m.nn.functional.embedding(i, w, padding_idx=1), ((5, 3), ("int", (2, 4), 5))),
    "embedding_bag": (lambda m, w, i: m.nn.functional.embedding_bag(i, w, mode="mean"), ((5, 3), ("int", (2, 4), 5))),
    "one_hot": (lambda m, i: m.nn.functional.one_hot(i, 5), (("int", (2, 4), 5),)),
    "pad constant": (_f("pad", (1, 2, -1, 1), value=3.0), ((2, 3, 4),)),
    "pad reflect": (_f("pad", (2, 1, 1, 2), mode="reflect"), ((1, 2, 3, 4),)),
    "pad replicate": (_f("pad", (2, 1), mode="replicate"), ((2, 3, 4),)),
    "attention": (_f("scaled_dot_product_attention"), ((1, 2, 4, 3), (1, 2, 5, 3), (1, 2, 5, 3))),
    "attention causal": (_f("scaled_dot_product_attention", is_causal=True), ((1, 2, 4, 3), (1, 2, 4, 3), (1, 2, 4, 3))),
}


def operands(m, specs: tuple) -> list:
    """A case's tensors; floating-point ones are leaves that require grad."""
    tensors = [m.tensor(s if isinstance(s, np.ndarray) else _array(i, s)) for i, s in enumerate(specs)]
    return [t.requires_grad_(t.is_floating_point()) for t in tensors]


def run(m, name: str) -> dict:
    """The outcome of a case under module `m`: name of the node, result, gradients, all as plain Python data."""
    function, specs = CASES[name]
    tensors = operands(m, specs)
    out = function(m, *tensors)
    result = {"node": out.grad_fn.name() if out.grad_fn is not None else None, "shape": list(out.shape), "value": out.detach().reshape(-1).tolist()}
    if out.grad_fn is not None:
        weights = m.tensor(np.linspace(0.5, 1.5, max(out.numel(), 1), dtype=np.float32)).reshape(out.shape)
        leaves = [t for t in tensors if t.requires_grad]
        grads = m.autograd.grad((out * weights).sum(), leaves, allow_unused=True)
        result["grads"] = [None if g is None else g.reshape(-1).tolist() for g in grads]
    return result


def difference(got: dict, want: dict) -> str:
    """What differs beyond float32 tolerances; empty where nothing does."""
    if got["node"] != want["node"] or got["shape"] != want["shape"]:
        return f"{got['node']} {got['shape']} != {want['node']} {want['shape']}"
    for what, a, b in [("value", got["value"], want["value"]), *(("gradient", *pair) for pair in zip(got.get("grads", ()), want.get("grads", ())))]:
        if (a is None) != (b is None):
            return f"{what}: {a} != {b}"
        if a is not None and not np.allclose(np.array(a, float), np.array(b, float), 2e-5, 2e-5, equal_nan=True):
            return f"{what}: {a} != {b}"
    return ""
