"""The table of calls that the element-wise tests make; inputs and comparing are those of reduction_cases. Imports neither package."""
from __future__ import annotations

import reduction_cases

FLOATING = """exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sigmoid reciprocal
sinc square abs neg angle isnan isinf isfinite isreal logical_not nan_to_num conj_physical""".split()
REAL = """sign signbit floor ceil trunc round frac erf erfc erfinv lgamma digamma logit deg2rad rad2deg isposinf isneginf positive
bitwise_not""".split()
PAIRS = """add sub mul div floor_divide remainder fmod pow eq ne lt le gt ge bitwise_and bitwise_or bitwise_xor bitwise_left_shift
bitwise_right_shift copysign xlogy float_power""".split()
TENSOR_PAIRS = """atan2 hypot maximum minimum fmax fmin logaddexp logaddexp2 heaviside nextafter ldexp logical_and logical_or logical_xor gcd
lcm""".split()
OPERANDS = ("d d", "x a.permute(2, 0, 1)", "tie nan[0]", "i i32[0, 0]", "u u", "b b", "b i[:, :3]", "h bf", "c c", "c d", "i32 d", "nan inf[0, 0]",
            "s d", "zero zero")
OPERATORS = "+ - * / // % ** == != < <= > >=".split()
BITS = "& | ^ << >>".split()
MORE = """
t.add(d, d, alpha=2) | t.add(i, i, alpha=2.5) | t.add(d, d, alpha=1j) | t.add(i, i, alpha=True) | t.add(b, b, alpha=2) | t.sub(d, 1, alpha=2)
t.add(2, 3) | t.mul(2, 3.5) | t.div(1, 2) | t.rsub(d, 2) | t.rsub(d, d) | t.rsub(i, 2, alpha=3) | t.rsub(b, b) | b - b | 1 - b | i - True
t.div(d, 2, rounding_mode='floor') | t.div(d, d, rounding_mode='trunc') | t.div(i, 2, rounding_mode='trunc')
t.div(-i, 2, rounding_mode='floor') | t.div(i, 0, rounding_mode='floor') | t.div(i, i, rounding_mode='x') | i // 0 | i % t.tensor(0) | i.fmod(0)
i / 0 | i ** -1 | i ** 2.5 | 2 ** -i | b ** 2 | b ** True | t.pow(2, 3) | d ** 0.5 | d ** -0.5 | d ** -1 | d ** 3 | d ** 0 | d ** 1.5 | 2 ** d
0 ** d | d.pow(d) | 2 / d | 2 - d | 5 % d | 5 // d | t.addcmul(d, d, d, value=2) | t.addcmul(i, i, i, value=2.7) | t.addcmul(b, b, b)
t.addcdiv(d, d, d + 4, value=3) | t.addcdiv(i, i, i) | t.addcmul(d, 2, d) | t.addcmul(d, d, d, value=1j) | t.lerp(d, d * 2, 0.25)
t.lerp(d, d * 2, d) | t.lerp(d, d.float(), 0.5) | t.lerp(i, i, 0.5) | t.lerp(c, c * 2, 0.75) | t.lerp(d, 2, 0.5) | a.clamp(0, 1)
x.clamp(max=0.5) | d.clamp(d * 0, d * 0 + 1) | d.clamp(2, 1) | d.clamp(float('nan')) | nan.clamp(0, 1) | d.clamp() | t.clamp(d, 0, d) | i.clamp(0.5)
b.clamp(0, 1) | b.clamp(True) | c.clamp(0) | u.clamp(-1) | d.clamp_min(0.5) | d.clamp_max(d * 0) | i.clone().clamp_(d[0, 0]) | tie.maximum(tie)
tie.minimum(tie * 1) | nan.fmax(nan) | nan.fmin(-nan) | nan.nan_to_num(1.0, 2.0, -2.0) | inf.nan_to_num(posinf=9) | a.round(decimals=1)
t.round(a * 100, decimals=-1) | i.round(decimals=1) | t.round(d, decimals=1.5) | t.special.round(d) | d.logit(0.2) | (d / 4).logit()
t.where(d > 0, d, 0) | t.where(d > 0, 1, 2.5) | t.where(d > 0, d, d.float()) | t.where(i, 1, 2) | t.where(b, 1j, d) | t.where(b, d)
d.where(b, 2) | t.where(t.tensor(True), h, bf) | t.isclose(d, d + 1e-9) | t.isclose(nan, nan, equal_nan=True) | t.isclose(d, d.float())
t.isclose(d, d, rtol=-1) | t.isclose(i, i + 1, rtol=0.5) | t.isclose(inf, inf) | d.clone().add_(i32) | i.clone().add_(1.5) | i.clone().div_(2)
i.clone().div_(2, rounding_mode='floor') | d.detach().clone().pow_(2) | h.detach().clone().mul_(d) | b.clone().logical_and_(b)
d.detach().clone().eq_(d) | i.clone().bitwise_and_(3) | d.detach().clone().add_(a.detach()) | i.clone().bitwise_and_(1.0) | i.clone().exp_()
d.detach().clone().nan_to_num_() | (d * 1).eq_(d) | (d * 1).abs_() | (d * 1).float_power_(2) | (h * 1).float_power_(2) | c.clone().abs_()
d + 'a' | d < 'a' | d == 'a' or d | d + None | 'a' ** d | d & 1 | ~d | ~i | ~b | +b | -b | t.exp(2) | t.atan2(d, 2) | d.atan2(2)
t.logical_and(i, 1) | t.eq(2, d) | t.fmod(3, d) | t.remainder(3, i32 * 2 + 1) | t.bitwise_and(6, i) | 1 << i32[1] | t.real(c) | t.imag(c)
c.real * 1 | c.imag * 1 | d.real * 1 | d.imag | c.conj() * 1 | t.view_as_real(c) * 1 | t.view_as_complex(t.view_as_real(c)) * 1
t.view_as_complex(i) | t.view_as_complex(d) | t.view_as_real(d) | t.complex(d, d + 1) | t.complex(d, a) | t.polar(d, d) | t.angle(b) | t.sign(c)
t.floor(c) | t.maximum(c, c) | t.signbit(c) | t.heaviside(d, i) | t.heaviside(c, c) | t.isposinf(c) | t.deg2rad(c)
t.isposinf(d, out=t.empty(2, 3)) | t.add(i, i, out=t.empty(2, 4)) | t.eq(i, i, out=t.empty(2, 4, dtype=t.bool))
t.add(a.detach(), 1, out=t.empty(2, 3, 4, dtype=t.int64)) | t.special.expit(d) | t.special.gammaln(d + 3) | t.special.psi((d + 3).detach())
t.pow(c + 1, c) | (c + 1) ** d | t.float_power(c + 1, c)
t.special.exp2(d) | t.special.xlogy(d, 2) | t.arctan2(d, d) | t.clip(d, 0) | t.fix(d) | t.multiply(d, 2) | t.divide(d, 2) | t.true_divide(i, 2)
h * 0.1 | 0.1 * h | t.mul(0.1, h) | h / 3 | t.div(0.1, h) | t.add(h, h, alpha=0.7) | t.sub(bf, 1001, alpha=0.7) | bf * i32[0, 0] | bf * i[0, 0]
bf ** 3 | bf ** -2 | bf.abs() ** -0.5 | h.abs().rsqrt() | (h.abs() % 1).logit() | (h.abs() % 1).logit(0.1) | t.xlogy(bf, 2) | t.atan2(bf, i)
t.ldexp(bf, bf)
bf // h.bfloat16().abs() | c + float('inf') | float('nan') - c | c / c | (c / c).imag | 1j ** d | c.detach() ** c[0, 0].detach()
t.where(t.tensor(True), u, 300) | t.where(d > 0, u, -1) | u.clamp(0, 300) | i.clamp_min(1j) | d.clamp_max(1j) | b.clone().clamp_(0) | u.pow(300)
t.add(u, u, alpha=300) | h.clone().fill_(70000) | t.addcmul(u, u, u, value=300) | h.clone().pow_(70000) | t.pow(True, b) | t.gcd(u, u * 3)
t.gcd(t.tensor([5, 7], dtype=t.int8), t.tensor([-128, 0], dtype=t.int8)) | t.lcm(i, i32) | t.nextafter(zero, -zero) | t.maximum(zero, -zero)
t.minimum(zero, -zero) | t.rsub(d, t.ones(2, 2)) | t.add(d, t.ones(2, 2), alpha=True) | i.round(decimals=0) | h / 1j | h // 1j | h < 1j | h & 1j
t.ldexp(c, h) | t.logspace(0, 3, 4, dtype=t.complex64) | i.clone().floor_divide_(0) | t.ones(1, 3).t() <= 1
t.subtract(d, 2) | t.negative(d) | t.absolute(d) | t.not_equal(d, 0) | t.less(d, 0)
"""


