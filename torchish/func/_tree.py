"""Nested containers of leaves (pytrees), as torch.utils._pytree has them: lists, tuples, named tuples, dicts; everything else is a leaf.

It knows nothing of tensors.
"""
from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """How one class of container comes apart and is put together again."""

    flatten: Callable[[Any], tuple[list, Any]]  # container -> children, context
    unflatten: Callable[[list, Any], Any]


def _flatten_dict(d: dict) -> tuple[list, list]:
    return list(d.values()), list(d)


KINDS: dict[type, Kind] = {
    list: Kind(lambda x: (x, None), lambda children, _: list(children)),
    tuple: Kind(lambda x: (list(x), None), lambda children, _: tuple(children)),
    dict: Kind(_flatten_dict, lambda children, keys: dict(zip(keys, children))),
    OrderedDict: Kind(_flatten_dict, lambda children, keys: OrderedDict(zip(keys, children))),
    defaultdict: Kind(lambda d: (list(d.values()), [d.default_factory, list(d)]), lambda c, context: defaultdict(context[0], zip(context[1], c))),
    deque: Kind(lambda d: (list(d), d.maxlen), lambda children, maxlen: deque(children, maxlen=maxlen)),
}


class TreeSpec:
    """The structure of a tree: a container's class, its context (keys, named tuple's class) and its children's structures."""

    def __init__(self, type: Any, context: Any, children_specs: list):
        self.type, self.context, self.children_specs = type, context, children_specs
        self.num_leaves = sum(c.num_leaves for c in children_specs)
        self.num_children = len(children_specs)

    def __eq__(self, other) -> bool:
        return self is other or isinstance(other, TreeSpec) and not isinstance(other, LeafSpec) and self.type is other.type \
            and self.context == other.context and self.children_specs == other.children_specs

    def __hash__(self) -> int:
        return hash((self.type, str(self.context), tuple(self.children_specs)))

    def __repr__(self, indent: int = 0) -> str:
        name = "namedtuple" if self.type is _NAMED else self.type.__name__
        children = f",\n{' ' * (indent + 2)}".join(c.__repr__(indent + 2) for c in self.children_specs)
        return f"TreeSpec({name}, {self.context}, [{children}])"

    def is_leaf(self) -> bool:
        """False: it is a container's structure."""
        return False


class LeafSpec(TreeSpec):
    """The structure of a leaf."""

    def __init__(self):
        self.type, self.context, self.children_specs, self.num_leaves, self.num_children = None, None, [], 1, 0

    def __eq__(self, other) -> bool:
        return isinstance(other, LeafSpec)

    def __hash__(self) -> int:
        return 1

    def __repr__(self, indent: int = 0) -> str:
        return "*"

    def is_leaf(self) -> bool:
        return True


class _NAMED:
    """The class that stands for every named tuple."""


_LEAF = LeafSpec()


def _is_named(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def _is_return_type(cls: type) -> bool:
    """Whether it is what operations with several results return, a tuple made from one sequence."""
    return issubclass(cls, tuple) and hasattr(cls, "n_sequence_fields")


def register_pytree_node(cls: type, flatten_fn: Callable, unflatten_fn: Callable, **named: Any) -> None:
    """Make `cls` a container: `flatten_fn(x) -> (children, context)`, `unflatten_fn(children, context) -> x`."""
    KINDS[cls] = Kind(lambda x: (lambda r: (list(r[0]), r[1]))(flatten_fn(x)), unflatten_fn)


def _apart(tree: Any) -> tuple[type, list, Any] | None:
    cls = tree.__class__
    kind = KINDS.get(cls)
    if kind is not None:
        children, context = kind.flatten(tree)
        return cls, children, context
    if _is_named(cls):
        return _NAMED, list(tree), cls
    if _is_return_type(cls):
        KINDS[cls] = Kind(lambda x: (list(x), None), lambda children, _: cls(children))
        return cls, list(tree), None
    return None


def tree_flatten(tree: Any, is_leaf: Callable | None = None) -> tuple[list, TreeSpec]:
    """The leaves in order, and the structure that `tree_unflatten` takes."""
    leaves: list = []
    return leaves, _walk(tree, leaves, is_leaf)


def _walk(tree: Any, leaves: list, is_leaf: Callable | None) -> TreeSpec:
    parts = None if is_leaf is not None and is_leaf(tree) else _apart(tree)
    if parts is None:
        leaves.append(tree)
        return _LEAF
    cls, children, context = parts
    return TreeSpec(cls, context, [_walk(c, leaves, is_leaf) for c in children])


def tree_unflatten(leaves, treespec: TreeSpec) -> Any:
    """The tree of this structure with these leaves. Raises ValueError for the wrong number of leaves."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree that holds "
                         f"{treespec.num_leaves} items ({treespec}).")
    return _build(iter(leaves), treespec)


def _build(leaves, spec: TreeSpec) -> Any:
    if isinstance(spec, LeafSpec):
        return next(leaves)
    children = [_build(leaves, c) for c in spec.children_specs]
    return spec.context(*children) if spec.type is _NAMED else KINDS[spec.type].unflatten(children, spec.context)


def tree_map(func: Callable, tree: Any, *rests: Any, is_leaf: Callable | None = None) -> Any:
    """The same tree with `func` applied to each leaf (and the leaves of `rests` in the same places)."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [tree_flatten(r, is_leaf)[0] for r in rests]
    return _build(iter([func(*row) for row in zip(leaves, *others)]), spec)


def tree_map_only(cls, func: Callable, tree: Any) -> Any:
    """`tree_map` over the leaves of a class, the others unchanged."""
    return tree_map(lambda x: func(x) if isinstance(x, cls) else x, tree)


def tree_leaves(tree: Any, is_leaf: Callable | None = None) -> list:
    """The leaves in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: Callable | None = None) -> TreeSpec:
    """The structure alone."""
    return tree_flatten(tree, is_leaf)[1]


def tree_all(pred: Callable, tree: Any) -> bool:
    """Whether `pred` holds for every leaf."""
    return all(map(pred, tree_leaves(tree)))


def tree_any(pred: Callable, tree: Any) -> bool:
    """Whether `pred` holds for any leaf."""
    return any(map(pred, tree_leaves(tree)))


class _Star:
    def __repr__(self) -> str:
        return "*"


def treespec_pprint(treespec: TreeSpec) -> str:
    """The structure as the containers would print with * for the leaves."""
    return repr(tree_unflatten([_Star() for _ in range(treespec.num_leaves)], treespec))


def broadcast_to(prefix: Any, spec: TreeSpec) -> list | None:
    """`prefix`, a tree that may stop early, spread over the leaves of `spec`; None if it does not fit."""
    parts = _apart(prefix)
    if parts is None:
        return [prefix] * spec.num_leaves
    cls, children, context = parts
    if isinstance(spec, LeafSpec) or spec.type is not cls or spec.context != context or len(children) != spec.num_children:
        return None
    made: list = []
    for child, below in zip(children, spec.children_specs):
        part = broadcast_to(child, below)
        if part is None:
            return None
        made += part
    return made
