"""From an `ensemble` statement to its members: networks read, hashes checked, shapes compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Span, reject
from ensc.compiler.files import join, sha256_of
from ensc.compiler.frontend.onnx.load import NETWORK_FILE, weights_of
from ensc.compiler.frontend.onnx.read import read_network
from ensc.compiler.frontend.onnx.read import warnings as reading_warnings
from ensc.compiler.frontend.query.arguments import Arguments, bind
from ensc.compiler.frontend.query.expressions import Environment, Located
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.frontend.query.overrides import Override
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.frontend.query.sections import distinct
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.quoting import shown
from ensc.compiler.types.problem import Member
from ensc.compiler.types.syntax import EnsembleDefinition, MemberDefinition

ARGUMENTS = ("path", "sha256", "input", "output")
HASH = re.compile(r"[0-9a-f]{1,64}")
SHORTEST_HASH = 8
"""A stated SHA-256 may be cut to its first digits, but not to fewer than these."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedMember:
    """A member, and what of its definition matters after it is read.

    Attributes:
        member: the classifier.
        place: where its file is named.
        interface: the graph input and output that the query names, if it does.
    """

    member: Member
    place: Span
    interface: tuple[str | None, str | None]


def load_ensemble(
    definition: EnsembleDefinition,
    folder: Path,
    overrides: tuple[Override, ...],
    environment: Environment,
    report: Report,
) -> tuple[LoadedMember, ...] | None:
    """Read the networks of an ensemble.

    Args:
        definition: the statement.
        folder: what its paths are relative to.
        overrides: of `--network`; their paths are relative to the working directory.
        environment: the meaning of names.
        report: takes the mistakes of every member.

    Returns:
        The members in order, or None where something is wrong.
    """
    if not definition.members:
        message = f"the ensemble `{definition.name.text}` has no members"
        advice = 'add one: `f1 = onnx("f1.onnx");`'
        report.add(Diagnostic("E0601", message, Label(definition.span), help=advice))
        return None
    members = distinct(definition.members, "member", report)
    rebound = {override.name.text: override for override in overrides}
    loaded = [report.attempt(_load, m, folder, rebound, environment) for m in members]
    whole = tuple(m for m in loaded if m is not None)
    consistent = report.attempt(_check_alike, whole)
    _remark(whole, report)
    complete = consistent is not None and len(whole) == len(definition.members)
    return whole if complete else None


def _remark(members: tuple[LoadedMember, ...], report: Report) -> None:
    """Warn of layers that were left out, and of members that are one network twice."""
    first: dict[tuple[object, ...], LoadedMember] = {}
    for loaded in members:
        for warning in reading_warnings(loaded.member.network, loaded.place):
            report.add(warning)
        same = (loaded.member.sha256, loaded.member.weights, loaded.interface)
        twin = first.setdefault(same, loaded)
        if twin is not loaded:
            message = f"`{loaded.member.name}` is the same network as `{twin.member.name}`"
            related = (Label(twin.place, "first here"),)
            place = Label(loaded.place, "what fools one fools the other")
            report.add(Diagnostic("W0601", message, place, related))


def _load(
    definition: MemberDefinition,
    folder: Path,
    rebound: Mapping[str, Override],
    environment: Environment,
) -> LoadedMember:
    arguments = _arguments(definition, environment)
    override = rebound.get(definition.name.text)
    path = _path(arguments, folder, override)
    stated = arguments.text("sha256")
    names = [arguments.text("input"), arguments.text("output")]
    found = sha256_of(path.value, NETWORK_FILE, path.span)
    if stated is not None and override is None:
        _check_hash(stated, found, path.value)
    graph_input, graph_output = (name.value if name else None for name in names)
    network = read_network(
        path.value,
        name=definition.name.text,
        input=graph_input,
        output=graph_output,
        place=path.span,
    )
    file = path.value.name
    interface = (graph_input, graph_output)
    weights = weights_of(path.value, path.span)
    member = Member(definition.name.text, network, file, str(path.value), found, interface, weights)
    return LoadedMember(member, path.span, interface)


def _arguments(definition: MemberDefinition, environment: Environment) -> Arguments:
    function = definition.call.function
    require_known(function, ["onnx"], "E0209", f"there is no network format `{function.text}`")
    return bind(definition.call, ARGUMENTS, 1, environment)


def _path(arguments: Arguments, folder: Path, override: Override | None) -> Located[Path]:
    if override is not None:
        return Located(Path(override.value.value), override.value.span)
    arguments.required("path", 'onnx("f1.onnx")')
    given = arguments.text("path")
    assert given is not None  # required
    return Located(join(folder, given.value), given.span)


def _check_hash(stated: Located[str], found: str, path: Path) -> None:
    wanted = stated.value.lower()
    if not (HASH.fullmatch(wanted) and len(wanted) >= SHORTEST_HASH):
        expected = f"expected {SHORTEST_HASH} to 64 hexadecimal digits"
        reject("E0608", "this is no SHA-256", stated.span, expected)
    if not found.startswith(wanted):
        reject(
            "E0602",
            f"`{shown(path.name)}` is not the file whose SHA-256 is stated",
            stated.span,
            f"stated {wanted[:12]}..., found {found[:12]}...",
            help=f'if the new file is meant: `sha256 = "{found}"`',
        )


def _check_alike(members: tuple[LoadedMember, ...]) -> bool:
    """Check that every member reads the same inputs and has the same classes as the first one."""
    report = Report()
    for other in members[1:]:
        report.attempt(_compare, members[0], other)
    if report.failed:
        raise Rejected(report.said)
    return True


def _compare(first: LoadedMember, other: LoadedMember) -> None:
    one, two = first.member, other.member
    related = (Label(first.place, f"`{one.name}` is read here"),)
    if one.network.classes != two.network.classes:
        reject(
            "E0603",
            f"`{one.name}` has {one.network.classes} classes, `{two.name}` has {two.network.classes}",
            other.place,
            related=related,
            help="all members classify into the same classes",
        )
    if not same_inputs(one.network.input_shape, two.network.input_shape):
        reject(
            "E0604",
            f"`{one.name}` reads inputs of shape {shape_text(one.network.input_shape)}, "
            f"`{two.name}` of shape {shape_text(two.network.input_shape)}",
            other.place,
            related=related,
            help="all members read the same inputs",
        )


def same_inputs(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    """Say whether two networks read the same numbers in the same order.

    Dimensions of length 1 do not matter. A flat input is as good as a matrix, but not as an image with
    several channels: there, the flat order may be channels first or channels last.

    >>> same_inputs((1, 8, 8), (64,)), same_inputs((3, 8, 8), (192,)), same_inputs((3, 8), (8, 3))
    (True, False, False)
    """
    left, right = ([n for n in shape if n != 1] for shape in (one, two))
    if left == right:
        return True
    size = 1
    for n in left:
        size *= n
    other = 1
    for n in right:
        other *= n
    return size == other and min(len(left), len(right)) <= 1 and max(len(left), len(right)) <= 2
