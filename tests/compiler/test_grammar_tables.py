"""The tables in the package are those of the grammar in the package, and parse as Lark does without them."""

import json
from collections import deque
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from lark import Token
from lark.lexer import BasicLexer

from ensc.compiler.frontend.syntax.grammar import GRAMMAR, TABLES, Start, derived, derived_tables, grammar
from ensc.compiler.frontend.syntax.tables import origin, parser_of

COMPILER = Path(__file__).parents[2] / "compiler"


def test_tables_are_those_of_the_grammar(request: pytest.FixtureRequest) -> None:
    derived = derived_tables()
    if request.config.getoption("--update"):
        (COMPILER / TABLES).write_text(derived, encoding="ascii")
    shipped = (COMPILER / TABLES).read_text(encoding="ascii")
    if json.loads(shipped)["made_of"]["lark"] != json.loads(derived)["made_of"]["lark"]:
        pytest.skip("another Lark made them, and they are not used here")
    assert shipped == derived, "run `make tables`"


def test_tables_of_another_grammar_or_another_lark_are_not_used() -> None:
    text = derived_tables()
    source = (files("ensc.compiler") / GRAMMAR).read_bytes()
    older = text.replace(origin(source)["lark"], "0.1", 1)
    assert parser_of(text, source + b"// more\n", BasicLexer) is None
    assert parser_of(older, source, BasicLexer) is None
    assert parser_of(text, source, BasicLexer) is not None


@pytest.mark.parametrize("start", ["query", "expression"])
def test_the_parser_accepts_what_lark_accepts_without_tables(start: Start) -> None:
    """Walk both through the same tokens, breadth first."""
    pair: tuple[Any, ...] = tuple(p.parse_interactive(start=start) for p in (grammar(), derived()))
    waiting = deque([pair])
    seen = set()
    while waiting:
        ours, theirs = waiting.popleft()
        accepted = ours.accepts()
        assert accepted == theirs.accepts()
        states = ours.parser_state.state_stack[-2:]
        if tuple(states) in seen:
            continue
        seen.add(tuple(states))
        for kind in sorted(accepted - {"$END"}):
            waiting.append((ours.copy(), theirs.copy()))
            for parser in waiting[-1]:
                parser.feed_token(Token(kind, ""))
    assert len(seen) > 50
