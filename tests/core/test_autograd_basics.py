"""Backward as users see it: accumulation, freed graphs, retain_graph, create_graph, targets, hooks, versions."""
import pytest

import torchish as torch


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def test_gradients_accumulate_into_the_same_tensor_object():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    first = x.grad
    (x * 4).sum().backward()
    assert x.grad is first
    assert first.tolist() == [7.0, 7.0]


def test_backward_of_a_non_scalar_needs_a_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    (x * 2).backward(torch.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]


def test_gradient_of_the_wrong_shape_is_refused():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of torch.Size\(\[3\]\)"):
        (x * 2).backward(torch.ones(3))


def test_second_backward_raises_where_tensors_were_saved():
    x = leaf(1.0, 2.0)
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        loss.backward()


def test_second_backward_is_allowed_where_nothing_was_saved():
    x = leaf(1.0, 2.0)
    loss = (x + 1).sum()
    loss.backward()
    loss.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_retain_graph_allows_a_second_backward():
    x = leaf(2.0)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.tolist() == [8.0]


def test_create_graph_gives_second_derivatives():
    x = leaf(2.0, 3.0)
    (g,) = torch.autograd.grad((x * x * x).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    assert g.tolist() == [12.0, 27.0]
    assert h.tolist() == [12.0, 18.0]


def test_grad_of_an_unused_input():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad((x * 2).sum(), [x, y])
    assert torch.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert torch.autograd.grad((x * 2).sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]


def test_grad_leaves_dot_grad_alone():
    x = leaf(1.0)
    torch.autograd.grad((x * 2).sum(), x)
    assert x.grad is None


def test_backward_to_inputs_only():
    x, y = leaf(1.0), leaf(2.0)
    (x * y).sum().backward(inputs=[x])
    assert x.grad.tolist() == [2.0]
    assert y.grad is None


def test_gradient_of_an_intermediate():
    x = leaf(3.0)
    y = x * 2
    (g,) = torch.autograd.grad((y * y).sum(), y)
    assert g.tolist() == [12.0]


def test_modified_operand_is_reported_with_torchs_message():
    x = leaf(1.0, 2.0, 3.0)
    a = x * 1
    b = a * a
    a.add_(1)
    with pytest.raises(RuntimeError) as error:
        b.sum().backward()
    assert str(error.value) == (
        "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [3]], which is output 0 "
        "of Add, is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute "
        "its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).")


def test_in_place_on_a_leaf_is_refused():
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation."):
        leaf(1.0).add_(1)


def test_in_place_on_a_view_of_a_leaf_is_refused():
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place operation."):
        leaf(1.0, 2.0)[0].mul_(2)


def test_no_grad_update_of_a_leaf_keeps_it_a_leaf():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
    assert w.is_leaf and w.requires_grad
    assert w.tolist() == [0.0, 0.0]


def test_detach_shares_data_and_version():
    x = leaf(1.0, 2.0)
    y = x * 2
    d = y.detach()
    d.mul_(10)
    assert y.tolist() == [20.0, 40.0]
    assert y._version == d._version == 1
    assert y.grad_fn.name() == "MulBackward0"


def test_tensor_hooks_see_and_replace_the_gradient():
    x = leaf(1.0, 2.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    handle.remove()
    y.sum().backward()
    assert seen == [[1.0, 1.0], [1.0, 1.0]]
    assert x.grad.tolist() == [22.0, 22.0]


def test_retain_grad_keeps_the_gradient_of_a_non_leaf():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 8.0]


def test_a_chain_of_ten_thousand_operations_needs_no_recursion():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    y.sum().backward()
    assert x.grad[0].item() == pytest.approx(1.0001 ** 10_000, rel=1e-3)


def test_integer_tensors_cannot_require_grad():
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype can require gradients"):
        torch.tensor([1, 2], requires_grad=True)


def test_next_functions_lead_to_the_leaf():
    x = leaf(1.0)
    y = x * 2 + 1
    accumulate = y.grad_fn.next_functions[0][0].next_functions[0][0]
    assert type(accumulate).__name__ == "AccumulateGrad"
    assert accumulate.variable is x
