"""Padding and packing of sequences of unequal length.

Works out from the lengths which row goes where; the gathers by row are operations (_ops/packing.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ... import _public as torch
from ..._ops.packing import pack_rows, pad_rows
from ...tensor import Tensor

_UNSORTED = (
    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to "
    "pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability."
)


class PackedSequence_(NamedTuple):
    """The fields of a PackedSequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences laid out step by step: `data` holds the first elements of all, then the second ones, and so on.

    `batch_sizes` (T,) says how many run at each step; the indices map between given and decreasing order. Made by `pack_padded_sequence`.
    """

    def __new__(cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None) -> PackedSequence:
        if batch_sizes is None and isinstance(data, (tuple, list)) and len(data) == 2:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is not None and batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. They should be "
                "instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. "
                "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """`Tensor.to` of the data; the indices follow its device. Returns self where nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [None if index is None else index.to(data.device) for index in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self) -> PackedSequence:
        return self.to(device="cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to(*args, device=kwargs.pop("device", "cuda"), **kwargs)

    def pin_memory(self) -> PackedSequence:
        """Pinned memory means nothing here: the same sequence."""
        return self

    def double(self) -> PackedSequence:
        return self.to(dtype=torch.float64)

    def float(self) -> PackedSequence:
        return self.to(dtype=torch.float32)

    def half(self) -> PackedSequence:
        return self.to(dtype=torch.float16)

    def long(self) -> PackedSequence:
        return self.to(dtype=torch.int64)

    def int(self) -> PackedSequence:
        return self.to(dtype=torch.int32)

    def short(self) -> PackedSequence:
        return self.to(dtype=torch.int16)

    def char(self) -> PackedSequence:
        return self.to(dtype=torch.int8)

    def byte(self) -> PackedSequence:
        return self.to(dtype=torch.uint8)

    @property
    def is_cuda(self) -> bool:
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        return self.data.is_pinned()


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The inverse of a permutation given as an index tensor; None for None."""
    if permutation is None:
        return None
    positions = permutation.tolist()
    inverse = [0] * len(positions)
    for place, position in enumerate(positions):
        inverse[position] = place
    return torch.tensor(inverse, dtype=permutation.dtype, device=permutation.device)


def _length_list(lengths: Any) -> list[int]:
    if not isinstance(lengths, Tensor):
        return [int(length) for length in lengths]
    if lengths.dim() != 1 or lengths.device.type != "cpu":
        kind = lengths.type().rpartition(".")[2].removesuffix("Tensor")
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D {lengths.device.type} {kind} tensor")
    return [int(length) for length in lengths.tolist()]


def _batch_sizes(lengths: list[int]) -> list[int]:
    """How many of the sequences, longest first, run at each step."""
    return [sum(length > step for length in lengths) for step in range(lengths[0])]


def pack_padded_sequence(input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> PackedSequence:
    """Pack a padded batch (T, B, *), or (B, T, *) with `batch_first`; `lengths` must decrease unless not `enforce_sorted`.

    Raises RuntimeError for an empty input, or lengths that are unsorted, not positive, beyond T, or not one for each sequence.
    """
    steps = _length_list(lengths)
    sorted_indices = None
    if not enforce_sorted:
        order = sorted(range(len(steps)), key=lambda n: -steps[n])
        steps = [steps[n] for n in order]
        sorted_indices = torch.tensor(order, dtype=torch.int64, device=input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    time, batch = (input.size(1), input.size(0)) if batch_first else (input.size(0), input.size(1))
    _check_lengths(steps, time, batch)
    sizes = _batch_sizes(steps)
    rows = [n * time + t if batch_first else t * batch + n for t, size in enumerate(sizes) for n in range(size)]
    data = pack_rows(input, torch.tensor(rows, dtype=torch.int64, device=input.device))
    return PackedSequence(data, torch.tensor(sizes, dtype=torch.int64), sorted_indices, None)


def _check_lengths(steps: list[int], time: int, batch: int) -> None:
    if len(steps) != batch:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(steps)} (batch_size={batch})")
    if any(length < following for length, following in zip(steps, steps[1:])):
        raise RuntimeError(_UNSORTED)
    if steps[-1] <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0")
    if steps[0] > time:
        raise RuntimeError(f"Expected lengths of at most the padded length {time}, but got {steps[0]}")


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """(padded batch (T, B, *) or (B, T, *), lengths (B,)) in the order given to packing; T is `total_length` if given.

    Raises ValueError where `total_length` is too short.
    """
    sizes = sequence.batch_sizes.tolist()
    time, batch = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < time:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, "
                f"but got total_length={total_length} and max sequence length being {time}"
            )
        time = total_length
    lengths = [sum(size > n for size in sizes) for n in range(batch)]
    place, start = [], 0
    for size in sizes + [0] * (time - len(sizes)):
        place.append([start + n if n < size else -1 for n in range(batch)])
        start += size
    padded = pad_rows(sequence.data, torch.tensor(place, dtype=torch.int64, device=sequence.data.device), padding_value)
    if batch_first:
        padded = padded.transpose(0, 1)
    unsorted = sequence.unsorted_indices
    if unsorted is not None:
        return padded.index_select(0 if batch_first else 1, unsorted), torch.tensor([lengths[n] for n in unsorted.tolist()], dtype=torch.int64)
    return padded, torch.tensor(lengths, dtype=torch.int64)


def pad_sequence(sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right") -> Tensor:
    """Sequences (L_i, *) padded to the longest and stacked as (T, B, *), or (B, T, *) with `batch_first`.

    Raises RuntimeError for no sequences, for shapes that differ after the first dimension, or an unknown side.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    sequences = list(sequences.unbind(0) if isinstance(sequences, Tensor) else sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    time = max(sequence.size(0) for sequence in sequences)
    rest = tuple(sequences[0].shape[1:])
    shape = (len(sequences), time, *rest) if batch_first else (time, len(sequences), *rest)
    padded = sequences[0].new_full(shape, padding_value)
    for number, sequence in enumerate(sequences):
        length = sequence.size(0)
        span = slice(0, length) if padding_side == "right" else slice(time - length, time)
        padded[(number, span) if batch_first else (span, number)] = sequence
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, each cut to its length: the inverse of `pad_sequence`."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [sequence[:length] for sequence, length in zip(padded_sequences.unbind(0), lengths.tolist())]


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences (L_i, *); they must get shorter unless not `enforce_sorted`."""
    lengths = torch.tensor([sequence.size(0) for sequence in sequences], dtype=torch.int64)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed sequence, in the order given to packing."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
