"""Ask a second solver again what a robust verdict rests on.

A robust verdict of the split names sets of members that no single perturbation of a point can fool
together. Each is put to SCIP, and where that does not decide to HiGHS, as a query of its own compiled with
-O0: whole networks, interval bounds, no relaxation, so that neither the first solver nor the bounds that
usually decide are trusted twice.
"""

import dataclasses
from fractions import Fraction
from typing import Any

from cells import CELLS, Place, query
from rows import Row

from ensc.compiler.frontend.query.resolve import Overrides, load_problem
from ensc.compiler.pipeline import Options
from ensc.compiler.types.problem import Check, EnsembleProblem
from ensc.compiler.types.solution import Word
from ensc.runner.joint.solve import Settings, solve_joint
from ensc.runner.solvers.choose import choose_solvers
from ensc.runner.split.answer import at_points

SECONDS = 120.0
"""For each question."""


def recheck(row: Row, place: Place, patterns: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many sets are found infeasible again, how many are open, and how many it contradicts."""
    data = (f"X={place.data}",) if row.signs else ()
    problem = load_problem(query(row, CELLS[0], place), Overrides(data=data)).problem
    counts = {"confirmed": 0, "undecided": 0, "contradicted": 0}
    for j, point in enumerate(patterns):
        for claim in point["infeasible"]:
            counts[_outcome(_about(problem, j, claim["members"]))] += 1
    return counts


def _about(problem: EnsembleProblem, point: int, members: list[str]) -> EnsembleProblem:
    """Return the question whether one perturbation of a point fools all of these members."""
    return dataclasses.replace(
        at_points(problem, [point]),
        ensemble=tuple(m for m in problem.ensemble if m.name in members),
        threat=dataclasses.replace(problem.threat, count=1),
        goal=Check(Fraction(1)),
    )


def _outcome(problem: EnsembleProblem) -> str:
    for name in ("scip", "highs"):
        (solver,) = choose_solvers(name)
        word = solve_joint(problem, Settings(Options(0), SECONDS, solver=solver)).verdict.word
        if word in {Word.ROBUST, Word.ROBUST_UP_TO_K}:
            return "confirmed"
        if word is Word.NOT_ROBUST:
            return "contradicted"
    return "undecided"
