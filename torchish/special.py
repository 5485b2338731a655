"""torch.special: the operations declared as "special.NAME"."""
from ._submodule import names_of

globals().update(names_of("special"))
__all__ = sorted(names_of("special"))
