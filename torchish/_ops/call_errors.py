"""torch's words for arguments that fit no signature. Runs only after a call has failed with a TypeError or AttributeError.

Note [Call errors]: fronts are Python functions, so a wrong call fails in Python's words, or at the first attribute a tensor would have. The
public forms pass such errors here with the arguments; where these fit no signature of torch's, its message replaces the error.
"""
from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import numpy as np

from .. import _dtype as dt
from .._core.handle import TensorBase
from .signatures import NATIVE, NUMPY_NAMES, PARAMETER_TYPES, PYTHON, SIGNATURES

_MISSING = object()


class Parameter:
    """One parameter of a signature: its name, torch's name for its type (None: anything), whether it may be left out."""

    __slots__ = ("name", "kind", "optional", "none", "keyword")

    def __init__(self, name: str, kind: str | None, optional: bool, none: bool, keyword: bool):
        self.name, self.kind, self.optional, self.none, self.keyword = name, kind, optional, none, keyword

    def takes(self, value) -> bool:
        """Whether torch would accept `value`."""
        if value is None:
            return self.none or self.kind is None
        return self.kind is None or _MATCHES[self.kind](value)

    def looks_like(self, value) -> bool:
        """Whether torch's list of options shows `value` as fitting: no Python type fits Number there."""
        return self.kind != "Number" and self.takes(value)

    @property
    def shown(self) -> str:
        """The type as messages show it."""
        return "Tensor" if self.kind == "Tensor or number" else str(self.kind).rstrip("?")


def _is_number(x) -> bool:
    return isinstance(x, (bool, int, float, complex, np.number, np.bool_)) or isinstance(x, TensorBase) and x._spec.ndim == 0


def _is_int(x) -> bool:
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool) or isinstance(x, TensorBase) and x._spec.ndim == 0


def _is_tensor(x) -> bool:
    return isinstance(x, TensorBase)


def _are_ints(x) -> bool:
    return isinstance(x, (tuple, list)) and (not x or _is_int(x[0]))


_MATCHES: dict[str, Callable] = {
    "Tensor": _is_tensor, "Tensor or number": lambda x: _is_tensor(x) or _is_number(x), "Number": _is_number, "int": _is_int,
    "float": lambda x: isinstance(x, (int, float, np.number)) or _is_number(x) and _is_tensor(x), "bool": lambda x: isinstance(x, (bool, np.bool_)),
    "tuple of ints": _are_ints, "tuple of ints?": lambda x: _is_int(x) or _are_ints(x), "str": lambda x: isinstance(x, str),
    "tuple of floats": lambda x: isinstance(x, (tuple, list)) and all(map(_is_number, x)),
    "tuple of Tensors": lambda x: isinstance(x, (tuple, list)), "torch.dtype": lambda x: isinstance(x, (dt.dtype, type)),
    "torch.Generator": lambda x: type(x).__name__ == "Generator", "torch.device": lambda x: isinstance(x, (str, int)) or type(x).__name__ == "device",
    "torch.layout": lambda x: type(x).__name__ == "layout", "torch.memory_format": lambda x: type(x).__name__ == "memory_format",
}


