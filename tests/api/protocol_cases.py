"""Expressions about the edges of the interface, run on torch and on torchish alike: Python's conversions, wrong calls, versions and bases of
results, rounding in the halves, samplers in memory order. Imports neither package.

`observe` turns what an expression does into plain data: the result's repr, or the exception's type and text.
"""
from __future__ import annotations

import operator
import warnings

import numpy as np

CONVERSIONS = """
int(t.tensor(1+2j)) | int(t.tensor(2+0j)) | int(t.zeros(2)) | int(t.zeros(0)) | int(t.tensor(2.5)) | int(t.tensor(float("nan"))) | float(x)
float(t.tensor(1+2j)) | float(t.tensor(2+0j)) | complex(x) | complex(t.tensor(2.5)) | x.item() | operator.index(t.tensor(2.5))
operator.index(t.tensor([[3]])) | operator.index(x) | "%d" % x | "%.3f" % t.tensor(2+0j) | "%5.1f" % t.tensor(1+2j) | "%d" % t.tensor(65)
t.empty(3, device="meta").tolist() | t.empty(1, device="meta").item() | float(t.empty(1, device="meta")) | np.sin(x) | np.abs(x > 0)
np.greater(x, 0) | np.add(np.ones(3), x) | np.sum(x) | np.mean(x) | np.max(x) | np.argmax(x) | np.transpose(x) | t.is_signed(x)
t.is_neg(x) | t.is_inference(x) | t.is_signed(1) | t.iinfo(t.uint8).tiny | t.finfo(t.float32).nope
"""
WRONG_CALLS = """
t.cumsum(x) | x.cumsum() | x.cumsum(0, 1, 2) | t.cumsum(x, 0, 1) | t.cumsum(x, 0, bogus=1) | t.gather(x) | t.gather(x, 0) | t.relu() | t.relu(x, 1)
t.relu(1) | x.relu(1) | t.add(x) | t.add(x, "a") | x.add("a") | x.add_("a") | t.add(x, None) | t.add(x, [1]) | t.eq(x, "a") | x.eq("a")
t.pow(x, "a")
t.exp("a") | t.exp(1) | t.matmul(x, 1) | x.matmul(1) | t.mm(x, 1) | t.sum(x, bogus=1) | t.sum(x, "a") | t.sum("a") | t.mean(x, "a") | t.max(x, "a")
t.softmax(x) | t.softmax(x, "a") | t.cat() | t.squeeze(x, "a") | t.unsqueeze(x) | t.unsqueeze(x, "a") | t.where(1) | t.where(x, 1)
t.where("a", 1, 1)
t.clamp(x, "a") | t.zeros("a") | t.zeros(2, "a") | t.zeros(2.5) | t.zeros((2, 2.5)) | t.zeros() | t.zeros(2, bogus=1) | t.full(2, 1) | t.full((2,))
t.full((2,), "a") | t.rand("a") | t.rand(-1) | t.zeros(-2) | t.ones(-2) | t.zeros(2, requires_grad=1) | t.full_like(x) | t.full_like(x, "a")
x.new_zeros("a") | x.size("a") | x.type("torch.Nope") | x.type(1) | x.add(1, out=x) | t.argmax(x, "a") | t.flip(x) | t.isin(x, "a")
t.result_type(x, "a") | t.can_cast(1, t.float32) | t.equal(x, 1) | t.equal(1, x) | t.masked_fill(x, x > 0, "a") | t.scatter(x, 0, 1)
t.lerp(x, x, "a")
t.std(x, "a") | t.var("a") | t.dot(x, 1) | t.atan2(x, 1) | x.atan2_(1) | t.arctan2(x, 1) | t.not_equal(1, x) | t.bitwise_and(x, "a")
x.logical_and_("a")
t.nn.functional.relu() | t.nn.functional.gelu() | t.nn.functional.gelu(1) | t.nn.functional.linear(x)
t.nn.functional.mse_loss(x) | t.nn.functional.dropout() | t.nn.Parameter([1, 2]) | t.nn.Parameter(t.tensor(1)) | t.Size("ab") | t.Size([1.5])
t.Tensor(2, "a") | t.Tensor(1.5) | t.add(x, 1, out="a") | setattr(x, "dtype", 1) | setattr(x, "shape", 1) | setattr(x, "T", 1) | setattr(x, "data", 1)
setattr(x, "requires_grad", "a") | delattr(x, "data") | x.requires_grad_("a") | t.meshgrid(x, 1) | t.baddbmm(x, x, x) | t.einsum("ij")
"""
VERSIONS = """
t.nn.functional.one_hot(t.tensor([1, 2])) | t.isfinite(x * 1j) | t.isfinite(x) | x @ t.ones(3, 2) | t.nn.functional.linear(x, t.ones(2, 3))
t.quantile(x, 0.25) | t.quantile(x, t.tensor([0.1, 0.2])) | t.quantile(x, 0.25, interpolation="lower") | t.inner(x, x) | t.inner(t.ones(2, 3), x)
t.tensordot(t.ones(2, 3), t.ones(3, 2), 1) | t.tensordot(t.ones(2, 3), t.ones(2, 3)) | t.tensordot(leaf, leaf) | t.inner(leaf, leaf)
t.nn.functional.alpha_dropout(x, 0.5, True) | t.ones(2, 3).index_put((t.tensor([0]),), t.tensor(2.))
"""
VALUES = """
t.zeros(2, 0, dtype=t.int32).softmax(-1) | t.ones(2, 0, dtype=t.int16).log_softmax(-1, dtype=t.complex64) | t.zeros(0, dtype=t.int8).median()
t.zeros(0, dtype=t.bool).median() | t.zeros(2, 0, dtype=t.complex64).cummin(-1) | x.cumprod(0, dtype=t.bool) | t.ldexp(x, x > 0)
x.nanmean(dtype=t.bool)
x.nanmean(dtype=t.float16) | (x * 1j).aminmax() | t.tensor(1j).aminmax(dim=0) | t.inner(x > 0, x > 0) | t.clamp(x * 1j, t.ones(2), x)
t.searchsorted(x, x * 1j) | t.bucketize(x > 0, x > 0) | t.lerp(x, x.short(), x) | t.mv(t.tensor(1.), x) | h - 0.001 | 0.3 - h | h + 0.3 | h * 0.3
h / 0.3 | t.fmod(h, 0.001) | h % 0.3 | h.abs() ** 0.1 | 1.7 ** h | b - 0.001 | b + 0.3 | b + t.tensor(0.3) | b * 0.3
t.copysign(t.ones(1), t.relu(t.tensor([-0.]))) | t.relu(t.tensor([float("nan"), -1.])) | x.sum(dim=None) | t.sum(leaf, dim=None).grad_fn.name()
"""
DRAWS = """
z.t().uniform_() | z.t().normal_() | z.t().exponential_() | z.t().geometric_(0.3) | z.t().random_(10) | z.t().bernoulli_(0.5) | z.t().log_normal_()
z.t().bernoulli_(t.full((7, 5), 0.5)) | t.zeros(5, 14)[:, ::2].normal_() | t.zeros(2, 3, 4).permute(2, 0, 1)[:, :, :2].cauchy_() | t.rand_like(z.t())
t.randn_like(z.t()) | t.randint_like(z.t(), 9) | t.randint(2 ** 31, (3,), dtype=t.float32) | t.randint(2 ** 28 - 1, (3,), dtype=t.float32)
t.randint(32767, (3,), dtype=t.float16) | t.randint(2 ** 31, (3,), dtype=t.bfloat16) | t.randint(-2 ** 30, 7, (3,), dtype=t.float32)
"""


