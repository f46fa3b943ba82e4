"""Network -> variables and constraints of one copy for each attack and point, exactly.

Every number stays the file's own: a division becomes a coefficient on the result, a bias the right-hand
side, and nothing is folded that would have to be rounded.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ensc.compiler.passes.assemble import Assembler
from ensc.compiler.types.bounds import Bounds, Interval
from ensc.compiler.types.model import Indices, Labels, Maxima, Rectifiers
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Gather,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
)


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """The copies of one network that a model holds.

    Attributes:
        axes: index arrays that name a copy (member, attack, point), broadcasting to the shape of the
            copies, whose last axis runs over the points of the bounds.
        bounds: of every value, shape (points, size) each.
        title: what messages and headers call the network.
    """

    axes: tuple[Indices, ...]
    bounds: Bounds
    title: str


def add_network(assembler: Assembler, network: Network, copies: Copies, inputs: Indices) -> Indices:
    """Add all copies of a network to a model.

    Args:
        assembler: where to.
        network: the function.
        copies: which copies, and the bounds of their values.
        inputs: the input variables, shape (copies..., inputs).

    Returns:
        The variables of the logits, shape (copies..., classes).
    """
    values = [inputs]
    for number, layer in enumerate(network.layers, start=1):
        values.append(_add_layer(_Lowering(assembler, copies, number), layer, values))
    return values[network.output]


@dataclass(frozen=True, slots=True, eq=False)
class _Lowering:
    """Where one layer goes: the model, the copies, the layer's number."""

    assembler: Assembler
    copies: Copies
    number: int

    @property
    def interval(self) -> Interval:
        return self.copies.bounds.values[self.number]

    def labels(self, prefix: str, *more: Indices) -> Labels:
        """Name something for every copy and for every element of the `more` axes."""
        trailing = (1,) * max((axis.ndim for axis in more), default=0)
        fronts = tuple(axis.reshape(axis.shape + trailing) for axis in self.copies.axes)
        return Labels(prefix, (*fronts, np.array(self.number), *more))

    def neurons(self, prefix: str, units: Indices) -> Indices:
        """Add one variable for every copy and given unit, within its bounds."""
        interval = self.interval
        labels = self.labels(prefix, units + 1)
        return self.assembler.variables(labels, interval.lower[:, units], interval.upper[:, units])

    def meaning(self, text: str) -> str:
        return f"{self.copies.title}, layer {self.number}: {text}"


def _add_layer(to: _Lowering, layer: Layer, values: list[Indices]) -> Indices:
    match layer:
        case Affine():
            return _affine(to, layer, values[layer.source])
        case Convolution():
            return _convolution(to, layer, values[layer.source])
        case Scale():
            return _scale(to, layer, values[layer.source])
        case Sum():
            return _sum(to, layer, values)
        case Gather():
            return _gather(to, layer, values)
        case Relu():
            return _relu(to, layer, values[layer.source])
        case MaxPool():
            return _max_pool(to, layer, values[layer.source])
        case _:
            assert_never(layer)


def _affine(to: _Lowering, layer: Affine, x: Indices) -> Indices:
    """`a - W x = b`."""
    y = to.neurons("a", np.arange(layer.size))
    spread = np.broadcast_to(x[..., None, :], (*y.shape, x.shape[-1]))
    columns = np.concatenate([y[..., None], spread], axis=-1)
    coefficients = np.concatenate([np.ones((layer.size, 1)), -layer.weight], axis=1)
    to.assembler.rows(columns, coefficients, layer.bias, layer.bias, to.meaning("a - W x = b"))
    return y


