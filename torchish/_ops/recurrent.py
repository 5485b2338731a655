"""Recurrent layers: one recorded op a layer and direction, torch.lstm / gru / rnn_tanh / rnn_relu over them, and the cells.

Owns shape rules, packed sequences' placement and torch's names; the loop over time is in recurrent_scan.py.
"""

from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase, from_array
from .._core.op import Op
from .._core.record import call
from .nn_common import computed, product, require_float, sized
from .recurrent_scan import forward, recurrence
from .variants import FUNCTIONS, METHODS, public

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


# ---------------------------------------------------------------- one layer, one direction
def _check_product(rows, a, w) -> None:
    """Raise torch's error unless rows of `a` can be multiplied by `w.T`."""
    if a.shape[-1] != w.shape[1]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and {w.shape[1]}x{w.shape[0]})")
    if a.dtype is not w.dtype:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {a.dtype.legacy} and {w.dtype.legacy}")


def _infer(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, place, flat, *, mode, reverse):
    require_float("rnn", x)
    rows = x.numel // max(x.shape[-1], 1)
    _check_product(rows, x, w_ih)
    _check_product(h.shape[0], h, w_hh)
    if w_ih.shape[0] != w_hh.shape[0]:
        raise RuntimeError(f"The size of tensor a ({w_ih.shape[0]}) must match the size of tensor b ({w_hh.shape[0]}) at non-singleton dimension 1")
    out = sized((*x.shape[:-1], h.shape[1]), x)
    return (out, sized(h.shape, x), sized(c.shape, x)) if mode == "LSTM" else (out, sized(h.shape, x))


def _body(xp, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, place, flat, *, mode, reverse):
    # The products with the input for all steps at once; only what depends on h stays in the loop.
    a = product(xp, x.reshape(-1, x.shape[-1]), w_ih.T)
    if b_ih is not None:
        a = a + (b_ih if mode == "GRU" else b_ih + b_hh)
    bias = b_hh if mode == "GRU" else None
    mask = None
    if place is None:
        a = a.reshape((*x.shape[:-1], a.shape[-1]))
    else:
        a, mask = a[xp.maximum(place, 0)], (place >= 0)[..., None]
    if xp is np:
        (_, last), (hs, _, _) = forward(np, mode, reverse, a, h, c, w_hh, bias, w_hr, mask, False)
    else:
        hs, last = recurrence(mode, reverse, a, h, c, w_hh, bias, w_hr, mask)
    end = hs[0 if reverse else -1]
    out = hs if flat is None else hs.reshape(-1, hs.shape[-1])[flat]
    return (out, end, last) if mode == "LSTM" else (out, end)


def _layer_op(grad: str) -> Op:
    return Op(f"recurrent layer: {grad}", _body, computed(_infer), grad=grad, saves=(0, 3, 4))


_stacked, _fused, _packed_op = (_layer_op(n) for n in ("StackBackward0", "MkldnnRnnLayerBackward0", "CatBackward0"))


# ---------------------------------------------------------------- packed sequences
def _placement(batch_sizes) -> tuple:
    """(place, flat) tensors of a packed sequence: place (T, B) is the row of step t of sequence b, or -1; flat (N,) is its inverse."""
    sizes = batch_sizes._host("packed sequence")
    batch = int(sizes[0])
    runs = np.arange(batch)[None] < sizes[:, None]
    flat = np.flatnonzero(runs)
    place = np.full(runs.shape, -1, np.int64)
    place.reshape(-1)[flat] = np.arange(flat.size)
    return from_array(place), from_array(flat.astype(np.int64))


# ---------------------------------------------------------------- all layers
def _run(mode, input, states, params, biases, layers, dropout, train, bidirectional, packing) -> tuple:
    """Outputs, then the stacked final states, of `layers` layers over a sequence-first or packed input."""
    directions = 2 if bidirectional else 1
    width = 2 + 2 * bool(biases) + (mode == "LSTM" and states[0]._spec.shape[-1] != states[1]._spec.shape[-1])
    if len(params) != layers * directions * width:
        raise RuntimeError(f"got an incorrect number of RNN parameters: expected {layers * directions * width}, got {len(params)}")
    op = _packed_op if packing[0] is not None else _fused if mode == "LSTM" and width % 2 == 0 and _is_fused(input) else _stacked
    ends: list = [[] for _ in states]
    for layer in range(layers):
        outs = []
        for direction in range(directions):
            number = layer * directions + direction
            initial = [METHODS["select"](s, 0, number) for s in states]
            made = call(op, _operands(input, initial, params[number * width : (number + 1) * width], biases, packing), _STATIC[mode, direction])
            outs.append(made[0])
            for kept, end in zip(ends, made[1:]):
                kept.append(end)
        input = outs[0] if directions == 1 else FUNCTIONS["cat"](outs, -1)
        if dropout and train and layer < layers - 1:
            input = FUNCTIONS["dropout"](input, dropout, True)
    return input, *[FUNCTIONS["stack"](e) for e in ends]


_STATIC = {(mode, d): (("mode", mode), ("reverse", bool(d))) for mode in GATES for d in (0, 1)}


