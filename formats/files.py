"""Files as a whole: written completely or not at all, compressed by their suffix, read within a bound."""

import bz2
import errno
import gzip
import io
import lzma
import os
import secrets
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from ensc.compiler.diagnostics import reject
from ensc.compiler.files import FileKind
from ensc.compiler.files import read_file as read_bytes
from ensc.compiler.quoting import shown

GZIP_LEVEL = 6

DEFAULT_LIMIT = 1 << 30
"""Bytes of text, after decompression."""

NOT_WRITTEN = (".bz2", ".xz", ".zst", ".zip", ".lz4", ".Z")


def write_file(path: str | Path, chunks: Iterable[bytes]) -> None:
    """Write a file completely, or leave whatever was there before.

    The bytes go to a temporary name in the same folder, which then takes the place of the file. A path
    that leads to a pipe or a device is written directly. `.gz` is compressed, without a date or a name
    in its header, so that the same chunks give the same bytes.

    Args:
        path: the file; its folder must exist.
        chunks: its content, before compression.

    Raises:
        Rejected: E1020 if the file cannot be written.
    """
    target = Path(path)
    if target.suffix in NOT_WRITTEN:
        reject(
            "E1020",
            f"cannot write `{shown(str(path))}`: compression `{target.suffix}` is only read",
            help="use `.gz`, or no compression",
        )
    try:
        real = Path(os.path.realpath(target))
        with _direct(real) if _is_special(real) else _replacing(real) as raw:
            _copy(chunks, raw, compress=target.suffix == ".gz")
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        message = f"cannot write `{shown(str(path))}`: {_reason(error)}"
        reject("E1020", message, help=_advice(error, target))


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextmanager
def _direct(path: Path) -> Iterator[BinaryIO]:
    with path.open("wb") as raw:
        yield raw


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    temporary = path.with_name(f".ensc-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as raw:
            yield raw
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(chunks: Iterable[bytes], raw: IO[bytes], *, compress: bool) -> None:
    if not compress:
        raw.writelines(chunks)
        return
    with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=raw, mtime=0) as packed:
        for chunk in chunks:
            packed.write(chunk)


def _reason(error: OSError | ValueError) -> str:
    reasons = {
        errno.ENOENT: "its folder does not exist",
        errno.ENOTDIR: "its folder is a file",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.EISDIR: "it is a folder",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "the file is larger than the system allows",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ELOOP: "its links form a loop",
        errno.EPIPE: "nobody reads it any more",
    }
    number = error.errno if isinstance(error, OSError) else None
    return reasons.get(number or 0, "the system refuses the path")


def _advice(error: OSError | ValueError, target: Path) -> str | None:
    if isinstance(error, FileNotFoundError):
        return f"create the folder `{shown(str(target.parent))}` first"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "nothing was left behind; a name that ends in `.gz` takes about a third of the space"
    return None


def read_file(path: str | Path, limit: int = DEFAULT_LIMIT, noun: str = "model file") -> str:
    """Return the text of a file, decompressed if it starts as gzip, bzip2 or xz files do.

    Args:
        path: the file.
        limit: the number of bytes the decompressed text may have.
        noun: what messages call the file.

    Raises:
        Rejected: E1220 if there is no such file, E1221 if it cannot be read, E1222 if its content is larger
            than the limit, E1223 if the compression is damaged or unknown, E1224 if it is no text.
    """
    kind = FileKind(noun, missing="E1220", unreadable="E1221", too_large="E1222", limit=limit)
    name = shown(str(path))
    content = _decompressed(read_bytes(Path(path), kind, None), name, limit)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reject(
            "E1224",
            f"`{name}` is no text: byte {error.start} (0x{content[error.start]:02x}) is not UTF-8",
            help="save it as ASCII or UTF-8",
        )


def _decompressed(content: bytes, name: str, limit: int) -> bytes:
    stream = _opened(content, name)
    try:
        text = stream.read(limit + 1)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        cut = isinstance(error, EOFError)
        reject("E1223", f"`{name}` is a damaged compressed file", notes=("it ends too early",) if cut else ())
    if len(text) > limit:
        reject("E1222", f"`{name}` holds more than {limit} bytes of text", help="raise the limit")
    return text


def _opened(content: bytes, name: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile | io.BytesIO:
    """Return the content as a stream that decompresses as it is read; the first bytes tell how."""
    stream = io.BytesIO(content)
    if content.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream, mode="rb")
    if content.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    if content.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(stream)
    if content.startswith((b"\x28\xb5\x2f\xfd", b"PK\x03\x04")):
        reject("E1223", f"`{name}` is compressed in a way that is not read", help="use gzip, bzip2 or xz")
    return stream
