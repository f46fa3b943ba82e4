"""Linear programs tighten bounds, and whoever solves them cannot make the bounds wrong."""

from collections.abc import Sequence
from fractions import Fraction
from importlib import util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import dense, make_problem, random_network

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.lowering.assemble import Assembler
from ensc.compiler.passes.networks.evaluate import evaluate_all_exact
from ensc.compiler.passes.scopes.scope import Scope, pruned_scope
from ensc.compiler.passes.tightening.branch import branched, case_of
from ensc.compiler.passes.tightening.dual_bounds import LpSolver, Subproblem
from ensc.compiler.passes.tightening.tighten import Gain, choices, tightened_scope
from ensc.compiler.types.model import Floats, Labels, Model, Objective, feasibility
from ensc.compiler.types.network import Affine, MaxPool, Network, Relu
from ensc.compiler.types.problem import EnsembleProblem, Norm, Targeted
from ensc.runner.joint.tighten import find_lp_solver


def liar(seed: int) -> LpSolver:
    """Return a solver whose multipliers are garbage of any shape and size."""
    rng = np.random.default_rng(seed)

    def solve(model: Model, asked: Sequence[Subproblem]) -> list[Floats]:
        rows = len(model.rows)
        answers = []
        for _ in asked:
            y = rng.normal(size=rows) * 10.0 ** rng.integers(-6, 7, rows)
            y[rng.random(rows) < 0.1] = rng.choice([np.nan, np.inf, -np.inf, 1e308])
            answers.append(y if rng.random() < 0.9 else y[:-1])
        return answers[: rng.integers(len(answers) + 1)] if rng.random() < 0.3 else answers

    return solve


def honest(seconds: float = 60.0) -> LpSolver:
    """Return whichever solver is installed."""
    solve = find_lp_solver(seconds)
    if solve is None:
        pytest.skip("no solver of linear programs")
    return solve


def loose_scope(problem: EnsembleProblem) -> Scope:
    sets = input_sets(problem)
    network = problem.ensemble[0].network
    return pruned_scope(problem, network, sets, relaxed_bounds(network, sets))


def deep_problem(rng: np.random.Generator, norm: Norm) -> EnsembleProblem:
    """Return a problem about one network with two hidden layers, sometimes with a pool."""
    layers = [(rng.normal(size=(4, 3)), rng.normal(size=4)), (rng.normal(size=(4, 4)), rng.normal(size=4))]
    network = dense(*layers, (rng.normal(size=(2, 4)), np.zeros(2)), inputs=3)
    if rng.random() < 0.4:
        network = random_network(rng, 3, 2, pool=True)
    points = rng.integers(0, 28, (2, 3)) / 7
    return make_problem(
        [network], points.tolist(), [0, 1], norm=norm, radius=Fraction(5, 4), domain=(0, 4), denominator=7
    )


def admissible(rng: np.random.Generator, problem: EnsembleProblem, point: int) -> list[Fraction]:
    """Return an exact input of the ball, often on its border."""
    x, radius = problem.points.exact(point), problem.threat.radius
    if problem.threat.norm is Norm.L0:
        shares = [Fraction(int(k)) * 4 for k in rng.permutation([1, 0, 0])]
    elif problem.threat.norm is Norm.L1:
        cuts = sorted(Fraction(int(rng.integers(0, 9)), 8) for _ in range(2))
        shares = [cuts[0] * radius, (cuts[1] - cuts[0]) * radius, (1 - cuts[1]) * radius]
    else:
        shares = [radius * Fraction(int(rng.integers(0, 3)), 2) for _ in range(3)]
    signs = rng.choice([-1, 1], 3).tolist()
    moved = (v + s * d for v, s, d in zip(x, signs, shares, strict=True))
    return [min(Fraction(4), max(Fraction(0), v)) for v in moved]


@pytest.mark.parametrize("solver", ["honest", "liar"])
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)))
def test_exact_values_stay_inside(solver: str, seed: int, norm: Norm) -> None:
    rng = np.random.default_rng(seed)
    problem = deep_problem(rng, norm)
    before = loose_scope(problem)
    solve = honest() if solver == "honest" else liar(seed)
    after, _ = tightened_scope(problem, input_sets(problem), 0, before, solve)
    network = problem.ensemble[0].network
    for j in range(len(problem.points)):
        label = int(problem.points.labels[j])
        for _ in range(6):
            values = evaluate_all_exact(network, admissible(rng, problem, j))
            logits = values[network.output]
            if j not in after.points:
                assert logits[1 - label] < logits[label]
                continue
            place = int(np.searchsorted(after.points, j))
            for value, interval in zip(values, after.plan.bounds.values, strict=True):
                lower, upper = interval.lower[place].tolist(), interval.upper[place].tolist()
                assert all(Fraction(a) <= v for a, v in zip(lower, value, strict=True))
                assert all(v <= Fraction(b) for v, b in zip(value, upper, strict=True))
            pair = int(np.flatnonzero(after.pairs.owner == place)[0])
            assert after.margins is not None
            margin = logits[1 - label] - logits[label]
            assert Fraction(after.margins.lower[0, pair]) <= margin <= Fraction(after.margins.upper[0, pair])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)))
def test_bounds_are_never_wider(seed: int, norm: Norm) -> None:
    problem = deep_problem(np.random.default_rng(seed), norm)
    before = loose_scope(problem)
    after, _ = tightened_scope(problem, input_sets(problem), 0, before, honest())
    places = np.searchsorted(before.points, after.points)
    for wide, tight in zip(before.plan.bounds.values, after.plan.bounds.values, strict=True):
        assert (wide.lower[places] <= tight.lower).all()
        assert (tight.upper <= wide.upper[places]).all()


