"""What torch.func does, as named scenarios: each is `f(T) -> tensors and texts`, run on torchish and compared with torch's results.

Inputs are made from literal numbers, so that results depend on nothing else.
"""

from __future__ import annotations

import functools

from scenario_tools import plain


def _values(T, *shape, step=0.37, dtype=None):
    n = 1
    for s in shape:
        n *= s
    return ((T.arange(n, dtype=dtype or T.float64) * step) % 1.9 - 0.7).reshape(shape)


def _mlp(T):
    w1, b1, w2 = _values(T, 4, 3), _values(T, 4, step=0.51), _values(T, 2, 4, step=0.23)
    return {"w1": w1, "b1": b1, "w2": w2}


def _predict(T, p, x):
    return T.tanh(x @ p["w1"].T + p["b1"]) @ p["w2"].T


def _loss(T, p, x, y):
    return ((_predict(T, p, x) - y) ** 2).mean()


def grad_of_dict(T):
    return T.func.grad(lambda p: _loss(T, p, _values(T, 5, 3), _values(T, 5, 2, step=0.11)))(_mlp(T))


def grad_and_value_with_aux(T):
    def f(p):
        out = _predict(T, p, _values(T, 5, 3))
        return out.sum(), out
    return T.func.grad_and_value(f, has_aux=True)(_mlp(T))


def grad_of_grad(T):
    return T.func.grad(lambda x: T.func.grad(lambda y: (y ** 4).sum() * x.sum())(x).sum())(_values(T, 3))


def per_sample_gradients(T):
    return T.func.vmap(T.func.grad(lambda p, x, y: _loss(T, p, x, y)), in_dims=(None, 0, 0))(_mlp(T), _values(T, 5, 3), _values(T, 5, 2, step=0.11))


def per_sample_gradients_in_chunks(T):
    f = T.func.vmap(T.func.grad(lambda p, x, y: _loss(T, p, x, y)), in_dims=(None, 0, 0), chunk_size=2)
    return f(_mlp(T), _values(T, 5, 3), _values(T, 5, 2, step=0.11))


def ensemble(T):
    p = {k: T.stack([v, v * 2, v - 1]) for k, v in _mlp(T).items()}
    return T.func.vmap(lambda p, x: _predict(T, p, x), in_dims=(0, None))(p, _values(T, 5, 3))


def backward_through_vmap(T):
    p = {k: v.clone().requires_grad_() for k, v in _mlp(T).items()}
    x = _values(T, 5, 3).requires_grad_()
    T.func.vmap(lambda x: _predict(T, p, x).exp().sum())(x).sum().backward()
    return x.grad, [v.grad for v in p.values()]


def double_backward_through_vmap(T):
    w, x = _values(T, 3, 2).requires_grad_(), _values(T, 5, 3).requires_grad_()
    y = T.func.vmap(lambda a: T.sin(a @ w).sum())(x).sum()
    g = T.autograd.grad(y, x, create_graph=True)[0]
    (g ** 2).sum().backward()
    return x.grad, w.grad


def vmap_stops_at_detach(T):
    x = _values(T, 4, 3).requires_grad_()
    T.func.vmap(lambda a: (a.detach() * a).sum())(x).sum().backward()
    return x.grad


def vmap_of_in_place(T):
    x = _values(T, 4, 3)

    def f(a):
        b = a.clone()
        b[0] = a.sum()
        b[1:].mul_(2)
        return b
    return T.func.vmap(f)(x)


def vmap_writes_its_argument(T):
    x = _values(T, 4, 3)
    y = T.func.vmap(lambda a: a.add_(1))(x)
    return x, y


def vmap_counts_outside(T):
    count = T.zeros(())

    def f(a):
        count.add_(1)
        return a * count
    return T.func.vmap(f)(_values(T, 4, 3)), count


def vmap_of_unrelated_output(T):
    return T.func.vmap(lambda a: (a, T.ones(2)), out_dims=(1, 0))(_values(T, 4, 3))


