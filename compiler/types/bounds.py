"""Input sets, and sound bounds of every value of a network over them; always for a batch of points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.types.network import Floats, Integers
from ensc.compiler.types.problem import Norm


@dataclass(frozen=True, slots=True, eq=False)
class HalfSpaces:
    """For each point the set `{x : forms x + offsets >= 0}`, several half-spaces at once.

    Attributes:
        forms: shape (points, half-spaces, inputs).
        offsets: shape (points, half-spaces).
    """

    forms: Floats
    offsets: Floats

    def at(self, chosen: Integers | slice) -> "HalfSpaces":
        """Return the part that concerns some of the points."""
        return HalfSpaces(self.forms[chosen], self.offsets[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class InputSets:
    """For each point the set `{x : lower <= x <= upper, |x - centre| <= radius}`, rounded outward.

    Where something is asserted about x, only the part of the set where it can hold matters, and
    half-spaces contain that part.

    Attributes:
        lower: shape (points, inputs), finite: the box contains the intersection of domain and ball.
        upper: shape (points, inputs), finite.
        centre: shape (points, inputs), the points as the nearest float64.
        norm: the norm of the ball.
        radius: at least the exact radius plus the distance between a point and its nearest float64.
        asserted: half-spaces that contain all of the set that matters, if less than the whole does.
    """

    lower: Floats
    upper: Floats
    centre: Floats
    norm: Norm
    radius: float
    asserted: HalfSpaces | None = None

    def at(self, chosen: Integers | slice) -> "InputSets":
        """Return the sets of some of the points."""
        asserted = None if self.asserted is None else self.asserted.at(chosen)
        lower, upper, centre = self.lower[chosen], self.upper[chosen], self.centre[chosen]
        return InputSets(lower, upper, centre, self.norm, self.radius, asserted)


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

    def at(self, chosen: Integers | slice) -> "Interval":
        """Return the bounds at some of the points."""
        return Interval(self.lower[chosen], self.upper[chosen])

    @staticmethod
    def joined(parts: Sequence["Interval"], axis: int = 0) -> "Interval":
        """Return the bounds at the points of several batches, in order; along axis 1 of several values."""
        lower, upper = [part.lower for part in parts], [part.upper for part in parts]
        return Interval(np.concatenate(lower, axis), np.concatenate(upper, axis))


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Bounds of every value of a network, index = value number, over a batch of input sets."""

    values: tuple[Interval, ...]

    @property
    def open_signs(self) -> Integers:
        """How many entries of values between input and logits may have either sign, shape (points,)."""
        total = np.zeros(len(self.values[0].lower), dtype=np.int64)
        for value in self.values[1:-1]:
            total += ((value.lower < 0) & (value.upper > 0)).sum(axis=1)
        return total

    def at(self, chosen: Integers | slice) -> "Bounds":
        """Return the bounds at some of the points."""
        return Bounds(tuple(interval.at(chosen) for interval in self.values))

    @staticmethod
    def joined(parts: Sequence["Bounds"]) -> "Bounds":
        """Return the bounds at the points of several batches, in order; there is at least one."""
        columns = zip(*(part.values for part in parts), strict=True)
        return Bounds(tuple(Interval.joined(column) for column in columns))
