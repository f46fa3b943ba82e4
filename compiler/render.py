"""Diagnostics as text for people and as JSON for programs.

    error[E0202]: unknown norm `L3`
      --> digits.rq:7:13
       |
     7 | attack norm L3, radius epsilon, count auto;
       |             ^^ expected L1, Linf or L0
       = help: did you mean `L1`?

Whatever a source or a message contains, only printable characters reach the terminal.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from ensc.compiler.diagnostics import Diagnostic, Label, Severity, Source, Span

SCHEMA = 1
"""Version of what `render_json` writes."""

WIDTH = 120
TAB = 4
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_WITHOUT_WIDTH = frozenset(("Mn", "Me"))


def render_text(diagnostics: Iterable[Diagnostic], width: int = WIDTH) -> str:
    """Return diagnostics as text, with a count of errors and warnings as the last line.

    Args:
        diagnostics: in the order in which they are shown.
        width: of the longest source line shown whole, in terminal columns, at least 20; longer ones
            are cut at "…".

    Returns:
        The text, with a line break at its end; empty if there are no diagnostics.
    """
    every = tuple(diagnostics)
    if not every:
        return ""
    blocks = ["\n".join(_lines(diagnostic, max(width, 20))) for diagnostic in every]
    return "\n\n".join([*blocks, _summary(every)]) + "\n"


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics as one JSON object, with a line break at its end.

    The object has `version` (1) and `diagnostics`, a list of objects with `code`, `severity`, `message`,
    `file`, `start`, `end`, `label`, `related`, `notes` and `help`. Lines and columns count from 1, the
    offset from 0, all in characters; `end` is behind the last character. Without a place `file`,
    `start`, `end` and `label` are null.
    """
    content = {"version": SCHEMA, "diagnostics": [_as_object(d) for d in diagnostics]}
    return json.dumps(content, indent=2) + "\n"


def visible(text: str) -> str:
    r"""Return text with control and formatting characters written as escapes.

    >>> visible("a\x1b[31m\n")
    'a\\x1b[31m\\n'
    """
    return "".join(_escaped(c) if unicodedata.category(c) in _HIDDEN else c for c in text)


def _summary(diagnostics: Sequence[Diagnostic]) -> str:
    errors = sum(d.severity is Severity.ERROR for d in diagnostics)
    counts = {"error": errors, "warning": len(diagnostics) - errors}
    return ", ".join(f"{n} {word}{'s' * (n > 1)}" for word, n in counts.items() if n)


