"""The answers beside the question files: whatever has appeared, claims and rubbish alike.

An answer to `q_1_2.mps` is any other file whose name starts with `q_1_2.`, such as `q_1_2.sol`,
`q_1_2.highs.sol` or `q_1_2.out.gz`; several solvers may answer one question.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path, PurePosixPath

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.formats import read_file, read_lp, read_mps
from ensc.formats.folders import sha256_of
from ensc.formats.vnnlib.results import read_result
from ensc.runner.questions.manifest import Entry, File, Form, Manifest
from ensc.runner.solvers.claims import TOLERANCE, read_answer

COMPRESSED = (".gz", ".bz2", ".xz")


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer that was read.

    Attributes:
        file: path in the folder.
        solution: what it says; values of a perturbation are `d_1`, `d_2`, ....
        proof: what an infeasibility rests on, if it claims one.
    """

    file: str
    solution: Solution
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that is no answer.

    Attributes:
        file: path in the folder.
        why: in words.
    """

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to one question.

    Attributes:
        point: 0-based.
        entry: the question.
        answers: in the order of their names.
    """

    point: int
    entry: Entry
    answers: tuple[Claim | Broken, ...]


def read_answers(problem: EnsembleProblem, folder: Path, manifest: Manifest) -> Iterator[Answered]:
    """Read the answers to every question that has files, in the manifest's order."""
    beside = cache(lambda name: _by_stem(folder, name))
    whole = cache(lambda file: _is_whole(folder, file))
    for point, asked in enumerate(manifest.points):
        for entry in asked.questions:
            if entry.files:
                stated = [f for f in entry.files if _suffix(f.path) == manifest.form]
                answers = tuple(
                    _checked(_read(problem, point, folder, file, name, manifest.form), entry.files, whole)
                    for file in stated
                    for name in beside(str(PurePosixPath(file.path).parent)).get(_stem(file.path), ())
                    if name not in {f.path for f in entry.files}
                )
                yield Answered(point, entry, answers)


def strays(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return the files beside the questions that are about none of them, ascending."""
    files = [f.path for asked in manifest.points for e in asked.questions for f in e.files]
    stems = {
        (str(PurePosixPath(path).parent), _stem(path)) for path in files if _suffix(path) == manifest.form
    }
    places = sorted({place for place, _ in stems})
    return tuple(
        name
        for place in places
        for stem, names in sorted(_by_stem(folder, place).items())
        if (place, stem) not in stems
        for name in names
    )


def _by_stem(folder: Path, place: str) -> Mapping[str, Sequence[str]]:
    """Return the files of a folder by what their names have before the first point."""
    found: dict[str, list[str]] = {}
    where = folder / place
    for path in sorted(where.iterdir()) if where.is_dir() else ():
        if path.is_file():
            found.setdefault(path.name.split(".", 1)[0], []).append(f"{place}/{path.name}")
    return found


def _stem(path: str) -> str:
    return PurePosixPath(path).name.split(".", 1)[0]


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.removeprefix(".")


def _is_whole(folder: Path, file: File) -> bool:
    """Return whether a file is the one that was written."""
    try:
        return sha256_of(folder / file.path) == file.sha256
    except OSError:
        return False


def _read(
    problem: EnsembleProblem, point: int, folder: Path, question: File, name: str, form: Form
) -> Claim | Broken:
    try:
        text = read_file(folder / name, noun="solution file")
        if form == "vnnlib":
            return _of_verifier(problem, point, name, read_result(text, name))
        return Claim(name, *_of_solver(text, name, folder / question.path, form))
    except Rejected as rejected:
        first = rejected.diagnostics[0]
        return Broken(name, f"{first.message} [{first.code}]")


def _of_solver(text: str, name: str, question: Path, form: Form) -> tuple[Solution, Proof | None]:
    """Read a solver's answer; one that has only positions needs the names of the question's columns."""
    try:
        return read_answer(text, name)
    except Rejected as rejected:
        if rejected.diagnostics[0].code != "E1256" or form == "smt2":
            raise
    draft = read_file(question)
    model = read_mps(draft, question.name) if form == "mps" else read_lp(draft, question.name)
    return read_answer(text, name, columns=model.variables.names())


def _of_verifier(problem: EnsembleProblem, point: int, name: str, said: Solution) -> Claim:
    """Turn a counterexample into a perturbation; a verifier's tolerance is not stated either."""
    x = problem.points.exact(point)
    values = {
        f"d_{k + 1}": Fraction(said.values[f"X_{k}"]) - v for k, v in enumerate(x) if f"X_{k}" in said.values
    }
    claim = "the property holds, as read from a file; its tolerance is not stated, 1e-06 is assumed"
    proof = Proof("a verifier", TOLERANCE, claim) if said.status is Status.INFEASIBLE else None
    return Claim(name, Solution(said.status, values, message=said.message), proof)


def _checked(
    answer: Claim | Broken, files: Sequence[File], is_whole: Callable[[File], bool]
) -> Claim | Broken:
    """An infeasibility is believed only about the question that was asked."""
    if isinstance(answer, Broken) or answer.proof is None or answer.solution.status is not Status.INFEASIBLE:
        return answer
    changed = [file.path for file in files if not is_whole(file)]
    if changed:
        return Broken(answer.file, f"it refutes a question whose file `{changed[0]}` is not the one written")
    return answer
