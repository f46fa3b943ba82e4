"""The derivative of a `Network`, backwards through every layer, in float64."""

from collections.abc import Callable
from typing import TypeAlias, assert_never

import numpy as np
import numpy.typing as npt

from ensc.compiler.passes.networks.evaluate import candidates, evaluate_all, rows_at_once
from ensc.compiler.passes.networks.tree_slopes import pull_across
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Integers,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)

Rows: TypeAlias = Integers | slice
"""Some rows of a batch."""

Chosen: TypeAlias = Callable[[Floats, slice], tuple[Rows, Floats]]
"""From the logits of a part of the points, and which part it is, to rows of the part and a cotangent for each
of them, shape (rows, classes)."""


def gradient(network: Network, x: npt.ArrayLike, cotangent: npt.ArrayLike) -> Floats:
    """Return the vector-Jacobian product of the logits.

    At a kink this is one element of the generalised gradient: a ReLU at 0 counts as off, and a
    maximum that several candidates reach is given to the first of them. Trees are constant wherever
    they have a derivative: in its place stands what crossing thresholds promises, see `tree_slopes`.

    Args:
        network: the network.
        x: points, shape (points, inputs).
        cotangent: weights of the logits, shape (points, classes) or (classes,).

    Returns:
        For each point the gradient of `cotangent . logits`, shape (points, inputs).
    """
    points = np.asarray(x, dtype=np.float64)
    weights = np.broadcast_to(np.asarray(cotangent, dtype=np.float64), (len(points), network.classes))

    def given(_: Floats, part: slice) -> tuple[Rows, Floats]:
        return slice(None), weights[part]

    return gradient_where(network, points, given)


def gradient_where(network: Network, x: Floats, chosen: Chosen) -> Floats:
    """Return the vector-Jacobian product at points that are chosen in the light of the logits.

    Args:
        network: the network.
        x: points, shape (points, inputs).
        chosen: called for one part of the points after the other.

    Returns:
        The gradients at the chosen points, one part after the other, shape (chosen, inputs).
    """
    step = rows_at_once(network)
    gradients = []
    for i in range(0, max(1, len(x)), step):
        part = slice(i, i + step)
        values = evaluate_all(network, x[part])
        gradients.append(_backward(network, values, *chosen(values[network.output], part)))
    return gradients[0] if len(gradients) == 1 else np.concatenate(gradients)


def _backward(network: Network, values: tuple[Floats, ...], rows: Rows, cotangent: Floats) -> Floats:
    if not len(cotangent):
        return np.zeros((0, network.inputs))
    pending: dict[int, Floats] = {network.output: cotangent}
    for i in range(network.output, 0, -1):
        if i not in pending:
            continue
        layer = network.layers[i - 1]
        for source, part in _pull(layer, values, rows, pending.pop(i)):
            pending[source] = pending[source] + part if source in pending else part
    return pending[0] if 0 in pending else np.zeros((len(cotangent), network.inputs))


def _pull(layer: Layer, values: tuple[Floats, ...], rows: Rows, g: Floats) -> list[tuple[int, Floats]]:
    """Return what each source receives of the gradient `g` by the layer's result at some rows."""
    match layer:
        case Affine():
            return [(layer.source, g @ layer.weight)]
        case Convolution():
            return [(layer.source, _transposed(layer, g, values[layer.source].shape[-1]))]
        case Scale():
            return [(layer.source, g * (layer.factor / layer.divisor))]
        case Sum():
            return [(s, g * sign) for s, sign in zip(layer.sources, layer.signs, strict=True)]
        case Gather():
            sizes = [values[s].shape[-1] for s in layer.sources]
            whole = _scatter(g, layer.index, sum(sizes) + len(layer.constants))
            pieces = np.split(whole, np.cumsum(sizes), axis=-1)
            return list(zip(layer.sources, pieces, strict=False))  # the last piece: the constants
        case Relu():
            return [(layer.source, g * (values[layer.source][rows] > 0))]
        case MaxPool():
            return [(layer.source, _to_maximiser(layer, values[layer.source][rows], g))]
        case Trees():
            return [(layer.source, pull_across(layer, values[layer.source][rows], g))]
        case _:
            assert_never(layer)


def _transposed(layer: Convolution, g: Floats, size: int) -> Floats:
    groups, positions, width = layer.taps.shape
    channels = len(layer.kernel) // groups
    outputs = g.reshape(len(g), groups, channels, positions).swapaxes(-1, -2)
    products = outputs @ layer.kernel.reshape(groups, channels, width)
    taps = np.where(layer.taps < 0, size, layer.taps).ravel()  # padding is cut off again
    return _scatter(products.reshape(len(g), len(taps)), taps, size + 1)[:, :size]


def _to_maximiser(layer: MaxPool, x: Floats, g: Floats) -> Floats:
    windows = candidates(layer)
    first = x[:, windows].argmax(axis=-1)
    index = np.take_along_axis(windows[None], first[..., None], axis=-1)[..., 0]
    return _scatter(g, index, x.shape[-1])


def _scatter(g: Floats, index: Integers, size: int) -> Floats:
    """Sum the columns of `g` that have the same index; `index` is (columns,) or (rows, columns)."""
    rows = np.arange(len(g))[:, None] * size
    flat = np.bincount((rows + index).ravel(), weights=g.ravel(), minlength=len(g) * size)
    return np.asarray(flat, dtype=np.float64).reshape(len(g), size)
