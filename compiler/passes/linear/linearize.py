"""Model -> linear Model: every piecewise-linear constraint becomes rows and binaries.

By big-M, which every MILP solver reads; or, for solvers that hold them, by indicator rows or ordered sets.

The big-M constants are the bounds of the variables, so a model with tighter bounds gives a tighter file.
Every constant is rounded to the side that keeps all solutions of the exact model: the linear model's
solutions contain them, hence "infeasible" carries over.
"""

import dataclasses
from typing import Literal, assert_never

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.bounds.rounding import short_down, short_up, slack, totals
from ensc.compiler.passes.linear.native import (
    binaries,
    indicator_maxima,
    indicator_rectifiers,
    picked,
    set_conditions,
    set_maxima,
    set_rectifiers,
)
from ensc.compiler.passes.linear.tiny import without_tiny_coefficients
from ensc.compiler.passes.lowering.assemble import Assembler, concatenate_rows, concatenate_sets
from ensc.compiler.types.model import (
    Floats,
    Indices,
    Model,
    OrderedSets,
    Rows,
    Variables,
    no_clauses,
    no_maxima,
    no_products,
    no_rectifiers,
)

Formulation = Literal["big-m", "indicator", "sos"]

LARGEST = 1e15
"""Readers refuse larger coefficients or take them for infinite."""


def linearize(model: Model, formulation: Formulation = "big-m", *, helpful_products: bool = False) -> Model:
    """Rewrite rectifiers, maxima, products, clauses and indicator rows as linear rows over binaries.

    Args:
        model: any model.
        formulation: how.
        helpful_products: whether a larger product only helps whoever seeks a solution; then its two
            upper bounds say enough.

    Raises:
        Rejected: E1001 if a variable has no finite bound where a big-M constant is needed, E1002 if a
            constant is too large for the readers of the file.
    """
    to = Assembler()
    to.size = len(model.variables)
    _settled(to, model)
    model = dataclasses.replace(model, rectifiers=model.rectifiers.free())
    rows, sets = _formulated(to, model, formulation)
    _products(to, model, helpful=helpful_products)
    _clauses(to, model)
    linear = dataclasses.replace(
        model,
        variables=_extended(model.variables, to),
        rows=concatenate_rows([rows, *to.row_blocks]),
        ordered_sets=concatenate_sets([model.ordered_sets, *sets]),
        rectifiers=no_rectifiers(),
        maxima=no_maxima(),
        products=no_products(),
        clauses=no_clauses(),
    )
    return _within_range(without_tiny_coefficients(linear))


def _formulated(to: Assembler, model: Model, formulation: Formulation) -> tuple[Rows, list[OrderedSets]]:
    """Add rectifiers and maxima; return the model's own rows in the form asked for, and ordered sets."""
    match formulation:
        case "big-m":
            _rectifiers(to, model)
            _one_of(to, model, _maxima(to, model))
            return _without_indicators(model), []
        case "indicator":
            indicator_rectifiers(to, model)
            _one_of(to, model, indicator_maxima(to, model))
            return model.rows, []
        case "sos":
            sets = set_rectifiers(to, model)
            z, more = set_maxima(to, model)
            _one_of(to, model, z)
            rows, conditions = set_conditions(to, model.rows, *_activity(model.rows, model.variables))
            return rows, [*sets, *more, *conditions]
        case _:
            assert_never(formulation)


def _one_of(to: Assembler, model: Model, z: Indices) -> None:
    if len(z):
        to.row_blocks.append(_sums(model.maxima.starts, z, 1.0, 1.0, "one selector of a maximum"))


def _extended(variables: Variables, to: Assembler) -> Variables:
    return Variables(
        np.concatenate([variables.lower, *to.lower]),
        np.concatenate([variables.upper, *to.upper]),
        np.concatenate([variables.integer, *to.integer]),
        (*variables.labels, *to.labels),
    )


