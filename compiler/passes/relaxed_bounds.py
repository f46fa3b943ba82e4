"""InputSets × Network -> Bounds: interval arithmetic, tightened where it matters by linear relaxation.

What matters: the inputs of rectifiers that interval arithmetic leaves unstable, the candidates of maxima,
and the logits. Every other value follows from them by one interval step.
"""

import numpy as np

from ensc.compiler.passes.interval import propagate
from ensc.compiler.passes.relaxation import least_forms
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.network import Floats, Integers, Layer, MaxPool, Network, Relu, Trees

_ENTRIES = 1 << 24
"""Coefficients held at a time; a few arrays of this size are alive in a rewrite."""


def relaxed_bounds(network: Network, sets: InputSets) -> Bounds:
    """Return bounds of every value, never wider than those of interval arithmetic.

    Sound in real arithmetic, as both analyses are.
    """
    values = [Interval(sets.lower, sets.upper)]
    for number, layer in enumerate(network.layers, start=1):
        interval = propagate(layer, values)
        values.append(interval)
        units = _worth_tightening(network, number, interval)
        if len(units):
            values[number] = _tightened(network, sets, values, number, units)
    return Bounds(tuple(values))


def margin_bounds(network: Network, sets: InputSets, bounds: Bounds, forms: Floats) -> Floats:
    """Return upper bounds of linear forms of the logits, such as `f_m - f_y`.

    Args:
        network: the network.
        sets: the input sets of a batch of points.
        bounds: of the network's values over them.
        forms: shape (points, forms, classes).

    Returns:
        Shape (points, forms).
    """
    values = list(bounds.values)
    return -_least(network, sets, values, network.output, -forms)


def _worth_tightening(network: Network, number: int, interval: Interval) -> Integers:
    """Return the units of a value whose bounds decide something and are not decided yet."""
    readers = [layer for layer in network.layers if number in _read(layer)]
    if number == network.output or any(isinstance(reader, (MaxPool, Trees)) for reader in readers):
        computed = not isinstance(network.layers[number - 1], (Relu, MaxPool, Trees))
        return np.arange(interval.lower.shape[1]) if computed else np.empty(0, dtype=np.int64)
    if any(isinstance(reader, Relu) for reader in readers):
        return np.flatnonzero(((interval.lower < 0) & (interval.upper > 0)).any(axis=0))
    return np.empty(0, dtype=np.int64)


def _read(layer: Layer) -> tuple[int, ...]:
    return (layer.source,) if isinstance(layer, (Relu, MaxPool, Trees)) else ()


def _tightened(
    network: Network, sets: InputSets, values: list[Interval], number: int, units: Integers
) -> Interval:
    """Intersect the interval of the given units with what linear relaxation proves."""
    interval = values[number]
    points, size = interval.lower.shape
    lower, upper = interval.lower.copy(), interval.upper.copy()
    forms = np.zeros((1, len(units), size))
    forms[0, np.arange(len(units)), units] = 1.0
    forms = np.broadcast_to(forms, (points, len(units), size))
    lower[:, units] = np.maximum(lower[:, units], _least(network, sets, values, number, forms))
    upper[:, units] = np.minimum(upper[:, units], -_least(network, sets, values, number, -forms))
    return Interval(lower, upper)


def _least(network: Network, sets: InputSets, values: list[Interval], number: int, forms: Floats) -> Floats:
    """Rewrite the forms in pieces that fit into memory."""
    points, count = forms.shape[:2]
    widest = max(interval.lower.shape[1] for interval in values)
    at_once = max(1, _ENTRIES // widest)
    points_at_once = max(1, at_once // count)
    result = np.empty((points, count))
    for first in range(0, points, points_at_once):
        some = slice(first, first + points_at_once)
        part = _sets_of(sets, some)
        part_values = [Interval(v.lower[some], v.upper[some]) for v in values]
        for start in range(0, count, at_once):
            chunk = forms[some, start : start + at_once]
            result[some, start : start + at_once] = least_forms(network, part, part_values, number, chunk)
    return result


def _sets_of(sets: InputSets, some: slice) -> InputSets:
    return InputSets(sets.lower[some], sets.upper[some], sets.centre[some], sets.norm, sets.radius)
