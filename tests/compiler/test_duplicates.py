"""Members and points that are the same are said once, and nothing else changes, as brute force shows."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import best_value, line_patterns, line_problems, make_problem, random_network
from z3_oracle import solve_model

from ensc.compiler.passes.scopes.duplicates import duplicates, network_digest
from ensc.compiler.pipeline import Options, compile_problem
from ensc.compiler.types.network import Affine, Network
from ensc.compiler.types.problem import Check, EnsembleProblem, MaximizeTotal, MaximizeValue, PointSet
from ensc.runner.joint.completion import violation
from ensc.runner.joint.start import start_of


def doubled(problem: EnsembleProblem, *, members: bool, points: bool, count: int) -> EnsembleProblem:
    """Repeat the first member, and the first point, at the end."""
    ensemble, old = problem.ensemble, problem.points
    chosen = [*range(len(old)), 0] if points else [*range(len(old))]
    return dataclasses.replace(
        problem,
        ensemble=(*ensemble, ensemble[0]) if members else ensemble,
        points=PointSet(old.numerators[chosen], old.denominator, old.labels[chosen], np.arange(len(chosen))),
        threat=dataclasses.replace(problem.threat, count=count),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems(), st.booleans(), st.integers(1, 2))
def test_the_value_is_the_same_with_duplicates(problem: EnsembleProblem, members: bool, count: int) -> None:
    repeated = doubled(problem, members=members, points=True, count=count)
    patterns = [line_patterns(repeated, j) for j in range(len(repeated.points))]
    expected = best_value(repeated, patterns, count)
    assert solve_model(compile_problem(repeated, Options(1)).model) == (True, expected)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_a_total_counts_duplicates(problem: EnsembleProblem) -> None:
    repeated = dataclasses.replace(
        doubled(problem, members=True, points=True, count=1), goal=MaximizeTotal(None)
    )
    patterns = [line_patterns(repeated, j) for j in range(len(repeated.points))]
    most = sum(max(len(pattern) for pattern in found) for found in patterns)
    feasible, total = solve_model(compile_problem(repeated, Options(1)).model)
    assert feasible
    assert (total or 0) == most  # without anything to gain there is no objective


def sample(count: int, goal: MaximizeValue | Check | None = None) -> EnsembleProblem:
    rng = np.random.default_rng(5)
    networks = [random_network(rng, 2, 3) for _ in range(2)]
    points = [[0, 1], [1, -1], [0, 1], [0, 1]]
    return make_problem(
        [*networks, networks[0]], points, [0, 1, 0, 2], count=count, radius=2, goal=goal or MaximizeValue()
    )


def test_only_equal_networks_and_equal_labelled_points_are_the_same() -> None:
    found = duplicates(sample(3))
    assert found.members.tolist() == [0, 1, 0]
    assert found.points.tolist() == [0, 1, 0, 3]
    assert found.weights.tolist() == [2, 1, 0, 1]


def test_minus_zero_is_zero() -> None:
    problem = make_problem([random_network(np.random.default_rng(0), 1, 2)], [[0.0], [-0.0]], [0, 0])
    assert duplicates(problem).points.tolist() == [0, 0]


def test_a_name_is_no_part_of_a_network_and_every_number_is() -> None:
    network = random_network(np.random.default_rng(1), 2, 3)
    assert network_digest(dataclasses.replace(network, name="other")) == network_digest(network)
    layers = list(network.layers)
    first = layers[0]
    assert isinstance(first, Affine)
    layers[0] = dataclasses.replace(first, bias=np.nextafter(first.bias, np.inf))
    changed = Network(network.name, network.input_shape, tuple(layers), network.output)
    assert network_digest(changed) != network_digest(network)


def test_copies_are_written_once_and_perturbations_named_for_every_point() -> None:
    compiled = compile_problem(sample(3), Options(1))
    names = compiled.model.variables.names()
    assert not [name for name in names if name.startswith(("l_3_", "a_3_", "h_3_"))]
    assert not [name for name in names if name.startswith("l_") and name.endswith("_3")]
    assert {"d_1_1_1", "d_1_3_1"} <= set(names)
    assert "x_1_3_1" not in names
    (said,) = [stage.said for stage in compiled.stages if stage.name == "merge"]
    assert said.startswith("1 member and 1 point are the same as others")


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_attacks_keep_points_apart(count: int) -> None:
    names = compile_problem(sample(count), Options(1)).model.variables.names()
    assert any(name.startswith("l_") and name.endswith("_3") for name in names)


def test_one_attack_is_enough_for_the_value_one() -> None:
    compiled = compile_problem(sample(3, Check(Fraction(1))), Options(1))
    assert compiled.attacks == 1
    names = compiled.model.variables.names()
    assert not any(name.startswith("l_") and name.endswith("_3") for name in names)


@pytest.mark.parametrize("count", [1, 3])
def test_a_start_plays_the_same_at_points_that_are_the_same(count: int) -> None:
    compiled = compile_problem(sample(count), Options(1))
    assert violation(compiled.linear, start_of(compiled).values) <= 1e-9
