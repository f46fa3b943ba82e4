"""Lines around what is not linear: what a backward rewrite puts in the place of a rectifier or a maximum."""

from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.rounding import UNIT
from ensc.compiler.types.bounds import Interval
from ensc.compiler.types.network import Floats, Integers, MaxPool


@dataclass(frozen=True, slots=True, eq=False)
class RectifierLines:
    """`below x <= max(0, x) <= above x + offset` on an interval, each of shape (points, size).

    Attributes:
        below: any slope in [0, 1] where the sign is open; else the only one that is exact.
        above: slope of the chord.
        offset: of the chord, rounded up.
        open: where the sign is open.
    """

    below: Floats
    above: Floats
    offset: Floats
    open: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class MaximumLines:
    """`x[low] <= max over the window <= above x[high] + offset`, each of shape (points, size)."""

    low: Integers
    high: Integers
    above: Floats
    offset: Floats


def rectifier_lines(interval: Interval, level: Floats | None = None) -> RectifierLines:
    """Return lines around the rectifier; the slope below is 1 or 0, whichever encloses the smaller area.

    Args:
        interval: of what it reads.
        level: where more of its result does not matter, shape (size,); then only `min(max(0, x), level)`
            is below the line above. That function is concave to the right of 0 and the line rises, so that
            the chord up to the level is above it everywhere.
    """
    lower, upper = interval.lower, interval.upper
    crossing = (lower < 0) & (upper > 0)
    below = np.where(crossing, upper > -lower, lower >= 0).astype(np.float64)
    if level is not None:
        upper = np.where(level > 0, np.minimum(upper, level), upper)
    gap = np.where(crossing, upper - lower, 1.0)
    above = np.where(crossing, upper / gap, below)
    needed = np.maximum(-above * lower, upper - above * upper)
    raised = needed * (1 + 8 * UNIT) + 8 * UNIT * np.abs(upper)
    return RectifierLines(below, above, np.where(crossing, np.maximum(raised, 0.0), 0.0), crossing)


def maximum_lines(layer: MaxPool, interval: Interval) -> MaximumLines:
    """Return lines around a maximum of several candidates.

    Below: the candidate whose interval lies highest. Above: with the candidate x of the largest upper bound
    and c the largest upper bound of the others, `max(x, c)`, which is convex, so its chord on `[l, u]` lies
    above it; where x dominates the others this is x itself.
    """
    nothing = np.full((len(interval.lower), 1), -np.inf)
    lower = np.concatenate([interval.lower, nothing], axis=1)[:, layer.windows]
    upper = np.concatenate([interval.upper, nothing], axis=1)[:, layer.windows]
    low, high = (lower + upper).argmax(axis=2), upper.argmax(axis=2)
    others = np.where(np.arange(lower.shape[2]) == high[..., None], -np.inf, upper).max(axis=2)
    start, end = (np.take_along_axis(v, high[..., None], axis=2)[..., 0] for v in (lower, upper))
    dominates = others <= start
    gap = np.where(end > start, end - start, 1.0)
    rise = np.where(dominates, 0.0, np.maximum(end - others, 0.0))
    above = np.where(dominates, 1.0, np.where(end > start, np.minimum(rise / gap, 1.0), 0.0))
    least = np.where(dominates, start, others)
    needed = np.maximum(least - above * start, end - above * end)
    raised = needed + 8 * UNIT * (np.abs(least) + np.abs(start) + np.abs(end))
    units = np.arange(layer.size)
    offset = np.where(dominates, 0.0, raised)
    return MaximumLines(layer.windows[units, low], layer.windows[units, high], above, offset)
