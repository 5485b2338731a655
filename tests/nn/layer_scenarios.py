"""Every layer, activation, pooling and loss, as one scenario each: what it prints, how it starts, what it computes.

A row is (class, arguments, settings, inputs); inputs are made by functions of the package, without random draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from scenario_tools import message, plain


def wave(*shape: int, scale: float = 1.0) -> Callable[[Any], Any]:
    """A tensor of `shape` with values spread over [-scale, scale]."""

    def make(p: Any) -> Any:
        # made on the host: compiled arithmetic may fuse a multiply and an add, which the sine of a large number would magnify
        return p.tensor([math.sin(1.7 * i + 0.3) * scale for i in range(math.prod(shape))]).reshape(shape)

    return make


def share(*shape: int, offset: float = 0.0) -> Callable[[Any], Any]:
    """A tensor of `shape` with values within (0, 1)."""
    return lambda p: p.tensor([math.sin(math.sin(1.7 * i + 0.3) + offset) * 0.45 + 0.5 for i in range(math.prod(shape))]).reshape(shape)


def data(values: Any) -> Callable[[Any], Any]:
    return lambda p: p.tensor(values)


ROWS: list[tuple[str, tuple, dict[str, Any], tuple[Callable[[Any], Any], ...]]] = [
    ("Identity", (1,), {"any": 2}, (wave(2),)),
    ("Linear", (3, 4), {}, (wave(2, 3),)),
    ("Linear", (3, 4, False), {}, (wave(3),)),
    ("Bilinear", (2, 3, 4), {}, (wave(5, 2), wave(5, 3))),
    ("Conv1d", (4, 6, 3), {"padding": "same"}, (wave(2, 4, 7),)),
    ("Conv1d", (4, 2, 2), {"padding": "same", "padding_mode": "circular"}, (wave(2, 4, 5),)),
    ("Conv2d", (2, 4, (3, 2)), {"stride": 2, "padding": (1, 2), "dilation": (1, 2), "groups": 2, "bias": False}, (wave(1, 2, 6, 5),)),
    ("Conv2d", (2, 2, 3), {"padding": 1, "padding_mode": "reflect"}, (wave(1, 2, 4, 4),)),
    ("Conv2d", (2, 2, 3), {"padding": "valid"}, (wave(2, 4, 4),)),
    ("Conv3d", (2, 2, 2), {"padding": 1, "padding_mode": "replicate"}, (wave(1, 2, 2, 3, 2),)),
    ("ConvTranspose1d", (4, 2, 3), {"stride": 2, "output_padding": 1}, (wave(2, 4, 3),)),
    ("ConvTranspose2d", (4, 2, 3), {"groups": 2, "dilation": 2}, (wave(1, 4, 3, 3),)),
    ("ConvTranspose2d", (2, 2, 3), {"stride": 2}, (wave(1, 2, 3, 3), lambda p: [8, 7])),
    ("ConvTranspose3d", (2, 2, 2), {}, (wave(1, 2, 2, 2, 2),)),
    ("BatchNorm1d", (3,), {}, (wave(4, 3),)),
    ("BatchNorm1d", (3,), {"momentum": None, "bias": False}, (wave(4, 3, 2),)),
    ("BatchNorm2d", (3,), {"affine": False}, (wave(2, 3, 2, 2),)),
    ("BatchNorm3d", (3,), {"track_running_stats": False}, (wave(2, 3, 2, 1, 2),)),
    ("LayerNorm", ((3, 4),), {}, (wave(2, 3, 4),)),
    ("LayerNorm", (4,), {"bias": False}, (wave(2, 4),)),
    ("LayerNorm", (4,), {"elementwise_affine": False}, (wave(2, 4),)),
    ("GroupNorm", (2, 4), {}, (wave(2, 4, 3),)),
    ("GroupNorm", (2, 4), {"bias": False}, (wave(2, 4, 3),)),
    ("RMSNorm", (4,), {}, (wave(2, 4),)),
    ("RMSNorm", ([4],), {"eps": 0.1, "elementwise_affine": False}, (wave(2, 4),)),
    ("LocalResponseNorm", (3,), {}, (wave(2, 4, 2, 2),)),
    ("Embedding", (5, 3), {"padding_idx": -1}, (data([[0, 1], [4, 2]]),)),
    ("Embedding", (5, 3), {"max_norm": 1.0, "norm_type": 3.0, "_freeze": True}, (data([0, 3]),)),
    ("EmbeddingBag", (5, 3), {"mode": "sum", "padding_idx": 1}, (data([[0, 1], [4, 2]]),)),
    ("MaxPool1d", (2,), {}, (wave(1, 2, 5),)),
    ("MaxPool2d", (2,), {"stride": 1, "padding": 1, "return_indices": True}, (wave(1, 2, 3, 3),)),
    ("MaxPool3d", ((2, 1, 2),), {"ceil_mode": True}, (wave(1, 1, 3, 3, 3),)),
    ("MaxUnpool1d", (2,), {}, (wave(1, 1, 2), data([[[1, 2]]]))),
    ("MaxUnpool2d", (2,), {}, (wave(1, 1, 1, 2), data([[[[1, 2]]]]))),
    ("MaxUnpool3d", (2,), {}, (wave(1, 1, 1, 1, 1), data([[[[[1]]]]]))),
    ("AvgPool1d", (2,), {"padding": 1, "count_include_pad": False}, (wave(1, 2, 6),)),
    ("AvgPool2d", ((2, 3),), {"divisor_override": 4}, (wave(1, 1, 4, 6),)),
    ("AvgPool3d", (2,), {}, (wave(1, 1, 4, 4, 2),)),
    ("LPPool1d", (2, 3), {}, (share(1, 2, 6),)),
    ("LPPool2d", (2, 2), {"stride": 1}, (share(1, 1, 3, 3),)),
    ("LPPool3d", (2, 2), {}, (share(1, 1, 2, 4, 2),)),
    ("AdaptiveAvgPool1d", (2,), {}, (wave(1, 2, 5),)),
    ("AdaptiveAvgPool2d", ((None, 2),), {}, (wave(1, 1, 3, 5),)),
    ("AdaptiveAvgPool3d", (2,), {}, (wave(1, 1, 3, 2, 3),)),
    ("AdaptiveMaxPool1d", (2,), {"return_indices": True}, (wave(1, 2, 5),)),
    ("AdaptiveMaxPool2d", (2,), {}, (wave(1, 1, 3, 5),)),
    ("AdaptiveMaxPool3d", (2,), {}, (wave(1, 1, 3, 2, 3),)),
    ("Dropout", (0.3,), {}, (wave(20),)),
    ("Dropout1d", (0.3,), {}, (wave(2, 4, 2),)),
    ("Dropout2d", (0.3,), {}, (wave(2, 4, 2, 1),)),
    ("Dropout3d", (0.3,), {}, (wave(2, 4, 2, 1, 1),)),
    ("AlphaDropout", (0.3,), {}, (wave(20),)),
    ("FeatureAlphaDropout", (0.3, True), {}, (wave(2, 4, 2, 1),)),
    ("Flatten", (), {}, (wave(2, 3, 2),)),
    ("Unflatten", (1, (2, 3)), {}, (wave(2, 6),)),
    ("PairwiseDistance", (), {"keepdim": True}, (wave(2, 3), share(2, 3))),
    ("CosineSimilarity", (), {}, (wave(2, 3), share(2, 3))),
    ("TripletMarginWithDistanceLoss", (), {"swap": True}, (wave(4, 3), share(4, 3), share(4, 3, offset=1.0))),
]
ROWS += [
    (name, arguments, settings, (wave(2, 4, 3, 1, scale=3.0),))
    for name, arguments, settings in [
        ("Threshold", (0.1, 2), {}),
        ("Threshold", (0.1, 2, True), {}),
        ("ReLU", (), {}),
        ("ReLU", (True,), {}),
        ("RReLU", (), {}),
        ("RReLU", (0.1, 0.2, True), {}),
        ("Hardtanh", (-2.0, 2.0), {"inplace": True}),
        ("ReLU6", (), {}),
        ("ReLU6", (True,), {}),
        ("Sigmoid", (), {}),
        ("Hardsigmoid", (True,), {}),
        ("Tanh", (), {}),
        ("SiLU", (True,), {}),
        ("Mish", (True,), {}),
        ("Hardswish", (), {}),
        ("ELU", (2.0, True), {}),
        ("CELU", (2.0,), {}),
        ("SELU", (True,), {}),
        ("GLU", (1,), {}),
        ("GELU", (), {}),
        ("GELU", ("tanh",), {}),
        ("Hardshrink", (), {}),
        ("Softshrink", (), {}),
        ("Tanhshrink", (), {}),
        ("LeakyReLU", (0.3, True), {}),
        ("LogSigmoid", (), {}),
        ("Softplus", (2.0,), {}),
        ("Softsign", (), {}),
        ("PReLU", (4,), {}),
        ("Softmax", (1,), {}),
        ("Softmin", (1,), {}),
        ("LogSoftmax", (1,), {}),
        ("Softmax2d", (), {}),
    ]
]
_CLASSES, _SIGNS = data([0, 2, 1, 1]), data([1.0, -1.0, 1.0, -1.0])
_WEIGHT = [0.2, 0.7, 1.1]
_FIRST, _SECOND, _LINE, _OTHER_LINE = share(4, 3), share(4, 3, offset=2.0), share(4), share(4, offset=2.0)
ROWS += [
    (name, (), {**settings, "reduction": reduction}, inputs)
    for reduction in ("mean", "sum", "none")
    for name, settings, inputs in [
        ("L1Loss", {}, (_FIRST, _SECOND)),
        ("MSELoss", {}, (_FIRST, _SECOND)),
        ("SmoothL1Loss", {"beta": 0.2}, (_FIRST, _SECOND)),
        ("HuberLoss", {"delta": 0.2}, (_FIRST, _SECOND)),
        ("NLLLoss", {"weight": _WEIGHT, "ignore_index": 1}, (_FIRST, _CLASSES)),
        ("CrossEntropyLoss", {"weight": _WEIGHT, "label_smoothing": 0.1}, (_FIRST, _CLASSES)),
        ("BCELoss", {"weight": _WEIGHT}, (_FIRST, _SECOND)),
        ("BCEWithLogitsLoss", {"pos_weight": _WEIGHT}, (_FIRST, _SECOND)),
        ("KLDivLoss", {"log_target": True}, (_FIRST, _SECOND)),
        ("PoissonNLLLoss", {"full": True}, (_FIRST, _SECOND)),
        ("GaussianNLLLoss", {}, (_FIRST, _SECOND, _FIRST)),
        ("HingeEmbeddingLoss", {}, (_LINE, _SIGNS)),
        ("CosineEmbeddingLoss", {"margin": 0.2}, (_FIRST, _SECOND, _SIGNS)),
        ("MarginRankingLoss", {}, (_LINE, _OTHER_LINE, _SIGNS)),
        ("MultiLabelMarginLoss", {}, (_FIRST, data([[0, 1, -1]] * 4))),
        ("SoftMarginLoss", {}, (_LINE, _SIGNS)),
        ("MultiLabelSoftMarginLoss", {"weight": _WEIGHT}, (_FIRST, data([[0.0, 1.0, 1.0]] * 4))),
        ("MultiMarginLoss", {"p": 2, "weight": _WEIGHT}, (_FIRST, _CLASSES)),
        ("TripletMarginLoss", {"swap": True}, (_FIRST, _SECOND, share(4, 3, offset=1.0))),
        ("CTCLoss", {}, (lambda p: wave(5, 4, 3)(p).log_softmax(-1), data([[1, 2]] * 4), data([5] * 4), data([2] * 4))),
    ]
]
ROWS += [
    ("FractionalMaxPool2d", (2, 3), {}, (wave(1, 2, 5, 4),)),
    ("LinearCrossEntropyLoss", (3, 5), {"out_features": (2,), "bias": True}, (wave(4, 3), data([[0, 2], [4, 1], [3, 3], [1, 0]]))),
    ("LinearCrossEntropyLoss", (3, 4), {"weight": [0.5, 1.0, 2.0, 0.0], "ignore_index": 1}, (wave(4, 3), _CLASSES)),
    ("AdaptiveLogSoftmaxWithLoss", (8, 10, [2, 5]), {"div_value": 2.0, "head_bias": True}, (wave(4, 8), data([0, 3, 9, 1]))),
    ("AdaptiveLogSoftmaxWithLoss", (8, 10, (4,)), {}, (wave(8), data(7))),
    ("SyncBatchNorm", (3,), {}, (wave(4, 3),)),
    ("FractionalMaxPool3d", (2,), {"output_ratio": 0.5, "return_indices": True}, (wave(1, 2, 5, 4, 4),)),
]


def behaviour(p: Any, row: tuple) -> list[Any]:
    """What one row's module prints, how it starts, and what it computes in training and in evaluation."""
    name, arguments, settings, inputs = row
    settings = {key: p.tensor(value) if key in ("weight", "pos_weight") else value for key, value in settings.items()}
    p.manual_seed(3)
    module = getattr(p.nn, name)(*arguments, **settings)
    out = [repr(module), plain(dict(module.state_dict())), [[key, q.requires_grad] for key, q in module.named_parameters()]]
    for training in (True, False):
        module.train(training)
        p.manual_seed(5)
        with p.no_grad():
            out.append(plain(module(*[make(p) for make in inputs])))
    return [*out, plain(dict(module.named_buffers()))]


