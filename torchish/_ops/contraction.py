"""Contractions over chosen dimensions: einsum, tensordot, inner, kron, and chains of matrix products."""

from __future__ import annotations

import math
import string
from functools import lru_cache

import numpy as np

from .._core.op import Op
from .._core.record import call
from .._dtype import BOOL
from .._promotion import promote_types
from .matmul import matmul, mm
from .nn_common import C_NAMES, TensorBase, computed, conj, not_implemented, sized
from .shared import shape_text, wrap_dim
from .variants import METHODS, public

LETTERS = string.ascii_uppercase + string.ascii_lowercase


# ---------------------------------------------------------------- tensordot
def _tensordot(xp, a, b, axes):
    return np.tensordot(a, b, axes) if xp is np else xp.tensordot(a, b, axes, precision="highest")


def _free(a, dims: tuple) -> tuple:
    return tuple(i for i in range(a.ndim) if i not in dims)


def _free_shapes(a, b, dims: tuple) -> tuple:
    return tuple(a.shape[i] for i in _free(a, dims[0])), tuple(b.shape[i] for i in _free(b, dims[1]))


def _infer_tensordot(a, b, *, dims):
    """torch multiplies two matrices, or two vectors where every dimension is contracted, and views the result in its shape."""
    rows, columns = _free_shapes(a, b, dims)
    whole = not (rows or columns)
    if a.dtype.category == BOOL:
        raise not_implemented("dot" if whole else "addmm_impl_cpu_", a.dtype)
    return sized(() if whole else (math.prod(rows), math.prod(columns)), a)


def _tensordot_body(xp, a, b, *, dims):
    rows, columns = _free_shapes(a, b, dims)
    made = _tensordot(xp, a, b, dims)
    return made if not (rows or columns) else xp.reshape(made, (math.prod(rows), math.prod(columns)))


def _tensordot_side(xp, g, this, other, own: tuple, theirs: tuple, first: bool):
    """The cotangent of one operand: contract g with the other's free dimensions, then put the dimensions in the operand's order."""
    free, other_free = _free(this, own), _free(other, theirs)
    mine, others = tuple(this.shape[i] for i in free), tuple(other.shape[i] for i in other_free)
    g = xp.reshape(g, mine + others if first else others + mine)
    at = tuple(range(len(free), g.ndim)) if first else tuple(range(len(other_free)))
    made = _tensordot(xp, g, conj(xp, other), (at, other_free))  # dimensions: free ones of `this`, then its contracted ones in `other`'s order
    order = free + tuple(own[i] for i in np.argsort(theirs))
    return xp.transpose(made, tuple(int(i) for i in np.argsort(order)))


def _tensordot_op(name: str, grad: str) -> Op:
    return Op(
        name,
        _tensordot_body,
        computed(_infer_tensordot),
        grad=grad,
        saves=((0, 1), (1, 0)),
        vjp=(
            lambda xp, g, out, a, b, *, dims: _tensordot_side(xp, g, a, b, dims[0], dims[1], True),
            lambda xp, g, out, a, b, *, dims: _tensordot_side(xp, g, b, a, dims[1], dims[0], False),
        ),
    )


tensordot_op, tensordot_whole = _tensordot_op("tensordot", "MmBackward0"), _tensordot_op("tensordot whole", "DotBackward0")


@public("tensordot", method=False, out=True)
def tensordot(a, b, dims=2):
    """Sum of products over `dims`: a count (last of `a`, first of `b`) or two lists of dimensions. Raises RuntimeError where sizes differ."""
    if isinstance(dims, TensorBase):
        dims = dims.tolist() if dims._spec.numel > 1 else int(dims.item())
    x, y = a._spec, b._spec
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = tuple(range(-dims, 0)), tuple(range(dims))
    first, second = (tuple(d) if isinstance(d, (tuple, list)) else (d,) for d in dims)
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    if x.dtype is not y.dtype:
        raise RuntimeError("both inputs should have same dtype")
    own, theirs = tuple(wrap_dim(d, x.ndim) for d in first), tuple(wrap_dim(d, y.ndim) for d in second)
    for i, j, p, q in zip(own, theirs, first, second):
        m, n = x.shape[i], y.shape[j]
        if m != n and m != 1 and n != 1:
            raise RuntimeError(f"contracted dimensions need to match, but first has size {m} in dim {p} and second has size {n} in dim {q}")
        if m == 1 != n:
            b = METHODS["sum"](b, j, keepdim=True)
        elif n == 1 != m:
            a = METHODS["sum"](a, i, keepdim=True)
    shape = sum(_free_shapes(a._spec, b._spec, (own, theirs)), ())
    made = call(tensordot_op if len(own) < a._spec.ndim or len(own) < b._spec.ndim else tensordot_whole, (a, b), (("dims", (own, theirs)),))
    return METHODS["view"](made, shape)


