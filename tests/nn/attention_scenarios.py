"""Attention, transformers, padding, instance norm, resizing, blocks: scenarios that run the same on torch and torchish and return plain data."""

from __future__ import annotations

import warnings
from typing import Any

from scenario_tools import message, plain


def _wave(p: Any, *shape: int) -> Any:
    count = 1
    for length in shape:
        count *= length
    return (p.arange(count, dtype=p.float64) * 1.3 + 0.4).sin().reshape(shape).float()


def _outcome(p: Any, made: Any, leaves: list[Any]) -> Any:
    """Node name, values and gradients of a result."""
    gradients = p.autograd.grad((made * made.cos()).sum(), leaves, retain_graph=True)
    return [made.grad_fn.name(), plain(made), plain(list(gradients))]


def attention(p: Any) -> Any:
    out = []
    x, y = _wave(p, 3, 2, 4).requires_grad_(), _wave(p, 5, 2, 4).cos().detach().requires_grad_()
    padding = p.tensor([[False, True, False, False, False], [False, False, False, False, True]])
    mask = p.triu(p.full((3, 5), float("-inf")), 2)
    for settings in ({}, {"bias": False, "add_zero_attn": True}, {"add_bias_kv": True}, {"kdim": 4, "vdim": 4, "batch_first": True}):
        p.manual_seed(3)
        layer = p.nn.MultiheadAttention(4, 2, **settings)
        a, b = (x.transpose(0, 1), y.transpose(0, 1)) if settings.get("batch_first") else (x, y)
        out.append([repr(layer), [[k, list(v.shape)] for k, v in layer.state_dict().items()], plain(layer.state_dict())])
        for call in ({}, {"need_weights": False}, {"average_attn_weights": False, "key_padding_mask": padding}, {"attn_mask": mask}):
            made, weights = layer(a, b, b, **call)
            out.append([_outcome(p, made, [x, y, *layer.parameters()]), plain(weights)])
    made, weights = layer(a, a, a, need_weights=False, attn_mask=p.zeros(3, 3), is_causal=True)
    return [*out, _outcome(p, made, [x]), plain(layer(x[0], x[0], x[0])[0])]


def separate_projections(p: Any) -> Any:
    p.manual_seed(4)
    layer = p.nn.MultiheadAttention(4, 2, kdim=3, vdim=5, dropout=0.3)
    query, key, value = _wave(p, 3, 2, 4), _wave(p, 6, 2, 3), _wave(p, 6, 2, 5)
    made, weights = layer(query, key, value)
    return [list(layer.state_dict()), _outcome(p, made, list(layer.parameters())), plain(weights)]


def transformers(p: Any) -> Any:
    out = []
    src, tgt = _wave(p, 4, 2, 4).requires_grad_(), _wave(p, 3, 2, 4).requires_grad_()
    for settings in ({"dropout": 0.2}, {"norm_first": True, "activation": "gelu", "bias": False, "dropout": 0.0}):
        p.manual_seed(6)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net = p.nn.Transformer(4, 2, 2, 1, 8, **settings)
        mask = p.nn.Transformer.generate_square_subsequent_mask(3)
        made = net(src, tgt, tgt_mask=mask, src_key_padding_mask=p.tensor([[False, False, True, False]] * 2))
        out.append([[str(w.message) for w in caught], repr(net), list(net.state_dict())])
        out.append(_outcome(p, made, [src, tgt, *net.encoder.parameters()][:6]))
    return out


def resizing(p: Any) -> Any:
    out, F = [], p.nn.functional
    cases = [
        ((2, 1, 5), {"scale_factor": 1.7, "mode": "linear"}),
        ((2, 1, 5), {"size": 3}),
        ((1, 2, 4, 5), {"scale_factor": 2}),
        ((1, 2, 4, 5), {"size": (7, 3), "mode": "nearest-exact"}),
        ((1, 2, 4, 5), {"size": (7, 3), "mode": "bilinear"}),
        ((1, 2, 4, 5), {"scale_factor": (1.5, 0.7), "mode": "bilinear", "align_corners": True}),
        ((1, 2, 4, 5), {"scale_factor": 1.6, "mode": "bicubic", "recompute_scale_factor": True}),
        ((1, 1, 9, 8), {"size": (4, 3), "mode": "bilinear", "antialias": True}),
        ((1, 1, 9, 8), {"size": (4, 12), "mode": "bicubic", "antialias": True}),
        ((1, 1, 9, 8), {"size": (4, 3), "mode": "area"}),
        ((1, 1, 2, 3, 4), {"scale_factor": 2, "mode": "trilinear"}),
        ((1, 1, 2, 3, 4), {"size": 3}),
    ]
    for shape, settings in cases:
        x = _wave(p, *shape).requires_grad_()
        out.append(_outcome(p, F.interpolate(x, **settings), [x]))
    return out


