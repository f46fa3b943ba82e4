"""Decision trees -> linear rows over binaries: ordered thresholds, and one leaf of every tree.

After Kantchelian, Tygar, Joseph 2016 ("Evasion and hardening of tree ensemble classifiers"), with names as
in headers, for one copy of the trees:

* `v_n` binary, one for each distinct test, `v_n = 1` if it holds;
* `m_n >= 0`, the intervals between the thresholds of one entry x, of which x is in one: with the tests of
  x in order, `m_1 = v_1`, `m_i = v_i - v_(i-1)`, the last `1 - v_k`; hence `v_i <= v_(i+1)`;
* `sum m_i lower_i <= x <= sum m_i upper_i`;
* `z_n`, one for each leaf, their sum 1 in each tree; those on the low side of a test are at most its v,
  those on the high side at most `1 - v`.

Both sides of a threshold are closed here, the threshold itself belongs to either: a linear program holds no
open half-line. All inputs keep the leaves they have, so that "infeasible" carries over; a solution that
uses a leaf on the wrong side fails exact replay.

Every coefficient is a threshold of the file, a bound or one: nothing is rounded.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.rounding import short_down, short_up
from ensc.compiler.passes.lowering.assemble import NO_INDICATOR, Assembler
from ensc.compiler.passes.networks.tree_paths import open_tests
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, RowGroup, Rows
from ensc.compiler.types.network import Trees

NOTHING = -1
"""Stands for the constant 0 where a variable is expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """One copy of trees, for all attacks on one point.

    Attributes:
        layer: the trees.
        reachable: the leaves that are lowered, shape (leaves,).
        lower: bounds of the value read, shape (inputs,).
        upper: likewise.
        x: its variables, shape (attacks, inputs).
        labels: names for the numbered things of a kind.
        meaning: what headers say of rows.
    """

    layer: Trees
    reachable: Flags
    lower: Floats
    upper: Floats
    x: Indices
    labels: Callable[[str, Indices], Labels]
    meaning: Callable[[str], str]

    def variables(self, to: Assembler, prefix: str, numbers: Indices, *, integer: bool = False) -> Indices:
        """Add variables between 0 and 1 for things numbered from 0, shape (attacks, numbers)."""
        ids = to.variables(self.labels(prefix, numbers + 1), 0.0, 1.0, integer=integer)
        return np.broadcast_to(ids, (len(self.x), len(numbers)))


@dataclass(frozen=True, slots=True, eq=False)
class _Tests:
    """The distinct tests that are open, ordered by entry and threshold.

    Attributes:
        features: shape (distinct,).
        thresholds: shape (distinct,).
        open: the tests of the layer that are open, shape (open,).
        number: which distinct test each of them is, shape (open,).
    """

    features: Indices
    thresholds: Floats
    open: Indices
    number: Indices


def add_trees(to: Assembler, copy: Copy) -> tuple[Indices, Indices]:
    """Add the choice of leaves.

    Returns:
        The leaves that are lowered, shape (some,), and their variables, shape (attacks, some).
    """
    tests = _tests(copy)
    below = copy.variables(to, "v", np.arange(len(tests.features)), integer=True)
    if len(tests.features):
        _place(to, copy, tests, below)
    leaves = np.flatnonzero(copy.reachable)
    z = copy.variables(to, "z", leaves, integer=True)
    _choose(to, copy, tests, below, z)
    return leaves, z


def _tests(copy: Copy) -> _Tests:
    """Merge tests that say the same. On one threshold, the strict test comes first, as it says more."""
    layer = copy.layer
    undecided = np.flatnonzero(open_tests(layer, copy.reachable))
    loose = (~layer.strict[undecided]).astype(np.float64)
    table = np.stack(
        [layer.features[undecided].astype(np.float64), layer.thresholds[undecided], loose], axis=1
    )
    distinct, number = np.unique(table, axis=0, return_inverse=True)
    return _Tests(distinct[:, 0].astype(np.int64), distinct[:, 1], undecided, number.ravel())