def row_name(number: int) -> str:
    """A row's class and number, which name its test."""
    return f"{ROWS[number][0]}-{number}"


def argument_errors(p: Any) -> list[str]:
    nn, x = p.nn, p.zeros(1, 2)
    return [
        message(nn.Conv1d, 3, 2, 1, groups=2),
        message(nn.Conv1d, 2, 3, 1, groups=2),
        message(nn.Conv1d, 2, 2, 1, groups=0),
        message(nn.Conv1d, 2, 2, 1, padding="same", stride=2),
        message(nn.ConvTranspose1d, 2, 2, 1, padding_mode="reflect"),
        message(nn.ConvTranspose1d(2, 2, 3, stride=2), p.zeros(1, 2, 3), [3]),
        message(nn.ConvTranspose1d(2, 2, 3, stride=2), p.zeros(1, 2, 3), [3, 3]),
        message(nn.BatchNorm1d(2), p.zeros(2)),
        message(nn.BatchNorm2d(2), x),
        message(nn.BatchNorm3d(2), x),
        message(nn.GroupNorm, 2, 3),
        message(nn.Dropout, 1.5),
        message(nn.Dropout, -0.5),
        message(nn.Hardtanh, 1.0, 0.0),
        message(nn.Softmax2d(), x),
        message(nn.Unflatten, 1, 3),
        message(nn.Unflatten, 1, (2, "a")),
        message(nn.Embedding, 3, 2, padding_idx=3),
        message(nn.Embedding, 3, 2, padding_idx=-4),
        message(nn.Embedding, 3, 2, _weight=x),
        message(nn.Embedding.from_pretrained, p.zeros(2)),
        message(nn.EmbeddingBag, 3, 2, padding_idx=3),
        message(nn.HuberLoss, delta="x"),
        message(nn.MultiMarginLoss, 3),
        message(nn.MultiMarginLoss, weight=x),
        message(nn.TripletMarginLoss, margin=0),
        message(nn.TripletMarginWithDistanceLoss, margin=-1),
        message(nn.Bilinear, 0, 1, 1),
        message(nn.FractionalMaxPool2d, 2),
        message(nn.FractionalMaxPool2d, 2, 1, 0.5),
        message(nn.FractionalMaxPool3d, 2, output_ratio=(0.5, 1, 0.2)),
        message(nn.BatchNorm1d(2, eps=0), p.zeros(3, 2)),
        message(nn.BatchNorm1d(2, eps=-1).eval(), p.zeros(3, 2)),
        message(nn.CrossEntropyLoss(ignore_index=1), p.zeros(2, 3), p.zeros(2, 3)),
        message(nn.CrossEntropyLoss(), p.zeros(2, 3), p.zeros(2, 3).long()[:, :2]),
    ]


