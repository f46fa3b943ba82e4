"""Solutions of QSopt_ex: `esolver -O FILE`, exact rationals, nonzeros only.

    status = OPTIMAL
    status OPTIMAL
        Value = 29/24
    VARS:
    x_1 = -1/2
    REDUCED COST:

QSopt_ex solves the linear relaxation, whatever the model declares as integer.
"""

from collections.abc import Iterator
from fractions import Fraction

from ensc.compiler.diagnostics import Source
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.scan import (
    Line,
    Values,
    answer,
    contradiction,
    lines,
    malformed,
    nearest,
    next_line,
    of_relaxation,
    put,
    ratio,
)

_SETTLED = {"OPTIMAL": Status.OPTIMAL, "INFEASIBLE": Status.INFEASIBLE, "UNBOUNDED": Status.UNBOUNDED}


def read_qsopt(text: str, source_name: str, *, continuous: bool = False) -> Solution:
    """Read a solution file of QSopt_ex.

    Args:
        text: the file.
        source_name: its name, for messages.
        continuous: whether the model has no integers. Otherwise an optimum is one of the relaxation: its
            values are kept, its status is not.

    Raises:
        Rejected: E1252 to E1255 and E1257, with the line.
    """
    source = Source(source_name, text)
    rest = lines(source)
    head = next_line(rest, source, "the status")
    words, line = _statuses(head, rest)
    stated = _SETTLED.get(words, Status.UNKNOWN)
    status = of_relaxation(stated, continuous=continuous)
    if stated is not Status.OPTIMAL:
        return answer(status, {}, message=words)
    line = line or next_line(rest, source, "the value of the objective")
    value = _value(line)
    values = _values(rest, source)
    message = words if continuous else f"{words}, of the relaxation without integers: {_spelled(value)}"
    return answer(status, values, objective=nearest(value), message=message)


def _statuses(head: Line, rest: Iterator[Line]) -> tuple[str, Line | None]:
    """Return the status, which stands there once or twice, and the line after it."""
    words = _status(head)
    if not words:
        malformed(head, "`status = OPTIMAL` or another status")
    following = next(rest, None)
    again = _status(following) if following is not None else None
    if following is None or again is None:
        return words, following
    if again != words:
        contradiction(
            f"the status is `{words}` and then `{again}`", following, "give a file with one solution"
        )
    return words, next(rest, None)


def _status(line: Line) -> str | None:
    head, _, words = line.text.partition(" ")
    return words.removeprefix("=").strip() if head == "status" else None


def _value(line: Line) -> Fraction:
    name, _, value = line.text.partition("=")
    if name.strip() != "Value":
        malformed(line, "`Value =` and a ratio")
    return ratio(value.strip(), line)


def _values(rest: Iterator[Line], source: Source) -> Values:
    head = next_line(rest, source, "the list `VARS:`")
    if head.text.strip() != "VARS:":
        malformed(head, "`VARS:`")
    values: Values = {}
    while (line := next_line(rest, source, "the list `REDUCED COST:`")).text.strip() != "REDUCED COST:":
        fields = line.text.split()
        if len(fields) != 3 or fields[1] != "=":
            malformed(line, "a name, `=` and a ratio")
        put(values, fields[0], ratio(fields[2], line), line)
    return values


def _spelled(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"about {nearest(value)}"
