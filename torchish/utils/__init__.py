"""torch.utils: helpers beside the tensor library.

Owns the package; each helper lives in its own module.
"""

from . import _pytree as _pytree
from . import checkpoint as checkpoint
from . import data as data
from . import dlpack as dlpack
from . import hooks as hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]
