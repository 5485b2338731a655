"""Memory that NumPy and other libraries share with tensors, as scenarios: what each side sees of the other's writes. Imports neither package."""
from __future__ import annotations

import copy
import pickle
import warnings
from array import array
from typing import Any

import numpy as np
from scenario_tools import message


def _facts(x: Any) -> list:
    return [x.tolist(), list(x.shape), list(x.stride()), x.storage_offset(), x.dtype.itemsize, x.is_contiguous(), x._version, x._base is None,
            x.untyped_storage().nbytes()]


def _warned(call, *args, **kwargs) -> list:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args, **kwargs)
    return [str(w.message).partition(" (Triggered")[0] for w in caught]


# ---------------------------------------------------------------- from_numpy
def writes_to_the_array_reach_the_tensor(t):
    a = np.arange(6.0).reshape(2, 3)
    x = t.from_numpy(a)
    view, twice = x[1], x * 2
    a[1, 0] = 50
    return [_facts(x), view.tolist(), twice.tolist(), (x + view).tolist()]


def writes_to_the_tensor_reach_the_array(t):
    a = np.arange(6, dtype=np.int32)
    x = t.from_numpy(a)
    x.add_(1)
    x[2:4] = 9
    x.view(2, 3).t()[0].mul_(-1)
    x[t.tensor([5])] = 77
    return [a.tolist(), x._version]


def layouts_of_arrays(t):
    base = np.arange(24.0).reshape(4, 6)
    arrays = [base.T, base[:, ::2], base[1:, 1:], base[::3], np.asfortranarray(base), np.zeros((0, 3)), np.array(5.0), base[2, 3:4],
              np.broadcast_to(np.arange(3.0), (2, 3)).copy(), base.reshape(2, 2, 6).transpose(2, 0, 1), np.zeros((2, 1, 3), order="F")]
    made = []
    for a in arrays:
        x = t.from_numpy(a)
        if a.size:
            a[(0,) * a.ndim] += 100
            x.mul_(2)
            x.reshape(-1)[-1:].fill_(-1)
        made.append([_facts(x), a.tolist()])
    return [made, base.tolist()]


def memory_between_the_elements(t):
    base = np.arange(12.0)
    x = t.from_numpy(base[1:10:3])
    whole = x.as_strided((7,), (1,))
    whole[1] = 50
    base[3] = 60
    return [_facts(x), _facts(whole), base.tolist()]


def dtypes_of_arrays(t):
    kinds = ["?", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]
    made = []
    for kind in kinds:
        a = np.array([0, 1, 1, 0]).astype(kind)
        x = t.from_numpy(a)
        a[0] = 1
        x[1] = 0
        made.append([str(x.dtype).partition(".")[2], str(x.real.tolist() if x.is_complex() else x.tolist()), str(a.tolist())])
    return made


def arrays_that_are_refused(t):
    arrays = [np.arange(4)[::-1], np.arange(4).astype(">i4"), np.array(["a"]), np.array([None]), np.zeros(2, "M8[s]"), np.zeros(2, "V3"),
              np.zeros(2, [("a", "f4"), ("b", "i1")])["a"], np.zeros(2, np.longdouble)]
    makers = [t.from_numpy, t.as_tensor, t.tensor, t.asarray]
    return [[message(make, a) for make in makers] for a in arrays] + [message(t.from_numpy, x) for x in ([1], np.float32(3), None)]


def a_part_of_an_array_that_somebody_else_holds(t):
    a = np.arange(10.0)
    x, y = t.from_numpy(a[2:8]), t.from_numpy(a[4:])
    x[3] = 50
    y[2] = 60
    a[4] = 70
    return [a.tolist(), x.tolist(), y.tolist()]


def a_tensor_outlives_its_array(t):
    x = t.from_numpy(np.arange(4.0))
    y = t.from_numpy(np.arange(8.0)[2:6])
    view = x[1:]
    x.add_(1)
    view[0] = 10
    return [x.tolist(), view.tolist(), (y * 2).tolist(), x._version, message(x.resize_, 20)]


def an_array_written_to_and_dropped(t):
    a = np.zeros(3)
    x = t.from_numpy(a)
    view, before = x[:2], x + 0
    a[:] = 5
    del a
    return [view.tolist(), x.tolist(), before.tolist()]


# ---------------------------------------------------------------- numpy()
def numpy_of_a_tensor(t):
    x = t.arange(6.0).view(2, 3)
    a = x.numpy()
    a[0, 1] = 50
    x[1] = 7
    b = x.t().numpy()
    b[2, 0] = -1
    return [_facts(x), a.tolist(), b.tolist(), a.strides, b.strides, np.shares_memory(a, b), a.flags.writeable, a.flags.owndata]


