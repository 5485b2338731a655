"""Messages of the engine's own errors, in torch's words."""
from __future__ import annotations

import re

_NUMBERED = re.compile(r"Backward0?(?=\d*$)")

FREED = ("Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved "
         "intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
         "backward through the graph a second time or if you need to access saved tensors after calling backward.")
INFERENCE = ("Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by "
             "autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead "
             "of `torch.inference_mode()`.")


def type_name(spec) -> str:
    """torch's old name for a tensor type: 'torch.FloatTensor', 'torch.cuda.FloatTensor'."""
    where = "" if spec.device.type == "cpu" else spec.device.type + "."
    return f"torch.{where}{spec.dtype.legacy}Tensor"


def short_name(cls: type) -> str:
    """What torch calls a node of this class in such messages: 'Mul' for MulBackward0, 'Sum1' for SumBackward1."""
    return _NUMBERED.sub("", cls.label or cls.__name__)


def version_error(node, operand: int, counter, expected: int) -> RuntimeError:
    """A tensor that `node` keeps for backward was modified in place after it was used; `counter` is its version counter."""
    producer = ""
    if operand < 0:
        spec = node.plan().outs[-1 - operand]
        if spec.differentiable:
            producer = f", which is output {-1 - operand} of {short_name(type(node))},"
    else:
        spec = node.plan().argtypes[operand]
        edge = node.edges[operand] if operand < len(node.edges) else None
        written = getattr(counter, "writer", None)
        if edge is not None and not edge[0].ends and not edge[0].python and edge[0].plan().op.put is not None:
            producer = ", which is output 0 of AsStrided,"  # a view whose base was written to: what its place would be now
        elif written is not None or (edge is not None and not edge[0].ends):
            producer = f", which is output {0 if edge is None else edge[1]} of {short_name(written or type(edge[0]))},"
    return modified(spec, producer, counter.version, expected)


def modified(spec, producer: str, found: int, expected: int) -> RuntimeError:
    """The error itself."""
    shape = ", ".join(map(str, spec.shape))
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{type_name(spec)} [{shape}]]{producer} is at version {found}; expected version {expected} instead. "
        "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False).")
