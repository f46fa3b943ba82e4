"""Points that are the same are asked about once, and count as often as they occur."""

import dataclasses

import numpy as np
from hypothesis import HealthCheck, given, settings
from tiny import best_value, line_patterns, line_problems, make_problem, random_network

from ensc.compiler.types.model import Model
from ensc.compiler.types.problem import EnsembleProblem, MaximizeValue, Norm, PointSet
from ensc.compiler.types.solution import Proof, Solution
from ensc.runner.split.answer import solve_by_cbc
from ensc.runner.split.conclude import solve_fixed
from ensc.runner.split.settings import SplitSettings


def repeated(problem: EnsembleProblem, rows: list[int]) -> EnsembleProblem:
    old = problem.points
    points = PointSet(old.numerators[rows], old.denominator, old.labels[rows], np.arange(len(rows)))
    return dataclasses.replace(problem, points=points)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_the_value_is_the_same_with_repeated_points(problem: EnsembleProblem) -> None:
    twice = repeated(problem, [0, *range(len(problem.points)), 0])
    patterns = [line_patterns(twice, j) for j in range(len(twice.points))]
    verdict = solve_fixed(twice).verdict
    assert verdict.lower == verdict.upper == best_value(twice, patterns, problem.threat.count)


def test_a_question_serves_all_points_that_are_the_same() -> None:
    rng = np.random.default_rng(2)
    networks = [random_network(rng, 3, 3) for _ in range(3)]
    points = rng.integers(-4, 5, (3, 3)).tolist()
    problem = make_problem(networks, points, [0, 1, 2], norm=Norm.LINF, radius=1, goal=MaximizeValue())
    asked: list[str] = []

    def counting(model: Model, seconds: float | None, seed: int) -> tuple[Solution, Proof | None]:
        asked.append(model.name)
        return solve_by_cbc(model, seconds, seed)

    once = solve_fixed(problem, SplitSettings(backend=counting)).verdict
    questions = len(asked)
    assert questions
    thrice = solve_fixed(repeated(problem, [0, 1, 2] * 3), SplitSettings(backend=counting)).verdict
    assert len(asked) == 2 * questions
    assert (thrice.lower, thrice.upper) == (once.lower, once.upper)
    assert thrice.game is not None
    assert once.game is not None
    assert thrice.game.points == once.game.points * 3