# ---------------------------------------------------------------- signatures
class Signature:
    """A parsed signature, with torch's way of reading arguments by it."""

    def __init__(self, parameters: list[Parameter], text: str, variadic: bool = False):
        self.parameters, self.text, self.variadic = parameters, text, variadic
        self.positional = [p for p in parameters if not p.keyword]
        self.names = [p.name for p in parameters]
        self.least = sum(not p.optional for p in parameters)

    def read(self, name: str, args: tuple, kwargs: dict, shift: int) -> str | None:
        """What is wrong with the arguments, in torch's words; None where they fit."""
        if len(args) > len(self.positional) and not self.variadic:
            return _too_many(name, len(self.positional), sum(not p.optional for p in self.positional), len(args), shift)
        given = dict(zip([p.name for p in self.positional], args))
        named = {NUMPY_NAMES.get(k, k) if NUMPY_NAMES.get(k) in self.names and k not in self.names else k: v for k, v in kwargs.items()}
        for p in self.parameters:
            value = given[p.name] if p.name in given else named.get(p.name, _MISSING)
            if value is _MISSING:
                if not p.optional:
                    return self._missing(name, given, named)
            elif not p.takes(value):
                return f"{name}(): argument '{p.name}' {self._place(p, given, shift)}must be {p.shown}, not {type(value).__name__}"
        for key in named:
            if key in given:
                return f"{name}() got multiple values for argument '{key}'"
        if any(key not in self.names for key in named):
            return f"{name}() got an unexpected keyword argument '{next(k for k in kwargs if k not in self.names)}'"
        return None

    def _place(self, p: Parameter, given: dict, shift: int) -> str:
        return f"(position {list(given).index(p.name) + 1 - shift}) " if p.name in given else ""

    def _missing(self, name: str, given: dict, kwargs: dict) -> str:
        names = [p.name for p in self.parameters if not p.optional and p.name not in given and p.name not in kwargs]
        listed = ", ".join(f'"{n}"' for n in names)
        return f"{name}() missing {len(names)} required positional argument{'s' if len(names) == 1 else ''}: {listed}"


def _too_many(name: str, most: int, least: int, got: int, shift: int) -> str:
    most, least, got = most - shift, least - shift, got - shift
    if shift and not most:
        return f"TensorBase.{name}() takes no arguments ({got} given)"
    wanted = f"{most} positional argument{'s' if most != 1 else ''}" if most == least else f"from {least} to {most} positional arguments"
    return f"{name}() takes {wanted} but {got} {'was' if got == 1 else 'were'} given"


def _parse(text: str, method: bool) -> Signature:
    """A signature of the table; a method's lacks the first parameter and `out`."""
    pieces = text.split(", ")
    if method:
        pieces = [p for p in pieces[1:] if not p.endswith(" out = None")]
        if pieces and pieces[-1] == "*":
            pieces.pop()
    parameters, keyword = [], False
    for piece in pieces:
        if piece == "*":
            keyword = True
            continue
        typed, _, default = piece.partition(" = ")
        kind, _, name = typed.rpartition(" ")
        parameters.append(Parameter(name, kind, bool(default), default == "None" or kind.endswith("?"), keyword))
    return Signature(parameters, f"({', '.join(pieces)})".replace("?", "").replace(" or number", ""))


def _derived(front: Callable) -> Signature:
    """The one signature of a front, its types guessed from torch's habits in naming parameters."""
    parameters, variadic = [], False
    for p in inspect.signature(front).parameters.values():
        variadic = variadic or p.kind is p.VAR_POSITIONAL
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            optional = p.default is not p.empty
            name = "input" if p.name == "self" else p.name
            kind = PARAMETER_TYPES.get(name)
            if kind == "int" and isinstance(p.default, tuple) or kind == "int" and p.default is None:
                kind = None
            parameters.append(Parameter(name, kind, optional, p.default is None, p.kind is p.KEYWORD_ONLY))
    return Signature(parameters, "", variadic)


# ---------------------------------------------------------------- messages
def _type_list(args: tuple, kwargs: dict) -> str:
    listed = ", ".join(_type_name(a) for a in args)
    named = [f"{k}={type(v).__name__ if isinstance(v, (tuple, list)) else _type_name(v)}" for k, v in kwargs.items()]
    if not args:
        return "".join(n + ", " for n in named) if len(named) > 1 else "".join(named)
    return ", ".join([listed, *named])


def _type_name(x) -> str:
    if isinstance(x, (tuple, list)):
        kind = type(x).__name__
        return f"{kind} of {_element_names(x)}" if x else kind
    return "Tensor" if isinstance(x, TensorBase) and type(x).__name__ == "Tensor" else type(x).__name__


def _element_names(x) -> str:
    names = [_type_name(i) for i in x]
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})" if isinstance(x, tuple) else f"[{', '.join(names)}]"


