"""The attributes of tree ensembles -> `Forest`: two layouts, one of ai.onnx.ml 1 to 4 and one of 5."""

import numpy as np

from ensc.compiler.frontend.onnx.forest import EQ, GT, GTE, LEQ, LT, MEMBER, NEQ, Forest
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.frontend.onnx.tensor import finite
from ensc.compiler.quoting import shown
from ensc.compiler.types.network import Flags, Floats, Integers

_LEAF = -1
_MODES = {
    "LEAF": _LEAF,
    "BRANCH_LEQ": LEQ,
    "BRANCH_LT": LT,
    "BRANCH_GTE": GTE,
    "BRANCH_GT": GT,
    "BRANCH_EQ": EQ,
    "BRANCH_NEQ": NEQ,
}


def integers(node: Node, name: str) -> Integers:
    """Return an attribute that is a list of integers; none if it is not there."""
    return np.array(node.integers(name) or (), dtype=np.int64)


def numbers(node: Node, name: str) -> Floats:
    """Return an attribute that is a list of reals, or a tensor with a name that says so."""
    tensor = node.tensor(f"{name}_as_tensor")
    found: Array = np.array(node.reals(name) or ()) if tensor is None else tensor.ravel()
    if np.isnan(found).any():
        node.reject("E0514", f"`{name}` has NaN at {int(np.argmax(np.isnan(found)))}")
    return found.astype(np.float64)


def listed_forest(node: Node, kind: str, outputs: int) -> Forest:
    """Return the trees of `TreeEnsembleClassifier` and `TreeEnsembleRegressor`.

    Args:
        node: the node.
        kind: `class` or `target`, with which the names of the attributes about leaves begin.
        outputs: how many classes or targets there are.
    """
    trees, ids = integers(node, "nodes_treeids"), integers(node, "nodes_nodeids")
    modes = _modes(node)
    count = len(modes)
    features = integers(node, "nodes_featureids")
    true, false = integers(node, "nodes_truenodeids"), integers(node, "nodes_falsenodeids")
    values = numbers(node, "nodes_values")
    for name, array in (("nodeids", ids), ("treeids", trees), ("featureids", features), ("values", values)):
        _require(node, len(array) == count, f"`nodes_{name}` has {len(array)} entries for {count} nodes")
    for name, array in (("truenodeids", true), ("falsenodeids", false)):
        _require(node, len(array) == count, f"`nodes_{name}` has {len(array)} entries for {count} nodes")
    places = _Places(node, trees, ids)
    inner: Flags = modes != _LEAF
    children = [places.find(trees[inner], side[inner]) for side in (true, false)]
    is_child = np.zeros(count, dtype=np.bool_)
    is_child[np.concatenate(children)] = True
    roots = np.flatnonzero(~is_child)
    _require(
        node, len(np.unique(trees)) == len(np.unique(trees[roots])) == len(roots), "a tree has no one root"
    )
    # Tests and leaves are numbered apart: side t is test t, side -1 - k leaf k.
    outer: Flags = ~inner
    name_of = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(outer, dtype=np.int64))
    leaves = _leaf_table(node, kind, outputs, places, name_of, int(outer.sum()))
    return Forest(
        features[inner],
        values[inner],
        modes[inner],
        {},
        name_of[children[0]],
        name_of[children[1]],
        name_of[roots],
        leaves,
    )


class _Places:
    """Looks up nodes by the numbers of tree and node."""

    def __init__(self, node: Node, trees: Integers, ids: Integers) -> None:
        self._node = node
        self._trees, ranks = np.unique(trees, return_inverse=True)
        self._ids, numbers = np.unique(ids, return_inverse=True)
        keys = ranks.ravel() * len(self._ids) + numbers.ravel()
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        _require(node, not (self._keys[1:] == self._keys[:-1]).any(), "two nodes of a tree have one number")

    def find(self, trees: Integers, ids: Integers) -> Integers:
        """Return the place of each node in the arrays of the file."""
        if not len(trees):
            return np.empty(0, dtype=np.int64)
        tree = np.minimum(np.searchsorted(self._trees, trees), len(self._trees) - 1)
        number = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        key = tree * len(self._ids) + number
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        good = (self._trees[tree] == trees) & (self._ids[number] == ids) & (self._keys[place] == key)
        if not good.all():
            at = int(np.argmin(good))
            message = f"it names node {int(ids[at])} of tree {int(trees[at])}, which is not there"
            self._node.reject("E0560", message)
        return self._order[place]


