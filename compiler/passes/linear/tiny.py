"""Coefficients that readers would silently drop, dealt with so that no solution is lost.

HiGHS, SCIP and COPT drop coefficients up to 1e-9, as training with weight decay leaves them by the hundred.
What such terms may amount to is bounded by the bounds of their variables: in an equation one variable
`o` stands for their sum, in an inequality the bound moves by it.
"""

import dataclasses

import numpy as np

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.bounds.rounding import slack, totals
from ensc.compiler.types.model import Flags, Floats, Indices, Labels, Model, Rows, Variables

SMALLEST = 1e-9
"""Readers drop coefficients up to here."""


def without_tiny_coefficients(model: Model) -> Model:
    """Return a model whose solutions contain those of the given one, without tiny coefficients.

    Raises:
        Rejected: E1001 if a tiny coefficient stands before a variable without bounds.
    """
    rows = model.rows
    tiny = np.flatnonzero((rows.coefficients <= SMALLEST) & (rows.coefficients >= -SMALLEST))
    if not len(tiny):
        return model
    owners = np.searchsorted(rows.starts, tiny, side="right") - 1
    least, most = _sums(model, tiny, owners)
    touched = np.zeros(len(rows), dtype=np.bool_)
    touched[owners] = True
    equations = touched & (rows.lower == rows.upper)
    moved = touched & ~equations
    variables, omitted = _with_omitted(model.variables, least[equations], most[equations])
    kept = dataclasses.replace(
        _replaced(rows, tiny, owners, equations, omitted),
        lower=np.where(moved, np.nextafter(rows.lower - most, -np.inf), rows.lower),
        upper=np.where(moved, np.nextafter(rows.upper - least, np.inf), rows.upper),
    )
    return dataclasses.replace(model, variables=variables, rows=kept)


def _sums(model: Model, tiny: Indices, owners: Indices) -> tuple[Floats, Floats]:
    """Return what the tiny terms of each row are together at least and at most."""
    rows, variables, count = model.rows, model.variables, len(model.rows)
    columns = rows.columns[tiny]
    ends = np.stack([variables.lower[columns], variables.upper[columns]]) * rows.coefficients[tiny]
    if not np.isfinite(ends).all():
        reject(
            "E1001",
            "a coefficient below 1e-9 stands before a variable without bounds",
            help="give the query a bounded `input domain`",
        )
    error = slack(len(tiny) + 2, totals(owners, np.abs(ends).max(axis=0), count))
    least = totals(owners, ends.min(axis=0), count) - error
    return least, totals(owners, ends.max(axis=0), count) + error


def _with_omitted(variables: Variables, least: Floats, most: Floats) -> tuple[Variables, Indices]:
    """Add one variable for each equation: the sum of its omitted terms."""
    if not len(least):
        return variables, np.empty(0, dtype=np.int64)
    labels = Labels("o", (np.arange(1, len(least) + 1),))
    extended = Variables(
        np.concatenate([variables.lower, least]),
        np.concatenate([variables.upper, most]),
        np.concatenate([variables.integer, np.zeros(len(least), dtype=np.bool_)]),
        (*variables.labels, labels),
    )
    return extended, len(variables) + np.arange(len(least))


def _replaced(rows: Rows, tiny: Indices, owners: Indices, equations: Flags, omitted: Indices) -> Rows:
    """Drop the tiny entries, but put a variable with coefficient 1 in the place of an equation's last.

    Args:
        rows: all rows.
        tiny: places of the entries, in order.
        owners: their rows.
        equations: which rows are equations with tiny entries.
        omitted: a variable for each of them.
    """
    last = equations[owners]
    last[:-1] &= owners[1:] != owners[:-1]
    dropped, held = tiny[~last], tiny[last]
    places = held - np.searchsorted(dropped, held)
    kept = np.ones(rows.nonzeros, dtype=np.bool_)
    kept[dropped] = False
    columns, coefficients = rows.columns[kept], rows.coefficients[kept]
    columns[places], coefficients[places] = omitted, 1.0
    lengths = np.diff(rows.starts) - np.bincount(owners[~last], minlength=len(rows))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return dataclasses.replace(rows, starts=starts, columns=columns, coefficients=coefficients)
