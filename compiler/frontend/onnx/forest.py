"""Decision trees as files tell them, and the check that they are trees.

Nothing of a file is believed: sides may be out of range, shared or in a cycle, and arrays millions long.
"""

from dataclasses import dataclass

import numpy as np

from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.types.network import Floats, Integers

LEQ, LT, GTE, GT, EQ, NEQ, MEMBER = range(7)
"""Which inputs a test sends to its true side, numbered as in `TreeEnsemble` of ai.onnx.ml 5."""

DEEPEST = 4096
"""Tests on one path; training stops far earlier, and each level costs a pass over arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees in the order of a file.

    Attributes:
        features: the input that each test reads, shape (tests,).
        values: what it compares with, shape (tests,).
        modes: how, shape (tests,).
        members: for a test of mode MEMBER the numbers that it looks for, by test.
        true: the side where a test holds, shape (tests,): a test, or `-1 - k` for leaf k.
        false: the other side.
        roots: of each tree a side.
        leaves: what each leaf adds, shape (leaves, outputs).
    """

    features: Integers
    values: Floats
    modes: Integers
    members: dict[int, tuple[float, ...]]
    true: Integers
    false: Integers
    roots: Integers
    leaves: Floats


def levels_of(node: Node, low: Integers, high: Integers, roots: Integers, leaves: int) -> list[Integers]:
    """Return the tests level by level from the roots, and check that the sides make trees."""
    sides = np.concatenate([roots, low, high])
    if ((sides >= len(low)) | (sides < -leaves)).any():
        node.reject("E0560", "a side of a test lies outside its trees")
    if len(np.unique(sides)) < len(sides):
        node.reject("E0560", "two paths lead to one node: its sides make no trees", _EXPORT)
    levels, at = [], roots[roots >= 0]
    while len(at):
        levels.append(at)
        if len(levels) > DEEPEST:
            node.reject("E0561", f"a tree is deeper than {DEEPEST} tests", "train it with a smaller depth")
        below = np.stack([low[at], high[at]], axis=1).ravel()
        at = below[below >= 0]
    reached = sum(map(len, levels))
    if reached < len(low):
        node.reject("E0560", f"{len(low) - reached} tests are below no root, as in a cycle", _EXPORT)
    return levels


_EXPORT = "export the model anew"
