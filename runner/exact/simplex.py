"""Linear programs in exact arithmetic, for a handful of columns and any number of rows.

The tableau holds Python integers over one common positive denominator; every division in a pivot is
exact (Edmonds 1967, Bareiss 1968), so that nothing is ever rounded or reduced. Bland's rule makes the
number of pivots finite, the pivots are few because the columns are.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Exact = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Optimum:
    """A basic optimal solution of `maximize objective . x` subject to `matrix x <= rhs`, `x >= 0`.

    Attributes:
        value: of the objective.
        primal: x, one number a column.
        dual: y >= 0, one number a row; at most as many are not zero as there are columns.
    """

    value: Fraction
    primal: tuple[Fraction, ...]
    dual: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Tableau:
    """`basic + entries[:-1, :-1] nonbasic = entries[:-1, -1]`, all over `denominator`.

    The last row is the objective: entries below zero say which nonbasic variable would raise it.
    Variables are numbered columns first, then the slacks of the rows.
    """

    entries: Exact
    denominator: int
    basic: tuple[int, ...]
    nonbasic: tuple[int, ...]


def maximize(
    matrix: npt.ArrayLike, rhs: npt.ArrayLike, objective: npt.ArrayLike, *, enter: int | None = None
) -> Optimum | None:
    """Solve `maximize objective . x` subject to `matrix x <= rhs`, `x >= 0` exactly.

    Args:
        matrix: integers, shape (rows, columns), at least one row and column.
        rhs: integers, shape (rows,), none negative unless `enter` is given.
        objective: integers, shape (columns,).
        enter: a column with -1 in every row: raising it makes every row hold, so that the search can
            start although some right-hand sides are negative.

    Returns:
        An optimum whose dual proves it, or None if the objective is unbounded.
    """
    a, b, c = _integers(matrix), _integers(rhs), _integers(objective)
    tableau: _Tableau | None = _start(a, b, c)
    assert tableau is not None
    if enter is not None and (b < 0).any():
        tableau = _pivot(tableau, int(np.argmin(b)), enter)
    assert (tableau.entries[:-1, -1] >= 0).all(), "no feasible point to start from"
    while (column := _entering(tableau)) is not None:
        row = _leaving(tableau, column)
        if row is None:
            return None
        tableau = _pivot(tableau, row, column)
    optimum = _read(tableau, *a.shape)
    _verify(optimum, a, b, c)
    return optimum


def _integers(numbers: npt.ArrayLike) -> Exact:
    array = np.asarray(numbers)
    whole = np.array([int(v) for v in array.ravel().tolist()], dtype=object).reshape(array.shape)
    assert (whole == array).all(), "exact linear programs have integer data"
    return whole


def _start(a: Exact, b: Exact, c: Exact) -> _Tableau:
    rows, columns = a.shape
    entries = np.zeros((rows + 1, columns + 1), dtype=object)
    entries[:-1, :-1], entries[:-1, -1], entries[-1, :-1] = a, b, -c
    return _Tableau(entries, 1, tuple(range(columns, columns + rows)), tuple(range(columns)))


def _entering(tableau: _Tableau) -> int | None:
    """Bland's rule: of the columns that raise the objective, the variable with the least number."""
    rising = np.flatnonzero(tableau.entries[-1, :-1] < 0).tolist()
    return min(rising, key=lambda j: tableau.nonbasic[j], default=None)


def _leaving(tableau: _Tableau, column: int) -> int | None:
    """Return the row that blocks first; of several, the one whose variable has the least number."""
    limits = tableau.entries[:-1, column]
    blocking = np.flatnonzero(limits > 0).tolist()

    def order(row: int) -> tuple[Fraction, int]:
        return Fraction(tableau.entries[row, -1], limits[row]), tableau.basic[row]

    return min(blocking, key=order, default=None)


def _pivot(tableau: _Tableau, row: int, column: int) -> _Tableau:
    old = tableau.entries
    pivot = old[row, column]
    entries = (old * pivot - np.outer(old[:, column], old[row])) // tableau.denominator
    entries[row] = old[row]
    entries[:, column] = -old[:, column]
    entries[row, column] = tableau.denominator
    sign = 1 if pivot > 0 else -1  # the denominator stays positive, comparisons then need no care
    basic, nonbasic = list(tableau.basic), list(tableau.nonbasic)
    basic[row], nonbasic[column] = nonbasic[column], basic[row]
    return _Tableau(entries * sign, int(pivot) * sign, tuple(basic), tuple(nonbasic))


def _read(tableau: _Tableau, rows: int, columns: int) -> Optimum:
    every = [Fraction(0)] * (columns + rows)
    for variable, entry in zip(tableau.basic, tableau.entries[:-1, -1].tolist(), strict=True):
        every[variable] = Fraction(entry, tableau.denominator)
    prices = [Fraction(0)] * (columns + rows)
    for variable, entry in zip(tableau.nonbasic, tableau.entries[-1, :-1].tolist(), strict=True):
        prices[variable] = Fraction(entry, tableau.denominator)
    value = Fraction(tableau.entries[-1, -1], tableau.denominator)
    return Optimum(value, tuple(every[:columns]), tuple(prices[columns:]))


def _verify(optimum: Optimum, a: Exact, b: Exact, c: Exact) -> None:
    """Weak duality, exactly: a feasible pair with equal objectives is optimal, however it was found."""
    x, y = _fractions(optimum.primal), _fractions(optimum.dual)
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (a @ x <= b).all()
    assert (y @ a >= c).all()
    assert c @ x == y @ b == optimum.value


def _fractions(numbers: tuple[Fraction, ...]) -> npt.NDArray[Any]:
    return np.array(numbers, dtype=object)
