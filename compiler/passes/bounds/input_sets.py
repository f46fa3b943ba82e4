"""EnsembleProblem -> InputSets: what the attacker can reach around every point."""

import numpy as np

from ensc.compiler.passes.bounds.rounding import add_down, add_up, down, up
from ensc.compiler.types.bounds import InputSets
from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import EnsembleProblem, Norm, ThreatModel


def input_sets(problem: EnsembleProblem) -> InputSets:
    """Return `domain box ∩ norm ball` around every point, rounded outward.

    The box is the bounding box of the intersection: for L1 and Linf the ball confines every coordinate
    to `x ± radius`; for L0 any coordinate may go anywhere in the domain (if the radius allows one at all).
    """
    below, above = problem.points.enclosure()
    lower, upper = _domain_box(problem.threat, below.shape)
    if problem.threat.norm is not Norm.L0 or problem.threat.radius < 1:
        reach = up(problem.threat.radius) if problem.threat.norm is not Norm.L0 else 0.0
        lower = np.maximum(lower, add_down(below, -reach))
        upper = np.minimum(upper, add_up(above, reach))
    return InputSets(lower, upper, problem.points.nearest, problem.threat.norm, _radius(problem))


def _domain_box(threat: ThreatModel, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    domain = threat.domain
    lower = -np.inf if domain.lower is None else down(domain.lower)
    upper = np.inf if domain.upper is None else up(domain.upper)
    return np.full(shape, lower), np.full(shape, upper)


def _radius(problem: EnsembleProblem) -> float:
    radius = up(problem.threat.radius)
    if problem.threat.norm is Norm.L0:
        return radius
    below, above = problem.points.enclosure()
    drift = float((above - below).sum(axis=1).max(initial=0.0))
    return float(np.nextafter(radius + 2 * drift, np.inf)) if drift else radius