@public("inner", out=True)
def inner(input, other):
    """Sum of products over the last dimension of both. Raises RuntimeError where they differ; scalars multiply."""
    a, b = input._spec, other._spec
    if a.ndim == 0 or b.ndim == 0:
        return METHODS["mul"](input, other)
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {shape_text(a.shape)} and {shape_text(b.shape)}"
        )
    return tensordot(input, other, dims=([-1], [-1]))


# ---------------------------------------------------------------- kron
def _kron_parts(xp, a, b):
    n = max(a.ndim, b.ndim)
    p, q = (1,) * (n - a.ndim) + tuple(a.shape), (1,) * (n - b.ndim) + tuple(b.shape)
    return xp.reshape(a, [s for m in p for s in (m, 1)]), xp.reshape(b, [s for m in q for s in (1, m)]), p, q


def _kron_body(xp, a, b):
    x, y, p, q = _kron_parts(xp, a, b)
    return xp.reshape(x * y, [m * n for m, n in zip(p, q)])


def _infer_kron(a, b):
    n = max(a.ndim, b.ndim)
    p, q = (1,) * (n - a.ndim) + tuple(a.shape), (1,) * (n - b.ndim) + tuple(b.shape)
    return sized([x * y for x, y in zip(p, q)], a, promote_types(a.dtype, b.dtype))


def _kron_side(xp, g, a, b, first: bool):
    x, y, p, q = _kron_parts(xp, a, b)
    g = xp.reshape(g, [s for m, n in zip(p, q) for s in (m, n)])
    made = (g * conj(xp, y if first else x)).sum(tuple(range(1 if first else 0, 2 * len(p), 2)))
    return xp.reshape(made, (a if first else b).shape)


kron_op = Op(
    "kron",
    _kron_body,
    computed(_infer_kron),
    grad="UnsafeViewBackward0",
    saves=((0, 1), (1, 0)),
    vjp=(lambda xp, g, out, a, b: _kron_side(xp, g, a, b, True), lambda xp, g, out, a, b: _kron_side(xp, g, a, b, False)),
)


@public("kron", out=True)
def kron(input, other):
    """The Kronecker product: every element of `input` times the whole of `other`."""
    return call(kron_op, (input, other))


# ---------------------------------------------------------------- einsum
def _einsum(xp, equation: str, *arrays):
    if xp is np:
        return np.einsum(equation, *arrays, optimize=len(arrays) > 1)
    return xp.einsum(equation, *arrays, precision="highest")


def _squeezed(xp, arrays, shapes):
    return [a if tuple(a.shape) == s else xp.reshape(a, s) for a, s in zip(arrays, shapes)]


def _einsum_body(xp, *arrays, subscripts, result, shapes, shape):
    return xp.reshape(_einsum(xp, ",".join(subscripts) + "->" + result, *_squeezed(xp, arrays, shapes)), shape)


def _einsum_rule(i: int):
    """The cotangent of operand i: an einsum of g with the other operands. A repeated letter becomes a diagonal, a letter that only this
    operand has becomes a row of ones."""

    def rule(xp, g, out, *arrays, subscripts, result, shapes, shape):
        whole, arrays = arrays[i].shape, _squeezed(xp, arrays, shapes)
        own = subscripts[i]
        size = {c: n for s, a in zip(subscripts, arrays) for c, n in zip(s, a.shape)}
        g = xp.reshape(g, tuple(size[c] for c in result))
        terms, operands = [result], [g]
        for j, s in enumerate(subscripts):
            if j != i:
                terms.append(s)
                operands.append(conj(xp, arrays[j]))
        spare = iter(c for c in LETTERS if c not in size)
        target = ""
        for c in own:
            if c in target:
                fresh = next(spare)
                terms.append(c + fresh)
                operands.append(xp.eye(size[c], dtype=g.dtype))
                target += fresh
            else:
                target += c
        for c in set(own):
            if not any(c in t for t in terms):
                terms.append(c)
                operands.append(xp.ones(size[c], g.dtype))
        return xp.reshape(_einsum(xp, ",".join(terms) + "->" + target, *operands), whole)

    return rule


