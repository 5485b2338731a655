"""The errors of torch.func's transforms, as scenarios."""

from __future__ import annotations

from scenario_tools import message


def _x(T):
    return T.arange(6.0).view(2, 3)


def vmap_arguments(T):
    x, vmap = _x(T), T.func.vmap

    def f(a, b=None):
        return a
    return [
        message(vmap(f, in_dims=3), x), message(vmap(f, in_dims="a"), x), message(vmap(f, in_dims=(0, 0)), x),
        message(vmap(f, in_dims=None), x),
        message(vmap(f, in_dims=(0.5,)), x), message(vmap(f), x, T.ones(3)), message(vmap(f), x, 3),
        message(vmap(f)), message(vmap(f), T.tensor(1.0)),
        message(vmap, f, randomness="foo"), message(vmap, f, chunk_size=0),
    ]


def vmap_results(T):
    x, vmap = _x(T), T.func.vmap

    def number(a):
        return 3.0

    def same(a):
        return a

    def pair(a):
        return a, a
    return [
        message(vmap(number), x), message(vmap(same, out_dims=5), x), message(vmap(same, out_dims=(0, 0)), x), message(vmap(pair, out_dims=(0,)), x),
        message(vmap(same, out_dims="x"), x), message(vmap(same, out_dims=None), x),
    ]


def vmap_refuses_reads_and_draws(T):
    def written(a):
        z = T.zeros(3)
        z[0] = a[0]
        return z
    texts = [message(T.func.vmap(f), _x(T)) for f in (lambda a: a.sum().item(), lambda a: 1 if a.sum() > 0 else a, lambda a: a + T.rand(3), written)]
    return [t.partition(": ")[2] for t in texts]


def grad_errors(T):
    x, grad = _x(T), T.func.grad
    return [
        message(grad(lambda a: a), x), message(grad(lambda a: 3.0), x[0, 0]), message(grad(lambda a: (a.sum(), a)), x),
        message(grad(lambda a: a.sum(), has_aux=True), x), message(grad(lambda a: a.sum()), T.ones(2, dtype=T.long)),
        message(grad(lambda a: a.sum(), argnums=1), x), message(grad(lambda a: a.sum(), argnums="a"), x), message(grad(lambda a: a.sum()), 3.0),
        message(grad(lambda a: a.sin_().sum()), x), message(grad(lambda a: a.to(T.complex64).sum()), x),
    ]


def vjp_and_jvp_errors(T):
    x, vjp, jvp = _x(T), T.func.vjp, T.func.jvp
    return [
        message(vjp, T.sin, 3.0), message(vjp, lambda a: 3.0, x), message(vjp(T.sin, x)[1], x[0]), message(vjp(T.sin, x)[1], (x,)),
        message(vjp(lambda a: (a, a), x)[1], x), message(vjp, lambda a: a.long(), x), message(jvp, T.sin, x, x), message(jvp, T.sin, (x,), (x, x)),
        message(jvp, T.sin, (x,), (x[0],)), message(jvp, T.sin, (), ()), message(jvp, T.sin, (3.0,), (x,)), message(jvp, lambda a: 3.0, (x,), (x,)),
        message(jvp, lambda a: T.ones(2), (x,), (x,), strict=True), message(jvp, T.sum, (x.long(),), (x.long(),)),
        message(T.func.jacrev, T.sin, chunk_size=0), message(T.func.jacrev(T.sin, argnums=3), x),
        message(T.func.jacrev(lambda a: a.to(T.complex64)), x), message(T.func.linearize(T.sin, x)[1], x[0]),
    ]


SCENARIOS = [f for name, f in list(globals().items()) if getattr(f, "__module__", "") == __name__ and not name.startswith("_")]
