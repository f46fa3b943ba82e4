"""One linear form that is below a form of the logits wherever several half-spaces hold.

For multipliers `m >= 0` of half-spaces `g x + h >= 0` a form f of the input satisfies
`f x - sum m (g x + h) <= f x` there. Multipliers and the slopes of the lines below rectifiers are climbed
together for the largest least value (Wang et al. 2021, Eq. 8), with Polyak's steps: what counts is whether
the bound gets above zero.
"""

from collections.abc import Sequence

import numpy as np

from ensc.compiler.passes.bounds.concretize import least, lowest
from ensc.compiler.passes.bounds.relaxation import Forms, Step, contract, rewritten, spread
from ensc.compiler.passes.bounds.rounding import slack
from ensc.compiler.passes.bounds.slopes import Found, climb, forms_where, slack_of
from ensc.compiler.types.bounds import InputSets, Interval
from ensc.compiler.types.network import Floats, Integers

ROUNDS = 16

FLAT = 1e-24
"""A dual whose slope has a smaller square is taken to be at its top."""

AIM = 0.05
"""How far above zero a bound is wanted, relative to how far below it is without any help."""


def surrogate(
    steps: Sequence[Step], sets: InputSets, value: int, forms: Forms, *, rounds: int = ROUNDS
) -> Found:
    """Return lower bounds of forms where half-spaces hold, and forms of the input they come from.

    Args:
        steps: through the layers below the value at least.
        sets: the input sets of a batch of points; half-spaces are asserted.
        value: the value the forms are over.
        forms: the forms, which are to be shown positive.
        rounds: how often multipliers and slopes are improved.

    Returns:
        Bounds over the part of the sets inside the half-spaces; the forms of the input are nowhere above
        the given ones there, and have the same bounds over the whole sets, but for rounding.
    """
    box = Interval(sets.lower, sets.upper)
    slopes: dict[int, Floats] = {}
    assert sets.asserted is not None
    helpers = np.zeros((len(forms.owner), sets.asserted.offsets.shape[1]))
    best: tuple[Forms, Floats, Floats] | None = None
    aim = np.zeros(len(forms.owner))
    for number in range(rounds):
        tape: dict[int, Floats] = {}
        below = rewritten(steps, box, value, forms, slopes=slopes, tape=tape)
        combined, constant = _pulled(sets, below, helpers)
        x = lowest(sets, below.owner, combined)
        now = contract(combined, x) + constant
        best = (below, helpers, now) if best is None else _better(best, (below, helpers, now))
        if number == 0:
            aim = AIM * np.abs(now)
        if number == rounds - 1 or (best[2] > 0).all():
            break
        helpers = _stepped(sets, below.owner, x, helpers, np.maximum(aim - now, 0.0))
        climb(slopes, steps[:value], tape, x, below.owner, number // 2)
    assert best is not None  # there is at least one round
    return _summed(sets, best[0], best[1])


def _pulled(sets: InputSets, forms: Forms, helpers: Floats) -> tuple[Floats, Floats]:
    cuts = sets.asserted
    assert cuts is not None
    combined, constant = forms.coefficients.copy(), forms.constant.copy()
    for k in np.flatnonzero(helpers.any(axis=0)).tolist():
        combined -= helpers[:, k, None] * spread(cuts.forms[:, k], forms.owner)
        constant -= helpers[:, k] * spread(cuts.offsets[:, k], forms.owner)
    return combined, constant


def _better(a: tuple[Forms, Floats, Floats], b: tuple[Forms, Floats, Floats]) -> tuple[Forms, Floats, Floats]:
    first = a[2] >= b[2]
    forms = forms_where(first, a[0], b[0])
    return forms, np.where(first[:, None], a[1], b[1]), np.where(first, a[2], b[2])


def _stepped(sets: InputSets, owner: Integers, x: Floats, helpers: Floats, short: Floats) -> Floats:
    """Move the multipliers along the slope of the dual as far as a linear function would have to go."""
    cuts = sets.asserted
    assert cuts is not None
    rise = -(np.einsum("rki,ri->rk", spread(cuts.forms, owner), x) + spread(cuts.offsets, owner))
    rise = np.where((helpers > 0) | (rise > 0), rise, 0.0)
    steepness = (rise**2).sum(axis=1)
    length = np.where(steepness > FLAT, short / np.maximum(steepness, FLAT), 0.0)
    return np.asarray(np.maximum(helpers + length[:, None] * rise, 0.0))


def _summed(sets: InputSets, forms: Forms, helpers: Floats) -> Found:
    """Return the proved bound, and the sum of form and half-spaces, rounded down."""
    cuts = sets.asserted
    assert cuts is not None
    owner = forms.owner
    total = forms.constant + least(sets, owner, forms.coefficients, helpers)
    bound = total - slack_of(forms.constant, total)
    combined, constant = _pulled(sets, forms, helpers)
    size, shifted = np.abs(forms.coefficients), np.abs(forms.constant)
    for k in range(helpers.shape[1]):
        size = size + helpers[:, k, None] * np.abs(spread(cuts.forms[:, k], owner))
        shifted = shifted + helpers[:, k] * np.abs(spread(cuts.offsets[:, k], owner))
    reach = np.maximum(np.abs(sets.lower), np.abs(sets.upper))
    rounded = slack(2 * helpers.shape[1] + 4, contract(size, spread(reach, owner)) + shifted)
    return Found(bound, Forms(owner, combined, constant - rounded))
