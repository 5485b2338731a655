"""The writes that a user makes through views, as scenarios: values, versions, graph and gradients afterwards. Imports neither package."""
from __future__ import annotations

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


def a_view_computed_again_from_a_view_computed_again(t):
    x = t.arange(6)
    rows = x.reshape(2, 3)
    columns, copy = rows.t(), rows.clone()
    first = copy.tolist()  # evaluates what is pending, and keeps neither view
    dense = columns.contiguous()
    return [first, rows.tolist(), dense.tolist()]


SCENARIOS = [scenario for name, scenario in list(globals().items()) if callable(scenario) and name not in ("Any", "message") and name[0] != "_"]
