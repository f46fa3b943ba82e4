"""An instance's model is feasible iff a counterexample exists, up to strictness."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from tiny import dense, line_patterns, line_problems, make_problem
from z3_oracle import solve_model

from ensc.compiler.frontend.onnx import read_network
from ensc.compiler.passes.instances.instance_bounds import FALSE, analyse
from ensc.compiler.passes.instances.instance_model import lower_instance
from ensc.compiler.passes.instances.instances import misclassification_instance
from ensc.compiler.passes.linear.linearize import linearize
from ensc.compiler.passes.networks.evaluate import evaluate_exact
from ensc.compiler.types.instance import All, Atom, Ball, Condition, Instance, Reader, Some, holds
from ensc.compiler.types.problem import EnsembleProblem, Norm

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
IDENTITY = dense((np.eye(2), np.zeros(2)), inputs=2)


def at_least(least: Fraction | int, **terms: int) -> Atom:
    columns = {int(name[1:]): Fraction(c) for name, c in terms.items()}
    return Atom(tuple(sorted(columns)), tuple(columns[v] for v in sorted(columns)), Fraction(least))


def square(unsafe: Condition, *, ball: Ball | None = None, constraints: tuple[Atom, ...] = ()) -> Instance:
    """Ask about the identity on the unit square: v0, v1 are the inputs, v2, v3 the outputs."""
    zero, one = Fraction(0), Fraction(1)
    reader = Reader("f", IDENTITY, np.arange(2))
    return Instance("square", (zero, zero), (one, one), (reader,), unsafe, ball, constraints)


def feasible(instance: Instance, level: int = 1) -> bool:
    model = lower_instance(instance, level=level)
    whole = solve_model(model)[0]
    assert solve_model(linearize(model))[0] == whole
    return whole


@SLOW
@given(line_problems())
def test_feasible_iff_brute_force_finds_the_pattern(problem: EnsembleProblem) -> None:
    for point in range(len(problem.points)):
        patterns = line_patterns(problem, point)
        for size in range(1, len(problem.ensemble) + 1):
            for members in itertools.combinations(range(len(problem.ensemble)), size):
                instance = misclassification_instance(problem, point, members)
                possible = any(set(members) <= pattern for pattern in patterns)
                assert feasible(instance) == possible
                assert feasible(instance, 0) == possible


def test_conditions_combine() -> None:
    high, low = at_least(Fraction(3, 4), v2=1), at_least(Fraction(-1, 4), v2=-1)
    assert not feasible(square(All((high, low))))
    assert feasible(square(Some((All((high, low)), high))))
    nested = Some((All((high, Some((low, at_least(Fraction(1, 2), v3=1))))), All((high, low))))
    assert feasible(square(nested))
    assert not feasible(square(nested, constraints=(at_least(Fraction(-1, 3), v1=-1),)))


def test_balls_confine() -> None:
    centre = (Fraction(1, 3), Fraction(1, 3))
    both = All((at_least(Fraction(1, 2), v2=1), at_least(Fraction(1, 2), v3=1)))
    for norm, radius, expected in [
        (Norm.L1, Fraction(1, 3), True),
        (Norm.L1, Fraction(33, 100), False),
        (Norm.LINF, Fraction(1, 6), True),
        (Norm.LINF, Fraction(16, 100), False),
        (Norm.L0, Fraction(1), False),
        (Norm.L0, Fraction(2), True),
    ]:
        assert feasible(square(both, ball=Ball(centre, norm, radius))) == expected


def test_bounds_decide_what_they_can() -> None:
    true, false = at_least(-1, v2=1), at_least(2, v2=1)
    open_ = at_least(1, v2=1, v3=1)
    assert analyse(square(All((true, open_)))).unsafe == open_
    assert analyse(square(Some((false, open_)))).unsafe == open_
    assert analyse(square(All((open_, false)))).unsafe == FALSE
    assert analyse(square(open_, constraints=(false,))).is_refuted
    assert analyse(square(Atom((2,), (Fraction(1),), Fraction(1), strict=True))).unsafe != FALSE


def test_one_input_may_be_read_twice() -> None:
    weight = np.array([[1.0, 1.0], [0.0, 1.0]])
    reader = Reader("f", dense((weight, np.zeros(2)), inputs=2), np.array([0, 0]))
    ends = (Fraction(0),), (Fraction(1),)
    for least, expected in [(2, True), (3, False)]:
        assert feasible(Instance("twice", *ends, (reader,), at_least(least, v1=1))) == expected


def test_numbers_that_are_no_floats_lose_no_solution() -> None:
    third = Fraction(1, 3)
    exact = Atom((2, 3), (third, third), Fraction(2, 3))
    assert feasible(square(exact))
    tiny = Fraction(1, 10**30 + 57)
    assert feasible(square(Atom((2,), (1 + tiny,), 1 + tiny)))


def test_an_empty_box_has_no_counterexample() -> None:
    reader = Reader("f", IDENTITY, np.arange(2))
    one = Fraction(1)
    instance = Instance("empty", (one, one), (one, Fraction(0)), (reader,), All(()))
    assert analyse(instance).is_refuted
    assert not feasible(instance)


def test_the_condition_of_an_ensemble_is_that_of_the_paper() -> None:
    network = dense((np.array([[1.0], [0.0]]), np.array([0.0, 1.0])), inputs=1)
    problem = make_problem([network, network], [[2]], [0], norm=Norm.LINF, radius=Fraction(3, 2))
    instance = misclassification_instance(problem, 0, [0, 1])
    assert (instance.lower, instance.upper) == ((Fraction(1, 2),), (Fraction(7, 2),))
    for x in (Fraction(1), Fraction(101, 100)):
        outputs = evaluate_exact(network, (x,))
        assert holds(instance.unsafe, (x, *outputs, *outputs)) == (x <= 1)


def test_headers_name_the_variables_of_trees_where_there_are_some() -> None:
    plain = square(at_least(1, v2=1))
    assert not any("v_r_L_n" in line for line in lower_instance(plain).notes)
    trees = read_network(Path(__file__).parents[1] / "zoo" / "sklearn_tree_2.onnx", name="t")
    reader = Reader("t", trees, np.arange(trees.inputs))
    ends = (Fraction(-1),) * trees.inputs, (Fraction(1),) * trees.inputs
    grown = Instance("grown", *ends, (reader,), at_least(0, v5=1, v6=-1))
    assert any("v_r_L_n" in line for line in lower_instance(grown).notes)
