"""torch.random: the default generator's seed and state."""
from __future__ import annotations

import contextlib

from ._ops.sampling import default_generator as default_generator
from ._ops.sampling import get_rng_state as get_rng_state
from ._ops.sampling import initial_seed as initial_seed
from ._ops.sampling import manual_seed as manual_seed
from ._ops.sampling import seed as seed
from ._ops.sampling import set_rng_state as set_rng_state


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cuda"):
    """Within it random draws go on as usual; afterwards the generator is back where it was."""
    if not enabled:
        yield
        return
    before = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(before)