def _settled(to: Assembler, model: Model) -> None:
    """`h >= a`, and where the switch v is 1, `h <= a` or `h <= 0`: `h <= a - l (1 - v)`, `h <= u (1 - v)`."""
    switch, active = model.rectifiers.switch, model.rectifiers.active
    if not len(switch):
        return
    first = len(model.rectifiers) - len(switch)
    y, a = model.rectifiers.output[first:], model.rectifiers.input[first:]
    lower = np.minimum(model.variables.lower[a], 0.0)[active]
    upper = np.maximum(model.variables.upper[a], 0.0)[~active]
    to.rows(np.stack([y, a], axis=-1), np.array([1.0, -1.0]), 0.0, np.inf, "h >= a")
    coefficients = np.stack([np.ones_like(lower), -np.ones_like(lower), -lower], axis=-1)
    columns = np.stack([y[active], a[active], switch[active]], axis=-1)
    to.rows(columns, coefficients, -np.inf, -lower, "a claimed loss implies h <= a")
    columns = np.stack([y[~active], switch[~active]], axis=-1)
    coefficients = np.stack([np.ones_like(upper), upper], axis=-1)
    to.rows(columns, coefficients, -np.inf, upper, "a claimed loss implies h <= 0")


def _rectifiers(to: Assembler, model: Model) -> None:
    """`y = max(0, a)`, `l <= a <= u`: `y >= 0`, `y >= a`, `y <= u z`, `y <= a - l (1 - z)`."""
    y, a = model.rectifiers.output, model.rectifiers.input
    if not len(y):
        return
    lower = np.minimum(model.variables.lower[a], 0.0)
    upper = np.maximum(model.variables.upper[a], 0.0)
    z = binaries(to, model.rectifiers.labels)
    pair = np.stack([y, a], axis=-1)
    to.rows(pair, np.array([1.0, -1.0]), 0.0, np.inf, "h >= a")
    coefficients = np.stack([np.ones_like(upper), -upper], axis=-1)
    to.rows(np.stack([y, z], axis=-1), coefficients, -np.inf, 0.0, "h <= upper z")
    coefficients = np.stack([np.ones_like(lower), -np.ones_like(lower), -lower], axis=-1)
    to.rows(np.stack([y, a, z], axis=-1), coefficients, -np.inf, -lower, "h <= a - lower (1 - z)")


def _maxima(to: Assembler, model: Model) -> Indices:
    """`y >= a_i`, `y <= a_i + (U - l_i)(1 - z_i)`, with `U` above every candidate; returns z."""
    maxima = model.maxima
    if not len(maxima.output):
        return maxima.candidates
    widths = np.diff(maxima.starts)
    a, y = maxima.candidates, np.repeat(maxima.output, widths)
    z = binaries(to, maxima.labels)
    ceiling = np.repeat(np.maximum.reduceat(model.variables.upper[a], maxima.starts[:-1]), widths)
    gap = short_up(np.nextafter(ceiling - model.variables.lower[a], np.inf))
    ones = np.ones_like(gap)
    to.rows(np.stack([y, a], axis=-1), np.array([1.0, -1.0]), 0.0, np.inf, "h >= candidate")
    coefficients = np.stack([ones, -ones, gap], axis=-1)
    meaning = "h <= candidate + (U - lower)(1 - z)"
    to.rows(np.stack([y, a, z], axis=-1), coefficients, -np.inf, gap, meaning)
    return z


def _sums(starts: Indices, columns: Indices, lower: float, upper: float, meaning: str) -> Rows:
    """Return rows `lower <= sum of columns <= upper`, one for each segment of `starts`."""
    to = Assembler()
    to.rows(columns[:, None], 1.0, lower, upper, meaning)
    block = to.row_blocks[0]
    count = len(starts) - 1
    return dataclasses.replace(
        block,
        starts=starts,
        lower=block.lower[:1].repeat(count),
        upper=block.upper[:1].repeat(count),
        indicator=block.indicator[:1].repeat(count),
        active=block.active[:1].repeat(count),
        groups=(dataclasses.replace(block.groups[0], size=count),),
    )


def _products(to: Assembler, model: Model, *, helpful: bool) -> None:
    """`q = p l`: `q <= p`, `q <= l`, `q >= p + l - 1` (exact for p in [0, 1] and l binary)."""
    q, p, switch = model.products.product, model.products.factor, model.products.switch
    if not len(q):
        return
    for other, meaning in ((p, "q <= p"), (switch, "q <= l")):
        to.rows(np.stack([q, other], axis=-1), np.array([1.0, -1.0]), -np.inf, 0.0, meaning)
    if helpful:
        return
    columns = np.stack([q, p, switch], axis=-1)
    to.rows(columns, np.array([1.0, -1.0, -1.0]), -1.0, np.inf, "q >= p + l - 1")


