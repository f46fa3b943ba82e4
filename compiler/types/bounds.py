"""Input sets of an instance, and sound bounds of every value of a network over them."""

from dataclasses import dataclass

from ensc.compiler.types.network import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Lower and upper bounds, sound in real arithmetic, of one value for a batch of input sets.

    Attributes:
        lower: shape (batch, size).
        upper: shape (batch, size).
    """

    lower: Floats
    upper: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Bounds of every value of a network (index = value number) for a batch of input sets."""

    values: tuple[Interval, ...]
