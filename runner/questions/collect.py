"""Whatever answers have appeared in a folder of questions, to the interval and verdict that they support.

Perturbations count after repair and exact replay, whoever claims them. An infeasibility counts in the name of
the format that it was read from, unless another answer to the same question claims the opposite, or a replay
refutes it or any other claim of that name. Whatever cannot be read is named and left out.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ensc.compiler.diagnostics import reject
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.quoting import counted, listed, shown
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Solution, Status
from ensc.runner.exact.certify import is_admissible
from ensc.runner.exact.replay import agreement
from ensc.runner.questions.answers import Answered, Broken, Claim, read_answers, strays
from ensc.runner.questions.manifest import MANIFEST, REMEDY, Manifest, read_manifest
from ensc.runner.split.answer import Answer, Question, at_points, at_rest, is_attackable, replayed_witness
from ensc.runner.split.ask import replayed
from ensc.runner.split.board import Board, Standing, leaning, learned, standing
from ensc.runner.split.conclude import concluded
from ensc.runner.split.patterns import (
    Knowledge,
    Refutation,
    Witness,
    with_refutation,
    with_witness,
)
from ensc.runner.split.settings import Outcome
from ensc.runner.verdicts.result import Result

MOST_NAMED = 5
"""Files that one sentence names."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """What a folder amounts to so far.

    Attributes:
        result: the answer to the query, with the interval so far.
        answered: number of questions that were answered, rightly or not.
        unneeded: files of unanswered questions whose answer follows from others, or no longer matters.
        open: files of questions that an answer is still wanted to, the most useful first.
    """

    result: Result
    answered: int
    unneeded: tuple[str, ...]
    open: tuple[str, ...]


def collect(folder: Path) -> Collected:
    """Read a folder of questions and all answers that are in it.

    Raises:
        Rejected: E1152 if the folder has no manifest or a damaged one, E1153 if its query is not the one that
            the questions are about; what loading a query rejects.
    """
    start = time.perf_counter()
    manifest, names = read_manifest(folder)
    problem = load_problem(folder / manifest.query).problem
    _require_same(problem, manifest, names)
    bounded_sets(problem)
    read = tuple(read_answers(problem, folder, manifest))
    board, doubts = _learned(problem, _known(problem, manifest), read)
    notes = (*_broken(read, strays(folder, manifest)), *doubts)
    if not all(is_attackable(problem, j) for j in range(len(problem.points))):
        stranded = "a point lies so far outside the domain that no perturbation brings it inside"
        return _collected(problem, Outcome(board, None, 0, (*notes, stranded)), read, (), (), start)
    now = standing(problem, board)
    still, unneeded = _open(board, now, read)
    answered = sum(any(isinstance(a, Claim) for a in each.answers) for each in read)
    reasons = () if now.decided else (_remaining(still, read),)
    outcome = Outcome(board, now, answered, (*notes, *reasons))
    return _collected(problem, outcome, read, unneeded, still, start)


def _collected(
    problem: EnsembleProblem,
    outcome: Outcome,
    read: Sequence[Answered],
    unneeded: tuple[str, ...],
    still: tuple[str, ...],
    start: float,
) -> Collected:
    verdict = concluded(problem, outcome)
    agreed = agreement(problem, verdict)
    message = f"collected: {outcome.asked} of {counted(len(read), 'question')} answered"
    seconds = {"collect": time.perf_counter() - start}
    result = Result(problem, verdict, Solution(Status.UNKNOWN, {}, message=message), agreed, seconds)
    return Collected(result, outcome.asked, unneeded, still)


def _require_same(problem: EnsembleProblem, manifest: Manifest, names: tuple[str, ...]) -> None:
    if problem.digest != manifest.digest:
        reject(
            "E1153",
            "the query in the folder is not the one that its questions are about",
            notes=(f"digests {problem.digest[:16]}... and {shown(manifest.digest[:16])}...",),
            help="restore the files of the query, or make the folder again",
        )
    fits = (
        names == tuple(member.name for member in problem.ensemble)
        and len(manifest.points) == len(problem.points)
        and all(len(w.delta) == problem.inputs for asked in manifest.points for w in asked.witnesses)
        and all(r.mask for asked in manifest.points for r in asked.refutations)
        and all(e.mask for asked in manifest.points for e in asked.questions)
    )
    if not fits:
        reject(
            "E1152",
            f"`{MANIFEST}` does not fit the query beside it",
            help=REMEDY,
        )


# what is known ---------------------------------------------------------------------------------------


def _known(problem: EnsembleProblem, manifest: Manifest) -> Board:
    """Return what was known when the folder was made; perturbations are replayed again."""
    return Board(tuple(_knowledge(problem, manifest, j) for j in range(len(problem.points))))


def _knowledge(problem: EnsembleProblem, manifest: Manifest, point: int) -> Knowledge:
    known = at_rest(problem, point)
    for witness in manifest.points[point].witnesses:
        if is_admissible(problem, point, witness.delta):
            again = replayed_witness(problem, point, witness.delta, witness.source)
            known, _ = with_witness(known, again)
    for refutation in manifest.points[point].refutations:
        known = with_refutation(known, refutation)
    return known


def _learned(
    problem: EnsembleProblem, board: Board, read: Sequence[Answered]
) -> tuple[Board, tuple[str, ...]]:
    """Add all answers; return what is known then, and doubts about some answers in words."""
    doubts: list[str] = []
    for each in read:
        claims = [answer for answer in each.answers if isinstance(answer, Claim)]
        witness, doubted = _witness(problem, board.points[each.point], each, claims)
        refuting = [claim for claim in claims if claim.solution.status is Status.INFEASIBLE]
        if doubted and refuting:
            doubts.append(_disagreement(doubted, refuting))
        else:
            doubts += [f"{claim.file}: its point does not survive exact replay" for claim in doubted]
        question = Question(each.point, each.entry.mask, None)
        if witness is not None:
            board = learned(board, Answer(question, witness))
        for claim in () if doubted else refuting:
            if claim.proof is not None:
                board = learned(board, Answer(question, refutation=_refutation(each, claim)))
    return board, tuple(doubts)


def _witness(
    problem: EnsembleProblem, known: Knowledge, each: Answered, claims: Sequence[Claim]
) -> tuple[Witness | None, list[Claim]]:
    """Return a perturbation that a claim led to, and the claims whose points do not do what they should.

    Once a perturbation is known, or a claim's own point turned out right, no other is replayed.
    """
    mask = each.entry.mask
    part = at_points(problem, [each.point])
    best: Witness | None = None
    doubted: list[Claim] = []
    for claim in claims:
        if known.is_feasible(mask):
            break
        if claim.solution.status is Status.INFEASIBLE or not _has_point(claim):
            continue
        witness = replayed(part, mask, claim.solution, claim.proof)
        if witness is not None and witness.mask & mask == mask:
            return Witness(witness.mask, witness.delta, claim.file), []
        best = best or witness
        doubted.append(claim)
    return best and Witness(best.mask, best.delta, "repair"), doubted


def _has_point(claim: Claim) -> bool:
    """Return whether an answer claims a point, or has one all the same: only replay decides its worth."""
    claims_one = claim.solution.status in {Status.OPTIMAL, Status.FEASIBLE}
    return claims_one or any(name.startswith("d_") for name in claim.solution.values)


def _refutation(each: Answered, claim: Claim) -> Refutation:
    assert claim.proof is not None
    return Refutation(each.entry.mask, claim.proof)


def _disagreement(doubted: Sequence[Claim], refuting: Sequence[Claim]) -> str:
    return (
        f"{doubted[0].file} claims a point that does not survive exact replay, {refuting[0].file} claims "
        "that there is none: they disagree, and neither is believed"
    )


def _broken(read: Sequence[Answered], others: Sequence[str]) -> Iterator[str]:
    for each in read:
        for answer in each.answers:
            if isinstance(answer, Broken):
                yield f"ignored {answer.file}: {answer.why}"
    yield from (f"ignored {shown(name)}: it is named after no question" for name in others)


# what is left ----------------------------------------------------------------------------------------


def _open(board: Board, now: Standing, read: Sequence[Answered]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files of questions that are still to be answered, and of those that need no answer."""
    files = {(each.point, each.entry.mask): each.entry.files[0].path for each in read}
    silent = [
        (each.point, each.entry.mask)
        for each in read
        if not any(isinstance(answer, Claim) for answer in each.answers)
    ]
    still = [] if now.decided else [pair for pair in files if board.points[pair[0]].is_open(pair[1])]
    first = [] if now.decided else [pair for pair in leaning(board, now) if pair in files]
    order = dict.fromkeys([*first, *still])
    unneeded = tuple(files[pair] for pair in silent if pair not in order)
    return tuple(files[pair] for pair in order), unneeded


def _remaining(still: Sequence[str], read: Sequence[Answered]) -> str:
    if not still:
        return "the answers to all questions in the folder leave an interval"
    return f"{len(still)} of {counted(len(read), 'question')} open: {listed(still, most=MOST_NAMED)}"
