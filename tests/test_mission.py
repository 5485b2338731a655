"""The examples of the document that the project began from, with the output that it gives for each, in this process and as a script.

Where an example draws random numbers, the document's text becomes a pattern. `python -m torchish` prints grad_fn as torch does, with its digit.
"""
from __future__ import annotations

import contextlib
import io
import re

import pytest
from process_tools import run_python

import torchish

NUMBER = r" *-?\d\.\d{4}"
ROW = rf"\[{NUMBER}(?:,{NUMBER}){{3}}\]"
MATRIX = rf"\[{ROW},\n        {ROW}\]"

# name -> (code, pattern of the whole output)
EXAMPLES = {
    "a tensor that requires grad": ("""
x_tensor = torch.ones(2, 4, requires_grad=True)
print(x_tensor)
""", re.escape("""\
tensor([[1., 1., 1., 1.],
        [1., 1., 1., 1.]], requires_grad=True)
""")),
    "requires_grad_ in place": ("""
x_tensor = torch.randn(2, 4)
print(x_tensor)
print(x_tensor.requires_grad)

x_tensor.requires_grad_(True)
print(x_tensor)
print(x_tensor.requires_grad)
""", rf"tensor\((?P<data>{MATRIX})\)\nFalse\ntensor\((?P=data), requires_grad=True\)\nTrue\n"),
    "detach": ("""
# first define a tensor with requires_grad=True
x_tensor = torch.ones(2, 4, requires_grad=True)
print(x_tensor)
# use detach to stop a tensor from tracking history
x_tensor = x_tensor.detach()
print(x_tensor)
print(x_tensor.requires_grad)
""", re.escape("""\
tensor([[1., 1., 1., 1.],
        [1., 1., 1., 1.]], requires_grad=True)
tensor([[1., 1., 1., 1.],
        [1., 1., 1., 1.]])
False
""")),
    "no_grad": ("""
x_tensor = torch.rand(2, 4, requires_grad=True)
print(x_tensor)
with torch.no_grad():
    x_d_tensor = x_tensor * 2
    print(x_d_tensor)
    print(x_d_tensor.requires_grad)
""", rf"tensor\((?P<single>{MATRIX}), requires_grad=True\)\ntensor\((?P<double>{MATRIX})\)\nFalse\n"),
    "grad_fn": ("""
# define a tensor with requires_grad=True
x = torch.ones(2, 2, requires_grad=True)
# add operate
y = x + 2
# multiply operate
z = y * y * 3
print(x)
print(y)
print(z)
""", re.escape("""\
tensor([[1., 1.],
        [1., 1.]], requires_grad=True)
tensor([[3., 3.],
        [3., 3.]], grad_fn=<AddBackward>)
tensor([[27., 27.],
        [27., 27.]], grad_fn=<MulBackward>)
""")),
    "backward": ("""
x = torch.ones(2, 2, requires_grad=True)
y = x + 2
z = y * y * 3
out = z.mean()
out.backward()
# Print gradients d(out)/dx
print(x.grad)
""", re.escape("""\
tensor([[4.5000, 4.5000],
        [4.5000, 4.5000]])
""")),
}
SEEDED = """\
tensor([[ 1.5410, -0.2934, -2.1788,  0.5684],
        [-1.0845, -1.3986,  0.4033,  0.8380]])
tensor([[0.6977, 0.8000, 0.1610, 0.2823],
        [0.6816, 0.9152, 0.3971, 0.8742]], requires_grad=True)
"""


def printed(code: str) -> str:
    """What code prints that was written after `import torchish as torch`."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "<example>", "exec"), {"torch": torchish})
    return out.getvalue()


@pytest.fixture(scope="module")
def script_output(tmp_path_factory) -> dict[str, str]:
    """What every example prints in one script that says `import torch`, run by `python -m torchish`."""
    script = tmp_path_factory.mktemp("mission") / "document.py"
    script.write_text("import torch\n" + "print('#')\n".join(code for code, _ in EXAMPLES.values()), encoding="utf-8")
    status, out, errors = run_python("-m", "torchish", str(script))
    assert (status, errors) == (0, "")
    return dict(zip(EXAMPLES, out.split("#\n")))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_prints_what_the_document_says(name):
    code, pattern = EXAMPLES[name]
    assert re.fullmatch(pattern, printed(code))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_prints_the_same_as_a_script_with_torchs_grad_fn(name, script_output):
    pattern = EXAMPLES[name][1].replace("Backward>", "Backward0>")
    assert re.fullmatch(pattern, script_output[name])


def test_the_doubled_numbers_are_the_double():
    found = re.fullmatch(EXAMPLES["no_grad"][1], printed(EXAMPLES["no_grad"][0]))
    single, double = ([float(n) for n in re.findall(NUMBER, found[name])] for name in ("single", "double"))
    assert double == pytest.approx([2 * n for n in single], abs=1.6e-4)


def test_with_a_seed_the_random_numbers_are_torchs():
    assert printed("torch.manual_seed(0)\nprint(torch.randn(2, 4))\nprint(torch.rand(2, 4, requires_grad=True))") == SEEDED
