"""Storage: the only mutable thing. A cell that holds the current Value of a base, shared by all its aliases, and a version counter."""
from __future__ import annotations

import itertools
import weakref

from .tape import Value

_addresses = itertools.count(1 << 20)


class Storage:
    """What aliases share. `generation` counts writes, so that an alias knows when its cached Value is stale; `version` is torch's counter."""

    generation = 0
    version = 0
    writer = None  # class of the graph node that last wrote to it, for error messages
    strides = None  # of the root Value in memory; None when contiguous
    zero = False  # a zero tensor of torch's, which has no memory to be read
    resizable = True  # not where NumPy has seen the memory
    _address = None
    hidden = False  # whether some write went by a counter that others do not see

    def __init__(self, value: Value):
        self.value = value
        self.spec = value.spec  # the same for all that it ever holds
        self.ref = value.holder = weakref.ref(self)

    def store(self, value: Value) -> None:
        """Make `value` the current one. The caller bumps the version counter that the user sees."""
        self.value = value
        value.holder = self.ref
        self.generation += 1

    @property
    def address(self) -> int:
        """A number that stands for the memory address: unique to the storage while it lives."""
        if self._address is None:
            self._address = next(_addresses) << 20
        return self._address


# Note [Hidden writes]: a write through `.data` bumps a counter that the graph does not see. torch keeps tensors for backward by reference, so its
# gradients are then taken at the new numbers. What a graph kept before such a write is noted here: {Value before: the Storage}.
REWRITTEN: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
REWRITTEN_RESULTS: weakref.WeakSet = weakref.WeakSet()  # Storages of results: a node does not hold the Value of its result


class VersionCounter:
    """A version counter apart from its storage's, for `.data`."""

    __slots__ = ("version", "of_result", "ref", "__weakref__")

    def __init__(self, of_result: bool = False):
        self.version = 0
        self.of_result = of_result  # whether it counts writes to what an operation gave, which a graph may keep as its result
        self.ref = weakref.ref(self)
