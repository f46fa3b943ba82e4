"""Checking an archive: its checksums, then everything in it made again from its own inputs."""

import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ensc.compiler.diagnostics import Diagnostic, Rejected, reject
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.quoting import shown
from ensc.runner.archive.create import complete, require_archivable
from ensc.runner.archive.expected import FROM_QUERY, from_expectation
from ensc.runner.archive.manifest import MANIFEST, QUERY, SUMS, Entry, Manifest, entries, read_manifest

MOST_REPORTED = 20


def verify_archive(folder: Path) -> str:
    """Check an archive; return in a line what holds.

    Raises:
        Rejected: E1172 if the folder is no archive, E1173 for files that are not what the manifest says,
            E1174 for files that do not follow from the archived query.
    """
    manifest = read_manifest(folder)
    _check_hashes(folder, manifest)
    _check_query(folder, manifest)
    _check_contents(folder, manifest)
    return f"{len(manifest.files)} files are as the manifest says, and follow from the archived query"


def _check_hashes(folder: Path, manifest: Manifest) -> None:
    try:
        found = {entry.path: entry for entry in entries(folder)}
    except OSError as error:
        reject("E1173", f"a file cannot be read: {error.strerror}")
    stated = {entry.path: entry for entry in manifest.files}
    said = [*_differences(stated, found), *_unlisted(stated, found)]
    if said:
        raise Rejected(said[:MOST_REPORTED])


def _differences(stated: dict[str, Entry], found: dict[str, Entry]) -> Iterator[Diagnostic]:
    for name, entry in stated.items():
        if name not in found:
            yield Diagnostic("E1173", f"`{shown(name)}` is missing")
        elif found[name] != entry:
            notes = (_difference(found[name], entry),)
            yield Diagnostic("E1173", f"`{shown(name)}` has changed", notes=notes)


def _difference(has: Entry, wants: Entry) -> str:
    if has.size != wants.size:
        return f"it has {has.size} bytes, the manifest says {wants.size}"
    return f"its SHA-256 is {has.sha256[:16]}..., the manifest says {shown(wants.sha256[:16])}..."


def _unlisted(stated: dict[str, Entry], found: dict[str, Entry]) -> Iterator[Diagnostic]:
    for name in found:
        if name not in stated and name not in {MANIFEST, SUMS}:
            yield Diagnostic("E1173", f"`{shown(name)}` is not in the manifest", help="remove it")


def _check_query(folder: Path, manifest: Manifest) -> None:
    if manifest.query not in {entry.path for entry in manifest.files} or not manifest.query.endswith(".rq"):
        reject("E1172", f"the manifest names no query: `{shown(manifest.query)}` is none")
    problem = load_problem(folder / manifest.query).problem
    require_archivable(problem)
    digest = problem.digest
    if digest != manifest.digest:
        reject(
            "E1174",
            "the archived query states another problem than the manifest says",
            notes=(f"digests {digest[:16]}... and {shown(manifest.digest[:16])}...",),
        )
    known = manifest.record.known
    if known.source in FROM_QUERY and known != from_expectation(problem):
        reject("E1174", "the expected answer in the manifest is not the one that the archived query states")


def _check_contents(folder: Path, manifest: Manifest) -> None:
    with tempfile.TemporaryDirectory(prefix="ensc-") as name:
        again = Path(name)
        shutil.copytree(folder / QUERY, again / QUERY)
        complete(again, manifest.query, manifest.record)
        old = {entry.path: entry for entry in entries(folder)}
        new = {entry.path: entry for entry in entries(again)}
    different = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    # The lists differ wherever anything does.
    told = [path for path in different if path not in {MANIFEST, SUMS}] or different
    if told:
        raise Rejected([_not_following(path, manifest) for path in told[:MOST_REPORTED]])


def _not_following(path: str, manifest: Manifest) -> Diagnostic:
    here = version("ensc-compiler")
    if manifest.version != here:
        made = shown(manifest.version)
        note = f"the archive was made by ensc {made}, and this is ensc {here}: versions write different files"
        advice = f"its checksums hold; compare the contents with ensc {made}"
    else:
        note = (
            "big-M constants rest on float64 arithmetic, which other processors and versions of numpy may "
            "round in another way"
        )
        advice = None
    message = f"`{shown(path)}` is not what the archived query compiles to"
    return Diagnostic("E1174", message, notes=(note,), help=advice)
