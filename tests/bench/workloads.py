"""The workloads as a user of torch writes them: `WORKLOADS[name](torch)` gives `step()`, one unit of work that ends in reading its result.

The module is an argument: torchish, torch, or torch with `compiled` set to torch.compile.
"""
from __future__ import annotations

from collections.abc import Callable

from . import data

WORKLOADS: dict[str, Callable] = {}
compiled: Callable = lambda f: f


def workload(*names: str):
    """Enter `build(torch, name)` under each name."""
    def enter(build):
        for name in names:
            WORKLOADS[name] = lambda torch, name=name: build(torch, name)
        return build
    return enter


def loaded(torch, net, tag: str):
    """`net` with the shared initial weights."""
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(torch.tensor(data.weight(tag, name, tuple(p.shape))))
    return net


def training(torch, net, x, y, optimizer: tuple, loss_of: Callable) -> Callable:
    """The usual training step."""
    kind, options = optimizer
    optimizer, run = getattr(torch.optim, kind)(net.parameters(), **options), compiled(net)

    def step():
        optimizer.zero_grad()
        loss = loss_of(run(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def mlp(torch, tag: str, widths: tuple, activation: str = "ReLU"):
    """Linear layers with activations in between."""
    nn, layers = torch.nn, []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), getattr(nn, activation)()]
    return loaded(torch, nn.Sequential(*layers[:-1]), tag)


def images(torch, tag: str, *shape: int):
    """Inputs and ten classes."""
    return torch.tensor(data.normal(tag + "/x", *shape)), torch.tensor(data.ints(tag + "/y", 10, shape[0]))


# ---------------------------------------------------------------- training
@workload("seed")
def seed(torch, name):
    @compiled
    def f(x):
        y = x + 2
        return (y * y * 3).mean()

    def step():
        x = torch.ones(2, 2, requires_grad=True)
        out = f(x)
        out.backward()
        return out.item(), x.grad.sum().item()
    return step


@workload("mlp_tiny", "mlp_mnist", "mlp_deep", "mlp_big")
def perceptron(torch, name):
    batch, widths, optimizer = data.MLPS[name]
    return training(torch, mlp(torch, name, widths), *images(torch, name, batch, widths[0]), optimizer, torch.nn.functional.cross_entropy)


@workload("cnn")
def cnn(torch, name):
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))
    return training(torch, loaded(torch, net, name), *images(torch, name, 16, 1, 28, 28), ("Adadelta", {"lr": 1.0}), nn.functional.cross_entropy)


@workload("resnet")
def resnet(torch, name):
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
            self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
            self.short = nn.Sequential() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

        def forward(self, x):
            y = F.relu(self.norm1(self.conv1(x)))
            return F.relu(self.norm2(self.conv2(y)) + self.short(x))
    blocks = [Block(*b) for b in data.BLOCKS]
    net = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    optimizer = ("SGD", {"lr": 0.02, "momentum": 0.9})
    return training(torch, loaded(torch, net, name), *images(torch, name, 8, 3, 32, 32), optimizer, F.cross_entropy)


