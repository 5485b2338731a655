"""The table of calls that the tests of views and shapes make, and how one is run on any module with torch's API.

A case is an expression over `t` (the module) and the inputs below. What is compared: type, values, dtype, shape, strides, offset, whether
it is a view, the path of autograd nodes behind it, the gradients of every input, and exceptions with their text. Imports neither package.
"""
from __future__ import annotations

import warnings
from typing import Any

SHAPES = {"x": (2, 3), "y": (2, 3, 4), "s": (), "v": (4,), "o": (1, 3, 1), "q": (2, 3, 4, 5), "m": (4, 4), "e": (0, 3)}

VIEWS = """x.t() | s.t() | v.t() | x.T | y.mT | x.H | x.mH | y.adjoint() | s.mT | x.transpose(0, -1) | s.transpose(0, 0) | y.permute(2, 0, 1)
y.permute((1, 0, 2)) | y.permute(dims=(2, 1, 0)) | y.movedim(0, 2) | y.movedim((0, 1), (2, 0)) | y.moveaxis(0, 1) | y.swapaxes(0, 2)
y.swapdims(0, 1) | x.view(3, 2) | x.view(-1) | x.view((6,)) | x.view(1, 2, 1, 3) | x.t().view(3, 2) | x.view_as(x.t()) | e.view(3, 0)
e.view(-1) | y[:, :2].view(2, -1) | x.reshape(6) | x.t().reshape(6) | x.t().reshape(3, 2) | y.permute(2, 0, 1).flatten(1) | y.flatten()
y.flatten(1, 2) | s.flatten() | v.flatten() | y.transpose(0, 1).flatten() | x.ravel() | x.t().ravel() | v.ravel() | y.unflatten(2, (2, -1))
x.reshape_as(y.flatten()[:6]) | x[:1].t().reshape(1, 3) | o.squeeze() | o.squeeze(0) | o.squeeze(1) | o.squeeze((0, 2)) | s.squeeze(0)
x.unsqueeze(0) | x.unsqueeze(-1) | x.t().unsqueeze(1) | e.unsqueeze(1) | o.expand(2, 3, 4) | o.expand(-1, 3, 2) | x.expand(1, 2, 3)
x.expand(4, 1, 2, 3) | s.expand(1, 1) | s.expand(3) | o.expand_as(t.ones(5, 3, 4)) | v.expand(size=(2, 4)) | t.broadcast_to(v, (3, 4))
m.diagonal() | m.diagonal(1) | m.diagonal(-2) | m.diagonal(9) | y.diagonal(1, 2, 0) | t.linalg.diagonal(y) | x.t().diagonal()
v.unfold(0, 2, 1) | y.unfold(2, 3, 1) | y.unfold(1, 2, 2) | s.unfold(0, 1, 1) | y.transpose(0, 2).unfold(0, 2, 2)
x.as_strided((2, 2), (1, 2)) | x.as_strided((3, 3), (1, 1), 1) | x[1:].as_strided((2,), (1,)) | x[1:].as_strided((4,), (1,), 0)
x.t().as_strided((2,), (2,)) | y.narrow(1, 1, 2) | y.narrow(-1, -2, 2) | x.narrow(0, t.tensor(1), 1) | y.select(1, 2) | y.select(-1, -1)
y.unbind(1) | x.unbind(-1) | e.unbind() | v.unbind() | y.split(3, 2) | y.split([1, 2], 1) | x.split_with_sizes([1, 1]) | e.split(0)
y.chunk(3, 2) | v.chunk(3) | e.chunk(2) | y.tensor_split(3, 2) | y.tensor_split((1, 3), 2) | v.tensor_split((1, -1))
v.tensor_split(t.tensor([1, 2])) | v.tensor_split(t.tensor(3)) | m.hsplit(2) | v.hsplit(2) | m.vsplit(2) | q.dsplit(2) | v.unsafe_chunk(2)
v.unsafe_split(3) | t.view_as_complex(x.reshape(3, 2)) | t.view_as_real(x.to(t.complex64)) | x.to(t.complex64).real | x.to(t.complex64).imag
x.real | x.view(t.int32) | x.detach().view(t.int16) | x.detach().view(t.float32) | v.detach().view(t.complex64) | v.detach().view(t.float64)
x.detach().t().view(t.int32) | t.atleast_1d(s) | t.atleast_2d(s) | t.atleast_3d(s) | t.atleast_2d(v) | t.atleast_3d(v) | t.atleast_3d(x)
t.atleast_1d(s, v) | t.atleast_2d([s, x]) | x.detach() | x.view_as(x) | t.broadcast_tensors(x, s, o[0])
t.meshgrid(v, v[:2], indexing='ij') | t.meshgrid(v, v[:2], indexing='xy') | t.meshgrid(s, v)"""

