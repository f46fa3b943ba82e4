"""No value of a network ever leaves its bounds, in exact arithmetic."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_problem, random_network

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxed_bounds import margin_bounds, relaxed_bounds
from ensc.compiler.passes.networks.evaluate import evaluate, evaluate_all_exact
from ensc.compiler.passes.networks.gradient import gradient
from ensc.compiler.types.bounds import Bounds, InputSets
from ensc.compiler.types.network import Affine, Convolution, Gather, MaxPool, Network, Relu, Scale, Sum
from ensc.compiler.types.problem import Norm


def every_layer(rng: np.random.Generator) -> Network:
    """Return a network that has every kind of layer, with weights that round."""
    taps = np.array([[[0, 1], [1, 2], [2, -1]]])
    layers = (
        Convolution(0, rng.normal(size=(2, 2)), rng.normal(size=2), taps),
        Relu(1, 6),
        Scale(2, rng.normal(size=6), rng.normal(size=6), np.array([3.0, -7.0, 0.1, 1.0, 3.0, 9.0])),
        Sum((2, 3, 3), (1, -1, -1), 6),
        Gather((4, 0), rng.normal(size=1), np.array([0, 5, 9, 7, 7, 3])),
        Affine(5, rng.normal(size=(3, 6)), rng.normal(size=3)),
    )
    return Network("all", (3,), layers, 6)


@pytest.mark.parametrize("analyse", [interval_bounds, relaxed_bounds, partial(relaxed_bounds, rounds=3)])
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)), st.sampled_from([Fraction(1, 3), Fraction(2)]))
def test_exact_values_stay_inside(
    analyse: Callable[[Network, InputSets], Bounds], seed: int, norm: Norm, radius: Fraction
) -> None:
    rng = np.random.default_rng(seed)
    for network in (every_layer(rng), random_network(rng, 3, 2, pool=True)):
        problem = make_problem(
            [network], [[1, 2, 3]], [0], norm=norm, radius=radius, domain=(0, 4), denominator=7
        )
        bounds = analyse(network, input_sets(problem))
        centre = problem.points.exact(0)
        for _ in range(4):
            x = _admissible(rng, centre, norm, radius)
            for value, interval in zip(evaluate_all_exact(network, x), bounds.values, strict=True):
                assert all(
                    Fraction(low) <= v for low, v in zip(interval.lower[0].tolist(), value, strict=True)
                )
                assert all(v <= Fraction(up) for up, v in zip(interval.upper[0].tolist(), value, strict=True))


def _admissible(
    rng: np.random.Generator, centre: tuple[Fraction, ...], norm: Norm, radius: Fraction
) -> list[Fraction]:
    """Return an exact point on the border of ball and domain."""
    if norm is Norm.L0:
        moved = set(rng.permutation(3)[: int(radius)].tolist())
        return [Fraction(int(rng.integers(0, 2)) * 4) if k in moved else v for k, v in enumerate(centre)]
    signs = [Fraction(int(rng.integers(0, 2)) * 2 - 1) for _ in centre]
    shares = (
        [Fraction(1)] * 3 if norm is Norm.LINF else [Fraction(k == int(rng.integers(0, 3))) for k in range(3)]
    )
    if norm is Norm.L1 and sum(shares) > 1:
        shares = [Fraction(1, 3)] * 3
    step = [s * share * radius for s, share in zip(signs, shares, strict=True)]
    return [min(Fraction(4), max(Fraction(0), v + d)) for v, d in zip(centre, step, strict=True)]


def test_interval_of_a_hand_computed_network_is_tight() -> None:
    layers = (Affine(0, np.array([[2.0, -1.0]]), np.array([1.0])), Relu(1, 1))
    network = Network("hand", (2,), (*layers, Affine(2, np.array([[1.0], [-1.0]]), np.zeros(2))), 3)
    problem = make_problem([network], [[1, 1]], [0], radius=1)
    bounds = interval_bounds(network, input_sets(problem))
    # x in [0, 2]^2, so 2 x_1 - x_2 + 1 lies in [-1, 5] and its positive part in [0, 5].
    assert np.allclose(bounds.values[1].lower, [[-1]])
    assert np.allclose(bounds.values[1].upper, [[5]])
    assert np.allclose(bounds.values[3].lower, [[0, -5]])
    assert np.allclose(bounds.values[3].upper, [[5, 0]])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)))
def test_relaxation_is_never_wider_than_intervals(seed: int, norm: Norm) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, 3, 3, pool=True)
    problem = make_problem([network], [[1, 2, 3]], [0], norm=norm, domain=(0, 4))
    sets = input_sets(problem)
    pairs = zip(interval_bounds(network, sets).values, relaxed_bounds(network, sets).values, strict=True)
    assert all(
        (wide.lower <= tight.lower).all() and (tight.upper <= wide.upper).all() for wide, tight in pairs
    )


def test_margin_over_an_l1_ball_is_the_knapsack() -> None:
    network = Network(
        "linear", (3,), (Affine(0, np.array([[3.0, -2.0, 1.0], [0.0, 0.0, 0.0]]), np.zeros(2)),), 1
    )
    problem = make_problem([network], [[1, 1, 1]], [1], radius=2, domain=(0, 2))
    sets = input_sets(problem)
    bounds = relaxed_bounds(network, sets)
    best = margin_bounds(network, sets, bounds, np.array([[[1.0, -1.0]]]))
    # At the point the margin is 2; one unit of radius goes to the weight 3, the box stops there, one to 2.
    assert np.allclose(best, 2 + 3 + 2)
    assert best >= 7


def test_no_points_have_no_bounds() -> None:
    """Branching closes all cases of a batch at once, which leaves an empty one for every kind of layer."""
    rng = np.random.default_rng(5)
    taps = np.array([[[0, 1], [1, 2]]])
    convolution = Convolution(0, rng.normal(size=(3, 2)), rng.normal(size=3), taps)
    pool = MaxPool(2, np.array([[0, 1], [2, 3], [4, 5]]))
    layers = (convolution, Relu(1, 6), pool, Affine(3, rng.normal(size=(2, 3)), np.zeros(2)))
    network = Network("net", (3,), layers, 4)
    problem = make_problem([network], [[0, 0, 0]], [0])
    nothing = input_sets(problem).at(np.zeros(0, dtype=np.int64))
    for bounds in (interval_bounds(network, nothing), relaxed_bounds(network, nothing)):
        assert [value.lower.shape for value in bounds.values] == [(0, 3), (0, 6), (0, 6), (0, 3), (0, 2)]
    assert evaluate(network, np.zeros((0, 3))).shape == (0, 2)
    assert gradient(network, np.zeros((0, 3)), np.zeros((0, 2))).shape == (0, 3)
