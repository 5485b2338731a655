"""torch.fft: the operations declared as "fft.NAME"."""
from ._submodule import names_of

globals().update(names_of("fft"))
__all__ = sorted(names_of("fft"))
