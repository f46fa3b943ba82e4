"""The loop: survey every point, then ask what the upper bound leans on until the interval says enough."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.split.answer import Answer, Backend, Question, ask, is_attackable, solve_by_cbc, survey
from ensc.runner.split.board import Board, Standing, leaning, learned, loosened, standing
from ensc.runner.split.patterns import Knowledge, unknown
from ensc.runner.split.tasks import abandon, run_task, workers

CHUNK = 16
"""Points surveyed by one task."""

PATIENCE, MORE = 20.0, 4.0
"""Seconds a question gets at first, and how many times as many when nothing else is left to ask."""

RESTARTS = 5
"""How often dying workers are replaced."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is said while the loop runs.

    Attributes:
        surveyed: number of points that were surveyed.
        asked: number of questions that were answered.
        lower: of the interval, None before there is one.
        upper: likewise.
    """

    surveyed: int
    asked: int
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
        progress: told after every step.
    """

    jobs: int = 1
    time_limit: float | None = None
    query_time_limit: float | None = None
    most_questions: int | None = None
    backend: Backend = solve_by_cbc
    progress: Callable[[Progress], None] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a loop found.

    Attributes:
        board: all that is known.
        standing: the master's answer to it; None if no perturbation at all is admissible at some point.
        asked: number of questions that went to a solver.
        reasons: why the loop ended before the query was decided.
    """

    board: Board
    standing: Standing | None
    asked: int
    reasons: tuple[str, ...]


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
        self._asked = self._surveyed = 0
        self._patience = PATIENCE
        self._done: set[int] = set()

    def run(self, board: Board) -> Outcome:
        self._board = board
        try:
            reasons = self._repeated()
        except KeyboardInterrupt:
            reasons = ("interrupted",)
        now = standing(self._problem, self._board)
        return Outcome(self._board, now, self._asked, () if now.decided else reasons)

    def _repeated(self) -> tuple[str, ...]:
        """Run; where a worker process dies, go on with new ones, without what has been answered."""
        for _ in range(RESTARTS):
            try:
                with workers(self._problem, self._settings.jobs) as pool:
                    return self._survey(pool) or self._ask(pool)
            except BrokenExecutor:
                continue
        return (f"worker processes died {RESTARTS} times",)

    def _survey(self, pool: Executor) -> tuple[str, ...]:
        count = len(self._problem.points)
        size = min(CHUNK, -(-count // max(1, self._settings.jobs)))
        starts = [i for i in range(0, count, size) if i not in self._done]
        chunks = iter([range(i, min(i + size, count)) for i in starts])
        running: dict[Future[list[Knowledge]], range] = {}
        while not self._is_late():
            for chunk in islice(chunks, max(0, 2 * self._settings.jobs - len(running))):
                running[pool.submit(run_task, survey, chunk)] = chunk
            if not running:
                return ()
            done, _ = wait(running, self._left(), FIRST_COMPLETED)
            for future in done:
                self._place(running.pop(future), future.result())
        abandon(pool)
        return ("the time limit was reached while points were surveyed",)

    def _place(self, chunk: range, found: list[Knowledge]) -> None:
        points = list(self._board.points)
        points[chunk.start : chunk.stop] = found
        self._board = dataclasses.replace(self._board, points=tuple(points))
        self._surveyed += len(found)
        self._done.add(chunk.start)
        self._tell(None)

    def _ask(self, pool: Executor) -> tuple[str, ...]:
        running: dict[Future[Answer], Question] = {}
        while True:
            now = standing(self._problem, self._board)
            self._tell(now)
            if now.decided:
                break
            if self._is_late():
                abandon(pool)
                return ("the time limit was reached",)
            if self._settings.most_questions is not None and self._asked >= self._settings.most_questions:
                abandon(pool)
                return ("as many questions were asked as was allowed",)
            for question in self._questions(now, set(running.values())):
                running[pool.submit(run_task, ask, question, self._settings.backend)] = question
            if not running:
                if not self._is_patient():
                    return _why_stuck(self._board)
                continue
            done, _ = wait(running, self._left(), FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: (running[f].point, running[f].mask)):
                del running[future]
                self._board = learned(self._board, future.result())
                self._asked += 1
        abandon(pool)
        return ()

    def _questions(self, now: Standing, running: set[Question]) -> Iterator[Question]:
        asked = {(q.point, q.mask) for q in running}
        wanted = dict.fromkeys(pair for pair in leaning(self._board, now) if pair not in asked)
        for point, mask in islice(wanted, max(0, self._settings.jobs - len(running))):
            yield Question(point, mask, self._seconds())

    def _seconds(self) -> float | None:
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
        if self._settings.progress is not None:
            lower = None if now is None or now.lower.mix is None else now.lower.mix.optimum
            upper = None if now is None else now.upper.bound
            self._settings.progress(Progress(self._surveyed, self._asked, lower, upper))


def _why_stuck(board: Board) -> tuple[str, ...]:
    stuck = [(j, why) for j, known in enumerate(board.points) for _, why, _ in known.stuck]
    if not stuck:
        return ("the best mixture of so few attacks was not found among very many",)
    j, why = stuck[0]
    return (f"{len(stuck)} questions have no answer; at point {j + 1}: {why}",)
