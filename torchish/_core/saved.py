"""What a graph node keeps for backward, where the user watches it: saved-tensor hooks, `_saved_*` attributes and the watched recording.

Note [Watching]: `tape.state.watch` is None unless saved-tensor hooks or anomaly detection are on; then recording calls it for each new
graph node. A packed operand is replaced in the node by a stand-in, so that what the hook put aside is all that is kept.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .anomaly import remember_line
from .errors import FREED
from .grad_graph import GradNode, counter_of, stand_in
from .handle import TensorBase, new_tensor
from .op import OPS, Plan, vjp_by_rule
from .spec import Spec
from .storage import REWRITTEN, Storage, VersionCounter
from .tape import Node, Value, outputs, record_values, state


class SavedTensor:
    """A tensor kept by a node, packed by a pair of hooks; `_raw_saved_*` attributes are of this class."""

    def __init__(self, tensor: TensorBase | None, edge: tuple | None = None):
        self.data: Any = tensor
        self.edge = edge
        self.spec = None if tensor is None else tensor._spec
        self.unpack: Callable | None = None

    def register_hooks(self, pack_hook: Callable, unpack_hook: Callable) -> None:
        """Pack the tensor now, by `pack_hook(tensor)`, and unpack it whenever it is asked for. Raises RuntimeError if it has hooks or is None."""
        if self.unpack is not None:
            raise RuntimeError("Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is allowed "
                               "at a time.")
        if self.data is None:
            raise RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
        self.pack(pack_hook, unpack_hook)

    def pack(self, pack_hook: Callable, unpack_hook: Callable) -> SavedTensor:
        """Hand the tensor to `pack_hook`. Raises RuntimeError if the hook writes to it."""
        tensor = self.data
        counter = tensor._counter or tensor._storage
        before, version = state.grad, counter.version
        state.grad = False
        try:
            self.data = pack_hook(tensor)
        finally:
            state.grad = before
        if counter.version != version:
            raise RuntimeError("A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified "
                               "by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need to perform "
                               "in-place operations on the input to a pack hook.")
        self.unpack = unpack_hook
        return self

    def value(self) -> TensorBase:
        """The tensor as its unpack hook returns it. Raises TypeError unless that is a tensor."""
        if self.unpack is None:
            return self.data
        made = self.unpack(self.data)
        if not isinstance(made, TensorBase):
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(made).__name__}")
        return made

    def tensor(self) -> TensorBase | None:
        """The tensor for users: in its place in the graph again."""
        if self.data is None:
            return None
        made = self.value()
        return made if self.unpack is None else new_tensor(made._read(), self.edge)


def packed(tensor: TensorBase, edge: tuple | None = None) -> SavedTensor:
    """A saved tensor packed by the innermost hooks in force."""
    kept = SavedTensor(tensor, tensor._edge if edge is None else edge)
    return kept.pack(*state.hooks[-1]) if state.hooks else kept


# ---------------------------------------------------------------- watched recording
def update_watch() -> None:
    """Switch the watch on or off, after hooks or anomaly detection changed."""
    state.watch = _watch if state.hooks or state.anomaly else None


def _watch(made: GradNode, args: tuple, results: tuple) -> None:
    """A graph node was recorded (`results` empty), or its saved results exist now."""
    if state.anomaly and not results:
        remember_line(made)
    if not state.hooks or not made.saved or made.node.plan.needs is not None:
        return
    kept, inputs, saved = {}, list(made.node.inputs), []
    for counter, version, operand in made.saved:
        if operand >= 0 and not results and inputs[operand].__class__ is Value:
            kept[operand] = packed(args[operand])
            inputs[operand] = stand_in(inputs[operand].spec)
        elif operand < 0 and results:
            kept[operand] = packed(results[-1 - operand])
        else:
            saved.append((counter, version, operand))
            continue
        saved.append((UNWATCHED, 0, operand))
    if kept:
        made.saved = tuple(saved)
        made._extra().setdefault("packed", {}).update(kept)
        made.node = Node(made.node.plan, tuple(inputs))


class _Unwatched:
    """Stands for the version counter of a tensor that went through hooks: torch no longer checks it."""

    version = 0

    def __call__(self) -> _Unwatched:
        return self  # poses as a weak reference to itself


UNWATCHED = _Unwatched()


# ---------------------------------------------------------------- unpacking for backward
def unpacked(node: GradNode, primal: Node) -> tuple[tuple, tuple | None]:
    """The operands of a node with packed tensors, and its results where those are packed (None where not)."""
    inputs, outs = list(primal.inputs), None
    for operand, kept in node.extra["packed"].items():
        value = fitted(kept.value()._read(), kept.spec)
        if operand >= 0:
            inputs[operand] = value
        else:
            outs = outs or {}
            outs[-1 - operand] = value
    return tuple(inputs), outs


def rewritten(node: GradNode, primal: Node) -> tuple[tuple, tuple | None] | None:
    """As `unpacked`, where something that torch's node keeps was written to unseen, see Note [Hidden writes]; None where nothing was.

    What torch does not keep stays as it was.
    """
    inputs, outs, kept = list(primal.inputs), {}, [operand for _, _, operand in node.saved if operand >= 0]
    for ref, _, operand in node.saved:
        if operand >= 0:
            inputs[operand] = current(inputs[operand], node.edges[operand] if operand < len(node.edges) else None)
        elif isinstance(cell := counter_of(node, ref, operand), Storage) and cell.hidden and cell.value.spec is primal.plan.outs[-1 - operand]:
            outs[-1 - operand] = cell.value
    if not outs and all(inputs[i] is primal.inputs[i] for i in kept):
        return None
    for number in range(len(primal.plan.outs)):
        outs.setdefault(number, recorded_result(primal, number))
    return tuple(inputs), outs


def current(value, edge: tuple | None):
    """What the memory of an operand holds now: of a Value that was overwritten, or of a view of one."""
    if value.__class__ is not Value:
        return value
    storage = REWRITTEN.get(value)
    if storage is not None:
        return storage.value
    made = None if edge is None or edge[0].ends or edge[0].python else edge[0].node
    if made is None or made.plan.op.put is None or made.plan.outs[edge[1]] is not value.spec:
        return value
    source = current(made.inputs[0], edge[0].edges[0])
    return value if source is made.inputs[0] else record_values(made.plan, (source, *made.inputs[1:]))[edge[1]]


def fitted(value: Value, want: Spec) -> Value:
    """What an unpack hook returned, in the dtype of what was packed. Raises RuntimeError for another shape."""
    if value.spec.shape != want.shape:
        raise RuntimeError(f"torchish: a saved tensor of shape {list(want.shape)} was unpacked with shape {list(value.spec.shape)}")
    if value.spec.dtype is want.dtype:
        return value
    return record_values(OPS["to"].plan((value.spec,), (("dtype", want.dtype),)), (value,))[0]


def result_plan(plan: Plan, needs: tuple, given: tuple) -> Plan:
    """As `op.vjp_plan`, with the results among the operands: (operands..., results..., cotangents...)."""
    key = (needs, given, "results")
    found = plan.vjps.get(key)
    if found is not None:
        return found
    n, k = len(plan.argtypes), len(plan.outs)

    def impl(xp, *args):
        return vjp_by_rule(xp, plan, needs, given, args[:n], args[n + k:], args[n:n + k], True)
    cotangents = tuple(s for s, g in zip(plan.outs, given) if g)
    made = plan.vjps[key] = Plan(plan.op, impl, tuple(plan.argtypes[i] for i in needs), plan.argtypes + plan.outs + cotangents, plan.static)
    made.needs, made.given = needs, given
    made.rules = made.check = None
    made.differentiable = True
    return made


# ---------------------------------------------------------------- what walkers of the graph read
def saved_attribute(node: GradNode, operand: int, raw: bool):
    """`_saved_self` and its like. Raises RuntimeError once the graph is freed, or if the tensor was modified in place."""
    kept = (node.extra or {}).get("packed", {}).get(operand)
    if node.freed:
        raise RuntimeError(FREED)
    if kept is None:
        value = _recorded(node, operand)
        if not isinstance(value, TensorBase):
            return value
        kept = SavedTensor(value)
        if raw:
            node._extra().setdefault("packed", {})[operand] = kept
    return kept if raw else kept.tensor()


def _recorded(node: GradNode, operand: int) -> TensorBase | None:
    made = _kept_tensor(node, operand)
    if isinstance(made, TensorBase):
        counter = next((counter_of(node, ref, i) for ref, _, i in node.saved if i == operand), None)
        if isinstance(counter, (Storage, VersionCounter)) and counter is not made._storage:
            made._counter = counter  # in torch it shares the memory, and the counter, of what was saved
    return made


def _kept_tensor(node: GradNode, operand: int) -> TensorBase | None:
    if operand < 0:
        return new_tensor(recorded_result(node.node, -1 - operand),
                          (node, -1 - operand) if node.node.plan.outs[-1 - operand].differentiable else None)
    value, edge = node.node.inputs[operand], node.edges[operand]
    if value.__class__ is not Value:
        return value
    leaf = edge[0].leaf() if edge is not None and edge[0].ends and hasattr(edge[0], "leaf") else None
    return leaf if leaf is not None and leaf._read() is value else new_tensor(value, edge)


def recorded_result(node: Node, number: int) -> Value:
    """Output `number` of a recorded computation: the Value itself, or where it is no longer known one that computes it again."""
    pending = outputs(node)
    if pending:
        return pending[number]
    again = Node(node.plan, node.inputs)
    again.seq = node.seq
    return Value(node.plan.outs[number], again, number)


SAVED_NAMES: dict[str, dict[int, str]] = {}  # node name -> {operand: torch's name}, where not the usual; filled by the table of graph facts
_USUAL = {0: "self", 1: "other", -1: "result", -2: "indices"}


def saved_names(node: GradNode) -> dict[str, int]:
    """The tensors that torch's node keeps, by name: the operand each is."""
    names = SAVED_NAMES.get(type(node).__name__, _USUAL)
    return {names[i]: i for _, _, i in node.saved if i in names} if node.node is None or node.node.plan.needs is None else {}


