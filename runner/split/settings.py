"""What goes into a run of the loop and what comes out of it: settings, progress, time, outcome."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from ensc.runner.split.answer import Backend, solve_by_cbc
from ensc.runner.split.board import Board, Standing
from ensc.runner.split.journal import Journal
from ensc.runner.split.tasks import Pool, workers

PATIENCE = 20.0
"""Seconds a question gets at first."""

INTERRUPTED = "interrupted"
"""The reason of a run that was told to stop."""


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
class Deadline:
    """When a run has to end.

    Attributes:
        end: seconds on the monotonic clock, None for never.
    """

    end: float | None

    def left(self) -> float | None:
        """Return the seconds until then, at least 0; None if there is no end."""
        return None if self.end is None else max(0.0, self.end - time.monotonic())

    def is_over(self) -> bool:
        """Return whether no time is left."""
        return self.left() == 0.0


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
    pool: Pool = workers
    progress: Callable[[Progress], None] | None = None
    journal: Journal | None = None

    def deadline(self) -> Deadline:
        """Return when a run that begins now has to end."""
        return Deadline(None if self.time_limit is None else time.monotonic() + self.time_limit)


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
