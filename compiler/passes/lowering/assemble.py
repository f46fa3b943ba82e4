"""Blocks of variables and rows -> Model: the one mutable value of a lowering, alive only inside it."""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ensc.compiler.types.model import (
    Clauses,
    Flags,
    Floats,
    Indices,
    Labels,
    Maxima,
    Model,
    Names,
    Objective,
    OrderedSets,
    Products,
    Rectifiers,
    RowGroup,
    Rows,
    Variables,
)

NO_INDICATOR = -1

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(slots=True)
class Assembler:
    """Collects the blocks of a model; every method takes whole arrays."""

    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    integer: list[Flags] = field(default_factory=list)
    labels: list[Labels | Names] = field(default_factory=list)
    size: int = 0
    row_blocks: list[Rows] = field(default_factory=list)
    rectifiers: list[Rectifiers] = field(default_factory=list)
    maxima: list[Maxima] = field(default_factory=list)
    products: list[Products] = field(default_factory=list)
    clauses: list[Clauses] = field(default_factory=list)
    zeros: list[int] = field(default_factory=list)

    def zero(self) -> int:
        """Return the variable that is always 0, for constraints that cannot hold a constant."""
        if not self.zeros:
            self.zeros.append(int(self.variables(Labels("zero", ()), 0.0, 0.0)))
        return self.zeros[0]

    def variables(
        self,
        labels: Labels,
        lower: npt.ArrayLike,
        upper: npt.ArrayLike,
        *,
        integer: bool = False,
    ) -> Indices:
        """Add one variable for each name; bounds broadcast to the shape of the names' axes.

        Returns:
            The variables, in the shape of the axes.
        """
        shape = np.broadcast_shapes(*(axis.shape for axis in labels.axes))
        self.labels.append(labels)
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), shape).ravel())
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), shape).ravel())
        self.integer.append(np.full(labels.size, integer))
        first, self.size = self.size, self.size + labels.size
        return np.arange(first, self.size, dtype=np.int64).reshape(shape)

    def rows(
        self,
        columns: Indices,
        coefficients: npt.ArrayLike,
        lower: npt.ArrayLike,
        upper: npt.ArrayLike,
        meaning: str,
        *,
        indicator: npt.ArrayLike = NO_INDICATOR,
        active: bool = True,
    ) -> None:
        """Add one row for each entry of `columns[..., 0]`.

        Args:
            columns: variables, shape (rows..., terms); entries that are negative (the constant 0) or
                whose coefficient is 0 are left out.
            coefficients: broadcast to the shape of `columns`.
            lower: broadcast to (rows...).
            upper: broadcast to (rows...).
            meaning: what the rows say.
            indicator: the binaries on which the rows depend, broadcast to (rows...).
            active: the value of the indicator at which a row holds.
        """
        shape = columns.shape[:-1]
        spread = np.broadcast_to(np.asarray(coefficients, dtype=np.float64), columns.shape)
        kept = (spread != 0) & (columns >= 0)
        lengths = kept.sum(axis=-1).ravel()
        self.row_blocks.append(
            Rows(
                starts=np.concatenate([[0], np.cumsum(lengths)]),
                columns=columns[kept],
                coefficients=spread[kept],
                lower=np.broadcast_to(np.asarray(lower, dtype=np.float64), shape).ravel(),
                upper=np.broadcast_to(np.asarray(upper, dtype=np.float64), shape).ravel(),
                indicator=np.broadcast_to(np.asarray(indicator, dtype=np.int64), shape).ravel(),
                active=np.full(len(lengths), active),
                groups=(RowGroup(len(lengths), meaning),),
            )
        )

    def model(self, name: str, objective: Objective, notes: tuple[str, ...] = ()) -> Model:
        """Return everything collected as a model."""
        return Model(
            name=name,
            variables=Variables(
                _joined(self.lower, np.float64),
                _joined(self.upper, np.float64),
                _joined(self.integer, np.bool_),
                tuple(self.labels),
            ),
            rows=concatenate_rows(self.row_blocks),
            objective=objective,
            rectifiers=_concatenate_rectifiers(self.rectifiers),
            maxima=_concatenate_maxima(self.maxima),
            products=_concatenate_products(self.products),
            clauses=_concatenate_clauses(self.clauses),
            notes=notes,
        )


def concatenate_rows(blocks: list[Rows]) -> Rows:
    """Return the rows of all blocks, in order; neighbouring groups of one meaning become one."""
    return Rows(
        starts=_chained([b.starts for b in blocks]),
        columns=_joined([b.columns for b in blocks], np.int64),
        coefficients=_joined([b.coefficients for b in blocks], np.float64),
        lower=_joined([b.lower for b in blocks], np.float64),
        upper=_joined([b.upper for b in blocks], np.float64),
        indicator=_joined([b.indicator for b in blocks], np.int64),
        active=_joined([b.active for b in blocks], np.bool_),
        groups=_merged([group for b in blocks for group in b.groups]),
    )


def _joined(parts: list[npt.NDArray[_Scalar]], dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def _chained(starts: list[Indices]) -> Indices:
    """Concatenate CSR starts, each beginning at 0, into those of the concatenation."""
    lengths = [np.diff(part) for part in starts]
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(_joined(lengths, np.int64))])


def _merged(groups: list[RowGroup]) -> tuple[RowGroup, ...]:
    merged: list[RowGroup] = []
    for group in groups:
        if merged and merged[-1].meaning == group.meaning:
            merged[-1] = RowGroup(merged[-1].size + group.size, group.meaning)
        elif group.size:
            merged.append(group)
    return tuple(merged)


def _concatenate_rectifiers(parts: list[Rectifiers]) -> Rectifiers:
    return Rectifiers(
        _joined([p.output for p in parts], np.int64),
        _joined([p.input for p in parts], np.int64),
        tuple(labels for p in parts for labels in p.labels),
    )


def _concatenate_maxima(parts: list[Maxima]) -> Maxima:
    return Maxima(
        _joined([p.output for p in parts], np.int64),
        _chained([p.starts for p in parts]),
        _joined([p.candidates for p in parts], np.int64),
        tuple(labels for p in parts for labels in p.labels),
    )


def _concatenate_products(parts: list[Products]) -> Products:
    return Products(
        _joined([p.product for p in parts], np.int64),
        _joined([p.factor for p in parts], np.int64),
        _joined([p.switch for p in parts], np.int64),
    )


def _concatenate_clauses(parts: list[Clauses]) -> Clauses:
    return Clauses(
        _joined([p.condition for p in parts], np.int64),
        _chained([p.starts for p in parts]),
        _joined([p.literals for p in parts], np.int64),
    )


def concatenate_sets(parts: list[OrderedSets]) -> OrderedSets:
    """Return the ordered sets of all parts, in order."""
    return OrderedSets(
        _chained([p.starts for p in parts]),
        _joined([p.members for p in parts], np.int64),
    )
