"""The import rules of the tree, checked by reading every file: who may import whom, where JAX may appear, how long a file may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "torchish"
LONGEST = 800

# From the bottom up; a module may import its own layer and those below. The first name that fits decides, longest first.
LAYERS = (
    ("_dtype",),
    ("_promotion", "_device", "_type_info"),
    ("_core",),
    ("_ops",),
    ("tensor",),
    # The public names: modules of functions, and _public, which gathers torch-level names for the layers above.
    ("_public", "_submodule", "compiler", "cuda", "amp", "signal", "linalg", "fft", "special", "masked", "random", "autograd",
     "func", "serialization", "distributed"),
    ("nn", "optim", "distributions", "utils"),
    ("", "__main__", "_import_hook", "_collector"),
)
# Beside _core: they see the dtypes, themselves and NumPy only.
BESIDE_CORE = ("_random", "_format")
MAY_USE_CORE = ("_core", "_ops", "tensor", "_public", "cuda", "_submodule", "random", "autograd", "func", "serialization", "distributed", "")
MAY_USE_JAX = ("_core", "_ops", "distributed")
# The loader and the optimizers mark where one step's program ends; that is the only thing they ask of the engine.
CORE_EXCEPTIONS = {("utils.data.dataloader", "_core.evaluate"), ("optim.optimizer", "_core.evaluate")}


def _module_name(path: Path) -> str:
    """The dotted name below torchish: "" for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in FILES.items()}


def _is_checking_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _statements(node: ast.AST, inside_function: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Every import that runs, and whether it lies inside a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, inside_function
        elif not _is_checking_types(child):
            yield from _statements(child, inside_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


def _absolute(name: str, statement: ast.ImportFrom) -> str:
    """The full dotted module of a from-import in module `name`."""
    if not statement.level:
        return statement.module or ""
    package = ["torchish", *filter(None, name.split("."))]
    if FILES[name].name != "__init__.py":
        package.pop()
    base = package[: len(package) - (statement.level - 1)]
    return ".".join([*base, *filter(None, [statement.module])])


def _targets(name: str, statement: ast.stmt) -> list[str]:
    """The modules a statement imports, as full dotted names; `from package import module` counts as the module."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    module = _absolute(name, statement)
    if module.partition(".")[0] != "torchish":
        return [module]
    below = module.partition(".")[2]
    submodules = [".".join(filter(None, [below, alias.name])) for alias in statement.names]
    return [f"torchish.{sub}" if sub in FILES else module for sub in submodules]


def _imports(name: str) -> list[tuple[str, bool]]:
    return [(target, inside) for statement, inside in _statements(TREES[name]) for target in _targets(name, statement)]


def _own_imports(name: str) -> list[str]:
    """The torchish modules that a module imports, by their names below torchish."""
    return [target.partition(".")[2] for target, _ in _imports(name) if target.partition(".")[0] == "torchish"]


def _area(name: str) -> str:
    return name.partition(".")[0]


def _layer(name: str) -> int:
    found = [number for number, areas in enumerate(LAYERS) if _area(name) in areas]
    assert found, f"torchish.{name} belongs to no layer: add it to LAYERS"
    return found[0]


def _each_module(keep=lambda name: True) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name in FILES if keep(name)])


@_each_module()
def test_a_file_stays_short(name):
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


@_each_module()
def test_a_file_opens_with_a_docstring(name):
    assert ast.get_docstring(TREES[name])


@_each_module(lambda name: _area(name) not in BESIDE_CORE)
def test_imports_point_downwards(name):
    below = [target for target in _own_imports(name) if _area(target) not in BESIDE_CORE]
    assert [target for target in below if _layer(target) > _layer(name)] == []


@_each_module(lambda name: _area(name) in BESIDE_CORE)
def test_modules_beside_the_core_import_only_dtypes_and_numpy(name):
    allowed = {*BESIDE_CORE, "_dtype"}
    assert [target for target in _own_imports(name) if _area(target) not in allowed] == []


@_each_module(lambda name: _area(name) not in MAY_USE_CORE)
def test_only_the_engine_and_its_neighbours_use_the_core(name):
    used = [target for target in _own_imports(name) if _area(target) == "_core" and _area(name) != "_core"]
    assert [target for target in used if (name, target) not in CORE_EXCEPTIONS] == []


@_each_module(lambda name: _area(name) not in MAY_USE_JAX)
def test_jax_appears_only_in_the_engine(name):
    assert [target for target, _ in _imports(name) if target.partition(".")[0] in ("jax", "jaxlib")] == []


@_each_module()
def test_no_function_imports_our_own_package(name):
    assert [target for target, inside in _imports(name) if inside and target.partition(".")[0] == "torchish"] == []


def test_imports_have_no_cycles():
    # A package's __init__ gathers its modules and is not what its own modules mean when they import a sibling.
    graph = {name: {target for target in _own_imports(name) if target in FILES and target != name} for name in FILES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise AssertionError("import cycle: " + " -> ".join([*path[path.index(name) :], name]))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
