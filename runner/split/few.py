"""The master for fewer attacks than members: choose k joint patterns and their probabilities, exactly.

Only losses that no other joint choice dominates matter. They are enumerated by a sum over groups of points;
then sets of k of them by descending optimistic bound, until no bound exceeds the best game. Where that is
too much work the answer is an interval: from the best mixture met to the value of any number of attacks.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ensc.runner.exact.game import best_total, solve_game
from ensc.runner.split.master import Column, Groups, Mix, column_of, solve_total, solve_value

MOST_CHOICES = 3000
"""Joint choices kept while groups are added up."""

MOST_SETS = 200_000
"""Sets of k choices that are bounded."""

MOST_GAMES = 400
"""Games that are solved."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bracket:
    """What is known about the best mixture of at most k attacks.

    Attributes:
        mix: the best that was met, None if none satisfies the goal.
        upper: no mixture of k attacks has more; None if none satisfies the goal.
        exact: whether `mix` reaches `upper`, or both are None.
        ceiling: the best mixture of any number of attacks, which `upper` may rest on where it is not exact.
    """

    mix: Mix | None
    upper: Fraction | None
    exact: bool
    ceiling: Mix | None = None


def solve_few(groups: Groups, count: int, least: Fraction | None = None, *, total: bool = False) -> Bracket:
    """Find the best mixture of at most `count` attacks.

    Args:
        groups: the patterns of all points.
        count: k, at least 1.
        least: a total is sought among the mixtures whose value is at least this.
        total: whether the total is sought instead of the value.
    """
    ceiling = solve_total(groups, least or Fraction(0)) if total else solve_value(groups)
    if ceiling is None:
        return Bracket(None, None, exact=True)
    if len(ceiling.columns) <= count:
        return Bracket(ceiling, ceiling.optimum, exact=True)
    columns = _undominated(groups)
    if columns is None:
        columns = list(ceiling.columns)
        best, _ = _searched(groups, columns, count, least, total=total)
        return Bracket(best, ceiling.optimum, exact=False, ceiling=ceiling)
    best, upper = _searched(groups, columns, count, least, total=total)
    if upper is None:
        return Bracket(best, None if best is None else best.optimum, exact=True)
    upper = min(upper, ceiling.optimum)
    return Bracket(best, upper, best is not None and best.optimum == upper, ceiling)


def _undominated(groups: Groups) -> list[Column] | None:
    """Return the joint choices whose losses no other one dominates; None if they are too many."""
    front: dict[tuple[int, ...], Column] = {(0,) * groups.members: Column((), (0,) * groups.members)}
    for kind, size in zip(groups.patterns, groups.sizes, strict=True):
        shares = list(itertools.islice(_shares(kind, size), MOST_CHOICES + 1))
        if len(shares) * len(front) > MOST_CHOICES * 10:
            return None
        part = Groups(groups.members, (kind,), (size,))
        parts = [column_of(part, (share,)) for share in shares]
        sums = {
            tuple(map(sum, zip(a.payoff, b.payoff, strict=True))): (a, b)
            for a in front.values()
            for b in parts
        }
        kept = _pareto(np.array(sorted(sums), dtype=np.int64))
        if len(kept) > MOST_CHOICES:
            return None
        front = {}
        for row in kept.tolist():
            payoff = tuple(row)
            a, b = sums[payoff]
            front[payoff] = Column((*a.chosen, *b.chosen), payoff)
    return list(front.values())


def _shares(kind: Sequence[int], size: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield every way to give `size` points one of the patterns each."""
    for cuts in itertools.combinations(range(size + len(kind) - 1), len(kind) - 1):
        ends = (-1, *cuts, size + len(kind) - 1)
        counts = [b - a - 1 for a, b in itertools.pairwise(ends)]
        yield tuple((mask, n) for mask, n in zip(kind, counts, strict=True) if n)


def _pareto(payoffs: Integers) -> Integers:
    """Return the rows that no other row dominates."""
    order = np.lexsort((*payoffs.T, payoffs.sum(axis=1)))[::-1]
    kept = np.empty((0, payoffs.shape[1]), dtype=np.int64)
    for row in payoffs[order]:
        if not (kept >= row).all(axis=1).any():
            kept = np.concatenate([kept, row[None]])
    return kept


def _searched(
    groups: Groups, columns: Sequence[Column], count: int, least: Fraction | None, *, total: bool
) -> tuple[Mix | None, Fraction | None]:
    """Try sets of columns in the order of what they could reach at most.

    Returns:
        The best mixture, and a bound of what is left to try; None if nothing is left.
    """
    size = min(count, len(columns))
    payoffs = np.array([column.payoff for column in columns], dtype=np.int64)
    sets = list(itertools.islice(itertools.combinations(range(len(columns)), size), MOST_SETS + 1))
    cut = len(sets) > MOST_SETS
    chosen = np.array(sets[:MOST_SETS], dtype=np.int64)
    hope = payoffs[chosen].max(axis=1)
    floor = Fraction(0) if least is None else least * groups.points
    bound = _total_bounds(payoffs, chosen, hope, floor) if total else hope.min(axis=1)
    best: Mix | None = None
    scale = 1 if total else groups.points
    for tried, i in enumerate(np.argsort(-bound, kind="stable").tolist()):
        if bound[i] < 0 or (best is not None and bound[i] <= best.optimum * scale):
            break
        if tried >= MOST_GAMES:
            return best, Fraction(int(bound[i]), scale)
        mix = _game(groups, [columns[k] for k in chosen[i]], floor, total=total)
        if mix is not None and (best is None or mix.optimum > best.optimum):
            best = mix
    if cut:
        return best, Fraction(groups.members * groups.points if total else 1)
    return best, None


def _total_bounds(payoffs: Integers, chosen: Integers, hope: Integers, floor: Fraction) -> Integers:
    """The total of a mixture is at most the largest of its attacks; -1 where the value cannot be reached."""
    largest = payoffs.sum(axis=1)[chosen].max(axis=1)
    return np.where(hope.min(axis=1) >= int(np.ceil(float(floor) - 1e-9)), largest, -1)


def _game(groups: Groups, columns: Sequence[Column], floor: Fraction, *, total: bool) -> Mix | None:
    payoff = [column.payoff for column in columns]
    if total:
        probabilities = best_total(payoff, floor)
        if probabilities is None:
            return None
        pairs = zip(probabilities, columns, strict=True)
        optimum = sum((p * sum(column.payoff) for p, column in pairs), Fraction(0))
        defender: tuple[Fraction, ...] = ()
    else:
        game = solve_game(payoff)
        probabilities, defender = game.attacker, game.defender
        optimum = game.value / groups.points
    used = [i for i, p in enumerate(probabilities) if p > 0]
    return Mix(optimum, tuple(columns[i] for i in used), tuple(probabilities[i] for i in used), defender)
