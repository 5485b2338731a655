"""torch's `device` objects as plain data: a type, an optional index, and their text. No arrays and no JAX here."""
from __future__ import annotations

TYPES = ("cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy", "vulkan", "mps",
         "meta", "hpu", "mtia", "privateuseone")
SUPPORTED = ("cpu", "cuda", "tpu", "xla", "meta")


class device:  # torch spells the class in lower case
    """Where a tensor lives: `device("cpu")`, `device("cuda:0")`, `device("cuda", 0)`.

    Raises RuntimeError for an unknown device type or a malformed string, TypeError for anything but a string, as torch does.
    """

    __slots__ = ("type", "index")
    _interned: dict[tuple[str, int | None], device] = {}

    def __new__(cls, type: str | device | int, index: int | None = None) -> device:
        if isinstance(type, device):
            return type
        if isinstance(type, int) and not isinstance(type, bool):
            type, index = "cuda", _accelerator_index(type)
        if not isinstance(type, str):
            raise TypeError(_combination(type))
        if index is not None and not isinstance(index, int):
            raise TypeError(f"device(): argument 'index' (position 2) must be int, not {index.__class__.__name__}")
        name, index = _parse(type, index)
        key = (name, index)
        found = cls._interned.get(key)
        if found is None:
            found = object.__new__(cls)
            object.__setattr__(found, "type", name)
            object.__setattr__(found, "index", index)
            cls._interned[key] = found
        return found

    def __setattr__(self, name, value):
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __repr__(self) -> str:
        return f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __reduce__(self):
        return device, (self.type, self.index)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


has_accelerator = bool  # whether there is a GPU; set by the module that knows JAX


def _accelerator_index(index: int) -> int:
    if index < 0:
        raise RuntimeError("Device index must not be negative")
    if not has_accelerator():
        raise RuntimeError("Cannot access accelerator device when none is available.")
    return index


def _combination(given) -> str:
    kind = given.__class__.__name__
    return (f"device() received an invalid combination of arguments - got ({kind}), but expected one of:\n * (torch.device device)\n"
            f"      didn't match because some of the arguments have invalid types: (!{kind}!)\n * (str type, int index = -1)\n")


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    if not text:
        raise RuntimeError("Device string must not be empty")
    name, colon, number = text.partition(":")
    if not name.replace("_", "a").isalpha():
        raise RuntimeError(f"Invalid device string: '{text}'")
    if name not in TYPES and name not in SUPPORTED:
        raise RuntimeError(f"Expected one of {', '.join(TYPES)} device type at start of device string: {name}")
    if colon:
        if index is not None:
            raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {text}")
        if not number.isdigit() or (len(number) > 1 and number[0] == "0"):
            raise RuntimeError(f"Invalid device string: '{text}'")
        index = int(number)
    return name, index


CPU = device("cpu")
