"""torch.utils.hooks: the handle of a hook, and the hooks on the backward pass of a module (BackwardHook), built from an identity Function.

Sees torchish's public API only.
"""
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import _public as torch
from ..autograd.function import Function
from ..autograd.graph import RemovableHandle as RemovableHandle
from ..autograd.graph import add_hook as add_hook


def unserializable_hook(f: Callable) -> Callable:
    """Mark a hook as one that is not saved with its tensor."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn for each backward hook of a tensor about to be saved that would be lost."""
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the function with "
                          "@torch.utils.hooks.unserializable_hook to suppress this warning", stacklevel=2)


class BackwardHookFunction(Function):
    """Passes its tensors on unchanged: a node of the graph to hang hooks on."""

    @staticmethod
    def forward(ctx, *tensors):
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx, *gradients):
        return gradients


class BackwardHook:
    """The hooks of one call of a module: runs `pre_hooks` when the gradients of its outputs are there, `hooks` when those of its inputs are."""

    def __init__(self, module: Any, hooks: Iterable[Callable], pre_hooks: Iterable[Callable]):
        self.module = module
        self.hooks = list(hooks)
        self.pre_hooks = list(pre_hooks)
        self.grad_outputs: tuple | None = None
        self.outputs = 0
        self.output_slots: list[int] = []
        self.inputs = -1
        self.input_slots: list[int] | None = None
        self.watched = True  # whether gradients of the outputs are seen at all

    # ------------------------------------------------------------ around the call
    def setup_input_hook(self, args: tuple) -> tuple:
        """The positional arguments, their tensors passed through a node whose hook calls the module's full backward hooks."""
        def watch(node) -> None:
            node.register_hook(self._at_inputs())
        passed, slots = self._through_node(watch, args)
        self.inputs, self.input_slots = len(args), slots
        return passed

    def setup_output_hook(self, output: Any) -> Any:
        """The output (a tensor or a tuple), its tensors passed through a node whose pre-hook calls the module's pre-hooks."""
        def watch(node) -> None:
            node.register_prehook(self._at_outputs())
        single = isinstance(output, torch.Tensor)
        given = (output,) if single else output
        if not isinstance(given, tuple):
            warnings.warn(f"For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received {type(output)}",
                          stacklevel=2)
            self.watched = False
            return output
        passed, slots = self._through_node(watch, given)
        self.outputs, self.output_slots = len(given), slots or []
        return passed[0] if single else passed

    def _through_node(self, watch: Callable, values: tuple) -> tuple[tuple, list[int] | None]:
        slots = [i for i, v in enumerate(values) if isinstance(v, torch.Tensor)]
        if not (torch.is_grad_enabled() and any(values[i].requires_grad for i in slots)):
            return values, None
        made = BackwardHookFunction.apply(*[values[i] for i in slots])
        nodes = [t.grad_fn for t in made if t.grad_fn is not None]
        if not nodes:
            raise RuntimeError("Error while setting up backward hooks. Please open an issue with a code sample to reproduce this.")
        watch(nodes[0])
        passed = list(values)
        for i, t in zip(slots, made):
            passed[i] = t
        return _like(values, passed), slots

    # ------------------------------------------------------------ in backward
    def _at_outputs(self) -> Callable:
        def hook(grad_output: tuple) -> tuple | None:
            self.grad_outputs = _spread(self.output_slots, grad_output, self.outputs)
            for user_hook in self.pre_hooks:
                result = user_hook(self.module, self.grad_outputs)
                if result is not None:
                    if len(result) != len(self.grad_outputs):
                        raise RuntimeError("Backward pre hook returned an invalid number of grad_output, "
                                           f"got {len(result)}, but expected {len(self.grad_outputs)}")
                    self.grad_outputs = tuple(result)
            given = self.grad_outputs
            if self.input_slots is None:
                self._run_without_inputs()
            return tuple(given[i] for i in self.output_slots)
        return hook

    def _run_without_inputs(self) -> None:
        warnings.warn("Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require gradients. "
                      "See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook "
                      "for more details.",
                      stacklevel=5)
        nothing = (None,) * self.inputs
        for user_hook in self.hooks:
            result = user_hook(self.module, nothing, self.grad_outputs)
            if result is not None and not (isinstance(result, tuple) and all(g is None for g in result)):
                raise RuntimeError("Backward hook for Modules where no input requires gradient should always return None or None for all gradients.")
        self.grad_outputs = None

    def _at_inputs(self) -> Callable:
        def hook(grad_input: tuple, _: tuple) -> tuple | None:
            if not self.watched:
                return None
            if self.grad_outputs is None:
                raise RuntimeError("Module backward hook for grad_input is called before the grad_output one. This happens because the gradient "
                                   "in your nn.Module flows to the Module's input without passing through the Module's output. Make sure that the "
                                   "output depends on the input and that the loss is computed based on the output.")
            gradients = _spread(self.input_slots, grad_input, self.inputs)
            for user_hook in self.hooks:
                result = user_hook(self.module, gradients, self.grad_outputs)
                if result is not None:
                    if len(result) != len(gradients):
                        raise RuntimeError("Backward hook returned an invalid number of grad_input, "
                                           f"got {len(result)}, but expected {len(gradients)}")
                    gradients = tuple(result)
            self.grad_outputs = None
            return tuple(gradients[i] for i in self.input_slots)
        return hook


def _spread(slots: list[int], values: tuple, size: int) -> tuple:
    """`values` at the places `slots` of a tuple of `size`, None elsewhere."""
    spread: list = [None] * size
    for i, v in zip(slots, values):
        spread[i] = v
    return tuple(spread)


def _like(original: tuple, values: list) -> tuple:
    """A tuple of the class of `original`, named ones included."""
    return type(original)(*values) if hasattr(original, "_fields") else tuple(values)


__all__ = ["BackwardHook", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]