def blocks_and_shuffles(p: Any) -> Any:
    out, F = [], p.nn.functional
    x = _wave(p, 2, 4, 4, 6).requires_grad_()
    for settings in ({"kernel_size": 2}, {"kernel_size": (3, 2), "padding": (1, 0), "stride": (2, 1), "dilation": (1, 2)}):
        made = F.unfold(x, **settings)
        out += [_outcome(p, made, [x]), _outcome(p, F.fold(made, (4, 6), **settings), [x])]
    out += [plain(F.unfold(x[0], 2)), plain(F.fold(F.unfold(x[0], 2), (4, 6), 2))]
    out += [_outcome(p, f(x, 2), [x]) for f in (F.pixel_shuffle, F.pixel_unshuffle, F.channel_shuffle)]
    return out


def errors(p: Any) -> list[str]:
    nn, F = p.nn, p.nn.functional
    layer, x = nn.MultiheadAttention(4, 2), _wave(p, 3, 2, 4)
    out = [message(nn.MultiheadAttention, 5, 2), message(nn.MultiheadAttention, 0, 2)]
    out += [message(layer, _wave(p, 3, 2, 5), x, x), message(layer, _wave(p, 3), x, x), message(layer, x, x[0], x), message(layer, x, x[:2], x)]
    for masks in (
        {"key_padding_mask": p.zeros(3, 2).bool()}, {"attn_mask": p.zeros(2, 2)}, {"attn_mask": p.zeros(3, 2, 2)}, {"is_causal": True},
        {"attn_mask": p.zeros(3, 3).long()}, {"attn_mask": p.zeros(3)}, {"key_padding_mask": p.zeros(2, 3).long()},
    ):  # fmt: skip
        out.append(message(layer, x, x, x, **masks))
    out.append(message(nn.TransformerEncoderLayer, 4, 2, 8, activation="x"))
    y = _wave(p, 2, 3, 4, 4)
    for settings in (
        {}, {"size": 2, "scale_factor": 2}, {"size": (1, 2, 3)}, {"scale_factor": (1.0, 2.0, 3.0)}, {"size": 0}, {"scale_factor": 0.1},
        {"size": 5, "recompute_scale_factor": True}, {"size": 5, "mode": "x"}, {"size": 5, "mode": "linear"}, {"size": 5, "antialias": True},
        {"size": 5, "align_corners": True},
    ):  # fmt: skip
        out.append(message(F.interpolate, y, **settings))
    for call in ((y, 5), (y, 0), (y.long(), 2), (y, (2, 2, 2)), (p.ones(1, 0, 3, 3), 2)):
        out.append(message(F.unfold, *call))
    z = _wave(p, 2, 12, 9)
    for call in ((z, (5, 4), 2), (z, (4, 4), (5, 2)), (z[0, 0], (4, 4), 2), (z.long(), (4, 4), 2)):
        out.append(message(F.fold, *call))
    out += [message(F.pixel_shuffle, y, 2), message(F.pixel_unshuffle, y, 3), message(F.channel_shuffle, y, 2), message(F.pixel_shuffle, y, 0)]
    out += [message(nn.InstanceNorm1d(3, affine=True), p.ones(2, 4, 5)), message(nn.InstanceNorm2d(3), p.ones(2, 3))]
    out += [message(nn.InstanceNorm1d(3).load_state_dict, {"running_mean": p.zeros(3)}), message(nn.CircularPad2d(1), p.ones(2))]
    return out


def small_layers(p: Any) -> Any:
    nn, out = p.nn, []
    x = _wave(p, 2, 4, 4, 6).requires_grad_()
    layers = [
        nn.ZeroPad2d(1), nn.ConstantPad2d((1, 2, 0, 1), 3.5), nn.ReflectionPad2d(2), nn.ReplicationPad2d((1, 0, 2, 1)), nn.CircularPad2d(1),
        nn.InstanceNorm2d(4), nn.InstanceNorm2d(4, affine=True, track_running_stats=True), nn.Upsample(scale_factor=2),
        nn.UpsamplingBilinear2d(size=(3, 5)), nn.UpsamplingNearest2d(scale_factor=2), nn.Unfold(2, stride=2), nn.PixelShuffle(2),
        nn.PixelUnshuffle(2), nn.ChannelShuffle(2),
    ]  # fmt: skip
    for layer in layers:
        out.append([repr(layer), _outcome(p, layer(x), [x]), plain(layer.state_dict())])
    out.append([repr(layer) for layer in (nn.ZeroPad1d(1), nn.ConstantPad3d(1, 2.0), nn.CircularPad3d(1), nn.Fold((4, 4), 2), nn.InstanceNorm3d(2))])
    return [*out, plain(nn.InstanceNorm1d(4)(x[0, 0])), plain(layers[6].eval()(x))]


SCENARIOS = [attention, separate_projections, transformers, resizing, blocks_and_shuffles, errors, small_layers]
