"""The joint encoding means what the paper says: exact brute force and z3 are the witnesses."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, dense, line_patterns, line_problems, make_problem
from z3_oracle import solve_model

from ensc.compiler.passes.linear.linearize import Formulation, linearize
from ensc.compiler.passes.show import model_text
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.problem import (
    Check,
    EnsembleProblem,
    MaximizeTotal,
    MaximizeValue,
)

NATIVE: tuple[Formulation, ...] = ("indicator", "sos")
IDENTITY = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1, name="line")


def test_smallest_problem_becomes_this_model() -> None:
    problem = make_problem([IDENTITY], [[2]], [0], radius=Fraction(3, 2), goal=Check(Fraction(1, 3)))
    assert model_text(compile_problem(problem, Options(0)).model) == (
        """\
find a feasible point
variables
  p_1 in [0, 1]
  d_1_1_1 in [-1.5, 1.5]
  x_1_1_1 in [0.5, 3.5]
  s_1_1_1 in [0, 1.5]
  l_1_1_1 in [0, 1] integer
  a_1_1_1_1_1 in [0.49999999, 3.5000001]
  a_1_1_1_1_2 in [1, 1]
  q_1_1_1 in [0, 1]
rows
  p_1 = 1
  x_1_1_1 - d_1_1_1 = 2
  s_1_1_1 - d_1_1_1 >= 0
  s_1_1_1 + d_1_1_1 >= 0
  2 s_1_1_1 <= 3
  a_1_1_1_1_1 - x_1_1_1 = 0
  a_1_1_1_1_2 = 1
  l_1_1_1 = 1 implies a_1_1_1_1_2 - a_1_1_1_1_1 >= 0
  3 q_1_1_1 >= 1
products
  q_1_1_1 = p_1 * l_1_1_1
"""
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_maximum_equals_brute_force(problem: EnsembleProblem) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    expected = best_value(problem, patterns, problem.threat.count)
    for level in (0, 1):
        compiled = compile_problem(problem, Options(level))
        assert solve_model(compiled.model) == (True, expected)
        assert solve_model(compiled.linear) == (True, expected)
        for formulation in NATIVE:
            assert solve_model(linearize(compiled.model, formulation)) == (True, expected)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(2, 3), Fraction(1)]))
def test_check_is_feasible_iff_the_value_reaches_alpha(problem: EnsembleProblem, alpha: Fraction) -> None:
    checked = dataclasses.replace(problem, goal=Check(alpha))
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    reached = best_value(problem, patterns, problem.threat.count) >= alpha
    for level in (0, 1):
        compiled = compile_problem(checked, Options(level))
        assert solve_model(compiled.model)[0] == reached
        assert solve_model(compiled.linear)[0] == reached


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.sampled_from([1, Fraction(3, 2), None]))
def test_one_attack_is_enough_for_the_value_one_and_for_a_total(
    problem: EnsembleProblem, alpha: Fraction | int | None
) -> None:
    """What the model with one attack says is what brute force says of as many attacks as members."""
    members, points = len(problem.ensemble), len(problem.points)
    goal = MaximizeTotal(None) if alpha is None else Check(Fraction(alpha))
    threat = dataclasses.replace(problem.threat, count=members)
    compiled = compile_problem(dataclasses.replace(problem, goal=goal, threat=threat))
    assert compiled.attacks == compiled.problem.enough_attacks == 1
    patterns = [line_patterns(problem, j) for j in range(points)]
    if alpha is None:
        total = sum(max(len(s) for s in choices) for choices in patterns)
        feasible, found = solve_model(compiled.linear)
        assert feasible
        assert (found or 0) == total  # an empty objective has no optimum
    else:
        assert solve_model(compiled.linear)[0] == (best_value(problem, patterns, members) >= alpha)


@pytest.mark.parametrize("alpha", [None, Fraction(1, 2)])
def test_total_counts_every_member(alpha: Fraction | None) -> None:
    mirrored = dense((np.array([[-1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1, name="mirror")
    problem = make_problem([IDENTITY, mirrored], [[0]], [1], radius=2, goal=MaximizeTotal(alpha))
    expected = Fraction(1)  # moving left fools one member, moving right the other, never both
    assert solve_model(compile_problem(problem).linear) == (True, expected)


def test_what_nobody_can_reach_leaves_the_model() -> None:
    far = make_problem([IDENTITY], [[9]], [0], radius=1, goal=Check(Fraction(1, 3)))
    assert model_text(compile_problem(far).model) == (
        """\
find a feasible point
variables
  p_1 in [0, 1]
rows
  p_1 = 1
  0 >= 1
"""
    )


def test_optimized_model_has_one_row_for_a_margin() -> None:
    weight, bias = np.array([[1.0], [-1.0]]), np.array([4.0, 0.0])
    network = dense((weight, bias), (np.array([[0.0, 2.0], [1.0, 0.0]]), np.zeros(2)), inputs=1)
    problem = make_problem([network], [[-1]], [0], radius=2, goal=MaximizeValue())
    # The first rectifier is active on [-3, 1], the second one open; f_2 - f_1 = (x + 4) - 2 max(0, -x).
    text = model_text(compile_problem(problem).model)
    assert "  g_1_1_1_2_1 - a_1_1_1_1_1 + 2 h_1_1_1_2_2 = 0\n" in text
    assert "  l_1_1_1 = 1 implies g_1_1_1_2_1 >= 0\n" in text
    assert "rectifiers\n  h_1_1_1_2_2 = max(0, a_1_1_1_1_2) phase z_1_1_1_2_2\n" in text
