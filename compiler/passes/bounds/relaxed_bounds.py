"""InputSets × Network -> Bounds: interval arithmetic, tightened where it matters by linear relaxation.

What matters: the inputs of rectifiers that interval arithmetic leaves unstable, the candidates of maxima,
the tests of trees, and the logits. Every other value follows from them by one interval step.
"""

from collections.abc import Sequence

import numpy as np

from ensc.compiler.passes.bounds.caps import caps_of
from ensc.compiler.passes.bounds.cones import cone, sets_within
from ensc.compiler.passes.bounds.interval import propagate
from ensc.compiler.passes.bounds.relaxation import Forms, Step, step_of, steps_of
from ensc.compiler.passes.bounds.slopes import Found, least_forms
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Flags,
    Floats,
    Integers,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Trees,
)
from ensc.compiler.types.problem import Norm

_ENTRIES = 1 << 21
"""Coefficients held at a time; a few arrays of this size are alive in a rewrite."""

_MOST = 1 << 26
"""Coefficients of all forms of one value that are rewritten where half-spaces are asserted.

What is known of the value without them stays where there would be more, as in a wide convolution."""


def relaxed_bounds(
    network: Network, sets: InputSets, known: Bounds | None = None, *, rounds: int = 0
) -> Bounds:
    """Return bounds of every value, never wider than those of interval arithmetic.

    Sound in real arithmetic, as both analyses are.

    Args:
        network: the network.
        sets: the input sets of a batch of points.
        known: bounds over the same or larger sets, which the result is never wider than.
        rounds: how often the lines are improved for every form, which takes twice as long each time.
    """
    values = [Interval(sets.lower, sets.upper)]
    steps: list[Step] = []
    caps = caps_of(network)
    for number, layer in enumerate(network.layers, start=1):
        interval = propagate(layer, values)
        if known is not None:
            interval = _intersection(interval, known.values[number])
        steps.append(step_of(layer, values, caps.get(number)))
        open_ = _worth_tightening(network, number, interval)
        points, units = np.nonzero(open_)
        if len(points) and not _is_exact(layer, sets) and not _is_too_much(steps, sets, len(points)):
            interval = _tightened(steps, sets, interval, (points, units), rounds)
        values.append(interval)
    return Bounds(tuple(values))


def margin_bounds(
    network: Network, sets: InputSets, bounds: Bounds, forms: Floats, *, rounds: int = 0
) -> Floats:
    """Return upper bounds of linear forms of the logits, such as `f_m - f_y`.

    Args:
        network: the network.
        sets: the input sets of a batch of points.
        bounds: of the network's values over them.
        forms: shape (points, forms, classes).
        rounds: how often the lines are improved.

    Returns:
        Shape (points, forms).
    """
    found = least_over_logits(network, sets, bounds, shortfalls(forms), rounds=rounds)
    return -found.bound.reshape(forms.shape[:2])


def shortfalls(forms: Floats, least: Floats | None = None) -> Forms:
    """Return `least - w v` for every form `w v` of a value; where it is positive, `w v >= least` fails.

    Args:
        forms: shape (points, forms, size of the value).
        least: shape (points, forms), zeros if not given.
    """
    points, count, size = forms.shape
    constant = np.zeros(points * count) if least is None else least.reshape(-1)
    return Forms(np.repeat(np.arange(points), count), -forms.reshape(-1, size), constant)


def least_over_logits(
    network: Network, sets: InputSets, bounds: Bounds, forms: Forms, *, rounds: int = 0
) -> Found:
    """Return lower bounds of linear forms of the logits, and the forms of the input they come from."""
    return _least(steps_of(network, bounds), sets, network.output, forms, rounds)


def _worth_tightening(network: Network, number: int, interval: Interval) -> Flags:
    """Return the units of a value whose bounds decide something and are not decided yet."""
    readers = [layer for layer in network.layers if number in _read(layer)]
    if number == network.output or any(isinstance(reader, MaxPool | Trees) for reader in readers):
        computed = not isinstance(network.layers[number - 1], Relu | MaxPool | Trees)
        return np.full(interval.lower.shape, computed)
    if any(isinstance(reader, Relu) for reader in readers):
        return np.asarray((interval.lower < 0) & (interval.upper > 0))
    return np.zeros(interval.lower.shape, dtype=np.bool_)


