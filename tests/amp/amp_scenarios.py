"""autocast and GradScaler on the CPU: what is cast, what comes back, how the scale moves, what is refused."""

from __future__ import annotations

import warnings
from typing import Any

from scenario_tools import message, plain

LOWERED = """x @ w | t.mm(x, w) | t.matmul(x, w) | F.linear(x, w, x[0]) | t.addmm(x, x, w) | t.bmm(x[None], w[None])
t.baddbmm(x[None], x[None], w[None])
F.conv2d(image, kernel) | F.conv_transpose2d(image, kernel) | t.einsum('ij,jk', x, w) | t.linalg.multi_dot([x, w]) | t.tensordot(x, w, 1)
t.inner(x, x) | F.prelu(x, w[0, :1]) | F.scaled_dot_product_attention(x[None], x[None], x[None]) | x.matmul(w) | x.bfloat16() @ w
t.nn.Linear(3, 2)(x) | t.nn.MultiheadAttention(3, 1)(x, x, x)[0] | t.linalg.vecdot(x, x)""".replace("\n", " | ").split(" | ")
SINGLE = """F.mse_loss(h, h) | F.cross_entropy(h, c) | F.l1_loss(h, h) | F.smooth_l1_loss(h, h) | F.binary_cross_entropy_with_logits(h, h) | t.prod(h)
t.cdist(h, h) | F.kl_div(h, h, reduction='sum') | t.quantile(h.float(), 0.5) | t.trace(h) | t.linalg.inv(h.float() + 5 * t.eye(3))
F.multi_margin_loss(h, c)""".replace(
    "\n", " | "
).split(" | ")
OTHERS = """x + 1 | x.exp() | F.softmax(h, 1) | F.layer_norm(h, (3,)) | h.sum() | t.cat([h, x]) | t.stack([h, x]) | t.cat([h, h]) | h + x
d @ d | t.mv(w, w[0]) | t.outer(x[0], x[0]) | F.gelu(h) | t.norm(h) | h.pow(2) | t.cumsum(h, 0) | F.embedding(c, x)
t.index_copy(h, 0, c, x[:3])""".replace(
    "\n", " | "
).split(" | ")


def _names(p: Any) -> dict[str, Any]:
    x = (p.arange(9.0).reshape(3, 3) / 4 - 1).requires_grad_()
    return {"t": p, "F": p.nn.functional, "x": x, "w": x.detach().t() * 2, "h": x.detach().bfloat16(), "d": x.detach().double(),
            "c": p.tensor([0, 2, 1]), "image": p.ones(1, 1, 4, 4), "kernel": p.ones(1, 1, 2, 2)}


def _dtype(p: Any, expression: str) -> str:
    made = eval(expression, {}, _names(p))
    return f"{expression}: {made.dtype}".replace("torchish", "torch")


def dtypes(p: Any) -> list[str]:
    with p.autocast("cpu"):
        return [_dtype(p, expression) for expression in (*LOWERED, *SINGLE, *OTHERS)]


def float16(p: Any) -> list[str]:
    with p.autocast(device_type="cpu", dtype=p.float16):
        return [str((p.ones(2, 2) @ p.ones(2, 2)).dtype), str(p.get_autocast_dtype("cpu"))]


def nesting(p: Any) -> list[Any]:
    x = p.ones(2, 2)

    @p.autocast("cpu")
    def product(a: Any) -> Any:
        return a @ a
    out = [p.is_autocast_enabled("cpu"), str(product(x).dtype)]
    with p.autocast("cpu"):
        out += [p.is_autocast_enabled("cpu"), p.is_autocast_enabled(), str((x @ x).dtype)]
        with p.autocast("cpu", enabled=False):
            out += [p.is_autocast_enabled("cpu"), str((x @ x).dtype)]
        out.append(str((x @ x).dtype))
    return [*out, p.is_autocast_enabled("cpu"), str((x @ x).dtype)]


def after_an_error(p: Any) -> list[Any]:
    try:
        with p.autocast("cpu"):
            raise ValueError
    except ValueError:
        return [p.is_autocast_enabled("cpu")]


