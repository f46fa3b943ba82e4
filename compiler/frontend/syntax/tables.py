"""The tables of a parser as text, so that a process reads them where it would have to work them out.

Lark derives them from the grammar; that takes longer than compiling a small query. The text says which
grammar and which Lark it was made of, so that tables that are out of date are never used.
"""

import hashlib
import json
from collections import deque
from typing import Any, TypeAlias

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import Lexer, TerminalDef

Actions: TypeAlias = dict[int, tuple[int, Any]]
"""What to do at each token: shift, with the next state, or reduce by a rule."""

Table: TypeAlias = dict[str, Any]
"""Of an LALR parser as Lark serialises it: tokens by number, states, where each start begins and ends."""

SHIFT = 0
"""How Lark marks an action that is no reduction."""

OPTIONS = ("parser", "strict", "start", "propagate_positions", "maybe_placeholders")
"""Of the parser, those that are kept; the others have the values that Lark gives them."""


def origin(grammar: bytes) -> dict[str, str]:
    """Return what tables are made of: the grammar, and the release of Lark without its last number.

    Lark keeps the form of its tables as long as only the last number changes.
    """
    release = ".".join(lark.__version__.split(".")[:2])
    return {"grammar": hashlib.sha256(grammar).hexdigest(), "lark": release}


def tables_of(parser: Lark, grammar: bytes) -> str:
    """Return the tables as JSON, the same for the same grammar.

    Args:
        parser: what Lark made of the grammar, with a lexer of its own kind.
        grammar: the text of the grammar.
    """
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["options"] = {name: data["options"][name] for name in OPTIONS}
    data["parser"]["lexer_conf"]["lexer_type"] = None  # a class, which `parser_of` puts back
    data["parser"]["parser"] = _numbered(data["parser"]["parser"])
    whole = {"made_of": origin(grammar), "data": data, "memo": memo}
    return json.dumps(whole, indent=None, separators=(",", ":")).replace("},", "},\n") + "\n"


def parser_of(tables: str, grammar: bytes, lexer: type[Lexer]) -> Lark | None:
    """Return the parser with these tables; None if they were not made of this grammar by this Lark.

    Args:
        tables: as `tables_of` returns them.
        grammar: the text of the grammar.
        lexer: what hands the parser its tokens.
    """
    whole = json.loads(tables, object_hook=_with_numbers)
    if whole["made_of"] != origin(grammar):
        return None
    whole["data"]["options"]["lexer"] = lexer
    whole["data"]["parser"]["lexer_conf"]["lexer_type"] = lexer
    parser: Lark = Lark.load(whole)  # takes what a file would hold, too
    return parser


def _with_numbers(entries: dict[str, Any]) -> dict[str | int, Any]:
    """JSON has no numbers for keys; the tables have them, and no names that are numbers."""
    return {int(key) if key.isdigit() else key: value for key, value in entries.items()}


def _numbered(table: Table) -> Table:
    """Number tokens by their names and states by where they are met first, walking from the starts.

    Lark numbers both by the order of a set, which differs from process to process.
    """
    names = sorted(table["tokens"].values())
    number = {name: place for place, name in enumerate(names)}
    tokens = {old: number[name] for old, name in table["tokens"].items()}
    states: dict[int, Actions] = {
        state: {tokens[token]: actions[token] for token in sorted(actions, key=lambda t: tokens[t])}
        for state, actions in table["states"].items()
    }
    starts = sorted(table["start_states"])
    place = _reached(states, [table["start_states"][start] for start in starts])
    return {
        "tokens": dict(enumerate(names)),
        "states": {place[state]: _renamed(states[state], place) for state in place},
        "start_states": {start: place[table["start_states"][start]] for start in starts},
        "end_states": {start: place[table["end_states"][start]] for start in starts},
    }


def _reached(states: dict[int, Actions], starts: list[int]) -> dict[int, int]:
    """Return the states in the order in which a breadth-first walk meets them, and their places in it."""
    place = {state: i for i, state in enumerate(starts)}
    waiting = deque(starts)
    while waiting:
        for kind, target in states[waiting.popleft()].values():
            if kind == SHIFT and target not in place:
                place[target] = len(place)
                waiting.append(target)
    return place


def _renamed(actions: Actions, place: dict[int, int]) -> Actions:
    return {
        token: (kind, place[target] if kind == SHIFT else target) for token, (kind, target) in actions.items()
    }
