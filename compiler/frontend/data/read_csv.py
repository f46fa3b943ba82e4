"""Reading comma-separated values: `csv("p.csv", label = "first", header = false)`.

A line is a point: one cell is its label, the others its coordinates in order. Blank lines are skipped.
A cell is read as the float64 nearest to the decimal it holds.
"""

import csv
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from ensc.compiler.diagnostics import Span, reject
from ensc.compiler.files import FileKind, open_file
from ensc.compiler.frontend.data.raw import (
    RawPoints,
    Selection,
    check_amount,
    check_finite,
    scaled,
    whole_labels,
)
from ensc.compiler.frontend.query.arguments import Arguments
from ensc.compiler.frontend.query.expressions import Located
from ensc.compiler.quoting import listed, shown, whole
from ensc.compiler.types.network import Floats
from ensc.compiler.words import hint

CSV_FILE = FileKind("data file", "E0701", "E0702", "E0703", 1 << 30)
LONGEST_LINE = 8 << 20
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file.

    Attributes:
        number: counted from 1, as editors do.
        text: with its line break, and with the byte order mark on the first line.
    """

    number: int
    text: bytes

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing on it."""
        return not self.text.removeprefix(BOM).strip()


@dataclass(frozen=True, slots=True)
class Table:
    """How to read the lines of one file.

    Attributes:
        path: of the file.
        delimiter: between cells.
        names: of the columns, if the file has a header.
        width: the number of columns.
    """

    path: Located[Path]
    delimiter: str
    names: tuple[str, ...] | None
    width: int

    @property
    def what(self) -> str:
        """What messages call the file."""
        return f"`{shown(self.path.value.name)}`"


def read_csv(arguments: Arguments, path: Located[Path], selection: Selection) -> RawPoints:
    """Read the chosen rows of a table.

    Args:
        arguments: `label` (`"first"`, `"last"`, a column's name or number), `header`, `delimiter`.
        path: of the file.
        selection: rows, scale, label base.

    Raises:
        Rejected: the file is no table of finite numbers, or has no such column.
    """
    arguments.required("label", 'label = "first"')
    header = arguments.truth("header")
    skipped = 1 if header and header.value else 0
    digest, count, first = _survey(path)
    rows = selection.rows.choose(max(0, count - skipped), f"`{shown(path.value.name)}`")
    assert first is not None  # there is a row
    table = _table(arguments, path, first, named=skipped == 1)
    label = _label_column(arguments, table)
    check_amount(len(rows), table.width - 1, table.what, path.span)
    cells = _numbers(table, _lines(path), set((rows + skipped).tolist()))
    chosen = cells[np.searchsorted(np.unique(rows), rows)]
    values = np.delete(chosen, label, axis=1)
    check_finite(values, rows, table.what, path.span)
    return RawPoints(
        scaled(values, selection.scale, arguments.place("scale")),
        selection.scale.denominator,
        whole_labels(chosen[:, label], rows, selection, table.what, arguments.place("label")),
        rows,
        files=((path.value.name, digest),),
        scale=selection.scale,
        label_base=selection.label_base,
    )


def _table(arguments: Arguments, path: Located[Path], first: Line, *, named: bool) -> Table:
    delimiter = _delimiter(arguments)
    cells = _cells(first, delimiter, path)
    table = Table(path, delimiter, cells if named else None, len(cells))
    if table.width < 2:
        advice = 'name what separates the cells, for example `delimiter = ";"`'
        message = f"{table.what}: line {first.number} has a single cell"
        reject("E0715", message, path.span, "a label and coordinates are needed", help=advice)
    return table


def _delimiter(arguments: Arguments) -> str:
    given = arguments.text("delimiter")
    if given is None:
        return ","
    text = {"tab": "\t", "space": " "}.get(given.value, given.value)
    if len(text) != 1 or text.isalnum() or text in '."+-\r\n':
        expected = 'one character such as ";", or "tab" or "space"'
        reject("E0212", "this cannot separate the cells of a table", given.span, expected)
    return text


