"""Evaluate, second half: when the pending tape is run, in which tier, and how results and failures come back.

Note [Two tiers]: a slice whose structure is new replays in NumPy; seen again, it is compiled. A tiny slice (a few nodes on small arrays)
always replays in NumPy, where it is cheaper than a jitted call. The choice depends on counts only, never on time: a run repeats itself.

Note [Families]: slices of the same operations and wiring on other shapes are a family. Code that comes back with ever new shapes (a batch of
any size, a text that grows by a token) would pay a compilation for each; so once a family has more than a few members, each has to be seen
as often as it takes a compilation to earn its cost, by a rough count of both, before it is compiled. So does a part of a tape that filled up
with small operations, which takes seconds to compile and milliseconds to replay: it has to come back a few times first.

Note [Variants]: a tape's key finds its Trace; what is live on it decides its Variant. The reference counts of the tape's Values are the key
of that: as long as they are those of an earlier run of the same trace, the same Values are held. (Were another set of holders to give
the same counts, a Value too many or too few would be kept, and the latter computed again when it is read.)

Note [Unused gradients]: after a step `p.grad` is still held, but hardly anybody reads it before zero_grad drops it; returning every
gradient costs a small step a quarter of its time. When a slice is compiled that has run once in NumPy, gradients of small programs that
nobody used after that run are left out: they stay pending, to be computed from the step's operands if they are wanted after all, in
which case the program is compiled once more, with them.

Note [Kept activations]: where a value is read between forward and backward (`loss.item()` first), the forward is evaluated without its
intermediates and backward computes them again. Recording them again tells the cache entry that had them; from the next time on, that
one keeps them, as torch would.
"""
from __future__ import annotations

import functools
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
from .program import Canonical, Step, make_function, pair, run_numpy, steps_of
from .tape import Node, Tape, Value, ask_to_keep, note_use, state
from .threads import adopt

TINY_STEPS = 4
TINY_COST = 4096
FEW_SHAPES = 4
FULL = "tape full"
SIGHTINGS = 16  # of a part of a full tape, or per member of a family, at the most
PART_REPLAYED = 0.02  # seconds
STEP_COMPILED, STEP_REPLAYED, ELEMENT_REPLAYED = 8e-3, 3e-6, 1e-9  # seconds, roughly, see Note [Families]
DONATED_SIZE = 1024
PASSED_BYTES = 1 << 16
SKIPPED_BYTES = 1 << 20
GATHERED_NODES = 64
GATHERED_COST = 1 << 15
HOST_CHECKED_BYTES = 1 << 16


class Entry:
    """What the cache knows of one structure: how often it was seen, and its compiled program for each set of donated arguments."""

    __slots__ = ("seen", "programs", "numbers", "checked", "function", "keep", "used", "skip", "family", "worth", "small")

    def __init__(self, steps: list[Step]):
        self.seen = 0
        shape = hash(tuple([(s.plan.op, s.plan.needs, s.refs) for s in steps]))
        self.family = _families.setdefault(shape, [0])  # [how many members]
        self.family[0] += 1
        replay = len(steps) * STEP_REPLAYED + sum([s.plan.cost for s in steps]) * ELEMENT_REPLAYED
        self.worth = int(len(steps) * STEP_COMPILED / (0.6 * replay + 1e-9))  # of how many replays a compilation takes the time
        self.small = replay < PART_REPLAYED
        self.programs: dict = {}
        self.numbers: dict = {}
        self.function = None
        self.keep: set = set()  # places of outputs that a later backward asked for
        self.used: set = set()  # numbers of live outputs that somebody wanted later
        self.skip: frozenset | None = None  # of those that are left out; None until the first compilation
        self.checked: list = []

    def patience(self, part: bool) -> int:
        """How often to replay before compiling, see Note [Families]; `part`: of a tape that filled up."""
        members = self.family[0]
        if members > FEW_SHAPES:
            return max(1, min(self.worth, SIGHTINGS * members))
        return SIGHTINGS if part and self.small else 1

    def wanted(self, number: int) -> None:
        """Output `number` was used after a run: never leave it out."""
        self.used.add(number)
        if self.skip and number in self.skip:
            self.skip = self.skip - self.used
            self.programs.clear()
        self.checked = []


class Trace:
    """What a tape's key says: its steps; and its Variants, see the note."""

    __slots__ = ("steps", "variants")

    def __init__(self, key: tuple):
        self.steps = steps_of(key)
        self.variants: dict[tuple, Variant] = {}