def _lines(diagnostic: Diagnostic, width: int) -> Iterator[str]:
    yield f"{diagnostic.severity.value}[{diagnostic.code}]: {visible(diagnostic.message)}"
    marks = _marks(diagnostic)
    gutter = max((len(str(mark.line)) for mark in marks), default=1)
    for number, source in enumerate(dict.fromkeys(mark.source for mark in marks)):
        here = [mark for mark in marks if mark.source == source]
        line, column = source.position(here[0].span.start)
        arrow = "-->" if number == 0 else ":::"
        yield f"{' ' * gutter} {arrow} {visible(source.name)}:{line}:{column}"
        yield from _frame(source, here, gutter, width)
    yield from (f"{' ' * gutter}  = note: {visible(note)}" for note in diagnostic.notes)
    if diagnostic.help is not None:
        yield f"{' ' * gutter}  = help: {visible(diagnostic.help)}"


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is underlined in one line.

    Attributes:
        source: the text the line is in.
        span: all that the label is about.
        line: the 1-based number of the line.
        start: offset of the first underlined character in the line, counted from 0.
        end: offset behind the last one; the same as `start` if the mark is between two characters.
        text: what stands behind the underline.
        sign: what underlines.
    """

    source: Source
    span: Span
    line: int
    start: int
    end: int
    text: str
    sign: str


def _marks(diagnostic: Diagnostic) -> list[_Mark]:
    if diagnostic.place is None:
        return []
    labels = [(diagnostic.place, "^"), *((label, "-") for label in diagnostic.related)]
    return [mark for label, sign in labels for mark in _marks_of(label, sign)]


def _marks_of(label: Label, sign: str) -> Iterator[_Mark]:
    """Yield the mark of a label; of one over several lines those in its first and its last line."""
    source, start, end = label.span.source, label.span.start, label.span.end
    first, first_column = source.position(start)
    last, last_column = source.position(max(start, end - 1))
    if first == last:
        stop = first_column - 1 + end - start
        yield _Mark(source, label.span, first, first_column - 1, stop, label.text, sign)
        return
    length = len(source.line(first))
    yield _Mark(source, label.span, first, first_column - 1, length, "", sign)
    text = source.line(last)
    indent = min(len(text) - len(text.lstrip()), last_column - 1)
    yield _Mark(source, label.span, last, indent, last_column, label.text, sign)


def _frame(source: Source, marks: Sequence[_Mark], gutter: int, width: int) -> Iterator[str]:
    yield f"{' ' * gutter}  |"
    numbers = sorted({mark.line for mark in marks})
    for previous, number in pairwise([numbers[0], *numbers]):
        if number > previous + 1:
            yield f"{' ' * gutter} ..."
        here = [mark for mark in marks if mark.line == number]
        text = _Text.cut(source.line(number), here[0], width)
        yield f" {number:>{gutter}} | {text.shown}".rstrip()
        for mark in here:
            yield f"{' ' * gutter}  | {text.underline(mark)}".rstrip()


@dataclass(frozen=True, slots=True)
class _Text:
    """A source line as it is shown.

    Attributes:
        shown: the part that is shown.
        base: offset in the line of the first character that was considered.
        columns: of each character considered, and behind the last one.
        first: the column at which the part starts; the "…" before it takes one column.
        last: the column behind it.
    """

    shown: str
    base: int
    columns: tuple[int, ...]
    first: int
    last: int

    @classmethod
    def cut(cls, line: str, mark: _Mark, width: int) -> "_Text":
        """Show a line, a long one only around a mark."""
        base = max(0, mark.start - width)
        near = line[base : mark.start + 2 * width]
        cells = list(_cells(near))
        columns = tuple(accumulate(map(_width, cells), initial=0))
        if len(near) == len(line) and columns[-1] <= width:
            return cls("".join(cells), base, columns, 0, columns[-1])
        at = columns[min(mark.start - base, len(cells))]
        low = max(0, min(at - width // 3, columns[-1] - width))
        kept = [i for i in range(len(cells)) if low <= columns[i] and columns[i + 1] <= low + width]
        first, last = kept[0], kept[-1] + 1
        before = "…" if base + first > 0 else ""
        after = "…" if base + last < len(line) else ""
        shown = before + "".join(cells[first:last]) + after
        return cls(shown, base, columns, columns[first] - len(before), columns[last])

    def underline(self, mark: _Mark) -> str:
        """Return the underline of a mark, and its text."""
        start, end = self._column(mark.start), self._column(mark.end)
        return f"{' ' * start}{mark.sign * max(1, end - start)} {visible(mark.text)}"

    def _column(self, offset: int) -> int:
        """Return where a character is shown; one that is cut off, at the nearer end."""
        at = min(max(offset - self.base, 0), len(self.columns) - 1)
        return min(max(self.columns[at], self.first), self.last) - self.first


def _cells(line: str) -> Iterator[str]:
    """Yield what is shown for each character of a line."""
    column = 0
    for character in line:
        is_tab = character == "\t"
        cell = " " * (TAB - column % TAB) if is_tab else visible(character)
        column += _width(cell)
        yield cell


def _width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _as_object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(diagnostic.place),
        "related": [_place(label) for label in diagnostic.related],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }


def _place(label: Label | None) -> dict[str, object]:
    if label is None:
        return {"file": None, "start": None, "end": None, "label": None}
    span = label.span
    return {
        "file": span.source.name,
        "start": _point(span.source, span.start),
        "end": _point(span.source, span.end),
        "label": label.text,
    }


def _point(source: Source, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "column": column, "offset": offset}
