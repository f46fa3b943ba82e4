"""Projections onto box and norm ball together, in float64, for many perturbations at once."""

import math
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Domain, Norm

_STEPS, _NEAR = 45, 2.0**-40
"""Most steps to the multiplier of an L1 ball, and how near to its boundary is near enough, relative."""

_AT_ONCE = 1 << 15
"""Entries that are projected together."""


def perturbation_box(domain: Domain, points: Floats) -> tuple[Floats, Floats]:
    """Return the least and largest perturbation that keeps each coordinate inside the domain.

    Args:
        domain: legal inputs.
        points: shape (..., inputs).

    Returns:
        Two arrays of that shape, possibly infinite.
    """
    low = -np.inf if domain.lower is None else float(domain.lower)
    high = np.inf if domain.upper is None else float(domain.upper)
    return low - points, high - points


def project(norm: Norm, radius: Fraction, low: Floats, high: Floats, wanted: Floats) -> Floats:
    """Return the perturbations in box and ball that are nearest in the Euclidean norm.

    Correct up to rounding; where box and ball have nothing in common, the point of the box with the least
    norm is returned.

    Args:
        norm: of the ball.
        radius: of the ball, not negative.
        low: lower ends of the box, broadcasts to `wanted`.
        high: upper ends of the box, broadcasts to `wanted`.
        wanted: shape (rows, inputs), finite.

    Returns:
        Shape (rows, inputs).
    """
    match norm:
        case Norm.L1:
            return _onto_l1(float(radius), low, high, wanted)
        case Norm.LINF:
            return _onto_linf(float(radius), low, high, wanted)
        case Norm.L0:
            return _onto_l0(math.floor(radius), low, high, wanted)
        case _:
            assert_never(norm)


def _onto_linf(radius: float, low: Floats, high: Floats, wanted: Floats) -> Floats:
    return np.asarray(np.clip(np.clip(wanted, -radius, radius), low, high))


def _onto_l1(radius: float, low: Floats, high: Floats, wanted: Floats) -> Floats:
    """Project the rows that are outside the ball, as many at a time as stay in the processor's cache."""
    inside = np.asarray(np.clip(wanted, low, high))
    rows = np.flatnonzero(np.abs(inside).sum(axis=1) > radius)
    first, last = (np.broadcast_to(end, wanted.shape) for end in (low, high))
    step = max(1, _AT_ONCE // max(1, wanted.shape[1]))
    for some in (rows[i : i + step] for i in range(0, len(rows), step)):
        inside[some] = _shrunk(radius, first[some], last[some], wanted[some])
    return inside


def _shrunk(radius: float, low: Floats, high: Floats, wanted: Floats) -> Floats:
    """For the multiplier m of the ball each coordinate is `clip(shrink(wanted, m), low, high)`.

    The L1 norm falls piecewise linearly as m rises, by the number of coordinates that are neither zero nor at
    an end: Newton's method finds m, and halves the interval where it would leave it. The end returned is the
    one inside the ball, within `_NEAR` of its boundary.
    """
    above = np.abs(wanted).max(axis=1, keepdims=True)
    below, middle = np.zeros_like(above), np.zeros_like(above)
    shrunk, size = np.empty_like(wanted), np.empty_like(wanted)

    def shrink(multiplier: Floats) -> Floats:
        np.clip(wanted, -multiplier, multiplier, out=shrunk)
        np.subtract(wanted, shrunk, out=shrunk)
        return np.asarray(np.clip(shrunk, low, high, out=shrunk))

    for _ in range(_STEPS):
        norm = np.abs(shrink(middle), out=size).sum(axis=1, keepdims=True)
        outside = norm > radius
        below, above = np.where(outside, middle, below), np.where(outside, above, middle)
        left = (outside | (norm < radius * (1 - _NEAR))) & (below < above)
        if not left.any():
            break
        moving = (shrunk > low) & (shrunk < high) & (shrunk != 0)
        slope = np.maximum(np.count_nonzero(moving, axis=1, keepdims=True), 0.5)
        newton = middle + (norm - radius * (1 - _NEAR / 2)) / slope
        within = (newton > below) & (newton < above)
        middle = np.where(left, np.where(within, newton, (below + above) / 2), above)
    return shrink(above)


def _onto_l0(most: int, low: Floats, high: Floats, wanted: Floats) -> Floats:
    """Change the coordinates where staying at the least perturbation costs the most distance."""
    moved = np.clip(wanted, low, high)
    rest = np.clip(np.zeros_like(wanted), low, high)
    gain = (wanted - rest) ** 2 - (wanted - moved) ** 2
    gain = np.where(rest != 0, np.inf, gain)  # the box forces these to change
    keep = np.argsort(-gain, axis=1, kind="stable")[:, :most]
    result = rest.copy()
    np.put_along_axis(result, keep, np.take_along_axis(moved, keep, axis=1), axis=1)
    return result
