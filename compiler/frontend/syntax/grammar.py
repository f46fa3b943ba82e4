"""The parser of the grammar `query.lark`, loaded once, and parsing of tokens that have been scanned before.

Scanning apart from parsing lets one scan serve the parser, the recovery from errors and the
formatter, and lets the recovery parse any selection of tokens with their true positions.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias, cast

from lark import Lark, Token, Tree
from lark.common import LexerConf
from lark.lexer import Lexer, LexerState

from ensc.compiler.frontend.syntax.tables import parser_of, tables_of

GRAMMAR = "query.lark"

TABLES = "query.tables.json"
"""What Lark makes of the grammar; `make tables` writes it anew."""

STATEMENTS = (
    "include",
    "param",
    "ensemble",
    "data",
    "input",
    "attack",
    "loss",
    "check",
    "maximize",
    "minimize",
    "profile",
    "expect",
    "meta",
)
"""The words a statement may start with."""

HEADER = "rq"
"""The word that starts a file."""

Start: TypeAlias = Literal["query", "expression"]

_OPENING = frozenset((HEADER, *STATEMENTS))
_WITHIN = {"in", "over", "such", "that", "value", "within"}


@cache
def grammar() -> Lark:
    """Return the parser: from its tables, or from the grammar where they were made by another Lark."""
    folder = files("ensc.compiler")
    tables = (folder / TABLES).read_text(encoding="ascii")
    return parser_of(tables, (folder / GRAMMAR).read_bytes(), _Scanned) or derived()


def derived_tables() -> str:
    """Return the tables that Lark makes of the grammar."""
    return tables_of(derived(), (files("ensc.compiler") / GRAMMAR).read_bytes())


def derived() -> Lark:
    """Return the parser that Lark makes of the grammar."""
    return Lark.open_from_package(
        "ensc.compiler",
        GRAMMAR,
        parser="lalr",
        lexer=_Scanned,
        start=["query", "expression"],
        propagate_positions=True,
        strict=True,  # a conflict in the grammar is an error, not a choice that Lark makes
    )


def parse_tokens(tokens: Iterable[Token], start: Start = "query") -> Tree[Token]:
    """Parse tokens whose words are all of type NAME.

    Raises:
        lark.UnexpectedToken: the first token that does not fit; its `accepts` says what would have.
    """
    typed = _with_keywords(tokens, opening=start == "query")
    return grammar().parse(typed, start=start)


class _Scanned(Lexer):
    """Hands tokens on that have been scanned before."""

    __future_interface__ = 2  # `lex` receives the state, not a text

    def __init__(self, conf: LexerConf) -> None:
        pass

    def lex(self, lexer_state: LexerState, parser_state: object) -> Iterator[Token]:  # noqa: ARG002 - Lark's interface
        # The state holds what `parse` was given; its type speaks of Lark's own lexers.
        return cast("Iterator[Token]", lexer_state.text)


def _with_keywords(tokens: Iterable[Token], *, opening: bool) -> Iterator[Token]:
    """Tell keywords from names by where they stand.

    Args:
        tokens: words are of type NAME.
        opening: whether the first one starts a statement.
    """
    depth = 0
    for token in tokens:
        word = token.value if token.type == "NAME" else None
        is_keyword = word in _WITHIN or (opening and word in _OPENING)
        yield token.update(type=token.value.upper()) if is_keyword else token
        depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        opening = depth <= 0 and token.type in {"SEMICOLON", "RBRACE"}
