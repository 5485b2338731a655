"""Matrix products: matmul and its ranks, linear, and the products that add (addmm and its kin). einsum and tensordot are in contraction.py.

Shape and dtype errors are raised by the shape rules here, once for each kind of call.
"""

from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .._core.op import Op
from .._core.record import call
from .._promotion import promote_types
from .nn_common import C_NAMES, COMPLEX, FLOATING, TensorBase, cast, computed, conj, contracted, not_implemented, product, require_tensor, sized, swap
from .shared import shape_text
from .variants import METHODS, assign, check_writable, public, register


# ---------------------------------------------------------------- shape rules
def _refuse_bool(kernel: str, a) -> None:
    if a.dtype is dt.bool_:
        raise not_implemented(kernel, a.dtype)


def _infer_mm(a, b):
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_mm(a.shape, b.shape)
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {C_NAMES[a.dtype]} != {C_NAMES[b.dtype]}")
    if a.numel and b.numel:
        _refuse_bool("addmm_impl_cpu_", a)
    return sized((a.shape[0], b.shape[1]), a)


def _check_mm(a, b) -> None:
    if a[1] != b[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})")


def _infer_bmm(a, b):
    for name, s in (("batch1", a), ("batch2", b)):
        if s.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    _check_bmm(a.shape, b.shape)
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy} but found {b.dtype.legacy}")
    _refuse_bool("bmm", a)
    return sized((a.shape[0], a.shape[1], b.shape[2]), a)


def _check_bmm(a, b) -> None:
    want = (a[0], a[2])
    if tuple(b[:2]) != want:
        raise RuntimeError(f"Expected size for first two dimensions of batch2 tensor to be: {shape_text(want)} but got: {shape_text(b[:2])}.")


def _infer_mv(a, b):
    if a.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if a.ndim != 2 or b.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), vec ({b.shape[0]})")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {b.dtype.legacy}, {a.dtype.legacy}, and {b.dtype.legacy}")
    _refuse_bool("addmv_impl_cpu", a)
    return sized(a.shape[:1], a)


def _infer_dot(a, b):
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {a.dtype.legacy} and {b.dtype.legacy}")
    if a.numel != b.numel:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.numel}] and src [{b.numel}] to have the same number of elements, but got "
            f"{a.numel} and {b.numel} elements respectively"
        )
    _refuse_bool("dot", a)
    return sized((), a)


