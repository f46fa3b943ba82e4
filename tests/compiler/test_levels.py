"""Every optimization level means the same: brute force is the witness, z3 solves what was compiled."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import Pattern as Fooled
from tiny import best_value, dense, line_patterns, line_problems, make_problem
from z3_oracle import solve_model

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.passes.show import model_text
from ensc.compiler.passes.tightening.dual_bounds import Subproblem
from ensc.compiler.pipeline import PASSES, Aids, Compiled, Options, compile_problem
from ensc.compiler.types.facts import Facts, Pattern, PointFacts
from ensc.compiler.types.model import Floats, Model, size_of
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue
from ensc.compiler.types.solution import Proof
from ensc.runner.joint.tighten import find_lp_solver

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def no_answer(model: Model, asked: Sequence[Subproblem]) -> list[Floats]:
    """Stand for a solver whose time is up."""
    del model, asked
    return []


def aids(facts: Facts | None = None) -> Aids:
    return Aids(find_lp_solver() or no_answer, facts)


def maximal(patterns: set[Fooled]) -> list[tuple[int, ...]]:
    return sorted(tuple(sorted(s)) for s in patterns if not any(s < other for other in patterns))


def minimal_exclusions(members: int, patterns: set[Fooled]) -> list[tuple[int, ...]]:
    """Return the smallest sets that no pattern contains."""
    subsets = [frozenset(c for c in range(members) if mask >> c & 1) for mask in range(1, 1 << members)]
    excluded = [s for s in subsets if not any(s <= pattern for pattern in patterns)]
    return sorted(tuple(sorted(s)) for s in excluded if not any(other < s for other in excluded))


@st.composite
def partial_facts(draw: st.DrawFn, problem: EnsembleProblem, patterns: Sequence[set[Fooled]]) -> Facts:
    """Draw some of what is true: points that are closed, points of which some exclusions are known."""
    members = len(problem.ensemble)
    points = []
    for fooled in patterns:
        excluded = [s for s in minimal_exclusions(members, fooled) if draw(st.booleans())]
        known = tuple(Pattern(s, (0.25,)) for s in maximal(fooled)) if draw(st.booleans()) else None
        points.append(PointFacts(tuple(excluded), known))
    return Facts(tuple(points), (Proof("brute force", 0.0, "it looked"),))


@SLOW
@given(st.data(), line_problems())
def test_maximum_is_the_same_at_every_level(data: st.DataObject, problem: EnsembleProblem) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    expected = best_value(problem, patterns, problem.threat.count)
    facts = data.draw(partial_facts(problem, patterns))
    for level in range(4):
        compiled = compile_problem(problem, Options(level), aids(facts))
        assert solve_model(compiled.model) == (True, expected), level
        assert solve_model(compiled.linear) == (True, expected), level


@SLOW
@given(st.data(), line_problems(), st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1)]))
def test_check_is_the_same_at_every_level(
    data: st.DataObject, problem: EnsembleProblem, alpha: Fraction
) -> None:
    checked = dataclasses.replace(problem, goal=Check(alpha))
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    reached = best_value(problem, patterns, problem.threat.count) >= alpha
    facts = data.draw(partial_facts(problem, patterns))
    for level in (2, 3):
        compiled = compile_problem(checked, Options(level), aids(facts))
        assert solve_model(compiled.model)[0] == reached, level
        assert solve_model(compiled.linear)[0] == reached, level


@SLOW
@given(st.data(), line_problems(), st.sampled_from([None, Fraction(1, 2)]))
def test_total_is_the_same_at_every_level(
    data: st.DataObject, problem: EnsembleProblem, alpha: Fraction | None
) -> None:
    totalled = dataclasses.replace(problem, goal=MaximizeTotal(alpha))
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    facts = data.draw(partial_facts(problem, patterns))
    answers = set()
    for level in range(4):
        feasible, total = solve_model(compile_problem(totalled, Options(level), aids(facts)).linear)
        answers.add((feasible, (total or 0) if feasible else None))  # an empty objective has no optimum
    assert len(answers) == 1


@SLOW
@given(line_problems())
def test_with_everything_known_no_network_is_left(problem: EnsembleProblem) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    known = tuple(PointFacts((), tuple(Pattern(s, (0.5,)) for s in maximal(fooled))) for fooled in patterns)
    compiled = compile_problem(problem, Options(3), aids(Facts(known)))
    expected = best_value(problem, patterns, problem.threat.count)
    assert solve_model(compiled.linear) == (True, expected)
    prefixes = {name.split("_")[0] for name in compiled.linear.variables.names()}
    assert prefixes <= {"p", "d", "l", "y", "r", "t"}
    choices = sum(len(point.patterns or ()) for point in known if len(point.patterns or ()) > 1)
    assert size_of(compiled.linear).integers == choices * compiled.attacks


def two_members() -> EnsembleProblem:
    left = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1, name="left")
    right = dense((np.array([[-1.0], [0.0]]), np.array([4.0, 1.0])), inputs=1, name="right")
    return make_problem([left, right], [[2], [3]], [0, 0], radius=2, goal=MaximizeValue())


def test_a_known_point_becomes_a_choice_between_its_patterns() -> None:
    """Point 1 is known to fool either member, point 2 to fool both at once."""
    both = (Pattern((0,), (-1.0,)), Pattern((1,), (1.0,)))
    facts = Facts((PointFacts((), both), PointFacts((), (Pattern((0, 1), (2.0,)),))))
    compiled = compile_problem(two_members(), Options(3), aids(facts))
    assert model_text(compiled.model) == (
        """\
