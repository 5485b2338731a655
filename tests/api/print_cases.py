"""The tensors whose printed text is compared with torch's: a named table, and a maker of random ones. Needs no torch.

The recorder (record_print.py), the recorded test and the differential test all read it.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from torchish import _dtype as dt
from torchish._format import format_tensor, printoptions

PARAMETER = "Parameter containing:\ntensor("


@dataclass
class Case:
    """A tensor and how it is printed. `array` is None for a tensor without data; `facts` are keywords of `format_tensor`."""

    array: np.ndarray | None
    dtype: dt.dtype
    facts: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)

    def text(self) -> str:
        """torchish's text, with nodes named as torch 2 names them."""
        with printoptions(**self.options, grad_fn="torch"):
            return format_tensor(self.array, self.dtype, **self.facts)


def _case(values, dtype: str = "float32", facts: dict | None = None, **options) -> Case:
    d = dt.BY_NAME[dtype]
    with np.errstate(all="ignore"):
        return Case(np.array(values).astype(d.numpy), d, facts or {}, options)


def _ramp(*shape: int) -> np.ndarray:
    return np.arange(math.prod(shape)).reshape(shape)


CASES: dict[str, Case] = {
    # 0-dim
    "scalar float": _case(1.5),
    "scalar whole float": _case(3.0),
    "scalar int": _case(-7, "int64"),
    "scalar bool": _case(True, "bool"),
    "scalar nan": _case(np.nan),
    "scalar inf": _case(-np.inf),
    "scalar negative zero": _case(-0.0),
    "scalar tiny": _case(1.25e-7),
    "scalar huge": _case(1.25e12),
    "scalar complex": _case(1.5 - 2j, "complex64"),
    "scalar complex128": _case(1.5 - 2j, "complex128"),
    "scalar half": _case(0.1, "float16"),
    "scalar bfloat16": _case(0.1, "bfloat16"),
    "scalar with threshold and edgeitems 0": _case(2.0, threshold=0, edgeitems=0),
    # every dtype
    "float64": _case([0.1, 2.5], "float64"),
    "float16": _case([0.1, 2.5], "float16"),
    "bfloat16": _case([0.1, 2.5], "bfloat16"),
    "float8_e4m3fn": _case([0.1, -2.5, 448, np.nan], "float8_e4m3fn"),
    "float8_e5m2": _case([0.1, -2.5, np.inf, 57344], "float8_e5m2"),
    "uint8": _case([0, 255], "uint8"),
    "int8": _case([-128, 5], "int8"),
    "int16": _case([[-300], [5]], "int16"),
    "int32": _case([[1, -20], [300, 4]], "int32"),
    "int64": _case([2**62, -1], "int64"),
    "uint16": _case([65535], "uint16"),
    "uint32": _case([4294967295, 1], "uint32"),
    "uint64": _case(np.array([2**64 - 1, 1], np.uint64), "uint64"),
    "bool": _case([[True, False], [False, False]], "bool"),
    "complex64": _case([1 + 2j, -3.25 - 0.5j], "complex64"),
    "complex128": _case([[1j], [-1e-9 + 3j]], "complex128"),
    # magnitudes and notation
    "whole floats": _case([1, 2, -3]),
    "whole floats with nonfinite": _case([1, np.nan, -np.inf, 100]),
    "only nonfinite": _case([np.nan, np.inf]),
    "only zeros": _case([0.0, -0.0]),
    "ratio 1000": _case([1.0, 1000.0]),
    "ratio above 1000": _case([1.0, 1001.0]),
    "fraction ratio above 1000": _case([0.5, 501.0]),
    "at 1e8": _case([1e8]),
    "above 1e8": _case([1.00000008e8]),
    "at 1e-4": _case([1e-4], "float64"),
    "below 1e-4": _case([9.9e-5]),
    "scientific with nan and zero": _case([1e-9, np.nan, 0.0, -np.inf, 5.0]),
    "subnormal": _case([5e-324, 1.0], "float64"),
    "largest": _case([1.7976931348623157e308, 1e-300], "float64"),
    "half largest": _case([65504, 0.5], "float16"),
    "rounds up to wider": _case([9.99999, 1.5]),
    "negative zero among fractions": _case([-0.0, 0.5]),
    "sci_mode forced on": _case([1.0, 2.5], sci_mode=True),
    "sci_mode forced off": _case([1e-9, 2e12], sci_mode=False),
    "sci_mode forced on over zeros": _case([0.0, np.inf], sci_mode=True),
    "sci_mode forced on over whole": _case([1, 22], sci_mode=True),
    "precision 0": _case([1.5, 2.25], precision=0),
    "precision 8": _case([1 / 3, 2.25], precision=8),
    "profile short": _case([1 / 3, 20], profile="short"),
    "complex parts in two notations": _case([1 + 1e-9j, 2 - 3e6j], "complex64"),
    "complex nan and inf": _case([complex(np.nan, -np.inf), 1j], "complex64"),
    "complex negative zero": _case([complex(-0.0, -0.0), 1 + 1j], "complex64"),
    "complex imaginary padding": _case([1 + 1j, 1 + 100j], "complex64"),
    # layout
    "row wrapped": _case(_ramp(40), "int64"),
    "float row wrapped": _case(_ramp(30) / 7),
    "complex row wrapped": _case(_ramp(12) * (1 - 0.5j), "complex64"),
    "matrix with wrapped rows": _case(_ramp(2, 30) / 8),
    "three dims": _case(_ramp(2, 2, 3), "int64"),
    "five dims": _case(_ramp(2, 1, 2, 1, 2)),
    "narrow line": _case(_ramp(5) / 4, linewidth=10),
    "wide line": _case(_ramp(40), "int64", linewidth=200),
    "bool row wrapped": _case(_ramp(20) % 3 == 0, "bool"),
    "matrix row that wraps a column before a vector would": _case(_ramp(2, 24) % 10, "int64", linewidth=79),
    # summaries
    "long row": _case(_ramp(1001), "int64"),
    "row at the threshold": _case(_ramp(10), threshold=10, dtype="int64"),
    "big matrix": _case(_ramp(60, 50) / 7),
    "tall matrix": _case(_ramp(600, 2)),
    "big cube": _case(_ramp(11, 10, 12), "int32"),
    "big complex matrix": _case(_ramp(40, 30) * (1 - 2j), "complex64"),
    "wide rows wrapped in a summary": _case(_ramp(4, 300) / 1.5, linewidth=40),
    "nothing cut above the threshold": _case(_ramp(6, 6, 6, 6), "int64"),
    "hidden values do not count": _case(np.where(_ramp(2000) == 1000, 1e30, 1.0)),
    "edgeitems 1": _case(_ramp(9, 9), edgeitems=1, threshold=5),
    "edgeitems 0": _case(_ramp(9, 9), edgeitems=0, threshold=5),
    "edgeitems 0 below the threshold": _case(_ramp(2), edgeitems=0),
    "profile full": _case(_ramp(1100) % 7, "int64", profile="full"),
    "big bfloat16": _case(_ramp(40, 40) / 3, "bfloat16"),
    # empty
    "empty": _case([]),
    "empty int64": _case([], "int64"),
    "empty matrix": _case(np.zeros((0, 3)), "int64"),
    "empty cube": _case(np.zeros((2, 0, 3))),
    "empty bool": _case([], "bool"),
    "empty complex": _case([], "complex64"),
    # suffixes
    "requires_grad": _case([1.5], facts={"requires_grad": True}),
    "grad_fn": _case([1.5], facts={"grad_fn_name": "AddBackward0", "requires_grad": True}),
    "grad_fn and dtype": _case([1.5], "float64", {"grad_fn_name": "MulBackward0"}),
    "device": _case([1.5], facts={"device": "cpu"}),
    "device, size and dtype": _case(np.zeros((0, 3)), "int32", {"device": "cpu"}),
    "suffix that just fits": _case(_ramp(9), facts={"grad_fn_name": "LogicalNotEqualBackward"}),
    "suffix one too long": _case(_ramp(9), facts={"grad_fn_name": "LogicalNotEqualsBackward"}),
    "suffix that just fits behind a wrapped one": _case(_ramp(8), "float16", {"device": "cpu"}, linewidth=40),
    "suffixes on two lines": _case(_ramp(20), "float16", {"device": "cpu", "grad_fn_name": "NativeLayerNormBackward0"}, linewidth=40),
    "default float64": _case([1.5], "float64", {"default_dtype": dt.float64}),
    "float32 under float64": _case([1.5], "float32", {"default_dtype": dt.float64}),
    "complex128 under float64": _case([1.5j], "complex128", {"default_dtype": dt.float64}),
    "complex64 under float16": _case([1.5j], "complex64", {"default_dtype": dt.float16}),
    "parameter": _case([[1.5, 2], [3, 4]], facts={"prefix": PARAMETER, "requires_grad": True}),
    "parameter of one line": _case(_ramp(11) / 4, facts={"prefix": PARAMETER, "requires_grad": True}),
    "subclass": _case(_ramp(2, 2), facts={"prefix": "Masked("}),
    "meta": Case(None, dt.float32, {"shape": (2, 3), "device": "meta"}),
    "meta int64": Case(None, dt.int64, {"shape": (), "device": "meta"}),
}

