"""Binding the arguments of a call such as `npz("p.npz", rows = [0, 3])` to the names it knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Span, reject
from ensc.compiler.frontend.query.expressions import (
    Environment,
    Located,
    Value,
    evaluate,
    integer,
    kind_of,
    number,
)
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.quoting import alternatives
from ensc.compiler.types.syntax import Argument, Call, Expression, List


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call by name, evaluated when asked for.

    Attributes:
        call: the call.
        given: the arguments, by name.
        environment: the meaning of names inside them.
    """

    call: Call
    given: Mapping[str, Argument]
    environment: Environment

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def place(self, name: str) -> Span:
        """Return where an argument is, or the function's name where it is not given."""
        return self.given[name].value.span if name in self.given else self.call.function.span

    def text(self, name: str) -> Located[str] | None:
        """Return a string, or None where it is not given."""
        expression = self._single(name, "a string")
        if expression is None:
            return None
        value = evaluate(expression, self.environment)
        if isinstance(value, str):
            return Located(value, expression.span)
        self._wrong(name, "a string", expression.span, value)

    def number(self, name: str) -> Located[Fraction] | None:
        """Return a number, or None where it is not given."""
        expression = self._single(name, "a number")
        if expression is None:
            return None
        return Located(number(expression, self.environment, f"`{name}`"), expression.span)

    def integer(self, name: str) -> Located[int] | None:
        """Return a whole number, or None where it is not given."""
        expression = self._single(name, "a number")
        if expression is None:
            return None
        return Located(integer(expression, self.environment, f"`{name}`"), expression.span)

    def truth(self, name: str) -> Located[bool] | None:
        """Return `true` or `false`, or None where it is not given."""
        expression = self._single(name, "true or false")
        if expression is None:
            return None
        value = evaluate(expression, self.environment)
        if isinstance(value, bool):
            return Located(value, expression.span)
        self._wrong(name, "true or false", expression.span, value)

    def text_or_integer(self, name: str) -> Located[str | int] | None:
        """Return a string or a whole number, or None where it is not given."""
        expression = self._single(name, "a string or a number")
        if expression is None:
            return None
        value = evaluate(expression, self.environment)
        if isinstance(value, str):
            return Located(value, expression.span)
        return Located(integer(expression, self.environment, f"`{name}`"), expression.span)

    def listing(self, name: str) -> List | None:
        """Return a list as written, or None where it is not given."""
        argument = self.given.get(name)
        if argument is None:
            return None
        if isinstance(argument.value, List):
            return argument.value
        reject(
            "E0212",
            f"`{name}` of `{self.call.function.text}` must be a list",
            argument.value.span,
            help=f"write it in brackets: `{name} = [{argument.value.span.text}]`",
        )

    def required(self, name: str, example: str) -> None:
        """Check that an argument is given.

        Raises:
            Rejected: it is not.
        """
        if name not in self.given:
            function = self.call.function
            message = f"`{function.text}` needs `{name}`"
            reject("E0211", message, function.span, help=f"for example `{example}`")

    def _single(self, name: str, wanted: str) -> Expression | None:
        argument = self.given.get(name)
        if argument is None:
            return None
        if isinstance(argument.value, List):
            message = f"`{name}` of `{self.call.function.text}` must be {wanted}"
            reject("E0212", message, argument.value.span, "this is a list")
        return argument.value

    def _wrong(self, name: str, wanted: str, span: Span, value: Value) -> NoReturn:
        message = f"`{name}` of `{self.call.function.text}` must be {wanted}"
        reject("E0212", message, span, f"this is {kind_of(value)}")


def bind(call: Call, names: tuple[str, ...], positional: int, environment: Environment) -> Arguments:
    """Bind the arguments of a call.

    Args:
        call: the call.
        names: of every argument it knows, those that may be given by position first.
        positional: how many may be given by position.
        environment: the meaning of names inside the arguments.

    Raises:
        Rejected: an argument is unknown, given twice, or has no name where it needs one.
    """
    report = Report()
    given: dict[str, Argument] = {}
    for index, argument in enumerate(call.arguments):
        name = report.attempt(_name_of, call, argument, index, names, positional)
        if name is None:
            continue
        first = given.setdefault(name, argument)
        if first is not argument:
            related = (Label(first.span, "first here"),)
            message = f"`{name}` is given twice"
            report.add(Diagnostic("E0213", message, Label(argument.span), related))
    if report.failed:
        raise Rejected(report.said)
    return Arguments(call, given, environment)


def _name_of(call: Call, argument: Argument, index: int, names: tuple[str, ...], positional: int) -> str:
    function = call.function.text
    if argument.name is None:
        if index < positional:
            return names[index]
        expected = alternatives(f"{name} = ..." for name in names[positional:])
        reject("E0210", f"this argument of `{function}` needs a name", argument.span, expected)
    name = argument.name
    require_known(name, names, "E0210", f"`{function}` has no argument `{name.text}`")
    return name.text