COPIES = """t.cat([x, x]) | t.cat([x, x], 1) | t.cat([x, x.double()], -1) | t.cat([x.long(), x.bool()]) | t.cat([v[:0], x]) | t.concat([x, x], axis=1)
t.concatenate([x]) | t.cat([q.to(memory_format=t.channels_last)] * 2) | t.stack([x, x]) | t.stack([x, x], -1) | t.stack([x.t(), x.t()], 1)
t.stack([x, x.double()]) | t.stack([s, s]) | t.hstack([x, x]) | t.hstack([v, v, s]) | t.vstack([v, v]) | t.row_stack([x, x[:1]])
t.dstack([v, v]) | t.dstack([x, x]) | t.column_stack([v, s.expand(4)]) | t.column_stack([x, x]) | t.block_diag(x, v, s) | t.block_diag(x, e)
t.block_diag() | t.cartesian_prod(v, v[:2]) | t.cartesian_prod(v) | t.combinations(v.detach()) | t.combinations(v.detach(), 3, True)
t.combinations(v.detach(), 0) | t.broadcast_shapes((2, 1), (3,), 1) | x.repeat(2, 1) | x.repeat(2, 1, 2) | s.repeat(3) | x.repeat(0, 1)
x.repeat_interleave(2) | x.repeat_interleave(2, 1) | x.repeat_interleave(t.tensor([1, 2]), 0) | x.repeat_interleave(t.tensor(2))
s.repeat_interleave(3) | t.repeat_interleave(t.tensor([1, 0, 2])) | x.tile(2) | x.tile(2, 1, 1) | x.tile(dims=(1, 2)) | x.roll(1)
x.roll((1, 2), (0, 1)) | x.t().roll(-1, 0) | s.roll(1) | x.flip(0) | x.flip(0, 1) | x.t().flip((0,)) | y.permute(2, 0, 1).flip(0)
x.fliplr() | v.flipud() | x.rot90() | x.rot90(2) | x.rot90(-1) | x.t().rot90(2) | x.rot90(4) | y.rot90(1, (2, 0)) | m.tril() | m.triu(1)
y.tril(-1) | x.t().triu() | t.tril_indices(3, 4, 1) | t.triu_indices(3, 3, -1, dtype=t.int32) | m.diag() | m.diag(-1) | v.diag() | v.diag(1)
x.diagflat() | v.diagflat(-1) | x.diag_embed() | x.diag_embed(1, 0, 2) | x.t().diag_embed(0, 0, 1) | x.clone() | x.t().clone()
o.expand(2, 3, 2).clone() | m[:, ::2].clone() | y.permute(2, 0, 1)[1:].clone() | m.t().clone(memory_format=t.contiguous_format)
q.clone(memory_format=t.channels_last) | q.to(memory_format=t.channels_last) | q.contiguous(memory_format=t.channels_last)
x.t().contiguous() | x.t().to(t.float64) | x.t().to(t.float64, memory_format=t.contiguous_format) | x.t().to(t.float32, copy=True)
x.t().type_as(x.double()) | x.to(x.long()) | x.double().to('cpu', t.int32) | t.squeeze_copy(o)
t.permute_copy(x, (1, 0)) | t.view_copy(x, (6,)) | t.unbind_copy(x) | t.expand_copy(v, (2, 4)) | t.narrow_copy(x, 1, 1, 2)
t.diagonal_copy(m) | t.slice_copy(m, 1, 0, 4, 2) | t.split_copy(v, 2) | t.unfold_copy(v, 0, 2, 1) | t.alias_copy(x) | t.fill(x, 3)
t.fill(x, s)"""

