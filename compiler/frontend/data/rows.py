"""Which rows of a data source a query takes: `rows = [0, 3, 5..6]`."""

from dataclasses import dataclass

import numpy as np

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Span, reject
from ensc.compiler.frontend.query.arguments import Arguments
from ensc.compiler.frontend.query.expressions import Environment, integer
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.quoting import whole
from ensc.compiler.types.network import Integers
from ensc.compiler.types.syntax import Expression, List, Range

MOST_ROWS = 1 << 24


@dataclass(frozen=True, slots=True)
class Run:
    """Rows `first..last`, both included."""

    first: int
    last: int
    span: Span


@dataclass(frozen=True, slots=True)
class Rows:
    """A choice of rows: runs in the order given, or None for all.

    Attributes:
        runs: what the query lists.
        span: the whole list, or the place that stands for the data source.
    """

    runs: tuple[Run, ...] | None
    span: Span

    def choose(self, total: int, source: str) -> Integers:
        """Return the numbers of the chosen rows of a source that has `total` of them.

        Raises:
            Rejected: a row is out of range, or none is left.
        """
        if total == 0:
            reject("E0710", f"{source} has no rows", self.span)
        if self.runs is None:
            return np.arange(total, dtype=np.int64)
        outside = [run for run in self.runs if run.last >= total]
        if outside:
            raise Rejected([_outside(run, total, source) for run in outside])
        if sum(run.last - run.first + 1 for run in self.runs) > MOST_ROWS:
            reject("E0703", f"more than {MOST_ROWS} rows are chosen", self.span)
        return np.concatenate([np.arange(r.first, r.last + 1, dtype=np.int64) for r in self.runs])

    def repeated(self) -> Diagnostic | None:
        """Return a warning when a row is chosen more than once: it then counts more than once."""
        latest = -1
        for run in sorted(self.runs or (), key=lambda r: (r.first, r.last)):
            if run.first <= latest:
                message = f"row {run.first} is chosen more than once, and counts as often"
                return Diagnostic("W0702", message, Label(run.span, "chosen again"))
            latest = max(latest, run.last)
        return None


def read_rows(arguments: Arguments) -> Rows:
    """Read the argument `rows`; without one, every row is chosen.

    Raises:
        Rejected: it is not a list of row numbers and ranges of them.
    """
    items = arguments.listing("rows")
    if items is None:
        return Rows(None, arguments.call.function.span)
    if not items.items:
        reject("E0710", "no rows are chosen", items.span, "this list is empty")
    report = Report()
    runs = [report.attempt(_run, item, arguments.environment) for item in items.items]
    if report.failed:
        raise Rejected(report.said)
    return Rows(tuple(run for run in runs if run is not None), items.span)


def _run(item: Expression | Range | List, environment: Environment) -> Run:
    match item:
        case List():
            reject("E0709", "a row is a number", item.span, "this is a list")
        case Range():
            first = integer(item.first, environment, "a row")
            last = integer(item.last, environment, "a row")
            if first > last:
                advice = f"`{whole(last)}..{whole(first)}`"
                message = f"the range {whole(first)}..{whole(last)} is empty"
                reject("E0709", message, item.span, help=advice)
        case _:
            first = last = integer(item, environment, "a row")
    if first < 0:
        reject("E0709", f"there is no row {whole(first)}: rows are counted from 0", item.span)
    return Run(first, last, item.span)


def _outside(run: Run, total: int, source: str) -> Diagnostic:
    message = f"row {whole(run.last)} of {total}: {source} has rows 0 to {total - 1}"
    return Diagnostic("E0709", message, Label(run.span, "rows are counted from 0"))
