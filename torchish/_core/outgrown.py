"""Storages that had to grow: `resize_` beyond the end of the memory gives all aliases more of it, as torch reallocates what they share.

The tensors that are there already go on using their Storage, which from then on is a part of a larger one; new views go to that.
"""
from __future__ import annotations

import numpy as np

from .handle import TensorBase
from .shared_memory import array_of
from .storage import Storage
from .tape import Value, nobody
from .view import follow, put_into


class OutgrownStorage(Storage):
    """A Storage whose content lies in a larger one, `whole`, where `step` shows it. Versions are counted there."""

    whole: Storage
    step: tuple

    @property
    def value(self) -> Value:
        """The current Value."""
        whole = self.whole
        if self.known[0] != whole.generation:
            self.known = whole.generation, follow(whole.value, (self.step,))
        return self.known[1]

    @value.setter
    def value(self, value: Value) -> None:
        self.whole.store(put_into(self.whole, (self.step,), value))
        self.known = self.whole.generation, value

    def store(self, value: Value) -> None:
        self.value = value
        value.holder = nobody  # its place is in the whole

    generation = property(lambda self: self.whole.generation, lambda self, n: setattr(self.whole, "generation", n))
    version = property(lambda self: self.whole.version, lambda self, n: setattr(self.whole, "version", n))
    address = property(lambda self: self.whole.address)
    resizable = property(lambda self: self.whole.resizable)


def outgrow(storage: Storage, larger: Value, step: tuple) -> None:
    """Make `storage` the part of a larger one, which holds `larger`, that `step` shows."""
    whole = Storage(larger)
    whole.version, whole.generation, whole._address = storage.version, storage.generation + 1, storage.address
    for name in ("value", "generation", "version", "_address"):
        storage.__dict__.pop(name, None)
    storage.whole, storage.step, storage.known = whole, step, (None, None)
    storage.__class__ = OutgrownStorage


def move_to_whole(t: TensorBase) -> None:
    """Let a tensor on an OutgrownStorage use the larger one itself."""
    while type(t._storage) is OutgrownStorage:
        storage = t._storage
        value = t._read()
        t._chain, t._storage = (storage.step, *(t._chain or ())), storage.whole
        t._value, t._generation = value, storage.whole.generation


def shared_array(t: TensorBase) -> np.ndarray:
    """The elements of `t` as an array that shares memory with it, see `shared_memory`."""
    move_to_whole(t)
    return array_of(t)
