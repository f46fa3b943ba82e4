"""`minimize epsilon such that value >= alpha`, and `profile value over epsilon`."""

import dataclasses
import time
from collections.abc import Callable
from fractions import Fraction

from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue, MinimizeRadius, ProfileValue
from ensc.compiler.types.solution import Game, Proof, Solution, Status, Step, Verdict, Word
from ensc.runner.exact.certify import certify
from ensc.runner.exact.replay import agreement
from ensc.runner.split.answer import is_attackable
from ensc.runner.split.board import Board, Half, half
from ensc.runner.split.conclude import patterns_of
from ensc.runner.split.proofs import proofs_of
from ensc.runner.split.radii import Radii
from ensc.runner.split.rebuild import rebuilt
from ensc.runner.split.settings import INTERRUPTED, SplitSettings
from ensc.runner.verdicts.result import Result


def solve_radii(problem: EnsembleProblem, settings: SplitSettings | None = None) -> Result:
    """Answer a goal about many radii; the problem's own radius is the largest of them.

    Raises:
        Rejected: E0931 if the attacker's set is unbounded; what the backend rejects.
    """
    settings = settings or SplitSettings()
    start = time.perf_counter()
    bounded_sets(problem)
    goal = problem.goal
    assert isinstance(goal, (MinimizeRadius, ProfileValue))
    if not all(is_attackable(problem, j) for j in range(len(problem.points))):
        reason = "a point lies so far outside the domain that no perturbation brings it inside"
        verdict = Verdict(Word.UNKNOWN, goal.lower, goal.upper, reasons=(reason,))
        return Result(problem, verdict, Solution(Status.UNKNOWN, {}), None, {})
    radii = Radii(problem, goal.lower, settings)
    radii.survey(problem.threat.radius)
    if not all(known.sized for known in radii.points):
        reasons = (INTERRUPTED, *radii.ledger.doubts)
        verdict = Verdict(Word.UNKNOWN, goal.lower, goal.upper, reasons=reasons)
        return Result(problem, verdict, Solution(Status.UNKNOWN, {}), None, {})
    verdict = _minimized(radii, goal) if isinstance(goal, MinimizeRadius) else _profiled(radii)
    agreed = agreement(problem, verdict)
    if radii.interrupted:
        verdict = dataclasses.replace(verdict, reasons=(*verdict.reasons, INTERRUPTED))
    verdict = dataclasses.replace(verdict, reasons=(*verdict.reasons, *radii.ledger.doubts))
    solution = Solution(Status.UNKNOWN, {}, message=f"split: {radii.asked} questions to a solver")
    return Result(problem, verdict, solution, agreed, {"split": time.perf_counter() - start})


def _minimized(radii: Radii, goal: MinimizeRadius) -> Verdict:
    """The least radius lies between that of the upper bound and that of the known witnesses."""

    def reaches(value: Fraction) -> bool:
        return value >= goal.alpha

    radii.approach(reaches)
    while True:
        low = radii.least_possible(reaches)
        if low is None:
            return _none(radii, goal)
        now = radii.settle(Check(goal.alpha), low, radii.slack(low))
        if now is not None:
            break
    high = radii.least_reached(reaches)
    if high is None:
        neither = "no attack that reaches the value was found, nor was it proved that there is none"
        proofs = proofs_of(radii.board(low))
        return Verdict(Word.UNKNOWN, low, goal.upper, proofs=proofs, reasons=(*radii.contradictions, neither))
    found = _attacked(radii, high)
    word = Word.OPTIMAL if high - low <= radii.slack(low) else Word.UNKNOWN
    reasons = radii.contradictions
    if word is not Word.OPTIMAL:
        reasons = (*reasons, "the least radius is known as an interval only")
    board = radii.board(low)
    return dataclasses.replace(
        found, word=word, lower=low, upper=high, proofs=proofs_of(board), reasons=reasons
    )


def _none(radii: Radii, goal: MinimizeRadius) -> Verdict:
    enough = radii.problem.threat.count >= len(radii.problem.ensemble)
    word = Word.ROBUST if enough else Word.ROBUST_UP_TO_K
    board = radii.board(goal.upper)
    reason = "no radius in the query's range is large enough"
    return Verdict(
        word, goal.upper, goal.upper, proofs=proofs_of(board), reasons=(*radii.contradictions, reason)
    )


def _attacked(radii: Radii, radius: Fraction) -> Verdict:
    """Return the best attack that is known at a radius, with its value as both ends."""
    board = radii.board(radius)
    best = _lower(radii, board)
    attack = rebuilt(board, best, tuple(known.feasible for known in board.points))
    assert attack is not None
    certificate = certify(radii.problem, attack)
    game = Game(None, tuple(patterns_of(known) for known in board.points), radii.asked, radii.recalled)
    return Verdict(Word.UNKNOWN, certificate.value, certificate.value, attack, certificate, game=game)


def _lower(radii: Radii, board: Board) -> Half:
    problem = dataclasses.replace(radii.problem, goal=MaximizeValue())
    return half(problem, [known.feasible for known in board.points])


def _profiled(radii: Radii) -> Verdict:
    """Go from step to step: where does the upper bound rise above the value, and to what?"""
    steps = [_step(radii, radii.lower, radii.lower)]
    while steps[-1].lower == steps[-1].upper < 1:
        value = steps[-1].upper

        def rises(bound: Fraction, value: Fraction = value) -> bool:
            return bound > value

        low = _next_rise(radii, rises)
        if low is None:
            break
        high = radii.least_reached(rises)
        steps.append(_step(radii, low, radii.upper if high is None else max(low, high)))
    return _profile_verdict(radii, steps)


def _next_rise(radii: Radii, rises: Callable[[Fraction], bool]) -> Fraction | None:
    radii.approach(rises)
    while True:
        low = radii.least_possible(rises)
        if low is None:
            return None
        high = radii.least_reached(rises)
        if high is not None and high - low <= radii.slack(low):
            return low
        if radii.settle(MaximizeValue(), low, radii.slack(low)) is not None:
            return low


def _step(radii: Radii, low: Fraction, high: Fraction) -> Step:
    """Find the value between a rise, which is known up to a trifle, and the next one."""
    while (now := radii.settle(MaximizeValue(), high, Fraction(0))) is None:
        pass
    reached = Fraction(0) if now.lower.mix is None else now.lower.mix.optimum
    bound = Fraction(1) if now.upper.bound is None else now.upper.bound
    return Step(low, high, reached, bound)


def _profile_verdict(radii: Radii, steps: list[Step]) -> Verdict:
    exact = all(s.lower == s.upper and s.high - s.low <= radii.slack(s.low) for s in steps)
    board = radii.board(radii.upper)
    proofs: tuple[Proof, ...] = proofs_of(board)
    found = _attacked(radii, radii.upper)
    reasons = radii.contradictions
    if not exact:
        reasons = (*reasons, "some steps of the profile are known as intervals only")
    word = Word.OPTIMAL if exact else Word.UNKNOWN
    upper = steps[-1].upper if exact else Fraction(1)
    return dataclasses.replace(
        found, word=word, upper=upper, proofs=proofs, reasons=reasons, profile=tuple(steps)
    )
