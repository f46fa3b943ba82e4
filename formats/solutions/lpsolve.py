"""Answers of lp_solve: what it prints (`lp_solve -fmps FILE`, from `-S3` on), 6 digits.

    Value of objective function: 1.20833333

    Actual values of the variables:
    x_1                          -0.5

    Actual values of the constraints:
    ...

It has a word for every outcome but the best: values without one are optimal.
"""

from collections.abc import Iterator

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
    number,
    put,
)

OBJECTIVE = "Value of objective function:"
VARIABLES = "Actual values of the variables:"
CONSTRAINTS = "Actual values of the constraints:"

_INFINITY = 1e30

OUTCOMES = {
    "This problem is infeasible": Status.INFEASIBLE,
    "This problem is unbounded": Status.UNBOUNDED,
    "Suboptimal solution": Status.FEASIBLE,
    "The model is sub-optimal. Only a faster solution was found.": Status.FEASIBLE,
    "Presolved solution": Status.UNKNOWN,
    "Timeout": Status.UNKNOWN,
    "Out of memory": Status.UNKNOWN,
    "User aborted": Status.UNKNOWN,
    "lp_solve stopped by user": Status.UNKNOWN,
    "The B&B routine failed": Status.UNKNOWN,
    "This problem is degenerative": Status.UNKNOWN,
    "Numerical failure encountered": Status.UNKNOWN,
    "lp_solve failed": Status.UNKNOWN,
}


def read_lpsolve(text: str, source_name: str) -> Solution:
    """Read what lp_solve printed; lines that mean nothing here are skipped.

    Args:
        text: the output.
        source_name: its name, for messages.

    Raises:
        Rejected: E1252 to E1255 and E1257, with the line.
    """
    source = Source(source_name, text)
    outcome: Line | None = None
    objective: float | None = None
    values: Values | None = None
    rest = lines(source)
    for line in rest:
        words = line.text.strip()
        if words in OUTCOMES:
            _once(outcome is None, line)
            outcome = line
        elif words.startswith(OBJECTIVE):
            _once(objective is None, line)
            objective = limited(words[len(OBJECTIVE) :].strip(), line, _INFINITY)
        elif words == VARIABLES:
            _once(values is None, line)
            values = _values(rest, source)
    return _answer(outcome, objective, values, source)


def _answer(outcome: Line | None, objective: float | None, values: Values | None, source: Source) -> Solution:
    words = outcome.text.strip() if outcome is not None else ""
    if values is None:
        if outcome is None:
            cut_short(source, f"the outcome or `{VARIABLES}`")
        settled = OUTCOMES[words]
        return answer(Status.UNKNOWN if settled is Status.FEASIBLE else settled, {}, message=words)
    if objective is None:
        cut_short(source, f"`{OBJECTIVE}` before the values")
    if outcome is None:
        return answer(Status.OPTIMAL, values, objective=objective)
    settled = OUTCOMES[words]
    if settled in (Status.INFEASIBLE, Status.UNBOUNDED):
        contradiction("an outcome without solution, and values", outcome, "give the output of one run")
    return answer(settled, values, objective=objective, message=words)


def _values(rest: Iterator[Line], source: Source) -> Values:
    """Return the values; `-S4` may print several names and values in a line."""
    values: Values = {}
    for line in rest:
        if line.text.strip() == CONSTRAINTS:
            return values
        fields = line.text.split()
        if len(fields) % 2:
            malformed(line, "a name and a value")
        for name, value in zip(fields[::2], fields[1::2], strict=True):
            put(values, name, number(value, line), line)
    cut_short(source, f"`{CONSTRAINTS}` after the values")


def _once(first: bool, line: Line) -> None:
    if not first:
        contradiction(
            "lp_solve says this twice", line, "give the output of one run, without `-i` and `-time`"
        )
