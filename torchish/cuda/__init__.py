"""torch.cuda: what a script asks before it moves to a GPU. The devices are JAX's."""
from __future__ import annotations

from .._core.devices import device_count as _count
from .._device import device as _device
from .._ops.sampling import default_generator


def is_available() -> bool:
    """Whether JAX sees a GPU."""
    return _count("gpu") > 0


def device_count() -> int:
    """The number of GPUs that JAX sees."""
    return _count("gpu")


def current_device() -> int:
    """The index of the GPU that "cuda" means: 0. Raises AssertionError where there is none."""
    if not is_available():
        raise AssertionError("Torch not compiled with CUDA enabled")
    return 0


def synchronize(device=None) -> None:
    """Nothing to wait for here: reading a value waits for it."""


def empty_cache() -> None:
    """Nothing to do: JAX manages device memory."""


def manual_seed(seed: int) -> None:
    """Seed the generator that GPU draws come from; without a GPU it does nothing, as in torch."""
    if is_available():
        default_generator.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """`manual_seed` for all GPUs."""
    manual_seed(seed)


def set_device(device) -> None:
    """Accepted for index 0 only."""
    index = _device(device).index if not isinstance(device, int) else device
    if index:
        raise NotImplementedError("torchish: name the device of each tensor instead of switching the current one")
