"""Sorting the statements of a query: which it has, which it lacks, which it has twice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ensc.compiler.diagnostics import Diagnostic, Label, Span
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.quoting import alternatives
from ensc.compiler.types.syntax import (
    AttackStatement,
    Clause,
    DataDefinition,
    EnsembleDefinition,
    InputStatement,
    LossStatement,
    Meta,
    Name,
    Parameter,
    QueryFile,
    Statement,
)
from ensc.compiler.types.syntax import Expect as ExpectStatement
from ensc.compiler.types.syntax import Goal as GoalStatement
from ensc.compiler.words import hint


class _Spanned(Protocol):
    @property
    def span(self) -> Span: ...


class _Named(Protocol):
    @property
    def name(self) -> Name: ...


S = TypeVar("S", bound=_Spanned)
N = TypeVar("N", bound=_Named)


@dataclass(frozen=True, slots=True)
class Sections:
    """The statements of a query by kind; None where the query has none.

    Attributes:
        start: the place that stands for the whole query.
        parameters: in the order of their declaration, each name once.
        meta: the entries of every `meta` statement, each key once.
    """

    start: Span
    parameters: tuple[Parameter, ...]
    ensemble: EnsembleDefinition | None
    data: DataDefinition | None
    input: InputStatement | None
    attack: AttackStatement | None
    loss: LossStatement | None
    goal: GoalStatement | None
    expect: ExpectStatement | None
    meta: Mapping[str, str]


def sort_statements(root: QueryFile, statements: tuple[Statement, ...], report: Report) -> Sections:
    """Sort statements by kind, reporting what is defined twice and what every query must have."""
    parameters = [s for s in statements if isinstance(s, Parameter)]
    sections = Sections(
        start=root.version.span,
        parameters=distinct(parameters, "parameter", report),
        ensemble=_only([s for s in statements if isinstance(s, EnsembleDefinition)], report),
        data=_only([s for s in statements if isinstance(s, DataDefinition)], report),
        input=_only([s for s in statements if isinstance(s, InputStatement)], report),
        attack=_only([s for s in statements if isinstance(s, AttackStatement)], report),
        loss=_only([s for s in statements if isinstance(s, LossStatement)], report),
        goal=_only([s for s in statements if isinstance(s, GoalStatement)], report),
        expect=_only([s for s in statements if isinstance(s, ExpectStatement)], report),
        meta=_meta(statements, report),
    )
    for noun, advice in _missing(sections):
        place = Label(sections.start, "in this query")
        report.add(Diagnostic("E0901", f"the query has no {noun}", place, help=advice))
    return sections


def distinct(definitions: Sequence[N], noun: str, report: Report) -> tuple[N, ...]:
    """Return definitions with each name once, reporting the names that are defined again."""
    found: dict[str, N] = {}
    for definition in definitions:
        name = definition.name
        first = found.setdefault(name.text, definition)
        if first is not definition:
            related = (Label(first.name.span, "first here"),)
            message = f"the {noun} `{name.text}` is defined twice"
            report.add(Diagnostic("E0203", message, Label(name.span), related))
    return tuple(found.values())


def clauses(
    statement: InputStatement | AttackStatement | LossStatement | None,
    keyword: str,
    words: tuple[str, ...],
    report: Report,
) -> Mapping[str, Clause]:
    """Return the clauses of a statement by their word; unknown and repeated ones are reported."""
    found: dict[str, Clause] = {}
    for clause in statement.clauses if statement else ():
        word = clause.word
        if word.text not in words:
            place = Label(word.span, f"expected {alternatives(words)}")
            message = f"`{keyword}` has no clause `{word.text}`"
            report.add(Diagnostic("E0205", message, place, help=hint(word.text, words)))
        elif word.text in found:
            related = (Label(found[word.text].span, "first here"),)
            message = f"`{keyword}` states `{word.text}` twice"
            report.add(Diagnostic("E0206", message, Label(clause.span), related))
        else:
            found[word.text] = clause
    return found


def _only(found: Sequence[S], report: Report) -> S | None:
    for again in found[1:]:
        related = (Label(found[0].span, "first here"),)
        message = "a query has only one such statement, and this is another one"
        report.add(Diagnostic("E0902", message, Label(again.span), related))
    return found[0] if found else None


def _meta(statements: tuple[Statement, ...], report: Report) -> Mapping[str, str]:
    entries: dict[str, str] = {}
    places: dict[str, Span] = {}
    for entry in (e for s in statements if isinstance(s, Meta) for e in s.entries):
        key = entry.key.text
        if key in entries:
            related = (Label(places[key], "first here"),)
            message = f"the meta entry `{key}` is given twice"
            report.add(Diagnostic("E0203", message, Label(entry.key.span), related))
            continue
        entries[key], places[key] = entry.value.value, entry.key.span
    return entries


def _missing(sections: Sections) -> Iterator[tuple[str, str]]:
    """Yield what the query lacks, and how to add it."""
    if sections.ensemble is None:
        yield "ensemble", 'add `ensemble C { f1 = onnx("f1.onnx"); }`'
    if sections.data is None:
        yield "data", 'add `data X = npz("points.npz", inputs = "x", labels = "y");`'
    if sections.goal is None:
        yield "goal", "add `check value < 1/2;` or `maximize value;`"
