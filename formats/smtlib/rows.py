"""Linear rows as assertions, implications where they depend on a binary."""

from collections.abc import Iterator

import numpy as np

from ensc.compiler.types.model import Floats, Indices, Rows
from ensc.formats.smtlib.header import comment
from ensc.formats.smtlib.terms import Pieces, Sums, Symbols, around, decimals, pieces


def rows_text(rows: Rows, symbols: Symbols) -> Iterator[bytes]:
    """Yield the rows group by group, each under a line that says what its rows are."""
    first = 0
    for group in rows.groups:
        if group.size:
            yield comment(group.meaning)
            yield from _comparisons(rows, symbols, np.arange(first, first + group.size))
        first += group.size


def _comparisons(rows: Rows, symbols: Symbols, chosen: Indices) -> Iterator[bytes]:
    source, relations, sides = _one_sided(rows, chosen)
    if len(source):
        before, after = _guards(rows, symbols, source)
        side = pieces([b" "]) + decimals(sides)
        yield from around(_gathered(rows, source), symbols, before + relations, side + after)


def _guards(rows: Rows, symbols: Symbols, source: Indices) -> tuple[Pieces, Pieces]:
    """Return what comes before and after each comparison: `(assert (=> l` or only `(assert`."""
    before, after = pieces([b"(assert "]).repeat(len(source)), pieces([b"))\n"]).repeat(len(source))
    depends = np.flatnonzero(rows.indicator[source] >= 0)
    if len(depends):
        active = rows.active[source[depends]].astype(np.int64)
        opened, closed = pieces([b"(=> (not ", b"(=> "])[active], pieces([b") ", b" "])[active]
        before[depends] += opened + symbols.names[rows.indicator[source[depends]]] + closed
        after[depends] = b")))\n"
    return before, after


def _one_sided(rows: Rows, chosen: Indices) -> tuple[Indices, Pieces, Floats]:
    """Return for each comparison to write the row it comes from, its relation and its right-hand side."""
    lower, upper = rows.lower[chosen], rows.upper[chosen]
    equal = lower == upper
    wanted = np.stack([equal, ~equal & np.isfinite(lower), ~equal & np.isfinite(upper)], axis=-1)
    places, kinds = np.nonzero(wanted)
    relations = pieces([b"(=", b"(>=", b"(<="])[kinds]
    return chosen[places], relations, np.where(kinds == 2, upper[places], lower[places])


def _gathered(rows: Rows, source: Indices) -> Sums:
    lengths = np.diff(rows.starts)[source]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    entries = np.arange(starts[-1]) + np.repeat(rows.starts[source] - starts[:-1], lengths)
    return Sums(starts, rows.columns[entries], rows.coefficients[entries])
