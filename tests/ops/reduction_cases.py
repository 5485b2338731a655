"""The table of calls that the reduction, scan, sorting and norm tests make, and how one is run on any module with torch's API.

A case is an expression over `t` (the module) and the inputs below. What is compared: type, values, dtype, shape, strides, the autograd
node's name, the gradients of every input, and exceptions with their text. Nothing here imports torch or torchish.
"""
from __future__ import annotations

import math
import warnings

NAN, INF = math.nan, math.inf
# name -> (nested list, dtype); "x" permuted is made from "a" in `inputs`
INPUTS = {
    "a": ([[[0.5, -1.25, 2.0, 0.25], [1.5, -0.5, 0.75, -2.25], [3.0, 1.0, -0.75, 0.125]],
           [[-1.5, 2.5, -3.0, 1.75], [0.375, -0.25, 1.25, 4.0], [-4.5, 0.0, 2.25, -1.0]]], "float32"),
    "d": ([[1.5, -2.0, 0.5], [0.0, 3.0, 0.0]], "float64"),
    "tie": ([[1.0, 2.0, 2.0, 1.0], [3.0, 3.0, 3.0, 3.0], [0.0, -0.0, -1.0, -1.0]], "float32"),
    "nan": ([[1.0, NAN, 2.0, NAN], [NAN, 0.5, -1.0, 0.5], [4.0, 3.0, 2.0, 1.0]], "float32"),
    "inf": ([[INF, 1.0, -INF], [-INF, -INF, -INF], [2.0, INF, 1.0]], "float32"),
    "zero": ([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]], "float32"),
    "h": ([[1.5, -2.25, 0.5], [4.0, 1.5, -0.125]], "float16"),
    "bf": ([[1.5, -2.25, 0.5], [4.0, 1.5, -0.125]], "bfloat16"),
    "c": ([[1 + 2j, -0.5j, 3 + 0j], [0j, 2 - 1j, -1.5 + 1j]], "complex64"),
    "i": ([[3, -1, 2, 3], [0, 5, 5, -7]], "int64"),
    "u": ([[200, 100, 0], [7, 255, 1]], "uint8"),
    "i32": ([[3, -1, 2], [0, 5, 5]], "int32"),
    "b": ([[True, False, True], [False, False, False]], "bool"),
    "e": ([], "float32"),
    "s": (2.5, "float32"),
}
REDUCE = ("sum", "nansum", "mean", "nanmean", "amax", "amin", "all", "any")
SELECT = ("max", "min", "median", "nanmedian", "mode", "argmax", "argmin", "prod", "kthvalue(1,", "topk(1,", "sort", "argsort")
SCAN = ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")


def _method(name: str, tensor: str, arguments: str) -> str:
    head, _, bound = name.partition("(")
    return f"{tensor}.{head}({bound}{arguments})"


def _with_ties(name: str) -> tuple:
    """Inputs whose ties or NaN torch leaves undefined are left out."""
    return ("d", "i", "i32") if name == "mode" else ("d", "nan", "i", "i32", "inf")