def _mismatch(signature: Signature, args: tuple, kwargs: dict) -> str:
    """Why torch says that an option did not match; nothing where the number of arguments is another."""
    expected = len(signature.parameters) + (", *, " in signature.text or "(*, " in signature.text)  # torch counts the star
    if len(args) + len(kwargs) != expected:
        return ""
    unknown = [k for k in kwargs if k not in [p.name for p in signature.parameters]]
    if unknown:
        return f"      didn't match because some of the keywords were incorrect: {', '.join(unknown)}\n"
    shown = []
    for i, p in enumerate(signature.parameters):
        value = args[i] if i < len(args) else kwargs.get(p.name)
        text = _type_name(value) if p.looks_like(value) else f"!{_type_name(value)}!"
        shown.append(text if i < len(args) else f"{p.name}={text}")
    return f"      didn't match because some of the arguments have invalid types: ({', '.join(shown)}{', ' if len(args) < len(shown) else ''})\n"


def _invalid(name: str, signatures: list[Signature], args: tuple, kwargs: dict) -> str:
    head = f"{name}() received an invalid combination of arguments - got ({_type_list(args, kwargs)}), but expected "
    if len(signatures) == 1:
        return head + signatures[0].text
    return head + "one of:\n" + "".join(f" * {s.text}\n{_mismatch(s, args, kwargs)}" for s in signatures)


def explained(front: Callable, name: str, method: bool, args: tuple, kwargs: dict, error: Exception,
              only: bool = False) -> Exception | None:
    """torch's error for this call, or None where the arguments are not to blame. `name` is the public one; `only`: see variants.guarded."""
    text = str(error)
    texts = SIGNATURES.get(name) or method and name.endswith("_") and SIGNATURES.get(name[:-1])
    if (name in PYTHON or name.startswith("nn.functional.") and name not in NATIVE) and _CALL.match(text):  # torch has these in Python too
        return TypeError(_CALL.sub(f"{_python_name(name, method, args, kwargs)}() ", text))
    name = name.rpartition(".")[2]
    if isinstance(error, TypeError) and text.startswith("(): "):
        return TypeError(name + text)
    if texts:
        own = args[1:] if method else args
        signatures = [_parse(t, method) for t in texts]
        problems = [s.read(name, own, kwargs, 0) for s in signatures]
        if None in problems:
            return _renumbered(text, front.__name__, name, 0 if only else -int(method))
        total = len(own) + len(kwargs)
        plausible = [p for p, s in zip(problems, signatures) if s.least <= total <= len(s.parameters)]
        return TypeError(plausible[0] if len(plausible) == 1 else _invalid(name, signatures, own, kwargs))
    signature = _derived(front)
    problem = signature.read(name, args, kwargs, int(method))
    return TypeError(problem) if problem is not None else _renumbered(text, front.__name__, name, 0 if only else signature.variadic - int(method))


def _python_name(name: str, method: bool, args: tuple, kwargs: dict) -> str:
    """The name in Python's own errors: of a method with its class, of the two `unique` functions with the results asked for."""
    if method:
        return f"Tensor.{name}"
    if name not in ("unique", "unique_consecutive"):
        return name.rpartition(".")[2]
    first = 2 if name == "unique" else 1
    asked = [key for i, key in enumerate(("inverse", "counts"), first) if kwargs.get(f"return_{key}", args[i] if i < len(args) else False)]
    return ("_return_" if name == "unique" else "_consecutive_return_") + ("_and_".join(asked) or "output")


def _renumbered(text: str, front: str, name: str, by: int) -> Exception | None:
    """A front's own error with the public name and its position moved: fronts count from the function's first argument, those of `*sizes` from
    the method's.
    """
    found = _POSITION.fullmatch(text)
    if found is None or by == 0 and found[1] == name:
        return None
    return TypeError(f"{name if found[1] == front else found[1]}{found[2]}(position {int(found[3]) + by}){found[4]}")


_POSITION = re.compile(r"(\w+)(\(\): argument .*)\(position (\d+)\)(.*)", re.DOTALL)
_CALL = re.compile(r"^\S+\(\) (?=missing|takes|got)")
__all__ = ["explained"]
