"""torch.autograd.Function: a user's own forward and backward as one node of the graph.

The node's forward runs without grad mode; its backward is Python code that runs when the walk reaches it, recording what it does, so a
step with custom functions is still one program.
"""
from __future__ import annotations

import contextlib
import functools
import warnings
from typing import NamedTuple

from .._core import handle
from .._core.dual import attach, only, tangents_of
from .._core.errors import FREED, INFERENCE, modified, short_name
from .._core.grad_graph import GradNode
from .._core.handle import TensorBase, new_tensor
from .._core.saved import SavedTensor, packed
from .._core.spec import Spec
from .._core.tape import next_sequence, state
from .._core.view import check_place, write
from .._ops.factory import constant_tensor
from .._ops.variants import METHODS

EXTENDING = "https://pytorch.org/docs/main/notes/extending.func.html"
NO_JVP = "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
_AS_IT_IS = contextlib.nullcontext()


class FunctionCtx:
    """What `forward` and `backward` share: saved tensors, flags, and any attributes the user sets."""

    def save_for_backward(self, *tensors) -> None:
        """Keep tensors for backward; read them there as `ctx.saved_tensors`."""
        self.to_save = tensors

    def save_for_forward(self, *tensors) -> None:
        """Keep tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors) -> None:
        """Declare inputs that forward modified in place; they must be among its outputs."""
        if not all(isinstance(t, TensorBase) for t in tensors):
            raise RuntimeError("mark_dirty can only accept variables, but argument ")
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors) -> None:
        """Declare outputs that never require grad."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing gradients reach backward as zeros (the default) or as None."""
        self.materialize_grads = value