def _table() -> list[str]:
    cases = []
    for name in REDUCE:
        cases += [_method(name, tensor, arguments) for tensor in ("a", "x", "tie", "nan", "s") for arguments in ("", "-1", "0, True")]
        cases += [_method(name, tensor, arguments) for tensor in ("h", "bf", "c", "i", "u", "b", "i32", "inf") for arguments in ("", "0")]
        cases += [f"x.{name}({arguments})" for arguments in ("(0, 2)", "(2, 0), keepdim=True", "[1]", "()", "3", "(0, 0)", "(0, -4)")]
        cases += [f"t.zeros(0, 3).{name}({arguments})" for arguments in ("", "0", "1")]
    for name in SELECT:
        cases += [_method(name, tensor, arguments) for tensor in ("a", "x", "h", "bf", "u", *_with_ties(name)) for arguments in ("-1", "0")]
        cases += [_method(name, tensor, "0") for tensor in ("s", "b", "c")]
        cases += [_method(name, "x", "1"), _method(name, "x", "5"), _method(name, "t.zeros(0, 3)", "0"), _method(name, "t.zeros(0, 3)", "1")]
    for call in ("topk(1)", "topk(3)", "topk(20)", "topk(40, largest=False)", "topk(150)", "topk(7, sorted=False)", "kthvalue(1)", "kthvalue(30)"):
        cases += [f"(t.arange({n}) * 7 % {m}).float().{call}" for n, m in ((40, 11), (300, 5))]  # which of tied elements is taken
    cases += [f"tie.{name}" for name in ("topk(2)", "topk(4, sorted=False)", "topk(3, largest=False)", "kthvalue(2)", "kthvalue(3)")]
    for name in ("max", "min", "median", "nanmedian", "argmax", "argmin", "prod", "aminmax"):
        cases += [f"{tensor}.{name}()" for tensor in ("a", "x", "tie", "nan", "h", "bf", "c", "i", "u", "b", "s", "inf", "zero", "t.zeros(0, 3)")]
    for name in SCAN:
        cases += [f"{tensor}.{name}({dim})" for tensor in ("a", "x", "tie", "nan", "zero", "h", "c", "i", "u", "b", "s", "d") for dim in (0, -1)]
        cases += [f"a.{name}(3)", f"a.{name}('x')", f"t.zeros(0, 3).{name}(0)", f"t.zeros(0, 3).{name}(1)"]
    for name in ("std", "var"):
        cases += [f"{tensor}.{name}({arguments})" for tensor in ("a", "x", "tie", "h", "c", "s", "zero", "nan", "i", "inf") for arguments in (
            "", "0", "-1, False", "False", "dim=0, correction=0, keepdim=True", "correction=2.5", "unbiased=False")]
        cases += [f"{tensor}.{name}(correction=50)" for tensor in ("a", "tie", "zero", "nan", "s")]
        cases += [f"t.{name}_mean({tensor}, {arguments})" for tensor in ("x", "c", "i", "bf") for arguments in ("1", "dim=(0, 1), keepdim=True")]
        cases += [f"t.{name}_mean(x, False)"]
    cases += [f"{tensor}.detach().norm(0, {dim})" for tensor in ("x", "zero", "nan", "c", "bf") for dim in ("-1", "(0, 1)")]
    for order in ("1", "2", "3", "0.5", "1.5", "-1", "-2.5", "float('inf')", "-float('inf')"):
        cases += [f"{tensor}.norm({order}, {dim})" for tensor in ("x", "zero", "nan", "c", "bf") for dim in ("-1", "None, True", "(0, 1)")]
        cases += [f"t.dist(a, 0 * a, {order})", f"t.dist(a[0], a, {order})", f"t.dist(zero, zero.detach(), {order})", f"t.zeros(0, 3).norm({order})",
                  f"t.zeros(0, 3).norm({order}, dim=0)", f"t.zeros(0, 3).norm({order}, dim=1)"]
    return cases + SINGLE


