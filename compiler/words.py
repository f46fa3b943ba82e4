"""Words that were meant: the nearest known word to one that is not known."""

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher

LONGEST = 64
ALIKE = 0.5


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that the writer of `word` most likely meant, or None.

    Case is ignored. Of equally near candidates the first is taken, so that the order in which a
    caller lists them decides, not chance.

    >>> suggest("L3", ["L1", "Linf", "L0"])
    'L1'
    >>> suggest("atack", ["input", "attack", "loss"])
    'attack'
    >>> suggest("radius", ["norm", "count"]) is None
    True
    """
    if not word or len(word) > LONGEST:
        return None
    scored = [(_likeness(word, c), c) for c in candidates if 0 < len(c) <= LONGEST]
    best = max((score for score, _ in scored), default=0.0)
    if best < ALIKE:
        return None
    return next(candidate for score, candidate in scored if score == best)


def hint(word: str, candidates: Iterable[str], spelt: Callable[[str], str] = str) -> str | None:
    """Return the question whether the writer of `word` meant the nearest candidate; None if none is near.

    Args:
        word: that is not known.
        candidates: as for `suggest`.
        spelt: how to write a candidate that may hold any character.

    >>> hint("L3", ["L1", "Linf", "L0"])
    'did you mean `L1`?'
    """
    close = suggest(word, candidates)
    return f"did you mean `{spelt(close)}`?" if close else None


def _likeness(word: str, candidate: str) -> float:
    return SequenceMatcher(None, word.lower(), candidate.lower(), autojunk=False).ratio()
