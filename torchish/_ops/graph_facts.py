"""What torch's autograd graph shows beside values: edges for numbers, names of saved tensors, and the nodes that a backward records.

Facts of torch 2.13, one table each, keyed by the name of the forward's node. They decide what users see, never a number.
"""
from __future__ import annotations

from .._core.backward import AGAIN_WRITES, BY_DATA, COPIED, FORCED, SECOND, SHOWN, WRITES, Made
from .._core.grad_graph import GradNode, _classes, node_class, zero_gradient
from .._core.handle import new_tensor
from .._core.saved import SAVED_NAMES
from .._core.tape import state
from .variants import METHODS


def _nodes(names: str) -> list[str]:
    """'Add0 Mm0' -> ['AddBackward0', 'MmBackward0']; a name without a number is a whole one."""
    return [n[:-1] + "Backward" + n[-1] if n[-1].isdigit() else n for n in names.split()]


# A Python number beside a tensor is an edge of its own: torch wraps it in a tensor.
for _name in _nodes("Add0 Sub0 Mul0 Div0 Div1 Where0"):
    node_class(_name).wraps = True

# How many operands count as edges, where an absent one (a class weight, running statistics) does not.
for _count, _names in ((1, "NllLoss0 NllLoss2D0 MultiMarginLoss0 MultilabelMarginLoss0"), (2, "BinaryCrossEntropy0 BinaryCrossEntropyWithLogits0"),
                       (3, "NativeBatchNorm0 NativeGroupNorm0 NativeLayerNorm0")):
    for _name in _nodes(_names):
        node_class(_name).tensors = _count

# The node that a gradient shows under create_graph, by the node it is the gradient of; the rest show the latter's own.
_SECOND = {
    "MulBackward0": "Mul0 Pow0 Pow2 Exp0 Rsqrt0 Sin0 Cos0 Tan0 Reciprocal0 Dot0 Logsumexp0 Silu0 Mish0 LinalgVectorNorm0 Std0 Var0 Prod0 Prod1 "
                    "Amax0 Amin0 Atan20 Erf0 Erfc0 Erfinv0 Expm10 Sinh0 Cosh0 Asin0 Acos0 Asinh0 Acosh0 Lgamma0 Digamma0 NanToNum0 Copysign0 I00 "
                    "Lerp1 Nansum0 Aminmax0 Dist0 Ldexp0",
    "MulBackward1": "Exp20 Lerp0",
    "DivBackward0": "Log0 Sqrt0 Hypot0 Logaddexp0 Cumprod0 Log1P0 Log20 Log100 Atan0 Atanh0",
    "DivBackward1": "Mean0 Mean1 BinaryCrossEntropyWithLogits0",
    "NegBackward0": "Neg0 LinalgInvEx0 Rsub1",
    "WhereBackward0": "Clamp1 ClampMin0 ClampMax0 Where0 Logit0 Sinc0",
    "MaskedFillBackward0": "Maximum0 Minimum0 Fmax0 Fmin0",
    "MaskedFillBackward1": "Max1 Min1 Median0 Nanmedian0",
    "ExpandBackward0": "Sum0 Sum1",
    "SumBackward1": "Expand0 Repeat0",
    "ScatterBackward0": "Max0 Min0 Median1 Sort0 Topk0 Kthvalue0 Mode0",
    "ScatterBackward1": "Scatter0",
    "ScatterAddBackward0": "Gather0 Cummax0 Cummin0",
    "IndexPutImplBackward0": "Index0",
    "IndexAddBackward0": "IndexSelect0",
    "PutBackward0": "Take0",
    "FlipBackward0": "Cumsum0 Flip0",
    "SubBackward0": "Logcumsumexp0",
    "AddBackward0": "Renorm0",
    "SqueezeBackward1": "Unsqueeze0",
    "UnsqueezeBackward0": "Squeeze1",
    "StackBackward0": "Unbind0",
    "CatBackward0": "Split0 SplitWithSizes0",
    "SliceBackward0": "Cat0",
    "SelectBackward0": "Stack0",
    "LinalgSolveExBackward0": "LinalgDet0 LinalgSlogdet0 LinalgSolveEx0",
    "DiagonalBackward0": "DiagEmbed0",
    "NotImplemented": "Hardsigmoid0 MultiMarginLoss0",
}
# Nodes whose gradient is one operation, with a node named after theirs.
_OWN_SECOND = ("Tanh0 Sigmoid0 Softplus0 Gelu0 LeakyRelu0 Elu0 Hardtanh0 Hardswish0 LogSigmoid0 Softshrink0 Hardshrink0 Threshold0 PreluKernel0 "
               "NativeLayerNorm0 NativeBatchNorm0 Convolution0 MaxPool2DWithIndices0 AvgPool2D0 MseLoss0 SmoothL1Loss0 HuberLoss0 NllLoss0 Cdist0 "
               "Select0 Slice0 Diagonal0 Unfold0 Glu0 UpsampleNearest1D0 UpsampleNearest2D0 UpsampleBilinear2D0")