def _leaf_table(
    node: Node, kind: str, outputs: int, places: _Places, name_of: Integers, leaves: int
) -> Floats:
    trees, ids = integers(node, f"{kind}_treeids"), integers(node, f"{kind}_nodeids")
    columns = integers(node, f"{kind}_ids")
    weights = finite(node, numbers(node, f"{kind}_weights"), f"`{kind}_weights`")
    same = len(trees) == len(ids) == len(columns) == len(weights)
    _require(node, same, f"the attributes `{kind}_...` have different lengths")
    _require(
        node, not len(columns) or 0 <= columns.min() <= columns.max() < outputs, f"`{kind}_ids` out of range"
    )
    table = np.zeros(node.bounded(leaves, outputs))
    rows = -1 - name_of[places.find(trees, ids)]
    _require(node, not (rows < 0).any(), "it gives a weight to a node that is no leaf")
    keys = rows * outputs + columns
    _require(node, len(np.unique(keys)) == len(keys), "a leaf has two weights for one output")
    table[rows, columns] = weights
    return table


def _modes(node: Node) -> Integers:
    names = node.attributes.get("nodes_modes")
    if not isinstance(names, tuple):
        node.invalid("it has no `nodes_modes`")
    unknown = next((name for name in names if name not in _MODES), None)
    if unknown is not None:
        node.invalid(f"`{shown(str(unknown))}` is no mode of a node")
    return np.array([_MODES[str(name)] for name in names], dtype=np.int64)


def joined_forest(node: Node, outputs: int) -> Forest:
    """Return the trees of `TreeEnsemble`, whose tests and leaves are numbered apart."""
    splits, modes = _tensor(node, "nodes_splits"), _tensor(node, "nodes_modes").astype(np.int64)
    features = integers(node, "nodes_featureids")
    true, false = integers(node, "nodes_truenodeids"), integers(node, "nodes_falsenodeids")
    to_leaf = [integers(node, name) != 0 for name in ("nodes_trueleafs", "nodes_falseleafs")]
    targets, weights = integers(node, "leaf_targetids"), _tensor(node, "leaf_weights")
    arrays = {
        "splits": splits,
        "modes": modes,
        "featureids": features,
        "truenodeids": true,
        "falsenodeids": false,
    }
    arrays |= dict(zip(("trueleafs", "falseleafs"), to_leaf, strict=True))
    for name, array in arrays.items():
        _require(
            node, len(array) == len(true), f"`nodes_{name}` has {len(array)} entries for {len(true)} nodes"
        )
    _require(
        node, len(targets) == len(weights), f"{len(weights)} weights of leaves for {len(targets)} targets"
    )
    _require(
        node,
        not len(targets) or 0 <= targets.min() <= targets.max() < outputs,
        "`leaf_targetids` out of range",
    )
    _require(
        node, not len(modes) or 0 <= modes.min() <= modes.max() <= MEMBER, "`nodes_modes` has an unknown mode"
    )
    table = np.zeros(node.bounded(len(weights), outputs))
    table[np.arange(len(weights)), targets] = finite(node, weights, "`leaf_weights`")
    members, roots = _members(node, modes), integers(node, "tree_roots")
    true = _side(node, true, to_leaf[0], len(weights))
    false = _side(node, false, to_leaf[1], len(weights))
    return _with_own_leaves(Forest(features, splits, modes, members, true, false, roots, table))


def _side(node: Node, side: Integers, leaf: Flags, leaves: int) -> Integers:
    if (side < 0).any() or (side[leaf] >= leaves).any():
        node.reject("E0560", "a side of a test lies outside its trees")
    return np.where(leaf, -1 - side, side)


def _with_own_leaves(forest: Forest) -> Forest:
    """Give each side that ends in a leaf a leaf of its own: the standard lets them share.

    A tree that is one leaf is written as a test whose sides are the same leaf.
    """
    sides = np.concatenate([forest.true, forest.false])
    ends = np.flatnonzero(sides < 0)
    leaves = forest.leaves[-1 - sides[ends]]
    sides[ends] = -1 - np.arange(len(ends))
    true, false = np.split(sides, 2)
    return Forest(
        forest.features, forest.values, forest.modes, forest.members, true, false, forest.roots, leaves
    )


def _members(node: Node, modes: Integers) -> dict[int, tuple[float, ...]]:
    """Return the numbers of each membership test: runs that end in NaN, in the order of the tests."""
    asked = np.flatnonzero(modes == MEMBER)
    if not len(asked):
        return {}
    given = node.tensor("membership_values")
    flat = np.empty(0) if given is None else given.ravel().astype(np.float64)
    ends = np.flatnonzero(np.isnan(flat))
    _require(node, len(ends) == len(asked), f"{len(ends)} sets of members for {len(asked)} tests")
    runs = np.split(flat, ends)[: len(asked)]
    return {
        int(test): tuple(sorted({float(v) for v in run if not np.isnan(v)}))
        for test, run in zip(asked, runs, strict=True)
    }


def _tensor(node: Node, name: str) -> Array:
    found = node.tensor(name)
    if found is None:
        node.invalid(f"it has no `{name}`")
    return found.ravel()


def _require(node: Node, condition: bool, message: str) -> None:
    if not condition:
        node.invalid(message)
