"""Goals over many radii: `minimize epsilon` and `profile value`, by the least radius of each pattern.

The largest value is a step function of the radius that depends on the numbers `r(j, s)` alone, the least
radius at which one perturbation of point j fools all of s. Each is known as an interval: a witness of norm n
says `r(j, s) <= n` for its set and every subset, a claim says `r(j, s) >= l` for its set and every superset.
At any radius that makes a board, and the boards' upper bounds say which number is needed next.
"""

import dataclasses
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue, Norm
from ensc.runner.exact.certify import exact_norm
from ensc.runner.split.answer import at_rest
from ensc.runner.split.board import Board, Standing, half, leaning, standing
from ensc.runner.split.ledger import Ledger
from ensc.runner.split.measure import Claim, Measurement, Sized, measure, survey_within, to_entry
from ensc.runner.split.patterns import Knowledge, unknown, with_refutation, with_witness
from ensc.runner.split.recall import Entry
from ensc.runner.split.settings import PATIENCE, SplitSettings
from ensc.runner.split.survey import chunked
from ensc.runner.split.tasks import run_task

SURVEYS = 12
"""Radii at which bounds and a search are tried before a solver is asked."""

LOOSE = Fraction(1, 10**5)
"""How much larger than the least radius a certified perturbation may be, relative to it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known about the radii of one point."""

    sized: tuple[Sized, ...] = ()
    claims: tuple[Claim, ...] = ()
    stuck: tuple[tuple[int, str, bool], ...] = ()


class Radii:
    """What is known about the radii of all points, while it grows."""

    def __init__(self, problem: EnsembleProblem, lower: Fraction, settings: SplitSettings) -> None:
        self.problem, self.lower, self.upper = problem, lower, problem.threat.radius
        self._settings = settings
        self._deadline = settings.deadline()
        self.points = [_at_rest(problem, j) for j in range(len(problem.points))]
        self.asked = self.recalled = 0
        self.interrupted = False
        self.liars: frozenset[str] = frozenset()
        self.contradictions: tuple[str, ...] = ()
        self.ledger = Ledger(problem, settings.journal, settings.solvers)
        self._recall()

    def _recall(self) -> None:
        """Take what the journal knows, at whatever radius it was found out."""
        for j, entries in enumerate(self.ledger.entries):
            for entry in entries:
                self._recall_entry(j, entry)
                self.recalled += entry.did == "measure"

    def _recall_entry(self, point: int, entry: Entry) -> None:
        norm = self.problem.threat.norm
        for witness in entry.found:
            self._add(point, Sized(witness, exact_norm(norm, witness.delta)), None)
        for denied in entry.denied:
            beyond = denied.covers(self.upper)
            self._add(point, None, Claim(denied.refutation, None if beyond else denied.radius))
        if entry.did == "measure" and entry.why:
            known = self.points[point]
            stuck = (*known.stuck, (entry.mask, entry.why, entry.timely))
            self.points[point] = dataclasses.replace(known, stuck=stuck)

    def survey(self, radius: Fraction) -> None:
        """Try bounds and a search at one radius, at every point."""
        done = {
            j
            for j, entries in enumerate(self.ledger.entries)
            if any(entry.did == "survey" and entry.radius == radius for entry in entries)
        }
        left = [j for j in range(len(self.points)) if j not in done]
        chunks = chunked(left, self._settings.jobs)
        try:
            with self._settings.pool(self.problem, min(self._settings.jobs, len(chunks))) as pool:
                futures = [pool.submit(run_task, survey_within, radius, chunk) for chunk in chunks]
                for chunk, future in zip(chunks, futures, strict=True):
                    self._learn_survey(chunk, future.result(), radius)
        except KeyboardInterrupt:
            self.interrupted = True

    def _learn_survey(self, chunk: Sequence[int], found: Sequence[Knowledge], radius: Fraction) -> None:
        for j, known in zip(chunk, found, strict=True):
            self._learn_board(j, known, radius)
        self.ledger.note_survey(chunk, found, radius)

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
        try:
            self._measure(pairs, radius, slack)
        except KeyboardInterrupt:
            self.interrupted = True
        return None

    def _measure(self, pairs: Sequence[tuple[int, int]], radius: Fraction, slack: Fraction) -> None:
        backend, given = self._settings.backend, self._seconds()
        with self._settings.pool(self.problem, min(self._settings.jobs, len(pairs))) as pool:
            futures = {}
            for j, mask in pairs:
                within = self._known_norm(j, mask)
                futures[pool.submit(run_task, measure, j, mask, within, given, backend)] = within
            wait(futures)
        for future, within in futures.items():
            self._learn(future.result(), radius, slack, within, given)

    def _known_norm(self, point: int, mask: int) -> Fraction:
        norms = (s.norm for s in self.points[point].sized if s.witness.mask & mask == mask)
        return min(norms, default=self.upper)

    def _learn(
        self, found: Measurement, radius: Fraction, slack: Fraction, within: Fraction, given: float | None
    ) -> None:
        self.asked += 1
        whole = found.closed and found.claim is not None and found.claim.radius == self.upper
        if found.claim is not None:
            claim = dataclasses.replace(found.claim, radius=None) if whole else found.claim
            self._add(found.point, None, claim)
        if found.sized is not None:
            self._add(found.point, found.sized, None)
        known = self._known(self.points[found.point], radius, slack)
        left_open = known.is_open(found.mask)
        self.ledger.note(
            [(found.point, to_entry(found, within, given, self._settings.solvers, left_open=left_open))]
        )
        if left_open:
            stuck = (*self.points[found.point].stuck, (found.mask, found.why, True))
            self.points[found.point] = dataclasses.replace(self.points[found.point], stuck=stuck)

    def _seconds(self) -> float | None:
        cap = self._settings.query_time_limit
        limits = [PATIENCE * 10 if cap is None else cap, self._deadline.left()]
        return max(0.1, min(limit for limit in limits if limit is not None))

    def is_late(self) -> bool:
        """Return whether the time is over, or somebody has ended it."""
        return self.interrupted or self._deadline.is_over()


def _at_rest(problem: EnsembleProblem, point: int) -> Measured:
    """Every mixture has something to do at every point, at any radius: as little as possible."""
    witnesses = at_rest(problem, point).witnesses
    return Measured(tuple(Sized(w, exact_norm(problem.threat.norm, w.delta)) for w in witnesses))


def _is_refuted(claim: Claim, sized: Sequence[Sized], upper: Fraction) -> bool:
    mask, radius = claim.refutation.mask, claim.radius
    norms = [s.norm for s in sized if s.witness.mask & mask == mask]
    return any(norm < radius if radius is not None else norm <= upper for norm in norms)


def _without(measured: Measured, liars: frozenset[str]) -> Measured:
    kept = tuple(c for c in measured.claims if c.refutation.proof.solver not in liars)
    return dataclasses.replace(measured, claims=kept)