def numpy_of_parts(t):
    x = t.arange(12.0).view(3, 4)
    first, last = x[0].numpy(), x[2, 1:].numpy()
    first[:] = 50
    last[0] = 60
    middle = x[1]
    x[1, 0] = 70
    crossing = x[:, 1].numpy()
    crossing += 0.5
    x.mul_(2)
    return [x.tolist(), first.tolist(), last.tolist(), middle.tolist(), crossing.tolist(), crossing.strides]


def numpy_of_special_tensors(t):
    expanded = t.zeros(1).expand(4)
    a = expanded.numpy()
    a[2] = 3
    empty, number = t.zeros(0, 3).numpy(), t.tensor(3.0).numpy()
    number[()] = 4
    last = t.zeros(2, 3, 4, 4).contiguous(memory_format=t.channels_last).numpy()
    return [expanded.tolist(), a.strides, empty.shape, number.shape, last.strides, t.tensor([True]).numpy().dtype.name]


def numpy_that_is_refused(t):
    leaf, half = t.zeros(3, requires_grad=True), t.zeros(3, dtype=t.bfloat16)
    return [message(leaf.numpy), message(np.asarray, leaf), message((leaf * 2).numpy), leaf.numpy(force=True).tolist(), message(half.numpy),
            message(t.zeros(3, device="meta").numpy), message(half.numpy, force=True)]


def numpy_then_the_array_is_dropped(t):
    x = t.arange(4.0)
    view = x[1:]
    a = x.numpy()
    a[3] = 9
    del a
    first = view.tolist()
    x.add_(1)
    again = view.numpy()
    again[0] = -5
    return [first, view.tolist(), x.tolist(), x._version]


def numpy_functions_write_into_tensors(t):
    x = t.tensor([3.0, 1.0, 2.0])
    np.asarray(x).sort()
    y = t.zeros(3)
    np.add(x, 1, out=y.numpy())
    return [x.tolist(), y.tolist()]


def detached_numpy_of_a_parameter(t):
    w = t.nn.Parameter(t.ones(3))
    a = w.detach().numpy()
    opt = t.optim.SGD([w], lr=0.5)
    (w * w).sum().backward()
    opt.step()
    first = a.tolist()
    a[1] = 10
    opt.zero_grad()
    (w * w).sum().backward()
    opt.step()
    return [first, a.tolist(), w.tolist(), w.grad.tolist(), w._version]


def gradients_at_memory_that_numpy_wrote(t):
    a = np.array([1.0, 2.0, 3.0])
    x = t.from_numpy(a).requires_grad_()
    a[0] = 10
    (x ** 2).sum().backward()
    part = x[1:]
    a[2] = 20
    (part ** 3).sum().backward()
    return [x.grad.tolist(), x._version, part.grad_fn.name(), x.is_leaf]


def a_graph_over_shared_memory(t):
    a = np.zeros((2, 3))
    leaf = t.tensor([1.0, 2.0, 3.0], dtype=t.float64, requires_grad=True)
    x = t.from_numpy(a)
    x[0] = leaf
    x[:, 1].mul_(2)
    (x * x).sum().backward()
    return [a.tolist(), leaf.grad.tolist(), x.grad_fn.name(), x._version]


# ---------------------------------------------------------------- what shares and what copies
def who_shares(t):
    a = np.arange(4.0)
    x = t.from_numpy(a)
    shared = [t.as_tensor(a), t.asarray(a), t.from_dlpack(a), x.detach(), x.data, x.view(2, 2), t.frombuffer(a, dtype=t.float64)]
    copies = [t.tensor(a), x.clone(), x.to(t.float32), t.as_tensor(a, dtype=t.float32), t.asarray(a, copy=True), copy.deepcopy(x),
              pickle.loads(pickle.dumps(x)), t.asarray(np.float64(0.0)), x + 0]
    single = np.zeros(1, np.float32)
    shared.append(t.Tensor(single))
    a[0] = single[0] = 9
    return [[float(y.reshape(-1)[0]) for y in shared], [float(y.reshape(-1)[0]) for y in copies], [y._version for y in shared]]


def data_and_set_and_swapping(t):
    a, b = np.zeros(3), np.ones(3)
    x, y = t.from_numpy(a), t.from_numpy(b)
    x.data = y
    x.add_(1)
    z = t.zeros(2, dtype=t.float64)
    z.set_(t.from_numpy(a))
    z[0] = 5
    w = t.zeros(3)
    w.numpy()
    return [a.tolist(), b.tolist(), x.tolist(), z.tolist(), message(w.resize_, 10), w.resize_(2).tolist(), w.untyped_storage().resizable(),
            z.untyped_storage().resizable()]


