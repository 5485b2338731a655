"""`view(dtype)`: the same memory read as another dtype."""
from __future__ import annotations

import jax
import numpy as np

from .._core.handle import CONJUGATING, NEGATING, alias, is_marked
from .._core.spec import like
from .._core.view import REINTERPRETING, make_view
from .._dtype import dtype as DType
from .complex_parts import as_complex_op, as_real_op
from .variants import METHODS, register
from .view_ops import view_op

for _op in (as_real_op, as_complex_op):
    _op.info = REINTERPRETING


def _bits(xp, x, target: np.dtype):
    """The bytes of `x` read as `target`; the last dimension grows or shrinks with the element size."""
    if xp is np:
        return np.ascontiguousarray(x).view(target)
    if x.dtype == target:
        return x
    if x.dtype.kind == "c":
        pairs = xp.stack([xp.real(x), xp.imag(x)], axis=-1)
        return _bits(xp, pairs.reshape(*x.shape[:-1], -1) if x.ndim else pairs, target)
    if x.dtype == np.bool_:
        return _bits(xp, x.astype(np.uint8), target)
    if target.kind == "c":
        parts = _bits(xp, x, np.dtype(f"f{target.itemsize // 2}"))
        parts = parts.reshape(*parts.shape[:-1], -1, 2)
        return jax.lax.complex(parts[..., 0], parts[..., 1])
    if target == np.bool_:
        return _bits(xp, x, np.dtype(np.uint8)) != 0
    have, want = x.dtype.itemsize, target.itemsize
    if want > have:
        x = x.reshape(*x.shape[:-1], -1, want // have)
    made = jax.lax.bitcast_convert_type(x, target)
    return made.reshape(*x.shape[:-1], -1) if want < have else made


def _bits_shape(x, dtype: DType) -> tuple:
    have, want = x.dtype.itemsize, dtype.itemsize
    return tuple(x.shape) if have == want else (*x.shape[:-1], x.shape[-1] * have // want)


view_dtype_op = view_op("view.dtype", lambda xp, x, *, dtype: _bits(xp, x, dtype.numpy).reshape(_bits_shape(x, dtype)),
                        lambda xp, base, new, *, dtype: _bits(xp, new, base.dtype).reshape(base.shape),
                        lambda x, *, dtype: like(x, _bits_shape(x, dtype), dtype), None, info=REINTERPRETING)


view_dtype_op.half_complex = False  # its bits are not those in memory


def view_dtype(self, dtype: DType):
    """`view(dtype)`: the same bytes read as another dtype. Raises RuntimeError where sizes or strides do not allow it."""
    spec, strides = self._spec, self._current_strides
    for kind, mark in ((CONJUGATING, "conjugate view tensors"), (NEGATING, "tensors with negative bit set")):
        if is_marked(self, kind):
            raise RuntimeError(f"torch.Tensor.view is not supported for {mark} when converting to a different dtype.")
    if dtype is spec.dtype:
        return alias(self)
    have, want = spec.dtype.itemsize, dtype.itemsize
    if have == want:
        return make_view(self, view_dtype_op, (), (("dtype", dtype),), strides, self._offset, False)
    pair = f"to view {spec.dtype.legacy} as {dtype.legacy} (different element sizes)"
    if spec.ndim == 0:
        raise RuntimeError(f"self.dim() cannot be 0 {pair}")
    if strides[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {pair}, but got {strides[-1]}")
    if want > have:
        ratio = want // have
        if spec.shape[-1] % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {pair}, but got {spec.shape[-1]}")
        if self._offset % ratio:
            raise RuntimeError(f"self.storage_offset() must be divisible by {ratio} {pair}, but got {self._offset}")
        for i, s in enumerate(strides[:-1]):
            if s % ratio:
                raise RuntimeError(f"self.stride({i}) must be divisible by {ratio} {pair}, but got {s}")
        result, offset = (*[s // ratio for s in strides[:-1]], 1), self._offset // ratio
    else:
        ratio = have // want
        result, offset = (*[s * ratio for s in strides[:-1]], 1), self._offset * ratio
    return make_view(self, view_dtype_op, (), (("dtype", dtype),), result, offset, False)


register(METHODS, "_view_dtype", view_dtype)
