"""Recomputing in backward what forward did not keep: the two kinds of checkpoint behind torch.utils.checkpoint.

Note [Recomputation]: without re-entrance, what the function would save is replaced by holders (through saved_tensors_hooks); the first that
backward asks for runs the function again and fills them all. With re-entrance, one graph node stands for the function and its backward runs it
again and a backward inside. Inputs pass a fence, so that XLA does not merge the second run with the first.
"""
from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from .._core.backward import backward_of
from .._core.barrier import behind_barrier
from .._core.handle import new_tensor
from .._core.modes import enable_grad, no_grad
from .._core.tape import state
from .._ops.sampling import default_generator
from ..tensor import Tensor
from .function import Function
from .graph import saved_tensors_hooks

INCOMPATIBLE = ("When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to .backward(). To "
                "resolve this error, you can either set use_reentrant=False, or call .backward() without passing the `inputs` argument.")
UNPACKED = ("torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. If you are calling ctx.saved_tensors in "
            "backward, make sure to do so only once. Otherwise please open an issue with details on your use case.")


class CheckpointError(RuntimeError):
    """The recomputation did not save what the forward saved."""


class StopRecomputation(Exception):
    """Everything that backward needs has been recomputed."""


class RandomState:
    """The default generator's state, to be put back for a second run."""

    def __init__(self, wanted: bool):
        self.saved = default_generator.get_state() if wanted else None

    def __enter__(self):
        if self.saved is not None:
            self.before = default_generator.get_state()
            default_generator.set_state(self.saved)

    def __exit__(self, *error):
        if self.saved is not None:
            default_generator.set_state(self.before)


def _plain(x: Any) -> bool:
    return x.__class__ is Tensor and x.is_floating_point()


def _snapshot(x: Any) -> Any:
    """An argument as it is now: the function may write to it. Values are immutable, so nothing is copied."""
    return new_tensor(x._read(), x._current_edge()) if _plain(x) else x


def _fenced(x: Any) -> Any:
    return behind_barrier(x) if _plain(x) else x


# ---------------------------------------------------------------- without re-entrance
class _Holder:
    """Stands in the graph for a saved tensor; `places` says where each backward's recomputation put it."""

    def __init__(self):
        self.places: dict = {}


def metadata_of(t: Tensor) -> dict:
    """What must be equal between a saved tensor and its recomputation."""
    return {"shape": t.shape, "dtype": t.dtype, "device": t.device}


class Frame:
    """One checkpointed call: how to run it again, and holders for what its forward saved."""

    def __init__(self, run_again: Callable, early_stop: bool, check: bool):
        self.run_again, self.early_stop, self.check = run_again, early_stop, check
        self.holders: list = []
        self.facts: list[dict] = []
        self.recomputed: dict = {}  # backward run -> {position: tensor}
        self.counts: dict = {}

    def hooks(self) -> saved_tensors_hooks:
        """The hooks of the forward run."""
        return saved_tensors_hooks(self._pack, self._unpack)

    def _pack(self, t: Tensor) -> _Holder:
        holder = _Holder()
        self.holders.append(weakref.ref(holder))
        if self.check:
            self.facts.append(metadata_of(t))
        return holder

    def _unpack(self, holder: _Holder) -> Tensor:
        run = state.walk.token if state.walk is not None else object()
        if run not in self.recomputed:
            self._recompute(run)
        place = holder.places.get(run)
        if place is None:
            raise CheckpointError(UNPACKED)
        holder.places[run] = None
        return self.recomputed[run].pop(place)

    def _recompute(self, run) -> None:
        self.recomputed.clear()
        self.recomputed[run], self.counts[run] = {}, 0

        def pack(t: Tensor):
            position = self.counts[run]
            self.counts[run] += 1
            if position < len(self.holders):
                holder = self.holders[position]()
                if holder is not None:
                    holder.places[run] = position
                self.recomputed[run][position] = t.detach()
            if self.early_stop and self.counts[run] == len(self.holders):
                raise StopRecomputation
            return t.detach()
        try:
            with saved_tensors_hooks(pack, lambda t: t), enable_grad():
                self.run_again()
        except StopRecomputation:
            pass
        self._compare(run)

    def _compare(self, run) -> None:
        count = self.counts.pop(run)
        if count != len(self.holders):
            raise CheckpointError("torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\n"
                                  f"Number of tensors saved during forward: {len(self.holders)}\n"
                                  f"Number of tensors saved during recomputation: {count}.")
        wrong = [(i, want, have) for i, want in enumerate(self.facts) if (have := metadata_of(self.recomputed[run][i])) != want]
        if wrong:
            lines = "".join(f"tensor at position {i}:\nsaved metadata: {want}\nrecomputed metadata: {have}\n" for i, want, have in wrong)
            raise CheckpointError("torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the "
                                  f"forward pass.\n{lines}")


def run_with_frame(function: Callable, args: tuple, kwargs: dict, preserve_random: bool, contexts: tuple, early_stop: bool, check: bool):
    """`function(*args, **kwargs)` with everything it would save replaced by recomputation in backward."""
    forward_context, again_context = contexts
    if not state.grad:
        with forward_context:
            return function(*args, **kwargs)
    random = RandomState(preserve_random)
    kept_args, kept_kwargs = [_snapshot(a) for a in args], {k: _snapshot(v) for k, v in kwargs.items()}

    def run_again():
        with random, again_context:
            function(*map(_fenced, kept_args), **{k: _fenced(v) for k, v in kept_kwargs.items()})
    frame = Frame(run_again, early_stop, check)
    with frame.hooks(), forward_context:
        return function(*args, **kwargs)


# ---------------------------------------------------------------- with re-entrance
class CheckpointFunction(Function):
    """One graph node for a whole function: its forward keeps the inputs only."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        ctx.run_function, ctx.random = run_function, RandomState(preserve_rng_state)
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx, *gradients):
        if state.walk is not None and state.walk.goals is not None:
            raise RuntimeError(INCOMPATIBLE)
        args = list(ctx.others)
        for i, t in zip(ctx.places, ctx.saved_tensors):
            inner = _fenced(t.detach())
            args[i] = inner.detach().requires_grad_(t.requires_grad)
        finished = state.has_backward
        with ctx.random, enable_grad():
            outputs = ctx.run_function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        pairs = [(o, g) for o, g in zip(outputs, gradients) if isinstance(o, Tensor) and o.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward_of(tuple(o for o, _ in pairs), tuple(g for _, g in pairs), None, False, None)
        state.has_backward = finished  # this backward is part of another: no place to cut the tape
        return (None, None, *[a.grad if isinstance(a, Tensor) else None for a in args])


__all__ = ["CheckpointError", "CheckpointFunction", "run_with_frame"]
