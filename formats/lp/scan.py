"""The text of an LP file as sections and tokens, and the places of both."""

import re
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from ensc.compiler.diagnostics import Label, Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.words import hint
from ensc.formats.draft import INF
from ensc.formats.numbers import parse_bound

COMMENT = re.compile(r"\\[^\n]*")

HEADINGS = {
    "unsupported": (
        r"general[ \t]+constraints?|gencons?|lazy[ \t]+constraints|user[ \t]+cuts|semi-continuous|semis?|"
        r"sos[12]|pwlobj|multi-objectives|scenario"
    ),
    "objective": r"minimi[sz]e|minimum|min|maximi[sz]e|maximum|max",
    "rows": r"subject[ \t]+to|such[ \t]+that|s\.t\.|st\.?",
    "bounds": r"bounds?",
    "generals": r"generals?|gen|integers?|int",
    "binaries": r"binaries|binary|bin",
    "sets": r"sos",
    "end": r"end",
}
"""Every spelling of the headings of sections. A heading is what a line begins with."""

HEADING = re.compile(
    rf"^[ \t]*(?:{'|'.join(f'(?P<{kind}>{words})' for kind, words in HEADINGS.items())})(?=\s|\Z)(?!\s*:)",
    re.MULTILINE | re.IGNORECASE,
)

_CHARACTER = r"[A-Za-z0-9!\"#$%&/,.;?@_'`{}()|~\[\]]"

_DIGITS = r"(?>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"

NUMBER = rf"{_DIGITS}(?![!\"#$%&/,.;?@_'`{{}}()|~]|[dDeE][0-9]*(?!{_CHARACTER}))"
"""`3x` is 3 times x; but `1/3`, `1_000`, `1,5` and `1d2` look like numbers and are not."""

NAME = rf"(?!(?i:inf|infinity|free)(?!{_CHARACTER}))[A-Za-z!\"#$%&/?@_'`{{}}()|~]{_CHARACTER}*"

TOKEN = re.compile(
    rf"(?P<number>{NUMBER})|(?P<misspelt>{_DIGITS}{_CHARACTER}*)|(?P<name>{NAME})|(?P<reserved>[A-Za-z]+)"
    r"|(?P<arrow><->|->|<-)|(?P<relation>[<>=]+)|(?P<sign>[+-])|(?P<colon>::?)|(?P<other>\S)"
)

RELATIONS = {"<=": "<=", "=<": "<=", "<": "<=", ">=": ">=", "=>": ">=", ">": ">=", "=": "="}

FLIPPED = {"<=": ">=", ">=": "<=", "=": "="}

IMPOSSIBLE = {"<=": (-INF,), ">=": (INF,), "=": (-INF, INF)}
"""Sides and bounds that no number satisfies."""

MANY = 1000
"""Names among which a similar one is looked for; the search is slow."""


