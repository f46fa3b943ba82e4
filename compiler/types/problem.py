"""`EnsembleProblem`: a query with everything loaded and checked, nothing left to look up.

All numbers are exact: parameters, radius and domain are rationals, points are rationals with one common
denominator, so that every target can be written without rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

import numpy as np

from ensc.compiler.diagnostics import Span
from ensc.compiler.types.network import Floats, Integers, Network


class Norm(Enum):
    """How the size of a perturbation is measured (Gross et al. 2020 use L1)."""

    L1 = "L1"
    LINF = "Linf"
    L0 = "L0"


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One classifier of the ensemble.

    Attributes:
        name: its name in the query.
        network: the function it computes.
        file: base name of the model file.
        path: where it was read, for the runner (float32 replay) and archives; never printed into a file.
        sha256: of the model file, hexadecimal.
        interface: the graph input and output that the query names, if it does.
        weights: name and SHA-256 of every file beside the model that holds weights of it, as the model names
            them and in its order.
    """

    name: str
    network: Network
    file: str
    path: str
    sha256: str
    interface: tuple[str | None, str | None] = (None, None)
    weights: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PointSet:
    """The labelled data set X (Gross et al. 2020, Definition 1): `x = numerators / denominator`.

    Attributes:
        numerators: shape (points, inputs), finite.
        denominator: positive, at most 2**53, so that it is a float64 as well.
        labels: shape (points,), 0-based.
        rows: shape (points,), the row of the data source each point comes from.
    """

    numerators: Floats
    denominator: int
    labels: Integers
    rows: Integers

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def nearest(self) -> Floats:
        """The points as the nearest float64, shape (points, inputs)."""
        return self.numerators / float(self.denominator)

    def enclosure(self) -> tuple[Floats, Floats]:
        """Return float64 arrays below and above the exact points, equal where one is plainly a float64.

        A quotient that is whole has no more digits than its dividend, so black and white are kept exactly.
        """
        near = self.nearest
        if self.denominator & (self.denominator - 1) == 0:
            return near, near
        exact = np.fmod(self.numerators, float(self.denominator)) == 0
        below, above = np.nextafter(near, -np.inf), np.nextafter(near, np.inf)
        return np.where(exact, near, below), np.where(exact, near, above)

    def exact(self, point: int) -> tuple[Fraction, ...]:
        """Return one point in exact arithmetic."""
        row = self.numerators[point].tolist()
        numbers = {v: Fraction(v) / self.denominator for v in set(row)}  # inputs repeat few numbers
        return tuple(map(numbers.__getitem__, row))


@dataclass(frozen=True, slots=True)
class Domain:
    """The interval every input coordinate must stay in; an end of None is unbounded."""

    lower: Fraction | None
    upper: Fraction | None


@dataclass(frozen=True, slots=True)
class ThreatModel:
    """What the attacker may do: perturbations with norm at most the radius, inside the domain.

    Attributes:
        norm: the norm of the ball.
        radius: in the units of the domain; for goals with an unknown radius, its largest value.
        domain: legal inputs.
        count: number of deterministic attacks in the mixture (|A|), at least 1.
        automatic: whether the query said `auto`; then count is |C|, which is always enough.
    """

    norm: Norm
    radius: Fraction
    domain: Domain
    count: int
    automatic: bool


@dataclass(frozen=True, slots=True)
class Untargeted:
    """Loss 1 iff some class m other than the label y has `f_m - f_y >= margin`.

    Margin 0 is the zero-one loss of Gross et al. 2020, Definition 4: a tie counts as a misclassification.
    """

    margin: Fraction


@dataclass(frozen=True, slots=True)
class Targeted:
    """Loss 1 iff class `label` wins: `f_label - f_m >= margin` for every other class m; margin > 0."""

    label: int
    margin: Fraction


Loss = Untargeted | Targeted


@dataclass(frozen=True, slots=True)
class Check:
    """Decide `value < alpha` for every attack (Gross et al. 2020, Definition 6)."""

    alpha: Fraction


@dataclass(frozen=True, slots=True)
class MaximizeValue:
    """Find the largest misclassification value, the minimum over classifiers (Gross et al. 2020, Eq. 1)."""


@dataclass(frozen=True, slots=True)
class MaximizeTotal:
    """Find the largest sum of the losses over classifiers (the paper's MaxMILP objective).

    Attributes:
        alpha: the value must be at least this as well, if given.
    """

    alpha: Fraction | None


@dataclass(frozen=True, slots=True)
class MinimizeRadius:
    """Find the least radius in [lower, upper] at which the value reaches alpha."""

    parameter: str
    alpha: Fraction
    lower: Fraction
    upper: Fraction


@dataclass(frozen=True, slots=True)
class ProfileValue:
    """Find the largest value as a function of the radius in [lower, upper]."""

    parameter: str
    lower: Fraction
    upper: Fraction


Goal = Check | MaximizeValue | MaximizeTotal | MinimizeRadius | ProfileValue


def enough_attacks(goal: Goal, members: int) -> int:
    """Return how many deterministic attacks a mixture needs to do all that any mixture can.

    |C| attacks reach every value that is reached at all. A value of 1 means that every attack in the mixture
    fools every member at every point, so one of them alone does (Gross et al. 2020, Lemma 2); and a total
    without a condition is linear in the probabilities, so one attack alone has the largest.
    """
    match goal:
        case Check(alpha) | MaximizeTotal(Fraction() as alpha):
            return 1 if alpha >= 1 else members
        case MaximizeTotal(None):
            return 1
        case _:
            return members


@dataclass(frozen=True, slots=True)
class ExpectedVerdict:
    """`expect robust`, `not_robust`, `robust_up_to(k)`, `unknown` or `timeout`."""

    verdict: str
    count: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectedNumber:
    """`expect value = 3/4 within 1e-6`; the quantity is `value`, `total` or the radius parameter."""

    quantity: str
    value: Fraction
    within: Fraction
    span: Span


Expectation = ExpectedVerdict | ExpectedNumber


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleProblem:
    """A resolved query.

    Attributes:
        name: the query's file name without folder and suffix.
        ensemble: the classifiers C, at least one; all read the same inputs in the same order (one may read
            them flat where another reads a matrix) and have the same classes.
        points: the labelled data set X, at least one point.
        threat: the attacker.
        loss: when a classifier counts as fooled.
        goal: what is asked.
        expectation: what the query says the answer is.
        meta: source, license, category and the like.
        parameters: the value every parameter has in this problem, by name (reals, ints, strings, bools);
            the one that the goal finds or varies has none.
        digest: SHA-256 over everything above that an answer depends on, hexadecimal.
        files: base name and SHA-256 of every file read: queries, models, data.
    """

    name: str
    ensemble: tuple[Member, ...]
    points: PointSet
    threat: ThreatModel
    loss: Loss
    goal: Goal
    expectation: Expectation | None
    meta: Mapping[str, str]
    parameters: Mapping[str, Fraction | str | bool]
    digest: str
    files: tuple[tuple[str, str], ...]

    @property
    def inputs(self) -> int:
        """The number of input coordinates d."""
        return self.ensemble[0].network.inputs

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.ensemble[0].network.classes

    @property
    def enough_attacks(self) -> int:
        """The number of deterministic attacks beyond which more of them reach nothing more."""
        return enough_attacks(self.goal, len(self.ensemble))