for _second, _first in _SECOND.items():
    SECOND.update(dict.fromkeys(_nodes(_first), (_second,)))
for _name in _nodes(_OWN_SECOND):
    SECOND[_name] = (_name[:-1] + "Backward0",)
SECOND.update({
    "ReluBackward0": ("ThresholdBackwardBackward0",), "EmbeddingBackward0": ("EmbeddingDenseBackwardBackward0",),
    "SoftmaxBackward0": ("SoftmaxBackwardDataBackward0",), "LogSoftmaxBackward0": ("LogSoftmaxBackwardDataBackward0",),
    "DivBackward0": ("DivBackward0", "MulBackward0"), "PowBackward1": ("WhereBackward0", "MulBackward0"),
    "MvBackward0": ("MulBackward0", "MvBackward0"), "AddmvBackward0": ("MulBackward0", "MulBackward0", "MvBackward0"),
    "SubBackward0": ("SubBackward0", "NegBackward0"), "XlogyBackward0": ("MaskedFillBackward0", "DivBackward0"),
    "AddmmBackward0": ("MulBackward1", "MmBackward0", "MmBackward0"), "BaddbmmBackward0": ("MulBackward1", "BmmBackward0", "BmmBackward0"),
    "AddcmulBackward0": ("MulBackward1", "MulBackward0", "MulBackward0"), "AddcdivBackward0": ("MulBackward1", "DivBackward0", "MulBackward0"),
    "linear with bias: AddmmBackward0": ("ViewBackward0", "MmBackward0", "TBackward0"),
    "linear with bias: ViewBackward0": ("ViewBackward0", "ViewBackward0", "TBackward0"), "linear: MmBackward0": ("MmBackward0", "TBackward0"),
    "AbsBackward0": (zero_gradient("MulBackward0"),), "matmul vector matrix": ("SqueezeBackward1", "MmBackward0"),
    "RemainderBackward1": ("MulBackward0", "MulBackward0"), "DistBackward0": ("MulBackward0", "NegBackward0"),
})

# Gradients that torch computes by an operation differentiable, with zeros, in what the forward kept: operand, or -1 for the result.
FORCED.update({"ReluBackward0": -1,
               **dict.fromkeys(_nodes("Threshold0 LeakyRelu0 Hardtanh0 Hardswish0 Softshrink0 Hardshrink0 PreluKernel0 Abs0 MaxPool2DWithIndices0 "
                                      "AvgPool2D0 NllLoss0 Hardsigmoid0 MultiMarginLoss0 LinalgVectorNorm0"), 0)})

# Gradients that torch computes into a fresh tensor in place count those writes.
WRITES.update({**dict.fromkeys(_nodes("Index0 Max1 Min1 Median0 Nanmedian0 Maximum0 Minimum0 Gather0 IndexSelect0 Take0 "
                                      "BinaryCrossEntropyWithLogits0"), 1),
               **dict.fromkeys(_nodes("Max0 Min0 Median1 Sort0 Topk0 Kthvalue0 Mode0 Cummax0 Cummin0"), 2)})

# So do the gradients of gradients that torch composes of several operations, beside those that backward itself adds up.
AGAIN_WRITES.update({**dict.fromkeys(_nodes("Silu0 Std0"), 1), "SincBackward0": 2})


def _has_zero(primal) -> bool:
    """Whether a product's factors contain 0. torch looks at them in backward too, but not under vmap."""
    return state.scope is None and bool((new_tensor(primal.inputs[0])._host("zeros in the gradient of a product") == 0).any())


class _Slices(GradNode):
    """Of a gradient written slice by slice."""

    __slots__ = ()
    label = "torch::autograd::CopySlices"


_Slices.__name__ = _Slices.__qualname__ = "CopySlices"
_classes["slices"] = _Slices


def _by_slices(primal) -> Made:
    size = primal.plan.argtypes[0].shape[dict(primal.plan.static)["dim"]] if primal.plan.argtypes[0].ndim else 1
    return Made("slices", size + 1, False, 2 * size - 4) if size > 1 and _has_zero(primal) else Made("DivBackward0")


def _by_others(primal) -> Made:
    return Made("MulBackward0", viewed=primal.plan.argtypes[0].ndim > 0 and _has_zero(primal))


BY_DATA.update({"prod": _by_others, "cumprod": _by_slices})

