"""Random queries as text, and comparing syntax trees without their places.

A query is drawn as a list of tokens and joined with random blanks and comments, so that a test can also
say what must survive: the tokens.
"""

from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache

from hypothesis import strategies as st

from ensc.compiler.diagnostics import Source, Span
from ensc.compiler.frontend.syntax.grammar import HEADER, STATEMENTS

Tokens = list[str]

KEYWORDS = (HEADER, *STATEMENTS, "in", "over", "such", "that", "within", "domain", "norm", "ties")
RESERVED = frozenset(("value", "total", "inf", "auto", "unbounded", "true", "false"))


@cache
def names() -> st.SearchStrategy[str]:
    """Return names, keywords and words of the language among them."""
    words = st.sampled_from([*KEYWORDS, "epsilon", "alpha", "k", "x", "L1", "labels"])
    return words | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True).filter(
        lambda name: name not in RESERVED
    )


@cache
def numbers() -> st.SearchStrategy[str]:
    """Return numbers in every notation."""
    whole = st.integers(0, 999).map(str) | st.sampled_from(["0", "007", "60", "1000000"])
    points = st.builds(lambda a, b: f"{a}.{b}", whole, whole)
    exponents = st.builds(
        lambda a, e, sign, n: f"{a}{e}{sign}{n}",
        whole | points,
        st.sampled_from("eE"),
        st.sampled_from(["", "+", "-"]),
        st.integers(0, 30),
    )
    return whole | points | exponents


@cache
def strings() -> st.SearchStrategy[str]:
    """Return quoted strings of any printable characters."""
    letters = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters='"\x7f')
    return st.text(letters, max_size=6).map(lambda text: f'"{text}"')


@cache  # building a strategy costs more than drawing from it
@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> Tokens:
    """Draw an expression."""
    kind = draw(st.sampled_from(["number", "name", "number", "string", "minus", "sum", "brackets"]))
    if depth == 0 or kind in {"number", "name", "string"}:
        leaf = {"name": names(), "string": strings()}.get(kind, numbers())
        return [draw(leaf)]
    below = expressions(depth - 1)
    if kind == "minus":
        return ["-", *draw(below)]
    if kind == "brackets":
        return ["(", *draw(below), ")"]
    return [*draw(below), draw(st.sampled_from("+-*/")), *draw(below)]


def _joined(items: list[Tokens]) -> Tokens:
    return [t for i, item in enumerate(items) for t in ([",", *item] if i else item)]


@cache
def _nothing() -> st.SearchStrategy[Tokens]:
    return st.just([])


@cache
@st.composite
def lists(draw: st.DrawFn, depth: int = 2) -> Tokens:
    """Draw a list of expressions, ranges and lists."""
    item = expressions(1) | st.builds(lambda a, b: [*a, "..", *b], expressions(0), expressions(0))
    if depth:
        item = item | lists(depth - 1)
    return ["[", *_joined(draw(st.lists(item, max_size=4))), "]"]


@cache
@st.composite
def arguments(draw: st.DrawFn) -> list[Tokens]:
    """Draw the arguments of a call."""
    value = expressions(1) | lists()
    named = st.builds(lambda name, v: [name, "=", *v], names(), value)
    return draw(st.lists(value | named, max_size=4))


@cache
@st.composite
def calls(draw: st.DrawFn) -> Tokens:
    """Draw a call."""
    return [draw(names()), "(", *_joined(draw(arguments())), ")"]


@cache
@st.composite
def intervals(draw: st.DrawFn) -> Tokens:
    """Draw an interval."""
    end = expressions(1) | st.sampled_from([["inf"], ["-", "inf"]])
    return ["[", *draw(end), ",", *draw(end), "]"]


@cache
@st.composite
def comparisons(draw: st.DrawFn) -> Tokens:
    """Draw a comparison without its left side."""
    return [draw(st.sampled_from(["<", "<=", ">", ">="])), *draw(expressions())]


@cache
@st.composite
def parameters(draw: st.DrawFn) -> Tokens:
    """Draw a parameter."""
    domain = _nothing() | comparisons() | intervals().map(lambda i: ["in", *i])
    default = _nothing() | expressions().map(lambda e: ["=", *e])
    return ["param", draw(names()), ":", draw(names()), *draw(domain), *draw(default), ";"]


