"""The board: what is known about all points, and what the master makes of it."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
)
from ensc.runner.split.answer import Answer
from ensc.runner.split.few import solve_few
from ensc.runner.split.master import Antichain, Groups, Mix, grouped, solve_total, solve_value
from ensc.runner.split.patterns import (
    Knowledge,
    bits,
    smallest_open,
    with_refutation,
    with_witness,
    without_refutations,
)


@dataclass(frozen=True, slots=True)
class Board:
    """What is known.

    Attributes:
        points: of each point.
        liars: names of solvers that an exact replay has refuted; nothing they claim counts any more.
        contradictions: in words.
    """

    points: tuple[Knowledge, ...]
    liars: frozenset[str] = frozenset()
    contradictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Half:
    """The master over some patterns.

    Attributes:
        groups: what it was solved for.
        mix: the best mixture found, None if none satisfies the goal.
        bound: no mixture has more; None if there is none.
        ceiling: a mixture that the bound rests on, if it is not `mix`.
    """

    groups: Groups
    mix: Mix | None
    bound: Fraction | None
    ceiling: Mix | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the search stands.

    Attributes:
        lower: over what is known to be feasible.
        upper: over what is not known to be infeasible.
        decided: whether the query's question is answered.
    """

    lower: Half
    upper: Half
    decided: bool


def learned(board: Board, answer: Answer) -> Board:
    """Return what is known after an answer."""
    point, known = answer.question.point, board.points[answer.question.point]
    wrong: tuple[str, ...] = ()
    if answer.witness is not None:
        known, refuted = with_witness(known, answer.witness)
        wrong = tuple(r.proof.solver for r in refuted)
    refutation = answer.refutation
    if refutation is not None and refutation.proof.solver not in board.liars:
        if known.is_feasible(refutation.mask):
            wrong = (*wrong, refutation.proof.solver)
        else:
            known = with_refutation(known, refutation)
    mask = answer.question.mask
    if known.is_open(mask) and all(mask != other for other, *_ in known.stuck):
        known = dataclasses.replace(known, stuck=(*known.stuck, (mask, answer.why, answer.timely)))
    points = tuple(known if j == point else other for j, other in enumerate(board.points))
    board = dataclasses.replace(board, points=points)
    for solver in dict.fromkeys(wrong):
        board = _distrusted(board, solver, point)
    return board


def _distrusted(board: Board, solver: str, point: int) -> Board:
    """Take back everything that rests on a solver which an exact replay has refuted."""
    points = tuple(
        without_refutations(k, tuple(r for r in k.refutations if r.proof.solver == solver))
        for k in board.points
    )
    said = (
        f"CONTRADICTION: {solver} claims that some members cannot be fooled together at point {point + 1}, "
        "and a perturbation that was replayed exactly fools them"
    )
    return Board(points, board.liars | {solver}, (*board.contradictions, said))


def standing(problem: EnsembleProblem, board: Board) -> Standing:
    """Solve the master over feasible and over possible patterns."""
    upper = half(problem, [known.possible for known in board.points])
    lower = half(problem, [known.feasible for known in board.points])
    return Standing(lower, upper, _is_decided(problem, lower, upper))


def half(problem: EnsembleProblem, patterns: Sequence[Antichain]) -> Half:
    """Solve the master for the query's goal and number of attacks."""
    members, count = len(problem.ensemble), problem.threat.count
    groups = grouped(patterns, members)
    match problem.goal:
        case Check() | MaximizeValue() | MinimizeRadius() | ProfileValue():
            if count >= members:
                mix = solve_value(groups)
                return Half(groups, mix, mix.optimum)
            few = solve_few(groups, count)
        case MaximizeTotal(alpha):
            if count >= members:
                best = solve_total(groups, alpha or Fraction(0))
                return Half(groups, best, None if best is None else best.optimum)
            few = solve_few(groups, count, alpha, total=True)
        case _:
            assert_never(problem.goal)
    return Half(groups, few.mix, few.upper, few.ceiling)


def _is_decided(problem: EnsembleProblem, lower: Half, upper: Half) -> bool:
    if upper.bound is None:
        return True
    reached = None if lower.mix is None else lower.mix.optimum
    if isinstance(problem.goal, Check):
        return upper.bound < problem.goal.alpha or (reached is not None and reached >= problem.goal.alpha)
    return reached == upper.bound


def leaning(board: Board, now: Standing) -> Iterator[tuple[int, int]]:
    """Yield questions worth asking, the one that the upper bound leans on most first.

    A pattern of the upper bound's mixture that is open at a point counts by its probability, and by how much
    more it is worth to the defender's weights than what is known to be feasible there. Points at which
    questions have ended without an answer wait: what else is asked there is rarely easier.
    """
    mixes = [mix for mix in (now.upper.mix, now.upper.ceiling) if mix is not None]
    pairs = dict.fromkeys(pair for mix in mixes for pair in _leaning(board, now, mix))
    yield from sorted(pairs, key=lambda pair: len(board.points[pair[0]].stuck))


def _leaning(board: Board, now: Standing, mix: Mix) -> Iterator[tuple[int, int]]:
    place = {kind: g for g, kind in enumerate(now.upper.groups.patterns)}
    weights = mix.defender or (Fraction(1),) * now.upper.groups.members
    used: dict[tuple[int, int], float] = {}
    for column, p in zip(mix.columns, mix.probabilities, strict=True):
        for g, group in enumerate(column.chosen):
            for mask, _ in group:
                used[g, mask] = used.get((g, mask), 0.0) + float(p)
    ranked = []
    for j, known in enumerate(board.points):
        g = place[known.possible]
        best = max(_worth(weights, mask) for mask in known.feasible)
        for mask in known.possible:
            if (g, mask) in used and known.is_open(mask):
                gap = max(0.0, _worth(weights, mask) - best)
                ranked.append((-used[g, mask] * gap, -used[g, mask], j, mask))
    for _, _, j, mask in sorted(ranked):
        asked = smallest_open(board.points[j], mask)
        if asked is not None:
            yield j, asked


def _worth(weights: Sequence[Fraction], mask: int) -> float:
    return float(sum(weights[bit.bit_length() - 1] for bit in bits(mask)))


def loosened(board: Board) -> Board:
    """Forget which questions ran out of time, so that they are asked again."""
    points = tuple(
        dataclasses.replace(k, stuck=tuple(s for s in k.stuck if not s[2])) if k.stuck else k
        for k in board.points
    )
    return dataclasses.replace(board, points=points)
