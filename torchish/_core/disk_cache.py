"""Compiled programs kept on disk: a script's second start loads what its first one compiled, without tracing or compiling it.

Note [Disk keys]: an entry's name is a digest of the program's structure as text (operations, static parameters, wiring, live outputs,
donated arguments) and of everything else that the executable depends on: torchish's sources, JAX's and jaxlib's versions and settings, the
processor. What has no such text (a function among the static parameters), or calls back into the process, is compiled and not kept.

Nothing here touches JAX's own configuration or cache. An entry is written under another name and then renamed, and carries a digest, so any
number of processes may share the directory; what cannot be read is compiled again.
"""
from __future__ import annotations

import functools
import hashlib
import os
import pickle
import tempfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jax.experimental import serialize_executable

from .. import _dtype
from .._device import device
from .._dtype import dtype
from .allocator import keep_freed
from .devices import jax_device
from .explain import PACKAGE, log
from .op import Plan
from .spec import Spec

LIMIT_BYTES = 1 << 30
_SUFFIX = ".program"
_TYPES = frozenset((int, float, bool, complex, type(None)))
_chosen: list = []  # [directory or None] once set_program_cache was called
_trimmed: set = set()  # directories whose size this process has looked at
_trimming = threading.Lock()


def set_program_cache(where: bool | str | os.PathLike = True) -> None:
    """Choose where compiled programs are kept between runs: `True` for the user's cache directory, `False` for nowhere, or a directory.

    It holds from the next compilation on. The environment variable TORCHISH_CACHE says the same at start: 0 turns it off, a path is a directory.
    The default is `torchish` in JAX's compilation cache directory where one is set (JAX_COMPILATION_CACHE_DIR), else in $XDG_CACHE_HOME or ~/.cache.
    Loading an entry runs it: do not share the directory with users you do not trust.
    """
    _chosen[:] = [None if where is False else _default_directory() if where is True else Path(where)]


def program_cache_dir() -> str | None:
    """The directory where compiled programs are kept, or None where they are not."""
    directory = _directory()
    return None if directory is None else str(directory)


def _directory() -> Path | None:
    if not _chosen:
        asked = os.environ.get("TORCHISH_CACHE", "")
        set_program_cache(False if asked == "0" else True if asked in ("", "1") else asked)
    return _chosen[0]


def _default_directory() -> Path | None:
    jax_directory = jax.config.jax_compilation_cache_dir
    if jax_directory and "://" not in jax_directory:
        return Path(jax_directory) / "torchish"
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torchish"
    except RuntimeError:  # nobody's home
        return None


# ---------------------------------------------------------------- programs
def program_for(function: Callable, donated: tuple, key: tuple, skipped, args: list) -> Callable:
    """`function` compiled for `args`: from disk where it is known there. `key` is the slice's, `skipped` the live outputs it leaves out."""
    text = None if _directory() is None else _program_text(key)
    return compiled(function, donated, args, None if text is None else f"{text} {donated} {sorted(skipped or ())}")


def compiled(function: Callable, donated: tuple, args: list, text: str | None) -> Callable:
    """`function` compiled for `args`, kept on disk by `text`, which says all of what it computes; None: not kept."""
    jitted = jax.jit(function, donate_argnums=donated)
    if any(isinstance(a, jax.Array) and len(a.devices()) > 1 for a in args):
        return jitted
    directory = None if text is None else _directory()
    path = None if directory is None else directory / (_digest(_surroundings(args), text) + _SUFFIX)
    made = None if path is None else _load(path, args)
    if made is not None:
        log.counters["programs loaded from disk"] += 1
    else:
        lowered = jitted.lower(*args)
        made = lowered.compile()
        if path is not None and "custom_call" not in lowered.as_text():  # calls into this process, or into a library that lowering has set up
            _store(path, made)
    keep_freed(_needs(made))
    return made


def _needs(made) -> int:
    """Bytes that a run of a program allocates, and frees in the end or one run later."""
    memory = made.memory_analysis()
    return 0 if memory is None else memory.temp_size_in_bytes + memory.output_size_in_bytes