@cache
@st.composite
def clauses(draw: st.DrawFn) -> Tokens:
    """Draw a statement of clauses."""
    value = _nothing() | expressions() | intervals()
    clause = st.builds(lambda name, v: [name, *v], names(), value) | calls()
    word = draw(st.sampled_from(["input", "attack", "loss"]))
    return [word, *_joined(draw(st.lists(clause, min_size=1, max_size=4))), ";"]


@cache
@st.composite
def blocks(draw: st.DrawFn) -> Tokens:
    """Draw an ensemble or `meta`."""
    is_meta = draw(st.booleans())
    value = strings().map(lambda s: [s]) if is_meta else calls()
    entry = st.builds(lambda name, v: [name, "=", *v, ";"], names(), value)
    head = ["meta"] if is_meta else ["ensemble", draw(names())]
    return [*head, "{", *(t for one in draw(st.lists(entry, max_size=3)) for t in one), "}"]


@cache
@st.composite
def goals(draw: st.DrawFn) -> Tokens:
    """Draw a goal."""
    name, comparison = draw(names()), draw(comparisons())
    condition = ["such", "that", "value", *comparison]
    goal = draw(st.sampled_from(["check", "maximize", "constrained", "minimize", "profile"]))
    match goal:
        case "check":
            return ["check", "value", *comparison, ";"]
        case "maximize":
            return ["maximize", draw(st.sampled_from(["value", "total"])), ";"]
        case "constrained":
            return ["maximize", "total", *condition, ";"]
        case "minimize":
            return ["minimize", name, *condition, ";"]
        case _:
            return ["profile", "value", "over", name, "in", *draw(intervals()), ";"]


@cache
@st.composite
def expectations(draw: st.DrawFn) -> Tokens:
    """Draw an `expect`."""
    within = draw(_nothing() | expressions(1).map(lambda e: ["within", *e]))
    verdict = [draw(names())]
    forms = [
        verdict,
        [*verdict, "(", *draw(expressions(1)), ")"],
        [*verdict, "=", *draw(expressions()), *within],
    ]
    return ["expect", *draw(st.sampled_from(forms)), ";"]


@cache
def statements() -> st.SearchStrategy[Tokens]:
    """Return statements of every kind."""
    include = strings().map(lambda s: ["include", s, ";"])
    data = st.builds(lambda name, c: ["data", name, "=", *c, ";"], names(), calls())
    return st.one_of(include, parameters(), blocks(), data, clauses(), goals(), expectations(), clauses())


@cache
def queries() -> st.SearchStrategy[Tokens]:
    """Return whole files, as tokens."""
    return st.lists(statements(), max_size=4).map(
        lambda every: ["rq", "1.0", ";", *(token for one in every for token in one)]
    )


BLANKS = ("", "", "", " ", " ", "\n", "\n\n", "\n\n\n  ", "\t", "\r\n", "  // why\n", "\n// so\n")


@cache
@st.composite
def texts(draw: st.DrawFn, blanks: tuple[str, ...] = BLANKS) -> tuple[Tokens, str]:
    """Draw a file: its tokens, and a text of them with random blanks and comments."""
    tokens = draw(queries())
    gaps = draw(st.lists(st.sampled_from(blanks), min_size=len(tokens), max_size=len(tokens)))
    text = ""
    for gap, token in zip(gaps, tokens, strict=True):
        is_word = bool(text) and _is_wordlike(text[-1]) and _is_wordlike(token[0])
        text += (gap or " " if is_word else gap) + token
    return tokens, text + draw(st.sampled_from(["", "\n", " // end", "\n\n// end\n"]))


def _is_wordlike(character: str) -> bool:
    return character.isalnum() or character in "_."


def without_places(node: object) -> object:
    """Return a syntax tree as tuples that compare equal if only places differ."""
    match node:
        case tuple():
            return tuple(map(without_places, node))
        case Span() | Source():
            return None
        case Fraction() | str() | bool() | None:
            return node
        case _ if is_dataclass(node):
            values = (without_places(getattr(node, field.name)) for field in fields(node))
            return (type(node).__name__, *values)
        case _:
            raise TypeError(node)
