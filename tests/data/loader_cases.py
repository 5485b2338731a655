"""Programs over utils.data whose results are compared with torch's: a named table of functions of a torch-like module.

Each takes the module (torchish or torch), starts from seed 0 and returns plain Python values. Needs no torch.
The recorder (record_loader.py), the recorded test and the differential test all read it.
"""

import random
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

Point = namedtuple("Point", ["x", "y"])

CASES: dict[str, Callable[[Any], Any]] = {}


def case(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[function.__name__] = function
    return function


def run(name: str, torch: Any) -> Any:
    """The case's result in the form JSON gives back."""
    torch.manual_seed(0)
    return plain(CASES[name](torch), torch)


def plain(value: Any, torch: Any) -> Any:
    """Tensors become [dtype, size, values], other objects what JSON makes of them."""
    if isinstance(value, torch.Tensor):
        return [str(value.dtype).rpartition(".")[2], list(value.shape), value.tolist()]
    if isinstance(value, dict):
        return {key: plain(one, torch) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, torch) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def table(torch: Any, rows: int = 10) -> Any:
    """A TensorDataset of `rows` pairs: two features and the row's number."""
    return torch.utils.data.TensorDataset(torch.arange(2.0 * rows).reshape(rows, 2), torch.arange(rows))


def stream(torch: Any, rows: int, shared: bool = True) -> Any:
    """An IterableDataset over range(rows), divided between the workers unless not `shared`."""
    data = torch.utils.data

    class Numbers(data.IterableDataset):
        def __init__(self) -> None:
            self.start, self.step = 0, 1

        def __iter__(self):
            worker = data.get_worker_info()
            if worker is None or not shared:
                return iter(range(self.start, rows, self.step))
            return iter(range(worker.id, rows, worker.num_workers))

    return Numbers()


def noise(torch: Any) -> Any:
    """A dataset that draws from all three global generators."""

    class Noise(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> tuple[int, int, float, float]:
            return index, int(np.random.randint(0, 1 << 30)), random.random(), torch.rand(()).item()

    return Noise()


@case
def sequential(torch):
    return list(torch.utils.data.DataLoader(table(torch), batch_size=4))


@case
def shuffled_twice_then_a_draw(torch):
    loader = torch.utils.data.DataLoader(table(torch), batch_size=4, shuffle=True)
    return [list(loader), list(loader), torch.randint(0, 1000, (3,))]


@case
def shuffled_with_a_generator(torch):
    generator = torch.Generator().manual_seed(7)
    loader = torch.utils.data.DataLoader(table(torch), batch_size=3, shuffle=True, generator=generator)
    return [list(loader), list(loader), torch.randint(0, 1000, (3,), generator=generator)]


@case
def drop_last(torch):
    loader = torch.utils.data.DataLoader(table(torch), batch_size=4, shuffle=True, drop_last=True)
    return [list(loader), len(loader)]


@case
def unbatched(torch):
    return list(torch.utils.data.DataLoader(table(torch, 3), batch_size=None, shuffle=True))


@case
def batch_sampler(torch):
    return list(torch.utils.data.DataLoader(table(torch), batch_sampler=[[1, 2], [3], [-1, 0]]))


@case
def given_sampler(torch):
    return list(torch.utils.data.DataLoader(table(torch), batch_size=2, sampler=[3, 1, 2]))


@case
def given_collation(torch):
    return list(torch.utils.data.DataLoader(table(torch, 3), batch_size=2, collate_fn=lambda samples: len(samples)))


@case
def draws_between_batches(torch):
    loader = torch.utils.data.DataLoader(range(6), batch_size=2, shuffle=True)
    return [[batch, torch.rand(1)] for batch in loader]


@case
def random_sampler(torch):
    return list(torch.utils.data.RandomSampler(range(40)))


@case
def random_sampler_with_replacement(torch):
    return list(torch.utils.data.RandomSampler(range(10), replacement=True, num_samples=70))


@case
def random_sampler_of_more_than_there_are(torch):
    generator = torch.Generator().manual_seed(3)
    drawn = list(torch.utils.data.RandomSampler(range(6), num_samples=15, generator=generator))
    return [drawn, torch.randint(0, 1000, (2,), generator=generator)]


@case
def random_sampler_ends_with_one_more_permutation(torch):
    generator = torch.Generator().manual_seed(3)
    drawn = list(torch.utils.data.RandomSampler(range(6), generator=generator))
    return [drawn, torch.randint(0, 1000, (2,), generator=generator)]


@case
def subset_random_sampler(torch):
    return list(torch.utils.data.SubsetRandomSampler([5, 7, 11, 13, 17]))


@case
def weighted_random_sampler(torch):
    data = torch.utils.data
    with_replacement = list(data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5))
    return [with_replacement, list(data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5, replacement=False))]


@case
def batch_samplers(torch):
    data = torch.utils.data
    samplers = [data.BatchSampler(data.SequentialSampler(range(7)), 3, last) for last in (False, True)]
    return [[list(sampler), len(sampler)] for sampler in samplers]


