"""Element-wise special functions beyond special_functions.py: Bessel functions I, the normal distribution, entropy, gamma functions, zeta.

Most bodies are jax.scipy's and do not run in the cold tier.
"""
from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from .. import _dtype as dt
from .._core.op import Op, cast
from .._core.record import call
from .._dtype import FLOATING
from .declare import INT_TO_FLOAT, internal, narrow, unary
from .guards import COMPLEX_DTYPES, HALVES, NUMBERS, choice
from .nn_common import sized
from .pointwise import slope, unsigned_zero
from .return_types import return_type
from .selection import widened
from .special_functions import digamma, trigamma
from .variants import METHODS, public, tensor_or_number

jsp = jax.scipy.special
_LOW = (*COMPLEX_DTYPES, *HALVES)


def _private(name: str, body, derivative, *, refuse=COMPLEX_DTYPES, numpy: bool = False) -> None:
    """A function of torch.special only."""
    words = name.split("_")
    grad = "Special" + "".join(w.capitalize() if not w[-1:] == "e" or len(w) > 3 else w[:-1].upper() + "E" for w in words) + "Backward0"
    unary(f"{name}(input)", body, kind=INT_TO_FLOAT, grad=grad, refuse=refuse, vjp=slope(derivative), numpy=numpy, function=False, method=False,
          inplace=False, saves=(0, "result"), also=("special." + name,))


# ---------------------------------------------------------------- Bessel functions of the first kind, modified
def _i1_slope(xp, out, x):
    near = jnp.abs(x) < np.finfo(x.dtype).eps
    return jnp.where(near, 0.5, jsp.i0(x) - out / jnp.where(near, 1, x))


def _i1e_slope(xp, out, x):
    near = jnp.abs(x) < np.finfo(x.dtype).eps
    safe = jnp.where(near, 1, x)
    return jnp.where(near, 0.5, jsp.i0e(x) - out * (jnp.sign(safe) + 1 / safe))


unary("i0(input)", lambda xp, x: jsp.i0(x), kind=INT_TO_FLOAT, refuse=COMPLEX_DTYPES, kernel="i0_vml_cpu", numpy=False, also=("special.i0",),
      vjp=slope(lambda xp, out, x: unsigned_zero(xp, jsp.i1(x))))
_private("i0e", lambda xp, x: jsp.i0e(x), lambda xp, out, x: jsp.i1e(x) - jnp.sign(x) * out)
_private("i1", lambda xp, x: jsp.i1(x), _i1_slope)
_private("i1e", lambda xp, x: jsp.i1e(x), _i1e_slope)


# ---------------------------------------------------------------- entropy and the normal distribution
def _entr(xp, x):
    inside = xp.where(x > 0, x, xp.ones_like(x))
    made = xp.where(x > 0, -inside * xp.log(inside), xp.where(x == 0, xp.zeros_like(x), xp.full_like(x, -math.inf)))
    return xp.where(xp.isnan(x), x, made)


def _log_ndtr_slope(xp, out, x):
    return math.sqrt(2 / math.pi) / jsp.erfcx(x * -math.sqrt(0.5))


_private("entr", _entr, lambda xp, out, x: -xp.log(x) - 1, numpy=True)
_private("erfcx", lambda xp, x: jsp.erfcx(x), lambda xp, out, x: 2 * x * out - 2 / math.sqrt(math.pi), refuse=_LOW)
_private("ndtri", lambda xp, x: jsp.ndtri(x), lambda xp, out, x: math.sqrt(2 * math.pi) * jnp.exp(out * out / 2), refuse=_LOW)
_private("log_ndtr", lambda xp, x: jsp.log_ndtr(x), _log_ndtr_slope, refuse=_LOW)


@public("special.ndtr", method=False, out=True)
def ndtr(input):
    """The distribution function of the standard normal distribution."""
    return METHODS["mul"](METHODS["add"](METHODS["erf"](METHODS["mul"](input, math.sqrt(0.5))), 1), 0.5)


