"""The least value of linear forms over input sets: exact over box ∩ ball, then rounded down.

Over the intersection of a box with an L1 ball the minimum of `w x` is a fractional knapsack: move the
coordinates with the largest |w| first, each as far as its box allows, until the radius is spent. Over box
∩ Linf ball it is the interval formula, over box ∩ L0 ball the radius best coordinates move fully.

Half-spaces `g x + h >= 0` are dualised: for any `m >= 0`, `w x >= (w - m g) x - m h` where they hold
(`multipliers` finds good m).
"""

from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.relaxation import contract, spread
from ensc.compiler.passes.bounds.rounding import UNIT, slack
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.network import Floats, Integers
from ensc.compiler.types.problem import Norm

_FIRST = 48
"""Coordinates among which a knapsack is sought first: a small ball is spent on fewer than these."""


def least(sets: InputSets, owner: Integers, forms: Floats, multipliers: Floats | None = None) -> Floats:
    """Return a lower bound of each linear form over its set, within rounding of the dual's value.

    Args:
        sets: of a batch of points.
        owner: the point of each form, shape (forms,).
        forms: shape (forms, inputs).
        multipliers: of the half-spaces, not negative, shape (forms, half-spaces).

    Returns:
        Shape (forms,).
    """
    if multipliers is None or sets.asserted is None:
        return _over_ball(sets, owner, forms)
    cuts = sets.asserted
    combined, size = forms.copy(), np.abs(forms)
    shift, shifted = np.zeros(len(forms)), np.zeros(len(forms))
    for k in range(cuts.offsets.shape[1]):
        part = multipliers[:, k, None] * spread(cuts.forms[:, k], owner)
        combined -= part
        size += np.abs(part)
        constant = multipliers[:, k] * spread(cuts.offsets[:, k], owner)
        shift -= constant
        shifted += np.abs(constant)
    rounded = slack(2 * multipliers.shape[1] + 4, contract(size, spread(_reach(sets), owner)) + shifted)
    total = _over_ball(sets, owner, combined) + shift
    return np.asarray(total - rounded - slack(2, np.abs(total)))


def lowest(sets: InputSets, owner: Integers, forms: Floats) -> Floats:
    """Return where in box ∩ ball each form is least, but for rounding; shape (forms, inputs)."""
    lower, upper, centre = (spread(v, owner) for v in (sets.lower, sets.upper, sets.centre))
    ends = np.where(forms > 0, lower, upper)
    if sets.norm is Norm.LINF:
        return ends
    room = np.abs(ends - centre)
    if sets.norm is Norm.L1:
        order, spent = _spent(np.abs(forms), room, sets.radius)
        moved = np.zeros_like(room)
        np.put_along_axis(moved, order, spent, axis=-1)
        return np.asarray(centre + np.copysign(moved, -forms))
    gains, most = np.abs(forms) * room, int(sets.radius)
    if most >= gains.shape[-1]:
        return ends
    best = np.argsort(-gains, axis=-1)[:, : max(0, most)]
    result = np.array(np.broadcast_to(centre, ends.shape))
    np.put_along_axis(result, best, np.take_along_axis(ends, best, axis=-1), axis=-1)
    return result


def _over_ball(sets: InputSets, owner: Integers, forms: Floats) -> Floats:
    size = np.abs(forms)
    magnitude = contract(size, spread(_reach(sets), owner))
    lost = slack(4 * forms.shape[-1] + 8, magnitude)
    if sets.norm is Norm.LINF:
        positive = np.maximum(forms, 0.0)
        ends = contract(positive, spread(sets.lower, owner))
        return np.asarray(ends + contract(forms - positive, spread(sets.upper, owner)) - lost)
    below = spread(np.maximum(sets.centre - sets.lower, 0.0), owner)
    above = spread(np.maximum(sets.upper - sets.centre, 0.0), owner)
    room = np.where(forms > 0, below, above)
    match sets.norm:
        case Norm.L1:
            gain = _knapsack(size, room, sets.radius)
        case Norm.L0:
            gain = _best_coordinates(size * room, int(sets.radius))
        case _:
            assert_never(sets.norm)
    return np.asarray(contract(forms, spread(sets.centre, owner)) - gain - lost)


def _reach(sets: InputSets) -> Floats:
    return np.abs(sets.centre) + np.maximum(np.abs(sets.lower), np.abs(sets.upper))


def _knapsack(worth: Floats, room: Floats, radius: float) -> Floats:
    """Return `max sum worth e` over `0 <= e <= room`, `sum e <= radius`, or more by rounding."""
    order, spent = _spent(worth, room, radius)
    gain: Floats = (np.take_along_axis(worth, order, axis=-1) * spent).sum(axis=-1)
    return gain


def _spent(worth: Floats, room: Floats, radius: float) -> tuple[Integers, Floats]:
    """Return the coordinates of most worth in descending order, and how far each is moved.

    Those left out are not moved: either a few use up the radius in every form, or none is left out.
    """
    useful = np.where(room > 0, worth, 0.0)
    width = worth.shape[-1]
    if width > 2 * _FIRST:
        first = np.argpartition(useful, width - _FIRST, axis=-1)[:, width - _FIRST :]
        order, spent, used_up = _spent_on(useful, room, radius, first)
        if used_up:
            return order, spent
    every = np.broadcast_to(np.arange(width), worth.shape)
    order, spent, _ = _spent_on(useful, room, radius, every)
    return order, spent


def _spent_on(useful: Floats, room: Floats, radius: float, chosen: Integers) -> tuple[Integers, Floats, bool]:
    sorting = np.argsort(-np.take_along_axis(useful, chosen, axis=-1), axis=-1)
    order = np.take_along_axis(chosen, sorting, axis=-1)
    room = np.take_along_axis(room, order, axis=-1)
    total = np.cumsum(room, axis=-1)
    # A running sum errs by a unit in the last place for each addend; a wider radius covers it.
    drift = 8 * useful.shape[-1] * UNIT
    before = np.concatenate([np.zeros_like(total[:, :1]), total[:, :-1]], axis=-1)
    spent = np.clip(radius * (1 + drift) - before * (1 - drift), 0.0, room)
    return order, spent, bool((total[:, -1] * (1 - drift) >= radius * (1 + drift)).all())


def _best_coordinates(gains: Floats, most: int) -> Floats:
    """Return the sum of the `most` largest gains."""
    width = gains.shape[-1]
    if most >= width:
        return np.asarray(gains.sum(axis=-1))
    if most <= 0:
        return np.zeros(gains.shape[:-1])
    return np.asarray(np.partition(gains, width - most, axis=-1)[..., width - most :].sum(axis=-1))
