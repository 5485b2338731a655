"""DataLoader: batches of a dataset, in a sampler's order.

Owns the options' checks and the order of work (which draws happen when); the parts live in `_utils`.
"""

import collections
import itertools
import multiprocessing
import multiprocessing.context
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ... import _public as torch
from ..._core import evaluate
from ._utils.collate import default_collate as default_collate
from ._utils.collate import default_convert as default_convert
from ._utils.fetch import make_fetcher
from ._utils.worker import Worker
from ._utils.worker import get_worker_info as get_worker_info
from .dataset import Dataset, IterableDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

_T_co = TypeVar("_T_co", covariant=True)

# What decided the loader's samplers cannot change afterwards: the samplers would not follow.
_FROZEN = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))


class _Endless(Sampler[None]):
    """The index sampler of a stream: as many Nones as asked for."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[_T_co]):
    """Batches of a dataset.

    Batches come as `collate_fn` makes them of a list of samples; with `batch_size=None` samples pass one by one.
    The random draws are torch's, in torch's order: each iteration draws one base seed from `generator` (or the global one),
    and `shuffle=True` draws its permutation as RandomSampler does.

    Workers. Loading always happens in this process and at the moment a batch is asked for: arrays live in JAX's runtime,
    which does not survive a fork. `num_workers=n` emulates n workers: batch k is loaded with the random states, the worker
    info and the (shallow) copy of the dataset of worker k % n, so the batches are those that torch's n processes produce,
    but nothing runs in parallel. An exception raised while loading arrives as it was raised, without torch's wrapping.
    `timeout`, `prefetch_factor`, `multiprocessing_context`, `in_order` and `pin_memory` are checked and otherwise only keep
    their documented effect on the order of draws; JAX moves data to devices on its own.

    Raises ValueError (and TypeError for a `multiprocessing_context`) for options that contradict each other.
    """

    dataset: Dataset[_T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Sampler | Iterable
    pin_memory_device: str
    prefetch_factor: int | None
    _iterator: "_LoaderIterator | None" = None
    _initialized = False

    def __init__(
        self,
        dataset: Dataset[_T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers
        if isinstance(dataset, IterableDataset):
            _check_stream(shuffle, sampler, batch_sampler)
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        self.sampler = self._default_sampler(shuffle) if sampler is None else sampler
        if batch_size is not None:
            batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self._stream_length: int | None = None
        self._initialized = True

    def _default_sampler(self, shuffle: bool | None) -> Sampler:
        if isinstance(self.dataset, IterableDataset):
            return _Endless()
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    @property
    def multiprocessing_context(self) -> Any:
        """The context given, or the one of the start method named; nothing is started with it."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None and self.num_workers == 0:
            raise ValueError(
                f"multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got num_workers={self.num_workers}"
            )
        self._multiprocessing_context = _as_context(context)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FROZEN:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def _make_iterator(self) -> "_LoaderIterator":
        return _WorkersIterator(self) if self.num_workers > 0 else _DirectIterator(self)

    def __iter__(self) -> "_LoaderIterator":
        if not (self.persistent_workers and self.num_workers > 0):
            return self._make_iterator()
        if self._iterator is None:
            self._iterator = self._make_iterator()
        else:
            self._iterator.reset(self)
        return self._iterator

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = self._stream_length = len(self.dataset)
        if self.batch_size is None:
            return length
        whole, rest = divmod(length, self.batch_size)
        return whole if self.drop_last or not rest else whole + 1


