"""torchish: torch's API on JAX. `import torchish as torch`."""
from . import autograd as autograd
from ._public import *  # noqa: F401, F403
