"""Evaluate, second half: when the pending tape is run, in which tier, and how results and failures come back.

Note [Two tiers]: a slice whose structure is new replays in NumPy; seen again, it is compiled. A tiny slice (a few nodes on small arrays)
always replays in NumPy, where it is cheaper than a jitted call. The choice depends on counts only, never on time: a run repeats itself.

Note [Unused gradients]: after a step `p.grad` is still held, but hardly anybody reads it before zero_grad drops it; returning every
gradient costs a small step a quarter of its time. When a slice is compiled that has run once in NumPy, gradients of small programs that
nobody used after that run are left out: they stay pending, to be computed from the step's operands if they are wanted after all, in
which case the program is compiled once more, with them.
"""
from __future__ import annotations

import threading
import weakref
from collections import Counter
from sys import getrefcount

import jax
import numpy as np

from . import handle, tape
from .allocator import keep_freed
from .devices import jax_device
from .disk_cache import compiled, program_for
from .explain import log
from .program import Slice, make_function, make_slice, note_use, run_numpy
from .tape import NUMBERS, Node, Value, state, threads
from .threads import adopt

TINY_NODES = 4
TINY_COST = 4096
DONATED_SIZE = 1024
SKIPPED_BYTES = 1 << 20
GATHERED_NODES = 64
GATHERED_COST = 1 << 15
HOST_CHECKED_BYTES = 1 << 16


class Entry:
    """What the cache knows of one structure: how often it was seen, and its compiled program for each set of donated arguments."""

    __slots__ = ("seen", "programs", "numbers", "checked", "function", "keep", "used", "skip")

    def __init__(self):
        self.seen = 0
        self.programs: dict = {}
        self.numbers: dict = {}
        self.function = None
        self.keep: set | None = None
        self.used: set = set()  # numbers of live outputs that somebody wanted later
        self.skip: frozenset | None = None  # of those that are left out; None until the first compilation

    def wanted(self, number: int) -> None:
        """Output `number` was used after a run: never leave it out."""
        self.used.add(number)
        if self.skip and number in self.skip:
            self.skip = self.skip - self.used
            self.programs.clear()
        self.checked = ()


cache: dict[tuple, Entry] = {}
CACHE_CAP = 4096
evaluating = threading.RLock()  # one thread at a time: what is pending may be shared, see threads.py
counters: Counter = log.counters
_staging: dict = {}


def evaluate(cause: str, want: Value | None = None, upto: int | None = None) -> None:
    """Run the pending tape, or its first `upto` nodes. `cause` is for `explain`; `want` is kept even if no Storage holds it."""
    if state.scope is not None:
        state.scope.evaluate(cause, want)
        return
    with evaluating:
        _evaluate(cause, want, upto)


def _evaluate(cause: str, want: Value | None, upto: int | None) -> None:
    nodes = state.nodes
    needed_after = None
    if upto is not None and upto < len(nodes):
        rest = nodes[upto:]
        nodes = nodes[:upto]
        needed_after = {id(v) for n in rest for v in n.inputs if v.__class__ is Value and v.array is None}
        state.nodes = rest
    else:
        state.nodes = []
        state.has_backward = False
        rest = ()
    try:
        if len(threads) > 1:
            adopt(nodes, want, _run_adopted)
        if want is not None and want.array is None and want.node.pos < 0:
            nodes = _pull(want, nodes)
        if nodes:
            _run(nodes, want, needed_after, cause)
    finally:
        _forget(nodes)
        for pos, node in enumerate(rest):
            node.pos = pos


def _run_adopted(nodes: list[Node], needed: set | None) -> None:
    try:
        _run(nodes, None, needed, "another thread's tape")
    finally:
        _forget(nodes)


def _forget(nodes: list[Node]) -> None:
    for node in nodes:
        node.pos = -1
        node.outs = None
        node.primal = None


def _pull(want: Value, nodes: list[Node]) -> list[Node]:
    """Put the producer of `want`, evaluated earlier but not kept, back into the slice."""
    node = want.node
    node.outs = tuple(want if i == want.index else None for i in range(len(node.plan.outs)))
    both = [node, *nodes]
    for pos, n in enumerate(both):
        n.pos = pos
    return both


def _drop_dead(nodes: list[Node]) -> None:
    """Remove, in place, nodes whose results nobody refers to: they would only make slices differ that are the same.

    Dead is what CPython's reference counts show as referred to by its node alone; where they say otherwise the node merely stays.
    """
    dead = False
    for i in range(len(nodes) - 1, -1, -1):
        node = nodes[i]
        if node.plan.check is None:
            for out in node.outs:
                if out is not None and getrefcount(out) > 3:  # the tuple, `out` and the argument
                    break
            else:
                nodes[i] = node.outs = None
                node.pos = -1  # a vjp may still name it as its primal
                dead = True
        node = out = None
    if dead:
        nodes[:] = [n for n in nodes if n is not None]
        for pos, node in enumerate(nodes):
            node.pos = pos


