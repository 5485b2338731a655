"""The writes that a user makes through views, as scenarios: values, versions, graph and gradients afterwards. Imports neither package."""
from __future__ import annotations

import warnings
from typing import Any

from scenario_tools import message

WEIGHTS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def _base(t: Any) -> tuple[Any, Any]:
    """A leaf and a non-leaf made from it."""
    leaf = t.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]], requires_grad=True)
    return leaf, leaf * 2


def _after(t: Any, leaf: Any, x: Any, *views: Any) -> list:
    """Values, versions and nodes of everything, then the leaf's gradient."""
    facts = [[y.detach().tolist(), y._version, y.grad_fn.name() if y.grad_fn is not None else None] for y in (x, *views)]
    (x * t.tensor(WEIGHTS)).sum().backward()
    return [facts, leaf.grad.tolist()]


def a_mask_assigned_a_number(t):
    leaf, x = _base(t)
    x[x > 3] = 0.5
    return _after(t, leaf, x)


def a_mask_assigned_values_with_a_gradient(t):
    leaf, x = _base(t)
    v = t.tensor([10.0, 20.0, 30.0], requires_grad=True)
    x[t.tensor([[True, False, True], [False, True, False]])] = v
    return [_after(t, leaf, x), v.grad.tolist()]


def a_strided_slice_added_to(t):
    leaf, x = _base(t)
    y = t.tensor([[0.5, 1.5]], requires_grad=True)
    x[1:, ::2] += y
    return [_after(t, leaf, x), y.grad.tolist()]


def a_transpose_multiplied(t):
    leaf, x = _base(t)
    y = x.t()
    y.mul_(2)
    return _after(t, leaf, x, y)


def a_transpose_of_a_plain_tensor(t):
    x = t.tensor(WEIGHTS)
    y = x.t()
    y.mul_(2)
    x.add_(1)
    return [x.tolist(), y.tolist(), x._version, y._version, y._base is x, y.is_contiguous(), y.data_ptr() == x.data_ptr()]


def a_view_of_a_non_leaf_squared_in_place(t):
    leaf, x = _base(t)
    row = x[0]
    row.pow_(2)
    return _after(t, leaf, x, row)


def a_view_of_a_view_written_twice(t):
    leaf, x = _base(t)
    part = x.view(3, 2)[1:]
    part.t()[0].mul_(3)
    part.add_(1)
    return _after(t, leaf, x, part)


def a_view_taken_before_the_base_was_written(t):
    leaf, x = _base(t)
    before = x.view(-1)
    x[:, 1] = 7
    return _after(t, leaf, x, before)


def a_write_that_its_own_graph_needs(t):
    leaf, x = _base(t)
    y = x * x
    x[0] = 1
    return [message(y.sum().backward), x._version]


def a_write_into_an_unused_part_of_what_is_saved(t):
    leaf, x = _base(t)
    y = x.exp()
    x[0, 0] = 1
    y.sum().backward()
    return [leaf.grad.tolist(), x._version, y._version]


def swapping_rows_by_copy(t):
    leaf, x = _base(t)
    first = x[0].clone()
    x[0] = x[1]
    x[1] = first
    return _after(t, leaf, x)


def every_alias_counts_the_same_versions(t):
    x = t.zeros(4)
    views = [x.view(2, 2), x[1:], x.detach(), x.unsqueeze(0)]
    counts = []
    for v in views:
        v.add_(1)
        counts.append([a._version for a in (x, *views)])
    return [counts, x.tolist()]


def _expanded(t: Any) -> tuple[Any, Any]:
    base = t.tensor([1.0, 2.0, 3.0, 4.0])
    return base, base.expand(3, 4)


def _attempts(t: Any, *writes: Any) -> list:
    """What each write to an expanded tensor leaves in its memory, or the error that it raises; with the warnings' opening words."""
    made = []
    for write in writes:
        base, x = _expanded(t)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            error = message(write, x)
        made.append([error, base.tolist(), x.tolist(), x._version, base._version, str(caught[0].message)[:30] if caught else None])
    return made


def expanded_tensors_written_at_some_places(t):
    mask, rows, values = t.tensor([True, False, True, False]), t.tensor([0, 2]), t.arange(12.0).view(3, 4)
    return _attempts(t, lambda x: x.__setitem__(x > 2, 0.5), lambda x: x.__setitem__(rows, 7.0), lambda x: x.__setitem__((slice(None), rows), 8.0),
                     lambda x: x.__setitem__(x > 0, values.view(-1)), lambda x: x.masked_fill_(mask, 9.0), lambda x: x.index_fill_(0, rows, 3.0),
                     lambda x: x.index_fill_(1, rows, t.tensor(5.0)), lambda x: x.index_put_((rows, rows), t.tensor([6.0, 7.0])),
                     lambda x: x.index_put_((rows,), t.tensor(1.0), True), lambda x: x.index_put_((t.tensor([9]),), t.tensor(1.0)),
                     lambda x: x.index_put_((rows,), t.tensor(1)))


def expanded_tensors_written_as_a_whole(t):
    values = t.arange(12.0).view(3, 4)
    return _attempts(t, lambda x: x.fill_(3), lambda x: x.fill_(t.tensor(3.0)), lambda x: x.zero_(), lambda x: x.copy_(values), lambda x: x.copy_(x),
                     lambda x: x.__setitem__(slice(0, 2), x[:2]), lambda x: x.__setitem__(slice(0, 2), x[1:]), lambda x: x.__setitem__(0, 5.0),
                     lambda x: x.add_(1), lambda x: t.add(values, 1, out=x), lambda x: t.cat([values[:1], values[1:]], out=x),
                     lambda x: t.mm(values[:, :3], values, out=x), lambda x: x.index_copy_(0, t.tensor([0]), values[:1]))


