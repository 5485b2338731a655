"""torch.linalg: the operations declared as "linalg.NAME"."""
from ._ops.linalg_common import LinAlgError as LinAlgError
from ._submodule import names_of

globals().update(names_of("linalg"))
__all__ = sorted([*names_of("linalg"), "LinAlgError"])
