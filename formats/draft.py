"""A linear model while its file is read: the one mutable value of a reader, alive only inside it."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import Floats, Model, Names, Objective, OrderedSets, RowGroup, Rows, Variables
from ensc.formats.columnar import stable_order

INF = float("inf")

_Scalar = TypeVar("_Scalar", bound=np.generic)


def _doubles() -> "array[float]":
    return array("d")


def _integers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class Draft:
    """What a file has said so far.

    Attributes:
        columns: name to place.
        integer: whether each column is integral.
        lower: the lower bounds that the file states, by column; others are 0.
        upper: the upper bounds that the file states, by column; others are infinite.
        rows: name to place.
        row_lower: of each row.
        row_upper: of each row.
        indicators: the column and its value on which a row depends, by row.
        entry_rows: the row of each entry.
        entry_columns: the column of each entry.
        entry_values: the coefficient of each entry.
        costs: the coefficients of the objective, by column.
        constant: of the objective.
        sense: of the objective.
        sets: the members of each ordered set.
    """

    columns: dict[str, int] = field(default_factory=dict)
    integer: list[bool] = field(default_factory=list)
    lower: dict[int, float] = field(default_factory=dict)
    upper: dict[int, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    row_lower: "array[float]" = field(default_factory=_doubles)
    row_upper: "array[float]" = field(default_factory=_doubles)
    indicators: dict[int, tuple[int, bool]] = field(default_factory=dict)
    entry_rows: "array[int]" = field(default_factory=_integers)
    entry_columns: "array[int]" = field(default_factory=_integers)
    entry_values: "array[float]" = field(default_factory=_doubles)
    costs: dict[int, float] = field(default_factory=dict)
    constant: float = 0.0
    sense: Literal["minimize", "maximize"] = "minimize"
    sets: list[list[int]] = field(default_factory=list)

    def column(self, name: str, *, integer: bool = False) -> int:
        """Return the place of a column, a new one if the name is."""
        place = self.columns.setdefault(name, len(self.columns))
        if place == len(self.integer):
            self.integer.append(integer)
        return place

    def row(self, name: str, lower: float = -INF, upper: float = INF) -> int:
        """Add a row of a name that no other has, and return its place."""
        place = self.rows[name] = len(self.rows)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return place

    def enter(self, row: int, column: int, value: float) -> None:
        """Add an entry; each row and column may have one."""
        self.entry_rows.append(row)
        self.entry_columns.append(column)
        self.entry_values.append(value)

    def is_binary(self, column: int) -> bool:
        """Whether a column is integral and stated to lie between 0 and 1."""
        return self.integer[column] and self.lower.get(column, 0.0) == 0 and self.upper.get(column, INF) == 1

    def model(self, name: str, notes: tuple[str, ...]) -> Model:
        """Return the finished model; terms with coefficient 0 are left out."""
        costs = {column: value for column, value in self.costs.items() if value}
        columns, values = _arrays(costs)
        return Model(
            name=name,
            variables=self._variables(),
            rows=self._rows(),
            objective=Objective(self.sense, columns, values, self.constant),
            ordered_sets=OrderedSets(
                np.cumsum([0, *map(len, self.sets)], dtype=np.int64),
                np.array([member for members in self.sets for member in members], dtype=np.int64),
            ),
            notes=notes,
        )

    def _variables(self) -> Variables:
        lower, upper = np.zeros(len(self.columns)), np.full(len(self.columns), INF)
        for bounds, stated in ((lower, self.lower), (upper, self.upper)):
            places, values = _arrays(stated)
            bounds[places] = values
        return Variables(lower, upper, np.array(self.integer, dtype=np.bool_), (Names(tuple(self.columns)),))

    def _rows(self) -> Rows:
        values = _frozen(self.entry_values, np.float64)
        kept = np.flatnonzero(values)
        owners = _frozen(self.entry_rows, np.int64)[kept]
        order = kept[stable_order(owners)]
        count = len(self.rows)
        indicator, active = np.full(count, -1, dtype=np.int64), np.ones(count, dtype=np.bool_)
        for row, (column, value) in self.indicators.items():
            indicator[row], active[row] = column, value
        numbered = all(name == f"r{i}" for i, name in enumerate(self.rows, start=1))
        return Rows(
            starts=np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=count))]).astype(np.int64),
            columns=_frozen(self.entry_columns, np.int64)[order],
            coefficients=values[order],
            lower=_frozen(self.row_lower, np.float64),
            upper=_frozen(self.row_upper, np.float64),
            indicator=indicator,
            active=active,
            groups=(RowGroup(count, "rows of the file"),) if count else (),
            names=() if numbered else tuple(self.rows),
        )


def _arrays(values: Mapping[int, float]) -> tuple[npt.NDArray[np.int64], Floats]:
    return np.array(list(values), dtype=np.int64), np.array(list(values.values()), dtype=np.float64)


def _frozen(values: "array[float] | array[int]", dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    return np.array(values, dtype=dtype)
