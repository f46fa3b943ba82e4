"""From what the loop found to a verdict: attack, defender, patterns, and what they rest on."""

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from ensc.compiler.quoting import number
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
)
from ensc.compiler.types.solution import (
    Attack,
    Certificate,
    Fooled,
    Game,
    PointPatterns,
    Solution,
    Spared,
    Status,
    Verdict,
    Word,
)
from ensc.runner.exact.certify import certify
from ensc.runner.exact.replay import agreement
from ensc.runner.split.board import Board, Standing
from ensc.runner.split.loop import play
from ensc.runner.split.patterns import Knowledge, members_of
from ensc.runner.split.proofs import proofs_of
from ensc.runner.split.rebuild import rebuilt
from ensc.runner.split.settings import Outcome, SplitSettings
from ensc.runner.verdicts.result import Result


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """The interval that holds the optimum, and what reaches its lower end."""

    lower: Fraction
    upper: Fraction | None
    attack: Attack | None
    certificate: Certificate | None


def solve_fixed(problem: EnsembleProblem, settings: SplitSettings | None = None) -> Result:
    """Answer a query about one radius by splitting it over its points.

    Raises:
        Rejected: E0931 if the attacker's set is unbounded; E1110 if there is no solver.
    """
    start = time.perf_counter()
    outcome = play(problem, settings or SplitSettings())
    played = time.perf_counter()
    verdict = concluded(problem, outcome)
    agreed = agreement(problem, verdict)
    solution = Solution(Status.UNKNOWN, {}, message=f"split: {outcome.asked} questions to a solver")
    stages = outcome.seconds or {"split": played - start}
    seconds = {**stages, "certify": time.perf_counter() - played}
    return Result(problem, verdict, solution, agreed, seconds)


def concluded(problem: EnsembleProblem, outcome: Outcome) -> Verdict:
    """Return the verdict that the outcome supports."""
    now, board = outcome.standing, outcome.board
    reasons = (*board.contradictions, *outcome.reasons, *outcome.doubts)
    if now is None:
        word = Word.ROBUST if isinstance(problem.goal, Check) else Word.UNKNOWN
        return Verdict(word, Fraction(0), Fraction(0), reasons=(*reasons, "so there is no attack at all"))
    ends = _ends(problem, board, now)
    word, more = _word(problem, ends)
    upper = _most(problem) if ends.upper is None else ends.upper
    useful = ends.certificate is not None and (ends.lower > 0 or word is Word.OPTIMAL)
    return Verdict(
        word,
        ends.lower,
        max(upper, ends.lower),
        ends.attack if useful else None,
        ends.certificate if useful else None,
        proofs_of(board) if word is not Word.NOT_ROBUST else (),
        (*reasons, *more),
        Game(
            _defender(problem, now),
            tuple(patterns_of(known) for known in board.points),
            outcome.asked,
            outcome.recalled,
        ),
    )


def _ends(problem: EnsembleProblem, board: Board, now: Standing) -> _Ends:
    if any(not known.witnesses for known in board.points):  # not even surveyed
        return _Ends(Fraction(0), now.upper.bound, None, None)
    attack = rebuilt(board, now.lower, tuple(known.feasible for known in board.points))
    if attack is None:
        return _Ends(Fraction(0), now.upper.bound, None, None)
    certificate = certify(problem, attack)
    assert certificate.admissible, "witnesses are admissible, and their mixture is no larger than asked"
    reached = certificate.total if isinstance(problem.goal, MaximizeTotal) else certificate.value
    return _Ends(reached, now.upper.bound, attack, certificate)


def _word(problem: EnsembleProblem, ends: _Ends) -> tuple[Word, tuple[str, ...]]:
    enough = problem.threat.count >= problem.enough_attacks
    robust = Word.ROBUST if enough else Word.ROBUST_UP_TO_K
    match problem.goal:
        case Check(alpha):
            if ends.certificate is not None and ends.lower >= alpha:
                return Word.NOT_ROBUST, ()
            if ends.upper is not None and ends.upper < alpha:
                return robust, ()
        case MaximizeTotal(alpha) if ends.upper is None:
            assert alpha is not None
            none = f"no attack has value {number(alpha)} or more, so there is no total to maximize"
            return robust, (none,)
        case MaximizeValue() | MaximizeTotal():
            if ends.certificate is not None and ends.lower == ends.upper:
                return Word.OPTIMAL, ()
        case MinimizeRadius() | ProfileValue():
            pass
        case _:
            assert_never(problem.goal)
    return Word.UNKNOWN, ()


def _most(problem: EnsembleProblem) -> Fraction:
    """No attack reaches the value that a total was to have: then some member's share is below it."""
    assert isinstance(problem.goal, MaximizeTotal)
    members, points = len(problem.ensemble), len(problem.points)
    return min((members - 1 + (problem.goal.alpha or 0)) * Fraction(points), Fraction(members * points))


def _defender(problem: EnsembleProblem, now: Standing) -> tuple[Fraction, ...] | None:
    """The weights prove the upper bound of any number of attacks; a bound of k attacks has no such proof."""
    if now.upper.mix is None or problem.threat.count < len(problem.ensemble):
        return None
    return now.upper.mix.defender or None


def patterns_of(known: Knowledge) -> PointPatterns:
    """Return what is known about a point, for a reader."""
    return PointPatterns(
        tuple(Fooled(members_of(w.mask), w.source, w.recalled) for w in known.witnesses),
        tuple(Spared(members_of(r.mask), r.proof, r.recalled) for r in known.refutations),
        tuple(members_of(mask) for mask in known.possible if known.is_open(mask)),
    )
