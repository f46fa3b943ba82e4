"""What to say where the letters of a query spell nothing."""

import unicodedata

from ensc.compiler.diagnostics import Diagnostic, Label, Span
from ensc.compiler.quoting import shown

MOST_ERRORS = 20
"""So many errors of one file are shown."""

DEEPEST = 64
"""Brackets and operators nest at most this deep."""

LONGEST = {"name": 256, "number": 1200, "string": 4096}
"""The most characters of a name, a number and a string."""

WRONG_OPERATORS = {
    "==": "=",
    "=>": ">=",
    "=<": "<=",
    ":=": "=",
    "!=": None,
    "<>": None,
    "->": None,
    "**": None,
    "&&": None,
    "||": None,
}

SIGNS = {"\N{LESS-THAN OR EQUAL TO}": "<=", "\N{GREATER-THAN OR EQUAL TO}": ">="} | {
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MINUS SIGN}": "-",
    "\N{DIVISION SIGN}": "/",
    "\N{FRACTION SLASH}": "/",
    "\N{INFINITY}": "inf",
    "\N{HORIZONTAL ELLIPSIS}": "..",
}


def misspelling(kind: str, span: Span) -> Diagnostic:
    """Say what is wrong with a piece of text that spells no token, or one too many.

    Args:
        kind: one of the names that `scan` has for such pieces.
        span: the piece.
    """
    match kind:
        case "BLOCK_COMMENT" | "HASH_COMMENT":
            return _wrong_comment(span)
        case "WRONG_OPERATOR":
            return _wrong_operator(span)
        case "LONG_NAME" | "LONG_NUMBER" | "LONG_STRING":
            return _too_long(kind.removeprefix("LONG_").lower(), span)
        case "HUGE_NUMBER":
            return _too_large(span)
        case "BAD_NUMBER":
            return _bad_number(span)
        case "BAD_NAME":
            return _bad_name(span)
        case "UNTERMINATED":
            return _unterminated(span)
        case "BAD_STRING" | "OTHER_QUOTES":
            return _bad_string(span)
        case "BARE_PATH":
            return _bare_path(span)
        case "STRAY":
            return _stray(span)
        case _:
            return _too_deep(span)


def _too_deep(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0112",
        f"brackets and operators nest more than {DEEPEST} deep",
        Label(span, "too deep"),
        help="name a part of the expression with `param`",
    )


def _too_long(noun: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "E0113",
        f"this {noun} has {span.end - span.start} characters",
        Label(Span(span.source, span.start, span.start + 1), f"at most {LONGEST[noun]}"),
    )


def _too_large(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0110",
        f"the exponent of `{shown(span.text)}` is out of range",
        Label(span, "expected an exponent from -999 to 999"),
        help="numbers are kept exactly: use one that a model can hold",
    )


def _wrong_operator(span: Span) -> Diagnostic:
    meant = WRONG_OPERATORS[span.text]
    return Diagnostic(
        "E0108",
        f"there is no operator `{span.text}`",
        Label(span, f"expected `{meant}`" if meant else "not an operator"),
        help=f"write `{meant}`" if meant else "the operators are `+ - * /` and `< <= > >=`",
    )


def _wrong_comment(span: Span) -> Diagnostic:
    width = 2 if span.text.startswith("/*") else 1
    mark = Span(span.source, span.start, span.start + width)
    return Diagnostic(
        "E0124",
        f"`{mark.text}` does not start a comment",
        Label(mark, "expected `//`"),
        help="a comment starts with `//` and ends with the line",
    )


def _bad_number(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0111",
        f"`{shown(span.text)}` is not a number",
        Label(span, "malformed number"),
        help="write digits, such as `0.5`, `1e-3` or `8/255`: digits stand on both sides of a point, "
        "and no letters follow",
    )


def _bad_name(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0103",
        f"`{shown(span.text)}` has characters that no name has",
        Label(span, "expected ASCII letters, digits and `_`"),
        help="spell it out in ASCII, such as `epsilon`; strings and comments may hold any letter",
    )


def _unterminated(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0102",
        "this string does not end on its line",
        Label(span, 'expected a closing `"`'),
        help='add the closing `"`',
    )


def _bad_string(span: Span) -> Diagnostic:
    control = next((c for c in span.text if unicodedata.category(c) == "Cc"), None)
    if control is not None and span.text.startswith('"'):
        return Diagnostic(
            "E0123",
            f"this string contains the control character {_named(control)}",
            Label(span, "strings hold printable characters"),
        )
    return Diagnostic(
        "E0123",
        "strings stand in straight double quotes",
        Label(span, 'expected `"`'),
        help=f'write `"{shown(span.text[1:-1])}"`',
    )


def _bare_path(span: Span) -> Diagnostic:
    return Diagnostic(
        "E0123",
        f"`{shown(span.text)}` stands without quotes",
        Label(span, "expected a quoted string"),
        help=f'write `"{shown(span.text)}"`',
    )


ADVICE = {"%": "write a percentage as a fraction, such as `40/100`"}


def _stray(span: Span) -> Diagnostic:
    meant = SIGNS.get(span.text)
    return Diagnostic(
        "E0103",
        f"stray {_listed(span.text)}",
        Label(span, f"expected `{meant}`" if meant else "means nothing here"),
        help=f"write `{meant}`" if meant else ADVICE.get(span.text, "remove it"),
    )


def _listed(text: str) -> str:
    if len(text) > 1:
        return f"characters `{shown(text)}`"
    return f"character {_named(text)}"


def _named(character: str) -> str:
    if character.isprintable() and character.isascii():
        return f"`{character}`"
    name = unicodedata.name(character, "")
    code = f"U+{ord(character):04X}"
    plain = f"`{character}` " if character.isprintable() else ""
    return f"{plain}({code}{' ' if name else ''}{name})"
