"""`python -m torchish`: a script runs as under Python itself, except that torch is torchish. Each test starts a process."""

import os
import sys
import textwrap
from pathlib import Path

import pytest
from process_tools import run_python as run

import torchish


def printed(code: str, tmp_path: Path, *arguments: str) -> str:
    """What a script prints under torchish; the test fails when the script does."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    status, out, err = run("-m", "torchish", str(script), *arguments, cwd=tmp_path)
    assert (status, err) == (0, "")
    return out


def test_every_spelling_of_an_import_gives_torchishs_own_modules(tmp_path):
    code = """
        import sys
        import torch
        import torch.nn as nn
        import torch.utils.data
        from torch.nn import functional as F
        from torch.utils.data import DataLoader

        import torchish

        assert torch is torchish
        assert nn is torchish.nn is sys.modules["torch.nn"]
        assert F is torchish.nn.functional is sys.modules["torch.nn.functional"]
        assert DataLoader is torchish.utils.data.DataLoader
        assert torch.__version__ == torchish.__version__
        assert (torch.__spec__.name, nn.__spec__.name, nn.__name__) == ("torchish", "torchish.nn", "torchish.nn")
    """
    printed(code, tmp_path)


def test_a_missing_submodule_is_reported_under_torchs_name(tmp_path):
    code = """
        for name in ("torch.nothing_here", "torch.nn.nothing_here", "torch.nn.functional.below"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error, error.name)
    """
    assert printed(code, tmp_path).splitlines() == [
        "No module named 'torch.nothing_here' torch.nothing_here",
        "No module named 'torch.nn.nothing_here' torch.nn.nothing_here",
        "No module named 'torch.nn.functional.below'; 'torch.nn.functional' is not a package torch.nn.functional.below",
    ]


def test_gradient_functions_print_as_torch_2_prints_them(tmp_path):
    assert printed("import torch\nprint(torch.ones(1, requires_grad=True) + 2)", tmp_path) == "tensor([3.], grad_fn=<AddBackward0>)\n"


def test_objects_of_torch_can_be_pickled(tmp_path):
    code = """
        import pickle
        import torch

        class Mine(torch.nn.Module):
            pass

        print(type(pickle.loads(pickle.dumps(Mine()))) is Mine)
        print(pickle.loads(b"ctorch.nn\\nLinear\\n.") is torch.nn.Linear)
    """
    assert printed(code, tmp_path) == "True\nTrue\n"


def test_a_spawned_process_sees_torchish_too(tmp_path):
    code = """
        import multiprocessing
        import torch

        def name(_):
            return torch.__name__

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(name, [0]))
    """
    assert printed(code, tmp_path) == "['torchish']\n"


def test_only_that_process_is_changed():
    assert "torch" not in sys.modules or sys.modules["torch"] is not torchish


PROGRAMS = {
    "surroundings": """
        "The doc."
        import sys
        print(__name__, __file__, __doc__, __spec__, __package__, __cached__, type(__loader__).__name__, type(__builtins__).__name__)
        print(sys.argv, sys.path[0], sorted(vars()), sys.modules["__main__"].__dict__ is globals())
    """,
    "an error": """
        def fail():
            try:
                raise ValueError("first")
            except ValueError:
                raise KeyError("second")
        fail()
    """,
    "a syntax error": "x = (\n",
    "an exit status": "import sys\nsys.exit(7)",
    "an exit message": "raise SystemExit('good bye')",
    "an interrupt": "raise KeyboardInterrupt",
    "its own excepthook": "import sys\nsys.excepthook = lambda *error: print('mine', error[0])\nraise ValueError",
    "work after the end": "import atexit\nlater = 'later'\natexit.register(lambda: print(later))",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_runs_as_under_python(name, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "program.py").write_text(textwrap.dedent(PROGRAMS[name]), encoding="utf-8")
    arguments = [os.path.join("folder", "program.py"), "-a", "b"]
    assert run("-m", "torchish", *arguments, cwd=tmp_path) == run(*arguments, cwd=tmp_path)


@pytest.mark.parametrize("arguments", [["missing.py"], ["-m", "missing"], ["-m", "missing.below"], ["-m", "xml"], ["empty"]])
def test_what_cannot_be_found_is_reported_as_by_python(arguments, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run("-m", "torchish", *arguments, cwd=tmp_path) == run(*arguments, cwd=tmp_path)


def test_a_module_runs_as_under_python(tmp_path):
    (tmp_path / "package").mkdir()
    code = "import sys\nprint(__name__, __file__, __package__, __spec__.name, sys.argv, sys.path[0])"
    (tmp_path / "package" / "__main__.py").write_text(code, encoding="utf-8")
    arguments = ["-m", "package", "-a", "b"]
    assert run("-m", "torchish", *arguments, cwd=tmp_path) == run(*arguments, cwd=tmp_path)


def test_code_on_the_command_line_runs(tmp_path):
    status, out, _ = run("-m", "torchish", "-c", "import sys, torch; print(torch.__name__, sys.argv)", "a", cwd=tmp_path)
    assert (status, out) == (0, "torchish ['-c', 'a']\n")


def test_without_arguments_the_usage_is_printed(tmp_path):
    status, out, err = run("-m", "torchish", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err.startswith("usage: python -m torchish script.py")
