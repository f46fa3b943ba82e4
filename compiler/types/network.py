"""`Network`: a piecewise-linear function as layers in topological order, over flat vectors.

Value 0 of a network is its input, value i > 0 the result of `layers[i - 1]`. Every value is a flat
vector in ONNX (row-major) order, without the batch dimension; reshaping therefore costs nothing and is
no layer. The weights are float64 arrays that hold the file's numbers exactly (a float32 is a float64),
so that the network *is* one function over the reals; `passes/networks/evaluate.py` defines it.

The union `Layer` is closed: whoever adds a member is shown every place to extend by `assert_never`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """`y = W x + b`, dense.

    Attributes:
        source: the value read.
        weight: W, shape (outputs, inputs).
        bias: b, shape (outputs,).
        name: the ONNX node it comes from.
    """

    source: int
    weight: Floats
    bias: Floats
    name: str = ""

    @property
    def size(self) -> int:
        """The number of outputs."""
        return int(self.weight.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """`y[m, p] = b[m] + sum_k K[m, k] x[taps[group(m), p, k]]`: one kernel at many places, sparse.

    Outputs are ordered channel first, `y[m * positions + p]`. A tap of -1 reads the constant zero (padding),
    so that strides, dilations, groups and every padding mode are all in `taps`.

    Attributes:
        source: the value read.
        kernel: K, shape (channels out, taps a channel).
        bias: b, shape (channels out,).
        taps: indices into the flat input, shape (groups, positions, taps a channel); output channel m
            belongs to group `m // (channels out / groups)`.
        name: the ONNX node it comes from.
    """

    source: int
    kernel: Floats
    bias: Floats
    taps: Integers
    name: str = ""

    @property
    def size(self) -> int:
        """The number of outputs."""
        return int(self.kernel.shape[0] * self.taps.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """`y = (factor * x + offset) / divisor`, elementwise.

    A divisor is kept apart from the factor because 1/3 is no float: division stays exact.

    Attributes:
        source: the value read.
        factor: shape (size,).
        offset: shape (size,).
        divisor: shape (size,), never zero.
        name: the ONNX node it comes from.
    """

    source: int
    factor: Floats
    offset: Floats
    divisor: Floats
    name: str = ""

    @property
    def size(self) -> int:
        """The number of outputs."""
        return int(self.factor.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """`y = sum_i sign_i x_i`, elementwise over several values of one size.

    Attributes:
        sources: the values read, at least one; a value may occur twice.
        signs: +1 or -1, one for each source.
        size: the number of outputs.
        name: the ONNX node it comes from.
    """

    sources: tuple[int, ...]
    signs: tuple[int, ...]
    size: int
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Gather:
    """`y = concatenate(x_1, x_2, ..., constants)[index]`: every movement of data.

    Transpose, Slice, Split, Concat, Pad, Tile, Expand, nearest-neighbour Resize are this.

    Attributes:
        sources: the values read, concatenated in this order.
        constants: numbers appended after them, shape (any,).
        index: for each output the position it copies, shape (size,).
        name: the ONNX node it comes from.
    """

    sources: tuple[int, ...]
    constants: Floats
    index: Integers
    name: str = ""

    @property
    def size(self) -> int:
        """The number of outputs."""
        return int(self.index.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Relu:
    """`y = max(0, x)`, elementwise."""

    source: int
    size: int
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MaxPool:
    """`y[i] = max_k x[windows[i, k]]`: any maximum over entries of one value.

    Attributes:
        source: the value read.
        windows: indices into the flat input, shape (size, widest window); -1 is no candidate. Every
            window has at least one candidate.
        name: the ONNX node it comes from.
    """

    source: int
    windows: Integers
    name: str = ""

    @property
    def size(self) -> int:
        """The number of outputs."""
        return int(self.windows.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """`y = bias + sum over the trees of values[leaf of the tree that x reaches]`: decision trees, added up.

    A test sends x to its *low* side if `x[feature] <= threshold` (`<` where strict), to its *high* side
    otherwise, so that the two sides are a closed and an open half-line. A side is a test (its number, larger
    than that of the test it belongs to) or a leaf k, written `-1 - k`. The leaves of a tree, and those of
    either side of a test, are neighbours.

    Attributes:
        source: the value read.
        features: the entry that each test reads, shape (tests,).
        thresholds: shape (tests,), finite.
        strict: whether the threshold itself belongs to the high side, shape (tests,).
        low: the side where the test holds, shape (tests,).
        high: the other side, shape (tests,).
        spans: the leaves below a test: from `spans[t, 0]` those on its low side, from `spans[t, 1]` up to
            before `spans[t, 2]` those on its high side, shape (tests, 3).
        roots: of each tree a side, shape (trees,).
        starts: the first leaf of each tree, and the number of all leaves, shape (trees + 1,).
        values: what each leaf adds, shape (leaves, outputs).
        bias: shape (outputs,).
        name: the ONNX node it comes from.
    """

    source: int
    features: Integers
    thresholds: Floats
    strict: Flags
    low: Integers
    high: Integers
    spans: Integers
    roots: Integers
    starts: Integers
    values: Floats
    bias: Floats
    name: str = ""

    @property
    def size(self) -> int:
        """The number of outputs."""
        return int(self.bias.shape[0])

    @property
    def leaves(self) -> int:
        """The number of leaves of all trees."""
        return int(self.values.shape[0])


Layer = Affine | Convolution | Scale | Sum | Gather | Relu | MaxPool | Trees


def sources(layer: Layer) -> tuple[int, ...]:
    """Return the values that a layer reads."""
    match layer:
        case Sum() | Gather():
            return layer.sources
        case _:
            return (layer.source,)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A function from R^inputs to R^classes.

    Attributes:
        name: what messages call it (the member's name, or the file's).
        input_shape: without the batch dimension, e.g. (1, 8, 8).
        layers: in topological order; value i > 0 is the result of `layers[i - 1]`.
        output: the value that holds the logits.
        dropped: what the reader left out because it changes no arg-max, in words.
        operators: how often each ONNX operator occurred in the file.
        rounded: which of the network's numbers the file defines by arithmetic whose result no float64
            holds, in words; each is taken as a float64 beside it.
        parts: the sizes of the file's inputs, where several are read one after the other as one.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    output: int
    dropped: tuple[str, ...] = ()
    operators: Mapping[str, int] = field(default_factory=dict)
    rounded: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()

    @property
    def inputs(self) -> int:
        """The number of input coordinates."""
        return int(np.prod(self.input_shape, dtype=np.int64))

    @property
    def classes(self) -> int:
        """The number of outputs."""
        return self.size(self.output)

    def size(self, value: int) -> int:
        """Return the number of entries of a value."""
        return self.inputs if value == 0 else self.layers[value - 1].size
