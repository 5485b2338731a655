"""The named tuples that operations with several results return, such as `torch.return_types.max`. Knows nothing of what is in them."""
from __future__ import annotations

from operator import itemgetter


class ReturnType(tuple):
    """A tuple with named fields, made from a sequence of as many values. Raises TypeError for another length, as torch's do."""

    __slots__ = ()
    _names: tuple = ()

    def __new__(cls, values):
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._names):
            raise TypeError(f"torch.return_types.{cls.__name__}() takes a {len(cls._names)}-sequence ({len(made)}-sequence given)")
        return made

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join([f"{n}={v!r}" for n, v in zip(self._names, self)]) + ")"

    def __reduce__(self):
        return _rebuild, (type(self).__name__, tuple(self))


def _rebuild(name: str, values: tuple) -> ReturnType:
    return RETURN_TYPES[name](values)


RETURN_TYPES: dict[str, type] = {}


def return_type(name: str, *fields: str) -> type:
    """The named-tuple class `torch.return_types.name` with these fields; the same class each time."""
    found = RETURN_TYPES.get(name)
    if found is None:
        space = {"__slots__": (), "_names": fields, "n_fields": len(fields), "n_sequence_fields": len(fields), "n_unnamed_fields": 0,
                 "__module__": "torchish.return_types"}
        space.update({f: property(itemgetter(i)) for i, f in enumerate(fields)})
        found = RETURN_TYPES[name] = type(name, (ReturnType,), space)
    return found