def _place(to: Assembler, copy: Copy, tests: _Tests, below: Indices) -> None:
    """Add the intervals between thresholds, and say that x lies in the chosen one."""
    features, first, count = np.unique(tests.features, return_index=True, return_counts=True)
    # Interval i of an entry ends at its test i; the one behind its last test has no such end.
    ends = np.insert(np.arange(len(tests.features)), first + count, NOTHING)
    begins = np.insert(np.arange(len(tests.features)), first, NOTHING)
    inside = copy.variables(to, "m", np.arange(len(ends)))
    terms = np.stack([inside, _at(below, ends), _at(below, begins)], axis=-1)
    last = np.where(ends == NOTHING, 1.0, 0.0)
    to.rows(terms, np.array([1.0, -1.0, 1.0]), last, last, copy.meaning("m = v - v before"))

    entry = np.repeat(features, count + 1)
    t = tests.thresholds
    low = np.where(begins == NOTHING, np.minimum(short_down(copy.lower[entry]), t[ends]), t[begins])
    high = np.where(ends == NOTHING, np.maximum(short_up(copy.upper[entry]), t[begins]), t[ends])
    places = _padded(first + np.arange(len(first)), count + 1)
    columns = np.concatenate([copy.x[:, features][..., None], _at(inside, places)], axis=-1)
    ones = np.ones((len(features), 1))
    for limits, lower, upper, text in (
        (high, -np.inf, 0.0, "x <= sum upper m"),
        (low, 0.0, np.inf, "x >= sum lower m"),
    ):
        to.rows(columns, np.concatenate([ones, -limits[places]], axis=1), lower, upper, copy.meaning(text))


def _at(variables: Indices, places: Indices) -> Indices:
    """Return variables at places, the constant 0 where there is none; shape (attacks, ...)."""
    return np.where(places == NOTHING, NOTHING, variables[:, places])


def _padded(first: Indices, count: Indices) -> Indices:
    """Return runs of numbers as rows of a table, NOTHING behind their ends."""
    offset = np.arange(int(count.max(initial=0)))
    return np.where(offset < count[:, None], first[:, None] + offset, NOTHING)


def _choose(to: Assembler, copy: Copy, tests: _Tests, below: Indices, z: Indices) -> None:
    """Say that each tree has one leaf, on the right sides of the tests above it."""
    before = np.concatenate([[0], np.cumsum(copy.reachable)])
    trees = before[copy.layer.starts]
    first, middle, last = before[copy.layer.spans[tests.open]].T
    for attack in range(len(z)):
        y = below[attack][tests.number]
        nothing = np.full(len(trees) - 1, NOTHING)
        parts = (
            (trees[:-1], trees[1:], nothing, 0.0, 1.0, 1.0, "one leaf of each tree"),
            (first, middle, y, -1.0, -np.inf, 0.0, "leaves on the low side of a test <= v"),
            (middle, last, y, 1.0, -np.inf, 1.0, "leaves on the high side of a test <= 1 - v"),
        )
        for start, end, switch, sign, lower, upper, text in parts:
            if len(start):
                to.row_blocks.append(
                    _sums(z[attack], start, end, switch, sign, lower, upper, copy.meaning(text))
                )


def _sums(
    z: Indices,
    first: Indices,
    last: Indices,
    switch: Indices,
    sign: float,
    lower: float,
    upper: float,
    meaning: str,
) -> Rows:
    """Return rows `lower <= sum of z[first:last] + sign switch <= upper`, one for each entry of `first`."""
    lengths = last - first
    ends = np.cumsum(lengths)
    runs = np.arange(int(ends[-1])) - np.repeat(ends - lengths - first, lengths)
    columns, coefficients = z[runs], np.ones(len(runs))
    if sign:
        columns, coefficients = np.insert(columns, ends, switch), np.insert(coefficients, ends, sign)
        lengths = lengths + 1
    count = len(first)
    return Rows(
        np.concatenate([[0], np.cumsum(lengths)]),
        columns,
        coefficients,
        np.full(count, lower),
        np.full(count, upper),
        np.full(count, NO_INDICATOR),
        np.ones(count, dtype=np.bool_),
        (RowGroup(count, meaning),),
    )
