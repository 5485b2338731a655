"""torch.autograd.forward_ad: dual tensors, a value with a tangent, carried through what is recorded while a dual level is in force.

As in torch there is one level at a time here; torch.func's jvp nests. The propagation itself is the engine's (`_core.dual`).
"""
from __future__ import annotations

import contextlib
from typing import NamedTuple

from .._core import dual
from .._core.modes import _Mode
from .._core.tape import state
from ..tensor import Tensor

_current_level = -1
_numbers: list[int] = []  # the engine's number of each level


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns. `tangent` is None for a tensor without one."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin a dual level and return its number. Raises RuntimeError within another one."""
    global _current_level
    if _current_level >= 0:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _numbers.append(dual.push_level())
    _current_level += 1
    return _current_level


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: dual tensors made at it lose their tangents. Raises RuntimeError if it is not the current one."""
    global _current_level
    level = _current_level if level is None else level
    if level < 0:
        raise RuntimeError("Dual level must be a positive number.")
    if level != _current_level:
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created. This is not supported.")
    number = _numbers.pop()
    if number in state.dual:
        dual.pop_level(number)
    _current_level = level - 1


class dual_level(_Mode):
    """Context manager and decorator: a dual level, without which `make_dual` raises.

    >>> with torchish.autograd.forward_ad.dual_level():
    ...     x = torchish.autograd.forward_ad.make_dual(torchish.tensor(0.), torchish.tensor(2.))
    ...     torchish.autograd.forward_ad.unpack_dual(x.sin()).tangent
    tensor(2.)
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *error):
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor with `tensor`'s values and this tangent. It does not share `tensor`'s memory.

    Raises ValueError for dtypes without derivatives, RuntimeError for a tangent of another shape, outside of a level, or if `tensor` has a
    tangent already.
    """
    level = _current_level if level is None else level
    if level < 0:
        raise RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first.")
    for what, t in (("primal", tensor), ("tangent", tangent)):
        if not (t.is_floating_point() or t.is_complex()):
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {t.dtype}")
    if level != _current_level:
        raise RuntimeError("Invalid level given to _make_dual")
    if tensor.shape != tangent.shape:
        raise RuntimeError("Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
                           f"Tensor is of size {list(tensor.shape)} while the given forward gradient is of size {list(tangent.shape)}.")
    if dual.unpack(tensor, _numbers[-1])[1] is not None:
        raise RuntimeError(f"Making a dual Tensor based on a Tensor that already has a forward gradient at the same level {level} is not supported.")
    return dual.make(tensor, tangent, _numbers[-1])


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """(primal, tangent) of a tensor; the tangent is None where it has none. Raises TypeError for anything but a tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {type(tensor).__name__}")
    level = _current_level if level is None else level
    if level < 0:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*dual.unpack(tensor, _numbers[-1]))


def _is_fwd_grad_enabled() -> bool:
    """Whether tangents are carried along."""
    return _current_level < 0 or _numbers[-1] in state.dual


@contextlib.contextmanager
def _set_fwd_grad_enabled(mode: bool):
    """Within it tangents are carried along, or not."""
    levels = state.dual if mode else ()
    with dual.only(levels):
        yield


__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]
