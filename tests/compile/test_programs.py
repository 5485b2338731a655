"""How often torchish evaluates and compiles: counts are the specification of its speed."""
import weakref

import pytest

import torchish as torch
from torchish._core.explain import log


@pytest.fixture
def counts():
    """The number of compilations since the last call."""
    last = [0]

    def compiled():
        now = log.counters["programs compiled"]
        since, last[0] = now - last[0], now
        return since
    torch.ones(1).item()  # evaluates what earlier tests left pending
    compiled()
    return compiled


def seed_round():
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    z.mean().backward()
    return x.grad


def test_the_missions_loop_compiles_nothing_after_two_rounds(counts):
    for _ in range(2):
        assert seed_round().sum().item() == 18.0
    counts()
    for _ in range(20):
        assert seed_round().sum().item() == 18.0
    assert counts() == 0


def test_a_loop_that_nobody_reads_settles_on_few_programs(counts):
    total = 0
    for i in range(2000):
        total = total + (torch.ones(4) * i).sum()
    assert total.item() == 4 * sum(range(2000))
    assert counts() <= 4


def test_a_changing_number_does_not_recompile(counts):
    w = torch.zeros(8, requires_grad=True)
    x = torch.randn(32, 8)
    for i in range(40):
        loss = ((x * w).sum(1) - 1).mean()
        loss.backward()
        with torch.no_grad():
            w -= (0.1 / (1 + i)) * w.grad
        w.grad = None
        loss.item()
        if i == 3:
            counts()
    assert counts() == 0


def test_a_changing_slice_start_does_not_recompile(counts):
    data = torch.randn(64, 8)
    w = torch.zeros(8, requires_grad=True)
    for i in range(32):
        batch = data[2 * i:2 * i + 2]
        loss = ((batch * w).sum(1) - 1).mean()
        loss.backward()
        w.grad.sum().item()
        w.grad = None
        if i == 3:
            counts()
    assert counts() == 0


def test_dead_intermediates_are_never_materialised():
    x = torch.randn(8)
    a = x * 2
    value = weakref.ref(a._read())
    b = a + 1
    del a
    b.sum().item()
    assert value() is None or value().array is None


def test_explain_names_the_cause_and_the_users_line(capsys):
    torch.reset_explain()
    for _ in range(3):
        seed_round().sum().item()
    torch.explain()
    text = capsys.readouterr().out
    assert "cut: item" in text
    assert "test_programs.py" in text


def test_the_eager_switch_evaluates_after_every_operation():
    torch.set_eager(True)
    try:
        x = torch.ones(3) * 2
        assert x._read().array is not None
    finally:
        torch.set_eager(False)


def test_importing_and_running_leaves_jaxs_configuration_alone():
    import jax
    (torch.arange(3) + 1).sum().item()
    assert jax.config.jax_enable_x64 is False


def test_ever_new_shapes_compile_nothing(counts):
    w = torch.randn(16, 16, requires_grad=True)
    x = torch.randn(40, 16)

    def sweep():
        for n in range(1, 41):
            ((x[:n] @ w).tanh() * 0.5).sum().backward()
            w.grad.sum().item()
            w.grad = None
    for _ in range(3):
        sweep()
    assert counts() <= 4  # the first few were not yet known to be a family


def test_a_text_that_grows_by_a_token_compiles_nothing_when_it_is_written_again(counts):
    table, w = torch.randn(10, 8), torch.randn(8, 10)

    def write():
        text = torch.zeros(1, dtype=torch.long)
        for _ in range(30):
            word = (table[text].cumsum(0).tanh() @ w)[-1:].argmax(1)
            text = torch.cat([text, word])
            text[-1].item()
        return text.tolist()
    assert write() == write() == write()
    assert counts() <= 4
