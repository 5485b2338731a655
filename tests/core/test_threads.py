"""Threads: modes are each thread's own; tensors, gradients and pending values may be shared."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torchish as torch


def in_thread(call):
    """What `call` returns in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def test_grad_mode_is_each_threads_own():
    with torch.no_grad():
        assert in_thread(torch.is_grad_enabled) is True
    entered, leave, seen = threading.Event(), threading.Event(), []

    def without_grad():
        with torch.no_grad():
            entered.set()
            leave.wait()
    other = threading.Thread(target=without_grad)
    other.start()
    entered.wait()
    seen.append(torch.is_grad_enabled())
    leave.set()
    other.join()
    assert seen == [True]


def test_inference_mode_is_each_threads_own():
    with torch.inference_mode():
        assert in_thread(torch.is_inference_mode_enabled) is False


def test_pending_values_can_be_used_by_another_thread():
    a = torch.ones(3, requires_grad=True)
    b = a * 2 + 1
    result = in_thread(lambda: (b * 3).sum())
    result.backward()
    assert (result.item(), a.grad.tolist()) == (27.0, [6.0, 6.0, 6.0])


def test_a_pending_value_of_another_thread_can_be_read():
    a = torch.ones(3)
    b = a * 2
    assert in_thread(b.tolist) == [2.0, 2.0, 2.0]
    assert b.tolist() == [2.0, 2.0, 2.0]


def test_what_a_thread_left_pending_can_be_read_after_its_end():
    made = in_thread(lambda: [torch.ones(2) * i for i in range(5)])
    assert [t.tolist() for t in made] == [[float(i)] * 2 for i in range(5)]


def test_two_threads_build_on_each_other():
    t, turns = [torch.ones(2)], [threading.Semaphore(1), threading.Semaphore(0)]

    def work(me):
        for _ in range(5):
            turns[me].acquire()
            t[0] = t[0] * 2 + me
            turns[1 - me].release()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = 1
    for i in range(10):
        expected = expected * 2 + i % 2
    assert t[0].tolist() == [float(expected)] * 2


def test_backward_from_several_threads_sums_right():
    torch.manual_seed(0)
    first, second = torch.nn.Linear(6, 5), torch.nn.Linear(5, 1)
    parameters = [*first.parameters(), *second.parameters()]
    inputs = [torch.randn(3, 6) for _ in range(4)]

    def work(x):
        for _ in range(6):
            second(torch.tanh(first(x))).pow(2).mean().backward()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, inputs))
    together = [p.grad.clone() for p in parameters]
    for p in parameters:
        p.grad = None
    for x in inputs:
        work(x)
    for got, p in zip(together, parameters):
        assert torch.allclose(got, p.grad, rtol=1e-4, atol=1e-5)


def test_custom_functions_and_hooks_run_in_the_thread_of_backward():
    names = []

    class Named(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            names.append(threading.current_thread().name)
            return g * 2
    a = torch.ones(2, requires_grad=True)
    loss = Named.apply(a).sum()
    worker = threading.Thread(target=loss.backward, name="worker")
    worker.start()
    worker.join()
    assert (names, a.grad.tolist()) == (["worker"], [2.0, 2.0])


def test_a_value_that_its_thread_overwrote_and_did_not_keep():
    made, used, kept = {}, threading.Event(), []

    def work():
        t = made["t"] = torch.ones(2) * 2
        recorded.set()
        used.wait(10)
        t.add_(5)
        kept.append(t.tolist())
    recorded = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    recorded.wait(10)
    y = made["t"] + 1
    used.set()
    thread.join()
    assert (y.tolist(), kept) == ([3.0, 3.0], [[7.0, 7.0]])
