"""A point of a model, given the values that a choice is free in: everything else follows from them.

Equations with one unknown, rectifiers, maxima and products are followed until nothing new comes of them,
in the piecewise-linear model first, whose rows still have the terms that are too small for files; then in
the linear one, where phases and selectors follow from the values they are about.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.rounding import totals
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, Model, Names, Rows


def complete(model: Model, linear: Model, values: Floats) -> Floats:
    """Return a value for every variable of a linear model.

    Args:
        model: what `linear` was made of; its variables are the first ones of `linear`.
        linear: the model that is written.
        values: of the variables of `model`, shape (variables,), nan where unknown.

    Returns:
        Shape (variables of `linear`,), nan where nothing determines a value.
    """
    known = np.full(len(linear.variables), np.nan)
    known[: len(values)] = _followed(model, values)
    _put(known, linear, model.rectifiers.labels, (known[model.rectifiers.input] > 0).astype(np.float64))
    _put(known, linear, model.maxima.labels, _selected(model, known))
    known = _followed(linear, known)
    return _with_slacks(linear.rows, known)


@dataclass(frozen=True, slots=True, eq=False)
class _Equations:
    """Equations `sum coefficient * variable = side`, as entries with their owners."""

    owners: Indices
    columns: Indices
    coefficients: Floats
    sides: Floats


def _followed(model: Model, values: Floats) -> Floats:
    known = values.copy()
    fixed = np.isnan(known) & (model.variables.lower == model.variables.upper)
    known[fixed] = model.variables.lower[fixed]
    equations = _equations(model.rows)
    while True:
        before = int(np.isnan(known).sum())
        equations = _solve(equations, known)
        _follow_piecewise(model, known)
        if int(np.isnan(known).sum()) == before:
            return known


def _equations(rows: Rows) -> _Equations:
    chosen = (rows.lower == rows.upper) & (rows.indicator < 0)
    owners = rows.owners()
    entries = chosen[owners]
    return _Equations(owners[entries], rows.columns[entries], rows.coefficients[entries], rows.lower)


def _solve(equations: _Equations, known: Floats) -> _Equations:
    """Solve those with one unknown; return those that have more."""
    owners, count = equations.owners, len(equations.sides)
    terms = known[equations.columns] * equations.coefficients
    missing = np.isnan(terms)
    unknowns = np.bincount(owners[missing], minlength=count)
    rest = equations.sides - totals(owners, np.where(missing, 0.0, terms), count)
    ready = missing & (unknowns[owners] == 1)
    known[equations.columns[ready]] = rest[owners[ready]] / equations.coefficients[ready]
    later = unknowns[owners] > 1
    return dataclasses.replace(
        equations,
        owners=owners[later],
        columns=equations.columns[later],
        coefficients=equations.coefficients[later],
    )


def _follow_piecewise(model: Model, known: Floats) -> None:
    """Let outputs follow their inputs; what has an unknown input stays as it is."""
    rectifiers, maxima, products = model.rectifiers, model.maxima, model.products
    _follow(known, rectifiers.output, np.maximum(known[rectifiers.input], 0.0))
    if len(maxima.output):
        _follow(known, maxima.output, np.maximum.reduceat(known[maxima.candidates], maxima.starts[:-1]))
    _follow(known, products.product, known[products.factor] * known[products.switch])


def _follow(known: Floats, outputs: Indices, values: Floats) -> None:
    """Set what can be computed: a variable may be known from its bounds before its input is."""
    computed = ~np.isnan(values)
    known[outputs[computed]] = values[computed]


def _selected(model: Model, known: Floats) -> Floats:
    """Return 1 for the first candidate of each maximum that attains it, 0 for the others."""
    maxima = model.maxima
    if not len(maxima.output):
        return np.empty(0)
    widths = np.diff(maxima.starts)
    attains = known[maxima.candidates] == np.repeat(known[maxima.output], widths)
    rank = np.cumsum(attains)
    before = (rank - attains)[maxima.starts[:-1]]
    first: Flags = attains & (rank - np.repeat(before, widths) == 1)
    return first.astype(np.float64)


def _put(known: Floats, linear: Model, runs: Sequence[Labels], values: Floats) -> None:
    """Give the variables of some runs of names their values, where the linear model has them."""
    first = 0
    for run in runs:
        place = _place(linear.variables.labels, run)
        if place is not None:
            known[place : place + run.size] = values[first : first + run.size]
        first += run.size


def _place(runs: Sequence[Labels | Names], wanted: Labels) -> int | None:
    """Return the first variable of a run: a formulation names its binaries by the runs it was given."""
    first = 0
    for run in runs:
        if run is wanted:
            return first
        first += run.size
    return None


def _with_slacks(rows: Rows, known: Floats) -> Floats:
    """Give each unknown of a row that has no other the value nearest to 0 that satisfies the row."""
    owners = rows.owners()
    terms = known[rows.columns] * rows.coefficients
    missing = np.isnan(terms)
    if not missing.any():
        return known
    sums = totals(owners, np.where(missing, 0.0, terms), len(rows))
    alone = missing & (np.bincount(owners[missing], minlength=len(rows))[owners] == 1)
    row, column, coefficient = owners[alone], rows.columns[alone], rows.coefficients[alone]
    ends = (np.stack([rows.lower, rows.upper]) - sums)[:, row] / coefficient
    result = known.copy()
    result[column] = np.clip(0.0, ends.min(axis=0), ends.max(axis=0))
    return result


def violation(model: Model, values: Floats) -> float:
    """Return by how much a point violates a linear model at most: bounds, integrality, rows, ordered sets.

    Rows are measured in units of their largest coefficient or side.
    """
    variables, rows = model.variables, model.rows
    outside = np.maximum(variables.lower - values, values - variables.upper).max(initial=0.0)
    fraction = np.abs(values - np.round(values))[variables.integer].max(initial=0.0)
    owners = rows.owners()
    sums = totals(owners, values[rows.columns] * rows.coefficients, len(rows))
    sizes = np.ones(len(rows))
    np.maximum.at(sizes, owners, np.abs(rows.coefficients))
    for side in (rows.lower, rows.upper):
        sizes = np.maximum(sizes, np.where(np.isfinite(side), np.abs(side), 0.0))
    holds = (rows.indicator < 0) | ((values[rows.indicator] > 0.5) == rows.active)
    beyond = np.where(holds, np.maximum(rows.lower - sums, sums - rows.upper) / sizes, 0.0)
    return float(max(outside, fraction, beyond.max(initial=0.0), _crowded(model, values)))


def _crowded(model: Model, values: Floats) -> float:
    """Return the second largest value of an ordered set, of which all but one should be 0."""
    sets = model.ordered_sets
    if not len(sets.members):
        return 0.0
    sizes = np.abs(values[sets.members])
    starts = sets.starts[:-1]
    excess = np.add.reduceat(sizes, starts) - np.maximum.reduceat(sizes, starts)
    return float(excess.max(initial=0.0))
