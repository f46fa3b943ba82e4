"""Text -> parenthesised expressions, with the place of each: what both versions of VNN-LIB are written in."""

import re
from typing import NamedTuple, NoReturn, TypeAlias

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown

DEEPEST = 100
"""Expressions within expressions: no property needs more, and the condition is walked recursively."""

_TOKEN = re.compile(
    r"""(?P<blank>(?:[\s\ufeff]|;[^\n]*)+) | (?P<open>\() | (?P<close>\)) |
        (?P<word>[^\s()\[\];"]+(?:\s*\[[^\[\]();"]*\])? | "[^"]*")""",
    re.VERBOSE,
)


class Word(NamedTuple):
    """A symbol, a number, a string, or a tensor element with its indices, as written."""

    text: str
    start: int
    end: int


class Group(NamedTuple):
    """`( items )`."""

    items: tuple["Expression", ...]
    start: int
    end: int


Expression: TypeAlias = Word | Group


def span(source: Source, expression: Expression) -> Span:
    """Return the place of an expression."""
    return Span(source, expression.start, expression.end)


def read_expressions(source: Source) -> tuple[Group, ...]:
    """Return the expressions of a file, in order.

    Raises:
        Rejected: E1270 where parentheses do not match or a character has no meaning, E1271 where they are
            nested too deep.
    """
    open_: list[tuple[int, list[Expression]]] = []
    found: list[Group] = []
    position, text = 0, source.text
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            _reject_character(source, position)
        start, position = match.span()
        kind = match.lastgroup
        if kind == "word":
            if not open_:
                _reject_loose(source, start, position)
            open_[-1][1].append(Word(match[0], start, position))
        elif kind == "open":
            if len(open_) == DEEPEST:
                place = Span(source, start, position)
                reject("E1271", f"expressions are nested more than {DEEPEST} deep", place)
            open_.append((start, []))
        elif kind == "close":
            if not open_:
                place = Span(source, start, position)
                reject("E1270", "this parenthesis closes nothing", place, help="delete it")
            first, items = open_.pop()
            group = Group(tuple(items), first, position)
            if open_:
                open_[-1][1].append(group)
            else:
                found.append(group)
    if open_:
        start = open_[-1][0]
        place = Span(source, start, start + 1)
        reject("E1270", "this parenthesis is never closed", place, help="add `)` where its expression ends")
    return tuple(found)


def _reject_character(source: Source, position: int) -> NoReturn:
    character = source.text[position]
    place = Span(source, position, position + 1)
    if character == '"':
        reject("E1270", "this string has no end", place, help='add `"`')
    reject("E1270", f"unexpected `{shown(character)}`", place)


def _reject_loose(source: Source, start: int, end: int) -> NoReturn:
    text = shown(source.text[start:end])
    place = Span(source, start, end)
    reject("E1270", f"`{text}` stands outside parentheses", place, help="every command is `(name ...)`")
