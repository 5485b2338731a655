"""torch's `*_copy` functions: what a view function gives, as a tensor with memory of its own."""
from __future__ import annotations

import functools

from .._core.grad_graph import node_class
from .._core.handle import TensorBase, alias, new_tensor
from .variants import FUNCTIONS, METHODS, public
from .view_ops import expanded, slice_view


def _owned(view: TensorBase, label: str | None) -> TensorBase:
    """The content of a view in a Storage of its own, with the view's place in the graph under the copy's name."""
    edge = view._edge
    if edge is not None and not edge[0].ends:
        edge[0].__class__ = node_class(label or edge[0].name() + "_copy")
    return new_tensor(view._read(), edge)


def _copying(name: str, front, label: str | None = None, method: bool = False) -> None:
    def copied(*args, **kwargs):
        made = front(*args, **kwargs)
        if not isinstance(made, tuple):
            return _owned(made, label)
        first = made[0]._edge[0].name() + "_copy" if made and made[0]._edge is not None else None
        return tuple([_owned(t, first) for t in made])
    functools.update_wrapper(copied, front)
    copied.__name__ = copied.__qualname__ = name
    copied.__doc__ = f"`{name.removesuffix('_copy')}` as a copy instead of a view."
    public(name, method=method, out=True)(copied)


def _slice(input, dim=0, start=None, end=None, step=1):
    dim %= max(input._spec.ndim, 1)
    first, stop, step = slice(start, end, step).indices(input._spec.shape[dim])
    return slice_view(input, dim, first, max(-(-(stop - first) // step), 0), step)


def _narrow(input, dim, start, length):
    shape = input._spec.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if dim >= len(shape):
        raise RuntimeError("Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error message be "
                           "improved?  If so, please report an enhancement request to PyTorch.)")
    if length < 0:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({shape[dim]}).")
    return FUNCTIONS["narrow"](input, dim, start, length)


for _name in ("as_strided", "diagonal", "permute", "select", "split_with_sizes", "squeeze", "t", "transpose", "unbind", "unsqueeze",
              "view_as_complex", "view_as_real"):
    _copying(_name + "_copy", FUNCTIONS[_name])
_copying("alias_copy", lambda input: METHODS["view_as"](input, input), "AliasBackward0_copy")
_copying("expand_copy", lambda input, size, *, implicit=False: expanded(input, tuple(size)))
_copying("narrow_copy", _narrow, "NarrowCopyBackward0", True)
_copying("slice_copy", _slice)
_copying("split_copy", FUNCTIONS["split"])
_copying("unfold_copy", METHODS["unfold"])
_copying("view_copy", METHODS["view"])
_copying("detach_copy", alias)