ERRORS = """x.view(4) | x.view(-1, -1) | x.view(2.0) | x.view() | x.view(2, 'a') | x.t().view(-1) | x.reshape(7) | x.reshape(None) | x.reshape()
x.flatten(1, 0) | x.unflatten(1, (2, 2)) | x.unflatten(1, ()) | x.permute(0) | x.permute(0, 0) | y.t() | y.t_() | v.mT | v.H | y.H
v.adjoint() | x.movedim((0, 1), (0,)) | x.movedim((0, 0), (0, 1)) | x.transpose(0, 2) | x.squeeze(4) | x.squeeze((0, 0)) | x.unsqueeze(5)
x.expand(3) | x.expand(2, 4) | x.expand(-1, 2, 3) | x.expand() | x.bool().expand(3) | x.narrow(0, 1, 3) | x.narrow(0, 3, 0)
x.narrow(0, 0, -1) | x.narrow(0, t.tensor([1]), 1) | x.select(0, 3) | s.select(0, 0) | x.diagonal(0, 1, 1) | v.diagonal()
v.unfold(0, 5, 1) | v.unfold(0, 2, 0) | x.as_strided((3, 3), (2, 1)) | x.as_strided((2, 3), (2,)) | x.as_strided((2, 3), (-1, 1))
x.split(-1) | x.split(0) | x.split([1, 2]) | x.split([-1, 3]) | s.split(1) | x.chunk(0) | s.chunk(1) | s.unbind() | x.tensor_split(0)
s.tensor_split(1) | x.hsplit(2) | v.vsplit(2) | x.dsplit(2) | t.view_as_real(x) | t.view_as_complex(x) | x.detach()[0, 0].view(t.float64)
x.detach().view(t.float64) | x.detach().t().view(t.float64) | x.view_as(3) | t.cat([]) | t.cat([x, v]) | t.cat([x, m]) | t.cat([s, s])
t.cat(x) | t.cat([x, 1]) | t.cat([x], 2) | t.stack([]) | t.stack([x, v]) | t.stack([x], 4) | t.hstack([]) | t.vstack([v, x[0]])
t.block_diag(y) | t.cartesian_prod(x) | t.meshgrid(v, v.long()) | t.meshgrid(v, indexing='zz') | t.broadcast_shapes((2,), (3,))
t.broadcast_tensors(x, v) | x.repeat(2) | x.repeat(2, -1) | x.repeat() | x.repeat_interleave(-1)
x.repeat_interleave(t.tensor([1, 2, 3]), 0) | x.repeat_interleave(t.tensor([1, -1]), 0) | x.roll(1, (0, 1)) | x.roll((1, 2)) | x.flip(0, 0)
x.flip(4) | v.fliplr() | x.rot90(1, (0, 0)) | x.rot90(1, (0,)) | v.tril() | t.tril_indices(-1, 3) | y.diag() | x.diag_embed(0, 1, 1)
t.combinations(v, -1) | x.contiguous(memory_format=t.channels_last) | x.type_as(1) | x.detach().copy_(m) | x.detach().copy_(y)
x.resize_(3) | x.detach().resize_(2, -1) | x.detach().fill_(v) | x.detach().set_(x.long()) | v.detach().fill_diagonal_(1) | x.t_()
x.detach().expand(2, 2, 3).add_(1) | v.detach()[1:].add_(v.detach()) | t.atleast_2d(3)"""


def _split(table: str) -> list[str]:
    return [case.strip() for case in table.replace("\n", " | ").split(" | ")]


# Strides of results, for inputs in several layouts
FORMATS = ["q.contiguous(memory_format=t.channels_last)", "q.permute(1, 0, 3, 2)", "q.contiguous(memory_format=t.channels_last)[:, :, ::2]",
           "q[:1].swapaxes(0, 1)", "q.contiguous(memory_format=t.channels_last)[:, :1]", "q[:0]"]
