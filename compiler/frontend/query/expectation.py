"""What a query says its answer is, and whether its goal can have such an answer."""

from fractions import Fraction
from typing import assert_never

from ensc.compiler.diagnostics import reject
from ensc.compiler.frontend.query.expressions import Environment, integer
from ensc.compiler.frontend.query.expressions import number as evaluate_number
from ensc.compiler.frontend.query.goal import threshold
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.quoting import alternatives, counted, whole
from ensc.compiler.quoting import number as number_text
from ensc.compiler.types.problem import (
    Check,
    Expectation,
    ExpectedNumber,
    ExpectedVerdict,
    Goal,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
    enough_attacks,
)
from ensc.compiler.types.syntax import Expect as ExpectStatement
from ensc.compiler.types.syntax import ExpectNumber, ExpectVerdict

VERDICTS = ("robust", "not_robust", "robust_up_to", "unknown", "timeout")
UNDECIDED = ("unknown", "timeout")


def read_expectation(
    statement: ExpectStatement,
    goal: Goal,
    count: int,
    members: int,
    environment: Environment,
) -> Expectation:
    """Read what a query says its answer is.

    Args:
        statement: the `expect` statement.
        goal: of the query.
        count: the number of attacks in the mixture.
        members: the number of classifiers.
        environment: the meaning of names.

    Raises:
        Rejected: the goal has no such answer.
    """
    match statement:
        case ExpectVerdict():
            return _read_verdict(statement, goal, count, members, environment)
        case ExpectNumber():
            return _read_number(statement, goal, environment)
        case _:
            assert_never(statement)


def expects_few(statement: ExpectStatement | None) -> bool:
    """Say whether a query knows of its few attacks: it expects a bound on them, or that they suffice."""
    return isinstance(statement, ExpectVerdict) and statement.verdict.text in {"robust_up_to", "not_robust"}


def _read_verdict(
    statement: ExpectVerdict, goal: Goal, count: int, members: int, environment: Environment
) -> ExpectedVerdict:
    verdict = statement.verdict
    require_known(verdict, VERDICTS, "E0207", f"unknown verdict `{verdict.text}`")
    expected = _read_mixture(statement, count, enough_attacks(goal, members), environment)
    if verdict.text not in UNDECIDED and threshold(goal) is None:
        reject(
            "E0916",
            f"`{verdict.text}` is no answer to this goal",
            verdict.span,
            "the goal compares with no value",
            help="expect a number, as in `expect value = 3/4 within 1e-6`",
        )
    return ExpectedVerdict(verdict.text, expected, statement.span)


def _read_mixture(statement: ExpectVerdict, count: int, enough: int, environment: Environment) -> int | None:
    verdict, written = statement.verdict, statement.count
    if verdict.text != "robust_up_to":
        if written is not None:
            reject("E0208", f"nothing follows `{verdict.text}`", written.span, "not expected here")
        return None
    if written is None:
        advice = f"for example `robust_up_to({count})`"
        reject("E0208", "`robust_up_to` needs a number of attacks", verdict.span, help=advice)
    expected = integer(written, environment, "the number of attacks")
    if expected != count:
        message = f"the query mixes {counted(count, 'attack')}, so it cannot answer about {whole(expected)}"
        reject("E0918", message, written.span, help=f"write `robust_up_to({count})`")
    if count >= enough:
        message = (
            f"{counted(enough, 'attack is', 'attacks are')} always enough for this goal and these members"
        )
        reject("E0918", message, verdict.span, help="write `expect robust`")
    return expected


def _read_number(statement: ExpectNumber, goal: Goal, environment: Environment) -> ExpectedNumber:
    quantity, answer = statement.quantity, _answer(goal)
    if quantity.text != answer:
        other = f"it answers with `{answer}`" if answer else "it answers with no single number"
        message = f"`{quantity.text}` is not what this goal finds"
        reject("E0916", message, quantity.span, other, help=_expectable(goal))
    value = evaluate_number(statement.value, environment, "the expected number")
    if statement.within is None:
        return ExpectedNumber(quantity.text, value, Fraction(0), statement.span)
    within = evaluate_number(statement.within, environment, "the tolerance")
    if within < 0:
        found = f"this is {number_text(within)}"
        reject("E0919", "a tolerance is not negative", statement.within.span, found)
    return ExpectedNumber(quantity.text, value, within, statement.span)


def _answer(goal: Goal) -> str | None:
    """Name the number that a goal finds."""
    match goal:
        case MaximizeValue():
            return "value"
        case MaximizeTotal():
            return "total"
        case MinimizeRadius():
            return goal.parameter
        case Check() | ProfileValue():
            return None
        case _:
            assert_never(goal)


def _expectable(goal: Goal) -> str:
    answer = _answer(goal)
    if answer:
        return f"write `expect {answer} = ...;`"
    words = ("robust", "not_robust") if isinstance(goal, Check) else UNDECIDED
    return f"expect {alternatives(words)}"
