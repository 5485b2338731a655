"""Small calls that reach every declared operation: family -> list of (name, callable on the package). Imports neither package.

The tables that the areas' own tests keep are used first; the families written here reach the operations that those do not.
An expression sees `t` (the package), `F` (its nn.functional) and the operands of `operands`.
"""
from __future__ import annotations

import math
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any

import creation_cases
import elementwise_cases
import expression_cases
import matrix_cases
import nn_cases
import reduction_cases

Sample = tuple[str, Callable[[Any], Any]]
SHAPES = {"v": (4,), "x": (2, 3), "y": (3, 4), "p": (2, 3), "w": (4, 3), "q": (3, 4, 4), "k": (3, 4, 5), "seq": (2, 3, 8), "image": (1, 2, 6, 6),
          "volume": (1, 2, 4, 4, 4), "heads": (1, 2, 4, 3), "keys": (1, 2, 5, 3), "complex": (2, 3, 2)}


def _losses() -> str:
    plain = ("kl_div(x, p, log_target=True", "soft_margin_loss(x, sign", "hinge_embedding_loss(x, sign", "multilabel_soft_margin_loss(x, binary",
             "margin_ranking_loss(x, p, sign", "cosine_embedding_loss(x, p, i * 2 - 1", "multilabel_margin_loss(x, classes")
    poisson = [f"poisson_nll_loss(x.abs(), p.abs(), {log}, {full}" for log in (True, False) for full in (True, False)]
    gaussian = [f"gaussian_nll_loss(x, p, positive, {full}" for full in (True, False)]
    return "\n".join(f"F.{call}, reduction='{how}')" for how in ("none", "mean", "sum") for call in (*plain, *poisson, *gaussian))