class BackwardCFunction(GradNode, FunctionCtx):
    """The node: also the `ctx` of forward and backward. Subclassed once for each Function, as NameBackward."""

    _forward_cls: type

    def __init__(self):
        self.node = None
        self.edges = ()
        self.seq = next_sequence()
        self.saved = ()
        self.freed = False
        self.extra = None
        self.outputs = 0
        self.to_save = None
        self.dirty_tensors = ()
        self.non_differentiable = ()
        self.materialize_grads = True
        self.output_facts = ()
        self.needs_input_grad = ()
        self.tensor_operands = ()
        self._kept = None
        self.saved_for_forward = ()
        self._forward = False  # whether `jvp` runs

    def name(self) -> str:
        return type(self).__name__

    def release(self) -> None:
        self.freed = True
        self._kept = None

    def keeps_tensors(self) -> bool:
        return False  # asking for freed `saved_tensors` is what raises

    # ------------------------------------------------------------ saved tensors
    def keep(self, results: tuple) -> None:
        """After forward: remember saved tensors, those that are outputs by number (a node must not hold itself alive)."""
        kept = []
        for t in self.to_save or ():
            if t is None:
                kept.append((SavedTensor(None), None, None, 0))
                continue
            if not isinstance(t, TensorBase):
                raise TypeError(f"save_for_backward can only save variables, but argument {len(kept)} is of type {type(t).__name__}")
            if t._inference:
                raise RuntimeError(INFERENCE)
            number = next((i for i, r in enumerate(results) if r is t and r._edge is not None and r._edge[0] is self), None)
            counter = t._counter or t._storage
            if state.hooks:
                kept.append((packed(t, (self, number) if number is not None else None), None, None, 0))
            else:
                kept.append((SavedTensor(t if number is None else handle.alias(t)), number, counter, counter.version))
        self._kept = kept
        self.to_save = None

    @property
    def saved_tensors(self) -> tuple:
        """The tensors given to `save_for_backward`. Raises RuntimeError once freed, or if one was modified in place."""
        if self._forward:
            return tuple(self.saved_for_forward)
        if self._kept is None:
            if self.freed:
                raise RuntimeError(FREED)
            return tuple(self.to_save or ())
        return tuple(self._unpack(*k) for k in self._kept)

    @property
    def _raw_saved_tensors(self) -> tuple:
        if self.freed:
            raise RuntimeError(FREED)
        return tuple(k[0] for k in self._kept or ())

    def _unpack(self, kept: SavedTensor, number, counter, version):
        if kept.unpack is not None or kept.data is None:
            return kept.tensor()
        t = kept.data
        if counter.version != version:
            if number is not None:
                producer = f", which is output {number} of {short_name(type(self))},"
            else:
                edge = t._edge
                producer = "" if edge is None or edge[0].ends else f", which is output {edge[1]} of {short_name(type(edge[0]))},"
            raise modified(t._spec, producer, counter.version, version)
        if number is not None:
            t = handle.alias(t)
            t._edge = (self, number)
        return t

    saved_variables = saved_tensors

    # ------------------------------------------------------------ in the graph
    python = True

    def operands(self) -> tuple:
        """The tensor arguments: what counts as an edge."""
        return tuple([i for i, t in enumerate(self.tensor_operands) if t])

    def output_spec(self, number: int) -> Spec:
        """The Spec of an output."""
        return self.output_facts[number]

    # ------------------------------------------------------------ backward
    def vjp(self, needs: tuple, cotangents: list, walk) -> tuple:
        """Run the user's backward. Raises RuntimeError if it returns the wrong number or shapes of gradients."""
        given = [self._gradient(g, i, walk) for i, g in enumerate(cotangents)]
        cls = self._forward_cls
        if cls.vjp is not Function.vjp:
            if cls.backward is not Function.backward:
                raise RuntimeError("Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of "
                                   "them.")
            results = cls.vjp(self, *given)
        else:
            results = cls.backward(self, *given)
        results = results if isinstance(results, tuple) else (results,)
        self._check_count(results)
        return tuple(self._checked(results[i], i, walk) for i in needs)

    def _gradient(self, g, i: int, walk):
        if g is not None:
            return walk._tensor(g)
        facts = self.output_facts[i]
        if not self.materialize_grads or facts is None:
            return None
        return constant_tensor(tuple(facts.shape), 0, facts.dtype, facts.device)

    def _check_count(self, results: tuple) -> None:
        n, name = len(self.edges), self.name()
        if len(results) < n or any(r is not None for r in results[n:]):
            raise RuntimeError(f"function {name} returned an incorrect number of gradients (expected {n}, got {len(results)})")
        for i, counts in enumerate(self.tensor_operands):
            if not counts and results[i] is not None:
                raise RuntimeError(f"function {name} returned a gradient different than None at position {i + 1}, but the corresponding forward "
                                   "input was not a Variable")

    def _checked(self, g, i: int, walk):
        """A gradient that backward returned, in the shape and dtype of its input."""
        if g is None:
            return None
        if not isinstance(g, TensorBase):
            raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")
        want = self.input_facts[i]
        if g._spec.dtype.is_complex and not want.dtype.is_complex:
            raise RuntimeError("Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) to be true, but got false.  "
                               "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)")
        if g._spec.shape != want.shape:
            g = _reduced(g, want, self.name(), i)
        if g._spec.dtype is not want.dtype:
            g = g.to(want.dtype)
        return walk._carrier(g)


def _reduced(g, want, name: str, i: int):
    have = tuple(g._spec.shape)
    lead = len(have) - len(want.shape)
    if lead < 0 or any(w not in (1, h) for h, w in zip(have[lead:], want.shape)):
        raise RuntimeError(f"Function {name} returned an invalid gradient at index {i} - got {list(have)} but expected shape compatible with "
                           f"{list(want.shape)}")
    return g.sum_to_size(tuple(want.shape))


class FunctionMeta(type):
    """Makes the node class of each Function."""

    def __init__(cls, name, bases, attributes):
        super().__init__(name, bases, attributes)
        cls._backward_cls = type(name + "Backward", (BackwardCFunction,), {"_forward_cls": cls})