def batch_norm_of_an_empty_batch(p: Any) -> list[Any]:
    """The running statistics stay as they are; weight and bias get gradients of 0."""
    norm = p.nn.BatchNorm1d(2)
    made = norm(p.zeros(0, 2, 3))
    made.sum().backward()
    return [plain(made), plain(dict(norm.named_buffers())), plain(norm.weight.grad)]


def batch_norm_without_variance(p: Any) -> list[Any]:
    """A variance and an eps of 0 give 0, not NaN."""
    x = p.ones(2, 3).requires_grad_()
    made = p.batch_norm(x, None, None, None, None, True, 0.1, 0.0, False)
    made.sum().backward()
    return [plain(made), plain(x.grad)]


def pretrained(p: Any) -> list[Any]:
    table = p.arange(6.0).reshape(3, 2)
    frozen, free = p.nn.Embedding.from_pretrained(table), p.nn.EmbeddingBag.from_pretrained(table, freeze=False)
    return [frozen.weight.requires_grad, free.weight.requires_grad, plain(frozen(p.tensor([2]))), repr(frozen), repr(free)]


def old_batch_norm_state(p: Any) -> list[Any]:
    """A state dict without a count of batches, as torch 0.4 wrote it, loads."""
    norm = p.nn.BatchNorm1d(1)
    state = {key: value for key, value in norm.state_dict().items() if key != "num_batches_tracked"}
    return [repr(norm.load_state_dict(state)), norm.num_batches_tracked.item(), norm._version]


