"""Taking a file with errors apart into pieces, each of which can be examined on its own.

A piece is a statement, the head of a block (`ensemble C {`) or one entry of a block. It ends at its
`;`, or, that being forgotten, where a line starts like a statement: no `;` and no bracket that was
left open makes the rest of the file unreadable.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from lark import Token

from ensc.compiler.diagnostics import Diagnostic, Label, Source, Span
from ensc.compiler.frontend.syntax.grammar import HEADER, STATEMENTS
from ensc.compiler.frontend.syntax.scan import span_of
from ensc.compiler.frontend.syntax.spelling import MOST_ERRORS

_CLOSERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_SPELT = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}
_OPENING = frozenset((HEADER, *STATEMENTS))
_AFTER_OPENING = frozenset(("NAME", "STRING", "NUMBER", "LBRACE"))


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens that stand and fall together.

    Attributes:
        tokens: the piece, its `;` or `{` included.
        block: the head of the block that an entry is in.
        is_head: whether it is the head of a block.
        is_ended: whether its `;`, or a bracket, ends it.
        brackets: what is wrong with its brackets.
    """

    tokens: tuple[Token, ...]
    block: tuple[Token, ...] = ()
    is_head: bool = False
    is_ended: bool = True
    brackets: tuple[Diagnostic, ...] = ()


def split(source: Source, tokens: Sequence[Token]) -> Iterator[Piece]:
    """Yield the pieces of a file in order; every token is in one, but for the ends of blocks."""
    splitter = _Splitter(source)
    for token, following in zip_longest(tokens, tokens[1:]):
        if splitter.is_cut_by(token, following):
            yield from splitter.cut(token)
        yield from splitter.feed(token)
    yield from splitter.cut(None)


def starts_statement(token: Token, following: Token | None) -> bool:
    """Say whether two tokens can be the first of a statement."""
    return token.value in _OPENING and following is not None and following.type in _AFTER_OPENING


def starts_line(source: Source, previous: Token, token: Token) -> bool:
    """Say whether there is a line break between two tokens."""
    return source.text.find("\n", previous.end_pos, token.start_pos) >= 0


class _Splitter:
    """The piece being read, the block around it, and the brackets open in it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.current: list[Token] = []
        self.block: tuple[Token, ...] = ()
        self.open: list[Token] = []
        self.wrong: list[Diagnostic] = []

    def is_cut_by(self, token: Token, following: Token | None) -> bool:
        before = self.current or self.block
        return (
            bool(before)
            and starts_statement(token, following)
            and starts_line(self.source, before[-1], token)
        )

    def feed(self, token: Token) -> Iterator[Piece]:
        self.current.append(token)
        match token.type:
            case "LBRACE" if not self.open and not self.block:
                yield from self._begin_block()
            case "LPAR" | "LSQB" | "LBRACE":
                self.open.append(token)
            case "RBRACE" if self.block and all(t.type != "LBRACE" for t in self.open):
                yield from self._end_block(token)
            case "RPAR" | "RSQB" | "RBRACE":
                yield from self._close(token)
            case "SEMICOLON":
                self._leave_open(token)
                yield self._piece()

    def cut(self, token: Token | None) -> Iterator[Piece]:
        """End the piece and the block where they do not end themselves."""
        if not self.current and not self.block:
            return
        self.open = [*self.block[-1:], *self.open]
        self._leave_open(token)
        yield self._piece(is_ended=False)
        self.block = ()

    def _piece(self, *, is_ended: bool = True, is_head: bool = False) -> Piece:
        block = () if is_head else self.block
        piece = Piece(tuple(self.current), block, is_head, is_ended, tuple(self.wrong))
        self.current, self.wrong = [], []
        return piece

    def _begin_block(self) -> Iterator[Piece]:
        self.block = tuple(self.current)
        yield self._piece(is_head=True)

    def _end_block(self, token: Token) -> Iterator[Piece]:
        self.current.pop()
        if self.current:
            self._leave_open(token)
            yield self._piece(is_ended=False)
        self.block = ()

    def _close(self, token: Token) -> Iterator[Piece]:
        """Match a closing bracket with the nearest one it closes."""
        matching = (i for i, t in enumerate(reversed(self.open)) if _CLOSERS[t.type] == token.type)
        above = next(matching, None)
        if above is not None:
            unclosed = self.open[len(self.open) - above :]
            self.wrong += [self._unclosed(opener, token) for opener in unclosed[:MOST_ERRORS]]
            del self.open[len(self.open) - above - 1 :]
        elif self.open:
            self.wrong.append(self._mismatched(self.open.pop(), token))
        else:
            self.wrong += [] if self.wrong else [self._unopened(token)]
            if token.type == "RBRACE":
                yield self._piece()

    def _leave_open(self, token: Token | None) -> None:
        self.wrong += [self._unclosed(opener, token) for opener in self.open[:MOST_ERRORS]]
        self.open = []

    def _span(self, token: Token) -> Span:
        return span_of(self.source, [token])

    def _unclosed(self, opener: Token, token: Token | None) -> Diagnostic:
        closer = _SPELT[_CLOSERS[opener.type]]
        limit = Label(self._span(token), f"expected `{closer}` before this") if token else None
        return Diagnostic(
            "E0104",
            f"unclosed `{opener}`",
            Label(self._span(opener), "never closed"),
            (limit,) if limit else (),
            help=f"add the missing `{closer}`",
        )

    def _mismatched(self, opener: Token, token: Token) -> Diagnostic:
        closer = _SPELT[_CLOSERS[opener.type]]
        is_half_open = (opener.type, token.type) in {("LSQB", "RPAR"), ("LPAR", "RSQB")}
        return Diagnostic(
            "E0118",
            f"`{opener}` is closed by `{token}`",
            Label(self._span(token), f"expected `{closer}`"),
            (Label(self._span(opener), "opened here"),),
            ("an interval includes both its ends",) if is_half_open else (),
            f"write `{closer}`",
        )

    def _unopened(self, token: Token) -> Diagnostic:
        return Diagnostic(
            "E0118",
            f"`{token}` closes nothing",
            Label(self._span(token), "no bracket is open here"),
            help="remove it, or add the bracket that it closes",
        )
