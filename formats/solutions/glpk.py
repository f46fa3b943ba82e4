"""Solutions of GLPK: `glpsol -w FILE` (all digits, no names) and `glpsol -o FILE` (names, 6 digits).

HiGHS writes both too, in its styles 2 and 3; there the objective counts as the first row, and a file
without values has no end mark.

    s mip 3 5 o 1.20833333333333        rows, columns, status, objective
    i 1 3.7                             a row
    j 1 -0.5                            a column, by its position in the model file
    e o f

`s bas` and `s ipt` are solutions of the continuous problem: for a model with integers (`glpsol --nomip`)
they say nothing except that it is infeasible.
"""

from collections.abc import Iterator, Sequence

from ensc.compiler.diagnostics import Source
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.scan import (
    Line,
    Values,
    answer,
    by_index,
    contradiction,
    cut_short,
    last_line,
    limited,
    lines,
    malformed,
    natural,
    next_line,
    number,
    of_relaxation,
    put,
)

_MIP = {"o": Status.OPTIMAL, "f": Status.FEASIBLE, "n": Status.INFEASIBLE, "u": Status.UNKNOWN}
_INTERIOR = {"o": Status.OPTIMAL, "n": Status.INFEASIBLE, "i": Status.UNKNOWN, "u": Status.UNKNOWN}
_PRIMAL = {"f": Status.FEASIBLE, "n": Status.INFEASIBLE, "i": Status.UNKNOWN, "u": Status.UNKNOWN}

_LETTERS = {"mip": 1, "ipt": 1, "bas": 2}
_VALUE_AT = {"mip": (2, 3), "ipt": (2, 4), "bas": (3, 5)}
"""Which field of an `i` or `j` line is the value, and how many fields there are: a simplex solution has a
letter for the basis before it, and all but `mip` a dual value behind it."""

_REPORTED = {
    "INTEGER OPTIMAL": Status.OPTIMAL,
    "INTEGER NON-OPTIMAL": Status.FEASIBLE,
    "INTEGER EMPTY": Status.INFEASIBLE,
    "INTEGER UNDEFINED": Status.UNKNOWN,
    "OPTIMAL": Status.OPTIMAL,
    "FEASIBLE": Status.FEASIBLE,
    "INFEASIBLE (FINAL)": Status.INFEASIBLE,
    "INFEASIBLE (INTERMEDIATE)": Status.UNKNOWN,
    "UNBOUNDED": Status.UNBOUNDED,
    "UNDEFINED": Status.UNKNOWN,
}

_MARKS = frozenset({"*", "B", "NL", "NU", "NF", "NS"})


def read_glpk(
    text: str, source_name: str, *, columns: Sequence[str] | None = None, continuous: bool = False
) -> Solution:
    """Read a solution that `glpsol -w` or `glpsol -o` wrote.

    Args:
        text: the file.
        source_name: its name, for messages.
        columns: names in the order of the model file's columns; `-w` has only positions.
        continuous: whether the model has no integers.

    Raises:
        Rejected: E1252 to E1257, with the line.
    """
    source = Source(source_name, text)
    first = next_line(lines(source), source, "the status")
    if first.text.startswith("Problem:"):
        return _report(source, continuous=continuous)
    return _raw(source, columns, continuous=continuous)


def _raw(source: Source, columns: Sequence[str] | None, *, continuous: bool) -> Solution:
    rest = lines(source)
    comments: list[str] = []
    while (head := next_line(rest, source, "the line `s` with the status")).text.split()[0] == "c":
        comments.append(head.text)
    fields = head.text.split()
    kind = fields[1] if len(fields) > 1 else ""
    if fields[0] != "s" or kind not in _LETTERS or len(fields) != 5 + _LETTERS[kind]:
        malformed(head, "`s mip ROWS COLUMNS STATUS OBJECTIVE` (or `s bas`, `s ipt`)")
    stated = _letters(kind, fields[4:-1], head)
    status = stated if kind == "mip" else of_relaxation(stated, continuous=continuous)
    objective = limited(fields[-1], head)
    words = _status_comment(comments)
    if stated in (Status.UNKNOWN, Status.INFEASIBLE, Status.UNBOUNDED):  # only placeholders follow
        return answer(status, {}, message=words)
    numbers = _numbers(rest, source, natural(fields[3], head), *_VALUE_AT[kind])
    return answer(status, by_index(numbers, columns, head), objective=objective, message=words)


