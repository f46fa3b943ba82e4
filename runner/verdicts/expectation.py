"""Whether the answer is what the query said it would be."""

from fractions import Fraction
from typing import assert_never

from ensc.compiler.diagnostics import Diagnostic, Label
from ensc.compiler.quoting import number
from ensc.compiler.types.problem import (
    EnsembleProblem,
    ExpectedNumber,
    ExpectedVerdict,
    MaximizeTotal,
)
from ensc.compiler.types.solution import Verdict, Word


def compare_expectation(problem: EnsembleProblem, verdict: Verdict) -> Diagnostic | None:
    """Return the diagnostic of an answer that contradicts the query's `expect` statement.

    An answer that implies what was expected agrees (robust implies robust against k attacks), and one that
    leaves it open contradicts nothing: `unknown` is reported in its own way.
    """
    expected = problem.expectation
    match expected:
        case None:
            return None
        case ExpectedVerdict():
            return _compare_word(problem, expected, verdict)
        case ExpectedNumber():
            return _compare_number(expected, verdict)
        case _:
            assert_never(expected)


def _compare_word(problem: EnsembleProblem, expected: ExpectedVerdict, verdict: Verdict) -> Diagnostic | None:
    found = _answers(problem, verdict)
    if not found or expected.verdict == "unknown" or expected.verdict in found:
        return None
    return Diagnostic(
        "E1120",
        f"the query expects `{expected.verdict}`, and the answer is `{_spelled(problem, found[0])}`",
        Label(expected.span, "expected here"),
        notes=verdict.reasons,
        help=_advice(expected, found[0]),
    )


def _answers(problem: EnsembleProblem, verdict: Verdict) -> tuple[str, ...]:
    """Return the words that are true of a verdict, the strongest first; none if it leaves them open."""
    match verdict.word:
        case Word.ROBUST:
            return ("robust", "robust_up_to")
        case Word.ROBUST_UP_TO_K:
            return ("robust_up_to",)
        case Word.NOT_ROBUST:
            return ("not_robust",)
        case Word.OPTIMAL | Word.UNKNOWN:
            return ("not_robust",) if _reaches_alpha(problem, verdict) else ()
        case _:
            assert_never(verdict.word)


def _reaches_alpha(problem: EnsembleProblem, verdict: Verdict) -> bool:
    """`maximize total such that value >= alpha`: a certified attack also says that it is not robust."""
    goal, certificate = problem.goal, verdict.certificate
    if not isinstance(goal, MaximizeTotal) or goal.alpha is None or certificate is None:
        return False
    return certificate.admissible and certificate.value >= goal.alpha


def _spelled(problem: EnsembleProblem, word: str) -> str:
    return f"robust_up_to({problem.threat.count})" if word == "robust_up_to" else word


def _advice(expected: ExpectedVerdict, found: str) -> str | None:
    if expected.verdict == "robust" and found == "robust_up_to":
        return "so few attacks prove no more; write `count auto` for as many as are always enough"
    return None


def _compare_number(expected: ExpectedNumber, verdict: Verdict) -> Diagnostic | None:
    lower = verdict.lower
    upper = lower if verdict.word is Word.OPTIMAL else verdict.upper
    if upper >= expected.value - expected.within and lower <= expected.value + expected.within:
        return None
    return Diagnostic(
        "E1121",
        f"the query expects {expected.quantity} = {number(expected.value)}, and the answer is "
        f"{_interval(lower, upper)}",
        Label(expected.span, "expected here"),
        notes=(f"the tolerance of the expectation is {number(expected.within)}", *verdict.reasons),
    )


def _interval(lower: Fraction, upper: Fraction) -> str:
    return number(lower) if lower == upper else f"between {number(lower)} and {number(upper)}"