def _infer_einsum(*specs, subscripts, result, shapes, shape):
    return sized(shape, specs[0])


_RULES = tuple(_einsum_rule(i) for i in range(16))
_EINSUM = {
    grad: Op(f"einsum: {grad}", _einsum_body, computed(_infer_einsum), grad=grad, vjp=_RULES)
    for grad in ("PermuteBackward0", "SumBackward1", "MulBackward0", "ViewBackward0")
}
_EINSUM["BmmBackward0"] = Op("einsum: BmmBackward0", _einsum_body, computed(_infer_einsum), grad="BmmBackward0", saves=(0, 1), vjp=_RULES)


def _from_sublists(args: tuple) -> tuple[str, list]:
    """The form einsum(a, [0, 1], b, [1, 2], [0, 2]) as an equation and operands."""
    operands, lists = list(args[0 : len(args) - len(args) % 2 : 2]), list(args[1::2])

    def text(sublist) -> str:
        for d in sublist:
            if d is not Ellipsis and not 0 <= d < 52:
                raise RuntimeError(f"einsum(): expected subscripts to be within range [0, 52), but got {d}")
        return "".join("..." if d is Ellipsis else LETTERS[d] for d in sublist)

    equation = ",".join(text(s) for s in lists)
    return equation + ("->" + text(args[-1]) if len(args) % 2 else ""), operands


@public("einsum", method=False)
def einsum(equation, *operands):
    """Sums of products named by letters, "ij,jk->ik", or by sublists. Raises RuntimeError for an equation that does not fit the operands."""
    if isinstance(equation, TensorBase):
        equation, operands = _from_sublists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    if not operands:
        raise ValueError("einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list")
    subscripts, result, shapes, shape, grad = _parse(equation, tuple([tuple(t._spec.shape) for t in operands]))
    if len({t._spec.dtype for t in operands}) > 1:
        a = operands[0]._spec.dtype
        b = next(t._spec.dtype for t in operands if t._spec.dtype is not a)
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {C_NAMES[a]} != {C_NAMES[b]}")
    if grad == "BmmBackward0":
        return _as_product(operands, subscripts, result, shapes, shape)
    return call(_EINSUM[grad], tuple(operands), (("subscripts", subscripts), ("result", result), ("shapes", shapes), ("shape", shape)))


def _as_product(operands, subscripts: tuple, result: str, shapes: tuple, shape: tuple):
    """Two operands with a sum over letters of both: in torch one batched product, of which the result is a view."""
    both, left, summed, right = product_letters(subscripts, result)
    size = {c: n for s, ns in zip(subscripts, shapes) for c, n in zip(s, ns)}
    flat = tuple([math.prod([size[c] for c in part]) for part in (both, left, right)])
    static = (("subscripts", subscripts), ("result", both + left + right), ("shapes", shapes), ("shape", flat))
    made = call(_EINSUM["BmmBackward0"], tuple(operands), static)
    made = METHODS["view"](made, tuple([1 if c in summed else size[c] for c in both + left + summed + right]))
    order = "".join(c for c in result if c in size) + summed
    made = METHODS["permute"](made, tuple([(both + left + summed + right).index(c) for c in order]))
    return METHODS["view"](made, shape)


def product_letters(subscripts: tuple, result: str) -> tuple[str, str, str, str]:
    """The letters of two operands as those of a batched product: of both and the result, of the first alone, summed, of the second alone."""
    a, b = subscripts
    summed = "".join(sorted(c for c in a if c in b and c not in result))
    both = "".join(c for c in result if c in a and c in b)
    return both, "".join(c for c in result if c in a and c not in b), summed, "".join(c for c in result if c in b and c not in a)


