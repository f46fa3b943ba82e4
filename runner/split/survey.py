"""The survey: what bounds and searches find out about every point before a solver is asked.

It goes through all points stage by stage. Of points with the same input and label only the first is looked
at, and what is found out there holds at all of them.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ensc.compiler.types.model import Indices
from ensc.runner.split.answer import STAGES, Answer, Question, surveyed
from ensc.runner.split.board import Board, learned
from ensc.runner.split.ledger import Look
from ensc.runner.split.patterns import Knowledge
from ensc.runner.split.settings import Deadline
from ensc.runner.split.tasks import is_failed, run_task

CHUNK = 16
"""Points surveyed by one task."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one task found out.

    Attributes:
        stage: of the survey.
        points: that it looked at, each the first of its kind, 0-based.
        before: what earlier stages had found out about each.
        known: what is known of each now.
    """

    stage: int
    points: tuple[int, ...]
    before: Sequence[Knowledge]
    known: Sequence[Knowledge]


class Survey:
    """How far the survey of each point has come, while it goes on."""

    def __init__(self, looks: Sequence[Look], first: Indices, jobs: int) -> None:
        """Begin, or go on.

        Args:
            looks: how far each point's survey has come.
            first: for each point the first of its kind, shape (points,).
            jobs: tasks at a time.
        """
        self._looks, self._first, self._jobs = list(looks), first, jobs
        self._is_enough = False

    @property
    def stages_done(self) -> int:
        """Number of stages that are done, over all points."""
        return sum(look.stages for look in self._looks)

    @property
    def points_done(self) -> int:
        """Number of points that were surveyed; a stage counts as a part of a point."""
        return len(self._looks) if self._is_enough else self.stages_done // STAGES

    def end(self) -> None:
        """Leave out what is left: nobody needs it."""
        self._is_enough = True

    def run(self, pool: Executor, stage: int, deadline: Deadline) -> Iterator[Found]:
        """Look at all points whose next stage this is, while there is time.

        What is found out has to be placed before more is asked for.

        Yields:
            What each task found out, as soon as it is done.
        """
        left = [j for j in sorted(set(self._first.tolist())) if self._looks[j].stages == stage]
        chunks = iter(chunked(left, self._jobs))
        running: dict[Future[list[Knowledge]], tuple[tuple[int, ...], list[Knowledge]]] = {}
        while not deadline.is_over():
            for chunk in islice(chunks, max(0, 2 * self._jobs - len(running))):
                before = [self._looks[j].known for j in chunk]
                running[pool.submit(run_task, surveyed, chunk, before, stage)] = chunk, before
            if not running:
                return
            done, _ = wait(running, deadline.left(), FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: (is_failed(f), running[f][0])):
                known = future.result()
                yield Found(stage, *running.pop(future), known)

    def placed(self, board: Board, found: Found) -> Board:
        """Take note of what was found out, and return the board with it.

        A point may be known from the journal at other radii: what is new is added to it.
        """
        each = zip(found.points, found.known, strict=True)
        new = {j: known for first, known in each for j in same_kind(self._first, first)}
        alone = {j: known for j, known in new.items() if board.points[j] == self._looks[j].known}
        points = list(board.points)
        for j, known in alone.items():
            points[j] = known
        board = dataclasses.replace(board, points=tuple(points))
        for j, known in new.items():
            if j not in alone:
                board = _joined(board, j, known)
            self._looks[j] = Look(known, found.stage + 1)
        return board


def chunked(points: Sequence[int], jobs: int) -> list[tuple[int, ...]]:
    """Divide points into parts for one task each, so that there are enough for all jobs."""
    size = max(1, min(CHUNK, -(-len(points) // max(1, jobs))))
    return [tuple(points[i : i + size]) for i in range(0, len(points), size)]


def same_kind(first: Indices, point: int) -> list[int]:
    """Return the points with the same input and label: one answer serves them all.

    Args:
        first: for each point the first of its kind, shape (points,).
        point: 0-based.
    """
    same: list[int] = np.flatnonzero(first == first[point]).tolist()
    return same


def _joined(board: Board, point: int, known: Knowledge) -> Board:
    """Add what a survey found out to what was known before."""
    for witness in known.witnesses:
        board = learned(board, Answer(Question(point, witness.mask, None), witness))
    for refutation in known.refutations:
        board = learned(board, Answer(Question(point, refutation.mask, None), refutation=refutation))
    return board
