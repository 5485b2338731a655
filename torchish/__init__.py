"""torchish: torch's API on JAX. `import torchish as torch`."""
from ._public import *  # noqa: F401, F403
