"""The attacker's set as variables and rows: perturbations in the ball, attacked inputs in the domain.

For every attack and point: `d` the perturbation, `x = point + d` the attacked input. For L1, `s >= |d|` and
`sum s <= radius` (Gross et al. 2020, Eq. 5), exact because only an upper bound on |d| matters; for Linf
bounds on `d`; for L0 binaries `b` with `b = 0 implies d = 0` and `sum b <= radius`. All rows are exact: those
with a rational constant are multiplied by its denominator.

A *lean* set is the same one with fewer variables. Where a coordinate of the point is 0, `d` is the attacked
input. Where the domain lets a coordinate move one way only, its size is linear, `|d| = d` or `|d| = -d`, and
takes part in the sum as it is. On pictures with a black background that is most of them, and what an LP
solver takes for a node shrinks with the rows.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from ensc.compiler.passes.bounds.rounding import add_down, add_up, is_float, up
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.types.bounds import InputSets, Interval
from ensc.compiler.types.model import Flags, Floats, Indices, Labels
from ensc.compiler.types.problem import EnsembleProblem, Norm

ABSENT = -1
"""In place of a variable that is left out."""


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
        """Name something for every attack, point and coordinate, shape (attacks, points, inputs)."""
        fronts = tuple(axis[..., None] for axis in self.axes)
        return Labels(prefix, (*fronts, np.arange(1, inputs + 1)[None, None]))


def add_attacked_inputs(
    to: Assembler,
    problem: EnsembleProblem,
    sets: InputSets,
    places: Places,
    *,
    lean: bool,
    size: int | None = None,
) -> Indices:
    """Add perturbations and attacked inputs.

    Args:
        to: where to.
        problem: for points, domain, norm and radius.
        sets: the input sets of all points of the problem.
        places: which attacks and points.
        lean: whether to leave out variables that others can stand for.
        size: a variable that the norm must not exceed either, if it is not just bounded but sought.

    Returns:
        The attacked inputs, shape (attacks, points, inputs).
    """
    ends = _ends(problem, sets, places)
    d = _perturbations(to, problem, places, ends)
    moved = (
        problem.points.numerators[places.points] != 0 if lean else np.ones_like(ends.lower, dtype=np.bool_)
    )
    x = _attacked(to, problem, sets, places, d, moved)
    _add_exact_domain(to, problem, x)
    match problem.threat.norm:
        case Norm.L1:
            sign = _one_way(ends) if lean else np.zeros_like(ends.lower)
            _add_l1_ball(to, problem, places, d, sign, size)
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
    d = _perturbations(to, problem, places, _ends(problem, sets, places))
    _add_equations(to, problem, places, x, d, np.ones(x.shape[1:], dtype=np.bool_))


def _ends(problem: EnsembleProblem, sets: InputSets, places: Places) -> Interval:
    """Return what box and ball leave of every coordinate of `d`, rounded outward, shape (points, inputs)."""
    below, above = problem.points.enclosure()
    lower = add_down(sets.lower, -above)[places.points]
    upper = add_up(sets.upper, -below)[places.points]
    threat = problem.threat
    if threat.norm is Norm.L0:
        return Interval(lower, upper)
    reach = up(threat.radius)
    return Interval(np.maximum(lower, -reach), np.minimum(upper, reach))


def _one_way(ends: Interval) -> Floats:
    """Return 1 where `d >= 0`, -1 where `d <= 0`, 0 where it may have either sign."""
    return np.where(ends.lower >= 0, 1.0, np.where(ends.upper <= 0, -1.0, 0.0))


def _chosen(to: Assembler, places: Places, prefix: str, ends: Interval, chosen: Flags) -> Indices:
    """Add variables for some coordinates.

    Args:
        to: where to.
        places: which attacks and points.
        prefix: of their names.
        ends: of every coordinate, shape (points, inputs).
        chosen: which have one, shape (points, inputs).

    Returns:
        Shape (attacks, points, inputs), with the constant 0 where there is none.
    """
    labels = places.labels(prefix, chosen.shape[1])
    if chosen.all():
        return to.variables(labels, ends.lower, ends.upper)
    axes = np.broadcast_arrays(*labels.axes)
    result = np.full(axes[0].shape, ABSENT)
    if chosen.any():
        spread, lower, upper = (np.broadcast_to(a, result.shape) for a in (chosen, ends.lower, ends.upper))
        names = Labels(prefix, tuple(axis[spread] for axis in axes))
        result[spread] = to.variables(names, lower[spread], upper[spread])
    return result


def _attacked(
    to: Assembler, problem: EnsembleProblem, sets: InputSets, places: Places, d: Indices, moved: Flags
) -> Indices:
    """Add `x` where the point is not 0; elsewhere it is `d`."""
    x = _chosen(to, places, "x", Interval(sets.lower[places.points], sets.upper[places.points]), moved)
    _add_equations(to, problem, places, x, d, moved)
    return np.where(moved, x, d)


def _add_equations(
    to: Assembler, problem: EnsembleProblem, places: Places, x: Indices, d: Indices, moved: Flags
) -> None:
    scale = float(problem.points.denominator)
    spread = np.broadcast_to(moved, x.shape)
    numerators = np.broadcast_to(problem.points.numerators[places.points], x.shape)[spread]
    pairs = np.stack([x[spread], d[spread]], axis=-1)
    meaning = "attacked input: denominator (x - d) = numerator of the point"
    to.rows(pairs, np.array([scale, -scale]), numerators, numerators, meaning)


def _perturbations(to: Assembler, problem: EnsembleProblem, places: Places, ends: Interval) -> Indices:
    return to.variables(places.labels("d", problem.inputs), ends.lower, ends.upper)


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
    to: Assembler, problem: EnsembleProblem, places: Places, d: Indices, sign: Floats, size: int | None
) -> None:
    """`s >= d`, `s >= -d`, `sum s <= epsilon`; where the sign of d is known, `s` is `sign * d`."""
    radius = problem.threat.radius
    both = sign == 0
    ends = Interval(np.zeros(sign.shape), np.full(sign.shape, up(radius)))
    s = _chosen(to, places, "s", ends, both)
    spread = np.broadcast_to(both, s.shape)
    pairs = np.stack([s[spread], d[spread]], axis=-1)
    for way in (-1.0, 1.0):
        to.rows(pairs, np.array([1.0, way]), 0.0, np.inf, "s >= |d|")
    parts, signs = np.where(both, s, d), np.where(both, 1.0, sign)
    share, total = float(radius.denominator), float(radius.numerator)
    to.rows(parts, share * signs, -np.inf, total, "sum_k |d_k| <= epsilon (Eq. 5)")
    _add_size(to, parts, signs, size)


def _add_l0_ball(
    to: Assembler, problem: EnsembleProblem, places: Places, d: Indices, size: int | None
) -> None:
    """`b = 0 implies d = 0`, `sum b <= epsilon`."""
    b = to.variables(places.labels("b", problem.inputs), 0.0, 1.0, integer=True)
    to.rows(d[..., None], 1.0, 0.0, 0.0, "b = 0 implies d = 0", indicator=b, active=False)
    most = float(int(problem.threat.radius))
    to.rows(b, 1.0, -np.inf, most, "at most epsilon coordinates change (Eq. 5)")
    _add_size(to, b, np.ones(d.shape[1:]), size)


def _add_size(to: Assembler, parts: Indices, signs: Floats, size: int | None) -> None:
    """Add `sum of signs * parts <= r`; signs have the shape (points, inputs)."""
    if size is not None:
        columns = np.concatenate([parts, np.full((*parts.shape[:-1], 1), size)], axis=-1)
        coefficients = np.concatenate([signs, np.full((len(signs), 1), -1.0)], axis=-1)
        to.rows(columns, coefficients, -np.inf, 0.0, "norm of d <= r")