def nested_vmap(T):
    x, y = _values(T, 4, 3), _values(T, 5, 3, step=0.21)
    return T.func.vmap(T.func.vmap(lambda a, b: (a * b).sum(), in_dims=(None, 0)), in_dims=(0, None))(x, y)


def backward_through_nested_vmap(T):
    x, y, w = _values(T, 4, 3).requires_grad_(), _values(T, 5, 3, step=0.21).requires_grad_(), _values(T, 3).requires_grad_()
    T.func.vmap(T.func.vmap(lambda a, b: (a * b * w).sin().sum(), in_dims=(None, 0)), in_dims=(0, None))(x, y).sum().backward()
    return x.grad, y.grad, w.grad


def vmap_of_kinks(T):
    x = T.tensor([[-1., 0., 1.], [0., 0., 2.]], dtype=T.float64)
    f = T.func.grad(lambda a: a.abs().sum() + T.clamp(a, 0, 1).sum() + T.relu(a).sum() + a.max())
    return T.func.vmap(f)(x)


def vmap_of_indexing(T):
    x, i = _values(T, 4, 3), T.tensor([0, 2, 1, 2])
    return T.func.vmap(lambda a: a[1:])(x), T.func.vmap(lambda a, j: T.gather(a, 0, j.reshape(1)))(x, i)


def vmap_over_another_dimension(T):
    x = _values(T, 4, 3, 2)
    return T.func.vmap(lambda a: a.sum(0), in_dims=1, out_dims=1)(x), T.func.vmap(lambda a: a.sum(0), in_dims=-1, out_dims=-1)(x)


def vmap_of_dict(T):
    x = _values(T, 4, 3)
    return T.func.vmap(lambda d: {"sum": d["a"] + d["b"]}, in_dims=({"a": 0, "b": None},))({"a": x, "b": x[0]})


def jvp_of_function(T):
    x = _values(T, 4)
    return T.func.jvp(lambda a: (T.sin(a) * a, a.exp().sum()), (x,), (x + 1,))


def jvp_at_kinks(T):
    x = T.tensor([-1., 0., 1., 0.], dtype=T.float64)
    return T.func.jvp(lambda a: (a.abs(), T.clamp(a, 0, 1), T.relu(a)), (x,), (T.ones_like(x),))


def jvp_of_views_and_writes(T):
    def f(a):
        b = a.clone().reshape(2, 2)
        b[0] *= a[2:]
        c = T.zeros(2, 2, dtype=a.dtype)
        c[:, 1] = b.t()[0]
        return b, c, a.detach() * a
    x = _values(T, 4)
    return T.func.jvp(f, (x,), (x * 3 + 1,))


def jvp_of_grad(T):
    x = _values(T, 4)
    return T.func.jvp(T.func.grad(lambda a: (a ** 3).sum() * a.sum()), (x,), (x + 2,))


def grad_of_jvp(T):
    x = _values(T, 4)
    return T.func.grad(lambda a: T.func.jvp(lambda b: (b ** 3).sin(), (a,), (a * 2,))[1].sum())(x)


def jvp_of_jvp(T):
    x = _values(T, 3)
    return T.func.jvp(lambda a: T.func.jvp(lambda b: b ** 3 * a, (a,), (T.ones_like(a),))[1], (x,), (T.ones_like(x),))


def jvp_of_vmap(T):
    x = _values(T, 4, 3)
    w = _values(T, 3, step=0.77)
    return T.func.jvp(lambda a, b: T.func.vmap(lambda c: (c * b).sin().abs())(a), (x, w), (x + 1, w * 2))


def vmap_of_jvp(T):
    x = _values(T, 4, 3)
    return T.func.vmap(lambda a, t: T.func.jvp(T.sin, (a,), (t,)))(x, x + 1)


def grad_of_vmap_of_jvp(T):
    x = _values(T, 4, 3)
    return T.func.grad(lambda y: T.func.vmap(lambda a: T.func.jvp(lambda b: b ** 3, (a,), (a * 2,))[1].sum())(y).sum())(x)