class Variant:
    """A trace with certain outputs live. `first` is the Entry of the structure without kept activations, `entry` the one to run."""

    __slots__ = ("first", "moved", "kept", "entry", "steps", "args", "live", "outs", "numpy", "tiny", "large", "gradients", "key")

    def __init__(self, steps: list[Step], live: set[int], tracked: bool):
        made = Canonical(steps, live)
        self.first = _entry(made)
        self.moved = made.moved
        self.kept = len(self.first.keep) if tracked else None
        if self.kept:
            keep = self.first.keep
            made = Canonical(steps, live.union([n for n, moved in made.moved.items() if moved in keep]))
        self.key = made.key
        self.entry = _entry(made)
        self.steps, self.args, self.live, self.outs = made.steps, made.args, made.live, made.outs
        plans = [s.plan for s in self.steps]
        pair(self.steps)
        self.numpy = all(p.numpy for p in plans)
        self.tiny = self.numpy and len(plans) <= TINY_STEPS and sum(p.cost for p in plans) <= TINY_COST
        specs = [s for p in plans for s in p.outs]
        room = [specs[n] for n in self.outs]
        self.large = [i for i, s in enumerate(_argument_specs(self.steps, len(self.args))) if s is not None and s.numel >= DONATED_SIZE and s in room]
        made_by = [p for p in plans for _ in p.outs]
        self.gradients = [i for i, n in enumerate(self.outs) if made_by[n].primal is not None and specs[n].numel > 1]

    def stale(self) -> bool:
        """Whether activations were asked for since."""
        return self.kept is not None and self.kept != len(self.first.keep)

    def ask_to_keep(self, place: int) -> None:
        """An output of a tape that this ran was needed later; from the next time on it is kept."""
        moved = self.moved.get(place)
        if moved is not None:
            self.first.keep.add(moved)


def _argument_specs(steps: list[Step], count: int) -> list:
    specs: list = [None] * count
    for step in steps:
        for r, a in zip(step.refs, step.plan.argtypes):
            if r is not None and r < 0 and not isinstance(a, type):
                specs[~r] = a
    return specs


traces: dict[tuple, Trace] = {}
cache: dict[tuple, Entry] = {}
_families: dict[int, list] = {}
CACHE_CAP = 4096
VARIANTS_CAP = 64
evaluating = threading.RLock()  # one thread at a time: what is pending may be shared, see threads.py
counters: Counter = log.counters
_staging: dict = {}
_LISTED = next(map(getrefcount, [object()]))  # the count of what only a list refers to


def forget() -> None:
    """Empty the caches of structures and programs."""
    traces.clear()
    cache.clear()
    _families.clear()


def evaluate(cause: str, want: Value | None = None, upto: int | None = None) -> None:
    """Run the pending tape, or its first `upto` nodes. `cause` is for `explain`; `want` is computed even if nothing holds it."""
    if state.scope is not None:
        state.scope.evaluate(cause, want)
        return
    with evaluating:
        pending = state.tape
        place = -1
        if want is not None and want.array is None:
            place = pending.place(want)
            if place < 0:
                adopt([want], run)
        rest: tuple = ()
        if upto is not None and upto < len(pending.nodes):
            rest = _cut(pending, upto)
        else:
            state.has_backward = False
        state.tape = Tape()
        if cause == FULL:
            pending.part = state.tape.part = True
        needed = tuple(sorted({r for node, _ in rest for r in node.refs if r is not None and 0 <= r < len(pending.values)})) if rest else ()
        run(pending, cause, place, needed)
        for node, outs in rest:
            state.tape.append(node, outs)


def _cut(pending: Tape, upto: int) -> tuple:
    """Take the nodes from number `upto` on off the tape: (node, its outputs) of each."""
    nodes, values = pending.nodes, pending.values
    start = nodes[upto].at
    rest = tuple([(node, values[node.at:node.at + len(node.plan.outs)]) for node in nodes[upto:]])
    del pending.key[sum([1 + len(node.refs) for node in nodes[:upto]]):]
    del nodes[upto:], values[start:]
    return rest


