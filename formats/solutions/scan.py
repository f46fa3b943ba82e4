"""What the readers of solution files share: lines that know their place, numbers, names, answers."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, NoReturn

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.types.solution import Solution, Status
from ensc.formats.numbers import INFINITE, parse_number

Values = dict[str, float | Fraction]

_LONGEST_FLOAT = 400
"""Characters of a decimal; a double written out in full has 309 digits before its point."""

_LONGEST_INTEGER = 4000
"""Digits of a numerator or denominator; Python refuses to print integers with more than 4300."""

_LONGEST_BITS = 13_288  # no more digits than that

_EXACT = re.compile(r"([+-]?)([0-9]++)(?:\.([0-9]*+))?+")

_LONGEST_LINE = 10_000
"""Characters: room for a name and a ratio. The pieces of a longer line would take many times its size."""

_WORDS_KEPT = 300

_WITH_VALUES = (Status.OPTIMAL, Status.FEASIBLE)


class Line(NamedTuple):
    """One line of a source, without its line break.

    Attributes:
        source: where it stands.
        start: the offset of its first character.
        text: its characters.
    """

    source: Source
    start: int
    text: str

    def span(self, part: str | None = None) -> Span:
        """Return the place of the last occurrence of a part, or else of the whole line without its blanks."""
        text = part if part and part in self.text else self.text.strip()
        at = self.text.rfind(text)
        return Span(self.source, self.start + at, self.start + at + max(len(text), 1))


def lines(source: Source) -> Iterator[Line]:
    """Yield the lines that are not blank, one at a time: a list of them all would outweigh the text.

    Raises:
        Rejected: E1253 for a line that is longer than any solver writes.
    """
    text, start = source.text, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if end - start > _LONGEST_LINE:
            malformed(
                Line(source, start, text[start : start + 100]), f"at most {_LONGEST_LINE} characters long"
            )
        line = text[start:end]
        if line and not line.isspace():
            yield Line(source, start, line.rstrip("\r"))
        start = end + 1


def last_line(source: Source) -> Line:
    """Return the last line that is not blank, or an empty one."""
    text = source.text.rstrip()
    start = text.rfind("\n") + 1
    return Line(source, start, text[start:])


def next_line(rest: Iterator[Line], source: Source, expected: str) -> Line:
    """Return the next line.

    Raises:
        Rejected: E1252 if there is none.
    """
    line = next(rest, None)
    return cut_short(source, expected) if line is None else line


def cut_short(source: Source, expected: str) -> NoReturn:
    """Reject a file that ends too early."""
    reject(
        "E1252",
        f"the solution file ends too early: {expected} is missing",
        last_line(source).span(),
        "the last line",
        help="copy the whole file, or let the solver write it again",
    )


def malformed(line: Line, expected: str, part: str | None = None) -> NoReturn:
    """Reject a line that does not have the shape its format prescribes."""
    reject("E1253", f"this line of the solution file should be {expected}", line.span(part), help=REWRITE)


REWRITE = "let the solver write the file again; values are read as they stand, never guessed"


def require_line_end(source: Source) -> None:
    """Refuse a file whose last line may have lost its end, in formats where nothing else would show it.

    Raises:
        Rejected: E1252 if the last line has no line break.
    """
    if source.text and not source.text.endswith("\n"):
        reject(
            "E1252",
            "the solution file ends within a line, so its last value may be cut short",
            last_line(source).span(),
            "the last line",
            help="copy the whole file; if it is whole, add a line break at its end",
        )


def number(token: str, line: Line) -> float:
    """Return a finite decimal number, the nearest float64 to what is printed.

    Raises:
        Rejected: E1254 if it is none, is not finite, or is longer than any double.
    """
    value = finite(token)
    if value is None:
        reject_number(token, line, "is no finite number")
    return value


def finite(token: str) -> float | None:
    """Return a decimal number, never -0.0; None if it is none, too large for a double, or absurdly long."""
    value = parse_number(token) if len(token) <= _LONGEST_FLOAT else None
    return None if value is None or math.isinf(value) else value + 0.0


def limited(token: str, line: Line, infinity: float = math.inf) -> float | None:
    """Return an objective or bound; None if it is infinite, which is how solvers write that there is none.

    Args:
        token: a decimal number or a spelling of infinity.
        line: where it stands.
        infinity: what the solver writes for infinity; larger numbers mean it too.

    Raises:
        Rejected: E1254 as `number`.
    """
    if INFINITE.fullmatch(token):
        return None
    value = number(token, line)
    return value if abs(value) < infinity else None


def natural(token: str, line: Line) -> int:
    """Return a small natural number: an index or a count.

    Raises:
        Rejected: E1254 if it is none.
    """
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        reject_number(token, line, "is no index or count")
    return int(token)


def ratio(token: str, line: Line) -> Fraction:
    """Return `p`, `p/q` or a decimal without exponent, exactly; p and q may be decimals too.

    Raises:
        Rejected: E1254 if it is none of them, divides by zero, or has more digits than can be printed.
    """
    top, slash, bottom = token.partition("/")
    over, over_scale = _scaled(top, line)
    under, under_scale = _scaled(bottom, line) if slash else (1, 1)
    if not under:
        reject_number(token, line, "divides by zero")
    return printable(Fraction(over * under_scale, under * over_scale), line)


def printable(value: Fraction, line: Line) -> Fraction:
    """Return a rational, unless Python would later refuse to print it.

    Raises:
        Rejected: E1254 if numerator or denominator is too long.
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _LONGEST_BITS:
        reject_number(line.text.strip(), line, f"has more than {_LONGEST_INTEGER} digits")
    return value


