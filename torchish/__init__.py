"""torchish: torch's API on JAX. `import torchish as torch`."""
from ._public import *  # noqa: F401, F403 - torch-level functions, dtypes and modes, gathered in _public
from . import autograd as autograd  # isort: skip
from . import linalg as linalg
from . import special as special

__version__ = "2.13.0+torchish.0.1.0"
