"""What an operator becomes of several rectifiers is relaxed as tightly as the operator itself."""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensc.compiler.passes.bounds.caps import caps_of
from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxation import Forms, rewritten, steps_of
from ensc.compiler.passes.bounds.relaxed_bounds import relaxed_bounds
from ensc.compiler.passes.bounds.slopes import least_forms
from ensc.compiler.passes.networks.evaluate import evaluate_all_exact
from ensc.compiler.types.bounds import InputSets, Interval
from ensc.compiler.types.network import Affine, Layer, Network, Relu, Scale, Sum
from ensc.compiler.types.problem import Norm

INTERVALS = [
    (-3.0, 9.0),
    (-1.0, 20.0),
    (-8.0, 7.0),
    (-2.0, 3.0),
    (1.0, 9.0),
    (1.0, 4.0),
    (-5.0, -1.0),
    (7.0, 9.0),
]


def scale(
    source: int, factor: float = 1.0, offset: float = 0.0, divisor: float = 1.0, *, size: int = 1
) -> Scale:
    return Scale(source, np.full(size, factor), np.full(size, offset), np.full(size, divisor))


def network_of(layers: Sequence[Layer]) -> Network:
    return Network("one", (1,), tuple(layers), len(layers))


def clip(low: float, high: float) -> Network:
    """Return `min(max(x, low), high)` as it is read from ONNX."""
    steps = scale(0, 1, -low), Relu(1, 1), scale(2, -1, high - low), Relu(3, 1), scale(4, -1, high)
    return network_of(steps)


def clip_from_above(low: float, high: float) -> Network:
    """Return `max(min(x, high), low)`, in more steps than it takes."""
    above = scale(0, -1, high), Relu(1, 1), scale(2, -1, high)
    return network_of([*above, scale(3, 2, -2 * low, 2), Relu(4, 1), scale(5, 1, low)])


def leaky(slope: float) -> Network:
    """Return `r + slope (x - r)` with `r = max(0, x)`."""
    return network_of([Relu(0, 1), Sum((0, 1), (1, -1), 1), scale(2, slope), Sum((1, 3), (1, 1), 1)])


def absolute() -> Network:
    """Return `2 max(0, x) - x`."""
    return network_of([Relu(0, 1), Sum((1, 1, 0), (1, 1, -1), 1)])


def at_least(low: float) -> Network:
    """Return `max(x, low)`."""
    return network_of([scale(0, 1, -low), Relu(1, 1), scale(2, 1, low)])


OPERATORS = {
    "relu6": (clip(0, 6), (0, 6)),
    "hardtanh": (clip(-1, 1), (-1, 1)),
    "clip": (clip(1, 6), (1, 6)),
    "min, then max": (clip_from_above(0, 6), (0, 6)),
    "abs": (absolute(), (0,)),
    "leaky": (leaky(0.25), (0,)),
    "steeper below": (leaky(2.0), (0,)),
    "falling below": (leaky(-0.5), (0,)),
    "max with a constant": (at_least(2.0), (2,)),
}


def box(lower: float, upper: float) -> InputSets:
    ends = np.array([[lower]]), np.array([[upper]])
    return InputSets(*ends, (ends[0] + ends[1]) / 2, Norm.LINF, upper - lower)


def value_at(network: Network, x: Fraction) -> Fraction:
    return evaluate_all_exact(network, [x])[-1][0]


def lines(network: Network, sets: InputSets, sign: int) -> list[tuple[float, float]]:
    """Return slope and constant of what lies below `sign` times the network, for all slopes 0 and 1."""
    steps = steps_of(network, relaxed_bounds(network, sets))
    form = Forms(np.zeros(1, dtype=np.int64), np.full((1, 1), float(sign)), np.zeros(1))
    rectifiers = [i for i, layer in enumerate(network.layers, start=1) if isinstance(layer, Relu)]
    found = []
    for chosen in itertools.product([0.0, 1.0], repeat=len(rectifiers)):
        slopes = {number: np.full((1, 1), slope) for number, slope in zip(rectifiers, chosen, strict=True)}
        below = rewritten(steps, Interval(sets.lower, sets.upper), len(network.layers), form, slopes=slopes)
        found.append((float(below.coefficients[0, 0]), float(below.constant[0])))
    return found


def hull(corners: Sequence[tuple[float, float]], x: float) -> float:
    """Return the convex hull from below of a piecewise-linear function with these corners."""
    pairs = itertools.combinations(corners, 2)
    around = [(a, b) for a, b in pairs if a[0] <= x <= b[0] and a[0] < b[0]]
    return min(ya + (yb - ya) * (x - xa) / (xb - xa) for (xa, ya), (xb, yb) in around)