def _letters(kind: str, letters: list[str], line: Line) -> Status:
    table = {"mip": _MIP, "ipt": _INTERIOR, "bas": _PRIMAL}[kind]
    if letters[0] not in table or (kind == "bas" and letters[1] not in _PRIMAL):
        malformed(line, f"one whose status is {', '.join(table)}", " ".join(letters))
    status = table[letters[0]]
    if kind != "bas" or status is not Status.FEASIBLE:
        return status
    return {"f": Status.OPTIMAL, "n": Status.UNBOUNDED}.get(letters[1], Status.FEASIBLE)


def _status_comment(comments: list[str]) -> str:
    found = (comment.partition("Status:")[2].strip() for comment in comments)
    return next((words for words in found if words), "")


def _numbers(rest: Iterator[Line], source: Source, count: int, at: int, size: int) -> list[float]:
    """Return the values of the columns, in their order; rows are skipped."""
    found: dict[int, float] = {}
    for line in rest:
        fields = line.text.split()
        if fields == ["e", "o", "f"]:
            break
        if fields[0] not in ("i", "j") or len(fields) != size:
            malformed(line, "`j`, a position and a value")
        position = natural(fields[1], line)
        value = number(fields[at], line)
        if fields[0] == "i":
            continue
        if position in found or not 1 <= position <= count:
            contradiction(
                f"column {position} is listed twice or does not exist", line, f"columns: 1 to {count}"
            )
        found[position] = value
    else:
        cut_short(source, "the end mark `e o f`")
    if len(found) != count:
        contradiction(
            f"{len(found)} of {count} columns have a value", last_line(source), "GLPK lists them all"
        )
    return [found[j] for j in range(1, count + 1)]


def _report(source: Source, *, continuous: bool) -> Solution:
    rest = lines(source)
    head = {key: next_line(rest, source, key) for key in ("Problem", "Rows", "Columns", "Non-zeros")}
    status_line = next_line(rest, source, "the line `Status:`")
    words = _field("Status", status_line)
    if words not in _REPORTED:
        malformed(status_line, "a status of GLPK, such as `INTEGER OPTIMAL`")
    stated = _REPORTED[words]
    status = stated if words.startswith("INTEGER ") else of_relaxation(stated, continuous=continuous)
    if stated in (Status.UNKNOWN, Status.INFEASIBLE, Status.UNBOUNDED):
        return answer(status, {}, message=words)
    objective_line = next_line(rest, source, "the line `Objective:`")
    objective = _field("Objective", objective_line).rpartition("=")[2].partition("(")[0].strip()
    values = _table(rest, source)
    count = natural(_field("Columns", head["Columns"]).split()[0], head["Columns"])
    if len(values) != count:
        contradiction(
            f"{len(values)} of {count} columns have a value", head["Columns"], "GLPK lists them all"
        )
    if last_line(source).text.strip() != "End of output":
        cut_short(source, "the line `End of output`")
    return answer(status, values, objective=limited(objective, objective_line), message=words)


def _field(key: str, line: Line) -> str:
    name, _, content = line.text.partition(":")
    if name.strip() != key or not content.strip():
        malformed(line, f"`{key}:` and its content")
    return content.strip()


def _table(rest: Iterator[Line], source: Source) -> Values:
    values: Values = {}
    while "Column name" not in next_line(rest, source, "the table of columns").text:
        pass
    next_line(rest, source, "the table of columns")  # the dashes
    for line in rest:
        fields = line.text.split()
        if not fields[0].isdigit():
            break
        if len(fields) == 2:  # a name of more than 12 characters has a line of its own
            fields += next_line(rest, source, "the value of a column").text.split()
        after = fields[2:]
        after = after[1:] if after[:1] and after[0] in _MARKS else after
        if not after:
            malformed(line, "a position, a name and a value")
        put(values, fields[1], number(after[0], line), line)
    return values
