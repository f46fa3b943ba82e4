"""Goals over many radii: `minimize epsilon` and `profile value`, by the least radius of each pattern.

The largest value is a step function of the radius that depends on the numbers `r(j, s)` alone, the least
radius at which one perturbation of point j fools all of s. Each is known as an interval: a witness of norm n
says `r(j, s) <= n` for its set and every subset, a claim says `r(j, s) >= l` for its set and every superset.
At any radius that makes a board, and the boards' upper bounds say which number is needed next.
"""

import dataclasses
import math
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue, Norm
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.certify import exact_norm
from ensc.runner.split.answer import BOUNDS, Backend, at_points, instance, survey
from ensc.runner.split.ask import replayed
from ensc.runner.split.board import Board, Standing, half, leaning, standing
from ensc.runner.split.loop import CHUNK, PATIENCE, SplitSettings
from ensc.runner.split.patterns import (
    Knowledge,
    Refutation,
    Witness,
    unknown,
    with_refutation,
    with_witness,
)
from ensc.runner.split.tasks import run_task, workers

SURVEYS = 12
"""Radii at which bounds and a search are tried before a solver is asked."""

LOOSE = Fraction(1, 10**5)
"""How much larger than the least radius a certified perturbation may be, relative to it."""

REACHES = (Fraction(0), *(Fraction(1, 10**k) for k in (8, 7, 6, 5)))
"""By how much the ball around a solver's perturbation grows until repair succeeds."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A witness and its norm."""

    witness: Witness
    norm: Fraction


@dataclass(frozen=True, slots=True)
class Claim:
    """No smaller radius will do for the set of a refutation; without a radius, none in the query's range."""

    refutation: Refutation
    radius: Fraction | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known about the radii of one point."""

    sized: tuple[Sized, ...] = ()
    claims: tuple[Claim, ...] = ()
    stuck: tuple[tuple[int, str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a solver found about `r(j, s)`."""

    point: int
    mask: int
    sized: Sized | None
    claim: Claim | None
    why: str = ""


def measure(
    problem: EnsembleProblem,
    point: int,
    mask: int,
    within: Fraction,
    seconds: float | None,
    backend: Backend,
) -> Measurement:
    """Ask a solver for the smallest perturbation that fools all of a set, no larger than `within`."""
    part = _resized(at_points(problem, [point]), within)
    model = instance(part, mask, smallest=True)
    if model is None:
        return Measurement(point, mask, None, Claim(Refutation(mask, BOUNDS), within))
    solution, proof = backend(model, seconds, 1)
    if solution.status is Status.INFEASIBLE and proof is not None:
        return Measurement(point, mask, None, Claim(Refutation(mask, proof), within))
    sized = None
    if solution.status in {Status.OPTIMAL, Status.FEASIBLE}:
        sized = _certified(part, mask, solution, proof)
    claim = None
    if proof is not None and solution.bound is not None and math.isfinite(solution.bound):
        radius = _proved(problem.threat.norm, solution.bound, proof.tolerance)
        claim = Claim(Refutation(mask, proof), min(radius, within))
    return Measurement(point, mask, sized, claim, solution.message or "no answer")


def _resized(problem: EnsembleProblem, radius: Fraction) -> EnsembleProblem:
    return dataclasses.replace(problem, threat=dataclasses.replace(problem.threat, radius=radius))


def _proved(norm: Norm, bound: float, tolerance: float) -> Fraction:
    """Take the tolerance off a bound; a number of coordinates is whole."""
    exact = Fraction(repr(float(bound)))
    radius = exact - Fraction(repr(float(tolerance))) * max(Fraction(1), exact)
    return max(Fraction(0), Fraction(math.ceil(radius)) if norm is Norm.L0 else radius)


def _certified(part: EnsembleProblem, mask: int, solution: Solution, proof: Proof | None) -> Sized | None:
    """Repair the perturbation in balls about as small as itself, then in larger ones."""
    threat = part.threat
    size = abs(Fraction(repr(float(solution.values.get("r", float(threat.radius))))))
    balls = [min(size * (1 + reach), threat.radius) for reach in REACHES]
    for radius in dict.fromkeys([*balls, threat.radius]):
        ball = Fraction(math.floor(radius + Fraction(1, 1000))) if threat.norm is Norm.L0 else radius
        witness = replayed(_resized(part, ball), mask, solution, proof)
        if witness is not None and witness.mask & mask == mask:
            return Sized(witness, exact_norm(threat.norm, witness.delta))
    return None


