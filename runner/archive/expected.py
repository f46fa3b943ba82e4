"""What an archive says the answer is, and how that was established.

The record goes into the manifest, from which it is read when the archive is verified: solving again is not
what verifying means.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.problem import EnsembleProblem, ExpectedNumber
from ensc.compiler.types.solution import Verdict, Word
from ensc.runner.archive.inputs import expectation_text
from ensc.runner.emitting.script import expected_answer
from ensc.runner.reports.report import exact_text, is_certified, quantity
from ensc.runner.verdicts.expectation import compare_expectation

Source: TypeAlias = Literal["nothing", "the query", "a solver", "exact replay"]
SOURCES: tuple[Source, ...] = ("nothing", "the query", "a solver", "exact replay")

FROM_QUERY: tuple[Source, ...] = ("nothing", "the query")
"""What follows from the query alone."""

_WORDS = {Word.ROBUST: "robust", Word.ROBUST_UP_TO_K: "robust_up_to", Word.NOT_ROBUST: "not_robust"}


@dataclass(frozen=True, slots=True)
class Established:
    """What is known of the answer.

    Attributes:
        answer: `robust`, `robust_up_to`, `not_robust`, `unknown`, or a number as in `value = 3/4`.
        count: of the attacks that `robust_up_to` is about.
        source: what says so.
        details: in words, one a line.
    """

    answer: str
    count: int | None
    source: Source
    details: tuple[str, ...]


UNKNOWN = Established("unknown", None, "nothing", ("nobody has said what the answer is",))


def from_expectation(problem: EnsembleProblem) -> Established:
    """Return what the query's `expect` statement says."""
    expectation = problem.expectation
    stated = ("the author of the query states it; ensc did not solve the query for this archive",)
    if expectation is None:
        return UNKNOWN
    if isinstance(expectation, ExpectedNumber):
        return Established(expectation_text(expectation), None, "the query", stated)
    word, count = expected_answer(expectation)
    if word in {"unknown", "timeout"}:
        details = ("the query expects that nobody finds out, or not in time",)
        return Established("unknown", None, "nothing", details)
    return Established(word, count, "the query", stated)


def from_verdict(problem: EnsembleProblem, verdict: Verdict) -> Established:
    """Return what a verdict says; where it leaves the answer open, what the query says.

    Raises:
        Rejected: E1120 or E1121 if the verdict contradicts the query.
    """
    contradiction = compare_expectation(problem, verdict)
    if contradiction is not None:
        raise Rejected([contradiction])
    rests = tuple(f"{p.solver}, tolerance {p.tolerance:g}: {p.claim}" for p in verdict.proofs)
    match verdict.word:
        case Word.UNKNOWN:
            return from_expectation(problem)
        case Word.OPTIMAL:
            found = f"{quantity(problem)} = {exact_text(verdict.lower)}"
            attack = ("an attack that reaches it was replayed in exact arithmetic",)
            return Established(found, None, "a solver", (*attack, *rests))
        case Word.NOT_ROBUST:
            assert is_certified(verdict), "only a certified attack makes a query not robust"
            value = exact_text(verdict.lower)
            details = (f"an attack was replayed in exact arithmetic; the value it reaches is {value}",)
            return Established(_WORDS[verdict.word], None, "exact replay", details)
        case Word.ROBUST | Word.ROBUST_UP_TO_K:
            count = problem.threat.count if verdict.word is Word.ROBUST_UP_TO_K else None
            return Established(_WORDS[verdict.word], count, "a solver", rests)