def _load(path: Path, args: list):
    try:
        data = path.read_bytes()
        if hashlib.blake2b(data[32:], digest_size=32).digest() != data[:32]:
            return None
        made = serialize_executable.deserialize_and_load(*pickle.loads(zlib.decompress(data[32:])), **_where(args))
        os.utime(path)  # what was used last is removed last
        return made
    except FileNotFoundError:
        return None
    except Exception:  # written by something else, or damaged: as good as absent
        log.counters["unreadable programs on disk"] += 1
        return None


def _store(path: Path, made) -> None:
    try:
        data = zlib.compress(pickle.dumps(serialize_executable.serialize(made)), 1)
    except Exception:  # this backend or program cannot be serialized
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.blake2b(data, digest_size=32).digest() + data)
        os.replace(unfinished, path)
        _trim(path.parent)
    except OSError:  # a full or read-only disk costs a compilation next time, nothing more
        return


def _trim(directory: Path) -> None:
    """Once a process: remove what was used least recently while the directory holds more than LIMIT_BYTES."""
    with _trimming:
        if directory in _trimmed:
            return
        _trimmed.add(directory)
    entries = []
    for entry in os.scandir(directory):
        try:
            entries.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        except FileNotFoundError:
            continue
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= LIMIT_BYTES:
            return
        Path(path).unlink(missing_ok=True)
        total -= size


# ---------------------------------------------------------------- keys
class _Nameless(Exception):
    """Something in a program has no text that would be the same in another process."""


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=20).hexdigest()


def _program_text(key: tuple) -> str | None:
    """A slice's key as text, or None where a part has none."""
    plans: dict[int, int] = {}
    parts = []
    try:
        for k in key:
            if k.__class__ is Plan:
                parts.append(_plan_text(k, plans))
            else:
                parts.append(str(k) if k.__class__ is int else "-" if k is None else "/")
    except _Nameless:
        return None
    return " ".join(parts)


def _plan_text(plan: Plan, plans: dict) -> str:
    """A Plan by how it is found: its operation, operand types and static parameters; a vjp's by its primal and its place there."""
    number = plans.get(id(plan))
    if number is not None:
        return f"#{number}"
    plans[id(plan)] = len(plans)
    if plan.primal is not None:
        if plan.primal.vjps.get((plan.needs, plan.given)) is not plan:
            raise _Nameless
        return f"vjp[{_plan_text(plan.primal, plans)}]{plan.needs}{plan.given}"
    known = plan.op.plans.get((plan.argtypes, plan.static))
    if known is None or (plan is not known and plan is not known.twin):
        raise _Nameless
    return f"{plan.op.name}{'' if plan.check is None else '?'}({_text(plan.argtypes)};{_text(plan.static)})"


def _text(x) -> str:
    kind = x.__class__
    if kind in _TYPES or kind is str:
        return repr(x)
    if isinstance(x, tuple):
        return f"({','.join([_text(a) for a in x])})"
    if kind is Spec:
        return f"{x!r}@{x.device!r}"
    if kind is slice:
        return f"slice{_text((x.start, x.stop, x.step))}"
    if kind in (dtype, device, np.dtype):
        return repr(x)
    if kind is type and x in _TYPES:
        return x.__name__
    raise _Nameless


def _where(args: list) -> dict:
    """The backend and device that a program with these arguments runs on."""
    on = next((next(iter(a.devices())) for a in args if isinstance(a, jax.Array)), None) or jax_device(device("cpu"))
    return {"backend": on.client, "execution_devices": [on]}


def _surroundings(args: list) -> str:
    on = _where(args)["execution_devices"][0]
    settings = {k: v for k, v in jax.config.values.items() if "cache" not in k and isinstance(v, (str, int, float, type(None)))}
    return repr((_versions(), on.platform, on.device_kind, on.id, on.client.platform_version, _dtype.get_default_dtype(), sorted(settings.items())))


@functools.cache
def _versions() -> tuple:
    """What stays the same in a process: sources, versions, the flags and threads that XLA was started with, the processor."""
    sources = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(PACKAGE).rglob("*.py")):
        sources.update(path.read_bytes())
    flags = tuple(os.environ.get(name) for name in ("XLA_FLAGS", "LIBTPU_INIT_ARGS", "NPROC"))
    return sources.hexdigest(), jax.__version__, jax.lib.__version__, np.__version__, flags, os.cpu_count(), _processor()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        import platform
        return platform.processor()


__all__ = ["compiled", "program_cache_dir", "program_for", "set_program_cache"]
