"""A journal: one append-only file of finished work, from which an interrupted run resumes.

Each line is a JSON object `{"check": ..., "record": ...}`: a record and the first 16 hexadecimal digits of
the SHA-256 of its canonical text. The first record names the format. A line that was torn by a crash, damaged
or written by something else is passed over and counted; what the others say is for their reader to judge. One
process at a time holds a journal.
"""

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from ensc.compiler.diagnostics import Diagnostic, reject
from ensc.compiler.quoting import counted, shown

FORMAT = "ensc-journal-1"

Record = Mapping[str, object]

_HEADER: Record = {"journal": FORMAT}


class Journal:
    """An open journal.

    A full disk does not end the run: what could not be written is kept and tried again with what follows.

    Attributes:
        path: the file.
        records: what earlier runs wrote into it, without the header.
        skipped: lines that are no records.
        torn: whether the last line was cut off, as when a machine loses power; it is gone from the file.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a journal, or begin one.

        Raises:
            Rejected: E1140 if the file is something else, E1141 if another process holds it, E1142 if it
                cannot be opened, read or written.
        """
        self.path = Path(path)
        self._file = _opened(self.path)
        self._waiting, self._why = b"", ""
        try:
            content = _content(self._file, self.path)
            whole, _, rest = content.rpartition(b"\n")
            lines = whole.split(b"\n") if whole else []
            begun = _is_begun(content, lines)
            if not begun and content and not _line(_HEADER).startswith(content):
                _reject_foreign(self.path)
            self.torn = bool(rest)
            read = [_record(line) for line in lines[1:]]
            self.records: tuple[Record, ...] = tuple(r for r in read if r is not None)
            self.skipped = len(read) - len(self.records)
            self._end = len(content) - len(rest)
            if self.torn:
                os.ftruncate(self._file, self._end)
            if not begun:
                self.append([_HEADER])
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def unsaved(self) -> str | None:
        """Why the last of the records are not in the file, None if all are."""
        return self._why if self._waiting else None

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What to say about the file as it was found."""
        name, found = shown(str(self.path)), []
        if self.torn:
            found.append(f"the last line of the journal `{name}` was cut off and is left out")
        if self.skipped:
            found.append(f"journal `{name}`: {counted(self.skipped, 'line')} damaged or foreign")
        help = "nothing is believed that they say; what is missing is asked again"  # noqa: A001 - as the field
        return tuple(Diagnostic("W1140", said, help=help) for said in found)

    def append(self, records: Sequence[Record]) -> None:
        """Write records; when this returns they are on the disk, or `unsaved` says why not."""
        self._waiting += b"".join(map(_line, records))
        try:
            written = 0
            while written < len(self._waiting):
                written += os.pwrite(self._file, self._waiting[written:], self._end + written)
            os.fsync(self._file)
        except OSError as error:
            self._why = error.strerror or str(error)
            self._shorten()
            return
        self._end += written
        self._waiting = b""

    def _shorten(self) -> None:
        """Leave no half of a line; if that fails as well, the next reader passes over it."""
        try:
            os.ftruncate(self._file, self._end)
        except OSError:
            return

    def close(self) -> None:
        """Try once more to write what waits, and let go of the file."""
        if self._waiting:
            self.append([])
        os.close(self._file)


def _line(record: Record) -> bytes:
    text = _canonical(record)
    return _canonical({"check": _check(text), "record": record}).encode("ascii") + b"\n"


def _record(line: bytes) -> Record | None:
    """Return what a line holds, None if it is not whole."""
    try:
        match json.loads(line):
            case {"check": str() as check, "record": dict() as record} if check == _check(_canonical(record)):
                return record
    except (ValueError, RecursionError):
        return None
    return None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def _is_begun(content: bytes, lines: Sequence[bytes]) -> bool:
    return bool(content) and bool(lines) and _record(lines[0]) == _HEADER


def _opened(path: Path) -> int:
    """Open and lock the file; a lock ends with its process, however that ends."""
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        _reject_unusable(path, error.strerror or str(error))
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            _reject_unusable(path, "it is no regular file")
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        reject(
            "E1141",
            f"another process holds the journal `{shown(str(path))}`",
            help="wait until it has ended, or give this run a journal of its own",
        )
    except OSError as error:
        os.close(number)
        _reject_unusable(path, error.strerror or str(error))
    except BaseException:
        os.close(number)
        raise
    return number


def _content(number: int, path: Path) -> bytes:
    try:
        parts = []
        while part := os.read(number, 1 << 24):
            parts.append(part)
        return b"".join(parts)
    except OSError as error:
        _reject_unusable(path, error.strerror or str(error))


def _reject_unusable(path: Path, why: str) -> NoReturn:
    reject(
        "E1142",
        f"cannot use `{shown(str(path))}` as a journal: {why}",
        help="name a file in a folder that exists and can be written to",
    )


def _reject_foreign(path: Path) -> NoReturn:
    reject(
        "E1140",
        f"`{shown(str(path))}` is not a journal of this version of ensc",
        notes=(f"its first line does not name the format `{FORMAT}`",),
        help="name a new file, or the journal of an earlier run; nothing was written to this one",
    )