SINGLE = """
a.sum(dtype=t.float64) | i.sum(dtype=t.float32) | i32.sum(0) | u.sum(dtype=t.uint8) | b.sum(dtype=t.bool) | a.sum(dtype=t.int64)
t.sum(a, axis=0, keepdims=True) | bf.mean(dtype=t.float32) | i.mean(dtype=t.float64) | a.mean(dtype=t.int32) | a.prod(0, dtype=t.float64) | u.prod()
u.prod(dtype=t.uint8) | a.logsumexp(0) | x.logsumexp((0, 2), True) | i.logsumexp(1) | b.logsumexp(0) | c.logsumexp(0) | inf.logsumexp(1)
nan.logsumexp(0) | a.logsumexp(()) | s.logsumexp(()) | t.zeros(0, 3).logsumexp(0) | bf.logsumexp(1) | a.count_nonzero() | x.count_nonzero((0, 1))
nan.count_nonzero(0) | c.count_nonzero() | b.count_nonzero(1) | a.count_nonzero((0, 0)) | a.sum_to_size(1, 4) | a.sum_to_size(2, 3, 4)
a.sum_to_size((1, 1, 1)) | a.sum_to_size(5) | i.sum_to_size(1, 4) | b.sum_to_size(()) | a.sum_to_size(2, 2, 3, 4) | x.aminmax(dim=1)
t.zeros(0).amin(dim=[0, -1])
x.aminmax(dim=0, keepdim=True) | nan.aminmax(dim=1) | s.aminmax(dim=0, keepdim=True) | t.zeros(0, 3).aminmax(dim=0) | tie.aminmax(dim=1)
bf.aminmax(dim=0) | t.max(a, a.detach() + 0.5) | a.max(other=a * 0) | t.min(tie, tie.detach()) | t.max(a, dim=1, keepdim=True) | t.max(a, axis=0)
a.argmax(keepdim=True) | x.argmin(1, True) | tie.amax(1) | tie.amin(0) | t.argmax(b) | b.any(dim=()) | x.all(()) | u.all() | tie.mode()
tie.mode(0, True) | i.median(1, True) | t.zeros(0).median() | t.zeros(0, dtype=t.int64).median() | a.quantile(0.3) | x.quantile(0.25, 1)
a.quantile(t.tensor([0.1, 0.5, 1.0]), dim=2, keepdim=True) | nan.quantile(0.5, 1) | nan.nanquantile(0.5, 1) | a.quantile(2.0) | i.quantile(0.5)
d.quantile(0.4, 0, interpolation='lower') | d.quantile(0.4, 0, interpolation='higher') | d.quantile(0.4, 0, interpolation='nearest')
d.quantile(0.4, 1, interpolation='midpoint') | a.quantile(t.tensor([0.5, 2.0])) | a.quantile(0.5, interpolation='foo')
a.quantile(t.tensor([[0.5]])) | a.quantile(t.tensor([0.5], dtype=t.float64)) | t.zeros(0).quantile(0.5) | a.cumsum(0, dtype=t.float64)
i32.cumsum(1) | u.cumprod(1, dtype=t.uint8) | i32.clone().cumsum_(0) | a.clone().cumsum_(1) | a.clone().cumprod_(2) | b.clone().cumsum_(0)
i32.clone().cumprod_(0, dtype=t.float32) | a.diff() | x.diff(n=2) | x.diff(dim=0) | i.diff() | a.diff(n=9) | a.diff(n=-1) | s.diff()
t.diff(a, n=1, dim=5) | t.trapezoid(a) * 1 | t.trapezoid(x, dx=2, dim=0) * 1 | t.trapezoid(a, t.tensor([0.0, 1.0, 3.0, 4.5])) * 1
t.trapezoid(a, a * a) * 1 | t.cumulative_trapezoid(a) | t.cumulative_trapezoid(x, dim=1) | t.trapezoid(a, t.tensor([1.0, 2.0])) | t.trapezoid(b)
t.trapezoid(s) | t.trapz(d, dim=0) * 1 | a.sort() | x.sort(1, descending=True) | tie.sort(1) | tie.sort(1, True) | nan.sort(1, descending=True)
nan.sort(0) | x.sort(stable=True, dim=0) | i.sort(descending=True) | c.sort() | x.argsort(1) | tie.argsort(dim=1, descending=True, stable=True)
x.msort() | s.msort() | s.sort() | bf.sort(0, True) | b.sort(1) | u.sort(1, True) | a[:, :, ::2].sort() | i.argsort(0) | a.topk(2)
x.topk(2, 1, False) | d.topk(3, 1) | a.topk(5) | a.topk(-1) | s.topk(0) | s.topk(2) | b.topk(1) | c.topk(1) | a.topk(0) | bf.topk(2)
nan.topk(1, 1) | u.topk(2) | a.kthvalue(2) | x.kthvalue(2, 1, True) | a.kthvalue(0) | a.kthvalue(9) | s.kthvalue(1) | s.kthvalue(2) | b.kthvalue(1)
nan.kthvalue(4) | i32.kthvalue(2, 0) | i.unique() | i.unique(return_inverse=True, return_counts=True)
i.unique(dim=1, return_inverse=True, return_counts=True) | nan.detach().unique(return_counts=True) | b.unique()
s.detach().unique(return_inverse=True) | i.unique_consecutive(return_inverse=True, return_counts=True) | tie.detach().unique_consecutive(dim=1)
s.detach().unique_consecutive() | bf.detach().unique() | t.zeros(0, 3).unique(dim=1) | t.zeros(0, 3).unique()
t.searchsorted(t.tensor([1.0, 2.0, 3.0]), nan.detach()) | t.searchsorted(t.tensor([1.0, 2.0, 2.0, 3.0]), 2.0, right=True)
t.searchsorted(t.tensor([1, 2, 3]), 2.5) | t.searchsorted(a.detach().sort()[0], x.detach().contiguous().view(2, 3, 4))
t.searchsorted(t.tensor([1, 2, 3]), t.tensor([2.5]), side='right') | t.searchsorted(t.tensor([2, 1, 3]), t.tensor([2]), sorter=t.tensor([1, 0, 2]))
t.searchsorted(a, d) | t.searchsorted(s, d) | t.searchsorted(d, d, side='foo') | t.searchsorted(d, d, side='left', right=True)
t.searchsorted(d, d, sorter=t.tensor([1, 0])) | t.bucketize(x.detach(), t.tensor([0.0, 1.0]))
t.bucketize(3, t.tensor([1, 3, 5]), right=True, out_int32=True) | t.bucketize(d, d) | t.isin(i, t.tensor([3, 5])) | t.isin(i, 3, invert=True)
t.isin(3, i) | t.isin(i, t.tensor([2.0])) | t.isin(b, b) | t.isin(nan.detach(), nan.detach()) | t.isin(x.detach(), t.tensor([0.5]))
a.detach().histc(4) | a.detach().histc(5, -2, 2) | nan[2].detach().histc(3) | i.histc(3) | a.histc(0) | a.histc(3, 2, 1) | t.ones(4).histc(3)
t.zeros(0).histc(3) | d.detach().histc(3, 0, float('inf')) | t.tensor([1, 3, 1]).bincount()
t.tensor([1, 3, 1]).bincount(t.tensor([0.5, 1.0, 2.0])) | t.tensor([1, 3]).bincount(minlength=6) | t.tensor([-1]).bincount() | i.bincount()
s.bincount() | t.tensor([1]).bincount(minlength=-1) | a.norm() | x.norm(dim=(0, 1), keepdim=True) | c.norm() | a.norm('fro', 1) | i.norm()
a.norm(2, 1, dtype=t.float64) | d.norm(dtype=t.float32) | a.norm(dtype=t.complex64) | a.norm('foo') | zero.norm(1, 1) | h.norm()
t.max(a, dim=1).indices | t.topk(a, 1)[1] | a.median(keepdim=True) | t.sum(a, dim=0, out=t.empty(4, dtype=t.float64)) | t.cummax(i, dim=1)
t.std_mean(d) | t.amax(d.detach(), 0, out=t.empty(3)) | t.max(d.detach(), 0, out=(t.empty(3), t.empty(3, dtype=t.int64)))
t.argmax(d.detach(), 0, out=t.empty(3)) | t.aminmax(d.detach(), dim=0, out=(t.empty(3), t.empty(3)))
t.sort(d.detach(), 1, out=(t.empty(2, 3, dtype=t.float64), t.empty(2, 3, dtype=t.int64))) | t.all(d.detach(), 0, out=t.empty(3))
t.cumsum(d.detach(), 0, out=t.empty(2, 3, dtype=t.float64)) | t.sum(d.detach(), 0, dtype=t.float64, out=t.empty(3))
t.kthvalue(d.detach(), 1, out=(t.empty(2), t.empty(2, dtype=t.int64))) | t.any(d.detach(), 0, out=t.empty(3))
t.cummax(d.detach(), 0, out=(t.empty(2, 3), t.empty(2, 3, dtype=t.int64))) | a.hash_tensor() | x.hash_tensor(1) | d.hash_tensor((0, 1), keepdim=True)
h.hash_tensor(-1) | bf.hash_tensor() | i.hash_tensor(0) | u.hash_tensor() | b.hash_tensor(1) | s.hash_tensor() | nan.hash_tensor(0)
c.hash_tensor() | a.hash_tensor(mode=1) | a.hash_tensor(5) | a.hash_tensor((0, 0)) | t.zeros(0, 3).hash_tensor() | t.zeros(0, 3).hash_tensor(0)
t.zeros(0, 3).hash_tensor(1) | t.hash_tensor(i, out=t.empty(()))
h.prod() | bf.prod(1) | h.softmax(0) | bf.softmax(0) | bf.log_softmax(-1) | h.log_softmax(0) | h.logsumexp(1) | t.signbit((-zero).cumsum(0))
t.signbit((zero * tie[2, 1]).amax()) | t.signbit((zero * tie[2, 1]).max()) | t.signbit((zero * tie[2, 1]).min(0)[0]) | t.tensor(1j).cummax(0)
t.tensor(False).cumsum(0, dtype=t.bool) | t.nn.functional.layer_norm(bf[:, :1], [1]) | t.nn.functional.layer_norm(bf.detach() * 1e20, [3])
""".replace("\n", " | ").strip(" |").split(" | ")
CASES = list(dict.fromkeys(_table()))


