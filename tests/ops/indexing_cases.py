"""Indexing programs as Python text, run on torch and on torchish alike; `observe` turns what happens into plain data.

`x` is a (2, 3, 4) float tensor made by arithmetic on a leaf (`a`) that requires grad, `n` a plain int tensor, `m` a (2, 3) mask.
"""
from __future__ import annotations

import math

import numpy as np

READS = """
x[1] ; x[-1] ; x[1, 2, 3] ; x[:, 1:2] ; x[:, ::2] ; x[1:, -1] ; x[..., 0] ; x[None] ; x[:, None, 0] ; x[...] ; x[()] ; x[:] ; x[:, :]
x[10:20] ; x[:, 2:1] ; x[True] ; x[False] ; x[0, True] ; x[[0, 1]] ; x[[0, 1], 0] ; x[0, :, [0, 1]] ; x[[0, 1], :, [0, 1]]
x[:, [0, 2], None, 1] ; x[[[0, 1], [1, 0]],] ; x[torch.tensor(1)] ; x[torch.tensor(1), 0] ; x[torch.tensor(True)] ; x[torch.tensor([0, -1])]
x[torch.tensor([1, 0], dtype=torch.int32)] ; x[[]] ; x[m] ; x[m, 0] ; x[m, 1:] ; x[:, [True, False, True]]
x[..., torch.tensor([True, False, True, True])] ; x[m, torch.tensor([1])] ; x[[True, False]] ; x[np.array([1, 0])] ; x[np.int64(1)]
x[range(2)] ; x[[slice(0, 1)]] ; x[0:torch.tensor(1)] ; n[n > 3] ; x.permute(2, 0, 1)[:, [0, 1]] ; n.t()[[0, 2]]
x[torch.zeros(0, 2, dtype=torch.long)] ; x[:, :0, [7]] ; torch.zeros(0, 3)[:, [0]] ; x[None, False, None] ; x[1, None, ..., 2]
torch.gather(x, 1, torch.tensor([[[2, 0, 1, 1]], [[0, 1, 1, 2]]])) ; torch.take(x, torch.tensor([0, -1, 5]))
torch.index_select(x, 2, torch.tensor([3, 0, 3])) ; torch.take_along_dim(n, torch.tensor([[2], [-1]]), 1)
torch.masked_select(x, m[:, :, None]) ; torch.nonzero(n > 2) ; torch.argwhere(n > 2) ; torch.nonzero(n > 2, as_tuple=True)[1]
torch.nonzero(torch.tensor(1.)) ; torch.where(n > 2)[0] ; torch.nonzero_static(n, size=2)
torch.scatter(n, 1, torch.tensor([[0, 2], [1, 1]]), 9) ; torch.scatter(x, 0, torch.tensor([[[1]]]), x[:1, :1, :1] * 2)
torch.scatter_add(x, 1, torch.tensor([[[0, 0], [0, 1]]]), x[:1, :2, :2]) ; torch.scatter(n, 1, torch.tensor([[0, 2]]), 9, reduce="multiply")
torch.index_add(n, 1, torch.tensor([0, 0]), n[:, :2], alpha=2) ; torch.index_copy(x, 1, torch.tensor([2]), x[:, :1])
torch.index_fill(x, 1, torch.tensor([0, -1]), 7) ; torch.index_fill(x, 0, torch.tensor(1), torch.tensor(7.))
torch.index_put(x, (torch.tensor([0, 0]), torch.tensor([1, 1])), torch.ones(4), accumulate=True)
torch.put(n, torch.tensor([0, -1]), torch.tensor([7, 8])) ; torch.masked_fill(x, m[:, :, None], -1)
torch.masked_fill(n, n > 2, torch.tensor(5.5)) ; torch.masked_scatter(n, n > 2, torch.arange(10, 16))
torch.select_scatter(x, torch.zeros(3, 4), 0, 1) ; torch.slice_scatter(x, torch.zeros(2, 3, 2), 2, 0, 4, 2)
torch.diagonal_scatter(n, torch.tensor([8, 9]), 1) ; torch.scatter_reduce(x, 2, torch.tensor([[[0, 0, 1]]]), x[:1, :1, :3] + 1, "amax")
torch.scatter_reduce(n, 1, torch.tensor([[0, 0, 1]]), n, "mean", include_self=False)
torch.scatter_reduce(x, 2, torch.tensor([[[0, 0, 1]]]), x[:1, :1, :3] + 1, "prod", include_self=False)
torch.index_reduce(x, 2, torch.tensor([0, 0]), x[..., 1:3], "mean") ; torch.as_strided_scatter(x, x[0, :2, :2] * 2, (2, 2), (1, 5), 3)
torch.as_strided_scatter(n[1:], torch.tensor([[7, 8]]), (1, 2), (1, 2)) + 0 ; n.t().as_strided_scatter(torch.tensor([8.5, 9]), (2,), (2,), 1)
torch.as_strided_scatter(n[0].expand(3, 3), n[:, :2], (2, 2), (1, 2)) ; torch.add(n[0], 1, out=torch.empty(2)) ; torch.add(n[0], 1, out=n[1])
torch.dot(n[0], n[1], out=n[0, 0]) ; torch.from_numpy(np.zeros(2)).resize_(1) ; torch.tensor(np.ones(2)).resize_(1)
"""
READ_ERRORS = """
x[5] ; x[-3] ; x[0, 5] ; x[0, 0, 0, 0] ; x[::-1] ; x[::0] ; x[1.5] ; x["a"] ; x[{}] ; x[torch.tensor([1.])] ; x[[3]] ; x[:, [-5]]
x[[0], :, [4]] ; x[[0, 1], [0, 1, 2]] ; x[torch.tensor([True])] ; x[..., torch.tensor([True])] ; torch.tensor(1.)[0] ; torch.tensor(1.)[:]
torch.zeros(0, 3)[[0]] ; x[1.5:2] ; x[2 ** 70] ; x[torch.tensor([0], dtype=torch.int16)] ; torch.gather(n, 0, torch.tensor([[7]]))
torch.gather(n, 0, torch.tensor([[-1]])) ; torch.gather(n, 0, n.float()) ; torch.gather(n, 0, torch.tensor([0]))
torch.index_select(n, 0, torch.tensor([9])) ; torch.index_select(n, 1, torch.tensor([9])) ; torch.index_select(n, 0, n)
torch.take(n, torch.tensor([9])) ; torch.take(torch.ones(0), torch.tensor([0])) ; torch.scatter(n, 0, torch.tensor([[7]]), n)
torch.scatter(n, 0, torch.tensor([[0]]), n.float()) ; torch.scatter(n, 0, torch.zeros(3, 4, dtype=torch.long), n)
torch.scatter(n, 0, torch.tensor([[0]]), n, reduce="max") ; torch.scatter_reduce(n, 0, n, n, "x")
torch.index_add(n, 0, torch.tensor([5]), n[:1]) ; torch.index_add(n, 0, torch.tensor([0, 1]), n[:1])
torch.index_copy(n, 0, torch.tensor([5]), n[:1]) ; torch.index_fill(n, 1, torch.tensor([9]), 5)
torch.index_fill(n, 1, torch.tensor([0]), 1j) ; torch.index_put(n, (torch.tensor([9]),), torch.tensor(1))
torch.index_put(n, (torch.tensor([0, 1]),), torch.ones(2, dtype=torch.long)) ; torch.index_put(n, (torch.tensor([0]),), torch.tensor(1.))
torch.put(n, torch.tensor([9]), torch.tensor([7])) ; torch.masked_fill(n, n, 0) ; torch.masked_fill(n, n > 0, torch.tensor([1]))
torch.masked_select(n, n) ; torch.masked_scatter(n, n > 2, torch.arange(2)) ; torch.select_scatter(n, n, 0, 0)
torch.diagonal_scatter(n, n) ; n.masked_fill(n > 0, 2.5 + 1j) ; torch.as_strided_scatter(n, n, (2, 2), (1, 1))
torch.as_strided_scatter(n, n, (2, 3), (3, 9)) ; torch.as_strided_scatter(n, n, (2, 3), (3,))
torch.add(n.view(-1)[:4], 1, out=n.view(-1)[2:]) ; torch.exp(n.float(), out=torch.ones(3).expand(2, 3)) ; torch.cat([n], out=n)
torch.cat([n[:1], n[1:]], out=n) ; torch.topk(n, 1, out=(n[:1], n.new_empty(0))) ; torch.cumsum(n.view(-1)[:4], 0, out=n.view(-1)[2:])
torch.gather(n, 0, n * 0, out=n) ; torch.take(n, n, out=n) ; torch.from_numpy(np.zeros(2)).resize_(3) ; torch.as_tensor(np.zeros(2)).resize_(3)
torch.add(n, 1, out=torch.from_numpy(np.zeros(2))) ; (n.numpy(), n.resize_(9))
"""
WRITES = """
x[0] = 1 ; x[:, 0] = torch.ones(4) ; x[..., -1] = 2.5 ; x[...] = 3 ; x[()] = 3 ; x[None] = 4 ; x[True] = 5 ; x[False] = 5
x[0, 1, 2] = torch.tensor([6.]) ; x[[0, 1]] = 1 ; x[[1, 0], 0] = torch.ones(2, 4) ; x[:, [0, 2]] = torch.tensor(3.) ; x[0, [0, 1]] = 2
x[torch.tensor(1)] = 8 ; x[m] = 0 ; x[m, 0] = -1 ; x[m] = torch.ones(4) ; x[x > 3] = torch.tensor(2.) ; x[:, [True, False, True]] = 1
x[0] = torch.ones(1, 1, 3, 4) ; n[0] = 1.7 ; n[[0]] = 1.7 ; n[:, 1] = n[:, 0] ; n[0] = torch.tensor([1.5, 2.5, 3.5]) ; x[[]] = 1
x.permute(2, 0, 1)[0] = 5 ; x[1][0] = 7 ; x[0][[0, 1]] = 7 ; x[0] = a[1] * 2 ; x[[0]] = a[1] * 2 ; x[m] = a.sum() ; x[...] = a * 2
x[...] = a.sum() ; x.masked_fill_(m[:, :, None], 9) ; x.index_add_(0, torch.tensor([0]), x[1:] * 2) ; n.scatter_(0, torch.tensor([[1]]), 5)
n.put_(torch.tensor([0, 1]), torch.tensor([7, 8]), accumulate=True) ; n.index_fill_(1, torch.tensor([1]), 3)
x.index_put_((torch.tensor([0]),), torch.tensor(1.)) ; n.t().masked_scatter_(n.t() > 2, torch.arange(10, 16)) ; x[0, 0] += 1 ; n[n > 2] *= 2
"""
WRITE_ERRORS = """
x[5] = 1 ; x[0] = "a" ; x[0] = None ; x[0] = [1, 2] ; x[0] = torch.ones(2) ; x[0] = torch.ones(2, 3, 4) ; x[[0, 1]] = torch.ones(3)
x[[0]] = torch.ones(4).long() ; x[[5]] = 1 ; x[0] = 1j ; n[0] = float("nan") ; n[0] = 2 ** 70 ; n.to(torch.int8)[0] = 300 ; a[0] = 1
a[[0]] = 1 ; a[...] = 1 ; x[m] = torch.ones(3) ; x[1.5] = 1 ; x[torch.tensor([True])] = 1 ; n[0] = torch.ones(2) ; x[::-1] = 1
x.masked_fill_(torch.zeros(5, 2, 3, 4) > 0, 1) ; torch.ones(3, 1).expand(3, 2)[0] = 1
"""


