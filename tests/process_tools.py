"""Python in a process of its own, with this checkout's package importable. What the tests that start one share."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])), "PYTHONDONTWRITEBYTECODE": "1"}


def run_python(*arguments: str, cwd: Path | None = None, timeout: float = 300) -> tuple[int, str, str]:
    """Exit status, output and error output of Python with these arguments."""
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr
