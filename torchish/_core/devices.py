"""torch's devices as JAX's: which platform stands behind "cpu", "cuda" and "tpu"."""
from __future__ import annotations

import jax

from .. import _device

_devices: dict = {}


def jax_device(d):
    """The JAX device behind a torch device. Raises RuntimeError, in torch's words, where there is none."""
    found = _devices.get(d)
    if found is None:
        platform = {"cuda": "gpu"}.get(d.type, d.type)
        try:
            found = jax.local_devices(backend=platform)[d.index or 0]
        except (RuntimeError, IndexError) as e:
            if d.type == "cuda":
                raise AssertionError("Torch not compiled with CUDA enabled") from e
            raise RuntimeError(f"torchish: JAX has no device {d}") from e
        _devices[d] = found
    return found


def device_count(platform: str) -> int:
    """The number of JAX devices of a platform; 0 where JAX has none."""
    try:
        return jax.local_device_count(platform)
    except RuntimeError:
        return 0


_device.has_accelerator = lambda: device_count("gpu") > 0
