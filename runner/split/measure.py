"""The least radius of one pattern: what a solver is asked for it, and what its answer says."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ensc.compiler.types.problem import EnsembleProblem, Norm
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.exact.certify import exact_norm
from ensc.runner.split.answer import BOUNDS, Backend, at_points, instance, survey
from ensc.runner.split.ask import replayed
from ensc.runner.split.patterns import Knowledge, Refutation, Witness
from ensc.runner.split.recall import Denied, Entry

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
class Measurement:
    """What a solver found about `r(j, s)`.

    Attributes:
        point: j, 0-based.
        mask: s.
        sized: a certified perturbation.
        claim: that no smaller radius will do.
        why: what the solver said.
        closed: whether not even the radius of the claim will do.
    """

    point: int
    mask: int
    sized: Sized | None
    claim: Claim | None
    why: str = ""
    closed: bool = False


def measure(
    problem: EnsembleProblem,
    point: int,
    mask: int,
    within: Fraction,
    seconds: float | None,
    backend: Backend,
) -> Measurement:
    """Ask a solver for the smallest perturbation that fools all of a set, no larger than `within`."""
    part = resized(at_points(problem, [point]), within)
    model = instance(part, mask, smallest=True)
    if model is None:
        return Measurement(point, mask, None, Claim(Refutation(mask, BOUNDS), within), closed=True)
    solution, proof = backend(model, seconds, 1)
    if solution.status is Status.INFEASIBLE and proof is not None:
        return Measurement(point, mask, None, Claim(Refutation(mask, proof), within), closed=True)
    sized = None
    if solution.status in {Status.OPTIMAL, Status.FEASIBLE}:
        sized = _certified(part, mask, solution, proof)
    claim, closed = None, False
    if proof is not None and solution.bound is not None and math.isfinite(solution.bound):
        radius = _proved(problem.threat.norm, solution.bound, proof.tolerance)
        claim, closed = Claim(Refutation(mask, proof), min(radius, within)), radius > within
    return Measurement(point, mask, sized, claim, solution.message or "no answer", closed=closed)


def resized(problem: EnsembleProblem, radius: Fraction) -> EnsembleProblem:
    """Return the same query about a ball of another radius."""
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
        witness = replayed(resized(part, ball), mask, solution, proof)
        if witness is not None and witness.mask & mask == mask:
            return Sized(witness, exact_norm(threat.norm, witness.delta))
    return None


def survey_within(problem: EnsembleProblem, radius: Fraction, points: Sequence[int]) -> list[Knowledge]:
    """Survey some points in a ball of another radius than the query's."""
    return survey(resized(problem, radius), points)


def to_entry(
    found: Measurement, within: Fraction, given: float | None, solvers: str, *, left_open: bool
) -> Entry:
    """Return a measurement as a journal keeps it."""
    claim = found.claim
    return Entry(
        "measure",
        within,
        found.mask,
        () if found.sized is None else (found.sized.witness,),
        () if claim is None else (Denied(claim.refutation, claim.radius or within, closed=found.closed),),
        solvers,
        (found.why or "no answer") if left_open else "",
        timely=True,
        seconds=given,
    )
