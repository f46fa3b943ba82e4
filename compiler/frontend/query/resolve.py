"""From a query to the problem it states: everything loaded and checked, nothing left to look up.

The steps run in the order of `_resolve`. Each rejects what is its own to reject; the mistakes of all
steps that can still run are reported together, in the order in which the reader meets them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import cast

from ensc.compiler.diagnostics import Diagnostic, Rejected, reject
from ensc.compiler.frontend.data.load import DataFolder, load_points
from ensc.compiler.frontend.data.raw import RawPoints
from ensc.compiler.frontend.query.digest import digest_of
from ensc.compiler.frontend.query.ensemble import LoadedMember, load_ensemble
from ensc.compiler.frontend.query.expectation import expects_few, read_expectation
from ensc.compiler.frontend.query.expressions import Environment, Located
from ensc.compiler.frontend.query.fit import arrange, check_domain, check_labels, check_target
from ensc.compiler.frontend.query.goal import (
    range_of_unknown,
    read_goal,
    remark,
    remark_on_count,
    unknown_of,
)
from ensc.compiler.frontend.query.include import Program, explain_origin, load_program
from ensc.compiler.frontend.query.loss import read_loss
from ensc.compiler.frontend.query.overrides import Override, Overrides, read_overrides, refuse_unknown
from ensc.compiler.frontend.query.parameters import Choices, assign, names_in, read_choices, unused
from ensc.compiler.frontend.query.report import Report, first_of
from ensc.compiler.frontend.query.sections import Sections, sort_statements
from ensc.compiler.frontend.query.threat import InputSpace, read_input, read_threat
from ensc.compiler.types.problem import (
    EnsembleProblem,
    Expectation,
    Goal,
    Loss,
    PointSet,
    ThreatModel,
)
from ensc.compiler.types.syntax import Expression

__all__ = ["Loaded", "Overrides", "load_problem", "load_sweep"]

NONE = Overrides()


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A resolved query.

    Attributes:
        problem: what it states.
        warnings: what its writer should know, in the order of the text.
    """

    problem: EnsembleProblem
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A query as read and parsed, with what the command line adds; resolved once or once a sweep point.

    Attributes:
        program: the query and what it includes.
        networks: the overrides of `--network`.
        data: the override of `--data`.
        choices: what `-D` gives to the parameters.
        said: the mistakes of the command line.
        memory: networks and points by what their statements evaluate to, so that the points of a sweep
            share them.
    """

    program: Program
    networks: tuple[Override, ...]
    data: Override | None
    choices: Choices
    said: tuple[Diagnostic, ...]
    memory: dict[object, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Statements:
    """What the statements say, before any network or data is looked at; None where it is wrong."""

    inputs: InputSpace | None
    threat: ThreatModel | None
    loss: Located[Loss] | None
    goal: Goal | None
    expectation: Expectation | None


def load_problem(path: Path, overrides: Overrides = NONE) -> Loaded:
    """Read a query, everything it includes, its networks and its data.

    Args:
        path: of the query.
        overrides: what the command line adds.

    Raises:
        Rejected: with every mistake that could be found in one run. A sweep is one.
    """
    session = _open(path, overrides)
    sweep = session.choices.sweep
    if sweep is not None:
        advice = "give one value"
        reject("E0411", "one problem is asked for, and a sweep is many", sweep, help=advice)
    return _resolve(session, session.choices.points[0])


def load_sweep(path: Path, overrides: Overrides = NONE) -> tuple[Loaded, ...]:
    """Read a query once for each point of the sweeps among the overrides.

    Several swept parameters give the product of their values, the last one changing fastest; without a
    sweep there is one problem.

    Args:
        path: of the query.
        overrides: what the command line adds.

    Raises:
        Rejected: as `load_problem`, for the first point at which something is wrong.
    """
    session = _open(path, overrides)
    return tuple(_resolve(session, given) for given in session.choices.points)


def _open(path: Path, overrides: Overrides) -> Session:
    program = load_program(path)
    report = Report()
    definitions = read_overrides("-D", overrides.definitions, report)
    networks = read_overrides("--network", overrides.networks, report)
    data = read_overrides("--data", overrides.data, report)
    sections = sort_statements(program.root, program.statements, Report())
    choices = read_choices(sections.parameters, definitions, report)
    if sections.ensemble is not None:
        members = [member.name.text for member in sections.ensemble.members]
        for override in networks:
            report.attempt(refuse_unknown, override, members, "E0606", "member")
    if sections.data is not None:
        for override in data:
            report.attempt(refuse_unknown, override, [sections.data.name.text], "E0721", "data set")
    name = sections.data.name.text if sections.data else ""
    given = next((override for override in data if override.name.text == name), None)
    return Session(program, networks, given, choices, report.said)


def _resolve(session: Session, given: Mapping[str, Expression]) -> Loaded:
    program, report = session.program, Report(session.said)
    sections = sort_statements(program.root, program.statements, report)
    unknown = unknown_of(sections.goal)
    environment = assign(
        sections.parameters,
        given,
        session.choices.failed,
        unknown.text if unknown else None,
        report,
    )
    said = _read_statements(sections, environment, report)
    members = _load_members(session, sections, environment, report)
    raw = _load_data(session, sections, environment, report)
    points = _fit(sections, said, members, raw, report)
    data = (raw, points) if raw is not None and points is not None else None
    return _finish(session, sections, environment, said, members, data, report)


def _read_statements(sections: Sections, environment: Environment, report: Report) -> Statements:
    declared = {parameter.name.text: parameter for parameter in sections.parameters}
    varied = report.attempt(range_of_unknown, sections.goal, declared, environment)
    inputs = report.attempt(read_input, sections, environment)
    domain = inputs.domain if inputs else None
    threat = read_threat(sections, domain, environment, varied, report)
    loss = report.attempt(read_loss, sections, environment)
    goal = report.attempt(read_goal, sections.goal, environment, varied) if sections.goal else None
    if sections.goal is None or goal is None or threat is None or sections.ensemble is None:
        return Statements(inputs, threat, loss, goal, None)
    members = len(sections.ensemble.members)
    remark(sections.goal, goal, report)
    if not expects_few(sections.expect):  # whoever expects `robust_up_to(k)` knows
        remark_on_count(sections.goal, goal, threat, members, report)
    if sections.expect is None:
        return Statements(inputs, threat, loss, goal, None)
    count = threat.count
    expected = report.attempt(read_expectation, sections.expect, goal, count, members, environment)
    return Statements(inputs, threat, loss, goal, expected)


def _load_members(
    session: Session, sections: Sections, environment: Environment, report: Report
) -> tuple[LoadedMember, ...] | None:
    definition = sections.ensemble
    if definition is None:
        return None
    key = (definition.span, _values_in(definition, environment))
    if key not in session.memory:
        folder = session.program.folder(definition.span)
        session.memory[key] = load_ensemble(definition, folder, session.networks, environment, report)
    return cast("tuple[LoadedMember, ...] | None", session.memory[key])


def _load_data(
    session: Session, sections: Sections, environment: Environment, report: Report
) -> RawPoints | None:
    definition = sections.data
    if definition is None:
        return None
    key = (definition.span, _values_in(definition, environment))
    if key not in session.memory:
        given = session.data.value if session.data else None
        override = Located(given.value, given.span) if given else None
        place = DataFolder(session.program.folder(definition.span), override)
        session.memory[key] = report.attempt(load_points, definition, place, environment)
    return cast("RawPoints | None", session.memory[key])


def _values_in(definition: object, environment: Environment) -> tuple[object, ...]:
    """Return what the names in a statement mean; with the same meanings it yields the same."""
    return tuple((name, environment.values.get(name)) for name in sorted(set(names_in(definition))))


def _fit(
    sections: Sections,
    said: Statements,
    members: tuple[LoadedMember, ...] | None,
    raw: RawPoints | None,
    report: Report,
) -> PointSet | None:
    if raw is None or sections.data is None:
        return None
    place, inputs = sections.data.call.span, said.inputs
    for remark_on_data in raw.remarks:
        report.add(remark_on_data)
    if inputs is not None:
        report.attempt(check_domain, raw, inputs.domain, place, inputs.domain_place)
    if members is None:
        return None
    # The most detailed of the shapes, which all agree.
    shape = max((m.member.network.input_shape for m in members), key=len)
    classes = members[0].member.network.classes
    report.attempt(check_labels, raw, classes, place)
    if said.loss is not None:
        report.attempt(check_target, raw, said.loss, classes, report)
    return report.attempt(arrange, raw, shape, inputs.layout if inputs else None, place, report)


def _finish(
    session: Session,
    sections: Sections,
    environment: Environment,
    said: Statements,
    members: tuple[LoadedMember, ...] | None,
    data: tuple[RawPoints, PointSet] | None,
    report: Report,
) -> Loaded:
    """Put the parts together, if there are no mistakes."""
    if not report.failed:  # the only use of a parameter may be what is wrong
        for warning in unused(sections.parameters, session.program.statements):
            report.add(warning)
    diagnostics = _in_order(session.program, report.said)
    if report.failed:
        raise Rejected(first_of(diagnostics))
    # What is missing has been reported.
    assert members is not None
    assert data is not None
    assert said.threat is not None
    assert said.loss is not None
    assert said.goal is not None
    raw, points = data
    networks = tuple((m.member.sha256, *m.interface, *m.member.weights) for m in members)
    problem = EnsembleProblem(
        name=session.program.path.stem,
        ensemble=tuple(m.member for m in members),
        points=points,
        threat=said.threat,
        loss=said.loss.value,
        goal=said.goal,
        expectation=said.expectation,
        meta=sections.meta,
        parameters=environment.values,
        digest=digest_of(networks, points, said.threat, said.loss.value, said.goal),
        files=_files(session.program, members, raw),
    )
    return Loaded(problem, diagnostics)


def _files(
    program: Program, members: tuple[LoadedMember, ...], raw: RawPoints
) -> tuple[tuple[str, str], ...]:
    """Return base name and SHA-256 of every file read, each once."""
    files = [(file.path.name, file.sha256) for file in program.files.values()]
    for m in members:
        files += [(m.member.file, m.member.sha256)]
        files += [(PurePosixPath(name).name, sha256) for name, sha256 in m.member.weights]
    return tuple(dict.fromkeys((*files, *raw.files)))


def _in_order(program: Program, said: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Order diagnostics as the reader meets them: file by file, then the command line."""

    def position(diagnostic: Diagnostic) -> tuple[int, int]:
        if diagnostic.place is None:
            return len(program.files) + 1, 0
        span = diagnostic.place.span
        file = program.files.get(span.source.name)
        return (file.order if file else len(program.files)), span.start

    return explain_origin(tuple(sorted(said, key=position)), program.files)
