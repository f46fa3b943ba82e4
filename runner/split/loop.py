"""The loop: survey every point, then ask what the upper bound leans on until the interval says enough."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

import numpy as np

from ensc.compiler.passes.scopes.duplicates import first_of_kind
from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.split.answer import (
    STAGES,
    Answer,
    Backend,
    Question,
    is_attackable,
    solve_by_cbc,
    surveyed,
)
from ensc.runner.split.ask import ask
from ensc.runner.split.board import Board, Standing, leaning, learned, loosened, standing
from ensc.runner.split.journal import Journal
from ensc.runner.split.ledger import Ledger, Look, patience_of, resumed
from ensc.runner.split.patterns import Knowledge, unknown
from ensc.runner.split.tasks import abandon, run_task, workers

CHUNK = 16
"""Points surveyed by one task."""

PATIENCE, MORE = 20.0, 4.0
"""Seconds a question gets at first, and how many times as many when nothing else is left to ask."""

RESTARTS = 5
"""How often in a row dying workers are replaced while nothing gets done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is said while the loop runs.

    Attributes:
        points: of the query.
        surveyed: number of points that were surveyed; a stage counts as a part of a point.
        decided: number of points without open patterns.
        open: number of maximal patterns that are open.
        asked: number of questions that were answered.
        recalled: number of questions whose answer was in the journal.
        lower: of the interval, None before there is one.
        upper: likewise.
    """

    points: int
    surveyed: int
    decided: int
    open: int
    asked: int
    recalled: int
    lower: Fraction | None
    upper: Fraction | None


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """How to split.

    Attributes:
        jobs: processes.
        time_limit: seconds for everything, none if None.
        query_time_limit: seconds for one question, none if None: then hard questions wait until easier ones
            are answered.
        most_questions: the loop ends after as many; none if None.
        backend: what answers a question.
        solvers: who that is, names and versions; a journal's refutations count if they are of the same.
        pool: provides what runs tasks about a query, so many at a time.
        progress: told after every step.
        journal: where finished work is written, and read again.
    """

    jobs: int = 1
    time_limit: float | None = None
    query_time_limit: float | None = None
    most_questions: int | None = None
    backend: Backend = solve_by_cbc
    solvers: str = "cbc"
    pool: Callable[[EnsembleProblem, int], AbstractContextManager[Executor]] = workers
    progress: Callable[[Progress], None] | None = None
    journal: Journal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a loop found.

    Attributes:
        board: all that is known.
        standing: the master's answer to it; None if no perturbation at all is admissible at some point.
        asked: number of questions that went to a solver.
        reasons: why the loop ended before the query was decided.
        recalled: number of questions whose answer was in the journal.
        doubts: what is to be said about the journal.
        seconds: wall-clock time of each stage.
    """

    board: Board
    standing: Standing | None
    asked: int
    reasons: tuple[str, ...]
    recalled: int = 0
    doubts: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


INTERRUPTED = "interrupted"
"""The reason of a loop that was told to stop."""


def play(problem: EnsembleProblem, settings: SplitSettings) -> Outcome:
    """Run the loop.

    Ctrl-C ends the children and returns what is known.

    Raises:
        Rejected: E0931 if the attacker's set is unbounded; what the backend rejects.
    """
    bounded_sets(problem)
    board = Board(tuple(unknown(len(problem.ensemble)) for _ in problem.points.labels))
    stranded = [j for j in range(len(problem.points)) if not is_attackable(problem, j)]
    if stranded:
        return Outcome(board, None, 0, (_stranded(stranded),))
    return _Loop(problem, settings).run(board)


def _stranded(points: list[int]) -> str:
    return f"point {points[0] + 1} lies so far outside the domain that no perturbation brings it inside"


