"""DistributedSampler: each of several processes reads its own share of a dataset.

Owns the division of indices; knows nothing of process groups, so it must be told how many processes there are.
"""

import math
from collections.abc import Iterator
from typing import Any

from ... import _public as torch
from .dataset import Dataset
from .sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index from `rank` on, of one order that all processes share (seeded by seed + epoch).

    The order is padded by repeating its start until it divides evenly, or cut with `drop_last`.
    Raises RuntimeError when `num_replicas` or `rank` is left out (there is no process group to ask yet), ValueError for a
    rank outside [0, num_replicas - 1].
    """

    def __init__(
        self, dataset: Dataset, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True, seed: int = 0, drop_last: bool = False
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available")
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset: Any = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        size = len(self.dataset)
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def _order(self) -> list[int]:
        if not self.shuffle:
            return list(range(len(self.dataset)))
        generator = torch.Generator()
        generator.manual_seed(self.seed + self.epoch)
        return torch.randperm(len(self.dataset), generator=generator).tolist()

    def __iter__(self) -> Iterator[int]:
        order = self._order()
        if order and len(order) < self.total_size:
            order = order * math.ceil(self.total_size / len(order))
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Chooses the order of the next iteration; call it at the start of each epoch in every process."""
        self.epoch = epoch
