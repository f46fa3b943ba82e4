"""Trees of a file -> `Trees`: in order, with tests that are half-lines; by whole arrays."""

from dataclasses import replace

import numpy as np

from ensc.compiler.frontend.onnx.forest import EQ, GT, GTE, LT, MEMBER, NEQ, Forest, levels_of
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.splitting import split
from ensc.compiler.types.network import Flags, Floats, Integers, Trees


def trees_of(node: Node, forest: Forest, source: int, bias: Floats) -> Trees:
    """Return the layer.

    Args:
        node: the node, for messages and the layer's name.
        forest: its trees.
        source: the value that they read.
        bias: added to their sum, shape (outputs,).

    Raises:
        Rejected: E0560 if the sides make no trees, E0561 if they are too deep.
    """
    levels_of(node, forest.true, forest.false, forest.roots, len(forest.leaves))
    if np.isin(forest.modes, (EQ, NEQ, MEMBER)).any() or np.isinf(forest.values).any():
        forest = split(node, forest)
    swapped = np.isin(forest.modes, (GTE, GT))
    low = np.where(swapped, forest.false, forest.true)
    high = np.where(swapped, forest.true, forest.false)
    levels = levels_of(node, low, high, forest.roots, len(forest.leaves))
    order = np.concatenate([*levels, np.empty(0, dtype=np.int64)]).astype(np.int64)
    trees = Trees(
        source,
        forest.features[order],
        forest.values[order],
        np.isin(forest.modes, (LT, GTE))[order],
        low,
        high,
        np.zeros((len(order), 3), dtype=np.int64),
        forest.roots,
        np.zeros(len(forest.roots) + 1, dtype=np.int64),
        forest.leaves,
        bias,
        node.label,
    )
    return _numbered(trees, order, levels)


def _numbered(trees: Trees, order: Integers, levels: list[Integers]) -> Trees:
    """Number the tests level by level, and the leaves of each subtree consecutively."""
    low, high, roots = trees.low, trees.high, trees.roots
    count = np.ones(len(low) + len(trees.values), dtype=np.int64)  # leaf k at -1 - k
    for level in reversed(levels):
        count[level] = count[low[level]] + count[high[level]]
    starts = np.concatenate([[0], np.cumsum(count[roots])])
    first = np.full(len(count), -1)
    first[roots] = starts[:-1]
    for level in levels:
        first[low[level]] = first[level]
        first[high[level]] = first[level] + count[low[level]]
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    leaf = first[len(order) :][::-1]  # the new number of leaf k, -1 where no tree has it
    values = np.zeros((int(starts[-1]), trees.values.shape[1]))
    values[leaf[leaf >= 0]] = trees.values[leaf >= 0]
    middle = first[order] + count[low[order]]
    return replace(
        trees,
        low=_renamed(low[order], place, leaf),
        high=_renamed(high[order], place, leaf),
        spans=np.stack([first[order], middle, first[order] + count[order]], axis=1),
        roots=_renamed(roots, place, leaf),
        starts=starts,
        values=values,
    )


def _renamed(sides: Integers, place: Integers, leaf: Integers) -> Integers:
    renamed = np.empty_like(sides)
    inner: Flags = sides >= 0
    renamed[inner] = place[sides[inner]]
    renamed[~inner] = -1 - leaf[-1 - sides[~inner]]
    return renamed
