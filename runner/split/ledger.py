"""What one run has to do with its journal: what it need not do again, and what it adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ensc.compiler.quoting import counted
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.split.answer import STAGES, Answer, Question
from ensc.runner.split.board import Board, learned
from ensc.runner.split.journal import Journal
from ensc.runner.split.patterns import Knowledge, with_refutation, with_witness
from ensc.runner.split.recall import Denied, Entry, point_keys, recalled, staged, to_record


@dataclass(frozen=True, slots=True)
class Look:
    """How far the survey of a point has come.

    Attributes:
        known: what it has found out.
        stages: number of its stages that are done.
    """

    known: Knowledge
    stages: int


class Ledger:
    """The side of a run that reads and writes a journal; without one it does nothing.

    Attributes:
        entries: what earlier runs found out, for each point.
        wrong: how many of their claims about these points turned out to be wrong.
    """

    def __init__(self, problem: EnsembleProblem, journal: Journal | None, solvers: str) -> None:
        """Read what the journal says about a query, and replay it exactly.

        Args:
            problem: the query.
            journal: where, if anywhere.
            solvers: that are asked in this run.
        """
        self._problem, self._journal, self._solvers = problem, journal, solvers
        self._keys: tuple[str, ...] = ()
        self.entries: list[list[Entry]] = [[] for _ in problem.points.labels]
        self.wrong = 0
        if journal is not None:
            self._keys = point_keys(problem)
            self.entries, self.wrong = recalled(problem, self._keys, journal.records, solvers)

    def note(self, entries: Sequence[tuple[int, Entry]]) -> None:
        """Write what was found out about points."""
        if self._journal is not None:
            self._journal.append([to_record(self._keys[j], entry) for j, entry in entries])

    def note_survey(self, points: Sequence[int], found: Sequence[Knowledge], radius: Fraction) -> None:
        """Write what a survey found out."""
        self.note(
            [
                (j, Entry("survey", radius, found=known.witnesses, denied=denied(known, radius)))
                for j, known in zip(points, found, strict=True)
            ]
        )

    def note_stage(
        self,
        points: Sequence[int],
        before: Sequence[Knowledge],
        found: Sequence[Knowledge],
        radius: Fraction,
        stage: int,
    ) -> None:
        """Write what one stage of a survey added; the last one writes the whole survey."""
        if stage == STAGES - 1:
            self.note_survey(points, found, radius)
            return
        entries = []
        for j, old, known in zip(points, before, found, strict=True):
            witnesses = tuple(w for w in known.witnesses if w not in old.witnesses)
            refuted = tuple(d for d in denied(known, radius) if d.refutation not in old.refutations)
            entries.append((j, Entry(staged(stage), radius, found=witnesses, denied=refuted)))
        self.note(entries)

    def note_answer(self, answer: Answer) -> None:
        """Write what came of a question at the query's own radius."""
        radius, question = self._problem.threat.radius, answer.question
        entry = Entry(
            "ask",
            radius,
            question.mask,
            () if answer.witness is None else (answer.witness,),
            () if answer.refutation is None else (Denied(answer.refutation, radius, closed=True),),
            self._solvers,
            answer.why,
            answer.timely,
            question.seconds,
        )
        self.note([(question.point, entry)])

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is to be said about the journal beside the answer."""
        said = []
        if self.wrong:
            claims = counted(self.wrong, "claim")
            said.append(f"{claims} of the journal did not survive exact replay and are left out")
        unsaved = None if self._journal is None else self._journal.unsaved
        if unsaved is not None:
            said.append(f"not everything found out is in the journal, which could not be written: {unsaved}")
        return tuple(said)


def denied(known: Knowledge, radius: Fraction) -> tuple[Denied, ...]:
    """Return the refutations of a point, as made in a ball."""
    return tuple(Denied(refutation, radius, closed=True) for refutation in known.refutations)


def resumed(board: Board, ledger: Ledger, radius: Fraction) -> tuple[Board, list[Look], int]:
    """Add what a journal knows at a radius.

    Returns:
        The board, how far each point's survey has come, and how many questions to solvers need not be asked
        again.
    """
    looks, answered = [], 0
    for j, entries in enumerate(ledger.entries):
        looks.append(_look(board.points[j], [entry for entry in entries if entry.radius == radius]))
        for entry in entries:
            answered += entry.did == "ask" and entry.radius == radius
            for answer in _answers(j, entry, radius):
                board = learned(board, answer)
    return board, looks, answered


def _look(nothing: Knowledge, entries: Sequence[Entry]) -> Look:
    """Return what the stages of a survey found that follow each other without a gap."""
    known = nothing
    if any(entry.did == "survey" for entry in entries):
        return Look(known, STAGES)
    for stage in range(STAGES - 1):
        entry = next((entry for entry in entries if entry.did == staged(stage)), None)
        if entry is None:
            return Look(known, stage)
        for witness in entry.found:
            known, _ = with_witness(known, witness)
        for denial in entry.denied:
            known = with_refutation(known, denial.refutation)
    return Look(known, STAGES - 1)


def _answers(point: int, entry: Entry, radius: Fraction) -> list[Answer]:
    """Return an entry as answers: each perturbation and refutation for itself, or the question left open."""
    found = [Answer(Question(point, w.mask, None), w) for w in entry.found]
    said = [d.refutation for d in entry.denied if d.covers(radius)]
    refuted = [Answer(Question(point, r.mask, None), refutation=r) for r in said]
    if entry.did == "ask" and entry.why and entry.radius == radius:
        question = Question(point, entry.mask, entry.seconds)
        refuted.append(Answer(question, why=entry.why, timely=entry.timely))
    return [*found, *refuted]


def patience_of(ledger: Ledger, least: float) -> float:
    """Return how long questions were given at last: less would be too little again."""
    given = [e.seconds for entries in ledger.entries for e in entries if e.timely and e.seconds is not None]
    return max([least, *given])
