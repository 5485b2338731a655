"""torch.save and torch.load, in torchish's own file format: a magic line, then a pickle of the object with tensors as NumPy arrays.

torch's own zip files are not read: `load` says so. Loading runs pickle, so load only files that you trust.
"""
from __future__ import annotations

import os
import pickle
from typing import Any

MAGIC = b"torchish 1\n"


def save(obj: Any, f, pickle_module=pickle, pickle_protocol: int = 4) -> None:
    """Write an object (a state_dict, a tensor, a module, ...) to a path or a binary file object."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "wb") as file:
            save(obj, file, pickle_module, pickle_protocol)
        return
    if not hasattr(f, "write"):
        raise AttributeError(f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, but got {type(f)}")
    f.write(MAGIC)
    pickle_module.dump(obj, f, protocol=pickle_protocol)


def load(f, map_location=None, pickle_module=pickle, *, weights_only: bool | None = None, mmap=None) -> Any:
    """Read what `save` wrote. With `map_location` ("cpu", "cuda", ...) tensors in it are moved there.

    Raises RuntimeError for a file that `save` did not write, torch's own files among them.
    """
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return load(file, map_location, pickle_module, weights_only=weights_only)
    start = f.read(len(MAGIC))
    if start != MAGIC:
        kind = "torch's own format" if start.startswith(b"PK") else "no format that torchish writes"
        raise RuntimeError(f"torchish.load: this file is in {kind}; only files written by torchish.save can be read")
    return _moved(pickle_module.load(f), map_location)


def _moved(obj: Any, where):
    if where is None or callable(where):
        return obj
    if isinstance(obj, dict):
        for key in obj:
            obj[key] = _moved(obj[key], where)
        return obj
    if isinstance(obj, list):
        return [_moved(item, where) for item in obj]
    return obj.to(where) if hasattr(obj, "to") else obj


__all__ = ["load", "save"]