def _infer_matmul(a, b):
    """torch's rule: vectors gain a dimension that the result loses, leading dimensions broadcast. The errors are those of what torch calls."""
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D")
    if b.ndim == 1:
        _infer_mv(sized((a.numel // max(a.shape[-1], 1), a.shape[-1]), a), b)
        return sized(a.shape[:-1], a)
    rows = a.shape[-2] if a.ndim > 1 else 1
    if b.ndim == 2:
        count = a.numel // a.shape[-1] if a.shape[-1] else rows
        _infer_mm(sized((count, a.shape[-1]), a), b)
        return sized(tuple(a.shape[:-1]) + (b.shape[1],), a)
    batch = _broadcast_batch(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    count = 1
    for n in batch:
        count *= n
    _infer_bmm(sized((count, rows, a.shape[-1]), a), sized((count, *b.shape[-2:]), b))
    return sized(batch + ((rows,) if a.ndim > 1 else ()) + (b.shape[-1],), a)


def _broadcast_batch(a: tuple, b: tuple) -> tuple:
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    for i in range(n - 1, -1, -1):
        if a[i] != b[i] and 1 not in (a[i], b[i]):
            raise RuntimeError(f"The size of tensor a ({a[i]}) must match the size of tensor b ({b[i]}) at non-singleton dimension {i}")
    return tuple(y if x == 1 else x for x, y in zip(a, b))


# ---------------------------------------------------------------- gradients
def _rows(a):
    """All but the last dimension as one."""
    return a.reshape((a.size // a.shape[-1] if a.shape[-1] else int(np.prod(a.shape[:-1])), a.shape[-1]))


def _left(xp, g, out, a, b):
    """The cotangent of `a` in a @ b, not yet summed over broadcast dimensions."""
    b = conj(xp, b)
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return product(xp, b, g[..., None])[..., 0]
    return contracted(xp, g, b, g.ndim - 1, 1) if b.ndim == 2 else product(xp, g, swap(b))


def _right(xp, g, out, a, b):
    """The cotangent of `b` in a @ b."""
    a = conj(xp, a)
    if b.ndim == 1:
        return g * a if a.ndim == 1 else product(xp, _rows(a).T, g.reshape(-1))
    if a.ndim == 1:
        return a[:, None] * g[..., None, :]
    if b.ndim == 2:
        return contracted(xp, _rows(a), _rows(g), 0, 0)
    return product(xp, swap(a), g)


def _product_op(name: str, infer, grad: str) -> Op:
    return Op(name, product, computed(infer), grad=grad, saves=((0, 1), (1, 0)), vjp=(_left, _right))


mm_op = _product_op("mm", _infer_mm, "MmBackward0")
bmm_op = _product_op("bmm", _infer_bmm, "BmmBackward0")
mv_op = _product_op("mv", _infer_mv, "MvBackward0")
dot_op = _product_op("dot", _infer_dot, "DotBackward0")
_squeezed = _product_op("matmul vector matrix", _infer_matmul, "SqueezeBackward4")
_cloned = _product_op("matmul matrix batch", _infer_matmul, "CloneBackward0")
_batched = _product_op("matmul", _infer_matmul, "UnsafeViewBackward0")
_BY_RANKS = {(1, 1): dot_op, (2, 1): mv_op, (2, 2): mm_op, (1, 2): _squeezed}
vdot_op = Op(
    "vdot",
    lambda xp, a, b: product(xp, conj(xp, a), b),
    computed(_infer_dot),
    grad="VdotBackward0",
    saves=((0, 1), (1, 0)),
    vjp=(lambda xp, g, out, a, b: conj(xp, g) * b, lambda xp, g, out, a, b: g * a),
)


# ---------------------------------------------------------------- products of two tensors
@public("matmul", out=True, also=("linalg.matmul",))
def matmul(input, other):
    """The matrix product, by torch's rules for each rank. Raises RuntimeError where shapes or dtypes do not fit."""
    if not isinstance(other, TensorBase):
        require_tensor("matmul", "other", 2, other)
    ranks = input._spec.ndim, other._spec.ndim
    op = _BY_RANKS.get(ranks)
    if op is None:
        op = _cloned if ranks[0] == 2 and ranks[1] > 2 else _batched
    elif op is _squeezed:
        return _squeezing(call(op, (input, other)))
    return call(op, (input, other))


def _squeezing(made: TensorBase) -> TensorBase:
    made._bump()  # torch drops the row of a vector in place
    return made


def _operator(self, other):
    return matmul(self, other) if isinstance(other, TensorBase) else NotImplemented


register(METHODS, "__matmul__", _operator)
register(METHODS, "__rmatmul__", lambda self, other: matmul(other, self) if isinstance(other, TensorBase) else NotImplemented)


def _pair(name: str, op: Op, second: str, doc: str, also: tuple = ()):
    def front(input, other):
        if not isinstance(other, TensorBase):
            require_tensor(name, second, 2, other)
        return call(op, (input, other))

    space: dict = {"front": front}
    exec(f"def {name}(input, {second}):\n    return front(input, {second})\n", space)
    made = space[name]
    made.__doc__, made.__module__ = doc, __name__
    return public(name, out=True, also=also)(made)


mm = _pair("mm", mm_op, "mat2", "The product of two matrices, without broadcasting. Raises RuntimeError where shapes or dtypes do not fit.")
bmm = _pair("bmm", bmm_op, "mat2", "The products of two batches of matrices. Raises RuntimeError where shapes or dtypes do not fit.")
mv = _pair("mv", mv_op, "vec", "The product of a matrix and a vector. Raises RuntimeError where shapes or dtypes do not fit.")
dot = _pair("dot", dot_op, "tensor", "The sum of products of two vectors. Raises RuntimeError where shapes or dtypes do not fit.")
vdot = _pair("vdot", vdot_op, "other", "`dot` with the first vector conjugated. Raises RuntimeError where shapes or dtypes do not fit.")


@public("outer", out=True, also=("ger",))
def outer(input, vec2):
    """The matrix of products of two vectors' elements. Raises RuntimeError unless both are 1-dimensional."""
    for name, v in (("self", input), ("vec2", vec2)):
        if v._spec.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {v._spec.ndim}-D")
    return METHODS["mul"](METHODS["reshape"](input, (input._spec.numel, 1)), vec2)


# ---------------------------------------------------------------- linear
def _infer_linear(x, w):
    if x.ndim == 0 or w.ndim == 0:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D")
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    return _infer_matmul(x, sized(tuple(w.shape)[::-1], w))


def _infer_linear_bias(bias, x, w):
    if w.ndim == 2 and x.ndim:
        rows = x.numel // max(x.shape[-1], 1)
        _check_mm((rows, x.shape[-1]), tuple(w.shape)[::-1])
        check_expand(bias, (rows, w.shape[0]))
        _same_as_mat2(bias, x, w)
    elif w.ndim == 1 and x.ndim == 2:
        raise RuntimeError("mat2 must be a matrix, got 1-D tensor")
    return _infer_linear(x, w)


def _same_as_mat2(bias, a, b) -> None:
    if bias.dtype is not b.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {bias.dtype.legacy} and {b.dtype.legacy}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {a.dtype.legacy} and {b.dtype.legacy}")


def _linear_body(xp, x, w):
    return product(xp, x, w.T) if x.ndim < 2 or w.ndim < 2 else contracted(xp, x, w, x.ndim - 1, 1)


def _linear_x(xp, g, out, x, w):
    return product(xp, g, conj(xp, w)) if w.ndim == 2 else g[..., None] * conj(xp, w)


def _linear_w(xp, g, out, x, w):
    if w.ndim == 1 or x.ndim == 1:
        return (g[..., None] * conj(xp, x)).reshape((-1, *w.shape)).sum(0) if w.ndim == 1 else g[:, None] * conj(xp, x)
    return contracted(xp, _rows(g), conj(xp, _rows(x)), 0, 0)


def _linear_op(grad: str, bias: bool) -> Op:
    if bias:
        return Op(
            f"linear with bias: {grad}",
            lambda xp, b, x, w: _linear_body(xp, x, w) + b,
            computed(_infer_linear_bias),
            grad=grad,
            saves=((1, 2), (2, 1)),
            vjp=(
                lambda xp, g, out, b, x, w: g,
                lambda xp, g, out, b, x, w: _linear_x(xp, g, out, x, w),
                lambda xp, g, out, b, x, w: _linear_w(xp, g, out, x, w),
            ),
        )
    return Op(f"linear: {grad}", _linear_body, computed(_infer_linear), grad=grad, saves=((0, 1), (1, 0)), vjp=(_linear_x, _linear_w))


_LINEAR = {n: _linear_op(n, False) for n in ("MmBackward0", "MvBackward0", "DotBackward0", "SqueezeBackward4", "UnsafeViewBackward0")}
_WITH_BIAS = {n: _linear_op(n, True) for n in ("AddmmBackward0", "ViewBackward0", "AddBackward0")}
_addmm_linear, _view_linear = _WITH_BIAS["AddmmBackward0"], _WITH_BIAS["ViewBackward0"]
_PLAIN = {(2, 2): _LINEAR["MmBackward0"], (1, 2): _LINEAR["SqueezeBackward4"], (2, 1): _LINEAR["MvBackward0"], (1, 1): _LINEAR["DotBackward0"]}


@public("nn.functional.linear", method=False, out=True)
def linear(input, weight, bias=None):
    """`input @ weight.T + bias`: (*, in) with weight (out, in) gives (*, out). Raises RuntimeError where shapes or dtypes do not fit."""
    rank = input._spec.ndim
    if bias is None:
        op = _PLAIN.get((rank, weight._spec.ndim))
        if rank == 1 and op is _PLAIN[1, 2]:
            return _squeezing(call(op, (input, weight)))
        return call(op or _LINEAR["UnsafeViewBackward0"], (input, weight))
    if rank == 2:
        return call(_addmm_linear, (bias, input, weight))
    return call(_view_linear if weight._spec.ndim > 1 else _WITH_BIAS["AddBackward0"], (bias, input, weight))


# ---------------------------------------------------------------- products that add
def check_expand(c, shape: tuple) -> None:
    """Raise torch's error unless the Spec `c` can be expanded to `shape`."""
    if c.ndim > len(shape):
        raise RuntimeError(
            f"expand(torch.{c.dtype.legacy}Tensor{{{shape_text(c.shape)}}}, size={shape_text(shape)}): the number of sizes provided "
            f"({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({c.ndim})"
        )
    for i in range(len(shape) - 1, len(shape) - c.ndim - 1, -1):
        n = c.shape[i - len(shape)]
        if n not in (1, shape[i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[i]}) must match the existing size ({n}) at non-singleton dimension {i}.  "
                f"Target sizes: {shape_text(shape)}.  Tensor sizes: {shape_text(c.shape)}"
            )


def _infer_addmm(c, a, b):
    for name, s in (("mat1", a), ("mat2", b)):
        if s.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {s.ndim}-D tensor")
    _check_mm(a.shape, b.shape)
    check_expand(c, (a.shape[0], b.shape[1]))
    _same_as_mat2(c, a, b)
    return _infer_mm(a, b)


def _infer_addmv(c, a, b):
    if a.ndim != 2 or b.ndim != 1 or c.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {c.ndim}, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0] or c.numel not in (1, a.shape[0]):
        raise RuntimeError(f"size mismatch, got input ({c.numel}), mat ({a.shape[0]}x{a.shape[1]}), vec ({b.shape[0]})")
    if not c.dtype is a.dtype is b.dtype:
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {c.dtype.legacy}, {a.dtype.legacy}, and {b.dtype.legacy}")
    return _infer_mv(a, b)


def _infer_addbmm(c, a, b):
    if b.ndim < 3:
        raise IndexError(f"Dimension out of range (expected to be in range of [-{b.ndim}, {b.ndim - 1}], but got 2)")
    if a.ndim != 3 or b.ndim != 3:
        raise RuntimeError(f"batch{1 if a.ndim != 3 else 2} must be a 3D tensor")
    if a.shape[0] != b.shape[0]:
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {a.shape[0]} and {b.shape[0]}")
    if a.shape[2] != b.shape[1]:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({a.shape[1]}x{a.shape[2]} and {b.shape[1]}x{b.shape[2]})")
    check_expand(c, (a.shape[1], b.shape[2]))
    _same_as_mat2(c, a, b)
    _refuse_bool("addmm_impl_cpu_", a)
    return sized((a.shape[1], b.shape[2]), a)


def _infer_baddbmm(c, a, b):
    for s, dim in ((a, 0), (a, 1), (b, 2)):
        if s.ndim <= dim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{s.ndim}, {s.ndim - 1}], but got {dim})" if s.ndim else
                             f"Dimension specified as {dim} but tensor has no dimensions")
    for name, s in (("batch1", a), ("batch2", b)):
        if s.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    _check_bmm(a.shape, b.shape)
    check_expand(c, (a.shape[0], a.shape[1], b.shape[2]))
    if a.dtype is b.dtype and c.dtype is not a.dtype:
        raise RuntimeError(f"Input dtypes must be the same, got: input {C_NAMES[c.dtype]}, batch1: {C_NAMES[a.dtype]}, batch2: {C_NAMES[b.dtype]}")
    _refuse_bool("baddbmm", a)
    return _infer_bmm(a, b)


def _infer_addr(c, a, b):
    for name, s in (("vec1", a), ("vec2", b)):
        if s.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {s.ndim}-D")
    check_expand(c, (a.shape[0], b.shape[0]))
    return sized((a.shape[0], b.shape[0]), a, promote_types(promote_types(c.dtype, a.dtype), b.dtype))


def _sum_of_products(xp, a, b):
    return product(xp, a, b).sum(0, dtype=a.dtype)


def _outer(xp, a, b):
    return a[:, None] * b[None, :]


_OUTER_RULES = (lambda xp, g, out, a, b: product(xp, g, conj(xp, b)), lambda xp, g, out, a, b: product(xp, conj(xp, a), g))
_BATCH_RULES = (lambda xp, g, out, a, b: product(xp, g, swap(conj(xp, b))), lambda xp, g, out, a, b: product(xp, swap(conj(xp, a)), g))


def _adding(name: str, grad: str, infer, multiply, rules: tuple, names: tuple):
    """Declare and publish `name(input, a, b, *, beta=1, alpha=1)`: beta * input + alpha * multiply(a, b); beta 0 ignores input."""
    plain = Op(
        name,
        lambda xp, c, a, b: c + multiply(xp, a, b),
        computed(infer),
        grad=grad,
        saves=((1, 2), (2, 1)),
        vjp=(
            lambda xp, g, out, c, a, b: g,
            lambda xp, g, out, c, a, b: rules[0](xp, g, None, a, b),
            lambda xp, g, out, c, a, b: rules[1](xp, g, None, a, b),
        ),
    )

    def body(xp, c, a, b, beta, alpha):
        made = multiply(xp, a, b)
        d = dt.BY_NUMPY[np.promote_types(c.dtype, made.dtype) if c.dtype != made.dtype else made.dtype]
        beta, alpha = cast(xp, beta, d), cast(xp, alpha, d)
        return xp.where(beta == 0, xp.zeros((), d.numpy), beta * c) + alpha * made

    def infer_scaled(c, a, b, beta, alpha):
        out = infer(c, a, b)
        if name == "addr" and out.dtype.category < FLOATING and float in (beta, alpha):
            raise RuntimeError(f"For integral input tensors, argument {'beta' if beta is float else 'alpha'} must not be a floating point number.")
        return out

    def by(number, g):
        return g * number.conjugate()

    scaled = Op(
        name + " scaled",
        body,
        computed(infer_scaled),
        grad=grad,
        saves=((1, 2), (2, 1)),
        vjp=(
            lambda xp, g, out, c, a, b, beta, alpha: by(beta, g),
            lambda xp, g, out, c, a, b, beta, alpha: by(alpha, rules[0](xp, g, None, a, b)),
            lambda xp, g, out, c, a, b, beta, alpha: by(alpha, rules[1](xp, g, None, a, b)),
        ),
    )

    def front(input, a, b, beta, alpha):
        for i, (n, t) in enumerate(zip(names, (a, b))):
            require_tensor(name, n, i + 2, t)
        if beta == 1 and alpha == 1:
            return call(plain, (input, a, b))
        return call(scaled, (input, a, b, beta, alpha))

    space: dict = {"front": front}
    exec(f"def {name}(input, {names[0]}, {names[1]}, *, beta=1, alpha=1):\n    return front(input, {names[0]}, {names[1]}, beta, alpha)\n", space)
    made = space[name]
    made.__doc__ = (
        f"beta * input + alpha * (the product of {names[0]} and {names[1]}); input broadcasts. Raises RuntimeError where shapes do not fit."
    )
    made.__module__ = __name__
    return public(name, out=True, inplace=True)(made)


addmm = _adding("addmm", "AddmmBackward0", _infer_addmm, product, (_left, _right), ("mat1", "mat2"))
addmv = _adding("addmv", "AddmvBackward0", _infer_addmv, product, (_left, _right), ("mat", "vec"))
addbmm = _adding("addbmm", "AddbmmBackward0", _infer_addbmm, _sum_of_products, _BATCH_RULES, ("batch1", "batch2"))
baddbmm = _adding("baddbmm", "BaddbmmBackward0", _infer_baddbmm, product, _BATCH_RULES, ("batch1", "batch2"))


def _addbmm_in_place(self, batch1, batch2, *, beta=1, alpha=1):
    """addbmm written into `self`, which takes the result's shape: the one in-place product that broadcasts its target."""
    check_writable(self)
    made = addbmm(self, batch1, batch2, beta=beta, alpha=alpha)
    if made._spec.shape != self._spec.shape:
        METHODS["resize_"](self, tuple(made._spec.shape))
    return assign(self, made)


METHODS["addbmm_"] = _addbmm_in_place
addr = _adding("addr", "AddrBackward0", _infer_addr, _outer, _OUTER_RULES, ("vec1", "vec2"))

__all__ = ["COMPLEX", "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "check_expand", "dot", "linear", "matmul", "mm", "mv", "outer", "vdot"]
