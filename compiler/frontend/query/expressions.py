"""Evaluating expressions, exactly: every number of the language is a rational.

Operands that are not there to be computed with (a parameter that is the unknown of the goal, or whose
own definition is at fault) are told apart, so that each mistake is reported once, where it was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, TypeAlias, TypeVar, assert_never

from ensc.compiler.diagnostics import Label, Span, reject
from ensc.compiler.frontend.query.report import already_reported
from ensc.compiler.quoting import listed
from ensc.compiler.quoting import number as number_text
from ensc.compiler.types.syntax import Arithmetic, Expression, Name, Negation, Number, String
from ensc.compiler.words import hint

Value: TypeAlias = Fraction | str | bool
T = TypeVar("T")

MOST_BITS = 1000
"""Numerators and denominators stay below 2**MOST_BITS: every number then has a float64 near it."""

TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Environment:
    """What the names in an expression mean.

    Attributes:
        values: the parameters that have a value.
        declared: where every parameter of the query is declared, those without a value too.
        unknown: the parameter that the goal is asked to find, if any.
        broken: parameters whose definition has been reported as a mistake.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    declared: Mapping[str, Span] = field(default_factory=dict)
    unknown: str | None = None
    broken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value, and where the query states it."""

    value: T
    span: Span


def evaluate(expression: Expression, environment: Environment) -> Value:
    """Return the value of an expression; the parser bounds how deep expressions nest.

    Raises:
        Rejected: a name is not defined, types do not fit, a division by zero, a number out of bounds.
    """
    match expression:
        case Number():
            return _bounded(expression.value, expression.span)
        case String():
            return expression.value
        case Name():
            return _look_up(expression, environment)
        case Negation():
            return -_operand(expression.operand, environment)
        case Arithmetic():
            left = _operand(expression.left, environment)
            right = _operand(expression.right, environment)
            return _bounded(_compute(expression, left, right), expression.span)
        case _:
            assert_never(expression)


def number(expression: Expression, environment: Environment, what: str) -> Fraction:
    """Return the value of an expression that must be a number.

    Args:
        expression: what to evaluate.
        environment: the meaning of its names.
        what: what the number is, for the message: `the radius`.

    Raises:
        Rejected: as `evaluate`, and for a string or a truth value.
    """
    value = evaluate(expression, environment)
    if isinstance(value, Fraction):
        return value
    reject("E0403", f"{what} must be a number", expression.span, f"this is {kind_of(value)}")


def integer(expression: Expression, environment: Environment, what: str) -> int:
    """Return the value of an expression that must be a whole number.

    Raises:
        Rejected: as `number`, and for a fraction.
    """
    value = number(expression, environment, what)
    if value.denominator == 1:
        return value.numerator
    reject("E0403", f"{what} must be a whole number", expression.span, f"this is {number_text(value)}")


def kind_of(value: Value) -> str:
    """Name the type of a value in words."""
    match value:
        case bool():
            return "a truth value"
        case str():
            return "a string"
        case Fraction():
            return "a number"
        case _:
            assert_never(value)


def _operand(expression: Expression, environment: Environment) -> Fraction:
    value = evaluate(expression, environment)
    if isinstance(value, Fraction):
        return value
    reject("E0403", "only numbers can be computed with", expression.span, f"{kind_of(value)}")


def _compute(expression: Arithmetic, left: Fraction, right: Fraction) -> Fraction:
    match expression.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            if right == 0:
                reject("E0407", "division by zero", expression.right.span, "this is 0")
            return left / right
        case _:
            assert_never(expression.operator)


def _bounded(value: Fraction, span: Span) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        reject(
            "E0406",
            "this number is too large or too small, or has too many digits",
            span,
            help=f"numerator and denominator of a number must stay below 2**{MOST_BITS}",
        )
    return value


def _look_up(name: Name, environment: Environment) -> Value:
    if name.text in TRUTH:
        return TRUTH[name.text]
    if name.text in environment.values:
        return environment.values[name.text]
    if name.text in environment.broken:
        raise already_reported()
    declaration = environment.declared.get(name.text)
    if name.text == environment.unknown:
        reject(
            "E0408",
            f"`{name.text}` is what the goal is asked to find, so it has no value here",
            name.span,
            related=(Label(declaration, "declared here"),) if declaration else (),
            help="only `radius` may name the unknown of a goal",
        )
    if declaration:
        reject(
            "E0412",
            f"`{name.text}` is used before it is declared",
            name.span,
            related=(Label(declaration, "declared here"),),
            help="move the declaration up",
        )
    names = sorted(environment.declared)
    known = listed(names)
    reject(
        "E0201",
        f"no parameter is called `{name.text}`",
        name.span,
        f"the parameters are {known}" if known else "the query has no parameters",
        help=hint(name.text, names) or f"declare it: `param {name.text}: real = ...;`",
    )
