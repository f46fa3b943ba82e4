"""Giving every parameter its value: the command line's, else its default; checked either way."""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from itertools import product
from typing import assert_never

from ensc.compiler.diagnostics import Diagnostic, Label, Span, reject
from ensc.compiler.frontend.query.expressions import (
    Environment,
    Value,
    evaluate,
    kind_of,
    number,
)
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.frontend.query.overrides import (
    MOST_STEPS,
    Override,
    expression_of,
    is_sweep,
    refuse_unknown,
    sweep_of,
)
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.quoting import number as number_text
from ensc.compiler.types.syntax import (
    Comparison,
    Expression,
    Infinity,
    Interval,
    Name,
    Parameter,
    String,
)

TYPES = ("real", "int", "string", "bool")

WORDS = frozenset({"name", "function", "word", "type", "key", "verdict", "span"})
"""Fields of the syntax tree that hold no expression."""

COMPARE: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The ends of an interval as values; None where it is unbounded."""

    lower: Fraction | None
    upper: Fraction | None
    span: Span

    def __contains__(self, value: Fraction) -> bool:
        return (self.lower is None or value >= self.lower) and (self.upper is None or value <= self.upper)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line gives to the parameters.

    Attributes:
        points: for each point of the sweeps, the expression of every parameter that is given; the last
            swept parameter changes fastest. Without a sweep there is one point.
        failed: parameters whose value on the command line has been reported as a mistake.
        sweep: where the first sweep is written, if there is one.
    """

    points: tuple[Mapping[str, Expression], ...]
    failed: frozenset[str]
    sweep: Span | None


def read_choices(
    parameters: tuple[Parameter, ...], overrides: tuple[Override, ...], report: Report
) -> Choices:
    """Read the values on the command line, sweeps among them."""
    declared = {p.name.text: p for p in parameters}
    axes: dict[str, tuple[Expression, ...]] = {}
    sweeps: list[Span] = []
    for override in overrides:
        values = report.attempt(_values, override, declared)
        if values is None:
            continue
        axes[override.name.text] = values
        if _is_swept(override, declared):
            sweeps.append(override.value.span)
        if math.prod(map(len, axes.values())) > MOST_STEPS:
            message = f"the sweeps have more than {MOST_STEPS} points together"
            place = Label(override.value.span)
            report.add(Diagnostic("E0410", message, place, help="take larger steps"))
            axes[override.name.text] = values[:1]
    points = tuple(dict(zip(axes, point, strict=True)) for point in product(*axes.values()))
    failed = frozenset(override.name.text for override in overrides) - axes.keys()
    return Choices(points, failed, sweeps[0] if sweeps else None)


def assign(
    parameters: tuple[Parameter, ...],
    given: Mapping[str, Expression],
    failed: frozenset[str],
    unknown: str | None,
    report: Report,
) -> Environment:
    """Evaluate every parameter in the order of declaration.

    Args:
        parameters: the declarations, each name once.
        given: what the command line gives.
        failed: parameters whose value on the command line is already reported.
        unknown: the parameter the goal is asked to find; it gets no value.
        report: takes the mistakes; a parameter with one is marked broken.
    """
    values: dict[str, Value] = {}
    broken = set(failed)
    declared = {p.name.text: p.name.span for p in parameters}
    for parameter in parameters:
        name = parameter.name.text
        here = Environment(dict(values), declared, unknown, frozenset(broken))
        if name == unknown:
            report.attempt(_refuse_value, parameter, given.get(name))
            continue
        if name in failed:
            continue
        value = report.attempt(_assign, parameter, given.get(name), here)
        if value is None:
            broken.add(name)
        else:
            values[name] = value
    return Environment(values, declared, unknown, frozenset(broken))


def limits(interval: Interval, environment: Environment, what: str) -> Limits:
    """Evaluate the ends of an interval.

    Raises:
        Rejected: an end is no number, or the lower end is above the upper one.
    """
    lower = _end(interval.lower, environment, what, positive=False)
    upper = _end(interval.upper, environment, what, positive=True)
    if lower is not None and upper is not None and lower > upper:
        found = f"{number_text(lower)} is more than {number_text(upper)}"
        reject("E0413", f"the range of {what} is empty", interval.span, found)
    return Limits(lower, upper, interval.span)