# Expressions, separated by ";" or put on lines of their own.
OWN = {
    "fourier": """
        t.fft.fft(t.complex(x, x)) ; t.fft.ifft(t.complex(x, x)) ; t.fft.rfft(x) ; t.fft.irfft(t.complex(x, x))
    """,
    "arithmetic": """
        t.rsub(x, p, alpha=2) ; t.rsub(x, 2, alpha=3) ; t.xlogy(2, x.abs()) ; x.clamp_min(0.5) ; x.clamp_max(0.5) ; x.clamp_min(p) ; x.clamp_max(p)
        x.clamp(min=p) ; x.clamp(max=p) ; x.clamp(p, p + 1)
        t.fmod(i, 2) ; t.fmod(i, i + 1)
    """,
    "matmul": """
        t.bmm(q, k) ; F.linear(v, w.t()) ; F.linear(x, x[0]) ; F.linear(v, v) ; F.linear(v, v, x[0, 0])
        t.addmm(x[0, :2], t.ones(2, 3), w.t()[:, :2]) ; t.addmv(v, w, x[0], beta=2) ; t.addbmm(w[0, 0], q, k) ; t.baddbmm(k, q, k, alpha=2)
        t.addr(w, v, x[0]) ; t.addmm(y, x.t(), p @ y) ; t.addbmm(k[0], q, k, beta=2) ; t.baddbmm(k, q, k) ; t.addr(w, v, x[0], alpha=2)
        t.addmv(v, w, x[0]) ; t.einsum('ij->ji', x) ; t.einsum('ij,ij->ij', x, p) ; t.einsum('ij,j->i', x, p[0]) ; F.bilinear(x, p, t.ones(2, 3, 3))
    """,
    "views": """
        x._neg_view() * 1
        x.clone().t()[0].add_(1) ; x.clone().view(-1)[1:3].mul_(2) ; x.t()[1:].sum() ; x.clone().fill_(2) ; x.clone().fill_(p[0, 0])
        x.clone().zero_() ; x.clone().copy_(p[:1].double()) ; t.unsafe_split_with_sizes(y, [1, 2]) ; x.clone().as_strided((2, 2), (1, 1)).mul_(3)
        (x * 1).t().mul_(2).t()[0] ; x.view(t.int32) ; x.transpose(0, 1) * 1 ; x[:1].squeeze() * 1 ; seq[:1, :1].squeeze((0, 1)) * 1
        y.diagonal(1) * 1 ; seq.unfold(2, 3, 2) * 1 ; x.t().reshape(6) ; seq.transpose(0, 1).flatten(1) ; x[...] * 1 ; x.view(-1)[::2].reshape(3, 1)
        x.t().as_strided((2,), (2,)) * 1 ; x.unbind(1)[1] * 1 ; y.split(2, 1)[0] * 1 ; y.split([1, 2])[1] * 1 ; t.unsafe_split(y, 2)
        x.to(t.float64, memory_format=t.contiguous_format) ; image.to(t.float64, memory_format=t.channels_last)
    """,
    "shapes": """
        t.block_diag(x, p) ; t.fill(x, 2) ; t.fill(x, p[0, 0]) ; t.index_select(y, 1, i) ; x.repeat(2, 1, 2) ; x.roll(1, 1) ; x.flip(1) ; x.rot90()
        y.tril() ; y.triu(1) ; t.diag_embed(x) ; t.diag(v) ; t.diag(y)
    """,
    "indexing": """
        t.as_strided_scatter(x, p[:, :2], (2, 2), (1, 3), 1)
        x[i] ; x[i, 1:] ; x[m] ; x[1, None, t.tensor([2, -1])] ; t.gather(x, 1, i[:, None]) ; t.take(x, i) ; t.take_along_dim(x, i[:, None], 1)
        t.masked_select(x, m) ; t.index_put(x, (i,), p[0]) ; t.index_put(x, (i,), p, accumulate=True) ; t.index_put(x, (m,), p[0, 0])
        t.scatter(x, 1, i[:, None], p) ; t.scatter(x, 1, i[:, None], 2.0) ; t.scatter_add(x, 1, i[:, None], p)
        t.scatter(x, 1, i[:, None], p, reduce='multiply') ; t.scatter_reduce(x, 1, i[:, None], p, 'amax')
        t.scatter_reduce(x, 1, i[:, None], p, 'mean') ; t.scatter_reduce(x, 1, i[:, None], p, 'prod', include_self=False) ; t.index_add(x, 0, i, p)
        t.index_copy(x, 0, i, p) ; t.index_reduce(x, 0, i, p, 'amin') ; t.index_fill(x, 0, i, 2) ; t.index_fill(x, 0, i, p[0, 0])
        t.put(x, i, p[0, :2]) ; x.masked_fill(m, 2) ; x.masked_fill(m, p[0, 0]) ; x.masked_scatter(m, p) ; t.select_scatter(x, p[0], 0, 1)
        t.slice_scatter(x, p[:, :2], 1, 1) ; t.diagonal_scatter(x, p[0, :2])
    """,
    "losses": _losses(),
    "normalization": """
        F.instance_norm(seq, t.zeros(3), t.ones(3), use_input_stats=False) ; F.rms_norm(complex, (3,))
        t.native_layer_norm(x, (3,), x[0], None, 1e-5) ; t.native_group_norm(seq, None, v[:3], 2, 3, 8, 3, 1e-5)
        t.native_batch_norm(x, v[:3], None, None, None, True, 0.1, 1e-5)
    """,
    "padding": """
        F.pad(seq, (1, 2), 'reflect') ; F.pad(image, (1, 2, 1, 1), 'replicate') ; F.pad(volume, (1, 1, 1, 1, 1, 1), 'reflect')
        F.pad(volume, (1, 1, 1, 0, 0, 1), 'replicate') ; F.pad(image, (1, 2, 2, 1), 'circular')
    """,
    "pooling": """
        F.max_pool3d(volume, 2) ; F.adaptive_max_pool1d(seq, 3) ; F.adaptive_max_pool3d(volume, 2) ; F.adaptive_avg_pool1d(seq, 3)
        F.adaptive_avg_pool3d(volume, 3) ; F.max_unpool1d(*F.max_pool1d(seq, 2, return_indices=True), 2)
        F.max_unpool2d(*F.max_pool2d(image, 2, return_indices=True), 2) ; F.max_unpool3d(*F.max_pool3d(volume, 2, return_indices=True), 2)
    """,
    "attention": """
        F.scaled_dot_product_attention(heads, keys, keys, is_causal=True)
        F.scaled_dot_product_attention(heads, keys, keys, attn_mask=t.ones(4, 5))
        F.scaled_dot_product_attention(heads.double(), keys.double(), keys.double(), dropout_p=0.5)
    """,
    "linalg": """
        t.linalg.cholesky(spd) ; t.cholesky(spd) ; t.linalg.cholesky_ex(spd) ; t.linalg.cholesky_ex(spd, check_errors=True) ; t.linalg.qr(w)
        t.linalg.svd(y) ; t.linalg.svdvals(y)
        t.linalg.eigh(spd)
        t.linalg.eigvalsh(spd) ; t.linalg.eig(square) ; t.linalg.eigvals(square) ; t.linalg.lu_factor(square) ; t.linalg.lu_factor_ex(square)
        t.linalg.lu(square) ; t.lu_unpack(*t.linalg.lu_factor(square)) ; t.linalg.householder_product(w, t.ones(3)) ; t.geqrf(w)
        t.linalg.inv(square)
        t.linalg.inv_ex(square) ; t.linalg.solve(square, w) ; t.linalg.solve_ex(square, w) ; t.linalg.solve_triangular(square, w, upper=True)
        t.triangular_solve(w, square) ; t.cholesky_solve(w, spd) ; t.cholesky_inverse(spd) ; t.linalg.lu_solve(*t.linalg.lu_factor(square), w)
        t.cdist(x, p) ; t.cdist(x, p, p=1.0) ; t.cdist(t.ones(30, 3), t.ones(30, 3)) ; t.pdist(w) ; t.trace(w) ; t.linalg.cross(x, p)
        t.renorm(x, 2, 0, 1.0)
        t.tensordot(x, p, dims=2) ; t.linalg.det(square) ; t.linalg.slogdet(square) ; t.linalg.pinv(w) ; t.linalg.matrix_rank(w)
        t.linalg.lstsq(w, w)
        t.linalg.matrix_exp(square) ; t.dist(x, p, 0) ; t.einsum('ij,k->ik', x, v) ; t.einsum('ij,j->i', x[:, :1], v[:1])
    """,
    "images": """
        F.unfold(image, 3) ; F.fold(F.unfold(image, 2, stride=2), (6, 6), 2, stride=2) ; F.pixel_shuffle(image.repeat(1, 2, 1, 1), 2)
        F.pixel_unshuffle(image, 2) ; t.channel_shuffle(image, 2) ; t.native_channel_shuffle(image, 2)
        F.interpolate(image, 9, mode='bicubic') ; F.interpolate(image, (4, 7), mode='bilinear', align_corners=True)
        F.interpolate(volume, 6, mode='trilinear')
        F.interpolate(seq, 5, mode='linear') ; F.interpolate(image, 4, mode='bilinear', antialias=True)
        F.interpolate(image, 4, mode='bicubic', antialias=True)
        F.interpolate(image, 4, mode='lanczos', antialias=True)
    """ + "\n".join(f"F.interpolate({name}, scale_factor=1.5, mode='nearest{how}')" for name in ("seq", "image", "volume") for how in ("", "-exact")),
    "fft": "t.fft.fft(x) ; t.fft.ifft(complex) ; t.fft.rfft(x) ; t.fft.irfft(complex) ; t.fft.rfft2(x) ; t.fft.hfft(complex)",
    "special": """
        t.special.i0(x) ; t.special.i0e(x) ; t.special.i1(x) ; t.special.i1e(x) ; t.special.entr(positive) ; t.special.erfcx(x)
        t.special.ndtri(positive / 4) ; t.special.log_ndtr(x) ; t.special.xlog1py(x, positive) ; t.special.xlog1py(2, positive)
        t.special.xlog1py(x, 2) ; t.special.zeta(positive + 1, positive) ; t.special.zeta(2.5, positive) ; t.special.zeta(positive + 1, 2)
        t.polygamma(2, positive) ; t.special.gammainc(positive, positive) ; t.special.gammaincc(positive, positive) ; t.mvlgamma(positive + 2, 2)
        t.frexp(x)
    """,
    "activation": """
        F.rrelu(x, training=True)
    """,
    "sampling": """
        t.bernoulli(x.sigmoid()) ; t.poisson(positive.requires_grad_()) ; (x * 1).uniform_() ; (x * 1).normal_() ; (x * 1).bernoulli_()
        (x * 1).random_() ; (x * 1).exponential_() ; (x * 1).geometric_(0.5) ; (x * 1).cauchy_() ; (x * 1).log_normal_()
    """,
}