def _is_fused(input) -> bool:
    """Whether torch runs an LSTM over this input as one oneDNN layer, which shows in the name of its node."""
    return input._spec.dtype is dt.float32 and input._spec.numel > 0 and input._spec.device.type == "cpu"


def _operands(input, initial: list, params, biases, packing) -> tuple:
    h, c = initial if len(initial) == 2 else (initial[0], None)
    b_ih, b_hh = (params[2], params[3]) if biases else (None, None)
    w_hr = params[-1] if len(params) % 2 else None
    return (input, h, c, params[0], params[1], b_ih, b_hh, w_hr, *packing)


def _padded(mode, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first) -> tuple:
    if input._spec.shape[1 if batch_first else 0] == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    if batch_first:
        input = METHODS["transpose"](input, 0, 1)
    states = hx if mode == "LSTM" else (hx,)
    out, *ends = _run(mode, input, states, params, has_biases, num_layers, dropout, train, bidirectional, (None, None))
    if batch_first:  # torch's LSTM transposes its result out of place, the others in place: it shows in the node's name
        out = METHODS["transpose" if mode == "LSTM" else "transpose_"](out, 0, 1)
    return out, *ends


def _packed(mode, data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional) -> tuple:
    states = hx if mode == "LSTM" else (hx,)
    return _run(mode, data, states, params, has_biases, num_layers, dropout, train, bidirectional, _placement(batch_sizes))


def _publish(name: str, mode: str) -> None:
    last = 1 if mode == "LSTM" else 2  # the place of the first argument that is a tensor in the packed form only

    def front(*args, **kwargs):
        packed = "batch_sizes" in kwargs or (len(args) > last and isinstance(args[last], TensorBase))
        return (_packed if packed else _padded)(mode, *args, **kwargs)

    front.__doc__ = (
        f"torch.{name}(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first), or with "
        "(data, batch_sizes, hx, ...) for a packed sequence.\n\n    Input (T, B, I), states (layers * directions, B, H); gives the outputs "
        "(T, B, directions * H) and the final states. Raises RuntimeError where sizes or dtypes do not fit."
    )
    public(name, method=False)(front)


for _name, _mode in (("lstm", "LSTM"), ("gru", "GRU"), ("rnn_tanh", "RNN_TANH"), ("rnn_relu", "RNN_RELU")):
    _publish(_name, _mode)


# ---------------------------------------------------------------- cells
def _check_cell(input, h, w_ih, w_hh, number: int, gates: int) -> None:
    x, s = input._spec.shape, h._spec.shape
    if not number and x[1] != w_ih._spec.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {x[1]} expected {w_ih._spec.shape[1]}")
    if x[0] != s[0]:
        raise RuntimeError(f"Input batch size {x[0]} doesn't match hidden{number} batch size {s[0]}")
    expected = w_hh._spec.shape[1] if not number else w_hh._spec.shape[0] // gates
    if s[1] != expected:
        raise RuntimeError(f"hidden{number} has inconsistent hidden_size: got {s[1]}, expected {expected}")


def _linear(x, w, b):
    return FUNCTIONS["nn.functional.linear"](x, w, b)


@public("rnn_tanh_cell", method=False)
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """tanh(W_ih x + b_ih + W_hh h + b_hh): (B, I) and (B, H) give (B, H). Raises RuntimeError where sizes do not fit."""
    _check_cell(input, hx, w_ih, w_hh, 0, 1)
    return METHODS["tanh"](_linear(hx, w_hh, b_hh) + _linear(input, w_ih, b_ih))


@public("rnn_relu_cell", method=False)
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """relu(W_ih x + b_ih + W_hh h + b_hh): (B, I) and (B, H) give (B, H). Raises RuntimeError where sizes do not fit."""
    _check_cell(input, hx, w_ih, w_hh, 0, 1)
    return METHODS["relu"](_linear(hx, w_hh, b_hh) + _linear(input, w_ih, b_ih))


@public("lstm_cell", method=False)
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One LSTM step (Hochreiter and Schmidhuber, 1997): (B, I) and a pair of (B, H) give the new pair. Raises RuntimeError where sizes do not fit."""
    h, c = hx
    _check_cell(input, h, w_ih, w_hh, 0, 4)
    _check_cell(input, c, w_ih, w_hh, 1, 4)
    gates = METHODS["chunk"](_linear(input, w_ih, b_ih) + _linear(h, w_hh, b_hh), 4, 1)
    i, f, o = (METHODS["sigmoid"](gates[n]) for n in (0, 1, 3))
    c = f * c + i * METHODS["tanh"](gates[2])
    return o * METHODS["tanh"](c), c


@public("gru_cell", method=False)
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One GRU step (Cho et al., 2014, with the reset gate after the product): (B, I) and (B, H) give (B, H). Raises RuntimeError likewise."""
    _check_cell(input, hx, w_ih, w_hh, 0, 3)
    a = METHODS["chunk"](_linear(input, w_ih, b_ih), 3, 1)
    u = METHODS["chunk"](_linear(hx, w_hh, b_hh), 3, 1)
    r, z = METHODS["sigmoid"](a[0] + u[0]), METHODS["sigmoid"](a[1] + u[1])
    n = METHODS["tanh"](a[2] + r * u[2])
    return (hx - n) * z + n


__all__ = ["GATES", "gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"]
