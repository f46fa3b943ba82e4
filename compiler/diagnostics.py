"""What the compiler says about an input it cannot accept, and where.

A `Diagnostic` is a value: passes collect several before they give up, `render` turns them into text
or JSON. `Rejected` carries them out of a pass that cannot go on; it is the only exception that a bad
input may cause.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Source:
    """A text that places point into: a query file, or one argument of the command line."""

    name: str
    text: str = field(repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a character offset."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def line(self, number: int) -> str:
        """Return the text of a 1-based line, without its line break."""
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if number <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `start..end` (end excluded) of a source."""

    source: Source
    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of the other."""
        return Span(self.source, self.start, max(self.end, other.end))

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]


class Severity(Enum):
    """How bad it is: an error rejects the input, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said about it, printed under the carets."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: a stable code, a sentence, the place, related places, and what would mend it.

    Attributes:
        code: `E....` or `W....`; `ensc explain CODE` tells the long story.
        message: one sentence without a full stop, naming what was found.
        place: where the carets go; None when no text is at fault.
        related: other places the reader needs to see (the first definition, the declaration).
        notes: facts that are no advice.
        help: what to do.
    """

    code: str
    message: str
    place: Label | None = None
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None

    @property
    def severity(self) -> Severity:
        """Errors have codes that start with E, warnings with W."""
        return Severity.ERROR if self.code.startswith("E") else Severity.WARNING


class Rejected(Exception):  # noqa: N818 - the input is rejected; nothing went wrong in the program
    """An input was rejected; `diagnostics` says why (at least one of them is an error)."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(f"[{d.code}] {d.message}" for d in self.diagnostics))


def reject(
    code: str,
    message: str,
    span: Span | None = None,
    label: str = "",
    *,
    related: tuple[Label, ...] = (),
    notes: tuple[str, ...] = (),
    help: str | None = None,  # noqa: A002 - the field's name
) -> NoReturn:
    """Raise `Rejected` with one diagnostic."""
    place = Label(span, label) if span is not None else None
    raise Rejected([Diagnostic(code, message, place, related, notes, help)])
