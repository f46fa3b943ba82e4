"""A backend of the split that never errs: z3, over the model itself."""

import z3
from z3_oracle import constrained, found_values

from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Proof, Solution, Status, Verdict
from ensc.runner.split.settings import SplitSettings
from ensc.runner.split.solve import solve_split


def solved_exactly(problem: EnsembleProblem) -> Verdict:
    """Return the verdict of the split, nothing found by search alone."""
    return solve_split(problem, SplitSettings(backend=exactly, query_time_limit=1.0)).verdict


def exactly(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Answer a question; the backend itself."""
    del seconds, seed
    solver, v = constrained(model)
    if solver.check() == z3.unsat:
        return Solution(Status.INFEASIBLE, {}), Proof("z3", 0.0, "infeasible")
    return Solution(Status.FEASIBLE, found_values(model, solver, v)), None
