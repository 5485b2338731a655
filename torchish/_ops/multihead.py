"""nn.functional.multi_head_attention_forward: checks, projections and masks around scaled dot-product attention.

Composed of public operations; owns the rules for masks, which nn.Transformer's layers share.
"""

from __future__ import annotations

import math
import warnings

from .. import _dtype as dt
from .variants import FUNCTIONS, METHODS, public

_CAUSAL_WITHOUT_MASK = (
    "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
    "`generate_square_subsequent_mask` to create this mask."
)


def _require(condition: bool, text: str) -> None:
    """torch checks these by assertions, whose type users see."""
    if not condition:
        raise AssertionError(text)


# ---------------------------------------------------------------- checks
def _is_batched(query, key, value, key_padding_mask, attn_mask, heads: int) -> bool:
    """Whether the inputs have a batch dimension. Raises AssertionError, as torch does, unless all ranks agree."""
    q, k, v = (t._spec.ndim for t in (query, key, value))
    _require(q in (2, 3), f"query should be unbatched 2D or batched 3D tensor but received {q}-D query tensor")
    kind = "batched (3-D)" if q == 3 else "unbatched (2-D)"
    _require(k == q and v == q, f"For {kind} `query`, expected `key` and `value` to be {q}-D but found {k}-D and {v}-D tensors respectively")
    if key_padding_mask is not None:
        found = key_padding_mask._spec.ndim
        _require(found == q - 1, f"For {kind} `query`, expected `key_padding_mask` to be `None` or {q - 1}-D but found {found}-D tensor instead")
    if attn_mask is not None:
        found = attn_mask._spec.ndim
        _require(found in (2, 3), f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {found}-D tensor instead")
        if q == 2 and found == 3:
            expected = (heads, query._spec.shape[0], key._spec.shape[0])
            _require(attn_mask._spec.shape == expected, f"Expected `attn_mask` shape to be {expected} but got {attn_mask._spec.shape!r}")
    return q == 3


def canonical_mask(mask, name: str, other, other_name: str, target, check_other: bool = True):
    """A mask as an addend of dtype `target`: a bool one is -inf where True. Raises AssertionError for other integer masks."""
    if mask is None:
        return None
    d = mask._spec.dtype
    _require(d is dt.bool_ or d.category == dt.FLOATING, f"only bool and floating types of {name} are supported")
    if check_other and other is not None and d is not other:
        warnings.warn(f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.", stacklevel=3)
    if d.category == dt.FLOATING:
        return mask
    return METHODS["masked_fill_"](FUNCTIONS["zeros_like"](mask, dtype=target), mask, float("-inf"))


# ---------------------------------------------------------------- projections
def _linear(x, w, b):
    return FUNCTIONS["nn.functional.linear"](x, w, b)


def _project_packed(q, k, v, w, b) -> list:
    """Queries, keys and values by one weight (3E, E); what is the same tensor shares a product."""
    size = q._spec.shape[-1]
    if k is v and q is k:
        made = METHODS["unflatten"](_linear(q, w, b), -1, (3, size))
        made = METHODS["contiguous"](METHODS["squeeze"](METHODS["transpose"](METHODS["unsqueeze"](made, 0), 0, -2), -2))
        return [METHODS["select"](made, 0, n) for n in range(3)]
    if k is v:
        w_q, w_kv = METHODS["split"](w, [size, size * 2])
        b_q, b_kv = (None, None) if b is None else METHODS["split"](b, [size, size * 2])
        both = METHODS["unflatten"](_linear(k, w_kv, b_kv), -1, (2, size))
        both = METHODS["contiguous"](METHODS["squeeze"](METHODS["transpose"](METHODS["unsqueeze"](both, 0), 0, -2), -2))
        return [_linear(q, w_q, b_q), *[METHODS["select"](both, 0, n) for n in range(2)]]
    biases = (None,) * 3 if b is None else METHODS["chunk"](b, 3)
    return [_linear(x, m, c) for x, m, c in zip((q, k, v), METHODS["chunk"](w, 3), biases)]


def _project_separate(inputs, weights, bias) -> list:
    for name, w in zip("qkv", weights):
        _require(w is not None, f"use_separate_proj_weight is True but {name}_proj_weight is None")
    size = inputs[0]._spec.shape[-1]
    for name, x, w in zip("qkv", inputs, weights):
        expected = (size, x._spec.shape[-1])
        _require(w._spec.shape == expected, f"expecting {name} projection weights shape of {expected}, but got {w._spec.shape!r}")
    biases = (None,) * 3 if bias is None else METHODS["chunk"](bias, 3)
    return [_linear(x, w, b) for x, w, b in zip(inputs, weights, biases)]


# ---------------------------------------------------------------- attention
def _padded(mask):
    """A mask with one more key, which is allowed."""
    return None if mask is None else FUNCTIONS["nn.functional.pad"](mask, (0, 1))


def _heads(x, batch: int, heads: int, head_dim: int):
    """(L, B, E) as (B * heads, L, head_dim)."""
    return METHODS["transpose"](METHODS["view"](x, x._spec.shape[0], batch * heads, head_dim), 0, 1)


def _static_heads(x, name: str, batch: int, heads: int, head_dim: int):
    have = x._spec.shape
    _require(have[0] == batch * heads, f"expecting static_{name}.size(0) of {batch * heads}, but got {have[0]}")
    _require(have[2] == head_dim, f"expecting static_{name}.size(2) of {head_dim}, but got {have[2]}")
    return x


def _check_mask_shape(mask, target: int, source: int, rows: int):
    """The attention mask in three dimensions. Raises RuntimeError for another shape."""
    have = mask._spec.shape
    if len(have) == 2:
        if have != (target, source):
            raise RuntimeError(f"The shape of the 2D attn_mask is {have!r}, but should be {(target, source)}.")
        return METHODS["unsqueeze"](mask, 0)
    if len(have) != 3:
        raise RuntimeError(f"attn_mask's dimension {len(have)} is not supported")
    if have != (rows, target, source):
        raise RuntimeError(f"The shape of the 3D attn_mask is {have!r}, but should be {(rows, target, source)}.")
    return mask


def _with_weights(q, k, v, mask, dropout_p: float) -> tuple:
    """(attended values (B * heads, L, head_dim), the attention weights)."""
    q = q * math.sqrt(1.0 / q._spec.shape[2])
    k = METHODS["transpose"](k, -2, -1)
    scores = FUNCTIONS["bmm"](q, k) if mask is None else FUNCTIONS["baddbmm"](mask, q, k)
    weights = METHODS["softmax"](scores, -1)
    if dropout_p > 0.0:
        weights = FUNCTIONS["nn.functional.dropout"](weights, dropout_p)
    return FUNCTIONS["bmm"](weights, v), weights


@public("nn.functional.multi_head_attention_forward", method=False)
def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention in `num_heads` heads (Vaswani et al., 2017): (L, B, E), (S, B, E), (S, B, E) give ((L, B, E), weights (B, L, S) or None).

    Without a batch dimension likewise. Raises AssertionError or RuntimeError, as torch does, where shapes or masks do not fit.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_k, same_v = key is query, value is key
        query = METHODS["unsqueeze"](query, 1)
        key = query if same_k else METHODS["unsqueeze"](key, 1)
        value = key if same_v else METHODS["unsqueeze"](value, 1)
        if key_padding_mask is not None:
            key_padding_mask = METHODS["unsqueeze"](key_padding_mask, 0)
    target, batch, size = query._spec.shape
    mask_dtype = None if attn_mask is None else attn_mask._spec.dtype
    d = query._spec.dtype
    key_padding_mask = canonical_mask(key_padding_mask, "key_padding_mask", mask_dtype, "attn_mask", d)
    if is_causal and attn_mask is None:
        raise RuntimeError(_CAUSAL_WITHOUT_MASK)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the hint is enough
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", d, False)
        is_causal = is_causal and key_padding_mask is None
    _require(size == embed_dim_to_check, f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}")
    head_dim = size // num_heads
    _require(head_dim * num_heads == size, f"embed_dim {size} not divisible by num_heads {num_heads}")
    k_shape, v_shape = key._spec.shape, value._spec.shape
    if use_separate_proj_weight:
        text = f"key's sequence and batch dims {k_shape[:2]} do not match value's {v_shape[:2]}"
        _require(k_shape[:2] == v_shape[:2], text)
        q, k, v = _project_separate((query, key, value), (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    else:
        _require(k_shape == v_shape, f"key shape {k_shape!r} does not match value shape {v_shape!r}")
        _require(in_proj_weight is not None, "use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _project_packed(query, key, value, in_proj_weight, in_proj_bias)
    if attn_mask is not None:
        attn_mask = _check_mask_shape(attn_mask, target, k_shape[0], batch * num_heads)
    _require((bias_k is None) == (bias_v is None), "bias_k and bias_v are only used together")
    if bias_k is not None:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")
        k, v = (FUNCTIONS["cat"]([x, METHODS["repeat"](b, 1, batch, 1)]) for x, b in ((k, bias_k), (v, bias_v)))
        attn_mask, key_padding_mask = _padded(attn_mask), _padded(key_padding_mask)
    q = _heads(q, batch, num_heads, head_dim)
    k = _heads(k, batch, num_heads, head_dim) if static_k is None else _static_heads(static_k, "k", batch, num_heads, head_dim)
    v = _heads(v, batch, num_heads, head_dim) if static_v is None else _static_heads(static_v, "v", batch, num_heads, head_dim)
    if add_zero_attn:
        zeros = METHODS["new_zeros"](k, (batch * num_heads, 1, head_dim))
        k, v = (FUNCTIONS["cat"]([x, zeros], 1) for x in (k, v))
        attn_mask, key_padding_mask = _padded(attn_mask), _padded(key_padding_mask)
    source = k._spec.shape[1]
    if key_padding_mask is not None:
        attn_mask = _merged(attn_mask, key_padding_mask, batch, num_heads, source)
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        out, weights = _with_weights(q, k, v, attn_mask, dropout_p)
        out = METHODS["view"](METHODS["contiguous"](METHODS["transpose"](out, 0, 1)), target * batch, size)
        weights = METHODS["view"](weights, batch, num_heads, target, source)
        if average_attn_weights:
            weights = METHODS["mean"](weights, 1)
    else:
        if attn_mask is not None:
            one = attn_mask._spec.shape[0] == 1
            attn_mask = METHODS["unsqueeze"](attn_mask, 0) if one else METHODS["view"](attn_mask, batch, num_heads, -1, source)
        q, k, v = (METHODS["view"](x, batch, num_heads, n, head_dim) for x, n in ((q, target), (k, source), (v, source)))
        out = FUNCTIONS["nn.functional.scaled_dot_product_attention"](q, k, v, attn_mask, dropout_p, is_causal)
        out = METHODS["view"](METHODS["contiguous"](METHODS["permute"](out, 2, 0, 1, 3)), batch * target, size)
        weights = None
    out = METHODS["view"](_linear(out, out_proj_weight, out_proj_bias), target, batch, out_proj_weight._spec.shape[0])
    if batched:
        return out, weights
    return METHODS["squeeze"](out, 1), None if weights is None else METHODS["squeeze"](weights, 0)


def _merged(attn_mask, key_padding_mask, batch: int, heads: int, source: int):
    """Both masks as one of shape (B * heads, L or 1, S)."""
    have = key_padding_mask._spec.shape
    _require(have[0] == batch, f"Expected key_padded_mask.shape[0] to be {batch}, but got {have[0]}")
    _require(have[1] == source, f"Expected key_padded_mask.shape[1] to be {source}, but got {have[1]}")
    wide = METHODS["expand"](METHODS["view"](key_padding_mask, batch, 1, 1, source), -1, heads, -1, -1)
    wide = METHODS["reshape"](wide, batch * heads, 1, source)
    return wide if attn_mask is None else attn_mask + wide


__all__ = ["canonical_mask", "multi_head_attention_forward"]
