"""Recurrent layers, cells and packed sequences: scenarios that run the same on torch and torchish and return plain data."""

from __future__ import annotations

import warnings
from typing import Any

from scenario_tools import message, plain

LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
    ("RNN", {"batch_first": True, "bidirectional": True}),
    ("LSTM", {}),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "dropout": 0.4}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    ("LSTM", {"batch_first": True, "bias": False}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    ("GRU", {"num_layers": 2, "bias": False, "dropout": 0.5}),
]


def row_name(number: int) -> str:
    kind, settings = LAYERS[number]
    return f"{number} {kind} {settings}"


def _wave(p: Any, *shape: int, dtype: Any = None) -> Any:
    count = 1
    for length in shape:
        count *= length
    return (p.arange(count, dtype=dtype or p.float32) * 1.3 + 0.4).sin().reshape(shape)


def _tuple(x: Any) -> tuple:
    return x if isinstance(x, tuple) else (x,)


def _initial(p: Any, kind: str, settings: dict[str, Any], batch: int, dtype: Any) -> tuple:
    rows = settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1)
    h = _wave(p, rows, batch, settings.get("proj_size") or 4, dtype=dtype).requires_grad_()
    return (h, _wave(p, rows, batch, 4, dtype=dtype).cos().detach().requires_grad_()) if kind == "LSTM" else (h,)


def _gradients(p: Any, outs: list[Any], leaves: list[Any]) -> list[Any]:
    loss = sum((out * out.sin()).sum() for out in outs)
    return list(p.autograd.grad(loss, leaves, retain_graph=True))


def behaviour(p: Any, row: tuple[str, dict[str, Any]]) -> Any:
    """Parameters as drawn, results, gradients, node names: batched, packed and unbatched."""
    kind, settings = row
    p.manual_seed(5)
    layer = getattr(p.nn, kind)(3, 4, **settings)
    out: list[Any] = [repr(layer), plain(layer.state_dict())]
    first = settings.get("batch_first", False)
    x = _wave(p, 2, 5, 3).requires_grad_() if first else _wave(p, 5, 2, 3).requires_grad_()
    states = _initial(p, kind, settings, 2, p.float32)
    y, end = layer(x, states if kind == "LSTM" else states[0])
    made = [y, *_tuple(end)]
    out.append([[m.grad_fn.name() for m in made], plain(made), plain(_gradients(p, made, [x, *states, *layer.parameters()]))])
    packed = p.nn.utils.rnn.pack_padded_sequence(x, [3, 5], batch_first=first, enforce_sorted=False)
    y, end = layer(packed)
    made = [y.data, *_tuple(end)]
    out.append([[m.grad_fn.name() for m in made], plain(made), plain(_gradients(p, made, [x, *layer.parameters()]))])
    layer.eval()
    y, end = layer(_wave(p, 5, 3))
    made = [y, *_tuple(end)]
    return [*out, [m.grad_fn.name() for m in made], plain(made)]


def second_derivatives(p: Any) -> Any:
    out = []
    for kind in ("RNN", "LSTM", "GRU"):
        p.manual_seed(1)
        layer = getattr(p.nn, kind)(2, 3, bidirectional=True, dtype=p.float64)
        x = _wave(p, 4, 2, 2, dtype=p.float64).requires_grad_()
        made = layer(x)[0]
        gradients = p.autograd.grad((made * made).sum(), [x, *layer.parameters()], create_graph=True)
        out.append(plain(list(p.autograd.grad(sum((g * g).sum() for g in gradients), [x, *layer.parameters()]))))
    return out


def cells(p: Any) -> Any:
    out = []
    for kind, settings in (("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu", "bias": False}), ("LSTMCell", {}), ("GRUCell", {"bias": False})):
        p.manual_seed(2)
        cell = getattr(p.nn, kind)(3, 4, **settings)
        out.append([repr(cell), list(cell.state_dict())])
        h = _wave(p, 2, 4)
        for x, state in ((_wave(p, 2, 3), None), (_wave(p, 2, 3), (h, h.cos()) if kind == "LSTMCell" else h), (_wave(p, 3), None)):
            made = _tuple(cell(x, state))
            names = [m.grad_fn.name() for m in made]
            out.append([names, plain(list(made)), plain(_gradients(p, list(made), list(cell.parameters())))])
    return out


