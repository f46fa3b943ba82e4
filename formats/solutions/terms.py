"""S-expressions as SMT solvers print them, one piece at a time, and the exact values of their constants.

Values are `2`, `2.0`, `(/ 1 3)`, `(/ 1.0 3.0)`, `(- (/ 1.0 3.0))`, `(/ (- 1) 3)`, `true` (1) and `false` (0).
Irrational numbers have no such form: z3 prints `(root-obj POLYNOMIAL INDEX)`, cvc5
`(_ real_algebraic_number ...)`; with `pp.decimal` z3 cuts digits off and says so by a `?`.
"""

import re
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import NamedTuple, NoReturn, TypeAlias

from ensc.compiler.diagnostics import Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.formats.solutions.scan import Line, cut_short, malformed, printable, ratio, reject_number

Term: TypeAlias = "str | tuple[Term, ...]"

_DEEPEST = 100
_LONGEST = 100_000  # tokens of one element

_TOKEN = re.compile(r'(?:\s++|;[^\n]*+)*+([()]|"(?:[^"]|"")*+"|\|[^|]*+\||[^\s()";|]++)')

# Blanks and comments, then the rest of a line unless it starts with a parenthesis.
_OUTSIDE = re.compile(r"(?:\s++|;[^\n]*+)*+((?:[^(\n][^\n]*+)?+)")

_APPROXIMATE = re.compile(r"-?[0-9]++(?:\.[0-9]*+)?\?")


class Piece(NamedTuple):
    """One element of a form at the top level.

    Attributes:
        form: the number of the form, from 0; elements of one form follow each other.
        term: the element.
        line: its text, for messages.
    """

    form: int
    term: Term
    line: Line


class Words(NamedTuple):
    """The rest of a line at the top level that is not in parentheses: an answer, or noise."""

    text: str
    line: Line


def pieces(source: Source) -> Iterator[Piece | Words]:
    """Yield what a solver printed; a model is never held as one term, which would take many times its text.

    Raises:
        Rejected: E1252 if a parenthesis is never closed, E1253 for what is no s-expression.
    """
    text, position, forms = source.text, 0, 0
    while found := _OUTSIDE.match(text, position):
        position = found.end()
        words = found[1].rstrip()
        if words:
            yield Words(words, Line(source, found.start(1), words))
        elif position < len(text):
            position = yield from _form(source, position + 1, forms)
            forms += 1
        else:
            return


def _form(source: Source, position: int, form: int) -> Generator[Piece, None, int]:
    """Yield the elements up to the closing parenthesis; return the position after it."""
    while True:
        word, position = _token(source, position)
        if word == ")":
            return position
        start = position - len(word)
        term: Term = word
        if word == "(":
            term, position = _list(source, position)
        yield Piece(form, term, Line(source, start, source.text[start:position]))


def _list(source: Source, position: int) -> tuple[Term, int]:
    """Return the list whose opening parenthesis was just read, and the position after it."""
    open_lists: list[list[Term]] = [[]]
    start = position - 1
    for _ in range(_LONGEST):
        word, position = _token(source, position)
        if word == "(":
            open_lists.append([])
            if len(open_lists) > _DEEPEST:
                malformed(Line(source, position - 1, "("), f"nested less than {_DEEPEST} deep")
        elif word == ")":
            done = tuple(open_lists.pop())
            if not open_lists:
                return done, position
            open_lists[-1].append(done)
        else:
            open_lists[-1].append(word)
    malformed(Line(source, start, source.text[start : start + 100]), "a value and no formula")


def _token(source: Source, position: int) -> tuple[str, int]:
    """Return the next token that is neither blank nor comment, and the position after it."""
    found = _TOKEN.match(source.text, position)
    if found is None:
        cut_short(source, "a closing parenthesis")
    return found[1], found.end()


def symbol(term: Term) -> str | None:
    """Return the name that a term is, without the bars of a quoted symbol; None if it is no name."""
    if not isinstance(term, str) or term[0] in '"#:' or term[0].isdigit():
        return None
    return term[1:-1] if term[0] == "|" else term


def constant(term: Term, line: Line) -> Fraction:
    """Return the exact value of a constant, 1 and 0 for true and false.

    Raises:
        Rejected: E1258 if it is irrational or cut off, E1254 if it is no constant.
    """
    if term in ("true", "false"):
        return Fraction(term == "true")
    return printable(_rational(term, line), line)


def _rational(term: Term, line: Line) -> Fraction:
    match term:
        case str():
            return _decimal(term, line)
        case ("/", str(over), str(under)):
            return ratio(f"{over}/{under}", line)
        case ("-", operand):
            return -_rational(operand, line)
        case ("to_real", operand):
            return _rational(operand, line)
        case ("/", over, under):
            denominator = _rational(under, line)
            if not denominator:
                reject_number(line.text, line, "divides by zero")
            return _rational(over, line) / denominator
        case ("root-obj", *_) | ("_", "real_algebraic_number", *_):
            _irrational(line, "is a root of a polynomial, not a rational number")
        case _:
            reject_number(line.text, line, "is no constant of an SMT solver")


def _decimal(word: str, line: Line) -> Fraction:
    if _APPROXIMATE.fullmatch(word):
        _irrational(line, "is cut off at the question mark")
    return ratio(word, line)


def _irrational(line: Line, problem: str) -> NoReturn:
    reject(
        "E1258",
        f"`{shown(line.text)}` has a value that {problem}",
        Span(line.source, line.start, line.start + max(len(line.text), 1)),
        help="queries of ensc are linear and have rational solutions: ask a solver for linear arithmetic "
        "(QF_LRA), and z3 without `pp.decimal`",
    )


def is_rounded(term: Term) -> bool:
    """Return whether a constant has digits after its point.

    Solvers print rationals as ratios; Yices prints irrational values as rounded decimals, unmarked.
    """
    if isinstance(term, tuple):
        return any(map(is_rounded, term))
    return bool(term.partition(".")[2].strip("0"))
