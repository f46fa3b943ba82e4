"""What comes back: a solver's answer as read, a randomized attack, a verdict and what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

import numpy as np

from ensc.compiler.types.network import Floats


class Status(Enum):
    """What a solver said, no more."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Solution:
    """A solver's answer, as read from the solver or from its file.

    Attributes:
        status: what it claims. OPTIMAL for a pure feasibility question means feasible.
        values: variable name to value; names that a file leaves out are zero.
        objective: the objective value it claims, in the sense of the file.
        bound: the proven bound on the objective it claims, in the sense of the file.
        message: its own words, for reports.
    """

    status: Status
    values: Mapping[str, float | Fraction]
    objective: float | None = None
    bound: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Attack:
    """A randomized attack (Gross et al. 2020, Definition 3), exact.

    Attributes:
        probabilities: one for each deterministic attack, nonnegative, with sum 1.
        perturbations: `perturbations[i][j]` is the perturbation of point j by attack i, a tuple of
            `inputs` rationals.
    """

    probabilities: tuple[Fraction, ...]
    perturbations: tuple[tuple[tuple[Fraction, ...], ...], ...]

    def approximate(self) -> Floats:
        """Return the perturbations as float64, shape (attacks, points, inputs)."""
        return np.array([[[float(v) for v in d] for d in attack] for attack in self.perturbations])


@dataclass(frozen=True, slots=True)
class Certificate:
    """The exact replay of an attack.

    Attributes:
        norms: `norms[i][j]`, exact size of each perturbation in the norm of the threat model.
        losses: `losses[i][j][c]`, whether attack i fools member c at point j.
        member_values: for each member the exact expected loss averaged over the points.
        value: the least of them (Gross et al. 2020, Eq. 1).
        total: `sum over members and points of the expected loss` (the paper's MaxMILP objective).
        admissible: whether every perturbation is inside ball and domain and the probabilities are a
            distribution; nothing else in a certificate means anything if this is false.
    """

    norms: tuple[tuple[Fraction, ...], ...]
    losses: tuple[tuple[tuple[bool, ...], ...], ...]
    member_values: tuple[Fraction, ...]
    value: Fraction
    total: Fraction
    admissible: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What a claim that no attack can do better rests on.

    Attributes:
        solver: name and version.
        tolerance: the feasibility tolerance the solver worked with.
        claim: what it claimed, in words.
    """

    solver: str
    tolerance: float
    claim: str


class Word(Enum):
    """The verdict in one word."""

    ROBUST = "robust"
    ROBUST_UP_TO_K = "robust_up_to_k"
    NOT_ROBUST = "not_robust"
    OPTIMAL = "optimal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fooled:
    """Members that an exactly replayed perturbation fools together.

    Attributes:
        members: 0-based.
        by: what found the perturbation.
        recalled: whether an earlier run did.
    """

    members: tuple[int, ...]
    by: str
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Spared:
    """Members that no perturbation fools together.

    Attributes:
        members: 0-based.
        proof: what that rests on.
        recalled: whether an earlier run proved it.
    """

    members: tuple[int, ...]
    proof: Proof
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class PointPatterns:
    """Which sets of members one perturbation of a point can fool together, as far as is known.

    Attributes:
        feasible: the maximal sets that can be.
        infeasible: the minimal sets that cannot.
        open: the maximal sets about which neither is known.
    """

    feasible: tuple[Fooled, ...]
    infeasible: tuple[Spared, ...]
    open: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of the largest value as a function of the radius, up to the next step.

    Attributes:
        low: no smaller radius has a value this large, as far as proved.
        high: a certified attack of this radius has it.
        lower: the value that certified attacks reach from there on.
        upper: the value that no attack exceeds before the next step.
    """

    low: Fraction
    high: Fraction
    lower: Fraction
    upper: Fraction


@dataclass(frozen=True, slots=True)
class Game:
    """The game between attacker and defender, where the problem was split over its points.

    Attributes:
        defender: weights of the members that prove the upper bound, None where no weights do.
        points: the patterns of each point.
        asked: number of questions that went to a solver.
        recalled: number of questions whose answer an earlier run had left in a journal.
    """

    defender: tuple[Fraction, ...] | None
    points: tuple[PointPatterns, ...]
    asked: int = 0
    recalled: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The answer to a query.

    Attributes:
        word: the verdict.
        lower: the objective quantity (value, or total for that goal) reached by a certified attack.
        upper: the objective quantity that no attack within the query's count exceeds, as far as proved.
        attack: the best attack found, if any.
        certificate: its exact replay.
        proofs: what `upper` rests on.
        reasons: why the verdict is `unknown`, or other things worth knowing.
        game: defender and patterns, if the problem was split.
        profile: the value over the radius, where that was asked.

    For the goal `minimize epsilon` the two numbers are radii instead: no attack of a radius below `lower`
    reaches alpha, as far as proved; the certified attack, of radius `upper`, does.
    """

    word: Word
    lower: Fraction
    upper: Fraction
    attack: Attack | None = None
    certificate: Certificate | None = None
    proofs: tuple[Proof, ...] = ()
    reasons: tuple[str, ...] = ()
    game: Game | None = None
    profile: tuple[Step, ...] = ()
