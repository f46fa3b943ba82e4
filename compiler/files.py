"""Opening the files a query names: only regular files, never larger than stated, each one hashed.

A path in a query is a stranger's: it may lead to a folder, a pipe that never ends, a device, a loop of
links, or nowhere. Each of these is a diagnostic at the place that names the path.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from ensc.compiler.diagnostics import Span, reject
from ensc.compiler.quoting import path_text, shown
from ensc.compiler.words import suggest

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileKind:
    """What kind of file is being opened: its name in messages, the codes of its mistakes, its limit.

    Attributes:
        noun: for example `included file`.
        missing: code for a path that leads nowhere.
        unreadable: code for a path that leads to something that cannot be read as a file.
        too_large: code for a file larger than the limit.
        limit: in bytes.
    """

    noun: str
    missing: str
    unreadable: str
    too_large: str
    limit: int


def join(folder: Path, path: str) -> Path:
    """Return the path that a file in `folder` means by `path`."""
    return folder / path


@contextmanager
def open_file(path: Path, kind: FileKind, place: Span | None) -> Iterator[BufferedReader]:
    """Open a regular file of bounded size for reading.

    Raises:
        Rejected: with one of the codes of `kind`, at `place`.
    """
    name = path_text(path.as_posix())
    try:
        with os.fdopen(_descriptor(path, kind, place), "rb") as stream:
            _check(os.fstat(stream.fileno()), name, kind, place)
            yield stream
    except OSError as error:
        if error.errno is None:  # raised by a decoder, about the content
            raise
        reject(kind.unreadable, f"the {kind.noun} `{name}` cannot be read: {_why(error)}", place)


def read_file(path: Path, kind: FileKind, place: Span | None) -> bytes:
    """Return the bytes of a regular file of bounded size.

    Raises:
        Rejected: as `open_file`.
    """
    with open_file(path, kind, place) as stream:
        # Asked for its limit, a small file would take that much memory; the byte more shows growth.
        size = os.fstat(stream.fileno()).st_size
        content = stream.read(size + 1) or b""
    if len(content) > size:
        reject(kind.too_large, f"the {kind.noun} `{path_text(path.as_posix())}` is growing", place)
    return content


def sha256_of(path: Path, kind: FileKind, place: Span | None) -> str:
    """Return the SHA-256 of a file, hexadecimal, without holding the file in memory.

    Raises:
        Rejected: as `open_file`.
    """
    with open_file(path, kind, place) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check(status: os.stat_result, name: str, kind: FileKind, place: Span | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        reject(kind.unreadable, f"the {kind.noun} `{name}` is no regular file", place)
    if status.st_size > kind.limit:
        reject(
            kind.too_large,
            f"the {kind.noun} `{name}` has {status.st_size} bytes; at most {kind.limit} are read",
            place,
        )


def _descriptor(path: Path, kind: FileKind, place: Span | None) -> int:
    # O_NONBLOCK: opening a named pipe that nobody writes to must not wait for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    name = path_text(path.as_posix())
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            reject(kind.missing, f"the {kind.noun} `{name}` is a link that leads nowhere", place)
        reject(kind.missing, f"no {kind.noun} `{name}`", place, help=_neighbour(path))
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reject(kind.unreadable, f"the {kind.noun} `{name}` cannot be read: {_why(error)}", place)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):  # Python makes no stream of a folder
        os.close(descriptor)
        reject(kind.unreadable, f"the {kind.noun} `{name}` is a folder", place)
    return descriptor


def _why(error: OSError | ValueError) -> str:
    """Say what went wrong, in words that do not depend on the system's language."""
    reasons = {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EISDIR: "it is a folder",
        errno.ELOOP: "its links form a loop",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ENXIO: "it is a device or a socket",
        errno.EIO: "the device reports an error",
    }
    number = error.errno if isinstance(error, OSError) else None
    return reasons.get(number or 0, "the system refuses the path")


def _neighbour(path: Path) -> str | None:
    """Advise on a path that leads nowhere: a file of a similar name, or the missing folder."""
    try:
        with os.scandir(path.parent) as entries:
            names = sorted(entry.name for entry in entries if _is_file(entry))
    except OSError:
        return f"there is no folder `{path_text(path.parent.as_posix())}`"
    stems = {Path(name).stem: name for name in reversed(names) if _is_similar(Path(name), path)}
    close = suggest(path.stem, sorted(stems))
    return f"did you mean `{shown(stems[close])}`?" if close else None


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link into a loop of links
        return False


def _is_similar(path: Path, wanted: Path) -> bool:
    return path.suffix == wanted.suffix or path.stem == wanted.stem
