"""Input sets, and sound bounds of every value of a network over them; always for a batch of points."""

from dataclasses import dataclass

import numpy as np

from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Norm


@dataclass(frozen=True, slots=True, eq=False)
class InputSets:
    """For each point the set `{x : lower <= x <= upper, |x - centre| <= radius}`, rounded outward.

    Attributes:
        lower: shape (points, inputs), finite: the box contains the intersection of domain and ball.
        upper: shape (points, inputs), finite.
        centre: shape (points, inputs), the points as the nearest float64.
        norm: the norm of the ball.
        radius: at least the exact radius plus the distance between a point and its nearest float64.
    """

    lower: Floats
    upper: Floats
    centre: Floats
    norm: Norm
    radius: float


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Lower and upper bounds, sound in real arithmetic, of one value.

    Attributes:
        lower: shape (points, size).
        upper: shape (points, size).
    """

    lower: Floats
    upper: Floats

    @property
    def reach(self) -> Floats:
        """The largest absolute value, shape (points, size)."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Bounds of every value of a network, index = value number, over a batch of input sets."""

    values: tuple[Interval, ...]
