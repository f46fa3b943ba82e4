"""From a solver's answer to a randomized attack: names alone, then repair and the exact game.

The solver's perturbations are only where the search starts: repair makes each admissible, replay finds
whom it fools, and the probabilities are the optimum for that.
"""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from ensc.compiler.types.problem import EnsembleProblem, MaximizeTotal
from ensc.compiler.types.solution import Attack, Solution
from ensc.runner.exact.admit import Exact
from ensc.runner.exact.certify import fooled_members
from ensc.runner.exact.game import best_total, solve_game
from ensc.runner.exact.repair import float_margins, repair
from ensc.runner.verdicts.names import Number, Reading, read_names

_NEARLY = 1e-4
"""How far from fooled a member may be, in float64, for repair to try it: MILP tolerances, amplified."""


def decode(problem: EnsembleProblem, solution: Solution) -> Attack:
    """Return the best randomized attack that the solution's perturbations make.

    Every perturbation is repaired, every loss replayed exactly, and the probabilities are the optimum for
    these losses: at least as good as the solver's own. Attacks without probability are left out, so
    that there are never more of them than the query allows.

    Args:
        problem: the query.
        solution: as read; its status is not looked at, because only replay decides what a point is worth.

    Raises:
        Rejected: E1101 if it has no probabilities, E1102 if an index is not in the query, E1103 if a
            number is no number.
    """
    reading = read_names(problem, solution)
    candidates = _repaired(problem, reading)
    payoff = _payoff(problem, candidates)
    return _without_idle(_mixed(problem, payoff), candidates)


def _repaired(problem: EnsembleProblem, reading: Reading) -> tuple[tuple[Exact, ...], ...]:
    known: dict[tuple[int, tuple[Number, ...], frozenset[int]], Exact] = {}

    def one(i: int, j: int) -> Exact:
        delta = _dense(reading.perturbations.get((i, j), {}), problem.inputs)
        wanted = _wanted(problem, reading, i, j, delta)
        key = (j, delta, wanted)  # attacks repeat each other: each perturbation is repaired once
        if key not in known:
            known[key] = repair(problem, j, delta, wanted)
        return known[key]

    points = range(len(problem.points))
    return tuple(tuple(one(i, j) for j in points) for i in range(reading.attacks))


def _wanted(
    problem: EnsembleProblem, reading: Reading, i: int, j: int, delta: tuple[Number, ...]
) -> frozenset[int]:
    """Return the members to keep fooled: those claimed to be and those that are; without claims, nearly."""
    approximate = np.array([[float(d) for d in delta]])
    margin = float_margins(problem, j, approximate)[:, 0]
    if reading.claims is None:
        return frozenset(np.flatnonzero(margin >= -_NEARLY).tolist())
    return reading.claims.get((i, j), frozenset()) | frozenset(np.flatnonzero(margin >= 0).tolist())


def _dense(sparse: Mapping[int, Number], size: int) -> tuple[Number, ...]:
    return tuple(sparse.get(k, 0.0) for k in range(size))


def _payoff(problem: EnsembleProblem, candidates: tuple[tuple[Exact, ...], ...]) -> list[list[int]]:
    """Return at how many points each attack fools each member, exactly."""
    replays: dict[tuple[int, Exact], tuple[bool, ...]] = {}
    for attack in candidates:
        for key in enumerate(attack):
            if key not in replays:
                replays[key] = fooled_members(problem, *key)
    return [
        [sum(at) for at in zip(*(replays[key] for key in enumerate(attack)), strict=True)]
        for attack in candidates
    ]


def _mixed(problem: EnsembleProblem, payoff: list[list[int]]) -> tuple[Fraction, ...]:
    """Return the best probabilities for the goal; a bound on the value that cannot be kept is dropped."""
    match problem.goal:
        case MaximizeTotal(alpha):
            least = (alpha or Fraction(0)) * len(problem.points)
            return best_total(payoff, least) or solve_game(payoff).attacker
        case _:
            return solve_game(payoff).attacker


def _without_idle(p: tuple[Fraction, ...], candidates: tuple[tuple[Exact, ...], ...]) -> Attack:
    used = [i for i, probability in enumerate(p) if probability > 0]
    return Attack(tuple(p[i] for i in used), tuple(candidates[i] for i in used))