def _survey(path: Located[Path]) -> tuple[str, int, Line | None]:
    """Return the file's SHA-256, the number of lines that are not blank, and the first of them."""
    digest, count, first = hashlib.sha256(), 0, None
    for line in _every_line(path):
        digest.update(line.text)
        if not line.is_blank:
            first = first or line
            count += 1
    return digest.hexdigest(), count, first


def _lines(path: Located[Path]) -> Iterator[Line]:
    return (line for line in _every_line(path) if not line.is_blank)


def _every_line(path: Located[Path]) -> Iterator[Line]:
    with open_file(path.value, CSV_FILE, path.span) as stream:
        for number in itertools.count(1):
            text = stream.readline(LONGEST_LINE + 1)
            if not text:
                return
            if len(text) > LONGEST_LINE:
                message = f"`{shown(path.value.name)}`: line {number} has more than {LONGEST_LINE} bytes"
                reject("E0703", message, path.span)
            yield Line(number, text)


def _cells(line: Line, delimiter: str, path: Located[Path]) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line.text.decode("utf-8-sig")], delimiter=delimiter, strict=True)))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        message = f"`{shown(path.value.name)}`: line {line.number} is not a line of a table"
        reject("E0715", message, path.span, "expected UTF-8 text, cells separated")


def _label_column(arguments: Arguments, table: Table) -> int:
    given = arguments.text_or_integer("label")
    assert given is not None  # required above
    value = given.value
    if table.names is not None and value in table.names:
        return table.names.index(str(value))
    if value == "first":
        return 0
    if value == "last":
        return table.width - 1
    if isinstance(value, int) and 0 <= value < table.width:
        return value
    _refuse_column(value, table, given.span)


def _refuse_column(value: str | int, table: Table, span: Span) -> NoReturn:
    if isinstance(value, int):
        columns = f"it has columns 0 to {table.width - 1}"
        reject("E0716", f"{table.what} has no column {whole(value)}", span, columns)
    if table.names is None:
        message = f"{table.what} has no column names"
        advice = 'add `header = true`, or say "first", "last" or a number'
        reject("E0716", message, span, "looked for a column of this name", help=advice)
    reject(
        "E0716",
        f"{table.what} has no column `{shown(value)}`",
        span,
        f"it has {listed(table.names)}",
        help=hint(value, table.names, shown),
    )


def _numbers(table: Table, lines: Iterator[Line], wanted: set[int]) -> Floats:
    """Return the cells of the wanted lines (0-based, blank ones not counted), in the file's order."""
    last = max(wanted)
    values = []
    for index, line in enumerate(lines):
        if index in wanted:
            values.append(np.array(_row(table, line, index)))
        if index == last:
            break
    return np.array(values)


def _row(table: Table, line: Line, index: int) -> list[float]:
    cells = _cells(line, table.delimiter, table.path)
    place = f"{table.what}, line {line.number}"
    if len(cells) != table.width:
        reject(
            "E0715",
            f"{place}: {len(cells)} cells where the first line has {table.width}",
            table.path.span,
            help="name the separator: `delimiter = ...`" if len(cells) == 1 else None,
        )
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        _refuse_cell(table, cells, place, index)
    # float() also takes 1_000 and the digits of other scripts, which no table means.
    if b"_" in line.text or not line.text.removeprefix(BOM).isascii():
        _refuse_cell(table, cells, place, index)
    return numbers


def _refuse_cell(table: Table, cells: tuple[str, ...], place: str, index: int) -> NoReturn:
    column, cell = next((i, c) for i, c in enumerate(cells) if not _is_number(c))
    name = f"`{shown(table.names[column])}`" if table.names else str(column)
    found = f"`{shown(cell)}` is no number" if cell.strip() else "the cell is empty"
    header = index == 0 and table.names is None
    reject(
        "E0715",
        f"{place}, column {name}: {found}",
        table.path.span,
        help="if the first line holds the names of the columns, add `header = true`" if header else None,
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell
