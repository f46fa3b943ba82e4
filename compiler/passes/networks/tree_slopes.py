"""What stands in for the derivative of decision trees, which have none that helps: their thresholds' promise.

An entry of the input gets, from every test on the path of every tree, what the other side of the test
promises over the leaf that is reached now, divided by the distance to the threshold. Attack searches that
climb along it cross the thresholds that are worth it; nothing proved rests on it.
"""

import numpy as np

from ensc.compiler.passes.networks.tree_paths import holds, leaves_reached
from ensc.compiler.types.network import Floats, Integers, Trees

NEAR = 1e-3
"""Distances, relative to the threshold, below which a promise does not grow any more."""


def pull_across(layer: Trees, x: Floats, g: Floats) -> Floats:
    """Return what the value that the trees read receives of a gradient of their outputs.

    Args:
        layer: the trees.
        x: the value read, shape (rows, inputs).
        g: shape (rows, outputs).

    Returns:
        Shape (rows, inputs).
    """
    slope = np.zeros_like(x)
    if not len(layer.features):
        return slope
    scores = layer.values @ g.T
    rows = np.arange(len(x))[:, None]
    now = scores[leaves_reached(layer, x, layer.thresholds), rows]
    best_low, best_high = _best(layer, scores, 0), _best(layer, scores, 1)
    side = np.broadcast_to(layer.roots, now.shape)
    while (inside := side >= 0).any():
        test = np.where(inside, side, 0)
        below = holds(layer, test, x, layer.thresholds)
        gain = np.maximum(np.where(below, best_high[test, rows], best_low[test, rows]) - now, 0.0)
        limit, feature = layer.thresholds[test], layer.features[test]
        distance = np.abs(limit - x[rows, feature]) * 1.05 + NEAR * np.maximum(np.abs(limit), 1.0)
        pull = np.where(inside, np.where(below, gain, -gain) / distance, 0.0)
        np.add.at(slope, (np.broadcast_to(rows, feature.shape), feature), pull)
        side = np.where(inside, np.where(below, layer.low[test], layer.high[test]), side)
    return slope


def _best(layer: Trees, scores: Floats, side: int) -> Floats:
    """Return the highest score on one side of each test, shape (tests, rows)."""
    ends: Integers = layer.spans[:, side : side + 2].ravel()
    padded = np.concatenate([scores, np.full((1, scores.shape[1]), -np.inf)])
    best: Floats = np.maximum.reduceat(padded, ends, axis=0)[::2]
    return best
