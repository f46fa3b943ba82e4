"""VNN-LIB text, version 1.0 or 2.0 -> `Property`."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ensc.compiler.diagnostics import Diagnostic, Rejected, Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.types.instance import Condition
from ensc.compiler.words import hint
from ensc.formats.files import read_file
from ensc.formats.vnnlib.declarations import Names, declare_network, flat_element, flat_networks
from ensc.formats.vnnlib.expressions import Group, Word, read_expressions, span
from ensc.formats.vnnlib.property import Property
from ensc.formats.vnnlib.terms import Scope, read_condition

BYTES = 1 << 28
MOST_ERRORS = 20
_VERSION = re.compile(r"<([0-9]{1,4})\.([0-9]{1,4})>")
_IGNORED = frozenset(("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"))
_COMMANDS = {1: ("declare-const", "declare-fun", "assert"), 2: ("declare-network", "assert")}


def read_property_file(path: Path) -> Property:
    """Read a `.vnnlib` file, possibly compressed.

    Raises:
        Rejected: E1220 to E1224 if the file cannot be read, and as `read_property`.
    """
    return read_property(Source(shown(path.as_posix(), 200), read_file(path, BYTES)))


def read_property(source: Source) -> Property:
    """Read a property; several mistakes are reported together.

    Raises:
        Rejected: E1270 to E1280, E1285 or E1286.
    """
    groups = read_expressions(source)
    commands = [(_command(source, group), group) for group in groups]
    if not commands:
        reject("E1286", "the file holds nothing", Span(source, 0, 0))
    if commands[0][0].text == "vnnlib-version":
        _require_version(source, commands[0][1])
        return _second(source, commands[1:])
    return _first(source, commands)


def _command(source: Source, group: Group) -> Word:
    if not group.items or not isinstance(group.items[0], Word):
        reject("E1273", "a command is missing", span(source, group), help="expected `(assert ...)`")
    return group.items[0]


def _require_version(source: Source, group: Group) -> None:
    word = group.items[1] if len(group.items) == 2 else None
    match = _VERSION.fullmatch(word.text) if isinstance(word, Word) else None
    if match is None:
        reject(
            "E1272",
            "this names no version",
            span(source, group),
            help="write `(vnnlib-version <2.0>)`",
        )
    if match[1] != "2":
        reject(
            "E1272",
            f"version {match[1]}.{match[2]} is not supported",
            span(source, group),
            "ensc reads 1.0 (without this line) and 2.x",
        )


def _first(source: Source, commands: Sequence[tuple[Word, Group]]) -> Property:
    known = [(word, group) for word, group in commands if word.text not in _IGNORED]
    _require_known(source, known, 1)
    network, numbers = flat_networks(source, (group for word, group in known if word.text != "assert"))
    scope = Scope(source, 1, lambda word: flat_element(source, numbers, word))
    return Property(source, 1, (network,), _assertions(scope, known))


def _second(source: Source, commands: Sequence[tuple[Word, Group]]) -> Property:
    _require_known(source, commands, 2)
    names = Names(source)
    declarations = [group for word, group in commands if word.text == "declare-network"]
    if not declarations:
        reject("E1286", "no network is declared", Span(source, 0, 0))
    _each(declarations, lambda group: declare_network(names, group))
    scope = Scope(source, 2, names.element)
    return Property(source, 2, tuple(names.networks.values()), _assertions(scope, commands))


def _require_known(source: Source, commands: Sequence[tuple[Word, Group]], version: int) -> None:
    for word, _ in commands:
        if word.text not in _COMMANDS[version]:
            belongs = word.text in _COMMANDS[3 - version]
            reject(
                "E1272" if belongs else "E1273",
                f"VNN-LIB {version}.0 has no command `{shown(word.text)}`",
                span(source, word),
                help=_version_help(version) if belongs else hint(word.text, _COMMANDS[version]),
            )


def _version_help(version: int) -> str:
    if version == 1:
        return "a 2.0 file starts with `(vnnlib-version <2.0>)`"
    return "a 1.0 file has no `vnnlib-version`; in 2.0 networks are declared: `(declare-network f ...)`"


def _assertions(scope: Scope, commands: Sequence[tuple[Word, Group]]) -> tuple[Condition, ...]:
    asserted = [group for word, group in commands if word.text == "assert"]
    if not asserted:
        reject("E1286", "nothing is asserted", Span(scope.source, 0, 0), help="add `(assert ...)`")
    found: list[Condition] = []

    def read(group: Group) -> None:
        if len(group.items) != 2:
            message = f"an assertion holds one condition, not {len(group.items) - 1}"
            reject("E1273", message, span(scope.source, group))
        found.append(read_condition(scope, group.items[1]))

    _each(asserted, read)
    return tuple(found)


def _each(groups: Sequence[Group], read: Callable[[Group], None]) -> None:
    """Read every command before the mistakes of all are reported."""
    mistakes = list(_mistakes(groups, read))
    if mistakes:
        raise Rejected(mistakes[:MOST_ERRORS])


def _mistakes(groups: Sequence[Group], read: Callable[[Group], None]) -> Iterator[Diagnostic]:
    count = 0
    for group in groups:
        try:
            read(group)
        except Rejected as rejected:
            yield from rejected.diagnostics
            count += 1
            if count == MOST_ERRORS:
                return