class _Loop:
    """One run; it keeps the clock and what has been learned so far, so that an interruption loses nothing."""

    def __init__(self, problem: EnsembleProblem, settings: SplitSettings) -> None:
        self._problem, self._settings = problem, settings
        limit = settings.time_limit
        self._end = None if limit is None else time.monotonic() + limit
        self._asked = self._recalled = 0
        self._patience = PATIENCE
        self._looks = [Look(unknown(len(problem.ensemble)), 0) for _ in problem.points.labels]
        self._is_surveyed = False
        self._stood: tuple[Board, Standing] | None = None
        self._first = first_of_kind(problem.points)
        self._running: dict[Future[Answer], Question] = {}
        self._suspects: Counter[tuple[int, int]] = Counter()
        self._seconds = {"recall": 0.0, "survey": 0.0, "ask": 0.0}
        self._ledger = Ledger(problem, None, settings.solvers)

    def run(self, board: Board) -> Outcome:
        self._board = board
        try:
            self._recall()
            reasons = self._repeated()
        except KeyboardInterrupt:
            reasons = (INTERRUPTED,)
        now = self._standing()
        return Outcome(
            self._board,
            now,
            self._asked,
            () if now.decided else reasons,
            self._recalled,
            self._ledger.doubts,
            {stage: seconds for stage, seconds in self._seconds.items() if seconds},
        )

    def _recall(self) -> None:
        journal, solvers = self._settings.journal, self._settings.solvers
        if journal is None:
            return
        start = time.perf_counter()
        self._ledger = Ledger(self._problem, journal, solvers)
        found = resumed(self._board, self._ledger, self._problem.threat.radius)
        self._board, self._looks, self._recalled = found
        self._patience = patience_of(self._ledger, PATIENCE)
        self._seconds["recall"] = time.perf_counter() - start

    def _repeated(self) -> tuple[str, ...]:
        """Run; where a worker process dies, go on with new ones, without what has been answered."""
        died, before = 0, -1
        while died < RESTARTS:
            try:
                with self._settings.pool(self._problem, self._settings.jobs) as pool:
                    return self._timed("survey", pool) or self._timed("ask", pool)
            except BrokenExecutor:
                self._blame()
                done = self._asked + self._stages_done()
                died = died + 1 if done == before else 1
                before = done
        return (f"worker processes died {RESTARTS} times in a row",)

    def _timed(self, stage: str, pool: Executor) -> tuple[str, ...]:
        start = time.perf_counter()
        try:
            return self._survey(pool) if stage == "survey" else self._ask(pool)
        finally:
            self._seconds[stage] += time.perf_counter() - start

    def _survey(self, pool: Executor) -> tuple[str, ...]:
        """Survey the points, one stage after the other, until the query is decided."""
        for stage in range(STAGES):
            if all(known.witnesses for known in self._board.points) and self._standing().decided:
                self._is_surveyed = True
                return ()
            late = self._survey_stage(pool, stage)
            if late:
                return late
        return ()

    def _survey_stage(self, pool: Executor, stage: int) -> tuple[str, ...]:
        left = [j for j in sorted(set(self._first.tolist())) if self._looks[j].stages == stage]
        size = max(1, min(CHUNK, -(-len(left) // max(1, self._settings.jobs))))
        chunks = iter([tuple(left[i : i + size]) for i in range(0, len(left), size)])
        running: dict[Future[list[Knowledge]], tuple[int, ...]] = {}
        while not self._is_late():
            for chunk in islice(chunks, max(0, 2 * self._settings.jobs - len(running))):
                known = [self._looks[j].known for j in chunk]
                running[pool.submit(run_task, surveyed, chunk, known, stage)] = chunk
            if not running:
                return ()
            done, _ = wait(running, self._left(), FIRST_COMPLETED)
            for future in sorted(done, key=_is_failed):
                found = future.result()
                self._place(running.pop(future), found, stage)
        abandon(pool)
        return ("the time limit was reached while points were surveyed",)

    def _place(self, chunk: Sequence[int], found: list[Knowledge], stage: int) -> None:
        """A point may be known from the journal at other radii: what is new is added to it."""
        before = [self._looks[j].known for j in chunk]
        pairs = [(j, known) for first, known in zip(chunk, found, strict=True) for j in self._same(first)]
        points = list(self._board.points)
        alone = [j for j, _ in pairs if points[j] == self._looks[j].known]
        for j, known in pairs:
            if j in alone:
                points[j] = known
        self._board = dataclasses.replace(self._board, points=tuple(points))
        for j, known in pairs:
            if j not in alone:
                self._board = _joined(self._board, j, known)
            self._looks[j] = Look(known, stage + 1)
        self._ledger.note_stage(chunk, before, found, self._problem.threat.radius, stage)
        self._tell(None)

    def _ask(self, pool: Executor) -> tuple[str, ...]:
        running = self._running = {}
        while True:
            now = self._standing()
            self._tell(now)
            if now.decided:
                break
            if self._is_late():
                abandon(pool)
                return ("the time limit was reached",)
            if self._settings.most_questions is not None and self._asked >= self._settings.most_questions:
                abandon(pool)
                return ("as many questions were asked as was allowed",)
            for question in self._questions(now):
                running[pool.submit(run_task, ask, question, self._settings.backend)] = question
            if not running:
                if not self._is_patient():
                    return _why_stuck(self._board)
                continue
            done, _ = wait(running, self._left(), FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: (_is_failed(f), running[f].point, running[f].mask)):
                answer = future.result()
                del running[future]
                self._learn(answer)
        abandon(pool)
        return ()

    def _standing(self) -> Standing:
        """Solve the master, unless nothing has been learned since."""
        if self._stood is None or self._stood[0] is not self._board:
            self._stood = self._board, standing(self._problem, self._board)
        return self._stood[1]

    def _stages_done(self) -> int:
        return sum(look.stages for look in self._looks)

    def _same(self, point: int) -> list[int]:
        """Return the points with the same input and label: one answer serves them all."""
        same: list[int] = np.flatnonzero(self._first == self._first[point]).tolist()
        return same

    def _learn(self, answer: Answer) -> None:
        for point in self._same(answer.question.point):
            question = dataclasses.replace(answer.question, point=point)
            self._board = learned(self._board, dataclasses.replace(answer, question=question))
        self._asked += 1
        self._ledger.note_answer(answer)

    def _questions(self, now: Standing) -> Iterator[Question]:
        """Choose what is asked next; a question that was asked when workers died is asked alone."""
        asked = {(q.point, q.mask) for q in self._running.values()}
        if any(self._suspects[pair] for pair in asked):
            return
        leant = ((int(self._first[point]), mask) for point, mask in leaning(self._board, now))
        wanted = dict.fromkeys(pair for pair in leant if pair not in asked)
        for pair in islice(wanted, max(0, self._settings.jobs - len(asked))):
            if self._suspects[pair]:
                if not self._running:
                    yield Question(*pair, self._given())
                return
            yield Question(*pair, self._given())

    def _blame(self) -> None:
        """Of what was asked when workers died, keep the answers; what killed them twice stays open."""
        for future, question in self._running.items():
            if future.done() and not _is_failed(future):
                self._learn(future.result())
                continue
            pair = question.point, question.mask
            self._suspects[pair] += 1
            if self._suspects[pair] > 1:
                self._learn(Answer(question, why="the process that asked died, each time it was asked"))
        self._running = {}

    def _given(self) -> float | None:
        limits = [self._patience, self._settings.query_time_limit, self._left()]
        return max(0.1, min(limit for limit in limits if limit is not None))

    def _is_patient(self) -> bool:
        """Give questions that ran out of time more of it; False where that is no use."""
        cap = self._settings.query_time_limit
        timed_out = any(timely for known in self._board.points for *_, timely in known.stuck)
        if not timed_out or self._board.liars or (cap is not None and self._patience >= cap):
            return False
        if self._patience > 1e6:
            return False
        self._patience *= MORE
        self._board = loosened(self._board)
        return True

    def _left(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def _is_late(self) -> bool:
        return self._left() == 0.0

    def _tell(self, now: Standing | None) -> None:
        if self._settings.progress is None:
            return
        lower = None if now is None or now.lower.mix is None else now.lower.mix.optimum
        upper = None if now is None else now.upper.bound
        left = [sum(map(known.is_open, known.possible)) for known in self._board.points]
        progress = Progress(
            len(left),
            len(left) if self._is_surveyed else self._stages_done() // STAGES,
            left.count(0),
            sum(left),
            self._asked,
            self._recalled,
            lower,
            upper,
        )
        self._settings.progress(progress)


def _is_failed(future: "Future[list[Knowledge]] | Future[Answer]") -> bool:
    """Results come before errors: one worker's death must not take along what another has finished."""
    return future.cancelled() or future.exception() is not None


def _joined(board: Board, point: int, known: Knowledge) -> Board:
    """Add what a survey found out to what was known before."""
    for witness in known.witnesses:
        board = learned(board, Answer(Question(point, witness.mask, None), witness))
    for refutation in known.refutations:
        board = learned(board, Answer(Question(point, refutation.mask, None), refutation=refutation))
    return board


def _why_stuck(board: Board) -> tuple[str, ...]:
    stuck = [(j, why) for j, known in enumerate(board.points) for _, why, _ in known.stuck]
    if not stuck:
        return ("the best mixture of so few attacks was not found among very many",)
    j, why = stuck[0]
    return (f"{len(stuck)} questions have no answer; at point {j + 1}: {why}",)
