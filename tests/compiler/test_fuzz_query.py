"""Whatever a file contains, it is a query or it is rejected with places that exist."""

import unicodedata
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from query_strategies import Tokens, texts

from ensc.compiler.diagnostics import Rejected, Source
from ensc.compiler.frontend.syntax.format import format_query
from ensc.compiler.frontend.syntax.parse import parse_query
from ensc.compiler.frontend.syntax.spelling import MOST_ERRORS
from ensc.compiler.render import render_json, render_text

SNIPPETS = [
    *";{}()[],=<>:+-*/.\"'\\#@\0\n\t\r é∞",
    "//",
    "/*",
    "..",
    "==",
    "rq 1.0;",
    "param ",
    "\ncheck value",
    "inf",
    "1e9999",
    "\N{ZERO WIDTH SPACE}",
    "\u2028",
    "value",
    " such that ",
]


def accept_or_reject(text: str) -> bool:
    """Parse a text, check what is said about it, and return whether it is a query."""
    source = Source("fuzz.rq", text)
    try:
        query = parse_query(source)
    except Rejected as rejected:
        found = rejected.diagnostics
        assert 0 < len(found) <= MOST_ERRORS
        places = [d.place.span for d in found if d.place is not None]
        assert len(places) == len(found)
        assert all(0 <= p.start <= p.end <= len(text) for p in places)
        assert [p.start for p in places] == sorted(p.start for p in places)
        assert len({(p.start, p.end, d.message) for p, d in zip(places, found, strict=True)}) == len(found)
        rendered = render_text(found)
        assert not [c for c in rendered if c != "\n" and unicodedata.category(c) in {"Cc", "Cf"}]
        render_json(found)
        return False
    parse_query(Source("formatted.rq", format_query(query)))
    return True


def mutated(text: str, random: Random) -> str:
    """Return a text with a few pieces deleted, doubled, moved, replaced or inserted."""
    for _ in range(random.randint(1, 3)):
        a, b = sorted(random.randint(0, len(text)) for _ in range(2))
        b = min(b, a + random.choice([1, 2, 10, 1000]))
        other = random.randint(0, len(text))
        match random.randrange(6):
            case 0:
                text = text[:a] + text[b:]
            case 1:
                text = text[:b] + text[a:]
            case 2:
                text = text[:a] + text[b:][: other + 1] + text[a:b] + text[b:][other + 1 :]
            case 3:
                text = text[:a] + random.choice(SNIPPETS) + text[b:]
            case 4:
                text = text[:a] + random.choice(SNIPPETS) + text[a:]
            case _:
                text = text[:a]
    return text


@settings(max_examples=60, deadline=None)
@given(texts(), st.randoms(use_true_random=False))
def test_mutated_queries_are_accepted_or_rejected(drawn: tuple[Tokens, str], random: Random) -> None:
    _, text = drawn
    assert accept_or_reject(text)
    for _ in range(4):
        accept_or_reject(mutated(text, random))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*SNIPPETS, " ", "a", "1", '"x"']), max_size=40).map("".join))
def test_heaps_of_tokens_are_accepted_or_rejected(text: str) -> None:
    accept_or_reject(text)
    accept_or_reject("rq 1.0; " + text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_accepted_or_rejected(text: str) -> None:
    accept_or_reject(text)
