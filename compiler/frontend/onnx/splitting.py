"""Tests for equality and membership, split into tests of half-lines; a number decided by infinity dropped.

`x = v` is `x <= v and not x < v`; membership asks one number after the other. What lies elsewhere is then
below several tests and is copied, without the tests that the path has decided already.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ensc.compiler.frontend.onnx.forest import GT, GTE, LEQ, LT, MEMBER, NEQ, Forest
from ensc.compiler.frontend.onnx.graph import Node

MOST = 50_000
"""Tests after splitting."""


@dataclass(frozen=True, slots=True)
class _Range:
    """What a path has said of one input: an interval, its ends in it or not."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def decided(self, limit: float, *, strict: bool) -> bool | None:
        """Return whether `x <= limit` (`<` where strict) holds throughout; None if in part."""
        if self.high < limit or (self.high == limit and (self.below or not strict)):
            return True
        if self.low > limit or (self.low == limit and (self.above or strict)):
            return False
        return None

    def cut(self, limit: float, *, strict: bool) -> "tuple[_Range, _Range]":
        """Return the parts where the test holds and where it does not."""
        return (
            _Range(self.low, limit, self.above, strict),
            _Range(limit, self.high, not strict, self.below),
        )


@dataclass(slots=True)
class _Growing:
    """The new trees; alive only while they grow."""

    features: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    strict: list[bool] = field(default_factory=list)
    sides: list[list[int]] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Task:
    """A subtree to be copied: the old side, what the path said, and where the new side is noted.

    The old side may begin inside a test that was split: with the number `step` of its half-lines.
    """

    side: int
    step: int
    ranges: dict[int, _Range]
    parent: int
    slot: int


def split(node: Node, forest: Forest) -> Forest:
    """Return the same trees with tests of the modes LEQ and LT alone, and finite thresholds.

    Raises:
        Rejected: E0508 if that takes too many tests.
    """
    new = _Growing()
    roots: list[int] = []
    for root in forest.roots.tolist():
        roots.append(0)
        tasks = [_Task(root, 0, {}, -1, len(roots) - 1)]
        while tasks:
            task = tasks.pop()
            made = _grown(forest, new, task, tasks)
            if task.parent < 0:
                roots[task.slot] = made
            else:
                new.sides[task.parent][task.slot] = made
            if len(new.features) > MOST:
                node.refuse(
                    f"its tests for equality split into more than {MOST} half-lines",
                    "train with fewer categories, or one-hot encoded ones",
                )
    sides = np.array(new.sides, dtype=np.int64).reshape(-1, 2)
    return Forest(
        np.array(new.features, dtype=np.int64),
        np.array(new.values, dtype=np.float64),
        np.where(np.array(new.strict, dtype=np.bool_), LT, LEQ),
        {},
        sides[:, 0],
        sides[:, 1],
        np.array(roots, dtype=np.int64),
        forest.leaves[new.leaves],
    )


def _grown(forest: Forest, new: _Growing, task: _Task, tasks: list[_Task]) -> int:
    """Add the first undecided test or the leaf of a subtree, and its sides to the tasks; return it."""
    side, step = task.side, task.step
    while side >= 0:
        feature = int(forest.features[side])
        limit, strict, holds, fails = _half_line(forest, side, step)
        known = task.ranges.get(feature, _Range())
        decided = (
            True
            if limit == math.inf
            else False
            if limit == -math.inf
            else known.decided(limit, strict=strict)
        )
        if decided is None:
            number = len(new.features)
            new.features.append(feature)
            new.values.append(limit)
            new.strict.append(strict)
            new.sides.append([0, 0])
            for slot, (to, part) in enumerate(
                zip((holds, fails), known.cut(limit, strict=strict), strict=True)
            ):
                tasks.append(_Task(*to, {**task.ranges, feature: part}, number, slot))
            return number
        side, step = holds if decided else fails
    new.leaves.append(-1 - side)
    return -len(new.leaves)


def _half_line(forest: Forest, test: int, step: int) -> tuple[float, bool, tuple[int, int], tuple[int, int]]:
    """Return one half-line of a test: limit, whether strict, and where to go on if it holds and if not.

    Equality and membership take two half-lines for each number: below it, and up to it.
    """
    true, false = (int(forest.true[test]), 0), (int(forest.false[test]), 0)
    value = float(forest.values[test])
    match int(forest.modes[test]):
        case mode if mode in {LEQ, LT}:
            return value, mode == LT, true, false
        case mode if mode in {GTE, GT}:
            return value, mode == GTE, false, true
        case mode:
            numbers = sorted(forest.members.get(test, ())) if mode == MEMBER else [value]
            inside, outside = (false, true) if mode == NEQ else (true, false)
            if not numbers:
                return math.inf, False, outside, outside
            number, is_up_to = numbers[step // 2], step % 2 == 1
            last = step == 2 * len(numbers) - 1
            return (
                number,
                not is_up_to,
                inside if is_up_to else outside,
                outside if last else (test, step + 1),
            )
