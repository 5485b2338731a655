"""The 32-bit Mersenne Twister that torch's CPU generator runs on: a stream of words and a movable position in it.

NumPy's MT19937 twists the state; this file owns the current block of 624 words and where we are in it.
It knows nothing of torch's state bytes, seeds' ranges, or distributions.
"""
from __future__ import annotations

import threading

import numpy as np

WORDS = 624
_MASK53 = np.uint64((1 << 53) - 1)
_32 = np.uint64(32)


def temper(key: np.ndarray) -> np.ndarray:
    """The output words of a raw state block. uint32 in, uint32 out, same shape (Matsumoto and Nishimura 1998, eq. 2.2 to 2.5)."""
    y = key ^ (key >> np.uint32(11))
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    return y ^ (y >> np.uint32(18))


class MT19937:
    """One stream. `words(n)` takes the next n outputs; `key` and `position` say where the stream stands.

    `block` is the present 624 outputs, a new array after each twist; `position` counts those already taken, so 624 means that the next
    draw twists first.
    """

    __slots__ = ("_bits", "_fill", "block", "_lock", "position", "fresh")

    def __init__(self, seed: int):
        self._bits = np.random.MT19937(0)
        self._fill = np.random.Generator(self._bits).integers
        self._lock = threading.Lock()
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Start the stream of `seed`; only its low 32 bits count, as in torch."""
        self._bits._legacy_seeding(seed & 0xFFFFFFFF)
        self.block = np.empty(0, np.uint32)
        self.position = WORDS
        self.fresh = True  # seeded and never twisted: torch writes its position down as 0

    @property
    def key(self) -> np.ndarray:
        """The raw state block, uint32[624] (a copy)."""
        return self._bits.state["state"]["key"].copy()

    def restore(self, key: np.ndarray, position: int, fresh: bool) -> None:
        """Stand at `position` of the raw block `key` (uint32[624])."""
        with self._lock:
            self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": WORDS}}
            self.block = temper(key)
            self.position, self.fresh = position, fresh

    def words(self, n: int) -> np.ndarray:
        """The next n outputs, uint32[n]. The result may be a view of the block: do not write to it."""
        with self._lock:
            start, end = self.position, self.position + n
            if end <= WORDS:
                self.position = end
                return self.block[start:end]
            head = self.block[start:]
            blocks = -(-(end - WORDS) // WORDS)
            tail = self._fill(0, 1 << 32, size=blocks * WORDS, dtype=np.uint32)  # the full range: one word each
            self.block = tail[-WORDS:].copy() if blocks > 1 else tail
            self.position = end - blocks * WORDS
            self.fresh = False
            tail = tail[: end - WORDS]
            return np.concatenate((head, tail)) if start < WORDS else tail

    def words64(self, n: int) -> np.ndarray:
        """The next n pairs as uint64[n]; the first word of a pair is the high half."""
        pairs = self.words(2 * n).view(np.uint64)  # little-endian: the first word came out low
        swapped = pairs >> _32
        swapped |= pairs << _32
        return swapped

    def doubles(self, n: int) -> np.ndarray:
        """n uniforms of 53 bits in [0, 1), float64[n]: the low 53 bits of a pair."""
        draws = self.words64(n)
        draws &= _MASK53
        return draws * 2.0**-53

    def unread(self, n: int) -> None:
        """Give back the last n words, all of which must belong to the present block and leave at least one of it taken."""
        self.position -= n


class DoubleReader:
    """Uniforms of 53 bits one at a time, for samplers whose next draw depends on the last. `close()` gives back what was read ahead."""

    __slots__ = ("_engine", "_ahead")

    def __init__(self, engine: MT19937):
        self._engine = engine
        self._ahead: list[float] = []

    def __call__(self) -> float:
        if not self._ahead:
            left = WORDS - self._engine.position or WORDS
            self._ahead = self._engine.doubles(max(1, min(left // 2, 64)))[::-1].tolist()  # within a block, so that it can be unread
        return self._ahead.pop()

    def close(self) -> None:
        """Leave the engine just behind the last uniform that was handed out."""
        self._engine.unread(2 * len(self._ahead))
        self._ahead = []
