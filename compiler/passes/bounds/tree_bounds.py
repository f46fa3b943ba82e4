"""What sums of decision trees lie between: for each tree the best of the leaves that can be reached."""

import numpy as np

from ensc.compiler.passes.bounds.rounding import slack
from ensc.compiler.passes.networks.tree_paths import reachable_leaves
from ensc.compiler.types.bounds import Interval
from ensc.compiler.types.network import Floats, Trees


def leaf_range(layer: Trees, x: Interval) -> Interval:
    """Return bounds of every output, from bounds of the value that the trees read."""
    reachable = reachable_leaves(layer, x)
    starts = layer.starts[:-1]
    ends = []
    for alive in reachable[..., None]:
        low = np.minimum.reduceat(np.where(alive, layer.values, np.inf), starts, axis=0)
        high = np.maximum.reduceat(np.where(alive, layer.values, -np.inf), starts, axis=0)
        magnitude = np.maximum(np.abs(low), np.abs(high)).sum(axis=0) + np.abs(layer.bias)
        ends.append((low.sum(axis=0) + layer.bias, high.sum(axis=0) + layer.bias, magnitude))
    lower, upper, magnitude = (np.stack(part) for part in zip(*ends, strict=True))
    error = slack(len(starts) + 2, magnitude)
    return Interval(lower - error, upper + error)


def least_leaf_sums(layer: Trees, x: Interval, forms: Floats) -> Floats:
    """Return lower bounds of linear forms of the outputs.

    Each tree gives its least reachable leaf, counted for the whole form: classes that gain in the same leaf
    are not set against each other, as bounds of single outputs would do.

    Args:
        layer: the trees.
        x: bounds of the value that they read.
        forms: shape (points, forms, outputs).

    Returns:
        Shape (points, forms).
    """
    reachable = reachable_leaves(layer, x)
    starts = layer.starts[:-1]
    result = np.empty(forms.shape[:2])
    for point, (alive, form) in enumerate(zip(reachable, forms, strict=True)):
        scores = np.where(alive, form @ layer.values.T, np.inf)
        size = np.where(alive, np.abs(form) @ np.abs(layer.values.T), 0.0)
        magnitude = np.maximum.reduceat(size, starts, axis=1).sum(axis=1) + np.abs(form) @ np.abs(layer.bias)
        total = np.minimum.reduceat(scores, starts, axis=1).sum(axis=1) + form @ layer.bias
        result[point] = total - slack(layer.size + len(starts) + 4, magnitude)
    return result
