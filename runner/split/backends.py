"""Which solver answers the questions: one of the back ends of `--solver`, as workers take it."""

from functools import partial

from ensc.compiler.types.model import Model
from ensc.compiler.types.solution import Proof, Solution
from ensc.runner.solvers.choose import BackEnd, Smt
from ensc.runner.solvers.milp_process import Milp
from ensc.runner.solvers.smt import solve_model
from ensc.runner.split.answer import Backend, solve_by_milp


def backend_of(solver: BackEnd, memory: int | None = None) -> Backend | None:
    """Return what asks a solver; None for a command, which is given whole files only.

    Args:
        solver: which one.
        memory: megabytes for each question, no limit if None.
    """
    match solver:
        case Milp():
            return partial(solve_by_milp, solver, memory=memory)
        case Smt(name):
            return partial(solve_by_smt, name, memory=memory)
        case _:
            return None


def solve_by_smt(
    name: str, model: Model, seconds: float | None, seed: int, *, memory: int | None = None
) -> tuple[Solution, Proof | None]:
    """Solve a model with an SMT solver, in exact arithmetic; there is nothing that a seed would change."""
    del seed
    values = [variable for variable in model.variables.names() if variable.startswith("d_")]
    return solve_model(model, name, values=values, time_limit=seconds, memory_limit=memory)
