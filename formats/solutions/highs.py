"""Solutions of HiGHS: `--solution_file`, in every `write_solution_style`.

* 0 (default) and 4: `Model status`, then `# Primal solution values` with a word on their feasibility. Style 4
  leaves out zeros, says so by a negative count, and puts the position behind each value.
* 1: a table for people, 6 digits, then `Model status:`.
* 2 and 3: what GLPK writes, see `ensc.formats.solutions.glpk`.
* -1: numbers alone, without names and without a status.
"""

from collections.abc import Iterator, Sequence

from ensc.compiler.diagnostics import Source
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.solutions.glpk import read_glpk
from ensc.formats.solutions.scan import (
    Line,
    Values,
    answer,
    by_index,
    contradiction,
    limited,
    lines,
    malformed,
    natural,
    next_line,
    number,
    put,
)

RAW = "Model status"
TABLE = "Index Status"
NUMBERS = ": Number of columns and rows"

_WIDTH = 12  # of a number in the table

_SETTLED = {"Optimal": Status.OPTIMAL, "Infeasible": Status.INFEASIBLE, "Unbounded": Status.UNBOUNDED}

_LIMITS = frozenset(
    {
        "Bound on objective reached",
        "Target for objective reached",
        "Time limit reached",
        "Iteration limit reached",
        "Solution limit reached",
        "Memory limit reached",
        "Interrupted by user",
        "HighsInterrupt",
    }
)


def read_highs(
    text: str, source_name: str, *, columns: Sequence[str] | None = None, continuous: bool = False
) -> Solution:
    """Read a solution file of HiGHS in any of its styles.

    `Optimal` is what HiGHS claims, up to the gap it was allowed, which the file does not state.

    Args:
        text: the file.
        source_name: its name, for messages.
        columns: names in the order of the model file, for the styles without names (-1 and 2).
        continuous: whether the model has no integers, for the styles 2 and 3.

    Raises:
        Rejected: E1252 to E1257, with the line.
    """
    source = Source(source_name, text)
    rest = lines(source)
    head = next_line(rest, source, "the status")
    if head.text.strip() == RAW:
        return _raw(rest, source)
    if head.text.strip() == "Columns":
        return _table(rest, source, columns)
    if NUMBERS in head.text:
        return _numbers(head, rest, source, columns)
    return read_glpk(text, source_name, columns=columns, continuous=continuous)


def _raw(rest: Iterator[Line], source: Source) -> Solution:
    status_line = next_line(rest, source, "the status")
    words = status_line.text.strip()
    _expect("# Primal solution values", rest, source)
    standing_line = next_line(rest, source, "whether the values are feasible")
    standing = standing_line.text.strip()
    if standing not in ("Feasible", "Infeasible", "None"):
        malformed(standing_line, "`Feasible`, `Infeasible` or `None`")
    if standing == "None":
        return answer(_status(words, feasible=False), {}, message=words)
    objective_line = next_line(rest, source, "the objective value")
    objective = _after("Objective ", objective_line)
    values = _columns(rest, source)
    status = _status(words, feasible=standing == "Feasible")
    remark = "" if standing == "Feasible" else f"; the values are called {standing}"
    value = limited(objective, objective_line)
    return answer(status, values, objective=value, message=words + remark)


def _columns(rest: Iterator[Line], source: Source) -> Values:
    head = next_line(rest, source, "the list of columns")
    count = _after("# Columns ", head)
    sparse = count.startswith("-")
    values: Values = {}
    for _ in range(natural(count.removeprefix("-"), head)):
        line = next_line(rest, source, "the value of a column")
        fields = line.text.split()
        if len(fields) != 2 + sparse or fields[0] == "#":
            malformed(line, "a name, a value and a position" if sparse else "a name and a value")
        put(values, fields[0], number(fields[1], line), line)
    if not sparse and count != "0":
        rows = next_line(rest, source, "the list of rows")
        natural(_after("# Rows ", rows), rows)
    return values


def _status(words: str, *, feasible: bool) -> Status:
    settled = _SETTLED.get(words, Status.UNKNOWN)
    if settled is Status.OPTIMAL:  # postsolve may find that the optimum violates the model after all
        return Status.OPTIMAL if feasible else Status.UNKNOWN
    return Status.FEASIBLE if words in _LIMITS and feasible else settled


