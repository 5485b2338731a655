"""Line search for the strong Wolfe conditions (Nocedal and Wright, 2006, algorithms 3.5 and 3.6), with cubic interpolation.

Knows nothing of parameters: it is given a function of the step size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

ENOUGH_DECREASE, FLAT_ENOUGH = 1e-4, 0.9
SMALLEST_BRACKET = 1e-9
MOST_EVALUATIONS = 25


class Point(NamedTuple):
    """What is known at one step size."""

    size: Any
    loss: float
    gradient: Any
    slope: Any


def cubic_minimum(x1: Any, f1: Any, g1: Any, x2: Any, f2: Any, g2: Any, bounds: tuple | None = None) -> Any:
    """The minimiser of the cubic through two points with slopes, kept within bounds; their middle where there is none."""
    low, high = bounds if bounds is not None else (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt() if hasattr(square, "sqrt") else math.sqrt(square)
    if x1 <= x2:
        best = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        best = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(best, low), high)


def strong_wolfe(evaluate: Callable[[Any], tuple], size: Any, direction: Any, loss: float, gradient: Any, slope: Any) -> tuple:
    """(loss, gradient, size, evaluations) at a step size that satisfies the conditions, or the best one found.

    `evaluate(size)` gives (loss, flat gradient); `loss`, `gradient` and `slope` are those at size 0.
    """
    scale = direction.abs().max()
    start = Point(0, loss, gradient.clone(), slope)
    bracket, done, used = _find_bracket(evaluate, size, direction, start)
    if not done:
        bracket, used = _zoom(evaluate, bracket, direction, start, scale, used)
    best = bracket[0] if len(bracket) == 1 or bracket[0].loss <= bracket[1].loss else bracket[1]
    return best.loss, best.gradient, best.size, used


def _at(evaluate: Callable, size: Any, direction: Any) -> Point:
    loss, gradient = evaluate(size)
    return Point(size, loss, gradient.clone(), gradient.dot(direction))


def _find_bracket(evaluate: Callable, size: Any, direction: Any, start: Point) -> tuple[list[Point], bool, int]:
    """(two points around a good size, or one that is good already; whether it is; evaluations)."""
    before, now = start, _at(evaluate, size, direction)
    used, tries = 1, 0
    while tries < MOST_EVALUATIONS:
        too_high = now.loss > start.loss + ENOUGH_DECREASE * now.size * start.slope
        if too_high or (tries > 1 and now.loss >= before.loss):
            return [before, now], False, used
        if abs(now.slope) <= -FLAT_ENOUGH * start.slope:
            return [now], True, used
        if now.slope >= 0:
            return [before, now], False, used
        bounds = (now.size + 0.01 * (now.size - before.size), now.size * 10)
        following = cubic_minimum(before.size, before.loss, before.slope, now.size, now.loss, now.slope, bounds)
        before, now = now, _at(evaluate, following, direction)
        used += 1
        tries += 1
    return [start, now], False, used


def _zoom(evaluate: Callable, bracket: list[Point], direction: Any, start: Point, scale: Any, used: int) -> tuple[list[Point], int]:
    """Shrink the bracket until its lower end satisfies the conditions."""
    stalled = False
    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    for _ in range(MOST_EVALUATIONS - used + 1):
        a, b = bracket
        width = abs(b.size - a.size)
        if width * scale < SMALLEST_BRACKET:
            break
        size = cubic_minimum(a.size, a.loss, a.slope, b.size, b.loss, b.slope)
        left, right = min(a.size, b.size), max(a.size, b.size)
        margin = 0.1 * (right - left)
        if min(right - size, size - left) < margin:  # too close to an end: accept it once, then move inwards
            if stalled or size >= right or size <= left:
                size = right - margin if abs(size - right) < abs(size - left) else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        point = _at(evaluate, size, direction)
        used += 1
        if point.loss > start.loss + ENOUGH_DECREASE * point.size * start.slope or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        good = abs(point.slope) <= -FLAT_ENOUGH * start.slope
        if not good and point.slope * (bracket[high].size - bracket[low].size) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if good:
            break
    return bracket, used