def jacobians(T):
    x = _values(T, 3)

    def f(a):
        return T.stack([a.sin().sum(), (a ** 2).prod(), a[0] * a[2]])
    return T.func.jacrev(f)(x), T.func.jacfwd(f)(x), T.func.jacrev(f, chunk_size=2)(x)


def jacobians_of_trees(T):
    x, y = _values(T, 3), _values(T, 2, step=0.9)

    def f(a, b):
        return {"u": a[:2] * b, "v": (a.sum() * b.sum(),)}
    return T.func.jacrev(f, argnums=(0, 1))(x, y), T.func.jacfwd(f, argnums=(0, 1))(x, y)


def jacobians_with_aux(T):
    x = _values(T, 3)
    return T.func.jacrev(lambda a: (a ** 2, a), has_aux=True)(x), T.func.jacfwd(lambda a: (a ** 2, a + 1), has_aux=True)(x)


def hessians(T):
    x = _values(T, 3)

    def f(a):
        return (a ** 3).sum() * a.cos().prod()
    return [T.func.hessian(f)(x), *(outer(inner(f))(x) for outer in (T.func.jacrev, T.func.jacfwd) for inner in (T.func.jacrev, T.func.jacfwd))]


def batched_hessian(T):
    return T.func.vmap(T.func.hessian(lambda a: (a ** 3).sum() * a.sum()))(_values(T, 4, 3))


def third_derivative(T):
    return T.func.jacfwd(T.func.jacrev(T.func.jacrev(lambda a: (a ** 4).sum())))(_values(T, 2))


def vjp_of_tree(T):
    x = _values(T, 3)
    out, pull = T.func.vjp(lambda a: {"s": a.sin(), "c": [a.cos().sum()]}, x)
    return out, pull({"s": x, "c": [T.ones((), dtype=x.dtype)]})


def vjp_twice(T):
    x = _values(T, 3)
    _, pull = T.func.vjp(lambda a: a ** 2, x)
    return pull(x), pull(x * 2)


def vmap_of_vjp(T):
    x = _values(T, 3)
    _, pull = T.func.vjp(lambda a: a ** 2 * a.sum(), x)
    return T.func.vmap(pull)(T.eye(3, dtype=x.dtype))


def linearized(T):
    x = _values(T, 3)
    out, f = T.func.linearize(lambda a: (a ** 3, a.sum()), x)
    return out, f(x + 1), T.func.vmap(f)(_values(T, 4, 3))


def transforms_inside_a_graph(T):
    x = _values(T, 3).requires_grad_()
    g = T.func.grad(lambda a: (a ** 3).sum())(x)
    g.sum().backward()
    h = T.func.jacrev(lambda a: a ** 3)(x.detach())
    return x.grad, g.requires_grad, h.requires_grad


def outer_no_grad(T):
    x = _values(T, 3).requires_grad_()
    with T.no_grad():
        g = T.func.grad(lambda a: (a ** 3).sum())(x)
    return g, g.requires_grad


def integer_outputs(T):
    return T.func.vmap(lambda a: (a > 0, a.argmax()))(_values(T, 4, 3))


def vmap_of_autograd_grad(T):
    x = _values(T, 3).requires_grad_()
    y = (x ** 3)
    return T.func.vmap(lambda v: T.autograd.grad(y, x, v, retain_graph=True)[0])(T.eye(3, dtype=x.dtype))


def half_hessian_vector(T):
    x = _values(T, 3)
    return T.func.jvp(T.func.grad(lambda a: a.sin().prod()), (x,), (T.ones_like(x),))[1]


def _plainly(scenario):
    @functools.wraps(scenario)
    def run(T):
        return plain(scenario(T))
    return run


SCENARIOS = [_plainly(f) for name, f in list(globals().items()) if getattr(f, "__module__", "") == __name__ and not name.startswith("_")]
