"""What a name of the graph stands for while it is read, and which arithmetic on weights is exact."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.origin import Array
from ensc.compiler.quoting import shown
from ensc.compiler.types.network import Floats, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value that does not depend on the input: float64, int64 or bool."""

    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions."""
        return self.array.shape

    def reshaped(self, *shape: int) -> "Constant":
        """Return the same entries with another shape."""
        return Constant(self.array.reshape(shape))


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """A value of the network, seen with a shape.

    Attributes:
        value: its number in the network.
        shape: with the batch axis, which is 1.
    """

    value: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(np.prod(self.shape, dtype=np.int64))

    def positions(self) -> Integers:
        """Return for each place of the shape the index of its entry in the flat value."""
        return np.arange(self.size).reshape(self.shape)

    def reshaped(self, *shape: int) -> "Computed":
        """Return the same entries, seen with another shape."""
        return Computed(self.value, shape)


Tensor: TypeAlias = Constant | Computed
Inputs: TypeAlias = tuple[Tensor | None, ...]


def constant(node: Node, inputs: Inputs, i: int) -> Array | None:
    """Return input i of a node, which must be a constant; None if it is left out."""
    tensor = inputs[i] if i < len(inputs) else None
    if isinstance(tensor, Computed):
        node.reject(
            "E0509",
            f"its input `{shown(node.inputs[i])}` is computed from the network's input, "
            "and has to be a constant",
            "a product of two computed values, or a place or size that depends on the input, "
            "is not piecewise linear",
        )
    return None if tensor is None else tensor.array


def weight(node: Node, inputs: Inputs, i: int) -> Floats | None:
    """Return input i of a node, which must be a constant of finite reals; None if it is left out."""
    array = constant(node, inputs, i)
    return None if array is None else finite(node, array, f"its input `{shown(node.inputs[i])}`")


def finite(node: Node, array: Array, what: str) -> Floats:
    """Return an array as float64, and reject the node if an entry is NaN or infinite."""
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        node.reject("E0514", f"{what} has {array[first]} at {list(first)}")
    return array.astype(np.float64)


def required(node: Node, inputs: Inputs, i: int) -> Tensor:
    """Return input i of a node, which must be there."""
    tensor = inputs[i] if i < len(inputs) else None
    if tensor is None:
        node.invalid(f"its input {i + 1} is missing")
    return tensor


def axis_of(node: Node, axis: int, rank: int) -> int:
    """Return an axis counted from the front."""
    if not -rank <= axis < max(rank, 1):
        node.invalid(f"there is no axis {axis} among {rank}")
    return axis % rank if rank else 0


def integers_of(node: Node, inputs: Inputs, i: int, name: str) -> tuple[int, ...] | None:
    """Return integers that are input i in new operator sets and the attribute `name` in old ones."""
    given = constant(node, inputs, i)
    return node.integers(name) if given is None else tuple(int(n) for n in given.ravel())


def axes_of(node: Node, inputs: Inputs, i: int, rank: int) -> tuple[int, ...] | None:
    """Return the axes that input i or the attribute `axes` names, counted from the front."""
    axes = integers_of(node, inputs, i, "axes")
    return None if axes is None else tuple(axis_of(node, a, rank) for a in axes)


def broadcast(node: Node, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape to which shapes broadcast."""
    try:
        return node.bounded(*np.broadcast_shapes(*shapes))
    except ValueError:
        node.invalid(f"the shapes {', '.join(str(list(s)) for s in shapes)} do not fit together")


def exact_sum(a: Floats, b: Floats) -> Floats | None:
    """Return `a + b` if no entry was rounded (Knuth's two-sum leaves no error), else None."""
    with np.errstate(all="ignore"):
        total = a + b
        part = total - a
        error = (a - (total - part)) + (b - part)
    return total if np.isfinite(total).all() and not error.any() else None


def exact_product(a: Floats, b: Floats) -> Floats | None:
    """Return `a * b` if no entry was rounded (Dekker's two-product leaves no error), else None."""
    with np.errstate(all="ignore"):
        product = a * b
        (a1, a2), (b1, b2) = _halves(a), _halves(b)
        error = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
        tiny = np.abs(product) < 2.0**-960  # where the error itself may vanish by underflow
        doubtful = (tiny & (a != 0) & (b != 0)) | (error != 0)  # NaN, after an overflow, counts
    return product if np.isfinite(product).all() and not doubtful.any() else None


def _halves(a: Floats) -> tuple[Floats, Floats]:
    """Split 53 bits into 26 and 26 with signs (Veltkamp)."""
    scaled = a * (2.0**27 + 1)
    high = scaled - (scaled - a)
    return high, a - high
