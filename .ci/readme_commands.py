"""Prints the shell commands of one README block, so that the README and CI cannot drift apart.

A block is marked by a comment on the line before its fence: `<!-- ci: NAME -->`.

    python .ci/readme_commands.py NAME
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def commands(name: str) -> str:
    """The text of the block marked NAME. Raises SystemExit when the README has no such block, or several."""
    found = re.findall(rf"<!-- ci: {re.escape(name)} -->\n```sh\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    if len(found) != 1:
        raise SystemExit(f"{README}: expected one block marked <!-- ci: {name} -->, found {len(found)}")
    return found[0]


if __name__ == "__main__":
    print(commands(sys.argv[1]), end="")