# ---------------------------------------------------------------- xlog1py
def _xlog1py(xp, a, b):
    return xp.where(xp.isnan(b), xp.full_like(b, math.nan), xp.where(a == 0, xp.zeros_like(b), a * xp.log1p(b)))


_XLOG1PY_RULES = (lambda xp, g, out, a, b: xp.where((a == 0) & (b <= -1), xp.zeros_like(g), g * xp.log1p(b)),
                  lambda xp, g, out, a, b: g * a / (b + 1))
_xlog1py_ops = [internal(name, _xlog1py, kind=INT_TO_FLOAT, grad=f"SpecialXlog1PyBackward{i}", saves=saves, vjp=_XLOG1PY_RULES, refuse=COMPLEX_DTYPES,
                         kernel="xlog1py_cpu")
                for i, (name, saves) in enumerate((("xlog1py", (0, 1)), ("xlog1py of number", (1,)), ("xlog1py number", (0,))))]
narrow(*_xlog1py_ops)


def _by_numbers(ops: list):
    def choose(input, other):
        input, other = tensor_or_number(input), tensor_or_number(other)
        return ops[2 if other.__class__ in NUMBERS else 1 if input.__class__ in NUMBERS else 0], (input, other)
    return choose


choice("xlog1py(input, other)", _by_numbers(_xlog1py_ops), function=False, method=False, inplace=False, also=("special.xlog1py",),
       doc="input * log1p(other), 0 where input is 0 and NaN where other is NaN.")


# ---------------------------------------------------------------- zeta and polygamma
def _zeta(xp, s, q):
    """The Hurwitz zeta function; jax.scipy's where q > 0, torch's values at its poles elsewhere."""
    s, q = jnp.broadcast_arrays(s, q)
    whole = q == jnp.floor(q)
    made = jsp.zeta(s, jnp.where(q > 0, q, 1))
    made = jnp.where(q > 0, made, jnp.where(whole, jnp.inf, _zeta_below(s, q)))
    return jnp.where(s == 1, jnp.inf, jnp.where(s < 1, jnp.nan, made))


def _zeta_below(s, q):
    """For q < 0, not whole: NaN unless s is whole, else the series from q up to its first positive term, then zeta."""
    steps = jnp.ceil(-q)
    count = jnp.arange(64, dtype=q.dtype).reshape((64,) + (1,) * q.ndim)
    terms = jnp.where(count < steps, (q + count) ** -s, 0)
    made = jnp.sum(terms, 0) + jsp.zeta(s, jnp.where(q < 0, q + steps, 1))
    return jnp.where((s == jnp.floor(s)) & (steps <= 64), made, jnp.nan)


_NO_ORDER = NotImplementedError("the derivative for 'zeta' is not implemented.")
_ZETA_RULES = (_NO_ORDER, lambda xp, g, out, s, q: g * -s * _zeta(xp, s + 1, q))
_zeta_ops = [internal(name, _zeta, kind=INT_TO_FLOAT, grad=f"SpecialZetaBackward{i}", saves=saves, vjp=_ZETA_RULES, refuse=_LOW, kernel="zeta_cpu",
                      numpy=False) for i, (name, saves) in enumerate((("zeta", (0, 1)), ("zeta of number", (1,)), ("zeta number", (0,))))]
choice("zeta(input, other)", _by_numbers(_zeta_ops), function=False, method=False, inplace=False, also=("special.zeta",),
       doc="The Hurwitz zeta function: the sum over k >= 0 of (other + k) ** -input. No derivative in `input`.")


def _polygamma(xp, x, n):
    """Abramowitz and Stegun 6.4.10: (-1)^(n+1) n! zeta(n + 1, x)."""
    if n == 0:
        return digamma(xp, x)
    if n == 1:
        return trigamma(xp, x)
    return (-1) ** (n + 1) * math.gamma(n + 1) * _zeta(xp, jnp.full((), n + 1, x.dtype), x)


