"""What torch's graph shows of operations that are one node here and several there, see Note [Composites] in grad_graph.

Facts of torch 2.13, written as `Mm(View(0), T(1))`: names stand for MmBackward0 and so on (a digit at the end is the overload), numbers for
operands, `-` for no edge. What depends on the call is a function of its Plan.
"""
from __future__ import annotations

import functools
import re
from collections.abc import Callable

from .._core.grad_graph import SHAPES
from .._core.op import Plan
from .contraction import product_letters

_TOKEN = re.compile(r"[A-Za-z]\w*|\d+|[-(),]")


@functools.cache
def trees(text: str) -> tuple:
    """The trees that a text describes."""
    made, rest = _read(_TOKEN.findall(text))
    if rest:
        raise ValueError(f"{text!r} goes on after its end: {rest}")
    return made


def _read(tokens: list) -> tuple[tuple, list]:
    made: list = []
    while tokens and tokens[0] != ")":
        token, tokens = tokens[0], tokens[1:]
        if token == ",":
            continue
        if tokens and tokens[0] == "(":
            below, tokens = _read(tokens[1:])
            made.append((_full(token), below))
            tokens = tokens[1:]
        else:
            made.append(None if token == "-" else int(token))
    return tuple(made), tokens


def _full(name: str) -> str:
    return f"{name[:-1]}Backward{name[-1]}" if name[-1].isdigit() else f"{name}Backward0"


def show(name: str, shape: str | Callable[[Plan], str]) -> None:
    """Show what is below the node of operation `name`."""
    SHAPES[name] = (lambda plan: trees(shape(plan))) if callable(shape) else (lambda plan: trees(shape))


# ---------------------------------------------------------------- products
def _rows(i: int, plan: Plan) -> str:
    return f"View({i})" if plan.argtypes[i].ndim > 2 else f"Unsqueeze({i})" if plan.argtypes[i].ndim == 1 else str(i)


def _matmul(plan: Plan) -> str:
    a, b = plan.argtypes[:2]
    if a.ndim > 2 and b.ndim == 2:
        return "Mm(View(0), 1)"
    if a.ndim > 2 and b.ndim == 1:
        return "Mv(View(0), 1)"
    if a.ndim == 1:
        return "Mv(View(Transpose(1)), 0)"
    if a.ndim == 2:
        return "Transpose(Mm(View(Transpose(1)), T(0)))"
    return "Bmm(View(Expand(0)), View(Expand(1)))"


show("linear: MmBackward0", "0, T(1)")
show("linear: UnsafeViewBackward0", "Mm(View(0), T(1))")
show("linear: SqueezeBackward4", "Mm(Unsqueeze(0), T(1))")
show("linear with bias: AddmmBackward0", "0, 1, T(2)")
show("linear with bias: ViewBackward0", "Addmm(0, View(1), T(2))")
show("matmul", _matmul)
show("matmul vector matrix", "Mm(Unsqueeze(0), 1)")
show("kron", "Mul(UnsafeView(0), UnsafeView(1))")
show("bilinear False", "Trilinear(View(0), 2, View(1))")
show("bilinear True", "View(Trilinear(View(0), 2, View(1))), 3")
show("scaled_dot_product_attention math",
     "Bmm(View(Expand(SafeSoftmax(UnsafeView(Bmm(View(Expand(Mul1(0))), ReshapeAlias(Expand(Mul1(1)))))))), View(Expand(2)))")
show("scaled_dot_product_attention", "0, 1, 2")

def _einsum(plan: Plan) -> str:
    static = dict(plan.static)
    letters = product_letters(static["subscripts"], static["result"])
    count = len("".join(letters))
    return ", ".join(_einsum_operand(i, static["subscripts"][i], static["shapes"][i], letters, count) for i in (0, 1))


def _einsum_operand(i: int, own: str, shape: tuple, letters: tuple, count: int) -> str:
    """A letter for each missing dimension, then the letters in the product's order; a view where the operand was contiguous and stays so."""
    both, left, summed, right = letters
    order = [c for c in (both + left + summed if i == 0 else both + summed + right) if shape[own.index(c)] != 1]
    kept = [c for c in own if shape[own.index(c)] != 1]
    shown = f"{'Unsqueeze(' * (count - len(own))}{i}{')' * (count - len(own))}"
    return f"{'View' if order == kept else 'ReshapeAlias'}(Permute(Permute({shown})))"


