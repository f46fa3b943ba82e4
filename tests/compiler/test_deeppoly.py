"""The relaxation is as tight as DeepPoly written down independently, and tighter over smaller balls."""

import numpy as np
import pytest
from tiny import dense, make_problem

from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.lines import maximum_lines
from ensc.compiler.passes.bounds.relaxed_bounds import margin_bounds, relaxed_bounds
from ensc.compiler.types.bounds import Interval
from ensc.compiler.types.network import Affine, Floats, Layer, MaxPool, Network, Relu, Scale, Sum
from ensc.compiler.types.problem import Norm

Line = tuple[list[float], float]


def _random(rng: np.random.Generator, widths: list[int]) -> list[tuple[Floats, Floats]]:
    pairs = zip(widths[1:], widths[:-1], strict=True)
    return [(rng.normal(size=(m, k)) / np.sqrt(k), rng.normal(size=m) / 4) for m, k in pairs]


def deeppoly(
    weights: list[tuple[Floats, Floats]], lower: list[float], upper: list[float]
) -> list[list[tuple[float, float]]]:
    """Bound every pre-activation in plain loops: back substitution (Singh et al. 2019) or intervals."""
    found: list[list[tuple[float, float]]] = []
    below, above = lower, upper
    for depth, (weight, bias) in enumerate(weights):
        ends: list[tuple[float, float]] = []
        for row, b in zip(weight.tolist(), bias.tolist(), strict=True):
            less = [-w for w in row]
            low = max(_least(weights, found, depth, row, b, lower, upper), _in_box(row, b, below, above))
            high = max(_least(weights, found, depth, less, -b, lower, upper), _in_box(less, -b, below, above))
            ends.append((low, -high))
        found.append(ends)
        below, above = [max(low, 0.0) for low, _ in ends], [max(high, 0.0) for _, high in ends]
    return found


def _in_box(form: list[float], constant: float, lower: list[float], upper: list[float]) -> float:
    return constant + sum(w * (lo if w > 0 else up) for w, lo, up in zip(form, lower, upper, strict=True))


def _least(
    weights: list[tuple[Floats, Floats]],
    known: list[list[tuple[float, float]]],
    depth: int,
    form: list[float],
    constant: float,
    lower: list[float],
    upper: list[float],
) -> float:
    for level in range(depth - 1, -1, -1):
        through: list[float] = []
        for coefficient, (low, high) in zip(form, known[level], strict=True):
            slope, offset = _rectifier(coefficient, low, high)
            through.append(coefficient * slope)
            constant += coefficient * offset
        weight, bias = weights[level]
        constant += sum(c * float(b) for c, b in zip(through, bias, strict=True))
        form = [
            sum(c * float(weight[unit, k]) for unit, c in enumerate(through)) for k in range(weight.shape[1])
        ]
    return _in_box(form, constant, lower, upper)


def _rectifier(coefficient: float, low: float, high: float) -> tuple[float, float]:
    if low >= 0:
        return 1.0, 0.0
    if high <= 0:
        return 0.0, 0.0
    if coefficient > 0:
        return (1.0 if high > -low else 0.0), 0.0
    slope = high / (high - low)
    return slope, -slope * low