def adaptive_softmax(p: Any) -> list[Any]:
    """All log-probabilities, predictions, gradients, and what is refused."""
    make, x, target = p.nn.AdaptiveLogSoftmaxWithLoss, wave(4, 8)(p).requires_grad_(), p.tensor([0, 3, 9, 1])
    p.manual_seed(1)
    loss = make(8, 10, [2, 5], div_value=2.0)
    loss(x, target).loss.backward()
    gradients = [plain(x.grad), [plain(q.grad.abs().sum()) for q in loss.parameters()]]
    bad = [message(make, 8, 10, cutoffs) for cutoffs in ([5, 2], [2, 2], [0, 2], [2, 10], [], [2.5])]
    bad += [message(loss, x, target[:3]), message(loss, x, target[0]), message(loss, x, target[:, None]), message(loss, x, target + 1)]
    return [plain(loss.log_prob(x)), plain(loss.predict(x)), plain(loss.predict(x[:0])), loss.cutoffs, loss.head_size, gradients, bad]


def linear_cross_entropy_options(p: Any) -> list[Any]:
    make = p.nn.LinearCrossEntropyOptions
    rows = [{"acc_policy": "foo"}, {"chunking_method": "foo"}, {"chunking_method": "aspect_ratio:0"}, {"batch_chunk_size": 0}, {"acc_dtype": p.int8}]
    loss = p.nn.LinearCrossEntropyLoss
    refused = [message(loss, 3, 5, weight=p.ones(3)), message(loss, 3, 5, label_smoothing=2)]
    return [repr(make()), make() == make(), repr(make(True, 2, "aspect_ratio:3", "compact")), [message(make, **row) for row in rows], refused]


def over_devices(p: Any) -> list[Any]:
    """DataParallel and SyncBatchNorm where there is one device."""
    net = p.nn.DataParallel(p.nn.Sequential(p.nn.BatchNorm1d(2), p.nn.ReLU()))
    made = net(wave(3, 2)(p))
    converted = p.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    same = converted.module[0].running_mean is net.module[0].running_mean
    refused = message(p.nn.SyncBatchNorm(2), p.ones(2))
    return [repr(net), plain(made), list(net.state_dict()), repr(converted), same, plain(converted(wave(3, 2)(p))), refused]


SCENARIOS = [argument_errors, pretrained, old_batch_norm_state, batch_norm_of_an_empty_batch, batch_norm_without_variance, adaptive_softmax,
             linear_cross_entropy_options, over_devices]
