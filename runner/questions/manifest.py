"""The manifest of a folder of questions: what is asked in which file, and what needs no asking.

The object is described by `questions.schema.json` beside this module, which has a version: a change that
breaks its readers gets a new one.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from ensc.compiler.passes.notes import goal_text
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Proof
from ensc.formats import folders
from ensc.runner.questions.choose import is_complete
from ensc.runner.reports.report import exact_text
from ensc.runner.split.patterns import Refutation, Witness, mask_of, members_of

SCHEMA = "ensc-questions-1"
REMEDY = "make the folder again; answers that are there already can be copied into the new one"
MANIFEST, QUERY, QUESTIONS = folders.MANIFEST, "query", "questions"

FOLDER = folders.FolderKind(
    "folder of questions",
    SCHEMA,
    "E1152",
    1 << 32,  # perturbations of many points with many inputs take room
    "ensc compile QUERY --split DIR",
    REMEDY,
)
"""What messages say of one that cannot be read."""

Form: TypeAlias = Literal["mps", "lp", "smt2", "vnnlib"]
FORMS: tuple[Form, ...] = get_args(Form)
"""Formats of the question files, by their suffix."""


_RATIONAL = re.compile(r"-?\d+(/\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the folder: its path with slashes, its SHA-256 in hexadecimal."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One question.

    Attributes:
        mask: the members to be fooled together.
        files: that state it, in the folder's format, and the networks that these name; none if it is decided.
    """

    mask: int
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a folder holds about one point.

    Attributes:
        witnesses: what was found without a solver; they are replayed whenever they are read.
        refutations: what bounds proved.
        questions: the sets of members that are listed, smallest first.
    """

    witnesses: tuple[Witness, ...]
    refutations: tuple[Refutation, ...]
    questions: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, as read.

    Attributes:
        query: path of the query in the folder.
        digest: of the problem that it states.
        form: of the question files.
        points: in the query's order.
    """

    query: str
    digest: str
    form: Form
    points: tuple[Asked, ...]


def manifest_text(problem: EnsembleProblem, query: str, form: Form, points: Sequence[Asked]) -> bytes:
    """Return the text of a manifest."""
    names = [member.name for member in problem.ensemble]
    content = {
        "schema": SCHEMA,
        "query": query,
        "digest": problem.digest,
        "goal": goal_text(problem.goal),
        "members": names,
        "format": form,
        "complete": is_complete(len(names)),
        "points": [_point(asked, names, j) for j, asked in enumerate(points)],
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _point(asked: Asked, names: Sequence[str], point: int) -> dict[str, object]:
    def named(mask: int) -> list[str]:
        return [names[c] for c in members_of(mask)]

    return {
        "point": point + 1,
        "witnesses": [
            {"members": named(w.mask), "by": w.source, "perturbation": " ".join(map(exact_text, w.delta))}
            for w in asked.witnesses
        ],
        "refutations": [
            {
                "members": named(r.mask),
                "by": r.proof.solver,
                "tolerance": r.proof.tolerance,
                "claim": r.proof.claim,
            }
            for r in asked.refutations
        ],
        "questions": [{"members": named(e.mask), **_state(asked, e)} for e in asked.questions],
    }


def _state(asked: Asked, entry: Entry) -> dict[str, object]:
    """Say whether a question is open, and where, or how it was decided without a solver."""
    if entry.files:
        return {"status": "open", "files": [{"path": f.path, "sha256": f.sha256} for f in entry.files]}
    for witness in asked.witnesses:
        if witness.mask & entry.mask == entry.mask:
            return {"status": "feasible", "by": witness.source}
    for refutation in asked.refutations:
        if refutation.mask & entry.mask == refutation.mask:
            return {"status": "infeasible", "by": refutation.proof.solver}
    raise AssertionError("a question without a file is decided")


# reading ---------------------------------------------------------------------------------------------


def read_manifest(folder: Path) -> tuple[Manifest, tuple[str, ...]]:
    """Read the manifest of a folder; return it, and the names of the ensemble's members.

    Raises:
        Rejected: E1152 if there is none, or it is damaged.
    """
    return folders.read_manifest(folder, FOLDER, _manifest)


def _manifest(content: dict[str, Any]) -> tuple[Manifest, tuple[str, ...]]:
    if content["schema"] != SCHEMA:
        raise ValueError
    names = tuple(str(name) for name in content["members"])
    form = FORMS[FORMS.index(content["format"])]
    points = tuple(_asked(point, names) for point in content["points"])
    return Manifest(folders.inside(content["query"]), str(content["digest"]), form, points), names


def _asked(content: dict[str, Any], names: tuple[str, ...]) -> Asked:
    def mask(entry: dict[str, Any]) -> int:
        return mask_of([names.index(name) for name in entry["members"]])

    return Asked(
        tuple(Witness(mask(w), _exact(w["perturbation"]), str(w["by"])) for w in content["witnesses"]),
        tuple(
            Refutation(mask(r), Proof(str(r["by"]), float(r["tolerance"]), str(r["claim"])))
            for r in content["refutations"]
        ),
        tuple(Entry(mask(e), tuple(_files(e))) for e in content["questions"]),
    )


def _exact(text: str) -> tuple[Fraction, ...]:
    words = text.split(" ")
    if not all(_RATIONAL.fullmatch(word) for word in words):  # `Fraction` would read 1e999999999, too
        raise ValueError
    return tuple(map(Fraction, words))


def _files(content: dict[str, Any]) -> Iterator[File]:
    for file in content.get("files", ()):
        yield File(folders.inside(file["path"]), str(file["sha256"]))
