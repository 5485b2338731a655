"""Custom autograd.Functions under forward mode and torch.func's transforms, as scenarios `f(T) -> tensors and texts`."""

from __future__ import annotations

import functools

from scenario_tools import message, plain


def _functions(T):
    """Functions whose derivatives are told apart: backward gives 10 times, jvp 100 times what is right."""
    class Square(T.autograd.Function):
        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])
            ctx.save_for_forward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x * 10

        @staticmethod
        def jvp(ctx, t):
            (x,) = ctx.saved_tensors
            return t * 2 * x * 100

    class Backward(Square):
        jvp = T.autograd.Function.jvp

    class Old(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_forward(x)
            ctx.factor = factor
            return x * x * factor

        @staticmethod
        def jvp(ctx, t, no):
            (x,) = ctx.saved_tensors
            return t * 2 * x * ctx.factor * 100, no is None

    class Product(T.autograd.Function):
        seen: list = []

        @staticmethod
        def forward(x, y, factor):
            return x * y * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs[:2])
            ctx.factor = inputs[2]

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y * 10 * ctx.factor, g * x * 10 * ctx.factor, None

        @staticmethod
        def vmap(info, in_dims, x, y, factor):
            Product.seen.append([list(info), list(in_dims), list(x.shape), list(y.shape), factor])
            x, y = (t if d is None else t.movedim(d, 0) for t, d in zip((x, y), in_dims))
            return Product.apply(x, y, factor), 0

    class Generated(T.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * x, x.sum()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])

        @staticmethod
        def backward(ctx, g, h):
            (x,) = ctx.saved_tensors
            return g * 2 * x * 10 + h

        @staticmethod
        def jvp(ctx, t):
            return t * 7, t.sum() * 9
    return Square, Backward, Old, Product, Generated


def _data(T):
    return T.tensor([1.0, 2.0, 3.0]), T.tensor([1.0, 1.0, 2.0]), T.arange(6.0).reshape(2, 3)


def _tangents(T, f, x, t):
    ad = T.autograd.forward_ad
    with ad.dual_level():
        made = f(ad.make_dual(x, t))
        return [list(ad.unpack_dual(o)) for o in (made if isinstance(made, tuple) else (made,))]


def forward_mode(T):
    square, backward, old, _, generated = _functions(T)
    x, t, _ = _data(T)
    return [_tangents(T, square.apply, x, t), _tangents(T, lambda d: square.apply(d.sin()) * 2, x, t), _tangents(T, generated.apply, x, t),
            _tangents(T, lambda d: backward.apply(x), x, t), message(_tangents, T, backward.apply, x, t),
            message(_tangents, T, lambda d: old.apply(d, 3.0), x, t)]


def transforms(T):
    square, backward, old, _, generated = _functions(T)
    x, t, _ = _data(T)
    f = T.func
    return [f.jvp(square.apply, (x,), (t,)), f.jvp(generated.apply, (x,), (t,)), f.jacfwd(generated.apply)(x), f.jacrev(generated.apply)(x),
            f.jacrev(square.apply)(x), f.grad(lambda z: square.apply(z).sum())(x), f.linearize(square.apply, x)[1](t),
            f.grad(lambda y: f.grad(lambda z: square.apply(z).sum())(y).sum())(x),
            message(f.jvp, backward.apply, (x,), (t,)), message(f.grad(lambda z: old.apply(z, 3.0).sum()), x),
            message(f.jvp, lambda z: old.apply(z, 3.0), (x,), (t,)), T.autograd.functional.jvp(backward.apply, x, t),
            T.autograd.functional.hvp(lambda z: backward.apply(z).sum(), x, t)]


def vmap_staticmethod(T):
    _, _, _, product, _ = _functions(T)
    x, _, rows = _data(T)
    f, apply = T.func, product.apply
    leaf = rows.clone().requires_grad_()
    out = f.vmap(lambda a, b: apply(a, b, 2.0))(leaf, rows)
    out.sum().backward()
    return [f.vmap(lambda a, b: apply(a, b, 2.0), in_dims=(1, None))(rows, T.tensor([1.0, 10.0])),
            f.vmap(lambda a, b: apply(a.sin(), b, 2.0) + 1)(rows, rows), f.vmap(lambda a: apply(x, x, 2.0) + a)(x),
            f.vmap(f.grad(lambda a, b: apply(a, b, 2.0).sum()))(rows, rows),
            f.grad(lambda a: f.vmap(lambda a, b: apply(a * 1, b, 2.0))(a, rows).sum())(rows),
            f.vmap(f.vmap(lambda a, b: apply(a, b, 2.0)))(rows, rows), out.detach(), type(out.grad_fn).__name__, leaf.grad, product.seen]


def generated_vmap_rule(T):
    _, _, _, _, generated = _functions(T)
    _, _, rows = _data(T)
    f = T.func
    return [f.vmap(generated.apply)(rows), f.vmap(f.jacrev(generated.apply))(rows),
            f.vmap(lambda a, b: f.jvp(generated.apply, (a,), (b,)))(rows, rows)]


def vmap_is_refused(T):
    square, _, old, product, _ = _functions(T)
    x, _, _ = _data(T)

    class Both(product):
        generate_vmap_rule = True

    class Three(square):
        @staticmethod
        def vmap(info, in_dims, x):
            return x, 0, 0
    return [message(T.func.vmap(f), x) for f in (square.apply, lambda z: old.apply(z, 3.0), lambda z: Both.apply(z, z, 2.0), Three.apply)]


def several_results_by_name(T):
    """What max, topk and their kin return goes through the transforms as it is."""
    _, t, rows = _data(T)
    made = [T.func.vmap(lambda r: r.topk(2))(rows), T.func.vmap(lambda r: T.max(r, 0))(rows), T.func.jvp(lambda r: r.topk(2)[0], (t,), (t,))]
    return [[type(m).__name__ for m in made], made]


def checked_operations_under_vmap(T):
    """Operations that check their operands' values, with mapped operands."""
    rows = T.arange(12.0).reshape(6, 2)
    return [T.func.vmap(lambda a, i: a[i])(rows, T.tensor([0, 1, 0, 1, 0, 1])), T.func.vmap(T.linalg.inv)(T.eye(2).repeat(3, 1, 1) * 2),
            message(T.func.vmap(T.nn.BatchNorm1d(2)), rows.view(2, 3, 2))]


def functional_call_names(T):
    module, x = T.nn.Sequential(T.nn.Linear(2, 2)), T.ones(3, 2)
    call = T.func.functional_call
    other = {"0.weight": T.ones(2, 2), "0.bias": T.zeros(2)}
    return [call(module, {**other, "no": x}, (x,)).detach(), message(call, module, {**other, "no": x}, (x,), strict=True),
            message(call, module, {"no": x}, (x,), strict=True), message(call, module, (other, {"0.bias": T.zeros(2)}), (x,))]


def second_order_gradcheck(T):
    x = T.tensor([0.3, -0.7], dtype=T.float64, requires_grad=True)
    return [T.autograd.gradgradcheck(f, x, check_fwd_over_rev=True, check_rev_over_rev=True) for f in (T.sin, lambda t: (t * t.exp()).sum())]


def _plainly(scenario):
    @functools.wraps(scenario)
    def run(T):
        return plain(scenario(T))
    return run


SCENARIOS = [_plainly(f) for f in (forward_mode, transforms, vmap_staticmethod, generated_vmap_rule, vmap_is_refused, several_results_by_name,
                                    checked_operations_under_vmap, functional_call_names, second_order_gradcheck)]