def inputs(t) -> dict:
    """The inputs as tensors of module `t`; floating-point ones are leaves that require grad, "x" is "a" permuted."""
    made = {}
    for name, (data, dtype) in INPUTS.items():
        made[name] = t.tensor(data, dtype=getattr(t, dtype))
        if "float" in dtype or "complex" in dtype:
            made[name].requires_grad_()
    made["x"] = made["a"].permute(2, 0, 1)
    return made


def run(t, expression: str, make=inputs, **names_besides) -> dict:
    """What the expression gives on module `t`, as plain data; its operands are those of `make(t)`."""
    names = make(t)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = eval(expression, {"t": t, **names_besides}, names)
    except Exception as error:
        return {"raises": type(error).__name__, "message": str(error).split("\n")[0]}
    results = result if isinstance(result, tuple) else (result,)
    record = {"type": type(result).__name__ if isinstance(result, tuple) else "Tensor", "results": [describe(r) for r in results]}
    record["gradients"] = gradients(t, names, results)
    return record


def describe(r) -> dict:
    """A tensor's facts and values."""
    name = None if r.grad_fn is None else r.grad_fn.name()
    return {"dtype": str(r.dtype), "shape": list(r.shape), "stride": list(r.stride()), "node": name, "values": values(r)}


def values(r) -> list:
    """The values in order, complex ones as pairs."""
    return _flat(r.detach().tolist())


