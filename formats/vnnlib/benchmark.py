"""`instances.csv`: the list of a benchmark folder, as the VNN-COMP competitions lay it out.

A line is `onnx,vnnlib,timeout`, without a header. Where a property is about several networks the first field
is the list `[('f', 'onnx/a.onnx'), ('g', 'onnx/b.onnx')]`. Paths are relative to the folder; files may be
there compressed, with `.gz` after the name that the list says.
"""

import ast
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Source, Span
from ensc.compiler.quoting import shown
from ensc.formats.files import read_file

BYTES = 1 << 26
LONGEST_FIELD = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list.

    Attributes:
        networks: file of each network by name; a single network without a name is called "".
        property: the `.vnnlib` file.
        seconds: the time limit.
        line: its number, from 1.
    """

    networks: Mapping[str, str]
    property: str
    seconds: float
    line: int


def read_benchmark(path: Path) -> tuple[Entry, ...]:
    """Read an `instances.csv`.

    Raises:
        Rejected: E1220 to E1224 if the file cannot be read, E1287 for every line that is not understood.
    """
    text = read_file(path, BYTES)
    source = Source(shown(path.as_posix(), 200), text)
    entries: list[Entry] = []
    mistakes: list[Diagnostic] = []
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found = _entry(line, number)
            if isinstance(found, Entry):
                entries.append(found)
            else:
                place = Span(source, start, start + len(line.rstrip("\r")))
                mistakes.append(Diagnostic("E1287", found, Label(place), help="write `onnx,vnnlib,timeout`"))
        start += len(line) + 1
    if not entries and not mistakes:
        mistakes.append(Diagnostic("E1287", "the list is empty", Label(Span(source, 0, 0))))
    if mistakes:
        raise Rejected(mistakes[:20])
    return tuple(entries)


def _entry(line: str, number: int) -> Entry | str:
    """Return the entry, or what is wrong with it."""
    if len(line) > LONGEST_FIELD:
        return "the line is too long"
    try:
        fields = [field.strip() for field in next(csv.reader([line], strict=True))]
    except csv.Error as error:
        return f"the line is no CSV: {error}"
    if len(fields) != 3:
        return f"the line has {len(fields)} fields, not 3"
    networks = _networks(fields[0])
    if networks is None:
        return "the networks are neither a file nor a list of names and files"
    try:
        seconds = float(fields[2])
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        return f"`{shown(fields[2])}` is no number of seconds"
    return Entry(networks, fields[1], seconds, number) if fields[1] else "the property is missing"


def _networks(field: str) -> dict[str, str] | None:
    if not field.startswith("["):
        return {"": field} if field else None
    try:
        pairs = ast.literal_eval(field)
        networks = {str(name): str(file) for name, file in pairs}
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return networks if networks and len(networks) == len(pairs) else None


def write_benchmark(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Return the text of an `instances.csv`, in chunks."""
    for entry in entries:
        line = io.StringIO()
        names = list(entry.networks.items())
        field = entry.networks.get("") or repr(names)
        csv.writer(line, lineterminator="\n").writerow([field, entry.property, f"{entry.seconds:g}"])
        yield line.getvalue().encode("utf-8")


def located(folder: Path, name: str) -> Path:
    """Return where a file of the list is: as named, or compressed beside it."""
    path = folder / PurePosixPath(name)
    packed = path.with_name(path.name + ".gz")
    return packed if not path.exists() and packed.exists() else path