class Radii:
    """What is known about the radii of all points, while it grows."""

    def __init__(self, problem: EnsembleProblem, lower: Fraction, settings: SplitSettings) -> None:
        self.problem, self.lower, self.upper = problem, lower, problem.threat.radius
        self._settings = settings
        limit = settings.time_limit
        self._end = None if limit is None else time.monotonic() + limit
        self.points = [Measured() for _ in problem.points.labels]
        self.asked = 0
        self.liars: frozenset[str] = frozenset()
        self.contradictions: tuple[str, ...] = ()

    def survey(self, radius: Fraction) -> None:
        """Try bounds and a search at one radius, at every point."""
        problem = _resized(self.problem, radius)
        for start in range(0, len(self.points), CHUNK):
            chunk = range(start, min(start + CHUNK, len(self.points)))
            for j, known in zip(chunk, survey(problem, chunk), strict=True):
                self._learn_board(j, known, radius)

    def _learn_board(self, point: int, known: Knowledge, radius: Fraction) -> None:
        norm = self.problem.threat.norm
        for witness in known.witnesses:
            self._add(point, Sized(witness, exact_norm(norm, witness.delta)), None)
        for refutation in known.refutations:
            self._add(point, None, Claim(refutation, None if radius == self.upper else radius))

    def _add(self, point: int, sized: Sized | None, claim: Claim | None) -> None:
        known = self.points[point]
        if sized is not None:
            known = dataclasses.replace(known, sized=(*known.sized, sized))
        if claim is not None:
            known = dataclasses.replace(known, claims=(*known.claims, claim))
        self.points[point] = known
        self._distrust(point)

    def _distrust(self, point: int) -> None:
        """Take back what rests on a solver that an exactly replayed perturbation refutes."""
        known = self.points[point]
        refuted = {c.refutation.proof.solver for c in known.claims if _is_refuted(c, known.sized, self.upper)}
        for solver in sorted(refuted):
            said = (
                f"CONTRADICTION: {solver} claims that a larger perturbation is needed at point {point + 1} "
                "than one that was replayed exactly"
            )
            self.contradictions = (*self.contradictions, said)
            self.liars |= {solver}
        if refuted or self.liars:
            self.points = [_without(m, self.liars) for m in self.points]

    def board(self, radius: Fraction, slack: Fraction = Fraction(0)) -> Board:
        """Return what is known at a radius; witnesses may be larger by the slack."""
        return Board(tuple(self._known(measured, radius, slack) for measured in self.points))

    def _known(self, measured: Measured, radius: Fraction, slack: Fraction) -> Knowledge:
        known = unknown(len(self.problem.ensemble))
        for sized in sorted(measured.sized, key=lambda s: s.norm):
            if sized.norm <= radius + slack:
                known, _ = with_witness(known, sized.witness)
        for claim in measured.claims:
            beyond = claim.radius is None or claim.radius > radius
            if beyond and not known.is_feasible(claim.refutation.mask):
                known = with_refutation(known, claim.refutation)
        stuck = tuple(s for s in measured.stuck if known.is_open(s[0]))
        return dataclasses.replace(known, stuck=stuck)

    def least_possible(self, reaches: Callable[[Fraction], bool]) -> Fraction | None:
        """Return the least radius in the range whose upper bound satisfies a condition that only grows."""
        ends = {c.radius for m in self.points for c in m.claims if c.radius is not None}
        radii = sorted({self.lower, *(r for r in ends if self.lower < r <= self.upper)})
        return self._least(radii, lambda r: self._bound(r, "possible", reaches))

    def least_reached(self, reaches: Callable[[Fraction], bool]) -> Fraction | None:
        """Return the least radius in the range at which known witnesses satisfy it."""
        ends = {s.norm for m in self.points for s in m.sized}
        radii = sorted({self.lower, *(r for r in ends if self.lower < r <= self.upper)})
        return self._least(radii, lambda r: self._bound(r, "feasible", reaches))

    def _bound(self, radius: Fraction, kind: str, reaches: Callable[[Fraction], bool]) -> bool:
        board = self.board(radius)
        if kind == "feasible" and any(not known.witnesses for known in board.points):
            return False
        patterns = [k.possible if kind == "possible" else k.feasible for k in board.points]
        found = half(dataclasses.replace(self.problem, goal=MaximizeValue()), patterns)
        if kind == "feasible":
            return found.mix is not None and reaches(found.mix.optimum)
        return found.bound is not None and reaches(found.bound)

    @staticmethod
    def _least(radii: Sequence[Fraction], holds: Callable[[Fraction], bool]) -> Fraction | None:
        place = bisect_left(radii, x=True, key=holds)
        return None if place == len(radii) else radii[place]

    def slack(self, radius: Fraction) -> Fraction:
        """Return how much larger a perturbation of that radius may be and still count as of that radius."""
        return radius * LOOSE

    def approach(self, reaches: Callable[[Fraction], bool]) -> None:
        """Halve the interval of the least radius by surveys."""
        for _ in range(SURVEYS):
            low, high = self.least_possible(reaches), self.least_reached(reaches)
            if low is None or self.is_late():
                return
            high = self.upper if high is None else high
            if self.problem.threat.norm is Norm.L0 or high - low <= self.slack(high):
                return
            self.survey(((low + high) / 2).limit_denominator(10**6))

    def settle(self, goal: Check | MaximizeValue, radius: Fraction, slack: Fraction) -> Standing | None:
        """Ask one round of what the upper bound at a radius leans on.

        Returns:
            Where it stands if it is decided or nothing can be asked; None if something has been learned.
        """
        problem = dataclasses.replace(self.problem, goal=goal)
        board = self.board(radius, slack)
        now = standing(problem, board)
        if now.decided or self.is_late():
            return now
        pairs = list(islice(dict.fromkeys(leaning(board, now)), self._settings.jobs))
        if not pairs:
            return now
        with workers(self.problem, min(self._settings.jobs, len(pairs))) as pool:
            backend = self._settings.backend
            futures = [
                pool.submit(run_task, measure, j, mask, self._known_norm(j, mask), self._seconds(), backend)
                for j, mask in pairs
            ]
            wait(futures)
        for future in futures:
            self._learn(future.result(), radius, slack)
        return None

    def _known_norm(self, point: int, mask: int) -> Fraction:
        norms = (s.norm for s in self.points[point].sized if s.witness.mask & mask == mask)
        return min(norms, default=self.upper)

    def _learn(self, found: Measurement, radius: Fraction, slack: Fraction) -> None:
        self.asked += 1
        whole = found.claim is not None and found.claim.radius == self.upper and found.sized is None
        if found.claim is not None:
            claim = dataclasses.replace(found.claim, radius=None) if whole else found.claim
            self._add(found.point, None, claim)
        if found.sized is not None:
            self._add(found.point, found.sized, None)
        known = self._known(self.points[found.point], radius, slack)
        if known.is_open(found.mask):
            stuck = (*self.points[found.point].stuck, (found.mask, found.why, True))
            self.points[found.point] = dataclasses.replace(self.points[found.point], stuck=stuck)

    def _seconds(self) -> float | None:
        cap = self._settings.query_time_limit
        limits = [cap if cap is not None else PATIENCE * 10]
        if self._end is not None:
            limits.append(self._end - time.monotonic())
        return max(0.1, min(limits))

    def is_late(self) -> bool:
        """Return whether the time is over."""
        return self._end is not None and time.monotonic() >= self._end


def _is_refuted(claim: Claim, sized: Sequence[Sized], upper: Fraction) -> bool:
    mask, radius = claim.refutation.mask, claim.radius
    norms = [s.norm for s in sized if s.witness.mask & mask == mask]
    return any(norm < radius if radius is not None else norm <= upper for norm in norms)


def _without(measured: Measured, liars: frozenset[str]) -> Measured:
    kept = tuple(c for c in measured.claims if c.refutation.proof.solver not in liars)
    return dataclasses.replace(measured, claims=kept)