def _read(layer: Layer) -> tuple[int, ...]:
    return (layer.source,) if isinstance(layer, Relu | MaxPool | Trees) else ()


def _is_exact(layer: Layer, sets: InputSets) -> bool:
    """Return whether interval arithmetic is as good as anything: one linear layer over a box."""
    linear = isinstance(layer, Affine | Convolution | Scale) and layer.source == 0
    return linear and sets.norm is Norm.LINF and sets.asserted is None


def _is_too_much(steps: Sequence[Step], sets: InputSets, units: int) -> bool:
    """Return whether bounds over half-spaces would take longer than what they save."""
    return sets.asserted is not None and units * _ENTRIES > _rows_at_once(steps) * _MOST


def _intersection(a: Interval, b: Interval) -> Interval:
    return Interval(np.maximum(a.lower, b.lower), np.minimum(a.upper, b.upper))


def _tightened(
    steps: Sequence[Step], sets: InputSets, interval: Interval, places: tuple[Integers, Integers], rounds: int
) -> Interval:
    """Intersect the interval of the given units with what linear relaxation proves."""
    points, units = places
    lower, upper = interval.lower.copy(), interval.upper.copy()
    layer = steps[-1].layer
    if isinstance(layer, Convolution) and sets.asserted is None and layer.taps.shape[1] > 1:
        position = units % layer.taps.shape[1]
        for place in np.flatnonzero(np.bincount(position)):
            chosen = np.flatnonzero(position == place)
            read = np.flatnonzero(np.bincount(units[chosen]))
            part = cone(steps, read)
            within, column = sets_within(sets, part.inputs), np.searchsorted(read, units[chosen])
            ends = _ends(part.steps, within, (points[chosen], column), len(read), rounds)
            _intersect(lower, upper, (points[chosen], units[chosen]), ends)
    else:
        _intersect(lower, upper, places, _ends(steps, sets, places, interval.lower.shape[1], rounds))
    return Interval(lower, upper)


def _intersect(
    lower: Floats, upper: Floats, places: tuple[Integers, Integers], ends: tuple[Floats, Floats]
) -> None:
    lower[places] = np.maximum(lower[places], ends[0])
    upper[places] = np.minimum(upper[places], ends[1])


def _ends(
    steps: Sequence[Step], sets: InputSets, places: tuple[Integers, Integers], size: int, rounds: int
) -> tuple[Floats, Floats]:
    """Bound single units of the value behind the last step, each at one point."""
    points, units = places
    lower, upper = np.empty(len(points)), np.empty(len(points))
    at_once = _rows_at_once(steps) // 2
    for start in range(0, len(points), at_once):
        some = slice(start, start + at_once)
        count = len(points[some])
        coefficients = np.zeros((2 * count, size))
        coefficients[np.arange(count), units[some]] = 1.0
        coefficients[count + np.arange(count), units[some]] = -1.0
        forms = Forms(np.tile(points[some], 2), coefficients, np.zeros(2 * count))
        bound = least_forms(steps, sets, len(steps), forms, rounds=rounds).bound
        lower[some], upper[some] = bound[:count], -bound[count:]
    return lower, upper


def _least(steps: Sequence[Step], sets: InputSets, value: int, forms: Forms, rounds: int) -> Found:
    """Rewrite the forms in pieces that fit into memory."""
    at_once = _rows_at_once(steps)
    starts = range(0, len(forms.owner), at_once)
    parts = [least_forms(steps, sets, value, forms.at(slice(i, i + at_once)), rounds=rounds) for i in starts]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        empty = np.zeros((0, sets.lower.shape[1]))
        return Found(np.zeros(0), Forms(forms.owner, empty, np.zeros(0)))
    return Found(
        np.concatenate([part.bound for part in parts]),
        Forms(
            forms.owner,
            np.concatenate([part.forms.coefficients for part in parts]),
            np.concatenate([part.forms.constant for part in parts]),
        ),
    )


def _rows_at_once(steps: Sequence[Step]) -> int:
    widths = [int(interval.lower.shape[1]) for step in steps for interval in step.inputs]
    return max(2, _ENTRIES // max(1, *widths, *(step.layer.size for step in steps)))