LAYOUTS = """{} + 1 | 1 - {} | {} / 2 | {} > 1 | {} ** 2 | {}.exp() | {}.clamp(0, 1) | {} + t.ones(5) | t.where({} > 2, {}, 0.0)
t.nn.functional.relu({}) | t.nn.functional.gelu({}) | t.nn.functional.leaky_relu({}) | t.complex({}, {}).abs()
t.nn.functional.mse_loss({}, {} + 1, reduction='none')
t.nn.functional.conv2d({}[:, :1], t.ones(2, 1, 1, 1)) | t.nn.functional.max_pool2d({}, 1, 2) | t.nn.functional.avg_pool2d({}, 1)
t.nn.functional.batch_norm({}[:, :1], t.zeros(1), t.ones(1)) | t.nn.functional.pad({}, (1, 1)) | {}.roll(1, 2) | t.cat([{}, {}], 1)
t.nn.functional.interpolate({}, scale_factor=2) | {}.to(memory_format=t.channels_last) | {}.is_contiguous(memory_format=t.channels_last) * q
t.zeros_like({}) | {}.sum(1) | {}.nan_to_num() | {}.isreal() | t.tensor({}.detach()) | t.add({}.detach(), 1, out=t.empty(0))
t.nn.functional.channel_shuffle({}, 1) | t.nn.functional.glu({}[..., :2], 3)"""


CASES = _split(VIEWS) + _split(COPIES) + _split(ERRORS) + [case.replace("{}", f) for case in _split(LAYOUTS) for f in FORMATS]


def inputs(t: Any) -> dict:
    """Leaves that require grad, by name."""
    made = {}
    for name, shape in SHAPES.items():
        count = 1
        for n in shape:
            count *= n
        made[name] = (t.arange(1, count + 1, dtype=t.float32) / 4).reshape(shape).clone().requires_grad_()
    return made


def run(t: Any, expression: str) -> dict:
    """What the expression gives on module `t`, as plain data."""
    names = inputs(t)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = eval(expression, {"t": t}, names)
    except Exception as error:
        return {"raises": type(error).__name__, "message": str(error).split("\n")[0]}
    results = [result] if hasattr(result, "stride") else [r for r in result if hasattr(r, "stride")]
    return {"type": type(result).__name__ if isinstance(result, tuple) else "Tensor", "size": None if results else list(result),
            "results": [describe(r) for r in results], "gradients": gradients(t, names, results)}


def describe(r: Any) -> dict:
    """A tensor's facts and values."""
    return {"dtype": str(r.dtype).rpartition(".")[2], "shape": list(r.shape), "stride": list(r.stride()), "offset": r.storage_offset(),
            "view": r._is_view(), "requires_grad": r.requires_grad, "path": path(r), "values": values(r)}


def path(r: Any) -> list:
    """The names of the nodes behind a tensor, by their first operands."""
    names, node = [], r.grad_fn
    while node is not None and "Accumulate" not in node.name() and len(names) < 6:
        names.append(f"{node.name()} {len(node.next_functions)}")
        node = node.next_functions[0][0]
    return names


def values(r: Any) -> list:
    """The values in order, complex ones as pairs."""
    return _flat(r.detach().tolist())


def _flat(nested: Any) -> list:
    if isinstance(nested, list):
        return [v for each in nested for v in _flat(each)]
    return [[nested.real, nested.imag]] if isinstance(nested, complex) else [nested]


def gradients(t: Any, names: dict, results: list) -> dict:
    """Gradients of the leaves for cotangents 1, 2, 3, ... (halved from result to result)."""
    for k, r in enumerate(results):
        if r.requires_grad and not r.is_leaf:
            r.backward(t.arange(1, r.numel() + 1).to(r.dtype).view(r.shape) / 2 ** k, retain_graph=True)
    return {n: values(x.grad) for n, x in names.items() if x.grad is not None}