def gradients(p: Any) -> list[Any]:
    """Parameters stay float32, and so do their gradients."""
    p.manual_seed(0)
    net = p.nn.Sequential(p.nn.Linear(3, 4), p.nn.ReLU(), p.nn.Linear(4, 2))
    with p.autocast("cpu"):
        made = net(p.ones(2, 3))
        loss = p.nn.functional.mse_loss(made, p.zeros(2, 2))
    loss.backward()
    return [str(made.dtype), str(loss.dtype), [str(q.grad.dtype) for q in net.parameters()], round(loss.item(), 2)]


def own_function(p: Any) -> list[Any]:
    class Product(p.autograd.Function):
        @staticmethod
        @p.amp.custom_fwd(device_type="cpu", cast_inputs=p.float32)
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a @ a

        @staticmethod
        @p.amp.custom_bwd(device_type="cpu")
        def backward(ctx: Any, grad: Any) -> Any:
            a, = ctx.saved_tensors
            return grad @ a.t() + a.t() @ grad
    x = p.ones(2, 2, requires_grad=True)
    with p.autocast("cpu"):
        made = Product.apply(x)
    made.sum().backward()
    return [str(made.dtype), str(x.grad.dtype), plain(x.grad)]


def without_a_gpu(p: Any) -> list[Any]:
    """What is said, and that all passes through."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        context, older = p.autocast("cuda"), p.cuda.amp.autocast()
        scalers = [p.amp.GradScaler(), p.cuda.amp.GradScaler(), p.amp.GradScaler("cuda", enabled=False)]
        p.autocast("cpu", dtype=p.float64)
    x = p.ones(2)
    with context, older:
        dtype = str((p.ones(2, 2) @ p.ones(2, 2)).dtype)
    return [[str(each.message) for each in said], dtype, [scaler.is_enabled() for scaler in scalers], scalers[0].scale(x) is x,
            scalers[0].get_scale(), scalers[0].state_dict()]


def refusals(p: Any) -> list[str]:
    scaler = p.amp.GradScaler("cpu")
    optimizer = p.optim.SGD([p.nn.Parameter(p.ones(2))], lr=0.1)
    out = [message(p.autocast, "foo"), message(p.autocast, 3), message(scaler.step, optimizer), message(scaler.update)]
    scaler.scale(p.ones(()))
    out += [message(scaler.step, optimizer), message(scaler.update)]
    optimizer.param_groups[0]["params"][0].grad = p.ones(2)
    scaler = p.amp.GradScaler("cpu")
    scaler.scale(p.ones(()))
    scaler.unscale_(optimizer)
    out.append(message(scaler.unscale_, optimizer))
    scaler.step(optimizer)
    return [*out, message(scaler.unscale_, optimizer), message(scaler.step, optimizer), message(scaler.step, optimizer, closure=None),
            message(p.amp.GradScaler("cpu").load_state_dict, {}), message(p.amp.GradScaler, "cpu", growth_factor=1.0)]


def scaling(p: Any) -> list[Any]:
    """The scale grows after good steps and shrinks after an infinite gradient, whose step is left out; a state dict carries on."""
    weight = p.nn.Parameter(p.tensor([1.0, -2.0]))
    optimizer = p.optim.SGD([weight], lr=0.1)
    scaler = p.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    out: list[Any] = []
    for step in range(5):
        optimizer.zero_grad()
        scaler.scale((weight * weight).sum() * (float("inf") if step == 3 else 1.0)).backward()
        if step == 1:
            scaler.unscale_(optimizer)
            p.nn.utils.clip_grad_norm_([weight], 1.0)
        scaler.step(optimizer)
        scaler.update()
        out.append([scaler.get_scale(), plain(weight)])
    twin = p.amp.GradScaler("cpu")
    twin.load_state_dict(scaler.state_dict())
    scaler.update(3.0)
    return [*out, twin.state_dict(), scaler.get_scale(), plain(twin.scale([p.ones(()), p.ones(1)]))]


SCENARIOS = [dtypes, float16, nesting, after_an_error, gradients, own_function, without_a_gpu, refusals, scaling]
