"""What is made of a solver's claim that was only read from a file."""

from collections.abc import Sequence

from ensc.compiler.types.solution import Proof, Solution, Status
from ensc.formats.solutions import read_solution
from ensc.formats.solutions.recognise import recognise

TOLERANCE = 1e-6
"""Of feasibility, assumed where a file does not say: the default of most MILP solvers."""

GAP = 1e-4
"""Between an optimum and the proven bound, assumed where a file does not say: likewise."""


def read_answer(
    text: str,
    source_name: str,
    *,
    format: str | None = None,  # noqa: A002 - as `read_solution` calls it
    columns: Sequence[str] | None = None,
) -> tuple[Solution, Proof | None]:
    """Read a solution file, and what it claims, in the name of the solver that its format is of.

    Args:
        text: the file.
        source_name: its name.
        format: as `read_solution`.
        columns: as `read_solution`.

    Raises:
        Rejected: as `read_solution`.
    """
    solution = read_solution(text, source_name, format=format, columns=columns)
    family = recognise(text.removeprefix("\ufeff"))
    name = format or (family.value if family else "the solver")
    return solution, read_claim(solution, name)


def read_claim(solution: Solution, solver: str) -> Proof | None:
    """Return what an infeasibility or a bound that was read from a file rests on, None if it claims neither.

    Args:
        solution: as read.
        solver: who is said to have written the file.
    """
    read = f"as read from a file; its tolerance is not stated, {TOLERANCE:g} is assumed"
    match solution.status:
        case Status.INFEASIBLE:
            return Proof(solver, TOLERANCE, f"the model is infeasible, {read}")
        case Status.OPTIMAL | Status.FEASIBLE if solution.bound is not None:
            claim = f"no solution has an objective better than {solution.bound!r}"
            return Proof(solver, TOLERANCE, f"{claim}, {read}")
        case Status.OPTIMAL if solution.objective is not None:
            gap = f"as read from a file; its gap is not stated, {GAP:g} is assumed"
            return Proof(solver, GAP, f"the optimum is {solution.objective!r}, {gap}")
        case _:
            return None
