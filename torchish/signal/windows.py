"""torch.signal.windows: the operations declared as "signal.windows.NAME"."""
from .._submodule import names_of

globals().update(names_of("signal.windows"))
__all__ = sorted(names_of("signal.windows"))
