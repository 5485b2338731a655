"""Programs kept on disk: what one process compiled another one loads, nothing else changes, and a damaged file costs a compilation only."""
from __future__ import annotations

import json
import os
import subprocess
import sys

import jax
import pytest
from process_tools import ENVIRONMENT

import torchish as torch
from torchish._core import disk_cache, evaluate
from torchish._core.explain import log

TRAINING = """
import json
import jax
compiled = []
jax.monitoring.register_event_duration_secs_listener(lambda event, *args, **kwargs: compiled.append(event.endswith("backend_compile_duration")))
settings = dict(jax.config.values)
import torchish as torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.Tanh(), torch.nn.Linear(30, 3))
optimizer = torch.optim.Adam(net.parameters())
x, y = torch.randn(16, 20), torch.randint(0, 3, (16,))
losses = []
for _ in range(5):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(json.dumps([losses, sum(compiled), dict(jax.config.values) == settings]))
"""


def start(directory, **environment: str) -> subprocess.Popen:
    kept = {k: v for k, v in ENVIRONMENT.items() if k not in ("TORCHISH_CACHE", "JAX_COMPILATION_CACHE_DIR")}
    return subprocess.Popen([sys.executable, "-c", TRAINING], env={**kept, "XDG_CACHE_HOME": str(directory), **environment},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> tuple[list, int, bool]:
    """Losses, how often XLA compiled, and whether JAX's settings are as they were."""
    out, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    return tuple(json.loads(out))


def test_a_second_start_compiles_nothing_and_has_the_same_numbers(tmp_path):
    first, second = finish(start(tmp_path)), finish(start(tmp_path))
    assert first[1] > 0
    assert second == (first[0], 0, True)


def test_two_starts_at_once_share_a_directory(tmp_path):
    results = [finish(process) for process in [start(tmp_path), start(tmp_path)]]
    assert results[0][0] == results[1][0]
    assert finish(start(tmp_path))[1] == 0
    assert {p.suffix for p in (tmp_path / "torchish").iterdir()} == {".program"}


def test_switched_off_by_the_environment_nothing_is_written(tmp_path):
    finish(start(tmp_path, TORCHISH_CACHE="0"))
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- in this process
@pytest.fixture
def directory(tmp_path):
    """A directory for programs, empty, and an empty cache in memory."""
    before = list(disk_cache._chosen)
    for number in (1, 1.0):
        evaluate._device_number(number)  # compiled once in a process
    torch.set_program_cache(tmp_path)
    evaluate.forget()
    yield tmp_path
    disk_cache._chosen[:] = before


def repeated(function):
    """`function` until it is a compiled program, in a process that seems new to it; returns (its result, programs loaded from disk)."""
    evaluate.forget()
    before = log.counters["programs loaded from disk"]
    results = [function().tolist() for _ in range(4)]
    return results[-1], log.counters["programs loaded from disk"] - before


def chain(scale=2.5, transposed=False):
    x = torch.arange(3000).reshape(50, 60).to(torch.float32) / 3000
    y = torch.tanh((x * scale).T if transposed else x * scale)
    return (y * y + 0.5).sum(0)[:5]


def test_a_known_program_is_loaded(directory):
    right, loaded = repeated(chain)
    assert loaded == 0
    assert repeated(chain) == (right, 1)


def test_another_structure_is_another_program(directory):
    repeated(chain)
    assert repeated(lambda: chain(transposed=True))[1] == 0


def test_another_number_is_the_same_program(directory):
    repeated(chain)
    other, loaded = repeated(lambda: chain(3.5))
    assert loaded == 1
    torch.set_program_cache(False)
    assert other == pytest.approx(repeated(lambda: chain(3.5))[0])


def test_another_default_dtype_or_setting_of_jax_is_another_program(directory):
    repeated(chain)
    key = disk_cache._surroundings([])
    torch.set_default_dtype(torch.float64)
    try:
        assert disk_cache._surroundings([]) != key
    finally:
        torch.set_default_dtype(torch.float32)
    jax.config.update("jax_default_matmul_precision", "highest")
    try:
        assert disk_cache._surroundings([]) != key
    finally:
        jax.config.update("jax_default_matmul_precision", None)


DAMAGES = {"empty": lambda data: b"", "short": lambda data: data[:-10], "changed": lambda data: data[:40] + b"x" + data[41:]}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_compiled_again_and_replaced(directory, damage):
    right, _ = repeated(chain)
    file, = directory.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert repeated(chain) == (right, 0)
    assert repeated(chain) == (right, 1)


def test_a_directory_that_cannot_be_written_costs_nothing_else(directory):
    file = directory / "file"
    file.write_text("in the way")
    torch.set_program_cache(file)
    assert repeated(chain)[0] == repeated(chain)[0]


def test_calls_into_a_library_are_not_kept(directory):
    matrix = torch.eye(30) * 2
    assert repeated(lambda: torch.linalg.eigvalsh(matrix + 0.0 * torch.ones(30, 30)))[0] == pytest.approx([2.0] * 30)
    assert not list(directory.iterdir())


def test_what_was_used_least_recently_is_removed(directory, monkeypatch):
    for age, name in ((3, "old"), (2, "middle"), (1, "new")):
        file = directory / f"{name}.program"
        file.write_bytes(b"x" * 1000)
        os.utime(file, (10_000 - age, 10_000 - age))
    monkeypatch.setattr(disk_cache, "LIMIT_BYTES", 1500)
    disk_cache._trim(directory)
    assert [p.stem for p in directory.iterdir()] == ["new"]


def test_where_programs_are_kept(directory, monkeypatch, tmp_path):
    assert torch.program_cache_dir() == str(directory)
    torch.set_program_cache(False)
    assert torch.program_cache_dir() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    torch.set_program_cache()
    assert torch.program_cache_dir() == "/somewhere/torchish"
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "jax"))
    try:
        torch.set_program_cache(True)
        assert torch.program_cache_dir() == str(tmp_path / "jax" / "torchish")
    finally:
        jax.config.update("jax_compilation_cache_dir", None)
