"""InputSets × Network -> Bounds by interval arithmetic, sound in real arithmetic."""

from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.rounding import slack
from ensc.compiler.passes.bounds.tree_bounds import leaf_range
from ensc.compiler.types.bounds import Bounds, InputSets, Interval
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)


def interval_bounds(network: Network, sets: InputSets) -> Bounds:
    """Propagate the boxes of the input sets through a network.

    Every linear layer widens its result by a proved bound of its rounding errors, so each interval
    contains all values the exact function takes on the (exact) input set.
    """
    values = [Interval(sets.lower, sets.upper)]
    for layer in network.layers:
        values.append(propagate(layer, values))
    return Bounds(tuple(values))


def propagate(layer: Layer, values: list[Interval]) -> Interval:
    """Return bounds of a layer's result from bounds of the values it reads."""
    match layer:
        case Affine():
            return _affine(layer, values[layer.source])
        case Convolution():
            return _convolution(layer, values[layer.source])
        case Scale():
            return _scale(layer, values[layer.source])
        case Sum():
            return _sum(layer, values)
        case Gather():
            return _gather(layer, values)
        case Relu():
            x = values[layer.source]
            return Interval(np.maximum(x.lower, 0.0), np.maximum(x.upper, 0.0))
        case MaxPool():
            return _max_pool(layer, values[layer.source])
        case Trees():
            return leaf_range(layer, values[layer.source])
        case _:
            assert_never(layer)


def _widened(lower: Floats, upper: Floats, error: Floats) -> Interval:
    return Interval(lower - error, upper + error)


def _affine(layer: Affine, x: Interval) -> Interval:
    positive, negative = np.maximum(layer.weight, 0.0).T, np.minimum(layer.weight, 0.0).T
    lower = x.lower @ positive + x.upper @ negative + layer.bias
    upper = x.upper @ positive + x.lower @ negative + layer.bias
    magnitude = x.reach @ np.abs(layer.weight).T + np.abs(layer.bias)
    terms = 2 * np.count_nonzero(layer.weight, axis=1)
    return _widened(lower, upper, np.where(terms > 0, slack(terms + 2, magnitude), 0.0))


def _convolution(layer: Convolution, x: Interval) -> Interval:
    positive, negative = np.maximum(layer.kernel, 0.0), np.minimum(layer.kernel, 0.0)
    bias = np.repeat(layer.bias, layer.taps.shape[1])
    lower = correlate(layer, positive, x.lower) + correlate(layer, negative, x.upper) + bias
    upper = correlate(layer, positive, x.upper) + correlate(layer, negative, x.lower) + bias
    magnitude = correlate(layer, np.abs(layer.kernel), x.reach) + np.abs(bias)
    return _widened(lower, upper, slack(2 * layer.kernel.shape[1] + 4, magnitude))


def correlate(layer: Convolution, kernel: Floats, x: Floats) -> Floats:
    """Apply a kernel of the layer's shape; x has shape (points, inputs)."""
    groups, _, width = layer.taps.shape
    padded = np.concatenate([x, np.zeros((len(x), 1))], axis=1)
    patches = padded[:, layer.taps]
    kernels = kernel.reshape(groups, -1, width)
    result: Floats = np.einsum("bgpt,gmt->bgmp", patches, kernels, optimize=True)
    return result.reshape(len(x), layer.size)


def _scale(layer: Scale, x: Interval) -> Interval:
    ends = [(layer.factor * end + layer.offset) / layer.divisor for end in (x.lower, x.upper)]
    magnitude = (np.abs(layer.factor) * x.reach + np.abs(layer.offset)) / np.abs(layer.divisor)
    return _widened(np.minimum(*ends), np.maximum(*ends), slack(6, magnitude))


def _sum(layer: Sum, values: list[Interval]) -> Interval:
    terms = [values[source] for source in layer.sources]
    lower = sum(t.lower if s > 0 else -t.upper for t, s in zip(terms, layer.signs, strict=True))
    upper = sum(t.upper if s > 0 else -t.lower for t, s in zip(terms, layer.signs, strict=True))
    magnitude = sum(t.reach for t in terms)
    return _widened(np.asarray(lower), np.asarray(upper), slack(len(terms) + 2, np.asarray(magnitude)))


def _gather(layer: Gather, values: list[Interval]) -> Interval:
    batch = len(values[0].lower)
    constants = np.broadcast_to(layer.constants, (batch, len(layer.constants)))
    lower = np.concatenate([*(values[s].lower for s in layer.sources), constants], axis=1)
    upper = np.concatenate([*(values[s].upper for s in layer.sources), constants], axis=1)
    return Interval(lower[:, layer.index], upper[:, layer.index])


def _max_pool(layer: MaxPool, x: Interval) -> Interval:
    nothing = np.full((len(x.lower), 1), -np.inf)
    lower = np.concatenate([x.lower, nothing], axis=1)[:, layer.windows].max(axis=2)
    upper = np.concatenate([x.upper, nothing], axis=1)[:, layer.windows].max(axis=2)
    return Interval(lower, upper)
