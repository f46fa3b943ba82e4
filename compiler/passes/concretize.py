"""The least value of linear forms over input sets: exact over box ∩ ball, then rounded down.

Over the intersection of a box with an L1 ball the minimum of `w x` is a fractional knapsack: move the
coordinates with the largest |w| first, each as far as its box allows, until the radius is spent. Over box
∩ Linf ball it is the interval formula, over box ∩ L0 ball the radius best coordinates move fully.
"""

from typing import assert_never

import numpy as np

from ensc.compiler.passes.rounding import UNIT, slack
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Norm


def least(sets: InputSets, forms: Floats) -> Floats:
    """Return a lower bound of each linear form over its set, within rounding of the minimum.

    Args:
        sets: of a batch of points.
        forms: shape (points, forms, inputs).

    Returns:
        Shape (points, forms).
    """
    centre = sets.centre[:, None, :]
    room = np.where(forms > 0, centre - sets.lower[:, None, :], sets.upper[:, None, :] - centre)
    room = np.maximum(room, 0.0)
    size = np.abs(forms)
    match sets.norm:
        case Norm.L1:
            gain = _knapsack(size, room, sets.radius)
        case Norm.LINF:
            gain = (size * room).sum(axis=-1)
        case Norm.L0:
            gain = _best_coordinates(size * room, int(sets.radius))
        case _:
            assert_never(sets.norm)
    value = np.einsum("psk,pk->ps", forms, sets.centre, optimize=True) - gain
    reach = np.abs(sets.centre) + np.maximum(np.abs(sets.lower), np.abs(sets.upper))
    magnitude = np.einsum("psk,pk->ps", size, reach, optimize=True)
    result: Floats = value - slack(4 * forms.shape[-1] + 8, magnitude)
    return result


def _knapsack(worth: Floats, room: Floats, radius: float) -> Floats:
    """Return `max sum worth e` over `0 <= e <= room`, `sum e <= radius`."""
    order = np.argsort(-worth, axis=-1)
    worth = np.take_along_axis(worth, order, axis=-1)
    room = np.take_along_axis(room, order, axis=-1)
    before = np.concatenate([np.zeros_like(room[..., :1]), np.cumsum(room[..., :-1], axis=-1)], axis=-1)
    # A running sum errs by a unit in the last place for each addend; a wider radius covers it.
    drift = 8 * worth.shape[-1] * UNIT
    spent = np.clip(radius * (1 + drift) - before * (1 - drift), 0.0, room)
    gain: Floats = (worth * spent).sum(axis=-1)
    return gain


def _best_coordinates(gains: Floats, most: int) -> Floats:
    """Return the sum of the `most` largest gains."""
    width = gains.shape[-1]
    if most >= width:
        return np.asarray(gains.sum(axis=-1))
    if most <= 0:
        return np.zeros(gains.shape[:-1])
    return np.asarray(np.partition(gains, width - most, axis=-1)[..., width - most :].sum(axis=-1))