def operands(t: Any) -> dict[str, Any]:
    """Small operands: leaves that require grad with the shapes of SHAPES, and a few of other dtypes."""
    draw = random.Random(0)
    leaves = {}
    for name, shape in SHAPES.items():
        leaves[name] = t.tensor([round(draw.gauss(0, 1), 2) for _ in range(math.prod(shape))]).view(shape).requires_grad_()
    return leaves | {
        "t": t,
        "F": t.nn.functional,
        "i": t.tensor([1, 0]),
        "m": t.tensor([[True, False, True], [False, True, False]]),
        "positive": leaves["x"].detach().abs() + 0.5,
        "binary": t.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        "sign": t.tensor([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]),
        "classes": t.tensor([[1, 0, -1], [2, -1, 0]]),
        "complex": t.view_as_complex(leaves["complex"]),
        "square": (leaves["q"].detach()[0] + 4 * t.eye(4)).requires_grad_(),
        "spd": (leaves["q"].detach()[0] @ leaves["q"].detach()[0].t() + 4 * t.eye(4)).requires_grad_(),
    }


def _separate(rows: str) -> list[str]:
    return [text.strip() for line in rows.splitlines() for text in line.split(";") if text.strip()]


def _expression(text: str) -> Sample:
    return text, lambda t: eval(text, {}, operands(t))


