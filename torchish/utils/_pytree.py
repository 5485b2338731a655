"""torch.utils._pytree: nested containers of leaves. The functions are torch.func's own."""
from ..func._tree import LeafSpec as LeafSpec
from ..func._tree import TreeSpec as TreeSpec
from ..func._tree import register_pytree_node as register_pytree_node
from ..func._tree import tree_all as tree_all
from ..func._tree import tree_any as tree_any
from ..func._tree import tree_flatten as tree_flatten
from ..func._tree import tree_leaves as tree_leaves
from ..func._tree import tree_map as tree_map
from ..func._tree import tree_map_only as tree_map_only
from ..func._tree import tree_structure as tree_structure
from ..func._tree import tree_unflatten as tree_unflatten
from ..func._tree import treespec_pprint as treespec_pprint
