"""autograd.functional, autograd.forward_ad, gradcheck and utils.checkpoint, as named scenarios: `f(T) -> plain data`."""

from __future__ import annotations

import contextlib
import functools
import importlib
import warnings

from scenario_tools import message, plain


def _module(T, name):
    return importlib.import_module(f"{T.__name__}.{name}")


def _x(T):
    return T.tensor([0.3, -0.5, 0.7], dtype=T.float64)


def _y(T):
    return T.tensor([1.0, 2.0], dtype=T.float64)


def _cubes(a):
    return (a**3).sum()


# ---------------------------------------------------------------- autograd.functional
def jacobian_of_tuples(T):
    return _module(T, "autograd.functional").jacobian(lambda a, b: (a * 2 * b.sum(), b.prod()), (_x(T), _y(T)))


def jacobian_vectorized(T):
    f = _module(T, "autograd.functional").jacobian
    return f(lambda a: a**2, _x(T), vectorize=True), f(lambda a: a**2, _x(T), vectorize=True, strategy="forward-mode")


def jacobian_with_graph(T):
    x = _x(T).requires_grad_()
    j = _module(T, "autograd.functional").jacobian(lambda a: a**3, x, create_graph=True)
    j.sum().backward()
    return j, x.grad


def hessian_of_one_and_two(T):
    f = _module(T, "autograd.functional").hessian
    return f(_cubes, _x(T)), f(lambda a, b: a.sum() * b.prod(), (_x(T), _y(T)))


def hessian_vectorized(T):
    f = _module(T, "autograd.functional").hessian
    return f(_cubes, _x(T), vectorize=True), f(_cubes, _x(T), vectorize=True, outer_jacobian_strategy="forward-mode").detach()


def products(T):
    A = _module(T, "autograd.functional")
    x, y = _x(T), _y(T)
    return [A.vjp(_cubes, x), *(f(_cubes, x, x + 1) for f in (A.jvp, A.hvp, A.vhp)),
            *(f(lambda a, b: _cubes(a) * b.prod(), (x, y), (x + 1, y)) for f in (A.jvp, A.hvp, A.vhp))]


def product_in_a_graph(T):
    x = _x(T).requires_grad_()
    _, h = _module(T, "autograd.functional").vhp(_cubes, x, _x(T), create_graph=True)
    h.sum().backward()
    return h, x.grad


def functional_messages(T):
    A = _module(T, "autograd.functional")
    x, y = _x(T), _y(T)
    return [
        message(A.jacobian, _cubes, 3.0), message(A.jacobian, _cubes, (x, 3)), message(A.jacobian, lambda a: 3, x),
        message(A.jacobian, lambda a: T.ones(2), x, strict=True), message(A.jacobian, lambda a, b: a.sum(), (x, y), strict=True),
        message(A.jacobian, lambda a: a * 2, x, create_graph=True, strict=True), message(A.jacobian, _cubes, x, strict=True, vectorize=True),
        message(A.jacobian, _cubes, x, strategy="forward-mode"), message(A.jacobian, _cubes, x, strategy="both"),
        message(A.hessian, lambda a: a**2, x), message(A.hessian, lambda a: a.sum(), x, strict=True),
        message(A.vjp, lambda a: a**2, x), message(A.vjp, _cubes, x, T.ones(2)), message(A.vjp, _cubes, x, (x, x)), message(A.vjp, _cubes, x, 3.0),
        message(A.jvp, _cubes, x), message(A.jvp, _cubes, x, T.ones(2)), message(A.hvp, lambda a: a**2, x, x),
        message(A.vhp, lambda a: (a.sum(), a.sum()), x, x), message(A.jvp, lambda a, b: a.sum(), (x, y), (x, y), strict=True),
    ]


