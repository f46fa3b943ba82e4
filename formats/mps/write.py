"""Linear `Model` -> MPS text.

The dialect, and what each choice avoids:

* `NAME model FREE`: CBC 2.10 reads free format only where it is announced.
* One leading blank, single blanks, one pair a line: with two pairs SCIP and COPT may find a token where a
  fixed-format field would be, and read another number.
* No `OBJSENSE`: CBC 2.10 ignores it and GLPK refuses it. A maximisation is negated, and a comment says so.
* No right-hand side of the objective: GLPK and lp_solve give it the opposite sign. A constant is the cost of
  a column fixed at 1.
* No `RANGES`: a width loses bits of the bound by cancellation.
* All integer columns in one block at the end: tools are sloppy with markers.
* A column without entries has an explicit 0 in the objective: Gurobi and others drop it otherwise.
* `BOUNDS` for every column: defaults differ, most of all after a negative upper bound. An integral column
  without an upper bound has `PL`, because GLPK ends it at 1 otherwise, and before `LO`, because PuLP puts
  the lower bound at 0 there.
* A binary on which a row depends is `BV`: SCIP takes no other for one.
* The members of an ordered set are indented further than its head: CPLEX tells them apart by that. `SOS`
  stands before `INDICATORS`: Gurobi minds the order.
* Comments only before `NAME`, no blank lines, no tabs, no infinity.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from ensc.compiler.types.model import Floats, Model
from ensc.formats.columnar import (
    Spelling,
    blocks,
    lines,
    ordered,
    texts,
)
from ensc.formats.numbers import Texts
from ensc.formats.shortest import padded
from ensc.formats.tableau import Tableau, tabulate

KINDS = np.array([f" {kind} BND ".encode() for kind in ("BV", "FX", "LO", "MI", "FR", "PL", "UP")])
"""How a bound begins."""

BINARY, FIXED, LEAST, ENDLESS, FREE, NO_MOST, MOST = range(len(KINDS))


def write_mps(model: Model, *, indicators: bool = False, ordered_sets: bool = False) -> Iterator[bytes]:
    """Return a linear model as MPS text, in chunks.

    Columns are permuted: the continuous ones come first, each kind in the order of the model.

    Args:
        model: a linear model.
        indicators: whether rows that depend on a binary may be written, in a section `INDICATORS` that
            SCIP, Gurobi, CPLEX, Xpress, COPT and OR-tools know.
        ordered_sets: whether ordered sets may be written, in a section `SOS` that SCIP, Gurobi, CPLEX,
            Xpress and COPT know.

    Raises:
        Rejected: as `tabulate`, before the first chunk.
    """
    tableau = tabulate(model, indicators=indicators, ordered_sets=ordered_sets)
    return _sections(tableau.reordered(np.argsort(tableau.integer, kind="stable")))


def _sections(t: Tableau) -> Iterator[bytes]:
    columns, rows = texts(t.columns), texts(t.rows)
    yield "".join([*(f"* {line}\n" for line in t.header), f"NAME {t.name} FREE\n"]).encode("ascii")
    yield f"ROWS\n N {t.objective}\n".encode("ascii")
    for first, last in blocks(0, len(rows)):
        yield lines(b" ", t.senses[first:last], b" ", rows[first:last], b"\n")
    yield b"COLUMNS\n"
    yield from _columns(t, columns, rows)
    yield b"RHS\n"
    yield from _right_hand_sides(t, rows)
    yield b"BOUNDS\n"
    yield from _bounds(t, columns)
    yield from _ordered_sets(t)
    yield from _indicators(t, columns, rows)
    yield b"ENDATA\n"


def _columns(t: Tableau, columns: Texts, rows: Texts) -> Iterator[bytes]:
    """Write the nonzeros by columns: the objective's first, then in the order of the rows."""
    empty = np.flatnonzero(t.isolated())
    head = np.concatenate([t.cost_columns, empty])
    # 32-bit indices keep the memory below the size of the file.
    widths = np.concatenate([[len(head)], np.diff(t.starts)])
    row_of = np.repeat(np.arange(len(widths), dtype=np.uint32), widths)
    column_of = np.concatenate([head.astype(t.members.dtype), t.members]) if len(head) else t.members
    numbers = Spelling(_behind(np.concatenate([t.costs, np.zeros(len(empty))]), t.coefficients))
    rows = np.concatenate([texts([t.objective]), rows])

    def section(first: int, last: int) -> Iterator[bytes]:
        for entries in ordered(column_of, first, last):
            parts = columns.take(column_of[entries]), rows.take(row_of[entries]), numbers[entries]
            yield lines(b" ", parts[0], b" ", parts[1], b" ", parts[2], b"\n")

    continuous = int(np.count_nonzero(~t.integer))  # these columns come first
    yield from section(0, continuous)
    if t.integer.any():
        yield b" MARKER 'MARKER' 'INTORG'\n"
        yield from section(continuous, len(columns))
        yield b" MARKER 'MARKER' 'INTEND'\n"