@pytest.mark.parametrize("name", list(OPERATORS))
@pytest.mark.parametrize("ends", INTERVALS)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_lines_are_the_hull(name: str, ends: tuple[float, float], sign: int) -> None:
    network, bends = OPERATORS[name]
    inside = [float(bend) for bend in bends if ends[0] < bend < ends[1]]
    places = [ends[0], *inside, ends[1]]
    corners = [(x, sign * float(value_at(network, Fraction(x)))) for x in places]
    found = lines(network, box(*ends), sign)
    for x in np.linspace(*ends, 41).tolist():
        assert max(slope * x + constant for slope, constant in found) == pytest.approx(
            hull(corners, x), abs=1e-9
        )


number = st.floats(-100, 100).map(lambda x: round(x, 3))


@settings(deadline=None)
@given(number, number, number, number, st.sampled_from([clip, clip_from_above]))
def test_no_line_is_above_a_clip(
    low: float, high: float, start: float, end: float, operator: Callable[[float, float], Network]
) -> None:
    """In exact numbers, at the corners, which is enough for lines."""
    (low, high), (start, end) = sorted((low, high)), sorted((start, end))
    network = operator(low, high)
    corners = [Fraction(x) for x in (start, end)]
    corners += [Fraction(x) + d for x in (low, high) for d in (0, Fraction(1, 10**12), -Fraction(1, 10**12))]
    for sign in (1, -1):
        for slope, constant in lines(network, box(start, end), sign):
            for x in corners:
                if Fraction(start) <= x <= Fraction(end):
                    assert Fraction(slope) * x + Fraction(constant) <= sign * value_at(network, x)


def test_what_is_read_before_the_second_rectifier_sees_the_whole_of_the_first() -> None:
    network, sets = clip(0, 6), box(-3, 9)
    steps = steps_of(network, interval_bounds(network, sets))
    form = Forms(np.zeros(1, dtype=np.int64), np.ones((1, 1)), np.zeros(1))
    assert least_forms(steps, sets, 3, form).bound[0] == pytest.approx(6 - 9)


def test_a_rectifier_that_something_else_reads_has_no_cap() -> None:
    assert {number: cap.reader for number, cap in caps_of(clip(0, 6)).items()} == {2: 4}
    beside = network_of([*clip(0, 6).layers, Sum((5, 2), (1, 1), 1)])
    assert not caps_of(beside)
    rising = network_of([Relu(0, 1), scale(1, 1, -3), Relu(2, 1)])
    assert np.isinf(caps_of(rising)[1].level).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 2]))
def test_exact_values_of_clipped_networks_stay_inside(seed: int, rounds: int) -> None:
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    size = 3
    for width in (4, 3):
        layers.append(Affine(len(layers), rng.normal(size=(width, size)), rng.normal(size=width)))
        factor, divisor = (
            rng.choice([-2.0, -1.0, 1.0], width) * rng.uniform(0.3, 2, width) for _ in range(2)
        )
        layers.append(Relu(len(layers), width))
        layers.append(Scale(len(layers), factor, rng.normal(size=width), divisor))
        layers += [Relu(len(layers), width), scale(len(layers) + 1, -1, 1, size=width)]
        size = width
    layers.append(Affine(len(layers), rng.normal(size=(2, size)), rng.normal(size=2)))
    network = Network("clipped", (3,), tuple(layers), len(layers))
    centre = rng.normal(size=(1, 3))
    sets = InputSets(centre - 1.5, centre + 1.5, centre, Norm.LINF, 1.5)
    bounds = relaxed_bounds(network, sets, rounds=rounds)
    forms = Forms(np.zeros(2, dtype=np.int64), np.array([[1.0, -1.0], [-1.0, 1.0]]), np.zeros(2))
    least = least_forms(steps_of(network, bounds), sets, network.output, forms, rounds=rounds).bound.tolist()
    for _ in range(10):
        x = [Fraction(v) for v in (sets.lower[0] + rng.integers(0, 9, 3) / 8 * 2.999).tolist()]
        values = evaluate_all_exact(network, x)
        for interval, exact in zip(bounds.values[1:], values[-len(layers) :], strict=True):
            ends = zip(interval.lower[0].tolist(), exact, interval.upper[0].tolist(), strict=True)
            assert all(Fraction(low) <= value <= Fraction(high) for low, value, high in ends)
        difference = values[-1][0] - values[-1][1]
        assert Fraction(least[0]) <= difference <= -Fraction(least[1])