def gpt(torch, name: str):
    """A small transformer decoder."""
    nn, F = torch.nn, torch.nn.functional
    _, time, width, layers, heads = data.GPTS[name]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.qkv, self.project = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.norm2, self.grow, self.shrink = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            q, k, v = [part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1)]
            x = x + self.project(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
            return x + self.shrink(F.gelu(self.grow(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(data.VOCABULARY, width), nn.Embedding(time, width)
            self.blocks = nn.ModuleList([Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, data.VOCABULARY)

        def forward(self, tokens):
            x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))
    return loaded(torch, GPT(), name)


def text(torch, name: str, part: str):
    """Token numbers (batch, time)."""
    batch, time = data.GPTS[name][:2]
    return torch.tensor(data.ints(f"{name}/{part}", data.VOCABULARY, batch, time))


@workload(*data.GPTS)
def gpt_training(torch, name):
    def loss(logits, y):
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
    return training(torch, gpt(torch, name), text(torch, name, "x"), text(torch, name, "y"), ("AdamW", {"lr": 1e-3}), loss)


@workload("rnn_loop", "lstm")
def recurrent(torch, name):
    nn, (batch, time, inputs, hidden) = torch.nn, data.RECURRENT

    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.inward, self.again, self.out = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 10)

        def forward(self, x):
            h = torch.zeros(batch, hidden)
            for t in range(time):
                h = torch.tanh(self.inward(x[:, t]) + self.again(h))
            return self.out(h)

    class LSTM(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.out = nn.LSTM(inputs, hidden, batch_first=True), nn.Linear(hidden, 10)

        def forward(self, x):
            return self.out(self.lstm(x)[0][:, -1])
    net = loaded(torch, (Loop if name == "rnn_loop" else LSTM)(), name)
    return training(torch, net, *images(torch, name, batch, time, inputs), ("SGD", {"lr": 0.05}), nn.functional.cross_entropy)


@workload("varshape")
def varshape(torch, name):
    batch, widths, optimizer = data.MLPS[name]
    x, y = images(torch, name, batch, widths[0])
    net = mlp(torch, name, widths)
    steps = [training(torch, net, x[:n], y[:n], optimizer, torch.nn.functional.cross_entropy) for n in range(1, batch + 1)]
    return lambda: sum([step() for step in steps]) / batch


# ---------------------------------------------------------------- gradients of gradients
def penalty_net(torch):
    batch, widths, optimizer = data.MLPS["penalty"]
    return compiled(mlp(torch, "penalty", widths, "Tanh")), torch.tensor(data.normal("penalty/x", batch, widths[0])), optimizer


@workload("gradient_penalty")
def gradient_penalty(torch, name):
    net, x, (kind, options) = penalty_net(torch)
    x.requires_grad_()
    optimizer = getattr(torch.optim, kind)(net.parameters(), **options)

    def step():
        optimizer.zero_grad()
        out = net(x)
        slope, = torch.autograd.grad(out.sum(), x, create_graph=True)
        loss = out.mean() + 10 * ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


@workload("hessian_vector")
def hessian_vector(torch, name):
    net, x, _ = penalty_net(torch)
    params = list(net.parameters())
    vectors = [torch.tensor(data.weight("direction", str(i), tuple(p.shape))) for i, p in enumerate(params)]

    def step():
        loss = (net(x) ** 2).mean()
        gradients = torch.autograd.grad(loss, params, create_graph=True)
        products = torch.autograd.grad(sum([(g * v).sum() for g, v in zip(gradients, vectors)]), params)
        return loss.item(), sum([(h * h).sum() for h in products]).item()
    return step


# ---------------------------------------------------------------- operations
@workload("elementwise")
def elementwise(torch, name):
    x = torch.tensor(data.normal(name, 1_000_000)).requires_grad_()

    @compiled
    def f(x):
        for _ in range(10):
            x = torch.tanh(x) * 1.1 + 0.1
        return x.sum()

    def step():
        x.grad = None
        out = f(x)
        out.backward()
        return out.item(), x.grad.sum().item()
    return step


@workload(*data.CHAINS)
def chain(torch, name):
    x, w, b = [torch.tensor(data.uniform(f"chain/{k}", low, high, 8, 8)) for k, low, high in (("x", 1, 2), ("w", 1.005, 1.01), ("b", 0.01, 0.02))]
    leaves = [a.requires_grad_() for a in (x, w, 1 / w, b)]

    @compiled
    def f(x, w, v, b):
        for _ in range(data.CHAINS[name] // 5):
            x = (torch.relu(x * w + b) - b) * v
        return x.mean()

    def step():
        for leaf in leaves:
            leaf.grad = None
        out = f(*leaves)
        out.backward()
        return out.item(), leaves[0].grad.sum().item(), leaves[1].grad.sum().item()
    return step


@workload("views")
def views(torch, name):
    x, w = [torch.tensor(a).requires_grad_() for a in (data.normal("views/x", 64, 33), data.normal("views/w", 33))]

    @compiled
    def f(x, w):
        y = x.clone()
        for i in range(1, 33):
            y[:, i] += torch.tanh(y[:, i - 1]) * w[i]
        return (y * y).mean()

    def step():
        x.grad = w.grad = None
        out = f(x, w)
        out.backward()
        return out.item(), x.grad.abs().sum().item(), w.grad.abs().sum().item()
    return step


@workload("add_100", "mixed_100", "reads")
def without_gradients(torch, name):
    size = 64 if name == "mixed_100" else 4
    x, w = torch.tensor(data.normal("ops/x", size, size)), torch.tensor(data.normal("ops/w", size, size) / 8)

    @compiled
    def add(x, w):
        for _ in range(100):
            x = x + w
        return x.sum()

    @compiled
    def mixed(x, w):
        for _ in range(20):
            x = (torch.tanh(x @ w + w[0]) * 0.9).transpose(0, 1)
        return x.mean()

    @compiled
    def once(x, w):
        return (x + w).sum()
    run, times = {"add_100": (add, 1), "mixed_100": (mixed, 1), "reads": (once, 20)}[name]

    def step():
        with torch.no_grad():
            return sum([run(x, w).item() for _ in range(times)])
    return step


@workload("infer_mlp", "infer_gpt")
def inference(torch, name):
    if name == "infer_mlp":
        batch, widths, _ = data.MLPS["mlp_mnist"]
        net, x = mlp(torch, "mlp_mnist", widths), images(torch, "mlp_mnist", batch, widths[0])[0]
    else:
        net, x = gpt(torch, "gpt_medium"), text(torch, "gpt_medium", "x")
    run = compiled(net.eval())

    def step():
        with torch.no_grad():
            return run(x).abs().sum().item()
    return step
