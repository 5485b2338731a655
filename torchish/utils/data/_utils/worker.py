"""Workers, emulated in the process: each has its own random state, worker info and copy of the dataset.

Owns what `get_worker_info` returns and the exchange of random states; knows nothing of samplers or the order of batches.
"""

import contextlib
import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .... import _public as torch

_worker_info: "WorkerInfo | None" = None


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """Which worker this is: its id in [0, num_workers), its seed (base seed + id) and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    worker_method: str | None = "in-process"


def get_worker_info() -> WorkerInfo | None:
    """The worker that is loading, seen from a dataset, a collate_fn or a worker_init_fn; None in the main program."""
    return _worker_info


def _numpy_seed(base_seed: int, worker_id: int) -> np.ndarray:
    """The four words that torch seeds NumPy with in a worker: a SeedSequence over the id and both halves of the base seed."""
    return np.random.SeedSequence([worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]).generate_state(4)


def _random_states() -> tuple[Any, Any, Any]:
    return random.getstate(), np.random.get_state(), torch.default_generator.get_state()


def _set_random_states(states: tuple[Any, Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.default_generator.set_state(states[2])


class Worker:
    """One emulated worker. Inside `active()` the global generators of random, NumPy and torchish are the worker's own,
    seeded as torch seeds a worker process, and `get_worker_info()` tells of it.
    """

    def __init__(self, worker_id: int, num_workers: int, base_seed: int, dataset: Any, init_fn: Callable[[int], Any] | None) -> None:
        # A shallow copy: a worker_init_fn may give each worker's dataset other attributes, as it may in torch.
        self.info = WorkerInfo(worker_id, num_workers, base_seed + worker_id, copy.copy(dataset))
        self._states: tuple[Any, Any, Any] | None = None
        with self.active():
            random.seed(self.info.seed)
            np.random.seed(_numpy_seed(base_seed, worker_id))
            torch.default_generator.manual_seed(self.info.seed)
            if init_fn is not None:
                init_fn(worker_id)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Puts the worker's random states and info in place, and the caller's back at the end."""
        global _worker_info
        outer_states, outer_info = _random_states(), _worker_info
        if self._states is not None:
            _set_random_states(self._states)
        _worker_info = self.info
        try:
            yield
        finally:
            self._states = _random_states()
            _worker_info = outer_info
            _set_random_states(outer_states)
