from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Domain, Norm
from ensc.runner.exact.projection import perturbation_box, project

entries = st.floats(-4, 4, width=16)


def size(norm: Norm, delta: Floats) -> Floats:
    match norm:
        case Norm.L1:
            return np.asarray(np.abs(delta).sum(axis=-1))
        case Norm.LINF:
            return np.asarray(np.abs(delta).max(axis=-1))
        case Norm.L0:
            return np.asarray((delta != 0).sum(axis=-1), dtype=float)


@pytest.mark.parametrize("norm", list(Norm))
@given(
    wanted=arrays(float, (3, 4), elements=entries),
    low=arrays(float, 4, elements=st.floats(-3, 0, width=16)),
    high=arrays(float, 4, elements=st.floats(0, 3, width=16)),
    others=arrays(float, (40, 4), elements=entries),
    radius=st.fractions(0, 5, max_denominator=4),
)
@settings(max_examples=60, deadline=None)
def test_nothing_admissible_is_nearer(
    norm: Norm, wanted: Floats, low: Floats, high: Floats, others: Floats, radius: Fraction
) -> None:
    found = project(norm, radius, low, high, wanted)
    assert (found >= low).all()
    assert (found <= high).all()
    assert (size(norm, found) <= float(radius) + 1e-9).all()
    rivals = project(norm, radius, low, high, others)  # admissible, and near the boundary
    for goal, best in zip(wanted, found, strict=True):
        nearest = np.sqrt(((rivals - goal) ** 2).sum(axis=1)).min()
        assert np.sqrt(((best - goal) ** 2).sum()) <= nearest + 1e-6


@pytest.mark.parametrize("norm", list(Norm))
def test_inside_stays(norm: Norm) -> None:
    delta = np.array([[0.5, 0.0, -0.25], [0.0, 0.0, 0.0]])
    free = np.full(3, np.inf)
    np.testing.assert_array_equal(project(norm, Fraction(2), -free, free, delta), delta)


def test_l1_shrinks_every_coordinate_alike() -> None:
    free = np.full(2, np.inf)
    found = project(Norm.L1, Fraction(1), -free, free, np.array([[2.0, -1.0], [1.0, 1.0]]))
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.5, 0.5]], atol=1e-12)


def test_l0_changes_what_the_domain_forces_first() -> None:
    low, high = perturbation_box(Domain(Fraction(0), Fraction(1)), np.array([-0.5, 0.5]))
    found = project(Norm.L0, Fraction(1), low, high, np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(found, [[0.5, 0.0]])


def test_box_of_an_unbounded_domain() -> None:
    low, high = perturbation_box(Domain(None, Fraction(3)), np.array([1.0]))
    assert low.tolist() == [-np.inf]
    assert high.tolist() == [2.0]


@given(
    wanted=arrays(float, (5, 6), elements=entries),
    low=arrays(float, 6, elements=st.floats(-3, 2, width=16)),
    width=arrays(float, 6, elements=st.floats(0, 3, width=16)),
    radius=st.fractions(0, 9, max_denominator=4),
)
@settings(max_examples=100, deadline=None)
def test_l1_multiplier_is_that_of_bisection(
    wanted: Floats, low: Floats, width: Floats, radius: Fraction
) -> None:
    """Boxes with and without zero; where box and ball are disjoint, the box's point of least norm."""
    high = low + width
    below, above = np.zeros((5, 1)), np.full((5, 1), 9.0)
    for _ in range(60):
        middle = (below + above) / 2
        norm = np.abs(np.clip(wanted - np.clip(wanted, -middle, middle), low, high)).sum(axis=1)[:, None]
        below = np.where(norm > float(radius), middle, below)
        above = np.where(norm > float(radius), above, middle)
    expected = np.clip(wanted - np.clip(wanted, -above, above), low, high)
    np.testing.assert_allclose(project(Norm.L1, radius, low, high, wanted), expected, atol=1e-9)


def test_l1_ball_holds_what_is_returned() -> None:
    rng = np.random.default_rng(0)
    wanted, free = rng.laplace(size=(300, 784)), np.full(784, np.inf)
    norms = np.abs(project(Norm.L1, Fraction(2), -free, free, wanted)).sum(axis=1)
    assert (norms <= 2 + 1e-14).all()
    assert (norms >= 2 - 1e-11).all()