# ---------------------------------------------------------------- autograd.forward_ad
def dual_tensors(T):
    fw = _module(T, "autograd.forward_ad")
    x = _x(T)
    with fw.dual_level():
        d = fw.make_dual(x, x + 1)
        y = (d * 2).sin()
        primal, tangent = fw.unpack_dual(y)
        return primal, tangent, fw.unpack_dual(x).tangent, fw.unpack_dual(y.detach()).tangent, d.is_leaf, y.requires_grad


def dual_tensors_in_place(T):
    fw = _module(T, "autograd.forward_ad")
    x = _x(T)
    y, z = x.clone(), T.zeros(3, dtype=x.dtype)
    with fw.dual_level():
        y.mul_(fw.make_dual(x, x + 1))
        z[1:] = y[:2]
        return [fw.unpack_dual(t).tangent for t in (y, z, z[1], z.view(3, 1))]


def dual_tensors_and_backward(T):
    fw = _module(T, "autograd.forward_ad")
    x = _x(T).requires_grad_()
    with fw.dual_level():
        tangent = fw.unpack_dual(fw.make_dual(x, T.ones_like(x)) ** 3).tangent
    tangent.sum().backward()
    return tangent, x.grad


def dual_level_ends(T):
    fw = _module(T, "autograd.forward_ad")
    with fw.dual_level():
        d = fw.make_dual(_x(T), _x(T))
    with fw.dual_level():
        return fw.unpack_dual(d).tangent


def dual_messages(T):
    fw = _module(T, "autograd.forward_ad")
    x = _x(T)
    found = [message(fw.make_dual, x, x), message(fw.exit_dual_level)]
    with fw.dual_level():
        found += [message(fw.enter_dual_level), message(fw.make_dual, x, x[0]), message(fw.make_dual, x.long(), x), message(fw.unpack_dual, 3.0),
                  message(fw.make_dual, fw.make_dual(x, x), x), message(fw.make_dual, x, x, level=3)]
    return found


