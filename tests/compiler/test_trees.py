"""Decision trees mean the same everywhere: exactly, in floats, in bounds, in rows of every form."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from forests import cells, layer_of, network_of, places, random_forest, scores, stump
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_problem
from z3_oracle import solve_model

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxed_bounds import margin_bounds, relaxed_bounds
from ensc.compiler.passes.linear.linearize import Formulation, linearize
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.lowering.network_rows import Copies, add_network
from ensc.compiler.passes.networks.evaluate import evaluate, evaluate_exact
from ensc.compiler.passes.networks.gradient import gradient
from ensc.compiler.passes.scopes.plan import full_plan, pruned_plan
from ensc.compiler.types.model import Labels, Model, Objective
from ensc.compiler.types.network import Affine, Layer, Network, Scale
from ensc.compiler.types.problem import Norm

Place = tuple[float | Fraction, ...]
SEEDS = st.integers(0, 2**32 - 1)
RADIUS = Fraction(3, 4)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_trees_are_followed_as_the_file_says(seed: int) -> None:
    """Also exactly on thresholds, and where tests for equality were split."""
    forest = random_forest(np.random.default_rng(seed), 2, 2, trees=2)
    network = network_of(forest, 2, bias=[0.5, -1.0])
    points = list(cells([-2.0, -2.0], [2.0, 2.0]))
    expected = np.array([scores(forest, x) + np.array([0.5, -1.0]) for x in points])
    np.testing.assert_array_equal(evaluate(network, points), expected)
    for x, row in list(zip(points, expected.tolist(), strict=True))[::17]:
        exact = evaluate_exact(network, [Fraction(v) for v in x])
        assert exact == tuple(map(Fraction, row))


def test_a_point_beside_a_threshold_is_told_from_it_exactly() -> None:
    network = network_of(stump(0.1, [1.0, 0.0], [0.0, 1.0]), 1)
    limit = Fraction(0.1)
    assert evaluate_exact(network, [limit]) == (Fraction(1), Fraction(0))
    assert evaluate_exact(network, [limit + Fraction(1, 10**40)]) == (Fraction(0), Fraction(1))
    assert evaluate_exact(network, [limit - Fraction(1, 10**40)]) == (Fraction(1), Fraction(0))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_bounds_hold_and_the_best_of_one_tree_is_reached(seed: int) -> None:
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, 2, 3, trees=int(rng.integers(1, 3)), modes=4)
    network = network_of(forest, 2)
    centre = rng.integers(-2, 3, 2).tolist()
    sets = input_sets(make_problem([network], [centre], [0], norm=Norm.LINF, radius=RADIUS))
    values = np.array([scores(forest, x) for x in cells(sets.lower[0], sets.upper[0])])
    bounds = interval_bounds(network, sets).values[1]
    assert (bounds.lower[0] <= values.min(axis=0)).all()
    assert (bounds.upper[0] >= values.max(axis=0)).all()
    form = rng.integers(-2, 3, (1, 1, 3)).astype(np.float64)
    most = margin_bounds(network, sets, relaxed_bounds(network, sets), form)[0, 0]
    best = (values @ form[0, 0]).max()
    assert most >= best
    plain = np.where(form[0, 0] > 0, bounds.upper[0], bounds.lower[0]) @ form[0, 0]
    assert most <= plain + 1e-9


def lowered(network: Network, centre: list[float], *, prune: bool) -> Model:
    """Return the model of two copies over a cube, one for each attack."""
    problem = make_problem([network], [centre], [0], norm=Norm.LINF, radius=RADIUS)
    sets = input_sets(problem)
    bounds = (relaxed_bounds if prune else interval_bounds)(network, sets)
    wanted = np.ones((1, network.classes), dtype=np.bool_)
    plan = pruned_plan(network, bounds, wanted) if prune else full_plan(network, bounds)
    to = Assembler()
    attacks = np.array([[1], [2]])
    labels = Labels("x", (attacks, np.arange(1, network.inputs + 1)))
    x = to.variables(labels, sets.lower[0], sets.upper[0])
    logits = add_network(to, network, Copies((np.array([[1]]), attacks), (), plan, "net"), x[:, None])[-1]
    columns = logits[-1, 0, :2]
    return to.model("net", Objective("maximize", columns, np.array([1.0, -1.0])))


def closed_scores(network: Network, x: Place) -> list[Fraction]:
    """Return the margin at x and at all points beside it: what closed sides allow."""
    shift = Fraction(1, 10**9)
    beside = [[Fraction(v), Fraction(v) - shift, Fraction(v) + shift] for v in x]
    found = []
    for a in beside[0]:
        for b in beside[1]:
            logits = evaluate_exact(network, [a, b])
            found.append(logits[0] - logits[1])
    return found


@pytest.mark.parametrize("formulation", ["big-m", "indicator"])
@pytest.mark.parametrize("prune", [False, True])
@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_the_optimum_is_that_of_all_cells(prune: bool, formulation: Formulation, seed: int) -> None:
    """Between the best margin of all cells and the best that closed sides allow, which differ on few."""
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, 2, 2, trees=2, depth=2)
    scale = Scale(0, np.array([3.0, -2.0]), np.array([0.5, 0.0]), np.array([7.0, 1.0]))
    mixed = Affine(0, np.array([[1.0, 0.5], [0.25, -1.0]]), np.array([0.0, 0.125]))
    fronts: list[tuple[Layer, ...]] = [(), (scale,), (mixed,)]
    front = fronts[int(rng.integers(3))]
    layers = (*front, layer_of(forest, source=len(front)))
    network = Network("n", (2,), layers, len(layers))
    centre = (rng.integers(-4, 5, 2) / 4).tolist()
    model = lowered(network, centre, prune=prune)
    names = model.variables.names()
    assert len(set(names)) == len(names)
    feasible, found = solve_model(linearize(model, formulation))
    assert feasible
    assert found is not None
    lower, upper = ([c + s * float(RADIUS) for c in centre] for s in (-1, 1))
    if front == (mixed,):
        grid = np.stack(np.meshgrid(*(np.linspace(a, b, 25) for a, b in zip(lower, upper, strict=True))), -1)
        logits = evaluate(network, grid.reshape(-1, 2))
        assert found >= Fraction(float((logits[:, 0] - logits[:, 1]).max()))
        return
    points: list[Place] = _scaled_cells(scale, lower, upper) if front else list(cells(lower, upper))
    open_best = max(_margin(network, x) for x in points)
    closed_best = max(value for x in points for value in closed_scores(network, x))
    assert open_best <= found <= closed_best


def _margin(network: Network, x: Place) -> Fraction:
    logits = evaluate_exact(network, [Fraction(v) for v in x])
    return logits[0] - logits[1]


def _scaled_cells(scale: Scale, lower: list[float], upper: list[float]) -> list[Place]:
    """Return points of all cells of scaled inputs, exactly."""
    columns = (scale.factor, scale.offset, scale.divisor, np.array(lower), np.array(upper))
    axes = []
    for row in zip(*(column.tolist() for column in columns), strict=True):
        factor, offset, divisor, low, high = map(Fraction, row)
        ends = sorted((factor * end + offset) / divisor for end in (low, high))
        back = [(Fraction(t) * divisor - offset) / factor for t in places(float(ends[0]), float(ends[1]))]
        axes.append([min(max(x, low), high) for x in back])
    return list(product(*axes))


def test_what_cannot_be_reached_is_not_in_the_file() -> None:
    forest = random_forest(np.random.default_rng(1), 2, 2, trees=4, depth=4, modes=1)
    network = network_of(forest, 2)
    whole, pruned = (lowered(network, [0.1, 0.1], prune=prune) for prune in (False, True))
    counts = [sum(name.startswith("z_") for name in m.variables.names()) for m in (whole, pruned)]
    assert counts[0] == 2 * len(forest.leaves)
    assert counts[1] < counts[0]
    tests = [sum(name.startswith("v_") for name in m.variables.names()) for m in (whole, pruned)]
    assert tests[1] < tests[0]


def test_slopes_lead_across_thresholds() -> None:
    network = network_of(stump(0.5, [0.0, 1.0], [2.0, 0.0]), 1)
    weights = np.array([1.0, -1.0])
    assert gradient(network, [[0.0]], weights)[0] > 0
    assert gradient(network, [[1.0]], -weights)[0] < 0
    assert gradient(network, [[1.0]], weights)[0] == 0
