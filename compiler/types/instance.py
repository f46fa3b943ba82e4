"""`Instance`: one input set, networks that read it, and a condition on what they make of it.

What the neural-network verification community calls an instance; a counterexample is an input in the set
for which the condition holds. A query about one point and some members of an ensemble is one, and so is a
VNN-LIB file. Every number is an exact rational.

Variables are numbered: first the inputs, then the outputs of the first network, of the second, and so on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import assert_never

from ensc.compiler.types.model import Indices
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import Norm


@dataclass(frozen=True, slots=True)
class Atom:
    """`sum coefficient * variable >= least`, or `> least` where it is strict.

    Attributes:
        columns: variables, distinct, ascending; none for an atom that is simply true or false.
        coefficients: one for each column, none zero.
        least: the right-hand side.
        strict: whether equality does not count.
    """

    columns: tuple[int, ...]
    coefficients: tuple[Fraction, ...]
    least: Fraction
    strict: bool = False

    def value(self, values: Sequence[Fraction]) -> Fraction:
        """Return by how much the left-hand side exceeds the right-hand side."""
        pairs = zip(self.coefficients, self.columns, strict=True)
        return sum((c * values[v] for c, v in pairs), -self.least)

    def holds(self, values: Sequence[Fraction]) -> bool:
        """Return whether the atom is true of the values of all variables."""
        excess = self.value(values)
        return excess > 0 if self.strict else excess >= 0


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts it is true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Some part holds; without parts it is false."""

    parts: tuple["Condition", ...]


Condition = Atom | All | Some


def holds(condition: Condition, values: Sequence[Fraction]) -> bool:
    """Return whether a condition is true of the values of all variables, exactly."""
    match condition:
        case Atom():
            return condition.holds(values)
        case All(parts):
            return all(holds(part, values) for part in parts)
        case Some(parts):
            return any(holds(part, values) for part in parts)
        case _:
            assert_never(condition)


def atoms(condition: Condition) -> Iterator[Atom]:
    """Yield every atom of a condition, from left to right."""
    match condition:
        case Atom():
            yield condition
        case All(parts) | Some(parts):
            for part in parts:
                yield from atoms(part)
        case _:
            assert_never(condition)


def conjuncts_of(condition: Condition) -> Iterator[Atom | Some]:
    """Yield the conditions, none of them a conjunction, that hold together where a condition does."""
    if isinstance(condition, All):
        for part in condition.parts:
            yield from conjuncts_of(part)
    else:
        yield condition


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A network and what it reads.

    Attributes:
        name: what files call it, `[A-Za-z][A-Za-z0-9_]*`.
        network: the function.
        columns: the input variable that each of its inputs is, shape (network.inputs,).
    """

    name: str
    network: Network
    columns: Indices


@dataclass(frozen=True, slots=True)
class Ball:
    """`|x - centre| <= radius`."""

    centre: tuple[Fraction, ...]
    norm: Norm
    radius: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """Is there an input in box, ball and constraints for which the unsafe condition holds?

    Attributes:
        name: a short identifier.
        lower: the box, one end for each input variable.
        upper: the box, one end for each input variable; may lie below `lower`, which leaves no input.
        readers: the networks, at least one.
        unsafe: the condition on inputs and outputs that a counterexample fulfils.
        ball: a norm ball that the inputs are in as well.
        constraints: further linear conditions on the inputs.
    """

    name: str
    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    readers: tuple[Reader, ...]
    unsafe: Condition
    ball: Ball | None = None
    constraints: tuple[Atom, ...] = ()

    @property
    def inputs(self) -> int:
        """The number of input variables."""
        return len(self.lower)

    @property
    def starts(self) -> tuple[int, ...]:
        """The first output variable of each network, and the number of all variables."""
        return tuple(accumulate((r.network.classes for r in self.readers), initial=self.inputs))
