"""Saying what is wrong with a file that does not parse: every mistake in it, each once.

The file is taken apart into pieces and each piece is parsed on its own. What is wrong with a piece is
looked up among known mistakes; otherwise the message names what was expected and what was found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice

from lark import Token, UnexpectedToken

from ensc.compiler.diagnostics import Diagnostic, Label, Source, Span
from ensc.compiler.frontend.syntax.grammar import HEADER, STATEMENTS, parse_tokens
from ensc.compiler.frontend.syntax.mistakes import Mistake
from ensc.compiler.frontend.syntax.pieces import Piece, split, starts_line, starts_statement
from ensc.compiler.frontend.syntax.recognise import header_tokens, recognise
from ensc.compiler.frontend.syntax.scan import MISTAKE, span_of
from ensc.compiler.frontend.syntax.spelling import MOST_ERRORS
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.syntax import Number
from ensc.compiler.words import suggest

VERSION = "1.0"

_MEANT = {
    "assert": "check",
    "prove": "check",
    "verify": "check",
    "property": "check",
    "goal": "check",
    "import": "include",
    "use": "include",
    "parameter": "param",
    "const": "param",
    "let": "param",
    "var": "param",
    "network": "ensemble",
    "networks": "ensemble",
    "model": "ensemble",
    "dataset": "data",
    "points": "data",
    "domain": "input",
    "norm": "attack",
    "radius": "attack",
    "threat": "attack",
    "objective": "loss",
    "optimize": "maximize",
    "max": "maximize",
    "min": "minimize",
    "info": "meta",
}

_EXPECTED = {
    "NAME": "a name",
    "STRING": "a quoted string",
    "NUMBER": "a number",
    "COMPARE": "a comparison",
    "LPAR": "`(`",
    "LSQB": "`[`",
    "LBRACE": "`{`",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "DOTS": "`..`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "SEMICOLON": "`;`",
    "IN": "`in`",
    "OVER": "`over`",
    "SUCH": "`such`",
    "THAT": "`that`",
    "VALUE": "`value`",
    "WITHIN": "`within`",
}
_SOFT = frozenset(("IN", "OVER", "SUCH", "THAT", "VALUE", "WITHIN"))
_WORD = _SOFT | {"NAME"}
_VALUE = _WORD | {"STRING", "NUMBER", "LPAR", "MINUS"}
_ITEM = _VALUE | {"LSQB"}
_CLOSING = frozenset(("RPAR", "RSQB", "RBRACE", "SEMICOLON"))


@dataclass(frozen=True, slots=True)
class _Finding:
    """Where a piece stops making sense.

    Attributes:
        source: the file.
        piece: the statement or entry.
        error: as raised by Lark.
        index: of the offending token in the piece; past its end if something is missing there.
    """

    source: Source
    piece: Piece
    error: UnexpectedToken
    index: int

    @property
    def before(self) -> Token:
        """The token before the offending one."""
        every = (*self.piece.block, *self.piece.tokens)
        return every[max(0, len(self.piece.block) + self.index - 1)]

    @property
    def token(self) -> Token | None:
        """The offending token; None where the piece ends too early."""
        return self.piece.tokens[self.index] if self.index < len(self.piece.tokens) else None

    @property
    def gap(self) -> Span:
        """Where a missing token belongs: after the one before."""
        return _after(self.source, self.before)

    @property
    def place(self) -> Span:
        """Where the carets go: under the offending token."""
        return self.gap if self.token is None else span_of(self.source, [self.token])

    @property
    def found(self) -> str:
        """What was found, in words."""
        return "end of the statement" if self.token is None else f"`{shown(self.token)}`"


def syntax_errors(source: Source, tokens: Sequence[Token]) -> Iterator[Diagnostic]:
    """Yield what the grammar has against the tokens of a file, in order.

    Tokens of type `MISTAKE` have been reported; what follows them in their piece is passed over.
    """
    header = _header_error(source, tokens)
    if header is not None:
        yield header
        if header.code == "E0105":
            return  # what follows is in a language of which nothing is known
    first = next((token for token in tokens if token.type != MISTAKE), None)
    is_misspelt_header = header is not None and first not in STATEMENTS
    broken_head: tuple[Token, ...] = ()
    is_broken = False
    for piece in split(source, tokens):
        if (broken_head and piece.block == broken_head) or (is_broken and _is_empty(piece)):
            continue
        is_first = any(token is first for token in piece.tokens[:1])
        prefix = () if is_first and first == HEADER else header_tokens()
        is_known = is_first and is_misspelt_header
        found = islice(_piece_errors(source, piece, prefix), MOST_ERRORS + 1)
        errors = [] if is_known else list(found)
        is_broken = is_known or bool(errors) or _has_mistake(piece)
        broken_head = piece.tokens if piece.is_head and is_broken else ()
        yield from errors


def expression_error(source: Source, end: int, error: UnexpectedToken) -> Diagnostic:
    """Say why the characters of a source up to `end` are no expression."""
    if error.token.type == "$END":
        place, found = Span(source, end, end), "end of the value"
    else:
        place, found = span_of(source, [error.token]), f"`{shown(error.token)}`"
    return _unexpected(place, found, error.accepts)


def _is_empty(piece: Piece) -> bool:
    return [t.type for t in piece.tokens] == ["SEMICOLON"]


def _has_mistake(piece: Piece) -> bool:
    return any(token.type == MISTAKE for token in piece.tokens)


def _after(source: Source, token: Token) -> Span:
    end = span_of(source, [token]).end
    return Span(source, end, end)


def _header_error(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    written = [token for token in tokens[:4] if token.type != MISTAKE]
    advice = f"start the file with `{HEADER} {VERSION};`"
    if not tokens:
        place = Label(Span(source, 0, 0), f"expected `{HEADER} {VERSION};`")
        return Diagnostic("E0106", "the file holds no statements", place, help=advice)
    if not written:
        return None
    if written[0] != HEADER:
        place = Label(span_of(source, written[:1]), f"expected `{HEADER} {VERSION};` before this")
        return Diagnostic("E0106", "the file does not state its version", place, help=advice)
    if len(written) > 1 and written[1].type == "NUMBER":
        return version_error(Number(Fraction(written[1]), span_of(source, written[1:2])))
    return None


def version_error(version: Number) -> Diagnostic | None:
    """Say that a version is not supported, if that is so."""
    if version.value == Fraction(VERSION):
        return None
    return Diagnostic(
        "E0105",
        f"unsupported version `{HEADER} {shown(version.span.text)}`",
        Label(version.span, f"expected {VERSION}"),
        help=f"this compiler reads version {VERSION}",
    )


def _piece_errors(source: Source, piece: Piece, prefix: tuple[Token, ...]) -> Iterator[Diagnostic]:
    if piece.brackets and not _has_mistake(piece):
        # After a bracket of the wrong kind the next ones mean little.
        is_plain = all(d.code == "E0104" for d in piece.brackets)
        yield from piece.brackets if is_plain else piece.brackets[:1]
        return
    rest: Piece | None = piece
    while rest is not None:
        error, rest = _first_error(source, rest, prefix)
        prefix = header_tokens()
        if error is not None:
            yield error


def _first_error(
    source: Source, piece: Piece, prefix: tuple[Token, ...]
) -> tuple[Diagnostic | None, Piece | None]:
    """Return the first error of a piece, and what follows it if a `;` is all that it lacks."""
    if piece.tokens[0].type == MISTAKE:
        return None, None
    if prefix and not piece.block and piece.tokens[0] not in STATEMENTS:
        return _unknown_statement(source, piece.tokens[0]), None
    finding = _parse(source, piece, prefix)
    if finding is None:
        return (None if piece.is_ended else _missing_semicolon(source, piece.tokens[-1])), None
    if finding.token is not None and finding.token.type == MISTAKE:
        return None, None
    if _is_comma_between_entries(finding):
        rest = replace(piece, tokens=piece.tokens[finding.index + 1 :])
        return _comma_between_entries(finding), rest if rest.tokens else None
    if _lacks_semicolon(finding):
        rest = replace(piece, tokens=piece.tokens[finding.index :], is_head=False)
        return _missing_semicolon(source, finding.before), rest
    return _explain(finding) if prefix else _malformed_header(finding), None


def _parse(source: Source, piece: Piece, prefix: tuple[Token, ...]) -> _Finding | None:
    end = piece.tokens[-1].end_pos
    closing = [] if piece.is_ended else [Token("SEMICOLON", ";", end, end_pos=end)]
    if piece.block or piece.is_head:
        closing.append(Token("RBRACE", "}", end, end_pos=end))
    try:
        parse_tokens(chain(prefix, piece.block, piece.tokens, closing))
    except UnexpectedToken as error:
        at = error.token.start_pos
        places = (i for i, token in enumerate(piece.tokens) if token.start_pos == at)
        return _Finding(source, piece, error, next(places, len(piece.tokens)))
    return None


def _lacks_semicolon(finding: _Finding) -> bool:
    """Say whether the offending token starts something new."""
    token, accepts = finding.token, finding.error.accepts
    if token is None or "SEMICOLON" not in accepts:
        return False
    following = next(iter(finding.piece.tokens[finding.index + 1 :]), None)
    if starts_statement(token, following) or (finding.piece.block and token.type in _WORD):
        return True
    return "COMMA" not in accepts and starts_line(finding.source, finding.before, token)


def _is_comma_between_entries(finding: _Finding) -> bool:
    token = finding.token
    is_comma = token is not None and token.type == "COMMA"
    return is_comma and bool(finding.piece.block) and "SEMICOLON" in finding.error.accepts


def _explain(finding: _Finding) -> Diagnostic:
    mistake = recognise(finding.error, (*finding.piece.block, *finding.piece.tokens)[0])
    if mistake is not None:
        return _as_diagnostic(mistake, finding)
    token, accepts = finding.token, finding.error.accepts
    is_closing = token is None or token.type in _CLOSING
    if finding.before.type == "COMMA" and is_closing:
        return _trailing_comma(finding)
    if "COMMA" in accepts and token is not None and token.type in _ITEM:
        return _missing_comma(finding)
    return _unexpected(finding.place, finding.found, accepts)


def _as_diagnostic(mistake: Mistake, finding: _Finding) -> Diagnostic:
    place = finding.gap if mistake.at == "gap" else finding.place
    message = mistake.message.format(found=finding.found)
    return Diagnostic(mistake.code, message, Label(place, mistake.label), help=mistake.help)


def _missing_semicolon(source: Source, before: Token) -> Diagnostic:
    place = Label(_after(source, before), "expected `;`")
    return Diagnostic("E0101", "missing `;`", place, help="end the statement with `;`")


def _comma_between_entries(finding: _Finding) -> Diagnostic:
    place = Label(finding.place, "expected `;`")
    message = "the entries of a block end with `;`"
    return Diagnostic("E0121", message, place, help="write `;` after each entry, the last one too")


def _missing_comma(finding: _Finding) -> Diagnostic:
    place = Label(finding.gap, "expected `,`")
    message = f"missing `,` before {finding.found}"
    return Diagnostic("E0119", message, place, help="separate the parts of a list with `,`")


def _trailing_comma(finding: _Finding) -> Diagnostic:
    place = Label(span_of(finding.source, [finding.before]), "nothing follows this comma")
    return Diagnostic("E0115", f"`,` before {finding.found}", place, help="remove the comma")


def _malformed_header(finding: _Finding) -> Diagnostic:
    place = Label(finding.place, f"expected `{HEADER} {VERSION};`")
    return Diagnostic(
        "E0106",
        f"malformed version: unexpected {finding.found}",
        place,
        help=f"start the file with `{HEADER} {VERSION};`",
    )


def _unexpected(place: Span, found: str, accepts: set[str]) -> Diagnostic:
    """Name what was found and what the grammar accepts there."""
    if accepts >= _VALUE:
        what = "a value or a list" if "LSQB" in accepts else "a value"
        return Diagnostic("E0114", f"{what} is missing", Label(place, f"expected {what}"))
    # A word that is a name anywhere else is not worth listing; operators always fit after a value.
    hidden = _SOFT if "NAME" in accepts else frozenset()
    words = [word for kind, word in _EXPECTED.items() if kind in accepts - hidden]
    label = f"expected {alternatives(words)}" if words else "not expected here"
    return Diagnostic("E0109", f"unexpected {found}", Label(place, label))


def _unknown_statement(source: Source, token: Token) -> Diagnostic:
    place = span_of(source, [token])
    if token == HEADER:
        label = Label(place, "the version is stated once, at the start")
        return Diagnostic("E0106", "a second version", label, help="remove it")
    if token.type == "SEMICOLON":
        label = Label(place, "no statement ends here")
        return Diagnostic("E0109", "unexpected `;`", label, help="remove it")
    if token.type != "NAME":
        label = Label(place, "expected a statement")
        return Diagnostic("E0109", f"unexpected `{shown(token)}`", label)
    meant = _MEANT.get(token.lower()) or suggest(token, STATEMENTS)
    return Diagnostic(
        "E0107",
        f"unknown statement `{shown(token)}`",
        Label(place, "expected a statement"),
        notes=() if meant else (f"a statement starts with {alternatives(STATEMENTS)}",),
        help=f"did you mean `{meant}`?" if meant else None,
    )
