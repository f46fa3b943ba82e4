"""What is known before a problem is compiled: who can be fooled together by one perturbation of a point.

Facts come from outside the compiler, which takes them as given: a file compiled with them rests on what
they rest on, and says so.
"""

from dataclasses import dataclass

from ensc.compiler.types.solution import Proof


@dataclass(frozen=True, slots=True)
class Pattern:
    """Members that may be fooled together at a point.

    Attributes:
        members: 0-based, ascending.
        perturbation: one that fools them all, shape (inputs,); None for a set that merely has not been
            excluded.
    """

    members: tuple[int, ...]
    perturbation: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class PointFacts:
    """What is known of one point.

    Attributes:
        excluded: sets of members that no perturbation of the point fools together, none containing another.
        patterns: if given, an attack that chooses among these sets at the point does as well as any, so
            that the networks need not be there; the empty tuple says that nobody is ever fooled.
    """

    excluded: tuple[tuple[int, ...], ...] = ()
    patterns: tuple[Pattern, ...] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a problem.

    Attributes:
        points: of each point of the data set.
        proofs: what the exclusions rest on.
        answered: whether the patterns decide what the query asks, at points where others are possible, too.
    """

    points: tuple[PointFacts, ...]
    proofs: tuple[Proof, ...] = ()
    answered: bool = False

    @property
    def closed(self) -> tuple[int, ...]:
        """The points without networks, 0-based."""
        return tuple(j for j, point in enumerate(self.points) if point.patterns is not None)