# torch's names of what nodes keep, by operand (-1: the result), where not self, other, result.
SAVED_NAMES.update({
    "AddmmBackward0": {1: "mat1", 2: "mat2"}, "AddbmmBackward0": {1: "batch1", 2: "batch2"}, "BaddbmmBackward0": {1: "batch1", 2: "batch2"},
    "MmBackward0": {0: "self", 1: "mat2"}, "BmmBackward0": {0: "self", 1: "mat2"}, "MvBackward0": {0: "self", 1: "vec"},
    "AddmvBackward0": {1: "mat", 2: "vec"}, "DotBackward0": {0: "self", 1: "tensor"},
    "ConvolutionBackward0": {0: "input", 1: "weight"}, "NativeLayerNormBackward0": {0: "input", 1: "weight", 2: "bias"},
    "NativeBatchNormBackward0": {0: "input", 1: "weight"}, "NativeGroupNormBackward0": {0: "input", 1: "weight"},
    "EmbeddingBackward0": {1: "indices"}, "WhereBackward0": {0: "condition"}, "MaskedFillBackward0": {1: "mask"},
    "PowBackward1": {0: "self", 1: "exponent", -1: "result"}, "PowBackward2": {1: "exponent", -1: "result"},
    "GatherBackward0": {0: "self", 1: "index"}, "IndexSelectBackward0": {1: "index"}, "IndexBackward0": {1: "indices"},
    "AddcmulBackward0": {1: "tensor1", 2: "tensor2"}, "AddcdivBackward0": {1: "tensor1", 2: "tensor2"},
    "NllLossBackward0": {0: "self", 1: "target", 2: "weight"}, "MseLossBackward0": {0: "self", 1: "target"},
    "SmoothL1LossBackward0": {0: "self", 1: "target"}, "HuberLossBackward0": {0: "self", 1: "target"},
    "BinaryCrossEntropyBackward0": {0: "self", 1: "target", 2: "weight"}, "LerpBackward1": {0: "self", 1: "end", 2: "weight"},
})


# ---------------------------------------------------------------- gradients that are views of what arrives
COPIED.update(("sum", "sum.dim", "t", "permute", "transpose"))


def _summed(gradient, plan, i):
    """Of a sum: what arrives, repeated."""
    shape, static = plan.argtypes[0].shape, dict(plan.static)
    if len(gradient._spec.shape) != len(shape):
        for d in sorted(d % len(shape) for d in static.get("dims") or ()):
            gradient = METHODS["unsqueeze"](gradient, d)
    return METHODS["expand"](gradient, tuple(shape))


def _permuted(gradient, plan, i):
    dims = dict(plan.static)["dims"]
    return METHODS["permute"](gradient, tuple(dims.index(d) for d in range(len(dims))))


def _transposed(gradient, plan, i):
    dims = dict(plan.static)["dims"]
    moved = [d for d, source in enumerate(dims) if d != source] or [0, 0]
    return METHODS["transpose"](gradient, moved[0], moved[1]) if dims else gradient


def _unsqueezed(gradient, plan, i):
    """Of `squeeze(dim)`: the dimension is put back."""
    before = tuple(plan.argtypes[0].shape)
    after = list(gradient._spec.shape)
    dim = next((d for d, n in enumerate(before) if n == 1 and [*before[:d], *before[d + 1:]] == after), None)
    return gradient if dim is None else METHODS["unsqueeze"](gradient, dim)


def _squeezed(gradient, plan, i):
    """Of `unsqueeze(dim)`: the dimension is taken out."""
    before = list(plan.argtypes[0].shape)
    after = gradient._spec.shape
    dim = next(d for d, n in enumerate(after) if n == 1 and [*after[:d], *after[d + 1:]] == before)
    return METHODS["squeeze"](gradient, dim)


def _part(gradient, plan, i):
    """Of `cat`: the slice that came from operand `i`."""
    if tuple(plan.argtypes[i].shape) == (0,):  # cat leaves out empty vectors, which need not have its rank
        return None
    dim = dict(plan.static)["dim"]
    sizes = [0 if len(a.shape) == 1 and a.shape[0] == 0 else a.shape[dim] for a in plan.argtypes]
    return METHODS["narrow"](gradient, dim, sum(sizes[:i]), sizes[i])


SHOWN.update({
    "sum": _summed, "sum.dim": _summed, "permute": _permuted, "transpose": _transposed, "unsqueeze": _squeezed, "squeeze.dim": _unsqueezed,
    "cat": _part,
    "t": lambda gradient, plan, i: METHODS["t"](gradient),
    "view": lambda gradient, plan, i: METHODS["view"](gradient, tuple(plan.argtypes[i].shape)),
    "stack": lambda gradient, plan, i: METHODS["select"](gradient, dict(plan.static)["dim"], i),
    "clone": lambda gradient, plan, i: gradient,
    "prod": lambda gradient, plan, i: None if plan.argtypes[0].ndim else gradient,
})
