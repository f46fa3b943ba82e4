"""Coefficients that readers would silently drop, dealt with so that no solution is lost.

HiGHS, SCIP and COPT drop coefficients up to 1e-9, as training with weight decay leaves them by the hundred.
What such terms may amount to is bounded by the bounds of their variables: in an equation one variable
`o` stands for their sum, in an inequality the bound moves by it.
"""

import dataclasses

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.rounding import slack
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, Model, Rows, Variables

SMALLEST = 1e-9
"""Readers drop coefficients up to here."""


def without_tiny_coefficients(model: Model) -> Model:
    """Return a model whose solutions contain those of the given one, without tiny coefficients.

    Raises:
        Rejected: E1001 if a tiny coefficient stands before a variable without bounds.
    """
    rows = model.rows
    tiny = np.abs(rows.coefficients) <= SMALLEST
    if not tiny.any():
        return model
    least, most = _sums(model, tiny)
    touched = np.bincount(rows.owners()[tiny], minlength=len(rows)) > 0
    equations = touched & (rows.lower == rows.upper)
    moved = touched & ~equations
    kept = dataclasses.replace(
        _without(rows, tiny),
        lower=np.where(moved, np.nextafter(rows.lower - most, -np.inf), rows.lower),
        upper=np.where(moved, np.nextafter(rows.upper - least, np.inf), rows.upper),
    )
    if not equations.any():
        return dataclasses.replace(model, rows=kept)
    variables, omitted = _with_omitted(model.variables, least[equations], most[equations])
    return dataclasses.replace(model, variables=variables, rows=_with_column(kept, equations, omitted))


def _sums(model: Model, tiny: Flags) -> tuple[Floats, Floats]:
    """Return what the tiny terms of each row are together at least and at most."""
    rows, variables = model.rows, model.variables
    columns, owners, count = rows.columns[tiny], rows.owners()[tiny], len(rows)
    ends = np.stack([variables.lower[columns], variables.upper[columns]]) * rows.coefficients[tiny]
    if not np.isfinite(ends).all():
        reject(
            "E1001",
            "a coefficient below 1e-9 stands before a variable without bounds",
            help="give the query a bounded `input domain`",
        )
    error = slack(int(tiny.sum()) + 2, totals(owners, np.abs(ends).max(axis=0), count))
    least = totals(owners, ends.min(axis=0), count) - error
    return least, totals(owners, ends.max(axis=0), count) + error


def totals(owners: Indices, terms: Floats, count: int) -> Floats:
    """Return the sum of the terms of each owner, shape (count,)."""
    return np.bincount(owners, terms, count).astype(np.float64)


def _without(rows: Rows, entries: Flags) -> Rows:
    lengths = np.bincount(rows.owners()[~entries], minlength=len(rows))
    return dataclasses.replace(
        rows,
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        columns=rows.columns[~entries],
        coefficients=rows.coefficients[~entries],
    )


def _with_omitted(variables: Variables, least: Floats, most: Floats) -> tuple[Variables, Indices]:
    """Add one variable for each equation: the sum of its omitted terms."""
    labels = Labels("o", (np.arange(1, len(least) + 1),))
    extended = Variables(
        np.concatenate([variables.lower, least]),
        np.concatenate([variables.upper, most]),
        np.concatenate([variables.integer, np.zeros(len(least), dtype=np.bool_)]),
        (*variables.labels, labels),
    )
    return extended, len(variables) + np.arange(len(least))


def _with_column(rows: Rows, chosen: Flags, columns: Indices) -> Rows:
    """Add a variable with coefficient 1 at the end of each chosen row."""
    ends = rows.starts[1:][chosen]
    return dataclasses.replace(
        rows,
        starts=rows.starts + np.concatenate([[0], np.cumsum(chosen)]),
        columns=np.insert(rows.columns, ends, columns),
        coefficients=np.insert(rows.coefficients, ends, 1.0),
    )