class Function(metaclass=FunctionMeta):
    """Subclass it with static methods `forward(ctx, ...)` (or `forward(...)` and `setup_context(ctx, inputs, output)`) and
    `backward(ctx, *grad_outputs)`, and call it as `MyFunction.apply(...)`."""

    generate_vmap_rule = False  # whether torch.func.vmap may map forward and backward instead of calling `vmap`

    def __init__(self, *args, **kwargs):
        warnings.warn(f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke them on the "
                      "class "
                      "itself. Instantiating an autograd function will raise an error in a future version of PyTorch.", DeprecationWarning,
                      stacklevel=2)

    def __call__(self, *args, **kwargs):
        raise RuntimeError("Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with "
                           "static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)")

    @staticmethod
    def forward(*args, **kwargs):
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function to use it with backward "
                                  "mode AD.")

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        raise NotImplementedError(NO_JVP)

    @staticmethod
    def vmap(info, in_dims, *args):
        raise NotImplementedError("To use autograd.Function with vmap, you must either override the vmap static method or set "
                                  "generate_vmap_rule=True.")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Run forward on `args` and put one node into the graph."""
        ctx = cls._backward_cls()
        old = cls.setup_context is Function.setup_context
        if state.transforms and old:
            raise RuntimeError("In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override the "
                               f"setup_context staticmethod. For more details, please see {EXTENDING}")
        tensors = [isinstance(a, TensorBase) for a in args]
        edges = tuple(a._current_edge() if t else None for a, t in zip(args, tensors))
        ctx.needs_input_grad = tuple(e is not None for e in edges)
        tracked = state.grad and any(ctx.needs_input_grad)
        levels = [n for n in state.dual if any(t and n in tangents_of(a._read()) for a, t in zip(args, tensors))]
        before, state.grad = state.grad, False
        try:
            with only(()) if levels else _AS_IT_IS:
                if old:
                    output = cls.forward(ctx, *args, **kwargs)
                else:
                    output = _mapped_forward(cls, args, kwargs) if _is_mapped(args) else cls.forward(*args, **kwargs)
                    cls.setup_context(ctx, args, output)
        finally:
            state.grad = before
        return _finish(ctx, args, edges, tensors, output, tracked, levels)


# ---------------------------------------------------------------- under vmap
class VmapInfo(NamedTuple):
    """What a Function's `vmap` is told of the map around it."""

    batch_size: int
    randomness: str


def _is_mapped(args: tuple) -> bool:
    """Whether any argument depends on the example of a vmap in force."""
    return state.scope is not None and any(isinstance(a, TensorBase) and state.scope.depends(a._read()) for a in args)


def _mapped_forward(cls, args: tuple, kwargs: dict):
    """The forward of a Function under vmap: as it is by `generate_vmap_rule`, else by its own `vmap`, called outside with whole batches."""
    scope, own = state.scope, cls.vmap is not Function.vmap
    if own == bool(cls.generate_vmap_rule):
        what = ("has both generate_vmap_rule=True and an overridden vmap staticmethod. Please set generate_vmap_rule=False or delete the overridden "
                "vmap staticmethod to avoid ambiguity." if own else
                "does not have vmap support. Please override and implement the vmap staticmethod or set generate_vmap_rule=True.")
        raise RuntimeError(f"You tried to vmap over {cls.__name__}, but it {what} For more details, please see {EXTENDING}")
    if not own:
        return cls.forward(*args, **kwargs)
    mapping = scope.mapping()
    with scope.left():
        given = [mapping.batch(a) if isinstance(a, TensorBase) else (a, None) for a in args]
        made = cls.vmap(VmapInfo(scope.size, scope.randomness), tuple([dim for _, dim in given]), *[a for a, _ in given])
        if not (isinstance(made, tuple) and len(made) == 2):
            got = f"{len(made)} returns" if isinstance(made, tuple) else f"a {type(made)}"
            raise RuntimeError("Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with the "
                               f"output. Got {got} instead")
    outputs, dims = made
    several = isinstance(outputs, tuple)
    outputs = outputs if several else (outputs,)
    dims = dims if isinstance(dims, tuple) else (dims,) * len(outputs)
    inner = tuple([o if d is None else mapping.operand(o, d % o.dim()) for o, d in zip(outputs, dims)])
    return inner if several else inner[0]


# ---------------------------------------------------------------- forward mode
def _give_tangents(ctx: BackwardCFunction, args: tuple, tensors: list, results: tuple, levels: list) -> None:
    """Ask the Function's `jvp` for the results' tangents at each level where an argument has one."""
    ctx._forward = True
    try:
        for number in levels:
            given = [tangents_of(a._read()).get(number) if t else None for a, t in zip(args, tensors)]
            with only(state.dual[:state.dual.index(number)]):
                made = ctx._forward_cls.jvp(ctx, *given)
            made = made if isinstance(made, tuple) else (made,)
            for i, tangent in enumerate(made):
                if tangent is not None and not isinstance(tangent, TensorBase):
                    raise RuntimeError(f"expected Variable or None (got {type(tangent).__name__}) for grad output {i}.")
            if len(made) != len(results):
                raise RuntimeError(f"Function's jvp returned an invalid number of forward gradients (expected {len(results)} but got {len(made)})")
            for result, tangent in zip(results, made):
                if tangent is not None and isinstance(result, TensorBase):
                    attach(result, tangent, number)
    finally:
        ctx._forward = False


