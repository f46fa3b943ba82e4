"""Several solvers on one question, in turns: whoever settles it first.

Each gets a short time, then each gets several times as much, until one settles the question: all in all it
takes little more than the fastest solver times their number, in one process, whatever the others would do.
"""

import math
import time
from collections.abc import Sequence
from functools import partial

from ensc.compiler.types.model import Model
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.split.answer import Backend

FIRST, GROWTH = 2.0, 4.0
"""Seconds of the first turn, and how many times as many the next one has."""

GAVE_UP = 0.5
"""A solver that ends before this share of its turn without an answer will not find one in a longer turn."""

Said = tuple[Solution, Proof | None]


def raced(backends: Sequence[Backend]) -> Backend:
    """Return a back end that gives solvers turns.

    Another seed also starts with another solver: it is asked again where an answer was not to be believed.
    """
    return partial(_race, tuple(backends))


def _race(backends: tuple[Backend, ...], model: Model, seconds: float | None, seed: int) -> Said:
    first = seed // 2 % len(backends)
    waiting = [*backends[first:], *backends[:first]]
    end = math.inf if seconds is None else time.monotonic() + seconds
    turn = FIRST
    best: Said = (Solution(Status.UNKNOWN, {}, message="no answer"), None)
    while waiting:
        for backend in tuple(waiting):
            left = max(0.1, end - time.monotonic())
            given = left if len(waiting) == 1 else min(turn, left)
            start = time.monotonic()
            said = backend(model, None if given == math.inf else given, seed)
            if _is_settled(model, said):
                return said
            best = _better(best, said)
            if time.monotonic() - start < GAVE_UP * given:
                waiting.remove(backend)
            if time.monotonic() >= end:
                return best
        turn *= GROWTH
    return best


def _is_settled(model: Model, said: Said) -> bool:
    solution, proof = said
    match solution.status:
        case Status.INFEASIBLE:
            return proof is not None
        case Status.FEASIBLE:
            return not model.objective.columns.size
        case status:
            return status is Status.OPTIMAL


def _better(best: Said, said: Said) -> Said:
    """Keep a point rather than none, and of two points the last, which had the longer turn."""
    claims_one = said[0].status is Status.FEASIBLE
    return said if claims_one or best[0].status is not Status.FEASIBLE else best
