"""Lists of names and values below an objective value, as Gurobi and COPT write them."""

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
    number,
    put,
    require_line_end,
)


def read_listing(source: Source, prefix: str, infinity: float) -> Solution:
    """Read comments and lines `name value`.

    Solvers that write this write it only when they have a solution: a stated objective value means that
    there is an incumbent. Without one (a start, a hint) the values have no standing.

    Args:
        source: the file.
        prefix: what stands before the objective value, in a comment.
        infinity: what the solver writes for infinity.

    Raises:
        Rejected: E1252 to E1255 and E1257, with the line.
    """
    require_line_end(source)
    comments, values = _sorted(lines(source))
    stated = [line for line in comments if line.text.startswith(prefix)]
    if len(stated) > 1:
        contradiction(
            "the objective value is stated twice", stated[1], "cut a list of solutions into one file each"
        )
    objective = limited(stated[0].text[len(prefix) :].strip(), stated[0], infinity) if stated else None
    if objective is None:
        return answer(Status.UNKNOWN, values, message="the file states no objective value")
    return answer(Status.FEASIBLE, values, objective=objective, message="a solution; the file has no status")


def _sorted(rest: Iterator[Line]) -> tuple[list[Line], Values]:
    comments: list[Line] = []
    values: Values = {}
    for line in rest:
        if line.text.startswith("#"):
            comments.append(line)
            continue
        fields = line.text.split()
        if len(fields) != 2:
            malformed(line, "a name and a value")
        put(values, fields[0], number(fields[1], line), line)
    return comments, values