show("einsum: BmmBackward0", _einsum)

# ---------------------------------------------------------------- norms and activations
show("rms_norm", lambda plan: "0, Rsqrt(Add1(Mean1(Pow(0))))" if plan.argtypes[1] is type(None) else
     "Mul(0, Rsqrt(Add1(Mean1(Pow(0))))), 1")
show("instance_norm", "NativeBatchNorm(View(0), Repeat(1), Repeat(2))")
show("softsign", "0, Add(Abs(0), -)")
show("tanhshrink", "0, Tanh(0)")
show("prelu", lambda plan: "0, View(1)" if plan.argtypes[0].ndim > 1 else "0, 1")
for _name in ("logit", "nan_to_num", "clamp min number", "clamp max number"):
    show(_name, "0")

# ---------------------------------------------------------------- losses: what each element goes through; the reduction is above it
_NORM = "Add1(Norm1(Add1(Sub({a}, {b}))))"
_ELEMENTS = {
    "kl_div": "Sub(Xlogy(1, 1), Mul(1, 0))",
    "kl_div of logs": "Mul(Exp(1), Sub(1, 0))",
    "margin_ranking_loss": "ClampMin(Add1(Mul(Neg(2), Sub(0, 1))))",
    "hinge_embedding_loss": "Add(Where(ClampMin(Sub(-, 0)), -), Where(0, -))",
    "gaussian_nll_loss False": "Mul(Add(Log(Clone(2)), Div(Pow(Sub(0, 1)), Clone(2))), -)",
    "gaussian_nll_loss True": "Add(Mul(Add(Log(Clone(2)), Div(Pow(Sub(0, 1)), Clone(2))), -), -)",
    "poisson_nll_loss True False": "Sub(Exp(0), Mul(1, 0))",
    "poisson_nll_loss False False": "Sub(0, Mul(1, Log(Add1(0))))",
    "poisson_nll_loss True True": "Add(Sub(Exp(0), Mul(1, 0)), -)",
    "poisson_nll_loss False True": "Add(Sub(0, Mul(1, Log(Add1(0)))), -)",
    "triplet_margin_loss": "ClampMin(Sub(Add1(Norm1(Add1(Sub(0, 1)))), Norm1(Add1(Sub(0, 2)))))",
    "multilabel_soft_margin_loss": "Div(Sum1(Neg(Add(Mul(1, LogSigmoid(0)), Mul(1, LogSigmoid(Neg(0)))))), -)",
    "cosine_embedding_loss": "Add(Where(Sub(-, {cosine}), -), Where(ClampMin(Sub1({cosine})), -))".replace(
        "{cosine}", "Div(Sum1(Mul(0, 1)), Sqrt(Mul(Add1(Sum1(Mul(0, 0))), Add1(Sum1(Mul(1, 1))))))"),
}


def _show_loss(base: str, each: str) -> None:
    show(f"{base} mean", each)
    show(f"{base} sum", each)
    show(f"{base} none", each[each.index("(") + 1:-1])  # that node is its own


for _base, _each in _ELEMENTS.items():
    _show_loss(_base, _each)
show("soft_margin_loss", "0")
show("cosine_similarity", "Mul(Div(0, Clone(LinalgVectorNorm(0))), Div(1, Clone(LinalgVectorNorm(1))))")
show("pairwise_distance", "Add1(Sub(0, 1))")


def _smoothed(plan: Plan) -> str:
    share = {"mean": "Div(Sum({}), -)", "sum": "Sum({})", "none": "{}"}[dict(plan.static)["reduction"]]
    return f"Mul1(NllLoss(0)), Mul1({share.format('MaskedFill(Neg(Sum1(0)))')})"


show("cross_entropy smoothed", _smoothed)
show("cross_entropy of probabilities mean", "Neg(Sum(Mul(0, 1)))")
show("cross_entropy of probabilities sum", "Sum(Mul(0, 1))")
show("cross_entropy of probabilities none", "Sum1(Mul(0, 1))")
