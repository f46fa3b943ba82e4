"""Benchmark folders as VNN-COMP lays them out, run as they stand."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ensc.compiler.diagnostics import Diagnostic, Rejected
from ensc.formats.vnnlib.benchmark import Entry, located, read_benchmark
from ensc.formats.vnnlib.bind import named_files, read_networks
from ensc.formats.vnnlib.link import link
from ensc.formats.vnnlib.property import Property
from ensc.formats.vnnlib.read import read_property_file
from ensc.runner.joint.solve import Settings
from ensc.runner.properties.instance import InstanceResult, solve_instances
from ensc.runner.properties.instance_report import Json, instance_json


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What became of one line of a list.

    Attributes:
        entry: the line.
        stated: its property, if it could be read.
        result: the answer, None where the line was rejected.
        diagnostics: why it was rejected.
        seconds: wall-clock time, reading included.
    """

    entry: Entry
    stated: Property | None
    result: InstanceResult | None
    diagnostics: tuple[Diagnostic, ...]
    seconds: float

    @property
    def word(self) -> str:
        """`sat`, `unsat`, `unknown` or `error`."""
        return "error" if self.result is None else self.result.answer.value


def run_benchmark(path: Path, settings: Settings) -> Iterator[Line]:
    """Answer every line of an `instances.csv`, in order; a line that is rejected does not stop the others.

    The time limit of a line is the smaller of its own and that of the settings.

    Raises:
        Rejected: E1220 to E1224 or E1287 if the list itself cannot be read.
    """
    return (_run(path.parent, entry, settings) for entry in read_benchmark(path))


def _run(folder: Path, entry: Entry, settings: Settings) -> Line:
    start = time.monotonic()
    stated = None
    limit = min(entry.seconds, settings.time_limit or entry.seconds)
    try:
        stated = read_property_file(located(folder, entry.property))
        given = [
            f"{name}={located(folder, file)}" if name else str(located(folder, file))
            for name, file in entry.networks.items()
        ]
        networks = read_networks(stated, named_files(stated, given))
        instances = link(stated, networks, Path(entry.property).stem)
        result = solve_instances(instances, replace(settings, time_limit=limit))
    except Rejected as rejected:
        return Line(entry, stated, None, rejected.diagnostics, time.monotonic() - start)
    return Line(entry, stated, result, (), time.monotonic() - start)


def line_text(line: Line) -> str:
    """Return one result as a line of text."""
    files = ", ".join(f"{name}={file}" if name else file for name, file in line.entry.networks.items())
    why = "".join(f"  {d.code}: {d.message}" for d in line.diagnostics[:1])
    return f"{line.word:8}{line.seconds:8.2f} s  {line.entry.property}  {files}{why}"


def line_json(line: Line) -> Json:
    """Return one result as an object for `json.dumps`."""
    told: Json = {
        "line": line.entry.line,
        "property": line.entry.property,
        "networks": dict(line.entry.networks),
        "verdict": line.word,
        "seconds": line.seconds,
    }
    if line.stated is not None and line.result is not None:
        return instance_json(line.stated, line.result) | told
    return told | {"reasons": [f"{d.code}: {d.message}" for d in line.diagnostics]}
