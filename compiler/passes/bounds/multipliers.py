"""Multipliers of half-spaces: the concave dual of the least value of a form, climbed for many forms at once.

Any multipliers that are not negative give a sound bound (`concretize.least`); these only make it good. With
one half-space the dual is a concave function of one number: from a place where it rises and one where it
falls, go to where their tangents meet. With several, one after the other, a few times.
"""

import numpy as np

from ensc.compiler.passes.bounds.concretize import lowest
from ensc.compiler.passes.bounds.relaxation import spread
from ensc.compiler.types.bounds import HalfSpaces, InputSets
from ensc.compiler.types.network import Flags, Floats, Integers

_WIDENINGS, _MEETINGS = 5, 7


def multipliers(sets: InputSets, owner: Integers, forms: Floats, start: Floats | None = None) -> Floats:
    """Return multipliers of the half-spaces asserted for each form's set, shape (forms, half-spaces).

    Args:
        sets: the input sets; something is asserted about them.
        owner: the point of each form, shape (forms,).
        forms: shape (forms, inputs).
        start: multipliers to begin with.
    """
    cuts = sets.asserted
    assert cuts is not None
    count = cuts.offsets.shape[1]
    found = np.zeros((len(forms), count)) if start is None else start.copy()
    for _ in range(1 if count == 1 else 2):
        for k in range(count):
            base = forms - combined(cuts, owner, found, without=k)
            found[:, k] = _climbed(sets, owner, base, k)
    return found


def combined(cuts: HalfSpaces, owner: Integers, found: Floats, *, without: int | None = None) -> Floats:
    """Return `sum m g` over all half-spaces, or over those other than one, shape (forms, inputs).

    Args:
        cuts: the half-spaces `g x + h >= 0` of each point.
        owner: the point of each form.
        found: the multipliers m, shape (forms, half-spaces).
        without: the half-space that is left out, if any.
    """
    total = np.zeros((len(found), cuts.forms.shape[2]))
    for k in range(found.shape[1]):
        if k != without and found[:, k].any():
            total += found[:, k, None] * spread(cuts.forms[:, k], owner)
    return total


def _climbed(sets: InputSets, owner: Integers, base: Floats, k: int) -> Floats:
    """Return the best multiplier of one half-space for each form."""
    result = np.zeros(len(base))
    value, rise = _dual(sets, owner, base, k, result)
    rows = np.flatnonzero(rise > 0)
    if not len(rows):
        return result
    owner, base = np.broadcast_to(owner, len(base))[rows], base[rows]
    low = (np.zeros(len(rows)), value[rows], rise[rows])
    assert sets.asserted is not None
    steep = np.linalg.norm(spread(sets.asserted.forms[:, k], owner), axis=1)
    at = np.linalg.norm(base, axis=1) / np.maximum(steep, 1e-300)
    high = (at, *_dual(sets, owner, base, k, at))
    for _ in range(_WIDENINGS):
        rising = high[2] > 0
        if not rising.any():
            break
        low = _chosen(rising, high, low)
        at = np.where(rising, 4 * high[0], high[0])
        high = (at, *_dual(sets, owner, base, k, at))
    low = _chosen(high[2] > 0, high, low)
    for meeting in range(_MEETINGS):
        at = _met(low, high, halved=meeting % 3 == 2)
        now = (at, *_dual(sets, owner, base, k, at))
        low, high = _chosen(now[2] > 0, now, low), _chosen(now[2] > 0, high, now)
    best = np.where(low[1] >= high[1], low[0], high[0])
    result[rows] = np.where(np.isfinite(best), best, 0.0)
    return result


def _dual(sets: InputSets, owner: Integers, base: Floats, k: int, at: Floats) -> tuple[Floats, Floats]:
    """Return the dual function and its slope at multipliers of one half-space, but for rounding."""
    assert sets.asserted is not None
    form, offset = spread(sets.asserted.forms[:, k], owner), spread(sets.asserted.offsets[:, k], owner)
    combined = base - at[:, None] * form
    x = lowest(sets, owner, combined)
    rise = -(np.einsum("rk,rk->r", x, np.broadcast_to(form, x.shape)) + offset)
    return np.einsum("rk,rk->r", combined, x) - at * offset, rise


def _chosen(
    which: Flags, first: tuple[Floats, Floats, Floats], second: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    a, b, c = (np.where(which, x, y) for x, y in zip(first, second, strict=True))
    return a, b, c


def _met(low: tuple[Floats, Floats, Floats], high: tuple[Floats, Floats, Floats], *, halved: bool) -> Floats:
    """Return where the tangents at two places meet, or the middle."""
    middle = (low[0] + high[0]) / 2
    if halved:
        return middle
    drop = low[2] - high[2]
    safe = np.where(drop > 0, drop, 1.0)
    met = (high[1] - low[1] + low[2] * low[0] - high[2] * high[0]) / safe
    inside = (drop > 0) & (met >= low[0]) & (met <= high[0])
    return np.where(inside, met, middle)
