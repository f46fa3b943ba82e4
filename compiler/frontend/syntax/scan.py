"""From text to tokens: what the letters spell, and the mistakes that can be seen without a grammar.

No text fails to scan. Where the letters spell nothing the scan notes the mistake and leaves a token
of type `MISTAKE` in its place, so that what surrounds it can still be examined.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from lark import Token

from ensc.compiler.diagnostics import Diagnostic, Source, Span
from ensc.compiler.frontend.syntax.grammar import grammar
from ensc.compiler.frontend.syntax.spelling import (
    DEEPEST,
    LONGEST,
    MOST_ERRORS,
    SIGNS,
    WRONG_OPERATORS,
    misspelling,
)
from ensc.compiler.types.syntax import Comment

MISTAKE = "MISTAKE"

# What spells no token, in the order in which it is tried; before the tokens, then after them.
# Where an attempt may fail after reading ahead, how far it reads is bounded: the scan stays linear.
_BEFORE = {
    "BLOCK_COMMENT": r"/\*(?s:.*?)(?:\*/|\Z)",
    "WRONG_OPERATOR": "|".join(map(re.escape, WRONG_OPERATORS)),
    "LONG_NAME": rf"[A-Za-z_][A-Za-z0-9_]{{{LONGEST['name']},}}",
    "LONG_NUMBER": rf"[0-9](?:\w|\.(?!\.)){{{LONGEST['number']},}}",
    "LONG_STRING": rf'"[^"\r\n]{{{LONGEST["string"]},}}"',
    "BARE_PATH": r"[A-Za-z_][A-Za-z0-9_/-]{0,80}\.[A-Za-z_]\w*",
    "HUGE_NUMBER": r"[0-9]+(?:\.[0-9]+)?[eE][+-]?0*[1-9][0-9]{3,}",
}
_AFTER = {
    "BAD_NUMBER": r"\.?[0-9](?:\w|\.(?!\.))*",
    "BAD_NAME": r"\w+",
    "BAD_STRING": r'"[^"\r\n]*"',
    "UNTERMINATED": r'"[^"\r\n]*',
    "OTHER_QUOTES": r"'[^'\r\n]{0,300}'|\u2018[^\u2019\r\n]{0,300}\u2019|\u201c[^\u201d\r\n]{0,300}\u201d",
    "HASH_COMMENT": r"\#[^\r\n]*",
    "STRAY": r"(?s:.)",
}
_MISTAKES = frozenset((*_BEFORE, *_AFTER))


@dataclass(frozen=True, slots=True)
class Scan:
    """What a text consists of.

    Attributes:
        tokens: in order; every word has type NAME, whatever it will turn out to mean.
        comments: in order, their trailing blanks left out.
        diagnostics: one for each token of type MISTAKE, in order; not many more than are shown.
    """

    tokens: tuple[Token, ...]
    comments: tuple[Comment, ...]
    diagnostics: tuple[Diagnostic, ...]


def scan(source: Source, start: int = 0, end: int | None = None) -> Scan:
    """Take the characters `start..end` of a source apart. Never fails."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    diagnostics: list[Diagnostic] = []
    height = _Height()
    for kind, first, last in _pieces(source.text, start, len(source.text) if end is None else end):
        if kind == "COMMENT":
            comments.append(_comment(Span(source, first, last)))
            continue
        is_mistake = height.passes_limit(kind) or kind in _MISTAKES
        if is_mistake and len(diagnostics) <= MOST_ERRORS:
            diagnostics.append(misspelling(kind, Span(source, first, last)))
        name = MISTAKE if is_mistake else kind
        tokens.append(Token(name, source.text[first:last], first, end_pos=last))
    return Scan(tuple(tokens), tuple(comments), tuple(diagnostics))


@cache
def _pattern() -> re.Pattern[str]:
    """Join the terminals of the grammar and the mistakes into one expression.

    A number or a name that runs into further letters is none: `8mm` is one mistake, not two tokens.
    """
    ends = {"NUMBER": r"(?!\w|\.(?!\.))", "NAME": r"(?!\w)"}
    terminals = {t.name: t.pattern for t in grammar().terminals}
    # Keywords are names to the scan.
    spelt = {n: p.to_regexp() for n, p in terminals.items() if not p.value.isalpha()}
    spelt |= {name: spelt[name] + end for name, end in ends.items()}
    # `..` and `<=` are tried before the shorter `<`; comments before the division sign.
    order = sorted(spelt, key=lambda name: (len(spelt[name]) == 1, name))
    every = _BEFORE | {name: spelt[name] for name in order} | _AFTER
    return re.compile("|".join(f"(?P<{name}>{regexp})" for name, regexp in every.items()))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of all but blanks; stray characters that touch are one piece."""
    stray: tuple[int, int] | None = None
    for match in _pattern().finditer(text, start, end):
        kind = match.lastgroup or MISTAKE
        if kind == "STRAY" and match[0] not in SIGNS:
            stray = (stray[0] if stray else match.start(), match.end())
            continue
        if stray is not None:
            yield ("STRAY", *stray)
            stray = None
        if kind != "SPACE":
            yield (kind, *match.span())
    if stray is not None:
        yield ("STRAY", *stray)


def _comment(span: Span) -> Comment:
    text = span.text.rstrip()
    return Comment(text, Span(span.source, span.start, span.start + len(text)))


class _Height:
    """Counts how deep expressions nest: brackets, and operators since the last separator.

    What comes after the parser walks expressions recursively; the count bounds the height of every
    expression from above before there is one.
    """

    def __init__(self) -> None:
        self.operators = [0]
        self.total = 1
        self.refused = False

    def passes_limit(self, kind: str) -> bool:
        """Count a piece; say whether it is the first of its statement that is too deep."""
        match kind:
            case "LPAR" | "LSQB":
                self.operators.append(0)
                self.total += 1
            case "RPAR" | "RSQB" if len(self.operators) > 1:
                self.total -= self.operators.pop() + 1
            case "PLUS" | "MINUS" | "STAR" | "SLASH":
                self.operators[-1] += 1
                self.total += 1
            case "COMMA":
                self.total -= self.operators[-1]
                self.operators[-1] = 0
            case "SEMICOLON":
                self.operators, self.total, self.refused = [0], 1, False
        if self.total <= DEEPEST or self.refused:
            return False
        self.refused = True
        return True


def span_of(source: Source, tokens: Iterable[Token]) -> Span:
    """Return the span from the first of some tokens to the last."""
    every = tuple(tokens)
    start, end = every[0].start_pos, every[-1].end_pos
    assert start is not None
    assert end is not None
    return Span(source, start, end)
