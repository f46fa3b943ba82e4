"""Solutions of Xpress: `writeslxsol` (`.slx`) and `writesol` (`.asc` with `.hdr` beside it).

    NAME          opt FREE
      C x_1                   -0.5
    ENDATA

         4,"x_1     ","C","SB",-0.5,1.5,-1,7,0

Neither has a status, and after a time limit without incumbent Xpress writes the relaxation's values. What
the `.hdr` says is about the last linear problem solved, except for one flag: whether an integer solution
was found.
"""

import csv
from collections.abc import Sequence

from ensc.compiler.diagnostics import Source
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.scan import (
    Line,
    Values,
    answer,
    contradiction,
    cut_short,
    limited,
    lines,
    malformed,
    natural,
    next_line,
    number,
    put,
    require_line_end,
)

_INFINITY = 1e20

_CONTINUOUS = {"O": Status.OPTIMAL, "I": Status.INFEASIBLE, "U": Status.UNBOUNDED}


def read_xpress(
    text: str, source_name: str, *, header: str | None = None, continuous: bool = False
) -> Solution:
    """Read a `.slx` or `.asc` of Xpress.

    Without the header the standing of the values is not known.

    Args:
        text: the file.
        source_name: its name, for messages.
        header: the text of the `.hdr` that belongs to it.
        continuous: whether the model has no integers; the header's status counts only then.

    Raises:
        Rejected: E1252 to E1257, with the line.
    """
    source = Source(source_name, text)
    first = next_line(lines(source), source, "the values")
    table = first.text.lstrip()[:1].isdigit()
    values = _table(source) if table else _slx(source)
    if header is None:
        standing = (
            "the file does not say whether its values are an integer solution" if values else "no solution"
        )
        return answer(Status.UNKNOWN, values, message=standing)
    status, objective, message, count = _header(
        Source(f"{source_name} (header)", header), continuous=continuous
    )
    if table and count != len(values):
        contradiction(
            f"the header speaks of {count} columns, here are {len(values)}", first, "give files of one run"
        )
    return answer(status if values else Status.UNKNOWN, values, objective=objective, message=message)


def _slx(source: Source) -> Values:
    values: Values = {}
    for line in lines(source):
        fields = line.text.split()
        if fields == ["ENDATA"]:
            return values
        if fields[0] == "NAME":
            if values:
                contradiction("a second solution", line, "cut a list of solutions into one file each")
            continue
        if len(fields) != 3 or fields[0] != "C":
            malformed(line, "`C`, a name and a value, or `ENDATA`")
        put(values, fields[1], number(fields[2], line), line)
    cut_short(source, "the line `ENDATA`")


def _table(source: Source) -> Values:
    require_line_end(source)
    values: Values = {}
    for position, line in enumerate(lines(source), start=1):
        fields = _cells(line)
        column = fields[2:3] == ["C"]
        # A row of the model has its right-hand side behind what a column has.
        if len(fields) != (9 if column else 10) or fields[0].strip() != str(position):
            malformed(line, f"row {position} of the table: position, name, kind, basis, value, ...")
        if column:
            put(values, fields[1].rstrip(" "), number(fields[4].strip(), line), line)
    return values


def _cells(line: Line) -> Sequence[str]:
    try:
        return next(csv.reader([line.text], strict=True, skipinitialspace=True))
    except csv.Error:
        malformed(line, "fields between commas, names in double quotes")


def _header(source: Source, *, continuous: bool) -> tuple[Status, float | None, str, int]:
    """Return status, objective, message and number of columns."""
    line = next_line(lines(source), source, "the line of the header")
    fields = [field.strip() for field in _cells(line)]
    if len(fields) != 14 or fields[12] not in ("0", "1"):
        malformed(line, "14 fields between commas, the 13th 0 or 1")
    found = fields[12] == "1"
    status = Status.FEASIBLE if found else Status.UNKNOWN
    if continuous:
        status = _CONTINUOUS.get(fields[4], Status.UNKNOWN)
    message = "an integer solution" if found else "no integer solution"
    return status, limited(fields[8], line, _INFINITY), message, natural(fields[2], line)