def run(pending: Tape, cause: str, want: int = -1, needed: tuple = ()) -> None:
    """Evaluate a whole tape. `want` and `needed` are places of outputs to keep though nothing may hold them."""
    if not pending.nodes:
        return
    pending.running = True
    try:
        variant = _variant_of(pending, want, needed)
        counters["evaluations"] += 1
        counters["cut: " + cause] += 1
        owners = [pending.args[i] for i in variant.args]
        foreign = [a for a in owners if a.__class__ is Value and a.array is None]
        if foreign:
            adopt(foreign, run)
        values = pending.values
        live = [values[n] for n in variant.live]
        pending.ran = variant
        pending.nodes, pending.values, pending.key, pending.args, pending.places, pending.again = [], [], [], [], {}, {}
        del values
        if variant.steps:
            _run_variant(variant, owners, live, cause, pending.part)
    finally:
        pending.done = True  # not before the arrays are there: other threads look at this without a lock


def _variant_of(pending: Tape, want: int, needed: tuple) -> Variant:
    key = (*pending.key, pending.tracked)
    trace = traces.get(key)
    if trace is None:
        if len(traces) >= CACHE_CAP:
            _trim(traces)
        trace = traces[key] = Trace(key[:-1])
    counts = (tuple(map(getrefcount, pending.values)), want, needed)
    variant = trace.variants.get(counts)
    if variant is None or variant.stale():
        if len(trace.variants) >= VARIANTS_CAP:
            trace.variants.clear()
        if pending.again:
            ask_to_keep(pending)
        variant = trace.variants[counts] = Variant(trace.steps, _live(pending, counts[0], want, needed), pending.tracked)
    return variant


def _run_variant(variant: Variant, owners: list, live: list, cause: str, part: bool) -> None:
    entry = variant.entry
    entry.seen += 1
    if _is_cold(variant, part):
        if entry.seen == 1 and not variant.tiny:
            for number, v in enumerate(live):
                v.owned = entry, number
        _run_in_numpy(variant, owners, live)
    else:
        _run_compiled(variant, owners, live, cause)


def _is_cold(variant: Variant, part: bool) -> bool:
    """Whether to replay in NumPy, see Note [Two tiers]."""
    entry = variant.entry
    return variant.tiny or (variant.numpy and not entry.programs and entry.seen <= entry.patience(part))


def _live(pending: Tape, counts: tuple, want: int, needed: tuple) -> set[int]:
    """The places of the outputs that something beyond the tape holds, see Note [Liveness], with those asked for."""
    used = Counter([r for node in pending.nodes for r in node.refs if r is not None and r >= 0])
    live = {n for n, (v, count) in enumerate(zip(pending.values, counts)) if count > _LISTED + used[n] and _held(v)}
    live.update(needed)
    if want >= 0:
        live.add(want)
    return live


def _held(v: Value) -> bool:
    """Whether what refers to a Value beyond the tape is a tensor that owns it, or a Storage that shows it."""
    return v.holder is None or _shown(v)


def _trim(table: dict) -> None:
    for old in list(table)[:len(table) // 4]:
        del table[old]


def _entry(made: Canonical) -> Entry:
    entry = cache.get(made.key)
    if entry is None:
        if len(cache) >= CACHE_CAP:
            _trim(cache)
            _trim(_families)
        entry = cache[made.key] = Entry(made.steps)
    return entry


def _run_in_numpy(variant: Variant, owners: list, live: list) -> None:
    counters["replays in NumPy"] += 1
    args = [a if a.__class__ is not Value else a.array if a.array.__class__ is np.ndarray else np.asarray(a.array) for a in owners]
    for a in owners:
        if a.__class__ is Value and a.owned.__class__ is tuple:
            note_use(a)
    results, failure = run_numpy(variant.steps, variant.outs, args)
    for v, array in zip(live, results):
        v.array = array
        v.node = None
    if failure is not None:
        raise failure


# ---------------------------------------------------------------- the hot tier
def _run_compiled(variant: Variant, owners: list, live: list, cause: str) -> None:
    entry, function = variant.entry, None
    if not live and not any(s.plan.check is not None for s in variant.steps):
        return
    args = _arguments(owners, entry)
    if entry.skip is None:
        entry.skip = _unused_gradients(variant, live)
    outs = variant.outs
    if entry.skip:
        for number in entry.skip:
            live[number].owned = entry, number
        chosen = [number for number in range(len(live)) if number not in entry.skip]
        live, outs = [live[n] for n in chosen], [outs[n] for n in chosen]
    if not entry.programs:
        function, entry.checked = make_function(variant.steps, outs)
        log.compiled(cause, variant.steps)
    candidates = [(i, weakref.ref(v), v.spec) for i in variant.large if (v := owners[i]).owned is True and not _shown(v)]
    v = None
    for v in live:
        v.node = None
    owners.clear()  # those that die now are nobody's, and their buffers can be reused
    free = _donated(candidates, live)
    with jax.enable_x64(True):
        results = _choose(entry, free, function, variant.key, args)(*args)
    for v, array in zip(live, results):
        v.array = array
        v.owned = True
    if entry.checked:
        state.flags.append((results[-1], entry.checked))


def _donated(candidates: list, live: list) -> frozenset:
    """The arguments whose Values are gone: each gives its buffer to a result of its own spec."""
    dead = [(i, spec) for i, ref, spec in candidates if ref() is None]
    if not dead:
        return frozenset()
    room, found = [v.spec for v in live], []
    for i, spec in dead:
        if spec in room:
            room.remove(spec)
            found.append(i)
    return frozenset(found)


def _unused_gradients(variant: Variant, live: list) -> frozenset:
    """Numbers of the live outputs to leave out, see Note [Unused gradients]."""
    if variant.entry.seen < 2:
        return frozenset()
    found = [number for number in variant.gradients if number not in variant.entry.used]
    return frozenset(found) if sum([live[number].spec.nbytes for number in found]) <= SKIPPED_BYTES else frozenset()


def _arguments(owners: list, entry: Entry) -> list:
    """The program's arguments: arrays on their device; numbers that stay the same as device scalars, which cost a sixth of a Python number.

    A small new NumPy array goes along as it is: many are used once, and a transfer costs twenty times as much.
    """
    args, known = [], entry.numbers
    for i, a in enumerate(owners):
        if a.__class__ is Value:
            array = a.array
            if array.__class__ is np.ndarray:
                if a.owned is False and array.nbytes <= PASSED_BYTES and _on_default_device(a):
                    a.owned = None  # the next time it is worth a transfer of its own
                else:
                    array = to_device(a)
            if a.owned.__class__ is tuple:
                note_use(a)
            args.append(array)
            continue
        last = known.get(i)
        if last is not None and last[0] == a and last[0].__class__ is a.__class__ and (a or a.__class__ is not float):  # not 0.0 for -0.0
            if last[1] is None:
                last = known[i] = (a, _device_number(a))
            args.append(last[1])
        else:
            known[i] = (a, None)
            args.append(a)
    return args


@functools.cache
def _default_is_cpu() -> bool:
    return jax.default_backend() == "cpu"


def _on_default_device(v: Value) -> bool:
    return v.spec.device.type == "cpu" and _default_is_cpu()


def _shown(v: Value) -> bool:
    """Whether a Storage still shows this Value."""
    return v.holder is not None and (cell := v.holder()) is not None and cell.value is v


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
    if state.tape.nodes:
        evaluate("optimizer step")
    if len(state.flags) > 64:
        raise_failed_checks()


def batch_boundary(keep: int = 0) -> None:
    """Cut around a data loader's next batch, where more than `keep` nodes are pending."""
    if len(state.tape.nodes) > keep:
        evaluate("data loader batch")
    if len(state.flags) > 64:
        raise_failed_checks()


def forward_boundary() -> None:
    """Cut where the next iteration's forward begins: a differentiable op after a finished backward.

    Iterations of a few small operations are gathered, several to a program: starting one costs more than they do.
    """
    nodes = state.tape.nodes
    if len(nodes) < GATHERED_NODES and sum([n.plan.cost for n in nodes]) < GATHERED_COST:
        state.has_backward = False
        return
    evaluate("forward after backward")


def _on_full() -> None:
    evaluate(FULL, upto=_repeating_prefix(state.tape.nodes))


def _repeating_prefix(nodes: list[Node]) -> int | None:
    """Where to cut a full tape so that the chunks of a long loop come out equal: after a whole number of its periods.

    Of plans, or where there are none (shapes change) of operations.
    """
    plans = [n.plan for n in nodes]
    return _periods(plans) or _periods([p.op for p in plans])


def _periods(row: list) -> int | None:
    last, half = len(row), len(row) // 2
    for period in range(1, half // 2):
        if row[half + period:] == row[half:-period]:
            start = half
            while start > 0 and row[start - 1] is row[start - 1 + period]:
                start -= 1
            return start + min((last - start) // period, max(1, half // period)) * period
    return None


def _from_pending(value: Value) -> None:
    read(value, "copy")


tape.on_full = _on_full
keep_freed()
handle.from_pending = _from_pending
