"""torch.utils: helpers beside the tensor library.

Owns the package; each helper lives in its own module.
"""

from . import data as data
from . import hooks as hooks

__all__ = ["data", "hooks"]
