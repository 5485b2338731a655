"""Scenarios of aliasing and mutation: functions that take a package (torch or torchish) and return what its tensors came to, as plain data."""
from __future__ import annotations

from typing import Any

from scenario_tools import message


def _state(*tensors: Any) -> list:
    return [[x.grad_fn.name() if x.grad_fn is not None else None, x.output_nr, x.is_leaf, x.requires_grad, x._version, list(x.shape),
             list(x.stride()), x.storage_offset(), x._is_view(), x.detach().tolist()] for x in tensors]


def _leaf(t: Any, *shape: int) -> Any:
    count = 1
    for n in shape:
        count *= n
    return (t.arange(1, count + 1, dtype=t.float32) / 2).view(shape).clone().requires_grad_()


def writes_reach_every_alias(t):
    x = t.arange(24.0).view(2, 3, 4).clone()
    views = [x[0], x[:, 1:], x.transpose(0, 2), x.permute(1, 2, 0)[1], x.view(-1), x.view(6, 4).t()[1:3], x.unfold(2, 2, 2), x.diagonal(0, 1, 2),
             x.as_strided((3, 2), (4, 1), 5), x[..., ::2], x.view(4, 6)[1::2, ::3], x.unsqueeze(1).expand(2, 1, 3, 4).select(1, 0)]
    seen = []
    for i, v in enumerate(views):
        v.mul_(2).add_(i)
        seen.append([w.tolist() for w in views] + [x._version])
    return seen


def writes_through_repeated_elements(t):
    x = t.arange(6.0)
    e = x.expand(3, 6)
    e[1, 2:4] = 7
    x.as_strided((2, 3), (1, 2))[1].mul_(-1)
    c = t.arange(4.0).view(2, 2)
    t.view_as_complex(c.expand(3, 2, 2))[2, 1].mul_(2j)
    return [x.tolist(), e.tolist(), c.tolist()]


def writes_through_other_dtypes(t):
    x = t.arange(8.0)
    x.view(t.int32)[1:3].add_(1 << 23)
    x.view(t.int16)[8:].mul_(1)
    t.view_as_complex(x.view(4, 2)).imag.neg_()
    z = t.ones(3, dtype=t.complex64)
    z.real, z.imag = t.arange(3.0), 5
    t.view_as_real(z)[0].fill_(9)
    return [x.tolist(), [[c.real, c.imag] for c in z.tolist()]]


def gradients_through_written_views(t):
    found = []
    for write in (lambda y: y[1].mul_(3), lambda y: y.t()[0].add_(y.t()[1].detach()), lambda y: y.view(-1)[::2].mul_(t.tensor([2.0, 3.0, 4.0])),
                  lambda y: y.diagonal().zero_(), lambda y: y[:, 1:].copy_(y[:, :1].detach() * 2), lambda y: y.expand(2, 2, 3)[1].mul_(2),
                  lambda y: y.as_strided((2, 2), (1, 3)).mul_(5), lambda y: y[0].exp_(), lambda y: y.unsqueeze(0)[0, 1].fill_(2)):
        x = _leaf(t, 2, 3)
        y = x * 2
        before = y.t()
        write(y)
        (y * t.arange(6.0).view(2, 3)).sum().backward()
        found.append([x.grad.tolist(), _state(y, before)])
    return found


def gradients_to_what_was_written(t):
    base, w = t.zeros(2, 3), _leaf(t, 3)
    row = base[1]
    row.copy_(w)
    first = _state(base, row)
    row.add_(w)
    (base * t.arange(6.0).view(2, 3)).sum().backward()
    return [first, _state(base, row), [(f.name() if f is not None else None, n) for f, n in base.grad_fn.next_functions], w.grad.tolist()]


