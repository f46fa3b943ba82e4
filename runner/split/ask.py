"""Asking a solver `J(j, s)`: what it calls feasible counts only after exact replay.

What it calls infeasible is passed on with its name and tolerance.
"""

import dataclasses
import math
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.runner.exact.repair import repair
from ensc.runner.split.answer import (
    BOUNDS,
    Answer,
    Backend,
    Question,
    at_points,
    instance,
    replayed_witness,
    solve_by_cbc,
)
from ensc.runner.split.patterns import Refutation, Witness, members_of
from ensc.runner.split.polish import polished

LATE = 0.5
"""A solver that gave up after this share of its time, or later, may do better with more of it."""

BRANCHES = 600
"""Cases of signs that bounds are tried in before a solver is asked."""

SETTLED = Fraction(1, 10**5)
"""The margin that a second try asks for, where the first one's point did not survive replay."""


def ask(problem: EnsembleProblem, question: Question, backend: Backend = solve_by_cbc) -> Answer:
    """Ask a solver.

    A feasible answer whose point does not survive exact replay is polished on its activation pattern, then
    asked for again: with a larger margin, where only a perturbation counts, then with another seed. Where a
    try claims a point that is none and another one refutes the question, neither is believed.
    """
    part = at_points(problem, [question.point])
    model = cache(partial(_model, part, question.mask))
    best: Witness | None = None
    claimed = ""
    for seed, extra in ((1, Fraction(0)), (2, SETTLED), (3, Fraction(0))):
        start = time.monotonic()
        solution, proof = _solved(model(extra), question, backend, seed)
        late = question.seconds is not None and time.monotonic() - start >= LATE * question.seconds
        if proof is not None and solution.status is Status.INFEASIBLE and not extra:
            if claimed:
                return Answer(question, best, why=_disagreement(claimed, proof))
            return Answer(question, best, Refutation(question.mask, proof))
        if solution.status in {Status.OPTIMAL, Status.FEASIBLE}:
            for witness in _witnesses(part, question, solution, proof, backend):
                if witness.mask & question.mask == question.mask:
                    return Answer(question, witness)
                best = best or witness
            claimed = claimed or solution.message or "a solver"
        elif not extra:
            return Answer(question, best, why=solution.message or "no answer", timely=late)
    return Answer(question, best, why=f"{claimed}: its point fools the members only within its tolerance")


def _disagreement(claimed: str, proof: Proof) -> str:
    return (
        f"solvers disagree: {claimed}, with a point that exact replay does not confirm, and {proof.solver} "
        "claims that there is none"
    )


def _witnesses(
    part: EnsembleProblem, question: Question, solution: Solution, proof: Proof | None, backend: Backend
) -> Iterator[Witness]:
    """Yield what a claimed point leads to: by repair, then by a linear program on its activation pattern."""
    mask = question.mask
    delta, witness = numbers(part, solution), replayed(part, question.mask, solution, proof)
    if delta is None or witness is None:
        return
    yield witness

    def solve(model: Model) -> Solution:
        try:
            return backend(model, question.seconds, 1)[0]
        except Rejected as rejected:  # SMT solvers know no objectives; their points are exact, though
            return Solution(Status.UNKNOWN, {}, message=rejected.diagnostics[0].message)

    better = polished(part, members_of(mask), [float(d) for d in delta], solve)
    if better is not None:
        yield replayed_witness(part, 0, better, f"{witness.source}, polished")


def _model(part: EnsembleProblem, mask: int, extra: Fraction) -> Model | None:
    loss = dataclasses.replace(part.loss, margin=part.loss.margin + extra)
    return instance(dataclasses.replace(part, loss=loss), mask, branches=BRANCHES)


def _solved(
    model: Model | None, question: Question, backend: Backend, seed: int
) -> tuple[Solution, Proof | None]:
    if model is None:
        return Solution(Status.INFEASIBLE, {}), BOUNDS
    return backend(model, question.seconds, seed)


def replayed(part: EnsembleProblem, mask: int, solution: Solution, proof: Proof | None) -> Witness | None:
    """Repair a solver's perturbation and replay it exactly; None if its numbers are none."""
    delta = numbers(part, solution)
    if delta is None:
        return None
    fixed = repair(part, 0, delta, members_of(mask))
    return replayed_witness(part, 0, fixed, "a solver" if proof is None else proof.solver)


def numbers(part: EnsembleProblem, solution: Solution) -> list[float | Fraction] | None:
    """Return a solver's perturbation, None if its numbers are none."""
    delta = [_number(solution.values.get(f"d_{k}", 0.0)) for k in range(1, part.inputs + 1)]
    return None if any(d is None for d in delta) else [d for d in delta if d is not None]


def _number(value: object) -> float | Fraction | None:
    """A perturbation larger than any double could be meant is as good as none."""
    if isinstance(value, Fraction):
        return value
    number = float(value) if isinstance(value, (int, float)) else math.nan
    return number if abs(number) < 1e100 else None
