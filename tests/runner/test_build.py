"""Compiling with solvers at hand: what they decide leaves the file, and the answer stays the same."""

import dataclasses
from fractions import Fraction
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, dense, line_patterns, line_problems, make_problem
from z3_oracle import solve_model

import ensc
from ensc.compiler.pipeline import Options
from ensc.compiler.types.model import Model, size_of
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeValue, Norm, ProfileValue
from ensc.compiler.types.solution import Proof, Solution, Status, Word
from ensc.formats import write_mps
from ensc.runner.joint.build import Effort, build
from ensc.runner.joint.solve import Settings, solve_joint
from ensc.runner.split.facts import find_facts
from ensc.runner.split.settings import SplitSettings

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
LEVEL_3 = Options(3)


def silent(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
    """Stand for a solver that never answers."""
    del model, seconds, seed
    return Solution(Status.UNKNOWN, {}), None


ABSTAIN = Effort(split_seconds=2.0, backend=silent)
"""Leaves open whatever needs a solver."""


@pytest.mark.parametrize("answering", [True, False], ids=["cbc", "no answers"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_the_optimum_of_what_is_left_is_the_optimum(answering: bool, problem: EnsembleProblem) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    expected = best_value(problem, patterns, problem.threat.count)
    effort = Effort() if answering else ABSTAIN
    compiled = build(problem, LEVEL_3, effort)
    assert solve_model(compiled.linear) == (True, expected)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1)]))
def test_the_answer_to_check_is_the_same(problem: EnsembleProblem, alpha: Fraction) -> None:
    patterns = [line_patterns(problem, j) for j in range(len(problem.points))]
    reached = best_value(problem, patterns, problem.threat.count) >= alpha
    checked = dataclasses.replace(problem, goal=Check(alpha))
    assert solve_model(build(checked, LEVEL_3).linear)[0] == reached


def coin(goal: Check | MaximizeValue, norm: Norm = Norm.L1) -> EnsembleProblem:
    """Each member is fooled in its own direction, and a file cannot say it without a choice."""
    right = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1)
    left = dense((np.array([[-1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1)
    return make_problem([right, left], [[0]], [1], radius=2, domain=(-4, 4), norm=norm, goal=goal)


@pytest.mark.parametrize("norm", list(Norm))
def test_a_solved_point_keeps_its_maximal_patterns(norm: Norm) -> None:
    facts = find_facts(coin(MaximizeValue(), norm), SplitSettings())
    assert facts is not None
    patterns = facts.points[0].patterns
    assert patterns is not None
    assert {pattern.members for pattern in patterns} == {(0,), (1,)}
    assert facts.points[0].excluded == ((0, 1),)
    assert all(pattern.perturbation is not None for pattern in patterns)


def test_a_robust_query_becomes_an_infeasible_file_without_networks() -> None:
    problem = coin(Check(Fraction(2, 3)))
    compiled = build(problem, LEVEL_3)
    assert solve_model(compiled.linear) == (False, None)
    assert not [name for name in compiled.linear.variables.names() if name.startswith(("x_", "a_", "h_"))]
    assert any(line.startswith("this file rests on ") for line in compiled.linear.notes)


def test_what_has_no_answer_stays_in_the_file() -> None:
    problem = ensc.load(DIGITS / "robust.rq", epsilon="1.5")
    compiled = build(problem, LEVEL_3, ABSTAIN)
    facts = compiled.facts
    assert facts is not None
    assert not facts.answered
    left = {str(j + 1) for j, point in enumerate(facts.points) if point.patterns is None}
    kept = {name.split("_")[2] for name in compiled.linear.variables.names() if name.startswith("x_1_")}
    assert kept
    assert kept <= left
    assert size_of(compiled.linear).integers < size_of(build(problem).linear).integers


def test_goals_about_many_radii_are_refused_before_anything_is_solved() -> None:
    problem = ensc.load(DIGITS / "robust.rq")
    profile = dataclasses.replace(problem, goal=ProfileValue("epsilon", Fraction(0), Fraction(1)))
    with pytest.raises(ensc.Rejected, match="E0930"):
        build(profile, LEVEL_3, Effort(backend=silent))


@pytest.mark.parametrize("level", [2, 3])
@pytest.mark.parametrize(
    ("query", "word"),
    [("maximize", Word.OPTIMAL), ("robust", Word.ROBUST), ("not_robust", Word.NOT_ROBUST)],
)
def test_the_joint_strategy_solves_what_is_left(level: int, query: str, word: Word) -> None:
    problem = ensc.load(DIGITS / f"{query}.rq")
    result = solve_joint(problem, Settings(Options(level), time_limit=120))
    assert result.verdict.word is word
    if word is Word.ROBUST and level == 3:
        solvers = [proof.solver for proof in result.verdict.proofs]
        assert solvers[0] == "linear relaxation", "what was decided beforehand is part of the proof"
        assert len(solvers) > 1
    if word is not Word.ROBUST:
        assert result.verdict.certificate is not None


@pytest.mark.parametrize("level", [2, 3])
def test_the_same_query_gives_the_same_bytes(level: int) -> None:
    problem = ensc.load(DIGITS / "l1.rq")
    first, second = (b"".join(write_mps(ensc.compile(problem, level=level).linear)) for _ in range(2))
    assert first == second
    assert f"-O{level}, big-m".encode() in first


def test_tightening_needs_a_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", {}.get)
    with pytest.raises(ensc.Rejected, match="E1060"):
        ensc.compile(coin(MaximizeValue()), level=2)