_PRINTABLE = [d for d in dt.DTYPES if d is dt.BY_NUMPY.get(d.numpy)]  # not those that are held in another dtype
_FLOAT_MAKERS = [
    lambda rng, n: rng.standard_normal(n),
    lambda rng, n: rng.integers(-20, 20, n),
    lambda rng, n: rng.integers(-10**6, 10**6, n) * 10.0 ** rng.integers(0, 6),
    lambda rng, n: rng.standard_normal(n) * 10.0 ** rng.integers(-9, 9),
    lambda rng, n: rng.standard_normal(n) * 10.0 ** rng.integers(-3, 3, n),
    lambda rng, n: rng.standard_normal(n) * 10.0 ** rng.integers(-300, 300, n),
    lambda rng, n: np.ones(n),
    lambda rng, n: np.zeros(n),
    lambda rng, n: rng.choice([1.0, 1000.0, 0.5, 500.0, 1e8, 1e-4, 1e5, 999.9999, 9.99995, -0.0], n),
]


def random_case(rng: np.random.Generator) -> Case:
    """A tensor of any dtype, magnitude and small shape, under options and facts drawn at random."""
    d = _PRINTABLE[rng.integers(len(_PRINTABLE))]
    shape = tuple(rng.integers(0 if rng.random() < 0.1 else 1, 8, rng.integers(0, 5)).tolist())
    if rng.random() < 0.25:
        shape = (int(rng.integers(1, 90)),)
    return Case(_random_array(rng, d, shape), d, _random_facts(rng, d), _random_options(rng))


