"""Answering any query by splitting it over its points."""

from ensc.compiler.types.problem import EnsembleProblem, MinimizeRadius, ProfileValue
from ensc.runner.split.conclude import solve_fixed
from ensc.runner.split.settings import SplitSettings
from ensc.runner.split.vary import solve_radii
from ensc.runner.verdicts.result import Result


def solve_split(problem: EnsembleProblem, settings: SplitSettings | None = None) -> Result:
    """Answer a query by splitting it over its points.

    Raises:
        Rejected: E0931 if the attacker's set is unbounded; what the backend rejects, for example E1110 if it
            is not installed.
    """
    if isinstance(problem.goal, (MinimizeRadius, ProfileValue)):
        return solve_radii(problem, settings)
    return solve_fixed(problem, settings)
