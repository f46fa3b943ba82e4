"""The baselines of Gross et al. 2020, section 6.1: attacks on single members, mixed evenly or taken alone.

For each member an attack that fools it at as many points as can be. The uniform attacker (UA) plays these
with equal probability; the best deterministic attacker (BDA) plays the one of them with the largest value.
"""

import dataclasses
import time
from fractions import Fraction
from typing import Literal, TypeAlias

from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue
from ensc.compiler.types.solution import Attack, Certificate, Solution, Status, Verdict, Word
from ensc.runner.exact.admit import Exact, rest_of
from ensc.runner.exact.certify import certify
from ensc.runner.exact.replay import replay
from ensc.runner.split.board import Board
from ensc.runner.split.loop import play
from ensc.runner.split.settings import SplitSettings
from ensc.runner.verdicts.result import Result

Baseline: TypeAlias = Literal["ua", "bda"]


def solve_baseline(
    problem: EnsembleProblem, baseline: Baseline, settings: SplitSettings | None = None
) -> Result:
    """Find what a baseline attacker reaches; whether another attacker does better is not asked.

    Returns:
        `not_robust` if a `check` query is refuted, otherwise `unknown` with the certified attack.

    Raises:
        Rejected: as `solve_split`.
    """
    start = time.perf_counter()
    settings = settings or SplitSettings()
    boards = [_alone(problem, c, _shared(settings, problem, c, start)) for c in _members(problem)]
    attacks = [tuple(_best(problem, j, boards[c][0]) for j in _points(problem)) for c in _members(problem)]
    attack, certificate = _chosen(problem, baseline, attacks)
    sought = problem.goal.alpha if isinstance(problem.goal, Check) else None
    refuted = sought is not None and certificate.admissible and certificate.value >= sought
    reasons = [f"this is the {_NAMES[baseline]}; whether another attacker does better was not asked"]
    reasons += [
        f"member {problem.ensemble[c].name}: {why}" for c, (_, whys) in enumerate(boards) for why in whys
    ]
    total = isinstance(problem.goal, MaximizeTotal)
    most = Fraction(len(problem.ensemble) * len(problem.points)) if total else Fraction(1)
    verdict = Verdict(
        Word.NOT_ROBUST if refuted else Word.UNKNOWN,
        certificate.total if total else certificate.value,
        most,
        attack,
        certificate,
        reasons=tuple(reasons),
    )
    seconds = {"split": time.perf_counter() - start}
    solution = Solution(Status.UNKNOWN, {}, message=_NAMES[baseline])
    return Result(problem, verdict, solution, replay(problem, attack, certificate), seconds)


_NAMES: dict[Baseline, str] = {"ua": "uniform attacker", "bda": "best deterministic attacker"}


def _points(problem: EnsembleProblem) -> range:
    return range(len(problem.points))


def _members(problem: EnsembleProblem) -> range:
    return range(len(problem.ensemble))


def _alone(problem: EnsembleProblem, member: int, settings: SplitSettings) -> tuple[Board, tuple[str, ...]]:
    """Decide for every point whether a member can be fooled there, as an ensemble of its own."""
    single = dataclasses.replace(
        problem,
        ensemble=(problem.ensemble[member],),
        threat=dataclasses.replace(problem.threat, count=1),
        goal=MaximizeValue(),
    )
    outcome = play(single, settings)
    return outcome.board, (*outcome.board.contradictions, *outcome.reasons)


def _shared(settings: SplitSettings, problem: EnsembleProblem, member: int, start: float) -> SplitSettings:
    """Give a member its share of the time that the members before it left."""
    if settings.time_limit is None:
        return settings
    left = max(settings.time_limit - (time.perf_counter() - start), 0.0)
    return dataclasses.replace(settings, time_limit=left / (len(problem.ensemble) - member))


def _best(problem: EnsembleProblem, point: int, board: Board) -> Exact:
    known = board.points[point]
    if known.witnesses:
        return known.witnesses[-1].delta
    return rest_of(problem, point)


def _chosen(
    problem: EnsembleProblem, baseline: Baseline, attacks: list[tuple[Exact, ...]]
) -> tuple[Attack, Certificate]:
    """Return the baseline's mixture and its exact replay."""
    every = dataclasses.replace(problem, threat=dataclasses.replace(problem.threat, count=len(attacks)))
    if baseline == "ua":
        share = Fraction(1, len(attacks))
        mixed = Attack((share,) * len(attacks), tuple(attacks))
        return mixed, certify(every, mixed)
    alone = [Attack((Fraction(1),), (rows,)) for rows in attacks]
    return max(((a, certify(every, a)) for a in alone), key=lambda pair: pair[1].value)
