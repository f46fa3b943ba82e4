"""The canonical layout of a query.

Only blanks and line breaks change: one statement a line, one entry of a block a line, no more than one
blank line in a row. Tokens and comments stay as written and in their order, so numbers keep their
notation and parentheses that change nothing stay where they help to read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TypeAlias

from ensc.compiler.diagnostics import Source, Span
from ensc.compiler.frontend.syntax.layout import INDENT, Group, Layout, Line, Nest, Note, has_note, lay_out
from ensc.compiler.frontend.syntax.scan import scan
from ensc.compiler.types.syntax import Call, ExpectVerdict, Infinity, Negation, QueryFile

WIDTH = 100

_OPENERS = {"LPAR": "RPAR", "LSQB": "RSQB"}
_TIGHT = frozenset(("STAR", "SLASH", "DOTS"))


@dataclass(frozen=True, slots=True)
class _Element:
    """A token or a comment.

    Attributes:
        kind: the type of the token, or `COMMENT`.
        text: as written.
        start: its offset in the source.
        line_breaks: between it and the element before.
    """

    kind: str
    text: str
    start: int
    line_breaks: int


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Elements between brackets."""

    opener: _Element
    inside: tuple["_Part", ...]
    closer: _Element


_Part: TypeAlias = _Element | _Bracket


@dataclass(frozen=True, slots=True)
class _Tight:
    """Where no blank stands although the tokens do not show it, by offset.

    Attributes:
        functions: names that are called.
        signs: minus signs with one operand.
    """

    functions: frozenset[int]
    signs: frozenset[int]


def format_query(query: QueryFile) -> str:
    """Return the text of a query in canonical layout.

    Formatting the result changes nothing, and it parses to the same tree, places aside.
    """
    tight = _tight(query)
    lines: list[str] = []
    depth = 0
    previous = ""
    for unit in _units(_elements(query.source)):
        kind = next((e.kind for e in reversed(unit) if e.kind != "COMMENT"), "COMMENT")
        depth -= kind == "RBRACE"
        if kind == "RBRACE" and previous == "LBRACE" and lines[-1].endswith("{"):
            lines[-1] += lay_out(_statement(unit, tight), WIDTH)
        else:
            if unit[0].line_breaks > 1 and previous not in {"", "LBRACE"} and kind != "RBRACE":
                lines.append("")
            lines.append(lay_out(_statement(unit, tight), WIDTH, depth * INDENT))
        depth += kind == "LBRACE"
        previous = kind
    return "\n".join([*lines, ""])


def _tight(query: QueryFile) -> _Tight:
    functions: set[int] = set()
    signs: set[int] = set()
    for node in _nodes(query.statements):
        match node:
            case Call(function=name) | ExpectVerdict(verdict=name):
                functions.add(name.span.start)
            case Negation(span=span) | Infinity(positive=False, span=span):
                signs.add(span.start)
    return _Tight(frozenset(functions), frozenset(signs))


def _nodes(value: object) -> Iterator[object]:
    """Yield every node of a syntax tree."""
    if isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
    elif is_dataclass(value) and not isinstance(value, Span):
        yield value
        for field in fields(value):
            yield from _nodes(getattr(value, field.name))


def _elements(source: Source) -> Iterator[_Element]:
    """Yield tokens and comments in the order in which they stand."""
    scanned = scan(source)
    found = [(t.start_pos or 0, t.type, t.value) for t in scanned.tokens]
    found += [(c.span.start, "COMMENT", c.text) for c in scanned.comments]
    end = 0
    for start, kind, text in sorted(found):
        yield _Element(kind, text, start, source.text.count("\n", end, start))
        end = start + len(text)


def _units(elements: Iterator[_Element]) -> Iterator[tuple[_Element, ...]]:
    """Yield what stands on lines of its own: statements, heads and ends of blocks, comments.

    A comment on the line on which a statement ends belongs to it.
    """
    unit: list[_Element] = []
    is_complete = False
    for element in elements:
        is_trailing = element.kind == "COMMENT" and element.line_breaks == 0
        if is_complete and not is_trailing:
            yield tuple(unit)
            unit, is_complete = [], False
        is_alone = element.kind == "COMMENT" and not unit
        unit.append(element)
        is_complete = is_complete or is_alone or element.kind in {"SEMICOLON", "LBRACE", "RBRACE"}
    yield tuple(unit)


def _statement(unit: Sequence[_Element], tight: _Tight) -> Layout:
    """Lay a unit out: clauses that do not fit go on indented lines, brackets end where it starts."""
    parts, _ = _nested(unit, 0)
    inside = _sequence(parts, tight, fill=False)
    is_split = any(isinstance(part, (Line, Note)) for part in inside[:-1])
    return Group((Nest(inside),) if is_split else inside, has_note(inside[:-1]))


def _nested(elements: Sequence[_Element], start: int) -> tuple[tuple[_Part, ...], int]:
    """Return the parts up to the next closing bracket, and the position of that bracket."""
    parts: list[_Part] = []
    at = start
    while at < len(elements) and elements[at].kind not in _OPENERS.values():
        element = elements[at]
        if element.kind in _OPENERS:
            inside, at = _nested(elements, at + 1)
            parts.append(_Bracket(element, inside, elements[at]))
        else:
            parts.append(element)
        at += 1
    return tuple(parts), at


def _sequence(parts: Sequence[_Part], tight: _Tight, *, fill: bool) -> tuple[Layout, ...]:
    """Lay out parts one after the other, with a possible break behind each comma.

    Args:
        parts: tokens, comments and brackets.
        tight: where no blanks stand.
        fill: whether to break only at those commas where the line is full.
    """
    layouts: list[Layout] = []
    before: _Element | None = None
    for part in parts:
        first, last = (part.opener, part.closer) if isinstance(part, _Bracket) else (part, part)
        if first.kind == "COMMENT":
            layouts.append(Note(first.text, own_line=first.line_breaks > 0))
            continue
        layout = _bracket(part, tight) if isinstance(part, _Bracket) else part.text
        if before is not None and before.kind == "COMMA":
            layouts += [Group((Line(" "), layout))] if fill else [Line(" "), layout]
        else:
            layouts += [_blank(before, first, tight), layout]
        before = last
    return tuple(layouts)


def _bracket(bracket: _Bracket, tight: _Tight) -> Layout:
    """Lay out a bracket: a list of numbers fills lines, anything else has one item a line."""
    is_flat = not any(isinstance(part, _Bracket) for part in bracket.inside)
    fill = bracket.opener.kind == "LSQB" and is_flat
    inside = _sequence(bracket.inside, tight, fill=fill)
    if not inside:
        return bracket.opener.text + bracket.closer.text
    # A comment behind the opening bracket stays there.
    behind = [part for part in inside[:1] if isinstance(part, Note) and not part.own_line]
    nested = Nest((*behind, Line(""), *inside[len(behind) :]))
    parts = (bracket.opener.text, nested, Line(""), bracket.closer.text)
    return Group(parts, has_note(inside))


def _blank(before: _Element | None, after: _Element, tight: _Tight) -> str:
    """Return what stands between two tokens, the first of which is no comma."""
    if before is None or after.kind in {"COMMA", "SEMICOLON", "COLON"}:
        return ""
    if before.start in tight.signs or after.kind in _TIGHT or before.kind in _TIGHT:
        return ""
    if before.start in tight.functions and after.kind == "LPAR":
        return ""
    return " "