def _attribute(node: GradNode, name: str):
    raw = name.startswith("_raw_saved_")
    if raw or name.startswith("_saved_"):
        short = name[len("_raw_saved_" if raw else "_saved_"):]
        operand = saved_names(node).get(short)
        if operand is not None:
            return saved_attribute(node, operand, raw)
        if _may_save(node, short):
            return None
        if not raw and short in (static := _parameters(node)):
            return static[short]
    raise AttributeError(f"'{type(node).__name__}' object has no attribute '{name}'")


def _may_save(node: GradNode, short: str) -> bool:
    """Whether torch's node keeps a tensor of this name in other calls: then the attribute is there, and None."""
    if node.python or node.ends or node.plan().needs is not None:
        return False
    names = SAVED_NAMES.get(type(node).__name__, _USUAL)
    kept = [s[0] if s.__class__ is tuple else s for s in node.plan().op.saves]
    return any(names.get(-1 if s == "result" else -2 if s == "indices" else s) == short for s in kept)


def _parameters(node: GradNode) -> dict:
    return {} if node.python or node.ends else {k: v for k, v in node.plan().static if k in ("dim", "keepdim")}


def _directory(node: GradNode) -> list[str]:
    names = saved_names(node)
    return [*object.__dir__(node), *["_saved_" + n for n in names], *["_raw_saved_" + n for n in names], *["_saved_" + n for n in _parameters(node)]]


GradNode.__getattr__ = _attribute
GradNode.__dir__ = _directory
