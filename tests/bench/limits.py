"""The same steps by hand: each one `jax.jit` program with donated buffers, what a perfect capture of the torch step would run."""
from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from . import data

LIMITS: dict[str, Callable] = {}


def limit(*names: str):
    """Enter `build(name)` under each name."""
    def enter(build):
        for name in names:
            LIMITS[name] = lambda name=name: build(name)
        return build
    return enter


# ---------------------------------------------------------------- training
def start(optimizer: tuple, params: dict):
    """The optimizer's first state."""
    kind, options = optimizer
    zeros = jax.tree.map(jnp.zeros_like, params)
    if kind == "SGD":
        return zeros if options.get("momentum") else ()
    return (zeros, jax.tree.map(jnp.zeros_like, params), jnp.float32(0))


def advance(optimizer: tuple, params: dict, gradients: dict, state):
    """New parameters and state, as torch defines SGD, Adadelta, Adam and AdamW."""
    kind, options = optimizer
    lr, over = options["lr"], jax.tree.map
    if kind == "SGD":
        if options.get("momentum"):
            gradients = state = over(lambda m, g: options["momentum"] * m + g, state, gradients)
        return over(lambda p, g: p - lr * g, params, gradients), state
    first, second, count = state
    if kind == "Adadelta":
        first = over(lambda s, g: 0.9 * s + 0.1 * g * g, first, gradients)
        steps = over(lambda s, a, g: jnp.sqrt(a + 1e-6) / jnp.sqrt(s + 1e-6) * g, first, second, gradients)
        second = over(lambda a, d: 0.9 * a + 0.1 * d * d, second, steps)
        return over(lambda p, d: p - lr * d, params, steps), (first, second, count)
    count = count + 1
    first = over(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = over(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    size, root = lr / (1 - 0.9**count), 1 / jnp.sqrt(1 - 0.999**count)
    keep = 1 - lr * 0.01 if kind == "AdamW" else 1.0
    return over(lambda p, m, v: p * keep - size * m / (jnp.sqrt(v) * root + 1e-8), params, first, second), (first, second, count)


def cross_entropy(logits, y):
    """Mean over rows. A product with one-hot rows: its gradient is element-wise, where a gather's is a scatter."""
    return -(jax.nn.log_softmax(logits) * jax.nn.one_hot(y, logits.shape[-1])).sum(-1).mean()


def training(params: dict, optimizer: tuple, loss: Callable, *inputs) -> Callable:
    """A step of `loss(params, *inputs)`: one donated call and one read."""
    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def run(params, state, *inputs):
        value, gradients = jax.value_and_grad(loss)(params, *inputs)
        return *advance(optimizer, params, gradients, state), value
    params = jax.tree.map(jnp.asarray, params)
    kept = [params, start(optimizer, params)]
    inputs = [jnp.asarray(a) for a in inputs]

    def step():
        kept[0], kept[1], value = run(*kept, *inputs)
        return float(value)
    return step


def linear(params: dict, name: str, x):
    return x @ params[f"{name}.weight"].T + params[f"{name}.bias"]


def mlp(params: dict, x, activation=jax.nn.relu):
    for i in range(0, len(params), 2):
        x = linear(params, str(i), x if i == 0 else activation(x))
    return x


def images(tag: str, *shape: int) -> tuple:
    return data.normal(tag + "/x", *shape), data.ints(tag + "/y", 10, shape[0])


@limit("seed")
def seed(name):
    @jax.jit
    def run(x):
        value, g = jax.value_and_grad(lambda x: ((x + 2) * (x + 2) * 3).mean())(x)
        return value, g, g.sum()
    x = np.ones((2, 2), np.float32)

    def step():
        value, _, total = run(x)
        return float(value), float(total)
    return step


@limit("mlp_tiny", "mlp_mnist", "mlp_deep", "mlp_big")
def perceptron(name):
    batch, widths, optimizer = data.MLPS[name]
    x, y = images(name, batch, widths[0])
    return training(data.weights(name, data.mlp_shapes(widths)), optimizer, lambda p, x, y: cross_entropy(mlp(p, x), y), x, y)


def convolve(params: dict, name: str, x, stride: int = 1, pad: int = 0):
    """With channels last, which XLA's CPU convolutions want."""
    w = params[f"{name}.weight"].transpose(2, 3, 1, 0)
    return lax.conv_general_dilated(x, w, (stride, stride), ((pad, pad),) * 2, dimension_numbers=("NHWC", "HWIO", "NHWC"))


@limit("cnn")
def cnn(name):
    shapes = {"0": (32, 1, 3, 3), "2": (64, 32, 3, 3), "6": (128, 9216), "8": (10, 128)}
    shapes = {f"{n}.{kind}": s if kind == "weight" else s[:1] for n, s in shapes.items() for kind in ("weight", "bias")}

    def loss(p, x, y):
        x = jax.nn.relu(convolve(p, "0", x.transpose(0, 2, 3, 1)) + p["0.bias"])
        x = jax.nn.relu(convolve(p, "2", x) + p["2.bias"])
        x = x.reshape(16, 12, 2, 12, 2, 64).max((2, 4)).transpose(0, 3, 1, 2).reshape(16, -1)
        return cross_entropy(linear(p, "8", jax.nn.relu(linear(p, "6", x))), y)
    return training(data.weights(name, shapes), ("Adadelta", {"lr": 1.0}), loss, *images(name, 16, 1, 28, 28))


@limit("resnet")
def resnet(name):
    shapes = {"0.weight": (16, 3, 3, 3), "6.weight": (10, 64), "6.bias": (10,)}
    for i, (a, b, stride) in enumerate(data.BLOCKS, 1):
        shapes |= {f"{i}.conv1.weight": (b, a, 3, 3), f"{i}.conv2.weight": (b, b, 3, 3)}
        shapes |= {f"{i}.norm{n}.{kind}": (b,) for n in (1, 2) for kind in ("weight", "bias")}
        if stride > 1:
            shapes[f"{i}.short.weight"] = (b, a, 1, 1)

    def norm(p, name, x):
        mean = x.mean((0, 1, 2))
        variance = jnp.maximum((x * x).mean((0, 1, 2)) - mean * mean, 0)
        scale = lax.rsqrt(variance + 1e-5) * p[f"{name}.weight"]
        return x * scale + (p[f"{name}.bias"] - mean * scale), (mean, variance)

    def loss(p, x, y):
        statistics = []
        x = convolve(p, "0", x.transpose(0, 2, 3, 1), 1, 1)
        for i, (_, _, stride) in enumerate(data.BLOCKS, 1):
            z, s1 = norm(p, f"{i}.norm1", convolve(p, f"{i}.conv1", x, stride, 1))
            z, s2 = norm(p, f"{i}.norm2", convolve(p, f"{i}.conv2", jax.nn.relu(z), 1, 1))
            x = jax.nn.relu(z + (convolve(p, f"{i}.short", x, stride) if stride > 1 else x))
            statistics += [s1, s2]
        return cross_entropy(linear(p, "6", x.mean((1, 2))), y), statistics
    optimizer = ("SGD", {"lr": 0.02, "momentum": 0.9})

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def run(params, state, running, x, y):
        (value, new), gradients = jax.value_and_grad(loss, has_aux=True)(params, x, y)
        running = jax.tree.map(lambda r, s: 0.9 * r + 0.1 * s, running, new)
        return *advance(optimizer, params, gradients, state), running, value
    params = jax.tree.map(jnp.asarray, data.weights(name, shapes))
    x, y = map(jnp.asarray, images(name, 8, 3, 32, 32))
    running = [(jnp.zeros(b), jnp.ones(b)) for _, b, _ in data.BLOCKS for _ in range(2)]
    kept = [params, start(optimizer, params), running]

    def step():
        *kept[:], value = run(*kept, x, y)
        return float(value)
    return step


def gpt(params: dict, tokens, layers: int, heads: int):
    """Logits (batch * time, vocabulary). Tokens stay flat: weight gradients of three-dimensional products are slower."""
    batch, time = tokens.shape
    width = params["places.weight"].shape[1]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * params[f"{name}.weight"] + params[f"{name}.bias"]
    x = (params["tokens.weight"][tokens] + params["places.weight"]).reshape(-1, width)
    for i in range(layers):
        b = f"blocks.{i}."
        q, k, v = linear(params, b + "qkv", norm(b + "norm1", x)).reshape(batch, time, 3, heads, -1).transpose(2, 0, 1, 3, 4)
        scores = jnp.einsum("bthd,bshd->bhts", q, k) / np.float32(np.sqrt(width // heads))
        scores = jax.nn.softmax(jnp.where(np.tril(np.ones((time, time), bool)), scores, -jnp.inf), -1)
        x = x + linear(params, b + "project", jnp.einsum("bhts,bshd->bthd", scores, v).reshape(-1, width))
        x = x + linear(params, b + "shrink", jax.nn.gelu(linear(params, b + "grow", norm(b + "norm2", x)), approximate=False))
    return linear(params, "head", norm("norm", x))


def text(name: str, part: str):
    batch, time = data.GPTS[name][:2]
    return data.ints(f"{name}/{part}", data.VOCABULARY, batch, time)


@limit(*data.GPTS)
def gpt_training(name):
    _, time, width, layers, heads = data.GPTS[name]

    def loss(p, x, y):
        return cross_entropy(gpt(p, x, layers, heads), y.reshape(-1))
    return training(data.weights(name, data.gpt_shapes(time, width, layers)), ("AdamW", {"lr": 1e-3}), loss, text(name, "x"), text(name, "y"))


@limit("rnn_loop", "lstm")
def recurrent(name):
    """The products of all inputs at once before the loop, which no capture of the torch loop would do."""
    batch, time, inputs, hidden = data.RECURRENT
    loop, gates = name == "rnn_loop", 1 if name == "rnn_loop" else 4
    inward, again = [("inward.weight", "inward.bias"), ("again.weight", "again.bias")] if loop else \
        [(f"lstm.weight_{k}_l0", f"lstm.bias_{k}_l0") for k in ("ih", "hh")]
    shapes = {inward[0]: (gates * hidden, inputs), again[0]: (gates * hidden, hidden), inward[1]: (gates * hidden,), again[1]: (gates * hidden,),
              "out.weight": (10, hidden), "out.bias": (10,)}

    def loss(p, x, y):
        xs = (x @ p[inward[0]].T + (p[inward[1]] + p[again[1]])).transpose(1, 0, 2)

        def cell(state, a):
            h, c = state
            a = a + h @ p[again[0]].T
            if loop:
                return (jnp.tanh(a), c), None
            i, f, g, o = jnp.split(a, 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None
        zeros = jnp.zeros((batch, hidden))
        (h, _), _ = lax.scan(cell, (zeros, zeros), xs, unroll=5 if loop else 1)
        return cross_entropy(linear(p, "out", h), y)
    return training(data.weights(name, shapes), ("SGD", {"lr": 0.05}), loss, *images(name, batch, time, inputs))


@limit("varshape")
def varshape(name):
    batch, widths, optimizer = data.MLPS[name]

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def run(params, state, x, y):
        value, gradients = jax.value_and_grad(lambda p: cross_entropy(mlp(p, x), y))(params)
        return *advance(optimizer, params, gradients, state), value
    params = jax.tree.map(jnp.asarray, data.weights(name, data.mlp_shapes(widths)))
    kept, (x, y) = [params, start(optimizer, params)], images(name, batch, widths[0])

    def step():
        total = 0.0
        for n in range(1, batch + 1):
            kept[0], kept[1], value = run(*kept, x[:n], y[:n])
            total += float(value)
        return total / batch
    return step


# ---------------------------------------------------------------- gradients of gradients
def penalty_net() -> tuple:
    batch, widths, optimizer = data.MLPS["penalty"]
    return data.weights("penalty", data.mlp_shapes(widths)), data.normal("penalty/x", batch, widths[0]), optimizer


@limit("gradient_penalty")
def gradient_penalty(name):
    params, x, optimizer = penalty_net()

    def loss(p, x):
        out, pull = jax.vjp(lambda x: mlp(p, x, jnp.tanh), x)
        slope, = pull(jnp.ones_like(out))
        return out.mean() + 10 * ((jnp.sqrt((slope * slope).sum(1)) - 1) ** 2).mean()
    return training(params, optimizer, loss, x)


@limit("hessian_vector")
def hessian_vector(name):
    params, x, _ = penalty_net()
    vectors = {k: data.weight("direction", str(i), a.shape) for i, (k, a) in enumerate(params.items())}

    @jax.jit
    def run(p, v, x):
        (value, _), (_, products) = jax.jvp(jax.value_and_grad(lambda p: (mlp(p, x, jnp.tanh) ** 2).mean()), (p,), (v,))
        return value, products, sum([(h * h).sum() for h in products.values()])
    operands = [jax.tree.map(jnp.asarray, a) for a in (params, vectors, x)]

    def step():
        value, _, total = run(*operands)
        return float(value), float(total)
    return step


# ---------------------------------------------------------------- operations
def gradients(f: Callable, operands: list, results: Callable) -> Callable:
    """A step that reads f's value and `results(gradients)`."""
    @jax.jit
    def run(*operands):
        value, g = jax.value_and_grad(f, tuple(range(len(operands))))(*operands)
        return value, g, results(g)
    operands = [jnp.asarray(a) for a in operands]

    def step():
        value, _, more = run(*operands)
        return float(value), *map(float, more)
    return step


@limit("elementwise")
def elementwise(name):
    def f(x):
        for _ in range(10):
            x = jnp.tanh(x) * 1.1 + 0.1
        return x.sum()
    return gradients(f, [data.normal(name, 1_000_000)], lambda g: [g[0].sum()])


@limit(*data.CHAINS)
def chain(name):
    """As a loop: unrolled, XLA takes many seconds to compile it and runs it slower."""
    x, w, b = [data.uniform(f"chain/{k}", low, high, 8, 8) for k, low, high in (("x", 1, 2), ("w", 1.005, 1.01), ("b", 0.01, 0.02))]

    def f(x, w, v, b):
        return lax.scan(lambda x, _: ((jax.nn.relu(x * w + b) - b) * v, None), x, None, length=data.CHAINS[name] // 5)[0].mean()
    return gradients(f, [x, w, 1 / w, b], lambda g: [g[0].sum(), g[1].sum()])


@limit("views")
def views(name):
    def f(x, w):
        columns = [x[:, 0]]
        for i in range(1, 33):
            columns.append(x[:, i] + jnp.tanh(columns[-1]) * w[i])
        return (jnp.stack(columns, 1) ** 2).mean()
    return gradients(f, [data.normal("views/x", 64, 33), data.normal("views/w", 33)], lambda g: [jnp.abs(a).sum() for a in g])


@limit("add_100", "mixed_100", "reads")
def without_gradients(name):
    size = 64 if name == "mixed_100" else 4

    def add(x, w):
        for _ in range(100):
            x = x + w
        return x.sum()

    def mixed(x, w):
        for _ in range(20):
            x = (jnp.tanh(x @ w + w[0]) * 0.9).T
        return x.mean()
    run = jax.jit({"add_100": add, "mixed_100": mixed, "reads": lambda x, w: (x + w).sum()}[name])
    x, w = jnp.asarray(data.normal("ops/x", size, size)), jnp.asarray(data.normal("ops/w", size, size) / 8)
    return lambda: sum([float(run(x, w)) for _ in range(20 if name == "reads" else 1)])


@limit("infer_mlp", "infer_gpt")
def inference(name):
    if name == "infer_mlp":
        batch, widths, _ = data.MLPS["mlp_mnist"]
        params, x, f = data.weights("mlp_mnist", data.mlp_shapes(widths)), data.normal("mlp_mnist/x", batch, widths[0]), mlp
    else:
        _, time, width, layers, heads = data.GPTS["gpt_medium"]
        params, x = data.weights("gpt_medium", data.gpt_shapes(time, width, layers)), text("gpt_medium", "x")
        f = functools.partial(gpt, layers=layers, heads=heads)

    @jax.jit
    def run(p, x):
        out = f(p, x)
        return out, jnp.abs(out).sum()
    params, x = jax.tree.map(jnp.asarray, params), jnp.asarray(x)
    return lambda: float(run(params, x)[1])
