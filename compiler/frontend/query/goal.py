"""What is asked: from a goal statement to a goal, and remarks on its answer."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NoReturn, assert_never

from ensc.compiler.diagnostics import Diagnostic, Label, reject
from ensc.compiler.frontend.query.expressions import Environment
from ensc.compiler.frontend.query.expressions import number as evaluate_number
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.frontend.query.parameters import Limits, limits, refuse_outside
from ensc.compiler.frontend.query.report import Report, already_reported
from ensc.compiler.quoting import counted
from ensc.compiler.quoting import number as number_text
from ensc.compiler.types.problem import (
    Check,
    Goal,
    MaximizeTotal,
    MaximizeValue,
    MinimizeRadius,
    ProfileValue,
    ThreatModel,
    enough_attacks,
)
from ensc.compiler.types.syntax import (
    CheckGoal,
    Comparison,
    Interval,
    MaximizeGoal,
    MinimizeGoal,
    Name,
    Parameter,
    ProfileGoal,
)
from ensc.compiler.types.syntax import Goal as GoalStatement
from ensc.compiler.words import hint

QUANTITIES = ("value", "total")


def unknown_of(goal: GoalStatement | None) -> Name | None:
    """Return the parameter that a goal is asked to find or to vary, if there is one."""
    match goal:
        case MinimizeGoal() | ProfileGoal():
            return goal.parameter
        case _:
            return None


def range_of_unknown(
    goal: GoalStatement | None, parameters: Mapping[str, Parameter], environment: Environment
) -> Limits | None:
    """Return the range of the parameter that a goal finds or varies; None for other goals.

    Raises:
        Rejected: it is not declared as a real number, or its range is unbounded or negative.
    """
    unknown = unknown_of(goal)
    if unknown is None:
        return None
    declaration = _declaration(unknown, parameters)
    match goal:
        case ProfileGoal():
            found = limits(goal.interval, environment, f"`{unknown.text}`")
            _check_profile(found, declaration, environment)
        case _ if isinstance(declaration.domain, Interval):
            found = limits(declaration.domain, environment, f"`{unknown.text}`")
        case _:
            _refuse_unbounded(unknown, declaration)
    if found.lower is None or found.upper is None:
        _refuse_unbounded(unknown, declaration)
    if found.lower < 0:
        message = "the radius of a ball is not negative"
        reject("E0903", message, found.span, f"it starts at {number_text(found.lower)}")
    return found


def read_goal(statement: GoalStatement, environment: Environment, varied: Limits | None) -> Goal:
    """Read a goal.

    Args:
        statement: the goal.
        environment: the meaning of names.
        varied: the range of the parameter that the goal finds or varies.

    Raises:
        Rejected: the comparison is not the one the goal has, or its bound is negative.
    """
    match statement:
        case CheckGoal():
            why = "a query is robust if the value stays below alpha for every attack"
            return Check(_alpha(statement.comparison, "<", why, environment))
        case MaximizeGoal():
            return _read_maximize(statement, environment)
        case MinimizeGoal():
            lower, upper = _ends(varied)
            alpha = _reached(statement.such_that, environment)
            return MinimizeRadius(statement.parameter.text, alpha, lower, upper)
        case ProfileGoal():
            return ProfileValue(statement.parameter.text, *_ends(varied))
        case _:
            assert_never(statement)


def threshold(goal: Goal) -> Fraction | None:
    """Return the value a goal compares with, if it does."""
    match goal:
        case Check() | MaximizeTotal() | MinimizeRadius():
            return goal.alpha
        case MaximizeValue() | ProfileValue():
            return None
        case _:
            assert_never(goal)


def remark(statement: GoalStatement, goal: Goal, report: Report) -> None:
    """Warn of a goal whose answer is known before."""
    alpha, place = threshold(goal), Label(statement.span)
    if alpha is not None and alpha > 1:
        message = f"no attack reaches the value {number_text(alpha)}: values are at most 1"
        report.add(Diagnostic("W0902", message, place, help="did you mean a fraction of 1?"))
    if alpha == 0:
        message = "every attack reaches the value 0"
        report.add(Diagnostic("W0903", message, place, help="ask about a value above 0"))


def remark_on_count(
    statement: GoalStatement, goal: Goal, threat: ThreatModel, members: int, report: Report
) -> None:
    """Warn of fewer attacks than members: the answer is then weaker than it looks."""
    if threat.count >= enough_attacks(goal, members):
        return
    mixture = counted(threat.count, "attack")
    few = f"{mixture} for {counted(members, 'member')}"
    if isinstance(goal, Check):
        meaning = f"an infeasible model will prove robustness against {mixture} only"
    else:
        meaning = "the optimum over so few attacks can be below the optimum over all"
    advice = "write `count auto` for as many attacks as are always enough"
    place = Label(statement.span)
    report.add(Diagnostic("W0901", f"{few}: {meaning}", place, help=advice))


def _declaration(unknown: Name, parameters: Mapping[str, Parameter]) -> Parameter:
    if unknown.text not in parameters:
        declare = f"declare it: `param {unknown.text}: real in [0, 1];`"
        advice = hint(unknown.text, sorted(parameters)) or declare
        reject("E0201", f"no parameter is called `{unknown.text}`", unknown.span, help=advice)
    declaration = parameters[unknown.text]
    if declaration.type.text != "real":
        message = f"the goal varies `{unknown.text}`, which must be a real number"
        related = (Label(declaration.type.span, "declared here"),)
        reject("E0403", message, unknown.span, related=related)
    return declaration


def _refuse_unbounded(unknown: Name, declaration: Parameter) -> NoReturn:
    name = unknown.text
    reject(
        "E0915",
        f"`{name}` has no bounded range",
        unknown.span,
        "the goal searches the range of this parameter",
        related=(Label(declaration.span, "declared here"),),
        help=f"give both ends: `param {name}: real in [0, 1];`",
    )


def _check_profile(found: Limits, declaration: Parameter, environment: Environment) -> None:
    for end in (found.lower, found.upper):
        if end is not None:
            refuse_outside(declaration, end, found.span, environment)


def _ends(varied: Limits | None) -> tuple[Fraction, Fraction]:
    if varied is None or varied.lower is None or varied.upper is None:
        raise already_reported()
    return varied.lower, varied.upper


def _read_maximize(statement: MaximizeGoal, environment: Environment) -> Goal:
    quantity, such_that = statement.quantity, statement.such_that
    require_known(quantity, QUANTITIES, "E0207", f"`{quantity.text}` cannot be maximized")
    if quantity.text == "total":
        return MaximizeTotal(_reached(such_that, environment) if such_that else None)
    if such_that is not None:
        reject(
            "E0917",
            "the largest value needs no lower bound on the value",
            such_that.span,
            help="leave it out, or `maximize total such that ...`",
        )
    return MaximizeValue()


def _reached(comparison: Comparison, environment: Environment) -> Fraction:
    return _alpha(comparison, ">=", "an attack succeeds if it reaches alpha", environment)


def _alpha(comparison: Comparison, operator: str, why: str, environment: Environment) -> Fraction:
    if comparison.operator != operator:
        reject(
            "E0912",
            f"the value is compared by `{operator}` here, not by `{comparison.operator}`",
            comparison.span,
            f"{why} (Gross et al. 2020, Definition 6)",
            help=f"write `value {operator} {comparison.bound.span.text}`",
        )
    alpha = evaluate_number(comparison.bound, environment, "the value")
    if alpha < 0:
        found = f"this is {number_text(alpha)}"
        reject("E0913", "a value is never negative", comparison.bound.span, found)
    return alpha