def refuse_outside(parameter: Parameter, value: Value, span: Span, environment: Environment) -> None:
    """Check that a value lies in the range of a parameter.

    Raises:
        Rejected: it does not, or the range is empty, or there can be none.
    """
    domain = parameter.domain
    if domain is None:
        return
    if not isinstance(value, Fraction):
        message = f"a parameter of type {parameter.type.text} has no range"
        reject("E0403", message, domain.span, "only numbers have one")
    name = parameter.name.text
    match domain:
        case Interval():
            inside = value in limits(domain, environment, f"`{name}`")
        case Comparison():
            bound = number(domain.bound, environment, f"the bound of `{name}`")
            inside = COMPARE[domain.operator](value, bound)
        case _:
            assert_never(domain)
    if not inside:
        reject(
            "E0402",
            f"`{name} = {number_text(value)}` is outside its range",
            span,
            f"this is {number_text(value)}",
            related=(Label(domain.span, "the range is declared here"),),
        )


def unused(parameters: tuple[Parameter, ...], statements: tuple[object, ...]) -> Iterator[Diagnostic]:
    """Yield a warning for every parameter that no expression and no goal names."""
    used = {name for statement in statements for name in names_in(statement)}
    for parameter in parameters:
        if parameter.name.text not in used:
            message = f"the parameter `{parameter.name.text}` is never used"
            yield Diagnostic("W0401", message, Label(parameter.name.span, "declared here"))


def _is_swept(override: Override, declared: Mapping[str, Parameter]) -> bool:
    return declared[override.name.text].type.text in {"real", "int"} and is_sweep(override)


def _values(override: Override, declared: Mapping[str, Parameter]) -> tuple[Expression, ...]:
    refuse_unknown(override, declared, "E0404", "parameter")
    if _is_swept(override, declared):
        return sweep_of(override)
    if declared[override.name.text].type.text == "string":
        return (_unquoted(override.value),)
    return (expression_of(override),)


def _unquoted(value: String) -> String:
    """Take a string of the command line as it is, with or without quotes of its own."""
    text = value.value
    quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return String(text[1:-1], value.span) if quoted else value


def _refuse_value(parameter: Parameter, given: Expression | None) -> None:
    if given is not None:
        name = parameter.name.text
        reject(
            "E0408",
            f"`{name}` is what the goal is asked to find, so it cannot be given",
            given.span,
            related=(Label(parameter.span, "declared here"),),
            help=f"leave out `-D {name}=...`, or give the goal another range",
        )


def _assign(parameter: Parameter, given: Expression | None, environment: Environment) -> Value:
    name, expression = parameter.name, given or parameter.default
    require_known(parameter.type, TYPES, "E0207", f"unknown type `{parameter.type.text}`")
    if expression is None:
        reject(
            "E0401",
            f"the parameter `{name.text}` has no value",
            name.span,
            "no default, and not given",
            help=f"give `-D {name.text}=...`, or a default: `param {name.text}: ... = ...;`",
        )
    value = evaluate(expression, environment)
    _check_type(parameter, value, expression.span)
    refuse_outside(parameter, value, expression.span, environment)
    return value


def _check_type(parameter: Parameter, value: Value, span: Span) -> None:
    wanted = parameter.type.text
    match wanted:
        case "real":
            fits = isinstance(value, Fraction)
        case "int":
            fits = isinstance(value, Fraction) and value.denominator == 1
        case "string":
            fits = isinstance(value, str)
        case _:
            fits = isinstance(value, bool)
    if fits:
        return
    found = number_text(value) if isinstance(value, Fraction) else kind_of(value)
    message = f"the parameter `{parameter.name.text}` has type {wanted}"
    related = (Label(parameter.type.span, "declared here"),)
    reject("E0403", message, span, f"this is {found}", related=related)


def _end(
    end: Expression | Infinity, environment: Environment, what: str, *, positive: bool
) -> Fraction | None:
    if not isinstance(end, Infinity):
        return number(end, environment, f"an end of the range of {what}")
    if end.positive is not positive:
        reject("E0413", f"the range of {what} is empty", end.span, "the infinity of the wrong side")
    return None


def names_in(root: object) -> Iterator[str]:
    """Yield the names that occur as expressions or as the parameter of a goal, below a node."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            yield node.text
        elif isinstance(node, tuple):
            waiting.extend(node)
        elif is_dataclass(node):
            waiting.extend(getattr(node, f.name) for f in fields(node) if f.name not in WORDS)
