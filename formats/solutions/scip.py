"""Solutions of SCIP: `write solution FILE` in its shell, or `writeBestSol` from a program.

    solution status: optimal solution found
    objective value:                     1.20833333333333
    x_1                                              -0.5 	(obj:1.5)

The first line is there only in the shell's files. Zeros are left out unless `write/printzeros` is set. A
solution that SCIP stores has passed its feasibility check, so a file with one has an incumbent; how good it
is, the status or the statistics say.
"""

from collections.abc import Iterator

from ensc.compiler.diagnostics import Source
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.scan import (
    Line,
    Values,
    answer,
    contradiction,
    limited,
    lines,
    malformed,
    next_line,
    number,
    put,
)

STATUS = "solution status:"
OBJECTIVE = "objective value:"
NONE = "no solution available"

_INFINITY = 1e20

_SETTLED = {
    "optimal": Status.OPTIMAL,
    "optimal solution found": Status.OPTIMAL,
    "infeasible": Status.INFEASIBLE,
    "unbounded": Status.UNBOUNDED,
}


def read_scip(text: str, source_name: str, *, status: str | None = None) -> Solution:
    """Read a solution file of SCIP.

    Args:
        text: the file.
        source_name: its name, for messages.
        status: what else SCIP said: its statistics (`display statistics`), or its status alone.

    Raises:
        Rejected: E1252 to E1255 and E1257, with the line.
    """
    source = Source(source_name, text)
    rest = lines(source)
    head = next_line(rest, source, "the objective value")
    inside = ""
    if head.text.startswith(STATUS):
        inside = head.text[len(STATUS) :].strip()
        head = next_line(rest, source, "the objective value")
    outside, bound = _companion(status, f"{source_name} (status)") if status is not None else ("", None)
    words = outside or inside
    settled = _SETTLED.get(words)
    if head.text.strip() == NONE:
        if settled is None or settled is Status.OPTIMAL:  # an optimum that is not in the file is of no use
            settled = Status.UNKNOWN
        return answer(settled, {}, bound=bound, message=words or NONE)
    if settled is Status.INFEASIBLE:
        contradiction(f"a solution of a problem whose status is `{words}`", head, "give files of one run")
    if not head.text.startswith(OBJECTIVE):
        malformed(head, f"`{OBJECTIVE}` and a number, or `{NONE}`")
    objective = limited(head.text[len(OBJECTIVE) :].strip(), head, _INFINITY)
    found = Status.FEASIBLE if objective is not None else Status.UNKNOWN
    message = words or "a solution; the file has no status"
    return answer(settled or found, _values(rest), objective=objective, bound=bound, message=message)


def _values(rest: Iterator[Line]) -> Values:
    values: Values = {}
    for line in rest:
        fields = line.text.split()
        if len(fields) != 3 or not (fields[2].startswith("(obj:") and fields[2].endswith(")")):
            malformed(line, "a name, a value and `(obj:COST)`")
        put(values, fields[0], number(fields[1], line), line)
    return values


def _companion(text: str, name: str) -> tuple[str, float | None]:
    """Return status and dual bound from statistics, or from a file that starts with the status."""
    rest = lines(Source(name, text))
    first = next(rest, None)
    if first is None:
        return "", None
    if not first.text.startswith("SCIP Status"):
        return first.text.split(" nsols=")[0].strip(), None
    words = first.text.partition("[")[2].partition("]")[0].strip()
    bound = next((line for line in rest if line.text.strip().startswith("Dual Bound ")), None)
    if bound is None:
        return words, None
    stated = bound.text.partition(":")[2].split()
    return words, limited(stated[0], bound, _INFINITY) if stated and stated[0] != "-" else None