# ---------------------------------------------------------------- gradcheck
def _wrong(T):
    class Wrong(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * g
    return Wrong.apply


def gradcheck_verdicts(T):
    check = _module(T, "autograd.gradcheck").gradcheck
    x, c = _x(T).requires_grad_(), T.tensor([0.3 + 1j, -0.5 - 0.2j], dtype=T.complex128, requires_grad=True)
    return [
        check(T.sin, (x,)), check(T.mul, (x, x)), check(T.sin, (c,)), check(T.abs, (c,)), check(lambda z: z.conj() * z, (c,)),
        check(T.sin, (x,), check_forward_ad=True), check(T.sin, (x,), check_batched_grad=True), check(_wrong(T), (x,), raise_exception=False),
        check(T.sin, (x,), check_forward_ad=True, check_batched_forward_grad=True), check(lambda a: (a * 2, a.long()), (x,)),
    ]


def gradgradcheck_verdicts(T):
    check = _module(T, "autograd.gradcheck").gradgradcheck
    x = _x(T).requires_grad_()
    return check(T.sin, (x,)), check(T.mul, (x, x)), check(lambda a: a * 2, (x,)), check(T.sin, (x,), T.ones(3, dtype=x.dtype, requires_grad=True))


def gradcheck_messages(T):
    check = _module(T, "autograd.gradcheck").gradcheck
    x = _x(T).requires_grad_()
    return [
        message(check, T.sin, (x.detach(),)), message(check, _wrong(T), (x,)), message(check, lambda a: a.detach() * 2, (x,)),
        message(check, T.sin, (x,), check_backward_ad=False), message(check, T.sin, (x,), check_batched_forward_grad=True),
    ]


# ---------------------------------------------------------------- utils.checkpoint
def _run(T, **options):
    calls = []

    def f(a):
        calls.append(1)
        return (a * a).sin()
    x = _x(T).requires_grad_()
    y = _module(T, "utils.checkpoint").checkpoint(f, x, **options)
    before = len(calls)
    y.sum().backward()
    return type(y.grad_fn).__name__, before, len(calls), x.grad


def checkpoint_both_kinds(T):
    return _run(T, use_reentrant=True), _run(T, use_reentrant=False)


def checkpoint_keeps_random_numbers(T):
    found = []
    for options in ({"use_reentrant": True}, {"use_reentrant": False}, {"use_reentrant": False, "preserve_rng_state": False}):
        T.manual_seed(0)
        x = _x(T).float().requires_grad_()
        y = _module(T, "utils.checkpoint").checkpoint(lambda a: a * T.rand(3), x, **options)
        between = T.rand(1)
        y.sum().backward()
        found.append([y, between, x.grad, T.rand(1)])
    return found


def checkpoint_and_other_backwards(T):
    checkpoint = _module(T, "utils.checkpoint").checkpoint
    x = _x(T).requires_grad_()
    y = checkpoint(lambda a: (a * a).sin(), x, use_reentrant=False).sum()
    (g,) = T.autograd.grad(y, x, create_graph=True)
    (h,) = T.autograd.grad(g.sum(), x)
    z = checkpoint(lambda a, k=1: checkpoint(lambda b: b.exp() * k, a, use_reentrant=False) * a, x, use_reentrant=False, k=3).sum()
    z.backward(retain_graph=True)
    z.backward()
    return g, h, x.grad


def checkpoint_stops_early(T):
    C = _module(T, "utils.checkpoint")
    found = []

    def f(a):
        found[-1].append("start")
        b = (a * a).sin()
        found[-1].append("middle")
        return b + 1
    for early in (True, False):
        found.append([])
        C.checkpoint(f, _x(T).requires_grad_(), use_reentrant=False, early_stop=early).sum().backward()
    found.append([])
    with C.set_checkpoint_early_stop(False):
        y = C.checkpoint(f, _x(T).requires_grad_(), use_reentrant=False)
    y.sum().backward()
    return found


def checkpoint_contexts(T):
    log = []

    @contextlib.contextmanager
    def noted(name):
        log.append(f"in {name}")
        yield
        log.append(f"out {name}")
    _run(T, use_reentrant=False, context_fn=lambda: (noted("first"), noted("second")), early_stop=False)
    return log


def checkpoint_sequential(T):
    T.manual_seed(0)
    net = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.Tanh(), T.nn.Linear(4, 2))
    x = _x(T).float().requires_grad_()
    y = _module(T, "utils.checkpoint").checkpoint_sequential(net, 2, x, use_reentrant=False)
    y.sum().backward()
    return y, x.grad, [p.grad for p in net.parameters()]


def checkpoint_messages(T):
    C = _module(T, "utils.checkpoint")
    x, times = _x(T).requires_grad_(), []

    def changing(a):
        times.append(1)
        return (a * a).sin() if len(times) % 2 else T.cat([a, a]).tanh() ** 2

    def gradient(**options):
        return T.autograd.grad(C.checkpoint(T.sin, x, **options).sum(), x)
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        C.checkpoint(T.sin, x)
        C.checkpoint(T.sin, x.detach(), use_reentrant=True)
    mismatch = message(lambda: C.checkpoint(changing, x, use_reentrant=False, early_stop=False).sum().backward()).partition("\n\nTip")[0]
    return [
        message(gradient, use_reentrant=True), message(gradient, use_reentrant=False, determinism_check="maybe"),
        message(gradient, use_reentrant=True, other=1), message(gradient, use_reentrant=True, debug=True),
        message(C.checkpoint_sequential, [T.sin], 1, x, use_reentrant=False, other=1), [str(w.message) for w in noted], mismatch.rstrip("\n"),
    ]


def _plainly(scenario):
    @functools.wraps(scenario)
    def run(T):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return plain(scenario(T))
    return run


SCENARIOS = [_plainly(f) for name, f in list(globals().items()) if getattr(f, "__module__", "") == __name__ and not name.startswith("_")]