class _LoaderIterator:
    """One pass over a loader: draws the base seed, then yields batch after batch."""

    def __init__(self, loader: DataLoader) -> None:
        self._fetch_options = (loader._auto_collation, loader.collate_fn, loader.drop_last)
        self._dataset = loader.dataset
        self._num_workers = loader.num_workers
        self._index_sampler = loader._index_sampler
        self._indices = iter(self._index_sampler)
        self._base_seed = torch.empty((), dtype=torch.int64).random_(generator=loader.generator).item()
        self._begin(loader)

    def _begin(self, loader: DataLoader) -> None:
        self._yielded = 0
        self._stream_length = loader._stream_length

    def reset(self, loader: DataLoader) -> None:
        """Starts another pass of persistent workers; the base seed stays."""
        self._indices = iter(self._index_sampler)
        self._begin(loader)

    def _load(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> "_LoaderIterator":
        return self

    def __next__(self) -> Any:
        # What the step before left pending is evaluated now, so every step's program starts the same.
        evaluate.batch_boundary()
        batch = self._load()
        # A batch gathered by a few operations joins the step's program; one put together sample by sample is evaluated on its own.
        evaluate.batch_boundary(keep=8)
        self._yielded += 1
        if self._stream_length is not None and self._yielded > self._stream_length:
            warnings.warn(self._length_warning(), stacklevel=2)
        return batch

    def _length_warning(self) -> str:
        text = (
            f"Length of IterableDataset {self._dataset} was reported to be {self._stream_length}"
            f"(when accessing len(dataloader)), but {self._yielded} samples have been fetched. "
        )
        if self._num_workers == 0:
            return text
        return text + (
            "For multiprocessing data-loading, this could be caused by not properly configuring the IterableDataset replica at each worker. "
            "Please see https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
        )

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


class _DirectIterator(_LoaderIterator):
    """No workers: indices are drawn and samples fetched when the batch is asked for."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        if loader.timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._fetcher = make_fetcher(self._dataset, *self._fetch_options)

    def _load(self) -> Any:
        return self._fetcher.fetch(next(self._indices))


class _WorkersIterator(_LoaderIterator):
    """Emulated workers: index batches are drawn ahead as torch's prefetching draws them, dealt to the workers in turn, and
    loaded in that order. A worker whose stream has ended gets no more.
    """

    def __init__(self, loader: DataLoader) -> None:
        if loader.prefetch_factor <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        self._workers: list[Worker] = []
        super().__init__(loader)

    def _begin(self, loader: DataLoader) -> None:
        super()._begin(loader)
        if not self._workers:
            numbers = range(self._num_workers)
            self._workers = [Worker(number, self._num_workers, self._base_seed, self._dataset, loader.worker_init_fn) for number in numbers]
        self._fetchers: list[Any] = [None] * self._num_workers
        self._working = [True] * self._num_workers
        self._turns = itertools.cycle(range(self._num_workers))
        self._tasks: collections.deque[tuple[int, Any]] = collections.deque()
        for _ in range(loader.prefetch_factor * self._num_workers):
            self._draw_task()

    def _draw_task(self) -> None:
        """Draws the next index batch and deals it to the next worker that still has samples."""
        index = next(self._indices, self)
        turns = itertools.islice(self._turns, self._num_workers)
        if index is not self and any(self._working):
            self._tasks.append((next(turn for turn in turns if self._working[turn]), index))

    def _fetch(self, number: int, index: Any) -> Any:
        worker = self._workers[number]
        with worker.active():
            if self._fetchers[number] is None:
                self._fetchers[number] = make_fetcher(worker.info.dataset, *self._fetch_options)
            return self._fetchers[number].fetch(index)

    def _load(self) -> Any:
        while self._tasks:
            number, index = self._tasks.popleft()
            if not self._working[number]:
                continue
            try:
                batch = self._fetch(number, index)
            except StopIteration:
                if not isinstance(self._dataset, IterableDataset):
                    raise
                self._working[number] = False
                self._draw_task()
                continue
            except BaseException:
                self._draw_task()
                raise
            self._draw_task()
            return batch
        raise StopIteration


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    if shuffle not in {False, None}:
        raise ValueError(f"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"DataLoader with IterableDataset: expected unspecified sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(f"DataLoader with IterableDataset: expected unspecified batch_sampler option, but got batch_sampler={batch_sampler}")


def _as_context(context: Any) -> Any:
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if context is not None and not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={context}"
        )
    return context
