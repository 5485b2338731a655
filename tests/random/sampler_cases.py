"""The table of sampler calls that are compared with torch: one row says what we call and what torch calls. Imports no torch."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import torchish._random as R
from torchish import _dtype as dt

SIZES = (0, 1, 2, 15, 16, 17, 33, 50)
FLOATS = (dt.float32, dt.float64, dt.float16, dt.bfloat16)
INTEGERS = (dt.uint8, dt.int8, dt.int16, dt.int32, dt.int64)


@dataclass(frozen=True)
class Case:
    """`ours(generator, n)` gives an array, `theirs(torch, torch generator, n)` a tensor; `exact` says that all bits must agree."""

    name: str
    ours: Callable
    theirs: Callable
    exact: bool = True
    sizes: tuple[int, ...] = SIZES


def weights(n: int, low: float, high: float, d: dt.dtype) -> np.ndarray:
    """n numbers from low to high that every floating-point dtype here rounds alike."""
    return np.linspace(low, high, n).astype(np.float32).astype(d.numpy)


def tensor(torch, values: np.ndarray):
    """`values` as a torch tensor of the same dtype."""
    return torch.from_numpy(values.astype(np.float64)).to(getattr(torch, dt.BY_NUMPY[values.dtype].name))


def _fills(d: dt.dtype) -> Iterator[Case]:
    def fill(name, sampler, method, *arguments, exact=d is not dt.float64):
        def theirs(torch, g, n):
            return getattr(torch.empty(n, dtype=getattr(torch, d.name)), method)(*arguments, generator=g)
        return Case(f"{name}-{d.name}", lambda g, n: sampler(g, (n,), d, *arguments), theirs, exact)

    yield fill("uniform", R.uniform, "uniform_", exact=True)
    yield fill("uniform_between", R.uniform, "uniform_", -0.37, 5.91, exact=True)
    yield fill("normal", R.normal, "normal_")
    yield fill("normal_affine", R.normal, "normal_", 0.3, 1.7)
    yield fill("log_normal", R.log_normal, "log_normal_", 0.3, 0.7)
    yield fill("exponential", R.exponential, "exponential_")
    yield fill("exponential_rate", R.exponential, "exponential_", 1.7)
    yield fill("cauchy", R.cauchy, "cauchy_", 0.3, 2.0)
    yield Case(f"normal_strided-{d.name}", lambda g, n: R.normal(g, (n,), d, 0.3, 1.7, contiguous=False),
               lambda torch, g, n: torch.empty(n, 2, dtype=getattr(torch, d.name))[:, 0].normal_(0.3, 1.7, generator=g), d is not dt.float64)


def _counts(d: dt.dtype) -> Iterator[Case]:
    def empty(torch, n):
        return torch.empty(n, dtype=getattr(torch, d.name))

    yield Case(f"random-{d.name}", lambda g, n: R.random_(g, (n,), d), lambda torch, g, n: empty(torch, n).random_(generator=g))
    yield Case(f"random_from-{d.name}", lambda g, n: R.random_(g, (n,), d, 7), lambda torch, g, n: empty(torch, n).random_(7, None, generator=g))
    yield Case(f"randint-{d.name}", lambda g, n: R.randint(g, (n,), d, 3, 90),
               lambda torch, g, n: torch.randint(3, 90, (n,), dtype=getattr(torch, d.name), generator=g))
    yield Case(f"geometric-{d.name}", lambda g, n: R.geometric(g, (n,), d, 0.3), lambda torch, g, n: empty(torch, n).geometric_(0.3, generator=g))
    yield Case(f"bernoulli-{d.name}", lambda g, n: R.bernoulli(g, 0.3, (n,), d), lambda torch, g, n: empty(torch, n).bernoulli_(0.3, generator=g))
    yield Case(f"randperm-{d.name}", lambda g, n: R.randperm(g, n, d),
               lambda torch, g, n: torch.randperm(n, dtype=getattr(torch, d.name), generator=g))
    for p in (dt.float32, dt.float64):
        yield Case(f"bernoulli_by_{p.name}-{d.name}", lambda g, n, p=p: R.bernoulli(g, weights(n, 0, 1, p), (n,), d),
                   lambda torch, g, n, p=p: empty(torch, n).bernoulli_(tensor(torch, weights(n, 0, 1, p)), generator=g))


def _wide_ranges() -> Iterator[Case]:
    bounds = ((-5, 2**28 - 6), (-5, 2**28 - 5), (-5, 2**32 - 6), (0, 2**32), (-(2**63), 2**63 - 1), (-(2**62), 2**62))
    for low, high in bounds:
        yield Case(f"randint-{low}-{high}", lambda g, n, low=low, high=high: R.randint(g, (n,), dt.int64, low, high),
                   lambda torch, g, n, low=low, high=high: torch.randint(low, high, (n,), generator=g))
    yield Case("random_all_int64", lambda g, n: R.random_(g, (n,), dt.int64, -(2**63)),
               lambda torch, g, n: torch.empty(n, dtype=torch.int64).random_(-(2**63), None, generator=g))
    yield Case("random-bool", lambda g, n: R.random_(g, (n,), dt.bool_), lambda torch, g, n: torch.empty(n, dtype=torch.bool).random_(generator=g))
    yield Case("randperm-large", lambda g, n: R.randperm(g, n), lambda torch, g, n: torch.randperm(n, generator=g), sizes=(255, 256, 257))


def _complex(d: dt.dtype) -> Iterator[Case]:
    yield Case(f"rand-{d.name}", lambda g, n: R.uniform(g, (n,), d), lambda torch, g, n: torch.rand(n, dtype=getattr(torch, d.name), generator=g))
    yield Case(f"randn-{d.name}", lambda g, n: R.normal(g, (n,), d),
               lambda torch, g, n: torch.randn(n, dtype=getattr(torch, d.name), generator=g), d is dt.complex64)


def _by_tensor(d: dt.dtype) -> Iterator[Case]:
    exact = d is not dt.float64

    def spread(n):
        return weights(n, 0, 30, d)

    def part(n):
        return weights(n, 0, 1, d)

    yield Case(f"bernoulli_of-{d.name}", lambda g, n: R.bernoulli(g, part(n), (n,), d),
               lambda torch, g, n: torch.bernoulli(tensor(torch, part(n)), generator=g))
    yield Case(f"normal_mean_std-{d.name}", lambda g, n: R.normal_of(g, spread(n), part(n), d),
               lambda torch, g, n: torch.normal(tensor(torch, spread(n)), tensor(torch, part(n)), generator=g), exact)
    yield Case(f"normal_std-{d.name}", lambda g, n: R.normal_of(g, 0.3, part(n), d),
               lambda torch, g, n: torch.normal(0.3, tensor(torch, part(n)), generator=g), exact)
    yield Case(f"normal_mean-{d.name}", lambda g, n: R.normal_of(g, spread(n), 0.7, d),
               lambda torch, g, n: torch.normal(tensor(torch, spread(n)), 0.7, generator=g), exact)
    yield Case(f"poisson-{d.name}", lambda g, n: R.poisson(g, spread(n)), lambda torch, g, n: torch.poisson(tensor(torch, spread(n)), generator=g))


def _by_rejection(d: dt.dtype) -> Iterator[Case]:
    exact = d is not dt.float64

    def alpha(n):
        return weights(n, 0, 4, d)

    def trials(n):
        return np.round(weights(n, 0, 90, d))

    yield Case(f"gamma-{d.name}", lambda g, n: R.standard_gamma(g, alpha(n)),
               lambda torch, g, n: torch._standard_gamma(tensor(torch, alpha(n)), generator=g), exact)
    yield Case(f"dirichlet-{d.name}", lambda g, n: R.dirichlet(g, alpha(n) + d.numpy.type(0.125)),
               lambda torch, g, n: torch._sample_dirichlet(tensor(torch, alpha(n) + d.numpy.type(0.125)), generator=g), exact, SIZES[1:])
    yield Case(f"binomial-{d.name}", lambda g, n: R.binomial(g, trials(n), weights(n, 0, 1, d)),
               lambda torch, g, n: torch.binomial(tensor(torch, trials(n)), tensor(torch, weights(n, 0, 1, d)), generator=g))


def _categories(d: dt.dtype) -> Iterator[Case]:
    def multinomial(name, take, replacement, rows=False):
        def probs(n):
            row = weights(n, 0.05, 1, d)
            return np.stack((row, row[::-1])) if rows else row
        return Case(f"multinomial_{name}-{d.name}", lambda g, n: R.multinomial(g, probs(n), take(n), replacement),
                    lambda torch, g, n: torch.multinomial(tensor(torch, probs(n)), take(n), replacement, generator=g), sizes=SIZES[1:])

    yield multinomial("one", lambda n: 1, True)
    yield multinomial("again", lambda n: 20, True)
    yield multinomial("again_rows", lambda n: 20, True, rows=True)
    if d in (dt.float32, dt.float64):  # the half types have ties, whose order torch's topk leaves open
        yield multinomial("all", lambda n: n, False)
        yield multinomial("some_rows", lambda n: min(n, 5), False, rows=True)


def cases() -> list[Case]:
    """Every row of the table."""
    rows = list(_wide_ranges())
    for d in FLOATS:
        rows += [*_fills(d), *_by_tensor(d), *_categories(d)]
    for d in (*FLOATS, *INTEGERS):
        rows += _counts(d)
    for d in (dt.float32, dt.float64):
        rows += [*_by_rejection(d), *_complex(d.to_complex())]
    return rows


def sequel(generator: R.Generator) -> np.ndarray:
    """The next three normals: they show where the stream stands and whether a spare normal waits."""
    return R.normal(generator, (3,), dt.float32)


def torch_sequel(torch, generator) -> np.ndarray:
    """The same of torch's generator."""
    return torch.empty(3).normal_(generator=generator).numpy()


def plain(values) -> np.ndarray:
    """A tensor's values in a dtype that files and comparisons know; bfloat16 widens to float32."""
    return (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()


def assert_same(case: Case, got: np.ndarray, expected: np.ndarray) -> None:
    """`got` (ours) equals `expected` (torch's, plain): to the bit, or to a few units in the last place where the case says so."""
    if got.dtype == dt.bfloat16.numpy:
        got = got.astype(np.float32)
    assert got.dtype == expected.dtype and got.shape == expected.shape
    if case.exact:
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=2e-14, atol=1e-15)