@lru_cache(maxsize=4096)
def _parse(equation: str, shapes: tuple):
    """(subscripts, result letters, operand shapes without broadcast 1s, result shape, grad_fn name) of an equation for these shapes."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        if len(shapes) > 2:
            raise ValueError(f"Number of einsum subscripts, {len(terms)}, must be equal to the number of operands, {len(shapes)}.")
        raise RuntimeError(f"einsum(): {'fewer' if len(shapes) < len(terms) else 'more'} operands were provided than specified in the equation")
    rank = max((len(s) - len(t.replace("...", "")) for t, s in zip(terms, shapes) if "..." in t), default=0)
    spare = [c for c in LETTERS if c not in equation]
    letters = [_expanded(t, len(s), rank, i, spare) for i, (t, s) in enumerate(zip(terms, shapes))]
    size = _sizes(letters, shapes)
    dots = "".join(spare[:rank])
    if arrow:
        result = right.replace("...", dots)
        _check_result(result, size)
    else:
        every = "".join(letters)
        result = dots + "".join(c for c in sorted(set(every) - set(dots)) if every.count(c) == 1)
    kept = [[(c, n) for c, n in zip(t, s) if n == size[c]] for t, s in zip(letters, shapes)]
    subscripts = tuple("".join(c for c, _ in k) for k in kept)
    summed = any(c not in result for t in letters for c in t)
    if len(terms) == 1:
        grad = "SumBackward1" if any(c not in result for c in letters[0]) else "PermuteBackward0"
    else:
        grad = "ViewBackward0" if summed else "MulBackward0"
        if any(n != 1 for c, n in size.items() if c not in result) and _is_product(subscripts, result):
            grad = "BmmBackward0"
    # a letter of the result that every operand lost as a broadcast 1 cannot occur: size[c] is the largest, so some operand keeps it
    return subscripts, result, tuple(tuple(n for _, n in k) for k in kept), tuple(size[c] for c in result), grad


def _is_product(subscripts: tuple, result: str) -> bool:
    """Whether it is two operands, of which each letter occurs once and goes into the result or is summed with the other's."""
    if len(subscripts) != 2:
        return False
    a, b = subscripts
    return len(set(a)) == len(a) and len(set(b)) == len(b) and set(a) <= set(b + result) and set(b) <= set(a + result)


def _expanded(term: str, ndim: int, rank: int, i: int, spare: list) -> str:
    """One operand's letters, with "..." spelled out by spare letters aligned to the right."""
    named = term.replace("...", "", 1)
    for c in named:
        if c not in LETTERS:
            raise RuntimeError(
                f"einsum(): found '.' for operand {i} that is not part of any ellipsis"
                if c == "."
                else f"einsum(): invalid subscript given at index {term.index(c)} in the equation string, subscripts must be in [a-zA-Z]"
            )
    if "..." not in term:
        if len(named) != ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(named)}) does not match the number of dimensions ({ndim}) "
                f"for operand {i} and no ellipsis was given"
            )
        return named
    if len(named) > ndim:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(named)}) is more than the number of dimensions ({ndim}) for operand {i}"
        )
    count = ndim - len(named)
    return term.replace("...", "".join(spare[rank - count : rank]))


def _sizes(letters: list, shapes: tuple) -> dict:
    size: dict = {}
    for i, (term, shape) in enumerate(zip(letters, shapes)):
        own: dict = {}
        for c, n in zip(term, shape):
            if own.setdefault(c, n) != n:
                raise RuntimeError(f"einsum(): subscript {c} is repeated for operand {i} but the sizes don't match, {n} != {own[c]}")
            have = size.get(c, 1)
            if have != 1 and n not in (1, have):
                raise _unequal(c, n, i, have, len(shapes))
            size[c] = n if have == 1 else have
    return size


def _unequal(c: str, n: int, i: int, have: int, count: int) -> Exception:
    if count > 2:  # torch asks opt_einsum for an order first
        return ValueError(f"Size of label '{c}' for operand {i} ({have}) does not match previous terms ({n}).")
    return RuntimeError(f"einsum(): subscript {c} has size {n} for operand {i} which does not broadcast with previously seen size {have}")


def _check_result(result: str, size: dict) -> None:
    for c in result:
        if c not in LETTERS:
            raise RuntimeError(
                "einsum(): found '.' for output but an ellipsis (...) was already found"
                if c == "."
                else f"einsum(): invalid subscript given at index {result.index(c)} in the equation string, subscripts must be in [a-zA-Z]"
            )
        if result.count(c) > 1:
            raise RuntimeError(f"einsum(): output subscript {c} appears more than once in the output")
        if c not in size:
            raise RuntimeError(f"einsum(): output subscript {c} does not appear in the equation for any input operand")


