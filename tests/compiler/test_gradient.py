"""The gradient against central differences, away from kinks, through every kind of layer."""

import numpy as np
import pytest

from ensc.compiler.passes.networks.evaluate import evaluate
from ensc.compiler.passes.networks.gradient import gradient, gradient_where
from ensc.compiler.types.network import (
    Affine,
    Convolution,
    Floats,
    Gather,
    Integers,
    Layer,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
)


def every_kind(rng: np.random.Generator) -> Network:
    """A network on R^6 in which every kind of layer is on a path from input to logits."""
    taps = rng.integers(-1, 6, size=(2, 3, 4))
    windows = rng.integers(-1, 12, size=(5, 3))
    windows[:, 2] = np.arange(5)
    layers: tuple[Layer, ...] = (
        Convolution(0, rng.normal(size=(4, 4)), rng.normal(size=4), taps),  # 1: 12
        Relu(1, 12),  # 2
        MaxPool(1, windows),  # 3: 5
        Gather((3, 0, 2), np.array([2.5]), rng.integers(0, 24, size=9)),  # 4: 9
        Scale(4, rng.normal(size=9), rng.normal(size=9), rng.uniform(1, 2, size=9)),  # 5
        Sum((5, 4, 5), (1, -1, 1), 9),  # 6
        Affine(6, rng.normal(size=(3, 9)), rng.normal(size=3)),  # 7
    )
    return Network("n", (2, 3), layers, 7)


@pytest.mark.parametrize("seed", range(20))
def test_finite_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = every_kind(rng)
    x = rng.normal(size=(4, 6))
    cotangent = rng.normal(size=(4, 3))
    step = 1e-6
    differences = np.stack(
        [
            (cotangent * (evaluate(network, x + step * e) - evaluate(network, x - step * e))).sum(axis=-1)
            / (2 * step)
            for e in np.eye(6)
        ],
        axis=-1,
    )
    np.testing.assert_allclose(gradient(network, x, cotangent), differences, atol=1e-6)


def test_kinks_count_as_off_and_ties_go_to_the_first() -> None:
    relu = Network("n", (2,), (Relu(0, 2),), 1)
    np.testing.assert_array_equal(gradient(relu, [[0.0, 1.0]], [1.0, 1.0]), [[0.0, 1.0]])
    tied = Network("n", (3,), (MaxPool(0, np.array([[-1, 1, 2, 0]])),), 1)
    np.testing.assert_array_equal(gradient(tied, [[5.0, 5.0, 5.0]], [1.0]), [[0.0, 1.0, 0.0]])


def test_logits_that_ignore_the_input() -> None:
    constant = Gather((), np.array([1.0, 2.0]), np.array([0, 1]))
    network = Network("n", (3,), (Relu(0, 3), constant), 2)
    np.testing.assert_array_equal(gradient(network, np.ones((2, 3)), [1.0, 1.0]), np.zeros((2, 3)))


def test_layers_after_the_output_do_not_matter() -> None:
    layers: tuple[Layer, ...] = (Affine(0, np.array([[2.0], [3.0]]), np.zeros(2)), Relu(1, 2))
    network = Network("n", (1,), layers, 1)
    np.testing.assert_array_equal(gradient(network, [[-1.0]], [1.0, 1.0]), [[5.0]])


def test_a_batch_too_large_for_one_chunk() -> None:
    taps = np.tile(np.arange(1000), (1, 1000, 1))
    layer = Convolution(0, np.ones((1, 1000)), np.zeros(1), taps)
    network = Network("n", (1000,), (layer,), 1)
    out = gradient(network, np.zeros((20, 1000)), np.arange(20.0)[:, None] * np.ones(1000))
    np.testing.assert_array_equal(out, np.arange(20.0)[:, None] * np.full(1000, 1000.0))


def test_some_rows_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits decide part by part which rows get a gradient; a part may have none."""
    rng = np.random.default_rng(3)
    network = every_kind(rng)
    x, weights = rng.normal(size=(7, 6)), rng.normal(size=(7, 3))
    chosen = np.array([0, 1, 5])
    monkeypatch.setattr("ensc.compiler.passes.networks.gradient.rows_at_once", lambda _: 3)

    def some(logits: Floats, part: slice) -> tuple[Integers, Floats]:
        np.testing.assert_allclose(logits, evaluate(network, x[part]), rtol=1e-12)
        mine = np.intersect1d(chosen, np.arange(7)[part]) - part.start
        return mine, weights[part][mine]

    found = gradient_where(network, x, some)
    np.testing.assert_allclose(found, gradient(network, x, weights)[chosen], rtol=1e-9)
