"""Making an archive: all of it appears in its place, or nothing does."""

from pathlib import Path

from ensc.compiler.diagnostics import Diagnostic, Rejected, reject
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.quoting import shown
from ensc.compiler.types.problem import EnsembleProblem, MinimizeRadius, ProfileValue
from ensc.compiler.types.solution import Verdict
from ensc.formats.files import write_file
from ensc.formats.folders import appearing, fault_of_place
from ensc.runner.archive.expected import from_expectation, from_verdict
from ensc.runner.archive.inputs import require_same, write_inputs
from ensc.runner.archive.manifest import (
    MANIFEST,
    QUERY,
    README,
    SUMS,
    Record,
    entries,
    manifest_text,
    record_of,
    sums_text,
)
from ensc.runner.archive.outputs import write_outputs
from ensc.runner.archive.readme import readme_text

NEEDED = ("source", "license")
"""Entries of `meta` without which nobody else may use a benchmark, or knows what it is."""


def create_archive(problem: EnsembleProblem, folder: Path, verdict: Verdict | None = None) -> tuple[str, ...]:
    """Write a query, everything it names and every form of it into a new folder.

    Args:
        problem: the query.
        folder: where to; it does not exist yet, or is empty.
        verdict: what solving found, if it was solved.

    Returns:
        What could not be written and why, or was rounded.

    Raises:
        Rejected: E0930 for a question about many radii, E1170 without source and licence, E1171 if the
            folder is taken, E1120 or E1121 if the verdict contradicts the query, E1020 if something cannot be
            written, what the compiler rejects.
    """
    require_archivable(problem)
    require_free(folder)
    known = from_expectation(problem) if verdict is None else from_verdict(problem, verdict)
    with appearing(folder) as temporary:
        (temporary / QUERY).mkdir()
        query = write_inputs(problem, temporary / QUERY)
        require_same(problem, query, "E1175", named="the archived query", whole="archive")
        return complete(temporary, query.relative_to(temporary).as_posix(), record_of(problem, known))


def complete(folder: Path, query: str, record: Record) -> tuple[str, ...]:
    """Write everything that follows from the archived inputs, in a folder that holds nothing else yet.

    Args:
        folder: the archive.
        query: path of the query in it.
        record: what does not follow from the inputs.

    Returns:
        What could not be written and why, or was rounded.

    Raises:
        Rejected: what the compiler rejects, E1020 if a file cannot be written.
    """
    problem = load_problem(folder / query).problem
    notes = write_outputs(problem, folder, record.known)
    others = tuple(entry.path for entry in entries(folder))
    write_file(folder / README, [readme_text(problem, record, notes, others)])
    write_file(folder / MANIFEST, manifest_text(problem, query, record, notes, entries(folder)))
    write_file(folder / SUMS, sums_text(entries(folder)))
    return notes


def require_archivable(problem: EnsembleProblem) -> None:
    """Refuse a query without files, or which does not say where it comes from and what others may do with it.

    Raises:
        Rejected: E0930 for a question about many radii; E1170, one for each entry that is missing.
    """
    if isinstance(problem.goal, MinimizeRadius | ProfileValue):
        reject(
            "E0930",
            "this goal asks about many radii and has no single model file",
            help="archive a `check` or `maximize value` query about one radius",
        )
    missing = [key for key in NEEDED if not problem.meta.get(key, "").strip()]
    if missing:
        raise Rejected([_missing(problem, key) for key in missing])


def _missing(problem: EnsembleProblem, key: str) -> Diagnostic:
    what = {
        "source": "where its networks and data come from",
        "license": "under which licence others may use it",
    }
    return Diagnostic(
        "E1170",
        f"the query `{shown(problem.name)}` does not say {what[key]}",
        notes=("an archive is made to be given away",),
        help=f'add it: `meta {{ {key} = "..."; }}`',
    )


def require_free(folder: Path) -> None:
    """Refuse a place that is taken.

    Raises:
        Rejected: E1171.
    """
    fault = fault_of_place(folder)
    if fault is not None:
        reject("E1171", fault, help="an archive goes into a new folder, or an empty one")