def packing(p: Any) -> Any:
    rnn = p.nn.utils.rnn
    x = _wave(p, 4, 3, 2, dtype=p.float64).requires_grad_()
    out = []
    for lengths, settings in (([4, 2, 1], {}), ([2, 4, 1], {"enforce_sorted": False}), (p.tensor([3, 3, 2, 1]), {"batch_first": True})):
        packed = rnn.pack_padded_sequence(x, lengths, **settings)
        out.append([plain(list(packed)), packed.data.grad_fn.name()])
        for more in ({}, {"batch_first": True, "padding_value": -1.0, "total_length": 6}):
            padded, back = rnn.pad_packed_sequence(packed, **more)
            out.append([padded.grad_fn.name(), plain(padded), plain(back), plain(_gradients(p, [padded], [x]))])
        out.append([plain(s) for s in rnn.unpack_sequence(packed)])
    several = [_wave(p, 2, 2), _wave(p, 3, 2)]
    out.append([plain(rnn.pad_sequence(several)), plain(rnn.pad_sequence(several, True, -1.0, "left"))])
    out.append(plain(list(rnn.pack_sequence(several, enforce_sorted=False))))
    out.append([plain(s) for s in rnn.unpad_sequence(rnn.pad_sequence(several), p.tensor([2, 3]))])
    return [*out, packed.float().data.dtype == p.float32, packed.to(p.float64) is packed, plain(rnn.invert_permutation(p.tensor([1, 2, 0])))]


def errors(p: Any) -> list[str]:
    nn, rnn = p.nn, p.nn.utils.rnn
    out = []
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        for settings in (
            {"hidden_size": 0}, {"input_size": 0}, {"hidden_size": 4.0}, {"num_layers": 0}, {"dropout": 2}, {"bias": 0}, {"batch_first": 1},
        ):  # fmt: skip
            out.append(message(kind, **{"input_size": 3, "hidden_size": 4, **settings}))
        layer, x = kind(3, 4), _wave(p, 5, 2, 3)
        out += [message(layer, _wave(p, *shape)) for shape in ((5, 2, 7), (5,), (0, 2, 3))]
        out += [message(layer, x.double()), message(layer, x.long())]
        h, wrong = _wave(p, 1, 2, 4), _wave(p, 2, 2, 4)
        pair = (lambda a, b: (a, b)) if kind is nn.LSTM else (lambda a, b: a)
        out += [message(layer, x, pair(wrong, h)), message(layer, x, pair(h[0], h)), message(layer, x[0], pair(h, h))]
        if kind is not nn.LSTM:  # torch's LSTM fails later, inside the kernel
            out.append(message(layer, rnn.pack_padded_sequence(x, [5, 3]), _wave(p, 1, 3, 4)))
    out += [message(nn.GRU, 3, 4, proj_size=1), message(nn.LSTM, 3, 4, proj_size=4), message(nn.LSTM, 3, 4, proj_size=-1)]
    out += [message(nn.RNN, 3, 4, nonlinearity="x"), message(nn.RNNBase, "x", 3, 4)]
    for kind in (nn.RNNCell, nn.LSTMCell, nn.GRUCell):
        cell = kind(3, 4)
        out += [message(cell, _wave(p, *shape)) for shape in ((2, 7), (2, 2, 3))]
        for shape in ((3, 4), (2, 5), (2, 2, 4)):
            h = _wave(p, *shape)
            out.append(message(cell, _wave(p, 2, 3), (h, h) if kind is nn.LSTMCell else h))
    x = _wave(p, 4, 3, 2)
    out += [message(rnn.pack_padded_sequence, x, lengths) for lengths in ([2, 3, 1], [3, 1], [3, 1, 0], p.tensor([[4, 2, 1]]))]
    out += [message(rnn.pad_packed_sequence, rnn.pack_padded_sequence(x, [4, 2, 1]), total_length=2)]
    out += [message(rnn.pad_sequence, 3), message(rnn.pad_sequence, []), message(rnn.pad_sequence, [x], padding_side="up")]
    return out


def dropout_of_one_layer_warns(p: Any) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        p.nn.GRU(3, 4, dropout=0.5)
    return [str(w.message) for w in caught]


def weights_follow_changes(p: Any) -> Any:
    layer = p.nn.LSTM(2, 3)
    layer.weight_ih_l0 = p.nn.Parameter(p.zeros(12, 2))
    layer.flatten_parameters()
    same = [a is b for a, b in zip(layer._flat_weights, layer.parameters())]
    layer.double()
    return [same, [a is b for a, b in zip(layer._flat_weights, layer.parameters())], [[list(w.shape) for w in ws] for ws in layer.all_weights]]


SCENARIOS = [second_derivatives, cells, packing, errors, dropout_of_one_layer_warns, weights_follow_changes]
