"""Trees and networks in one ensemble: solved by the split, against brute force over all thresholds."""

from fractions import Fraction

import numpy as np
import pytest
from exact_backend import solved_exactly
from forests import layer_of, network_of, random_forest, stump
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, line_patterns, make_problem, random_network

from ensc.compiler.types.network import Affine, Network, Scale
from ensc.compiler.types.problem import EnsembleProblem, MaximizeValue, Norm
from ensc.runner.exact.certify import fooled_members, is_admissible
from ensc.runner.exact.repair import repair

QUIET = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CLASSES = 2


def tree_network(rng: np.random.Generator) -> Network:
    """Return trees on one input, alone, behind a scaling, or added to a network."""
    forest = random_forest(rng, 1, CLASSES, trees=2, depth=2)
    kind = int(rng.integers(3))
    if kind == 0:
        return network_of(forest, 1)
    if kind == 1:
        front = Scale(0, np.array([-2.0]), np.array([0.25]), np.array([3.0]))
        return Network("scaled", (1,), (front, layer_of(forest, source=1)), 2)
    mix = Affine(0, np.array([[0.5], [-1.0]]), np.array([0.25, 0.0]))
    stack = random_forest(rng, 2, CLASSES, trees=2, depth=2)
    return Network("mixed", (1,), (mix, layer_of(stack, source=1)), 2)


@st.composite
def mixed_problems(draw: st.DrawFn) -> EnsembleProblem:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    networks = [tree_network(rng), random_network(rng, 1, CLASSES), tree_network(rng)]
    return make_problem(
        networks[: draw(st.integers(1, 3))],
        (rng.integers(-4, 5, (2, 1)) / 4).tolist(),
        rng.integers(0, CLASSES, 2).tolist(),
        norm=draw(st.sampled_from([Norm.L1, Norm.LINF])),
        radius=draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(9, 8)])),
        goal=MaximizeValue(),
    )


@QUIET
@given(mixed_problems())
def test_the_value_is_that_of_brute_force(problem: EnsembleProblem) -> None:
    """Decided by solver and nudge alone, unless the ball may end on a threshold; then at least bounded."""
    count = len(problem.ensemble)
    value = best_value(problem, [line_patterns(problem, j) for j in range(len(problem.points))], count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ensc.runner.split.answer.search", lambda *_, **__: [])
        verdict = solved_exactly(problem)
    assert verdict.lower is not None
    assert verdict.upper is not None
    assert verdict.lower <= value <= verdict.upper
    assert verdict.lower == verdict.upper or problem.threat.radius != Fraction(1, 3)


@pytest.mark.parametrize("side", [0, 1])
def test_a_point_on_a_threshold_is_nudged_to_the_side_that_fools(side: int) -> None:
    leaves = ([1.0, 0.0], [0.0, 1.0]) if side else ([0.0, 1.0], [1.0, 0.0])
    network = network_of(stump(0.5, *leaves), 1)
    problem = make_problem([network], [[0.25 if side else 0.75]], [0], norm=Norm.LINF)
    (centre,) = problem.points.exact(0)
    found = repair(problem, 0, [0.5 - float(centre)], [0])
    assert is_admissible(problem, 0, found)
    assert fooled_members(problem, 0, found) == (True,)


def test_the_nudge_takes_room_in_the_ball_from_other_inputs() -> None:
    network = network_of(stump(0.5, [1.0, 0.0], [0.0, 1.0]), 2)
    problem = make_problem([network], [[0.0, 0.0]], [0], norm=Norm.L1, radius=Fraction(3, 4))
    found = repair(problem, 0, [0.5, 0.25], [0])
    assert is_admissible(problem, 0, found)
    assert fooled_members(problem, 0, found) == (True,)


def test_what_closed_sides_alone_allow_stays_undecided() -> None:
    """The ball ends on the threshold, and the better leaf lies behind it."""
    network = network_of(stump(0.5, [1.0, 0.0], [0.0, 1.0]), 1)
    problem = make_problem(
        [network], [[0.0]], [0], norm=Norm.LINF, radius=Fraction(1, 2), goal=MaximizeValue()
    )
    verdict = solved_exactly(problem)
    assert verdict.lower == 0
    assert verdict.upper is not None
    assert verdict.upper in {Fraction(0), Fraction(1)}