class Token(NamedTuple):
    """A number, name, sign or the like, or the end of a section.

    Attributes:
        kind: the name of the group of `TOKEN` that it matches, or `end`.
        text: its characters.
        start: its offset.
    """

    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a file.

    Attributes:
        kind: a key of `HEADINGS`.
        heading: its first words.
        end: the offset behind its last character.
    """

    kind: str
    heading: Token
    end: int


def without_comments(text: str) -> str:
    """Return a text with blanks in place of its comments."""
    return COMMENT.sub(lambda comment: " " * len(comment[0]), text)


def in_sections(plain: str) -> list[Section]:
    """Return the sections of a text without comments."""
    found = list(HEADING.finditer(plain))
    ends = [*(heading.start() for heading in found), len(plain)][1:]
    sections = []
    for heading, end in zip(found, ends, strict=True):
        kind = heading.lastgroup or ""
        token = Token("name", heading[kind], heading.start(kind))
        sections.append(Section(kind, token, end))
    return sections


class Scanner:
    """Where in a section the reader is.

    Attributes:
        source: the file.
        text: its text without comments.
        position: the offset of what comes next.
        end: the offset behind the section.
    """

    def __init__(self, source: Source, text: str, section: Section) -> None:
        """Start behind the heading of a section."""
        self.source = source
        self.text = text
        self.position = section.heading.start + len(section.heading.text)
        self.end = section.end

    def peek(self) -> Token:
        """Return the next token."""
        found = TOKEN.search(self.text, self.position, self.end)
        if found is None:
            return Token("end", "", len(self.text[: self.end].rstrip()))
        return Token(found.lastgroup or "", found[0], found.start())

    def take(self) -> Token:
        """Return the next token and go behind it."""
        token = self.peek()
        self.position = token.start + len(token.text)
        return token

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return what a pattern matches here."""
        return pattern.match(self.text, self.position, self.end)

    def starts_line(self, token: Token) -> bool:
        """Whether a token stands on a later line than what was read last."""
        return token.kind == "end" or "\n" in self.text[self.position : token.start]

    def span(self, token: Token) -> Span:
        """Return where a token is."""
        return Span(self.source, token.start, token.start + max(len(token.text), 1))

    def label(self, token: Token, text: str) -> Label:
        """Return a place and what is to be said about it."""
        return Label(self.span(token), text)

    def reject(
        self,
        code: str,
        message: str,
        token: Token,
        label: str = "",
        *,
        help: str | None = None,  # noqa: A002 - the field's name
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> NoReturn:
        """Reject the file for what stands somewhere."""
        reject(code, message, self.span(token), label, help=help, related=related, notes=notes)

    def unexpected(self, token: Token, expected: str) -> NoReturn:
        """Reject the file for a token that may not stand where it does."""
        if token.text in {"[", "^"}:
            self.reject(
                "E1227",
                "the file has quadratic terms, which ensc does not read",
                token,
                help="write the model with linear rows, bounds, integers and indicators alone",
            )
        if token.kind == "misspelt":
            label = "expected a decimal number such as -1.5e-3"
            self.reject("E1225", f"`{shown(token.text)}` is no number", token, label)
        if token.text == "*":
            self.reject("E1229", "no sign stands between a number and a variable", token, "leave this out")
        what = "the section ends here" if token.kind == "end" else f"`{shown(token.text)}` is unexpected here"
        self.reject("E1229", what, token, f"expected {expected}")

    def relation(self, expected: str = "<=, >= or =") -> tuple[str, Token]:
        """Read `<=`, `>=` or `=`, in any spelling."""
        token = self.take()
        relation = RELATIONS.get(token.text)
        if relation is None:
            self.unexpected(token, expected)
        return relation, token

    def bound(self) -> tuple[float, Token]:
        """Read a number with its signs, or a spelling of infinity; from 1e30 on it is infinite."""
        sign, same_line = 1.0, not self.starts_line(self.peek())
        token = self.take()
        while token.kind == "sign":
            sign = -sign if token.text == "-" else sign
            token = self.take()
        if token.kind == "name" and same_line:
            self.reject(
                "E1235",
                f"the variable `{shown(token.text)}` stands right of the relation",
                token,
                "expected a number",
                help="bring all variables to the left",
            )
        value = parse_bound(token.text)
        if value is None:
            self.unexpected(token, "a number")
        return sign * value, token

    def known(self, token: Token, names: dict[str, int]) -> int:
        """Return the column that a name stands for."""
        if token.kind != "name":
            self.unexpected(token, "the name of a variable")
        found = names.get(token.text)
        if found is not None:
            return found
        advice = hint(token.text, list(names), shown) if len(names) <= MANY else None
        self.reject(
            "E1230",
            f"the variable `{shown(token.text)}` is neither in the objective nor in a row",
            token,
            notes=("some readers add it to the model, others leave it out",),
            help=advice or "write `+ 0` and its name in the objective",
        )
