"""Shared by all tests: which of them compare with real torch.

Marks every test of a module that holds the real torch (through pytest.importorskip) as `conformance`, so that
`pytest -m conformance` runs the comparisons alone. No test finds or leaves compiled programs on disk, unless it says so.
"""

import os
from types import ModuleType

import pytest

os.environ["TORCHISH_CACHE"] = "0"  # before torchish is imported


def _imports_torch(module: ModuleType) -> bool:
    return any(isinstance(value, ModuleType) and value.__name__.partition(".")[0] == "torch" for value in vars(module).values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _imports_torch(item.module):
            item.add_marker(pytest.mark.conformance)
