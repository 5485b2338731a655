"""Fetching: the samples of one batch of indices, collated.

Owns the choice of how to fetch (one gather, the dataset's own batched fetch, or sample by sample); knows nothing of
samplers, workers or loaders.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .... import _public as torch
from ....tensor import Tensor
from ..dataset import IterableDataset, Subset, TensorDataset
from .collate import default_collate


class MapFetcher:
    """Fetches from a dataset that is indexed."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn

    def fetch(self, index: Any) -> Any:
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        if self.collate_fn is default_collate:
            gathered = _gather(self.dataset, index)
            if gathered is not None:
                return gathered
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[one] for one in index])


class IterableFetcher:
    """Fetches from a dataset that is a stream; raises StopIteration when it has ended."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.iterator = iter(dataset)
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.iterator))
        # The sampler's indices only count how many samples the batch holds.
        samples = [sample for _, sample in zip(index, self.iterator)]
        self.ended = len(samples) < len(index)
        if not samples or (self.drop_last and self.ended):
            raise StopIteration
        return self.collate_fn(samples)


def make_fetcher(dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> MapFetcher | IterableFetcher:
    """The fetcher for this kind of dataset."""
    kind = IterableFetcher if isinstance(dataset, IterableDataset) else MapFetcher
    return kind(dataset, auto_collation, collate_fn, drop_last)


def _gather(dataset: Any, indices: Sequence[Any]) -> list[Tensor] | None:
    """The batch of a TensorDataset, or of Subsets of one, by one indexing op per tensor: what fetching and stacking row by
    row gives. None where the two could differ (subclasses, odd indices, gradients, strides) or an index is out of range.
    """
    while type(dataset) is Subset:
        if not _are_plain(indices, len(dataset.indices)):
            return None
        indices = [dataset.indices[index] for index in indices]
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or not _are_plain(indices, len(dataset)):
        return None
    if any(type(tensor) is not Tensor or tensor.requires_grad or not tensor.is_contiguous() for tensor in dataset.tensors):
        return None
    rows = torch.tensor(indices)
    return [tensor[rows] for tensor in dataset.tensors]


def _are_plain(indices: Sequence[Any], size: int) -> bool:
    """Whether these are one or more Python ints inside [-size, size)."""
    return isinstance(indices, list) and bool(indices) and all(type(index) is int and -size <= index < size for index in indices)
