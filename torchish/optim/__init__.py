"""torchish.optim: optimizers and learning rate schedulers, under torch's names.

Owns the namespace; each optimizer lives in its own file.
"""

from . import lr_scheduler as lr_scheduler
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD

__all__ = ["Adam", "AdamW", "Optimizer", "SGD", "lr_scheduler"]
