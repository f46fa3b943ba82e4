"""The manifest of an archive: what it holds, byte for byte, and what is known of the answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ensc.compiler.passes.notes import goal_text
from ensc.compiler.types.problem import EnsembleProblem
from ensc.formats import folders
from ensc.runner.archive.expected import SOURCES, Established
from ensc.runner.archive.inputs import parameter_text

SCHEMA = "ensc-archive-1"
MANIFEST, SUMS, README = folders.MANIFEST, "SHA256SUMS", "README.md"
QUERY = "query"
ARCHIVE = folders.FolderKind("archive", SCHEMA, "E1172", 1 << 26, "ensc archive QUERY -o DIR")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive: its path with slashes, its size, its SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """What of a manifest does not follow from the archived inputs.

    Attributes:
        parameters: of the query before it was resolved, as text.
        known: what is known of the answer.
    """

    parameters: Mapping[str, str]
    known: Established


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, as read.

    Attributes:
        version: of ensc that made the archive.
        query: path of the query file.
        digest: of the problem it states.
        record: what does not follow from the inputs.
        files: everything but the manifest itself and `SHA256SUMS`.
    """

    version: str
    query: str
    digest: str
    record: Record
    files: tuple[Entry, ...]


def record_of(problem: EnsembleProblem, known: Established) -> Record:
    """Return what is to be remembered of a problem."""
    return Record({name: parameter_text(value) for name, value in problem.parameters.items()}, known)


def entries(folder: Path) -> tuple[Entry, ...]:
    """Return all files of a folder, ordered by path."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return tuple(_entry(folder, name) for name in files)


def _entry(folder: Path, name: str) -> Entry:
    path = folder / name
    digest = folders.sha256_of(path)
    return Entry(name, path.stat().st_size, digest)


def sums_text(files: tuple[Entry, ...]) -> Iterator[bytes]:
    """Return what `sha256sum --check SHA256SUMS` reads."""
    return (f"{entry.sha256}  {entry.path}\n".encode() for entry in files)


def manifest_text(
    problem: EnsembleProblem, query: str, record: Record, notes: tuple[str, ...], files: tuple[Entry, ...]
) -> Iterator[bytes]:
    """Return the text of a manifest."""
    known = record.known
    content = {
        "schema": SCHEMA,
        "ensc": version("ensc-compiler"),
        "query": query,
        "digest": problem.digest,
        "goal": goal_text(problem.goal),
        "parameters": dict(record.parameters),
        "meta": dict(problem.meta),
        "expected": {
            "answer": known.answer,
            "count": known.count,
            "established_by": known.source,
            "details": list(known.details),
        },
        "notes": list(notes),
        "files": [{"path": e.path, "bytes": e.size, "sha256": e.sha256} for e in files],
    }
    yield (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


# reading ---------------------------------------------------------------------------------------------


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of an archive.

    Raises:
        Rejected: E1172 if there is none, or it is damaged.
    """
    return folders.read_manifest(folder, ARCHIVE, _manifest)


def _manifest(content: object) -> Manifest:
    match content:
        case {
            "schema": "ensc-archive-1",
            "ensc": str() as made,
            "query": str() as query,
            "digest": str() as digest,
            "parameters": dict() as parameters,
            "expected": dict() as expected,
            "files": list() as files,
        }:
            record = Record({str(name): str(value) for name, value in parameters.items()}, _known(expected))
            return Manifest(made, folders.inside(query), digest, record, tuple(_read_entry(e) for e in files))
        case _:
            raise ValueError


def _known(content: dict[str, object]) -> Established:
    match content:
        case {
            "answer": str() as answer,
            "count": (None | int()) as count,
            "established_by": str() as given,
            "details": list() as details,
        }:
            source = SOURCES[SOURCES.index(given)]
            return Established(answer, count, source, tuple(str(line) for line in details))
        case _:
            raise ValueError


def _read_entry(content: object) -> Entry:
    match content:
        case {"path": str() as path, "bytes": int() as size, "sha256": str() as digest}:
            return Entry(folders.inside(path), size, digest)
        case _:
            raise ValueError