@pytest.mark.parametrize("seed", range(4))
def test_bounds_over_a_box_are_those_of_deeppoly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = _random(rng, [6, 12, 12, 4])
    network = dense(*weights, inputs=6)
    problem = make_problem([network], [[1] * 6], [0], norm=Norm.LINF, radius=1, domain=(0, 8))
    bounds = relaxed_bounds(network, input_sets(problem))
    expected = deeppoly(weights, [0.0] * 6, [2.0] * 6)
    for value, ends in zip((1, 3, 5), expected, strict=True):
        low, high = np.array(ends).T
        open_ = (low < 0) & (high > 0) | (value == 5)  # of others nothing but the sign is needed
        assert bounds.values[value].lower[0, open_] == pytest.approx(low[open_], rel=1e-3)
        assert bounds.values[value].upper[0, open_] == pytest.approx(high[open_], rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_bounds_over_an_l1_ball_are_strictly_tighter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = _random(rng, [6, 12, 12, 4])
    network = dense(*weights, inputs=6)
    ball = make_problem([network], [[1] * 6], [0], norm=Norm.L1, radius=1, domain=(0, 8))
    bounds = relaxed_bounds(network, input_sets(ball))
    expected = np.array(deeppoly(weights, [0.0] * 6, [2.0] * 6)[2])
    assert (bounds.values[5].lower[0] > expected[:, 0]).all()
    assert (bounds.values[5].upper[0] < expected[:, 1]).all()


@pytest.mark.parametrize("seed", range(4))
def test_slopes_of_its_own_make_a_form_tighter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = dense(*_random(rng, [6, 12, 12, 4]), inputs=6)
    problem = make_problem([network], [[1] * 6], [0], norm=Norm.LINF, radius=1, domain=(0, 8))
    sets = input_sets(problem)
    bounds = relaxed_bounds(network, sets)
    forms = np.array([[[-1.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 1.0]]])
    usual, climbed = (margin_bounds(network, sets, bounds, forms, rounds=r) for r in (0, 6))
    assert (climbed <= usual).all()
    assert (climbed < usual - 1e-6).any()


def _ends_of(layers: tuple[Layer, ...], lower: int, upper: int) -> tuple[float, float]:
    """Bound the single output of layers over one input in an interval."""
    network = Network("one", (1,), layers, len(layers))
    middle, radius = (lower + upper) // 2, (upper - lower) // 2
    problem = make_problem([network], [[middle]], [0], norm=Norm.LINF, radius=radius)
    value = relaxed_bounds(network, input_sets(problem)).values[-1]
    return float(value.lower[0, 0]), float(value.upper[0, 0])


def test_leaky_rectifiers_and_absolute_values_are_bounded_by_their_own_chords() -> None:
    one = np.ones(1)
    # |x| - x / 2 on [-2, 4], as 2 max(0, x) - x - x / 2: its chord, from (-2, 3) to (4, 2), is exact at 3.
    halved = Scale(0, one / 2, np.zeros(1), one)
    absolute = (Relu(0, 1), Sum((1, 1, 0), (1, 1, -1), 1), halved, Sum((2, 3), (1, -1), 1))
    assert _ends_of(absolute, -2, 4)[1] == pytest.approx(3)
    # leaky(x) - x / 2 with slope 1/4: below the chord from (-2, 1/2) to (4, 2), above x - x / 2.
    negative = Sum((0, 1), (1, -1), 1)
    rest = Scale(2, one / 4, np.zeros(1), one)
    leaky = (Relu(0, 1), negative, rest, Sum((1, 3), (1, 1), 1), halved, Sum((4, 5), (1, -1), 1))
    assert _ends_of(leaky, -2, 4) == pytest.approx((-1, 2))


def test_a_maximum_is_bounded_by_the_chord_of_its_largest_candidate() -> None:
    layer = MaxPool(0, np.array([[0, 1, 2]]))
    lines = maximum_lines(layer, Interval(np.array([[-1.0, 0.0, -5.0]]), np.array([[3.0, 1.0, 0.5]])))
    # Candidate 1 is the highest: max(x, 1) on [-1, 3] lies below 1 + (x + 1) / 2.
    assert lines.high[0, 0] == 0
    assert lines.above[0, 0] == pytest.approx(1 / 2)
    assert lines.offset[0, 0] == pytest.approx(3 / 2)
    assert lines.low[0, 0] == 0


def test_a_maximum_that_one_candidate_dominates_is_that_candidate() -> None:
    layer = MaxPool(0, np.array([[0, 1]]))
    lines = maximum_lines(layer, Interval(np.array([[-1.0, 2.0]]), np.array([[2.0, 3.0]])))
    assert (lines.low[0, 0], lines.high[0, 0]) == (1, 1)
    assert (lines.above[0, 0], lines.offset[0, 0]) == (1.0, 0.0)


def test_a_maximum_over_a_box_is_bounded_exactly() -> None:
    pool = MaxPool(0, np.array([[0, 1]]))
    network = Network("pool", (2,), (pool, Affine(1, np.ones((1, 1)), np.zeros(1))), 2)
    problem = make_problem([network], [[0, 0]], [0], norm=Norm.LINF, radius=1)
    value = relaxed_bounds(network, input_sets(problem)).values[-1]
    assert (value.lower[0, 0], value.upper[0, 0]) == (pytest.approx(-1), pytest.approx(1))
