"""Where the value 1 is asked, bounds may use that everybody is fooled: the answer is that of brute force."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tiny import line_patterns, line_problems, make_problem, random_network
from z3_oracle import solve_model

from ensc.compiler.passes.scopes import asserted_scopes
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.problem import Check, EnsembleProblem


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_the_value_one_is_reached_iff_everybody_can_be_fooled_everywhere(problem: EnsembleProblem) -> None:
    asked = dataclasses.replace(problem, goal=Check(Fraction(1)))
    everybody = frozenset(range(len(problem.ensemble)))
    reached = all(everybody in line_patterns(problem, j) for j in range(len(problem.points)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asserted_scopes, "LEAST_WORK", 0)  # tiny problems are left alone otherwise
        compiled = compile_problem(asked, Options(1))
    assert compiled.attacks == 1
    assert solve_model(compiled.linear)[0] == reached


@pytest.mark.parametrize("alpha", [Fraction(1, 2), Fraction(99, 100)])
def test_a_smaller_value_does_not_demand_it(alpha: Fraction) -> None:
    network = random_network(np.random.default_rng(0), 1, 2)
    problem = make_problem([network], [[0]], [0], goal=Check(alpha))
    said = {stage.name: stage.said for stage in compile_problem(problem, Options(1)).stages}
    assert said["demand"] == "not every member has to be fooled everywhere"
