"""torchish: torch's API on JAX. `import torchish as torch`."""
from ._collector import paused as _paused

with _paused():
    from ._public import *

    from . import autograd as autograd  # isort: skip
    from . import amp as amp
    from . import compiler as compiler
    from . import cuda as cuda
    from . import fft as fft
    from . import func as func
    from . import linalg as linalg
    from . import masked as masked
    from . import nn as nn
    from . import optim as optim
    from . import random as random
    from . import serialization as serialization
    from . import signal as signal
    from . import special as special
    from . import utils as utils
    from .amp import autocast as autocast
    from .amp.autocast_mode import get_autocast_dtype as get_autocast_dtype
    from .amp.autocast_mode import is_autocast_cache_enabled as is_autocast_cache_enabled
    from .amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
    from .compiler import compile as compile
    from .cuda import amp as _cuda_amp
    from .func import vmap as vmap
    from .serialization import load as load
    from .serialization import save as save

__version__ = "2.13.0+torchish.0.1.0"