maximize t
variables
  p_1 in [0, 1]
  p_2 in [0, 1]
  y_1_1_1 in [0, 1] integer
  y_1_1_2 in [0, 1] integer
  y_2_1_1 in [0, 1] integer
  y_2_1_2 in [0, 1] integer
  r_1_1_1 in [0, 1]
  r_1_1_2 in [0, 1]
  r_2_1_1 in [0, 1]
  r_2_1_2 in [0, 1]
  l_1_1_1 in [0, 1]
  l_1_2_1 in [0, 1]
  l_2_1_1 in [0, 1]
  l_2_2_1 in [0, 1]
  d_1_1_1 in [-1, 1]
  d_2_1_1 in [-1, 1]
  l_1_1_2 in [1, 1]
  l_1_2_2 in [1, 1]
  l_2_1_2 in [1, 1]
  l_2_2_2 in [1, 1]
  d_1_2_1 in [2, 2]
  d_2_2_1 in [2, 2]
  t in [0, 1]
rows
  p_1 + p_2 = 1
  p_1 - p_2 >= 0
  y_1_1_1 + y_1_1_2 = 1
  y_2_1_1 + y_2_1_2 = 1
  r_1_1_1 + r_1_1_2 - p_1 = 0
  r_2_1_1 + r_2_1_2 - p_2 = 0
  l_1_1_1 - y_1_1_1 = 0
  l_1_2_1 - y_2_1_1 = 0
  l_2_1_1 - y_1_1_2 = 0
  l_2_2_1 - y_2_1_2 = 0
  d_1_1_1 + y_1_1_1 - y_1_1_2 = 0
  d_2_1_1 + y_2_1_1 - y_2_1_2 = 0
  r_1_1_1 + r_2_1_1 + p_1 + p_2 - 2 t >= 0
  r_1_1_2 + r_2_1_2 + p_1 + p_2 - 2 t >= 0
products
  r_1_1_1 = p_1 * y_1_1_1
  r_1_1_2 = p_1 * y_1_1_2
  r_2_1_1 = p_2 * y_2_1_1
  r_2_1_2 = p_2 * y_2_1_2
"""
    )


def test_an_excluded_pair_is_a_row_for_every_attack() -> None:
    facts = Facts((PointFacts(((0, 1),)), PointFacts()))
    text = model_text(compile_problem(two_members(), Options(3), aids(facts)).model)
    assert "  l_1_1_1 + l_2_1_1 <= 1\n  l_1_2_1 + l_2_2_1 <= 1\n" in text
    assert "  q_1_1_1 + q_2_1_1 - p_1 <= 0\n  q_1_2_1 + q_2_2_1 - p_2 <= 0\n" in text
    assert "l_1_1_2 + l_2_1_2 <= 1" not in text


def test_a_member_excluded_alone_leaves_the_point() -> None:
    facts = Facts((PointFacts(((1,),)), PointFacts()))
    names = compile_problem(two_members(), Options(3), aids(facts)).model.variables.names()
    assert "l_1_1_1" in names
    assert "l_2_1_1" not in names
    assert "l_2_1_2" in names


def test_the_header_says_what_a_file_rests_on() -> None:
    proof = Proof("somebody", 1e-6, "1 set of members cannot be fooled together, at 1 point")
    facts = Facts((PointFacts(((0, 1),)), PointFacts()), (proof,), answered=True)
    notes = "\n".join(compile_problem(two_members(), Options(3), aids(facts)).linear.notes)
    assert "-O3" in notes
    assert "this file rests on somebody, feasibility tolerance 1e-06: 1 set of members" in notes
    assert "which decide what the query asks" in notes
    assert "pass facts: 0 of 2 points solved, 1 set of members excluded elsewhere" in notes
    assert "pass tighten: " in notes


@pytest.mark.parametrize(
    ("level", "passes"),
    [
        (0, ["printed", "model", "linear"]),
        (1, ["relax", "attacks", "demand", "merge", "fooled", "model", "linear"]),
        (2, ["relax", "attacks", "demand", "merge", "fooled", "tighten", "model", "linear"]),
        (3, ["relax", "attacks", "demand", "facts", "merge", "fooled", "tighten", "model", "linear"]),
    ],
)
def test_each_level_runs_its_passes(level: int, passes: list[str]) -> None:
    facts = Facts((PointFacts(), PointFacts()))
    compiled = compile_problem(two_members(), Options(level), aids(facts))
    assert [stage.name for stage in compiled.stages] == passes
    assert set(passes) <= set(PASSES)
    assert [name for name in PASSES if name in passes] == passes


@pytest.mark.parametrize("level", [2, 3])
def test_a_level_without_its_solver_is_refused(level: int) -> None:
    with pytest.raises(Rejected) as caught:
        compile_problem(two_members(), Options(level))
    assert caught.value.diagnostics[0].code == "E1060"


def test_the_same_aids_give_the_same_model() -> None:
    def made() -> Compiled:
        return compile_problem(two_members(), Options(3), aids(Facts((PointFacts(), PointFacts(((0,),))))))

    first, second = made(), made()
    assert first.linear.notes == second.linear.notes
    assert model_text(first.linear) == model_text(second.linear)
