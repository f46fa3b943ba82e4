"""What the command line adds to a query: `-D name=value`, `--network f1=file`, `--data X=file`.

Each argument becomes a source of its own, so that a mistake in it is shown as one in a file is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ensc.compiler.diagnostics import Diagnostic, Label, Source, Span, reject
from ensc.compiler.frontend.query.expressions import Environment, Located, number
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.frontend.syntax.parse import parse_expression
from ensc.compiler.quoting import alternatives, shown
from ensc.compiler.types.syntax import Expression, Name, Number, String
from ensc.compiler.words import hint

MOST_STEPS = 1000
"""A sweep has at most this many values, all swept parameters together."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Overrides:
    """The arguments of the command line, as given.

    Attributes:
        definitions: of `-D`: `epsilon=0.1`, or a sweep `epsilon=0:0.5:0.1`.
        networks: of `--network`: `f1=other.onnx`; the path is relative to the working directory.
        data: of `--data`: `X=points.npz`; the path is relative to the working directory.
    """

    definitions: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """One argument `option name=value`.

    Attributes:
        option: `-D`, `--network` or `--data`.
        name: what it gives a value to.
        value: the text after the first `=`.
    """

    option: str
    name: Name
    value: String

    @property
    def span(self) -> Span:
        """The whole argument, without the option."""
        return self.name.span.to(self.value.span)


def read_overrides(option: str, arguments: Iterable[str], report: Report) -> tuple[Override, ...]:
    """Take arguments of one option apart, reporting those that are not `name=value` or come twice."""
    found: dict[str, Override] = {}
    for argument in arguments:
        override = report.attempt(_read, option, argument)
        if override is None:
            continue
        first = found.setdefault(override.name.text, override)
        if first is not override:
            related = (Label(first.span, "first here"),)
            message = f"`{option} {override.name.text}=...` is given twice"
            report.add(Diagnostic("E0405", message, Label(override.span), related))
    return tuple(found.values())


def refuse_unknown(override: Override, known: Iterable[str], code: str, noun: str) -> None:
    """Check that an override names something that exists.

    Args:
        override: the argument.
        known: what exists.
        code: of the diagnostic.
        noun: what it is called: `parameter`.

    Raises:
        Rejected: it does not.
    """
    names = sorted(known)
    if override.name.text in names:
        return
    there = alternatives(f"`{name}`" for name in names)
    reject(
        code,
        f"the query has no {noun} `{override.name.text}`",
        override.name.span,
        f"expected {there}" if names else f"it has no {noun} at all",
        help=hint(override.name.text, names),
    )


def is_sweep(override: Override) -> bool:
    """Say whether the value of a number is written as a sweep."""
    return ":" in override.value.value


def expression_of(override: Override) -> Expression:
    """Parse the value of an override as an expression.

    Raises:
        Rejected: it is none.
    """
    span = override.value.span
    return parse_expression(span.source, span.start, span.end)


def sweep_of(override: Override) -> tuple[Number, ...]:
    """Return the values of `start:stop:step`, both ends included if the steps meet them.

    Raises:
        Rejected: it is not three numbers, the step is 0, there is no value, or there are too many.
    """
    span = override.value.span
    start, stop, step = _sweep_numbers(override)
    if step.value == 0:
        reject("E0409", "a sweep cannot have step 0", step.span, "this is 0")
    steps = (stop.value - start.value) // step.value
    if steps < 0:
        direction = "a positive" if step.value < 0 else "a negative"
        advice = f"give the ends in the other order, or {direction} step"
        reject("E0409", "this sweep has no values", span, "start:stop:step", help=advice)
    if steps >= MOST_STEPS:
        message = f"this sweep has {shown(str(steps + 1))} values; at most {MOST_STEPS} are compiled"
        reject("E0410", message, span, help="take a larger step")
    return tuple(Number(start.value + i * step.value, span) for i in range(steps + 1))


def _sweep_numbers(override: Override) -> tuple[Located[Fraction], ...]:
    span = override.value.span
    ends = [m.span() for m in re.finditer(r"[^:]*", override.value.value) if m.start() == 0 or m[0]]
    if override.value.value.count(":") != 2 or len(ends) != 3:
        message = "a sweep is written start:stop:step"
        reject("E0405", message, span, help=f"for example `-D {override.name.text}=0:0.5:0.1`")
    parts = [Span(span.source, span.start + a, span.start + b) for a, b in ends]
    return tuple(Located(_number_at(part), part) for part in parts)


def _number_at(span: Span) -> Fraction:
    expression = parse_expression(span.source, span.start, span.end)
    return number(expression, Environment(), "an end or the step of a sweep")


def _read(option: str, argument: str) -> Override:
    source = Source("command line", f"{option} {argument}")
    start = len(option) + 1
    name, equals, value = argument.partition("=")
    end = start + len(name)
    if not equals or not NAME.fullmatch(name) or not value.strip():
        example = {"-D": "epsilon=0.1", "--network": "f1=other.onnx", "--data": "X=points.npz"}
        reject(
            "E0405",
            f"`{option}` takes a name and a value",
            Span(source, start, len(source.text)) if argument else Span(source, 0, len(option)),
            "expected name=value",
            help=f"for example `{option} {example[option]}`",
        )
    span = Span(source, end + 1, len(source.text))
    return Override(option, Name(name, Span(source, start, end)), String(value, span))
