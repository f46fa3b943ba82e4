"""What an attack is worth, by exact rational arithmetic and nothing else.

No number of a solver is used here: norms, domain, distribution and every loss are computed again from
the query's own points and the networks' own weights.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from ensc.compiler.diagnostics import reject
from ensc.compiler.passes.networks.evaluate import evaluate_exact
from ensc.compiler.quoting import counted
from ensc.compiler.types.problem import Domain, EnsembleProblem, Norm
from ensc.compiler.types.solution import Attack, Certificate
from ensc.runner.exact.margin import exact_margin


def certify(problem: EnsembleProblem, attack: Attack) -> Certificate:
    """Replay an attack exactly.

    The certificate is admissible iff the probabilities are a distribution over at most `threat.count`
    attacks and every perturbation is in the ball and keeps its point in the domain.

    Raises:
        Rejected: E1104 if the attack has not one perturbation of the right size for every point.
    """
    _require_shape(problem, attack)
    replays: dict[tuple[int, tuple[Fraction, ...]], tuple[bool, ...]] = {}
    losses = tuple(
        tuple(_replayed(replays, problem, j, delta) for j, delta in enumerate(deterministic))
        for deterministic in attack.perturbations
    )
    sizes = {key: exact_norm(problem.threat.norm, key[1]) for key in replays}
    norms = tuple(tuple(sizes[pair] for pair in enumerate(row)) for row in attack.perturbations)
    totals = tuple(_expected(attack.probabilities, losses, c) for c in range(len(problem.ensemble)))
    values = tuple(total / len(problem.points) for total in totals)
    admissible = _is_mixture(problem, attack.probabilities) and all(
        is_admissible(problem, j, delta) for j, delta in replays
    )
    return Certificate(norms, losses, values, min(values), sum(totals, Fraction(0)), admissible)


def exact_norm(norm: Norm, delta: Sequence[Fraction]) -> Fraction:
    """Return the norm of a perturbation (for L0 the number of coordinates that change)."""
    moved = [d for d in delta if d]
    match norm:
        case Norm.L1:
            return sum(map(abs, moved), Fraction(0))
        case Norm.LINF:
            return max(map(abs, moved), default=Fraction(0))
        case Norm.L0:
            return Fraction(len(moved))
        case _:
            assert_never(norm)


def attacked(problem: EnsembleProblem, point: int, delta: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return a point of the data set with a perturbation, exactly."""
    return tuple(v + d if d else v for v, d in zip(problem.points.exact(point), delta, strict=True))


def is_admissible(problem: EnsembleProblem, point: int, delta: Sequence[Fraction]) -> bool:
    """Return whether a perturbation of a point is in the ball and stays in the domain, exactly."""
    threat = problem.threat
    if exact_norm(threat.norm, delta) > threat.radius:
        return False
    return all(_inside(threat.domain, x) for x in set(attacked(problem, point, delta)))


def fooled_members(problem: EnsembleProblem, point: int, delta: Sequence[Fraction]) -> tuple[bool, ...]:
    """Return for each member whether its loss at the perturbed point is 1, exactly."""
    x = attacked(problem, point, delta)
    label = int(problem.points.labels[point])
    return tuple(
        exact_margin(problem.loss, label, evaluate_exact(member.network, x)) >= 0
        for member in problem.ensemble
    )


def _replayed(
    replays: dict[tuple[int, tuple[Fraction, ...]], tuple[bool, ...]],
    problem: EnsembleProblem,
    point: int,
    delta: tuple[Fraction, ...],
) -> tuple[bool, ...]:
    """Mixtures repeat perturbations, above all zero: each is evaluated once."""
    key = (point, delta)
    if key not in replays:
        replays[key] = fooled_members(problem, point, delta)
    return replays[key]


def _inside(domain: Domain, x: Fraction) -> bool:
    below = domain.lower is not None and x < domain.lower
    above = domain.upper is not None and x > domain.upper
    return not (below or above)


def _is_mixture(problem: EnsembleProblem, probabilities: Sequence[Fraction]) -> bool:
    if not 1 <= len(probabilities) <= problem.threat.count:
        return False
    return min(probabilities) >= 0 and sum(probabilities) == 1


def _expected(
    probabilities: Sequence[Fraction], losses: Sequence[Sequence[Sequence[bool]]], member: int
) -> Fraction:
    """Return `sum over attacks and points of p_i loss_c_i_j` for one member."""
    counts = (sum(at_point[member] for at_point in row) for row in losses)
    return sum((p * n for p, n in zip(probabilities, counts, strict=True)), Fraction(0))


def _require_shape(problem: EnsembleProblem, attack: Attack) -> None:
    sizes = {len(row) for row in attack.perturbations}
    widths = {len(delta) for row in attack.perturbations for delta in row}
    wrong = (
        len(attack.probabilities) != len(attack.perturbations)
        or not attack.probabilities
        or sizes != {len(problem.points)}
        or widths != {problem.inputs}
    )
    if wrong:
        points = counted(len(problem.points), "point")
        reject(
            "E1104",
            "the attack does not fit the query: "
            f"{counted(len(attack.probabilities), 'probability', 'probabilities')}, "
            f"{counted(len(attack.perturbations), 'deterministic attack')}, points: {_listed(sizes)}, "
            f"coordinates: {_listed(widths)}",
            notes=(f"the query has {points} with {counted(problem.inputs, 'coordinate')}",),
            help="give one probability for each attack, and one perturbation for each of the query's points",
        )


def _listed(numbers: set[int]) -> str:
    return " or ".join(map(str, sorted(numbers))) or "no"