def _table() -> list[str]:
    cases = ["c.sgn()", "i.sgn()", "nan.detach().sgn()"] + [f"{tensor}.{name}()" for name in FLOATING for tensor in ("x", "c", "h", "i", "nan")
              if f"{tensor}.{name}" not in ("h.sinc", "c.nan_to_num")]  # where torch loses digits, or cannot go back
    cases += [f"{tensor}.{name}()" for name in REAL for tensor in ("x", "bf", "i", "b", "inf") if (tensor, name) != ("x", "digamma")]
    for name in PAIRS + TENSOR_PAIRS:
        cases += [f"t.{name}({pair.replace(' ', ', ', 1)})" for pair in OPERANDS[:11:2]]
    for name in PAIRS:
        cases += [f"{tensor}.{name}({number})" for tensor, number in (("d", 2), ("i", 1.5), ("u", 3), ("b", True), ("h", 0.5))]
    for sign in OPERATORS:
        cases += ["{} {} {}".format(*(pair.partition(" ")[0], sign, pair.partition(" ")[2])) for pair in OPERANDS[1:13:2]]
        cases += [f"2 {sign} d", f"d {sign} 1.5", f"3 {sign} u"]
    for sign in BITS:
        cases += [f"i {sign} i32[0, 0]", f"u {sign} 3", f"b {sign} b", f"5 {sign} u", f"i {sign} -1", f"i32 {sign} 40"]
    # torch gives NaN for a complex 0 ** 0, and other slopes near it
    cases = [case for case in cases if case not in ("t.pow(c, c)", "t.float_power(c, c)", "c ** d")]
    return list(dict.fromkeys(cases + [case for line in MORE.strip().split("\n") for case in line.strip(" |").split(" | ")]))


CASES = _table()


def run(t, case: str) -> dict:
    """reduction_cases.run, where backward may raise too."""
    try:
        return reduction_cases.run(t, case)
    except RuntimeError as error:
        return {"raises": type(error).__name__, "message": str(error).split("\n")[0]}
