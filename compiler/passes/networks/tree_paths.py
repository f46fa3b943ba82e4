"""Which leaves of decision trees inputs reach: one input exactly, or every input within bounds."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.bounds import Interval
from ensc.compiler.types.network import Flags, Integers, Trees

Array: TypeAlias = npt.NDArray[Any]


def leaves_reached(layer: Trees, x: Array, thresholds: Array) -> Integers:
    """Follow each tree to its leaf.

    Args:
        layer: the trees.
        x: the value that they read, shape (..., inputs), floats or Python integers.
        thresholds: of the tests in the same unit, shape (tests,).

    Returns:
        The leaf of every tree, shape (..., trees).
    """
    side = np.broadcast_to(layer.roots, (*x.shape[:-1], len(layer.roots)))
    while (inside := side >= 0).any():
        test = np.where(inside, side, 0)
        side = np.where(inside, np.where(holds(layer, test, x, thresholds), *_sides(layer, test)), side)
    return -1 - side


def holds(layer: Trees, test: Integers, x: Array, thresholds: Array) -> Flags:
    """Return whether tests send x to their low side.

    Args:
        layer: the trees.
        test: shape (..., trees).
        x: shape (..., inputs).
        thresholds: of all tests, shape (tests,).

    Returns:
        Shape (..., trees).
    """
    at = np.take_along_axis(x, layer.features[test], axis=-1)
    limit = thresholds[test]
    return np.where(layer.strict[test], at < limit, at <= limit).astype(np.bool_)


def _sides(layer: Trees, test: Integers) -> tuple[Integers, Integers]:
    return layer.low[test], layer.high[test]


def reachable_leaves(layer: Trees, x: Interval) -> Flags:
    """Return which leaves inputs within bounds can reach, shape (points, leaves).

    A leaf is left out if one of the tests on its path excludes it. Where no path contradicts itself, as
    those that training grows do not, exactly the leaves that the box meets are left: on a line, sets that
    meet pairwise have a common point (Helly).
    """
    lower, upper = x.lower[:, layer.features], x.upper[:, layer.features]
    never_low = np.where(layer.strict, lower >= layer.thresholds, lower > layer.thresholds)
    never_high = np.where(layer.strict, upper < layer.thresholds, upper <= layer.thresholds) & ~never_low
    # Each excluded side adds one to a whole run of leaves: up where it starts, down behind it.
    steps = np.zeros((layer.leaves + 1, len(lower)), dtype=np.int64)
    first, middle, last = layer.spans.T
    np.add.at(steps, first, never_low.T)
    np.add.at(steps, middle, never_high.T.astype(np.int64) - never_low.T)
    np.add.at(steps, last, -never_high.T.astype(np.int64))
    reachable: Flags = np.cumsum(steps, axis=0)[:-1].T == 0
    return reachable


def open_tests(layer: Trees, reachable: Flags) -> Flags:
    """Return the tests that have reachable leaves on both sides, shape (..., tests).

    Args:
        layer: the trees.
        reachable: shape (..., leaves).
    """
    before = np.concatenate([np.zeros((*reachable.shape[:-1], 1), np.int64), reachable.cumsum(axis=-1)], -1)
    first, middle, last = (before[..., layer.spans[:, i]] for i in range(3))
    undecided: Flags = (middle > first) & (last > middle)
    return undecided


def features_read(layer: Trees, reachable: Flags, width: int) -> Flags:
    """Return which entries of the value read decide anything, shape (points, width).

    Args:
        layer: the trees.
        reachable: shape (points, leaves).
        width: the size of the value that the trees read.
    """
    read = np.zeros((len(reachable), width), dtype=np.bool_)
    points, tests = np.nonzero(open_tests(layer, reachable))
    read[points, layer.features[tests]] = True
    return read
