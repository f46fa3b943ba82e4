"""The word that was meant."""

from collections.abc import Sequence

import pytest

from ensc.compiler.frontend.syntax.grammar import STATEMENTS
from ensc.compiler.words import suggest


@pytest.mark.parametrize(
    ("word", "candidates", "meant"),
    [
        ("L3", ("L1", "Linf", "L0"), "L1"),
        ("l2", ("Linf", "L0", "L1"), "L0"),
        ("linf", ("L1", "Linf"), "Linf"),
        ("atack", STATEMENTS, "attack"),
        ("ensembel", STATEMENTS, "ensemble"),
        ("epsilom", ("alpha", "epsilon"), "epsilon"),
        ("zzz", STATEMENTS, None),
        ("", STATEMENTS, None),
        ("x", (), None),
        ("a" * 100_000, ("a" * 60,), None),
        ("a" * 60, ("a" * 100_000,), None),
    ],
)
def test_the_nearest_candidate_is_suggested_if_it_is_near(
    word: str, candidates: Sequence[str], meant: str | None
) -> None:
    assert suggest(word, candidates) == meant
