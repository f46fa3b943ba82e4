"""Reading a query and the files it includes into one sequence of statements.

A path is relative to the file that names it. A file included twice counts once, where it came first;
a file that includes itself, directly or not, is a mistake.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Source, Span, reject
from ensc.compiler.files import FileKind, join, read_file
from ensc.compiler.frontend.query.report import Report, first_of
from ensc.compiler.frontend.syntax.parse import parse_query
from ensc.compiler.quoting import path_text
from ensc.compiler.types.syntax import Include, QueryFile, Statement

DEEPEST = 32
MOST_FILES = 256
SHOWN_INCLUDES = 5
LIMIT = 1 << 20

QUERY = FileKind("query", "E0301", "E0303", "E0304", LIMIT)
INCLUDED = FileKind("included file", "E0301", "E0303", "E0304", LIMIT)

Identity: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a query.

    Attributes:
        path: as reached from the working directory.
        source: its text; the name is the path.
        sha256: of its bytes, hexadecimal.
        chain: the `include` statements that lead to it, the innermost first; empty for the query.
        order: how many files were read before it.
    """

    path: Path
    source: Source
    sha256: str
    chain: tuple[Span, ...]
    order: int


@dataclass(frozen=True, slots=True)
class Program:
    """A query with everything it includes.

    Attributes:
        path: of the file named on the command line.
        root: that file, as parsed.
        statements: those of every file, an `include` being replaced by what it includes.
        files: every file read, by the name of its source.
    """

    path: Path
    root: QueryFile
    statements: tuple[Statement, ...]
    files: Mapping[str, SourceFile]

    def folder(self, span: Span) -> Path:
        """Return the folder that a path written at `span` is relative to."""
        file = self.files.get(span.source.name)
        return file.path.parent if file else Path()


def load_program(path: Path) -> Program:
    """Read and parse a query and everything it includes.

    Raises:
        Rejected: a file is missing, unreadable, too large, not UTF-8 or not well-formed, includes itself,
            or the nesting is out of bounds; with the mistakes of all files.
    """
    loader = _Loader()
    root = loader.load(path, QUERY, None, ())
    if root is None or loader.report.failed:
        raise Rejected(explain_origin(first_of(loader.report.said), loader.files))
    return Program(path, root, tuple(loader.statements), loader.files)


def read_source(path: Path) -> Source:
    """Read the text of one query file.

    Raises:
        Rejected: the file is missing, unreadable, too large or not UTF-8.
    """
    content = read_file(path, QUERY, None)
    source = Source(path.as_posix(), content.decode("utf-8-sig", "replace"))
    _refuse_other_encodings(source, content)
    return source


def explain_origin(
    diagnostics: tuple[Diagnostic, ...], files: Mapping[str, SourceFile]
) -> tuple[Diagnostic, ...]:
    """Say, for mistakes inside included files, which `include` statements lead there."""
    return tuple(_with_origin(d, files) for d in diagnostics)


def _with_origin(diagnostic: Diagnostic, files: Mapping[str, SourceFile]) -> Diagnostic:
    if diagnostic.place is None:
        return diagnostic
    file = files.get(diagnostic.place.span.source.name)
    if file is None or not file.chain:
        return diagnostic
    origin = ", ".join(f"included from {_address(span)}" for span in file.chain[:SHOWN_INCLUDES])
    if len(file.chain) > SHOWN_INCLUDES:
        origin += f", and so on, {len(file.chain)} levels deep"
    return replace(diagnostic, notes=(*diagnostic.notes, f"in a file {origin}"))


def _address(span: Span) -> str:
    line, column = span.source.position(span.start)
    return f"{path_text(span.source.name)}:{line}:{column}"


class _Loader:
    """Walks the include statements depth first and remembers which files it has seen."""

    def __init__(self) -> None:
        self.report = Report()
        self.statements: list[Statement] = []
        self.files: dict[str, SourceFile] = {}
        self._names: dict[Identity | None, str] = {}

    def load(
        self, path: Path, kind: FileKind, place: Span | None, chain: tuple[Span, ...]
    ) -> QueryFile | None:
        """Read one file, then, recursively, what it includes."""
        content = self.report.attempt(read_file, path, kind, place)
        if content is None:
            return None
        self._names[_identity(path)] = path.as_posix()
        source = Source(path.as_posix(), content.decode("utf-8-sig", "replace"))
        digest = hashlib.sha256(content).hexdigest()
        self.files[source.name] = SourceFile(path, source, digest, chain, len(self.files))
        query = self.report.attempt(_parse, source, content)
        for statement in query.statements if query else ():
            if isinstance(statement, Include):
                self.report.attempt(self._follow, path, statement, (statement.span, *chain))
            else:
                self.statements.append(statement)
        return query

    def _follow(self, including: Path, statement: Include, chain: tuple[Span, ...]) -> None:
        place = statement.path.span
        path = join(including.parent, statement.path.value)
        if _identity(path) in self._names:
            self._refuse_cycle(path, place, chain)
            return
        if len(chain) > DEEPEST:
            reject("E0305", f"files are included more than {DEEPEST} levels deep", place)
        if len(self.files) >= MOST_FILES:
            reject("E0305", f"more than {MOST_FILES} files are included", place)
        self.load(path, INCLUDED, place, chain)

    def _refuse_cycle(self, path: Path, place: Span, chain: tuple[Span, ...]) -> None:
        """Reject a file that is still being read; one that has been read before is fine."""
        target = self._names[_identity(path)]
        names = [span.source.name for span in chain]
        if target not in names:
            return
        cycle = [target, *reversed(names[: names.index(target)]), target]
        reject(
            "E0302",
            f"`{path_text(target)}` includes itself",
            place,
            "this closes the circle",
            related=tuple(Label(span, "included here") for span in chain[1 : len(cycle) - 1]),
            notes=(f"the circle: {' -> '.join(map(path_text, cycle))}",),
            help="move what both files need into a third file",
        )


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _parse(source: Source, content: bytes) -> QueryFile:
    _refuse_other_encodings(source, content)
    return parse_query(source)


def _refuse_other_encodings(source: Source, content: bytes) -> None:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder has dropped a byte order mark before it counted.
        start = len(error.object[: error.start].decode("utf-8"))
        reject(
            "E0306",
            f"`{path_text(source.name)}` is not UTF-8 text",
            Span(source, start, start + 1),
            f"byte {error.object[error.start]:#04x}",
            help="save the file as UTF-8",
        )
