"""`python -m torchish script.py [args]`: runs a script written for torch, unmodified, on torchish.

Owns what Python itself does around a script (argv, path, the `__main__` module, errors); knows nothing of tensors.
"""

import importlib.util
import io
import os
import sys
import zipfile
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

from . import _import_hook, set_printoptions

USAGE = """\
usage: python -m torchish script.py [args]
       python -m torchish -m module [args]
       python -m torchish -c code [args]

Runs a program written for torch on torchish: inside it, `import torch` gives torchish."""

# The globals a program starts with, besides the usual ones, and how to get its code.
Program = tuple[dict[str, Any], Callable[[], CodeType]]


def _fail(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(status)


def _refuse(message: str, status: int = 1) -> NoReturn:
    """Ends as Python does when it cannot find what it was told to run."""
    _fail(f"{sys.executable}: {message}", status)


def _from_file(path: str) -> Program:
    path = os.path.abspath(path)

    def code() -> CodeType:
        with io.open_code(path) as file:
            return compile(file.read(), path, "exec", dont_inherit=True)

    try:
        io.open_code(path).close()
    except OSError as error:
        _refuse(f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}", 2)
    return {"__file__": path, "__cached__": None, "__loader__": SourceFileLoader("__main__", path)}, code


def _from_spec(spec: ModuleSpec) -> Program:
    names = {"__file__": spec.origin, "__cached__": spec.cached, "__loader__": spec.loader, "__package__": spec.parent, "__spec__": spec}
    return names, lambda: spec.loader.get_code(spec.name)


def _from_folder(path: str) -> Program:
    spec = PathFinder.find_spec("__main__", [path])
    if spec is None:
        _refuse(f"can't find '__main__' module in {os.path.abspath(path)!r}")
    return _from_spec(spec)


def _from_module(name: str) -> Program:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        _refuse(f"Error while finding module specification for {name!r} ({type(error).__name__}: {error})")
    if spec is None:
        _refuse(f"No module named {name}")
    if spec.submodule_search_locations is not None:
        main = importlib.util.find_spec(f"{name}.__main__")
        if main is None:
            _refuse(f"No module named {name}.__main__; {name!r} is a package and cannot be directly executed")
        spec = main
    return _from_spec(spec)


def _from_text(text: str) -> Program:
    return {}, lambda: compile(text, "<string>", "exec", dont_inherit=True)


def _search_first(folder: str) -> None:
    """Puts the program's folder first on the path, where Python has put the current one for us, unless told not to (-P)."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _prepare(arguments: list[str]) -> Program:
    """Finds the program and sets sys.argv and sys.path as Python would for it."""
    kind, *rest = arguments
    if kind in ("-m", "-c"):
        if not rest:
            _fail(f"Argument expected for the {kind} option\n{USAGE}", 2)
        sys.argv = [kind, *rest[1:]]
        if kind == "-c":
            _search_first("")
            return _from_text(rest[0])
        program = _from_module(rest[0])
        sys.argv[0] = program[0]["__file__"]
        return program
    if kind.startswith("-"):
        _fail(f"Unknown option: {kind}\n{USAGE}", 2)
    sys.argv = arguments
    if os.path.isdir(kind) or zipfile.is_zipfile(kind):
        # What is run is a folder of modules, so -P does not keep it off the path.
        sys.path[0 : 0 if sys.flags.safe_path else 1] = [kind]
        return _from_folder(kind)
    _search_first(os.path.dirname(os.path.realpath(kind)))
    return _from_file(kind)


def _hide_our_frames(error: BaseException, script_globals: dict[str, Any]) -> None:
    """Lets Python report this error, which is about to end the process, as its own: from the script's first frame on."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals is not script_globals:
        traceback = traceback.tb_next
    report = sys.excepthook

    def report_script_frames(kind: type[BaseException], value: BaseException, _: TracebackType | None) -> None:
        report(kind, value.with_traceback(traceback), traceback)

    sys.excepthook = report_script_frames


def _run(program: Program) -> None:
    names, code = program
    module = ModuleType("__main__")
    module.__dict__.update({"__annotations__": {}, "__builtins__": sys.modules["builtins"], "__package__": None, **names})
    sys.modules["__main__"] = module
    try:
        exec(code(), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        _hide_our_frames(error, module.__dict__)
        raise


def main() -> None:
    """Runs the program that the command line names; without one, prints the usage and exits with status 2."""
    if len(sys.argv) < 2:
        _fail(USAGE, 2)
    if sys.argv[1] in ("-h", "--help"):
        print(USAGE)
        return
    _import_hook.install()
    set_printoptions(grad_fn="torch")
    _run(_prepare(sys.argv[1:]))


if __name__ == "__main__":
    main()
