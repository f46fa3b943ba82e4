"""Solutions of CBC, 2.10 and newer: `solution FILE` on its command line.

    Optimal - objective value 1.20833333
          0 x_1                 -0.5           5.8980598e-17
    **    1 b.2                    1                   -3.55

Index, name, value, reduced cost; `**` marks a value outside its bounds. Zeros are mostly left out. With
`printingOptions all` there are two lists, rows before columns, and each counts from 0. CBC 2.10 prints 8
digits. The file cannot tell an optimum of the relaxation alone (`initialSolve`) from one of the model.
"""

from collections.abc import Iterator
from typing import NoReturn

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
)

SEPARATOR = " - objective value "

_INFINITY = 1e40  # CBC prints 1e50 for "no solution"

_NO_INCUMBENT = "(no integer solution - continuous used)"

_SETTLED = {
    "Optimal": Status.OPTIMAL,
    "Optimal (within gap tolerance)": Status.OPTIMAL,
    "Infeasible": Status.INFEASIBLE,
    "Integer infeasible": Status.INFEASIBLE,
    "Unbounded": Status.UNBOUNDED,
}

_LIMITS = frozenset({"time", "iterations", "nodes", "solutions", "gap", "ctrl-c", "user ctrl-c"})


def read_cbc(text: str, source_name: str, *, continuous: bool = False) -> Solution:
    """Read a solution file of CBC.

    `Optimal` is what CBC claims, up to the gap it was allowed, which the file does not state.

    Args:
        text: the file.
        source_name: its name, for messages.
        continuous: whether the model has no integers. Then a stop at a limit leaves some point of the
            simplex, where with integers it leaves the incumbent unless the file says otherwise.

    Raises:
        Rejected: E1252 to E1255, E1257, with the line.
    """
    source = Source(source_name, text)
    rest = lines(source)
    head = next_line(rest, source, "the line with the status")
    words, objective = _header(head)
    values, marked = _values(rest, source)
    status = _status(words, objective, continuous=continuous)
    if words == "Status unknown":  # nothing was solved; the zeros mean nothing
        return answer(status, {}, message=words)
    outside = f"; values marked as outside their bounds: {marked}" if marked else ""
    return answer(status, values, objective=objective, message=words + outside)


def _header(line: Line) -> tuple[str, float | None]:
    words, separator, value = line.text.strip().rpartition(SEPARATOR)
    if not separator or not words:
        malformed(line, "the status, as in `Optimal - objective value 1.5`")
    return words, limited(value.strip(), line, _INFINITY)


def _status(words: str, objective: float | None, *, continuous: bool) -> Status:
    if words in _SETTLED:
        settled = _SETTLED[words]
        return Status.UNKNOWN if settled is Status.OPTIMAL and objective is None else settled
    if _NO_INCUMBENT in words or objective is None or continuous:
        return Status.UNKNOWN
    stopped, _, limit = words.partition(" on ")
    return Status.FEASIBLE if stopped == "Stopped" and limit in _LIMITS else Status.UNKNOWN


def _values(rest: Iterator[Line], source: Source) -> tuple[Values, int]:
    """Return the values of the last list, and how many of them are marked."""
    values: Values = {}
    last, marked, lists = -1, 0, 1
    for line in rest:
        fields = line.text.split()
        mark = fields[0] == "**"
        fields = fields[mark:]
        if len(fields) != 4:
            _wrong(line, source)
        index = natural(fields[0], line)
        if index <= last:
            _require_rows(line, lists, complete=len(values) == last + 1)
            values, marked, lists = {}, 0, lists + 1
        last = index
        marked += mark
        number(fields[3], line)
        put(values, fields[1], number(fields[2], line), line)
    return values, marked


def _wrong(line: Line, source: Source) -> NoReturn:
    if line.start + len(line.text) == len(source.text):
        cut_short(source, "the rest of the last line")
    malformed(line, "an index, a name, a value and a reduced cost")


def _require_rows(line: Line, lists: int, *, complete: bool) -> None:
    """Let the positions start anew only after a list of rows, which never leaves any out."""
    if lists == 2:
        contradiction(
            "this is the third list of values", line, "CBC writes rows and columns, or columns alone"
        )
    if not complete:
        malformed(line, "one with a larger index than the line before")
