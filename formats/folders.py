"""Folders as a whole: everything in them appears at once, or nothing does; a manifest says what they hold.

A manifest is a JSON object of a schema that has a version. It may be a stranger's: paths in it stay inside.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from ensc.compiler.diagnostics import Rejected, reject
from ensc.compiler.quoting import shown
from ensc.formats.files import read_file

MANIFEST = "manifest.json"

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class FolderKind:
    """What a kind of folder is called where its manifest cannot be read.

    Attributes:
        noun: with which messages call it.
        schema: of its manifest.
        code: of the diagnostics.
        limit: most bytes of a manifest.
        makes: the command that makes such a folder.
        remedy: what helps where the manifest is damaged.
    """

    noun: str
    schema: str
    code: str
    limit: int
    makes: str
    remedy: str | None = None


def fault_of_place(folder: Path) -> str | None:
    """Return why a new folder cannot come to a place; None if nothing is there, or an empty folder."""
    path = shown(str(folder))
    try:
        taken = folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir())))
    except OSError as error:
        return f"cannot look into `{path}`: {error.strerror}"
    if taken:
        is_folder = folder.is_dir() and not folder.is_symlink()
        return f"`{path}` {'is not empty' if is_folder else 'is not a folder'}"
    if not folder.absolute().parent.is_dir():
        return f"there is no folder `{shown(str(folder.parent))}`"
    return None


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside the wanted one, which takes its place if all goes well.

    Raises:
        Rejected: E1020 if the system refuses.
    """
    target = folder.absolute()
    temporary = target.with_name(f".ensc-{secrets.token_hex(8)}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        if target.is_dir():
            target.rmdir()  # it was empty
        temporary.rename(target)
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 5)
        reject("E1020", f"cannot write `{shown(str(folder))}`: {reason}", help="nothing was left behind")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


# manifests -------------------------------------------------------------------------------------------


def read_manifest(folder: Path, kind: FolderKind, parse: Callable[[Any], Content]) -> Content:
    """Read the manifest of a folder.

    Args:
        folder: that was given.
        kind: what it should be.
        parse: makes of the JSON what it holds, or raises what Python raises where something is missing, is of
            another type or is out of range.

    Raises:
        Rejected: the code of the kind if there is no manifest, or it is damaged.
    """
    try:
        text = read_file(folder / MANIFEST, kind.limit, "manifest")
    except Rejected as rejected:
        reject(
            kind.code,
            f"`{shown(str(folder))}` is no {kind.noun}: {rejected.diagnostics[0].message}",
            help=f"give the folder that `{kind.makes}` made",
        )
    try:
        return parse(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError):
        reject(
            kind.code,
            f"the manifest of `{shown(str(folder))}` is damaged, or not one that this version writes",
            notes=(f"it should be a JSON object of the schema `{kind.schema}`",),
            help=kind.remedy,
        )


def inside(path: str) -> str:
    """Return a path that stays in its folder.

    Raises:
        ValueError: it may lead out of it, on some system.
    """
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path:
        raise ValueError
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal, as manifests state it.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
