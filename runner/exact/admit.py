"""From numbers that are nearly right to an admissible perturbation, in exact arithmetic.

Everything moves towards the point's *rest*, the perturbation of least size that keeps it in the domain
(zero for a point inside). Box and ball are convex and rest has the least absolute value in every
coordinate, so that whatever lies between rest and an admissible perturbation is admissible too.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from ensc.compiler.types.problem import EnsembleProblem, Norm

Exact = tuple[Fraction, ...]

_Ends = tuple[Fraction | None, Fraction | None, Fraction]


@dataclass(frozen=True, slots=True)
class Room:
    """The perturbations that a point may take.

    Attributes:
        norm: of the ball.
        radius: of the ball.
        low: least perturbation of each coordinate (domain, and the ball for Linf); None is unbounded.
        high: largest perturbation of each coordinate.
        rest: the smallest perturbation that keeps the point in the domain.
    """

    norm: Norm
    radius: Fraction
    low: tuple[Fraction | None, ...]
    high: tuple[Fraction | None, ...]
    rest: Exact


def room_of(problem: EnsembleProblem, point: int) -> Room:
    """Return the room of a point of the data set."""
    low, high, rest = zip(*_all_ends(problem, point), strict=True)
    return Room(problem.threat.norm, problem.threat.radius, low, high, rest)


def rest_of(problem: EnsembleProblem, point: int) -> Exact:
    """Return the smallest perturbation that keeps a point of the data set in the domain."""
    x = problem.points.numerators[point].tolist()
    if all(_ends(problem, v)[2] == 0 for v in (min(x), max(x))):  # the domain is the same for all coordinates
        return (Fraction(0),) * len(x)
    return tuple(rest for *_, rest in _all_ends(problem, point))


def _all_ends(problem: EnsembleProblem, point: int) -> Iterator[_Ends]:
    """Yield the ends of every coordinate; inputs repeat few numbers: the background of an image."""
    x = problem.points.numerators[point].tolist()
    ends = {v: _ends(problem, v) for v in set(x)}
    return map(ends.__getitem__, x)


def _ends(problem: EnsembleProblem, numerator: float) -> _Ends:
    """Return a coordinate's least and largest perturbation, and the smallest one."""
    threat, x = problem.threat, Fraction(numerator) / problem.points.denominator
    lower, upper = threat.domain.lower, threat.domain.upper
    low, high = None if lower is None else lower - x, None if upper is None else upper - x
    rest = _clip(Fraction(0), low, high)
    if threat.norm is Norm.LINF:
        low = -threat.radius if low is None else max(low, -threat.radius)
        high = threat.radius if high is None else min(high, threat.radius)
    return low, high, rest


def admit(room: Room, delta: Sequence[Fraction], near: Callable[[Fraction], Fraction]) -> Exact:
    """Return an admissible perturbation close to `delta`, with shorter numbers.

    Args:
        room: of the point.
        delta: the perturbation wished for.
        near: shortens a number; a coordinate at the end of its room is left there.

    Returns:
        A perturbation in box and ball, provided that there is any.
    """
    boxed = [_clip(d, a, b) for d, a, b in zip(delta, room.low, room.high, strict=True)]
    ends = zip(boxed, room.low, room.high, strict=True)
    short = [d if d in (a, b) else _clip(near(d), a, b) for d, a, b in ends]
    match room.norm:
        case Norm.LINF:
            return tuple(short)
        case Norm.L1:
            return _into_l1(room, short, near)
        case Norm.L0:
            return _into_l0(room, short)
        case _:
            assert_never(room.norm)


def on_grid(delta: Sequence[Fraction], bits: int) -> Callable[[Fraction], Fraction]:
    """Return rounding towards zero to the multiples of `2**-bits` of the largest entry's power of two."""
    largest = max(map(abs, delta), default=Fraction(0))
    if not largest:
        return lambda d: d
    power = largest.numerator.bit_length() - largest.denominator.bit_length()  # log2, off by at most 1
    grid = Fraction(2) ** (power - bits)
    return lambda d: math.trunc(d / grid) * grid


def simplest(most: int) -> Callable[[Fraction], Fraction]:
    """Return rounding to the nearest fraction with a denominator of at most `most`."""
    return lambda d: d.limit_denominator(most)


def snapped(room: Room, delta: Sequence[Fraction], within: Fraction) -> Exact:
    """Move coordinates that are within a distance of rest or of an end of their room exactly there."""

    def one(d: Fraction, *ends: Fraction | None) -> Fraction:
        return next((end for end in ends if end is not None and abs(d - end) <= within), d)

    return tuple(map(one, delta, room.rest, room.low, room.high))


def _into_l1(room: Room, delta: list[Fraction], near: Callable[[Fraction], Fraction]) -> Exact:
    """Scale the way from rest so that the ball holds it; shorten again, but only towards rest."""
    size = sum(map(abs, delta), Fraction(0))
    if size <= room.radius:
        return tuple(delta)
    least = sum(map(abs, room.rest), Fraction(0))
    share = max(Fraction(0), room.radius - least) / (size - least) if size > least else Fraction(0)
    scaled = [r + share * (d - r) for d, r in zip(delta, room.rest, strict=True)]
    return tuple(_between(near(d), d, r) for d, r in zip(scaled, room.rest, strict=True))


def _between(short: Fraction, d: Fraction, rest: Fraction) -> Fraction:
    """Return the short number if it lies between rest and d, else d itself."""
    return short if min(d, rest) <= short <= max(d, rest) else d


def _into_l0(room: Room, delta: list[Fraction]) -> Exact:
    """Keep the coordinates that the domain forces to change, then those that change most."""
    order = sorted(range(len(delta)), key=lambda k: (room.rest[k] == 0, -abs(delta[k]), k))
    kept = set(order[: math.floor(room.radius)])
    return tuple(d if k in kept else room.rest[k] for k, d in enumerate(delta))


def _clip(d: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is not None and d < low:
        return low
    if high is not None and d > high:
        return high
    return d