def _marks(*tensors: Any) -> list:
    return [[x.is_conj(), x.is_neg(), str(x.tolist()), list(x.stride()), x.grad_fn.name() if x.grad_fn is not None else None] for x in tensors]


def conjugates_and_negatives_as_marks(t):
    z = t.tensor([[1 + 2j, 3 - 1j], [0.5j, 2]], requires_grad=True)
    c = z.conj()
    views = [c, c.conj(), c.real, c.imag, c.imag[0], c[1:], c.t(), c.mH, c.as_strided((2,), (2,), 1), c.imag.as_strided((2,), (2,), 1), c.detach()]
    copies = [c.clone(), c.contiguous(), c.t().contiguous(), c.resolve_conj(), c.imag.resolve_neg(), c + 1, c[t.tensor([0])], c.to(t.complex128)]
    errors = [message(t.view_as_real, c), message(c.detach().numpy), message(c.imag.detach().numpy), message(c.view, t.float32),
              message(c.imag.view, t.int32), message(t.from_dlpack, c.detach()), c.detach().numpy(force=True).tolist()[0][0].imag]
    return [_marks(*views, *copies), errors, z.is_conj(), z.resolve_conj() is z]


def writes_through_conjugates(t):
    z = t.tensor([[1 + 2j, 3 - 1j], [0.5j, 2]])
    c = z.conj()
    c.add_(1j)
    c.imag.mul_(2)
    c.real[0, 0] = 7
    c.as_strided((2,), (3,)).fill_(1 + 1j)
    c.imag.as_strided((2,), (3,)).copy_(t.tensor([5.0, 6.0]))
    c[c.real > 2] = -1j
    flat = c.view(-1)
    wide = z.conj()[0].expand(2, 2)
    return [str(z.tolist()), _marks(c, flat), z._version, message(wide.fill_, 1), message(wide.zero_), message(wide.__setitem__, 0, 1),
            message(wide.masked_fill_, t.tensor(True), 1)]


def _seen(*tensors: Any) -> list:
    return [[str(x.tolist()), list(x.stride()), x.storage_offset(), x._version, x._base is not None] for x in tensors]


def memory_that_grows_for_all_aliases(t):
    x = t.arange(6.0)
    rows, same, tail, apart = x.view(2, 3), x.detach(), x[4:], x.data
    tail.resize_(2, 2)
    tail.zero_()
    first = _seen(x, rows, same, tail, apart)
    x.fill_(3)
    rows[1] = 7
    same.mul_(2)
    tail[0, 0] = -1
    apart[0] = 5
    a = same.numpy()
    a[1] = 60
    second = [_seen(x, rows, same, tail, apart), tail.data_ptr() - x.data_ptr(), x.as_strided((2,), (1,), 6).tolist(), message(tail.resize_, 9)]
    y = t.arange(4.0)
    flipped = y.view(2, 2).t()
    flipped.resize_(3, 3)
    flipped.zero_()
    y.add_(1)
    z = t.ones(2, 2, dtype=t.complex64)
    c = z.conj()
    c.resize_(3, 2)
    c.fill_(1j)
    z.add_(1)
    return [first, second, _seen(y, flipped, z, c), c.is_conj()]


def memory_that_grows_under_the_graph(t):
    leaf = t.zeros(2, requires_grad=True)
    x = leaf * 2
    plain = x.detach()
    plain.resize_(5)
    plain.fill_(3)
    x.sum().backward()
    ints = t.arange(2)
    bits = ints.view(t.int32)
    bits.resize_(6)
    bits.zero_()
    ints.add_(1)
    return [x.tolist(), leaf.grad.tolist(), bits.tolist(), ints.tolist(), bits._version]


def _nodes(x: Any) -> list:
    names, node = [], x.grad_fn
    while node is not None:
        names.append(type(node).__name__)
        node = next((edge[0] for edge in node.next_functions if edge[0] is not None), None)
    return names


def _assigned(t: Any, tracked: bool, index: Any, value: Any) -> list:
    x = t.zeros(2, 3)
    if tracked:
        x = x.requires_grad_() * 2
    error = message(x.__setitem__, index, value)
    return [error, _nodes(x), x.tolist(), x._version]


def assignments_and_their_nodes(t):
    indices = [slice(None), slice(0, 9), slice(-5, 5), slice(0, 1), Ellipsis, None, True, (slice(None), slice(None)), 0, (slice(None), 0), (),
               t.tensor([0]), t.tensor([True, False]), (0, t.tensor([1])), [0, 1]]
    values = [1.0, t.tensor(2.0), t.ones(3), t.ones(1, 1, 3), t.ones(1, 4), t.ones(2, 3), t.tensor(2.0, requires_grad=True),
              t.ones(3, requires_grad=True), t.ones(1, 3, requires_grad=True), t.ones(1, 1, dtype=t.float64)]
    return [[_assigned(t, tracked, index, value) for value in values] for index in indices for tracked in (True, False)]


def a_view_computed_again_from_a_view_computed_again(t):
    x = t.arange(6)
    rows = x.reshape(2, 3)
    columns, copy = rows.t(), rows.clone()
    first = copy.tolist()  # evaluates what is pending, and keeps neither view
    dense = columns.contiguous()
    return [first, rows.tolist(), dense.tolist()]


SCENARIOS = [scenario for name, scenario in list(globals().items())
             if callable(scenario) and getattr(scenario, "__module__", "") == __name__ and name[0] != "_"]
