"""Folders as a whole: everything in them appears in its place at once, or nothing does."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ensc.compiler.diagnostics import reject
from ensc.compiler.quoting import shown


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
