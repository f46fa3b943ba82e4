from collections.abc import Callable
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.passes.networks.evaluate import evaluate_exact
from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import EnsembleProblem, Norm, Targeted, Untargeted
from ensc.compiler.types.solution import Attack
from ensc.runner.exact.certify import certify, exact_norm, is_admissible

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]
HALF = (F(1, 2), F(1, 2))


def ramp(make_network: Dense, slope: float, offset: float) -> Network:
    """Two classes over one input: f_0 = 0, f_1 = slope x + offset."""
    return make_network(([[0.0], [slope]], [0.0, offset]))


@pytest.fixture
def two_ramps(make_network: Dense, make_problem: Maker) -> EnsembleProblem:
    """Label 0 at x = 0; the first member is fooled from x = 1 on, the second up to x = -1."""
    networks = [ramp(make_network, 1.0, -1.0), ramp(make_network, -1.0, -1.0)]
    return make_problem(networks, [[0.0]], [0], radius=1)


def test_value_of_a_mixture_is_counted_exactly(two_ramps: EnsembleProblem) -> None:
    found = certify(two_ramps, Attack((F(1, 3), F(2, 3)), (((F(1),),), ((F(-1),),))))
    assert found.admissible
    assert found.losses == (((True, False),), ((False, True),))
    assert found.member_values == (F(1, 3), F(2, 3))
    assert (found.value, found.total) == (F(1, 3), F(1))
    assert found.norms == ((F(1),), (F(1),))


def test_a_tie_is_a_misclassification_and_a_hair_less_is_not(two_ramps: EnsembleProblem) -> None:
    hair = F(1, 10**30)
    assert certify(two_ramps, Attack((F(1),), (((F(1),),),))).losses == (((True, False),),)
    assert certify(two_ramps, Attack((F(1),), (((1 - hair,),),))).losses == (((False, False),),)


def test_a_hair_outside_ball_or_domain_is_not_admissible(make_network: Dense, make_problem: Maker) -> None:
    networks = [ramp(make_network, 1.0, -1.0)]
    hair = F(1, 10**30)
    problem = make_problem(networks, [[1.0]], [0], radius=F(1, 3), domain=(0, F(5, 4)), count=2)
    assert certify(problem, Attack((F(1),), (((F(1, 4),),),))).admissible
    assert not certify(problem, Attack((F(1),), (((F(1, 4) + hair,),),))).admissible
    assert certify(problem, Attack((F(1),), (((F(-1, 3),),),))).admissible
    assert not certify(problem, Attack((F(1),), (((F(-1, 3) - hair,),),))).admissible


@pytest.mark.parametrize(
    "probabilities",
    [(F(1, 2), F(1, 3)), (F(3, 2), F(-1, 2)), (F(1, 3), F(1, 3), F(1, 3))],
    ids=["sum", "negative", "more than the query allows"],
)
def test_what_is_no_mixture_is_not_admissible(
    two_ramps: EnsembleProblem, probabilities: tuple[Fraction, ...]
) -> None:
    still = tuple(((F(0),),) for _ in probabilities)
    assert not certify(two_ramps, Attack(probabilities, still)).admissible


@pytest.mark.parametrize(
    "attack",
    [
        Attack((), ()),
        Attack((F(1),), ()),
        Attack((F(1),), ((),)),
        Attack((F(1),), (((F(0),), (F(0),)),)),
        Attack((F(1),), (((F(0), F(0)),),)),
    ],
)
def test_an_attack_of_another_shape_is_rejected(two_ramps: EnsembleProblem, attack: Attack) -> None:
    with pytest.raises(Rejected) as caught:
        certify(two_ramps, attack)
    assert [d.code for d in caught.value.diagnostics] == ["E1104"]


def test_norms() -> None:
    delta = (F(1, 2), F(-3), F(0))
    assert exact_norm(Norm.L1, delta) == F(7, 2)
    assert exact_norm(Norm.LINF, delta) == 3
    assert exact_norm(Norm.L0, delta) == 2


def test_points_that_are_no_floats_are_taken_exactly(make_network: Dense, make_problem: Maker) -> None:
    problem = make_problem(
        [ramp(make_network, 255.0, -3.0)], [[2.0]], [0], radius=F(1, 255), domain=(0, 1), denominator=255
    )
    found = certify(problem, Attack((F(1),), (((F(1, 255),),),)))
    assert found.admissible
    assert found.value == 1  # 255 * 3/255 - 3 = 0, a tie


small = st.integers(-2, 2)
rationals = st.fractions(-2, 2, max_denominator=4)


@given(
    weights=st.lists(st.tuples(st.lists(small, min_size=6, max_size=6), small), min_size=1, max_size=3),
    deltas=st.lists(st.tuples(rationals, rationals), min_size=2, max_size=2),
    label=st.integers(0, 2),
    margin=st.sampled_from([F(0), F(1, 3)]),
    target=st.sampled_from([None, 1]),
)
@settings(max_examples=80, deadline=None)
def test_losses_follow_the_definition(
    make_network: Dense,
    make_problem: Maker,
    weights: list[tuple[list[int], int]],
    deltas: list[tuple[Fraction, Fraction]],
    label: int,
    margin: Fraction,
    target: int | None,
) -> None:
    networks = [make_network(([w[:2], w[2:4], w[4:]], [b, 0, 1])) for w, b in weights]
    loss = Untargeted(margin) if target is None else Targeted(target, margin + 1)
    problem = make_problem(networks, [[0.5, -1.0]], [label], radius=2, loss=loss, count=2)
    found = certify(problem, Attack(HALF, tuple((d,) for d in deltas)))
    for i, c in product(range(2), range(len(networks))):
        f = evaluate_exact(networks[c], (F(1, 2) + deltas[i][0], deltas[i][1] - 1))
        if target is None:
            expected = any(f[m] >= f[label] + margin for m in range(3) if m != label)
        else:
            expected = all(f[target] >= f[m] + margin + 1 for m in range(3) if m != target)
        assert found.losses[i][0][c] == expected
    assert found.value == min(found.member_values)
    assert found.total == sum(found.member_values)
    assert found.admissible == (max(abs(v) for d in deltas for v in d) <= 2)
    assert is_admissible(problem, 0, deltas[0]) == (max(map(abs, deltas[0])) <= 2)
