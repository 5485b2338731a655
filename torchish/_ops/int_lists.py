"""Arguments that are several ints, given one by one, as a sequence or by name: read in one way, refused in torch's words."""
from __future__ import annotations


def int_list(name: str, parameter: str, args: tuple, given=None) -> tuple[int, ...]:
    """The ints of `f(2, 3)`, `f((2, 3))` or `f(parameter=(2, 3))`. Raises TypeError where they are missing or no ints."""
    if given is not None:
        args = (given,)
    if not args:
        raise TypeError(f'{name}() missing 1 required positional arguments: "{parameter}"')
    if len(args) == 1 and args[0].__class__ is not int:
        first = args[0]
        if isinstance(first, (tuple, list)):
            args = first
        elif not _is_index(first):
            raise TypeError(f"{name}(): argument '{parameter}' (position 1) must be tuple of ints, not {type(first).__name__}")
    return tuple([a if a.__class__ is int else _as_int(name, parameter, a, i) for i, a in enumerate(args)])


def _is_index(a) -> bool:
    return hasattr(a, "__index__") and getattr(a, "ndim", 0) == 0


def _as_int(name: str, parameter: str, a, position: int) -> int:
    if not _is_index(a):
        raise TypeError(f"{name}(): argument '{parameter}' failed to unpack the object at pos {position + 1} with error "
                        f'"type must be tuple of ints,but got {type(a).__name__}"')
    return a.__index__()
