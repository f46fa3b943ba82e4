"""What matters of members where they are fooled: the optimum stays, binaries go, claimed losses are true."""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, dense, line_patterns, line_problems, make_problem
from z3_oracle import solve_model

from ensc.compiler.passes.draft import Draft, capped, lowered, merged, relaxed
from ensc.compiler.passes.linear.linearize import Formulation, linearize
from ensc.compiler.passes.scopes.fooled import fooled_scopes
from ensc.compiler.pipeline import bounded_sets
from ensc.compiler.types.model import Model, size_of
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def drafted(problem: EnsembleProblem, *, used: bool = True) -> Draft:
    """Return a draft of level 1, with or without the pass, whatever the size of the problem."""
    draft, _ = relaxed(problem, bounded_sets(problem))
    for run in (capped, merged):
        draft, _ = run(draft)
    if not used:
        return draft
    scopes, known = fooled_scopes(problem, draft.sets, draft.scopes, draft.attacks, least_work=0)
    return dataclasses.replace(draft, scopes=scopes, fooled=known)


def linear(model: Model, formulation: Formulation = "big-m") -> Model:
    return linearize(model, formulation, helpful_products=True)


@SLOW
@given(line_problems())
def test_maximum_is_that_of_brute_force(problem: EnsembleProblem) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    expected = best_value(problem, patterns, problem.threat.count)
    model = lowered(drafted(problem))
    assert solve_model(model) == (True, expected)
    assert solve_model(linear(model)) == (True, expected)
    assert solve_model(linear(model, "indicator")) == (True, expected)


@SLOW
@given(line_problems(), st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1)]))
def test_check_is_that_of_brute_force(problem: EnsembleProblem, alpha: Fraction) -> None:
    checked = dataclasses.replace(problem, goal=Check(alpha))
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    reached = best_value(problem, patterns, problem.threat.count) >= alpha
    assert solve_model(linear(lowered(drafted(checked))))[0] == reached


def bent() -> EnsembleProblem:
    """A member that is fooled only far to the right, where one rectifier passes and the other does not."""
    member = dense(
        (np.array([[1.0], [-1.0]]), np.array([0.0, 0.0])),
        (np.array([[1.0, -1.0], [0.0, 0.0]]), np.array([0.0, 1.5])),
        inputs=1,
        name="bent",
    )
    return make_problem([member], [[0]], [1], radius=2, goal=MaximizeValue())


def test_a_claimed_loss_takes_the_place_of_binaries() -> None:
    problem = bent()
    before, after = (lowered(drafted(problem, used=used)) for used in (False, True))
    assert len(before.rectifiers.switch) == 0
    assert after.rectifiers.active.tolist() == [True, False]
    assert size_of(linear(before)).integers == size_of(linear(after)).integers + 2
    assert solve_model(linear(after)) == solve_model(linear(before)) == (True, Fraction(1))


def test_a_member_that_bounds_refute_leaves_the_draft() -> None:
    problem = dataclasses.replace(bent(), threat=dataclasses.replace(bent().threat, radius=Fraction(1, 2)))
    draft = drafted(problem)
    assert [len(scope.points) for scope in draft.scopes] == [0]