# ---------------------------------------------------------------- bilinear
def _bilinear_op(grad: str, bias: bool) -> Op:
    def body(xp, a, b, w, c):
        made = _einsum(xp, "ni,oij,nj->no", a.reshape((-1, a.shape[-1])), w, b.reshape((-1, b.shape[-1])))
        return made.reshape((*a.shape[:-1], w.shape[0])) + (0 if c is None else c)

    return Op(f"bilinear {bias}", body, computed(lambda a, b, w, c: sized((*a.shape[:-1], w.shape[0]), a)), grad=grad, saves=(0, 1, 2))


_BILINEAR = {bias: _bilinear_op("AddBackward0" if bias else "ViewBackward0", bias) for bias in (True, False)}


@public("bilinear", method=False, also=("nn.functional.bilinear",))
def bilinear(input1, input2, weight, bias=None):
    """y_o = input1 weight[o] input2 + bias_o: (*, I), (*, J) and weight (O, I, J) give (*, O). Raises RuntimeError where sizes differ."""
    a, b, w = input1._spec, input2._spec, weight._spec
    if a.ndim != b.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}")
    for i, (m, n) in enumerate(zip(a.shape[:-1], b.shape[:-1])):
        if m != n:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {i}: got {m} and {n}")
    for name, k, s in (("input1", 1, a), ("input2", 2, b)):
        if s.shape[-1] != w.shape[k]:
            raise RuntimeError(f"bilinear(): {name} size does not match weight size: got {s.shape[-1]} but expected {w.shape[k]}")
    if bias is not None and bias._spec.shape[0] != w.shape[0]:
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {bias._spec.shape[0]} but expected {w.shape[0]}")
    return call(_BILINEAR[bias is not None], (input1, input2, weight, bias))


# ---------------------------------------------------------------- chains
@public("linalg.multi_dot", method=False, out=True)
def multi_dot(tensors):
    """The product of a chain of matrices, in the order that costs least; first and last may be vectors. Raises RuntimeError otherwise."""
    n = len(tensors)
    if n < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {n}")
    _check_chain(tensors)
    first, last = tensors[0]._spec, tensors[-1]._spec
    chain = list(tensors)
    shape = ()
    if first.ndim == 1:
        chain[0] = METHODS["unsqueeze"](chain[0], 0)
    else:
        shape = (first.shape[0],)
    if last.ndim == 1:
        chain[-1] = METHODS["unsqueeze"](chain[-1], 1)
    else:
        shape += (last.shape[1],)
    return METHODS["reshape"](_ordered(chain), shape)


def _check_chain(tensors) -> None:
    n = len(tensors)
    specs = [t._spec for t in tensors]
    for i, s in enumerate(specs):
        if i in (0, n - 1):
            if s.ndim not in (1, 2):
                raise RuntimeError(f"multi_dot(): the {'first' if i == 0 else 'last'} tensor must be 1D or 2D but got {s.ndim}D")
        elif s.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {s.ndim}D")
    for i, s in enumerate(specs):
        if s.dtype is not specs[0].dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {C_NAMES[specs[0].dtype]} and tensor {i} {C_NAMES[s.dtype]}"
            )
    for i in range(n - 1):
        if specs[i].shape[-1] != specs[i + 1].shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {shape_text(specs[i].shape)} and {shape_text(specs[i + 1].shape)} "
                "cannot be multiplied"
            )


def _ordered(chain: list):
    """Multiply in the cheapest order, by the classic dynamic programme over split points (Cormen et al., Introduction to Algorithms, 15.2)."""
    sizes = [t._spec.shape[0] for t in chain] + [chain[-1]._spec.shape[1]]
    n = len(chain)
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            cost[i][j], split[i][j] = min((cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))

    def multiplied(i: int, j: int):
        return chain[i] if i == j else mm(multiplied(i, split[i][j]), multiplied(split[i][j] + 1, j))

    return multiplied(0, n - 1)


@public("chain_matmul", method=False)
def chain_matmul(*matrices, out=None):
    """The product of two or more matrices, as linalg.multi_dot; one matrix is itself."""
    for m in matrices:
        if m._spec.ndim != 2:
            raise RuntimeError(f"Tensor {m._spec.ndim}D is not a matrix: chain_matmul expects 2D tensors")
    made = matrices[0] if len(matrices) == 1 else multi_dot(list(matrices))
    if out is None:
        return made
    return METHODS["copy_"](out, made)


__all__ = ["bilinear", "chain_matmul", "einsum", "inner", "kron", "matmul", "multi_dot", "tensordot"]
