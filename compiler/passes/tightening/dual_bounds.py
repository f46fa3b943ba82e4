"""Bounds of a linear form over a linear model, from any row multipliers, sound in real arithmetic.

For every vector y whose entries are of the sign that a row's sides allow, and `r = c - A^T y`,

    c v  =  y (A v) + r v  >=  sum_i y_i side_i  +  sum_j min(r_j lower_j, r_j upper_j)

holds at all v between the bounds that satisfy the rows: weak duality, whoever proposes y and however badly.
A solver's multipliers make the right-hand side nearly the optimum; what rounding may have changed is
subtracted (Neumaier & Shcherbina 2004, Safe bounds in linear and mixed-integer linear programming).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ensc.compiler.passes.bounds.rounding import slack, totals
from ensc.compiler.types.model import Floats, Indices, Model, Objective


@dataclass(frozen=True, slots=True, eq=False)
class Subproblem:
    """An objective over a model, some of whose binaries are fixed.

    Attributes:
        objective: to be minimized.
        columns: the binaries that are fixed, distinct.
        values: 0 or 1 for each of them.
    """

    objective: Objective
    columns: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    values: Floats = field(default_factory=lambda: np.empty(0))


LpSolver: TypeAlias = Callable[[Model, Sequence[Subproblem]], Sequence[Floats]]
"""Solves subproblems, in order, over a linear model whose other integer variables may be fractional.

Returns for each of them a multiplier for each row, positive where the row's lower side holds the optimum up,
or multipliers that show that there is no solution; an empty array where it has none to offer; and fewer
arrays than subproblems if its time is up. Nothing that it returns is believed.
"""


def least_by_multipliers(model: Model, objective: Objective, multipliers: Floats) -> float:
    """Return a lower bound of an objective over a model's rows and bounds.

    Args:
        model: without indicator rows; whatever in it is not a row or a bound is disregarded.
        objective: to be minimized.
        multipliers: any numbers, shape (rows,).

    Returns:
        The bound; -inf where the multipliers are of the wrong shape or prove nothing.
    """
    rows, variables = model.rows, model.variables
    if multipliers.shape != (len(rows),):
        return -np.inf
    with np.errstate(all="ignore"):  # what overflows ends as a bound that says nothing
        y, side = _admissible(model, multipliers)
        products = rows.coefficients * y[rows.owners()]
        count = len(variables)
        cost = totals(objective.columns, objective.coefficients, count)
        reduced = cost - totals(rows.columns, products, count)
        terms = np.bincount(rows.columns, minlength=count) + 2
        magnitude = np.abs(cost) + totals(rows.columns, np.abs(products), count)
        reach = np.maximum(np.abs(variables.lower), np.abs(variables.upper))
        ends = np.minimum(reduced * variables.lower, reduced * variables.upper)
        parts = np.concatenate([y * side, ends, -slack(terms, magnitude) * reach])
        bound = parts.sum() - slack(len(parts) + 8, np.abs(parts).sum())
    return float(bound) if np.isfinite(bound) else -np.inf


def _admissible(model: Model, multipliers: Floats) -> tuple[Floats, Floats]:
    """Return multipliers without those that lean on a side which a row lacks, and the sides leaned on."""
    rows = model.rows
    side = np.where(multipliers > 0, rows.lower, rows.upper)
    useful = np.isfinite(multipliers) & np.isfinite(side) & (rows.indicator < 0)
    return np.where(useful, multipliers, 0.0), np.where(useful, side, 0.0)
