"""Linear `Model` -> `Tableau`: what MPS and LP files hold, with everything decided that they leave open.

A tableau is a minimisation over one-sided rows (`<=`, `>=` or `=`), every name and every number is one that
all readers take for what it is, and whatever they would silently change has been refused.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.compiler.passes.linear.linearize import LARGEST
from ensc.compiler.passes.linear.tiny import SMALLEST
from ensc.compiler.types.model import Flags, Floats, Indices, Model, Objective, OrderedSets, Rows, Size
from ensc.formats.columnar import Places
from ensc.formats.names import check_names, fresh

KEPT = 2e-9
"""SCIP takes bounds and sides up to 1e-9 for 0, GLPK and CBC smaller ones; as far from 0 as this, all keep
them."""

LINE = 200
"""Characters of a comment line; CBC and Gurobi break down on very long ones."""

NEGATED = "the objective was to be maximized: this file minimizes its negative"

MOST_REPORTED = 10

MOST_SHORT = np.iinfo(np.int32).max

Senses = npt.NDArray[np.bytes_]


@dataclass(frozen=True, slots=True, eq=False)
class Tableau:
    """A linear model as rows and columns.

    Attributes:
        name: of the model.
        header: comment lines, ASCII, at most 198 characters each.
        objective: name of the objective row.
        cost_columns: the columns of the objective, distinct.
        costs: their coefficients, none zero.
        columns: names, shape (columns,), at least one.
        lower: shape (columns,), finite or -inf.
        upper: shape (columns,), finite or inf.
        integer: shape (columns,).
        rows: names, shape (rows,).
        senses: `L`, `G` or `E` for `<=`, `>=` or `=`, shape (rows,).
        sides: right-hand sides, shape (rows,).
        starts: shape (rows + 1,), where each row begins in `members` and `coefficients`.
        members: columns, shape (nonzeros,), distinct within a row.
        coefficients: shape (nonzeros,), none zero.
        indicator: column on which a row depends, or -1, shape (rows,).
        active: the value of the indicator at which the row holds, shape (rows,).
        ordered_sets: at most one column of each is not zero.
    """

    name: str
    header: tuple[str, ...]
    objective: str
    cost_columns: Indices
    costs: Floats
    columns: list[str]
    lower: Floats
    upper: Floats
    integer: Flags
    rows: list[str]
    senses: Senses
    sides: Floats
    starts: Indices
    members: Places
    coefficients: Floats
    indicator: Indices
    active: Flags
    ordered_sets: OrderedSets

    def reordered(self, order: Indices) -> "Tableau":
        """Return the same tableau with column `order[i]` in place i."""
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        # One index for each nonzero: at half the width where that is wide enough.
        short = place.astype(np.int32) if len(order) <= MOST_SHORT else place
        depends = self.indicator >= 0
        return dataclasses.replace(
            self,
            cost_columns=place[self.cost_columns],
            columns=[self.columns[i] for i in order.tolist()],
            lower=self.lower[order],
            upper=self.upper[order],
            integer=self.integer[order],
            members=short[self.members],
            indicator=np.where(depends, place[self.indicator], -1),
            ordered_sets=dataclasses.replace(self.ordered_sets, members=place[self.ordered_sets.members]),
        )

    def isolated(self) -> Flags:
        """Return which columns neither the objective nor any row mentions, shape (columns,)."""
        free = np.ones(len(self.columns), dtype=np.bool_)
        free[self.cost_columns] = False
        free[self.members] = False
        return free


def tabulate(model: Model, *, indicators: bool, ordered_sets: bool) -> Tableau:
    """Decide what the formats leave open.

    A maximisation is negated, and the header says so. A constant in the objective becomes the cost of a
    column fixed at 1 (readers differ about its sign elsewhere). A row with two different finite bounds
    becomes two rows; the second one's name ends in `_u`. Rows without a bound are left out. Rows are `r1`,
    `r2`, ... by their place in the model, unless it names them. Bounds of integral columns are rounded
    inward to integers, before readers round them outward by a tolerance. Bounds and sides that readers take
    for 0 although they are not are moved outward, to 0 or away from it, so that no solution is lost.

    Args:
        model: a linear model.
        indicators: whether rows may depend on a binary.
        ordered_sets: whether ordered sets may be written.

    Raises:
        Rejected: E1021 for a number that some reader would change or refuse, E1022 for such a name, E1023 for
            rows with indicators and E1024 for ordered sets where they are not allowed, E1025 for a
            column without any value, E1026 for an indicator that is no binary.
    """
    assert model.is_linear, "a model must be linearized before it is written"
    assert _entries_are_distinct(model), "a row may name a column once"
    _raise(_refused_parts(model, indicators=indicators, ordered_sets=ordered_sets))
    tableau = _with_objective(_rows(model), model.objective)
    _raise(_refused(tableau, named_rows=bool(model.rows.names)))
    return tableau


def size_as_written(model: Model) -> Size:
    """Return how many rows, columns, nonzeros and integers a reader has to find in a file of the model.

    Counted as solvers count: without the objective row.
    """
    written = tabulate(model, indicators=True, ordered_sets=True)
    entries, integers = len(written.coefficients), int(written.integer.sum())
    return Size(len(written.rows), len(written.columns), entries, integers)


def _raise(diagnostics: Iterator[Diagnostic]) -> None:
    if said := list(islice(diagnostics, MOST_REPORTED)):
        raise Rejected(said)


def _entries_are_distinct(model: Model) -> bool:
    """Whether no row, nor the objective, names a column twice.

    Most rows have their columns in order, perhaps after a first one that is larger than all others; only the
    remaining rows are sorted.
    """
    rows = model.rows
    falls = np.flatnonzero(rows.columns[1:] <= rows.columns[:-1]) + 1
    owners = np.searchsorted(rows.starts, falls, side="right") - 1
    within = falls > rows.starts[owners]
    falls, owners = falls[within], owners[within]
    second = falls == rows.starts[owners] + 1
    larger = rows.columns[rows.starts[owners]] > rows.columns[rows.starts[owners + 1] - 1]
    left = np.zeros(len(rows), dtype=np.bool_)
    left[owners[~(second & larger)]] = True
    entries = np.repeat(left, np.diff(rows.starts))
    keys = np.repeat(np.flatnonzero(left), np.diff(rows.starts)[left]) * len(model.variables)
    return _distinct(keys + rows.columns[entries]) and _distinct(model.objective.columns)


def _distinct(keys: Indices) -> bool:
    return bool(np.diff(np.sort(keys)).all())


def _refused_parts(model: Model, *, indicators: bool, ordered_sets: bool) -> Iterator[Diagnostic]:
    if not indicators and (model.rows.indicator >= 0).any():
        yield Diagnostic(
            "E1023",
            "the model has rows that hold only if a binary has a value; plain files have no such rows",
            notes=("HiGHS and GLPK refuse indicator rows; CBC takes them for rows that always hold",),
            help="use the big-M formulation, or ask for indicators if your solver has them",
        )
    if not ordered_sets and len(model.ordered_sets.members):
        yield Diagnostic(
            "E1024",
            "the model has special ordered sets; plain files have none",
            notes=("HiGHS, GLPK and OR-tools refuse ordered sets",),
            help="use the big-M formulation, or ask for ordered sets if your solver has them",
        )


def _rows(model: Model) -> Tableau:
    rows, variables = model.rows, model.variables
    source, senses, sides = _one_sided(rows)
    lower, upper = variables.lower, variables.upper
    starts, entries = _gathered(rows.starts, source)
    names = _row_names(rows, source)
    return Tableau(
        name=model.name,
        header=_header(model),
        objective=fresh("obj", {name.lower() for name in rows.names}),
        cost_columns=np.empty(0, dtype=np.int64),
        costs=np.empty(0),
        columns=variables.names(),
        lower=np.where(variables.integer, np.ceil(lower), _lowered(lower)),
        upper=np.where(variables.integer, np.floor(upper), -_lowered(-upper)),
        integer=variables.integer,
        rows=names,
        senses=senses,
        sides=sides,
        starts=starts,
        members=rows.columns if entries is None else rows.columns[entries],
        coefficients=rows.coefficients if entries is None else rows.coefficients[entries],
        indicator=rows.indicator[source],
        active=rows.active[source],
        ordered_sets=model.ordered_sets,
    )


def _one_sided(rows: Rows) -> tuple[Indices, Senses, Floats]:
    """Return for each row to write the row it comes from, its sense and its right-hand side."""
    low, high = _lowered(rows.lower), -_lowered(-rows.upper)
    equal = low == high
    below = ~equal & (low != -np.inf)
    above = ~equal & (high != np.inf)
    source = np.repeat(np.arange(len(rows)), np.stack([equal | below, above]).sum(axis=0))
    # Of two rows from the same source the second one is the upper bound.
    upper = above[source]
    upper[:-1] &= ~((source[:-1] == source[1:]) & below[source[:-1]])
    senses = np.where(equal[source], b"E", np.where(upper, b"L", b"G"))
    return source, senses, np.where(upper, high[source], low[source])


def _lowered(bounds: Floats) -> Floats:
    """Return lower bounds that readers keep, none above the given ones."""
    near = np.abs(bounds) <= SMALLEST
    return np.where(near & (bounds > 0), 0.0, np.where(near & (bounds < 0), -KEPT, bounds))


def _gathered(starts: Indices, source: Indices) -> tuple[Indices, Indices | None]:
    """Return the starts of the rows `source` and where their entries are, None if in their places."""
    if len(source) == len(starts) - 1 and (source == np.arange(len(source))).all():
        return starts, None
    lengths = np.diff(starts)[source]
    begins = np.concatenate([[0], np.cumsum(lengths)])
    return begins, np.arange(begins[-1]) + np.repeat(starts[source] - begins[:-1], lengths)


def _row_names(rows: Rows, source: Indices) -> list[str]:
    places = source.tolist()
    names = [rows.names[i] for i in places] if rows.names else [f"r{i + 1}" for i in places]
    seconds = np.flatnonzero(source[1:] == source[:-1]) + 1
    if len(seconds):
        taken = {name.lower() for name in names}
        for i in seconds.tolist():
            names[i] = fresh(f"{names[i]}_u", taken)
            taken.add(names[i].lower())
    return names


def _with_objective(tableau: Tableau, objective: Objective) -> Tableau:
    sign = 1.0 if objective.sense == "minimize" else -1.0
    kept = objective.coefficients != 0
    columns, costs = objective.columns[kept], sign * objective.coefficients[kept]
    # A file without any column is not a file to some readers: then the constant is there even if zero.
    if objective.constant == 0 and tableau.columns:
        return dataclasses.replace(tableau, cost_columns=columns, costs=costs)
    one = len(tableau.columns)
    has_cost = objective.constant != 0
    return dataclasses.replace(
        tableau,
        cost_columns=np.append(columns, one) if has_cost else columns,
        costs=np.append(costs, sign * objective.constant) if has_cost else costs,
        columns=[*tableau.columns, fresh("one", {name.lower() for name in tableau.columns})],
        lower=np.append(tableau.lower, 1.0),
        upper=np.append(tableau.upper, 1.0),
        integer=np.append(tableau.integer, False),
    )


def _header(model: Model) -> tuple[str, ...]:
    notes = (*model.notes, NEGATED) if model.objective.sense == "maximize" else model.notes
    return tuple(line for note in notes for line in _comment_lines(note))


def _comment_lines(note: str) -> Iterator[str]:
    """Cut a note into lines that every reader skips: printable ASCII, neither empty nor too long."""
    for part in note.splitlines():
        escaped = "".join(c if c.isprintable() else repr(c)[1:-1] for c in part)
        text = escaped.encode("ascii", "backslashreplace").decode("ascii").rstrip()
        width = LINE - 2
        yield from filter(None, (text[i : i + width].rstrip() for i in range(0, len(text), width)))


def _refused(tableau: Tableau, *, named_rows: bool) -> Iterator[Diagnostic]:
    yield from check_names([tableau.name], "model")
    if named_rows:
        yield from check_names([tableau.objective, *tableau.rows], "row")
    yield from check_names(tableau.columns, "column")
    yield from _bad_costs(tableau)
    yield from _bad_coefficients(tableau)
    yield from _bad_sides(tableau)
    yield from _bad_bounds(tableau)
    yield from _bad_indicators(tableau)


def _unsafe(values: Floats) -> Indices:
    """Return where a value other than 0 is no coefficient that every reader keeps."""
    safe = (values > SMALLEST) & (values < LARGEST)
    safe |= (values < -SMALLEST) & (values > -LARGEST)
    return np.flatnonzero(~safe)


def _bad_costs(tableau: Tableau) -> Iterator[Diagnostic]:
    for i in _unsafe(tableau.costs).tolist():
        column = tableau.columns[tableau.cost_columns[i]]
        yield _bad_coefficient(tableau.costs[i], "the objective", column)


def _bad_coefficients(tableau: Tableau) -> Iterator[Diagnostic]:
    for i in _unsafe(tableau.coefficients).tolist():
        row = tableau.rows[int(np.searchsorted(tableau.starts, i, side="right")) - 1]
        yield _bad_coefficient(tableau.coefficients[i], f"row `{row}`", tableau.columns[tableau.members[i]])


def _bad_coefficient(value: float, where: str, column: str) -> Diagnostic:
    small = abs(value) <= SMALLEST
    return Diagnostic(
        "E1021",
        f"{where} has the coefficient {value:.6g} on `{column}`",
        notes=(
            f"readers drop coefficients up to {SMALLEST:g} without a word"
            if small
            else f"readers refuse coefficients of {LARGEST:g} and more, or take them for infinite",
        ),
        help="scale the row" if small else "use a smaller domain or radius, or scale the row",
    )


def _bad_sides(tableau: Tableau) -> Iterator[Diagnostic]:
    for i in np.flatnonzero(~(np.abs(tableau.sides) < LARGEST)).tolist():
        yield Diagnostic(
            "E1021",
            f"row `{tableau.rows[i]}` has the right-hand side {tableau.sides[i]:.6g}",
            notes=(f"some readers take {LARGEST:g} and more for infinite",),
            help="scale the row",
        )


def _bad_bounds(tableau: Tableau) -> Iterator[Diagnostic]:
    for bounds, side, infinite in ((tableau.lower, "lower", -np.inf), (tableau.upper, "upper", np.inf)):
        bad = ~(np.abs(bounds) < LARGEST) & (bounds != infinite)
        for i in np.flatnonzero(bad).tolist():
            yield Diagnostic(
                "E1021",
                f"column `{tableau.columns[i]}` has the {side} bound {bounds[i]:.6g}",
                notes=(f"some readers take {LARGEST:g} and more for infinite",),
                help="use a smaller domain or radius, or scale the column",
            )
    for i in np.flatnonzero(tableau.lower > tableau.upper).tolist():
        yield Diagnostic(
            "E1025",
            f"column `{tableau.columns[i]}` has the lower bound {tableau.lower[i]:.17g} "
            f"above its upper bound {tableau.upper[i]:.17g}",
            notes=(
                "no value of the column is allowed, so the model has no solution; some readers refuse it",
            ),
            help="correct the bounds",
        )


def _bad_indicators(tableau: Tableau) -> Iterator[Diagnostic]:
    binary = tableau.integer & (tableau.lower == 0) & (tableau.upper == 1)
    for i in np.flatnonzero((tableau.indicator >= 0) & ~binary[tableau.indicator]).tolist():
        yield Diagnostic(
            "E1026",
            f"row `{tableau.rows[i]}` depends on `{tableau.columns[tableau.indicator[i]]}`, "
            "which is no integer between 0 and 1",
            notes=("SCIP and CPLEX take only a binary for an indicator",),
            help="make it a binary; where its value is fixed, keep or leave out the row instead",
        )
