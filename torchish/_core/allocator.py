"""glibc's malloc, told to keep what a program frees: the next step of a training loop takes the same blocks again.

Note [Freed blocks]: XLA's CPU client allocates a program's buffers anew for each run. As it is set up by default, glibc returns large freed blocks to
the system at once, and the next run faults them in again page by page: 2 us for each 4 KB, 1.5 to 5 times the time of a large step. So large
blocks come from the heap, the heap gives back only what exceeds KEPT_BYTES or the largest program's own need, and all threads share one
heap, without which every thread of XLA's would keep its own. The single heap saves more memory than is kept: peaks are lower than before.
"""
from __future__ import annotations

import ctypes
import os
import sys

KEPT_BYTES = 256 << 20
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # of mallopt(3)
_kept = 0


def _mallopt():
    """glibc's mallopt, or None: another system or C library, switched off, or the user has set malloc up already."""
    if os.environ.get("TORCHISH_MALLOC") == "0" or not sys.platform.startswith("linux"):
        return None
    if any(name.startswith("MALLOC_") for name in os.environ) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return None
    library = ctypes.CDLL(None)
    return library.mallopt if hasattr(library, "gnu_get_libc_version") else None


_set = _mallopt()


def keep_freed(size: int = KEPT_BYTES) -> None:
    """Keep `size` freed bytes at least instead of returning them to the system, see Note [Freed blocks]. It only ever grows."""
    global _kept
    if _set is None or size <= _kept:
        return
    if not _kept:
        _set(_MMAP_MAX, 0)
        _set(_ARENA_MAX, 1)
    _kept = size
    _set(_TRIM_THRESHOLD, min(size, (1 << 31) - 1))


__all__ = ["keep_freed"]
