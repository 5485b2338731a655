"""`import torch` means torchish: a finder for sys.meta_path, installed by `python -m torchish`.

Owns the renaming of modules in this process (and in the processes that multiprocessing spawns from it); knows nothing
of what the modules hold. Nothing is copied: sys.modules["torch.nn"] is torchish.nn itself.
"""

import importlib
import importlib.machinery
import importlib.util
import multiprocessing.spawn
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_ALIAS = "torch"
_PACKAGE = __name__.partition(".")[0]


def _our_name(name: str) -> str | None:
    """torchish's name of the module that a script calls `name`; None for modules outside torch."""
    head, _, rest = name.partition(".")
    if head != _ALIAS:
        return None
    return f"{_PACKAGE}.{rest}" if rest else _PACKAGE


class _AliasLoader:
    """Loads a module by handing out the one that exists, or is imported now, under our name."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(spec.loader_state)
        # The import machinery is about to overwrite the module's spec with the alias's.
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec


class TorchFinder:
    """Resolves `torch` and `torch.*` to torchish's module objects, and hides an installed torch."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        """The alias's spec. None for modules outside torch, and for those that torchish lacks: Python's own finders then look
        for them in torchish's folders, find as little, and raise ModuleNotFoundError under the name the script used.
        """
        ours = _our_name(name)
        if ours is None or (ours not in sys.modules and importlib.util.find_spec(ours) is None):
            return None
        return importlib.machinery.ModuleSpec(name, _AliasLoader(), loader_state=ours)


class _InstallWhenUnpickled:
    """Travels to a spawned process with its start-up data; unpickling it there installs the finder."""

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return install, ()


def _carry_to_children() -> None:
    """Adds the messenger to the data that multiprocessing's spawn and forkserver send to a child before it imports the script."""
    plain = multiprocessing.spawn.get_preparation_data

    def with_finder(name: str) -> dict[str, Any]:
        return {**plain(name), "torchish": _InstallWhenUnpickled()}

    multiprocessing.spawn.get_preparation_data = with_finder


def install() -> None:
    """Makes `import torch` give torchish in this process; installing twice is harmless.

    Raises RuntimeError when another torch was imported before: its objects could not be mixed with ours.
    """
    if any(isinstance(finder, TorchFinder) for finder in sys.meta_path):
        return
    loaded = sys.modules.get(_ALIAS)
    if loaded is not None and loaded is not sys.modules[_PACKAGE]:
        raise RuntimeError(f"torch is already imported in this process, from {getattr(loaded, '__file__', None)}; torchish cannot take its name")
    sys.meta_path.insert(0, TorchFinder())
    # The modules already here are found without the finder, as torch's are once torch is imported.
    ours = [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]
    sys.modules.update({_ALIAS + name.removeprefix(_PACKAGE): sys.modules[name] for name in ours})
    _carry_to_children()
