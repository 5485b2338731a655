"""What was evaluated and compiled, and why: counters, and a record of compilations with the user's source line."""
from __future__ import annotations

import os
import sys
from collections import Counter, deque

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Log:
    """Counters of evaluations, compilations and cuts, and the last compilations with their causes."""

    def __init__(self):
        self.counters: Counter = Counter()
        self.compilations: deque = deque(maxlen=256)

    def compiled(self, cause: str, nodes: list) -> None:
        self.counters["programs compiled"] += 1
        ops = Counter(("vjp of " if n.plan.primal is not None else "") + n.plan.op.name for n in nodes)
        self.compilations.append((cause, user_line(), len(nodes), ops))


log = Log()


def user_line() -> str:
    """The innermost frame outside this package, as 'file:line in function'."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    if frame is None:
        return "?"
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def explain(file=None) -> None:
    """Print what torchish evaluated and compiled in this process, and why.

    One line per counter (evaluations, replays in NumPy, programs compiled, cuts by cause), then the latest compilations: cause,
    number of recorded operations, the user's source line that asked for the result, and the operations.
    """
    out = file or sys.stdout
    print("torchish: evaluations so far", file=out)
    for name, count in sorted(log.counters.items()):
        print(f"  {count:8d}  {name}", file=out)
    for cause, where, size, ops in log.compilations:
        names = ", ".join(f"{n} x{c}" if c > 1 else n for n, c in ops.most_common(8))
        print(f"  compiled at {where} ({cause}): {size} operations: {names}{', ...' if len(ops) > 8 else ''}", file=out)


def reset_explain() -> None:
    """Set all counters back to zero."""
    log.counters.clear()
    log.compilations.clear()