def _polygamma_planner(op: Op, argtypes: tuple, static: dict):
    a, n = argtypes[0], static["n"]
    if a.dtype in COMPLEX_DTYPES:
        raise NotImplementedError(f"\"{('digamma', 'trigamma', 'polygamma')[min(n, 2)]}\" not implemented for '{a.dtype.legacy}'")
    result = static.get("into") or (a.dtype if a.dtype.category == FLOATING else dt.get_default_dtype())
    compute = widened(result)

    def rule(xp, g, out, x, *, n, into=None):
        return cast(xp, g, compute) * _polygamma(xp, cast(xp, x, compute), n + 1)
    return (lambda xp, x: cast(xp, _polygamma(xp, cast(xp, x, compute), n), result)), sized(a.shape, a, result), (rule,)


polygamma_op = Op("polygamma", lambda xp, x, n: x, _polygamma_planner, grad="PolygammaBackward0", saves=(0,), numpy=False)


def _order(n) -> int:
    if not isinstance(n, int):
        raise TypeError(f"polygamma(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return n


@public("polygamma", method=False, out=True, also=("special.polygamma",))
def polygamma(n, input):
    """The n-th derivative of digamma. Raises RuntimeError for negative n."""
    return call(polygamma_op, (input,), (("n", _order(n)),))


@public("polygamma", function=False, inplace=True)
def _polygamma_method(self, n):
    """The n-th derivative of digamma. Raises RuntimeError for negative n."""
    return polygamma(n, self)


# ---------------------------------------------------------------- multivariate gamma
def _mvlgamma_planner(op: Op, argtypes: tuple, static: dict):
    a, p = argtypes[0], static["p"]
    if a.dtype in COMPLEX_DTYPES:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{a.dtype.legacy}'")
    result = static.get("into") or (a.dtype if a.dtype.category == FLOATING else dt.get_default_dtype())
    constant = p * (p - 1) / 4 * math.log(math.pi)

    def impl(xp, x):
        x = cast(xp, x, dt.float64)
        return cast(xp, constant + sum(jax.lax.lgamma(x - j / 2) for j in range(p)), result)

    def rule(xp, g, out, x, *, p, into=None):
        x = cast(xp, x, dt.float64)
        return cast(xp, g, dt.float64) * sum(digamma(xp, x - j / 2) for j in range(p))
    return impl, sized(a.shape, a, result), (rule,)


mvlgamma_op = Op("mvlgamma", lambda xp, x, p: x, _mvlgamma_planner, grad="MvlgammaBackward0", saves=(0,), numpy=False)


@public("mvlgamma", inplace=True, out=True, also=("special.multigammaln",))
def mvlgamma(input, p):
    """The logarithm of the multivariate gamma function of dimension p. Raises RuntimeError for p < 1."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return call(mvlgamma_op, (input,), (("p", int(p)),))


# ---------------------------------------------------------------- frexp
def _frexp_infer(a):
    if a.dtype.category != FLOATING:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return a, sized(a.shape, a, dt.int32)


def _frexp_planner(op: Op, argtypes: tuple, static: dict):
    a = argtypes[0]
    out = _frexp_infer(a)

    def impl(xp, x):
        mantissa, exponent = xp.frexp(cast(xp, x, widened(a.dtype)))
        return cast(xp, mantissa, a.dtype), cast(xp, exponent, dt.int32)

    def rule(xp, g, out, x):
        return cast(xp, g[0], widened(a.dtype)) / xp.exp2(out[1].astype(widened(a.dtype).numpy))
    return impl, out, (rule,)


frexp_op = Op("frexp", lambda xp, x: x, _frexp_planner, grad="FrexpBackward0", saves=("result",))


@public("frexp", out=True)
def frexp(input):
    """(mantissa, exponent) with input = mantissa * 2 ** exponent, the mantissa in [0.5, 1) and the exponent int32."""
    return return_type("frexp", "mantissa", "exponent")(call(frexp_op, (input,)))
