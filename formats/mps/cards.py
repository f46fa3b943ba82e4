"""The lines of an MPS file, which are still called cards, in their sections, and their fields."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.words import hint
from ensc.formats.numbers import INFINITY, parse_bound, parse_number

HEADER = re.compile(r"^[^\s*][^\n]*", re.MULTILINE)

GRID = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
"""Where a card in fixed format has its fields, counted from 0."""

GAPS = ((0, 1), (3, 4), (12, 14), (22, 24), (36, 39), (47, 49), (61, None))
"""Where it has blanks."""

FIELDS = {
    "ROWS": "a sense (N, L, G or E) and a row",
    "COLUMNS": "a column, a row and a number, perhaps another row and number",
    "RHS": "the name of the set, a row and a number, perhaps another row and number",
    "RANGES": "the name of the set, a row and a number, perhaps another row and number",
    "BOUNDS": "a kind (UP, LO, FX, FR, MI, PL, BV, UI, LI), the name of the set, a column, perhaps a number",
    "SOS": "S1 and the name of a set, or a column and its weight",
    "INDICATORS": "IF, a row, a binary column, and 0 or 1",
    "OBJSENSE": "MIN or MAX",
    "OBJNAME": "a row",
}

RULER = "in fixed format the fields stand in columns 2-3, 5-12, 15-22, 25-36, 40-47 and 50-61"

FINITE = "expected a finite number"

MOST_REPORTED = 10

MANY = 1000
"""Names among which a similar one is looked for; the search is slow."""

Split = Callable[[str], list[str]]


class Card(NamedTuple):
    """One line and its fields.

    Attributes:
        source: the file.
        section: the section it stands in.
        start: the offset of the line in the text.
        text: the line.
        fields: without the blanks around them.
    """

    source: Source
    section: str
    start: int
    text: str
    fields: list[str]

    def span(self, place: int | None = None) -> Span:
        """Return where a field is; behind the last one for a field that is missing; else all fields."""
        if place is None:
            text = self.text.strip()
            at = self.start + self.text.find(text)
            return Span(self.source, at, at + max(len(text), 1))
        at = 0
        for wanted in self.fields[: place + 1]:
            at = self.text.index(wanted, at) + len(wanted)
        size = len(self.fields[place]) if place < len(self.fields) else -1
        return Span(self.source, self.start + at - max(size, 0), self.start + at - min(size, 0))

    def label(self, text: str, place: int | None = None) -> Label:
        """Return a place and what is to be said about it."""
        return Label(self.span(place), text)

    def reject(
        self,
        code: str,
        message: str,
        place: int | None = None,
        label: str = "",
        *,
        help: str | None = None,  # noqa: A002 - the field's name
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> NoReturn:
        """Reject the file for what stands in a field."""
        reject(code, message, self.span(place), label, help=help, related=related, notes=notes)

    def malformed(self, expected: str, place: int | None = None) -> NoReturn:
        """Reject the card because its fields are not those of its section."""
        dollar = next((i for i, text in enumerate(self.fields) if i and text.startswith("$")), None)
        if dollar is not None:
            expected, place = "comments are lines of their own, with * in the first column", dollar
        notes = (f"a line of this section has {FIELDS[self.section]}", RULER)
        self.reject("E1229", f"this is no line of the section {self.section}", place, expected, notes=notes)

    def number(self, place: int) -> float:
        """Return the finite number in a field."""
        value = parse_number(self.fields[place])
        if value is None:
            self._reject_number(place, "a decimal number such as -1.5e-3")
        if abs(value) >= INFINITY:
            self.reject("E1226", f"`{shown(self.fields[place])}` is too large", place, FINITE)
        return value

    def bound(self, place: int) -> float:
        """Return the number in a field, infinite from 1e30 on."""
        value = parse_bound(self.fields[place])
        if value is None:
            self._reject_number(place, "a decimal number such as -1.5e-3, or inf")
        return value

    def _reject_number(self, place: int, expected: str) -> NoReturn:
        self.reject("E1225", f"`{shown(self.fields[place])}` is no number", place, f"expected {expected}")

    def known(self, kind: str, place: int, names: Mapping[str, int]) -> int:
        """Return what a name stands for."""
        name = self.fields[place]
        found = names.get(name)
        if found is not None:
            return found
        if name.startswith("$"):
            self.malformed("")
        advice = hint(name, list(names), shown) if len(names) <= MANY else None
        self.reject("E1230", f"there is no {kind} `{shown(name)}`", place, help=advice)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a file.

    Attributes:
        source: the file.
        header: the line that begins it.
        end: the offset behind its last line.
        split: cuts a line into fields.
    """

    source: Source
    header: Card
    end: int
    split: Split

    def cards(self) -> Iterator[Card]:
        """Yield the lines that are neither blank nor comments."""
        source, name, split = self.source, self.header.section, self.split
        text = source.text
        start = self.header.start + len(self.header.text) + 1
        while start < self.end:
            end = text.find("\n", start, self.end)
            end = self.end if end < 0 else end
            line = text[start:end]
            if (fields := split(line)) and line[0] != "*":
                yield Card(source, name, start, line, fields)
            start = end + 1

    def card_at(self, start: int) -> Card:
        """Return the card that starts at an offset; readers keep offsets, because cards take much memory."""
        end = self.source.text.find("\n", start)
        line = self.source.text[start : end if end >= 0 else None]
        return Card(self.source, self.header.section, start, line, self.split(line))


def in_sections(source: Source, split: Split) -> list[Section]:
    """Return the sections of a file; lines that start in the first column begin them."""
    headers = list(HEADER.finditer(source.text))
    ends = [*(header.start() for header in headers), len(source.text)][1:]
    sections = []
    for header, end in zip(headers, ends, strict=True):
        fields = header[0].split()
        card = Card(source, fields[0], header.start(), header[0], fields)
        sections.append(Section(source, card, end, split))
    return sections


def comments(source: Source) -> tuple[str, ...]:
    """Return the comments before the first section.

    Raises:
        Rejected: E1228 if something else stands there.
    """
    header = HEADER.search(source.text)
    notes, start = [], 0
    for line in source.text[: header.start() if header else None].split("\n"):
        if line.startswith("*"):
            notes.append(line[1:].removeprefix(" ").rstrip())
        elif line.strip():
            Card(source, "", start, line, [line]).reject(
                "E1228",
                "this line stands in no section",
                label="expected NAME or ROWS",
                notes=("the heading of a section starts in the first column",),
            )
        start += len(line) + 1
    return tuple(notes)


def fixed_fields(line: str) -> list[str]:
    """Return the fields of a card in fixed format that are not empty; a field may contain blanks."""
    return [field for first, last in GRID if (field := line[first:last].strip())]


def fits_the_grid(line: str) -> bool:
    """Whether a card has blanks wherever fixed format has no field."""
    return "\t" not in line and not any(line[first:last].strip() for first, last in GAPS)


def for_each(cards: Iterable[Card], read: Callable[[Card], None]) -> None:
    """Read cards one after another, and go on after a mistake, up to ten of them.

    Raises:
        Rejected: with every mistake.
    """
    said: list[Diagnostic] = []
    for card in cards:
        try:
            read(card)
        except Rejected as rejected:
            said += rejected.diagnostics
            if len(said) >= MOST_REPORTED:
                break
    if said:
        raise Rejected(said)