def _flat(nested) -> list:
    if isinstance(nested, list):
        return [v for each in nested for v in _flat(each)]
    return [[nested.real, nested.imag]] if isinstance(nested, complex) else [nested]


def gradients(t, names: dict, results: tuple) -> dict:
    """Gradients of the leaves for cotangents 1, 2, 3, ... (halved from result to result)."""
    for k, r in enumerate(results):
        if r.requires_grad:
            weight = (t.arange(1, r.numel() + 1) / 2 ** k).to(r.dtype).view(r.shape)
            r.backward(weight, retain_graph=True)
    return {n: {"dtype": str(x.grad.dtype), "values": values(x.grad)} for n, x in names.items() if x.is_leaf and x.grad is not None}


TOLERANCE = {"torch.float16": 4e-3, "torch.bfloat16": 2e-2, "torch.float64": 1e-10}


def difference(ours: dict, theirs: dict) -> str:
    """The first difference between two records in words; empty where they agree."""
    if "raises" in ours or "raises" in theirs:
        return "" if ours == theirs else f"{ours} against {theirs}"
    for key in ("type", "gradients"):
        if key == "type" and ours[key] != theirs[key] or key == "gradients" and set(ours[key]) != set(theirs[key]):
            return f"{key}: {ours[key]} against {theirs[key]}"
    for a, b in zip(ours["results"], theirs["results"]):
        for key in ("dtype", "shape", "stride", "node"):
            if a[key] != b[key]:
                return f"{key}: {a[key]} against {b[key]}"
    pairs = list(zip(ours["results"], theirs["results"])) + [(ours["gradients"][n], theirs["gradients"][n]) for n in theirs["gradients"]]
    for a, b in pairs:
        if not close(a["values"], b["values"], TOLERANCE.get(b["dtype"], 3e-5)):
            return f"values: {a} against {b}"
    return "" if len(ours["results"]) == len(theirs["results"]) else "number of results"


def close(ours, theirs, tolerance: float) -> bool:
    """Equality of nested lists of numbers up to a relative tolerance; NaN equals NaN."""
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(close(a, b, tolerance) for a, b in zip(ours, theirs))
    if isinstance(theirs, float):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs)) or math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance / 10)
    return ours == theirs