def _finish(ctx: BackwardCFunction, args: tuple, edges: tuple, tensors: list, output, tracked: bool, levels: list):
    """Put the node into the graph: give its outputs their places, then keep what was saved."""
    single = not isinstance(output, tuple)
    outputs = (output,) if single else output
    for d in ctx.dirty_tensors:
        if all(d is not o for o in outputs):
            raise RuntimeError("Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified "
                               "inplace must all be outputs of the Function.")
    ctx.edges = edges
    ctx.tensor_operands = tuple(tensors)
    ctx.input_facts = tuple(a._read().spec if t else None for a, t in zip(args, tensors))
    ctx.output_facts = tuple(o._read().spec if isinstance(o, TensorBase) else None for o in outputs)
    ctx.outputs = len(outputs)
    results = tuple(_wrap_output(ctx, o, i, args, tracked) if isinstance(o, TensorBase) else o for i, o in enumerate(outputs))
    if levels:
        _give_tangents(ctx, args, tensors, results, levels)
    if tracked:
        saved = {id(o): r for o, r in zip(outputs, results)}
        if ctx.to_save is not None:
            ctx.to_save = tuple(saved.get(id(t), t) for t in ctx.to_save)
        ctx.keep(results)
    return results[0] if single else results


def _wrap_output(ctx: BackwardCFunction, o, i: int, args: tuple, tracked: bool):
    """Output `i` as the caller gets it. An input returned as it is becomes a view of it; one that was modified stays itself."""
    fixed = any(o is n for n in ctx.non_differentiable) or not o._read().spec.differentiable
    if any(o is d for d in ctx.dirty_tensors):
        return _dirty_output(ctx, o, i, tracked and not fixed)
    if any(o is a for a in args):
        o = handle.alias(o) if fixed else _view_of(o)
    elif o._edge is not None and o._base_tensor is None:
        o = handle.alias(o)
    if tracked and not fixed:
        o._edge = (ctx, i)
        if o._base_tensor is not None:
            o._origin = "custom" if ctx.outputs == 1 else "multi"
    return o


def _view_of(t):
    before, state.grad = state.grad, False
    try:
        view = METHODS["permute"](t, tuple(range(t._spec.ndim)))
    finally:
        state.grad = before
    view._edge = None
    return view


def _dirty_output(ctx: BackwardCFunction, o, i: int, tracked: bool):
    """An input that forward modified: the node becomes its place in the graph, and its base's where it is a view."""
    if not tracked:
        o._bump()
        return o if o._current_edge() is None else handle.alias(o)
    try:
        check_place(o)
    except RuntimeError as error:
        o._bump()
        raise RuntimeError(str(error).replace("is being used", "has been used") if o._base_tensor is None else str(error)) from None
    write(o, o._read(), (ctx, i))
    return o


def once_differentiable(function):
    """Decorator for a backward that is not itself differentiable: double backward through it raises RuntimeError."""
    @functools.wraps(function)
    def wrapper(ctx, *gradients):
        tracked = state.grad and any(isinstance(g, TensorBase) and g._current_edge() is not None for g in gradients)
        before, state.grad = state.grad, False
        try:
            outputs = function(ctx, *gradients)
        finally:
            state.grad = before
        if not tracked:
            return outputs
        single = not isinstance(outputs, tuple)
        made = [_once(o) if isinstance(o, TensorBase) else o for o in ((outputs,) if single else outputs)]
        return made[0] if single else tuple(made)
    return wrapper


class InplaceFunction(Function):
    """A Function that remembers whether it works in place. Kept for torch's sake."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class _Once(BackwardCFunction):
    def name(self) -> str:
        return "DelayedError"

    def vjp(self, needs, cotangents, walk):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def _once(t):
    made = handle.alias(t)
    node = _Once()
    node.outputs, node.edges = 1, ()
    made._edge = (node, 0)
    return made


__all__ = ["BackwardCFunction", "Function", "FunctionCtx", "InplaceFunction", "new_tensor", "once_differentiable"]