def _run(nodes: list[Node], want, needed_after, cause: str) -> None:
    _drop_dead(nodes)
    if not nodes:
        return
    counters["evaluations"] += 1
    counters["cut: " + cause] += 1
    if len(nodes) <= TINY_NODES and _all_numpy(nodes) and sum(n.plan.cost for n in nodes) <= TINY_COST and _concrete(nodes):
        _finish_numpy(nodes, want, needed_after)
        return
    made = make_slice(nodes, want, needed_after)
    entry = first = _entry(made)
    if entry.keep is not None:
        made = make_slice(made.nodes, want, needed_after, entry.keep)
        entry = _entry(made)
    entry.seen += 1
    for node in made.nodes:
        if node.origin is not None:
            node.origin = first, node.pos
    node = None  # it would keep its operands, and so their buffers from being donated
    try:
        if entry.seen == 1 and _all_numpy(made.nodes):
            for number, v in enumerate(made.live):
                v.owned = entry, number
            _finish_numpy(made.nodes, want, needed_after)
        elif made.live or any(n.plan.check is not None for n in made.nodes):
            _run_compiled(made, entry, cause)
    finally:
        if made.nodes is not nodes:  # also where a check failed: a stale place on the tape would be believed
            _forget(made.nodes)


def _entry(made: Slice) -> Entry:
    entry = cache.get(made.key)
    if entry is None:
        if len(cache) >= CACHE_CAP:
            for old in list(cache)[:CACHE_CAP // 4]:
                del cache[old]
        entry = cache[made.key] = Entry()
    return entry


def _all_numpy(nodes: list[Node]) -> bool:
    for n in nodes:
        if not n.plan.numpy:
            return False
    return True


def _concrete(nodes: list[Node]) -> bool:
    """Whether every operand is an array or comes from this slice."""
    for n in nodes:
        for v in n.inputs:
            if v.__class__ is Value and v.array is None and v.node.pos < 0:
                return False
    return True


def _finish_numpy(nodes: list[Node], want, needed_after) -> None:
    counters["replays in NumPy"] += 1
    live, failure = run_numpy(nodes, want, needed_after)
    for v in live:
        v.node = None
    if failure is not None:
        raise failure


# ---------------------------------------------------------------- the hot tier
def _run_compiled(made: Slice, entry: Entry, cause: str) -> None:
    args, live, function = _arguments(made, entry), made.live, None
    if entry.skip is None:
        entry.skip = _unused_gradients(entry, live)
    if entry.skip:
        for number in entry.skip:
            live[number].owned = entry, number
        live = made.live = [v for number, v in enumerate(live) if number not in entry.skip]
    if not entry.programs:
        function, entry.checked = make_function(made)
        log.compiled(cause, made.nodes)
    candidates = _unheld(made.owners, live)
    for v in live:
        v.node = None
    if candidates:
        _let_go(made)
    free = frozenset([i for i, ref in candidates if ref() is None])
    with jax.enable_x64(True):
        program = _choose(entry, free, function, made.key, args)
        outs = program(*args)
    for v, array in zip(live, outs):
        v.array = array
        v.owned = True
    if entry.checked:
        state.flags.append((outs[-1], [plan for plan, _ in entry.checked]))


def _unused_gradients(entry: Entry, live: list) -> frozenset:
    """Numbers of the live outputs to leave out, see Note [Unused gradients]."""
    if entry.seen != 2:
        return frozenset()
    found = [number for number, v in enumerate(live) if number not in entry.used and v.node.plan.primal is not None and v.spec.numel > 1]
    return frozenset(found) if sum([live[number].spec.nbytes for number in found]) <= SKIPPED_BYTES else frozenset()


def _arguments(made: Slice, entry: Entry) -> list:
    """The program's arguments: arrays on their device; numbers that stay the same as device scalars, which cost a sixth of a Python number."""
    args, owners, known = made.args, made.owners, entry.numbers
    for i, a in enumerate(args):
        kind = a.__class__
        if kind is np.ndarray:
            args[i] = to_device(owners[i])
        elif kind in NUMBERS:
            last = known.get(i)
            if last is not None and last[0] == a and last[0].__class__ is kind and (a or kind is not float):  # not 0.0 for -0.0
                if last[1] is None:
                    last = known[i] = (a, _device_number(a))
                args[i] = last[1]
            else:
                known[i] = (a, None)
    return args


def _unheld(owners: list, live: list) -> list:
    """Arguments that may be donated: (index, weak reference) of Values that own their array and that no Storage holds any more.

    Each needs a result of its own spec to give its buffer to.
    """
    found, room = [], None
    for i, v in enumerate(owners):
        if v is not None and v.owned and v.spec.numel >= DONATED_SIZE:
            holder = v.holder
            if holder is None or (cell := holder()) is None or cell.value is not v:
                if room is None:
                    room = [out.spec for out in live]
                if v.spec in room:
                    room.remove(v.spec)
                    found.append((i, weakref.ref(v)))
    return found


def _let_go(made: Slice) -> None:
    """Drop every reference of ours to the slice's operands: those that die now are nobody's, and their buffers can be reused."""
    for node in made.nodes:
        node.pos = -1
        node.outs = node.primal = None
    made.nodes.clear()
    made.owners.clear()
    made.places.clear()


def _choose(entry: Entry, free: frozenset, function, key: tuple, args: list):
    """The compiled program that donates the most of the arguments in `free`; one is compiled if none will do."""
    best = None
    for donated in entry.programs:
        if donated <= free and (best is None or len(donated) > len(best)):
            best = donated
    if best is not None:
        return entry.programs[best]
    if function is None:  # the programs there are would donate too much
        function, free = entry.function, frozenset()
    entry.function = function
    program = entry.programs[free] = program_for(function, tuple(sorted(free)), key, entry.skip, args)
    return program


def _device_number(x):
    """`x` as a device scalar, weakly typed like the Python number, so that the same program takes both. (`jnp.asarray` would compile that, too.)"""
    with jax.enable_x64(True):
        kind = x.__class__
        if kind not in _staging:
            _staging[kind] = compiled(lambda x: x, (), [x], f"stage {kind.__name__}")
        return _staging[kind](x)


def to_device(v: Value):
    """Move a Value's NumPy array to its device, once."""
    array = v.array
    if v.host is None and array.dtype.kind in "iub" and array.nbytes <= HOST_CHECKED_BYTES:
        v.host = array
    with jax.enable_x64(True):
        v.array = jax.device_put(array, jax_device(v.spec.device))
    v.owned = True  # where it still shares the NumPy array's memory, XLA copies instead of donating
    return v.array


# ---------------------------------------------------------------- reads and cuts
def read(v: Value, cause: str = "read") -> np.ndarray:
    """The Value's array on the host (read-only where it shares memory with the device). Evaluates what is pending; raises failed checks."""
    if v.array is None:
        if v.node is None:
            raise RuntimeError("torchish: this value was lost when the program that computes it failed")
        evaluate(cause, v)
        if v.array is None:  # left out as unused, see Note [Unused gradients]
            note_use(v)
            evaluate(cause, v)
    if v.owned.__class__ is tuple:
        note_use(v)
    if state.flags:
        raise_failed_checks()
    array = v.array
    return array if array.__class__ is np.ndarray else np.asarray(array)


def raise_failed_checks() -> None:
    """Raise the first failed index check of the programs run so far."""
    flags, state.flags = state.flags, []
    for codes, plans in flags:
        host = np.asarray(codes)
        if host.any():
            at = int(np.flatnonzero(host)[0])
            plan = plans[at]
            raise plan.op.complain(int(host[at]), plan.argtypes, dict(plan.static))


def step_boundary() -> None:
    """Cut after an optimizer's step: forward, backward and update become one program."""
    if state.nodes:
        evaluate("optimizer step")
    if len(state.flags) > 64:
        raise_failed_checks()


def batch_boundary(keep: int = 0) -> None:
    """Cut around a data loader's next batch, where more than `keep` nodes are pending."""
    if len(state.nodes) > keep:
        evaluate("data loader batch")
    if len(state.flags) > 64:
        raise_failed_checks()


def forward_boundary() -> None:
    """Cut where the next iteration's forward begins: a differentiable op after a finished backward.

    Iterations of a few small operations are gathered, several to a program: starting one costs more than they do.
    """
    nodes = state.nodes
    if len(nodes) < GATHERED_NODES and sum([n.plan.cost for n in nodes]) < GATHERED_COST:
        state.has_backward = False
        return
    evaluate("forward after backward")


def _on_full() -> None:
    evaluate("tape full", upto=_repeating_prefix(state.nodes))


def _repeating_prefix(nodes: list[Node]) -> int | None:
    """Where to cut a full tape so that the chunks of a long loop come out equal: after a whole number of its periods."""
    plans = [n.plan for n in nodes]
    last, half = len(plans), len(plans) // 2
    for period in range(1, half // 2):
        if plans[half + period:] == plans[half:-period]:
            start = half
            while start > 0 and plans[start - 1] is plans[start - 1 + period]:
                start -= 1
            return start + min((last - start) // period, max(1, half // period)) * period
    return None


def _from_pending(value: Value, twin: Value) -> None:
    read(value, "copy")
    twin.node, twin.array = None, value.array
    value.owned = False


tape.on_full = _on_full
keep_freed()
handle.from_pending = _from_pending
