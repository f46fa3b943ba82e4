"""The least radius and the profile are those of brute force on a line."""

import dataclasses
import itertools
from fractions import Fraction

import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, line_patterns, line_problems, smallest_radius
from z3_oracle import constrained, found_values

from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, MinimizeRadius, Norm, ProfileValue
from ensc.compiler.types.solution import Proof, Solution, Status, Verdict, Word
from ensc.runner.split.radii import Radii
from ensc.runner.split.settings import SplitSettings
from ensc.runner.split.solve import solve_split

F = Fraction
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def exactly(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """An exact backend, for models that seek the smallest perturbation."""
    del seconds, seed
    solver, v = constrained(model, z3.Optimize())
    least = solver.minimize(v[model.variables.names().index("r")])
    if solver.check() == z3.unsat:
        return Solution(Status.INFEASIBLE, {}), Proof("z3", 0.0, "infeasible")
    values = found_values(model, solver, v)
    bound = float(F(str(least.value())))
    return Solution(Status.OPTIMAL, values, bound, bound), Proof("z3", 1e-9, "optimal")


def says_infeasible(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    del model, seconds, seed
    return Solution(Status.INFEASIBLE, {}), Proof("liar", 0.0, "infeasible")


def says_huge(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Claim a bound that nothing refutes, and a perturbation that is none."""
    del seconds, seed
    values = dict.fromkeys(model.variables.names(), 0.0)
    return Solution(Status.OPTIMAL, values, 1.0, None), None


def answer(problem: EnsembleProblem, backend: object = exactly) -> Verdict:
    return solve_split(problem, SplitSettings(backend=backend)).verdict  # type: ignore[arg-type] # a function


def within(problem: EnsembleProblem, radius: Fraction) -> EnsembleProblem:
    return dataclasses.replace(problem, threat=dataclasses.replace(problem.threat, radius=radius))


def value_at(problem: EnsembleProblem, radius: Fraction) -> Fraction:
    patterns = [line_patterns(within(problem, radius), j) for j in range(len(problem.points))]
    return best_value(problem, patterns, problem.threat.count)


def events(problem: EnsembleProblem) -> list[Fraction]:
    """Radii at which the value may change."""
    members = range(len(problem.ensemble))
    sets = [frozenset(s) for k in members for s in itertools.combinations(members, k + 1)]
    found = {smallest_radius(problem, j, s) for j in range(len(problem.points)) for s in sets}
    return sorted({F(0)} | {r for r in found if r is not None})


def near(low: Fraction, high: Fraction, true: Fraction) -> bool:
    return low - F(1, 10**6) <= true <= high + F(1, 10**6) and high - low <= F(1, 10**4)


def attackable(problem: EnsembleProblem) -> bool:
    """Inside the domain, so that the radius zero has an attack, and of a norm that varies."""
    inside = all(abs(x) <= 3 for j in range(len(problem.points)) for x in problem.points.exact(j))
    return inside and problem.threat.norm is not Norm.L0 and problem.threat.radius > 0


@QUIET
@given(line_problems().filter(attackable))
def test_something_to_do_is_known_at_every_radius_from_the_start(problem: EnsembleProblem) -> None:
    radii = Radii(problem, F(0), SplitSettings(backend=exactly))
    assert all(known.witnesses for known in radii.board(problem.threat.radius).points)


@QUIET
@given(line_problems().filter(attackable), st.integers(1, 4), st.sampled_from(["", "search"]))
def test_least_radius_is_that_of_brute_force(problem: EnsembleProblem, quarters: int, omitted: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if omitted:
            patch.setattr(f"ensc.runner.split.answer.{omitted}", lambda *_, **__: [])
        alpha, upper = F(quarters, 4), problem.threat.radius
        goal = MinimizeRadius("epsilon", alpha, F(0), upper)
        verdict = answer(dataclasses.replace(problem, goal=goal))
        true = next((r for r in events(problem) if value_at(problem, r) >= alpha), None)
        if true is None:
            assert verdict.word in {Word.ROBUST, Word.ROBUST_UP_TO_K}
            return
        assert verdict.word is Word.OPTIMAL
        assert near(verdict.lower, verdict.upper, true)
        assert verdict.certificate is not None
        assert verdict.certificate.value >= alpha
        assert max(n for row in verdict.certificate.norms for n in row) <= verdict.upper


@QUIET
@given(line_problems().filter(attackable))
def test_profile_is_that_of_brute_force(problem: EnsembleProblem) -> None:
    upper = problem.threat.radius
    verdict = answer(dataclasses.replace(problem, goal=ProfileValue("epsilon", F(0), upper)))
    assert verdict.word is Word.OPTIMAL
    values = [(r, value_at(problem, r)) for r in events(problem) if r <= upper]
    expected = [(r, value) for k, (r, value) in enumerate(values) if k == 0 or value > values[k - 1][1]]
    assert [step.lower for step in verdict.profile] == [value for _, value in expected]
    for step, (radius, _) in zip(verdict.profile, expected, strict=True):
        assert near(step.low, step.high, radius)


@QUIET
@given(line_problems().filter(attackable), st.integers(1, 4), st.sampled_from([says_infeasible, says_huge]))
def test_lies_about_radii_reach_no_attack(problem: EnsembleProblem, quarters: int, backend: object) -> None:
    alpha = F(quarters, 4)
    goal = MinimizeRadius("epsilon", alpha, F(0), problem.threat.radius)
    verdict = answer(dataclasses.replace(problem, goal=goal), backend)
    true = next((r for r in events(problem) if value_at(problem, r) >= alpha), None)
    if verdict.certificate is not None:
        assert true is not None
        assert verdict.upper >= true
        assert verdict.certificate.value >= alpha
    if backend is says_huge and true is not None:
        assert verdict.lower <= true
