"""A network's semantics: both arithmetics against the definitions in `types/network.py`, term by term."""

import itertools
import time
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensc.compiler.passes.networks.evaluate import (
    evaluate,
    evaluate_all,
    evaluate_all_exact,
    evaluate_exact,
)
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Gather,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
    Trees,
)

KINDS = ("affine", "convolution", "scale", "sum", "gather", "relu", "maxpool")


def _floats(draw: st.DrawFn, *shape: int) -> npt.NDArray[np.float64]:
    """Float32 numbers of very different magnitudes, as weights are, with zeros among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    numbers = rng.normal(size=shape) * 2.0 ** rng.integers(-40, 8, size=shape)
    return np.where(rng.random(shape) < 0.2, 0, numbers).astype(np.float32).astype(np.float64)


def _indices(draw: st.DrawFn, least: int, size: int, *shape: int) -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.integers(least, size, size=shape)


def _layer(draw: st.DrawFn, kind: str, sizes: list[int]) -> Layer:
    source = draw(st.integers(0, len(sizes) - 1))
    size, out = sizes[source], draw(st.integers(1, 4))
    match kind:
        case "affine":
            return Affine(source, _floats(draw, out, size), _floats(draw, out))
        case "convolution":
            groups, positions, width = (draw(st.integers(1, 3)) for _ in range(3))
            channels = groups * out
            taps = _indices(draw, -1, size, groups, positions, width)
            return Convolution(source, _floats(draw, channels, width), _floats(draw, channels), taps)
        case "scale":
            divisor = _floats(draw, size)
            divisor[divisor == 0] = -3
            return Scale(source, _floats(draw, size), _floats(draw, size), divisor)
        case "sum":
            same = [i for i, other in enumerate(sizes) if other == size]
            chosen = draw(st.lists(st.sampled_from(same), min_size=1, max_size=3))
            return Sum(tuple(chosen), tuple((-1) ** i for i in range(len(chosen))), size)
        case "gather":
            chosen = draw(st.lists(st.integers(0, len(sizes) - 1), max_size=3))
            constants = _floats(draw, draw(st.integers(1, 3)))
            total = sum(sizes[i] for i in chosen) + len(constants)
            return Gather(tuple(chosen), constants, _indices(draw, 0, total, out))
        case "relu":
            return Relu(source, size)
        case _:
            windows = _indices(draw, -1, size, out, 3)
            windows[(windows < 0).all(axis=1)] = 0
            return MaxPool(source, windows)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    inputs = draw(st.integers(1, 4))
    layers: list[Layer] = []
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=7)):
        layers.append(_layer(draw, kind, [inputs, *(layer.size for layer in layers)]))
    return Network("n", (inputs,), tuple(layers), draw(st.integers(0, len(layers))))


Values = list[list[Fraction]]


def by_definition(layer: Layer, values: Values) -> list[Fraction]:
    """The equations of the layers' docstrings, one number at a time."""
    f = Fraction
    match layer:
        case Affine():
            x = values[layer.source]
            rows = zip(layer.weight, layer.bias, strict=True)
            return [sum((f(w) * v for w, v in zip(row, x, strict=True)), f(b)) for row, b in rows]
        case Convolution():
            x = values[layer.source]
            channels, width = layer.kernel.shape
            groups, positions, _ = layer.taps.shape
            return [
                f(layer.bias[m])
                + sum(
                    f(layer.kernel[m, k]) * x[tap]
                    for k in range(width)
                    if (tap := layer.taps[m // (channels // groups), p, k]) >= 0
                )
                for m in range(channels)
                for p in range(positions)
            ]
        case Scale():
            x = values[layer.source]
            parts = zip(layer.factor, x, layer.offset, layer.divisor, strict=True)
            return [(f(a) * v + f(o)) / f(d) for a, v, o, d in parts]
        case Sum():
            signed = list(zip(layer.sources, layer.signs, strict=True))
            return [sum((s * values[i][n] for i, s in signed), f(0)) for n in range(layer.size)]
        case Gather():
            pool = [v for i in layer.sources for v in values[i]] + [f(c) for c in layer.constants]
            return [pool[i] for i in layer.index]
        case Relu():
            return [max(f(0), v) for v in values[layer.source]]
        case MaxPool():
            x = values[layer.source]
            return [max(x[i] for i in window if i >= 0) for window in layer.windows]
        case Trees():
            pytest.fail("decision trees are held to their definition in test_trees.py")


@given(networks(), st.data())
def test_exact_values_are_the_definitions(network: Network, data: st.DataObject) -> None:
    x = [data.draw(st.fractions(-9, 9, max_denominator=99)) for _ in range(network.inputs)]
    values: Values = [x]
    for layer in network.layers:
        values.append(by_definition(layer, values))
    assert [list(v) for v in evaluate_all_exact(network, x)] == values
    assert list(evaluate_exact(network, x)) == values[network.output]


@given(networks(), st.data())
def test_float_values_are_close_to_exact_ones(network: Network, data: st.DataObject) -> None:
    points = [
        [data.draw(st.fractions(-4, 4, max_denominator=8)) for _ in range(network.inputs)] for _ in range(3)
    ]
    batch = np.array(points, dtype=np.float64)  # eighths within 4: exact
    exact = [evaluate_all_exact(network, [Fraction(v) for v in row]) for row in batch]
    scale = 1.0 + max(abs(float(v)) for row in exact for value in row for v in value)
    for i, value in enumerate(evaluate_all(network, batch)):
        expected = np.array([[float(v) for v in row[i]] for row in exact])
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-9 * scale)
    np.testing.assert_array_equal(evaluate(network, batch), evaluate_all(network, batch)[network.output])


def test_any_batch_shape() -> None:
    network = Network("n", (2,), (Affine(0, np.array([[1.0, 2.0]]), np.array([3.0])),), 1)
    np.testing.assert_array_equal(evaluate(network, [1, 1]), [6])
    np.testing.assert_array_equal(evaluate(network, [[[1, 1], [0, 1]]]), [[[6], [5]]])
    assert evaluate(network, np.zeros((0, 2))).shape == (0, 1)
    with pytest.raises(ValueError, match="2 inputs"):
        evaluate(network, [1, 1, 1])
    with pytest.raises(ValueError, match="2 inputs"):
        evaluate_exact(network, [Fraction(1)])


def test_a_batch_too_large_for_one_chunk() -> None:
    taps = np.tile(np.arange(1000), (1, 1000, 1))  # a million entries a row
    layer = Convolution(0, np.ones((1, 1000)), np.zeros(1), taps)
    network = Network("n", (1000,), (layer,), 1)
    batch = np.arange(20.0)[:, None] * np.ones(1000)
    out = evaluate(network, batch)
    np.testing.assert_array_equal(out, np.arange(20.0)[:, None] * np.full(1000, 1000.0))


def test_division_is_exact() -> None:
    third = Scale(0, np.ones(2), np.zeros(2), np.array([3.0, -0.75]))
    network = Network("n", (2,), (third,), 1)
    assert evaluate_exact(network, [Fraction(1), Fraction(1)]) == (
        Fraction(1, 3),
        Fraction(-4, 3),
    )


def test_subnormal_and_huge_weights_are_exact() -> None:
    weight = np.array([[5e-324, 1.7e308, -0.0]])
    network = Network("n", (3,), (Affine(0, weight, np.zeros(1)),), 1)
    (out,) = evaluate_exact(network, [Fraction(1), Fraction(1), Fraction(7)])
    assert out == Fraction(5e-324) + Fraction(1.7e308)


def test_exact_evaluation_of_a_digit_net_is_fast() -> None:
    rng = np.random.default_rng(0)
    sizes = [784, 50, 50, 10]
    layers: list[Layer] = []
    for a, b in itertools.pairwise(sizes):
        weight = rng.normal(size=(b, a)).astype(np.float32).astype(np.float64)
        layers += [Affine(len(layers), weight, np.zeros(b)), Relu(len(layers) + 1, b)]
    network = Network("n", (784,), tuple(layers), len(layers))
    x = [Fraction(int(v), 255) for v in rng.integers(0, 256, 784)]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        evaluate_exact(network, x)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