def _scaled(token: str, line: Line) -> tuple[int, int]:
    """Return an integer and the power of ten that divides it."""
    found = _EXACT.fullmatch(token)
    if found is None:
        reject_number(token, line, "is no number")
    sign, whole, after = found.groups(default="")
    if len(whole) + len(after) > _LONGEST_INTEGER:
        reject_number(token, line, f"has more than {_LONGEST_INTEGER} digits")
    after = after.rstrip("0")
    return int(f"{sign}{whole}{after}"), 10 ** len(after)


def nearest(value: Fraction) -> float | None:
    """Return the float64 nearest to a rational; None beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return None


def reject_number(token: str, line: Line, problem: str) -> NoReturn:
    """Reject a number."""
    reject(
        "E1254",
        f"`{shown(token)}` {problem}",
        line.span(token),
        help="a value in a solution file is a finite decimal number like -0.5 or 4.2e-01"
        + (", or a ratio like 5/12 from an exact solver" if "/" in token else ""),
    )


def put(values: Values, name: str, value: float | Fraction, line: Line) -> None:
    """Store the value of a variable.

    Raises:
        Rejected: E1255 if it has one already.
    """
    if name in values:
        reject(
            "E1255",
            f"the variable `{shown(name)}` has two values",
            line.span(),
            "the second one",
            help="give a file with one solution; a list of several must be cut into one file each",
        )
    values[name] = value


def by_index(numbers: Sequence[float], columns: Sequence[str] | None, line: Line) -> Values:
    """Name values that a file lists by their position only.

    Args:
        numbers: the value of each column of the model as it was written.
        columns: the names of these columns, in the order of the model file.
        line: the line that announces the list.

    Raises:
        Rejected: E1256 if no names are known, or not as many as there are values.
    """
    if columns is None:
        reject(
            "E1256",
            "this solution file has no names, only the positions of columns in the model file",
            line.span(),
            help="give the names in the order of the model file's columns; "
            "or let the solver write names (GLPK: `-o`, HiGHS: `write_solution_style = 0`)",
        )
    if len(columns) != len(numbers):
        reject(
            "E1256",
            f"this solution has {len(numbers)} columns, the model has {len(columns)}",
            line.span(),
            help="give the solution of this very model file: columns are matched by position",
        )
    values: Values = {}
    for name, value in zip(columns, numbers, strict=True):
        put(values, name, value, line)
    return values


def contradiction(message: str, line: Line, advice: str) -> NoReturn:
    """Reject a file that says two things."""
    reject("E1257", message, line.span(), help=advice)


def answer(
    status: Status,
    values: Mapping[str, float | Fraction],
    *,
    objective: float | None = None,
    bound: float | None = None,
    message: str = "",
) -> Solution:
    """Return a solution that claims no more than its status allows.

    What solvers print as values of an infeasible or unbounded problem is some point of the search; it is
    dropped. Values of unknown standing are kept as a hint, without the objective value printed with them.
    """
    kept = {} if status in (Status.INFEASIBLE, Status.UNBOUNDED) else values
    claimed = objective if status in _WITH_VALUES else None
    return Solution(status, kept, claimed, bound, shown(message, _WORDS_KEPT))


def of_relaxation(status: Status, *, continuous: bool) -> Status:
    """Return what a status of the continuous problem says about the model.

    Infeasible means infeasible. Everything else says nothing about a model with integers.
    """
    return status if continuous or status is Status.INFEASIBLE else Status.UNKNOWN
