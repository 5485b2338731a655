"""Orthogonal polynomials of torch.special: Chebyshev's four kinds, also shifted to [0, 1], Hermite's, Laguerre's and Legendre's. Not differentiable.

Degrees are numbers or tensors, cut to whole numbers; below 0 all polynomials are 0. Values come from the three-term recurrences
(Abramowitz & Stegun 22.7), Chebyshev's of high degree inside [-1, 1] from their trigonometric forms (22.3.15 - 22.3.17), exact at the ends.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from .._core.spec import Spec
from .declare import INT_TO_FLOAT, internal
from .guards import COMPLEX_DTYPES, HALVES, choice, guard
from .variants import tensor_or_number

HIGH = 6  # above this degree Chebyshev's polynomials inside the interval are computed by cosines


class Family(NamedTuple):
    """`first(x)` is the polynomial of degree 1, `step(k, p, q, x)` that of degree k + 1 from degrees k and k - 1; `inside(n, x)`, where there is
    one, the values for |x| < 1 and `ends(n)` those at 1 and -1; `limit(dtype)` the degree above which all is NaN."""

    first: Callable
    step: Callable
    inside: Callable | None = None
    ends: Callable | None = None
    limit: Callable | None = None


def _recur(xp, family: Family, x, n):
    """The recurrence up to each element's degree."""
    one = xp.ones_like(x)
    p, q = family.first(x), one
    k, top = 1, xp.max(n) if n.size else 0

    def advance(carry):
        k, p, q = carry
        done = n <= k
        return k + 1, xp.where(done, p, family.step(k, p, q, x)), xp.where(done, q, p)
    if xp is np:
        carry = (k, p, q)
        while carry[0] < top:
            carry = advance(carry)
        return xp.where(n == 0, one, carry[1])
    carry = jax.lax.while_loop(lambda carry: carry[0] < top, advance, (xp.asarray(1.0, x.dtype), p, q))
    return xp.where(n == 0, one, carry[1])


def _body(family: Family) -> Callable:
    def body(xp, x, n):
        x, n = xp.broadcast_arrays(xp.asarray(x), xp.asarray(n))
        n = xp.where(xp.isnan(n), -1.0, xp.trunc(n)).astype(x.dtype)
        if family.limit is not None:
            over = n > family.limit(x.dtype)
            return xp.where(n < 0, 0, xp.where(over, np.nan, _recur(xp, family, x, xp.where(over, 0, n))))
        if family.inside is None:
            return xp.where(n < 0, 0, _recur(xp, family, x, n))
        ends, inside = xp.abs(x) == 1, (xp.abs(x) < 1) & (n > HIGH)
        made = _recur(xp, family, x, xp.where(ends | inside, 0, n))
        made = xp.where(inside, family.inside(xp, n, xp.where(inside, x, 0.5)), made)
        upper, lower = family.ends(xp, n)
        return xp.where(n < 0, 0, xp.where(ends, xp.where(x > 0, upper, lower), made))
    return body


def _sign(xp, n):
    return xp.where(n % 2 == 0, xp.ones_like(n), -xp.ones_like(n))


def _chebyshev_step(k, p, q, x):
    return 2 * x * p - q


CHEBYSHEV = {
    "t": Family(lambda x: x, _chebyshev_step, lambda xp, n, x: xp.cos(n * xp.arccos(x)), lambda xp, n: (xp.ones_like(n), _sign(xp, n))),
    "u": Family(lambda x: 2 * x, _chebyshev_step, lambda xp, n, x: xp.sin((n + 1) * xp.arccos(x)) / xp.sin(xp.arccos(x)),
                lambda xp, n: (n + 1, (n + 1) * _sign(xp, n))),
    "v": Family(lambda x: 2 * x - 1, _chebyshev_step, lambda xp, n, x: xp.cos((n + 0.5) * xp.arccos(x)) / xp.cos(xp.arccos(x) / 2),
                lambda xp, n: (xp.ones_like(n), (2 * n + 1) * _sign(xp, n))),
    "w": Family(lambda x: 2 * x + 1, _chebyshev_step, lambda xp, n, x: xp.sin((n + 0.5) * xp.arccos(x)) / xp.sin(xp.arccos(x) / 2),
                lambda xp, n: (2 * n + 1, _sign(xp, n))),
}


def _hermite_limit(d) -> int:
    return 128 if d == np.float32 else 512


OTHERS = {
    "hermite_polynomial_h": Family(lambda x: 2 * x, lambda k, p, q, x: 2 * x * p - 2 * k * q, limit=_hermite_limit),
    "hermite_polynomial_he": Family(lambda x: x, lambda k, p, q, x: x * p - k * q, limit=_hermite_limit),
    "laguerre_polynomial_l": Family(lambda x: 1 - x, lambda k, p, q, x: ((2 * k + 1 - x) * p - k * q) / (k + 1)),
    "legendre_polynomial_p": Family(lambda x: x, lambda k, p, q, x: ((2 * k + 1) * x * p - k * q) / (k + 1)),
}


def _shifted(body: Callable) -> Callable:
    return lambda xp, x, n: body(xp, 2 * x - 1, n)


def _need_a_tensor(name: str):
    def check(argtypes):
        if not any(a.__class__ is Spec for a in argtypes):
            kinds = (("Tensor", "Tensor"), ("Number", "Tensor"), ("Tensor", "Number"))
            forms = "".join(f"\n * ({x} x, {n} n, *, Tensor out = None)" for x, n in kinds)
            raise TypeError(f"special_{name}() received an invalid combination of arguments - got ({', '.join(a.__name__ for a in argtypes)}), "
                            f"but expected one of:{forms}\n")
    return check


def _publish(name: str, body: Callable, doc: str) -> None:
    op = internal(name, body, kind=INT_TO_FLOAT, refuse=(*COMPLEX_DTYPES, *HALVES), kernel=f"{name}_cpu")
    guard(_need_a_tensor(name), op)

    def choose(x, n):
        return op, (tensor_or_number(x), tensor_or_number(n))
    choice(f"{name}(x, n)", choose, function=False, method=False, inplace=False, also=(f"special.{name}",), doc=doc)


for _letter, _family in CHEBYSHEV.items():
    _what = f"Chebyshev's polynomial {_letter.upper()} of degree n"
    _publish(f"chebyshev_polynomial_{_letter}", _body(_family), f"{_what}, a number or a tensor, at x.")
    _publish(f"shifted_chebyshev_polynomial_{_letter}", _shifted(_body(_family)), f"{_what} at 2 x - 1.")
for _name, _family in OTHERS.items():
    _publish(_name, _body(_family), f"{_name.partition('_')[0].capitalize()}'s polynomial {_name.rpartition('_')[2].title()} of degree n at x.")

__all__: list[str] = []
