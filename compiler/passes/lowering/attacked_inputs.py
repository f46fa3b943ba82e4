"""The attacker's set as variables and rows: perturbations in the ball, attacked inputs in the domain.

For every attack and point: `d` the perturbation, `x = point + d` the attacked input. For L1, `s >= |d|` and
`sum s <= radius` (Gross et al. 2020, Eq. 5), exact because only an upper bound on |d| matters; for Linf
bounds on `d`; for L0 binaries `b` with `b = 0 implies d = 0` and `sum b <= radius`. All rows are exact: those
with a rational constant are multiplied by its denominator.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.rounding import add_down, add_up, is_float, up
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.model import Floats, Indices, Labels
from ensc.compiler.types.problem import EnsembleProblem, Norm


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The attacks and points that get inputs of their own.

    Attributes:
        points: positions of the points, shape (points,).
        axes: index arrays that name a copy, broadcasting to (attacks, points); none where there is only
            one attack and one point.
    """

    points: Indices
    axes: tuple[Indices, ...]

    def labels(self, prefix: str, inputs: int) -> Labels:
        """Name something for every attack, point and coordinate."""
        fronts = tuple(axis[..., None] for axis in self.axes)
        return Labels(prefix, (*fronts, np.arange(1, inputs + 1)))


def add_attacked_inputs(
    to: Assembler, problem: EnsembleProblem, sets: InputSets, places: Places, *, size: int | None = None
) -> Indices:
    """Add perturbations and attacked inputs.

    Args:
        to: where to.
        problem: for points, domain, norm and radius.
        sets: the input sets of all points of the problem.
        places: which attacks and points.
        size: a variable that the norm must not exceed either, if it is not just bounded but sought.

    Returns:
        The attacked inputs, shape (attacks, points, inputs).
    """
    lower, upper = sets.lower[places.points], sets.upper[places.points]
    d = _perturbations(to, problem, sets, places)
    x = _matrix(to.variables(places.labels("x", problem.inputs), *_flat(lower, upper, places)), places)
    _add_equations(to, problem, places, x, d)
    _add_exact_domain(to, problem, x)
    match problem.threat.norm:
        case Norm.L1:
            _add_l1_ball(to, problem, places, d, size)
        case Norm.LINF:
            _add_cube(to, problem, d, size)
        case Norm.L0:
            _add_l0_ball(to, problem, places, d, size)
        case _:
            assert_never(problem.threat.norm)
    return x


def add_repeated_inputs(
    to: Assembler, problem: EnsembleProblem, sets: InputSets, places: Places, x: Indices
) -> None:
    """Add perturbations of points that share the attacked inputs of others, so that files name them all.

    Args:
        to: where to.
        problem: for points, domain, norm and radius.
        sets: the input sets of all points of the problem.
        places: which attacks and points.
        x: the attacked inputs that they share, shape (attacks, points, inputs).
    """
    _add_equations(to, problem, places, x, _perturbations(to, problem, sets, places))


def _add_equations(to: Assembler, problem: EnsembleProblem, places: Places, x: Indices, d: Indices) -> None:
    scale = float(problem.points.denominator)
    numerators = problem.points.numerators[places.points]
    pairs = np.stack([x, d], axis=-1)
    meaning = "attacked input: denominator (x - d) = numerator of the point"
    to.rows(pairs, np.array([scale, -scale]), numerators, numerators, meaning)


def _flat(lower: Floats, upper: Floats, places: Places) -> tuple[Floats, Floats]:
    """Without axes, one point's bounds lose their point dimension."""
    return (lower, upper) if places.axes else (lower[0], upper[0])


def _matrix(ids: Indices, places: Places) -> Indices:
    return ids if places.axes else ids[None, None]


def _perturbations(to: Assembler, problem: EnsembleProblem, sets: InputSets, places: Places) -> Indices:
    """Add `d`, bounded by what box and ball leave of every coordinate, rounded outward."""
    below, above = problem.points.enclosure()
    lower = add_down(sets.lower, -above)[places.points]
    upper = add_up(sets.upper, -below)[places.points]
    threat = problem.threat
    if threat.norm is not Norm.L0:
        reach = up(threat.radius)
        lower, upper = np.maximum(lower, -reach), np.minimum(upper, reach)
    labels = places.labels("d", problem.inputs)
    return _matrix(to.variables(labels, *_flat(lower, upper, places)), places)


def _add_exact_domain(to: Assembler, problem: EnsembleProblem, x: Indices) -> None:
    """Where an end of the domain is no float64, a row holds it exactly."""
    domain = problem.threat.domain
    for end, sign in ((domain.lower, -1), (domain.upper, 1)):
        if end is not None and not is_float(end):
            _add_exact_bound(to, x, end * sign, sign, "domain of the attacked input")


def _add_exact_bound(to: Assembler, variables: Indices, bound: Fraction, sign: int, meaning: str) -> None:
    """Add `sign * denominator * v <= numerator` for every variable."""
    coefficient = float(sign * bound.denominator)
    to.rows(variables[..., None], coefficient, -np.inf, float(bound.numerator), meaning)


def _add_cube(to: Assembler, problem: EnsembleProblem, d: Indices, size: int | None) -> None:
    """Linf: the bounds of d say it all, unless the radius is no float64 or is sought."""
    radius = problem.threat.radius
    for sign in (-1, 1):
        if not is_float(radius):
            _add_exact_bound(to, d, radius, sign, "|d| <= epsilon (Eq. 5)")
        if size is not None:
            pairs = np.stack([d, np.full_like(d, size)], axis=-1)
            to.rows(pairs, np.array([sign, -1.0]), -np.inf, 0.0, "|d| <= r")


def _add_l1_ball(
    to: Assembler, problem: EnsembleProblem, places: Places, d: Indices, size: int | None
) -> None:
    """`s >= d`, `s >= -d`, `sum s <= epsilon`."""
    radius = problem.threat.radius
    s = _matrix(to.variables(places.labels("s", problem.inputs), 0.0, up(radius)), places)
    pairs = np.stack([s, d], axis=-1)
    for sign in (-1.0, 1.0):
        to.rows(pairs, np.array([1.0, sign]), 0.0, np.inf, "s >= |d|")
    share, total = float(radius.denominator), float(radius.numerator)
    to.rows(s, share, -np.inf, total, "sum_k |d_k| <= epsilon (Eq. 5)")
    _add_size(to, s, size)


def _add_l0_ball(
    to: Assembler, problem: EnsembleProblem, places: Places, d: Indices, size: int | None
) -> None:
    """`b = 0 implies d = 0`, `sum b <= epsilon`."""
    b = _matrix(to.variables(places.labels("b", problem.inputs), 0.0, 1.0, integer=True), places)
    to.rows(d[..., None], 1.0, 0.0, 0.0, "b = 0 implies d = 0", indicator=b, active=False)
    most = float(int(problem.threat.radius))
    to.rows(b, 1.0, -np.inf, most, "at most epsilon coordinates change (Eq. 5)")
    _add_size(to, b, size)


def _add_size(to: Assembler, parts: Indices, size: int | None) -> None:
    """Add `sum of parts <= r`."""
    if size is not None:
        columns = np.concatenate([parts, np.full((*parts.shape[:-1], 1), size)], axis=-1)
        coefficients = np.append(np.ones(parts.shape[-1]), -1.0)
        to.rows(columns, coefficients, -np.inf, 0.0, "norm of d <= r")
