"""Linear `Model` -> CPLEX-LP text.

The dialect, and what each choice avoids:

* One signed term a line, a blank between sign, number and name: `3e1 x` and `3 e1x` are read in many ways.
* Variables left, one constant right, `<=`, `>=` or `=`: a double inequality is refused by all and misread by
  CBC, other spellings of the senses are refused by some.
* No constant in the objective: GLPK refuses it and Gurobi makes it a variable named `5`. It is the cost of a
  column fixed at 1.
* Every column is in the objective or in a row, if need be with coefficient 0: CPLEX and Xpress forget columns
  that only have bounds.
* A model without rows gets `r0: 0 x <= 0`, because GLPK refuses a file without.
* `Bounds` for every column that is not binary: defaults differ after a negative upper bound.
* `Bounds` before `Generals` before `Binaries`: GLPK, Gurobi, COPT and CPLEX mind the order.
* Comments on lines of their own, at the beginning.
"""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from ensc.compiler.types.model import Floats, Indices, Model
from ensc.formats.columnar import BLOCK, Places, Spelling, blocks, lines, spelled, spelled_bounds, texts
from ensc.formats.numbers import Texts
from ensc.formats.tableau import Tableau, tabulate


def write_lp(model: Model, *, indicators: bool = False, ordered_sets: bool = False) -> Iterator[bytes]:
    """Return a linear model as CPLEX-LP text, in chunks.

    Columns are permuted into the order in which the text first mentions them, because that is the order in
    which readers number them.

    Args:
        model: a linear model.
        indicators: whether rows that depend on a binary may be written, as `z = 1 -> sum <= side`, which
            SCIP, Gurobi, CPLEX, Xpress and COPT know.
        ordered_sets: whether ordered sets may be written, in a section `SOS` that the same readers know.

    Raises:
        Rejected: as `tabulate`, before the first chunk.
    """
    tableau = _with_a_row(tabulate(model, indicators=indicators, ordered_sets=ordered_sets))
    return _sections(tableau.reordered(_first_mentions(tableau)))


def _with_a_row(t: Tableau) -> Tableau:
    """Return a tableau that has a row; GLPK refuses a file that has none."""
    if t.rows:
        return t
    return dataclasses.replace(
        t,
        rows=["r0"],
        senses=np.array([b"L"]),
        sides=np.zeros(1),
        starts=np.zeros(2, dtype=np.int64),
        indicator=np.array([-1]),
        active=np.array([True]),
    )


def _first_mentions(t: Tableau) -> Indices:
    """Return the columns in the order in which the text mentions them."""
    leading = _objective_columns(t)
    in_rows, depends = t.members, t.indicator >= 0
    if depends.any():
        in_rows = np.insert(t.members, t.starts[:-1][depends], t.indicator[depends])
    first = np.empty(len(t.columns), dtype=np.int64)
    # Of several assignments to one place the last one holds, which backwards is the first mention.
    for start, stop in reversed([*blocks(0, len(in_rows))]):
        first[in_rows[start:stop][::-1]] = np.arange(start, stop)[::-1]
    first[leading] = np.arange(len(leading)) - len(leading)
    return np.argsort(first, kind="stable")


def _objective_columns(t: Tableau) -> Places:
    """Return the columns of the objective: those with a cost, those mentioned nowhere else, at least one."""
    columns = np.concatenate([t.cost_columns, np.flatnonzero(t.isolated())])
    return columns if len(columns) else (t.members if len(t.members) else t.indicator)[:1]


def _sections(t: Tableau) -> Iterator[bytes]:
    columns, rows = texts(t.columns), texts(t.rows)
    binary = t.integer & (t.lower == 0) & (t.upper == 1)
    yield "".join(f"\\ {line}\n" for line in t.header).encode("ascii")
    yield f"Minimize\n {t.objective}:\n".encode("ascii")
    yield from _objective(t, columns)
    yield b"Subject To\n"
    yield from _rows(t, columns, rows)
    yield b"Bounds\n"
    yield from _bounds(t, columns, np.flatnonzero(~binary))
    yield from _listed(b"Generals\n", columns[t.integer & ~binary])
    yield from _listed(b"Binaries\n", columns[binary])
    yield from _ordered_sets(t)
    yield b"End\n"


def _objective(t: Tableau, columns: Texts) -> Iterator[bytes]:
    mentioned = _objective_columns(t)
    costs = np.concatenate([t.costs, np.zeros(len(mentioned) - len(t.costs))])
    numbers = Spelling(costs, unsigned=True)
    for first, last in blocks(0, len(mentioned)):
        names = columns[mentioned[first:last]]
        yield lines(_signs(costs[first:last]), numbers[first:last], b" ", names, b"\n")


