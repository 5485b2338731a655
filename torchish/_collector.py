"""Python's garbage collector during `import torchish`: paused, since what an import makes stays."""
from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """No collections inside, where they were on: walking JAX's modules again and again takes half of torchish's own time to import."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
