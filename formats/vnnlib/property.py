"""What a VNN-LIB file says, before any network is bound to it."""

from dataclasses import dataclass
from math import prod
from typing import Literal

from ensc.compiler.diagnostics import Source, Span
from ensc.compiler.types.instance import Condition


@dataclass(frozen=True, slots=True)
class Tensor:
    """A declared input or output.

    Attributes:
        name: as declared.
        kind: which of the two.
        element: the element type, as written.
        shape: as declared, with the batch; empty for a single number.
        first: the number of its first element: elements of all tensors are numbered in declaration order,
            those of one tensor row by row.
        span: where it is declared.
    """

    name: str
    kind: Literal["input", "output"]
    element: str
    shape: tuple[int, ...]
    first: int
    span: Span

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared network.

    Attributes:
        name: as declared; `N` in version 1.0, where networks have no names.
        tensors: its inputs and outputs, in declaration order.
        same_as: the network whose file it shares, if it is `equal-to` one.
        like: the network whose structure it shares, if it is `isomorphic-to` one.
        span: where it is declared.
    """

    name: str
    tensors: tuple[Tensor, ...]
    same_as: str | None
    like: str | None
    span: Span

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Its inputs, in declaration order: the network reads them one after the other."""
        return tuple(tensor for tensor in self.tensors if tensor.kind == "input")

    @property
    def output(self) -> Tensor:
        """Its one output."""
        (tensor,) = (tensor for tensor in self.tensors if tensor.kind == "output")
        return tensor

    def place(self, tensor: Tensor) -> int:
        """Return where an input starts among the numbers that the network reads."""
        return sum(other.size for other in self.inputs if other.first < tensor.first)


@dataclass(frozen=True, slots=True)
class Property:
    """A VNN-LIB file: a counterexample is an input for which every assertion holds.

    Attributes:
        source: the text.
        version: 1 or 2.
        networks: those it declares, each with one input tensor or more and one output tensor.
        assertions: conditions on the numbered elements.
    """

    source: Source
    version: Literal[1, 2]
    networks: tuple[Declared, ...]
    assertions: tuple[Condition, ...]