def _random_array(rng: np.random.Generator, d: dt.dtype, shape: tuple[int, ...]) -> np.ndarray:
    n = math.prod(shape)
    with np.errstate(all="ignore"):
        if not d.is_floating_point and not d.is_complex:
            shift = rng.integers(0, 64)
            return (rng.integers(-2**63, 2**63 - 1, n) >> shift).astype(d.numpy).reshape(shape)
        if rng.random() < 0.1:  # any bits at all: subnormals, nan payloads
            return np.frombuffer(rng.bytes(n * d.itemsize), d.numpy).reshape(shape)
        values = _random_floats(rng, n)
        if d.is_complex:
            values = values + 1j * _random_floats(rng, n)
        return values.astype(d.numpy).reshape(shape)


def _random_floats(rng: np.random.Generator, n: int) -> np.ndarray:
    values = np.asarray(_FLOAT_MAKERS[rng.integers(len(_FLOAT_MAKERS))](rng, n), np.float64)
    if rng.random() < 0.3:
        special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], n)
        values = np.where(rng.random(n) < rng.random(), special, values)
    return values


def _random_facts(rng: np.random.Generator, d: dt.dtype) -> dict:
    facts: dict = {}
    if rng.random() < 0.2:
        facts["device"] = "cpu"
    if rng.random() < 0.2:
        facts["default_dtype"] = [dt.float16, dt.float32, dt.float64, dt.bfloat16][rng.integers(4)]
    if (d.is_complex or d.is_floating_point) and d.name[:6] != "float8" and rng.random() < 0.4:
        facts["requires_grad"] = True
        if rng.random() < 0.5:
            facts["grad_fn_name"] = "N" * int(rng.integers(1, 30)) + "Backward0"
        elif rng.random() < 0.3:
            facts["prefix"] = PARAMETER
    if "prefix" not in facts and rng.random() < 0.1:
        facts["prefix"] = "S" * int(rng.integers(1, 20)) + "("
    return facts


def _random_options(rng: np.random.Generator) -> dict:
    values: dict = {}
    if rng.random() < 0.4:
        values["precision"] = int(rng.integers(0, 9))
    if rng.random() < 0.6:
        values["threshold"] = int(rng.choice([0, 1, 5, 20, 60]))
        values["edgeitems"] = int(rng.integers(0, 5))
    if rng.random() < 0.5:
        values["linewidth"] = int(rng.integers(1, 150))
    if rng.random() < 0.3:
        values["sci_mode"] = bool(rng.integers(2))
    if rng.random() < 0.2:
        values["profile"] = str(rng.choice(["default", "short", "full"]))
    return values
