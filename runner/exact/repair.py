"""From a solver's floating-point perturbation to an exact one that does what the solver claims.

A MILP solver may leave the ball and miss the arg-max by its tolerance, and prints few digits. Repair
proposes admissible perturbations near the solver's, simplest first, and takes the first that fools every
member it should, clearly if possible; gradient ascent on the least margin looks for one nearby. Exact
replay decides, here and again in the certificate.
"""

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

import numpy as np

from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.passes.networks.gradient import gradient
from ensc.compiler.types.network import Floats, Integers
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.exact.admit import Exact, Room, admit, on_grid, room_of, simplest, snapped
from ensc.runner.exact.certify import fooled_members, is_admissible
from ensc.runner.exact.margin import margins
from ensc.runner.exact.nudge import nudged
from ensc.runner.exact.projection import perturbation_box, project

SNAP = Fraction(1, 10**6)
"""How near to an end of its room a coordinate is taken to be meant there, relative to the largest."""

COARSE, FINE = 20, 40
"""Bits of the grids that perturbations are rounded to, below the largest coordinate."""

SIMPLE = 1000
"""Largest denominator of the simple fractions that are tried."""

STURDY = 1e-4
"""Margin of the logits that float32 execution of a trained network does not lose."""

LONGEST = 4096
"""Bits of a denominator beyond which a solver's rational is not passed on as it is."""

STEPS, PATIENCE, PROGRESS = 200, 15, 1e-9
"""Most steps of an ascent, and how many it goes on without getting better by more than the last number."""

AIMS = (1e-9, 1e-7, 1e-5, 2e-4, 1e-3)
REACHES = (1.0, 1.5)
"""Each row of an ascent aims at one of these margins, with steps of one of these lengths (1: as for a
linear function)."""


def repair(
    problem: EnsembleProblem, point: int, delta: Sequence[float | Fraction], wanted: Collection[int]
) -> Exact:
    """Return an admissible perturbation near `delta` that fools the wanted members, if one is found.

    Args:
        problem: the query.
        point: 0-based.
        delta: the solver's perturbation, shape (inputs,), finite.
        wanted: 0-based members that it should fool; without any, the smallest perturbation will do.

    Returns:
        Of the candidates that fool all wanted members exactly, the first that does so by a margin which
        float32 execution cannot lose, otherwise the first; without any, the one that fools most.
    """
    room = room_of(problem, point)
    best, score = room.rest, -1
    for candidate, final in _candidates(problem, room, point, delta, wanted):
        fooled = fooled_members(problem, point, candidate) if wanted else ()
        reached = sum(fooled[c] for c in wanted)
        whole = reached == len(wanted)
        if whole and (final or _is_sturdy(problem, point, candidate, wanted)):
            return candidate
        if reached > score:
            best, score = candidate, reached
    if score == 0 and len(wanted) > 1:  # together they are out of reach: one of them is better than none
        alone = (repair(problem, point, delta, {c}) for c in sorted(wanted))
        return next((d for d in alone if any(fooled_members(problem, point, d))), best)
    return best


def _is_sturdy(problem: EnsembleProblem, point: int, delta: Exact, wanted: Collection[int]) -> bool:
    margin = float_margins(problem, point, np.array([[float(d) for d in delta]]))
    return bool(margin[sorted(wanted)].min() >= STURDY)


def float_margins(problem: EnsembleProblem, point: int, deltas: Floats) -> Floats:
    """Return each member's margin (not negative iff fooled) in float64, shape (members, rows)."""
    x = problem.points.nearest[point] + deltas
    labels = np.repeat(problem.points.labels[point], len(deltas))
    with np.errstate(all="ignore"):  # numbers far outside overflow to what compares as not fooled
        outputs = [evaluate(member.network, x) for member in problem.ensemble]
        return np.array([margins(problem.loss, labels, logits)[0] for logits in outputs])