def programs(table: str) -> list[str]:
    """The programs of a table, one string each."""
    return [p.strip() for line in table.splitlines() for p in line.split(" ; ") if p.strip()]


ALL = [p for table in (READS, READ_ERRORS, WRITES, WRITE_ERRORS) for p in programs(table)]


def observe(torch, program: str) -> dict:
    """What `program` does: its result or the written tensors, their strides and graph, the gradient that reaches the leaf, or the error."""
    a = (torch.arange(24.) / 4).view(2, 3, 4).requires_grad_()
    names = {"torch": torch, "np": np, "a": a, "x": a * 1, "n": torch.arange(6).view(2, 3),
             "m": torch.tensor([[True, False, True], [True, True, False]])}
    written = program in _WRITTEN
    try:
        if written:
            exec(program, names)
            seen = [names["x"], names["n"]]
        else:
            seen = [eval(program, names)]
        facts = [_facts(t) for t in seen]  # inside, as torchish reports some errors at the first read
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}".replace("torchish", "torch").split("\n")[0]}
    return {"seen": facts, "gradient": _gradient(torch, seen[0], a)}


_WRITTEN = set(programs(WRITES) + programs(WRITE_ERRORS))


def _facts(t) -> dict:
    node = t.grad_fn
    values = [_number(v) for v in t.detach().flatten().tolist()]
    return {"shape": list(t.shape), "stride": list(t.stride()), "offset": t.storage_offset(), "dtype": str(t.dtype), "values": values,
            "node": node.name() if node is not None else None, "version": t._version, "view": t._base is not None}


def _number(v):
    return None if isinstance(v, float) and not math.isfinite(v) else v


def _gradient(torch, t, a):
    if not t.requires_grad:
        return None
    weights = torch.arange(float(t.numel())).reshape(t.shape) + 1
    (t * weights).sum().backward()
    return None if a.grad is None else [_number(v) for v in a.grad.flatten().tolist()]
