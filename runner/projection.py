"""Projections onto box and norm ball together, in float64, for many perturbations at once."""

import math
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Domain, Norm

_HALVINGS = 60


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
    """For the multiplier m of the ball each coordinate is `clip(shrink(wanted, m), low, high)`.

    The L1 norm falls as m rises, so that bisection finds m; the end returned is inside the ball.
    """

    def at(multiplier: Floats) -> Floats:
        shrunk = np.sign(wanted) * np.maximum(np.abs(wanted) - multiplier, 0.0)
        return np.asarray(np.clip(shrunk, low, high))

    inside = at(np.zeros((len(wanted), 1)))
    if (np.abs(inside).sum(axis=1) <= radius).all():
        return inside
    below = np.zeros((len(wanted), 1))
    above = np.abs(wanted).max(axis=1, keepdims=True, initial=0.0)
    above[np.abs(inside).sum(axis=1) <= radius] = 0.0
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        outside = np.abs(at(middle)).sum(axis=1, keepdims=True) > radius
        below, above = np.where(outside, middle, below), np.where(outside, above, middle)
    return at(above)


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