def _candidates(
    problem: EnsembleProblem,
    room: Room,
    point: int,
    delta: Sequence[float | Fraction],
    wanted: Collection[int],
) -> Iterator[tuple[Exact, bool]]:
    """Propose perturbations in the order of preference: no change, the solver's own, roundings, ascent.

    The first two are final: what does without change, or came out exactly, need not be sturdier.
    """
    yield room.rest, True
    exact = tuple(Fraction(d) for d in delta)
    if _is_rational(delta) and is_admissible(problem, point, exact):
        yield exact, True
    aligned = _aligned(room, exact)
    inside = admit(room, aligned, on_grid(aligned, FINE))
    yield from (
        (d, False) for d in nudged(problem, room, point, inside, wanted) if is_admissible(problem, point, d)
    )
    yield admit(room, aligned, on_grid(aligned, COARSE)), False
    yield admit(room, aligned, simplest(SIMPLE)), False
    yield inside, False
    start = np.array([float(d) for d in exact])
    with np.errstate(all="ignore"):  # a start far outside may overflow; exact replay judges what is found
        found = _ascend(problem, point, start, np.array(sorted(wanted), dtype=np.int64))
    for row in found:
        aligned = _aligned(room, tuple(map(Fraction, row.tolist())))
        for bits in (COARSE, FINE):
            yield admit(room, aligned, on_grid(aligned, bits)), False


def _is_rational(delta: Sequence[float | Fraction]) -> bool:
    rational = [d for d in delta if isinstance(d, Fraction)]
    return bool(rational) and all(d.denominator.bit_length() <= LONGEST for d in rational)


def _aligned(room: Room, delta: Exact) -> Exact:
    largest = max(map(abs, delta), default=Fraction(0))
    return snapped(room, delta, SNAP * largest)


def _ascend(problem: EnsembleProblem, point: int, start: Floats, wanted: Integers) -> Floats:
    """Raise the least margin over the wanted members inside box and ball.

    Each row has its own aim for the margin and its own reach; a step goes along the gradient of the member
    that is worst off, as far as a linear function would need to reach the aim (Polyak 1969), then back onto
    box and ball.

    Returns:
        Up to four rows, the one with the largest least margin first, shape (rows, inputs).
    """
    low, high = perturbation_box(problem.threat.domain, problem.points.nearest[point])
    aims = np.repeat(AIMS, len(REACHES))
    reaches = np.tile(REACHES, len(AIMS))
    rows = np.tile(start, (len(aims), 1))
    best, least = rows, np.full(len(aims), -np.inf)
    stale = 0
    for _ in range(STEPS):
        rows = project(problem.threat.norm, problem.threat.radius, low, high, rows)
        margin, slope = _worst(problem, point, rows, wanted)
        better, before = margin > least, least.max()
        best, least = np.where(better[:, None], rows, best), np.where(better, margin, least)
        stale = 0 if least.max() > before + PROGRESS else stale + 1
        if least.max() >= STURDY or stale > PATIENCE:
            break
        steepness = np.maximum((slope**2).sum(axis=1), np.finfo(np.float64).tiny)
        length = reaches * np.maximum(aims - margin, 0.0) / steepness
        rows = rows + length[:, None] * slope
        rows = np.where(np.isfinite(rows), rows, best)
    return best[np.argsort(-least, kind="stable")[:4]]


def _worst(problem: EnsembleProblem, point: int, rows: Floats, wanted: Integers) -> tuple[Floats, Floats]:
    """Return the least margin over the wanted members, and its gradient by the perturbation."""
    x = problem.points.nearest[point] + rows
    labels = np.repeat(problem.points.labels[point], len(rows))
    networks = [problem.ensemble[c].network for c in wanted.tolist()]
    pairs = [margins(problem.loss, labels, evaluate(network, x)) for network in networks]
    every = np.array([margin for margin, _ in pairs])
    worst = every.argmin(axis=0)
    slope = np.zeros_like(rows)
    for c in sorted(set(worst.tolist())):
        mine = worst == c
        slope[mine] = gradient(networks[c], x[mine], pairs[c][1][mine])
    return every.min(axis=0), slope