def _signs(values: Floats) -> Texts:
    return np.where(values < 0, b" - ", b" + ")


def _rows(t: Tableau, columns: Texts, rows: Texts) -> Iterator[bytes]:
    """Write the rows: before the first term of each stands its label, after the last one its side.

    A row without terms gets `+ 0` times the first column, because some term there must be.
    """
    members, values, starts = _with_terms(t)
    numbers = Spelling(values, unsigned=True)
    for first, last in _blocks_of_rows(starts):
        begin, end = int(starts[first]), int(starts[last])
        labels, tails = _labels(t, columns, rows, slice(first, last)), _tails(t, slice(first, last))
        heads = np.zeros(end - begin, dtype=labels.dtype)
        heads[starts[first:last] - begin] = labels
        ends = np.zeros(end - begin, dtype=tails.dtype)
        ends[starts[first + 1 : last + 1] - begin - 1] = tails
        terms = _signs(values[begin:end]), numbers[begin:end], b" ", columns[members[begin:end]]
        yield lines(heads, *terms, b"\n", ends)


def _with_terms(t: Tableau) -> tuple[Places, Floats, Indices]:
    """Return the members, coefficients and starts of rows that all have a term."""
    empty = t.starts[:-1] == t.starts[1:]
    if not empty.any():
        return t.members, t.coefficients, t.starts
    at = t.starts[:-1][empty]
    starts = t.starts + np.concatenate([[0], np.cumsum(empty)])
    return np.insert(t.members, at, 0), np.insert(t.coefficients, at, 0.0), starts


def _blocks_of_rows(starts: Indices) -> Iterator[tuple[int, int]]:
    """Cut the rows into blocks of about equally many terms."""
    rows = len(starts) - 1
    cuts = np.searchsorted(starts, np.arange(0, int(starts[-1]) + BLOCK, BLOCK))
    return itertools.pairwise(np.unique(np.clip(cuts, 0, rows)).tolist())


def _labels(t: Tableau, columns: Texts, rows: Texts, some: slice) -> Texts:
    """Return ` row:` or ` row: binary = 1 ->` of some rows, each with its line break."""
    plain = np.char.add(np.char.add(b" ", rows[some]), b":")
    depends = t.indicator[some] >= 0
    if depends.any():
        value = np.where(t.active[some], b" = 1 ->", b" = 0 ->")
        condition = np.char.add(np.char.add(b" ", columns[t.indicator[some]]), value)
        plain = np.char.add(plain, np.where(depends, condition, b""))
    return np.char.add(plain, b"\n")


def _tails(t: Tableau, some: slice) -> Texts:
    """Return ` <= side` of some rows, each with its line break."""
    senses = np.select([t.senses[some] == b"L", t.senses[some] == b"G"], [b" <= ", b" >= "], b" = ")
    return np.char.add(np.char.add(senses, spelled(t.sides[some])), b"\n")


def _bounds(t: Tableau, columns: Texts, stated: Indices) -> Iterator[bytes]:
    for first, last in blocks(0, len(stated)):
        chosen = stated[first:last]
        names, lower, upper = columns[chosen], t.lower[chosen], t.upper[chosen]
        below, above, fixed = np.isfinite(lower), np.isfinite(upper), lower == upper
        left = np.select([fixed, below, above], [b"", spelled_bounds(lower), b"-inf"], b"")
        right = np.select([above, below], [spelled_bounds(upper), b""], b"free")
        yield lines(
            *(b" ", left, np.where(left == b"", b"", b" <= "), names),
            *(np.select([fixed, above, below], [b" = ", b" <= ", b""], b" "), right, b"\n"),
        )


def _listed(heading: bytes, names: Texts) -> Iterator[bytes]:
    if not len(names):
        return
    yield heading
    for first, last in blocks(0, len(names)):
        yield lines(b" ", names[first:last], b"\n")


def _ordered_sets(t: Tableau) -> Iterator[bytes]:
    starts, members = t.ordered_sets.starts.tolist(), t.ordered_sets.members.tolist()
    if not members:
        return
    yield b"SOS\n"
    for number, (first, last) in enumerate(itertools.pairwise(starts), start=1):
        weighted = (f" {t.columns[c]} : {weight}\n" for weight, c in enumerate(members[first:last], start=1))
        yield "".join([f" set{number}: S1::\n", *weighted]).encode("ascii")
