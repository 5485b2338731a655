"""A fence in a program: what is computed from its result is not merged with what was computed from its operand.

Recomputation is for saving memory; without a fence XLA would see that it has the numbers already, and keep them.
"""
from __future__ import annotations

import jax
import numpy as np

from .handle import TensorBase, new_tensor
from .op import Op, same, simple
from .tape import record_values

_fence = Op("optimization barrier", lambda xp, x: x if xp is np else jax.lax.optimization_barrier(x), simple(lambda x: x), grad="AliasBackward0",
            vjp=(same,))


def behind_barrier(t: TensorBase) -> TensorBase:
    """A tensor with `t`'s values and place in the graph, behind a fence."""
    v = t._read()
    return new_tensor(record_values(_fence.plan((v.spec,), ()), (v,))[0], t._current_edge())


__all__ = ["behind_barrier"]