@case
def distributed_sampler(torch):
    sampler = torch.utils.data.DistributedSampler
    found = []
    for rank in range(3):
        for options in ({}, {"shuffle": False}, {"drop_last": True}, {"seed": 5}):
            one = sampler(range(10), num_replicas=3, rank=rank, **options)
            one.set_epoch(2)
            found.append([list(one), len(one)])
    return [*found, list(sampler(range(2), num_replicas=5, rank=4, shuffle=False))]


@case
def random_split_by_lengths(torch):
    return [part.indices for part in torch.utils.data.random_split(range(10), [3, 7])]


@case
def random_split_by_fractions(torch):
    generator = torch.Generator().manual_seed(42)
    return [part.indices for part in torch.utils.data.random_split(range(32), [0.3, 0.3, 0.4], generator=generator)]


@case
def loader_over_a_split(torch):
    first, _ = torch.utils.data.random_split(table(torch), [6, 4])
    return list(torch.utils.data.DataLoader(first, batch_size=4, shuffle=True))


@case
def stacked_and_joined_datasets(torch):
    data = torch.utils.data
    joined = table(torch, 3) + table(torch, 2)
    stacked = data.StackDataset(range(4), data.Subset(range(10), [9, 8, 7, 6]))
    named = data.StackDataset(a=range(4), b=table(torch, 4))
    return [len(joined), joined[-1], joined[3], joined.cumulative_sizes, stacked[1], stacked.__getitems__([0, 3]), named.__getitems__([2])]


@case
def streams(torch):
    data = torch.utils.data
    chained = stream(torch, 3) + stream(torch, 2)
    loaders = [data.DataLoader(stream(torch, 5), batch_size=2, drop_last=last) for last in (False, True)]
    return [list(chained), *(list(loader) for loader in loaders), list(data.DataLoader(stream(torch, 3), batch_size=None))]


@case
def workers_shuffled_twice_then_a_draw(torch):
    loader = torch.utils.data.DataLoader(table(torch, 23), batch_size=4, shuffle=True, num_workers=2)
    return [list(loader), list(loader), torch.randint(0, 1000, (3,))]


@case
def workers_sharing_a_generator(torch):
    generator = torch.Generator().manual_seed(1)
    sampler = torch.utils.data.RandomSampler(range(64), generator=generator)
    loader = torch.utils.data.DataLoader(table(torch, 64), batch_size=4, sampler=sampler, num_workers=2, generator=generator)
    return [[batch[1], torch.randint(0, 1000, (1,), generator=generator)] for batch in loader]


@case
def workers_have_their_own_random_numbers(torch):
    return [list(torch.utils.data.DataLoader(noise(torch), batch_size=2, num_workers=2)), torch.rand(1)]


@case
def persistent_workers_go_on_drawing(torch):
    loader = torch.utils.data.DataLoader(noise(torch), batch_size=2, num_workers=2, persistent_workers=True)
    return [list(loader), list(loader), torch.rand(1)]


@case
def workers_share_a_stream(torch):
    data = torch.utils.data
    return [list(data.DataLoader(stream(torch, rows), batch_size=2, num_workers=2)) for rows in (0, 1, 3, 11)]


@case
def workers_repeat_a_stream_that_does_not_share(torch):
    return list(torch.utils.data.DataLoader(stream(torch, 5, shared=False), batch_size=2, num_workers=2))


@case
def worker_init_sets_the_copy(torch):
    def divide(worker_id: int) -> None:
        worker = torch.utils.data.get_worker_info()
        worker.dataset.start, worker.dataset.step = worker_id, worker.num_workers

    loader = torch.utils.data.DataLoader(stream(torch, 9, shared=False), batch_size=2, num_workers=2, worker_init_fn=divide)
    return [list(loader), loader.dataset.start]


@case
def collated_kinds(torch):
    collate = torch.utils.data.default_collate
    return [
        collate([1, 2]),
        collate([1.5, 2.0]),
        collate([True, False]),
        collate(["a", "b"]),
        collate([b"a", b"b"]),
        collate([np.float32(1), np.float32(2)]),
        collate([np.int16(1), np.int16(2)]),
        collate([np.arange(3), np.arange(3) + 1]),
        collate([np.ones((2, 2), np.float32)]),
        collate([torch.tensor([1, 2]), torch.tensor([3, 4])]),
        collate([(1, 2.0), (3, 4.0)]),
        collate([[1, "a"], [3, "b"]]),
        collate([{"a": 1, "b": [1.0]}, {"a": 2, "b": [3.0]}]),
        collate([Point(1, 2.0), Point(3, 4.0)]),
        type(collate([Point(1, 2.0)])).__name__,
        type(collate([(1, 2.0)])).__name__,
    ]


@case
def converted_kinds(torch):
    convert = torch.utils.data.default_convert
    return [convert(np.arange(2)), convert([np.float64(2), "s", 3]), convert({"a": (1, np.array([2]))}), convert(Point(np.array([1]), 0))]
