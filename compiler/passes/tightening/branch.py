"""Tighter bounds by branching: case distinctions over binaries, each case bounded by its multipliers.

A linear program draws a triangle over a rectifier that may have either sign; with its binary fixed there is
no triangle. The least bound of two cases holds for both, so that the bound of an objective is that of its
worst case, and the worst case is the one to be split next: branch and bound, in which every bound is proved
(`dual_bounds`) and none is a solver's word. Many objectives over one model go forward together, one split
each at a time, so that a solver is asked rarely and for much.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ensc.compiler.passes.bounds.rounding import totals
from ensc.compiler.passes.tightening.dual_bounds import LpSolver, Subproblem, least_by_multipliers
from ensc.compiler.types.model import Floats, Model

SPLITS = 48
"""How often the worst case of an objective is split at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A part of a case distinction.

    Attributes:
        problem: the objective, with the binaries that are fixed.
        bound: proved.
        split: the binary that its multipliers lean on most, -1 if on none.
    """

    problem: Subproblem
    bound: float
    split: int


def case_of(model: Model, problem: Subproblem, multipliers: Floats, floor: float = -np.inf) -> Case:
    """Return a case with the bound that multipliers prove, never below one that is known to hold.

    The sign of a certificate that a case is empty is a matter of convention: both are tried.
    """
    fixed = fixed_model(model, problem)
    signs = (least_by_multipliers(fixed, problem.objective, s * multipliers) for s in (1.0, -1.0))
    return Case(problem, max(floor, *signs), _leaned_on(fixed, multipliers))


def fixed_model(model: Model, problem: Subproblem) -> Model:
    """Return the model with the binaries fixed."""
    lower, upper = model.variables.lower.copy(), model.variables.upper.copy()
    lower[problem.columns] = upper[problem.columns] = problem.values
    return dataclasses.replace(
        model, variables=dataclasses.replace(model.variables, lower=lower, upper=upper)
    )


def _leaned_on(model: Model, multipliers: Floats) -> int:
    """Return the binary that is not fixed whose rows bear the largest multipliers."""
    rows, variables = model.rows, model.variables
    free = variables.integer & (variables.lower < variables.upper)
    if multipliers.shape != (len(rows),) or not free.any():
        return -1
    with np.errstate(all="ignore"):  # nonsense leads to some other split, which holds as well
        weight = totals(rows.columns, np.abs(rows.coefficients * multipliers[rows.owners()]), len(variables))
        weight = np.where(free & np.isfinite(weight), weight, 0.0)
    best = int(weight.argmax())
    return best if weight[best] > 0 else -1


def branched(
    model: Model, roots: Sequence[Case], goals: Sequence[float], solve: LpSolver
) -> tuple[Floats, int, bool]:
    """Raise the bounds of some objectives until they reach their goals, splits run out or time is up.

    Args:
        model: linear; its integer variables are binaries.
        roots: of each objective, nothing fixed.
        goals: bounds beyond which there is nothing to gain.
        solve: solves the linear programs.

    Returns:
        The bounds, shape (objectives,); how many programs were solved; whether the solver ran out of time.
    """
    leaves = [[root] for root in roots]
    solved = 0
    for _ in range(SPLITS):
        chosen = [k for k, cases in enumerate(leaves) if _is_open(_worst(cases), goals[k])]
        asked = [half for k in chosen for half in _halves(_worst(leaves[k]))]
        found = solve(model, [problem for problem, _ in asked]) if asked else []
        made = [case_of(model, p, y, floor) for (p, floor), y in zip(asked, found, strict=False)]
        solved += len(made)
        for place, k in enumerate(chosen[: len(made) // 2]):
            worst = _worst(leaves[k])
            leaves[k] = [c for c in leaves[k] if c is not worst] + made[2 * place : 2 * place + 2]
        if len(made) < len(asked):
            return np.array([_worst(cases).bound for cases in leaves]), solved, True
        if not chosen:
            break
    return np.array([_worst(cases).bound for cases in leaves]), solved, False


def _worst(cases: Sequence[Case]) -> Case:
    return min(cases, key=lambda case: case.bound)


def _is_open(case: Case, goal: float) -> bool:
    return case.split >= 0 and case.bound < goal


def _halves(case: Case) -> list[tuple[Subproblem, float]]:
    """Return both cases of a split, with the bound that they inherit."""
    problem = case.problem
    columns = np.append(problem.columns, case.split)
    return [
        (Subproblem(problem.objective, columns, np.append(problem.values, value)), case.bound)
        for value in (0.0, 1.0)
    ]