def _table_row(module: Any, text: str) -> Sample:
    return text, lambda t: eval(text, {"t": t}, module.inputs(t))


def _section_row(section: str, text: str) -> Sample:
    return text, lambda t: expression_cases.call(t, section, text)


def _layer(name: str) -> Sample:
    function, specs = nn_cases.CASES[name]
    return name, lambda t: function(t, *nn_cases.operands(t, specs))


# ---------------------------------------------------------------- what is no expression
def _optimizers(t: Any) -> None:
    for make in (lambda p: t.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1), lambda p: t.optim.Adam(p, lr=0.1, amsgrad=True),
                 lambda p: t.optim.AdamW(p, lr=0.1), lambda p: t.optim.RMSprop(p, lr=0.1, centered=True), lambda p: t.optim.Adagrad(p, lr=0.1)):
        p = t.nn.Parameter(t.tensor([1.0, -2.0]))
        optimizer = make([p])
        for _ in range(2):
            p.grad = t.tensor([0.5, 0.25])
            optimizer.step()


def _recurrent(t: Any) -> None:
    x = t.linspace(-1, 1, 24).view(4, 2, 3)
    nn = t.nn
    for layer in (nn.RNN(3, 2, num_layers=2), nn.GRU(3, 2, bidirectional=True), nn.LSTM(3, 2, dropout=0.5, num_layers=2), nn.LSTM(3, 2, proj_size=1)):
        layer(x)


def _packed(t: Any) -> None:
    rnn = t.nn.utils.rnn
    packed = rnn.pack_padded_sequence(t.arange(12.0).view(3, 2, 2).requires_grad_(), [3, 1])
    rnn.pad_packed_sequence(packed)
    t.nn.LSTM(2, 3)(packed)


def _checkpoint(t: Any) -> None:
    checkpoint = import_module(f"{t.__name__}.utils.checkpoint").checkpoint
    checkpoint(t.sin, t.ones(2, requires_grad=True), use_reentrant=False).sum().backward()


def _ctc(t: Any) -> None:
    scores = t.linspace(-1, 1, 24).view(4, 2, 3).log_softmax(2)
    t.nn.functional.ctc_loss(scores, t.tensor([[1, 2], [1, 1]]), t.tensor([4, 4]), t.tensor([2, 1]))


def _vmap(t: Any) -> None:
    t.func.vmap(lambda a: t.sin(a).sum())(t.ones(3, 2)).tolist()
    t.func.vmap(t.lgamma)(t.ones(3, 2)).tolist()


def _forward_mode(t: Any) -> None:
    t.func.jvp(lambda a: a, (t.ones(2),), (t.ones(2),))
    t.func.jvp(t.sin, (t.ones(2),), (t.ones(2),))


def _writes(t: Any) -> None:
    x = operands(t)["x"] * 1
    x[0] = 1
    x[0, 1:] = x[0, :1] * 1
    x[t.tensor([0])] = 2.0
    x[x.detach() > 0] = 3.0
    x[...] = t.tensor(2.0)
    x.detach()[1] = t.tensor(1.0, requires_grad=True).detach()


# Tables of other tests; some of their calls are there for the error they raise.
TABLES: dict[str, list[Sample]] = {
    "elementwise table": [_table_row(reduction_cases, text) for text in elementwise_cases.CASES],
    "reduction table": [_table_row(reduction_cases, text) for text in reduction_cases.CASES],
    "layer table": [_layer(name) for name in nn_cases.CASES],
    "matrix table": [_table_row(matrix_cases, text) for text in matrix_cases.CASES],
    "expression table": [_section_row(*case) for case in expression_cases.CASES],
    "creation table": [_table_row(creation_cases, text) for text in creation_cases.CASES],
}
SAMPLES: dict[str, list[Sample]] = {
    **{family: [_expression(text) for text in _separate(rows)] for family, rows in OWN.items()},
    "training": [(call.__name__[1:], call) for call in (_optimizers, _recurrent, _packed, _checkpoint, _ctc, _writes)],
    "transforms": [(call.__name__[1:], call) for call in (_vmap, _forward_mode)],
}
