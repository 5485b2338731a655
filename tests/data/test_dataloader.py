"""utils.data against results recorded from torch 2.13 (loader_recorded.json), and the errors its options raise. Needs no torch."""

import json
from pathlib import Path

import loader_cases
import numpy as np
import pytest

import torchish
from torchish.utils import data

RECORDED = json.loads(Path(__file__).with_name("loader_recorded.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", loader_cases.CASES)
def test_gives_what_torch_gives(name):
    assert loader_cases.run(name, torchish) == RECORDED[name]


REFUSED_OPTIONS = [
    ({"num_workers": -1}, ValueError, "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."),
    ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
    (
        {"prefetch_factor": 2},
        ValueError,
        "prefetch_factor option could only be specified in multiprocessing."
        "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.",
    ),
    ({"num_workers": 1, "prefetch_factor": -1}, ValueError, "prefetch_factor option should be non-negative"),
    ({"persistent_workers": True}, ValueError, "persistent_workers option needs num_workers > 0"),
    ({"shuffle": True, "sampler": [0]}, ValueError, "sampler option is mutually exclusive with shuffle"),
    (
        {"batch_sampler": [[0]], "batch_size": 2},
        ValueError,
        "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last",
    ),
    (
        {"batch_size": None, "drop_last": True},
        ValueError,
        "batch_size=None option disables auto-batching and is mutually exclusive with drop_last",
    ),
    ({"batch_size": 0}, ValueError, "batch_size should be a positive integer value, but got batch_size=0"),
    ({"drop_last": 3}, ValueError, "drop_last should be a boolean value, but got drop_last=3"),
    (
        {"multiprocessing_context": "fork"},
        ValueError,
        "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got num_workers=0",
    ),
    (
        {"num_workers": 1, "multiprocessing_context": 3},
        TypeError,
        "multiprocessing_context option should be a valid context object or a string specifying the start method, "
        "but got multiprocessing_context=3",
    ),
]


def refused(call) -> tuple[type[BaseException], str]:
    with pytest.raises(Exception) as caught:
        call()
    return caught.type, str(caught.value)


@pytest.mark.parametrize(("options", "kind", "text"), REFUSED_OPTIONS)
def test_refuses_options_in_torchs_words(options, kind, text):
    assert refused(lambda: data.DataLoader([1], **options)) == (kind, text)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"shuffle": True}, "expected unspecified shuffle option, but got shuffle=True"),
        ({"sampler": [1]}, "expected unspecified sampler option, but got sampler=[1]"),
        ({"batch_sampler": [[1]]}, "expected unspecified batch_sampler option, but got batch_sampler=[[1]]"),
    ],
)
def test_a_stream_takes_no_order(options, text):
    assert refused(lambda: data.DataLoader(loader_cases.stream(torchish, 2), **options)) == (ValueError, f"DataLoader with IterableDataset: {text}")


def test_shuffling_an_empty_dataset_raises():
    text = "num_samples should be a positive integer value, but got num_samples=0"
    assert refused(lambda: data.DataLoader([], shuffle=True)) == (ValueError, text)


def test_what_decided_the_samplers_cannot_be_set():
    loader = data.DataLoader([1])
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader is initialized"):
        loader.batch_size = 2


def test_a_timeout_needs_workers():
    with pytest.raises(AssertionError):
        iter(data.DataLoader([1], timeout=3))


@pytest.mark.parametrize("found", [None, object(), 1j])
def test_collation_names_the_type_it_cannot_take(found):
    text = f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(found)}"
    assert refused(lambda: data.default_collate([found])) == (TypeError, text)


def test_collation_of_text_arrays_raises():
    text = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <U1"
    assert refused(lambda: data.default_collate([np.array(["a"])])) == (TypeError, text)


def test_collation_of_unequal_sequences_raises():
    assert refused(lambda: data.default_collate([[1, 2], [3]])) == (RuntimeError, "each element in list of batch should be of equal size")


def test_tensors_of_unequal_length_raise():
    assert refused(lambda: data.TensorDataset(torchish.ones(2), torchish.ones(3))) == (AssertionError, "Size mismatch between tensors")


def test_lengths_must_add_up():
    text = "Sum of input lengths does not equal the length of the input dataset!"
    assert refused(lambda: data.random_split(range(4), [1, 2])) == (ValueError, text)


def test_an_empty_split_warns():
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0. This might result in an empty dataset."):
        data.random_split(range(1), [0.5, 0.5])


def test_a_stream_longer_than_it_said_warns():
    class Short(data.IterableDataset):
        def __iter__(self):
            return iter(range(3))

        def __len__(self):
            return 2

    loader = data.DataLoader(Short(), batch_size=None)
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        assert list(loader) == [0, 1, 2]


def test_a_subset_with_its_own_getitem_needs_getitems():
    class Doubled(data.Subset):
        def __getitem__(self, index):
            return 2 * super().__getitem__(index)

    with pytest.raises(NotImplementedError, match="Doubled overrides __getitem__ but not __getitems__"):
        Doubled(range(3), [0])


def test_the_datasets_own_batched_fetch_is_used():
    class Squares(data.Dataset):
        def __getitems__(self, indices):
            return [index * index for index in indices]

        def __len__(self):
            return 4

    assert [batch.tolist() for batch in data.DataLoader(Squares(), batch_size=2)] == [[0, 1], [4, 9]]


def test_a_subclass_of_tensordataset_keeps_its_own_getitem():
    class Negated(data.TensorDataset):
        def __getitem__(self, index):
            return -super().__getitem__(index)[0]

    assert [batch.tolist() for batch in data.DataLoader(Negated(torchish.arange(4)), batch_size=2)] == [[0, -1], [-2, -3]]


def test_a_batch_shares_no_memory_with_the_dataset():
    rows = torchish.arange(4)
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(rows), batch_size=4)))
    batch.zero_()
    assert rows.tolist() == [0, 1, 2, 3]


def test_a_batch_of_rows_that_need_gradients_carries_them():
    rows = torchish.ones(4, requires_grad=True)
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(rows), batch_size=2)))
    batch.sum().backward()
    assert rows.grad.tolist() == [1, 1, 0, 0]


def test_an_index_out_of_range_raises():
    with pytest.raises(IndexError):
        list(data.DataLoader(loader_cases.table(torchish, 3), batch_sampler=[[0, 3]]))


def test_there_is_no_worker_in_the_main_program():
    list(data.DataLoader(range(3), num_workers=2))
    assert data.get_worker_info() is None


def test_a_failing_worker_leaves_the_callers_random_state():
    class Failing(data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            torchish.rand(3)
            raise KeyError(index)

    iterator = iter(data.DataLoader(Failing(), num_workers=1))
    before = torchish.get_rng_state()
    with pytest.raises(KeyError):
        next(iterator)
    assert torchish.equal(torchish.get_rng_state(), before)