def _table(rest: Iterator[Line], source: Source, columns: Sequence[str] | None) -> Solution:
    head = next_line(rest, source, "the head of the table")
    if TABLE not in head.text or "Primal" not in head.text:
        malformed(head, "the head `Index Status Lower Upper Primal Dual`")
    cells = list(_cells(head, rest, source))
    words_line = next((line for line in rest if line.text.startswith("Model status:")), None)
    words_line = words_line or next_line(iter(()), source, "the line `Model status:`")
    words = words_line.text.partition(":")[2].strip()
    objective_line = next_line(rest, source, "the line `Objective value:`")
    objective = limited(_after("Objective value:", objective_line), objective_line)
    printed = [(line, cell) for line, cell, _ in cells if cell]
    if printed and len(printed) < len(cells):
        contradiction("some columns have values and some have none", printed[0][0], "copy the whole file")
    numbers = [number(cell, line) for line, cell in printed]
    named = "Name" in head.text or not numbers
    values = _named(cells, numbers) if named else by_index(numbers, columns, head)
    # The table does not say whether its values are feasible. In a model with integers they are the incumbent:
    # there the objective is infinite as long as there is none.
    incumbent = bool(numbers) and objective is not None and any(_is_integer(line) for line, _, _ in cells)
    optimal = words == "Optimal" and bool(numbers or not cells)
    return answer(_status(words, feasible=optimal or incumbent), values, objective=objective, message=words)


def _cells(head: Line, rest: Iterator[Line], source: Source) -> Iterator[tuple[Line, str, str]]:
    """Yield the columns of the table: the line, the text of the value, the name."""
    end = head.text.index("Primal") + len("Primal")
    names = head.text.find("Name")
    while (line := next_line(rest, source, "the list of rows")).text.strip() != "Rows":
        text = line.text
        edges = text[end - _WIDTH - 1 : end - _WIDTH] + text[end : end + 1]
        if not text.split()[0].isdigit() or edges.strip():
            malformed(line, "a row of the table, with every number below its head")
        name = text[names:].split()[-1:] if names >= 0 else [""]
        if not name:
            malformed(line, "a row of the table with a name at its end")
        yield line, text[end - _WIDTH : end].strip(), name[0]


def _named(cells: list[tuple[Line, str, str]], numbers: list[float]) -> Values:
    values: Values = {}
    for (line, _, name), value in zip(cells, numbers, strict=False):  # all of them have values or none
        put(values, name, value, line)
    return values


def _is_integer(line: Line) -> bool:
    return any(kind in line.text.split()[:-1] for kind in ("Integer", "Semi-integer"))


def _numbers(head: Line, rest: Iterator[Line], source: Source, columns: Sequence[str] | None) -> Solution:
    count = natural(head.text.split()[0], head)
    flags = [next_line(rest, source, "what is listed").text.split() for _ in range(3)]
    if not all(flag[0] in ("T", "F") for flag in flags):
        malformed(head, "followed by three lines that start with T or F")
    if flags[0][0] == "F":
        return answer(Status.UNKNOWN, {}, message="no status and no values")
    _expect("Columns", rest, source)
    width = sum(flag[0] == "T" for flag in flags)
    numbers = [_first(next_line(rest, source, "the value of a column"), width) for _ in range(count)]
    _expect("Rows", rest, source)
    return answer(Status.UNKNOWN, by_index(numbers, columns, head), message="no status in this style of file")


def _first(line: Line, width: int) -> float:
    fields = line.text.split()
    if len(fields) != width:
        malformed(line, f"{width} numbers")
    return number(fields[0], line)


def _expect(words: str, rest: Iterator[Line], source: Source) -> None:
    line = next_line(rest, source, f"the line `{words}`")
    if line.text.strip() != words:
        malformed(line, f"`{words}`")


def _after(prefix: str, line: Line) -> str:
    if not line.text.startswith(prefix):
        malformed(line, f"`{prefix.strip()}` and a number")
    return line.text[len(prefix) :].strip()
