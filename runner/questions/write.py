"""A query to a folder with a file for each question that bounds and search leave open.

The folder holds the query with its networks and points too, so that it can be taken anywhere, and a manifest.
Answers are put beside the files; `collect` reads them.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.notes import describe_problem
from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, MinimizeRadius, ProfileValue
from ensc.formats import write_file, write_lp, write_mps
from ensc.formats.folders import appearing, fault_of_place, sha256_of
from ensc.formats.smtlib import write_smtlib
from ensc.formats.vnnlib.folder import write_questions
from ensc.runner.archive.inputs import require_same, write_inputs
from ensc.runner.questions.choose import is_complete, listed_sets
from ensc.runner.questions.manifest import MANIFEST, QUERY, QUESTIONS, Asked, Entry, File, Form, manifest_text
from ensc.runner.split.answer import BOUNDS, at_points, at_rest, instance, is_attackable, survey
from ensc.runner.split.patterns import Knowledge, Refutation, members_of, with_refutation
from ensc.runner.split.tasks import run_task, workers

CHUNK = 16
"""Points surveyed and written by one task."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        files: number of question files.
        decided: number of questions that needed none.
        notes: what could not be written as asked, was rounded, or is left out.
    """

    files: int
    decided: int
    notes: tuple[str, ...]


def write_folder(
    problem: EnsembleProblem, folder: Path, form: Form = "mps", *, every: bool = False, jobs: int = 1
) -> Written:
    """Write every question that may be needed, and a manifest; all of it appears, or nothing does.

    Args:
        problem: the query.
        folder: where to; it does not exist yet, or is empty.
        form: of the question files; `vnnlib` is a folder for neural-network verifiers, in both versions.
        every: whether questions that the search for perturbations decides get files, too: a benchmark without
            them has hardly any feasible instance.
        jobs: processes that search, bound and write.

    Raises:
        Rejected: E1150 for a question about many radii, E1151 if the folder is taken, E0931 if the attacker's
            set is unbounded, E1153 if a file changed since the query was read, E1020 if something cannot be
            written; what the format cannot hold.
    """
    _require_one_radius(problem)
    fault = fault_of_place(folder)
    if fault is not None:
        reject("E1151", fault, help="questions go into a new folder, or an empty one")
    bounded_sets(problem)
    with appearing(folder) as temporary:
        (temporary / QUERY).mkdir()
        query = write_inputs(problem, temporary / QUERY)
        require_same(problem, query, "E1153", named="the query in the folder", whole="folder")
        (temporary / QUESTIONS).mkdir()
        with workers(problem, jobs) as pool:
            points = tuple(_points(problem, pool, temporary, form, every=every))
        notes: tuple[str, ...] = ()
        if form == "vnnlib":
            points, notes = _as_properties(problem, temporary, points)
        path = query.relative_to(temporary).as_posix()
        write_file(temporary / MANIFEST, [manifest_text(problem, path, form, points)])
    return _summary(problem, points, notes)


def _require_one_radius(problem: EnsembleProblem) -> None:
    if isinstance(problem.goal, MinimizeRadius | ProfileValue):
        reject(
            "E1150",
            "a goal about many radii is not answered by questions that are written beforehand",
            notes=("which radius is asked about next depends on the answers so far",),
            help="split a `check` or `maximize value` query about one radius, or let `ensc solve` ask",
        )


def _points(
    problem: EnsembleProblem, pool: Executor, folder: Path, form: Form, *, every: bool
) -> Iterator[Asked]:
    count = len(problem.points)
    if not all(is_attackable(problem, j) for j in range(count)):
        yield from (Asked((), (), ()) for _ in range(count))  # no attack at all: there is nothing to ask
        return
    chunks = [range(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    tasks = [pool.submit(run_task, ask_in_files, chunk, folder / QUESTIONS, form, every) for chunk in chunks]
    for task in tasks:
        yield from task.result()


def ask_in_files(
    problem: EnsembleProblem, points: Sequence[int], folder: Path, form: Form, every: bool
) -> tuple[Asked, ...]:
    """Survey some points and write the questions that stay open: a task, which may be repeated.

    VNN-LIB files are not written here, because they share networks and a list.
    """
    found = survey(problem, points)
    if every:
        found = [_without_search(problem, j, known) for j, known in zip(points, found, strict=True)]
    return tuple(
        _asked(problem, point, known, folder, form) for point, known in zip(points, found, strict=True)
    )


def _without_search(problem: EnsembleProblem, point: int, known: Knowledge) -> Knowledge:
    kept = at_rest(problem, point)
    for refutation in known.refutations:
        kept = with_refutation(kept, refutation)
    return kept


def _asked(problem: EnsembleProblem, point: int, known: Knowledge, folder: Path, form: Form) -> Asked:
    listed = listed_sets(known, len(problem.ensemble))
    files: dict[int, File] = {}
    part = at_points(problem, [point])
    for mask in listed:
        if not known.is_open(mask):
            continue
        model = instance(part, mask)
        if model is None:
            known = with_refutation(known, Refutation(mask, BOUNDS))
        else:
            files[mask] = _written(problem, point, mask, model, folder, form)
    entries = tuple(Entry(mask, (files[mask],) if known.is_open(mask) else ()) for mask in listed)
    return Asked(known.witnesses, known.refutations, entries)


def _written(problem: EnsembleProblem, point: int, mask: int, model: Model, folder: Path, form: Form) -> File:
    """Write one question; its name holds the point and the members, from 1, and nothing else."""
    numbers = "_".join(str(c + 1) for c in members_of(mask))
    width = len(str(len(problem.points)))
    name = f"q_{point + 1:0{width}}_{numbers}.{form}"
    if form != "vnnlib":
        write_file(folder / name, _content(replace(model, notes=_notes(problem, point, mask)), form))
        return _file(folder.parent, f"{QUESTIONS}/{name}")
    return File(f"{QUESTIONS}/{name}", "")


def _content(model: Model, form: Form) -> Iterator[bytes]:
    match form:
        case "mps":
            return iter(write_mps(linearize(model)))
        case "lp":
            return iter(write_lp(linearize(model)))
        case "smt2":
            values = [name for name in model.variables.names() if name.startswith("d_")]
            return write_smtlib(model, values=values)
        case "vnnlib":
            raise AssertionError("a folder of its own")
        case _:
            assert_never(form)


def _notes(problem: EnsembleProblem, point: int, mask: int) -> tuple[str, ...]:
    names = ", ".join(problem.ensemble[c].name for c in members_of(mask))
    return (
        *describe_problem(problem),
        f"question: does one perturbation of point {point + 1} fool all of: {names}?",
        "names: d_k perturbation of coordinate k; everything else follows from it",
    )


def _as_properties(
    problem: EnsembleProblem, folder: Path, points: Sequence[Asked]
) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
    """Write what is open as VNN-LIB instances."""
    pairs = [(j, e.mask) for j, asked in enumerate(points) for e in asked.questions if e.files]
    written = write_questions(problem, folder / QUESTIONS, [(j, members_of(mask)) for j, mask in pairs])
    hashed = {name: _file(folder, f"{QUESTIONS}/{name}") for name in written.files}
    stated = {
        pair: tuple(hashed[name] for name in dict.fromkeys(names))
        for pair, names in zip(pairs, written.instances, strict=True)
    }
    made = tuple(
        replace(
            asked, questions=tuple(replace(e, files=stated.get((j, e.mask), ())) for e in asked.questions)
        )
        for j, asked in enumerate(points)
    )
    return made, written.notes


def _file(folder: Path, path: str) -> File:
    return File(path, sha256_of(folder / path))


def _summary(problem: EnsembleProblem, points: Sequence[Asked], notes: tuple[str, ...]) -> Written:
    entries = [entry for asked in points for entry in asked.questions]
    files = sum(bool(entry.files) for entry in entries)
    if not is_complete(len(problem.ensemble)):
        left = "not all sets of so many members have files: answers to all of them may leave an interval"
        notes = (*notes, left)
    return Written(files, len(entries) - files, notes)
