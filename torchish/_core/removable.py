"""RemovableHandle: what registering a hook returns, for tensors, graph nodes, modules and optimizers alike. Knows only tables of hooks."""
from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Any


class RemovableHandle:
    """Removes a hook from the table that holds it; also a context manager that removes the hook on exit.

    `hooks_dict` is the table (it must accept weak references, so an OrderedDict); `extra_dict` is one further table,
    or a list of tables, keyed by the same hook id.
    """

    id: int
    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extras = extra_dict if isinstance(extra_dict, list) else [] if extra_dict is None else [extra_dict]
        self.extra_dict_ref = tuple(weakref.ref(table) for table in extras)

    def remove(self) -> None:
        """Take the hook out of its tables; a second call does nothing."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            table = reference()
            if table is not None:
                table.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.hooks_dict_ref(), self.id, tuple(reference() for reference in self.extra_dict_ref))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        hooks_dict, self.id, extras = state
        # A table that died before pickling comes back as an empty one, so that remove() still works.
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks_dict is None else hooks_dict)
        self.extra_dict_ref = tuple(weakref.ref(OrderedDict() if table is None else table) for table in extras)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def add_hook(table: OrderedDict, hook: Any, *, prepend: bool = False, flags: list[OrderedDict] | None = None) -> RemovableHandle:
    """Put `hook` into `table` under a fresh id, first if `prepend`; mark that id True in each table of `flags`."""
    handle = RemovableHandle(table, extra_dict=flags)
    table[handle.id] = hook
    for flag in flags or ():
        flag[handle.id] = True
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle
