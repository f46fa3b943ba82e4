"""The network under construction: layers are added, and merged with their source where that is exact.

Merging never rounds: a movement of data disappears in the indices of whatever reads it, a constant that
is added or multiplied joins the weights before it when float64 holds every resulting weight.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.tensor import (
    Computed,
    Constant,
    Tensor,
    exact_product,
    exact_sum,
    finite,
)
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Integers,
    Layer,
    MaxPool,
    Relu,
    Scale,
    Sum,
    Trees,
    sources,
)

_TOTAL = 1 << 27  # entries in all index and weight arrays of one network: 1 GiB


class Builder:
    """Collects layers; value 0 is the input."""

    def __init__(self, inputs: int) -> None:
        self.layers: list[Layer] = []
        self.rounded: list[str] = []
        self._inputs = inputs
        self._entries = 0

    def size(self, value: int) -> int:
        """Return the number of entries of a value."""
        return self._inputs if value == 0 else self.layers[value - 1].size

    def part(self, first: int, size: int) -> int:
        """Add a stretch of the input; the whole input is no layer."""
        if size == self._inputs:
            return 0
        self.layers.append(Gather((0,), np.zeros(0), np.arange(first, first + size)))
        return len(self.layers)

    def lifted(self, node: Node, tensor: Tensor) -> Computed:
        """Return a tensor as a value of the network, a constant by way of a layer that copies it."""
        match tensor:
            case Computed():
                return tensor
            case Constant():
                numbers = finite(node, tensor.array.ravel(), "a constant")
                return Computed(
                    self._add(Gather((), numbers, np.arange(numbers.size), node.label), node),
                    tensor.shape,
                )

    def linear(
        self, node: Node, source: int, kernel: Floats, taps: Integers, bias: Floats | None = None
    ) -> int:
        """Add one kernel at many places, see `Convolution`; a dense matrix where it is one."""
        bias = np.zeros(len(kernel)) if bias is None else bias
        source, taps = self._through(source, taps)
        if taps.shape[:2] == (1, 1) and taps.size == self.size(source):
            columns = taps.ravel()
            if np.array_equal(np.sort(columns), np.arange(columns.size)):
                dense = kernel[:, np.argsort(columns)]
                return self._add(Affine(source, dense, bias, node.label), node)
        return self._add(Convolution(source, kernel, bias, taps, node.label), node)

    def scale(
        self,
        node: Node,
        source: int,
        factor: Floats | float = 1.0,
        offset: Floats | float = 0.0,
        divisor: Floats | float = 1.0,
    ) -> int:
        """Add `(factor * x + offset) / divisor`, entrywise."""
        size = self.size(source)
        f, o, d = (np.broadcast_to(np.float64(v), (size,)) for v in (factor, offset, divisor))
        if (f == 1).all() and (o == 0).all() and (d == 1).all():
            return source
        merged = _scaled(self.layers[source - 1], f, o, d) if source else None
        layer = merged or Scale(source, f.copy(), o.copy(), d.copy(), node.label)
        return self._add(layer, node)

    def sum(self, node: Node, values: Sequence[int], signs: Sequence[int]) -> int:
        """Add the signed sum of values of one size."""
        if len(values) == 1:
            return self.scale(node, values[0], signs[0])
        layer = Sum(tuple(values), tuple(signs), self.size(values[0]), node.label)
        return self._add(layer, node)

    def gather(self, node: Node, values: Sequence[int], constants: Floats, index: Integers) -> int:
        """Add a movement of data, see `Gather`."""
        if len(values) == 1:
            size = self.size(values[0])
            if np.array_equal(index, np.arange(size)):
                return values[0]
            inner = self.layers[values[0] - 1] if values[0] else None
            if isinstance(inner, Gather):
                numbers = np.concatenate([inner.constants, constants])
                pool = sum(self.size(v) for v in inner.sources) + len(inner.constants)
                moved = np.concatenate([inner.index, np.arange(pool, pool + len(constants))])
                return self.gather(node, inner.sources, numbers, moved[index])
        return self._add(Gather(tuple(values), constants, index, node.label), node)

    def relu(self, node: Node, source: int) -> int:
        """Add `max(0, x)`, entrywise."""
        if source and isinstance(self.layers[source - 1], Relu):
            return source
        return self._add(Relu(source, self.size(source), node.label), node)

    def maximum(self, node: Node, source: int, windows: Integers) -> int:
        """Add maxima over entries of one value, see `MaxPool`."""
        if not (windows >= 0).any(axis=1).all():
            node.refuse("a window lies in the padding altogether, its maximum is minus infinity")
        if windows.shape[1] == 1:
            return self.gather(node, [source], np.zeros(0), windows[:, 0])
        source, windows = self._through(source, windows, zero_is_missing=False)
        return self._add(MaxPool(source, windows, node.label), node)

    def trees(self, node: Node, layer: Trees) -> int:
        """Add decision trees."""
        source, features = self._through(layer.source, layer.features, zero_is_missing=False)
        return self._add(replace(layer, source=source, features=features), node)

    def finish(self, output: int) -> tuple[tuple[Layer, ...], int]:
        """Return the layers that the output needs, and its number among them."""
        needed = {output}
        for i in range(output, 0, -1):
            if i in needed:
                needed.update(sources(self.layers[i - 1]))
        kept = [i for i in range(1, output + 1) if i in needed]
        number = {0: 0, **{old: new for new, old in enumerate(kept, start=1)}}
        return tuple(_renumbered(self.layers[i - 1], number) for i in kept), number[output]

    def _through(self, source: int, index: Integers, *, zero_is_missing: bool = True) -> tuple[int, Integers]:
        """Look through a movement of one value: return its source, and the index into that.

        The index -1 stays; a constant zero that the movement brings in becomes -1 where a missing
        entry counts as zero. Any other constant cannot be looked through.
        """
        layer = self.layers[source - 1] if source else None
        if not isinstance(layer, Gather) or len(layer.sources) != 1:
            return source, index
        brings = layer.index >= self.size(layer.sources[0])
        used = brings[index[index >= 0]].any()
        if used and (not zero_is_missing or layer.constants.any()):
            return source, index
        moved = np.where(brings, -1, layer.index)
        return layer.sources[0], np.where(index < 0, -1, moved[index])

    def _add(self, layer: Layer, node: Node) -> int:
        self._entries += sum(array.size for array in _arrays(layer))
        if self._entries > _TOTAL:
            node.reject("E0504", f"the network up to here has more than {_TOTAL} weights and places")
        for array in _arrays(layer):
            if array.dtype.kind == "f":
                finite(node, array, "a weight")
        self.layers.append(layer)
        return len(self.layers)


def _scaled(layer: Layer, f: Floats, o: Floats, d: Floats) -> Layer | None:
    """Return `(f * layer + o) / d` as one layer if that is possible without rounding."""
    match layer:
        case Affine() if (d == 1).all():
            weight = _product(layer.weight, f[:, None])
            bias = _times_plus(layer.bias, f, o)
            if weight is not None and bias is not None:
                return replace(layer, weight=weight, bias=bias)
        case Convolution() if (d == 1).all():
            channels = len(layer.kernel)
            (f, one_factor), (o, one_offset) = _by_channel(f, channels), _by_channel(o, channels)
            kernel = _product(layer.kernel, f[:, None])
            bias = _times_plus(layer.bias, f, o)
            if one_factor and one_offset and kernel is not None and bias is not None:
                return replace(layer, kernel=kernel, bias=bias)
        case Scale() if (layer.divisor == 1).all():
            factor, offset = exact_product(layer.factor, f), _times_plus(layer.offset, f, o)
            if factor is not None and offset is not None:
                return replace(layer, factor=factor, offset=offset, divisor=np.array(d))
        case _:
            pass
    return None


def _product(x: Floats, factor: Floats) -> Floats | None:
    """Return `factor * x` if nothing is rounded, without a copy if the factor is one."""
    return x if (factor == 1).all() else exact_product(x, factor)


def _times_plus(x: Floats, factor: Floats, offset: Floats) -> Floats | None:
    """Return `factor * x + offset` if nothing is rounded."""
    product = _product(x, factor)
    return None if product is None else exact_sum(product, offset)


def _by_channel(numbers: Floats, channels: int) -> tuple[Floats, bool]:
    """Return the first number of each channel, and whether the channel's others are the same."""
    table = numbers.reshape(channels, -1)
    return table[:, 0], bool((table == table[:, :1]).all())


def _arrays(layer: Layer) -> tuple[Floats | Integers, ...]:
    match layer:
        case Affine():
            return layer.weight, layer.bias
        case Convolution():
            return layer.kernel, layer.bias, layer.taps
        case Scale():
            return layer.factor, layer.offset, layer.divisor
        case Gather():
            return layer.constants, layer.index
        case MaxPool():
            return (layer.windows,)
        case Trees():
            tests = (layer.features, layer.thresholds, layer.low, layer.high, layer.spans)
            return (*tests, layer.values, layer.bias)
        case Sum() | Relu():
            return ()


def _renumbered(layer: Layer, number: dict[int, int]) -> Layer:
    match layer:
        case Sum() | Gather():
            return replace(layer, sources=tuple(number[s] for s in layer.sources))
        case _:
            return replace(layer, source=number[layer.source])