def reinterpreted_shared_memory(t):
    a = np.array([1.0, 2.0], dtype=np.float32)
    x = t.from_numpy(a)
    bits = x.view(t.int32)
    a[0] = -1
    bits[1] = 0
    z = np.zeros(2, np.complex64)
    c = t.from_numpy(z)
    parts = t.view_as_real(c)
    c.imag[0] = 3
    z[1] = 2 - 1j
    return [bits.tolist(), a.tolist(), parts.tolist(), [str(v) for v in z]]


def read_only_arrays(t):
    a = np.arange(3.0)
    a.flags.writeable = False
    first, second = _warned(t.from_numpy, a), _warned(t.as_tensor, a)
    return [len(first) <= 1, all(text.startswith("The given NumPy array is not writable") for text in first), second, t.tensor(a).tolist()]


def a_read_only_view_of_an_array_that_changes(t):
    a = np.arange(3.0)
    view = a[:]
    view.flags.writeable = False
    x = t.from_numpy(view)
    a[1] = 5
    return x.tolist()


# ---------------------------------------------------------------- buffers, asarray, DLPack
def buffers(t):
    b = bytearray(range(16))
    x = t.frombuffer(b, dtype=t.int32, offset=4, count=2)
    x[0] = -1
    b[8] = 0
    words = array("i", [1, 2])
    t.frombuffer(words, dtype=t.int32).mul_(3)
    cases = [{"offset": 3}, {"count": 5}, {"count": 0}, {"count": -2}, {"offset": 16}, {"offset": -1}, {"offset": 3, "count": 2}]
    errors = [message(t.frombuffer, b, dtype=t.int32, **case) for case in cases]
    errors += [message(t.frombuffer, other, dtype=t.int32) for other in (bytearray(), bytearray(7), [1], np.arange(3.0)[::2])]
    errors += [message(t.frombuffer, b, dtype=t.int32, requires_grad=True)]
    return [_facts(x), list(b), list(words), errors, t.frombuffer(b, dtype=t.float32, requires_grad=True).requires_grad]


def asarray_of_many_things(t):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said once in a process
        t.asarray(t.ones(1, requires_grad=True))
    b = bytearray(8)
    leaf = t.ones(3, requires_grad=True)
    y, z = leaf * 2, t.ones(3)
    made = [t.asarray(b), t.asarray(b, dtype=t.uint8), t.asarray([1, 2.0]), t.asarray(3), t.asarray(np.float64(3)),
            t.asarray(np.arange(3), dtype=t.float32, requires_grad=True), t.asarray(y, requires_grad=False), t.asarray(y, copy=True),
            t.asarray(y, dtype=t.float64, requires_grad=True), t.asarray(y, copy=True, requires_grad=False)]
    facts = [[x.tolist(), str(x.dtype).partition(".")[2], x.requires_grad, x.grad_fn.name() if x.grad_fn else None] for x in made]
    same = [t.asarray(y) is y, t.asarray(z) is z, t.asarray(z, requires_grad=True) is z, z.requires_grad,
            t.asarray(leaf, requires_grad=False) is leaf, leaf.requires_grad]
    errors = [message(t.asarray, [1], copy=False), message(t.asarray, np.arange(3), dtype=t.float32, copy=False),
              message(t.asarray, np.float64(3), copy=False), message(t.asarray, y, dtype=t.float64, copy=False),
              message(t.asarray, y, device="meta", copy=False), message(t.asarray, np.arange(3), requires_grad=True), message(t.asarray, None),
              message(t.asarray, "ab")]
    return [facts, same, errors]


def dlpack(t):
    x = t.arange(3.0)
    a = np.from_dlpack(x)
    x[0] = 5
    y = t.from_dlpack(x)
    y[1] = 8
    capsule = t.utils.dlpack.to_dlpack(x)
    z = t.utils.dlpack.from_dlpack(capsule)
    z[2] = 9
    used_up, transposed = message(t.from_dlpack, capsule), t.from_dlpack(np.zeros((2, 3)).T)
    errors = [message(t.from_dlpack, 3), message(t.ones(2, requires_grad=True).__dlpack__)]
    return [a.tolist(), x.tolist(), y is x, [int(n) for n in x.__dlpack_device__()], used_up, transposed.stride(), errors,
            t.from_dlpack(t.ones(2, dtype=t.bfloat16)).tolist(), t.from_dlpack(x, copy=True).data_ptr() == x.data_ptr()]


SCENARIOS = [scenario for name, scenario in list(globals().items())
             if callable(scenario) and getattr(scenario, "__module__", "") == __name__ and name[0] != "_"]
