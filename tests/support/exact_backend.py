"""A backend of the split that never errs: z3, over the model itself."""

from fractions import Fraction

import z3
from z3_oracle import _piecewise, _rows, _variables

from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem
from ensc.compiler.types.solution import Proof, Solution, Status, Verdict
from ensc.runner.split.loop import SplitSettings
from ensc.runner.split.solve import solve_split


def solved_exactly(problem: EnsembleProblem) -> Verdict:
    """Return the verdict of the split, nothing found by search alone."""
    return solve_split(problem, SplitSettings(backend=_answer, query_time_limit=1.0)).verdict


def _answer(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    del seconds, seed
    solver = z3.Solver()
    v = _variables(model, solver)
    solver.add(*_rows(model, v), *_piecewise(model, v))
    if solver.check() == z3.unsat:
        return Solution(Status.INFEASIBLE, {}), Proof("z3", 0.0, "infeasible")
    found = solver.model()
    named = zip(model.variables.names(), v, strict=True)
    values = {name: Fraction(str(found.eval(x, model_completion=True))) for name, x in named}
    return Solution(Status.FEASIBLE, values), None
