"""Finding the example that fails as a statement does.

An error is recognised when Lark meets it in the same state as in an example that starts with the same
word, at a token of the same kind.
"""

from functools import cache

from lark import Token, Tree, UnexpectedToken

from ensc.compiler.diagnostics import Source
from ensc.compiler.frontend.syntax.grammar import parse_tokens
from ensc.compiler.frontend.syntax.mistakes import MISTAKES, Mistake
from ensc.compiler.frontend.syntax.scan import scan

PREFIX = "rq 1.0; "


def recognise(error: UnexpectedToken, word: str) -> Mistake | None:
    """Return the mistake whose example fails as `error` does, if there is one.

    Args:
        error: as raised by Lark.
        word: what the statement starts with; so do the examples it is compared with.
    """
    nearest = error.match_examples(
        _parse_example,
        [(mistake, _similar(mistake, error, word)) for mistake in MISTAKES],
        token_type_match_fallback=True,
        use_accepts=False,  # `_similar` compares them: Lark 1.3 raises TypeError where they differ
    )
    # Lark also takes an example that fails in the same state at a token of another kind.
    types = {_failure(example).token.type for example in nearest.examples} if nearest else set()
    return nearest if error.token.type in types else None


def header_tokens() -> tuple[Token, ...]:
    """Return the tokens that make a file of a statement."""
    return _tokens(PREFIX)


@cache
def _tokens(text: str) -> tuple[Token, ...]:
    return scan(Source("example", text)).tokens


def _parse_example(text: str) -> Tree[Token]:
    return parse_tokens(_tokens(PREFIX + text))


@cache
def _failure(example: str) -> UnexpectedToken:
    try:
        _parse_example(example)
    except UnexpectedToken as error:
        return error.with_traceback(None)  # kept for good; the frames need not be
    raise AssertionError(f"an example of a mistake is a valid statement: {example}")


def _similar(mistake: Mistake, error: UnexpectedToken, word: str) -> list[str]:
    """Return the examples after which the grammar accepts the same tokens as after `error`."""
    same = [e for e in mistake.examples if e.split(maxsplit=1)[0] == word]
    return [e for e in same if _failure(e).accepts == error.accepts]