def folded() -> EnsembleProblem:
    """The maximum of x and -x, plus 1/10: linear relaxation follows one candidate from below, to -9/10."""
    layers = (
        Affine(0, np.array([[1.0], [-1.0]]), np.zeros(2)),
        MaxPool(1, np.array([[0, 1]])),
        Affine(2, np.array([[1.0]]), np.array([0.1])),
        Relu(3, 1),
        Affine(4, np.array([[1.0], [0.0]]), np.array([0.0, 0.5])),
    )
    network = Network("folded", (1,), layers, 5)
    return make_problem([network], [[0]], [0], radius=1, domain=(-1, 1))


def test_a_program_knows_every_row_below_a_unit() -> None:
    """`max(x, -x) >= 0` follows from both candidates: the unit above it becomes stable."""
    problem = folded()
    before = loose_scope(problem)
    assert before.plan.bounds.values[3].lower[0, 0] < -0.5
    after, gain = tightened_scope(problem, input_sets(problem), 0, before, honest())
    assert np.allclose(after.plan.bounds.values[3].lower, 0.1, atol=1e-6)
    assert (gain.solved, gain.places, gain.late) == (4, 1, False)  # both ends of one unit, and one margin
    assert (gain.open, gain.decided) == (2, 1)


def stepping() -> EnsembleProblem:
    """The second layer is `relu(x) - relu(x - 1/2) - 3/5 <= -1/10`; with two triangles it is at most 3/20."""
    first = (np.array([[1.0], [1.0]]), np.array([0.0, -0.5]))
    second = (np.array([[1.0, -1.0]]), np.array([-0.6]))
    last = (np.array([[1.0], [0.0]]), np.array([0.0, 0.5]))
    return make_problem([dense(first, second, last, inputs=1)], [[0]], [0], radius=1, domain=(-1, 1))


def test_branching_decides_what_the_triangles_leave_open() -> None:
    problem = stepping()
    before = loose_scope(problem)
    assert before.plan.bounds.values[3].upper[0, 0] > 0
    after, gain = tightened_scope(problem, input_sets(problem), 0, before, honest())
    assert after.plan.bounds.values[3].upper[0, 0] < 0
    assert gain.decided >= 1
    assert gain.solved > 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_worst_case_bounds_every_point(seed: int, lying: bool) -> None:
    """Whoever answers, no admissible point of a random model with binaries is below the bound."""
    rng = np.random.default_rng(seed)
    to = Assembler()
    at = np.concatenate([rng.integers(-16, 17, 3) / 8, rng.integers(0, 2, 3)])
    reals = to.variables(Labels("v", (np.arange(3),)), at[:3] - 2, at[:3] + 2)
    binaries = to.variables(Labels("z", (np.arange(3),)), 0.0, 1.0, integer=True)
    weights = rng.integers(-4, 5, (4, 6)).astype(np.float64)
    columns = np.broadcast_to(np.concatenate([reals, binaries]), weights.shape)
    to.rows(columns, weights, weights @ at - rng.integers(0, 2, 4), weights @ at, "random")
    model = to.model("random", feasibility())
    objective = Objective("minimize", np.arange(6), rng.integers(-4, 5, 6) / 2)
    solve = liar(seed) if lying else honest()
    root = Subproblem(objective)
    first = next(iter(solve(model, [root])), np.empty(0))
    bounds, _, _ = branched(model, [case_of(model, root, first)], [np.inf], solve)
    assert bounds[0] <= float(objective.coefficients @ at)  # exact: eighths


def test_time_that_is_up_leaves_everything_as_it_was() -> None:
    problem = folded()
    before = loose_scope(problem)

    def late(model: Model, asked: Sequence[Subproblem]) -> list[Floats]:
        del model, asked
        return []

    after, gain = tightened_scope(problem, input_sets(problem), 0, before, late)
    assert gain == Gain(1, True, 0, 2, 0, 1, 0, gain.width, 0.0)
    for a, b in zip(before.plan.bounds.values, after.plan.bounds.values, strict=True):
        assert np.array_equal(a.lower, b.lower)
        assert np.array_equal(a.upper, b.upper)


def test_a_targeted_loss_needs_every_margin() -> None:
    """One margin that is impossible takes the point away, whatever the others are."""
    weight, bias = np.array([[1.0], [2.0], [0.0]]), np.array([0.0, -9.0, 0.0])
    network = dense((np.eye(1), np.zeros(1)), (weight, bias), inputs=1)
    loss = Targeted(0, Fraction(1, 2))
    problem = make_problem([network], [[3]], [1], radius=1, domain=(0, 4), loss=loss)
    after, _ = tightened_scope(problem, input_sets(problem), 0, loose_scope(problem), honest())
    assert after.points.tolist() == [0]
    assert after.pairs.loser.tolist() == []  # x >= 2 beats both by more than the margin, always
    assert choices(network, after).tolist() == [0]


@pytest.mark.parametrize("found", ["highspy", "mip"])
def test_each_solver_proves_the_optimum(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of |x| + 0.1 over [-1, 1] is 0.1, whichever solver is there."""
    pytest.importorskip(found)
    original = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: original(name) if name == found else None)
    problem = folded()
    after, gain = tightened_scope(problem, input_sets(problem), 0, loose_scope(problem), honest())
    assert gain.solved == 4
    assert np.allclose(after.plan.bounds.values[3].lower, 0.1, atol=1e-6)
