"""torch.Generator for the CPU: seeds, the cached half of a normal pair, and torch's 5056 state bytes.

It owns when numbers are drawn and what a state looks like outside; what the numbers become is for samplers.py.
"""
from __future__ import annotations

import os

import numpy as np

from torchish._random.mt19937 import MT19937, WORDS

DEFAULT_SEED = 67280421310721

# torch's CPUGeneratorImplState, as x86-64 lays it out.
_STATE = np.dtype([
    ("initial_seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("key", "<u8", WORDS),
    ("normal_x", "<f8"), ("normal_y", "<f8"), ("normal_rho", "<f8"), ("normal_is_valid", "<i4"), ("pad", "<i4"),
    ("float_normal", "<f4"), ("float_normal_is_valid", "u1"), ("pad_end", "u1", 3),
])
STATE_BYTES = _STATE.itemsize  # 5056


def _seed_from(seed) -> int:
    """The unsigned 64-bit seed that torch makes of `seed`; negative seeds wrap around."""
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        kind = type(seed)
        name = f"numpy.{kind.__name__}" if isinstance(seed, np.generic) else kind.__name__
        raise RuntimeError(f"manual_seed expected a long, but got {name}")
    if not -(1 << 63) <= seed < 1 << 64:
        raise ValueError("Overflow when unpacking long long")
    return int(seed) & 0xFFFFFFFFFFFFFFFF


class Generator:
    """A source of torch's CPU random numbers.

    >>> Generator().manual_seed(0).initial_seed()
    0
    """

    __slots__ = ("device", "engine", "next_normal", "normals_ahead", "_next_float_normal", "_initial_seed", "__weakref__")

    def __init__(self, device="cpu"):
        if str(device) != "cpu":
            raise RuntimeError(f"Generator: only the device 'cpu' draws from torch's CPU stream, but got '{device}'")
        self.device = device
        self.engine = MT19937(DEFAULT_SEED)
        self._initial_seed = DEFAULT_SEED
        self._forget_normals()

    def _forget_normals(self) -> None:
        self.next_normal: float | None = None  # the second of a pair of standard normals, float64
        self.normals_ahead: tuple | None = None  # samplers' workings: what the rest of a block would give; nobody's state
        self._next_float_normal: float | None = None  # carried in the state bytes; torch's CPU samplers never set it

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, an int in [-2**63, 2**64); returns self.

        Raises RuntimeError if `seed` is no int, ValueError if it is out of range.
        """
        self._initial_seed = _seed_from(seed)
        self.engine.seed(self._initial_seed)
        self._forget_normals()
        return self

    def seed(self) -> int:
        """Seed from the operating system's entropy and return that seed, 53 bits as in torch."""
        seed = int.from_bytes(os.urandom(8), "little") & ((1 << 53) - 1)
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed of the present stream."""
        return self._initial_seed

    def get_state(self) -> np.ndarray:
        """Everything that decides the numbers to come: uint8[5056], the bytes of torch.get_state()."""
        state = np.zeros((), _STATE)
        engine = self.engine
        state["initial_seed"] = self._initial_seed
        state["left"] = WORDS + 1 - engine.position
        state["seeded"] = 1
        state["next"] = 0 if engine.fresh else engine.position
        state["key"] = engine.key
        if self.next_normal is not None:
            state["normal_y"], state["normal_is_valid"] = self.next_normal, 1
        if self._next_float_normal is not None:
            state["float_normal"], state["float_normal_is_valid"] = self._next_float_normal, 1
        return np.frombuffer(bytearray(state.tobytes()), np.uint8)

    def set_state(self, new_state: np.ndarray) -> Generator:
        """Continue from the bytes of `get_state()`, torch's or ours; returns self.

        Raises TypeError unless `new_state` is a uint8 array, RuntimeError if its size or its contents are wrong.
        """
        if not isinstance(new_state, np.ndarray):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if new_state.size != STATE_BYTES:
            raise RuntimeError(f"Expected a CPUGeneratorImplState of size {STATE_BYTES} but found the input RNG state size to be {new_state.size}")
        state = np.frombuffer(new_state.tobytes(), _STATE)[0]
        left, position = int(state["left"]), int(state["next"])
        if state["seeded"] != 1 or not 0 < left <= WORDS or position > WORDS:
            raise RuntimeError("Invalid mt19937 state")
        fresh = left == 1 and position == 0
        self.engine.restore(state["key"].astype(np.uint32), WORDS if left == 1 else position, fresh)
        self._initial_seed = int(state["initial_seed"])
        self.next_normal = float(state["normal_y"]) if state["normal_is_valid"] else None
        self._next_float_normal = float(state["float_normal"]) if state["float_normal_is_valid"] else None
        return self

    def clone_state(self) -> Generator:
        """A new generator that stands where this one stands."""
        return Generator(self.device).set_state(self.get_state())

    def graphsafe_get_state(self):
        """Not a CPU feature, in torch either. Raises NotImplementedError."""
        raise NotImplementedError("graphsafe_get_state is not supported in this Generator")

    def graphsafe_set_state(self, state):
        """Not a CPU feature, in torch either. Raises NotImplementedError."""
        raise NotImplementedError("graphsafe_set_state is not supported in this Generator")

    def get_offset(self) -> int:
        """Not a CPU feature, in torch either. Raises RuntimeError."""
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset: int) -> Generator:
        """Not a CPU feature, in torch either. Raises RuntimeError."""
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self):
        return type(self), (self.device,), (self._initial_seed, None, self.get_state())

    def __setstate__(self, state) -> None:
        self.set_state(state[2])


default_generator = Generator()
