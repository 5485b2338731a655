"""Autocast: which operations run in the lower precision, in float32, or in their widest operand's dtype, and how their operands are cast.

The lists are those of torch's CPU autocast, by public name; the public forms in variants.py have the operands of listed operations cast first
while it is on. Casts are recorded, so gradients come back in the operands' own dtypes. float64 is never cast.
"""
from __future__ import annotations

from collections.abc import Callable

from .. import _dtype as dt
from .._core.handle import TensorBase
from .._core.tape import state
from .._dtype import FLOATING

_LOWER = """matmul linalg.matmul mm bmm baddbmm addmm addbmm linalg.vecdot linalg.multi_dot chain_matmul inner tensordot einsum prelu
nn.functional.linear nn.functional.conv1d nn.functional.conv2d nn.functional.conv3d conv1d conv2d conv3d conv_transpose1d conv_transpose2d
conv_transpose3d nn.functional.conv_transpose1d nn.functional.conv_transpose2d nn.functional.conv_transpose3d nn.functional.prelu
nn.functional.scaled_dot_product_attention""".split()
_LOSSES = """mse_loss cosine_embedding_loss nll_loss hinge_embedding_loss poisson_nll_loss smooth_l1_loss cross_entropy l1_loss huber_loss
margin_ranking_loss soft_margin_loss triplet_margin_loss multi_margin_loss multilabel_margin_loss ctc_loss kl_div binary_cross_entropy
binary_cross_entropy_with_logits avg_pool3d adaptive_avg_pool3d max_pool3d adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d
max_unpool2d max_unpool3d grid_sample pdist""".split()
_MATRICES = """cond matrix_rank solve cholesky svdvals eigvals eigvalsh inv householder_product tensorinv tensorsolve qr cholesky_ex inv_ex eig eigh
lstsq svd det slogdet lu_factor matrix_norm""".split()
_TRANSFORMS = "fft ifft fft2 ifft2 fftn ifftn rfft irfft rfft2 irfft2 rfftn irfftn hfft ihfft".split()
_SINGLE = """polar prod quantile nanquantile stft cdist pdist trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse pinverse svd qr
geqrf orgqr ormqr lu triangular_solve grid_sampler grid_sampler_2d grid_sampler_3d""".split()
_WIDEST = ["stack", "cat", "index_copy"]

LOWER, SINGLE, WIDEST = "lower", "float32", "widest"
POLICIES: dict[str, str] = {
    **dict.fromkeys(_LOWER, LOWER),
    **dict.fromkeys([*_SINGLE, *[f"nn.functional.{name}" for name in _LOSSES], *[f"linalg.{name}" for name in _MATRICES],
                     *[f"fft.{name}" for name in _TRANSFORMS]], SINGLE),
    **dict.fromkeys(_WIDEST, WIDEST),
}


def recasting(name: str, methods: dict[str, Callable]) -> Callable | None:
    """`recast(args, kwargs) -> (args, kwargs)` for a listed operation, by the "to" of `methods`; None for all others."""
    policy = POLICIES.get(name)
    return None if policy is None else lambda args, kwargs: _recast(policy, args, kwargs, methods["to"])


def _eligible(a) -> bool:
    if not isinstance(a, TensorBase):
        return False
    spec = a._spec
    return spec.dtype.category == FLOATING and spec.dtype is not dt.float64 and spec.device.type in state.autocast


def _tensors(values):
    for v in values:
        if isinstance(v, (list, tuple)):
            yield from _tensors(v)
        elif _eligible(v):
            yield v


def _recast(policy: str, args: tuple, kwargs: dict, to: Callable) -> tuple:
    found = list(_tensors((*args, *kwargs.values())))
    if not found:
        return args, kwargs
    if policy == LOWER:
        target = state.autocast[found[0]._spec.device.type]
    else:
        target = dt.float32 if policy == SINGLE or any(t._spec.dtype is dt.float32 for t in found) else found[0]._spec.dtype
    return tuple([_cast(a, target, to) for a in args]), {k: _cast(v, target, to) for k, v in kwargs.items()}


def _cast(a, target: dt.dtype, to: Callable):
    if isinstance(a, (list, tuple)):
        return type(a)([_cast(x, target, to) for x in a]) if not hasattr(a, "_fields") else a
    return to(a, target) if _eligible(a) and a._spec.dtype is not target else a


def set_lowering(device_type: str, d: dt.dtype | None) -> None:
    """Turn autocast on for a type of device, with the dtype it lowers to, or off (None)."""
    on = {k: v for k, v in state.autocast.items() if k != device_type}
    state.autocast = on if d is None else {**on, device_type: d}


def lowering(device_type: str) -> dt.dtype | None:
    """The dtype that autocast lowers to on a type of device; None where it is off."""
    return state.autocast.get(device_type)


__all__ = ["POLICIES", "lowering", "recasting", "set_lowering"]
