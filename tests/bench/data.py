"""Sizes, inputs and initial weights of the workloads, the same for every module: each array is a function of its name alone."""
from __future__ import annotations

import math
import zlib

import numpy as np

MLPS = {  # batch, widths, optimizer
    "mlp_tiny": (8, (16, 32, 32, 10), ("SGD", {"lr": 0.01})),
    "mlp_mnist": (64, (784, 256, 256, 10), ("SGD", {"lr": 0.01, "momentum": 0.9})),
    "mlp_deep": (4, (8,) * 21 + (10,), ("SGD", {"lr": 0.01})),
    "mlp_big": (128, (784, 1024, 1024, 1024, 10), ("Adam", {"lr": 1e-3})),
    "varshape": (64, (32, 64, 64, 10), ("SGD", {"lr": 0.01, "momentum": 0.9})),
    "penalty": (32, (16, 64, 64, 1), ("Adam", {"lr": 1e-3})),
}
GPTS = {"gpt_small": (4, 32, 64, 2, 4), "gpt_medium": (8, 64, 128, 4, 4), "gpt_large": (8, 128, 256, 4, 8)}  # batch, time, width, layers, heads
VOCABULARY = 65
RECURRENT = (16, 50, 32, 64)  # batch, time, inputs, hidden
CHAINS = {"chain_100": 100, "chain_1000": 1000}
BLOCKS = ((16, 16, 1), (16, 32, 2), (32, 64, 2))  # of the residual net: channels in, out, stride


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(name: str, *shape: int) -> np.ndarray:
    """Standard normal float32."""
    return _generator(name).standard_normal(shape).astype(np.float32)


def uniform(name: str, low: float, high: float, *shape: int) -> np.ndarray:
    """Uniform float32 in [low, high)."""
    return _generator(name).uniform(low, high, shape).astype(np.float32)


def ints(name: str, high: int, *shape: int) -> np.ndarray:
    """int64 in [0, high)."""
    return _generator(name).integers(0, high, shape)


def weight(net: str, name: str, shape: tuple) -> np.ndarray:
    """The first value of a net's parameter: scaled by its fan-in, norms near one, biases near zero."""
    if len(shape) > 1:
        return normal(f"{net}/{name}", *shape) / math.sqrt(math.prod(shape[1:]))
    return uniform(f"{net}/{name}", -0.05, 0.05, *shape) + np.float32("norm" in name and name.endswith("weight"))


def mlp_shapes(widths: tuple) -> dict:
    """Parameters of Sequential(Linear, activation, Linear, ...)."""
    pairs = list(zip(widths, widths[1:]))
    return {f"{2 * i}.{kind}": shape for i, (a, b) in enumerate(pairs) for kind, shape in (("weight", (b, a)), ("bias", (b,)))}


def gpt_shapes(time: int, width: int, layers: int) -> dict:
    """Parameters of the transformer."""
    def linear(name, inputs, outputs):
        return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}

    def norm(name):
        return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    shapes = {"tokens.weight": (VOCABULARY, width), "places.weight": (time, width)}
    for i in range(layers):
        b = f"blocks.{i}."
        shapes |= norm(b + "norm1") | linear(b + "qkv", width, 3 * width) | linear(b + "project", width, width)
        shapes |= norm(b + "norm2") | linear(b + "grow", width, 4 * width) | linear(b + "shrink", 4 * width, width)
    return shapes | norm("norm") | linear("head", width, VOCABULARY)


def weights(net: str, shapes: dict) -> dict:
    """All of a net's parameters by name."""
    return {name: weight(net, name, shape) for name, shape in shapes.items()}
