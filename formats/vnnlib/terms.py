"""Boolean and arithmetic expressions -> conditions on linear forms, in exact arithmetic."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NoReturn

from ensc.compiler.diagnostics import Source, reject
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.instance import All, Atom, Condition, Some
from ensc.compiler.words import hint
from ensc.formats.vnnlib.expressions import Expression, Group, Word, span

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
LONGEST = 400
LARGEST = Fraction(10**30)
"""Beyond, float64 analyses overflow, and files mean `unbounded`."""

_ZERO, _ONE = Fraction(0), Fraction(1)

COMPARISONS = ("<=", ">=", "<", ">")
CONNECTIVES = ("and", "or")
ARITHMETIC = ("+", "-", "*")

Form = tuple[dict[int, Fraction], Fraction]
"""Coefficients of numbered elements, and a constant."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions are read with.

    Attributes:
        source: the text, for places.
        version: 1 or 2.
        element: the number of a tensor element; rejects unknown ones.
    """

    source: Source
    version: int
    element: Callable[[Word], int]


def read_condition(scope: Scope, expression: Expression) -> Condition:
    """Return the condition that a boolean expression states.

    Raises:
        Rejected: E1275 to E1279.
    """
    if isinstance(expression, Word):
        if scope.version == 1 and expression.text in {"true", "false"}:
            return All(()) if expression.text == "true" else Some(())
        _reject_operator(scope, expression, "a condition starts with `(`")
    operator, parts = _operator(scope, expression)
    match operator.text:
        case "and":
            return All(_conditions(scope, expression, parts))
        case "or":
            return Some(_conditions(scope, expression, parts))
        case "not" if scope.version == 1:
            (part,) = _arguments(scope, expression, parts, 1, 1)
            return _negated(read_condition(scope, part))
        case "<=" | ">=" | "<" | ">" | "==" | "!=" | "=":
            return _comparison(scope, expression, operator, parts)
        case _:
            _reject_operator(scope, operator, "this is no condition")


def _conditions(scope: Scope, whole: Group, parts: Sequence[Expression]) -> tuple[Condition, ...]:
    _arguments(scope, whole, parts, 1, None)
    return tuple(read_condition(scope, part) for part in parts)


def _negated(condition: Condition) -> Condition:
    match condition:
        case Atom(columns, coefficients, least, strict):
            return Atom(columns, tuple(-c for c in coefficients), -least, not strict)
        case All(parts):
            return Some(tuple(map(_negated, parts)))
        case Some(parts):
            return All(tuple(map(_negated, parts)))


def _comparison(scope: Scope, whole: Group, operator: Word, parts: Sequence[Expression]) -> Condition:
    text = operator.text
    equal = "=" if scope.version == 1 else "=="
    if text in {"=", "=="} and text != equal:
        place = span(scope.source, operator)
        reject("E1278", f"VNN-LIB {scope.version}.0 has no `{text}`", place, help=f"write `{equal}`")
    if text == "!=" and scope.version == 1:
        reject("E1278", "VNN-LIB 1.0 has no `!=`", span(scope.source, operator))
    _arguments(scope, whole, parts, 2, None if scope.version == 1 else 2)
    forms = [read_form(scope, part) for part in parts]
    conditions = tuple(_compared(text, left, right) for left, right in pairwise(forms))
    return conditions[0] if len(conditions) == 1 else All(conditions)


def _compared(operator: str, left: Form, right: Form) -> Condition:
    match operator:
        case ">=" | ">":
            return _atom(left, right, strict=operator == ">")
        case "<=" | "<":
            return _atom(right, left, strict=operator == "<")
        case "!=":
            return Some((_atom(left, right, strict=True), _atom(right, left, strict=True)))
        case _:
            return All((_atom(left, right, strict=False), _atom(right, left, strict=False)))


def _atom(larger: Form, smaller: Form, *, strict: bool) -> Atom:
    """Return `larger >= smaller`."""
    least = smaller[1] - larger[1] if larger[1] else smaller[1]
    if not smaller[0] and len(larger[0]) == 1:  # a bound: most assertions of most files
        ((element, coefficient),) = larger[0].items()
        if coefficient:
            return Atom((element,), (coefficient,), least, strict)
    terms = dict(larger[0])
    for element, coefficient in smaller[0].items():
        terms[element] = terms.get(element, _ZERO) - coefficient
    columns = tuple(sorted(element for element, coefficient in terms.items() if coefficient))
    return Atom(columns, tuple(terms[v] for v in columns), least, strict)


def read_form(scope: Scope, expression: Expression) -> Form:
    """Return the linear form that an arithmetic expression denotes.

    Raises:
        Rejected: E1275 to E1279.
    """
    if isinstance(expression, Word):
        if expression.text[0].isdigit() or expression.text[0] in "+-.":
            return {}, read_number(scope.source, expression)
        return {scope.element(expression): _ONE}, _ZERO
    operator, parts = _operator(scope, expression)
    known = (*ARITHMETIC, "/") if scope.version == 1 else ARITHMETIC
    if operator.text not in known:
        _reject_operator(scope, operator, f"expected {alternatives(known)}")
    _arguments(scope, expression, parts, 1, None)
    first, *rest = [read_form(scope, part) for part in parts]
    match operator.text:
        case "+":
            return _sum([first, *rest])
        case "-" if rest:
            return _sum([first, *(_times(form, Fraction(-1)) for form in rest)])
        case "-":
            return _times(first, Fraction(-1))
        case "*":
            return _product(scope, expression, [first, *rest])
        case _:
            return _quotient(scope, expression, first, rest)


def read_number(source: Source, word: Word) -> Fraction:
    """Return a number exactly.

    Raises:
        Rejected: E1277 if it is none, or too long or large.
    """
    text = word.text
    if NUMBER.fullmatch(text) is None:
        reject(
            "E1277",
            f"`{shown(text)}` is no number",
            span(source, word),
            help="write a decimal number such as `-0.25` or `1e-3`",
        )
    value = Fraction(text) if len(text) <= LONGEST else LARGEST + 1
    if (len(text) > 30 or "e" in text.lower()) and abs(value) > LARGEST:
        reject(
            "E1277",
            f"the number `{shown(text)}` is too large or too long",
            span(source, word),
            "at most 400 characters and 1e30",
        )
    return value


def _sum(forms: Sequence[Form]) -> Form:
    terms: dict[int, Fraction] = {}
    for form in forms:
        for element, coefficient in form[0].items():
            terms[element] = terms.get(element, Fraction(0)) + coefficient
    return terms, sum((constant for _, constant in forms), Fraction(0))


def _times(form: Form, factor: Fraction) -> Form:
    return {element: c * factor for element, c in form[0].items()}, form[1] * factor


def _product(scope: Scope, whole: Group, forms: Sequence[Form]) -> Form:
    result = forms[0]
    for form in forms[1:]:
        if any(result[0].values()) and any(form[0].values()):
            _reject_nonlinear(scope, whole)
        constant, other = (result, form) if not any(result[0].values()) else (form, result)
        result = _times(other, constant[1])
    return _within(scope, whole, result)


def _quotient(scope: Scope, whole: Group, first: Form, rest: Sequence[Form]) -> Form:
    result = first
    for form in rest:
        if any(form[0].values()) or form[1] == 0:
            _reject_nonlinear(scope, whole)
        result = _times(result, 1 / form[1])
    return _within(scope, whole, result)


def _within(scope: Scope, whole: Group, form: Form) -> Form:
    """Products of large numbers grow beyond what the analyses hold."""
    if any(abs(number) > LARGEST for number in (*form[0].values(), form[1])):
        reject("E1277", "this product is too large", span(scope.source, whole), "at most 1e30")
    return form


def _operator(scope: Scope, group: Group) -> tuple[Word, tuple[Expression, ...]]:
    if not group.items or not isinstance(group.items[0], Word):
        reject("E1278", "an operator is missing", span(scope.source, group), "expected `(operator ...)`")
    return group.items[0], group.items[1:]


def _arguments(
    scope: Scope, whole: Group, parts: Sequence[Expression], least: int, most: int | None
) -> Sequence[Expression]:
    if len(parts) < least or (most is not None and len(parts) > most):
        wanted = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        operator = whole.items[0]
        name = shown(operator.text) if isinstance(operator, Word) else ""
        message = f"`{name}` has {len(parts)} arguments"
        reject("E1278", message, span(scope.source, whole), f"expected {wanted}")
    return parts


def _reject_operator(scope: Scope, word: Word, label: str) -> NoReturn:
    equal = "=" if scope.version == 1 else "=="
    known = (*CONNECTIVES, *COMPARISONS, equal, *ARITHMETIC)
    reject(
        "E1278",
        f"`{shown(word.text)}` is no operator that is read here",
        span(scope.source, word),
        label,
        notes=("min, max, abs and functions are not part of VNN-LIB",),
        help=hint(word.text, known),
    )


def _reject_nonlinear(scope: Scope, whole: Group) -> NoReturn:
    reject(
        "E1279",
        "this term is not linear",
        span(scope.source, whole),
        "ensc reads products of a number and a linear term",
        notes=("MPS, LP and QF_LRA hold linear constraints only",),
        help="move the product into the network",
    )
