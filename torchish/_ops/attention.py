"""Scaled dot-product attention as one recorded op, with its gradients by the softmax's formula."""

from __future__ import annotations

import math

import numpy as np

from .. import _dtype as dt
from .._core.handle import from_array
from .._core.op import Op
from .._core.record import call
from .._random import bernoulli
from .nn_common import FLOATING, computed, product, sized, swap
from .sampling import source
from .shared import shape_text
from .variants import public


def _broadcast(shapes: list) -> tuple:
    return tuple(np.broadcast_shapes(*shapes))


def _infer(q, k, v, mask, noise, scale, *, causal, groups):
    if q.dtype is not k.dtype or q.dtype is not v.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{C_SHORT.get(q.dtype, q.dtype.name)} key.dtype: {C_SHORT.get(k.dtype, k.dtype.name)} and value.dtype: "
            f"{C_SHORT.get(v.dtype, v.dtype.name)} instead."
        )
    if q.shape[-1] != k.shape[-1]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied: query {shape_text(q.shape)} and key {shape_text(k.shape)}")
    if k.shape[-2] != v.shape[-2]:
        raise RuntimeError(f"The lengths of key {shape_text(k.shape)} and value {shape_text(v.shape)} differ")
    heads = [s.shape[:-2] if groups == 1 or s is q else (*s.shape[:-3], s.shape[-3] * groups) for s in (q, k, v)]
    return sized((*_broadcast(heads), q.shape[-2], v.shape[-1]), q)


C_SHORT = {dt.float16: "c10::Half", dt.bfloat16: "c10::BFloat16", dt.float32: "float", dt.float64: "double", dt.int64: "long int"}


def _repeated(xp, a, groups: int):
    return a if groups == 1 else xp.repeat(a, groups, axis=-3)


def _probabilities(xp, q, k, mask, scale, causal):
    """softmax(scale * q k^T + mask); a row without any allowed position is 0."""
    scores = product(xp, q * scale, swap(k))
    if causal:
        allowed = np.tril(np.ones(scores.shape[-2:], bool))
        scores = xp.where(allowed, scores, xp.asarray(-np.inf, scores.dtype))
    if mask is not None:
        scores = xp.where(mask, scores, xp.asarray(-np.inf, scores.dtype)) if mask.dtype == np.bool_ else scores + mask
    top = scores.max(-1, keepdims=True)
    e = xp.exp(scores - xp.where(xp.isfinite(top), top, xp.zeros((), top.dtype)))
    total = e.sum(-1, keepdims=True)
    return e / xp.where(total == 0, xp.ones((), total.dtype), total)


def _body(xp, q, k, v, mask, noise, scale, *, causal, groups):
    p = _probabilities(xp, q, _repeated(xp, k, groups), mask, scale, causal)
    return product(xp, p if noise is None else p * noise, _repeated(xp, v, groups))


def _score_cotangent(xp, g, q, k, v, mask, noise, scale, causal):
    """(cotangent of the scores, probabilities)."""
    p = _probabilities(xp, q, k, mask, scale, causal)
    dp = product(xp, g, swap(v))
    if noise is not None:
        dp = dp * noise
    return p * (dp - (dp * p).sum(-1, keepdims=True)), p


def _ungrouped(a, groups: int):
    """The cotangent of heads that were repeated."""
    return a if groups == 1 else a.reshape((*a.shape[:-3], a.shape[-3] // groups, groups, *a.shape[-2:])).sum(-3)


def _rule(operand: str):
    def rule(xp, g, out, q, k, v, mask, noise, scale, *, causal, groups):
        wide_k, wide_v = _repeated(xp, k, groups), _repeated(xp, v, groups)
        ds, p = _score_cotangent(xp, g, q, wide_k, wide_v, mask, noise, scale, causal)
        if operand == "q":
            return product(xp, ds, wide_k) * scale
        if operand == "k":
            return _ungrouped(product(xp, swap(ds), q) * scale, groups)
        if operand == "v":
            return _ungrouped(product(xp, swap(p if noise is None else p * noise), g), groups)
        return ds

    return rule


def _op(name: str, grad: str) -> Op:
    return Op(
        name, _body, computed(_infer), grad=grad, saves=(0, 1, 2, "result"), vjp=(_rule("q"), _rule("k"), _rule("v"), _rule("mask"), None, None)
    )


flash_op = _op("scaled_dot_product_attention", "ScaledDotProductFlashAttentionForCpuBackward0")
math_op = _op("scaled_dot_product_attention math", "UnsafeViewBackward0")


@public("nn.functional.scaled_dot_product_attention", method=False)
def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """softmax(query key^T * scale + mask) value: (*, L, E), (*, S, E), (*, S, Ev) give (*, L, Ev); scale is 1 / sqrt(E) unless given.

    A bool mask keeps where True, another is added. `enable_gqa` repeats key and value heads. Raises RuntimeError for shapes that do not fit.
    """
    q, k, v = query._spec, key._spec, value._spec
    for s in (q, k, v):
        if s.ndim < 2:
            raise RuntimeError(
                "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
                f"{q.ndim}, key.dim: {k.ndim} and value.dim: {v.ndim} instead."
            )
    if attn_mask is not None:
        if is_causal:
            raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
        m = attn_mask._spec
        if m.dtype is not dt.bool_ and m.dtype is not q.dtype and m.dtype is not dt.float32:
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{C_SHORT.get(m.dtype, m.dtype.name)} and  query.dtype: {C_SHORT.get(q.dtype, q.dtype.name)} instead."
            )
    if q.dtype.category != FLOATING:
        raise RuntimeError(f"Expected query, key, and value to be floating point, but got {q.dtype.legacy}")
    groups = q.shape[-3] // k.shape[-3] if enable_gqa and q.ndim > 2 and k.shape[-3] else 1
    noise = _dropout_noise(q, k, dropout_p) if dropout_p > 0.0 else None
    fused = (
        noise is None and q.ndim == k.ndim == v.ndim == 4 and q.shape[-1] == v.shape[-1] and (attn_mask is None or attn_mask._current_edge() is None)
    )
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None and q.shape[-1] else 1.0 if scale is None else float(scale)
    return call(flash_op if fused else math_op, (query, key, value, attn_mask, noise, factor), (("causal", bool(is_causal)), ("groups", groups)))


def _dropout_noise(q, k, p: float):
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    shape = (*_broadcast([q.shape[:-2], k.shape[:-2] if q.shape[:-2] == k.shape[:-2] else q.shape[:-2]]), q.shape[-2], k.shape[-2])
    if p == 1:
        return from_array(np.zeros(shape, q.dtype.numpy))
    noise = bernoulli(source(None), 1 - p, shape, q.dtype)
    return from_array((noise / noise.dtype.type(1 - p)).astype(noise.dtype))