def expressions(table: str) -> list[str]:
    """The expressions of a table, one string each."""
    return [e.strip() for line in table.strip().splitlines() for e in line.split(" | ")]


ALL = [e for table in (CONVERSIONS, WRONG_CALLS, VERSIONS, VALUES, DRAWS) for e in expressions(table)]
_VERSIONED = set(expressions(VERSIONS))


def observe(torch, expression: str) -> list[str]:
    """What the expression gives; for VERSIONS the result's version, and its base's shape, in place of its values."""
    torch.manual_seed(3)
    ramp = torch.arange(20.) / 7 - 1.3
    names = {"t": torch, "np": np, "operator": operator, "x": torch.tensor([0.5, -1.25, 2.0]), "h": ramp.half(), "b": ramp.bfloat16(),
             "z": torch.zeros(5, 7), "leaf": torch.ones(2, 3, requires_grad=True)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = eval(expression, names)
            if expression in _VERSIONED:
                base = result._base
                return ["version", str(result._version), str(None if base is None else tuple(base.shape))]
            text = repr(result)
            return ["value", text.replace("torchish.", "torch.")]
    except Exception as error:
        kinds = [k.__name__ for k in type(error).__mro__]
        return ["error", kinds[0] if kinds[0] != "LinAlgError" else kinds[1], str(error)]