def _behind(head: Floats, values: Floats) -> Floats:
    """Return the values behind those of the head; most models have no head, and need no copy of them."""
    return np.concatenate([head, values]) if len(head) else values


def _right_hand_sides(t: Tableau, rows: Texts) -> Iterator[bytes]:
    stated = np.flatnonzero(t.sides)
    for first, last in blocks(0, len(stated)):
        chosen = stated[first:last]
        yield lines(b" RHS ", rows[chosen], b" ", padded(t.sides[chosen]), b"\n")


def _bounds(t: Tableau, columns: Texts) -> Iterator[bytes]:
    switches = np.zeros(len(columns), dtype=np.bool_)
    switches[t.indicator[t.indicator >= 0]] = True
    for first, last in blocks(0, len(columns)):
        lower, upper, switch = t.lower[first:last], t.upper[first:last], switches[first:last]
        below, above, fixed = np.isfinite(lower), np.isfinite(upper), lower == upper
        unbounded = np.flatnonzero(t.integer[first:last] & below & ~above & ~switch)
        kind = np.select([switch, fixed, below, above], [BINARY, FIXED, LEAST, ENDLESS], FREE)
        second = np.flatnonzero(above & ~fixed & ~switch)
        of = np.concatenate([unbounded, np.arange(len(lower)), second])
        kinds = np.concatenate([np.full(len(unbounded), NO_MOST), kind, np.full(len(second), MOST)])
        order = np.argsort(of, kind="stable")
        of, kinds = of[order], kinds[order]
        numbers = np.where(kinds == MOST, upper[of], lower[of])
        stated = (kinds == FIXED) | (kinds == LEAST) | (kinds == MOST)
        values = np.where(stated, padded(np.where(stated, numbers, 0.0)), b"")
        ends = np.where(stated, b" ", b"")
        yield lines(KINDS[kinds], columns[first:last].take(of), ends, values, b"\n")


def _ordered_sets(t: Tableau) -> Iterator[bytes]:
    starts, members = t.ordered_sets.starts.tolist(), t.ordered_sets.members.tolist()
    if not members:
        return
    yield b"SOS\n"
    for number, (first, last) in enumerate(itertools.pairwise(starts), start=1):
        weighted = (f"    {t.columns[c]} {weight}\n" for weight, c in enumerate(members[first:last], start=1))
        yield "".join([f" S1 set{number}\n", *weighted]).encode("ascii")


def _indicators(t: Tableau, columns: Texts, rows: Texts) -> Iterator[bytes]:
    dependent = np.flatnonzero(t.indicator >= 0)
    if not len(dependent):
        return
    yield b"INDICATORS\n"
    for first, last in blocks(0, len(dependent)):
        chosen = dependent[first:last]
        values = np.where(t.active[chosen], b"1", b"0")
        yield lines(b" IF ", rows[chosen], b" ", columns[t.indicator[chosen]], b" ", values, b"\n")
