"""Projections onto box and norm ball together, in float64, for many perturbations at once."""

import math
from fractions import Fraction
from functools import partial
from typing import assert_never

import numpy as np

from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Domain, Norm

_HALVINGS = 45


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
    inside = np.asarray(np.clip(wanted, low, high))
    rows = np.flatnonzero(np.abs(inside).sum(axis=1) > radius)
    if not len(rows):
        return inside
    sign, size = np.where(wanted[rows] < 0, -1.0, 1.0), np.abs(wanted[rows])
    first, last = (np.broadcast_to(end, wanted.shape)[rows] for end in (low, high))
    least, most = np.where(sign < 0, -last, first), np.where(sign < 0, -first, last)
    norm = partial(_shrunk_norm, size, least, most, forced=bool((least > 0).any() or (most < 0).any()))
    below = np.zeros((len(rows), 1))
    above = size.max(axis=1, keepdims=True)
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        outside = norm(middle) > radius
        below, above = np.where(outside, middle, below), np.where(outside, above, middle)
    inside[rows] = sign * np.clip(np.maximum(size - above, 0.0), least, most)
    return inside


def _shrunk_norm(size: Floats, least: Floats, most: Floats, multiplier: Floats, *, forced: bool) -> Floats:
    """Return each row's norm; only a box that forces coordinates to change has positive lower ends."""
    shrunk = size - multiplier
    np.maximum(shrunk, 0.0, out=shrunk)
    np.minimum(shrunk, most, out=shrunk)
    if forced:
        np.maximum(shrunk, least, out=shrunk)
        np.abs(shrunk, out=shrunk)
    return np.asarray(shrunk.sum(axis=1, keepdims=True))


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
