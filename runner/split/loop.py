"""The loop: survey every point, then ask what the upper bound leans on until the interval says enough."""

import dataclasses
import math
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from itertools import islice

from ensc.compiler.passes.scopes.duplicates import first_of_kind
from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.split.answer import STAGES, Answer, Question, is_attackable
from ensc.runner.split.ask import ask
from ensc.runner.split.board import Board, Standing, leaning, learned, loosened, standing
from ensc.runner.split.ledger import Ledger, Look, patience_of, resumed
from ensc.runner.split.patterns import unknown
from ensc.runner.split.settings import INTERRUPTED, PATIENCE, Outcome, Progress, SplitSettings
from ensc.runner.split.survey import Survey, same_kind
from ensc.runner.split.tasks import abandon, is_failed, run_task

MORE = 4.0
"""How many times as long a question gets when nothing else is left to ask."""

PAUSE = 0.2
"""Seconds between what is told of a survey: counting what is open looks at every point."""

RESTARTS = 5
"""How often in a row dying workers are replaced while nothing gets done."""


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
        self._deadline = settings.deadline()
        self._asked = self._recalled = 0
        self._patience = PATIENCE
        self._silent_until = -math.inf
        self._stood: tuple[Board, Standing] | None = None
        self._first = first_of_kind(problem.points)
        nothing = Look(unknown(len(problem.ensemble)), 0)
        self._survey = Survey([nothing] * len(problem.points), self._first, settings.jobs)
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
        self._board, looks, self._recalled = found
        self._survey = Survey(looks, self._first, self._settings.jobs)
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
                done = self._asked + self._survey.stages_done
                died = died + 1 if done == before else 1
                before = done
        return (f"worker processes died {RESTARTS} times in a row",)

    def _timed(self, stage: str, pool: Executor) -> tuple[str, ...]:
        start = time.perf_counter()
        try:
            return self._survey_points(pool) if stage == "survey" else self._ask(pool)
        finally:
            self._seconds[stage] += time.perf_counter() - start

    def _survey_points(self, pool: Executor) -> tuple[str, ...]:
        """Survey the points, one stage after the other, until the query is decided."""
        for stage in range(STAGES):
            if all(known.witnesses for known in self._board.points) and self._standing().decided:
                self._survey.end()
                return ()
            for found in self._survey.run(pool, stage, self._deadline):
                self._board = self._survey.placed(self._board, found)
                radius = self._problem.threat.radius
                self._ledger.note_stage(found.points, found.before, found.known, radius, stage)
                self._tell(None)
            if self._deadline.is_over():
                abandon(pool)
                return ("the time limit was reached while points were surveyed",)
        return ()

    def _ask(self, pool: Executor) -> tuple[str, ...]:
        running = self._running = {}
        while True:
            now = self._standing()
            self._tell(now)
            if now.decided:
                break
            if self._deadline.is_over():
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
            done, _ = wait(running, self._deadline.left(), FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: (is_failed(f), running[f].point, running[f].mask)):
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

    def _learn(self, answer: Answer) -> None:
        for point in same_kind(self._first, answer.question.point):
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
            if future.done() and not is_failed(future):
                self._learn(future.result())
                continue
            pair = question.point, question.mask
            self._suspects[pair] += 1
            if self._suspects[pair] > 1:
                self._learn(Answer(question, why="the process that asked died, each time it was asked"))
        self._running = {}

    def _given(self) -> float | None:
        limits = [self._patience, self._settings.query_time_limit, self._deadline.left()]
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

    def _tell(self, now: Standing | None) -> None:
        if self._settings.progress is None or (now is None and time.monotonic() < self._silent_until):
            return
        self._silent_until = time.monotonic() + PAUSE
        lower = None if now is None or now.lower.mix is None else now.lower.mix.optimum
        upper = None if now is None else now.upper.bound
        left = [sum(map(known.is_open, known.possible)) for known in self._board.points]
        progress = Progress(
            len(left),
            self._survey.points_done,
            left.count(0),
            sum(left),
            self._asked,
            self._recalled,
            lower,
            upper,
        )
        self._settings.progress(progress)


def _why_stuck(board: Board) -> tuple[str, ...]:
    stuck = [(j, why) for j, known in enumerate(board.points) for _, why, _ in known.stuck]
    if not stuck:
        return ("the best mixture of so few attacks was not found among very many",)
    j, why = stuck[0]
    return (f"{len(stuck)} questions have no answer; at point {j + 1}: {why}",)