def second_derivatives_through_a_written_view(t):
    x = _leaf(t, 4)
    y = x * x
    y.view(2, 2)[1].mul_(x[:2])
    (g,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    return [g.detach().tolist(), h.tolist()]


def views_of_views_after_the_base_is_written(t):
    y = _leaf(t, 2, 3) * 1
    a = y.view(3, 2)
    b, z = a.t(), t.view_as_complex(y.view(3, 2))
    part = t.view_as_real(z)[0]
    y.mul_(2)
    return [_state(a, b, part), z.grad_fn.name()]


def what_no_grad_leaves(t):
    x = _leaf(t, 4)
    with t.no_grad():
        v = x.view(2, 2)
    found = [_state(v), message(v.mul_, 2)]
    y = x * 1
    w = y.view(2, 2)
    with t.no_grad():
        w.mul_(2)
    found += [_state(w, y)]
    with t.no_grad():
        x.mul_(2)
        read = v.tolist()
    return found + [read, message(lambda: v * 2), str(v), message(lambda: v.grad_fn)]


def views_of_leaves(t):
    x = _leaf(t, 4)
    v = x.view(2, 2)
    found = [message(v.mul_, 2), message(x[0].fill_, 1), message(x.t_)]
    plain = t.ones(4)
    u = plain.view(2, 2).requires_grad_()
    found += [_state(u, plain, u[0]), message(u[0].mul_, 2)]
    plain.mul_(2)
    found += [_state(u)]
    late = t.ones(4)
    w = late[1:]
    late.requires_grad_()
    return found + [_state(w), message(w.mul_, 2), _state(w * 2)]


def several_views_of_one_node(t):
    found = []
    for cut in (lambda y: y.unbind(0), lambda y: y.split(1), lambda y: y.chunk(2), lambda y: y.split([1, 1]), lambda y: y.tensor_split(2)):
        y = _leaf(t, 2, 3) * 1
        pieces = cut(y)
        found.append([_state(*pieces), len({p.grad_fn for p in pieces}), message(pieces[1].mul_, 2), message(pieces[1][:1].mul_, 2)])
        y.mul_(2)
        found.append([message(lambda p: p.grad_fn.name(), pieces[0]), pieces[0].detach().tolist()])
    plain = t.ones(2, 2)
    row = plain.unbind(0)[0]
    row.mul_(3)
    return found + [plain.tolist(), message(row.mul_, _leaf(t, 2))]


def gradients_of_several_views(t):
    x = _leaf(t, 3, 2)
    a, _, c = x.unbind(0)
    left, right = (x * 2).split([1, 1], 1)
    ((a * c).sum() + (left ** 2).sum()).backward()
    return [x.grad.tolist(), right.grad_fn.name()]


def inference_views(t):
    x = t.ones(4)
    with t.inference_mode():
        v, made = x.view(2, 2), t.ones(2)
        inside = made[:1]
    w = made.view(2, 1)
    found = [v.is_inference(), v._is_view(), inside.is_inference(), inside._is_view(), w.is_inference(), w._is_view()]
    v.mul_(2)
    return found + [x.tolist(), message(v.mul_, _leaf(t, 2, 2)), message(made.add_, 1), message(lambda: made._version)]


def detached_aliases(t):
    y = _leaf(t, 4) * 1
    v = y.view(2, 2)
    d, raw = v.detach(), v.data
    d.mul_(2)
    found = [_state(d, v, y)]
    raw.add_(1)
    found += [_state(raw, v, y), d._base is None, raw._base is None]
    return found + [message(v.detach_), _state(y.detach_())]


def a_tensors_own_view(t):
    found = []
    for name, arguments in (("t_", ()), ("transpose_", (0, 1)), ("unsqueeze_", (0,)), ("squeeze_", ()), ("squeeze_", (0,)), ("squeeze_", ((0, 1),)),
                            ("swapaxes_", (0, 1)), ("swapdims_", (0, 1)), ("as_strided_", ((2,), (1,)))):
        y = _leaf(t, 1, 3) * 1
        flat = y.view(-1)
        same = getattr(y, name)(*arguments) is y
        found.append([same, _state(y, flat), flat._base is y])
        flat.mul_(2)
        found.append([_state(y, flat), message(getattr(_leaf(t, 1, 3), name), *arguments)])
        z = _leaf(t, 2, 1, 3) * 1
        part = z[1]
        getattr(part, name)(*arguments)
        found.append(_state(z, part))
    return found


def resize_and_set(t):
    x = t.arange(6.0)
    x.resize_(2, 2)
    found = [_state(x), x.untyped_storage().nbytes()]
    x.resize_(2, 3)
    found += [_state(x)]
    y = t.arange(4.0)[1:]
    y.resize_(2)
    found += [_state(y)]
    a, b = t.arange(6.0), t.arange(4.0).view(2, 2)
    shared = a[2:]
    found += [a.set_(b) is a, a.data_ptr() == b.data_ptr(), _state(a, shared)]
    a.add_(1)
    found += [_state(a, b, shared)]
    b.set_(t.arange(5.0).untyped_storage(), 1, (2, 2), (2, 1))
    return found + [_state(b), message(_leaf(t, 2).resize_, 3), message(a.set_, t.arange(2)), t.ones(2).resize_as_(t.ones(1, 1)).tolist()]


def storages(t):
    x = t.arange(6.0).view(2, 3).t()
    s, typed = x.untyped_storage(), x.storage()
    return [s.nbytes(), len(s), s == x[1:].untyped_storage(), s == x.clone().untyped_storage(), s.data_ptr() == x.data_ptr(), typed.size(),
            typed.tolist(), typed[4], typed.data_ptr() == s.data_ptr(), x[1:].data_ptr() - x.data_ptr(),
            str(typed.dtype).rpartition(".")[2], s.tolist()[:8]]


def overlaps(t):
    x = t.arange(6.0)
    found = [message(x[1:].add_, x[:-1]), message(x[1:].copy_, x[:-1]), message(x.expand(2, 6).add_, 1), message(x.expand(2, 6).copy_, t.ones(2, 6))]
    m = t.arange(4.0).view(2, 2)
    found += [message(m.add_, m.t()), x[::2].add_(x[1::2]).tolist(), x.add_(x).tolist()]
    return found + [x.expand(2, 6).fill_(3).tolist(), x.expand(2, 6).zero_().tolist()]


def set_data(t):
    x = _leaf(t, 4)
    v = x.detach()
    x.data = t.ones(2, 2)
    v.add_(1)
    return [_state(x, v), message(lambda: setattr(t.ones(2, requires_grad=True), "data", t.ones(2, dtype=t.int64)))]


def fills(t):
    y, z, w = _leaf(t, 2, 2) * 1, _leaf(t, 2, 2) * 1, _leaf(t)
    y.fill_(3)
    z.zero_()
    into = t.ones(2)
    into.fill_(w)
    into.sum().backward()
    tall = t.zeros(7, 3)
    tall.fill_diagonal_(2, wrap=True)
    cube, part = t.zeros(3, 3, 3).fill_diagonal_(1), t.zeros(4, 4)[::2].fill_diagonal_(3)
    return [_state(y, z, into), w.grad.tolist(), tall.tolist(), cube.tolist(), part.tolist(),
            message(t.ones(2, dtype=t.int8).fill_, 300), message(t.ones(2).fill_, "a")]


SCENARIOS = [scenario for name, scenario in list(globals().items())
             if callable(scenario) and not name.startswith("_") and name not in ("Any", "message")]