def _convolution(to: _Lowering, layer: Convolution, x: Indices) -> Indices:
    """`a[m, p] - sum_k K[m, k] x[taps[p, k]] = b[m]`."""
    groups, positions, width = layer.taps.shape
    y = to.neurons("a", np.arange(layer.size))
    shape = (*y.shape[:-1], groups, layer.kernel.shape[0] // groups, positions)
    patches = np.broadcast_to(x[..., layer.taps][..., :, None, :, :], (*shape, width))
    columns = np.concatenate([y.reshape(shape)[..., None], patches], axis=-1)
    kernel = np.where(layer.taps[:, None] < 0, 0.0, -layer.kernel.reshape(groups, -1, 1, width))
    coefficients = np.concatenate([np.ones((*kernel.shape[:-1], 1)), kernel], axis=-1)
    bias = layer.bias.reshape(groups, -1, 1)
    to.assembler.rows(columns, coefficients, bias, bias, to.meaning("a - K * x = b"))
    return y


def _scale(to: _Lowering, layer: Scale, x: Indices) -> Indices:
    """`divisor y - factor x = offset`."""
    y = to.neurons("a", np.arange(layer.size))
    coefficients = np.stack([layer.divisor, -layer.factor], axis=-1)
    columns = np.stack([y, x], axis=-1)
    meaning = to.meaning("divisor a - factor x = offset")
    to.assembler.rows(columns, coefficients, layer.offset, layer.offset, meaning)
    return y


def _sum(to: _Lowering, layer: Sum, values: list[Indices]) -> Indices:
    """`a - sum sign x = 0`, a source that occurs twice counted once with the sum of its signs."""
    y = to.neurons("a", np.arange(layer.size))
    weights: dict[int, float] = {}
    for source, sign in zip(layer.sources, layer.signs, strict=True):
        weights[source] = weights.get(source, 0.0) + sign
    columns = np.stack([y, *(values[source] for source in weights)], axis=-1)
    coefficients = np.array([1.0, *(-w for w in weights.values())])
    to.assembler.rows(columns, coefficients, 0.0, 0.0, to.meaning("a = sum of x"))
    return y


def _gather(to: _Lowering, layer: Gather, values: list[Indices]) -> Indices:
    """Copy variables; only a constant, or an entry copied before, needs a variable of its own."""
    computed = np.concatenate([values[source] for source in layer.sources], axis=-1)
    width = computed.shape[-1]
    copied = np.concatenate([computed, np.zeros((*computed.shape[:-1], len(layer.constants)), np.int64)], -1)
    y: Indices = copied[..., layer.index]
    constant = layer.index >= width
    if constant.any():
        y[..., constant] = to.neurons("a", np.flatnonzero(constant))
    repeated = ~constant & _seen_before(layer.index)
    if repeated.any():
        fresh = to.neurons("a", np.flatnonzero(repeated))
        pairs = np.stack([fresh, y[..., repeated]], axis=-1)
        to.assembler.rows(pairs, np.array([1.0, -1.0]), 0.0, 0.0, to.meaning("a = x"))
        y[..., repeated] = fresh
    return y


def _seen_before(index: Indices) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which entries occur earlier in the index: rows must not name a variable twice."""
    seen = np.ones(len(index), dtype=np.bool_)
    seen[np.unique(index, return_index=True)[1]] = False
    return seen


def _relu(to: _Lowering, layer: Relu, x: Indices) -> Indices:
    """`h = max(0, a)`, with phases `z`."""
    units = np.arange(layer.size)
    y = to.neurons("h", units)
    to.assembler.rectifiers.append(Rectifiers(y.ravel(), x.ravel(), (to.labels("z", units + 1),)))
    return y


def _max_pool(to: _Lowering, layer: MaxPool, x: Indices) -> Indices:
    """`h = max(a_1, ..., a_n)`, with selectors `z`."""
    y = to.neurons("h", np.arange(layer.size))
    rows, places = np.nonzero(layer.windows >= 0)
    candidates = x[..., layer.windows[rows, places]]
    widths = np.tile((layer.windows >= 0).sum(axis=1), y[..., 0].size)
    starts = np.concatenate([[0], np.cumsum(widths)])
    selectors = to.labels("z", rows + 1, places + 1)
    to.assembler.maxima.append(Maxima(y.ravel(), starts, candidates.ravel(), (selectors,)))
    return y
