"""Rewriting only what a neuron reads gives the bounds that rewriting everything gives."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_problem

from ensc.compiler.passes.bounds.cones import cone, sets_within
from ensc.compiler.passes.bounds.input_sets import input_sets
from ensc.compiler.passes.bounds.interval import interval_bounds
from ensc.compiler.passes.bounds.relaxation import Forms, steps_of
from ensc.compiler.passes.bounds.slopes import least_forms
from ensc.compiler.types.network import (
    Convolution,
    Floats,
    Gather,
    Integers,
    MaxPool,
    Network,
    Relu,
    Scale,
    Sum,
)
from ensc.compiler.types.problem import Norm


def _taps(size: int, window: int) -> Integers:
    """Return where a window reads on a line of `size`, one place to the left of it as padding."""
    starts = np.arange(size)[:, None] - 1
    taps = starts + np.arange(window)
    return np.where((taps >= 0) & (taps < size), taps, -1)[None]


def _every_local_layer(rng: np.random.Generator) -> Network:
    """Return a network over 8 inputs in which every kind of layer stands before a convolution."""
    kernel, tail = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    both = _taps(8, 2)
    two_channels = np.concatenate([both, np.where(both >= 0, both + 8, -1)], axis=2)
    layers = (
        Convolution(0, kernel, rng.normal(size=2), _taps(8, 3)),
        Relu(1, 16),
        Scale(2, rng.normal(size=16), rng.normal(size=16), np.full(16, 3.0)),
        Sum((3, 2), (1, -1), 16),
        Gather((4, 0), rng.normal(size=1), np.array([*range(14), 3, 20])),
        MaxPool(5, np.array([[k, (k + 1) % 16] for k in range(16)])),
        Convolution(6, tail, rng.normal(size=3), two_channels),
    )
    return Network("local", (8,), layers, 7)


def _residual(rng: np.random.Generator) -> Network:
    """Return a network that reads one value through a window and beside it entry by entry."""
    taps = _taps(8, 3)
    layers = (
        Convolution(0, rng.normal(size=(1, 3)), rng.normal(size=1), taps),
        Relu(1, 8),
        Convolution(2, rng.normal(size=(1, 3)), rng.normal(size=1), taps),
        Sum((2, 3), (1, 1), 8),
        Relu(4, 8),
        Convolution(5, rng.normal(size=(3, 2)), rng.normal(size=3), _taps(8, 2)),
    )
    return Network("residual", (8,), layers, 6)


def _clipped(rng: np.random.Generator) -> Network:
    """Return a network in which a rectifier is seen only up to where another one ends."""
    layers = (
        Convolution(0, rng.normal(size=(2, 3)), rng.normal(size=2), _taps(8, 3)),
        Relu(1, 16),
        Scale(2, np.full(16, -1.0), rng.uniform(0.5, 2, size=16), np.ones(16)),
        Relu(3, 16),
        Scale(4, np.full(16, -1.0), np.ones(16), np.ones(16)),
        Convolution(5, rng.normal(size=(3, 2)), rng.normal(size=3), _taps(8, 2)),
    )
    return Network("clipped", (8,), layers, 6)


@pytest.mark.parametrize("network_of", [_every_local_layer, _residual, _clipped])
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Norm)))
def test_bounds_from_a_cone_are_those_from_the_whole(
    network_of: Callable[[np.random.Generator], Network], seed: int, norm: Norm
) -> None:
    rng = np.random.default_rng(seed)
    network = network_of(rng)
    last = len(network.layers)
    points = rng.integers(0, 5, (2, 8)).tolist()
    problem = make_problem([network], points, [0, 0], norm=norm, radius=Fraction(2), domain=(0, 4))
    sets = input_sets(problem)
    steps = steps_of(network, interval_bounds(network, sets))
    units = np.flatnonzero(rng.random(24) < 0.2)
    if not len(units):
        return
    part = cone(steps, units)
    assert len(part.inputs) < 8 or len(units) > 1 or network_of is _every_local_layer
    within, owner = sets_within(sets, part.inputs), np.repeat([0, 1], len(units))
    wide = _single(owner, np.tile(units, 2), 24)
    narrow = _single(owner, np.tile(np.arange(len(units)), 2), len(units))
    for rounds in (0, 2):
        whole = least_forms(steps, sets, last, wide, rounds=rounds)
        found = least_forms(part.steps, within, last, narrow, rounds=rounds)
        assert found.bound == pytest.approx(whole.bound, abs=1e-9)


def _single(owner: Integers, units: Integers, size: int) -> Forms:
    coefficients: Floats = np.zeros((len(owner), size))
    coefficients[np.arange(len(owner)), units] = 1.0
    return Forms(owner, coefficients, np.zeros(len(owner)))
