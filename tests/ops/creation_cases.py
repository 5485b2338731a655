"""The table of calls that the tests of factories, windows, Fourier transforms and further special functions make. Imports neither package."""
from __future__ import annotations

import reduction_cases

DATA = {
    "x": ([[0.5, -1.25, 2.0, 0.25], [1.5, -0.5, 0.75, -2.25], [3.0, 1.0, -0.75, 0.125]], "float64"),
    "p": ([[0.5, 1.25, 2.0, 3.25], [1.5, 0.5, 4.75, 2.25]], "float64"),
    "f": ([[0.5, 1.25, 2.0], [1.5, 0.5, 4.75]], "float32"),
    "c": ([[1 + 2j, -0.5j, 3 + 0j], [0.5 + 0j, 2 - 1j, -1.5 + 1j]], "complex128"),
    "i": ([[3, 1, 2], [4, 5, 5]], "int64"),
    "h": ([[1.5, 2.25, 0.5], [4.0, 1.5, 0.125]], "bfloat16"),
    "b": ([[True, False, True], [False, False, False]], "bool"),
}
SPECIAL = """t.i0 S.i0e S.i1 S.i1e S.entr S.ndtri S.log_ndtr S.erfcx t.frexp""".split()
TRANSFORMS = "fft ifft rfft irfft hfft ihfft fft2 ifft2 rfft2 irfft2 hfft2 fftn ifftn rfftn irfftn hfftn fftshift ifftshift".split()
WINDOWS = "hamming hann blackman nuttall bartlett cosine exponential gaussian kaiser general_hamming".split()
MORE = """
t.arange(0.0, -8.000001, -4.0, dtype=t.int64) | t.arange(1, 5, 1.9, dtype=t.int64) | t.arange(2.9, 7.1, 1, dtype=t.int64)
t.arange(-1.5, 2, 0.5, dtype=t.int64) | t.arange(0, 5, 2.5, dtype=t.int32) | t.arange(0, float('nan')) | t.arange(0, float('inf')) | t.arange(1j)
t.arange(3, dtype=t.complex64) | t.arange(3, dtype=t.bool) | t.arange(5, 0) | t.arange(1, 5, 0) | t.arange(0, 1, 0.1) | t.arange(t.tensor(3))
t.arange(0, 2, 0.3, dtype=t.bfloat16) | t.arange(2**60, 2**60 + 3) | t.range(0, 2.5, 0.5) | t.range(5, 0) | t.range(0, 3, 0) | t.linspace(0, 3, 1.0)
t.linspace(0, 1, -1) | t.linspace(t.ones(2), 1, 2) | t.linspace(-1.5, 2.5, 3, dtype=t.int64) | t.linspace(0, 1, 3, dtype=t.bool)
t.linspace(0, 1j, 3) | t.linspace(0, 1, 1) | t.logspace(1, 3.9, 4, dtype=t.int64) | t.logspace(0, 1.5, 4, base=2.5, dtype=t.int64)
t.logspace(0, 1, 5) | t.logspace(0, 3, 4, base=-2, dtype=t.int64) | t.logspace(0, 1, 3, dtype=t.bfloat16) | t.logspace(1, 1.2, 2, dtype=t.int64)
t.full((2,), True) | t.full((2,), 1j) | t.full((2,), 1j, dtype=t.float32) | t.full((2,), 2.5, dtype=t.int64) | t.full((2,), 300, dtype=t.uint8)
t.full((1,), -5, dtype=t.uint8) | t.full((2,), float('nan'), dtype=t.int64) | t.full((1,), 1e39) | t.full((1,), 1e39, dtype=t.bfloat16)
t.full((-1,), 3) | t.full_like(i, 2.7) | p.new_full((2,), 3, dtype=t.bool) | t.zeros_like(x.t())
t.ones_like(x.t(), memory_format=t.contiguous_format) | t.empty(2, 3, 4, 4, memory_format=t.channels_last).zero_() | t.full_like(x.t(), 2)
t.ones_like(x[:, ::2]) | t.ones_like(t.ones(2, 1, 4).expand(2, 3, 4)) | t.ones_like(i, memory_format=t.channels_last)
t.empty_strided((5,), (4,)).fill_(1) | t.empty_strided((2, 3), (1, 2)).fill_(1) | t.empty_strided((2, 3), (1,)) | t.empty_strided((2, 3), (-1, 1))
p.new_empty_strided((2, 3), (1, 2)).fill_(1) | t.empty_permuted((2, 3, 4), (1, 0, 2)).fill_(1) | t.empty_permuted((2, 3), (1, 1))
t.empty_permuted((2, 3), (1,)) | t.empty_permuted((2, 3), (0, 2)) | t.eye(2, -1) | t.eye(2, dtype=t.bool) | t.scalar_tensor(2) | t.hann_window(5)
t.hann_window(5, False) | t.hamming_window(4) | t.blackman_window(6) | t.bartlett_window(5) | t.kaiser_window(5) | t.kaiser_window(4, False, 2.0)
t.hann_window(-1) | t.hann_window(0) | t.hann_window(1) | t.hann_window(4.5) | t.hamming_window(4, True, 0.6, 0.4) | W.exponential(5, center=2.0)
W.exponential(5, center=2.0, sym=False) | W.exponential(5, tau=-1) | W.gaussian(5, std=0) | W.kaiser(5, beta=-1)
W.general_cosine(5, a=[0.5, 0.3, 0.2]) | W.general_cosine(5, a=3) | W.general_cosine(5, a=[]) | W.cosine(0) | W.cosine(1) | R.fft(x, n=6)
R.fft(x, norm='ortho') | R.fft(c, norm='forward') | R.ifft(x, norm='ortho') | R.ifft(c, n=4) | R.rfft(x, n=5) | R.irfft(c, n=5)
R.irfft(c, n=4, norm='ortho') | R.hfft(c, norm='forward') | R.ihfft(x, n=3) | R.fft(x, n=0) | R.fft(x, norm='foo') | R.fft(x, dim=3) | R.fft(h)
R.rfft(c) | R.ihfft(c) | R.fftn(x, s=(2, 2, 2)) | R.fftn(x, s=(2,), dim=(0, 1)) | R.fftn(x, dim=(0, 0)) | R.fftn(x, s=(-1, 3)) | R.fftn(x, s=(2,))
R.irfftn(c, s=(3, 4)) | R.rfftn(x, dim=()) | R.rfft2(c) | R.fftfreq(5) | R.rfftfreq(5, 0.5) | R.fftfreq(4, dtype=t.float64) | R.fftshift(x, dim=1)
R.fft(t.tensor(1.0)) | R.fft(t.zeros(0)) | S.ndtr(p.detach()) | S.ndtr(i) | S.ndtr(c) | S.xlog1py(p, p) | S.xlog1py(2, p) | S.xlog1py(p, 2)
S.xlog1py(i, i) | S.xlog1py(c, c) | S.xlog1py(x * 0, x) | S.zeta(p.detach() + 1, p) | S.zeta(2, p) | S.zeta(p.detach(), 2) | S.zeta(h, h)
S.zeta(i, i) | t.polygamma(1, f) | t.polygamma(2, f) | p.polygamma(3) | t.polygamma(0, f) | t.polygamma(-1, p) | t.polygamma(2, i)
t.polygamma(2, h) | t.polygamma(2.0, p) | t.polygamma(1, c) | f.detach().clone().polygamma_(1) | t.igamma(p.detach(), p) | t.igammac(p.detach(), p)
t.igamma(i, i) | t.igamma(p, 2.0) | t.mvlgamma(p + 3, 2) | t.mvlgamma(p, 0) | t.mvlgamma(i + 3, 2) | S.multigammaln(f + 4, 3) | p.frexp()
t.frexp(i) | t.frexp(t.tensor([0.0, float('inf'), -3.0]))[0]
t.gradient(x) | t.gradient(x, spacing=2.0, dim=1) | t.gradient(x, edge_order=2)
t.gradient(x, spacing=[t.tensor([0.0, 1.0, 3.0])], dim=0, edge_order=2) | t.gradient(x, edge_order=3) | t.gradient(i)
t.gradient(x, spacing=[1.0, 2.0, 3.0]) | t.gradient(x, dim=5) | t.gradient(x, spacing=(1.0, 2.0), dim=0) | t.unravel_index(i[0], (12,))
t.unravel_index(i, 12) | t.unravel_index(x, (3, 4)) | t.unravel_index(i, (-3, 4)) | t.histogram(p.detach(), 4)
t.histogram(p.detach(), t.tensor([0.0, 1.0, 4.0], dtype=t.float64)) | t.histogram(p.detach(), 3, range=(0.0, 2.0), weight=p.detach(), density=True)
t.histogram(i, 4) | t.histogram(p.detach(), 0) | t.histogram(p.detach(), 3, range=(1.0, 0.0)) | t.histogram(p.detach(), t.tensor([1.0]))
t.histogram(t.ones(3), 2)
t.asarray([1, 2.5]) | t.asarray(f) | t.asarray(x * 2, dtype=t.float32) | t.asarray(f, copy=True) | t.asarray(f, copy=False, dtype=t.float64)
t.asarray([1], copy=False) | t.asarray(f, requires_grad=False) | t.asarray(i, dtype=t.float32, requires_grad=True) | t.asarray(bytearray(b'abcd'))
t.frombuffer(bytearray(b'abcdefgh'), dtype=t.int16, count=2, offset=2) | t.frombuffer(bytearray(b'abcd'), dtype=t.float32, requires_grad=True)
t.frombuffer(bytearray(8), dtype=t.int16, count=9) | t.frombuffer(bytearray(8), dtype=t.int16, count=0) | t.frombuffer([1], dtype=t.int16)
t.frombuffer(bytearray(8), dtype=t.int16, offset=8) | t.frombuffer(bytearray(8), dtype=t.int16, offset=1) | t.frombuffer(bytearray(), dtype=t.int8)
t.stft(x[0], 3, return_complex=True) | t.stft(x, 4, 1, 3, t.hamming_window(3, dtype=t.float64), False, return_complex=True)
x.stft(2, return_complex=False)
t.stft(x, 4, 2, 3, pad_mode='constant', normalized=True, onesided=False, return_complex=True) | t.stft(c, 2, 1) | t.stft(c, 2, 1, onesided=True)
t.stft(x, 3, 1, 1, center=False, align_to_window=True, return_complex=True) | t.stft(x, 3, 1, 2, align_to_window=True) | t.stft(x, 2)
t.stft(x, 3, window=t.ones(2), return_complex=True) | t.stft(x, 3, 0, return_complex=True) | t.stft(x, 9, center=False) | t.stft(i, 2, center=False)
t.stft(x[None], 2, center=False, return_complex=True) | t.stft(x, 3, 1, 4, return_complex=True) | t.stft(f, 2, 1, window=t.ones(2) * 1j)
t.istft(c, 2, 1) | t.istft(c, 3, 1, onesided=True) | t.istft(c[None], 2, 1, 2, t.hamming_window(2, dtype=t.float64), length=3)
t.istft(c, 2, 1, center=False)
c.istft(2, 1, normalized=True, return_complex=True) | t.istft(c, 2, 1, length=9) | t.istft(c, 2, 1, 1, t.ones(1) + 1, center=False, length=3)
t.istft(c, 4, 2, 2) | t.istft(c, 2, 1, window=t.tensor([0.0, 1.0]), center=False) | t.istft(c, 2, 1, window=t.ones(2, requires_grad=True) * 2)
t.istft(x, 2) | t.istft(c, 4, 1, onesided=False) | t.istft(c, 2, 3) | t.istft(c, 2, 1, 3) | t.istft(c, 2, 1, window=t.ones(3)) | t.istft(c[0], 2)
t.istft(c[None, None], 2, 1) | t.istft(c, 3, 1, return_complex=True) | t.istft(c, 2, 1, window=t.ones(2) * 1j) | t.istft(c[:, :0], 2, 1)
"""
NAMES = {"S.": "t.special.", "R.": "t.fft.", "W.": "t.signal.windows."}


def _table() -> list[str]:
    cases = [f"{name}({operand})" for name in SPECIAL for operand in ("p", "f", "i", "b", "c")]
    cases += [f"R.{name}({operand})" for name in TRANSFORMS for operand in ("x", "c", "i")]
    cases += [f"W.{name}({arguments})" for name in WINDOWS for arguments in ("5", "4, sym=False", "3, dtype=t.float64", "-1")]
    cases += [case.strip() for case in MORE.replace("\n", " | ").split(" | ") if case.strip()]
    return list(dict.fromkeys(_spelled(case) for case in cases))


def _spelled(case: str) -> str:
    for short, name in NAMES.items():
        if case.startswith(short):
            return name + case[len(short):]
    return case


CASES = _table()


def inputs(t) -> dict:
    """The inputs as tensors of module `t`; leaves that require grad where they can."""
    names = {}
    for name, (data, dtype) in DATA.items():
        names[name] = t.tensor(data, dtype=getattr(t, dtype))
        if "float" in dtype or "complex" in dtype:
            names[name].requires_grad_()
    return names


def run(t, expression: str) -> dict:
    """What the expression gives on module `t`, as plain data."""
    return reduction_cases.run(t, expression, inputs)
