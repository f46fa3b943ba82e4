"""Parsing a `.rq` file: text in, syntax tree out, or every syntax error in it."""

from dataclasses import replace
from itertools import islice

from lark import UnexpectedToken

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Source, Span, reject
from ensc.compiler.frontend.syntax.build import build_expression, build_query
from ensc.compiler.frontend.syntax.grammar import parse_tokens
from ensc.compiler.frontend.syntax.scan import Scan, scan
from ensc.compiler.frontend.syntax.spelling import MOST_ERRORS
from ensc.compiler.frontend.syntax.syntax_errors import expression_error, syntax_errors, version_error
from ensc.compiler.types.syntax import Expression, Name, Parameter, QueryFile

LARGEST = 1 << 18
"""A file has at most this many characters. Data of this size belong in a file of their own."""

_RESERVED = {
    "value": "what the goals speak of",
    "total": "what the goals speak of",
    "inf": "an interval without a bound",
    "auto": "a count",
    "unbounded": "a domain",
    "true": "a truth value",
    "false": "a truth value",
}


def parse_query(source: Source) -> QueryFile:
    """Parse a file.

    Raises:
        Rejected: the text is no query; with all its syntax errors, at most `MOST_ERRORS`.
    """
    if len(source.text) > LARGEST:
        reject(
            "E0113",
            f"this file has {len(source.text)} characters; at most {LARGEST} are read",
            Span(source, 0, 0),
            "this file",
            help="keep data in a file of their own: `data X = npz(...)`",
        )
    scanned = scan(source)
    try:
        tree = parse_tokens(scanned.tokens)
    except UnexpectedToken as error:
        raise Rejected(_errors(source, scanned, error)) from None
    query = build_query(tree, source, scanned.comments)
    parameters = (s for s in query.statements if isinstance(s, Parameter))
    errors = [version_error(query.version), *(_reserved(p.name) for p in parameters)]
    if any(errors):
        raise Rejected([error for error in errors if error][:MOST_ERRORS])
    return query


def parse_expression(source: Source, start: int, end: int) -> Expression:
    """Parse the characters `start..end` of a source as an expression.

    Raises:
        Rejected: they are none.
    """
    if end - start > LARGEST:
        reject("E0113", "this value is too long", Span(source, start, start + 1))
    scanned = scan(source, start, end)
    if scanned.diagnostics:
        raise Rejected(scanned.diagnostics[:MOST_ERRORS])
    try:
        tree = parse_tokens(scanned.tokens, "expression")
    except UnexpectedToken as error:
        raise Rejected([expression_error(source, end, error)]) from None
    return build_expression(tree, source)


def _errors(source: Source, scanned: Scan, error: UnexpectedToken) -> list[Diagnostic]:
    found = list(islice(syntax_errors(source, scanned.tokens), MOST_ERRORS + 1))
    if any(diagnostic.code == "E0105" for diagnostic in found):
        return found  # the letters of another version may spell something else
    every = sorted((*scanned.diagnostics, *found), key=_position)
    if not every:  # the pieces are well-formed, what they make together is not
        every = [expression_error(source, len(source.text), error)]
    shown = every[:MOST_ERRORS]
    if len(every) > MOST_ERRORS:
        shown[-1] = replace(shown[-1], notes=("further errors of this file are not shown",))
    return shown


def _position(diagnostic: Diagnostic) -> int:
    return diagnostic.place.span.start if diagnostic.place else 0


def _reserved(name: Name) -> Diagnostic | None:
    meaning = _RESERVED.get(name.text)
    if meaning is None:
        return None
    return Diagnostic(
        "E0122",
        f"a parameter cannot be called `{name.text}`",
        Label(name.span, f"this word stands for {meaning}"),
        help="choose another name",
    )
