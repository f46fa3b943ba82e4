"""`J(j, s)` is feasible iff some perturbation fools all of s, and its optimum is the smallest one."""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from tiny import dense, line_patterns, line_problems, make_problem, smallest_radius
from z3_oracle import solve_model

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.lowering.misclassification import lower_misclassification
from ensc.compiler.passes.scopes.scope import pruned_scope, scope_at
from ensc.compiler.passes.show import model_text
from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, Norm


def query(problem: EnsembleProblem, point: int, members: tuple[int, ...], *, smallest: bool) -> Model | None:
    """Return the model, or None where bounds alone show that a member cannot be fooled."""
    sets = input_sets(problem)
    parts = []
    for c in members:
        network = problem.ensemble[c].network
        scope = scope_at(pruned_scope(problem, network, sets, relaxed_bounds(network, sets)), point)
        if scope is None:
            return None
        parts.append((c, scope))
    return lower_misclassification(problem, sets, parts, point=point, smallest=smallest)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_feasible_iff_brute_force_finds_the_pattern(problem: EnsembleProblem) -> None:
    for point in range(len(problem.points)):
        patterns = line_patterns(problem, point)
        for size in range(1, len(problem.ensemble) + 1):
            for members in itertools.combinations(range(len(problem.ensemble)), size):
                model = query(problem, point, members, smallest=False)
                possible = any(set(members) <= pattern for pattern in patterns)
                assert (model is not None and solve_model(linearize(model))[0]) == possible


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_optimum_is_the_smallest_perturbation(problem: EnsembleProblem) -> None:
    everybody = tuple(range(len(problem.ensemble)))
    model = query(problem, 0, everybody, smallest=True)
    expected = smallest_radius(problem, 0, frozenset(everybody))
    if model is None:
        assert expected is None
        return
    if problem.threat.norm is Norm.L0 and expected is not None:
        expected = Fraction(expected > 0)
    assert solve_model(model) == (expected is not None, expected)
    # Big-M constants are rounded so that no solution is lost, which may let the optimum pass by a trifle.
    feasible, optimum = solve_model(linearize(model))
    assert feasible or expected is None
    assert optimum is None or expected is None or expected - Fraction(1, 10**9) <= optimum <= expected


def test_smallest_query_becomes_this_model() -> None:
    network = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1)
    problem = make_problem([network], [[2]], [0], norm=Norm.LINF, radius=Fraction(3, 2))
    model = query(problem, 0, (0,), smallest=True)
    assert model is not None
    text = model_text(model)
    assert text.startswith(
        "minimize r\nvariables\n  r in [0, 1.5]\n  d_1 in [-1.5, 1.5]\n  x_1 in [0.5, 3.5]\n"
    )
    assert (
        "rows\n  x_1 - d_1 = 2\n  - d_1 - r <= 0\n  d_1 - r <= 0\n  g_1_2_1 + x_1 = 1\n  g_1_2_1 >= 0\n"
        in text
    )