def _clauses(to: Assembler, model: Model) -> None:
    """`condition <= sum of literals`."""
    clauses = model.clauses
    if not len(clauses.condition):
        return
    ends = clauses.starts[1:]
    columns = np.insert(clauses.literals, ends, clauses.condition)
    starts = clauses.starts + np.arange(len(clauses.starts))
    rows = _sums(starts, columns, 0.0, np.inf, "l <= sum of w")
    coefficients = np.ones(len(columns))
    coefficients[starts[1:] - 1] = -1.0
    to.row_blocks.append(dataclasses.replace(rows, coefficients=coefficients))


def _without_indicators(model: Model) -> Rows:
    """Relax every conditional row when its binary has the other value.

    `b = 1 implies sum >= g` becomes `sum + (L - g) b >= L` with `L <= sum` always, and
    `b = 0 implies sum >= g` becomes `sum + (g - L) b >= g`; likewise from above with `U >= sum`.
    """
    conditional = model.rows.indicator >= 0
    if not conditional.any():
        return model.rows
    rows = picked(model.rows, conditional)
    least, most = _activity(rows, model.variables)
    parts = [picked(model.rows, ~conditional)]
    for sign, side, reach in ((1.0, rows.lower, least), (-1.0, -rows.upper, -most)):
        chosen = np.isfinite(side)
        if chosen.any():
            parts.append(_relaxed(picked(rows, chosen), sign, side[chosen], reach[chosen]))
    return concatenate_rows(parts)


def _relaxed(rows: Rows, sign: float, bound: Floats, reach: Floats) -> Rows:
    """Return `sign * sum >= bound`, relaxed to `>= reach` where the indicator is not active."""
    if not np.isfinite(reach).all():
        reject(
            "E1001",
            f"no big-M constant exists for the rows `{rows.groups[0].meaning}`",
            notes=("a variable in them is unbounded",),
            help="give the query a bounded `input domain`",
        )
    exact = (bound == 0.0) | (bound == reach)
    gap = np.where(rows.active, reach - bound, bound - reach)
    gap = np.where(exact, gap, np.nextafter(gap, np.inf))
    ends = rows.starts[1:]
    kept = gap != 0
    coefficients = np.insert(sign * rows.coefficients, ends[kept], gap[kept])
    columns = np.insert(rows.columns, ends[kept], rows.indicator[kept])
    starts = rows.starts + np.concatenate([[0], np.cumsum(kept)])
    return dataclasses.replace(
        rows,
        starts=starts,
        columns=columns,
        coefficients=coefficients,
        lower=np.where(rows.active, reach, bound),
        upper=np.full(len(rows), np.inf),
        indicator=np.full(len(rows), -1),
    )


def _activity(rows: Rows, variables: Variables) -> tuple[Floats, Floats]:
    """Return sound bounds of every row's sum over the box of its variables."""
    lower, upper = variables.lower[rows.columns], variables.upper[rows.columns]
    positive = rows.coefficients > 0
    low = rows.coefficients * np.where(positive, lower, upper)
    high = rows.coefficients * np.where(positive, upper, lower)
    owner, count = rows.owners(), len(rows)
    magnitude = totals(owner, np.maximum(np.abs(low), np.abs(high)), count)
    error = slack(int(np.diff(rows.starts).max(initial=0)) + 2, magnitude)
    return short_down(totals(owner, low, count) - error), short_up(totals(owner, high, count) + error)


def _within_range(model: Model) -> Model:
    """Refuse constants that readers do not take as they stand."""
    rows = model.rows
    large = (rows.coefficients >= LARGEST) | (rows.coefficients <= -LARGEST)
    if large.any():
        row = int(rows.owners()[np.argmax(large)])
        value = rows.coefficients[np.argmax(large)]
        reject(
            "E1002",
            f"the coefficient {value:.3g} in the rows `{_meaning(rows, row)}` is too large for a solver",
            notes=("big-M constants are the bounds of the neurons; above 1e15 no tolerance holds",),
            help="use a smaller domain or radius, or a network with smaller weights",
        )
    return model


def _meaning(rows: Rows, row: int) -> str:
    ends = np.cumsum([group.size for group in rows.groups])
    return rows.groups[int(np.searchsorted(ends, row, side="right"))].meaning
